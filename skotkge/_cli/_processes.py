"""A command in several processes, started by ``torchrun``: the first one reads, prints and writes."""

import functools
import os
from contextlib import suppress

from .._embedding.distributed import LeaderFailedError, follow
from .._embedding.processes import started_group
from .._estimator.processes import leading, release


def shared_by_processes(run):
    """Let a command be started by ``torchrun``; without it nothing is changed.

    The other processes help the first one to train, and end with it.
    """

    @functools.wraps(run)
    def run_in_group(options):
        if int(os.environ.get("WORLD_SIZE", 1)) < 2 or "MASTER_ADDR" not in os.environ:
            return run(options)
        with started_group() as processes:
            return _run_in_group(run, options, processes)

    return run_in_group


def _run_in_group(run, options, processes):
    if not processes.leads:
        # The first process tells of its failure, and its status is that of the run. With another status than 0 here,
        # torchrun would end it, perhaps before it has told.
        with suppress(LeaderFailedError):
            follow(processes)
        return 0
    with leading(processes):
        status = run(options)
        release(processes)
    return status
