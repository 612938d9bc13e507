"""Options that several commands have."""

import argparse
import csv
from pathlib import Path

from .._graph.readers import FORMATS
from ._reading import HEADER


def add_reading_options(parser):
    """Add the options that tell how files of triples are written."""
    group = parser.add_argument_group("files of triples")
    group.add_argument(
        "--format",
        choices=sorted(set(FORMATS.values())),
        help="format of all files of triples; by default their names tell it: "
        + ", ".join(sorted(FORMATS))
        + "; .gz, .bz2, .xz, .zip or .zst may follow",
    )
    add_table_options(group)
    group.add_argument(
        "--empty",
        choices=("error", "drop"),
        default="error",
        help="what to do with rows of which a label is empty: stop, or leave them out (default: %(default)s)",
    )
    group.add_argument(
        "--literals",
        choices=("keep", "drop"),
        default="keep",
        help="whether literals of RDF files are entities (default: %(default)s)",
    )


def add_table_options(group):
    """Add the options that tell how tables are written."""
    group.add_argument(
        "--columns",
        type=_three_columns,
        metavar="HEAD,RELATION,TAIL",
        help="names of these columns in the first line, or their numbers from 0; by default there are three, or names "
        "that are usual",
    )
    group.add_argument(
        "--header",
        choices=sorted(HEADER),
        default="guess",
        help="whether the first line of a table has names; a guess that it has is told (default: %(default)s)",
    )
    group.add_argument(
        "--sep",
        metavar="CHARACTER",
        help=r"separator of tables, \s+ for any white space (default: a tab, in CSV files a comma)",
    )


def add_known_option(parser):
    """Add the option for true triples to filter."""
    parser.add_argument(
        "--known",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="more true triples to leave out; those of the fit always are",
    )


def add_test_options(parser):
    """Add the test triples to be ranked, and what becomes of unknown labels."""
    parser.add_argument(
        "test", type=Path, metavar="TEST", help="file of true triples, or folder with test, valid and train files"
    )
    parser.add_argument(
        "--unknown",
        choices=("error", "last"),
        default="error",
        help="what to do with labels that the model has not seen: stop, or rank their triples last "
        "(default: %(default)s)",
    )


def add_candidates_option(parser):
    """Add the option for what may answer."""
    parser.add_argument(
        "--candidates",
        metavar="all|seen|FILE",
        default="all",
        help="what may answer: all, seen (what training has on that side of the relation), or a .tsv, .txt or .csv "
        "file with a label in each line, or a relation and a label (default: %(default)s)",
    )


def add_sides_option(parser):
    """Add the option for the sides of triples that are ranked."""
    parser.add_argument(
        "--sides",
        choices=("both", "head", "tail"),
        default="both",
        help="what is asked for (default: %(default)s)",
    )


def sides_of(options):
    """Return the sides of the option as methods take them."""
    return ("head", "tail") if options.sides == "both" else (options.sides,)


def add_model_option(parser):
    """Add the file of a saved model and the option to trust it."""
    parser.add_argument("model", type=Path, metavar="MODEL", help="file saved by fit, or by skotkge.save in Python")
    parser.add_argument(
        "--trust",
        action="store_true",
        help="load any file, pickles too, though it may run code: only if you trust its origin",
    )


def add_space_option(parser):
    """Add the option for a trained space."""
    parser.add_argument(
        "--space",
        metavar="NAME",
        help="which embeddings: fused, structure, or the name of a modality (default: fused, or the first)",
    )


def _three_columns(value):
    columns = next(csv.reader([value]), [])
    if len(columns) != 3:
        raise argparse.ArgumentTypeError(f"{value!r} has {len(columns)} names, expected three separated by commas")
    return tuple(map(int, columns)) if all(map(str.isdecimal, columns)) else tuple(columns)
