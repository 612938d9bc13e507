"""Progress of training and of matching, on a terminal and in a notebook."""

from contextlib import contextmanager


@contextmanager
def training_progress(space, max_iter, verbose, again=False):
    """Yield a list of callbacks: one that draws a progress bar, or none where nobody would see it move.

    Parameters
    ----------
    space : object
        Its string names what is trained.
    max_iter : int
        Most epochs.
    verbose : int
        0 draws nothing.
    again : bool, default=False
        Whether this is the second training, on the triples that were held out in the first, too.
    """
    console = _console() if verbose else None
    if console is None:
        yield []
        return
    from rich.progress import TextColumn

    # The first training may stop early; the second has the number of epochs that the first found best.
    most = "" if again else "at most "
    counted = f"epoch {{task.completed}} of {most}{{task.total}}"
    with _bar(console, counted, TextColumn("{task.fields[figures]}")) as progress:
        what = f"{space}, again on all triples" if again else f"{space}"
        task = progress.add_task(f"training {what}", total=max_iter, figures="")

        yield [_ProgressBar(progress, task)]


@contextmanager
def plan_progress(verbose):
    """Yield a function that takes the number of plans that are done and their total, and moves a progress bar.

    Parameters
    ----------
    verbose : int
        0 draws nothing.
    """
    console = _console() if verbose else None
    if console is None:
        yield lambda done, total: None
        return
    with _bar(console, "plan {task.completed} of {task.total}") as progress:
        task = progress.add_task("matching", total=None)

        yield lambda done, total: progress.update(task, completed=done, total=total)


def _console():
    """The console, if somebody sees a bar move on it; otherwise None."""
    from rich.console import Console

    console = Console()
    return console if console.is_terminal or console.is_jupyter else None


def _bar(console, counted, *columns):
    """A progress bar with a text of what is counted."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn(counted), *columns, TimeElapsedColumn())
    return Progress(*columns, console=console)


class _ProgressBar:
    """Callback that moves a bar on after each epoch."""

    def __init__(self, progress, task):
        self._progress, self._task = progress, task

    def on_epoch_end(self, state):
        figures = f"loss {state.loss:.3f}"
        if state.validation_score is not None:
            figures += f", validation score {state.validation_score:.3f}"
        self._progress.update(self._task, completed=state.epoch, figures=figures)
