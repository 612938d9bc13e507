"""One graph from two, in which matched entities are one entity."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .._graph.triples import MultimodalTriples
from .._graph.vocabulary import DESCRIPTIONS
from .._utils.messages import tell
from .lookup import RowNumbers, label_key
from .pairs import as_graph

# Part of the largest length by which two vectors of one entity may differ before they are named as a conflict.
TOLERANCE = 1e-3


def merge(X: Any, Y: Any, matches: Iterable[tuple]) -> MultimodalTriples:
    """Join two graphs whose matched entities are the same thing.

    Entities of Y that are matched take the label of their counterpart in X. The others keep theirs; if X has an entity
    of the same label, which is then another thing, theirs becomes the pair ``("Y", label)``. Relations of equal label
    are the same relation. Triples that both graphs have are kept once. A modality is joined where both have it with
    equal widths: an entity gets the vector of X, or that of Y where X has none. Modalities of one graph, or of
    different widths, stay as they are, the latter with " of Y" behind the name of the second.

    Parameters
    ----------
    X, Y : MultimodalTriples, (matrix, labels) or data frame
        As for `EntityPairs`.
    matches : iterable of tuple (label of X, label of Y) or (label of X, label of Y, probability)
        Such as `OTEntityMatcher.matches_`.

    Returns
    -------
    MultimodalTriples
        Entities of X first, in their order, then those of Y without counterpart.

    Raises
    ------
    ValueError
        If a label is no entity of its graph, or is matched twice.

    Warns
    -----
    UserWarning
        If matched entities have different vectors in one modality; the first few are named.

    Examples
    --------
    >>> from skotkge import MultimodalTriples, merge
    >>> X = MultimodalTriples([("ann", "likes", "bob")])
    >>> Y = MultimodalTriples([("Robert", "knows", "Sid")])
    >>> merge(X, Y, [("bob", "Robert")]).labels
    array([['ann', 'likes', 'bob'],
           ['bob', 'knows', 'Sid']], dtype=object)
    """
    X, Y = as_graph(X, "X"), as_graph(Y, "Y")
    mates = _mates(X, Y, matches)
    place, entities = _joined_entities(X, Y, mates)
    relations, relation_place = _joined_relations(X, Y)
    ids = np.concatenate(
        [X.ids, np.column_stack([place[Y.ids[:, 0]], relation_place[Y.ids[:, 1]], place[Y.ids[:, 2]]])]
    )
    _, first = np.unique(ids, axis=0, return_index=True)
    ids = ids[np.sort(first)]
    triples = np.empty(ids.shape, dtype=object)
    triples[:, 0], triples[:, 1], triples[:, 2] = entities[ids[:, 0]], relations[ids[:, 1]], entities[ids[:, 2]]
    modalities = _joined_modalities(X, Y, place, len(entities), entities)
    told = _joined_descriptions(X, Y, place, len(entities))
    return MultimodalTriples(triples, modalities, entities=entities, relations=relations, **told)


def _mates(X, Y, matches):
    """Entity of X of each entity of Y, -1 where it has none."""
    matches = [tuple(match)[:2] for match in matches]
    mates = np.full(Y.n_entities, -1)
    if not matches:
        return mates
    rows = RowNumbers(X.entities).rows([match[0] for match in matches], "The first column of matches")
    columns = RowNumbers(Y.entities).rows([match[1] for match in matches], "The second column of matches")
    for ids, graph, argument in ((rows, X, "X"), (columns, Y, "Y")):
        distinct, counts = np.unique(ids, return_counts=True)
        if (counts > 1).any():
            raise ValueError(
                f"matches has the entity {graph.entities[distinct[counts.argmax()]]!r} of {argument} more than once; "
                "keep its surest match."
            )
    mates[columns] = rows
    return mates


def _joined_entities(X, Y, mates):
    taken = set(map(label_key, X.entities.tolist()))
    alone = np.flatnonzero(mates < 0)
    place = mates.copy()
    place[alone] = X.n_entities + np.arange(len(alone))
    entities = np.empty(X.n_entities + len(alone), dtype=object)
    entities[: X.n_entities] = X.entities
    for position, label in enumerate(Y.entities[alone].tolist(), start=X.n_entities):
        entities[position] = ("Y", label) if label_key(label) in taken else label
    return place, entities


def _joined_relations(X, Y):
    position = {label_key(label): row for row, label in enumerate(X.relations.tolist())}
    new = [label for label in Y.relations.tolist() if label_key(label) not in position]
    position.update({label_key(label): len(X.relations) + row for row, label in enumerate(new)})
    relations = np.empty(len(X.relations) + len(new), dtype=object)
    relations[: len(X.relations)], relations[len(X.relations) :] = X.relations, new
    return relations, np.array([position[label_key(label)] for label in Y.relations.tolist()], dtype=np.int64)


def _joined_descriptions(X, Y, place, n_entities):
    """Return what X tells of entities, and what Y tells where X does not; None where neither graph tells anything."""
    joined = {}
    for what in DESCRIPTIONS:
        first, second = (_told(graph, what) for graph in (X, Y))
        if first is None and second is None:
            continue
        joined[what] = np.full(n_entities, None, dtype=object)
        if second is not None:
            joined[what][place] = second
        if first is not None:
            given = np.flatnonzero(np.not_equal(first, None))
            joined[what][given] = first[given]
    return joined


def _told(X, what):
    """What a graph tells of its entities, None where it tells nothing."""
    told = X.vocabulary.descriptions[what]
    return X.vocabulary.names_of(X.entities) if what == "names" and told is not None else told


def _joined_modalities(X, Y, place, n_entities, entities):
    out = {}
    for name, matrix in X.modalities.items():
        out[name] = _placed(matrix, np.arange(X.n_entities), n_entities)
    for name, matrix in Y.modalities.items():
        second = _placed(matrix, place, n_entities)
        if name not in out:
            out[name] = second
        elif out[name].shape[1] != second.shape[1]:
            out[f"{name} of Y"] = second
        else:
            _name_conflicts(name, out[name], second, entities)
            out[name] = np.where(np.isnan(out[name]), second, out[name])
    return out


def _placed(matrix, places, n_entities):
    out = np.full((n_entities, matrix.shape[1]), np.nan, dtype=np.result_type(matrix.dtype, np.float16))
    out[places] = matrix
    return out


def _name_conflicts(name, first, second, entities):
    gap = np.abs(first.astype(np.float64) - second).max(axis=1)
    size = np.maximum(np.abs(first).max(axis=1), np.abs(second).max(axis=1))
    different = np.flatnonzero(gap > TOLERANCE * size)
    if len(different):
        named = ", ".join(repr(label) for label in entities[different[:3]].tolist())
        tell(
            f"{len(different)} matched entities have two different vectors in {name!r} ({named}, ...); those of X are "
            "kept."
        )
