"""What becomes of a matrix before it is a modality: holes filled, wide ones reduced; and of rows that come later."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config

from .._utils.autologging import unlogged
from .._utils.memory import row_blocks
from .._utils.messages import tell

# Wider matrices are reduced: what follows has matrices of columns times columns.
WIDEST = 4096
# In absolute value; squares of larger ones, added up over the rows, may be infinite.
LARGEST = 1e140
N_COMPONENTS = 256
# Singular values of rounding in single precision, relative to the largest.
LENGTH_OF_ROUNDING = 1e-5
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
        What stands in for holes; None in files of earlier versions that had none.
    holed : ndarray of int of shape (n_holed,), or None
        Columns of which another column tells the holes, those that had some at first.
    components : ndarray of shape (n_kept, n_columns + n_holed), or None
        Right singular vectors that wide rows are projected on.
    """

    n_columns: int
    means: np.ndarray | None = None
    holed: np.ndarray | None = None
    components: np.ndarray | None = None

    def apply(self, what, matrix):
        """Return the rows of the modality for further rows, NaN where a whole row is missing."""
        holed = holed_columns(what, matrix)
        if holed.any() and self.means is None:
            raise ValueError(
                f"{what} has holes in rows with other values, and the fit no means to fill them; fit anew."
            )
        if self.means is not None and (holed.any() or len(self.holed)):
            matrix = _filled(_dense(matrix), self.means, self.holed)
        return _dense(matrix) if self.components is None else _times(matrix, self.components.T)


def fill_holes(what, matrix):
    """Put the mean of its column into each hole of a row that has other values, and add columns that tell of them.

    Parameters
    ----------
    what : str
        The matrix, for messages.
    matrix : ndarray of shape (n_entities, n_columns)

    Returns
    -------
    filled : ndarray of shape (n_entities, n_columns + n_holed)
        The very array given where there are no holes.
    preparation : Preparation

    Raises
    ------
    ValueError
        If a value is infinite.
    """
    holed = holed_columns(what, matrix)
    counts, means = _means(matrix)
    # A column that nobody has tells nothing: its holes are 0, and no other column tells of them.
    told = np.flatnonzero(holed & (counts > 0))
    return _filled(matrix, means, told) if holed.any() else matrix, Preparation(matrix.shape[1], means, told)


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
    what = f"modalities[{name!r}]"
    if not issparse(matrix) or not too_wide:
        matrix, preparation = fill_holes(what, _dense(matrix))
    else:
        holed_columns(what, matrix)
        preparation = Preparation(n_columns, _means(matrix)[1], np.empty(0, dtype=np.int64))
    if not too_wide:
        return matrix, preparation
    components, share = _leading_components(matrix)
    tell(
        f"{what} has {n_columns} columns, of which {len(components)} leading singular vectors are kept, "
        f"with {share:.0%} of the squares; pass new entities through new_entities(), which reduces theirs alike."
    )
    return _times(matrix, components.T), replace(preparation, components=components)


def holed_columns(what, matrix):
    """Find the columns with holes in rows that have other values, and refuse infinities, and NaN in sparse matrices."""
    holed = np.zeros(matrix.shape[1], dtype=bool)
    if issparse(matrix):
        if not np.isfinite(matrix.data).all():
            raise ValueError(f"{what} is a sparse matrix with NaN or infinite values; replace them.")
        return holed
    if matrix.dtype.kind != "f":
        return holed
    for rows in row_blocks(matrix.shape):
        block = matrix[rows]
        infinite = np.isinf(block)
        if infinite.any():
            row = rows.start + int(infinite.any(axis=1).argmax())
            raise ValueError(f"{what} has an infinite value in row {row}; replace it before fusing.")
        check_sizes(what, block, rows.start)
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


def _means(matrix):
    """Return of each column the number of rows that have it, and their mean, 0 without any."""
    n_rows, n_columns = matrix.shape
    if issparse(matrix):
        counts, sums = np.full(n_columns, n_rows), np.asarray(matrix.sum(axis=0, dtype=float)).ravel()
    else:
        counts, sums = np.zeros(n_columns, dtype=np.int64), np.zeros(n_columns)
        for rows in row_blocks(matrix.shape):
            block = matrix[rows]
            missing = np.isnan(block) if block.dtype.kind == "f" else np.zeros(block.shape, dtype=bool)
            counts += len(block) - np.count_nonzero(missing, axis=0)
            sums += np.sum(block, axis=0, dtype=float, where=~missing)
    return counts, (sums / np.maximum(counts, 1)).astype(np.result_type(matrix.dtype, np.float16))


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
    with unlogged(), np.errstate(invalid="ignore", divide="ignore"):  # shares of no variance, where all rows are equal
        svd = TruncatedSVD(kept, random_state=0).fit(rows)
    squares = np.square(rows.data if issparse(rows) else rows, dtype=float).sum()
    # Components beyond the rank are rounding, which standardising would make as large as the others.
    true = svd.singular_values_ > LENGTH_OF_ROUNDING * svd.singular_values_[0]
    true[0] = True
    return svd.components_[true], np.square(svd.singular_values_, dtype=float).sum() / max(
        squares, np.finfo(float).tiny
    )


def _times(matrix, projection):
    """Multiply by blocks of rows; a row of NaN stays one."""
    if issparse(matrix):
        return np.asarray(matrix.tocsr().astype(np.float32) @ projection)
    out = np.empty((len(matrix), projection.shape[1]), dtype=np.float32)
    for rows in row_blocks(matrix.shape):
        out[rows] = matrix[rows].astype(np.float32) @ projection
    return out
