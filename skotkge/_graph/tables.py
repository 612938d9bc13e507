"""Fields of text tables: any separator, with quotes or without, every character kept.

pandas and polars do not read these files alone. Both fill a line that is too short, and drop the quotes of ``"a"x``;
neither tells the line of a field. So the places of separators, line ends and quotes are looked at first: where each
line is a row of equal length and each quote stands at an end of its field, polars reads the text if it is installed and
the text is long. What is left is read field by field, and refused by number of line.
"""

import csv
import importlib.util
import io
import re
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from .._utils.messages import brief, cut, shown
from .coded import CodedColumn
from .files import read_text

WHITE_SPACE = r"\s+"
BLANKS = re.compile(r"[ \t\f\v]+")  # white space of ASCII: a no-break space belongs to its label
LINE_END = re.compile(r"\r\n|\r|\n")
# Shorter texts are read before polars is imported.
LONG_TEXT = 2**20


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
        f"sep={shown(sep)}, expected the one character between fields, such as ',' or ';', or r'\\s+' for any "
        "white space."
    )


@dataclass(frozen=True)
class Table:
    """The fields of a file.

    Attributes
    ----------
    path : path-like
    columns : list of list or CodedColumn of str
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

    def rows(self, chosen):
        """Return the table of a slice of the rows."""
        return Table(self.path, [column[chosen] for column in self.columns], self.lines[chosen])

    def without_first(self):
        """Return the rows after the first."""
        return self.rows(slice(1, None))

    def from_line(self, first_line):
        """Return the same table, its lines a range from 1, as it stands in the file from a line on."""
        return Table(self.path, self.columns, range(first_line, first_line + len(self.lines)))


def read_table(path, dialect, n_fields=None, at_least=1, long_text=LONG_TEXT):
    """Read a table in which all lines have the same number of fields; empty lines are skipped.

    Parameters
    ----------
    path : str or path-like
    dialect : Dialect
    n_fields : int, default=None
        Fields of each line; None takes the number from the first one.
    at_least : int, default=1
        Fewest fields that the first line may have.
    long_text : int, default=LONG_TEXT
        Texts of so many characters are read by polars if it is installed, to the same end.

    Returns
    -------
    Table

    Raises
    ------
    ValueError
        If a line has another number of fields, or its quotes are not closed; the message names the line.
    """
    return table_of_text(read_text(path), path, dialect, n_fields, at_least, long_text)


def table_of_text(text, path, dialect, n_fields=None, at_least=1, long_text=LONG_TEXT, first_line=1):
    """Return the table that a text is; as `read_table`, with the number of the first line within the file `path`."""
    quoted = dialect.quoting and '"' in text
    if len(text) >= long_text and importlib.util.find_spec("polars") is not None:
        table = _by_polars(text, dialect, quoted, n_fields, path, at_least)
        if table is not None:
            return table.from_line(first_line)
    if not quoted and dialect.sep != WHITE_SPACE and dialect.sep.isascii():
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        table = _split_at_once(text, dialect.sep, n_fields, path, at_least)
    elif quoted and dialect.sep != WHITE_SPACE:
        table = _quoted_at_once(text, dialect, n_fields, path, at_least)
    else:
        table = None
    if table is not None:
        return table.from_line(first_line)
    rows = list(_records(text, dialect, path, first_line))
    n_fields = n_fields or max(at_least, len(rows[0][1]) if rows else 0)
    for line, row in rows:
        if len(row) != n_fields:
            raise ValueError(wrong_number(path, line, row, n_fields, dialect))
    columns = [list(column) for column in zip(*(row for _, row in rows), strict=True)] or [[] for _ in range(n_fields)]
    return Table(path, columns, [line for line, _ in rows])


def read_records(path, dialect):
    """Yield the number and the fields of each line that is not empty, however many these are."""
    return _records(read_text(path), dialect, path)


def _by_polars(text, dialect, quoted, n_fields, path, at_least):
    """Read a regular text by polars, or return None if it is not one."""
    if dialect.sep == WHITE_SPACE or not dialect.sep.isascii():
        return None
    text = text.replace("\r\n", "\n")
    if not quoted:
        text = text.replace("\r", "\n")
    text = text.removesuffix("\n")
    data = text.encode()
    found = _regular_shape(np.frombuffer(data, dtype=np.uint8), ord(dialect.sep), quoted)
    if found is None or found[1] == 1 or found[1] < at_least or n_fields not in (None, found[1]):
        return None
    n_rows, n_fields = found
    import polars

    frame = polars.read_csv(
        data,
        separator=dialect.sep,
        has_header=False,
        quote_char='"' if quoted else None,
        infer_schema_length=0,  # all are strings
    )
    if frame.shape != (n_rows, n_fields):
        return None
    columns = []
    for column in frame.fill_null("").iter_columns():
        distinct = column.unique(maintain_order=True)
        codes = column.cast(polars.Enum(distinct)).to_physical().to_numpy()
        columns.append(CodedColumn(distinct.to_list(), codes.astype(np.int64)))
    return Table(path, columns, range(1, n_rows + 1))


def _regular_shape(characters, sep, quoted):
    """Return the numbers of lines and of fields in each, or None if a line or a quote is out of order.

    The places of the line ends among all separators tell it: every n-th, no matter where in the text.
    """
    is_end = characters == ord("\n")
    between = is_end | (characters == sep)
    if quoted:
        if (characters == ord("\r")).any():
            return None
        quotes = np.flatnonzero(characters == ord('"'))
        # Of an even number of quotes each second one closes. Opening ones follow a separator, closing ones precede one,
        # but for two that are one quote of the field.
        bounds = np.concatenate([[True], between, [True]])
        opening, closing = quotes[::2], quotes[1::2]
        if len(opening) != len(closing):
            return None
        is_quote = np.concatenate([[False], characters == ord('"'), [False]])
        if not (bounds | is_quote)[opening].all() or not (bounds | is_quote)[closing + 2].all():
            return None
        inside = np.logical_xor.accumulate(is_quote[1:-1])
        if (is_end & inside).any():
            return None
        between &= ~inside
    ends = np.append(np.flatnonzero(is_end[between]), np.count_nonzero(between))
    n_fields = int(ends[0]) + 1
    if not np.array_equal(ends, np.arange(n_fields - 1, (n_fields) * len(ends), n_fields)):
        return None
    return len(ends), n_fields


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


def _records(text, dialect, path, first_line=1):
    if dialect.quoting and '"' in text and dialect.sep != WHITE_SPACE:
        yield from _quoted_records(text, dialect, path, first_line)
        return
    for line, content in enumerate(LINE_END.split(text), first_line):
        if dialect.sep != WHITE_SPACE:
            if content:
                yield line, content.split(dialect.sep)
        elif dialect.quoting and '"' in content:
            yield line, _quoted_words(content, line, path)
        elif content.strip(" \t\f\v"):
            yield line, BLANKS.split(content.strip(" \t\f\v"))


def _quoted_records(text, dialect, path, first_line):
    """Yield the line in which each row begins, and its fields; a quote inside of a field without quotes is kept."""
    sep = re.escape(dialect.sep)
    field = re.compile(rf'(?:"([^"]*(?:""[^"]*)*)"|((?!")[^{sep}\r\n]*))({sep}|\r\n|\r|\n|\Z)')
    position, line, begins, row = 0, first_line, first_line, []
    while position < len(text) or row:
        found = field.match(text, position)
        if found is None:
            closed = re.compile(r'"[^"]*(?:""[^"]*)*"').match(text, position)
            trouble = f"{dialect.sep!r} expected after '\"'" if closed else "unexpected end of data"
            raise ValueError(_wrong_quotes(path, begins, trouble))
        written, plain, end = found.groups()
        row.append(plain if written is None else written.replace('""', '"'))
        position = found.end()
        if end != dialect.sep:
            line += 1 + (0 if written is None else len(LINE_END.findall(written)))
            if row != [""] or written is not None:
                yield begins, row
            begins, row = line, []
        elif written is not None:
            line += len(LINE_END.findall(written))


def _quoted_words(content, line, path):
    """Split a line at white space outside of quotes; quotes in a field are doubled."""
    words = re.findall(r'[ \t\f\v]*("(?:[^"]|"")*"|[^ \t\f\v"]+)(?=[ \t\f\v]|$)|([^ \t\f\v]+)', content)
    if any(wrong for _, wrong in words):
        raise ValueError(_wrong_quotes(path, line, "a quote that does not close, or inside of a field"))
    return [word[1:-1].replace('""', '"') if word.startswith('"') else word for word, _ in words]


def _wrong_quotes(path, line, error):
    return (
        f"{brief(path)}, line {line}: {error}. Fields with quotes stand in quotes, and their quotes are doubled; "
        "from_tsv reads files without quoting."
    )


def wrong_number(path, line, fields, n_fields, dialect):
    """Tell that a line has another number of fields than the others."""
    between = "white space" if dialect.sep == WHITE_SPACE else repr(dialect.sep)
    place = f"column {len(fields) + 1} is missing" if len(fields) < n_fields else f"column {n_fields + 1} is too many"
    message = (
        f"{brief(path)}, line {line}: {len(fields)} fields separated by {between}, expected {n_fields}, so {place}: "
        f"{_shown_fields(fields)}."
    )
    return cut(message + _better_separator(fields, n_fields, dialect))


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
            return f" With sep={shown(sep)} the line has {len(parts)} fields."
    return ""
