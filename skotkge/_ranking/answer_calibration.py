"""Probabilities of the answers in a list: how often an answer with such a score and rank turned out to be true.

Another number than the probability of a given triple. An answer stands in the list because it is the best of all
candidates, so that what its score says of a triple drawn at random says too much of it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack
from scipy.special import logsumexp

from .._graph.queries import KnownAnswers, distinct_rows
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
# Questions without a held-out answer for each side, asked as well to calibrate lists of questions that may have none.
MOST_OTHERS = 1000
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


def calibrate_answers(scores, truth, groups, n_groups, weights=None):
    """Learn an `AnswerCalibration` from lists whose answers are known to be true, or count as false.

    Parameters
    ----------
    scores : ndarray of shape (n_lists, k)
    truth : ndarray of shape (n_lists, k), dtype bool
    groups : ndarray of shape (n_lists,)
    n_groups : int
    weights : ndarray of shape (n_lists,), default=None
        How many questions each list stands for; None is 1.

    Returns
    -------
    AnswerCalibration
    """
    weights = np.ones(len(scores)) if weights is None else weights
    listed = np.isfinite(scores)
    features, truth = list_features(scores)[listed], truth[listed]
    groups, weights = (np.broadcast_to(of_list[:, None], scores.shape)[listed] for of_list in (groups, weights))
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
        coefficients, intercept = logistic_regression(columns, truth, weights, tol=TOLERANCE)
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
    tuple of three AnswerCalibration or None
        Of lists of entities and of relations; of lists of entities for questions that may have no answer. None without
        held-out triples.
    """
    if not len(held):
        return None
    n_relations = predictor.n_relations
    ask = _Asking(predictor, predictor.counted, KnownAnswers(held, n_relations), random_state, device)
    questions = {column: _questions(held, column) for column in (0, 2, 1)}
    heads, tails, relations = (ask(asked, column, LARGEST_SAMPLE[column]) for column, asked in questions.items())
    others = []
    for column, lists in ((0, heads), (2, tails)):
        asked = _questions(predictor.true_ids[predictor.trained], column)
        asked = asked[~KnownAnswers(questions[column], n_relations).contains(asked)]
        others.append(ask(asked, column, MOST_OTHERS, lists.found))
    # Of questions that have an answer each list counts the same; with the others, as many as it was drawn from.
    return (
        _line_of([heads, tails], 2 * n_relations, weighted=False),
        _line_of([relations], 1, weighted=False),
        _line_of([heads, tails, *others], 2 * n_relations, weighted=True),
    )


@dataclass(frozen=True)
class _Lists:
    """Lists of answers to questions.

    Attributes
    ----------
    scores, truth : ndarray of shape (n_lists, LISTED)
    groups : ndarray of shape (n_lists,)
    found : float or None
        Share of the held-out answers that are listed.
    stands_for : float
        Questions for each list that was drawn.
    """

    scores: np.ndarray
    truth: np.ndarray
    groups: np.ndarray
    found: float | None
    stands_for: float


def _line_of(lists, n_groups, *, weighted):
    """The `AnswerCalibration` of several `_Lists`."""
    arrays = (np.concatenate([getattr(part, name) for part in lists]) for name in ("scores", "truth", "groups"))
    weights = np.concatenate([np.full(len(part.scores), part.stands_for) for part in lists])
    return calibrate_answers(*arrays, n_groups, weights if weighted else None)


def _questions(ids, column):
    """Distinct questions for one column of triples."""
    ids = ids.copy()
    ids[:, column] = 0
    return distinct_rows(ids)


@dataclass(frozen=True)
class _Asking:
    """What asks a model questions and knows which answers are held-out truths.

    Attributes
    ----------
    predictor : LinkPredictor
    known, true : KnownAnswers
        Of training, which are left out, and of held-out triples.
    random_state : RandomState
    device : str
    """

    predictor: Any
    known: KnownAnswers
    true: KnownAnswers
    random_state: Any
    device: str

    def __call__(self, asked, column, largest, found=None):
        """`_Lists` of questions for a column, a sample of at most so many; `found` is counted where it is not given."""
        largest = min(largest, max(1, LARGEST_SEARCH // self.predictor.vocabulary.shape[int(column == 1)]))
        draw = self.random_state.choice
        ids = asked if len(asked) <= largest else asked[draw(len(asked), largest, replace=False)]
        length = LISTED + LARGEST_LEFT_OUT
        answers, scores = self.predictor.best_answers(ids, column, length, self.known, None, self.device)
        triples = np.repeat(ids, length, axis=0)
        triples[:, column] = np.maximum(answers.ravel(), 0)
        truth = self.true.contains(triples).reshape(scores.shape) & (answers >= 0)
        groups, gone = self.predictor.answer_groups(ids, column), np.zeros(truth.shape, dtype=bool)
        if column != 1:
            gone, found = self._unlabelled(ids[:, 2 - column], groups, truth, answers >= 0, found)
        # A stable sort moves what is gone to the end and keeps the order of the rest.
        kept = np.argsort(gone, axis=1, kind="stable")[:, :LISTED]
        scores, truth = (np.take_along_axis(array, kept, axis=1) for array in (scores, truth))
        return _Lists(scores, truth, groups, found, len(asked) / max(len(ids), 1))

    def _unlabelled(self, sources, relations, truth, listed, found):
        """Answers that are no held-out truths but expected to be true, and the share of these that are listed."""
        # With H held out and K known before in all, m = H / (H + K) and f the share of the held-out answers that lists
        # have among their first LISTED: f m (c_held + c_known) unlabelled truths are expected in a list. floor(x + U)
        # is x on average.
        true, known = self.true, self.known
        n_held, n_known = (
            np.bincount(of.answers_of(sources, relations)[0], minlength=len(sources)) for of in (true, known)
        )
        found = truth[:, :LISTED].sum() / n_held.sum() if found is None else found
        share = true.counts.sum() / (true.counts.sum() + known.counts.sum())
        expected = found * share * (n_held + n_known)
        leaves = np.floor(expected + self.random_state.random_sample(len(sources))).clip(max=LARGEST_LEFT_OUT)
        unlabelled = ~truth & listed
        return unlabelled & (np.cumsum(unlabelled, axis=1) <= leaves[:, None]), found
