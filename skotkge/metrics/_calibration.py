"""Metrics of probabilities."""

from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_consistent_length, check_scalar, column_or_1d

from .._utils.messages import reading, shown


def expected_calibration_error(
    y_true: ArrayLike, y_prob: ArrayLike, *, n_bins: int = 15, strategy: str = "quantile"
) -> float:
    """Mean distance between the probability of being true and the share that is true.

    The rows are put into bins of similar probability. In each bin the mean probability is compared with the share of
    true rows; the bins count by their rows. `sklearn.calibration.CalibrationDisplay` draws the same bins.

    Parameters
    ----------
    y_true : array-like of shape (n_triples,)
        Labels in {0, 1}.
    y_prob : array-like of shape (n_triples,)
        Probabilities of being true: the second column of ``predict_proba``.
    n_bins : int, default=15
    strategy : {"quantile", "uniform"}, default="quantile"
        Bins of equally many rows, as far as ties allow, or of equal width.

    Returns
    -------
    float
        In [0, 1]; 0 if the probabilities are right in every bin.

    Raises
    ------
    ValueError
        If a label is not 0 or 1, a probability is outside [0, 1], the arrays differ in length or are empty, or there is
        no such strategy.

    References
    ----------
    .. [1] Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.

    Examples
    --------
    >>> from skotkge.metrics import expected_calibration_error
    >>> expected_calibration_error([0, 1, 1, 1], [0.75, 0.75, 0.75, 0.75])
    0.0
    """
    with reading("y_true", y_true, "labels in {0, 1}"):
        y_true = column_or_1d(y_true)
    with reading("y_prob", y_prob, "probabilities from 0 to 1"):
        y_prob = column_or_1d(y_prob)
    check_consistent_length(y_true, y_prob)
    check_scalar(n_bins, "n_bins", Integral, min_val=1)
    if not len(y_true):
        raise ValueError("y_true is empty; give at least one triple.")
    for name, values, is_allowed, remedy in (
        ("y_true", y_true, lambda values: np.isin(values, [0, 1]), "labels in {0, 1}"),
        ("y_prob", y_prob, lambda values: (values >= 0) & (values <= 1), "probabilities from 0 to 1"),
    ):
        with reading(name, values, remedy):
            allowed = np.asarray(is_allowed(values), dtype=bool)
        if not allowed.all():
            raise ValueError(f"{name} has the value {shown(values[~allowed].tolist()[0])}; give {remedy}.")
    if strategy not in ("quantile", "uniform"):
        raise ValueError(f"strategy={shown(strategy)} is none of 'quantile', 'uniform'.")
    edges = np.linspace(0, 1, n_bins + 1)
    if strategy == "quantile":
        edges = np.quantile(y_prob, edges)
    bins = np.searchsorted(edges[1:-1], y_prob)
    return float(np.abs(np.bincount(bins, weights=y_true - y_prob)).sum() / len(y_true))
