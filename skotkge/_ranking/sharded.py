"""Scores over a table of which each process of a group has some rows."""

import torch

from .._embedding.score_functions import DotProduct


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
        # sum over kinds of w <q, t> = <w q, t>: the weights go to the queries, as in `EmbeddingScores`.
        if isinstance(self.score_function, DotProduct):
            out.addmm_(weights * queries, own.T)
        else:
            out.add_(self.score_function.score_all(queries, own).mul_(weights))
