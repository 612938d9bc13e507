"""Tables of long files, some rows at a time, read as `tables` reads whole ones."""

import re

from .._utils.messages import brief
from .files import text_chunks
from .tables import LINE_END, WHITE_SPACE, table_of_text

# Characters that a row may have before it is taken for one whose quotes are not closed.
LONGEST_ROW = 2**25


def table_blocks(path, dialect, size, at_least=1):
    """Yield the rows of a table as tables that follow one another; memory holds one of them.

    Parameters
    ----------
    path : path-like
    dialect : Dialect
    size : int
        Bytes of the file that are read at once. A block may be longer, by as much as its last row is cut off.
    at_least : int, default=1
        Fewest fields that the first line may have.

    Yields
    ------
    Table
        Without a row if these lines are empty.

    Raises
    ------
    ValueError
        As `read_table` does, and for a row of more than `LONGEST_ROW` characters.
    """
    n_fields = None
    for first_line, text in _whole_rows(text_chunks(path, size), path, dialect):
        table = table_of_text(text, path, dialect, n_fields, at_least, first_line=first_line)
        if n_fields is None and table.lines:
            n_fields = len(table.columns)
        yield table


def _whole_rows(chunks, path, dialect):
    """Yield texts that end where a row ends, each with the number of its first line."""
    last_row_end, rest, line = _finder_of_row_ends(dialect), "", 1
    for chunk in chunks:
        text = rest + chunk
        end = last_row_end(text)
        if end:
            yield line, text[:end]
            line += len(LINE_END.findall(text, 0, end))
        elif len(text) > LONGEST_ROW:
            raise ValueError(
                f"{brief(path)}, line {line}: begins a row of more than {LONGEST_ROW} characters; see whether its "
                "quotes are closed."
            )
        rest = text[end:]
    if rest:
        yield line, rest


def _finder_of_row_ends(dialect):
    """Return the function that finds the end of the last row of a text that goes on, 0 if none ends.

    A carriage return at the end of the text may be half of a line end.
    """

    def of_lines(text):
        until = len(text) - text.endswith("\r")
        return max(text.rfind("\n", 0, until), text.rfind("\r", 0, until)) + 1

    if not dialect.quoting or dialect.sep == WHITE_SPACE:
        return of_lines
    sep, quoted = re.escape(dialect.sep), r'"[^"]*(?:""[^"]*)*"'
    field = rf'(?:{quoted}|(?!")[^{sep}\r\n]*)'
    row = re.compile(rf"{field}(?:{sep}{field})*(?:\r\n|\r(?!\Z)|\n)")
    # No more text mends a quote that closes inside of a field; who reads the row tells it.
    broken = re.compile(rf'(?:{field}{sep})*{quoted}[^"{sep}\r\n]')

    def of_quoted_rows(text):
        if '"' not in text:
            return of_lines(text)
        end = 0
        while found := row.match(text, end):
            end = found.end()
        return len(text) if broken.match(text, end) else end

    return of_quoted_rows
