"""A table whose rows are spread over the processes of a group, and the rows of it that a batch asks for."""

import numpy as np
import torch

# In the place of the number of a row where nobody asks for one.
NOBODY = -1


class RowBlocks:
    """Which process holds which row: blocks of equal size of the rows in random order.

    Among the processes, rows are numbered in this order, so that none but the first needs the order itself: row i is
    row ``i % block`` of process ``i // block``.

    Parameters
    ----------
    n_rows, n_blocks : int
    seed : int

    The order does not depend on the number of processes.

    Attributes
    ----------
    number : ndarray of shape (n_rows,)
        Among the processes, of each row.
    rows : list of tensors
        The rows of each process, in its order.
    edges : list of int of length n_blocks + 1
        See `block_edges`.
    """

    def __init__(self, n_rows, n_blocks, seed):
        self.seed, order = seed, np.random.RandomState(seed).permutation(n_rows)
        self.number = np.empty(n_rows, dtype=np.int64)
        self.number[order] = np.arange(n_rows)
        self.edges = block_edges(n_rows, n_blocks)
        self.rows = [torch.as_tensor(part) for part in np.split(order, self.edges[1:-1])]

    def renumbered(self, ids):
        """Triples with the numbers that their entities have among the processes."""
        return np.column_stack([self.number[ids[:, 0]], ids[:, 1], self.number[ids[:, 2]]])


def block_size(n_rows, n_blocks):
    """Rows of each block; the last ones have what is left."""
    return -(-n_rows // n_blocks)


def block_edges(n_rows, n_blocks):
    """Return the number with which each block begins, and that of all rows."""
    return np.minimum(np.arange(n_blocks + 1) * block_size(n_rows, n_blocks), n_rows).tolist()


def scattered_blocks(processes, n_rows=None, numbers=None, blocks=None):
    """Send to each process its rows of a table that no process holds whole.

    Parameters
    ----------
    processes : Processes
    n_rows : int, default=None
        In the first process, as all that follows.
    numbers : ndarray of shape (n_rows,), default=None
        Of each row, see `RowBlocks`.
    blocks : iterator of (slice, tensor), default=None
        The rows, some of them at a time.

    Returns
    -------
    tensor of shape (n_own, d)
        The rows of this process.
    """
    n_rows = processes.broadcast(n_rows)
    size, blocks, table = block_size(n_rows, processes.size), iter(() if blocks is None else blocks), None
    while processes.broadcast((block := next(blocks, None)) is not None):
        parts, chosen = (None, None), None
        if block is not None:
            numbered = torch.as_tensor(numbers[block[0]])
            owner = torch.div(numbered, size, rounding_mode="floor")
            parts = numbered % size, block[1]
            chosen = [torch.nonzero(owner == rank).view(-1) for rank in range(processes.size)]
        places, values = (processes.scatter_rows(part, chosen, "start") for part in parts)
        if table is None:
            n_own = min(size, max(0, n_rows - processes.rank * size))
            table = values.new_empty(n_own, *values.shape[1:])
        table[places] = values
    return table


class ShardedTable:
    """The rows of this process, and the way to those of the others.

    Parameters
    ----------
    rows : tensor of shape (n_own, d)
        Trained.
    weight : tensor of shape (n_own,)
        Constant factor of each row.
    n_rows : int
        Of all processes together.
    processes : Processes
    """

    def __init__(self, rows, weight, n_rows, processes):
        self.rows, self.weight, self.n_rows, self.processes = rows.requires_grad_(), weight[:, None], n_rows, processes
        self._block = block_size(n_rows, processes.size)
        # Share of the batch that the gradients of this process stand for.
        self.share = 1.0
        self._fixed = None

    @property
    def edges(self):
        """Where the rows of each process begin, and the number of all."""
        return block_edges(self.n_rows, self.processes.size)

    def fix_counts(self, most):
        """Let each `lookup` move as many rows as any may need; all processes have to call it at once.

        Parameters
        ----------
        most : list of int
            The most rows that a lookup asks each process for; of the own ones as many as are asked for are moved.
        """
        sizes = np.diff(self.edges)
        counts = torch.as_tensor(np.minimum(most, sizes), device=self.rows.device)
        self._fixed = counts.tolist(), self.processes.exchange_counts(counts)

    @property
    def first(self):
        """Number of the first own row among those of all processes."""
        return self.processes.rank * self._block

    def own(self):
        """The own rows times their factors, constant."""
        return (self.weight * self.rows).detach()

    def lookup(self, chosen):
        """Return rows of any process, times their factors; every process has to ask at the same time.

        The gradient goes back to where the rows came from, times `share`. There it is sparse, with an entry for each
        process that asked for a row; the sum of these is the gradient of the row.

        Parameters
        ----------
        chosen : tensor of shape (n_chosen,), dtype int64
            Empty if nothing is asked for.

        Returns
        -------
        tensor of shape (n_chosen, d)
        """
        return _Lookup.apply(self.rows, chosen, self)

    def fetch(self, chosen, what):
        """Return rows of any process as `lookup` does, without a gradient; the bytes are counted under `what`."""
        route = self.route(chosen, (what, what))
        return route.fetch(self.own()[route.asked])

    def route(self, chosen, what=("ids", "rows")):
        """Send the numbers of rows to their owners.

        Parameters
        ----------
        chosen : tensor of shape (n_chosen,), dtype int64
        what : pair of str
            Under which the bytes of the numbers and of the rows are counted.

        Returns
        -------
        Route
        """
        # Sorted by owner, the numbers for each process lie side by side, as an all-to-all sends them; rows come back in
        # this order. A batch moves n_chosen d numbers there and as many gradients back, whatever the size of the table.
        owner = torch.div(chosen, self._block, rounding_mode="floor")
        order = owner.argsort(stable=True)
        counts = torch.bincount(owner, minlength=self.processes.size)
        counts_back = self.processes.exchange_counts(counts)
        places = (chosen % self._block)[order]
        return Route(self.processes, order, counts.tolist(), counts_back, places, what)

    def fixed_route(self, chosen):
        """As `route`, with as many numbers for each process as `fix_counts` has been told."""
        if self._fixed is None:
            return self.route(chosen)
        owner = torch.div(chosen, self._block, rounding_mode="floor")
        order = owner.argsort(stable=True)
        counts = torch.bincount(owner, minlength=self.processes.size)
        wanted, rank = counts.tolist(), self.processes.rank
        fixed, fixed_back = ([*sizes[:rank], wanted[rank], *sizes[rank + 1 :]] for sizes in self._fixed)
        # The numbers for each process come first among its slots, and none after them.
        firsts = np.cumsum([0, *fixed[:-1]]) - np.cumsum([0, *wanted[:-1]])
        slots = torch.arange(len(chosen), device=chosen.device)
        slots += torch.as_tensor(firsts, device=chosen.device)[owner[order]]
        places = chosen.new_full((sum(fixed),), NOBODY).index_copy_(0, slots, (chosen % self._block)[order])
        return PaddedRoute(self.processes, order, fixed, fixed_back, places, ("ids", "rows"), slots)


class Route:
    """The way of some rows from their owners to this process, and of their gradients back.

    Attributes
    ----------
    asked : tensor of shape (n_asked,)
        Own rows that the processes ask for, those of the first process first.
    """

    def __init__(self, processes, order, counts, counts_back, places, what):
        self._processes, self._order, self._counts, self._counts_back = processes, order, counts, counts_back
        of_numbers, self._of_rows = what
        self.asked = processes.exchange(places, counts, counts_back, of_numbers)

    def fetch(self, rows):
        """Send the rows asked for to those who ask; return what this process asked for, in its order."""
        received = self._processes.exchange(rows, self._counts_back, self._counts, self._of_rows)
        chosen = torch.empty_like(received)
        chosen[self._order] = received
        return chosen

    def give_back(self, gradient):
        """Send the gradient of the rows fetched to their owners; return that of the rows asked for."""
        return self._processes.exchange(gradient[self._order], self._counts, self._counts_back, "gradients")


class PaddedRoute(Route):
    """A route with more room than rows: what nobody asked for is sent for nothing.

    Parameters
    ----------
    processes, order, counts, counts_back, places, what
        As of `Route`.
    slots : tensor of shape (n_chosen,)
        Where the numbers of the rows are among `places`; the others are `NOBODY`.
    """

    def __init__(self, processes, order, counts, counts_back, places, what, slots):
        super().__init__(processes, order, counts, counts_back, places, what)
        self._slots, self._n_slots = slots, len(places)
        self._is_asked = self.asked != NOBODY
        self.asked = self.asked[self._is_asked]

    def fetch(self, rows):
        """Send the rows asked for to those who ask; return what this process asked for, in its order."""
        padded = rows.new_zeros(len(self._is_asked), *rows.shape[1:])
        padded[self._is_asked] = rows
        received = self._processes.exchange(padded, self._counts_back, self._counts, self._of_rows)
        chosen = rows.new_empty(len(self._order), *rows.shape[1:])
        chosen[self._order] = received[self._slots]
        return chosen

    def give_back(self, gradient):
        """Send the gradient of the rows fetched to their owners; return that of the rows asked for."""
        padded = gradient.new_zeros(self._n_slots, *gradient.shape[1:])
        padded[self._slots] = gradient[self._order]
        given = self._processes.exchange(padded, self._counts, self._counts_back, "gradients")
        return given[self._is_asked]


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx, rows, chosen, table):
        ctx.table, ctx.route, ctx.shape = table, table.fixed_route(chosen), rows.shape
        return ctx.route.fetch(rows[ctx.route.asked] * table.weight[ctx.route.asked])

    @staticmethod
    def backward(ctx, gradient):
        # e_i = w_i s_i, and ds_i = w_i sum_p share_p g_pi over the processes p that asked for row i; the sum is left to
        # the step.
        asked = ctx.route.asked
        given = ctx.route.give_back(ctx.table.share * gradient) * ctx.table.weight[asked]
        return torch.sparse_coo_tensor(asked[None], given, ctx.shape, check_invariants=False), None, None
