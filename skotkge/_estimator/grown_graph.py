"""The graph of a fitted model together with triples that come later, or without some that are taken back. Ids only."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._evidence.unseen import UnseenEntities
from .._fusion.encoder import RowEncoder
from .._graph.constraints import resolve
from .._graph.modalities import check_modalities
from .._graph.queries import KnownAnswers, distinct_rows
from .._graph.triples import MultimodalTriples
from .._graph.vocabulary import Vocabulary


@dataclass(frozen=True)
class GrownGraph:
    """Old and new entities, relations and triples; ids of old ones are as they were.

    Attributes
    ----------
    vocabulary : Vocabulary
    n_before : tuple of int
        Entities and relations of the fitted model.
    true_ids : ndarray of shape (n_known, 3)
        Distinct true triples.
    trained : ndarray of shape (n_known,), dtype bool
        Those to train on; the others are known alone.
    changed : ndarray of shape (n_changed, 3)
        Triples that have come, or gone, and that training has not, or has, seen before.
    unseen : UnseenEntities
        Vectors of the new entities.
    fact_weights : ndarray of shape (n_known,) or None
        What each true triple counts; None is 1.
    """

    vocabulary: Vocabulary
    n_before: tuple
    true_ids: np.ndarray
    trained: np.ndarray
    changed: np.ndarray
    unseen: UnseenEntities
    fact_weights: np.ndarray | None = None

    @property
    def n_entities(self):
        """Number of entities, old and new."""
        return len(self.vocabulary.entities)

    @property
    def n_relations(self):
        """Number of relations, old and new, reciprocal ones not counted."""
        return len(self.vocabulary.relations)

    @cached_property
    def ids(self):
        """The triples to train on."""
        return self.true_ids[self.trained]

    @cached_property
    def old_relation_rows(self):
        """Rows of the old relations and their reciprocals in a table of all."""
        n_old = self.n_before[1]
        return np.concatenate([np.arange(n_old), self.n_relations + np.arange(n_old)])

    @property
    def relative_weights(self):
        """What each of `ids` counts, on average 1; None is 1."""
        if self.fact_weights is None:
            return None
        weights = self.fact_weights[self.trained]
        return weights / weights.mean()

    @cached_property
    def triples(self):
        """The triples to train on, over a table without vectors."""
        entities, relations = self.vocabulary.entities, self.vocabulary.relations
        table = MultimodalTriples(np.empty((0, 3), dtype=object), entities=entities, relations=relations)
        columns = zip((entities, relations, entities), self.ids.T, strict=True)
        return table.with_triples(np.column_stack([labels[column] for labels, column in columns]))

    def by_relation(self, values, fill):
        """Values of the old relations and their reciprocals ``(..., 2 * n_old)``, with others for the new ones."""
        table = np.empty((*np.shape(values)[:-1], 2 * self.n_relations), dtype=np.asarray(values).dtype)
        table[:] = np.asarray(fill)[..., None]
        table[..., self.old_relation_rows] = values
        return table

    @cached_property
    def has_grown(self):
        """Whether the changed triples have come, or gone."""
        return KnownAnswers(self.ids, self.n_relations).contains(self.changed[:1]).all()

    @cached_property
    def placed(self):
        """Entities with a triple to train on."""
        placed = np.zeros(self.n_entities, dtype=bool)
        placed[self.ids[:, [0, 2]]] = True
        return placed

    @cached_property
    def entity_shares(self):
        """Share of the triples of each entity that have changed; 1 for an entity without any."""
        return self._changed_shares([0, 2], self.n_entities)

    @cached_property
    def relation_shares(self):
        """Share of the triples of each relation that have changed; 1 for a relation without any."""
        return self._changed_shares([1], self.n_relations)

    def _changed_shares(self, columns, size):
        every = self.ids if self.has_grown else np.concatenate([self.ids, self.changed])
        changed, total = (np.bincount(ids[:, columns].ravel(), minlength=size) for ids in (self.changed, every))
        return np.divide(changed, total, out=np.ones(size), where=total > 0)


def with_triples(predictor, X):
    """Return the graph of a predictor with the rows of X, and with the entities of X that have a triple or a vector.

    Parameters
    ----------
    predictor : LinkPredictor
    X : MultimodalTriples
        True triples over any table. Vectors of entities that the predictor knows are not looked at.

    Returns
    -------
    GrownGraph

    Raises
    ------
    ValueError
        If X has some of the modalities of the fit, but not all, or one of another width.
    """
    before, encoder = predictor.vocabulary, predictor.encoder
    entities, new = _positions(before.entity_index, before.shape[0], X.entities, _wanted(X, encoder))
    relations, new_relations = _positions(before.relation_index, before.shape[1], X.relations, np.unique(X.ids[:, 1]))
    descriptions = X.vocabulary.descriptions_of(new)
    vocabulary = before.with_entities(X.entities[new], descriptions) if len(new) else before
    vocabulary = vocabulary.with_relations(X.relations[new_relations]) if len(new_relations) else vocabulary
    ids = np.column_stack([entities[X.ids[:, 0]], relations[X.ids[:, 1]], entities[X.ids[:, 2]]])
    n_relations = len(vocabulary.relations)
    # What follows from new facts is new, too.
    ids = distinct_rows(resolve(predictor.statements, vocabulary).closed(ids))
    old_trained = trained_of(predictor)
    changed = ids[~KnownAnswers(predictor.true_ids[old_trained], n_relations).contains(ids)]
    untold = changed[~KnownAnswers(predictor.true_ids, n_relations).contains(changed)]
    now_trained = KnownAnswers(changed, n_relations).contains(predictor.true_ids)
    return GrownGraph(
        vocabulary=vocabulary,
        n_before=before.shape,
        true_ids=np.concatenate([predictor.true_ids, untold]),
        trained=np.concatenate([old_trained | now_trained, np.ones(len(untold), dtype=bool)]),
        changed=changed,
        unseen=_unseen(X, new, encoder),
        fact_weights=_with_ones(predictor.fact_weights, len(untold)),
    )


def without_triples(predictor, ids):
    """Return the graph of a predictor without triples that it knows.

    Parameters
    ----------
    predictor : LinkPredictor
    ids : ndarray of shape (n_triples, 3)

    Returns
    -------
    GrownGraph
    """
    # What follows from a fact, by a symmetric or an inverse relation, implies it.
    gone = KnownAnswers(predictor.constraints.closed(ids), predictor.n_relations).contains(predictor.true_ids)
    old_trained = trained_of(predictor)
    return GrownGraph(
        vocabulary=predictor.vocabulary,
        n_before=predictor.vocabulary.shape,
        true_ids=predictor.true_ids[~gone],
        trained=old_trained[~gone],
        changed=predictor.true_ids[gone & old_trained],
        unseen=_unseen(None, np.empty(0, dtype=np.int64), predictor.encoder),
        fact_weights=None if predictor.fact_weights is None else predictor.fact_weights[~gone],
    )


def _with_ones(weights, n_more):
    return None if weights is None else np.append(weights, np.ones(n_more))


def trained_of(predictor):
    """Which of the true triples of a predictor it was trained on."""
    return np.ones(len(predictor.true_ids), dtype=bool) if predictor.trained is None else predictor.trained


def _wanted(X, encoder):
    """Entities of X that have a triple, or a vector that the fit can read."""
    wanted = np.zeros(X.n_entities, dtype=bool)
    wanted[X.ids[:, [0, 2]]] = True
    if encoder is not None and X.modalities:
        check_modalities({name: matrix.shape[1] for name, matrix in X.modalities.items()}, _widths(encoder))
        for name in encoder.scalings:
            wanted |= X.observed(name)
    return np.flatnonzero(wanted)


def _positions(index, n_old, labels, wanted):
    """Positions of labels, where wanted ones that are new go on after the old ones; and which those are."""
    positions = index.positions(labels)
    new = wanted[positions[wanted] < 0]
    positions[new] = n_old + np.arange(len(new))
    return positions, new


def _widths(encoder):
    return {name: len(mean) for name, (mean, _) in encoder.scalings.items()}


def _unseen(X, rows, encoder):
    """Scaled vectors of entities of X, rows of zeros where X has no vectors."""
    if encoder is None:
        return _no_vectors(len(rows))
    if X is not None and X.modalities:
        matrices = {name: X.modalities[name][rows] for name in encoder.scalings}
        observed = {name: X.observed(name)[rows] for name in encoder.scalings}
    else:
        matrices = {name: np.full((len(rows), width), np.nan) for name, width in _widths(encoder).items()}
        observed = {name: np.zeros(len(rows), dtype=bool) for name in matrices}
    return UnseenEntities(encoder, encoder.columns(matrices, observed), observed)


def _no_vectors(n_rows):
    """Entities of a graph without modalities: an encoder of no modality, and a matrix of no column to be counted by."""
    return UnseenEntities(RowEncoder({}, {}, "none"), {"": np.empty((n_rows, 0))}, {})
