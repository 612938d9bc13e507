"""Metrics of ranks and of probabilities, a report of ranks, and scorers for scikit-learn's searches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, check_scalar, column_or_1d

from ._graph.labels import LabelIndex, first_occurrences
from ._graph.triples import MultimodalTriples, as_label_triples, as_triple_sets, as_triples, true_rows

SIDES = ("", "head_", "tail_")
SHOWN_RELATIONS = 20


def mean_reciprocal_rank(ranks: ArrayLike) -> float:
    """Mean of the reciprocal ranks.

    Parameters
    ----------
    ranks : array-like of float
        Ranks from 1, of any shape.

    Returns
    -------
    float

    Examples
    --------
    >>> from skotkge.metrics import mean_reciprocal_rank
    >>> mean_reciprocal_rank([1, 2, 4, 4])
    0.5
    """
    return float(np.mean(1.0 / _check_ranks(ranks)))


def hits_at_k(ranks: ArrayLike, k: int = 10) -> float:
    """Share of the ranks that are at most k.

    Parameters
    ----------
    ranks : array-like of float
        Ranks from 1, of any shape.
    k : int, default=10
        At least 1.

    Returns
    -------
    float

    Examples
    --------
    >>> from skotkge.metrics import hits_at_k
    >>> hits_at_k([1, 2, 4, 4], k=3)
    0.5
    """
    check_scalar(k, "k", Real, min_val=1)
    return float(np.mean(_check_ranks(ranks) <= k))


def adjusted_mean_rank_index(ranks: ArrayLike, n_candidates: ArrayLike) -> float:
    """Mean rank relative to what guessing reaches (AMRI of [1]_).

    Unlike the mean rank it can be compared between graphs of different sizes: 1 is reached if all ranks are 1, guessing
    gives 0 on average, and negative values are worse than that.

    Parameters
    ----------
    ranks : array-like of float
        Ranks from 1, of any shape.
    n_candidates : int or array-like
        Number of entities that were ranked for each of the ranks, the true answer among them, those filtered out not. A
        number or an array that can be broadcast to the shape of `ranks`.

    Returns
    -------
    float
        ``1 - mean(ranks - 1) / mean((n_candidates - 1) / 2)``, at least -1.

    Raises
    ------
    ValueError
        If a rank is greater than its number of candidates, or no answer had a rival.

    References
    ----------
    .. [1] Berrendorf, Faerman, Vermue, Tresp, "On the Ambiguity of Rank-Based Evaluation of Entity Alignment or Link
       Prediction Methods", 2020, https://arxiv.org/abs/2002.06914.

    Examples
    --------
    >>> from skotkge.metrics import adjusted_mean_rank_index
    >>> adjusted_mean_rank_index([1, 3], n_candidates=[5, 5])
    0.5
    """
    ranks = _check_ranks(ranks)
    n_candidates = np.broadcast_to(np.asarray(n_candidates, dtype=float), ranks.shape)
    if not (ranks <= n_candidates).all():
        worst = tuple(np.argwhere(~(ranks <= n_candidates))[0])
        raise ValueError(
            f"n_candidates has the value {n_candidates[worst]:g} for a rank of {ranks[worst]:g}; count the true answer "
            "among the candidates, so that no rank is beyond them."
        )
    if (n_candidates == 1).all():
        raise ValueError("n_candidates is 1 everywhere; without other candidates every rank is 1 and says nothing.")
    return float(1 - np.mean(ranks - 1) / np.mean((n_candidates - 1) / 2))


def expected_calibration_error(
    y_true: ArrayLike, y_prob: ArrayLike, *, n_bins: int = 15, strategy: str = "quantile"
) -> float:
    """Mean distance between the probability of being true and the share that is true.

    The rows are put into bins of similar probability. In each bin the mean probability is compared with the share of
    true rows; the bins count by their rows. `sklearn.calibration.CalibrationDisplay` draws the same bins.

    Parameters
    ----------
    y_true : array-like of shape (n_triples,)
        Labels in {0, 1}.
    y_prob : array-like of shape (n_triples,)
        Probabilities of being true: the second column of ``predict_proba``.
    n_bins : int, default=15
    strategy : {"quantile", "uniform"}, default="quantile"
        Bins of equally many rows, as far as ties allow, or of equal width.

    Returns
    -------
    float
        In [0, 1]; 0 if the probabilities are right in every bin.

    Raises
    ------
    ValueError
        If a label is not 0 or 1, a probability is outside [0, 1], the arrays differ in length or are empty, or there is
        no such strategy.

    References
    ----------
    .. [1] Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015.

    Examples
    --------
    >>> from skotkge.metrics import expected_calibration_error
    >>> expected_calibration_error([0, 1, 1, 1], [0.75, 0.75, 0.75, 0.75])
    0.0
    """
    y_true, y_prob = column_or_1d(y_true), column_or_1d(y_prob)
    check_consistent_length(y_true, y_prob)
    check_scalar(n_bins, "n_bins", Integral, min_val=1)
    if not len(y_true):
        raise ValueError("y_true is empty; give at least one triple.")
    for name, values, allowed, remedy in (
        ("y_true", y_true, np.isin(y_true, [0, 1]), "labels in {0, 1}"),
        ("y_prob", y_prob, (y_prob >= 0) & (y_prob <= 1), "probabilities from 0 to 1"),
    ):
        if not allowed.all():
            raise ValueError(f"{name} has the value {values[~allowed].tolist()[0]!r}; give {remedy}.")
    if strategy not in ("quantile", "uniform"):
        raise ValueError(f"strategy={strategy!r} is none of 'quantile', 'uniform'.")
    edges = np.linspace(0, 1, n_bins + 1)
    if strategy == "quantile":
        edges = np.quantile(y_prob, edges)
    bins = np.searchsorted(edges[1:-1], y_prob)
    return float(np.abs(np.bincount(bins, weights=y_true - y_prob)).sum() / len(y_true))


def summarize_ranks(ranks: ArrayLike) -> dict[str, float]:
    """Filtered-ranking metrics over both sides and for each side.

    Parameters
    ----------
    ranks : array-like of shape (n_triples, 2)
        Head ranks and tail ranks.

    Returns
    -------
    dict of str to float
        ``mrr``, ``hits@1``, ``hits@3``, ``hits@10`` and ``mean_rank``, and each with the prefix ``head_`` or ``tail_``.

    Raises
    ------
    ValueError
        If there is no rank, one is less than 1, or there are not two for each triple.
    """
    ranks = _check_ranks(ranks)
    if ranks.ndim != 2 or ranks.shape[1] != 2:
        raise ValueError(f"ranks has the shape {ranks.shape}, expected (n_triples, 2): head ranks and tail ranks.")
    report = {}
    for prefix, side in zip(SIDES, (ranks, ranks[:, 0], ranks[:, 1]), strict=True):
        report[f"{prefix}mrr"] = mean_reciprocal_rank(side)
        for k in (1, 3, 10):
            report[f"{prefix}hits@{k}"] = hits_at_k(side, k)
        report[f"{prefix}mean_rank"] = float(np.mean(side))
    return report


@dataclass(frozen=True)
class RankingReport:
    """Metrics of filtered ranks, for all triples and for each relation.

    ``report["mrr"]`` is short for ``report.metrics["mrr"]``. Printing the report shows a table, with the 20 most
    frequent relations.

    Parameters
    ----------
    metrics : dict of str to float
        As from `summarize_ranks`: over both sides, and each side with the prefix ``head_`` or ``tail_``.
    n_triples : int
        Number of triples ranked; each has two ranks.
    relation_metrics : dict of label to dict of str to float
        The same metrics for the triples of each relation, the most frequent relation first.
    relation_counts : dict of label to int
        Number of triples of each relation, in the same order; they add up to `n_triples`.
    """

    metrics: dict
    n_triples: int
    relation_metrics: dict = field(repr=False)
    relation_counts: dict = field(repr=False)

    def __getitem__(self, name):
        return self.metrics[name]

    def __str__(self):
        names = list(self.metrics)[: len(self.metrics) // len(SIDES)]
        rows = [("", "triples", *names)]
        for title, prefix in zip(("both sides", "heads", "tails"), SIDES, strict=True):
            rows.append((title, self.n_triples, *(self.metrics[prefix + name] for name in names)))
        rows.append(("both sides, by relation",) + ("",) * (len(names) + 1))
        shown = list(self.relation_metrics.items())[:SHOWN_RELATIONS]
        for label, metrics in shown:
            rows.append((f"  {label}", self.relation_counts[label], *(metrics[name] for name in names)))
        width = max(len(row[0]) for row in rows)
        lines = [f"{row[0]:<{width}}" + "".join(f"{_cell(value):>11}" for value in row[1:]) for row in rows]
        if len(shown) < len(self.relation_metrics):
            lines.append(f"  and {len(self.relation_metrics) - len(shown)} more in relation_metrics")
        return "\n".join(line.rstrip() for line in lines)


def ranking_report(
    estimator: Any, X: ArrayLike, y: ArrayLike | None = None, *, known: ArrayLike | list[ArrayLike] | None = None
) -> "RankingReport":
    """Rank the heads and tails of triples and report the metrics in all, by side and by relation.

    Parameters
    ----------
    estimator : OTKGEClassifier, Pipeline or search
        Fitted; anything with a method ``rank(X, known=...)``. Of a pipeline, the steps before the last transform X
        once; of a search, the best estimator is taken.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        Triples to rank.
    y : array-like of shape (n_triples,), default=None
        Labels in {0, 1}; rows of 0 are known to be false and left out. None means that all rows are true.
    known : triples or list of triples, default=None
        More true triples to leave out of the ranking; those of `fit` and the ranked ones always are.

    Returns
    -------
    RankingReport

    Raises
    ------
    TypeError
        If the estimator cannot rank.
    ValueError
        If there is no true triple.

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.metrics import ranking_report
    >>> kg = load_emoji()
    >>> kge = OTKGEClassifier(embedding_dim=20, max_iter=5, early_stopping=False, random_state=0)
    >>> report = ranking_report(kge.fit(kg.train.labels), kg.test.labels, known=kg.valid)
    >>> print(report)
                               triples        mrr     hits@1     hits@3    hits@10  mean_rank
    both sides                     639 ...
    """
    relations, ranks = _relations_and_ranks(estimator, X, y, known)
    labels = first_occurrences(relations)
    codes = LabelIndex(labels, "relations").positions(relations)
    counts = np.bincount(codes)
    rows_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    frequent_first = np.argsort(-counts, kind="stable")
    return RankingReport(
        metrics=summarize_ranks(ranks),
        n_triples=len(ranks),
        relation_metrics={labels[code]: summarize_ranks(ranks[rows_of[code]]) for code in frequent_first},
        relation_counts={labels[code]: int(counts[code]) for code in frequent_first},
    )


def make_ranking_scorer(
    metric: str | list[str] = "mrr", *, known: ArrayLike | list[ArrayLike] | None = None
) -> "Callable[..., float | dict[str, float]]":
    """Make a scorer of filtered ranks, to be given as ``scoring=`` to scikit-learn's searches and validations.

    Parameters
    ----------
    metric : str or list of str, default="mrr"
        A name from `summarize_ranks`: ``mrr``, ``hits@1``, ``hits@3`` or ``hits@10``, for one side with the prefix
        ``head_`` or ``tail_``. As scikit-learn takes greater scores for better, the mean rank is ``neg_mean_rank``
        (``neg_head_mean_rank``, ``neg_tail_mean_rank``). With a list the scorer gives a dict of scores, from one
        ranking for all of them.
    known : triples or list of triples, default=None
        More true triples to leave out of the ranking, as for ``rank``.

    Returns
    -------
    callable
        Called as ``scorer(estimator, X, y=None)``, it ranks the rows of X that y does not call false, and returns a
        float or a dict of floats. It can be pickled.

    Raises
    ------
    ValueError
        If there is no metric of a name.

    See Also
    --------
    ranking_report : All metrics at once, also by relation.

    Notes
    -----
    ``scoring={"mrr": make_ranking_scorer("mrr"), "hits@10": make_ranking_scorer("hits@10")}`` works too, but ranks once
    for each of the scorers.

    Examples
    --------
    >>> from sklearn.model_selection import cross_validate
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.metrics import make_ranking_scorer
    >>> from skotkge.model_selection import TransductiveKFold
    >>> kge = OTKGEClassifier(embedding_dim=8, max_iter=2, early_stopping=False, random_state=0)
    >>> folds = TransductiveKFold(3, random_state=0)
    >>> scoring = make_ranking_scorer(["mrr", "hits@10"])
    >>> scores = cross_validate(kge, load_emoji().train.labels, cv=folds, scoring=scoring)
    >>> scores["test_hits@10"].shape
    (3,)
    """
    return RankingScorer(metric, known)


class RankingScorer:
    """What `make_ranking_scorer` returns.

    Parameters
    ----------
    metric : str or list of str
    known : triples or list of triples
    """

    def __init__(self, metric, known):
        self.metric = metric if isinstance(metric, str) else list(metric)
        allowed = _scores(np.ones((1, 2)))
        unknown = [name for name in self._names() if name not in allowed]
        if unknown or not self._names():
            raise ValueError(
                f"metric={metric!r} is not among the scores {', '.join(allowed)}; give one of them, or a list of some."
            )
        # Containers hold integer ids, which joblib can memory-map; arrays of labels it would copy.
        self.known = [as_triples(triples) for triples in as_triple_sets(known)]

    def _names(self):
        return [self.metric] if isinstance(self.metric, str) else self.metric

    def __call__(self, estimator, X, y=None, **kwargs):
        if kwargs:
            raise TypeError(f"{self!r} takes no {', '.join(kwargs)}: every rank counts the same.")
        _, ranks = _relations_and_ranks(estimator, X, y, self.known)
        scores = _scores(ranks)
        if isinstance(self.metric, str):
            return scores[self.metric]
        return {name: scores[name] for name in self.metric}

    def __repr__(self):
        counts = ", ".join(f"{len(triples)} triples" for triples in self.known)
        return f"make_ranking_scorer({self.metric!r}{f', known=[{counts}]' if self.known else ''})"

    def _accept_sample_weight(self):
        """Answer scikit-learn's question; without this method a search with sample weights fails."""
        return False


def _scores(ranks):
    """Metrics by name, such that greater ones are better."""
    metrics = summarize_ranks(ranks)
    falling = [name for name in metrics if name.endswith("mean_rank")]
    return {name: value for name, value in metrics.items() if name not in falling} | {
        f"neg_{name}": -metrics[name] for name in falling
    }


def _relations_and_ranks(estimator, X, y, known):
    """Rank the true rows of X with the last step of an estimator; also return their relations."""
    if y is not None:
        X = X if isinstance(X, MultimodalTriples) else as_label_triples(X)
        X = X[true_rows(y, len(X))]
    estimator = getattr(estimator, "best_estimator_", estimator)
    while isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    if not hasattr(estimator, "rank"):
        raise TypeError(
            f"estimator is, or ends in, {estimator!r}, which cannot rank; give an OTKGEClassifier or a Pipeline that "
            "ends in one."
        )
    return as_label_triples(X)[:, 1], estimator.rank(X, known=known)


def _cell(value):
    return f"{value:.3f}" if isinstance(value, Real) and not isinstance(value, int) else str(value)


def _check_ranks(ranks):
    ranks = np.asarray(ranks, dtype=float)
    if not ranks.size:
        raise ValueError("ranks is empty; there is nothing to average.")
    if not (ranks >= 1).all():
        raise ValueError(f"ranks has the value {ranks[~(ranks >= 1)].ravel()[0]}; ranks are numbers from 1.")
    return ranks
