"""Matrices as users hold them, data frames with nullable columns among them, brought to NumPy or left sparse."""

import numpy as np
from scipy.sparse import coo_array, issparse, vstack

from .label_columns import as_array, is_tensor
from .labels import is_missing, name_first

NUMERIC = "biuf"
ENCODE = "turn text and other values that are no numbers into vectors by skotkge.encoding.encode_table"


def as_matrix(name, given):
    """Return a matrix of numbers as an array, itself where it is one; sparse ones as they are.

    Parameters
    ----------
    name : str
        The modality, for messages.
    given : array-like, tensor, sparse matrix or data frame

    Raises
    ------
    TypeError
        If it is a masked array.
    ValueError
        If it has other values than real numbers; of a data frame the message names the column.
    """
    if isinstance(given, np.ma.MaskedArray):
        raise TypeError(
            f"modalities[{name!r}] is a masked array; turn it into floats and pass what its filled(np.nan) returns."
        )
    if is_tensor(given):
        matrix = tensor_values(given)
    elif isinstance(given, np.matrix):
        matrix = np.asarray(given)
    elif issparse(given):
        matrix = given
    elif hasattr(given, "columns"):
        matrix = frame_values(name, given)
    else:
        matrix = given.to_numpy() if hasattr(given, "to_numpy") else _array_of_rows(name, given)
    if matrix.dtype.kind not in NUMERIC:
        raise ValueError(f"modalities[{name!r}] has the dtype {matrix.dtype}, expected real numbers; {ENCODE}.")
    return matrix


def _array_of_rows(name, rows):
    try:
        array = np.asanyarray(rows)
        # None is what a missing number looks like in plain Python.
        return array.astype(float) if array.dtype == object and _holds_numbers(array.ravel()) else array
    except (ValueError, TypeError) as error:
        raise ValueError(f"modalities[{name!r}] is no matrix: {error}; its rows need one common length.") from error


def _holds_numbers(values):
    return all(value is None or isinstance(value, int | float | np.number | np.bool_) for value in values)


def tensor_values(tensor):
    """Return a tensor as an array, a sparse one of torch as a sparse array.

    Types that NumPy lacks, bfloat16 for one, become single precision.
    """
    if _is_sparse(tensor):
        if tensor.ndim != 2:
            return tensor_values(tensor.to_dense())
        coordinates = tensor.detach().cpu().to_sparse_coo().coalesce()
        return coo_array((tensor_values(coordinates.values()), coordinates.indices().numpy()), tensor.shape).tocsr()
    try:
        return as_array(tensor)
    except TypeError:
        return as_array(tensor.float())


def _is_sparse(tensor):
    return hasattr(tensor, "to_sparse_coo") and "sparse" in str(tensor.layout)


def frame_values(name, frame):
    """Return the columns of a data frame of pandas or polars as a matrix; missing values are NaN.

    Raises
    ------
    ValueError
        If a column holds text, dates or objects; the message names it.
    """
    if hasattr(frame, "sparse") and len(frame.columns):  # of pandas, where every column is sparse
        if all(dtype.fill_value == 0 for dtype in frame.dtypes):
            return frame.sparse.to_coo().tocsr()
        frame = frame.sparse.to_dense()  # zeros are what a sparse matrix leaves out, and here it is something else
    columns = [frame[column] for column in frame.columns]
    for column, values in zip(frame.columns, columns, strict=True):
        if not _is_numeric(values.dtype):
            raise ValueError(f"modalities[{name!r}] has the column {column!r} of {values.dtype}; {ENCODE}.")
    if len({values.dtype for values in columns}) <= 1 and all(isinstance(v.dtype, np.dtype) for v in columns):
        return frame.to_numpy()
    if not columns:
        return np.empty((len(frame), 0))
    single = all("float32" in str(values.dtype).lower() for values in columns)
    return np.column_stack([_plain_numbers(values) for values in columns]).astype(np.float32 if single else float)


def _is_numeric(dtype):
    if hasattr(dtype, "kind"):
        return dtype.kind in NUMERIC
    return dtype.is_numeric() or str(dtype) == "Boolean"  # those of polars


def _plain_numbers(values):
    if isinstance(values.dtype, np.dtype):
        return values.to_numpy()
    if hasattr(values.dtype, "kind"):
        return values.to_numpy(dtype=float, na_value=np.nan)
    return values.cast(float).to_numpy()


def rows_of_vectors(name, vectors):
    """Stack a vector for each label; None, NaN or NA in place of a vector is a row of NaN.

    Parameters
    ----------
    name : str
    vectors : mapping of label to vector or number

    Raises
    ------
    ValueError
        If there is none, or they have different lengths.
    """
    if not vectors:
        raise ValueError(f"modalities[{name!r}] is an empty mapping; leave the modality out.")
    rows = {label: _vector(name, label, vector) for label, vector in vectors.items()}
    lengths = sorted({row.shape[1] for row in rows.values() if row is not None})
    if not lengths:
        raise ValueError(
            f"modalities[{name!r}] has no vector for any of its {len(rows)} labels, all are None or NaN; leave the "
            "modality out, or give some label a vector."
        )
    if len(lengths) != 1:
        raise ValueError(
            f"modalities[{name!r}] maps labels to vectors of the lengths {name_first(lengths)}; "
            "all vectors need one common length."
        )
    if all(issparse(row) for row in rows.values()):
        return vstack(list(rows.values()), format="csr")
    rows = [np.full((1, lengths[0]), np.nan, dtype=np.float16) if row is None else row for row in rows.values()]
    return np.concatenate([row.toarray() if issparse(row) else row for row in rows])


def _vector(name, label, vector):
    """Return a vector as one row, None where it is missing."""
    if not issparse(vector) and np.ndim(vector) == 0:
        vector = vector.item() if hasattr(vector, "item") else vector
        if is_missing(vector):
            return None
        vector = [vector]
    row = vector if issparse(vector) else as_matrix(name, vector)
    if min(row.ndim, 2) == 2 and row.shape[0] != 1:
        raise ValueError(
            f"modalities[{name!r}] has for {label!r} an array of the shape {row.shape}, expected one vector."
        )
    return row if issparse(row) else row.reshape(1, -1)
