"""A command in several processes, started by ``torchrun``: the first one reads, prints and writes."""

import functools
import os

from .._estimator.processes import leading, release

FAILED = 2


def shared_by_processes(run):
    """Let a command be started by ``torchrun``; without it nothing is changed.

    The other processes help the first one to train, and end with it.
    """

    @functools.wraps(run)
    def run_in_group(options):
        if int(os.environ.get("WORLD_SIZE", 1)) < 2 or "MASTER_ADDR" not in os.environ:
            return run(options)
        from torch import distributed

        _join_group()
        try:
            return _run_in_group(run, options)
        finally:
            distributed.destroy_process_group()

    return run_in_group


def _join_group():
    import torch
    from torch import distributed

    has_gpu = torch.cuda.is_available() and torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if has_gpu and distributed.is_nccl_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)))
        distributed.init_process_group("nccl")
    else:
        distributed.init_process_group("gloo")


def _run_in_group(run, options):
    from .._embedding.distributed import LeaderFailedError, follow
    from .._embedding.processes import current_processes

    processes = current_processes()
    if not processes.leads:
        try:
            follow(processes)
        except LeaderFailedError:  # which the first process tells
            return FAILED
        return 0
    with leading(processes):
        status = run(options)
        release(processes)
    return status
