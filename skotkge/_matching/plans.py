"""Transport plans between entities from their similarities, dense or over the best candidates only.

Every entity of X has mass 1, every entity of Y takes at most 1. Similarities are gains: the plan P maximises
``sum(P * S)``, with an entropy for Sinkhorn.
"""

import numpy as np
from scipy.sparse import coo_array, csr_array, issparse

MAX_ITER = 100
TOLERANCE = 1e-3
SMALLEST = 1e-30


def transport_plan(similarity, solver, reg, unmatched):
    """Return the plan of one of the solvers.

    Parameters
    ----------
    similarity : ndarray or csr_array of shape (n_rows, n_columns)
        Of a sparse one only the stored entries may carry mass. A dense one is overwritten.
    solver : {"sinkhorn", "exact", "partial"}
        "sinkhorn": entropic, all mass of the side with fewer entities is moved. "partial": entropic, mass that gains
        less than `unmatched` stays where it is. "exact": no entropy, mass that gains less than `unmatched` stays.
    reg : float
        Weight of the entropy, in units of the similarity.
    unmatched : float
        Similarity below which no match is better than a match.

    Returns
    -------
    ndarray or csr_array of shape (n_rows, n_columns)
        Sums of rows and columns are at most 1.
    """
    if 0 in similarity.shape or (issparse(similarity) and similarity.nnz == 0):
        return similarity
    if solver == "exact":
        return exact_plan(similarity, unmatched)
    return entropic_plan(similarity, reg, unmatched if solver == "partial" else None)


def entropic_plan(similarity, reg, unmatched=None, max_iter=MAX_ITER, tol=TOLERANCE):
    """Entropic plan with sums of rows and columns of at most 1, by matrix scaling.

    With the kernel ``K = exp(S / reg)`` the plan is ``diag(u) K diag(v)``. A side whose sums are at most 1 has the
    scaling ``u = min(1 / (K v), c)``, where c = 1 is the price of no match for nothing and infinity means that all
    mass must go; a gain of `unmatched` that a match has to beat multiplies the kernel by ``exp(-unmatched / reg)``
    (Chizat, Peyré, Schmitzer and Vialard, "Scaling algorithms for unbalanced optimal transport problems", 2018,
    section 5, for the indicator of ``[0, 1]``). POT has neither this one-sided form nor sparse kernels; where both are
    defined the plans agree.

    Parameters
    ----------
    similarity : ndarray or csr_array of shape (n_rows, n_columns)
        A dense one is overwritten.
    reg : float
    unmatched : float, default=None
        None: all entities of the smaller side are matched.
    max_iter : int
        Most scalings of each side.
    tol : float
        Mean relative change of a column's scaling at which they end.

    Returns
    -------
    ndarray or csr_array of shape (n_rows, n_columns)
    """
    if unmatched is None and similarity.shape[0] > similarity.shape[1]:
        # The side of which all mass goes is scaled last, so that its sums are exact.
        turned = similarity.T.tocsr() if issparse(similarity) else np.ascontiguousarray(similarity.T)
        plan = entropic_plan(turned, reg, None, max_iter, tol).T
        return plan.tocsr() if issparse(plan) else plan
    kernel, shift = _kernel(similarity, reg)
    # A row's scaling contains exp(-shift), so its bound is exp(shift - unmatched) in the same units.
    row_bound = np.inf if unmatched is None else np.exp(np.clip((shift - unmatched) / reg, -60, 60))
    u, v = _scalings(kernel, row_bound, max_iter, tol)
    return _scaled(kernel, u, v)


def _kernel(similarity, reg):
    """``exp((S - row maximum) / reg)`` and the row maxima, so that nothing overflows in single precision."""
    # A factor for each row changes no plan, as u takes it up. With the row maximum at exp(0) = 1 no row of the kernel
    # is lost to underflow.
    if not issparse(similarity):
        shift = similarity.max(axis=1)
        similarity -= shift[:, None]
        similarity /= reg
        np.exp(similarity, out=similarity)
        return similarity, shift
    shift = row_maxima(similarity)
    kernel = similarity.copy()
    kernel.data = np.exp((kernel.data - np.repeat(shift, np.diff(kernel.indptr))) / reg)
    return kernel, shift


def _scalings(kernel, row_bound, max_iter, tol):
    # u = min(1 / (K v), c) and v = min(1 / (K' u), 1) in turns, each of one product with the nonzeros of K. The end is
    # told by the mean change of log v, since scalings may differ by powers of ten. A last u makes the sums of the rows
    # right.
    v = np.ones(kernel.shape[1], kernel.dtype)
    transposed = kernel.T
    for _ in range(max_iter):
        u = np.minimum(1 / np.maximum(kernel @ v, SMALLEST), row_bound).astype(kernel.dtype)
        before, v = v, np.minimum(1 / np.maximum(transposed @ u, SMALLEST), 1.0).astype(kernel.dtype)
        if np.abs(np.log(np.maximum(v, SMALLEST) / np.maximum(before, SMALLEST))).mean() < tol:
            break
    u = np.minimum(1 / np.maximum(kernel @ v, SMALLEST), row_bound).astype(kernel.dtype)
    return u, v


def _scaled(kernel, u, v):
    # P[i, j] = u[i] K[i, j] v[j], in the place of the kernel.
    if not issparse(kernel):
        kernel *= u[:, None]
        kernel *= v
        return kernel
    kernel.data *= np.repeat(u, np.diff(kernel.indptr)) * v[kernel.indices]
    return kernel


def row_maxima(matrix):
    """Largest entry of each row of a csr_array, 0 for empty rows; explicit entries only."""
    # reduceat gives an empty row the first entry of the next one, so that empty rows have to be left out.
    out = np.zeros(matrix.shape[0], matrix.dtype)
    filled = np.flatnonzero(np.diff(matrix.indptr))
    if len(filled):
        out[filled] = np.maximum.reduceat(matrix.data, matrix.indptr[filled])
    return out


def exact_plan(similarity, unmatched):
    """Plan without entropy: an assignment, in which entities may stay alone at the gain `unmatched`.

    One more row of mass n_columns fills the columns that stay alone, one more column of mass n_rows takes the rows that
    stay alone, both at the gain `unmatched`, and what remains goes from the one to the other for nothing. So masses are
    equal and `ot.emd` applies; it takes sparse costs (POT 0.9.7).

    Parameters
    ----------
    similarity : ndarray or csr_array of shape (n_rows, n_columns)
    unmatched : float

    Returns
    -------
    csr_array of shape (n_rows, n_columns)
    """
    import ot

    n_rows, n_columns = similarity.shape
    gains = coo_array(similarity)
    better = gains.data > unmatched
    rows, columns = gains.row[better], gains.col[better]
    every_row, every_column = np.arange(n_rows), np.arange(n_columns)
    sources = np.concatenate([rows, every_row, np.full(n_columns, n_rows), [n_rows]])
    targets = np.concatenate([columns, np.full(n_rows, n_columns), every_column, [n_columns]])
    # Costs are shifted up, since a sparse matrix drops zeros; the total mass is fixed, so that all plans cost as much
    # more.
    extra = gains.data[better].astype(np.float64) - unmatched
    top = 1 + (extra.max() if len(extra) else 0.0)
    cost = np.concatenate([top - extra, np.full(n_rows + n_columns + 1, top)])
    shape = (n_rows + 1, n_columns + 1)
    row_masses, column_masses = np.append(np.ones(n_rows), n_columns), np.append(np.ones(n_columns), n_rows)
    plan = ot.emd(row_masses, column_masses, coo_array((cost, (sources, targets)), shape=shape), numItermax=10_000_000)
    return csr_array(csr_array(plan)[:n_rows, :n_columns])
