"""Random tables in every dialect come back as they were written, or are refused with a named line.

python tests/graph/test_fuzz.py 10000
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from table_files import check_reads_back, written_tables


def fuzz(n_files):
    @settings(max_examples=n_files, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(written_tables())
    def tables_come_back(table):
        with TemporaryDirectory() as folder:
            check_reads_back(table, Path(folder))

    tables_come_back()


def test_tables_come_back_or_are_refused_with_a_line():
    fuzz(200)


if __name__ == "__main__":
    fuzz(int(sys.argv[1]))
