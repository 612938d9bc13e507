"""Metrics of ranks."""

from collections.abc import Sequence
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_scalar

from .._graph.labels import factorize
from .._utils.messages import reading, shown, tell


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
    if isinstance(k, np.timedelta64):  # which NumPy counts among the integers
        raise TypeError(f"k={shown(k)} is a span of time; give a number from 1.")
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


def summarize_ranks(
    ranks: ArrayLike,
    *,
    sides: Sequence[str] = ("head", "tail"),
    n_candidates: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> dict[str, float]:
    """Filtered-ranking metrics over both sides and for each side.

    Parameters
    ----------
    ranks : array-like of shape (n_triples, n_sides)
        Head ranks and tail ranks, or those of one side.
    sides : sequence of {"head", "tail"}, default=("head","tail")
        What the columns are.
    n_candidates : array-like of shape (n_triples, n_sides), default=None
        How many entities each answer was ranked among, itself included; with them there is ``amri``, the
        `adjusted_mean_rank_index`, NaN where no answer had a rival.
    groups : array-like of shape (n_triples,) or (n_triples, n_sides), default=None
        Group of each triple or rank, such as its relation. Every metric is then the mean over the groups of what it is
        in each (macro average), so that a rare relation counts as much as a frequent one.

    Returns
    -------
    dict of str to float
        ``mrr``, ``hits@1``, ``hits@3``, ``hits@10``, ``mean_rank`` and maybe ``amri``, and each with the prefix
        ``head_`` or ``tail_``.

    Raises
    ------
    ValueError
        If there is no rank, one is less than 1, or there is not one for each triple and side.

    Examples
    --------
    >>> from skotkge.metrics import summarize_ranks
    >>> metrics = summarize_ranks([[1, 2], [4, 20]])
    >>> metrics["mrr"], metrics["head_hits@3"], metrics["tail_mean_rank"]
    (0.45, 0.5, 11.0)
    """
    ranks, sides = check_ranks(ranks), tuple(sides)
    if ranks.ndim != 2 or ranks.shape[1] != len(sides):
        columns = " and ".join(f"{side} ranks" for side in sides)
        raise ValueError(f"ranks has the shape {ranks.shape}, expected (n_triples, {len(sides)}): {columns}.")
    counts = None if n_candidates is None else np.broadcast_to(np.asarray(n_candidates, dtype=float), ranks.shape)
    codes = None if groups is None else _group_codes(groups, ranks.shape)
    report = {}
    for prefix, columns in (("", slice(None)), *((f"{side}_", [place]) for place, side in enumerate(sides))):
        of_columns = [None if values is None else values[:, columns].ravel() for values in (ranks, counts, codes)]
        report |= {f"{prefix}{name}": value for name, value in _macro_average(*of_columns).items()}
    return report


def _group_codes(groups, shape):
    """Integers in place of groups, in the shape of the ranks."""
    groups = np.asarray(groups)
    groups = groups[:, None] if groups.ndim == 1 else groups
    if len(groups) != shape[0]:
        raise ValueError(f"groups has {len(groups)} rows for {shape[0]} of ranks; give one for each.")
    if groups.dtype == object:
        codes = factorize(groups.ravel())[1].reshape(groups.shape)
    else:
        codes = np.unique(groups, return_inverse=True)[1].reshape(groups.shape)
    return np.broadcast_to(codes, shape)


def _macro_average(ranks, counts, codes):
    """Metrics of ranks, or their means over groups."""
    if codes is None:
        return _metrics_of(ranks, counts)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    of_groups = [_metrics_of(ranks[rows], None if counts is None else counts[rows]) for rows in parts]
    found = {name: [of_group[name] for of_group in of_groups] for name in of_groups[0]}
    return {name: _mean_of_numbers(np.array(values)) for name, values in found.items()}


def _mean_of_numbers(values):
    """Mean of the values that are not NaN; NaN without any."""
    told = values[~np.isnan(values)]
    return float(told.mean()) if len(told) else float("nan")


def _metrics_of(ranks, counts):
    found = {"mrr": mean_reciprocal_rank(ranks)} | {f"hits@{k}": hits_at_k(ranks, k) for k in (1, 3, 10)}
    found["mean_rank"] = float(np.mean(ranks))
    if counts is not None:
        found["amri"] = adjusted_mean_rank_index(ranks, counts) if (counts > 1).any() else float("nan")
    return found


def check_ranks(ranks):
    """Return ranks as an array of float.

    Parameters
    ----------
    ranks : array-like of float
        Of any shape.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If there is none, or one is not a number from 1.
    """
    with reading("ranks", ranks, "ranks from 1 as numbers"):
        ranks = np.asarray(ranks, dtype=float)
    if not ranks.size:
        raise ValueError("ranks is empty; there is nothing to average.")
    if not (ranks >= 1).all():
        raise ValueError(f"ranks has the value {ranks[~(ranks >= 1)].ravel()[0]}; ranks are numbers from 1.")
    return ranks


def warn_of_trained(trained):
    """Warn if some of the triples to be evaluated were trained on.

    Parameters
    ----------
    trained : ndarray of shape (n_triples,), dtype bool
    """
    if trained.any():
        tell(
            f"{np.count_nonzero(trained)} of the {len(trained)} triples in X were trained on, which flatters every "
            "figure; evaluate triples that fit has not seen (skotkge.model_selection splits some off)."
        )
