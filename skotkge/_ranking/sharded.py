"""Filtered ranks and best answers where each process of a group knows, or looks at, some of the entities."""

import numpy as np
import torch

from .._embedding.score_functions import DotProduct
from .._embedding.tables import block_size
from .ranker import Ranker, best_of, score_blocks


class ShardedScores:
    """Scores of the entities of this process over a table that is spread over several.

    Parameters
    ----------
    score_function : ScoreFunction
    table : ShardedTable
    relations : tensor of shape (2 * n_relations, d_r)
    sources : ndarray of distinct int, sorted
        The entities that ask; their rows are fetched, in all processes at the same time.
    """

    def __init__(self, score_function, table, relations, sources):
        self.score_function = score_function
        self._sources = torch.as_tensor(sources, device=table.processes.device)
        self._asking, self._relations = table.fetch(self._sources, "ranks"), relations.detach()
        self._own, self._first = table.own(), table.first
        self.n_entities, self.n_columns = table.n_rows, self._own.shape[1]

    def queries(self, sources, relations):
        """Query vectors ``r (x) h`` of Eq. 4, of the sources told."""
        rows = torch.searchsorted(self._sources, sources)
        return self.score_function.query(self._asking[rows], self._relations[relations])

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted scores with a slice of the own entities to `out`, see `BoundEvidence`."""
        own = self._own[entities.start - self._first : entities.stop - self._first]
        if isinstance(self.score_function, DotProduct):
            out.addmm_(weights * queries, own.T)
        else:
            out.add_(self.score_function.score_all(queries, own).mul_(weights))


class ShardedRanker(Ranker):
    """A `Ranker` of which each process scores the entities of one block; all have to ask it the same at the same time.

    Parameters
    ----------
    mixture : Mixture
        Of all entities, of which the scores of the block of this process are asked for.
    processes : Processes
    """

    def __init__(self, mixture, processes):
        super().__init__(mixture)
        self._processes = processes
        self._block = block_size(mixture.n_entities, processes.size)

    def _slices(self, n_queries):
        first = min(self._processes.rank * self._block, self._mixture.n_entities)
        stop = min(first + self._block, self._mixture.n_entities)
        for rows, pieces in score_blocks(n_queries, self._block, self._mixture.device):
            moved = (slice(first + piece.start, min(first + piece.stop, stop)) for piece in pieces)
            yield rows, [piece for piece in moved if piece.start < piece.stop]

    def _total(self, of_part):
        return self._processes.sum_(of_part, "ranks")

    def _merged(self, answers, scores):
        of_all = [self._processes.gather_equal(torch.as_tensor(part), "ranks").numpy() for part in (answers, scores)]
        return best_of(*map(np.hstack, of_all), answers.shape[1])
