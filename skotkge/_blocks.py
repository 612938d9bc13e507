"""Rows in blocks that fit into scikit-learn's working memory."""

from sklearn import get_config
from sklearn.utils import gen_batches

# Of a block and its temporary copies in double precision; larger ones are no faster.
LARGEST_BLOCK = 2**26
COPIES = 3


def row_blocks(shape):
    """Slices of the rows of a matrix of the given shape, in order, of at least one row each.

    Parameters
    ----------
    shape : (int, int)

    Returns
    -------
    generator of slice
    """
    n_rows, n_columns = shape
    limit = min(LARGEST_BLOCK, get_config()["working_memory"] * 2**20)
    return gen_batches(n_rows, max(1, int(limit // (COPIES * 8 * max(1, n_columns)))))
