"""Row-wise Adagrad: one accumulated number a row, in place of one for each column."""

import torch


class RowwiseAdagrad(torch.optim.Optimizer):
    """Adagrad with one step size for each row of a table (Zheng et al., 2020; as in DLRM and Dist-KGE).

    With the mean square of the gradient of a row, ``s_i += mean_j g_ij^2`` and ``x_i -= lr g_i / (sqrt(s_i) + eps)``:
    the state of n rows takes n numbers. Sparse gradients touch their rows alone, which have to be distinct but for
    repetitions with a gradient of zero, see `distinct`: so nobody waits for the device to learn how many there are.

    Parameters
    ----------
    params : iterable of tensors of shape (n, ...), or groups of them
    lr : float, default=0.1
    eps : float, default=1e-10
    """

    def __init__(self, params, lr=0.1, eps=1e-10):
        super().__init__(params, {"lr": lr, "eps": eps})
        for group in self.param_groups:
            for table in group["params"]:
                size = (len(table), *[1] * (table.dim() - 1))
                self.state[table]["sum"] = torch.zeros(size, dtype=torch.float32, device=table.device)

    @torch.no_grad()
    def step(self, closure=None):
        """Take a step along the gradients."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    _step(table, table.grad, self.state[table]["sum"], group["lr"], group["eps"])
        return loss


def _step(table, gradient, sums, lr, eps):
    columns = tuple(range(1, table.dim()))
    if not gradient.is_sparse:
        sums += gradient.square().mean(columns, keepdim=True).to(sums.dtype)
        table.addcdiv_(gradient, sums.sqrt().add_(eps).to(table.dtype), value=-lr)
        return
    rows, values = gradient._indices()[0], gradient._values()
    sums.index_add_(0, rows, values.square().mean(columns, keepdim=True).to(sums.dtype))
    scale = sums.index_select(0, rows).sqrt_().add_(eps).to(values.dtype)
    table.index_add_(0, rows, values / scale, alpha=-lr)
