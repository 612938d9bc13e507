"""Which columns of a table are head, relation and tail, and what its other columns are kept as."""

from numbers import Integral

import numpy as np

from .._utils.messages import brief, cut, shown, tell
from .coded import CodedColumn
from .headers import COLUMNS, begins_with_names, find_named, stands_alone
from .label_columns import TripleRows
from .labels import length_of, name_first
from .streams import table_blocks
from .tables import Dialect, read_table, wrong_number

# Of a table that is read in pieces: bytes read at once for each row of a piece, and their bounds. The first block has
# to tell whether the file has a header.
BYTES_OF_ROW = 64
SMALLEST_BLOCK, LARGEST_BLOCK = 2**16, 2**22


def read_triple_table(path, dialect, options):
    """Read the triples of a table.

    Parameters
    ----------
    path : path-like
    dialect : Dialect
    options : ReadingOptions
        Of which `columns`, `header`, `data` and `empty` count.

    Returns
    -------
    TripleRows
    """
    chosen, at_least = _check_choice(options)
    names, positions, table = _find_triples(read_table(path, dialect, at_least=at_least), chosen, options, dialect)
    if options.header is None and names is None and stands_alone([table.columns[place] for place in positions]):
        _tell_of_suspicious(table, positions)
    columns = _filled(table, positions, names, options.empty)
    further = _further(options.data, names, positions, table)
    return TripleRows([columns[place] for place in positions], {key: columns[place] for key, place in further})


def stream_triples(path, dialect, options, n_rows):
    """Yield pieces of the triples of a table, in order; memory holds one piece at a time.

    Parameters
    ----------
    path : path-like
    dialect : Dialect
    options : ReadingOptions
        Of which `columns` and `header` count. Empty labels are refused.
    n_rows : int
        Most rows of a piece.

    Yields
    ------
    ndarray of shape (at most n_rows, 3), dtype object

    Raises
    ------
    ValueError
        As `read_triple_table` does.
    """
    chosen, at_least = _check_choice(options)
    size = min(max(n_rows * BYTES_OF_ROW, SMALLEST_BLOCK), LARGEST_BLOCK)
    names, positions = None, None
    for table in table_blocks(path, dialect, size, at_least=at_least):
        if positions is None and table.lines:
            names, positions, table = _find_triples(table, chosen, options, dialect)
        if place := positions and _first_hole(table, positions, names):
            raise ValueError(cut(f"{brief(path)}, {place}; give the label, or leave the row out."))
        for start in range(0, len(table.lines), n_rows):
            columns = table.rows(slice(start, start + n_rows)).columns
            yield np.array([list(columns[position]) for position in positions], dtype=object).T


def _check_choice(options):
    """Return the columns asked for, and the fewest fields that the first line then has."""
    chosen = _check_columns(options.columns)
    named = chosen is not None and isinstance(chosen[0], str)
    if named and options.header is False:
        raise ValueError(
            f"columns={shown(options.columns)} are names, but header=False; pass numbers such as (0, 1, 2)."
        )
    return chosen, 3 if chosen is None else 1 if named else max(chosen) + 1


def _find_triples(table, chosen, options, dialect):
    """Return names of columns or None, positions of head, relation and tail, and the table without its header."""
    names = [] if options.header or (chosen is not None and isinstance(chosen[0], str)) else None
    if table.lines and (names is not None or _guess_header(table, chosen, options.header)):
        names, table = table.row(0), table.without_first()
    return names, _positions(chosen, names, table, dialect), table


def _check_columns(columns):
    """Return the columns asked for as a tuple of three names or three numbers, or None."""
    if columns is None:
        return None
    columns_given, kinds = columns, set()
    if length_of(columns) is not None:
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
    _tell_of_header(table.path, table.lines[0], first)
    return True


def _tell_of_header(path, line, names):
    tell(
        cut(
            f"{brief(path)}: line {line}, {','.join(names)}, is taken for the names of columns, not "
            "for a triple; header=True (--header yes) says so without this notice, header=False makes it a triple."
        )
    )


def _tell_of_suspicious(table, positions):
    first = ",".join(table.columns[place][0] for place in positions)
    tell(
        cut(
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
                cut(
                    f"{brief(table.path)} has the columns {name_first(names, limit=20)} in its first line; say which "
                    "are head, relation and tail, such as columns=(0, 1, 2)."
                )
            )
        return [names.index(name) for name in chosen] if len(set(names)) == len(names) else [0, 1, 2]
    if chosen is None:
        if len(table.columns) not in (0, 3):
            message = wrong_number(table.path, table.lines[0], table.row(0), 3, dialect)
            remedy = "Say which are head, relation and tail, such as columns=(0, 1, 2)."
            raise ValueError(cut(f"{message} {remedy}"))
        return [0, 1, 2]
    if isinstance(chosen[0], int):
        return list(chosen)
    if not names:
        raise ValueError(f"{brief(table.path)} is empty, expected the columns {name_first(chosen)} in its first line.")
    wrong = [name for name in chosen if names.count(name) != 1]
    if wrong:
        raise ValueError(
            cut(
                f"{brief(table.path)} has the columns {name_first(names, limit=20)} in its first line, {wrong[0]!r} "
                f"{names.count(wrong[0])} times instead of once; name three of them in columns, or leave columns out "
                "if the file has no header."
            )
        )
    return [names.index(name) for name in chosen]


def _filled(table, positions, names, empty):
    """Return the columns without the rows in which head, relation or tail is empty, or refuse these."""
    place = None if empty == "keep" else _first_hole(table, positions, names)
    if place is None:
        return table.columns
    triples = [table.columns[position] for position in positions]
    kept = [row for row, labels in enumerate(zip(*triples, strict=True)) if "" not in labels]
    counts = f"{len(table.lines)} rows in, {len(kept)} kept, {len(table.lines) - len(kept)} refused"
    if empty == "error":
        counts = f"{len(table.lines) - len(kept)} of {len(table.lines)} rows are like that"
        remedy = "empty='drop' (--empty drop) leaves them out; the nodes of a Neo4j export are rows of this kind"
        raise ValueError(cut(f"{brief(table.path)}, {place}; {counts}: {remedy}."))
    tell(cut(f"{brief(table.path)}: {counts}; the first, {place}."))
    return [
        column.chosen(kept) if isinstance(column, CodedColumn) else [column[row] for row in kept]
        for column in table.columns
    ]


def _first_hole(table, positions, names):
    """Tell where the first empty head, relation or tail is, or return None."""
    triples = [table.columns[position] for position in positions]
    if not any("" in column for column in triples):
        return None
    number = next(row for row, labels in enumerate(zip(*triples, strict=True)) if "" in labels)
    hole = next(part for part in range(3) if triples[part][number] == "")
    name = f"{positions[hole] + 1}" if names is None else f"{positions[hole] + 1} {names[positions[hole]]!r}"
    return f"line {table.lines[number]}, column {name}: the {COLUMNS[hole]} is empty"


def _further(data, names, positions, table):
    """Return the names, or numbers, and the positions of the columns to keep beside those of the triples."""
    others = [place for place in range(len(table.columns)) if place not in positions]
    keys = {place: place if names is None else names[place] for place in others}
    unique = len(set(keys.values())) == len(keys)
    keys = keys if unique else {place: f"{key}_{place}" for place, key in keys.items()}
    if data is None:
        return [(key, place) for place, key in keys.items()]
    data = [data] if isinstance(data, str | Integral) else list(data)
    places = {key: place for place, key in keys.items()}
    wrong = [key for key in data if key not in places]
    if wrong:
        raise ValueError(
            cut(f"data={data!r}: {brief(table.path)} has no further column {wrong[0]!r}: {name_first(list(places))}.")
        )
    return [(key, places[key]) for key in data]


def read_tsv(path, n_fields=3, columns=None):
    """Read all columns of a tab-separated file without header, or those that its first line calls `columns`."""
    table = read_table(path, Dialect("\t"), n_fields if columns is None else None)
    if columns is None:
        return table.columns if table.columns else [[] for _ in range(n_fields)]
    names = table.row(0) if table.lines else []
    places = _positions(tuple(columns), names, table, Dialect("\t"))
    return [table.columns[place][1:] for place in places]
