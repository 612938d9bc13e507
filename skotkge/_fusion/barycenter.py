"""Free-support Wasserstein barycenter of column measures (Eq. 3 of the OTKGE paper). Arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np

from .transport import barycentric_map, feature_cost, transport_plan


@dataclass(frozen=True)
class Barycenter:
    """Result of `wasserstein_barycenter`.

    Attributes
    ----------
    points : ndarray of shape (n_entities, n_columns)
        The barycenter; column j keeps the role of column j of the start.
    plans : list of ndarray of shape (n_columns, n_columns)
        Plan from each measure to the barycenter.
    objective : list of float
        ``sum_k lambda_k W_p^p`` after each update; never increases.
    n_iter : int
    """

    points: np.ndarray
    plans: list
    objective: list
    n_iter: int


def wasserstein_barycenter(measures, row_weights, start, *, p=2, max_iter=20, tol=1e-4):
    """Barycenter of measures whose atoms are matrix columns with uniform mass.

    Minimises ``sum_k sum_e row_weights[k, e] sum_ij P_k[i, j] |M_k[e, i] - E[e, j]|^p`` by turns over the plans and
    the support E. With constant row weights this is Eq. 3; row weights of 0 leave out entities without a modality.

    Parameters
    ----------
    measures : list of ndarray of shape (n_entities, n_columns)
    row_weights : ndarray of shape (n_measures, n_entities)
        Weight of each measure for each entity; columns sum to 1, or to 0 for an entity without any measure.
    start : ndarray of shape (n_entities, n_columns)
        First support.
    p : {1, 2}, default=2
        2 updates the support by weighted means, 1 by weighted medians.
    max_iter : int, default=20
    tol : float, default=1e-4
        Stop when the objective falls by less than this share.

    Returns
    -------
    Barycenter
    """
    # F(E, P) = sum_k <P_k, C_k>  with  C_k[i, j] = sum_e w_ke |M_k[e, i] - E[e, j]|^p.  Two half steps by turns,
    # neither of which raises F: optimal plans P_k for the support E, then the best support for these plans.
    objective, costs = [], _costs(measures, row_weights, start, p)
    for _ in range(max_iter):
        plans = [transport_plan(cost) for cost in costs]
        points = _support(measures, plans, row_weights, p)
        costs = _costs(measures, row_weights, points, p)
        objective.append(sum(float(np.sum(plan * cost)) for plan, cost in zip(plans, costs, strict=True)))
        if len(objective) > 1 and objective[-2] - objective[-1] <= tol * objective[-2]:
            break
    return Barycenter(points, plans, objective, len(objective))


def _costs(measures, row_weights, points, p):
    return [
        feature_cost(measure, points, p=p, row_weights=weights)
        for measure, weights in zip(measures, row_weights, strict=True)
    ]


def _support(measures, plans, row_weights, p):
    """Best support for given plans: row by row the weighted mean (p = 2) or median (p = 1)."""
    # p = 2:  E = sum_k diag(w_k) M_k P_k diag(1 / v), (n, d).
    # p = 1:  E[e, j] = median of the atoms M_k[e, i] over all k and i, with the weights w_ke P_k[i, j].
    if p == 2:
        moved = (measure @ barycentric_map(plan) for measure, plan in zip(measures, plans, strict=True))
        return sum(weights[:, None] * points for weights, points in zip(row_weights, moved, strict=True))
    return np.column_stack([_median_column(measures, plans, row_weights, j) for j in range(plans[0].shape[1])])


def _median_column(measures, plans, row_weights, j):
    atoms, weights = [], []
    for measure, plan, row_weight in zip(measures, plans, row_weights, strict=True):
        used = np.flatnonzero(plan[:, j])
        atoms.append(measure[:, used])
        weights.append(row_weight[:, None] * plan[used, j])
    return weighted_median(np.hstack(atoms), np.hstack(weights))


def weighted_median(values, weights):
    """Weighted median of each row, the midpoint of the interval where it is not unique.

    Parameters
    ----------
    values, weights : ndarray of shape (n_rows, n_values)

    Returns
    -------
    ndarray of shape (n_rows,)
        0 for rows without weight.
    """
    # sum_i w_i |x_i - m| is least where the weights below and above m are at most half of all: from the first value
    # with a cumulated weight of at least a half to the first with more. The two differ where a value reaches the half
    # exactly, give or take rounding.
    order = np.argsort(values, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    cumulated = np.cumsum(np.take_along_axis(weights, order, axis=1), axis=1)
    total = cumulated[:, -1:]
    slack = 1e-12 * total
    lower = np.argmax(cumulated >= total / 2 - slack, axis=1)
    upper = np.argmax(cumulated > total / 2 + slack, axis=1)
    rows = np.arange(len(values))
    median = (values[rows, lower] + values[rows, upper]) / 2
    return np.where(total[:, 0] > 0, median, 0.0)
