"""Answers of a fitted model by several processes, each of which scores a part of the entities."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .._embedding.processes import current_processes

_ANSWERING: ContextVar = ContextVar("answering_processes", default=None)


def answering_processes():
    """Return the `Processes` that answer together at the moment, or None."""
    return _ANSWERING.get()


@contextmanager
def shared_answers() -> Iterator[None]:
    """Let the processes of a group rank and complete together: each scores a part of the entities.

    Within ``with skotkge.shared_answers():`` every process of the group has to ask the same model the same questions,
    in the same order, and each gets all answers: ranks are added up, the k best of each part merged. Without a group of
    several processes, or outside of the context, a model answers alone. Models are fitted outside of it.

    Returns
    -------
    context manager

    Raises
    ------
    RuntimeError
        If a process of the group has ended.

    Examples
    --------
    >>> import skotkge
    >>> triples = [(f"e{number}", "next", f"e{(number + 1) % 30}") for number in range(30)]
    >>> kge = skotkge.OTKGEClassifier(embedding_dim=8, max_iter=2, validation_fraction=0, random_state=0).fit(triples)
    >>> with skotkge.shared_answers():  # here of one process
    ...     kge.rank(triples).shape
    (30, 2)
    """
    token = _ANSWERING.set(current_processes())
    try:
        yield
    finally:
        _ANSWERING.reset(token)
