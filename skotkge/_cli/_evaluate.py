"""``evaluate``: rank test triples with a saved model."""

import json

import numpy as np
from rich.console import Console

from .._estimator.evaluating import AVERAGES
from ._options import (
    add_candidates_option,
    add_known_option,
    add_model_option,
    add_reading_options,
    add_sides_option,
    add_test_options,
    sides_of,
)
from ._reading import check_labels, find_split, load_model, read_candidates, read_triples
from ._tables import ranking_table


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Rank the heads and tails of test triples with a saved model."
    parser.set_defaults(run=run)
    add_model_option(parser)
    add_test_options(parser)
    add_known_option(parser)
    add_candidates_option(parser)
    add_sides_option(parser)
    parser.add_argument(
        "--negatives",
        type=int,
        metavar="N",
        help="rank among so many candidates drawn for each question, in place of all",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", default=0, help="seed of the negatives drawn (default: %(default)s)"
    )
    parser.add_argument(
        "--average",
        choices=AVERAGES,
        default="micro",
        help="average over all ranks, or over relations or degrees of the answers first (default: %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    add_reading_options(parser)


def run(options):
    """Evaluate a saved model on a file; return the exit status."""
    model = load_model(options.model, "evaluate", options.trust)
    path, known_paths = test_files(options)
    triples = read_triples(path, options)
    if options.unknown == "error":
        check_labels(model, triples, path, "--unknown last ranks such triples last")
    known = [read_triples(known_path, options) for known_path in known_paths]
    report = model.evaluate(
        triples,
        known=np.concatenate(known) if known else None,
        candidates=read_candidates(options.candidates),
        sides=sides_of(options),
        negatives=options.negatives,
        average=options.average,
        random_state=options.seed,
        handle_unknown=options.unknown,
    )
    if options.json:
        print(json.dumps(report))
    else:
        Console().print(ranking_table(f"{len(triples)} triples of {path.name}", report))
    return 0


def test_files(options):
    """Return the file to rank, and the files of known triples."""
    if not options.test.is_dir():
        return options.test, options.known
    test = find_split(options.test, "test")
    if test is None:
        raise ValueError(f"{options.test} has no file test.tsv, .txt, .csv, .nt or the like")
    others = [find_split(options.test, split) for split in ("train", "valid")]
    return test, [*(path for path in others if path is not None), *options.known]
