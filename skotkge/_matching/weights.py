"""Weights of the parts of the evidence, learned on known pairs that no part has seen."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

# Weights of cosines before anything is learned: similarities of 1 are worth 20 units of log-odds.
PRIOR_SHARPNESS = 20.0
PENALTY = 1e-5
LARGEST_SHARPNESS = 200.0
# More pairs cost time and hardly change the weights.
MOST_PAIRS = 200


def part_weights(parts, pairs, rows, columns):
    """Learn weights by the likelihood of the true counterpart among all candidates, from both sides.

    The odds of a candidate are ``exp(sum_k w_k cosine_k)``. The result maximises the mean log-probability of the true
    one less a small ridge, which decides where two parts say the same.

    Parameters
    ----------
    parts : list of Part
    pairs : ndarray of shape (n_pairs, 2)
        Rows of X and Y.
    rows, columns : ndarray
        The candidates on both sides; they contain the pairs.

    Returns
    -------
    ndarray of shape (n_parts,)
        Not negative.
    """
    pairs = pairs[:MOST_PAIRS]
    forward = [part.first[pairs[:, 0]] @ part.second[columns].T for part in parts]
    backward = [part.second[pairs[:, 1]] @ part.first[rows].T for part in parts]
    tables = [
        (np.stack(forward), np.searchsorted(columns, pairs[:, 1])),
        (np.stack(backward), np.searchsorted(rows, pairs[:, 0])),
    ]
    start = np.full(len(parts), PRIOR_SHARPNESS / len(parts))
    bounds = [(0.0, LARGEST_SHARPNESS)] * len(parts)
    found = minimize(_loss_and_gradient, start, args=(tables,), jac=True, method="L-BFGS-B", bounds=bounds)
    weights = np.maximum(found.x, 0)
    return weights if weights.any() else start


def _loss_and_gradient(weights, tables):
    # loss = mean_i (log sum_j exp(w.c_ij) - w.c_i*), c_ij the cosines of all parts and * the true candidate, added up
    # over both sides. Its gradient is mean_i (sum_j p_ij c_ij - c_i*) with the softmax p: a convex problem of a few
    # numbers.
    loss, gradient = PENALTY * weights @ weights, 2 * PENALTY * weights
    for cosines, truth in tables:
        places = np.arange(len(truth))
        scores = np.tensordot(weights.astype(np.float32), cosines, axes=1)
        log_total = logsumexp(scores, axis=1)
        probabilities = np.exp(scores - log_total[:, None])
        true_cosines = cosines[:, places, truth]
        loss += np.mean(log_total - scores[places, truth])
        gradient = gradient + (np.einsum("kij,ij->k", cosines, probabilities) - true_cosines.sum(axis=1)) / len(truth)
    return float(loss), np.asarray(gradient, dtype=np.float64)


def weighted(parts, weights, rows, columns):
    """Return one matrix for each side, whose inner products are the weighted sums of cosines.

    Parameters
    ----------
    parts : list of Part
    weights : sequence of float
    rows, columns : ndarray
        Entities of X and Y.

    Returns
    -------
    list of ndarray of shape (n_rows, n_features) and (n_columns, n_features)
    """
    # sum_k w_k <x_k, y_k> is the inner product of the rows [sqrt(w_1) x_1, sqrt(w_2) x_2, ...] and of those of y.
    used = [(part, np.float32(np.sqrt(weight))) for part, weight in zip(parts, weights, strict=True) if weight > 0]
    sides = [[(part.first, root) for part, root in used], [(part.second, root) for part, root in used]]
    return [_side_by_side(side, chosen) for side, chosen in zip(sides, (rows, columns), strict=True)]


def _side_by_side(matrices, rows):
    """Some rows of matrices, each times its factor; these are the largest arrays, so only one is copied at a time."""
    out = np.empty((len(rows), sum(matrix.shape[1] for matrix, _ in matrices)), dtype=np.float32)
    start = 0
    for matrix, factor in matrices:
        block = out[:, start : start + matrix.shape[1]]
        np.multiply(matrix[rows], factor, out=block)
        start += matrix.shape[1]
    return out
