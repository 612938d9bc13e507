"""Columns of labels from tab-separated, CSV and N-Triples files, every character kept."""

import csv
import gzip
import io
import zlib
from pathlib import Path

import numpy as np

from .labels import name_first


def read_tsv(path, n_fields=3, columns=None):
    """Read a tab-separated UTF-8 file, in which no character but tabs and line ends has a meaning.

    Parameters
    ----------
    path : str or path-like
        Decompressed when its name ends with ``.gz``.
    n_fields : int, default=3
        Fields of each line of a file without header. Not used when `columns` is given.
    columns : sequence of str, default=None
        Names, in the first line of the file, of the columns to return. None: there is no header.

    Returns
    -------
    list of list of str
        The columns, in the order of `columns`, or of the file where this is None.

    Raises
    ------
    ValueError
        If the file is no UTF-8, the header lacks a column, or a line has another number of fields.
    """
    text = _read_text(path)
    if text.count("\r\n") == text.count("\n"):
        text = text.replace("\r\n", "\n")
    return _split(text, "\t", n_fields, columns, path)


def _split(text, sep, n_fields, columns, path):
    """Split a text without quoting into columns; `sep` is an ASCII character."""
    chosen, first_line = range(n_fields), 1
    if columns is not None:
        header, _, text = text.partition("\n")
        names = header.split(sep)
        chosen, n_fields, first_line = _positions(columns, names, path), len(names), 2
    if not text:
        return [[] for _ in chosen]
    text = text.removesuffix("\n")
    _check_separators(text, sep, n_fields, path, first_line)
    fields = text.replace("\n", sep).split(sep)
    return [fields[position::n_fields] for position in chosen]


def _check_separators(text, sep, n_fields, path, first_line):
    """Make sure that every line has n fields, by the places of the line ends among the separators."""
    characters = np.frombuffer(text.encode(), dtype=np.uint8)
    separators = np.append(characters[(characters == ord(sep)) | (characters == ord("\n"))], ord("\n"))
    line_ends = np.flatnonzero(separators == ord("\n"))
    if np.array_equal(line_ends, np.arange(n_fields - 1, len(separators), n_fields)):
        return
    for number, line in enumerate(text.split("\n"), first_line):
        _check_fields(line.split(sep), sep, n_fields, path, number)


def _check_fields(fields, sep, n_fields, path, line):
    if len(fields) != n_fields:
        raise ValueError(
            f"{path}, line {line}: {len(fields)} fields separated by {sep!r}, expected {n_fields}: {fields!r}."
        )


def read_csv(path, sep=",", columns=None):
    """Read the columns of triples from a CSV file in UTF-8, where fields may be quoted.

    Parameters
    ----------
    path : str or path-like
        Decompressed when its name ends with ``.gz``.
    sep : str, default=","
        The character between fields.
    columns : sequence of str, default=None
        Names, in the first line of the file, of the columns to return. None: there is no header, but three fields.

    Returns
    -------
    list of list of str

    Raises
    ------
    ValueError
        If `sep` is not one character, the file is no UTF-8, its quotes are not closed, the header lacks a column, or a
        line has another number of fields.
    """
    if not isinstance(sep, str) or len(sep) != 1 or sep in '"\r\n':
        raise ValueError(f"sep={sep!r}, expected the one character between fields, such as ',' or ';'.")
    text = _read_text(path)
    if '"' not in text and "\r" not in text and sep.isascii():
        return _split(text, sep, 3, columns, path)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=sep, strict=True)
    chosen, n_fields, fields = range(3), 3, []
    try:
        if columns is not None:
            names = next(rows, [])
            chosen, n_fields = _positions(columns, names, path), len(names)
        for row in rows:
            if len(row) != n_fields:
                _check_fields(row, sep, n_fields, path, rows.line_num)
            fields += row
    except csv.Error as error:
        raise ValueError(
            f"{path}, line {rows.line_num}: {error}. Fields with quotes stand in quotes, and their quotes are doubled; "
            "from_tsv reads files without quoting."
        ) from error
    return [fields[position::n_fields] for position in chosen]


def read_ntriples(path):
    """Read the subjects, predicates and objects of an N-Triples file.

    Parameters
    ----------
    path : str or path-like
        Decompressed when its name ends with ``.gz``.

    Returns
    -------
    list of list of str
        IRIs without angle brackets; blank nodes and literals in canonical N-Triples notation.

    Raises
    ------
    ImportError
        If pyoxigraph is missing.
    ValueError
        If a line is no triple; the message gives its number.
    """
    try:
        from pyoxigraph import NamedNode, RdfFormat, parse
    except ImportError as error:
        raise ImportError('from_ntriples needs pyoxigraph to parse the file: pip install "skotkge[rdf]".') from error

    def label(term):
        return term.value if isinstance(term, NamedNode) else str(term)

    labels = []
    try:
        for triple in parse(_read_bytes(path), format=RdfFormat.N_TRIPLES):
            labels += label(triple.subject), label(triple.predicate), label(triple.object)
    except SyntaxError as error:
        raise ValueError(f"{path} is no N-Triples file: {error}.") from error
    return [labels[position::3] for position in range(3)]


def _positions(columns, names, path):
    """Find the columns asked for in the header of a file."""
    if isinstance(columns, str) or len(columns) != 3 or len(set(columns)) != 3:
        raise ValueError(
            f"columns={columns!r}, expected three names: those of head, relation and tail in the file's first line."
        )
    wrong = [name for name in columns if names.count(name) != 1]
    if wrong:
        raise ValueError(
            f"{path} has the columns {name_first(names, limit=20)} in its first line, {wrong[0]!r} "
            f"{names.count(wrong[0])} times instead of once; name three of them in columns, or leave columns out if "
            "the file has no header."
        )
    return [names.index(name) for name in columns]


def _read_text(path):
    data = _read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: {error}; convert the file to UTF-8.") from error


def _read_bytes(path):
    path = Path(path)
    data = path.read_bytes()
    if path.suffix.lower() != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is no complete gzip file as its name says: {error}.") from error
