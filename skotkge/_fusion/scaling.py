"""Columns of a matrix standardised over the rows that are there, by blocks of rows. Arrays in, arrays out.

Nothing here copies a matrix as a whole, so that memory-mapped modalities stay on the disk.
"""

import numpy as np

from .._utils.memory import row_blocks


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
    mean, variance = moments(matrix, observed)
    return mean, np.where(constant_columns(mean, variance), 1.0, np.sqrt(variance))


def constant_columns(mean, variance):
    """Tell which columns differ from a constant by rounding alone."""
    # Equal values that were computed in different ways differ by a few eps |mean|.
    precision = np.finfo(float)
    return np.sqrt(variance) <= 10 * precision.eps * np.maximum(np.abs(mean), precision.tiny)


def moments(matrix, observed):
    """Mean and variance of each column over the observed rows.

    Parameters
    ----------
    matrix : ndarray of shape (n_entities, n_features)
    observed : ndarray of shape (n_entities,), dtype bool
        At least one row.

    Returns
    -------
    mean, variance : ndarray of shape (n_features,)
    """
    # Blocks a and b with means m and sums of squared deviations Q merge exactly (Chan, Golub, LeVeque 1983):
    #   m = m_a + (m_b - m_a) n_b / n,    Q = Q_a + Q_b + (m_b - m_a)^2 n_a n_b / n,    n = n_a + n_b.
    # All of it relative to the first observed row: an offset then costs no digits, and a constant is exactly 0.
    shift = np.asarray(matrix[observed.argmax()], dtype=float)
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


def standardize_rows(matrix, observed, mean, scale, dtype=np.float64):
    """Standardise the observed rows; the others become 0."""
    out = np.zeros(matrix.shape, dtype)
    for positions, block in scaled_blocks(matrix, observed, mean, scale, dtype):
        out[positions] = block
    return out


def apply_column_map(matrix, observed, mean, scale, column_map):
    """Rows of the standardised matrix times a map of its columns (Eq. 2); rows that are not observed become 0."""
    out = np.zeros((len(matrix), column_map.shape[1]))
    for positions, block in scaled_blocks(matrix, observed, mean, scale):
        out[positions] = block @ column_map
    return out
