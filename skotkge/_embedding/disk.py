"""Tables in temporary files that are mapped into memory, so that the system may write rows out and read them again."""

import os
import tempfile

import numpy as np
import torch

from .._utils.memory import row_blocks

ENTITY_TABLES = ("memory", "disk")


def empty_on_disk(shape, dtype):
    """Return a tensor of zeros in a file of `tempfile.gettempdir`, which has no name and goes with the tensor.

    Parameters
    ----------
    shape : (int, int)
    dtype : torch.dtype

    Returns
    -------
    tensor of the given shape on the CPU

    Raises
    ------
    OSError
        If the folder has less room than the table needs.
    """
    numbers = torch.empty(0, dtype=dtype).numpy().dtype
    # The mapping holds the file open; where the system lets go of the last one, after a kill too, the file is gone.
    with tempfile.TemporaryFile(prefix="skotkge-") as file:
        if hasattr(os, "posix_fallocate"):
            # A row that later finds no room on the disk would end the process by a signal.
            os.posix_fallocate(file.fileno(), 0, max(1, shape[0] * shape[1] * numbers.itemsize))
        return torch.from_numpy(np.memmap(file, numbers, "w+", shape=tuple(shape)))


def copy_on_disk(table):
    """Return a copy of a table in a file of its own.

    Parameters
    ----------
    table : tensor of shape (n_rows, n_columns)

    Returns
    -------
    tensor of shape (n_rows, n_columns)
    """
    table = table.detach()
    copied = empty_on_disk(table.shape, table.dtype)
    for rows in row_blocks(table.shape):
        copied[rows] = table[rows]
    return copied


def all_finite(table):
    """Tell whether all numbers of a table are finite, without temporary arrays of its size."""
    table = table.detach()
    if table.dim() != 2:
        return bool(torch.isfinite(table).all())
    return all(bool(torch.isfinite(table[rows]).all()) for rows in row_blocks(table.shape))
