"""Triples from files of any format: one reader for the library and for the command line."""

from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

import numpy as np

from .._utils.messages import shown
from .coded import CodedColumn
from .exports import neo4j_table_rows, read_graphml, read_neo4j
from .files import SPLITS, brief, find_split, shortened, suffix_of
from .headers import COLUMNS, begins_with_names, find_named, stands_alone
from .label_columns import TripleRows
from .labels import name_first
from .notices import tell
from .rdf import RDF_SUFFIXES, BlankNodes, read_rdf
from .tables import Dialect, read_table, wrong_number

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
        sep = SEPARATORS[form] if options.sep is None else options.sep
        return _read_triple_table(path, Dialect(sep, form == "csv"), options)
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


def _read_triple_table(path, dialect, options):
    chosen = _check_columns(options.columns)
    named = chosen is not None and isinstance(chosen[0], str)
    if named and options.header is False:
        raise ValueError(
            f"columns={shown(options.columns)} are names, but header=False; pass numbers such as (0, 1, 2)."
        )
    at_least = 3 if chosen is None else 1 if named else max(chosen) + 1
    table = read_table(path, dialect, at_least=at_least)
    names = [] if named or options.header else None
    if table.lines and (names is not None or _guess_header(table, chosen, options.header)):
        names, table = table.row(0), table.without_first()
    positions = _positions(chosen, names, table, dialect)
    if options.header is None and names is None and stands_alone([table.columns[place] for place in positions]):
        _tell_of_suspicious(table, positions)
    columns = _filled(table, positions, names, options.empty)
    further = _further(options.data, names, positions, table)
    return TripleRows([columns[place] for place in positions], {key: columns[place] for key, place in further})


def _check_columns(columns):
    """Return the columns asked for as a tuple of three names or three numbers, or None."""
    if columns is None:
        return None
    columns_given, kinds = columns, set()
    if not isinstance(columns, str) and hasattr(columns, "__len__"):
        columns = [column.item() if isinstance(column, np.generic) else column for column in columns]
        kinds = set(map(type, columns))
    if (
        kinds not in ({str}, {int})
        or len(columns) != 3
        or len(set(columns)) != 3
        or (kinds == {int} and min(columns) < 0)
    ):
        raise ValueError(
            f"columns={shown(columns_given)}, expected three names: those of head, relation and tail in line 1 of "
            "the file; or their three numbers, from 0."
        )
    return tuple(columns)


def _guess_header(table, chosen, header):
    """Tell whether the first row has names, and say so."""
    if header is False:
        return False
    places = range(len(table.columns)) if chosen is None else chosen
    first = [table.columns[place][0] for place in places]
    sample = [[table.columns[place][row] for place in places] for row in range(1, min(len(table.lines), 1000))]
    if not begins_with_names(first, sample):
        return False
    tell_of_header(table.path, table.lines[0], first)
    return True


def tell_of_header(path, line, names):
    """Warn that a line is taken for the names of columns."""
    tell(
        shortened(
            f"{brief(path)}: line {line}, {','.join(names)}, is taken for the names of columns, not "
            "for a triple; header=True (--header yes) says so without this notice, header=False makes it a triple."
        )
    )


def _tell_of_suspicious(table, positions):
    first = ",".join(table.columns[place][0] for place in positions)
    tell(
        shortened(
            f"{brief(table.path)} begins with {first}, read as a triple, although none of its labels occurs again; if "
            "it is a header pass header=True (--header yes), otherwise header=False."
        )
    )


def _positions(chosen, names, table, dialect):
    """Find the columns of head, relation and tail."""
    if chosen is None and names:
        chosen = find_named(names) or (names if len(names) == 3 else None)
        if chosen is None:
            raise ValueError(
                shortened(
                    f"{brief(table.path)} has the columns {name_first(names, limit=20)} in its first line; say which "
                    "are head, relation and tail, such as columns=(0, 1, 2)."
                )
            )
        return [names.index(name) for name in chosen] if len(set(names)) == len(names) else [0, 1, 2]
    if chosen is None:
        if len(table.columns) not in (0, 3):
            message = wrong_number(table.path, table.lines[0], table.row(0), 3, dialect)
            remedy = "Say which are head, relation and tail, such as columns=(0, 1, 2)."
            raise ValueError(shortened(f"{message} {remedy}"))
        return [0, 1, 2]
    if isinstance(chosen[0], int):
        return list(chosen)
    if not names:
        raise ValueError(f"{brief(table.path)} is empty, expected the columns {name_first(chosen)} in its first line.")
    wrong = [name for name in chosen if names.count(name) != 1]
    if wrong:
        raise ValueError(
            shortened(
                f"{brief(table.path)} has the columns {name_first(names, limit=20)} in its first line, {wrong[0]!r} "
                f"{names.count(wrong[0])} times instead of once; name three of them in columns, or leave columns out "
                "if the file has no header."
            )
        )
    return [names.index(name) for name in chosen]


def _filled(table, positions, names, empty):
    """Return the columns without the rows in which head, relation or tail is empty, or refuse these."""
    triples = [table.columns[place] for place in positions]
    if empty == "keep" or not any("" in column for column in triples):
        return table.columns
    kept = [row for row, labels in enumerate(zip(*triples, strict=True)) if "" not in labels]
    number = next(row for row, labels in enumerate(zip(*triples, strict=True)) if "" in labels)
    hole = next(part for part in range(3) if triples[part][number] == "")
    name = f"{positions[hole] + 1}" if names is None else f"{positions[hole] + 1} {names[positions[hole]]!r}"
    place = f"line {table.lines[number]}, column {name}: the {COLUMNS[hole]} is empty"
    counts = f"{len(table.lines)} rows in, {len(kept)} kept, {len(table.lines) - len(kept)} refused"
    if empty == "error":
        counts = f"{len(table.lines) - len(kept)} of {len(table.lines)} rows are like that"
        remedy = "empty='drop' (--empty drop) leaves them out; the nodes of a Neo4j export are rows of this kind"
        raise ValueError(shortened(f"{brief(table.path)}, {place}; {counts}: {remedy}."))
    tell(shortened(f"{brief(table.path)}: {counts}; the first, {place}."))
    return [
        column.chosen(kept) if isinstance(column, CodedColumn) else [column[row] for row in kept]
        for column in table.columns
    ]


def _further(data, names, positions, table):
    """Return the names, or numbers, and the positions of the columns to keep beside those of the triples."""
    others = [place for place in range(len(table.columns)) if place not in positions]
    keys = {place: place if names is None else names[place] for place in others}
    unique = len(set(keys.values())) == len(keys)
    keys = keys if unique else {place: f"{key}_{place}" for place, key in keys.items()}
    if data is None:
        return [(key, place) for place, key in keys.items()]
    data = [data] if isinstance(data, str | int) else list(data)
    places = {key: place for place, key in keys.items()}
    wrong = [key for key in data if key not in places]
    if wrong:
        raise ValueError(
            shortened(
                f"data={data!r}: {brief(table.path)} has no further column {wrong[0]!r}: {name_first(list(places))}."
            )
        )
    return [(key, places[key]) for key in data]


def _read_neo4j_table(path):
    """Read the CSV file of ``apoc.export.csv``, which has nodes and relationships in its rows."""
    table = read_table(path, Dialect(",", quoting=True))
    names, table = (table.row(0), table.without_first()) if table.lines else ([], table)
    if not {"_start", "_type", "_end"} <= set(names):
        raise ValueError(
            shortened(
                f"{brief(path)} has the columns {name_first(names)} in its first line, expected _start, _type and _end "
                "as apoc.export.csv writes them; from_csv reads other tables."
            )
        )
    return TripleRows(*neo4j_table_rows(names, table))


def read_tsv(path, n_fields=3, columns=None):
    """Read all columns of a tab-separated file without header, or those that its first line calls `columns`."""
    table = read_table(path, Dialect("\t"), n_fields if columns is None else None)
    if columns is None:
        return table.columns if table.columns else [[] for _ in range(n_fields)]
    names = table.row(0) if table.lines else []
    places = _positions(tuple(columns), names, table, Dialect("\t"))
    return [table.columns[place][1:] for place in places]
