"""Truth of triples told by labels such as "no" and "yes" in place of 0 and 1."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import column_or_1d

from .._utils.messages import reading, shown

# Which of two words means true is settled by their order, as everywhere in scikit-learn. Where that is plainly not
# meant, a model would learn the opposite of what its user knows.
MEAN_FALSE = frozenset(
    {"f", "fake", "false", "incorrect", "invalid", "n", "neg", "negative", "no", "not", "refuted", "refutes"}
    | {"rejected", "spurious", "untrue", "wrong"}
)
MEAN_TRUE = frozenset(
    {"accepted", "correct", "fact", "pos", "positive", "right", "supported", "supports", "t", "true", "valid"}
    | {"y", "yes"}
)


def class_labels(y: ArrayLike | None) -> NDArray[np.generic]:
    """Return the labels that mean false and true.

    Parameters
    ----------
    y : array-like of shape (n_triples,) or None
        Numbers, truth values or strings.

    Returns
    -------
    ndarray of shape (2,)
        ``[0, 1]`` for None and numbers; truth values; strings in their order.

    Raises
    ------
    ValueError
        If y has another number of different strings than two, or the first one in their order plainly means true, or
        the other one false.
    """
    values = np.array([0, 1]) if y is None else column_or_1d(y)
    if values.dtype == bool:
        return np.array([False, True])
    if not _are_strings(values):
        return np.array([0, 1])
    labels = np.array(sorted(set(values.tolist())))
    if len(labels) != 2:
        raise ValueError(
            f"y has {len(labels)} different strings, {shown(labels.tolist())}; give two, one for false triples and one "
            "for true ones, or leave y out where all rows are true."
        )
    false, true = (label.strip().lower() for label in labels.tolist())
    if false in MEAN_TRUE or true in MEAN_FALSE:
        raise ValueError(
            f"y has the strings {shown(labels[0])} and {shown(labels[1])}, of which the second in their order stands "
            f"for true, as everywhere in scikit-learn; give truth values, such as y == {shown(str(labels[0]))}."
        )
    return labels


def truth_of(y: ArrayLike, classes: NDArray[np.generic] | None = None) -> NDArray[np.generic]:
    """Return y with strings as 0 and 1; other values stay as they are.

    Parameters
    ----------
    y : array-like of shape (n_triples,)
    classes : ndarray of shape (2,), default=None
        From `class_labels` of another y; None takes the labels of this one.

    Raises
    ------
    ValueError
        If a string is not among the classes, and as for `class_labels`.
    """
    values = column_or_1d(y)
    if not _are_strings(values):
        return values
    classes = class_labels(values) if classes is None else classes
    strange = [value for value in values.tolist() if value not in classes.tolist()]
    if strange:
        raise ValueError(f"y has {shown(strange[0])}, which is not among the classes {shown(classes.tolist())} of fit.")
    return (values == classes[1]).astype(np.int64)


def _are_strings(values: NDArray[np.generic]) -> bool:
    return values.dtype.kind in "OUT" and len(values) > 0 and all(isinstance(value, str) for value in values.tolist())


def read_truth(y, y_val=None):
    """Return the classes of y, or of `y_val` without it, and both with strings as 0 and 1."""
    first = ("y_val", y_val) if y is None else ("y", y)
    with reading(*first, "labels of two classes, one for each row"):
        classes = class_labels(first[1])
    truth = []
    for name, told in (("y", y), ("y_val", y_val)):
        with reading(name, told, "labels of two classes, one for each row"):
            truth.append(None if told is None else truth_of(told, classes))
    return classes, *truth
