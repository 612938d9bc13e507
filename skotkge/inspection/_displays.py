"""Plots of ranks, transport plans and training, in scikit-learn's form."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from .. import metrics
from .._utils.messages import reading, shown
from .._utils.sklearn_compat import check_matplotlib_support
from ..metrics._ranks import check_ranks
from ..metrics._report import relations_and_ranks
from ._figures import figure_and_axes, last_step


class RanksDisplay:
    """Hits@k for every k: the cumulative distribution of filtered ranks.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    ranks : dict of str to ndarray
        Ranks of each part, of any shape.

    Attributes
    ----------
    lines_ : list of matplotlib Artist
        One for each part.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skotkge.inspection import RanksDisplay
    >>> display = RanksDisplay.from_predictions([[1, 2], [4, 20]], name="rules")
    >>> display.lines_[0].get_label()
    'rules (MRR 0.450)'
    """

    def __init__(self, ranks: Mapping[str, ArrayLike]) -> None:
        self.ranks = ranks

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        known: ArrayLike | list[ArrayLike] | None = None,
        parts: Mapping[str, ArrayLike] | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RanksDisplay":
        """Rank triples and plot the distribution.

        Parameters
        ----------
        estimator : OTKGEClassifier, RuleBaseline, Pipeline or search
            Fitted.
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking.
        parts : mapping of str to mask, default=None
            One curve for each part instead of one for all rows, such as
            ``{"leaked": report.leaked, "unleaked": ~report.leaked}``.
        name : str, default=None
            Label of the curve, put before the names of parts. None is the class of the estimator.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``step``.

        Returns
        -------
        RanksDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        _, ranks = relations_and_ranks(estimator, X, None, known)
        name = type(last_step(estimator)).__name__ if name is None else name
        return cls.from_predictions(ranks, parts=parts, name=name, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        ranks: ArrayLike,
        *,
        parts: Mapping[str, ArrayLike] | None = None,
        name: str | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "RanksDisplay":
        """Plot the distribution of ranks, as ``rank`` gives them.

        Parameters
        ----------
        ranks : array-like of shape (n_triples, 2) or (n_triples,)
        parts : mapping of str to mask, default=None
            One curve for each part instead of one for all rows. A part without rows is left out.
        name : str, default=None
            Label of the curve, put before the names of parts.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``step``.

        Returns
        -------
        RanksDisplay

        Raises
        ------
        ValueError
            If a part does not have one value for each row, or a rank is below 1.
        """
        ranks = check_ranks(ranks)
        if parts is None:
            return cls({name or "all": ranks}).plot(ax=ax, **kwargs)
        masks = {part: np.asarray(mask, dtype=bool) for part, mask in parts.items()}
        wrong = next((part for part, mask in masks.items() if mask.shape != ranks.shape[:1]), None)
        if wrong is not None:
            raise ValueError(
                f"parts[{wrong!r}] has the shape {masks[wrong].shape}; give a mask of the {len(ranks)} rows of ranks."
            )
        prefix = f"{name}, " if name else ""
        return cls({prefix + part: ranks[mask] for part, mask in masks.items() if mask.any()}).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> "RanksDisplay":
        """Draw the curves; k is on a logarithmic scale.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``step``.

        Returns
        -------
        RanksDisplay
        """
        self.figure_, self.ax_ = figure_and_axes(self, ax)
        self.lines_ = []
        for name, ranks in self.ranks.items():
            k, counts = np.unique(np.ceil(np.asarray(ranks, dtype=float)), return_counts=True)
            hits = np.cumsum(counts) / np.sum(counts)
            label = f"{name} (MRR {metrics.mean_reciprocal_rank(ranks):.3f})"
            starts_at_one = k[0] == 1
            k, hits = (k, hits) if starts_at_one else (np.append(1, k), np.append(0, hits))
            self.lines_ += self.ax_.step(k, hits, where="post", **{"label": label} | kwargs)
        self.ax_.set(xscale="log", xlabel="k", ylabel="Hits@k", ylim=(0, 1.02))
        self.ax_.legend(loc="lower right")
        return self


class TransportPlanDisplay:
    """Heat map of the transport plan between the dimensions of a modality and of the structure (Eq. 1).

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    plan : ndarray of shape (n_features, n_components)
    modality : str
        Name of the modality.

    Attributes
    ----------
    im_ : matplotlib AxesImage
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge.inspection import TransportPlanDisplay
    >>> display = TransportPlanDisplay.from_predictions(np.eye(3) / 3, "text")
    >>> display.ax_.get_ylabel()
    'dimension of text'
    """

    def __init__(self, plan: ArrayLike, modality: str) -> None:
        self.plan = plan
        self.modality = modality

    @classmethod
    def from_estimator(
        cls, estimator: Any, modality: str, *, ax: Any = None, colorbar: bool = True, **kwargs: Any
    ) -> "TransportPlanDisplay":
        """Plot the plan of one modality.

        Parameters
        ----------
        estimator : OTFusionTransformer or Pipeline
            Fitted; a pipeline has it among its steps.
        modality : str
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        colorbar : bool, default=True
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        TransportPlanDisplay

        Raises
        ------
        TypeError
            If the estimator has no transport plans.
        ValueError
            If there is no plan of that modality, as with ``alignment="linear"`` and "pca".
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        plans = {name: plan for name, plan in _transport_plans(estimator).items() if plan.any()}
        if modality not in plans:
            raise ValueError(f"modality={shown(modality)} has no transport plan; those with one are {list(plans)}.")
        return cls.from_predictions(plans[modality], modality, ax=ax, colorbar=colorbar, **kwargs)

    @classmethod
    def from_predictions(
        cls, plan: ArrayLike, modality: str = "modality", *, ax: Any = None, colorbar: bool = True, **kwargs: Any
    ) -> "TransportPlanDisplay":
        """Plot a plan, such as a value of ``transport_plans_`` or what POT gives.

        Parameters
        ----------
        plan : array-like of shape (n_features, n_components)
            Mass between each dimension of the modality and each of the structure.
        modality : str, default="modality"
            Name of the modality.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        colorbar : bool, default=True
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        TransportPlanDisplay

        Raises
        ------
        ValueError
            If the plan is no matrix of numbers.
        """
        with reading("plan", plan, "a matrix of masses"):
            plan = np.asarray(plan, dtype=float)
        if plan.ndim != 2:
            raise ValueError(f"plan has the shape {plan.shape}; give a matrix of masses (n_features, n_components).")
        return cls(plan, modality).plot(ax=ax, colorbar=colorbar, **kwargs)

    def plot(self, *, ax: Any = None, colorbar: bool = True, **kwargs: Any) -> "TransportPlanDisplay":
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        colorbar : bool, default=True
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        TransportPlanDisplay
        """
        self.figure_, self.ax_ = figure_and_axes(self, ax)
        options = {"aspect": "auto", "interpolation": "nearest", "cmap": "viridis"} | kwargs
        self.im_ = self.ax_.imshow(self.plan, **options)
        self.ax_.set(xlabel="dimension of the structure", ylabel=f"dimension of {self.modality}")
        if colorbar:
            self.figure_.colorbar(self.im_, ax=self.ax_, label="mass")
        return self


class TrainingDisplay:
    """Loss and validation score of each epoch of a training.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    loss_curve : list of float
    validation_scores : list of float
        Empty if nothing was validated.
    best_iter : int
        The epoch that was kept, from 1.

    Attributes
    ----------
    line_ : matplotlib Artist
        The loss.
    validation_line_ : matplotlib Artist or None
        The validation score, on an axis of its own.
    best_line_ : matplotlib Artist or None
        Mark of the epoch that was kept.
    ax_, validation_ax_ : matplotlib Axes
        `validation_ax_` is None if nothing was validated.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skotkge.inspection import TrainingDisplay
    >>> display = TrainingDisplay.from_predictions([5.1, 3.2, 2.9], [0.10, 0.31, 0.28])
    >>> display.best_iter
    2
    """

    def __init__(self, loss_curve: ArrayLike, validation_scores: ArrayLike, best_iter: int) -> None:
        self.loss_curve = loss_curve
        self.validation_scores = validation_scores
        self.best_iter = best_iter

    @classmethod
    def from_estimator(cls, estimator: Any, *, ax: Any = None, **kwargs: Any) -> "TrainingDisplay":
        """Plot the training of a fitted classifier.

        Parameters
        ----------
        estimator : OTKGEClassifier, Pipeline or search
            Fitted; of a pipeline the last step, of a search the best estimator is taken.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``plot`` of the loss.

        Returns
        -------
        TrainingDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        classifier = last_step(estimator)
        check_is_fitted(classifier, "loss_curve_")
        curves = classifier.loss_curve_, classifier.validation_scores_
        return cls.from_predictions(*curves, best_iter=classifier.best_iter_, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        loss_curve: ArrayLike,
        validation_scores: ArrayLike = (),
        *,
        best_iter: int | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "TrainingDisplay":
        """Plot what was recorded in each epoch of a training.

        Parameters
        ----------
        loss_curve : array-like of shape (n_epochs,)
        validation_scores : array-like of shape (n_epochs,), default=()
            Empty if nothing was validated.
        best_iter : int, default=None
            The epoch that was kept, from 1. None: that of the greatest validation score, without scores the last.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``plot`` of the loss.

        Returns
        -------
        TrainingDisplay

        Raises
        ------
        ValueError
            If there are scores, but not one for each epoch.
        """
        n_epochs, n_scores = len(loss_curve), len(validation_scores)
        if n_scores not in (0, n_epochs):
            raise ValueError(f"validation_scores has {n_scores} values; give one for each of the {n_epochs} epochs.")
        if best_iter is None:
            best_iter = int(np.argmax(validation_scores)) + 1 if n_scores else n_epochs
        return cls(loss_curve, validation_scores, best_iter).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> "TrainingDisplay":
        """Draw the loss and, on a second axis, the validation score.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``plot`` of the loss.

        Returns
        -------
        TrainingDisplay
        """
        self.figure_, self.ax_ = figure_and_axes(self, ax, layout="constrained")
        epochs = np.arange(1, len(self.loss_curve) + 1)
        (self.line_,) = self.ax_.plot(epochs, self.loss_curve, **{"color": "C0", "label": "loss"} | kwargs)
        self.ax_.set(xlabel="epoch", ylabel="loss per triple")
        self.validation_ax_ = self.validation_line_ = self.best_line_ = None
        handles = [self.line_]
        if len(self.validation_scores):
            self.validation_ax_ = self.ax_.twinx()
            (self.validation_line_,) = self.validation_ax_.plot(
                epochs, self.validation_scores, color="C1", linestyle="--", label="validation score"
            )
            self.validation_ax_.set_ylabel("validation score")
            self.best_line_ = self.ax_.axvline(self.best_iter, color="0.6", linestyle=":", label="epoch kept")
            handles += [self.validation_line_, self.best_line_]
        self.ax_.legend(handles=handles, loc="best")
        return self


def _transport_plans(estimator):
    estimator = getattr(estimator, "best_estimator_", estimator)
    for step in estimator if isinstance(estimator, Pipeline) else [estimator]:
        if hasattr(step, "transport_plans_"):
            return step.transport_plans_
    raise TypeError(
        f"estimator is {shown(estimator)}, which has no transport plans; give a fitted OTFusionTransformer, or a "
        "Pipeline with one."
    )
