"""Columns of labels as distinct labels and codes, so that no label is looked at more often than it is distinct."""

from collections.abc import Sequence

import numpy as np

from .labels import factorize

# Integers within so many times their number get their codes from a table in place of a sort.
SPAN = 4


class CodedColumn(Sequence):
    """A column of labels.

    Parameters
    ----------
    distinct : list
        Different labels, among them all of the column.
    codes : ndarray of int of shape (n,)
        Position of each label among them.
    """

    def __init__(self, distinct, codes):
        self.distinct, self.codes = distinct, codes

    @classmethod
    def of_integers(cls, values):
        """Code an array of integers."""
        if not len(values):
            return cls([], np.empty(0, dtype=np.int64))
        low, high = int(values.min()), int(values.max())
        if high - low > SPAN * len(values):
            distinct, codes = np.unique(values, return_inverse=True)
            return cls(distinct.tolist(), codes)
        # Small types would overflow, and the largest of unsigned ones fit into no other.
        shifted = values - values.dtype.type(low) if values.dtype.kind == "u" else values.astype(np.int64) - low
        return cls(list(range(low, high + 1)), shifted.astype(np.int64))

    def __len__(self):
        return len(self.codes)

    def __getitem__(self, rows):
        if isinstance(rows, slice):
            return CodedColumn(self.distinct, self.codes[rows])
        return self.distinct[self.codes[rows]]

    def __iter__(self):
        return map(self.distinct.__getitem__, self.codes.tolist())

    def __contains__(self, label):
        return self.count(label) > 0

    def count(self, label):
        """Return how often a label occurs."""
        return int(np.count_nonzero(self.codes == self.distinct.index(label))) if label in self.distinct else 0

    def chosen(self, rows):
        """Return the column of some rows."""
        return CodedColumn(self.distinct, self.codes[rows])


def joined_in_order(columns):
    """Code several columns together, their labels in order of first appearance row by row.

    Parameters
    ----------
    columns : sequence of CodedColumn

    Returns
    -------
    distinct : list
    codes : list of ndarray of shape (n,)
    """
    together, positions = factorize([label for column in columns for label in column.distinct])
    starts = np.cumsum([0, *(len(column.distinct) for column in columns)])
    codes = np.column_stack([positions[start + column.codes] for start, column in zip(starts, columns, strict=False)])
    # The last of several values assigned stays: going backwards, that of the first appearance.
    order, n_codes = np.full(len(together), codes.size), codes.size
    order[codes.ravel()[::-1]] = np.arange(n_codes)[::-1]
    used = np.flatnonzero(order < n_codes)
    used = used[np.argsort(order[used])]
    renumbered = np.empty(len(together), dtype=np.int64)
    renumbered[used] = np.arange(len(used))
    return together[used], list(renumbered[codes].T)
