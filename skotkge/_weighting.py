"""Weights of spaces for each relation, learned from queries whose answer is known. Arrays in, arrays out."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

# Pulls the weights of a relation towards those that all relations share; so many queries weigh as much as the data.
SHRINKAGE = 0.3
LARGEST_CHANGES = 100


def learn_space_weights(scores, offsets, relations, n_relations):
    """Weights that maximise the likelihood of the answers under the softmax of the weighted sum of scores.

    ``w[k, r] = softplus(a_k + b_kr) / s_k`` with the standard deviation s_k of the scores of space k, and a quadratic
    penalty on b: a relation with few queries keeps close to the shared weights.

    Parameters
    ----------
    scores : ndarray of shape (n_queries, n_spaces, n_candidates)
        The first candidate is the answer.
    offsets : ndarray of shape (n_queries, n_candidates)
        Added to the weighted sum: 0 for a candidate that stands for itself, the logarithm of a number for one that
        stands for so many, -inf for one that does not count.
    relations : ndarray of shape (n_queries,)
        In ``[0, n_relations)``.
    n_relations : int
        Reciprocals included.

    Returns
    -------
    ndarray of shape (n_spaces, n_relations)
        Not negative.
    """
    n_queries, n_spaces, _ = scores.shape
    spread = np.array([scores[:, position].std() or 1.0 for position in range(n_spaces)])

    def objective(parameters):
        shared, own = parameters[:n_spaces], parameters[n_spaces:].reshape(n_spaces, n_relations)
        logits_of_weights = shared[:, None] + own
        weights = (np.logaddexp(0, logits_of_weights) / spread[:, None]).astype(scores.dtype)[:, relations].T
        logits = np.matmul(weights[:, None], scores)[:, 0] + offsets
        largest = logits.max(axis=1, keepdims=True)
        answered = logits[:, 0] - largest[:, 0]
        probabilities = np.exp(logits - largest, out=logits)
        normalizer = probabilities.sum(axis=1)
        probabilities /= normalizer[:, None]
        loss = float(np.sum(np.log(normalizer) - answered, dtype=float))
        by_query = np.matmul(scores, probabilities[:, :, None])[:, :, 0] - scores[:, :, 0]
        by_relation = np.zeros((n_spaces, n_relations))
        np.add.at(by_relation.T, relations, by_query)
        by_relation *= expit(logits_of_weights) / spread[:, None]
        gradient = np.concatenate([by_relation.sum(axis=1), (by_relation + 2 * SHRINKAGE * own).ravel()])
        return (loss + SHRINKAGE * np.sum(own**2)) / n_queries, gradient / n_queries

    start = np.zeros(n_spaces * (1 + n_relations))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": LARGEST_CHANGES, "ftol": 1e-7})
    shared, own = found.x[:n_spaces], found.x[n_spaces:].reshape(n_spaces, n_relations)
    return np.logaddexp(0, shared[:, None] + own) / spread[:, None]
