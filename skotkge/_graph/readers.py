"""Triples from files of any format: one reader for the library and for the command line."""

from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

from .._utils.messages import brief, cut, shown
from .exports import neo4j_table_rows, read_graphml, read_neo4j
from .files import SPLITS, find_split, suffix_of
from .label_columns import TripleRows
from .labels import name_first
from .rdf import RDF_SUFFIXES, BlankNodes, read_rdf
from .tables import Dialect, read_table
from .triple_tables import read_triple_table, stream_triples

FORMATS = {
    ".tsv": "tsv",
    ".txt": "tsv",
    ".csv": "csv",
    **RDF_SUFFIXES,
    ".graphml": "graphml",
    ".json": "neo4j",
}
SUFFIXES = {"rdf": set(RDF_SUFFIXES), "csv": {".csv", ".txt"}, "neo4j": {".json", ".csv"}}
SEPARATORS = {"tsv": "\t", "csv": ","}
EMPTY = ("error", "drop", "keep")


@dataclass(frozen=True)
class ReadingOptions:
    """How files of triples are written and what is wanted of them.

    Attributes
    ----------
    format : str or None
        ``"tsv"`` (no quoting), ``"csv"``, ``"neo4j"``, ``"graphml"``, a key of `RDF_FORMATS`, or ``"rdf"`` for any of
        these by the name of the file; None: by the name.
    columns, sep, header, data, empty
        Of tables; as for `MultimodalTriples.from_csv`. With ``empty="keep"`` an empty field is the label ``""``.
    literals, rdf_format, base_iri
        As for `MultimodalTriples.from_rdf`.
    """

    format: str | None = None
    columns: object = None
    sep: str | None = None
    header: bool | None = None
    data: object = None
    empty: str = "error"
    literals: str = "keep"
    rdf_format: str | None = None
    base_iri: str | None = None

    def __post_init__(self):
        if self.empty not in EMPTY:
            raise ValueError(f"empty={shown(self.empty)}, expected 'error' or 'drop'.")
        if self.header not in (None, True, False):
            raise ValueError(f"header={shown(self.header)}, expected True, False or None, which guesses.")


def read_rows(path, options):
    """Read triples from a file, a list of files, or a folder with files train, valid and test.

    Parameters
    ----------
    path : str, path-like or sequence of these
    options : ReadingOptions

    Returns
    -------
    TripleRows
        Of several files, with ``data["file"]``; of a folder, with ``data["split"]``.
    """
    for part in path if isinstance(path, list | tuple) else [path]:
        if hasattr(part, "read"):
            raise TypeError(f"path is a {type(part).__name__}, an open file; pass the path of a file.")
    if not isinstance(path, str | bytes | PathLike):
        if not hasattr(path, "__iter__"):
            raise TypeError(f"path is a {type(path).__name__}, expected a path or a list of paths.")
        return _joined([(fspath(part), part) for part in path], "file", options)
    if not Path(path).is_dir():
        return _read_file(path, options, BlankNodes())
    suffixes = SUFFIXES.get(options.format) or {
        suffix for suffix, form in FORMATS.items() if options.format in (None, form)
    }
    found = [(split, find_split(path, split, suffixes)) for split in SPLITS]
    found = [(split, file) for split, file in found if file is not None]
    if not found:
        raise ValueError(
            f"{brief(path)} has no file train, valid or test with one of {', '.join(sorted(suffixes))} at the end; "
            "pass the files."
        )
    return _joined(found, "split", options)


def stream_rows(path, options, n_rows):
    """Return an iterator over pieces of the triples of a table, in order; memory holds one piece at a time.

    Parameters
    ----------
    path : str or path-like
    options : ReadingOptions
        Of a format with columns.
    n_rows : int
        Most rows of a piece.

    Returns
    -------
    iterator of ndarray of shape (at most n_rows, 3), dtype object

    Raises
    ------
    ValueError
        If the file is no table, or as `read_rows` does.
    """
    form = options.format or FORMATS.get(suffix_of(path))
    if form not in SEPARATORS:
        endings = ", ".join(ending for ending, form in FORMATS.items() if form in SEPARATORS)
        raise ValueError(
            f"{brief(path)}: tables alone are read in pieces; expected a name that ends with one of {endings}, maybe "
            "followed by that of a compression."
        )
    return stream_triples(path, _dialect(form, options), options, n_rows)


def _dialect(form, options):
    return Dialect(SEPARATORS[form] if options.sep is None else options.sep, form == "csv")


def _joined(files, name, options):
    """Put the rows of several files behind one another; `name` is the column that tells which is from which."""
    blank_nodes = BlankNodes()
    parts = [(label, _read_file(file, options, blank_nodes)) for label, file in files]
    if not parts:
        raise ValueError("path is an empty list; pass at least one file.")
    columns = [[label for _, part in parts for label in part.columns[position]] for position in range(3)]
    names = dict.fromkeys(column for _, part in parts for column in part.data)
    data = {
        column: [value for _, part in parts for value in part.data.get(column, [None] * len(part))] for column in names
    }
    data[name] = [label for label, part in parts for _ in range(len(part))]
    attributes = [part.attributes for _, part in parts if part.attributes is not None]
    attributes = tuple([x for part in attributes for x in part[i]] for i in range(3)) if attributes else None
    return TripleRows(columns, data, attributes)


def _read_file(path, options, blank_nodes):
    form = options.format or FORMATS.get(suffix_of(path))
    if form is None:
        raise ValueError(f"the name of {brief(path)} tells no format; rename it or pass the format (--format)")
    if form in SEPARATORS:
        return read_triple_table(path, _dialect(form, options), options)
    if options.columns is not None:
        raise ValueError(
            f"columns={shown(options.columns)}: {brief(path)} is a file of the format {form!r}, without columns"
        )
    if form == "graphml":
        return TripleRows(*read_graphml(path))
    if form == "neo4j":
        return _read_neo4j_table(path) if suffix_of(path) == ".csv" else TripleRows(*read_neo4j(path))
    rdf_format = options.rdf_format if form == "rdf" else form
    return TripleRows(*read_rdf(path, options.literals, rdf_format, options.base_iri, blank_nodes))


def _read_neo4j_table(path):
    """Read the CSV file of ``apoc.export.csv``, which has nodes and relationships in its rows."""
    table = read_table(path, Dialect(",", quoting=True))
    names, table = (table.row(0), table.without_first()) if table.lines else ([], table)
    if not {"_start", "_type", "_end"} <= set(names):
        raise ValueError(
            cut(
                f"{brief(path)} has the columns {name_first(names)} in its first line, expected _start, _type and _end "
                "as apoc.export.csv writes them; from_csv reads other tables."
            )
        )
    return TripleRows(*neo4j_table_rows(names, table))
