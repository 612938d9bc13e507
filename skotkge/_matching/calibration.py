"""Probabilities of matches, and the similarity that a match has to beat, learned on held-out known pairs."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from .plans import row_maxima, transport_plan

# Share of the held-out entities whose counterpart is taken away, so that some have none.
ALONE_SHARE = 0.3
QUANTILES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
SMALLEST_PLAN = 1e-6


@dataclass(frozen=True)
class MatchCalibration:
    """Log-odds of a match as a linear function of its plan, its similarity and how far it is from the row's best.

    Parameters
    ----------
    coefficients : ndarray of shape (3,)
    intercept : float
    """

    coefficients: np.ndarray
    intercept: float

    def probabilities(self, features):
        """Probabilities of features of shape (n, 3)."""
        return expit(features @ self.coefficients + self.intercept)


def match_features(plan, similarity, rows, columns):
    """Log-plan, similarity, and similarity less the best of the row, of some entries.

    Parameters
    ----------
    plan, similarity : csr_array of shape (n_rows, n_columns)
    rows, columns : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n, 3)
    """
    mass = entries(plan, rows, columns)
    gain = entries(similarity, rows, columns)
    return np.column_stack([np.log(np.maximum(mass, SMALLEST_PLAN)), gain, gain - row_maxima(similarity)[rows]])


def entries(matrix, rows, columns):
    """Entries of a csr_array at some positions, 0 where none is stored."""
    return np.asarray(matrix[rows, columns], dtype=np.float64).ravel() if len(rows) else np.empty(0)


def calibrate_matches(similarity, places, solver, reg):
    """Learn from held-out pairs, of which some lose their counterpart.

    Parameters
    ----------
    similarity : csr_array of shape (n_rows, n_columns)
    places : ndarray of shape (n_pairs, 2)
        Rows and columns of the held-out pairs.
    solver : str
    reg : float

    Returns
    -------
    unmatched : float
        Similarity that a match has to beat, where the F1 of the held-out entities is best; 0 for "sinkhorn".
    calibration : MatchCalibration or None
        None where the best matches of all held-out entities are right, or none is.
    """
    n_alone = int(ALONE_SHARE * len(places))
    alone, paired = places[:n_alone], places[n_alone:]
    kept = np.setdiff1d(np.arange(similarity.shape[1]), alone[:, 1])
    without = similarity[:, kept]
    without.sort_indices()
    truth = np.full(similarity.shape[0], -1)
    truth[paired[:, 0]] = np.searchsorted(kept, paired[:, 1])
    levels = [0.0] if solver == "sinkhorn" else np.quantile(row_maxima(without)[places[:, 0]], QUANTILES)
    trials = [_trial(without, places[:, 0], truth, solver, reg, level) for level in levels]
    best = int(np.argmax([f1 for f1, _, _ in trials]))
    _, features, right = trials[best]
    if right.all() or not right.any():
        return float(levels[best]), None
    model = LogisticRegression(C=10.0, max_iter=1000).fit(features, right)
    return float(levels[best]), MatchCalibration(model.coef_[0], float(model.intercept_[0]))


def _trial(similarity, rows, truth, solver, reg, level):
    """F1 of the best matches with a plan above one half, and what calibration needs: features and truth of the best."""
    plan = transport_plan(similarity.copy(), solver, reg, level)
    masses = plan[rows].toarray()
    columns = masses.argmax(axis=1)
    told, right = masses.max(axis=1) > 0.5, columns == truth[rows]
    hits = np.count_nonzero(told & right)
    f1 = 2 * hits / max(np.count_nonzero(told) + np.count_nonzero(truth[rows] >= 0), 1)
    return f1, match_features(plan, similarity, rows, columns), right
