"""``score``: log-odds of the triples of a file, in constant memory."""

from pathlib import Path

from rich.console import Console

from .._estimator.base import SIDES
from .._estimator.file_scoring import CHUNK_SIZE, score_file
from ._options import add_model_option, add_table_options
from ._reading import HEADER, load_model


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Score the triples of a table, however long it is, and write them to another one."
    parser.set_defaults(run=run)
    add_model_option(parser)
    parser.add_argument("triples", type=Path, metavar="TRIPLES", help=".tsv, .txt or .csv file, maybe compressed")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", required=True, help="write triples and scores to this .csv or .tsv file"
    )
    parser.add_argument(
        "--side",
        choices=SIDES,
        default="both",
        help="score as answers to questions for heads or tails, or the mean of both (default: %(default)s)",
    )
    parser.add_argument(
        "--unknown",
        choices=("error", "last"),
        default="error",
        help="what to do with labels that the model has not seen: stop, or write -inf (default: %(default)s)",
    )
    parser.add_argument(
        "--chunk-size",
        type=int,
        metavar="N",
        default=CHUNK_SIZE,
        help="triples in memory at once (default: %(default)s)",
    )
    add_table_options(parser.add_argument_group("file of triples"))


def run(options):
    """Score the triples; return the exit status."""
    model = load_model(options.model, "decision_function", options.trust)
    n_triples = score_file(
        model,
        options.triples,
        options.output,
        side=options.side,
        columns=options.columns,
        header=HEADER[options.header],
        sep=options.sep,
        handle_unknown=options.unknown,
        chunk_size=options.chunk_size,
    )
    Console(soft_wrap=True).print(f"{n_triples} triples written to {options.output}", highlight=False, markup=False)
    return 0
