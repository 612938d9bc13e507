"""Decisions about triples, in a file that is whole at any moment: accepted or rejected, by whom of the models, when."""

import csv
import math
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._graph.label_columns import as_label_triples
from .._graph.labels import as_labels
from .._graph.written_tables import row_writer
from .._utils.messages import shown
from .._utils.whole_files import whole_file

ACCEPTED, REJECTED = "accepted", "rejected"
# As pandas reads and writes it: a field with a tab, a line end or a quote stands in quotes.
STYLE = dict(delimiter="\t")
ENCODING = dict(encoding="utf-8", errors="surrogatepass", newline="")


@dataclass(frozen=True)
class Decision:
    """What somebody has decided about a triple.

    Attributes
    ----------
    head, relation, tail : str
        Labels as they are written.
    decision : {"accepted", "rejected"}
    probability : float
        What the model said when it was decided; NaN where it said nothing.
    model : str
        Digest of the model's file.
    time : str
        When, in the form of ISO 8601, in UTC.
    """

    head: str
    relation: str
    tail: str
    decision: str
    probability: float
    model: str
    time: str

    @property
    def triple(self):
        """Head, relation and tail."""
        return self.head, self.relation, self.tail


HEADER = [field.name for field in fields(Decision)]


class DecisionFile:
    """The decisions of a file, one for each triple, and the way to make more.

    Every change is on the disk before the method returns. Another program that writes the same file is heeded: what
    has changed since is read before a decision is added.

    Parameters
    ----------
    path : path-like
        It need not be there yet.
    model : str
        Digest of the model that is looked at.
    """

    def __init__(self, path, model):
        self.path, self._model = Path(path), model
        self._read_at, self._decisions = None, {}
        self._read_if_changed()

    def __len__(self):
        return len(self._decisions)

    def __iter__(self):
        return iter(list(self._decisions.values()))

    def of(self, triple):
        """Return what was decided about a triple of labels: "accepted", "rejected" or None."""
        decision = self._decisions.get(tuple(map(str, triple)))
        return None if decision is None else decision.decision

    def decide(self, triple, decision, probability=math.nan):
        """Write a decision about a triple of labels; None takes back what was decided.

        Raises
        ------
        OSError
            If the file cannot be written; it is then as it was.
        ValueError
            If another program has written something else there.
        """
        self._read_if_changed()
        triple = tuple(map(str, triple))
        decisions = {known: told for known, told in self._decisions.items() if known != triple}
        if decision is not None:
            time = datetime.now(UTC).isoformat(timespec="seconds")
            decisions[triple] = Decision(*triple, decision, probability, self._model, time)
        _write(self.path, decisions.values())
        self._decisions, self._read_at = decisions, _state_of(self.path)

    def _read_if_changed(self):
        state = _state_of(self.path)
        if state != self._read_at:
            read = [] if state is None else _read(self.path)
            self._decisions, self._read_at = {decision.triple: decision for decision in read}, state


def read_decisions(path: str | PathLike[str], *, labels_of: Any = None) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Read the triples that were accepted and rejected on the page of ``skotkge explore``.

    Parameters
    ----------
    path : path-like
        The tab-separated file of decisions.
    labels_of : MultimodalTriples or fitted estimator, default=None
        Whose labels are meant, where they are not strings: in the file 7 is written like "7". None: strings.

    Returns
    -------
    triples : ndarray of shape (n_triples, 3), dtype object
        Labels, in the order of the decisions.
    y : ndarray of shape (n_triples,), dtype int64
        1 for accepted, 0 for rejected triples. ``fit(triples, y)`` takes both, and ``triples[y == 1]`` is a set of
        `known` triples.

    Raises
    ------
    ValueError
        If the file has another form, or `labels_of` has no such label or two that are written alike.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import skotkge
    >>> table = "head\\trelation\\ttail\\tdecision\\tprobability\\tmodel\\ttime"
    >>> lines = [table, "ann\\tlikes\\tbob\\taccepted\\t0.8\\tf00d\\t2026-01-31T12:00:00+00:00"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "decisions.tsv"
    ...     _ = path.write_text("\\n".join(lines))
    ...     triples, y = skotkge.read_decisions(path)
    >>> triples.tolist(), y.tolist()
    ([['ann', 'likes', 'bob']], [1])
    """
    decisions = _read(path)
    triples = as_label_triples(np.array([decision.triple for decision in decisions], dtype=object).reshape(-1, 3))
    if labels_of is not None:
        entities, relations = _labels_of(labels_of)
        for column, labels in enumerate((entities, relations, entities)):
            triples[:, column] = _as_written(triples[:, column], labels, path)
    y = np.array([decision.decision == ACCEPTED for decision in decisions], dtype=np.int64)
    return triples, y


def _labels_of(owner):
    if hasattr(owner, "steps"):
        owner = owner[-1]
    for entities, relations in (("entities", "relations"), ("entities_", "relations_")):
        if hasattr(owner, entities):
            return getattr(owner, entities), getattr(owner, relations)
    raise TypeError(
        f"labels_of={shown(owner)} is a {type(owner).__name__}; give MultimodalTriples or a fitted estimator."
    )


def _as_written(texts, labels, path):
    """The labels that are written like some texts."""
    owners = {}
    for label in labels.tolist():
        owners.setdefault(str(label), []).append(label)
    for text in texts:
        found = owners.get(text, [])
        if len(found) != 1:
            told = f"has the labels {found!r}, which are written alike" if found else "has no such label"
            raise ValueError(f"{path} names {text!r}; labels_of {told}; give the data that the decisions were made on.")
    return as_labels([owners[text][0] for text in texts])


def _state_of(path):
    """What changes whenever a file is written anew; None where there is none."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _write(path, decisions):
    with whole_file(path, "w", **ENCODING) as file:
        table = row_writer(file, **STYLE)
        table.writerow(HEADER)
        table.writerows(astuple(decision) for decision in decisions)


def _read(path):
    """The decisions of a file, the last about each triple; an empty file has none yet.

    A byte order mark and empty lines, as editors leave them, are passed over.
    """
    decisions = {}
    with open(path, **ENCODING | {"encoding": "utf-8-sig"}) as file:
        try:
            rows = csv.reader(file, **STYLE, strict=True)
            if next(rows, HEADER) != HEADER:
                raise ValueError(f"its first line is not {' '.join(HEADER)}, separated by tabs")
            for row in filter(None, rows):
                decision = _decision_of(row, rows.line_num)
                decisions.pop(decision.triple, None)
                decisions[decision.triple] = decision
        except (ValueError, csv.Error) as error:
            raise ValueError(f"{path} is no file of decisions: {error}; name another file.") from error
    return list(decisions.values())


def _decision_of(row, line):
    if len(row) != len(HEADER) or row[3] not in (ACCEPTED, REJECTED):
        raise ValueError(f"line {line} is {shown(row)}, expected three labels, {ACCEPTED} or {REJECTED}, ...")
    try:
        return Decision(*row[:4], float(row[4]), *row[5:])
    except ValueError as error:
        raise ValueError(f"line {line} has the probability {shown(row[4])}") from error
