"""What kind of values a column has."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from numbers import Integral, Number

import numpy as np

KINDS = ("number", "boolean", "category", "date", "text", "tags", "image", "vector")
PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp", ".tif", ".tiff")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")
WRITTEN_NUMBER = re.compile(r"[+-]?(?=\.?\d)(0|[1-9]\d*)?(\.\d+)?([eE][+-]?\d+)?")  # not 007 or E120, which are names
# With separators of thousands, a decimal comma, or a unit: "1,234.5", "3,7", "12 kg", "80%", "$5".
DRESSED_NUMBER = re.compile(
    r"[$€£¥]?\s?[+-]?(\d{1,3}([,.' ]\d{3})+([.,]\d+)?|\d+([.,]\d+)?)(\s?[%‰°$€£¥]|\s[^\W\d]{1,5}[²³]?|\s?°[CF])?"
)
# Holes among numbers, truth values and dates; among other strings they are strings.
WORDS_FOR_MISSING = frozenset({"na", "n/a", "nan", "nil", "none", "null", "missing", "unknown", "?", "-", "--"})


def guess_kind(values, max_categories, pools=False):
    """Guess the kind of a column.

    Parameters
    ----------
    values : list
        Without holes.
    max_categories : int
        Values that are written are categories if at most so many are distinct, and at most two for each three values.
    pools : bool, default=False
        Whether a list is several values of a row, as in a long table, rather than a vector.

    Returns
    -------
    str or None
        One of `KINDS`; None for objects of no kind.
    """
    parts = [part for value in values for part in (value if isinstance(value, list) else [value])] if pools else values
    told = [part for part in parts if not is_word_for_missing(part)]
    for kind, belongs in BY_VALUE.items():
        if told and all(map(belongs, told)):
            return kind
    if all(map(is_list_of(str | Number), values)):
        return _kind_of_lists(values)
    if not all(isinstance(value, str | date) or is_number(value) for value in values):
        return None
    n_distinct = len(set(map(str, values)))
    return "category" if n_distinct <= max_categories and 3 * n_distinct <= 2 * len(values) else "text"


def _kind_of_lists(values):
    """Tell vectors from tags: lists of whole numbers are tags where they differ in length."""
    parts = [part for value in values for part in value if part is not None]
    if not parts or any(isinstance(part, str) for part in parts):
        return "tags"
    one_length = len(set(map(len, values))) == 1
    return "vector" if one_length or not all(isinstance(part, Integral) for part in parts) else "tags"


def is_word_for_missing(value):
    """Tell whether a value is a word that stands for a missing number or date."""
    return isinstance(value, str) and value.strip().lower() in WORDS_FOR_MISSING


def is_boolean(value):
    """Tell whether a value is a truth value."""
    return isinstance(value, bool)


def is_number(value):
    """Tell whether a value is a real number, one written as such, or a span of time."""
    if isinstance(value, str):
        written = value.strip()
        return WRITTEN_NUMBER.fullmatch(written) is not None
    return isinstance(value, Number | timedelta) and not isinstance(value, complex)


def are_dressed_numbers(values):
    """Tell whether values are numbers, some of them written with a unit or separators."""
    dressed = [value for value in values if not (is_word_for_missing(value) or is_number(value))]
    if not dressed or not all(isinstance(value, str) and DRESSED_NUMBER.fullmatch(value.strip()) for value in dressed):
        return False
    return not any(value.strip().isdecimal() for value in dressed)  # such as 007, which is a name


def is_date(value):
    """Tell whether a value is a date, or one written as in ISO 8601."""
    if not isinstance(value, str):
        return isinstance(value, date)
    if ISO_DATE.fullmatch(value.strip()) is None:
        return False
    try:
        as_date(value)
    except (ValueError, OverflowError):  # such as 30 February
        return False
    return True


def is_picture(value):
    """Tell whether a value is the path of a picture."""
    return (not isinstance(value, bytes) and hasattr(value, "__fspath__")) or (
        isinstance(value, str) and value.lower().endswith(PICTURES)
    )


def is_list_of(types):
    """Return a function that tells whether a value is a list or set of objects of some types, or of None."""

    def is_list(value):
        if isinstance(value, str | bytes | Mapping):
            return False
        listed = isinstance(value, Sequence | set | frozenset) or hasattr(value, "tolist")
        if not listed or np.ndim(value if hasattr(value, "tolist") else 0) > 1:
            return False
        return all(part is None or isinstance(part, types) for part in value)

    return is_list


def as_date(value):
    """Return a date or time, or one written as in ISO 8601, as a time without zone: that of UTC where it has one.

    Of several the mean.
    """
    if isinstance(value, list | tuple):
        return datetime.min + sum((as_date(part) - datetime.min for part in value), timedelta()) / len(value)
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    if not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value.replace(tzinfo=None) - (value.utcoffset() or datetime.min - datetime.min)


def as_number(value):
    """Return a number, one written as such, or a span of time in days; of several the mean."""
    if isinstance(value, list | tuple):
        return sum(map(as_number, value)) / len(value)
    return value / timedelta(days=1) if isinstance(value, timedelta) else float(value)


def as_text(value):
    """Return a value as it is written; several are put behind one another."""
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


# The first kind that all values belong to.
BY_VALUE = {
    "boolean": is_boolean,
    "number": is_number,
    "date": is_date,
    "image": is_picture,
}
