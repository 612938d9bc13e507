"""Progress of training on the terminal."""

from contextlib import contextmanager


@contextmanager
def training_progress(description, max_iter, verbose):
    """Yield a list of callbacks: one that draws a progress bar, or none when not verbose."""
    if not verbose:
        yield []
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(description, total=max_iter, figures="")

        yield [_ProgressBar(progress, task)]


class _ProgressBar:
    """Callback that moves a bar on after each epoch."""

    def __init__(self, progress, task):
        self._progress, self._task = progress, task

    def on_epoch_end(self, state):
        figures = f"loss {state.loss:.3f}"
        if state.validation_score is not None:
            figures += f", validation MRR {state.validation_score:.3f}"
        self._progress.update(self._task, completed=state.epoch, figures=figures)
