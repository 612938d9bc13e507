"""Tables of results in files: .csv with quotes where needed, .tsv without any."""

import csv
from pathlib import Path

from .._graph.written_tables import row_writer
from .._utils.whole_files import check_writable, whole_file

STYLES = {".csv": {}, ".tsv": dict(delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None)}


def add_output_option(parser, what):
    """Add the option for a file of results."""
    parser.add_argument("--output", type=Path, metavar="FILE", help=f"write {what} to this .csv or .tsv file")


def check_output(path):
    """Make sure that a table can be written under a name, if there is one."""
    if path is None:
        return
    check_writable(path, "--output")
    if path.suffix.lower() not in STYLES:
        raise ValueError(f"--output {path}: expected a name that ends with .csv or .tsv")


def write_rows(path, header, rows):
    """Write a table.

    Parameters
    ----------
    path : Path
    header : sequence of str
        None of them for a file without a first line of names.
    rows : iterable of sequences

    Raises
    ------
    ValueError
        If a .tsv file is to hold a tab or a line end.
    """
    style = STYLES[path.suffix.lower()]
    try:
        with whole_file(path, "w", encoding="utf-8", newline="") as file:
            writer = row_writer(file, **style)
            writer.writerows([header] if header else [])
            writer.writerows(rows)
    except csv.Error as error:
        raise ValueError(
            f"{path}: a label has a tab or a line end, which tab-separated files cannot hold; write .csv"
        ) from error
