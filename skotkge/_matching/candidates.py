"""The best candidates of each entity, block by block, without ever holding all similarities."""

import numpy as np
from scipy.sparse import csr_array

# Similarities at once; 64 million of single precision are 256 MiB.
BLOCK_ENTRIES = 2**26


def best_candidates(first, second, n_best, device="cpu"):
    """Return the largest inner products between rows of two matrices.

    Parameters
    ----------
    first : ndarray of shape (n_rows, n_features)
    second : ndarray of shape (n_columns, n_features)
    n_best : int or None
        Candidates of each row; None keeps all.
    device : str, default="cpu"
        Where the products are computed.

    Returns
    -------
    csr_array of shape (n_rows, n_columns)
        Has `n_best` stored entries in each row, sorted by column.
    """
    n_rows, n_columns = len(first), len(second)
    n_best = n_columns if n_best is None else min(n_best, n_columns)
    columns = np.empty((n_rows, n_best), dtype=np.int32)
    values = np.empty((n_rows, n_best), dtype=np.float32)
    step = max(1, BLOCK_ENTRIES // max(n_columns, 1))
    for start, block in _blocks(first, second, step, device):
        if n_best < n_columns:
            best = np.argpartition(block, n_columns - n_best, axis=1)[:, n_columns - n_best :]
            best.sort(axis=1)
        else:
            best = np.broadcast_to(np.arange(n_columns), block.shape)
        columns[start : start + step] = best
        values[start : start + step] = np.take_along_axis(block, best, axis=1)
    ends = np.arange(n_rows + 1, dtype=np.int64) * n_best
    return csr_array((values.ravel(), columns.ravel(), ends), shape=(n_rows, n_columns))


def _blocks(first, second, step, device):
    """Yield the first row and the inner products of each block of rows."""
    if device == "cpu":
        for start in range(0, len(first), step):
            yield start, first[start : start + step] @ second.T
        return
    import torch

    transposed = torch.tensor(second, device=device).T
    for start in range(0, len(first), step):
        rows = torch.tensor(first[start : start + step], device=device)
        yield start, (rows @ transposed).cpu().numpy()
