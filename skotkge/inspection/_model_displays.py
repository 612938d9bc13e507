"""Displays of why a model answers as it does: the weights of its evidence and the parts of a score."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .._utils.messages import shown
from .._utils.sklearn_compat import check_matplotlib_support
from ._figures import HATCHES, figure_and_axes, last_step, positions_of

DIRECTIONS = ("tail", "head")


class EvidenceWeightsDisplay:
    """Weight of each kind of evidence for each relation, as a heat map with the figures in its cells.

    Use `from_estimator` to make one.

    Parameters
    ----------
    weights : ndarray of shape (n_kinds, n_relations)
    kinds, relations : sequence
        Names of the rows and of the columns of `weights`.
    direction : {"tail", "head"}
        What is asked for.

    Attributes
    ----------
    im_ : matplotlib AxesImage
    texts_ : list of matplotlib Text
        The figures, row by row.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.inspection import EvidenceWeightsDisplay
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = OTKGEClassifier(evidence=["structure", "rules"], embedding_dim=8, max_iter=2, random_state=0).fit(triples)
    >>> EvidenceWeightsDisplay.from_estimator(kge).kinds
    ['structure', 'rules', 'rules of paths']
    """

    def __init__(self, weights: ArrayLike, kinds: Sequence[str], relations: Sequence[Any], direction: str) -> None:
        self.weights = weights
        self.kinds = kinds
        self.relations = relations
        self.direction = direction

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        direction: str = "tail",
        relations: ArrayLike | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "EvidenceWeightsDisplay":
        """Draw the weights of a fitted model.

        Parameters
        ----------
        estimator : OTKGEClassifier, Pipeline or search
            Fitted.
        direction : {"tail", "head"}, default="tail"
            Queries for tails or for heads.
        relations : array-like of labels, default=None
            Relations to show, in this order. None: all.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        EvidenceWeightsDisplay

        Raises
        ------
        ValueError
            If `direction` is neither, or a relation is not known.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        if direction not in DIRECTIONS:
            raise ValueError(f"direction={shown(direction)}; give 'tail' or 'head'.")
        model = last_step(estimator)
        check_is_fitted(model)
        chosen = model.relations_ if relations is None else np.asarray(relations, dtype=object)
        columns = positions_of(chosen, model.relations_, "relations")
        weights = model.evidence_weights_[:, DIRECTIONS.index(direction)][:, columns]
        return cls(weights, model.evidence_names_, chosen.tolist(), direction).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> "EvidenceWeightsDisplay":
        """Draw the heat map.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        EvidenceWeightsDisplay
        """
        weights = np.asarray(self.weights, dtype=float)
        size = (2.5 + 0.6 * weights.shape[1], 2 + 0.4 * weights.shape[0])
        self.figure_, self.ax_ = figure_and_axes(self, ax, figsize=size, layout="constrained")
        self.im_ = self.ax_.imshow(weights, **{"aspect": "auto", "cmap": "Greys"} | kwargs)
        middle = (weights.min() + weights.max()) / 2
        self.texts_ = [
            self.ax_.text(
                column, row, f"{value:.2f}", ha="center", va="center", color="white" if value > middle else "k"
            )
            for (row, column), value in np.ndenumerate(weights)
        ]
        self.ax_.set_yticks(range(len(self.kinds)), self.kinds)
        self.ax_.set_xticks(range(len(self.relations)), list(map(str, self.relations)), rotation=45, ha="right")
        self.ax_.set_title(f"Weights of evidence for a missing {self.direction}")
        return self


class ContributionsDisplay:
    """Why these answers: what each kind of evidence adds to the log-odds of each triple, as stacked bars.

    Use `from_estimator` to make one.

    Parameters
    ----------
    contributions : dict of str to ndarray of shape (n_triples,)
        As from `Explanation.by_kind`.
    labels : sequence of str
        Names of the triples.

    Attributes
    ----------
    bars_ : dict of str to matplotlib BarContainer
        One for each kind that adds anything. What is below zero lies to the left.
    totals_ : matplotlib Artist
        The log-odds.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.inspection import ContributionsDisplay
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = OTKGEClassifier(evidence=["structure", "rules"], embedding_dim=8, max_iter=2, random_state=0).fit(triples)
    >>> ContributionsDisplay.from_estimator(kge, triples[:2]).labels
    ['e0, next, e1', 'e1, next, e2']
    """

    def __init__(self, contributions: Mapping[str, ArrayLike], labels: Sequence[str]) -> None:
        self.contributions = contributions
        self.labels = labels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        side: str = "both",
        names: Mapping[Any, str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ContributionsDisplay":
        """Take the log-odds of triples apart and draw them.

        Parameters
        ----------
        estimator : OTKGEClassifier, Pipeline or search
            Fitted.
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            The triples, such as completed ones.
        side : {"both", "head", "tail"}, default="both"
            As for `OTKGEClassifier.explain`: the side that was asked for, of completed triples.
        names : mapping of label to str, default=None
            Readable names of entities; a label that it lacks stands for itself.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``barh``.

        Returns
        -------
        ContributionsDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        model = last_step(estimator)
        rows = X.labels if hasattr(X, "labels") else np.asarray(X, dtype=object)
        names = names or {}
        labels = [", ".join(str(names.get(label, label)) for label in row) for row in rows]
        return cls(model.explain(X, side=side).by_kind(), labels).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> "ContributionsDisplay":
        """Draw the bars, the first triple on top, and a diamond at each score.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``barh``.

        Returns
        -------
        ContributionsDisplay
        """
        size = (7, 1.4 + 0.4 * len(self.labels))
        self.figure_, self.ax_ = figure_and_axes(self, ax, figsize=size, layout="constrained")
        parts = {name: np.asarray(part, dtype=float) for name, part in self.contributions.items()}
        parts = {name: part for name, part in parts.items() if np.any(part)}
        positions = np.arange(len(self.labels))
        # Parts above zero are stacked to the right, parts below zero to the left.
        right, left = np.zeros(len(positions)), np.zeros(len(positions))
        self.bars_ = {}
        for number, (name, part) in enumerate(parts.items()):
            style = {
                "color": f"C{number}",
                "hatch": HATCHES[number % len(HATCHES)],
                "edgecolor": "white",
                "label": name,
            }
            self.bars_[name] = self.ax_.barh(positions, part, left=np.where(part > 0, right, left), **style | kwargs)
            right, left = right + np.maximum(part, 0), left + np.minimum(part, 0)
        self.totals_ = self.ax_.scatter(right + left, positions, marker="D", color="black", zorder=3, label="log-odds")
        self.ax_.axvline(0, color="black", linewidth=0.8)
        self.ax_.set_yticks(positions, self.labels)
        self.ax_.invert_yaxis()
        self.ax_.set_xlabel("part of the log-odds")
        self.ax_.legend(loc="center left", bbox_to_anchor=(1, 0.5))
        return self
