"""The validation score of a space in training: of its whole tables, or of those that processes hold a part of each."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import metrics
from .._evidence.embedding import EmbeddingScores
from .._evidence.mixture import Mixture
from .._graph.queries import KnownAnswers
from .._ranking.ranker import Ranker
from .._ranking.sharded import ShardedScores


def summary_of(ranks, metric):
    """The mean reciprocal rank, or a share of ranks such as "hits@10"."""
    if metric == "mrr":
        return metrics.mean_reciprocal_rank(ranks)
    return metrics.hits_at_k(ranks, int(metric.removeprefix("hits@")))


@dataclass(frozen=True)
class ValidationScore:
    """Filtered ranks of the held-out triples, as one number.

    Attributes
    ----------
    queries : tuple of three ndarrays of shape (n_queries,)
        Sources, relations and answers.
    facts : object
        With `true_ids`, `known`, `n_relations`, `informed`, `excludes_self_loops`.
    score_function : ScoreFunction
    device : str
    metric : {"mrr", "hits@1", "hits@3", "hits@10"}, default="mrr"
    """

    queries: tuple
    facts: Any
    score_function: Any
    device: str
    metric: str = "mrr"

    def __call__(self, entities, relations):
        """Score whole tables."""
        scores = EmbeddingScores(self.score_function, entities, relations, self.device)
        ranks = Ranker(self.facts.mixture([scores], device=self.device)).ranks(*self.queries, self.facts.known)
        return summary_of(ranks, self.metric)

    def sharded(self, number):
        """Return the same for tables of which each process has some rows.

        Parameters
        ----------
        number : ndarray of shape (n_entities,)
            Of each entity among the processes.
        """
        sources, relations, answers = self.queries
        heads, of_true, tails = self.facts.true_ids.T
        entities, informed = self.facts.informed
        numbered = np.empty_like(entities)
        numbered[number] = entities
        return ShardedValidationScore(
            (number[sources], relations, number[answers]),
            np.column_stack([number[heads], of_true, number[tails]]),
            self.facts.n_relations,
            self.facts.excludes_self_loops,
            (numbered, informed),
            self.score_function,
            self.metric,
        )


class ShardedValidationScore:
    """Filtered ranks of the held-out triples, each process ranking against its own entities.

    Parameters
    ----------
    queries : tuple of three ndarrays of shape (n_queries,)
        Sources, relations and answers, by the numbers of the processes as all that follows.
    true_ids : ndarray of shape (n_true, 3)
    n_relations : int
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool
    informed : tuple of two ndarrays of bool
        Of entities and relations.
    score_function : ScoreFunction
    metric : str
    """

    def __init__(self, queries, true_ids, n_relations, excludes_self_loops, informed, score_function, metric):
        self._queries, self._known = queries, KnownAnswers(true_ids, n_relations)
        self._excludes_self_loops, self._informed = excludes_self_loops, informed
        self._score_function, self.metric = score_function, metric

    def __call__(self, table, relations):
        """Score tables of which this process has some rows; all processes have to at the same time."""
        scores = ShardedScores(self._score_function, table, relations, np.unique(self._queries[0]))
        mixture = Mixture(
            [scores],
            excludes_self_loops=self._excludes_self_loops,
            informed_entities=self._informed[0],
            informed_relations=self._informed[1],
            device=str(table.processes.device),
        )
        ranks = Ranker(mixture).shared_by(table.processes).ranks(*self._queries, self._known)
        return summary_of(ranks, self.metric)
