"""Probabilities of matches, and the similarity that a match has to beat, learned on held-out known pairs."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array
from scipy.special import expit, logit

from .._utils.linear_models import logistic_regression
from .plans import row_maxima, transport_plan

# Share of the held-out entities whose counterpart is taken away, so that some have none.
ALONE_SHARE = 0.3
QUANTILES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
SMALLEST_PLAN = 1e-3
N_STEPS, LARGEST_SHIFT = 30, 1.0


@dataclass(frozen=True)
class MatchCalibration:
    """Log-odds of a match as a linear function of its `match_features`.

    Parameters
    ----------
    coefficients : ndarray of shape (3,)
    intercept : float
    share : float
        Of the held-out entities whose best candidate is right.
    best_f1 : float, default=1.0
        Of the held-out entities, with the threshold where it is highest.
    """

    coefficients: np.ndarray
    intercept: float
    share: float
    best_f1: float = 1.0

    @property
    def threshold_of_best_f1(self):
        """Half of the best F1 is the probability from which telling a match raises F1 (Lipton, Elkan, Naryanaswamy,
        "Optimal thresholding of classifiers to maximize F1 measure", 2014).
        """
        return self.best_f1 / 2

    def probabilities(self, features):
        """Probabilities of features of shape (n, 3)."""
        return expit(features @ self.coefficients + self.intercept)

    def adapted(self, features):
        """Calibration for entities of which another share is matched rightly than of the held-out ones.

        The share p of these entities is the fixed point of ``p = mean(expit(z + logit(p) - logit(q)))``, with z the
        log-odds and q the share of the held-out ones (Saerens, Latinne and Decaestecker, "Adjusting the outputs of a
        classifier to new a priori probabilities", 2002). The shift is at most `LARGEST_SHIFT`.

        Parameters
        ----------
        features : ndarray of shape (n, 3)
            Of the best candidate of each entity that is to be matched.

        Returns
        -------
        MatchCalibration
        """
        if not len(features):
            return self
        log_odds, share, shift = features @ self.coefficients + self.intercept, self.share, 0.0
        for _ in range(N_STEPS):
            shift = float(np.clip(logit(share) - logit(self.share), -LARGEST_SHIFT, LARGEST_SHIFT))
            share = np.clip(expit(log_odds + shift).mean(), 1e-3, 1 - 1e-3)
        return replace(self, intercept=self.intercept + shift)


def match_features(plan, similarity, rows, columns):
    """Log-odds of the plan, similarity, and how far the plan is behind the largest of its row and column.

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
    # max(largest of the row, largest of the column) - own mass: 0 for the mutual best.
    behind = np.maximum(row_maxima(plan)[rows], row_maxima(csr_array(plan.T.tocsr()))[columns]) - mass
    return np.column_stack([logit(np.clip(mass, SMALLEST_PLAN, 1 - SMALLEST_PLAN)), gain, behind])


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
    # Levels to try are quantiles of the best similarities; each takes a plan of its own, since mass that stays changes
    # the rest.
    levels = [0.0] if solver == "sinkhorn" else np.quantile(row_maxima(without)[places[:, 0]], QUANTILES)
    trials = [_trial(without, places[:, 0], truth, solver, reg, level) for level in levels]
    best = int(np.argmax([f1 for f1, _, _ in trials]))
    _, features, right = trials[best]
    if right.all() or not right.any():
        return float(levels[best]), None
    coefficients, intercept = logistic_regression(features, right, C=10.0)
    calibration = MatchCalibration(coefficients, float(intercept), float(right.mean()))
    best_f1 = _best_f1(calibration.probabilities(features), right, len(paired))
    return float(levels[best]), replace(calibration, best_f1=best_f1)


def _best_f1(probabilities, right, n_true):
    """Highest F1 of the matches above any threshold."""
    # F1 of the j most probable is 2 hits_j / (j + n_true).
    hits = np.cumsum(right[np.argsort(-probabilities, kind="stable")])
    return float((2 * hits / (np.arange(1, len(right) + 1) + n_true)).max())


def _trial(similarity, rows, truth, solver, reg, level):
    """F1 of the best matches with a plan above one half, and what calibration needs: features and truth of the best."""
    plan = transport_plan(similarity.copy(), solver, reg, level)
    masses = plan[rows].toarray()
    columns = masses.argmax(axis=1)
    told, right = masses.max(axis=1) > 0.5, columns == truth[rows]
    hits = np.count_nonzero(told & right)
    f1 = 2 * hits / max(np.count_nonzero(told) + np.count_nonzero(truth[rows] >= 0), 1)
    return f1, match_features(plan, similarity, rows, columns), right
