"""Optimal transport between the columns of two matrices (Eq. 1-2 of the OTKGE paper). Arrays in, arrays out."""

import warnings

import numpy as np
import ot
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning


def column_scaling(matrix, observed, standardize=True):
    """Mean and scale of each column over the observed rows.

    Parameters
    ----------
    matrix : ndarray of shape (n_entities, n_features)
    observed : ndarray of shape (n_entities,), dtype bool
    standardize : bool, default=True
        False gives means of 0 and scales of 1.

    Returns
    -------
    mean, scale : ndarray of shape (n_features,)
        A constant column has scale 1, so that it becomes 0 and not NaN.
    """
    width = matrix.shape[1]
    if not standardize or not observed.any():
        return np.zeros(width), np.ones(width)
    rows = np.asarray(matrix[observed], dtype=float)
    mean, scale = rows.mean(axis=0), rows.std(axis=0)
    constant = scale <= 10 * np.finfo(rows.dtype).eps * np.maximum(np.abs(mean), np.finfo(rows.dtype).tiny)
    return mean, np.where(constant, 1.0, scale)


def scaled(matrix, observed, mean, scale):
    """Standardise the observed rows; the others become 0."""
    out = np.zeros(matrix.shape)
    out[observed] = (np.asarray(matrix[observed], dtype=float) - mean) / scale
    return out


def feature_cost(source, target, *, p=2, row_weights=None):
    """Cost of moving each column of one matrix to each column of another.

    ``C[i, j] = sum_e w_e |source[e, i] - target[e, j]|^p``: the columns are the points that Eq. 1 transports.

    Parameters
    ----------
    source : ndarray of shape (n_entities, n_source_columns)
    target : ndarray of shape (n_entities, n_target_columns)
    p : {1, 2}, default=2
    row_weights : ndarray of shape (n_entities,), default=None
        Weights of the entities; None is ``1 / n_entities`` each.

    Returns
    -------
    ndarray of shape (n_source_columns, n_target_columns)

    Raises
    ------
    ValueError
        If the cost is not finite.
    """
    if row_weights is None:
        row_weights = np.full(len(source), 1.0 / max(1, len(source)))
    used = row_weights > 0
    source, target, weights = source[used], target[used], row_weights[used, None]
    if p == 2:
        cross = (weights * source).T @ target
        cost = (weights * source**2).sum(axis=0)[:, None] + (weights * target**2).sum(axis=0) - 2 * cross
        np.maximum(cost, 0.0, out=cost)
    else:
        cost = cdist((weights * source).T, (weights * target).T, "cityblock")
    if not np.isfinite(cost).all():
        raise ValueError("the transport cost is not finite; check the matrices for NaN, infinities or huge values.")
    return cost


def transport_plan(cost, *, reg=0.0):
    """Optimal plan between uniform masses on the rows and columns of a cost matrix (Eq. 1).

    Parameters
    ----------
    cost : ndarray of shape (n_source_columns, n_target_columns)
    reg : float, default=0.0
        0 solves exactly; larger values solve the entropic problem in the log domain with this strength.

    Returns
    -------
    ndarray of shape (n_source_columns, n_target_columns)
        Non-negative; rows sum to ``1 / n_source_columns``, columns to ``1 / n_target_columns``.

    Warns
    -----
    ConvergenceWarning
        If the solver stops before it has converged.
    """
    cost = np.ascontiguousarray(cost, dtype=np.float64)
    n_source, n_target = cost.shape
    source_mass, target_mass = np.full(n_source, 1.0 / n_source), np.full(n_target, 1.0 / n_target)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if reg == 0:
            plan = ot.emd(source_mass, target_mass, cost, numItermax=10_000_000)
        else:
            plan = ot.bregman.sinkhorn_log(source_mass, target_mass, cost, reg, numItermax=10_000, stopThr=1e-9)
    if caught:
        warnings.warn(
            f"the transport plan did not converge ({caught[0].message})"
            + (f"; a reg larger than {reg} helps." if reg else "."),
            ConvergenceWarning,
            stacklevel=2,
        )
    return plan


def barycentric_map(plan):
    """Linear map that moves columns along a plan (Eq. 2): ``T diag(1 / v)``.

    Parameters
    ----------
    plan : ndarray of shape (n_source_columns, n_target_columns)
        Plan with uniform mass on its columns.

    Returns
    -------
    ndarray of shape (n_source_columns, n_target_columns)
        Columns sum to 1; ``source @ map`` are the aligned columns.
    """
    return plan * plan.shape[1]
