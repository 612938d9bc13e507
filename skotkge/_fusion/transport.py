"""Optimal transport between the columns of two matrices (Eq. 1-2 of the OTKGE paper). Arrays in, arrays out."""

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning

from .._utils.messages import tell
from .scaling import scaled_blocks

# Scalings of plain Sinkhorn iterations stay within exp(+-2 * this), far from overflow, and their kernel from denormals.
LARGEST_EXPONENT = 200
SMALLEST_ERROR = 1e-9


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
    # With A (n, d_k), B (n, d) the rows of a block and w (n,):  C_ij += sum_e w_e (A_ei^2 + B_ej^2 - 2 A_ei B_ej).
    weighted = weights * target
    cost -= source.T @ (2 * weighted).astype(source.dtype)
    cost += (weights[:, 0] @ np.square(source, dtype=np.float64))[:, None] + (weighted * target).sum(axis=0)


def _add_absolute_distances(cost, source, target, weights):
    # C_ij += sum_e |w_e A_ei - w_e B_ej|, the weights being non-negative.
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
    import ot  # here, since it imports torch

    # Eq. (1):  T = argmin_T <T, C> + reg sum_ij T_ij log T_ij  over T >= 0 with T 1 = u = 1 / d_k, T' 1 = v = 1 / d.
    # Sinkhorn iterations scale the kernel exp(-C / reg) from both sides; a constant added to C changes no plan.
    cost, reg = np.ascontiguousarray(cost, dtype=np.float64), float(reg)
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
        tell(f"the transport plan did not converge: {trouble}.", ConvergenceWarning)
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
    return plan * plan.shape[1]  # 1 / v_j = d for each column j
