"""All that is used of scikit-learn's private interface, in one place: what a new version moves is mended here.

``tests/utils/test_sklearn_compat.py`` holds each name to what this library relies on, under the oldest and the newest
version that is supported, and refuses private imports elsewhere. The decorator is wrapped to keep the type of what it
decorates, which scikit-learn does not declare.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import numpy as np
from sklearn import base
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import ADAPTERS_MANAGER, _get_output_config
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

from .forks import survive_forks

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "RealNotInt",
    "StrOptions",
    "check_estimator_parameters",
    "check_feature_names_in",
    "check_matplotlib_support",
    "check_output",
    "diagram_block",
    "fit_context",
    "grown_trees",
    "safe_indexing",
    "validate_parameter_constraints",
    "wrap_output",
]

try:
    from sklearn.utils._repr_html.estimator import _VisualBlock
except ImportError:  # older versions
    from sklearn.utils._estimator_html_repr import _VisualBlock

F = TypeVar("F", bound=Callable[..., Any])


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]:
    """Return a decorator of `fit` that checks the constructor parameters first, by ``_parameter_constraints``.

    What is forked after the fit can go on with the estimator, see `survive_forks`.
    """
    checked = base._fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)

    def of_fit(fit: F) -> F:
        @wraps(fit)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            survive_forks()
            return fit(*args, **kwargs)

        return checked(guarded)

    return of_fit


def check_estimator_parameters(estimator: Any) -> None:
    """Check the constructor parameters of an estimator before a fit.

    Parameters
    ----------
    estimator : BaseEstimator
        With ``_parameter_constraints``.

    Raises
    ------
    InvalidParameterError
        A `ValueError` that names the parameter, its range and its value.
    """
    estimator._validate_params()


def diagram_block(estimator: Any, caption: str) -> Any:
    """Return the box of an estimator with a caption for scikit-learn's diagram, as its ``_sk_visual_block_`` gives it.

    Parameters
    ----------
    estimator : BaseEstimator
        One with estimators among its parameters has boxes of theirs, as by default, and no caption.
    caption : str
        Without one if it is empty.

    Returns
    -------
    _VisualBlock
    """
    parameters = estimator.get_params(deep=False).items()
    nested = {name: value for name, value in parameters if hasattr(value, "get_params") and hasattr(value, "fit")}
    if nested:
        names = [f"{name}: {type(value).__name__}" for name, value in nested.items()]
        return _VisualBlock("parallel", [*nested.values()], names=names, name_details=[*map(str, nested.values())])
    details = {"names": type(estimator).__name__, "name_details": str(estimator), "name_caption": caption or None}
    return _VisualBlock("single", estimator, **details)


def grown_trees(boosting: Any) -> list[dict[str, Any]]:
    """Return the trees of a fitted histogram gradient boosting of one output, which has no public form of them.

    Parameters
    ----------
    boosting : HistGradientBoostingClassifier or HistGradientBoostingRegressor
        Fitted to numbers, none of them missing.

    Returns
    -------
    list of dict of str to ndarray of shape (n_nodes,)
        "left" and "right", the nodes below, -1 for a leaf; "feature" and "threshold", up to which a row goes left;
        "value" of a leaf. Node 0 is the root.
    """
    trees = []
    for (predictor,) in boosting._predictors:
        nodes, is_leaf = predictor.nodes, predictor.nodes["is_leaf"].astype(bool)
        below = {side: np.where(is_leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right")}
        told = {"feature": "feature_idx", "threshold": "num_threshold", "value": "value"}
        trees.append(below | {name: nodes[field].copy() for name, field in told.items()})
    return trees


def wrap_output(estimator: Any, rows: Any, X: Any) -> Any:
    """Return what `transform` gives as ``set_output`` of the estimator, or the global configuration, asks for it.

    Parameters
    ----------
    estimator : estimator
        With ``get_feature_names_out``.
    rows : ndarray of shape (n_rows, n_columns)
    X : array-like or data frame
        What was transformed; the index of a pandas data frame is kept.

    Returns
    -------
    ndarray or data frame
    """
    kind = _get_output_config("transform", estimator)["dense"]
    if kind == "default":
        return rows
    return ADAPTERS_MANAGER.adapters[kind].create_container(rows, X, columns=estimator.get_feature_names_out)


def check_output(kind: str) -> None:
    """Refuse a kind of output that ``set_output`` does not know."""
    if kind not in ADAPTERS_MANAGER.supported_outputs:
        known = ", ".join(map(repr, sorted(ADAPTERS_MANAGER.supported_outputs)))
        raise ValueError(f"transform={kind!r}; give one of {known}.")
