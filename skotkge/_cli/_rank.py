"""``rank``: the ranks of the heads and tails of test triples, in a file."""

from pathlib import Path

import numpy as np
from rich.console import Console

from .._graph.headers import COLUMNS
from .._graph.written_tables import check_table_path, writing_rows
from .._utils.whole_files import check_writable, whole_file
from ._evaluate import test_files
from ._options import (
    add_candidates_option,
    add_known_option,
    add_model_option,
    add_reading_options,
    add_sides_option,
    add_test_options,
    sides_of,
)
from ._reading import check_labels, load_model, read_candidates, read_triples


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Write the filtered ranks of the heads and tails of test triples by a saved model to a file."
    parser.set_defaults(run=run)
    add_model_option(parser)
    add_test_options(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FILE", required=True, help="write triples and ranks to this .csv or .tsv file"
    )
    add_known_option(parser)
    add_candidates_option(parser)
    add_sides_option(parser)
    add_reading_options(parser)


def run(options):
    """Rank the triples of a file; return the exit status."""
    check_writable(options.output, "--output")
    check_table_path(options.output, "--output")
    model = load_model(options.model, "rank", options.trust)
    path, known_paths = test_files(options)
    triples = read_triples(path, options)
    if options.unknown == "error":
        check_labels(model, triples, path, "--unknown last ranks such triples last")
    known = [read_triples(known_path, options) for known_path in known_paths]
    sides = sides_of(options)
    ranks = model.rank(
        triples,
        known=np.concatenate(known) if known else None,
        candidates=read_candidates(options.candidates),
        sides=sides,
        handle_unknown=options.unknown,
    )
    with (
        whole_file(options.output, "w", encoding="utf-8", newline="") as file,
        writing_rows(file, options.output, "--output") as table,
    ):
        table.writerow([*COLUMNS, *(f"{side}_rank" for side in sides)])
        table.writerows([*triple, *of_triple] for triple, of_triple in zip(triples, ranks.tolist(), strict=True))
    told = f"ranks of {len(triples)} triples written to {options.output}"
    Console(soft_wrap=True).print(told, highlight=False, markup=False)
    return 0
