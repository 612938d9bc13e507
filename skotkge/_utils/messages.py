"""Values in messages, and errors of conversions that name the argument."""

import re
import sys
import traceback
import warnings
from contextlib import contextmanager

import numpy as np

from .sklearn_compat import Interval, InvalidParameterError, validate_parameter_constraints

LONGEST_VALUE, LONGEST = 80, 480
# Warnings point at the line that caused them, past the frames of these.
PASSED_OVER = {__name__.partition(".")[0], "sklearn", "contextlib", "joblib"}


class NaNScoreError(FloatingPointError):
    """A score of a model is NaN."""


def shown(value, limit=LONGEST_VALUE):
    """Write a value for a message, a long one with its middle left out."""
    try:
        text = repr(value)
    except Exception:  # of an object of the user's
        text = f"<a {type(value).__name__}>"
    return cut(" ".join(text.split()) if len(text) > limit else text, limit)


def cut(text, limit=LONGEST):
    """Leave the middle of a long text out, so that its beginning and its end stay."""
    half = (limit - 5) // 2
    return text if len(text) <= limit else f"{text[:half]} ... {text[-half:]}"


def brief(path, limit=120):
    """Write a path for a message; of a long one the end, which tells the file."""
    path = str(path)
    return path if len(path) <= limit else f"...{path[-limit:]}"


def tell(message, category=UserWarning):
    """Warn the caller of the library, however deep the trouble arises."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in PASSED_OVER:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=depth)


@contextmanager
def reading(argument, value, expected):
    """Name the argument in errors of a conversion that others have written.

    Parameters
    ----------
    argument : str
    value : object
    expected : str
        What the argument should be.

    Raises
    ------
    ValueError or TypeError
        In place of any error; its message has that of the other.
    """
    try:
        yield
    except Exception as error:  # what arrays and objects of the user's raise has no end
        is_clear = re.search(rf"\b{re.escape(argument)}\b", str(error)) or _is_of_validation(error)
        if is_clear and len(str(error)) <= LONGEST and isinstance(error, ValueError | TypeError):
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(
            cut(f"{argument}={shown(value)} cannot be read: {cut(str(error), 200)}; give {expected}.")
        ) from error


def _is_of_validation(error):
    """Tell whether scikit-learn's checks of arrays have raised an error, whose texts its own tests expect."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return place.filename.endswith("validation.py") and place.line.startswith("raise ")


def check_choice(value, argument, choices):
    """Refuse a value that is none of the strings, or None, that an argument may be."""
    if not (value is None and None in choices) and not (isinstance(value, str) and value in choices):
        names = ", ".join(map(repr, choices))
        raise ValueError(f"{argument}={shown(value)}; give one of {names}.")


def is_number_alone(constraints):
    """Tell whether a parameter may be a number, and True is one by nothing but being an integer to Python."""
    others = [constraint for constraint in constraints if not isinstance(constraint, Interval)]
    return len(others) < len(constraints) and "boolean" not in others and "verbose" not in others


def check_parameters(constraints, parameters, caller):
    """Validate parameters as scikit-learn does, with the name of the parameter in every error, none of them long.

    Parameters
    ----------
    constraints : dict
        As ``_parameter_constraints`` of an estimator.
    parameters : dict
    caller : str

    Raises
    ------
    InvalidParameterError
    """
    for name, value in parameters.items():
        if name not in constraints:
            continue
        try:
            if isinstance(value, np.timedelta64):  # which NumPy counts among the integers
                raise TypeError("it is a span of time")
            if isinstance(value, bool) and is_number_alone(constraints[name]):
                raise TypeError("it is a truth value; give a number")
            validate_parameter_constraints({name: constraints[name]}, {name: value}, caller_name=caller)
        except InvalidParameterError as error:
            message = str(error)
            raise InvalidParameterError(message.partition(" Got ")[0] + f" Got {shown(value)} instead.") from None
        except Exception as error:  # of a value that has no truth value, say
            raise InvalidParameterError(
                f"The {name!r} parameter of {caller} cannot be {shown(value)}: {cut(str(error), 200)}"
            ) from error


class CheckedParameters:
    """Validates parameters by `check_parameters`. Stands before `BaseEstimator` among the bases."""

    def _validate_params(self):
        check_parameters(self._parameter_constraints, self.get_params(deep=False), type(self).__name__)
