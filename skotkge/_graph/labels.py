"""Labels of entities and relations: kept exactly, compared without Python's 1 == 1.0 == True."""

from collections import defaultdict
from itertools import count, repeat

import numpy as np

from .._utils.messages import shown

# Characters of a label in a message.
LONGEST_LABEL = 60
# Types of one value, or of several without order.
WITHOUT_PARTS = str | bytes | bytearray | set | frozenset
# Types of labels that need no look at each one.
HASHABLE = {str, int, float, bool, bytes, type(None)}


def as_labels(values, argument="labels"):
    """Return a 1-D object array of the labels as plain Python objects; errors as for `plain_labels`."""
    values = plain_labels(values, argument)
    return np.fromiter(values, dtype=object, count=len(values))


def plain_labels(values, argument="labels"):
    """Return a list of the labels as plain Python objects; errors as for `plain_values`, and if one is not hashable."""
    labels = plain_values(values, argument)
    if not set(map(type, labels)) <= HASHABLE:
        _check_hashable(labels, argument)
    return labels


def plain_values(values, argument):
    """Return a list of values as plain Python objects.

    NumPy scalars become the Python objects of equal value; nothing else is converted.

    Raises
    ------
    TypeError
        If the values are one value or string, have no order, or are NumPy dates, which Python objects cannot hold to
        the nanosecond.
    """
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__") or getattr(values, "shape", None) == ():
        raise TypeError(f"{argument}={shown(values)} is a single value; pass a list.")
    if isinstance(values, set | frozenset):
        raise TypeError(f"{argument} is a {type(values).__name__}, which has no order; pass a list.")
    dated = isinstance(values, np.ndarray) and values.dtype.kind in "mM"
    values = _as_list(values)
    numpy_types = [kind for kind in set(map(type, values)) if issubclass(kind, np.generic)]
    if dated or any(issubclass(kind, np.datetime64 | np.timedelta64) for kind in numpy_types):
        raise TypeError(f"{argument}: NumPy dates are no labels; turn them into strings or Python dates first.")
    if numpy_types:
        values = [value.item() if isinstance(value, np.generic) else value for value in values]
    return values


def _check_hashable(values, argument):
    for value in values:
        try:
            hash(value)
        except TypeError as error:
            raise TypeError(
                f"{argument} has {shown(value)}, which cannot be a label ({error}); give strings, integers or other "
                "hashable objects."
            ) from error


def length_of(values):
    """Return the number of values in an order, None of what is a string or a single value, or has no order."""
    if isinstance(values, WITHOUT_PARTS) or not hasattr(values, "__len__") or getattr(values, "shape", None) == ():
        return None
    return len(values)


def is_missing(label):
    """Tell whether a label is None, NaN, NaT or NA: what tables hold where a label is absent."""
    return label is None or (label != label) is not False  # NaN is unequal to itself, NA neither equal nor unequal


def first_missing(labels):
    """Return the position of the first label that is missing, or None."""
    labels = _as_list(labels)
    if set(map(type, labels)) <= {str, int}:
        return None
    return next((position for position, label in enumerate(labels) if is_missing(label)), None)


def label_keys(labels):
    """Return a list of hashable keys that are equal only for labels of the same type and value."""
    labels = _as_list(labels)
    return labels if set(map(type, labels)) <= {str, int} else list(map(_key, labels))


def _key(label):
    if type(label) in (str, int):
        return label
    return (type(label), tuple(map(_key, label)) if type(label) is tuple else label)


def _as_list(labels):
    if isinstance(labels, np.ndarray | memoryview):
        return labels.tolist()
    return labels if isinstance(labels, list) else list(labels)


def factorize(labels):
    """Find the distinct labels.

    Parameters
    ----------
    labels : array or list of length n

    Returns
    -------
    distinct : ndarray of shape (n_distinct,), dtype object
        In order of first appearance.
    codes : ndarray of shape (n,), dtype int64
        Position of each label among the distinct ones.

    Raises
    ------
    TypeError
        If a label is not hashable.
    """
    labels = _as_list(labels)
    keys = label_keys(labels)
    position = defaultdict(count().__next__)
    try:
        codes = np.fromiter(map(position.__getitem__, keys), dtype=np.int64, count=len(keys))
    except TypeError as error:
        raise TypeError(f"labels are strings, integers or other hashable objects, but got an {error}.") from error
    if keys is labels:
        return as_labels(list(position)), codes
    first_rows = np.flatnonzero(np.diff(np.maximum.accumulate(codes), prepend=-1))
    return as_labels([labels[row] for row in first_rows.tolist()]), codes


def first_occurrences(labels):
    """Return the distinct labels in order of first appearance."""
    return factorize(labels)[0]


class LabelIndex:
    """Row numbers of labels.

    Parameters
    ----------
    labels : array of shape (n_labels,)
        Distinct labels.
    what : str
        The argument the labels come from, for the error messages.

    Raises
    ------
    ValueError
        If a label is missing or occurs twice.
    """

    def __init__(self, labels, what):
        missing = first_missing(labels)
        if missing is not None:
            raise ValueError(f"{what} has a missing label ({labels[missing]!r}) at position {missing}.")
        keys = label_keys(labels)
        self._position = dict(zip(keys, range(len(keys)), strict=True))
        if len(self._position) != len(labels):
            twice = next(labels[row] for row, key in enumerate(keys) if self._position[key] != row)
            raise ValueError(f"{what} has the label {shown(twice)} more than once; each label names one row.")

    def positions(self, labels):
        """Return the row number of each label, -1 where the label is unknown."""
        keys = label_keys(labels)
        found = map(self._position.get, keys, repeat(-1))
        return np.fromiter(found, dtype=np.int64, count=len(keys))


def name_first(labels, limit=5):
    """Write the first few of the labels for an error message."""
    first = ", ".join(shown(label, LONGEST_LABEL) for label in labels[:limit])
    return first if len(labels) <= limit else f"{first} and {len(labels) - limit} more"


def counted(number, singular, plural):
    """Write a number of things for a message."""
    return f"{number} {singular if number == 1 else plural}"


def same_labels(first, second):
    """Tell whether two label arrays hold the same labels, types included, in the same order."""
    return first is second or label_keys(first) == label_keys(second)
