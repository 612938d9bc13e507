"""Metrics of ranks."""

import warnings
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_scalar

from .._utils.messages import reading

SIDES = ("", "head_", "tail_")


def mean_reciprocal_rank(ranks: ArrayLike) -> float:
    """Mean of the reciprocal ranks.

    Parameters
    ----------
    ranks : array-like of float
        Ranks from 1, of any shape.

    Returns
    -------
    float

    Examples
    --------
    >>> from skotkge.metrics import mean_reciprocal_rank
    >>> mean_reciprocal_rank([1, 2, 4, 4])
    0.5
    """
    return float(np.mean(1.0 / check_ranks(ranks)))


def hits_at_k(ranks: ArrayLike, k: int = 10) -> float:
    """Share of the ranks that are at most k.

    Parameters
    ----------
    ranks : array-like of float
        Ranks from 1, of any shape.
    k : int, default=10
        At least 1.

    Returns
    -------
    float

    Examples
    --------
    >>> from skotkge.metrics import hits_at_k
    >>> hits_at_k([1, 2, 4, 4], k=3)
    0.5
    """
    check_scalar(k, "k", Real, min_val=1)
    return float(np.mean(check_ranks(ranks) <= k))


def adjusted_mean_rank_index(ranks: ArrayLike, n_candidates: ArrayLike) -> float:
    """Mean rank relative to what guessing reaches (AMRI of [1]_).

    Unlike the mean rank it can be compared between graphs of different sizes: 1 is reached if all ranks are 1, guessing
    gives 0 on average, and negative values are worse than that.

    Parameters
    ----------
    ranks : array-like of float
        Ranks from 1, of any shape.
    n_candidates : int or array-like
        Number of entities that were ranked for each of the ranks, the true answer among them, those filtered out not. A
        number or an array that can be broadcast to the shape of `ranks`.

    Returns
    -------
    float
        ``1 - mean(ranks - 1) / mean((n_candidates - 1) / 2)``, at least -1.

    Raises
    ------
    ValueError
        If a rank is greater than its number of candidates, or no answer had a rival.

    References
    ----------
    .. [1] Berrendorf, Faerman, Vermue, Tresp, "On the Ambiguity of Rank-Based Evaluation of Entity Alignment or Link
       Prediction Methods", 2020, https://arxiv.org/abs/2002.06914.

    Examples
    --------
    >>> from skotkge.metrics import adjusted_mean_rank_index
    >>> adjusted_mean_rank_index([1, 3], n_candidates=[5, 5])
    0.5
    """
    ranks = check_ranks(ranks)
    n_candidates = np.broadcast_to(np.asarray(n_candidates, dtype=float), ranks.shape)
    if not (ranks <= n_candidates).all():
        worst = tuple(np.argwhere(~(ranks <= n_candidates))[0])
        raise ValueError(
            f"n_candidates has the value {n_candidates[worst]:g} for a rank of {ranks[worst]:g}; count the true answer "
            "among the candidates, so that no rank is beyond them."
        )
    if (n_candidates == 1).all():
        raise ValueError("n_candidates is 1 everywhere; without other candidates every rank is 1 and says nothing.")
    return float(1 - np.mean(ranks - 1) / np.mean((n_candidates - 1) / 2))


def summarize_ranks(ranks: ArrayLike) -> dict[str, float]:
    """Filtered-ranking metrics over both sides and for each side.

    Parameters
    ----------
    ranks : array-like of shape (n_triples, 2)
        Head ranks and tail ranks.

    Returns
    -------
    dict of str to float
        ``mrr``, ``hits@1``, ``hits@3``, ``hits@10`` and ``mean_rank``, and each with the prefix ``head_`` or ``tail_``.

    Raises
    ------
    ValueError
        If there is no rank, one is less than 1, or there are not two for each triple.
    """
    ranks = check_ranks(ranks)
    if ranks.ndim != 2 or ranks.shape[1] != 2:
        raise ValueError(f"ranks has the shape {ranks.shape}, expected (n_triples, 2): head ranks and tail ranks.")
    report = {}
    for prefix, side in zip(SIDES, (ranks, ranks[:, 0], ranks[:, 1]), strict=True):
        report[f"{prefix}mrr"] = mean_reciprocal_rank(side)
        for k in (1, 3, 10):
            report[f"{prefix}hits@{k}"] = hits_at_k(side, k)
        report[f"{prefix}mean_rank"] = float(np.mean(side))
    return report


def check_ranks(ranks):
    with reading("ranks", ranks, "ranks from 1 as numbers"):
        ranks = np.asarray(ranks, dtype=float)
    if not ranks.size:
        raise ValueError("ranks is empty; there is nothing to average.")
    if not (ranks >= 1).all():
        raise ValueError(f"ranks has the value {ranks[~(ranks >= 1)].ravel()[0]}; ranks are numbers from 1.")
    return ranks


def warn_of_trained(trained, stacklevel=3):
    """Warn if some of the triples to be evaluated were trained on.

    Parameters
    ----------
    trained : ndarray of shape (n_triples,), dtype bool
    stacklevel : int, default=3
        Of the warning: the caller of the caller.
    """
    if trained.any():
        warnings.warn(
            f"{np.count_nonzero(trained)} of the {len(trained)} triples in X were trained on, which flatters every "
            "figure; evaluate triples that fit has not seen (skotkge.model_selection splits some off).",
            UserWarning,
            stacklevel=stacklevel,
        )
