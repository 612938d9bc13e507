"""``split``: part a file of triples into training, validation and test triples."""

import argparse
import math
from pathlib import Path

from rich.console import Console

from .._graph.headers import COLUMNS
from .._utils.whole_files import check_writable
from ..model_selection import inductive_train_test_split, temporal_train_test_split, transductive_train_test_split
from ._options import add_reading_options
from ._reading import read_with_data
from ._tables import split_table
from ._writing import STYLES, write_rows

RANDOM, TIME, ENTITIES = "random", "time", "entities"
SPLITS = ("train", "valid", "test")


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        "Part a file of triples into train, valid and test files, in a folder that fit and evaluate take."
    )
    parser.set_defaults(run=run)
    parser.add_argument("triples", type=Path, metavar="TRIPLES", help="file of triples")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the files are written; made if absent")
    parser.add_argument(
        "--by",
        choices=(RANDOM, TIME, ENTITIES),
        default=RANDOM,
        help="random: each entity and relation keeps a triple in training; time: the latest triples, by --time; "
        "entities: triples of entities that training does not have (default: %(default)s)",
    )
    for split, default in (("test", 0.1), ("valid", 0.1)):
        parser.add_argument(
            f"--{split}-size",
            type=_size,
            metavar="SIZE",
            default=default,
            help=f"share of all triples in the {split} file, or their number (default: %(default)s)",
        )
    parser.add_argument("--no-valid", dest="valid_size", action="store_const", const=0, help="write no valid file")
    parser.add_argument(
        "--time", type=_column, metavar="COLUMN", help="the column with times: a name, or a number from 0"
    )
    parser.add_argument(
        "--since", metavar="TIME", help="test all triples of this time or later, in place of --test-size"
    )
    parser.add_argument(
        "--keep-pairs", action="store_true", help="at random: keep all triples of two entities in one file"
    )
    parser.add_argument("--to", choices=("tsv", "csv"), default="tsv", help="kind of files (default: %(default)s)")
    parser.add_argument("--seed", type=int, metavar="N", default=0, help="seed of the draws (default: %(default)s)")
    add_reading_options(parser)


def run(options):
    """Write the files; return the exit status."""
    _check(options)
    X = read_with_data(options.triples, options, () if options.time is None else (options.time,))
    options.folder.mkdir(parents=True, exist_ok=True)
    files = {split: options.folder / f"{split}.{options.to}" for split in SPLITS}
    _check_files(files)
    parts = {split: part.labels for split, part in _parts(X, options).items()}
    for split, labels in parts.items():
        write_rows(files[split], COLUMNS if options.to == "csv" else None, labels)
    console = Console(soft_wrap=True)
    console.print(split_table(options.triples.name, parts, _labels))
    console.print(f"written to {options.folder}", highlight=False, markup=False)
    return 0


def _check(options):
    if (options.time is not None) != (options.by == TIME):
        raise ValueError("--by time and --time COLUMN belong together; give both or neither")
    if options.since is not None and options.by != TIME:
        raise ValueError("--since is a time; give --by time and --time COLUMN")
    if options.keep_pairs and options.by != RANDOM:
        raise ValueError("--keep-pairs is for --by random")
    if not options.test_size and options.since is None:
        raise ValueError("--test-size 0 leaves nothing to test; give a share such as 0.1, or a number of triples")


def _check_files(files):
    for path in files.values():
        check_writable(path, "FOLDER")
        others = [path.with_suffix(suffix) for suffix in STYLES if path.with_suffix(suffix).exists()]
        if others:
            raise ValueError(f"there is {others[0]} already; name another folder, or take the file away")


def _parts(X, options):
    """Return the triples of each file."""
    n_valid = options.valid_size
    n_valid = n_valid if isinstance(n_valid, int) else math.ceil(n_valid * len(X))
    rest, test = _two(X, options, options.test_size, options.since)
    if not n_valid:
        return {"train": rest, "test": test}
    train, valid = _two(rest, options, n_valid)
    return {"train": train, "valid": valid, "test": test}


def _two(X, options, size, since=None):
    """Part triples into those of training and those that are held out."""
    if options.by == TIME:
        return temporal_train_test_split(X, X.triple_data[options.time], test_size=size or 1, since=since)
    if options.by == ENTITIES:
        return inductive_train_test_split(X, test_size=size, random_state=options.seed)
    return transductive_train_test_split(X, test_size=size, keep_pairs=options.keep_pairs, random_state=options.seed)


def _labels(triples):
    return set(triples[:, [0, 2]].ravel().tolist()), set(triples[:, 1].tolist())


def _size(text):
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a share such as 0.1 nor a number of triples") from None


def _column(text):
    return int(text) if text.isdecimal() else text
