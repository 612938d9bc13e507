"""Evidence of neighbours: what entities like the source answer, weighted by how like it they are.

A kernel regression: for a query (s, r) and the training pairs (s_i, a_i) of r,
``p(a) = sum_i K(s, s_i) [a_i = a] / sum_i K(s, s_i)`` with ``K = exp(SHARPNESS (cos - 1))``, and the score is
``log(1 + SCALE p)``. Pairs of the source itself are left out: they are known answers, and tell nothing of others. The
cosine is that of all vectors of an entity side by side: the mean of the cosines of its modalities and structure.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from .._graph.queries import both_directions
from .._spaces import NEIGHBORS, EvidenceId
from .devices import as_float
from .likeness import Likeness
from .relation_maps import unit_rows

SHARPNESS = 8.0
SCALE = 100.0
# Neighbours named in an explanation.
FACTS = 3
# Similarities held at once.
SIMILARITIES_AT_ONCE = 2**20


@dataclass(frozen=True)
class Neighbors:
    """Vectors, and the training pairs of each relation and reciprocal.

    Attributes
    ----------
    id : EvidenceId
    vectors : tuple of Likeness
    sources, answers : ndarray of shape (n_pairs,)
        By relation.
    starts : ndarray of shape (2 * n_relations + 1,)
        First pair of each relation.
    """

    id: EvidenceId
    vectors: tuple[Likeness, ...]
    sources: np.ndarray
    answers: np.ndarray
    starts: np.ndarray

    @property
    def n_entities(self):
        """Number of rows."""
        return len(self.vectors[0].rows)

    @property
    def rows(self):
        """All vectors of an entity side by side, of unit length or zero, ``(n_entities, d)``."""
        return unit_rows(np.hstack([likeness.rows for likeness in self.vectors]))

    def on(self, device):
        """Return the scores on a device."""
        return NeighborScores(self, device)

    def extended(self, unseen):
        """Return the same evidence with rows for unseen entities."""
        return replace(self, vectors=tuple(likeness.extended(unseen) for likeness in self.vectors))

    def facts(self, source, relation, answer):
        """The most similar entities that have this answer, see `Evidence`."""
        pairs = slice(*self.starts[relation : relation + 2])
        sources = self.sources[pairs][self.answers[pairs] == answer]
        sources = np.unique(sources[sources != source])
        # Only the rows that are looked at: joining those of all entities would take longer than the rest.
        joined = [np.concatenate([likeness.rows[[source]], likeness.rows[sources]]) for likeness in self.vectors]
        rows = unit_rows(np.hstack(joined))
        similarities = rows[1:] @ rows[0]
        best = np.argsort(-similarities, kind="stable")[:FACTS]
        return [("similarity", float(similarities[i]), [(int(sources[i]), relation, answer)]) for i in best]

    def state(self):
        """Return plain values and arrays."""
        state = {name: getattr(self, name) for name in ("sources", "answers", "starts")}
        return state | {"id": tuple(self.id), "vectors": [likeness.state() for likeness in self.vectors]}

    @classmethod
    def from_state(cls, state):
        """Return the evidence that `state` was made of."""
        vectors = tuple(Likeness(**likeness) for likeness in state["vectors"])
        return cls(**state | {"id": EvidenceId(*state["id"]), "vectors": vectors})


class NeighborScores:
    """`Neighbors` on a device, as `BoundEvidence`."""

    def __init__(self, neighbors, device):
        self._rows = as_float(neighbors.rows, device)
        self.n_entities, self.n_columns = self._rows.shape
        self._neighbors, self._device, self._links = neighbors, device, {}

    def queries(self, sources, relations):
        """Sources and relations as they are."""
        return sources, relations

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted scores with a slice of the entities to `out`, see `BoundEvidence`."""
        first, stop, _ = entities.indices(self.n_entities)
        for rows, shares in self._shares(*queries):
            scores = shares[first:stop].mul_(SCALE).log1p_().T
            out[rows] += scores * (weights[rows] if isinstance(weights, torch.Tensor) else weights)

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer, see `BoundEvidence`."""
        found = torch.zeros(len(answers), device=answers.device)
        for rows, shares in self._shares(*queries):
            found[rows] = shares[answers[rows], torch.arange(len(rows), device=answers.device)]
        return (SCALE * found.double()).log1p()

    def _shares(self, sources, relations):
        """Yield rows of queries of one relation, and p of all entities ``(n_entities, n_rows)``."""
        order = torch.argsort(relations)
        found, counts = torch.unique_consecutive(relations[order], return_counts=True)
        for relation, rows in zip(found.tolist(), order.split(counts.tolist()), strict=True):
            if self._neighbors.starts[relation] == self._neighbors.starts[relation + 1]:
                continue
            asked, n_answers, links = self._links_of(relation)
            for part in rows.split(max(1, SIMILARITIES_AT_ONCE // max(len(asked), self.n_entities))):
                # K of the distinct sources of r, (n_sources, n_rows).
                kernel = (self._rows[asked] @ self._rows[sources[part]].T).sub_(1).mul_(SHARPNESS).exp_()
                kernel *= asked[:, None] != sources[part]
                kernel /= (n_answers @ kernel).clamp_min_(torch.finfo(kernel.dtype).tiny)
                yield part, torch.sparse.mm(links, kernel)

    def _links_of(self, relation):
        """Distinct sources of a relation, how many answers each has, who answers whom ``(n_entities, n_sources)``."""
        if relation not in self._links:
            pairs = slice(*self._neighbors.starts[relation : relation + 2])
            asked, places, counts = np.unique(self._neighbors.sources[pairs], return_inverse=True, return_counts=True)
            indices = torch.tensor(np.stack([self._neighbors.answers[pairs], places]))
            shape = self.n_entities, len(asked)
            links = torch.sparse_coo_tensor(indices, torch.ones(len(places)), shape, check_invariants=False).coalesce()
            tables = torch.tensor(asked), torch.tensor(counts, dtype=torch.float32), links
            self._links[relation] = tuple(table.to(self._device) for table in tables)
        return self._links[relation]


def neighbors(vectors, ids, n_relations):
    """Return the neighbours by a list of `Likeness` among the distinct triples of ids ``(n_triples, 3)``."""
    sources, relations, answers = both_directions(np.unique(ids, axis=0), n_relations)
    order = np.argsort(relations, kind="stable")
    starts = np.searchsorted(relations[order], np.arange(2 * n_relations + 1))
    return Neighbors(EvidenceId(NEIGHBORS), tuple(vectors), sources[order], answers[order], starts)
