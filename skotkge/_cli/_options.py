"""Options that several commands have."""

import argparse
import csv
from pathlib import Path

from ._reading import FORMATS


def add_reading_options(parser):
    """Add the options that tell how files of triples are written."""
    group = parser.add_argument_group("files of triples")
    group.add_argument(
        "--format",
        choices=sorted(set(FORMATS.values())),
        help="format of all files of triples; by default their names tell it: "
        + ", ".join(sorted(FORMATS))
        + ", each with .gz too",
    )
    group.add_argument(
        "--columns",
        type=_three_names,
        metavar="HEAD,RELATION,TAIL",
        help="names of these columns in the first line; without it files have no such line and three columns",
    )
    group.add_argument("--sep", metavar="CHARACTER", default=",", help="separator of CSV files (default: %(default)r)")


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


def check_folder_of(path):
    """Make sure that a file can be written before anything long starts.

    Raises
    ------
    ValueError
        If its folder does not exist or it is a folder itself.
    """
    if not path.resolve().parent.is_dir():
        raise ValueError(f"--output {path}: there is no folder {path.resolve().parent}")
    if path.is_dir():
        raise ValueError(f"--output {path} is a folder; name a file in it")


def _three_names(value):
    names = next(csv.reader([value]), [])
    if len(names) != 3:
        raise argparse.ArgumentTypeError(f"{value!r} has {len(names)} names, expected three separated by commas")
    return names
