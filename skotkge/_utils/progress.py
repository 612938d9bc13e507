"""Progress of training on the terminal."""

from contextlib import contextmanager


@contextmanager
def training_progress(description, max_iter, verbose):
    """Yield a callback ``(epoch, loss, score)`` that draws a progress bar, or None when not verbose."""
    if not verbose:
        yield None
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

        def update(epoch, loss, score):
            figures = f"loss {loss:.3f}" + ("" if score is None else f", validation MRR {score:.3f}")
            progress.update(task, completed=epoch, figures=figures)

        yield update
