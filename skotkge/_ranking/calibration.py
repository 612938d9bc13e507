"""Log-odds from raw scores, learned on true triples against false ones."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.special import logit

from .._utils.linear_models import logistic_regression
from .._utils.messages import tell

# Prior standard deviations, of standardised scores: how far the lines of relations lie from the one they share.
INTERCEPT_SPREAD = 2.0
SLOPE_SPREAD = 1.0
# So wide that it only keeps the slope finite where scores separate the classes.
SHARED_SLOPE_SPREAD = 30.0
TYPED_DRAWS = 5
# Fewer known negatives do not place a threshold; corrupted triples do then.
FEWEST_NEGATIVES = 10
# Of the gradient; by scikit-learn's default log-odds were up to .07 off on synthetic data.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Negatives:
    """False triples to calibrate with.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    true_share : float
        Share of true triples among those that probabilities are asked for.
    """

    ids: np.ndarray
    true_share: float


@dataclass(frozen=True)
class Calibration:
    """A line for each relation from scores to log-odds.

    Parameters
    ----------
    slope, intercept : ndarray of shape (n_relations,)
        No slope is negative.
    """

    slope: np.ndarray
    intercept: np.ndarray

    @classmethod
    def identity(cls, n_relations):
        """Scores taken for log-odds."""
        return cls(np.ones(n_relations), np.zeros(n_relations))

    def log_odds(self, scores, relations):
        """Log-odds of triples with these scores and relations; what has a score of -inf is no answer and stays so."""
        none = np.isneginf(scores)
        line = self.slope[relations] * np.where(none, 0, scores) + self.intercept[relations]
        return np.where(none, -np.inf, line)

    def even_odds(self, relations):
        """Scores at which triples of these relations have log-odds of zero; 0 where there are none."""
        slope = self.slope[relations]
        return np.divide(-self.intercept[relations], slope, out=np.zeros(len(slope)), where=slope > 0)


def corrupted_ids(ids, known, n_entities, random_state, pools=None):
    """Corrupt each triple once at its head and once at its tail, leaving out loops and what is known to be true.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    known : KnownAnswers
        Of all true triples, `ids` among them.
    n_entities : int
    random_state : RandomState
    pools : csr_array of shape (2 * n_relations, n_entities), default=None
        Entities that answer each relation and reciprocal: corrupted triples are typed, with an entity of that side of
        the relation. Where a relation has no false one among them, any entity takes its place.

    Returns
    -------
    ndarray of shape (at most 2 * n_triples, 3)
    """
    uniform = _corrupted(ids, random_state.randint(n_entities, size=(2, len(ids))))
    if pools is None:
        return uniform[_is_false(uniform, known)]
    # Side r + shift has the heads of r and side r its tails; floor(uniform * length) draws from ragged lists at once.
    shift = pools.shape[0] // 2
    starts, lengths = pools.indptr[:-1], np.diff(pools.indptr)
    corrupted = uniform
    # A draw that is true by chance is drawn again, a few times.
    missing = np.arange(len(uniform))
    for _ in range(TYPED_DRAWS):
        sides = np.concatenate([ids[:, 1] + shift, ids[:, 1]])[missing]
        drawn = pools.indices[starts[sides] + (random_state.random_sample(len(sides)) * lengths[sides]).astype(int)]
        typed = uniform[missing]
        typed[np.arange(len(missing)), np.where(missing < len(ids), 0, 2)] = drawn
        false = _is_false(typed, known)
        corrupted[missing[false]] = typed[false]
        missing = missing[~false]
    return corrupted[_is_false(corrupted, known)]


def _corrupted(ids, entities):
    """Triples with other heads, and after them with other tails ``(2, n_triples)``."""
    corrupted = np.concatenate([ids, ids])
    corrupted[: len(ids), 0], corrupted[len(ids) :, 2] = entities
    return corrupted


def _is_false(ids, known):
    return (ids[:, 0] != ids[:, 2]) & ~known.contains(ids)


def platt_scaling(scores, truth, relations, n_relations, true_share=0.5):
    """Log-odds as a linear function of the score, for each relation, shrunk towards what all relations share.

    With scores of mean 0 and standard deviation 1, the log-odds of a triple of relation r are
    ``(a + a_r) * score + b + b_r``: a logistic regression with a ridge penalty on ``a_r`` and ``b_r``. A relation with
    few rows stays near the shared line, one without rows has it. Where the higher scores of a relation do not go with
    truth, its slope is 0.

    Parameters
    ----------
    scores : ndarray of shape (n_triples,)
    truth : ndarray of shape (n_triples,), dtype bool
    relations : ndarray of shape (n_triples,)
        In ``[0, n_relations)``.
    n_relations : int
    true_share : float, default=0.5
        Share of true triples that the odds are for. The more numerous class is weighed down to it.

    Returns
    -------
    Calibration

    Warns
    -----
    UserWarning
        If higher scores do not go with truth; all triples then have the odds of `true_share`.
    """
    if truth.all() or not truth.any():
        return Calibration.identity(n_relations)
    weights = _weights_for_share(truth, true_share)
    centre, scale = scores.mean(), scores.std() or 1.0
    standardized = (scores - centre) / scale
    # Slopes that come out below 0 are set to 0 and the others fitted again, until none is left; the set only shrinks,
    # so that this ends.
    rises = np.ones(n_relations, dtype=bool)
    shared_slope, slope, intercept = _fit_lines(standardized, truth, relations, rises, weights)
    while (slope[rises] <= 0).any() and shared_slope > 0:
        rises &= slope > 0
        shared_slope, slope, intercept = _fit_lines(standardized, truth, relations, rises, weights)
    if shared_slope <= 0:
        tell(
            "held-out triples do not score higher than false ones, so all probabilities are equal: the model has not "
            "learned to tell them apart."
        )
        return Calibration(np.zeros(n_relations), np.full(n_relations, logit(true_share)))
    # In raw scores s, a (s - m) / d + b = (a / d) s + (b - a m / d).
    return Calibration(slope / scale, intercept - slope * centre / scale)


def _weights_for_share(truth, true_share):
    """Weights of at most 1 that give the true rows the share wanted."""
    # w_1 n_1 / (w_1 n_1 + w_0 n_0) = share has the solution w_1 / w_0 = share / (1 - share) n_0 / n_1.
    odds = true_share / (1 - true_share) * np.count_nonzero(~truth) / np.count_nonzero(truth)
    return np.where(truth, min(1.0, odds), min(1.0, 1 / odds))


def _fit_lines(scores, truth, relations, rises, weights):
    """Return the shared slope, and slope and intercept of each relation; the slope is 0 except where it `rises`."""
    # log-odds = (a + a_r) s + b + b_r. A column times t with a penalty of 1 on its coefficient c is a Gaussian prior of
    # deviation t on the weight t c of the column. (n_triples, 1 + 2 n_relations) with three numbers a row, so sparse.
    rows, shape = np.arange(len(scores)), (len(scores), len(rises))
    scores = scores * rises[relations]
    columns = [
        csr_array(SHARED_SLOPE_SPREAD * scores[:, None]),
        csr_array((np.full(len(scores), INTERCEPT_SPREAD), (rows, relations)), shape=shape),
        csr_array((SLOPE_SPREAD * scores, (rows, relations)), shape=shape),
    ]
    coefficients, shared_intercept = logistic_regression(hstack(columns, format="csr"), truth, weights, tol=TOLERANCE)
    shared, own_intercepts, own_slopes = np.split(coefficients, [1, 1 + len(rises)])
    shared_slope = SHARED_SLOPE_SPREAD * shared[0]
    slope = rises * (shared_slope + SLOPE_SPREAD * own_slopes)
    return shared_slope, slope, shared_intercept + INTERCEPT_SPREAD * own_intercepts
