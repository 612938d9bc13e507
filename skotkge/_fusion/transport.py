"""Optimal transport between the columns of two matrices (Eq. 1-2 of the OTKGE paper). Arrays in, arrays out."""

import warnings

import numpy as np
import ot
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning

from .._utils.memory import row_blocks

# Scalings of plain Sinkhorn iterations stay within exp(+-2 * this), far from overflow, and their kernel from denormals.
LARGEST_EXPONENT = 200
SMALLEST_ERROR = 1e-9


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
    mean, variance = _moments(matrix, observed)
    scale, precision = np.sqrt(variance), np.finfo(float)
    constant = scale <= 10 * precision.eps * np.maximum(np.abs(mean), precision.tiny)
    return mean, np.where(constant, 1.0, scale)


def _moments(matrix, observed):
    """Mean and variance of each column, merged from those of blocks of rows (Chan, Golub, LeVeque 1983)."""
    shift = np.asarray(matrix[observed.argmax()], dtype=float)  # an offset costs no digits, a constant is exactly 0
    count, mean, squares = 0, np.zeros(len(shift)), np.zeros(len(shift))
    for _, block in scaled_blocks(matrix, observed, shift):
        block_mean = block.mean(axis=0)
        block -= block_mean
        total, difference = count + len(block), block_mean - mean
        squares += np.square(block, out=block).sum(axis=0) + difference**2 * (count * len(block) / total)
        mean += difference * (len(block) / total)
        count = total
    return shift + mean, squares / count


def scaled_blocks(matrix, chosen, mean=0.0, scale=None, dtype=np.float64):
    """Yield the chosen rows of a matrix, standardised, by blocks.

    Parameters
    ----------
    matrix : ndarray of shape (n_entities, n_features)
    chosen : ndarray of shape (n_entities,), dtype bool
    mean : float or ndarray of shape (n_features,), default=0.0
    scale : ndarray of shape (n_features,), default=None
        None leaves the scale as it is.
    dtype : dtype, default=float64
        Of the values, which are computed in double precision.

    Yields
    ------
    positions : slice or ndarray of int
    block : ndarray of shape (n_positions, n_features)
        A new array.
    """
    for rows in row_blocks(matrix.shape):
        inside = chosen[rows]
        if not inside.any():
            continue
        positions = rows if inside.all() else rows.start + np.flatnonzero(inside)
        given = np.asarray(matrix[positions])
        block = np.subtract(given, mean, dtype=np.float64)
        if scale is not None:
            block /= scale
        yield positions, block.astype(dtype, copy=False)


def scaled(matrix, observed, mean, scale, dtype=np.float64):
    """Standardise the observed rows; the others become 0."""
    out = np.zeros(matrix.shape, dtype)
    for positions, block in scaled_blocks(matrix, observed, mean, scale, dtype):
        out[positions] = block
    return out


def moved(matrix, observed, mean, scale, column_map):
    """Rows of the standardised matrix times a map of its columns (Eq. 2); rows that are not observed become 0."""
    out = np.zeros((len(matrix), column_map.shape[1]))
    for positions, block in scaled_blocks(matrix, observed, mean, scale):
        out[positions] = block @ column_map
    return out


def feature_cost(source, target, *, p=2, row_weights=None, scaling=None):
    """Cost of moving each column of one matrix to each column of another.

    ``C[i, j] = sum_e w_e |source[e, i] - target[e, j]|^p``: the columns are the points that Eq. 1 transports. Added up
    over blocks of rows.

    Parameters
    ----------
    source : ndarray of shape (n_entities, n_source_columns)
    target : ndarray of shape (n_entities, n_target_columns)
    p : {1, 2}, default=2
    row_weights : ndarray of shape (n_entities,), default=None
        Weights of the entities; None is ``1 / n_entities`` each. Rows of weight 0 may hold anything.
    scaling : (ndarray, ndarray), default=None
        Mean and scale by which the source is standardised first. Then a source of at most single precision is
        multiplied in single precision for p = 2; squares and the sum over the blocks are always double.

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
    is_single = scaling is not None and source.dtype in (np.float16, np.float32)
    dtype = np.float32 if p == 2 and is_single else np.float64
    add_block = _add_squared_distances if p == 2 else _add_absolute_distances
    cost = np.zeros((source.shape[1], target.shape[1]))
    for positions, block in scaled_blocks(source, row_weights > 0, *(scaling or ()), dtype=dtype):
        add_block(cost, block, target[positions], row_weights[positions, None])
    if p == 2:
        np.maximum(cost, 0.0, out=cost)
    if not np.isfinite(cost).all():
        raise ValueError("the transport cost is not finite; check the matrices for NaN, infinities or huge values.")
    return cost


def _add_squared_distances(cost, source, target, weights):
    weighted = weights * target
    cost -= source.T @ (2 * weighted).astype(source.dtype)
    cost += (weights[:, 0] @ np.square(source, dtype=np.float64))[:, None] + (weighted * target).sum(axis=0)


def _add_absolute_distances(cost, source, target, weights):
    cost += cdist((weights * source).T, (weights * target).T, "cityblock")


def transport_plan(cost, *, reg=0.0):
    """Optimal plan between uniform masses on the rows and columns of a cost matrix (Eq. 1).

    Parameters
    ----------
    cost : ndarray of shape (n_source_columns, n_target_columns)
    reg : float, default=0.0
        0 solves exactly; larger values solve the entropic problem with this strength, in the log domain where the
        cost spans so many multiples of it that plain Sinkhorn iterations might underflow.

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
    if reg == 0:
        plan, log = ot.emd(source_mass, target_mass, cost, numItermax=10_000_000, log=True)
        trouble = log["warning"]
    else:
        method = "sinkhorn" if np.ptp(cost) <= LARGEST_EXPONENT * reg else "sinkhorn_log"
        options = dict(method=method, numItermax=10_000, stopThr=SMALLEST_ERROR, warn=False, log=True)
        with np.errstate(over="ignore"):  # of scalings in the log, which nobody reads
            plan, log = ot.sinkhorn(source_mass, target_mass, cost - cost.min(), reg, **options)
        error = log["err"][-1]
        trouble = (
            None if error < SMALLEST_ERROR else f"its masses are off by {error:.1e}; a reg larger than {reg} helps"
        )
    if trouble:
        warnings.warn(f"the transport plan did not converge: {trouble}.", ConvergenceWarning, stacklevel=2)
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
