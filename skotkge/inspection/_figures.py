"""What all displays share: where they draw, which step of a pipeline answers, and labels that must be known."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

from .._graph.labels import LabelIndex, name_first
from .._utils.sklearn_compat import check_matplotlib_support

# Lines and bars are told apart in grey, too.
MARKERS = "osD^v*Xph<>"
HATCHES = ["", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "---"]


def figure_and_axes(display: Any, ax: Any, **options: Any) -> tuple[Any, Any]:
    """Return the axes given with their figure, or those of a new figure."""
    check_matplotlib_support(f"{type(display).__name__}.plot")
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(**options)
    return ax.figure, ax


def last_step(estimator: Any) -> Any:
    """Return the best estimator of a search, of a pipeline the last step."""
    estimator = getattr(estimator, "best_estimator_", estimator)
    while isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    return estimator


def positions_of(labels: Any, known: Any, argument: str) -> Any:
    """Return the positions of labels among those of a model, or name the first that it has not seen."""
    positions = LabelIndex(known, argument).positions(np.asarray(labels, dtype=object))
    if (positions < 0).any():
        missing = [label for label, position in zip(labels, positions, strict=True) if position < 0]
        raise ValueError(f"{argument} has {name_first(missing)}, which the model has not seen.")
    return positions
