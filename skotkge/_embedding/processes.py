"""A process group of torch.distributed: the few exchanges that training needs, the bytes of each counted."""

import os
import sys
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed

if distributed.is_available():
    # Its functions keep the group that there is while they are imported, as a default, for ever: imported in the midst
    # of a fit, as torch.optim does, it left threads of Gloo behind that now and then aborted the process at its end.
    import torch.distributed.nn.functional

# For a message of another process that is still there.
LONGEST_WAIT = timedelta(days=7)


class ProcessLostError(RuntimeError):
    """Another process of the group has ended, or cannot be reached."""


def current_processes():
    """Return the `Processes` of the default process group, or None where there is no group of several."""
    # A program that has not imported torch.distributed has no group; to import it here would take its time.
    if "torch.distributed" not in sys.modules or not distributed.is_available() or not distributed.is_initialized():
        return None
    return Processes() if distributed.get_world_size() > 1 else None


@contextmanager
def started_group():
    """Join the group that ``torchrun`` has started, with NCCL if each process has a GPU; yield its `Processes`."""
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() and distributed.is_nccl_available() else 0
    has_gpus = n_gpus >= int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if has_gpus:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
    # A process that ends is noticed at once; those that wait for what the first does alone must not give up.
    distributed.init_process_group("nccl" if has_gpus else "gloo", timeout=LONGEST_WAIT)
    try:
        yield Processes()
    finally:
        distributed.destroy_process_group()


class Processes:
    """The default process group, of which the first process leads.

    Attributes
    ----------
    rank, size : int
        Number of this process, and how many there are.
    device : torch.device
        Where tensors have to be to be exchanged: the GPU of this process with NCCL, else the CPU.
    sent : Counter
        Bytes that this process has sent to others, by what they hold.
    is_exchanging : bool
        Whether all processes are within a task that they do together, so that none can be told anything else.
    """

    def __init__(self):
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        on_gpu = distributed.get_backend() == "nccl"
        self.device = torch.device("cuda", torch.cuda.current_device()) if on_gpu else torch.device("cpu")
        self.sent = Counter()
        self.is_exchanging = False

    @contextmanager
    def exchanging(self):
        """Within a task that all do together; it stays so if the task fails."""
        self.is_exchanging = True
        yield
        self.is_exchanging = False

    @property
    def leads(self):
        """Whether this is the first process, the only one that prints and writes."""
        return self.rank == 0

    def broadcast(self, value=None):
        """Return the value of the first process, in all of them."""
        holder = [value]
        with _telling_of_losses():
            distributed.broadcast_object_list(holder, src=0, device=self.device)
        return holder[0]

    def scatter_rows(self, table=None, rows=None, what="scattered"):
        """Send to each process some rows of a table of the first.

        Parameters
        ----------
        table : tensor of shape (n_rows, ...), default=None
            In the first process.
        rows : list of tensors of int64, default=None
            In the first process: the rows of each process.
        what : str
            Under which the bytes are counted.

        Returns
        -------
        tensor
            The rows of this process, on `device`.
        """
        header = None if table is None else ([len(part) for part in rows], table.shape[1:], table.dtype)
        lengths, shape, dtype = self.broadcast(header)
        if table is None:
            received = torch.empty(lengths[self.rank], *shape, dtype=dtype, device=self.device)
            with _telling_of_losses():
                distributed.recv(received, src=0)
            return received
        # One part at a time: no copy of the whole table beside it.
        for rank in range(1, self.size):
            part = table[rows[rank]].to(self.device).contiguous()
            self._count(what, part)
            with _telling_of_losses():
                distributed.send(part, dst=rank)
        return table[rows[0]].to(self.device)

    def gather_rows(self, part, rows=None, what="gathered"):
        """Bring the rows of all processes together in the first; the reverse of `scatter_rows`.

        Returns
        -------
        tensor of shape (n_rows, ...) or None
            On the CPU, in the first process alone.
        """
        part = part.detach().contiguous()
        if not self.leads:
            self._count(what, part)
            with _telling_of_losses():
                distributed.send(part, dst=0)
            return None
        table = torch.empty(sum(map(len, rows)), *part.shape[1:], dtype=part.dtype)
        table[rows[0]] = part.cpu()
        for rank in range(1, self.size):
            received = torch.empty(len(rows[rank]), *part.shape[1:], dtype=part.dtype, device=self.device)
            with _telling_of_losses():
                distributed.recv(received, src=rank)
            table[rows[rank]] = received.cpu()
        return table

    def sum_(self, tensor, what="sums"):
        """Replace a tensor by the sum of those of all processes, to the last bit the same in each."""
        with _telling_of_losses():
            distributed.all_reduce(tensor)
        # A ring passes on each of `size` parts size - 1 times to add up, and as often to hand round the sums.
        self.sent[what] += 2 * (self.size - 1) * tensor.numel() * tensor.element_size() // self.size
        return tensor

    def gather_equal(self, tensor, what="gathered"):
        """Return the tensors of all processes, of one shape, stacked in the order of the ranks."""
        parts = [torch.empty_like(tensor) for _ in range(self.size)]
        with _telling_of_losses():
            distributed.all_gather(parts, tensor.contiguous())
        self.sent[what] += (self.size - 1) * tensor.numel() * tensor.element_size()
        return torch.stack(parts)

    def gather_values(self, value):
        """Return small values of all processes, in the order of the ranks."""
        values = [None] * self.size
        with _telling_of_losses():
            distributed.all_gather_object(values, value)
        return values

    def exchange_counts(self, counts):
        """Tell each process how many rows it will get from this one; return how many this one gets from each."""
        return self.exchange(counts, [1] * self.size, [1] * self.size, "counts").tolist()

    def exchange(self, tensor, counts, counts_back, what):
        """Send consecutive rows of a tensor to the processes, `counts` to each, and receive `counts_back` from each."""
        received = tensor.new_empty(sum(counts_back), *tensor.shape[1:])
        with _telling_of_losses():
            distributed.all_to_all_single(received, tensor.contiguous(), counts_back, counts)
        self.sent[what] += (len(tensor) - counts[self.rank]) * tensor.element_size() * tensor[:1].numel()
        return received

    def _count(self, what, tensor):
        self.sent[what] += tensor.numel() * tensor.element_size()


@contextmanager
def _telling_of_losses():
    try:
        yield
    except RuntimeError as error:
        raise ProcessLostError(
            "another process of the group has ended or cannot be reached, so training cannot go on; with a checkpoint "
            f"the same fit goes on from the last one, in as many processes as you like ({error})."
        ) from error
