"""``explain``: what speaks for triples and against them, by a saved model."""

from pathlib import Path

import numpy as np
from rich.console import Console
from sklearn.utils import gen_batches

from .._estimator.base import SIDES
from .._ranking.explanation import SHOWN_TRIPLES
from ._complete import COLUMNS, check_given_labels
from ._options import add_model_option, add_reading_options
from ._reading import check_labels, load_model, read_triples
from ._writing import add_output_option, check_output, write_rows


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        "Tell what each kind of evidence adds to the log-odds of triples, and the facts behind it: give --head, "
        "--relation and --tail, or a file of triples."
    )
    parser.set_defaults(run=run)
    add_model_option(parser)
    for column in COLUMNS:
        parser.add_argument(f"--{column}", metavar="LABEL")
    parser.add_argument("--triples", type=Path, metavar="FILE", help="file of triples to explain")
    parser.add_argument(
        "--side",
        choices=SIDES,
        default="both",
        help="explain the triple as an answer to the question for its head or its tail, or the mean of both "
        "(default: %(default)s)",
    )
    add_output_option(parser, "all contributions")
    add_reading_options(parser)


def run(options):
    """Explain the triples of the options; return the exit status."""
    check_output(options.output)
    triples = _triples(options)
    model = load_model(options.model, "explain", options.trust)
    if options.triples is None:
        check_given_labels(model.predictor_.vocabulary, triples[0])
    else:
        check_labels(model, triples, options.triples, "leave such lines out")
    console = Console(soft_wrap=True)
    if options.output is None:
        for rows in gen_batches(len(triples), SHOWN_TRIPLES):
            console.print(str(model.explain(triples[rows], side=options.side)), highlight=False, markup=False)
    else:
        columns = model.explain(triples, side=options.side).columns()
        write_rows(options.output, list(columns), zip(*columns.values(), strict=True))
        told = f"explanations of {len(triples)} triples written to {options.output}"
        console.print(told, highlight=False, markup=False)
    return 0


def _triples(options):
    given = np.array([[options.head, options.relation, options.tail]], dtype=object)
    n_given = sum(label is not None for label in given[0])
    if options.triples is None:
        if n_given != 3:
            raise ValueError(f"{n_given} of --head, --relation and --tail are given; give all three, or --triples")
        return given
    if n_given:
        raise ValueError("--triples and --head, --relation or --tail are both given; give one or the other")
    return read_triples(options.triples, options)
