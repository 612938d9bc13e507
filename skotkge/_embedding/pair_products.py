"""Dot products of chosen pairs of rows, without the rows of all pairs in memory."""

import torch
from torch.nn import functional

# Numbers of gathered rows held at once, so few that they stay in a core's cache.
GATHERED_AT_ONCE = 2**18


class _PairProducts(torch.autograd.Function):
    """Rows are gathered block by block; each gradient is a weighted sum of rows of the other side."""

    @staticmethod
    def forward(ctx, left, right, left_rows, right_rows):
        ctx.save_for_backward(left, right, left_rows, right_rows)
        products = left.new_empty(len(left_rows))
        size = max(1, GATHERED_AT_ONCE // left.shape[1])
        for first in range(0, len(left_rows), size):
            block = slice(first, first + size)
            gathered = functional.embedding(right_rows[block], right)
            gathered.mul_(functional.embedding(left_rows[block], left))
            torch.sum(gathered, dim=1, out=products[block])
        return products

    @staticmethod
    def backward(ctx, gradient):
        left, right, left_rows, right_rows = ctx.saved_tensors
        gradients = [None, None]
        if ctx.needs_input_grad[0]:
            gradients[0] = _weighted_sums(right, right_rows, gradient, left_rows, len(left))
        if ctx.needs_input_grad[1]:
            gradients[1] = _weighted_sums(left, left_rows, gradient, right_rows, len(right))
        return *gradients, None, None


def _weighted_sums(table, rows, weights, groups, n_groups):
    """Sum of ``weights * table[rows]`` over the members of each group."""
    order = groups.argsort(stable=True)
    counts = torch.bincount(groups, minlength=n_groups)
    starts = counts.cumsum(0) - counts
    return functional.embedding_bag(rows[order], table, starts, mode="sum", per_sample_weights=weights[order])


def pair_products(left, right, left_rows, right_rows):
    """Dot product of ``left[left_rows]`` and ``right[right_rows]``, pair by pair.

    Parameters
    ----------
    left, right : tensors of shape (n_left, d) and (n_right, d)
    left_rows, right_rows : tensors of shape (n_pairs,), dtype int64

    Returns
    -------
    tensor of shape (n_pairs,)
    """
    return _PairProducts.apply(left, right, left_rows, right_rows)
