"""Tables that are written row by row."""

import csv
from contextlib import contextmanager
from pathlib import Path

# How tables are written, by the ends of their names.
TABLE_STYLES = {".csv": {}, ".tsv": dict(delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)}


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
