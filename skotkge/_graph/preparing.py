"""What becomes of a matrix before it is a modality: holes filled, wide ones reduced; and of rows that come later."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config

from .._utils.memory import row_blocks
from .notices import tell

# Wider matrices are reduced: what follows has matrices of columns times columns.
WIDEST = 4096
# In absolute value; squares of larger ones, added up over the rows, may be infinite.
LARGEST = 1e140
N_COMPONENTS = 256
# Arrays of the size of the components, and of the rows, that a randomised SVD holds at its peak.
COPIES_OF_COMPONENTS = 4


@dataclass(frozen=True)
class Preparation:
    """How the rows of a modality are made of the rows given.

    Attributes
    ----------
    n_columns : int
        Of the rows given.
    means : ndarray of shape (n_columns,), or None
        What stands in for holes; None where there were none.
    holed : ndarray of int of shape (n_holed,), or None
        Columns of which another column tells the holes.
    components : ndarray of shape (n_kept, n_columns + n_holed), or None
        Right singular vectors that wide rows are projected on.
    """

    n_columns: int
    means: np.ndarray | None = None
    holed: np.ndarray | None = None
    components: np.ndarray | None = None

    def apply(self, matrix):
        """Return the rows of the modality for further rows, NaN where a whole row is missing."""
        if self.means is not None:
            matrix = _filled(_dense(matrix), self.means, self.holed)
        return _dense(matrix) if self.components is None else _times(matrix, self.components.T)


def prepare(name, matrix):
    """Fill the holes of a matrix, and reduce a wide one to its leading singular vectors.

    Parameters
    ----------
    name : str
        The modality, for messages.
    matrix : ndarray or sparse matrix of shape (n_entities, n_columns)

    Returns
    -------
    prepared : ndarray of shape (n_entities, n_features)
        The very array given where nothing is to be done.
    preparation : Preparation

    Raises
    ------
    ValueError
        If a value is infinite, or a wide matrix has holes.

    Warns
    -----
    UserWarning
        If a matrix is reduced.
    """
    n_columns = matrix.shape[1]
    too_wide = n_columns > WIDEST or (issparse(matrix) and not _fits_densely(matrix.shape))
    if not issparse(matrix) or not too_wide:
        matrix = _dense(matrix)
        means, holed = _means_for_holes(matrix, holed_columns(name, matrix))
        matrix = matrix if means is None else _filled(matrix, means, holed)
    elif not np.isfinite(matrix.data).all():
        raise ValueError(f"modalities[{name!r}] is a sparse matrix with NaN or infinite values; replace them.")
    else:
        means = holed = None
    if not too_wide:
        return matrix, Preparation(n_columns, means, holed)
    components, share = _leading_components(matrix)
    tell(
        f"modalities[{name!r}] has {n_columns} columns, of which {len(components)} leading singular vectors are kept, "
        f"with {share:.0%} of the squares; pass new entities through new_entities(), which reduces theirs alike."
    )
    return _times(matrix, components.T), Preparation(n_columns, means, holed, components)


def holed_columns(name, matrix):
    """Find the columns with holes in rows that have other values, and refuse infinities."""
    holed = np.zeros(matrix.shape[1], dtype=bool)
    if matrix.dtype.kind != "f":
        return holed
    for rows in row_blocks(matrix.shape):
        block = matrix[rows]
        infinite = np.isinf(block)
        if infinite.any():
            row = rows.start + int(infinite.any(axis=1).argmax())
            raise ValueError(f"modalities[{name!r}] has an infinite value in row {row}; replace it before fusing.")
        check_sizes(f"modalities[{name!r}]", block, rows.start)
        missing = np.isnan(block)
        holed |= missing[~missing.all(axis=1)].any(axis=0)
    return holed


def check_sizes(name, block, first_row=0):
    """Refuse values so large that their squares are no finite numbers, NaN apart."""
    if block.dtype.kind == "f" and float(np.finfo(block.dtype).max) < LARGEST:
        return
    too_large = (np.abs(block) > LARGEST).any(axis=1)
    if too_large.any():
        row = int(too_large.argmax())
        value = block[row][np.nanargmax(np.abs(block[row]))]
        raise ValueError(
            f"{name} has the value {value:.3g} in row {first_row + row}, whose square is no finite number: correct it, "
            "or divide the matrix."
        )


def observed_rows(matrix):
    """Find the rows that are there: those that are not NaN as a whole."""
    observed = np.ones(len(matrix), dtype=bool)
    if matrix.dtype.kind != "f" or not matrix.shape[1]:
        return observed & bool(matrix.shape[1])
    for rows in row_blocks(matrix.shape):
        observed[rows] = ~np.isnan(matrix[rows]).all(axis=1)
    return observed


def _means_for_holes(matrix, holed):
    """Return the mean of each column over the rows that have it, and the columns with holes; None without any."""
    if not holed.any():
        return None, None
    counts, sums = np.zeros(len(holed)), np.zeros(len(holed))
    for rows in row_blocks(matrix.shape):
        counts += np.count_nonzero(~np.isnan(matrix[rows]), axis=0)
        sums += np.nansum(matrix[rows], axis=0, dtype=float)
    # A column that nobody has tells nothing: its holes are 0, and no other column tells of them.
    return (sums / np.maximum(counts, 1)).astype(matrix.dtype), np.flatnonzero(holed & (counts > 0))


def _filled(matrix, means, holed):
    """Put means into the holes of rows with other values, and add a column of 0 and 1 for each that may have some."""
    missing = np.isnan(matrix) if matrix.dtype.kind == "f" else np.zeros(matrix.shape, dtype=bool)
    whole = ~missing.all(axis=1)
    dtype = np.result_type(matrix.dtype, means.dtype)
    out = np.full((len(matrix), matrix.shape[1] + len(holed)), np.nan, dtype=dtype)
    out[whole] = np.hstack([np.where(missing, means, matrix)[whole], missing[whole][:, holed]])
    return out


def _dense(matrix):
    return matrix.astype(np.float32).toarray() if issparse(matrix) else matrix


def _working_memory():
    return get_config()["working_memory"] * 2**20


def _fits_densely(shape):
    return np.prod(shape, dtype=float) * 4 <= _working_memory()


def _leading_components(matrix):
    """Return as many leading right singular vectors as fit into the working memory, and their share of all squares."""
    from sklearn.decomposition import TruncatedSVD

    n_rows, n_columns = matrix.shape
    affordable = int(_working_memory() // (COPIES_OF_COMPONENTS * 4 * (n_rows + n_columns)))
    observed = np.ones(n_rows, dtype=bool) if issparse(matrix) else observed_rows(matrix)
    kept = max(1, min(N_COMPONENTS, affordable, np.count_nonzero(observed) - 1, n_columns - 1))
    rows = (matrix if observed.all() else matrix[observed]).astype(np.float32)
    # X = U S V': the columns X V = U S keep the inner products of the rows as well as any so few can.
    svd = TruncatedSVD(kept, random_state=0).fit(rows)
    squares = np.square(rows.data if issparse(rows) else rows, dtype=float).sum()
    return svd.components_, np.square(svd.singular_values_, dtype=float).sum() / max(squares, np.finfo(float).tiny)


def _times(matrix, projection):
    """Multiply by blocks of rows; a row of NaN stays one."""
    if issparse(matrix):
        return np.asarray(matrix.tocsr().astype(np.float32) @ projection)
    out = np.empty((len(matrix), projection.shape[1]), dtype=np.float32)
    for rows in row_blocks(matrix.shape):
        out[rows] = matrix[rows].astype(np.float32) @ projection
    return out
