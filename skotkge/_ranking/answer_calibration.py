"""Probabilities of the answers in a list: how often an answer with such a score and rank turned out to be true.

Another number than the probability of a given triple. An answer stands in the list because it is the best of all
candidates, so that what its score says of a triple drawn at random says too much of it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.special import logsumexp

from .._graph.queries import KnownAnswers
from .._utils.linear_models import logistic_regression

# Lists are calibrated at this length; longer ones go on with the same line.
LISTED = 10
# Prior standard deviation of the intercept of a relation and direction.
GROUP_SPREAD = 2.0
FEATURE_SPREAD = 10.0
# Of the gradient; with 1e-4 coefficients were up to .004 off on synthetic data.
TOLERANCE = 1e-6
# Questions that lists are calibrated on; one for relations scores as many triples as there are relations.
LARGEST_SAMPLE = {0: 5000, 2: 5000, 1: 500}
# Scores that are computed for it: on large graphs fewer questions have to do.
LARGEST_SEARCH = 2**29
# Truths that nobody has written down count as false, but stand at the top of a list: a held-out question with c
# answers, of which a share m was held out, has some c m more of them, if as many are unknown as were held out. As many
# are in the list as the list has of the held-out ones; that number of its best unlabelled answers is left out, at most
# so many.
LARGEST_LEFT_OUT = 20


@dataclass(frozen=True)
class AnswerCalibration:
    """Log-odds ``b_g + sum_f a_f x_f`` of an answer in a list of group g, see `list_features`.

    Attributes
    ----------
    slopes : ndarray of shape (3,)
        None is negative, so that log-odds never rise down the list.
    intercepts : ndarray of shape (n_groups,)
    """

    slopes: np.ndarray
    intercepts: np.ndarray

    def log_odds(self, scores, groups):
        """Log-odds of lists of decreasing scores ``(n_lists, k)`` with at least `LISTED` candidates, if there are."""
        return list_features(scores) @ self.slopes + self.intercepts[groups][:, None]

    def log_odds_at(self, scores, ranks, listed, groups):
        """Log-odds of one answer of each list.

        Parameters
        ----------
        scores, ranks, groups : ndarray of shape (n_lists,)
        listed : ndarray of shape (n_lists, at least LISTED)
            The best scores of the list.

        Returns
        -------
        ndarray of shape (n_lists,)
        """
        shares = scores - logsumexp(listed[:, :LISTED], axis=1)
        return np.column_stack([shares, -np.log(ranks), scores]) @ self.slopes + self.intercepts[groups]


def list_features(scores):
    """What the log-odds of an answer depend on.

    Parameters
    ----------
    scores : ndarray of shape (n_lists, k)
        Decreasing; -inf where the list has ended.

    Returns
    -------
    ndarray of shape (n_lists, k, 3)
        ``log p`` with the softmax p over the best `LISTED` answers; minus the logarithm of the rank; the score. All
        fall with the rank.
    """
    # log p = s - log sum exp(s) over the best LISTED, and -log rank: a power of the rank in the odds.
    ended = np.isneginf(scores)
    normalizer = logsumexp(scores[:, :LISTED], axis=1, keepdims=True)
    filled = np.where(ended, 0.0, scores)
    shares = np.where(ended, 0.0, filled - np.where(np.isfinite(normalizer), normalizer, 0.0))
    places = np.broadcast_to(-np.log(np.arange(1.0, scores.shape[1] + 1)), scores.shape)
    return np.stack([shares, places, filled], axis=-1)


def calibrate_answers(scores, truth, groups, n_groups):
    """Learn an `AnswerCalibration` from lists whose answers are known to be true, or count as false.

    Parameters
    ----------
    scores : ndarray of shape (n_lists, k)
    truth : ndarray of shape (n_lists, k), dtype bool
    groups : ndarray of shape (n_lists,)
    n_groups : int

    Returns
    -------
    AnswerCalibration
    """
    listed = np.isfinite(scores)
    features, truth = list_features(scores)[listed], truth[listed]
    groups = np.broadcast_to(groups[:, None], scores.shape)[listed]
    if truth.all() or not truth.any():
        share = (truth.sum() + 1) / (len(truth) + 2)
        return AnswerCalibration(np.zeros(features.shape[1]), np.full(n_groups, np.log(share / (1 - share))))
    # A column times t with a penalty of 1 is a Gaussian prior of deviation t, as in `platt_scaling`. Coefficients c of
    # standardised features make the slopes c t / spread and the intercept b - mean . slopes.
    spread = np.maximum(features.std(axis=0), np.finfo(np.float32).tiny)
    standardized = (features - features.mean(axis=0)) / spread
    # One number a row, so sparse: large graphs have thousands of groups. A single group has but the intercept of all.
    rows, n_own = np.arange(len(groups)), n_groups if n_groups > 1 else 0
    own = csr_array((np.full(len(groups), GROUP_SPREAD), (rows, groups)), shape=(len(groups), n_groups))[:, :n_own]
    rises = np.ones(features.shape[1], dtype=bool)
    while True:
        columns = hstack([csr_array(FEATURE_SPREAD * standardized * rises), own], format="csr")
        coefficients, intercept = logistic_regression(columns, truth, tol=TOLERANCE)
        slopes = FEATURE_SPREAD * coefficients[: len(rises)] * rises / spread
        if (slopes >= 0).all():
            break
        # All features fall down a list: with slopes of at least 0 log-odds never rise.
        rises &= slopes >= 0
    of_groups = GROUP_SPREAD * coefficients[len(rises) :] if n_own else np.zeros(1)
    return AnswerCalibration(slopes, intercept + of_groups - features.mean(axis=0) @ slopes)


def calibrate_lists(predictor, held, random_state, device="cpu"):
    """Calibrate lists of answers on questions from held-out triples, asked as a user asks them.

    Known answers are left out, and answers that are not held-out triples count as false, but for those expected to be
    true.

    Parameters
    ----------
    predictor : LinkPredictor
    held : ndarray of shape (n_held, 3)
    random_state : RandomState
        Draws the questions where there are more than `LARGEST_SAMPLE`.
    device : str, default="cpu"

    Returns
    -------
    tuple of two AnswerCalibration or None
        Of lists of entities and of relations; None without held-out triples.
    """
    if not len(held):
        return None
    n_relations = predictor.n_relations
    known, true = predictor.counted, KnownAnswers(held, n_relations)
    lists = []
    for column in (0, 2, 1):
        questions = _questions(predictor, held, column, random_state)
        lists.append(_labelled_lists(predictor, known, true, questions, column, random_state, device))
    heads, tails, relations = lists
    of_entities = [np.concatenate(arrays) for arrays in zip(heads, tails, strict=True)]
    return calibrate_answers(*of_entities, 2 * n_relations), calibrate_answers(*relations, 1)


def _questions(predictor, held, column, random_state):
    """Distinct questions for one column of held-out triples."""
    ids = held.copy()
    ids[:, column] = 0
    ids = np.unique(ids, axis=0)
    largest = min(LARGEST_SAMPLE[column], max(1, LARGEST_SEARCH // predictor.vocabulary.shape[int(column == 1)]))
    return ids if len(ids) <= largest else ids[random_state.choice(len(ids), largest, replace=False)]


def _labelled_lists(predictor, known, true, ids, column, random_state, device):
    """Scores, truth and groups of lists for questions, without the unlabelled answers expected to be true."""
    length = LISTED + LARGEST_LEFT_OUT
    answers, scores = predictor.best_answers(ids, column, length, known, None, device)
    triples = np.repeat(ids, length, axis=0)
    triples[:, column] = np.maximum(answers.ravel(), 0)
    truth = true.contains(triples).reshape(scores.shape) & (answers >= 0)
    groups = predictor.answer_groups(ids, column)
    gone = np.zeros(truth.shape, dtype=bool)
    if column != 1:
        queries = ids[:, 2 - column], groups
        # With H held out and K known before in all, m = H / (H + K) and f the share of the held-out answers that lists
        # have among their first LISTED: f m (c_held + c_known) unlabelled truths are expected in a list. floor(x + U)
        # is x on average.
        n_held, n_known = (np.bincount(of.answers_of(*queries)[0], minlength=len(ids)) for of in (true, known))
        found = truth[:, :LISTED].sum() / n_held.sum()
        share = true.counts.sum() / (true.counts.sum() + known.counts.sum())
        expected = found * share * (n_held + n_known)
        leaves = np.floor(expected + random_state.random_sample(len(ids))).clip(max=LARGEST_LEFT_OUT)
        unlabelled = ~truth & (answers >= 0)
        gone = unlabelled & (np.cumsum(unlabelled, axis=1) <= leaves[:, None])
    # A stable sort moves what is gone to the end and keeps the order of the rest.
    kept = np.argsort(gone, axis=1, kind="stable")[:, :LISTED]
    return np.take_along_axis(scores, kept, axis=1), np.take_along_axis(truth, kept, axis=1), groups
