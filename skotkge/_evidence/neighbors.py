"""Evidence of neighbours: what entities like the source answer, weighted by how like it they are.

A kernel regression: for a query (s, r) and the training pairs (s_i, a_i) of r,
``p(a) = sum_i K(s, s_i) [a_i = a] / sum_i K(s, s_i)`` with ``K = exp(SHARPNESS (cos - 1))``, and the score is
``log(1 + SCALE p)``. Pairs of the source itself are left out: they are known answers, and tell nothing of others. The
cosine is that of all vectors of an entity side by side: the mean of the cosines of its modalities and structure.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from .._graph.queries import both_directions, distinct_rows
from .._spaces import NEIGHBORS, EvidenceId
from .devices import as_float
from .likeness import Likeness
from .relation_maps import unit_rows

SHARPNESS = 8.0
SCALE = 100.0
# Neighbours named in an explanation.
FACTS = 3
# Similarities, or shares of answers, held at once.
SIMILARITIES_AT_ONCE = 2**23


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


@dataclass(frozen=True)
class _Links:
    """Who answers whom in a relation.

    Attributes
    ----------
    sources : tensor of shape (n_sources,)
        Distinct, each with its number of answers in `counts`.
    counts : tensor of shape (n_sources,)
    answers : tensor of shape (n_answers,)
        Distinct, in increasing order.
    matrix : sparse tensor of shape (n_answers, n_sources)
        1 for each pair; its indices are sorted by answer.
    """

    sources: torch.Tensor
    counts: torch.Tensor
    answers: torch.Tensor
    matrix: torch.Tensor

    @classmethod
    def of(cls, sources, answers, device):
        """Collect distinct pairs."""
        asked, columns, counts = np.unique(sources, return_inverse=True, return_counts=True)
        answered, rows = np.unique(answers, return_inverse=True)
        shape, ones = (len(answered), len(asked)), torch.ones(len(rows))
        matrix = torch.sparse_coo_tensor(torch.tensor(np.stack([rows, columns])), ones, shape, check_invariants=False)
        tables = torch.tensor(asked), torch.tensor(counts, dtype=torch.float32), torch.tensor(answered)
        return cls(*(table.to(device) for table in (*tables, matrix.coalesce())))

    def of_pairs(self, kernel, answers):
        """Entries of ``matrix @ kernel`` in each column of the kernel and the row of one answer, without the others."""
        # Row a of the matrix is a slice of its indices, which are sorted by answer: the sources that have the answer a.
        rows, columns = self.matrix.indices()
        places = torch.searchsorted(self.answers, answers).clamp_(max=len(self.answers) - 1)
        first, stop = (torch.searchsorted(rows, places, right=right) for right in (False, True))
        counts = (stop - first) * (self.answers[places] == answers)
        queries = torch.repeat_interleave(torch.arange(len(answers), device=answers.device), counts)
        # Position of each pair among those of its query, counted from the first of them.
        within = torch.arange(len(queries), device=answers.device) - (counts.cumsum(0) - counts)[queries]
        return torch.zeros_like(kernel[0]).index_add_(0, queries, kernel[columns[first[queries] + within], queries])


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
        for links, rows, kernel in self._kernels(*queries):
            inside = slice(
                *torch.searchsorted(links.answers, torch.tensor([first, stop], device=self._device)).tolist()
            )
            # p = A K, A (n_answers, n_sources) of 0 and 1 and K (n_sources, n_rows) with its normaliser. All entities
            # that never answer r have p = 0 and the score log(1) = 0, so that nothing is added to them.
            scores = torch.sparse.mm(links.matrix, kernel)[inside].mul_(SCALE).log1p_().T
            scores = scores * (weights[rows] if isinstance(weights, torch.Tensor) else weights)
            out.index_put_((rows[:, None], links.answers[inside] - first), scores, accumulate=True)

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer, see `BoundEvidence`."""
        found = torch.zeros(len(answers), device=answers.device)
        for links, rows, kernel in self._kernels(*queries):
            found[rows] = links.of_pairs(kernel, answers[rows])
        return (SCALE * found.double()).log1p()

    def _kernels(self, sources, relations):
        """Yield links of a relation, rows of some of its queries, and K over its normaliser ``(n_sources, n_rows)``."""
        order = torch.argsort(relations)
        found, counts = torch.unique_consecutive(relations[order], return_counts=True)
        for relation, rows in zip(found.tolist(), order.split(counts.tolist()), strict=True):
            if self._neighbors.starts[relation] == self._neighbors.starts[relation + 1]:
                continue
            links = self._links_of(relation)
            vectors, n_numbers = self._rows[links.sources], max(links.matrix.shape)
            for part in rows.split(max(1, SIMILARITIES_AT_ONCE // n_numbers)):
                # K of the distinct sources of r, (n_sources, n_rows).
                kernel = (vectors @ self._rows[sources[part]].T).sub_(1).mul_(SHARPNESS).exp_()
                kernel *= links.sources[:, None] != sources[part]
                # Divided by sum_i K(s, s_i) over the pairs: each source as often as it has answers. Where r has no
                # other source, all of K is 0, and stays so.
                kernel /= (links.counts @ kernel).clamp_min_(torch.finfo(kernel.dtype).tiny)
                yield links, part, kernel

    def _links_of(self, relation):
        if relation not in self._links:
            pairs = slice(*self._neighbors.starts[relation : relation + 2])
            self._links[relation] = _Links.of(
                self._neighbors.sources[pairs], self._neighbors.answers[pairs], self._device
            )
        return self._links[relation]


def neighbors(vectors, ids, n_relations):
    """Return the neighbours by a list of `Likeness` among the distinct triples of ids ``(n_triples, 3)``."""
    sources, relations, answers = both_directions(distinct_rows(ids), n_relations)
    order = np.argsort(relations, kind="stable")
    starts = np.searchsorted(relations[order], np.arange(2 * n_relations + 1))
    return Neighbors(EvidenceId(NEIGHBORS), tuple(vectors), sources[order], answers[order], starts)
