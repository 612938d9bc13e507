"""Tables written in every dialect that people use, for the tests of reading and for ``make fuzz``."""

import bz2
import csv
import gzip
import io
import lzma
import warnings
import zipfile
from dataclasses import dataclass

from hypothesis import strategies as st

from skotkge import MultimodalTriples
from skotkge._graph.streams import table_blocks
from skotkge._graph.tables import Dialect, read_table

WHITE_SPACE = r"\s+"
LINE_ENDS = ("\n", "\r\n", "\r")
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")


def zipped(data):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("triples", data)
    return file.getvalue()


def zstd(data):
    import zstandard

    return zstandard.ZstdCompressor().compress(data)


COMPRESSIONS = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zip": zipped,
    ".zst": zstd,
}


@dataclass(frozen=True)
class Written:
    """A table, the way it is written, and what has to come back."""

    rows: list
    sep: str
    quoting: bool
    line_ends: list
    blank_lines: list
    encoding: str
    suffix: str
    header: bool
    further: int

    @property
    def read(self):
        return MultimodalTriples.from_csv if self.quoting else MultimodalTriples.from_tsv

    def data(self):
        """The bytes of the file."""
        names = [["head", "relation", "tail", *(f"further {n}" for n in range(self.further))]]
        if self.sep == WHITE_SPACE:
            names = [[name.replace(" ", "") for name in names[0]]]
        lines = []
        for number, row in enumerate([*(names if self.header else []), *self.rows]):
            lines += [""] * self.blank_lines[number % len(self.blank_lines)] + [self.line(row, number)]
        ends = self.line_ends
        text = "".join(line + ends[number % len(ends)] for number, line in enumerate(lines))
        return COMPRESSIONS[self.suffix](text.encode(self.encoding))

    def line(self, row, number):
        if self.sep == WHITE_SPACE:
            return ("  ", "\t", " \t ")[number % 3].join(row)
        if not self.quoting:
            return self.sep.join(row)
        file = io.StringIO(newline="")
        csv.writer(file, delimiter=self.sep, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL).writerow(row)
        return file.getvalue()


def fields(sep, quoting):
    """Fields that the dialect can hold, the empty one included."""
    forbidden = "" if quoting else "\r\n" + (" \t\f\v" if sep == WHITE_SPACE else sep)
    if sep == WHITE_SPACE:
        forbidden += " \t\f\v\r\n"
    characters = st.characters(exclude_categories=["Cs"], exclude_characters=forbidden + "\0\ufeff")
    likely = st.sampled_from(
        ["nan", "NA", "007", "7.0", "None", '"', "'", "é", "e\u0301", "#", "\u00a0", "\u2028", "a"]
    )
    likely = likely.filter(lambda text: not set(text) & set(forbidden))
    # White space cannot hold an empty field.
    return st.one_of(likely, st.text(characters, min_size=int(sep == WHITE_SPACE), max_size=6))


@st.composite
def written_tables(draw):
    """Random tables in random dialects."""
    quoting = draw(st.booleans())
    sep = draw(st.sampled_from([",", ";", "\t", "|"] if quoting else ["\t", ",", ";", WHITE_SPACE]))
    further = draw(st.integers(0, 2))
    row = st.lists(fields(sep, quoting), min_size=3 + further, max_size=3 + further)
    return Written(
        draw(st.lists(row, min_size=1, max_size=6)),
        sep,
        quoting,
        draw(st.lists(st.sampled_from(LINE_ENDS), min_size=1, max_size=3)),
        draw(st.lists(st.integers(0, 1), min_size=1, max_size=3)),
        draw(st.sampled_from(ENCODINGS)),
        draw(st.sampled_from(sorted(COMPRESSIONS))),
        draw(st.booleans()),
        further,
    )


def check_reads_back(table, folder):
    """Make sure that a table comes back equal, or is refused with the name of the file and a line."""
    path = folder / f"table{table.suffix}"
    path.write_bytes(table.data())
    options = dict(sep=table.sep, columns=(0, 1, 2), header=table.header, duplicates="keep")
    holes = any("" in row[:3] for row in table.rows)
    check_long_and_short_texts_are_read_alike(path, Dialect(table.sep, table.quoting))
    if not holes:
        check_the_guess_of_the_header(table, path)
    try:
        X = table.read(path, **options)
    except ValueError as error:
        message = str(error)
        assert holes, message
        assert "table" in message, message
        assert ", line " in message, message
        assert len(message) <= 500, message
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            X = table.read(path, **options, empty="drop")
        kept = [row for row in table.rows if "" not in row[:3]]
        assert f"{len(table.rows)} rows in, {len(kept)} kept" in str(caught[0].message)
    else:
        assert not holes
        kept = table.rows
    assert X.labels.tolist() == [row[:3] for row in kept]
    assert [column.tolist() for column in X.triple_data.values()] == [
        [row[3 + n] for row in kept] for n in range(table.further)
    ]


def check_long_and_short_texts_are_read_alike(path, dialect):
    """Make sure that polars, which reads long texts, gives what the other readers give."""
    found = []
    for long_text in (0, float("inf")):
        try:
            read = read_table(path, dialect, long_text=long_text)
            found.append(([list(column) for column in read.columns], list(read.lines)))
        except ValueError as error:
            found.append(str(error))
    assert found[0] == found[1]
    check_blocks_make_the_table(path, dialect, found[0])


def check_blocks_make_the_table(path, dialect, whole):
    """Make sure that a table read in blocks of some bytes is the whole one, or refused as well with the line."""
    for size in (1, 5, 64):
        try:
            blocks = [block for block in table_blocks(path, dialect, size) if block.lines]
        except ValueError as error:
            blocks = str(error)
        assert isinstance(blocks, str) == isinstance(whole, str), (blocks, whole)
        if isinstance(blocks, str):
            assert ", line " in blocks, blocks
        elif blocks:
            columns = zip(*(block.columns for block in blocks), strict=True)
            assert [[field for part in parts for field in part] for parts in columns] == whole[0]
            assert [line for block in blocks for line in block.lines] == whole[1]
        else:
            assert not whole[1]


def check_the_guess_of_the_header(table, path):
    """Make sure that a first line is left out with a notice or not at all, and always if it has the usual names."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        X = table.read(path, sep=table.sep, columns=(0, 1, 2), duplicates="keep")
    told = any("is taken for the names of columns" in str(warning.message) for warning in caught)
    rows = [row[:3] for row in table.rows]
    if table.header:
        assert told
        assert X.labels.tolist() == rows
    else:
        assert X.labels.tolist() == (rows[1:] if told else rows)
