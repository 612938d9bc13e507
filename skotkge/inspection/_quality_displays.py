"""Displays of how good a model is: ranks by relation and the calibration of its probabilities."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.calibration import calibration_curve

from .._graph.classes import truth_of
from .._utils.messages import reading, shown
from .._utils.sklearn_compat import check_matplotlib_support
from ..metrics import RankingReport, expected_calibration_error, ranking_report
from ._figures import figure_and_axes, last_step


class RelationRanksDisplay:
    """A metric of filtered ranks for each relation, for heads and for tails.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    values : dict of label to tuple of (float, float)
        The metric for heads and for tails of each relation, drawn from above.
    counts : dict of label to int
        Number of triples of each relation.
    metric : str
        Name of the metric.

    Attributes
    ----------
    bars_ : dict of str to matplotlib BarContainer
        "heads" and "tails".
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.inspection import RelationRanksDisplay
    >>> kg = load_emoji()
    >>> display = RelationRanksDisplay.from_estimator(RuleBaseline().fit(kg.train), kg.test, known=kg.valid)
    >>> display.ax_.get_xlabel()
    'MRR'
    """

    def __init__(self, values: Mapping[Any, tuple[float, float]], counts: Mapping[Any, int], metric: str) -> None:
        self.values = values
        self.counts = counts
        self.metric = metric

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        known: Any = None,
        metric: str = "mrr",
        max_relations: int = 20,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RelationRanksDisplay":
        """Rank triples and draw the metric of each relation.

        Parameters
        ----------
        estimator : OTKGEClassifier, RuleBaseline, Pipeline or search
            Fitted.
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking.
        metric : {"mrr", "hits@1", "hits@3", "hits@10", "mean_rank"}, default="mrr"
        max_relations : int, default=20
            Relations with most triples that are drawn; the title tells how many are not.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``barh``.

        Returns
        -------
        RelationRanksDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        report = ranking_report(estimator, X, known=known)
        return cls.from_predictions(report, metric=metric, max_relations=max_relations, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls, report: RankingReport, *, metric: str = "mrr", max_relations: int = 20, ax: Any = None, **kwargs: Any
    ) -> "RelationRanksDisplay":
        """Draw the metric of each relation of a report.

        Parameters
        ----------
        report : RankingReport
            As from `skotkge.metrics.ranking_report`.
        metric : {"mrr", "hits@1", "hits@3", "hits@10", "mean_rank"}, default="mrr"
        max_relations : int, default=20
            Relations with most triples that are drawn; the title tells how many are not.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``barh``.

        Returns
        -------
        RelationRanksDisplay

        Raises
        ------
        ValueError
            If the report has no such metric.
        """
        if metric not in report.metrics:
            raise ValueError(f"metric={shown(metric)} is none of the report's: {', '.join(report.metrics)}.")
        values = {
            label: (metrics[f"head_{metric}"], metrics[f"tail_{metric}"])
            for label, metrics in list(report.relation_metrics.items())[:max_relations]
        }
        return cls(values, report.relation_counts, metric).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> "RelationRanksDisplay":
        """Draw two bars for each relation, with its number of triples.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``barh``.

        Returns
        -------
        RelationRanksDisplay
        """
        size = (6.4, 1 + 0.4 * len(self.values))
        self.figure_, self.ax_ = figure_and_axes(self, ax, figsize=size, layout="constrained")
        positions = np.arange(len(self.values))
        heads, tails = np.array(list(self.values.values()), dtype=float).reshape(-1, 2).T
        style = {"height": 0.38, "edgecolor": "black", "linewidth": 0.5} | kwargs
        self.bars_ = {
            "heads": self.ax_.barh(
                positions - 0.2, heads, **{"color": "0.85", "hatch": "///", "label": "heads"} | style
            ),
            "tails": self.ax_.barh(positions + 0.2, tails, **{"color": "C0", "label": "tails"} | style),
        }
        self.ax_.set_yticks(positions, [f"{label} ({self.counts[label]})" for label in self.values])
        self.ax_.invert_yaxis()
        self.ax_.set_xlabel("MRR" if self.metric == "mrr" else self.metric.replace("_", " ").capitalize())
        left_out = len(self.counts) - len(self.values)
        if left_out:
            self.ax_.set_title(f"{left_out} less frequent relations are not shown", fontsize="small")
        self.ax_.legend()
        return self


class CalibrationDisplay:
    """Reliability of probabilities: the share of true triples against the probability given, with the error in numbers.

    Use `from_estimator` or `from_predictions` to make one. scikit-learn's display of the same name draws the curve
    alone; here bins have equally many triples, and the label has the expected
    calibration error.

    Parameters
    ----------
    prob_true, prob_pred : ndarray of shape (n_bins,)
        Share of true triples and mean probability in each bin.
    error : float
        Expected calibration error.
    name : str
        Label of the curve.

    Attributes
    ----------
    line_ : matplotlib Artist
    diagonal_ : matplotlib Artist
        Where probabilities are exact.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge.inspection import CalibrationDisplay
    >>> probabilities = np.random.RandomState(0).uniform(size=2000)
    >>> truth = np.random.RandomState(1).uniform(size=2000) < probabilities
    >>> round(CalibrationDisplay.from_predictions(truth, probabilities).error, 2)
    0.03
    """

    def __init__(self, prob_true: ArrayLike, prob_pred: ArrayLike, error: float, name: str) -> None:
        self.prob_true = prob_true
        self.prob_pred = prob_pred
        self.error = error
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        n_bins: int = 10,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "CalibrationDisplay":
        """Draw the reliability of ``predict_proba``.

        Parameters
        ----------
        estimator : OTKGEClassifier, RuleBaseline, Pipeline or search
            Fitted.
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        y : array-like of shape (n_triples,)
            1 where the triple is true, 0 where it is false; or the ``classes_`` of the estimator.
        n_bins : int, default=10
        name : str, default=None
            Label of the curve; None is the class of the estimator.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``plot``.

        Returns
        -------
        CalibrationDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        name = type(last_step(estimator)).__name__ if name is None else name
        with reading("y", y, "labels of two classes, one for each triple"):
            truth = truth_of(y, estimator.classes_)
        return cls.from_predictions(truth, estimator.predict_proba(X)[:, 1], n_bins=n_bins, name=name, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        n_bins: int = 10,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "CalibrationDisplay":
        """Draw the reliability of probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_triples,)
            1 where the triple is true, 0 where it is false.
        y_prob : array-like of shape (n_triples,)
            Probability of being true.
        n_bins : int, default=10
        name : str, default=None
            Label of the curve; None is "probabilities".
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``plot``.

        Returns
        -------
        CalibrationDisplay
        """
        error = expected_calibration_error(y_true, y_prob, n_bins=n_bins)
        curve = calibration_curve(y_true, y_prob, n_bins=n_bins, strategy="quantile")
        return cls(*curve, error, name or "probabilities").plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> "CalibrationDisplay":
        """Draw the curve and the diagonal.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``plot``.

        Returns
        -------
        CalibrationDisplay
        """
        self.figure_, self.ax_ = figure_and_axes(self, ax)
        (self.diagonal_,) = self.ax_.plot([0, 1], [0, 1], color="0.5", linestyle=":")
        style = {"marker": "o", "label": f"{self.name} (ECE {self.error:.3f})"} | kwargs
        (self.line_,) = self.ax_.plot(self.prob_pred, self.prob_true, **style)
        self.ax_.set(xlabel="probability of being true", ylabel="share of true triples", xlim=(0, 1), ylim=(0, 1.02))
        self.ax_.legend(loc="upper left")
        return self
