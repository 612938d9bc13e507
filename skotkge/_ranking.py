"""Filtered ranks and best answers in bounded memory."""

import numpy as np
import torch
from sklearn import get_config
from sklearn.utils import gen_batches

from ._queries import both_directions

# Arrays of the size of a block of scores that are alive at once: the scores, and three for a distance being added.
ARRAYS_AT_ONCE = 4
# Scores that a CPU works on at once, few enough for its cache, and queries for which its matrix product is still fast.
SCORES_OF_A_BLOCK = 2**21
FEWEST_QUERIES = 64


def query_batches(n_queries, n_columns, device="cpu"):
    """Slices of queries for which float32 arrays of queries x columns fit into scikit-learn's working memory."""
    if not n_queries:
        return ()
    affordable = int(get_config()["working_memory"] * 2**20 // (ARRAYS_AT_ONCE * 4 * n_columns))
    fast = max(FEWEST_QUERIES, SCORES_OF_A_BLOCK // n_columns) if device == "cpu" else affordable
    return gen_batches(n_queries, max(1, min(affordable, fast)))


class Ranker:
    """Ranks and best answers by `TripleScores`."""

    def __init__(self, scores):
        self._scores = scores

    def is_blank(self, sources, relations):
        """Tell of which queries nothing is known."""
        return self._scores.is_blank(sources, relations)

    def pair_parts(self, sources, relations, answers):
        """What each space adds to the score of each query with one answer, see `TripleScores.pair_parts`.

        Returns
        -------
        ndarray of shape (n_spaces + 1, n_queries)

        Raises
        ------
        FloatingPointError
            If a score is NaN.
        """
        parts = np.empty((len(self._scores.spaces) + 1, len(sources)))
        for rows in query_batches(len(sources), 4 * self._scores.width):
            parts[:, rows] = self._scores.pair_parts(sources[rows], relations[rows], answers[rows]).cpu().numpy()
        return parts

    def blocks(self, sources, relations):
        """Yield (slice of queries, scores ``(n_queries_of_slice, n_entities)``).

        Raises
        ------
        FloatingPointError
            If a score is NaN.
        """
        for rows in query_batches(len(sources), self._scores.n_entities, self._scores.device):
            yield rows, self._scores.against_all(sources[rows], relations[rows])

    def ranks(self, sources, relations, answers, known):
        """Filtered rank of the answer of each query, the mean of best and worst rank on ties.

        Parameters
        ----------
        sources, relations, answers : ndarray of shape (n_queries,)
        known : AnswerLists
            Left out of the ranking, the answer itself excepted.

        Returns
        -------
        ndarray of shape (n_queries,)
        """
        ranks = np.empty(len(sources))
        for rows, scores in self.blocks(sources, relations):
            answer = self._scores.indices(answers[rows])[0][:, None]
            own = scores.gather(1, answer)
            scores[self._scores.indices(*known.of(sources[rows], relations[rows]))] = -torch.inf
            scores.scatter_(1, answer, -torch.inf)
            better_less_worse = scores.sub_(own).sign_().sum(1)
            ranks[rows] = 1 + (self._scores.n_entities + better_less_worse.cpu().numpy()) / 2
        return ranks

    def best(self, sources, relations, k, known=None, allowed=None):
        """The k best answers of each query.

        Parameters
        ----------
        sources, relations : ndarray of shape (n_queries,)
        k : int
        known : AnswerLists, default=None
            Answers to leave out.
        allowed : callable, default=None
            From relations ``(n,)`` to a mask of the entities that may answer them, ``(n, n_entities)`` or
            ``(1, n_entities)``.

        Returns
        -------
        answers : ndarray of shape (n_queries, k)
            -1 where fewer answers are left.
        scores : ndarray of shape (n_queries, k)
            Decreasing; -inf where fewer answers are left.
        """
        answers = np.full((len(sources), k), -1)
        best = np.full((len(sources), k), -np.inf)
        for rows, scores in self.blocks(sources, relations):
            if known is not None:
                scores[self._scores.indices(*known.of(sources[rows], relations[rows]))] = -torch.inf
            if allowed is not None:
                scores.masked_fill_(~self._scores.indices(allowed(relations[rows]))[0], -torch.inf)
            values, positions = scores.topk(min(k, scores.shape[1]), dim=1)
            best[rows, : values.shape[1]] = values.cpu().numpy()
            answers[rows, : values.shape[1]] = positions.cpu().numpy()
        answers[np.isneginf(best)] = -1
        return answers, best


def rank_both_sides(ranker, ids, known, n_relations):
    """Filtered ranks of the heads and tails of triples.

    Returns
    -------
    ndarray of shape (n_triples, 2)
        Rank of the head, rank of the tail.
    """
    ranks = ranker.ranks(*both_directions(ids, n_relations), known)
    tails, heads = ranks.reshape(2, len(ids))
    return np.column_stack([heads, tails])
