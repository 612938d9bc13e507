"""Rows of triples from long files, some at a time, and tables that are written row by row."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import numpy as np

from .._utils.messages import shown
from .files import COMPRESSIONS, brief, shortened, suffix_of
from .headers import COLUMNS, begins_with_names, find_named
from .labels import name_first
from .readers import tell_of_header
from .tables import Dialect, wrong_number

# How tables are written and read, by the ends of their names.
TABLE_STYLES = {".csv": {}, ".tsv": dict(delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)}
READ_STYLES = TABLE_STYLES | {".txt": TABLE_STYLES[".tsv"]}
# Rows that are looked at for a header.
LOOKED_AT = 1000


@contextmanager
def open_text(path):
    """Open a file of text in UTF-8, compressed or not, to be read line by line."""
    path, kind = Path(path), COMPRESSIONS.get(Path(path).suffix.lower())
    options = dict(mode="rt", encoding="utf-8-sig", newline="")
    if kind in ("gzip", "bz2", "xz"):
        opened = {"gzip": gzip.open, "bz2": bz2.open, "xz": lzma.open}[kind]
        with opened(path, **options) as file:
            yield file
    elif kind == "zip":
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise ValueError(f"{brief(path)} holds {len(names)} files, expected one; unpack it.")
            with archive.open(names[0]) as part, io.TextIOWrapper(part, "utf-8-sig", newline="") as file:
                yield file
    elif kind is not None:
        raise ValueError(f"{brief(path)} cannot be read piece by piece; decompress it, or compress it with gzip.")
    else:
        with open(path, **options) as file:
            yield file


def stream_triples(path, chunk_size, *, columns=None, header=None, sep=None):
    """Yield pieces of the triples of a table, in order; memory holds one piece at a time.

    Parameters
    ----------
    path : path-like
        A name that ends with ``.csv``, ``.tsv`` or ``.txt``, maybe followed by ``.gz``, ``.bz2``, ``.xz`` or ``.zip``.
    chunk_size : int
        Rows of a piece.
    columns : tuple of three str or int, default=None
        Names or numbers, from 0, of head, relation and tail; None is the usual names of a header, else the first three.
    header : bool, default=None
        Whether the first line has names; None looks whether it has usual ones.
    sep : str, default=None
        The character between fields; None is by the name of the file.

    Yields
    ------
    ndarray of shape (at most chunk_size, 3), dtype object

    Raises
    ------
    ValueError
        If the name tells no format, a line has too few fields or an empty label, or the text is not UTF-8.
    """
    if suffix_of(path) not in READ_STYLES:
        raise ValueError(f"{brief(path)}: expected a name that ends with {', '.join(READ_STYLES)}")
    if sep is not None and (not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n'):
        raise ValueError(f"sep={shown(sep)}, expected the one character between fields, such as ',' or ';'.")
    style = READ_STYLES[suffix_of(path)] | ({} if sep is None else {"delimiter": sep})
    try:
        with open_text(path) as file:
            reader = csv.reader(file, strict=True, **style)
            rows = ((reader.line_num, row) for row in reader if row)
            first = list(islice(rows, LOOKED_AT))
            if not first:
                return
            places, has_names = _places(first, columns, header, path)
            if has_names and header is None and not (columns and isinstance(columns[0], str)):
                tell_of_header(path, *first[0])
            width, dialect = len(first[0][1]), Dialect(style.get("delimiter", ","))
            rows = _chained(first[has_names:], rows)
            while piece := list(islice(rows, chunk_size)):
                _check_widths(piece, width, path, dialect)
                yield _labels(piece, places, path)
    except csv.Error as error:
        raise ValueError(f"{brief(path)}: {error}.") from error
    except (UnicodeDecodeError, EOFError, lzma.LZMAError, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise ValueError(shortened(f"{brief(path)} cannot be read as text in UTF-8: {error}.")) from error


def _chained(first, rest):
    yield from first
    yield from rest


def _places(first, columns, header, path):
    """Positions of head, relation and tail, and whether the first row has names."""
    names, named = first[0][1], columns is not None and isinstance(columns[0], str)
    if header is None:
        header = named or begins_with_names(names, [row for _, row in first[1:]])
    if named:
        wrong = [name for name in columns if names.count(name) != 1]
        if wrong:
            raise ValueError(f"{brief(path)} has the columns {name_first(names, 20)}, and not {wrong[0]!r} once.")
        return [names.index(name) for name in columns], True
    if columns is not None:
        return list(columns), header
    usual = find_named(names) if header else None
    return [0, 1, 2] if usual is None else [names.index(name) for name in usual], header


def _check_widths(piece, width, path, dialect):
    """Refuse rows with more fields than the first; of those with fewer it is told which label is missing."""
    for line, row in piece:
        if len(row) > width:
            raise ValueError(wrong_number(path, line, row, width, dialect))


def _labels(piece, places, path):
    found = np.empty((len(piece), 3), dtype=object)
    for number, (line, row) in enumerate(piece):
        for column, place in enumerate(places):
            if place >= len(row) or not row[place]:
                what = "is empty" if place < len(row) else "is missing"
                raise ValueError(shortened(f"{brief(path)}, line {line}: the {COLUMNS[column]} {what}: {row!r}."))
            found[number, column] = row[place]
    return found


class _LineFeeds:
    """A file of rows that end with a line feed, written by a csv writer that ends them with ``\\r\\n``.

    The csv module of Python 3.11 quotes, or refuses, no line end but the characters that it ends rows with.
    """

    def __init__(self, file):
        self._file = file

    def write(self, row):
        """Write one row."""
        return self._file.write(row.removesuffix("\r\n") + "\n")


def row_writer(file, **style):
    """Return a csv writer of rows that end with a line feed; it takes either character of a line end for special."""
    return csv.writer(_LineFeeds(file), lineterminator="\r\n", **style)


@contextmanager
def writing_rows(file, path, argument="path"):
    """Yield a writer of the rows of a table, in the style that its name tells; a label that does not fit is told."""
    try:
        yield row_writer(file, **TABLE_STYLES[Path(path).suffix.lower()])
    except csv.Error as error:
        raise ValueError(f"{argument} {path}: a label has a tab or a line end; write a .csv file") from error


def check_table_path(path, argument):
    """Refuse a file to be written whose name tells no style.

    Raises
    ------
    ValueError
    """
    if Path(path).suffix.lower() not in TABLE_STYLES:
        raise ValueError(f"{argument} {path}: expected a name that ends with .csv or .tsv")
