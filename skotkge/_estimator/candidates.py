"""What a user allows as answers, in ids."""

from collections.abc import Mapping, Set

import numpy as np

from .._graph.arguments import SIDES
from .._graph.labels import as_labels
from .._ranking.candidates import Candidates
from .._utils.messages import shown
from .lookup import entities_of, relations_of

EXPECTED = "'all', 'seen', None, labels, or a mapping from relations to labels"


def entity_candidates(predictor, candidates):
    """The entities that may answer each relation and direction; None is all.

    Parameters
    ----------
    predictor : LinkPredictor
    candidates : None, "all", "seen", array-like of labels, or mapping of relation to labels
        A value of the mapping may be a mapping of "head" and "tail" to labels.

    Returns
    -------
    Candidates or None

    Raises
    ------
    ValueError
        If candidates is another string, or has unknown labels or sides.
    """
    if candidates is None or (isinstance(candidates, str) and candidates == "all"):
        return None
    n_sides, n_entities = 2 * predictor.n_relations, len(predictor.vocabulary.entities)
    if isinstance(candidates, Mapping):
        return Candidates.of_sets(_sets_of_relations(predictor, candidates), n_sides, n_entities)
    if not isinstance(candidates, str):
        return Candidates.of_all_relations(_entities(predictor, candidates), n_sides, n_entities)
    if candidates != "seen":
        raise ValueError(f"candidates={shown(candidates)}; give {EXPECTED}.")
    return Candidates(np.arange(n_sides), predictor.seen)


def relation_candidates(predictor, candidates, ids):
    """The relations that may stand between the heads and tails of triples, as a mask; None is all.

    Parameters
    ----------
    predictor : LinkPredictor
    candidates : None, "all", "seen" or array-like of labels
    ids : ndarray of shape (n_questions, 3)

    Returns
    -------
    ndarray of shape (n_questions or 1, n_relations), dtype bool, or None

    Raises
    ------
    ValueError
        If candidates is a mapping or another string, or has unknown labels.
    """
    if candidates is None or (isinstance(candidates, str) and candidates == "all"):
        return None
    n_relations = predictor.n_relations
    if isinstance(candidates, Mapping):
        raise ValueError(
            f"candidates={shown(candidates)} maps relations to entities, but a question asks for the relation; ask for "
            "relations in a call of their own, with labels of relations as candidates."
        )
    if not isinstance(candidates, str):
        chosen = np.zeros((1, n_relations), dtype=bool)
        chosen[0, relations_of(_listed(candidates), predictor.vocabulary, "candidates")] = True
        return chosen
    if candidates != "seen":
        raise ValueError(f"candidates={shown(candidates)}; give 'all', 'seen', None or labels.")
    tails, heads = predictor.seen[:n_relations].T.tocsr(), predictor.seen[n_relations:].T.tocsr()
    return tails[ids[:, 2]].toarray() & heads[ids[:, 0]].toarray()


def _sets_of_relations(predictor, candidates):
    """From relations and reciprocals to the positions of entities that a mapping of labels allows."""
    keys = list(candidates)
    relations, sets = relations_of(as_labels(keys), predictor.vocabulary, "candidates"), {}
    for key, relation in zip(keys, relations.tolist(), strict=True):
        labels = candidates[key]
        by_side = labels if isinstance(labels, Mapping) else dict.fromkeys(SIDES, labels)
        if set(by_side) - set(SIDES):
            raise ValueError(f"candidates[{key!r}]={shown(labels)}; give labels, or a mapping of 'head' and 'tail'.")
        for side, allowed in by_side.items():
            shift = predictor.n_relations if side == "head" else 0
            sets[relation + shift] = _entities(predictor, allowed)
    return sets


def _entities(predictor, labels):
    return entities_of(_listed(labels), predictor.vocabulary, "candidates")


def _listed(labels):
    """Labels of which no order is asked: a set as a list."""
    return list(labels) if isinstance(labels, Set) else labels
