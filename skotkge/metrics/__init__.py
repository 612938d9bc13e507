"""Metrics of ranks and of probabilities, a report of ranks, and scorers for scikit-learn's searches."""

from ._calibration import expected_calibration_error
from ._ranks import adjusted_mean_rank_index, hits_at_k, mean_reciprocal_rank, summarize_ranks
from ._report import RankingReport, ranking_report
from ._scorer import RankingScorer, make_ranking_scorer

__all__ = [
    "RankingReport",
    "RankingScorer",
    "adjusted_mean_rank_index",
    "expected_calibration_error",
    "hits_at_k",
    "make_ranking_scorer",
    "mean_reciprocal_rank",
    "ranking_report",
    "summarize_ranks",
]
