"""The ids of a user's triples in the vocabulary of a fitted model."""

import numpy as np

from .._graph.arguments import as_triple_sets
from .._graph.label_columns import as_label_triples
from .._graph.labels import as_labels, counted, first_occurrences, name_first
from .._graph.modalities import did_you_mean
from .._graph.triples import MultimodalTriples
from .._utils.messages import shown, tell

# Standard deviations of the fit's vectors: a word that one in a million texts has lies a thousand away.
FARTHEST = 1e4


def ids_of(vocabulary, X, handle_unknown):
    """Ids of triples and a mask of the rows whose labels are all known; the others have ids of 0 there."""
    if isinstance(X, MultimodalTriples) and vocabulary.is_that_of(X.vocabulary):
        return X.ids, np.ones(len(X), dtype=bool)
    return ids_of_labels(vocabulary, as_label_triples(X), handle_unknown)


def ids_of_labels(vocabulary, labels, handle_unknown, empty=False):
    """As `ids_of`, for an array of labels, or names of entities; positions marked in `empty` are not looked up.

    Raises
    ------
    ValueError
        If a label is unknown and ``handle_unknown="error"``, or several entities have the name.
    """
    ids = np.where(empty, 0, vocabulary.ids_of_asked(labels))
    if (ids < 0).any() and handle_unknown == "error":
        unknown = name_first(first_occurrences(labels[ids < 0]))
        row, column = np.argwhere(ids < 0)[0]
        similar = similar_ones(vocabulary, labels[row, column], is_relation=column == 1)
        raise ValueError(
            f"X has labels that fit has not seen: {unknown}{similar}; set handle_unknown='last' to rank such rows last."
        )
    known = (ids >= 0).all(axis=1)
    return np.where(known[:, None], ids, 0), known


def check_new_entities(vocabulary, X, fitted):
    """Refuse new entities none of which has a vector in a modality of the fit.

    Parameters
    ----------
    vocabulary : Vocabulary
    X : MultimodalTriples
    fitted : collection of str
        Names of the modalities of the fit.

    Raises
    ------
    ValueError
        If X has none of these modalities, or no value of a new entity in them.
    """
    new = vocabulary.entity_index.positions(X.entities) < 0
    if not new.any():
        return
    shared = [name for name in fitted if name in X.modalities]
    if not shared:
        given = list(X.modalities)
        raise ValueError(
            f"new_entities has the modalities {name_first(given) or 'none'}, and the model reads "
            f"{name_first(list(fitted)) or 'none'}{did_you_mean(given[0], fitted) if given else '.'}"
        )
    if not any(X.observed(name)[new].any() for name in shared):
        raise ValueError(
            f"new_entities has no vector for {name_first(X.entities[new])}: all values of {name_first(shared)} are "
            "missing; give the vector of at least one modality."
        )


def tell_of_far_vectors(labels, matrices, observed, scalings):
    """Warn of a vector of an unseen entity that lies far from all that the fit saw: it alone would decide the answers.

    Parameters
    ----------
    labels : ndarray of shape (n_unseen,), dtype object
    matrices : dict of str to ndarray of shape (n_unseen, d_k)
    observed : dict of str to ndarray of shape (n_unseen,), dtype bool
    scalings : dict of str to (mean, scale)
        Of the columns of each modality.
    """
    for name, (mean, scale) in scalings.items():
        rows = np.flatnonzero(observed[name])
        if not len(rows):
            continue
        distances = np.abs((matrices[name][rows] - mean) / scale)
        farthest = distances.max(axis=1)
        n_far, worst = np.count_nonzero(farthest > FARTHEST), rows[farthest.argmax()]
        if n_far:
            column = distances[farthest.argmax()].argmax()
            tell(
                f"{counted(n_far, 'unseen entity has a vector', 'unseen entities have vectors')} far from all that fit "
                f"saw, and answers that mean little: {shown(labels[worst])} lies {farthest.max():.1e} standard "
                f"deviations away in column {column} of {name!r}, which hardly varied among the entities of fit; leave "
                "such columns out, or see whether the vector is in their units."
            )


def ids_of_sets(vocabulary, known):
    """Ids of the triples of one set or a list of sets, by labels or names, that the vocabulary has.

    Returns
    -------
    list of ndarray of shape (n_triples, 3)

    Raises
    ------
    ValueError
        If no triple of a set can be named, or several entities have a name.
    """
    found = []
    for triples in as_triple_sets(known):
        labels = as_label_triples(triples)
        ids = vocabulary.ids_of_asked(labels)
        in_table = (ids >= 0).all(axis=1)
        if len(ids) and not in_table.any():
            raise ValueError(
                f"known holds no triple of the fitted table; the first is {shown(labels[0].tolist())}: give those of "
                "the same graph."
            )
        found.append(ids[in_table])
    return found


def similar_ones(vocabulary, label, is_relation=False):
    """Write which labels are like an unknown one, for the end of a sentence."""
    similar = vocabulary.similar(label, is_relation)
    return f" (similar to {shown(label)}: {similar})" if similar else ""


def entities_of(labels, vocabulary, argument):
    """Positions of entities by their labels or names.

    Raises
    ------
    ValueError
        If a label is unknown, or several entities have the name.
    """
    labels = as_labels(labels, argument)
    return _all_known(vocabulary.entities_asked(labels), labels, vocabulary, argument, is_relation=False)


def relations_of(labels, vocabulary, argument):
    """Positions of relations by their labels; errors as for `entities_of`."""
    labels = as_labels(labels, argument)
    return _all_known(vocabulary.relation_index.positions(labels), labels, vocabulary, argument, is_relation=True)


def _all_known(positions, labels, vocabulary, argument, is_relation):
    unknown = labels[positions < 0]
    if len(unknown):
        raise ValueError(
            f"{argument} has labels that the model does not know: {name_first(first_occurrences(unknown))}"
            f"{similar_ones(vocabulary, unknown[0], is_relation)}."
        )
    return positions
