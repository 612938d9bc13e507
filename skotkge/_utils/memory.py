"""Rows in blocks that fit into scikit-learn's working memory."""

from sklearn import get_config

# Of a block and its temporary copies in double precision; larger ones are no faster.
LARGEST_BLOCK = 2**26
COPIES = 3


def row_blocks(shape):
    """Yield slices of the rows of a matrix of the given shape, in order.

    Parameters
    ----------
    shape : (int, int)

    Yields
    ------
    slice
        Of at least one row.
    """
    n_rows, n_columns = shape
    limit = min(LARGEST_BLOCK, get_config()["working_memory"] * 2**20)
    size = max(1, int(limit // (COPIES * 8 * max(1, n_columns))))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))
