"""A fit in a process group: the first process does it, and the others help it train."""

import functools
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, TypeVar, cast

from .._embedding.distributed import FAIL, FINISH, DistributedTrainer, follow, is_sharded
from .._embedding.processes import ProcessLostError, current_processes
from .._embedding.trainer import Trainer
from .._ranking.answering_processes import answering_processes
from .._utils.messages import tell

Method = TypeVar("Method", bound=Callable[..., Any])
# The group that this process leads at the moment, with the others at its service.
_LED: ContextVar = ContextVar("led_processes", default=None)


def led_processes():
    """Return the `Processes` at the service of this one, or None."""
    return _LED.get()


@contextmanager
def leading(processes):
    """Have the others, which `follow`, at one's service; they are told if it ends with an error."""
    token = _LED.set(processes)
    try:
        yield
    except BaseException as error:
        if not (processes.is_exchanging or isinstance(error, ProcessLostError)):
            processes.broadcast((FAIL, f"{type(error).__name__}: {error}"))
        raise
    finally:
        _LED.reset(token)


def release(processes, told=None):
    """Tell the others that all is done, and something with it."""
    processes.broadcast((FINISH, told))


def shared_by_processes(fit: Method) -> Method:
    """Let a method ``fit`` be called in all processes of a group at once.

    The first one fits, with the others at its service wherever the training can be shared; what it has learned goes to
    all of them. Without a group of several processes this changes nothing.
    """

    @functools.wraps(fit)
    def fit_in_group(self, *args, **kwargs):
        processes = None if led_processes() is not None else current_processes()
        if processes is None:
            return fit(self, *args, **kwargs)
        if answering_processes() is not None:
            raise RuntimeError("fit was called within skotkge.shared_answers(), which is for questions; fit before it.")
        if not processes.leads:
            vars(self).update(follow(processes))
            return self
        with leading(processes):
            fit(self, *args, **kwargs)
            learned = {name: value for name, value in vars(self).items() if name.endswith("_")}
            release(processes, learned)
        return self

    return cast(Method, fit_in_group)


def trainer_of(processes, id, spec, options, shares=True, warns=True):
    """Return what makes the trainer of a space: one of all processes, if there are several and it can be shared.

    `shares` tells whether nothing else stands in the way, `warns` whether it is worth a warning that it cannot.
    """
    if processes is None:
        return Trainer
    if shares and is_sharded(spec, options.objective):
        return partial(DistributedTrainer, processes=processes)
    if warns:
        _warn_of_one_process(processes, id)
    return Trainer


def _warn_of_one_process(processes, id):
    tell(
        f"the space {str(id)!r} is trained by the first of the {processes.size} processes alone: what they share is "
        "the training of the structure without modalities, by objective=CrossEntropy(n_sampled=...) or Logistic(...), "
        "without sample_weight and not from an earlier fit."
    )
