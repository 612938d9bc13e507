"""Tables in any form as columns of plain Python values, with None for holes."""

from collections.abc import Mapping, Sized
from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse

from .._graph.label_columns import as_array, is_tensor
from .._graph.labels import as_labels, factorize, first_missing, is_missing, name_first
from .._graph.matrices import tensor_values
from .._graph.modalities import LABEL_COLUMN

LONG = (LABEL_COLUMN, "attribute", "value")


@dataclass(frozen=True)
class Columns:
    """A wide table.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,), dtype object
        The entity of each row.
    values : dict of str to list of length n_rows
        Of each column; None is a hole.
    was_long : bool
        Whether it was made of a long table, in which only attributes that some entity has occur.
    """

    labels: np.ndarray
    values: dict
    was_long: bool = False

    def __len__(self):
        return len(self.labels)


def as_columns(table, entity=LABEL_COLUMN):
    """Return a table as `Columns`, a row for each entity.

    Parameters
    ----------
    table : data frame, mapping of columns or array of shape (n_rows, n_columns)
        One with the columns entity, attribute and value alone is long, and made wide.
    entity : str, default="entity"
        The column with labels; without it they are the index of a pandas data frame, else row numbers.

    Raises
    ------
    TypeError, ValueError
        If it is no table, is empty, or has columns of one name or of different lengths.
    """
    names, column_of, labels = _parts(table, entity)
    if len(set(names)) != len(names):
        raise ValueError(f"the table has the columns {name_first(names)}; give each a name of its own.")
    values = {name: plain_values(column_of(name)) for name in names}
    if set(names) == {entity, *LONG[1:]}:
        return _wide(*(values[name] for name in (entity, *LONG[1:])))
    lengths = {len(column) for column in values.values()} or {len(labels if labels is not None else table)}
    if len(lengths) != 1:
        raise ValueError(f"the table has columns of the lengths {sorted(lengths)}; they need one common length.")
    (n_rows,) = lengths
    given = values.pop(entity, None)
    if given is not None:
        labels = given
    elif labels is None:
        labels = range(n_rows)
    labels = as_labels(labels)
    _check_entities(labels)
    return Columns(labels, values)


def _check_entities(labels):
    missing = first_missing(labels)
    if missing is not None:
        raise ValueError(f"the table has no entity in row {missing}; leave the row out.")


def _parts(table, entity):
    """Return the names of the columns, a function that gives each, and the labels of an index or None."""
    if hasattr(table, "collect"):
        raise TypeError("the table is a lazy data frame; pass what its collect() returns.")
    if issparse(table):
        raise TypeError("the table is a sparse matrix: pass it in modalities= as it is, or as an array.")
    if isinstance(table, Mapping):
        return list(table), table.__getitem__, None
    if hasattr(table, "columns") or hasattr(table, "column_names"):
        names = list(getattr(table, "column_names", None) or table.columns)
        index = table.index.to_numpy() if hasattr(table, "iloc") and entity not in names else None
        return names, table.__getitem__, index
    array = as_array(table) if is_tensor(table) else np.asarray(table)
    if array.dtype.kind == "c":
        raise ValueError(f"Complex data not supported: the table has the dtype {array.dtype}.")
    if array.ndim != 2:
        raise ValueError(
            f"the table has the shape {array.shape}, expected 2D: (n_rows, n_columns). Reshape your data with "
            "array.reshape(-1, 1) if it has a single column."
        )
    return [f"x{number}" for number in range(array.shape[1])], lambda name: array[:, int(name[1:])], None


def plain_values(column):
    """Return a column as a list of Python objects; None, NaN, NaT, NA and empty strings are None.

    Spans of time are those of Python, and periods the times at which they start.
    """
    if hasattr(column, "to_pylist"):
        values = column.to_pylist()
    elif is_tensor(column):
        values = as_array(column).tolist()
    elif isinstance(column, np.ndarray) and column.dtype.kind in "biufSU":
        values = column.tolist()
    else:
        values = column.to_list() if hasattr(column, "to_list") else list(column)
    return [_plain(value) for value in values]


def _plain(value):
    if isinstance(value, np.datetime64):
        value = None if np.isnat(value) else value.astype("datetime64[us]").item()
    elif isinstance(value, np.timedelta64):
        value = None if np.isnat(value) else value.astype("timedelta64[us]").item()
    elif isinstance(value, np.generic):
        value = value.item()
    elif is_tensor(value):
        value = tensor_values(value).tolist()
    elif hasattr(value, "to_timestamp"):  # a period of pandas
        value = value.to_timestamp()
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, Sized):
        return value
    return None if is_missing(value) else value


def _wide(entities, attributes, values):
    """Make a column of each attribute; several values of one entity are a list."""
    _check_entities(entities)
    labels, rows = factorize(entities)
    columns = {}
    for row, attribute, value in zip(rows.tolist(), attributes, values, strict=True):
        if value is not None:
            columns.setdefault(attribute, {}).setdefault(row, []).append(value)
    wide = {}
    for attribute, cells in columns.items():
        single = all(len(cell) == 1 for cell in cells.values())
        wide[attribute] = [None] * len(labels)
        for row, cell in cells.items():
            wide[attribute][row] = cell[0] if single else cell
    return Columns(labels, wide, was_long=True)
