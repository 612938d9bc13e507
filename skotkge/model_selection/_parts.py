"""What all splits share: how many rows are tested, and the two parts."""

import math
from numbers import Integral

import numpy as np

from .._utils.sklearn_compat import Interval, RealNotInt, safe_indexing

TEST_SIZE = [Interval(RealNotInt, 0, 1, closed="neither"), Interval(Integral, 1, None, closed="left")]


def number_of_tested(test_size, n_rows):
    """Return how many rows `test_size` asks for.

    Raises
    ------
    ValueError
        If it leaves none for training.
    """
    n_test = test_size if isinstance(test_size, Integral) else math.ceil(test_size * n_rows)
    if n_test >= n_rows:
        raise ValueError(
            f"test_size={test_size} leaves none of the {n_rows} rows of X for training; set a smaller one."
        )
    return n_test


def parts(X, y, is_test):
    """Return X_train, X_test, and y_train, y_test where y is given."""
    rows = [np.flatnonzero(~is_test), np.flatnonzero(is_test)]
    return tuple(safe_indexing(data, chosen) for data in (X, y) if data is not None for chosen in rows)
