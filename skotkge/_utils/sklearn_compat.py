"""All that is used of scikit-learn's private interface, in one place: what a new version moves is mended here.

``tests/utils/test_sklearn_compat.py`` holds each name to what this library relies on, under the oldest and the newest
version that is supported, and refuses private imports elsewhere. The decorator is wrapped to keep the type of what it
decorates, which scikit-learn does not declare.
"""

from collections.abc import Callable
from typing import Any, TypeVar

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
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in

__all__ = [
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "RealNotInt",
    "StrOptions",
    "check_estimator_parameters",
    "check_feature_names_in",
    "check_matplotlib_support",
    "fit_context",
    "safe_indexing",
    "validate_parameter_constraints",
]

F = TypeVar("F", bound=Callable[..., Any])


def fit_context(*, prefer_skip_nested_validation: bool) -> Callable[[F], F]:
    """Return a decorator of `fit` that checks the constructor parameters first, by ``_parameter_constraints``."""
    return base._fit_context(prefer_skip_nested_validation=prefer_skip_nested_validation)


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
