"""Filtered ranks and best answers in bounded memory."""

import numpy as np
import torch
from sklearn import get_config
from sklearn.utils import gen_batches

from ._queries import both_directions


class Ranker:
    """Scores of queries against all entities, in double precision.

    Parameters
    ----------
    scorer : Scorer
    entities : tensor or ndarray of shape (n_entities, d)
    relations : tensor or ndarray of shape (2 * n_relations, d_r)
    device : str
    informed_entities, informed_relations : ndarray of bool, default=None
        Entities and relations (reciprocals included) about which something is known. All scores of a query from any
        other are equal.
    """

    def __init__(self, scorer, entities, relations, device, informed_entities=None, informed_relations=None):
        self.scorer = scorer
        self.entities, self.relations = _in_double_precision(entities, device), _in_double_precision(relations, device)
        self.device = device
        n_entities, n_relations = len(self.entities), len(self.relations)
        self._informed_entities = np.ones(n_entities, bool) if informed_entities is None else informed_entities
        self._informed_relations = np.ones(n_relations, bool) if informed_relations is None else informed_relations

    def _query(self, sources, relations):
        sources, relations = self._indices((sources, relations))
        return self.scorer.query(self.entities[sources], self.relations[relations])

    def is_blank(self, sources, relations):
        """Tell of which queries nothing is known."""
        return ~(self._informed_entities[sources] & self._informed_relations[relations])

    def pair_scores(self, sources, relations, answers):
        """Score of each query with one answer each.

        Returns
        -------
        ndarray of shape (n_queries,)

        Raises
        ------
        FloatingPointError
            If a score is NaN.
        """
        scores = np.empty(len(sources))
        for rows in self._batches(len(sources), self.entities.shape[1]):
            query = self._query(sources[rows], relations[rows])
            answer = self.entities[torch.tensor(answers[rows], device=self.device)]
            scores[rows] = _without_nan(self.scorer.pairs(query, answer)).cpu().numpy()
        return scores

    def _batches(self, n_rows, width):
        """Slices of rows for which a few arrays of rows x width numbers fit into scikit-learn's working memory."""
        if not n_rows:
            return ()
        bytes_per_row = 4 * 8 * width
        return gen_batches(n_rows, max(1, int(get_config()["working_memory"] * 2**20 // bytes_per_row)))

    def blocks(self, sources, relations):
        """Yield (slice of queries, scores ``(n_queries_of_slice, n_entities)``).

        Raises
        ------
        FloatingPointError
            If a score is NaN.
        """
        for rows in self._batches(len(sources), len(self.entities)):
            query = self._query(sources[rows], relations[rows])
            scores = _without_nan(self.scorer.against_all(query, self.entities))
            blank = torch.tensor(self.is_blank(sources[rows], relations[rows]), device=self.device)
            yield rows, scores.masked_fill_(blank[:, None], 0.0)

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
            answer = torch.tensor(answers[rows], device=self.device)[:, None]
            own = scores.gather(1, answer)
            scores[self._indices(known.of(sources[rows], relations[rows]))] = -torch.inf
            scores.scatter_(1, answer, -torch.inf)
            better, equal = (scores > own).sum(1), (scores == own).sum(1)
            ranks[rows] = (1 + better + equal / 2).cpu().numpy()
        return ranks

    def best(self, sources, relations, k, known):
        """The k best answers of each query that are not known.

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
            scores[self._indices(known.of(sources[rows], relations[rows]))] = -torch.inf
            values, positions = scores.topk(min(k, scores.shape[1]), dim=1)
            best[rows, : values.shape[1]] = values.cpu().numpy()
            answers[rows, : values.shape[1]] = positions.cpu().numpy()
        answers[np.isneginf(best)] = -1
        return answers, best

    def _indices(self, pairs):
        return tuple(torch.tensor(index, device=self.device) for index in pairs)


def _in_double_precision(table, device):
    table = table if isinstance(table, torch.Tensor) else torch.tensor(np.asarray(table))
    return table.to(device=device, dtype=torch.float64)


def _without_nan(scores):
    if torch.isnan(scores).any():
        raise FloatingPointError("a score is NaN; training diverged: lower learning_rate or the scale of the features.")
    return scores


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
