"""What kind of values a column has."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from numbers import Number

import numpy as np

KINDS = ("number", "boolean", "category", "date", "text", "tags", "image", "vector")
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
WRITTEN_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?")  # not 007, which is a name


def guess_kind(values, max_categories):
    """Guess the kind of a column.

    Parameters
    ----------
    values : list
        Without holes.
    max_categories : int
        Strings are categories if they have at most so many distinct values, and at most two for each three strings.

    Returns
    -------
    str or None
        One of `KINDS`; None for objects of no kind.
    """
    for kind, belongs in BY_VALUE.items():
        if all(map(belongs, values)):
            return kind
    if not all(isinstance(value, str) for value in values):
        return None
    n_distinct = len(set(values))
    return "category" if n_distinct <= max_categories and 3 * n_distinct <= 2 * len(values) else "text"


def is_boolean(value):
    """Tell whether a value is a truth value."""
    return isinstance(value, bool)


def is_number(value):
    """Tell whether a value is a real number, or one written as such."""
    if isinstance(value, str):
        written = value.strip()
        return any(map(str.isdigit, written)) and WRITTEN_NUMBER.fullmatch(written) is not None
    return isinstance(value, Number) and not isinstance(value, complex)


def is_date(value):
    """Tell whether a value is a date, or one written as in ISO 8601."""
    return isinstance(value, date) or (isinstance(value, str) and ISO_DATE.fullmatch(value.strip()) is not None)


def is_picture(value):
    """Tell whether a value is the path of a picture."""
    return (not isinstance(value, bytes) and hasattr(value, "__fspath__")) or (
        isinstance(value, str) and value.lower().endswith(PICTURES)
    )


def is_list_of(belongs):
    """Return a function that tells whether a value is a list or set of values that all belong to a kind."""

    def is_list(value):
        if isinstance(value, str | bytes | Mapping):
            return False
        listed = isinstance(value, Sequence | set | frozenset) or hasattr(value, "tolist")
        return listed and np.ndim(value if hasattr(value, "tolist") else 0) <= 1 and all(map(belongs, value))

    return is_list


def as_date(value):
    """Return a date or time, or one written as in ISO 8601, as a time without zone: that of UTC where it has one."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value.replace(tzinfo=None) - (value.utcoffset() or datetime.min - datetime.min)


# The first kind that all values belong to.
BY_VALUE = {
    "boolean": is_boolean,
    "number": is_number,
    "date": is_date,
    "image": is_picture,
    "vector": lambda value: is_list_of(lambda part: isinstance(part, Number))(value) and len(value) > 0,
    "tags": is_list_of(lambda part: isinstance(part, str | int | float | bool)),
}
