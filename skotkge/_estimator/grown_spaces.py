"""Trained spaces that go on with a graph that has grown or shrunk: where their rows start, and how they are trained.

The maps of modalities stay as they are, so that no matrix of the first fit is needed: the rows of a space are
``E = w_S S + C`` with the part C of the modalities, and S and the relations are trained.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array

from .._embedding.continuing import start_from
from .._embedding.steps import SQUARES
from .._embedding.trainer import Trainer
from .._evidence.embedding import EmbeddingEvidence
from .._graph.queries import both_directions, distinct_rows
from .._spaces import STRUCTURE, SpaceSpec, concat_order, row_weights

FIXED = "fixed part"


@dataclass(frozen=True)
class SpaceStart:
    """Where a space starts from.

    Attributes
    ----------
    structure : ndarray of shape (n_entities, d) or None
        S; None for a space of modalities alone.
    weight : ndarray of shape (n_entities,) or None
        w_S.
    fixed : ndarray of shape (n_entities, d_C) or None
        C; None for a space of the structure alone.
    order : ndarray of int or None
        Columns of a concatenation of S and C.
    squares : dict of str to ndarray
        See `skotkge._embedding.steps`.
    """

    structure: np.ndarray | None
    weight: np.ndarray | None
    fixed: np.ndarray | None
    order: np.ndarray | None
    squares: dict

    @property
    def spec(self):
        """What the trainer makes the space of: C comes in as a modality whose map is the identity."""
        features = {} if self.fixed is None else {FIXED: self.fixed}
        return SpaceSpec(self.structure, self.weight, features, self._identity(FIXED), self.order)

    def parameters(self, relations):
        """What the trainer takes over."""
        structure = {} if self.structure is None else {"structure": self.structure}
        return structure | {"relations": relations} | self._identity(f"map of {FIXED}")

    def _identity(self, name):
        return {} if self.fixed is None else {name: np.eye(self.fixed.shape[1], dtype=np.float32)}


def start_of(kind, graph):
    """Start of a space over the entities of a graph.

    Parameters
    ----------
    kind : EmbeddingEvidence
        Extended by the unseen entities of the graph.
    graph : GrownGraph

    Returns
    -------
    SpaceStart
    """
    shares = graph.entity_shares
    squares = {"relations": np.tile(1 - graph.relation_shares, 2) * graph.by_relation(_squares(kind, "relations"), 0.0)}
    before = kind.parameters.get("structure")
    if before is None:
        return _start_of_modality(kind, graph, squares)
    weight = _filled(kind.continuation.get("structure_weight", np.ones(len(before))), graph.n_entities)
    structure = _filled(before, graph.n_entities)
    new_weight, fixed, order = _fixed_part(kind, graph, structure, weight)
    # A new row starts at the mean of the rows of entities with the same facts, an old one stays; one that facts are
    # taken from goes that way by their share. The steps of a row are the longer the more of its facts have changed.
    towards = (shares == 1) if graph.has_grown else shares
    towards = towards[:, None].astype(structure.dtype)
    structure = (1 - towards) * structure
    structure += towards * folded_in(_filled(before, graph.n_entities), graph.ids, weight > 0, graph.n_relations)
    squares["structure"] = (1 - shares) * _filled(_squares(kind, "structure"), graph.n_entities)
    return SpaceStart(structure, new_weight, fixed, order, _named(squares))


def _start_of_modality(kind, graph, squares):
    """Start of a space of one modality: E = C, and E = C + S, at first S = 0, for new entities with vector and facts.

    The map of the fit knows nothing of new entities; a fit on all would have moved it so that their facts hold. In its
    place each of them takes steps of its own.
    """
    is_new = np.arange(graph.n_entities) >= graph.n_before[0]
    moves = is_new & graph.placed & kind.entities.any(axis=1)
    if not moves.any():
        return SpaceStart(None, None, kind.entities, None, _named(squares))
    squares["structure"] = np.zeros(graph.n_entities, dtype=np.float32)
    return SpaceStart(np.zeros_like(kind.entities), moves.astype(np.float32), kind.entities, None, _named(squares))


def _fixed_part(kind, graph, structure, weight):
    """w_S as it is now that some entities have their first triple, or have lost their last one; C; and their order."""
    placed = graph.placed
    if kind.id.kind == STRUCTURE:
        return placed.astype(np.float32), None, None
    new_weight = np.where(placed, weight, 0)
    first = placed & (weight == 0)
    new_weight[first] = structure_weights(graph)[first]
    width, n_columns = structure.shape[1], kind.entities.shape[1]
    if n_columns != width:
        order = concat_order(width, n_columns // width)
        return new_weight, kind.entities[:, np.argsort(order)][:, width:], order
    # The weights of the modalities of an entity sum to 1 - w_S.
    share = np.divide(1 - new_weight, 1 - weight, out=np.ones_like(weight), where=weight < 1)
    return new_weight, share[:, None] * (kind.entities - weight[:, None] * structure), None


def structure_weights(graph):
    """w_S of entities with structure: exact for new ones; old ones are taken to have all modalities."""
    encoder, n_old = graph.unseen.encoder, graph.n_before[0]
    seen = {STRUCTURE: np.ones(len(graph.unseen), dtype=bool)} | graph.unseen.observed
    of_unseen = row_weights(encoder.weights, seen, encoder.fusion)[STRUCTURE]
    return np.concatenate([np.full(n_old, encoder.weights[STRUCTURE]), of_unseen])


def folded_in(rows, ids, has_row, n_relations):
    """Rows for entities by the company they keep.

    Parameters
    ----------
    rows : ndarray of shape (n_entities, d)
    ids : ndarray of shape (n_triples, 3)
    has_row : ndarray of shape (n_entities,), dtype bool
        Entities whose rows mean something.
    n_relations : int

    Returns
    -------
    ndarray of shape (n_entities, d)
        For an entity e, the mean over its facts (relation and direction, neighbour) of the mean row of the other
        entities with the same fact; the mean row of all where no other has one.
    """
    # B (n_entities, n_facts) is 1 where an entity has a fact, R its rows of those with has_row. For entity e and fact f
    # the others' mean is ((R^T rows)_f - R_ef rows_e) / (n_f - R_ef), with n_f the column sums of R.
    sources, relations, answers = both_directions(distinct_rows(ids), n_relations)
    facts, columns = np.unique(relations * len(rows) + answers, return_inverse=True)
    shape = len(rows), len(facts)
    has_fact = csr_array((np.ones(len(sources), dtype=rows.dtype), (sources, columns)), shape=shape)
    counted = diags_array(has_row.astype(rows.dtype)) @ has_fact
    others = counted.sum(axis=0)[columns] - has_row[sources]
    share = np.divide(1.0, others, out=np.zeros(len(others), dtype=rows.dtype), where=others > 0)
    weights = csr_array((share, (sources, columns)), shape=shape)
    n_facts = np.bincount(sources[others > 0], minlength=len(rows))
    own = np.bincount(sources, weights=share * has_row[sources], minlength=len(rows))
    total = weights @ (counted.T @ rows) - own[:, None] * rows
    mean = rows[has_row].mean(axis=0) if has_row.any() else np.zeros(rows.shape[1], dtype=rows.dtype)
    return np.where(n_facts[:, None] > 0, total / np.maximum(n_facts, 1)[:, None], mean)


def train_further(kind, graph, weights, options, seed, excludes_self_loops, callbacks=()):
    """Train a space for some epochs on the triples of a graph.

    Parameters
    ----------
    kind : EmbeddingEvidence
        Extended by the unseen entities of the graph.
    graph : GrownGraph
    weights : ndarray of shape (n_triples,) or None
        What each triple counts; None is 1.
    options : TrainingOptions
    seed : int
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool
    callbacks : sequence

    Returns
    -------
    EmbeddingEvidence
    """
    start = start_of(kind, graph)
    of_graph = start.spec, graph.ids, graph.n_relations
    trainer = Trainer(*of_graph, options, seed=seed, excludes_self_loops=excludes_self_loops, weights=weights)
    start_from(trainer, start.parameters(kind.relations), graph.old_relation_rows, start.squares)
    space = trainer.run(callbacks=callbacks, name=str(kind.id))
    # Of a space of one modality S is in E from now on, as if it were of C.
    trained = {name: space.parameters[name] for name in ("structure", "relations") if name in kind.parameters}
    squares = {name: space.continuation[name] for name in _named(trained) if name in space.continuation}
    weight = {"structure_weight": start.weight} if "structure" in trained else {}
    return EmbeddingEvidence(
        kind.id, kind.score_function, space.entities, space.relations, kind.parameters | trained, squares | weight
    )


def _squares(kind, name):
    """Row squares of a table of the fit; zeros where there are none."""
    n_rows = len(kind.parameters[name])
    return kind.continuation.get(SQUARES.format(name), np.zeros(n_rows, dtype=np.float32))


def _named(squares):
    return {SQUARES.format(name): values for name, values in squares.items()}


def _filled(values, n_rows):
    """Values of the old rows in single precision, and zeros for those that are new."""
    filled = np.zeros((n_rows, *values.shape[1:]), dtype=np.float32)
    filled[: len(values)] = values
    return filled
