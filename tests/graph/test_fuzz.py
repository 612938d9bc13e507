"""Random tables in every dialect come back as they were written, or are refused with a named line.

python tests/graph/test_fuzz.py 10000
"""

import csv
import io
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from table_files import check_long_and_short_texts_are_read_alike, check_reads_back, written_tables

from skotkge._graph.tables import Dialect, read_records


def fuzz(n_files):
    @settings(max_examples=n_files, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(written_tables())
    def tables_come_back(table):
        with TemporaryDirectory() as folder:
            check_reads_back(table, Path(folder))

    tables_come_back()


def fuzz_texts(n_texts):
    """Read texts of separators, quotes and line ends, most of them no table, as the csv module does."""

    @settings(max_examples=n_texts, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.text('a",\n\r é', max_size=12), st.booleans())
    def texts_are_read_alike(text, repeated):
        text = text * 3 if repeated else text
        with TemporaryDirectory() as folder:
            path = Path(folder) / "text.csv"
            path.write_bytes(text.encode())
            for quoting in (True, False):
                check_long_and_short_texts_are_read_alike(path, Dialect(",", quoting))
            assert records(path) == records_of_the_csv_module(text)

    texts_are_read_alike()


def records(path):
    try:
        return [row for _, row in read_records(path, Dialect(",", quoting=True))]
    except ValueError:
        return None


def records_of_the_csv_module(text):
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        return None


def test_texts_are_read_as_by_the_csv_module():
    fuzz_texts(500)


def test_tables_come_back_or_are_refused_with_a_line():
    fuzz(200)


if __name__ == "__main__":
    fuzz(int(sys.argv[1]))
    fuzz_texts(int(sys.argv[1]))
