"""Dot products of chosen pairs of rows, without the rows of all pairs in memory."""

import warnings
from functools import cache

import torch
from sklearn import get_config
from torch.nn import functional


class _PairProducts(torch.autograd.Function):
    """Each gradient is a weighted sum of rows of the other side."""

    @staticmethod
    def forward(ctx, left, right, left_rows, right_rows):
        ctx.save_for_backward(left, right, left_rows, right_rows)
        if left.device.type == "cpu":
            return _sampled_product(left, right, left_rows, right_rows)
        return gathered_products(left, right, left_rows, right_rows)

    @staticmethod
    def backward(ctx, gradient):
        # Of sum_p g_p <L[l_p], R[r_p]> the gradient of L[i] is the sum of g_p R[r_p] over the pairs with l_p = i. These
        # stand side by side, for R after sorting, so that no (n_pairs, d) rows are gathered and scattered.
        left, right, left_rows, right_rows = ctx.saved_tensors
        gradients = [None, None]
        if ctx.needs_input_grad[0]:
            gradients[0] = _weighted_sums(right, right_rows, gradient, _ends(left_rows, len(left)))
        if ctx.needs_input_grad[1]:
            ordered, order = right_rows.sort(stable=True)
            gradients[1] = _weighted_sums(left, left_rows[order], gradient[order], _ends(ordered, len(right)))
        return *gradients, None, None


def _ends(ordered, n_groups):
    """Where each of the groups ``0, 1, ...`` starts among members in order of their groups, and where the last ends."""
    return torch.searchsorted(ordered, torch.arange(n_groups + 1, device=ordered.device))


def _weighted_sums(table, rows, weights, ends):
    """Sum of ``weights * table[rows]`` over the members of each group."""
    return functional.embedding_bag(rows, table, ends, mode="sum", per_sample_weights=weights, include_last_offset=True)


def _sampled_product(left, right, left_rows, right_rows):
    """The entries of ``left @ right.T`` that a sparse matrix with these places has; all where that is not more."""
    if len(left_rows) >= len(left) * len(right):
        return (left @ right.T).view(-1).index_select(0, left_rows * len(right) + right_rows)
    # Only the entries of L R' at the places of a sparse matrix, n_pairs d multiplications in its order of rows.
    _tell_of_sparse_rows_once()
    places = torch.sparse_csr_tensor(
        _ends(left_rows, len(left)),
        right_rows,
        left.new_zeros(len(right_rows)),
        (len(left), len(right)),
        check_invariants=False,
    )
    return torch.sparse.sampled_addmm(places, left, right.T, beta=0.0).values()


@cache
def _tell_of_sparse_rows_once():
    """Let PyTorch say, to nobody, that its sparse rows are in beta state; it does so once in a process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        nothing = torch.zeros(1, dtype=torch.int64)
        torch.sparse_csr_tensor(nothing, nothing[:0], torch.zeros(0), (0, 1), check_invariants=False)


def gathered_products(left, right, left_rows, right_rows):
    """The products by gathering the rows, as many at a time as fit into scikit-learn's working memory."""
    # Rows of both sides and their products: three numbers for each pair and column.
    n_at_once = int(get_config()["working_memory"] * 2**20 // (3 * left.element_size() * left.shape[1]))
    parts = zip(left_rows.split(max(1, n_at_once)), right_rows.split(max(1, n_at_once)), strict=True)
    found = [(left.index_select(0, lefts) * right.index_select(0, rights)).sum(1) for lefts, rights in parts]
    return found[0] if len(found) == 1 else torch.cat(found)


def pair_products(left, right, left_rows, right_rows):
    """Dot product of ``left[left_rows]`` and ``right[right_rows]``, pair by pair.

    Parameters
    ----------
    left, right : tensors of shape (n_left, d) and (n_right, d)
    left_rows, right_rows : tensors of shape (n_pairs,), dtype int64
        Those of the left in increasing order.

    Returns
    -------
    tensor of shape (n_pairs,)
    """
    return _PairProducts.apply(left, right, left_rows, right_rows)
