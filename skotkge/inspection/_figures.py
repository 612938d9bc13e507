"""What all displays share: where they draw, and which step of a pipeline answers."""

from typing import Any

from sklearn.pipeline import Pipeline

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
