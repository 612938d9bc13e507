"""Displays of why a model answers as it does: the weights of its evidence and the parts of a score."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from .._graph.queries import DIRECTIONS
from .._ranking.explanation import Explanation
from .._utils.messages import shown
from .._utils.sklearn_compat import check_matplotlib_support
from ._figures import HATCHES, figure_and_axes, last_step, positions_of


class EvidenceWeightsDisplay:
    """Weight of each kind of evidence for each relation, as a heat map with the figures in its cells.

    Use `from_estimator` or `from_predictions` to make one.

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
    >>> display = EvidenceWeightsDisplay.from_predictions([[0.9, 0.2], [0.1, 1.3]], ["structure", "rules"])
    >>> [text.get_text() for text in display.texts_]
    ['0.90', '0.20', '0.10', '1.30']
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
            Relations to show, in this order, at least one. None: all.
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
        chosen = model.relations_ if relations is None else np.atleast_1d(np.asarray(relations, dtype=object))
        if not len(chosen):
            raise ValueError(f"relations={shown(relations)} is empty; give at least one label, or None for all.")
        columns = positions_of(chosen, model.relations_, "relations")
        weights = model.evidence_weights_[:, DIRECTIONS.index(direction)][:, columns]
        names = model.evidence_names_, chosen.tolist()
        return cls.from_predictions(weights, *names, direction=direction, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        weights: ArrayLike,
        kinds: Sequence[str] | None = None,
        relations: Sequence[Any] | None = None,
        *,
        direction: str = "tail",
        ax: Any = None,
        **kwargs: Any,
    ) -> "EvidenceWeightsDisplay":
        """Draw weights, such as means over several fits.

        Parameters
        ----------
        weights : array-like of shape (n_kinds, n_relations) or data frame
            Of ``evidence_weights_``, of shape (n_kinds, 2, n_relations), those of one direction.
        kinds, relations : sequence, default=None
            Names of the rows and of the columns. None: the index and the columns of a data frame, else numbers from 0.
        direction : {"tail", "head"}, default="tail"
            What is asked for.
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
            If `direction` is neither, or the weights do not have a row for each kind and a column for each relation.
        """
        if direction not in DIRECTIONS:
            raise ValueError(f"direction={shown(direction)}; give 'tail' or 'head'.")
        values = np.asarray(weights, dtype=float)
        if values.ndim != 2:
            raise ValueError(f"weights has the shape {values.shape}; give a matrix (n_kinds, n_relations).")
        rows, columns = (weights.index, weights.columns) if hasattr(weights, "columns") else map(range, values.shape)
        kinds, relations = list(rows if kinds is None else kinds), list(columns if relations is None else relations)
        if values.shape != (len(kinds), len(relations)):
            raise ValueError(
                f"weights has the shape {values.shape}; there are {len(kinds)} kinds and {len(relations)} relations."
            )
        return cls(values, kinds, relations, direction).plot(ax=ax, **kwargs)

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
        self.ax_.set_yticks(range(len(self.kinds)), list(map(str, self.kinds)))
        self.ax_.set_xticks(range(len(self.relations)), list(map(str, self.relations)), rotation=45, ha="right")
        self.ax_.set_title(f"Weights of evidence for a missing {self.direction}")
        return self


class ContributionsDisplay:
    """Why these answers: what each kind of evidence adds to the log-odds of each triple, as stacked bars.

    Use `from_estimator` or `from_predictions` to make one.

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
    >>> display = ContributionsDisplay.from_predictions({"rules": [2.0, -1.0], "offset": [-3.0, -3.0]})
    >>> display.totals_.get_offsets()[:, 0].tolist()
    [-1.0, -4.0]
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
        explanation = last_step(estimator).explain(X, side=side)
        return cls.from_predictions(explanation, names=names, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        contributions: Explanation | Mapping[str, ArrayLike],
        *,
        labels: Sequence[str] | None = None,
        names: Mapping[Any, str] | None = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "ContributionsDisplay":
        """Draw contributions, as ``explain`` gives them.

        Parameters
        ----------
        contributions : Explanation, mapping of str to array-like of shape (n_triples,), or data frame
            What each kind of evidence adds to the log-odds of each triple; a data frame has a column for each kind.
        labels : sequence of str, default=None
            Names of the triples. None: the triples of an `Explanation`, the index of a data frame, else numbers from 0.
        names : mapping of label to str, default=None
            Readable names of the entities of an `Explanation`; a label that it lacks stands for itself.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``barh``.

        Returns
        -------
        ContributionsDisplay

        Raises
        ------
        ValueError
            If a kind does not have one value for each triple.
        """
        if isinstance(contributions, Explanation):
            labels = _told(contributions.triples, names or {}) if labels is None else labels
            contributions = contributions.by_kind()
        parts = {kind: np.asarray(values, dtype=float) for kind, values in contributions.items()}
        if labels is None:
            is_frame = hasattr(contributions, "columns")
            labels = contributions.index if is_frame else range(max(map(len, parts.values()), default=0))
        labels = list(map(str, labels))
        wrong = next((kind for kind, values in parts.items() if values.shape != (len(labels),)), None)
        if wrong is not None:
            raise ValueError(
                f"contributions[{wrong!r}] has the shape {parts[wrong].shape}; give one value for each of the "
                f"{len(labels)} triples."
            )
        return cls(parts, labels).plot(ax=ax, **kwargs)

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


def _told(triples, names):
    """Each triple in words, with the names of its entities."""
    return [", ".join(str(names.get(label, label)) for label in triple) for triple in triples]
