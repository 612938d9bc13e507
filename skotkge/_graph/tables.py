"""Fields of text tables: any separator, with quotes or without, every character kept.

pandas and polars do not read these files. Both fill a line that is too short, pandas with what an empty field gives
too, and pandas drops the quotes of ``"a"x``; neither tells the line of a field. The csv module of the standard library
refuses the same lines by number, and a text without quotes is split at once, faster than either makes Python strings.
"""

import csv
import io
import re
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from .files import read_text, shortened, shown

WHITE_SPACE = r"\s+"
BLANKS = re.compile(r"[ \t\f\v]+")  # white space of ASCII: a no-break space belongs to its label
TOO_LONG = 2**31 - 1  # of a field; the default of the csv module is 131,072 characters


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Attributes
    ----------
    sep : str
        The character between fields, or ``r"\\s+"`` for any white space.
    quoting : bool
        Whether fields may stand in quotes.
    """

    sep: str = "\t"
    quoting: bool = False

    def __post_init__(self):
        check_separator(self.sep)


def check_separator(sep):
    """Return a separator of fields if it is one."""
    if sep == WHITE_SPACE or (isinstance(sep, str) and len(sep) == 1 and sep not in '"\r\n'):
        return sep
    raise ValueError(
        f"sep={sep!r}, expected the one character between fields, such as ',' or ';', or r'\\s+' for any white space."
    )


@dataclass(frozen=True)
class Table:
    """The fields of a file.

    Attributes
    ----------
    path : path-like
    columns : list of list of str
        Of equal length.
    lines : sequence of int
        The line in which each row begins.
    """

    path: object
    columns: list
    lines: object

    def row(self, number):
        """Return the fields of one row."""
        return [column[number] for column in self.columns]

    def without_first(self):
        """Return the rows after the first."""
        return Table(self.path, [column[1:] for column in self.columns], self.lines[1:])


def read_table(path, dialect, n_fields=None, at_least=1):
    """Read a table in which all lines have the same number of fields; empty lines are skipped.

    Parameters
    ----------
    path : str or path-like
    dialect : Dialect
    n_fields : int, default=None
        Fields of each line; None takes the number from the first one.
    at_least : int, default=1
        Fewest fields that the first line may have.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If a line has another number of fields, or its quotes are not closed; the message names the line.
    """
    text = read_text(path)
    quoted = dialect.quoting and '"' in text
    if not quoted and dialect.sep != WHITE_SPACE and dialect.sep.isascii():
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        table = _split_at_once(text, dialect.sep, n_fields, path, at_least)
    elif quoted and dialect.sep != WHITE_SPACE:
        table = _quoted_at_once(text, dialect, n_fields, path, at_least)
    else:
        table = None
    if table is not None:
        return table
    rows = list(_records(text, dialect, path))
    n_fields = n_fields or max(at_least, len(rows[0][1]) if rows else 0)
    for line, row in rows:
        if len(row) != n_fields:
            raise ValueError(wrong_number(path, line, row, n_fields, dialect))
    columns = [list(column) for column in zip(*(row for _, row in rows), strict=True)] or [[] for _ in range(n_fields)]
    return Table(path, columns, [line for line, _ in rows])


def read_records(path, dialect):
    """Yield the number and the fields of each line that is not empty, however many these are."""
    return _records(read_text(path), dialect, path)


def _split_at_once(text, sep, n_fields, path, at_least):
    """Split a text of lines with equal numbers of fields, or return None if it is not one.

    The places of the line ends among all separators tell whether it is: every n-th, no matter where in the text.
    """
    text = text.removesuffix("\n")
    if n_fields is None:
        n_fields = text.partition("\n")[0].count(sep) + 1
    if not text or n_fields == 1 or n_fields < at_least:  # a line of one field may be empty, and the places do not tell
        return None
    characters = np.frombuffer(text.encode(), dtype=np.uint8)
    separators = np.append(characters[(characters == ord(sep)) | (characters == ord("\n"))], ord("\n"))
    line_ends = np.flatnonzero(separators == ord("\n"))
    if not np.array_equal(line_ends, np.arange(n_fields - 1, len(separators), n_fields)):
        return None
    fields = text.replace("\n", sep).split(sep)
    return Table(path, [fields[position::n_fields] for position in range(n_fields)], range(1, len(line_ends) + 1))


def _quoted_at_once(text, dialect, n_fields, path, at_least):
    """Read a text with quotes in which each line is a row of equal length, or return None if it is not one."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.sep, strict=True)
    try:
        rows = list(reader)
    except csv.Error:
        return None  # told with its line by who reads the rows one after another
    n_fields = n_fields or max(at_least, len(rows[0]))
    if reader.line_num != len(rows) or set(map(len, rows)) != {n_fields}:
        return None
    columns = [list(map(itemgetter(position), rows)) for position in range(n_fields)]
    return Table(path, columns, range(1, len(rows) + 1))


def _records(text, dialect, path):
    if dialect.quoting and '"' in text and dialect.sep != WHITE_SPACE:
        yield from _quoted_records(text, dialect, path)
        return
    for line, content in enumerate(re.split(r"\r\n|\r|\n", text), 1):
        if dialect.sep != WHITE_SPACE:
            if content:
                yield line, content.split(dialect.sep)
        elif dialect.quoting and '"' in content:
            yield line, _quoted_words(content, line, path)
        elif content.strip(" \t\f\v"):
            yield line, BLANKS.split(content.strip(" \t\f\v"))


def _quoted_records(text, dialect, path):
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.sep, strict=True)
    limit = csv.field_size_limit(TOO_LONG)
    begins = 1
    try:
        for row in rows:
            if row:
                yield begins, row
            begins = rows.line_num + 1
    except csv.Error as error:
        raise ValueError(_wrong_quotes(path, begins, error)) from error
    finally:
        csv.field_size_limit(limit)


def _quoted_words(content, line, path):
    """Split a line at white space outside of quotes; quotes in a field are doubled."""
    words = re.findall(r'[ \t\f\v]*("(?:[^"]|"")*"|[^ \t\f\v"]+)(?=[ \t\f\v]|$)|([^ \t\f\v]+)', content)
    if any(wrong for _, wrong in words):
        raise ValueError(_wrong_quotes(path, line, "a quote that does not close, or inside of a field"))
    return [word[1:-1].replace('""', '"') if word.startswith('"') else word for word, _ in words]


def _wrong_quotes(path, line, error):
    return (
        f"{shown(path)}, line {line}: {error}. Fields with quotes stand in quotes, and their quotes are doubled; "
        "from_tsv reads files without quoting."
    )


def wrong_number(path, line, fields, n_fields, dialect):
    """Tell that a line has another number of fields than the others."""
    between = "white space" if dialect.sep == WHITE_SPACE else repr(dialect.sep)
    place = f"column {len(fields) + 1} is missing" if len(fields) < n_fields else f"column {n_fields + 1} is too many"
    message = (
        f"{shown(path)}, line {line}: {len(fields)} fields separated by {between}, expected {n_fields}, so {place}: "
        f"{_shown_fields(fields)}."
    )
    return shortened(message + _better_separator(fields, n_fields, dialect))


def _shown_fields(fields):
    written = repr([field if len(field) <= 40 else f"{field[:37]}..." for field in fields[:8]])
    return written if len(fields) <= 8 else f"{written[:-1]}, ...]"


def _better_separator(fields, n_fields, dialect):
    """Name the separator that would give the number of fields."""
    if len(fields) != 1:
        return ""
    for sep in ("\t", ",", ";", "|", WHITE_SPACE):
        parts = BLANKS.split(fields[0].strip()) if sep == WHITE_SPACE else fields[0].split(sep)
        if sep != dialect.sep and len(parts) >= n_fields:
            return f" With sep={sep!r} the line has {len(parts)} fields."
    return ""
