"""The start of structural tables, made in the place where they are trained."""

import numpy as np
import torch

from .._utils.memory import row_blocks


class NormalRows:
    """A table of standard normal numbers that is drawn where it is asked for, and not before.

    Parameters
    ----------
    seed : int
    shape : (int, int)
    """

    def __init__(self, seed, shape):
        self._seed, self.shape = seed, shape

    def __len__(self):
        return self.shape[0]

    def blocks(self):
        """Yield slices of the rows, in order, and the rows themselves in single precision."""
        random_state = np.random.RandomState(self._seed)
        for rows in row_blocks(self.shape):
            drawn = random_state.standard_normal((rows.stop - rows.start, self.shape[1]))
            yield rows, drawn.astype(np.float32)


def filled_table(start, dtype, device, empty=None):
    """Return a start as a tensor of its own.

    Parameters
    ----------
    start : NormalRows or array-like of shape (n_rows, n_columns)
    dtype : torch.dtype
    device : torch.device or str
    empty : callable, default=None
        From a shape and a dtype to the tensor to fill, such as `empty_on_disk`; None is memory of the device.
    """
    if empty is None and not isinstance(start, NormalRows):
        return torch.tensor(np.asarray(start), dtype=dtype, device=device)
    # Block by block, so that no second table is in memory beside it.
    shape = np.shape(start) if not isinstance(start, NormalRows) else start.shape
    table = torch.empty(shape, dtype=dtype, device=device) if empty is None else empty(shape, dtype)
    for rows, drawn in start_blocks(start, dtype):
        table[rows] = drawn.to(device)
    return table


def start_blocks(start, dtype):
    """Yield slices of the rows of a start, in order, and the rows themselves as tensors of their own on the CPU.

    Parameters
    ----------
    start : NormalRows or array-like of shape (n_rows, n_columns)
    dtype : torch.dtype
    """
    if isinstance(start, NormalRows):
        for rows, drawn in start.blocks():
            yield rows, torch.from_numpy(drawn).to(dtype)
    else:
        for rows in row_blocks(np.shape(start)):
            yield rows, torch.tensor(np.asarray(start[rows]), dtype=dtype)
