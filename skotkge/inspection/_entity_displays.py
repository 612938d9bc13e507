"""Displays of entities: a map of their embeddings, and the plan between those of two graphs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.utils.validation import check_is_fitted

from .._graph.labels import first_occurrences, name_first
from .._utils.autologging import unlogged
from .._utils.messages import shown
from .._utils.sklearn_compat import check_matplotlib_support
from ._figures import MARKERS, figure_and_axes, last_step, positions_of


class EmbeddingMapDisplay:
    """Entities as points of a plane, near one another where their embeddings are.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    positions : ndarray of shape (n_shown, 2)
    groups : ndarray of shape (n_shown,), dtype object
        Points of a group have one marker and colour.
    names : sequence of str, default=None
        Written beside the points.

    Attributes
    ----------
    points_ : dict of label to matplotlib PathCollection
        One for each group.
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Notes
    -----
    A plane cannot keep the distances of many dimensions: compare neighbours found here with those of
    `OTKGEClassifier.nearest`.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge.inspection import EmbeddingMapDisplay
    >>> embeddings = np.random.RandomState(0).standard_normal((20, 5))
    >>> EmbeddingMapDisplay.from_predictions(embeddings).positions.shape
    (20, 2)
    """

    def __init__(self, positions: ArrayLike, groups: ArrayLike, names: Sequence[str] | None = None) -> None:
        self.positions = positions
        self.groups = groups
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        entities: ArrayLike | None = None,
        *,
        space: str | None = None,
        groups: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        projection: str = "pca",
        random_state: Any = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "EmbeddingMapDisplay":
        """Draw the entities of a fitted model.

        Parameters
        ----------
        estimator : OTKGEClassifier, Pipeline or search
            Fitted.
        entities : array-like of labels of shape (n_shown,), default=None
            None: all.
        space : str, default=None
            A key of ``space_embeddings_``. None is all spaces side by side.
        groups : array-like of shape (n_shown,), default=None
            What colours the points.
        names : sequence of str, default=None
            Written beside the points.
        projection : {"pca", "tsne"}, default="pca"
            From many dimensions to two: the directions of most variance, or t-SNE on cosines.
        random_state : int, RandomState instance or None, default=None
            Of t-SNE.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``scatter``.

        Returns
        -------
        EmbeddingMapDisplay

        Raises
        ------
        ValueError
            If an entity or the space is not known.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        model = last_step(estimator)
        check_is_fitted(model)
        tables = model.space_embeddings_
        if space is not None and space not in tables:
            raise ValueError(f"space={shown(space)}; the model has the spaces {name_first(list(tables))}.")
        table = model.entity_embeddings_ if space is None else tables[space]
        rows = slice(None) if entities is None else positions_of(entities, model.entities_, "entities")
        options = dict(groups=groups, names=names, projection=projection, random_state=random_state)
        return cls.from_predictions(table[rows], **options, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        embeddings: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        projection: str = "pca",
        random_state: Any = None,
        ax: Any = None,
        **kwargs: Any,
    ) -> "EmbeddingMapDisplay":
        """Draw rows of embeddings.

        Parameters
        ----------
        embeddings : array-like of shape (n_shown, n_features)
        groups : array-like of shape (n_shown,), default=None
            What colours the points.
        names : sequence of str, default=None
            Written beside the points.
        projection : {"pca", "tsne"}, default="pca"
            From many dimensions to two: the directions of most variance, or t-SNE on cosines.
        random_state : int, RandomState instance or None, default=None
            Of t-SNE.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``scatter``.

        Returns
        -------
        EmbeddingMapDisplay

        Raises
        ------
        ValueError
            If `projection` is neither, or `groups` or `names` do not have one value for each row.
        """
        embeddings = np.asarray(embeddings)
        for argument, values in (("groups", groups), ("names", names)):
            if values is not None and len(values) != len(embeddings):
                raise ValueError(
                    f"{argument} has {len(values)} values; give one for each of the {len(embeddings)} rows."
                )
        if projection not in ("pca", "tsne"):
            raise ValueError(f"projection={shown(projection)}; give 'pca' or 'tsne'.")
        perplexity = min(30, max(1, (len(embeddings) - 1) // 3))
        tsne = TSNE(perplexity=perplexity, metric="cosine", init="random", random_state=random_state)
        with unlogged():
            positions = (PCA(2, random_state=0) if projection == "pca" else tsne).fit_transform(embeddings)
        groups = np.full(len(embeddings), None) if groups is None else np.asarray(groups, dtype=object)
        return cls(positions, groups, names).plot(ax=ax, **kwargs)

    def plot(self, *, ax: Any = None, **kwargs: Any) -> "EmbeddingMapDisplay":
        """Draw the points, and a legend where there are groups.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``scatter``.

        Returns
        -------
        EmbeddingMapDisplay
        """
        self.figure_, self.ax_ = figure_and_axes(self, ax, figsize=(7, 6), layout="constrained")
        positions, groups = np.asarray(self.positions), np.asarray(self.groups, dtype=object)
        self.points_ = {}
        for number, group in enumerate(first_occurrences(groups)):
            shown = positions[groups == group] if group is not None else positions
            style = {"s": 18, "marker": MARKERS[number % len(MARKERS)], "label": None if group is None else str(group)}
            self.points_[group] = self.ax_.scatter(*shown.T, **style | kwargs)
        for name, (x, y) in zip(self.names or (), positions, strict=False):
            self.ax_.annotate(str(name), (x, y), xytext=(3, 3), textcoords="offset points", fontsize="small")
        self.ax_.set(xticks=[], yticks=[])
        if None not in self.points_:
            self.ax_.legend(fontsize="small")
        return self


class EntityPlanDisplay:
    """The plan between the entities of two graphs: mass moved from rows to columns.

    Use `from_estimator` or `from_predictions` to make one.

    Parameters
    ----------
    plan : ndarray of shape (n_pairs, n_pairs)
        Its diagonal belongs to the pairs.
    labels : tuple of two sequences
        Entities of the first graph, in the rows, and of the second, in the columns.

    Attributes
    ----------
    im_ : matplotlib AxesImage
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge.inspection import EntityPlanDisplay
    >>> EntityPlanDisplay.from_predictions(np.eye(2), (["ann", "bob"], ["Anna", "Robert"])).ax_.get_ylabel()
    'first graph'
    """

    def __init__(self, plan: ArrayLike, labels: tuple[Sequence[Any], Sequence[Any]]) -> None:
        self.plan = plan
        self.labels = labels

    @classmethod
    def from_estimator(
        cls, estimator: Any, pairs: Any, *, colorbar: bool = True, ax: Any = None, **kwargs: Any
    ) -> "EntityPlanDisplay":
        """Draw the plan between the entities of some pairs; what is right lies on the diagonal.

        Parameters
        ----------
        estimator : OTEntityMatcher
            Fitted.
        pairs : EntityPairs
            Of the two graphs that it was fitted on.
        colorbar : bool, default=True
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        EntityPlanDisplay
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        plan = estimator.plan_[pairs.ids[:, 0]][:, pairs.ids[:, 1]].toarray()
        return cls.from_predictions(plan, tuple(pairs.labels.T.tolist()), colorbar=colorbar, ax=ax, **kwargs)

    @classmethod
    def from_predictions(
        cls,
        plan: ArrayLike,
        labels: tuple[Sequence[Any], Sequence[Any]],
        *,
        colorbar: bool = True,
        ax: Any = None,
        **kwargs: Any,
    ) -> "EntityPlanDisplay":
        """Draw a plan.

        Parameters
        ----------
        plan : array-like of shape (n_rows, n_columns)
        labels : tuple of two sequences
            Of the rows and of the columns.
        colorbar : bool, default=True
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        EntityPlanDisplay

        Raises
        ------
        ValueError
            If the plan does not have a row and a column for each label.
        """
        plan = np.asarray(plan, dtype=float)
        if plan.shape != tuple(map(len, labels)):
            raise ValueError(f"plan has the shape {plan.shape}, labels are {len(labels[0])} and {len(labels[1])}.")
        return cls(plan, labels).plot(colorbar=colorbar, ax=ax, **kwargs)

    def plot(self, *, colorbar: bool = True, ax: Any = None, **kwargs: Any) -> "EntityPlanDisplay":
        """Draw the plan; labels are written where there are at most 30.

        Parameters
        ----------
        colorbar : bool, default=True
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.
        **kwargs : dict
            Passed on to matplotlib's ``imshow``.

        Returns
        -------
        EntityPlanDisplay
        """
        self.figure_, self.ax_ = figure_and_axes(self, ax, figsize=(6, 5), layout="constrained")
        self.im_ = self.ax_.imshow(
            self.plan, **{"cmap": "Greys", "vmin": 0, "vmax": 1, "interpolation": "nearest"} | kwargs
        )
        if max(map(len, self.labels)) <= 30:
            self.ax_.set_yticks(range(len(self.labels[0])), list(map(str, self.labels[0])))
            self.ax_.set_xticks(range(len(self.labels[1])), list(map(str, self.labels[1])), rotation=45, ha="right")
        self.ax_.set(xlabel="second graph", ylabel="first graph")
        if colorbar:
            self.figure_.colorbar(self.im_, ax=self.ax_, label="mass")
        return self
