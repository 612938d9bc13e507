"""Adagrad and Adam that step the rows of a table that have a gradient, without asking the device how many there are.

PyTorch's own first add up the gradients of equal rows, and wait for the device to learn how many rows are left. Here
the rows of a sparse gradient are distinct as they come, in increasing order, but for repetitions of the last one with a
gradient of zero, see `distinct`.
"""

import torch

from .distinct import is_first


class RowAdagrad(torch.optim.Adagrad):
    """Adagrad for dense and sparse gradients; a row without a gradient stays as it is."""

    @torch.no_grad()
    def step(self, closure=None):
        """Take one step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.grad.is_sparse:
                    self._step_rows(parameter, group)
                    parameter.grad = None
        return super().step(closure)

    def _step_rows(self, parameter, group):
        rows, gradient = _rows_of(parameter.grad)
        squares = self.state[parameter]["sum"]
        # G_i += g_i^2, and then x_i -= lr g_i / (sqrt(G_i) + eps), for the rows i of the batch alone.
        # Added, not put in its place: the repetitions of a row add zero.
        squares.index_add_(0, rows, gradient.square())
        scale = squares.index_select(0, rows).sqrt_().add_(group["eps"])
        parameter.index_add_(0, rows, gradient.div(scale), alpha=-group["lr"])


class RowAdam(torch.optim.SparseAdam):
    """Adam for sparse gradients; a row without a gradient stays as it is, its moments too."""

    @torch.no_grad()
    def step(self, closure=None):
        """Take one step."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_rows(parameter, group)

    def _step_rows(self, parameter, group):
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["exp_avg"], state["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        state["step"] += 1
        # m += (1 - b_1) (g - m), v += (1 - b_2) (g^2 - v) and x -= lr sqrt(1 - b_2^t) / (1 - b_1^t) m / (sqrt(v) +
        # eps), with t the steps of the table and not of the row. A repetition of the last row has a change of 0.
        rows, gradient = _rows_of(parameter.grad)
        counts = is_first(rows)[:, None]
        moments = []
        decays = group["betas"]
        for name, decay, found in zip(("exp_avg", "exp_avg_sq"), decays, (gradient, gradient.square()), strict=True):
            before = state[name].index_select(0, rows)
            change = (found - before).mul_((1 - decay) * counts)
            state[name].index_add_(0, rows, change)
            moments.append(before.add_(change))
        unbiased = [1 - decay ** state["step"] for decay in decays]
        scale = moments[1].sqrt_().add_(group["eps"]).mul_(unbiased[0] / unbiased[1] ** 0.5)
        parameter.index_add_(0, rows, moments[0].mul_(counts).div_(scale), alpha=-group["lr"])


def _rows_of(gradient):
    """Rows and values of a sparse gradient."""
    return gradient._indices()[0], gradient._values()
