"""Adagrad's sums of squared gradients, kept as one number a row, so that a later training takes steps of the same size.

A step of Adagrad is ``lr * g / sqrt(sum of g^2 so far)``. Without the sum the first steps of a further training are as
long as those of the very first one, whatever the gradients: they throw about what has been learned. A mean over the
columns of a row does almost as well as the whole table, at a fraction of its size.
"""

import numpy as np
import torch

from .rowwise_adagrad import RowwiseAdagrad

SQUARES = "squares of {}"


def row_squares(parameters, optimizers):
    """Mean sum of squared gradients of each row.

    Parameters
    ----------
    parameters : dict of str to tensor of shape (n_rows, n_columns) or (n_rows,)
    optimizers : list of torch.optim.Optimizer

    Returns
    -------
    dict of str to ndarray of shape (n_rows,)
        Of the tables that Adagrad trains, under ``"squares of"`` their names; empty with other optimizers.
    """
    found = {}
    for name, parameter in parameters.items():
        total = _sum_of(parameter, optimizers)
        if total is not None:
            found[SQUARES.format(name)] = total.reshape(len(total), -1).mean(dim=1).cpu().numpy()
    return found


def load_squares(parameters, optimizers, squares):
    """Start Adagrad's sums from those of `row_squares`; tables that these lack start from zero."""
    for name, parameter in parameters.items():
        total, kept = _sum_of(parameter, optimizers), squares.get(SQUARES.format(name))
        if total is not None and kept is not None:
            with torch.no_grad():
                total.reshape(len(total), -1).copy_(torch.as_tensor(np.asarray(kept))[:, None])


def _sum_of(parameter, optimizers):
    for optimizer in optimizers:
        if isinstance(optimizer, torch.optim.Adagrad | RowwiseAdagrad) and parameter in optimizer.state:
            return optimizer.state[parameter]["sum"]
    return None
