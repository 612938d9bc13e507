"""RuleBaseline: link prediction from what training says about the same two entities, without any training."""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn import get_config
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils import gen_batches
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import metrics
from .._estimator.lookup import FittedTable
from .._evidence.rules import count_rules
from .._graph.queries import KnownAnswers, both_directions
from .._graph.triples import as_triples, true_rows


class RuleBaseline(BaseEstimator):
    """Answer questions by the training triples that link the same two entities.

    Nothing is embedded and nothing is optimised. `fit` counts how often two entities that a relation r' links, in
    either direction, are linked by r too: the confidence of the rule "r' implies r". A candidate for (h, r, ?) gets the
    confidence of the best rule whose premise links it with h. The frequency of a candidate among the answers of r is
    one more rule, without premise: it ranks the candidates about which training says nothing else.

    Where test triples are training triples turned around, as in WN9-IMG and FB-IMG, these rules do about as well as
    published embeddings (compare [1]_ and the rule model of [2]_). So the figures of a model say little unless they
    stand beside those of this baseline.

    Parameters
    ----------
    min_confidence : float, default=0.0
        Rules of lower confidence are dropped. 1.0 drops all of them if `smoothing` is positive, and leaves the
        frequency of the candidates.
    smoothing : float, default=1.0
        Added to the number of cases in which the premise of a rule holds, so that a rule seen once or twice counts
        less.
    handle_unknown : {"error", "last"}, default="error"
        What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf.

    Attributes
    ----------
    rule_confidences_ : csr_array of shape (2 * n_relations, 2 * n_relations)
        Row b, column r is the confidence of "b implies r" for the same head and tail; relation ``n_relations + r`` is
        the reciprocal of r, so that row ``n_relations + r'`` stands for r' in the other direction.
    answer_frequencies_ : csr_array of shape (2 * n_relations, n_entities)
        Share of the triples of each relation that have the entity as tail (of a reciprocal relation: as head), with
        the same smoothing.
    entities_, relations_ : ndarray, dtype object
        Labels of the columns and relations.
    n_features_in_ : int
        Always 3.

    See Also
    --------
    skotkge.inspection.evaluate_by_leakage : A model and this baseline on the leaked and the other test triples.

    References
    ----------
    .. [1] Toutanova, Chen, "Observed versus latent features for knowledge base and text inference", CVSC 2015.
    .. [2] Dettmers, Minervini, Stenetorp, Riedel, "Convolutional 2D knowledge graph embeddings", AAAI 2018 (the inverse
       model).

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> married = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("eve", "wife_of", "joe")]
    >>> rules = RuleBaseline().fit([*married, ("zoe", "wife_of", "leo"), ("leo", "husband_of", "zoe")])
    >>> rules.rank([("joe", "husband_of", "eve")])
    array([[1., 1.]])
    """

    _parameter_constraints = {
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
        "smoothing": [Interval(Real, 0, None, closed="left")],
        "handle_unknown": [StrOptions({"error", "last"})],
    }

    def __init__(self, *, min_confidence: float = 0.0, smoothing: float = 1.0, handle_unknown: str = "error") -> None:
        self.min_confidence = min_confidence
        self.smoothing = smoothing
        self.handle_unknown = handle_unknown

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "RuleBaseline":
        """Count the rules and the frequencies of answers in true triples.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}; rows of 0 are known to be false and left out. None means that all rows are true.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y holds other values than 0 and 1 or no 1.
        """
        X = as_triples(X)
        validate_data(self, X, skip_check_array=True)
        X = X[true_rows(y, len(X))]
        self.entities_, self.relations_ = X.entities, X.relations
        self._true_ids = np.unique(X.ids, axis=0)
        counted = dict(smoothing=self.smoothing, min_confidence=self.min_confidence)
        self._rules = count_rules(self._true_ids, X.n_entities, len(X.relations), **counted)
        self.rule_confidences_ = self._rules.confidences
        _, relations, answers = both_directions(self._true_ids, len(X.relations))
        cases = np.bincount(relations, minlength=2 * len(X.relations)) + self.smoothing
        shape = 2 * len(X.relations), X.n_entities
        self.answer_frequencies_ = sparse.csr_array((1 / cases[relations], (relations, answers)), shape=shape)
        return self

    def _blocks(self, sources, relations):
        """Yield (slice of queries, scores ``(n_queries_of_slice, n_entities)``) in scikit-learn's working memory."""
        n_rows = max(1, int(get_config()["working_memory"] * 2**20 // (8 * 7 * len(self.entities_))))
        for rows in gen_batches(len(sources), n_rows) if len(sources) else ():
            yield rows, self._scores(sources[rows], relations[rows])

    def _scores(self, sources, relations):
        """Scores of all entities as answers ``(n_queries, n_entities)``."""
        scores = self.answer_frequencies_[relations].toarray()
        rows, answers, fired = self._rules.of(sources, relations)
        scores[rows, answers] = np.maximum(scores[rows, answers], fired)
        return scores

    def _score_ids(self, ids):
        """Mean of the scores of both directions."""
        sources, relations, answers = both_directions(ids, len(self.relations_))
        scores = np.empty(len(sources))
        for rows, block in self._blocks(sources, relations):
            scores[rows] = block[np.arange(len(block)), answers[rows]]
        return scores.reshape(2, len(ids)).mean(axis=0)

    def _fitted_table(self):
        check_is_fitted(self, "rule_confidences_")
        return FittedTable(self.entities_, self.relations_, self.handle_unknown)

    def score_triples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Confidence that triples are true.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)

        Returns
        -------
        ndarray of shape (n_triples,)
            Mean over both directions of the confidence of the best rule, between 0 and 1. No relation is its own
            premise, so that a training triple does not speak for itself except in the frequencies. With
            ``handle_unknown="last"`` -inf for rows with an unknown label.
        """
        ids, known = self._fitted_table().ids_of(X)
        return np.where(known, self._score_ids(ids), -np.inf)

    def rank(self, X: ArrayLike, *, known: ArrayLike | list[ArrayLike] | None = None) -> NDArray[np.float64]:
        """Filtered ranks of heads and tails among all entities.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            True triples.
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking. Those of `fit` and of X always are.

        Returns
        -------
        ndarray of shape (n_triples, 2)
            Rank of the head and of the tail, from 1; the mean of best and worst rank on ties, of which there are many:
            all candidates that no rule speaks for. With ``handle_unknown="last"`` ``n_entities + 1`` for rows with an
            unknown label.
        """
        table = self._fitted_table()
        ids, known_rows = table.ids_of(X)
        ids = ids[known_rows]
        filtered = KnownAnswers(np.concatenate([self._true_ids, ids, *table.ids_of_known(known)]), len(self.relations_))
        sources, relations, answers = both_directions(ids, len(self.relations_))
        found = np.empty(len(sources))
        for rows, scores in self._blocks(sources, relations):
            left_out = filtered.answers_of(sources[rows], relations[rows])
            found[rows] = _realistic_ranks(scores, answers[rows], left_out)
        ranks = np.full((len(known_rows), 2), len(self.entities_) + 1.0)
        ranks[known_rows] = found.reshape(2, len(ids))[::-1].T
        return ranks

    def evaluate(self, X: ArrayLike, *, known: ArrayLike | list[ArrayLike] | None = None) -> dict[str, float]:
        """Filtered ranking metrics.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            True triples.
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking.

        Returns
        -------
        dict of str to float
            ``mrr``, ``hits@1``, ``hits@3``, ``hits@10`` and ``mean_rank`` over both sides, and each with the prefix
            ``head_`` or ``tail_`` for one side.
        """
        return metrics.summarize_ranks(self.rank(X, known=known))

    def score(self, X: ArrayLike, y: ArrayLike | None = None) -> float:
        """Filtered mean reciprocal rank.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}; only rows of 1 are ranked. None means that all rows are true.

        Returns
        -------
        float
        """
        X = as_triples(X)
        return metrics.mean_reciprocal_rank(self.rank(X[true_rows(y, len(X))]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def _realistic_ranks(scores, answers, left_out):
    """Rank of each answer in its row of scores, which is overwritten; other answers left out do not count."""
    rows = np.arange(len(scores))
    own = scores[rows, answers]
    scores[left_out] = -np.inf
    scores[rows, answers] = -np.inf
    better, equal = (scores > own[:, None]).sum(axis=1), (scores == own[:, None]).sum(axis=1)
    return 1 + better + equal / 2
