"""Forked children, which have none of the threads that PyTorch has started, and would wait for them for ever."""

import os
import sys
from functools import cache


@cache
def survive_forks():
    """Let the children that this process forks from now on go on with one thread of PyTorch."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_use_one_thread)


def _use_one_thread():
    torch = sys.modules.get("torch")  # of a process that has not imported it, there are no threads to miss
    if torch is not None:
        torch.set_num_threads(1)
