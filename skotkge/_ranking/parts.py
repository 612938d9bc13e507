"""Which scores are alive at once, and which of the entities a process looks at."""

import math

import numpy as np
import torch
from sklearn import get_config
from sklearn.utils import gen_batches

from .._embedding.tables import block_size

# Arrays of the size of a block of scores that are alive at once: the scores, those of a space, and three for a distance
# being added.
ARRAYS_AT_ONCE = 5
# Scores that a CPU works on at once, few enough for its cache, and queries for which its matrix product is still fast.
SCORES_OF_A_BLOCK = 2**21
FEWEST_QUERIES = 64
# With fewer, two products with pieces of the entities are faster than one with all of them.
QUERIES_THAT_PAY = 8


def affordable_scores():
    """How many scores may be alive at once within scikit-learn's working memory."""
    return int(get_config()["working_memory"] * 2**20 // (ARRAYS_AT_ONCE * 4))


def query_batches(n_queries, n_columns, device="cpu"):
    """Slices of queries for which float32 arrays of queries x columns fit into scikit-learn's working memory."""
    if not n_queries:
        return ()
    affordable = affordable_scores() // n_columns
    fast = max(FEWEST_QUERIES, SCORES_OF_A_BLOCK // n_columns) if device == "cpu" else affordable
    return gen_batches(n_queries, max(1, min(affordable, fast)))


def score_blocks(n_queries, n_entities, device="cpu"):
    """Yield (slice of queries, slices of entities) whose scores fit into scikit-learn's working memory.

    Each query meets all entities at once where a block then still has a few queries; otherwise entities are taken piece
    by piece as well, because a product with so few rows does little but read the entities.
    """
    affordable = affordable_scores()
    if n_queries and affordable < min(n_queries, QUERIES_THAT_PAY) * n_entities:
        # A block of n_rows queries and affordable / n_rows entities, at most as many rows as a square block would have.
        n_rows = max(1, min(FEWEST_QUERIES, n_queries, math.isqrt(affordable)))
        pieces = list(gen_batches(n_entities, max(1, affordable // n_rows)))
        batches = gen_batches(n_queries, n_rows)
    else:
        pieces, batches = [slice(0, n_entities)], query_batches(n_queries, n_entities, device)
    for rows in batches:
        yield rows, pieces


class AllEntities:
    """One process scores all entities."""

    def slices(self, n_queries, mixture):
        """Yield (slice of queries, slices of entities), see `score_blocks`."""
        return score_blocks(n_queries, mixture.n_entities, mixture.device)

    def total(self, of_part):
        """Return the sum over all entities, from a tensor of that over those of `slices`."""
        return of_part

    def merged(self, answers, scores):
        """Return the best answers among all entities, from those among the ones of `slices`."""
        return answers, scores


class PartOfEntities:
    """Each process scores the entities of one block; all have to do the same at the same time.

    Parameters
    ----------
    processes : Processes
    """

    def __init__(self, processes):
        self._processes = processes

    def slices(self, n_queries, mixture):
        """Yield (slice of queries, slices of the own entities); the former are the same in all processes."""
        block = block_size(mixture.n_entities, self._processes.size)
        first = min(self._processes.rank * block, mixture.n_entities)
        stop = min(first + block, mixture.n_entities)
        for rows, pieces in score_blocks(n_queries, block, mixture.device):
            moved = (slice(first + piece.start, min(first + piece.stop, stop)) for piece in pieces)
            yield rows, [piece for piece in moved if piece.start < piece.stop]

    def total(self, of_part):
        """Return the sum over all entities, from a tensor of that over those of `slices`."""
        return self._processes.sum_(of_part, "ranks")

    def merged(self, answers, scores):
        """Return the best answers among all entities, from those among the ones of `slices`."""
        # k answers and scores of each process travel, in place of all its scores.
        of_all = [self._processes.gather_equal(torch.as_tensor(part), "ranks").numpy() for part in (answers, scores)]
        return best_of(*map(np.hstack, of_all), answers.shape[1])


def best_of(answers, scores, k):
    """Return the k best of the answers in each row, and their scores; of equal ones the first."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(answers, order, axis=1), np.take_along_axis(scores, order, axis=1)
