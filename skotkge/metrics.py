"""Metrics of ranks."""

import numpy as np


def mean_reciprocal_rank(ranks):
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
    return float(np.mean(1.0 / _check_ranks(ranks)))


def hits_at_k(ranks, k=10):
    """Share of the ranks that are at most k.

    Parameters
    ----------
    ranks : array-like of float
        Ranks from 1, of any shape.
    k : int, default=10

    Returns
    -------
    float

    Examples
    --------
    >>> from skotkge.metrics import hits_at_k
    >>> hits_at_k([1, 2, 4, 4], k=3)
    0.5
    """
    return float(np.mean(_check_ranks(ranks) <= k))


def summarize_ranks(ranks):
    """Filtered-ranking metrics over both sides and for each side.

    Parameters
    ----------
    ranks : array-like of shape (n_triples, 2)
        Head ranks and tail ranks.

    Returns
    -------
    dict of str to float
        ``mrr``, ``hits@1``, ``hits@3``, ``hits@10`` and ``mean_rank``, and each with the prefix ``head_`` or ``tail_``.
    """
    ranks = _check_ranks(ranks)
    report = {}
    for prefix, side in (("", ranks), ("head_", ranks[:, 0]), ("tail_", ranks[:, 1])):
        report[f"{prefix}mrr"] = mean_reciprocal_rank(side)
        for k in (1, 3, 10):
            report[f"{prefix}hits@{k}"] = hits_at_k(side, k)
        report[f"{prefix}mean_rank"] = float(np.mean(side))
    return report


def _check_ranks(ranks):
    ranks = np.asarray(ranks, dtype=float)
    if not ranks.size:
        raise ValueError("ranks is empty; there is nothing to average.")
    if not (ranks >= 1).all():
        raise ValueError(f"ranks has the value {ranks[~(ranks >= 1)].ravel()[0]}; ranks are numbers from 1.")
    return ranks
