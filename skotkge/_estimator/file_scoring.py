"""score_file: log-odds of the triples of a file, into another file, in constant memory."""

from collections.abc import Sequence
from os import PathLike
from typing import Any

from scipy.special import expit

from .._graph.readers import ReadingOptions, stream_rows
from .._graph.written_tables import check_table_path, writing_rows
from .._utils.messages import check_choice
from .._utils.whole_files import check_writable, whole_file
from .base import SIDES
from .functions import last_step

CHUNK_SIZE = 100_000


def score_file(
    model: Any,
    source: str | PathLike[str],
    destination: str | PathLike[str],
    *,
    side: str = "both",
    columns: Sequence[Any] | None = None,
    header: bool | None = None,
    sep: str | None = None,
    handle_unknown: str | None = None,
    chunk_size: int = CHUNK_SIZE,
) -> int:
    """Score the triples of a file, however long it is, and write them to another one.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; of a pipeline the last step answers.
    source : path-like
        A table of triples as `MultimodalTriples.from_csv` reads it if its name ends with ``.csv``, as `from_tsv` does
        if it ends with ``.tsv`` or ``.txt``; maybe followed by ``.gz``, ``.bz2``, ``.xz``, ``.zip`` or ``.zst``.
    destination : path-like
        The ``.csv`` or ``.tsv`` file to write: head, relation, tail, score (log-odds, those of `decision_function`) and
        probability (that of `predict_proba`), in the order of the source. It is whole or not there.
    side : {"both", "head", "tail"}, default="both"
        As for `OTKGEClassifier.decision_function`.
    columns : tuple of three str or int, default=None
        Names or numbers, from 0, of head, relation and tail. None is the usual names in the first line, or the three
        columns that there are.
    header : bool, default=None
        Whether the first line has names. None guesses, and tells if it has.
    sep : str, default=None
        The character between fields, or ``r"\\s+"`` for any white space. None is a tab, in ``.csv`` files a comma.
    handle_unknown : {"error", "last"}, default=None
        What happens to labels that `fit` has not seen: a `ValueError`, or a score of -inf. None is as `fit` was told.
    chunk_size : int, default=100000
        Rows that are scored at once.

    Returns
    -------
    int
        Number of triples.

    Raises
    ------
    ValueError
        If a file cannot be read or written, or has an unknown label.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skotkge
    >>> rules = skotkge.baselines.RuleBaseline(random_state=0).fit([("ann", "likes", "bob"), ("bob", "likes", "ann")])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     source, scored = Path(folder) / "candidates.tsv", Path(folder) / "scored.csv"
    ...     _ = source.write_text("ann\\tlikes\\tann\\n")
    ...     n_triples = skotkge.score_file(rules, source, scored)
    ...     print(n_triples, scored.read_text().splitlines()[0])
    1 head,relation,tail,score,probability
    """
    check_choice(side, "side", SIDES)
    check_writable(destination, "destination")
    check_table_path(destination, "destination")
    if isinstance(chunk_size, bool) or not isinstance(chunk_size, int) or chunk_size < 1:
        raise ValueError(f"chunk_size={chunk_size!r}; give a number of at least 1.")
    step, n_triples = last_step(model, "decision_function"), 0
    pieces = stream_rows(source, ReadingOptions(columns=columns, header=header, sep=sep), chunk_size)
    with (
        whole_file(destination, "w", encoding="utf-8", newline="") as file,
        writing_rows(file, destination, "destination") as table,
    ):
        table.writerow(["head", "relation", "tail", "score", "probability"])
        for labels in pieces:
            scores = step.decision_function(labels, side=side, handle_unknown=handle_unknown)
            told = zip(labels.tolist(), scores.tolist(), expit(scores).tolist(), strict=True)
            table.writerows([*triple, score, probability] for triple, score, probability in told)
            n_triples += len(labels)
    return n_triples
