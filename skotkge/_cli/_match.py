"""``match``: find which entities of two graphs are the same, from some that are known."""

import argparse
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .._graph.labels import first_occurrences
from .._graph.triples import MultimodalTriples
from .._matching.matcher import OTEntityMatcher
from .._matching.pairs import EntityPairs
from .._utils.sklearn_compat import check_estimator_parameters
from ._graphs import VECTORS, add_modality_option, add_names_option, labels_of, read_modalities
from ._options import add_reading_options
from ._reading import MATCH_COLUMNS, read_pairs, read_triples
from ._signature import ConstructorOptions
from ._writing import check_output, write_rows

METRICS = {"hits@1": "Hits@1", "hits@10": "Hits@10", "mrr": "MRR", "precision": "precision", "recall": "recall"}


def _views(value):
    return value if value == "auto" else tuple(value.split(","))


def _probability(value):
    try:
        return value if value == "f1" else float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value!r} is neither a probability such as 0.5 nor f1") from None


MATCHER = ConstructorOptions(
    OTEntityMatcher,
    left_out=frozenset({"random_state", "verbose"}),
    special={
        "views": dict(
            type=_views,
            metavar="VIEWS",
            help="what is compared: auto for all that both graphs have, or some of structure, across, names and shared "
            "modalities, separated by commas (default: auto)",
        ),
        "min_probability": dict(
            type=_probability,
            metavar="P",
            help="probability below which an entity is left unmatched, or f1: that which gives the best F1 of held-out "
            "pairs (default: 0.5)",
        ),
    },
)


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        "Find which entities of two graphs are the same, by optimal transport from the pairs that are known, and write "
        "the matched pairs with their probabilities."
    )
    parser.set_defaults(run=run)
    parser.add_argument("x", type=Path, metavar="X", help="file of triples of the first graph")
    parser.add_argument("y", type=Path, metavar="Y", help="file of triples of the second graph")
    pair_file = (
        "a .tsv, .txt or .csv file without header, with a label of X and a label of Y in each line, or what match has "
        "written"
    )
    parser.add_argument("--pairs", "--seeds", type=Path, metavar="FILE", help=f"pairs that are known: {pair_file}")
    parser.add_argument("--test", type=Path, metavar="FILE", help="true pairs to judge the matching by")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("matches.tsv"),
        help="where the pairs are written, .csv or .tsv (default: %(default)s)",
    )
    group = parser.add_argument_group("entities and their vectors")
    for graph in "xy":
        add_modality_option(group, f"--modality-{graph}", f"vectors of the entities of {graph.upper()}: {VECTORS}")
        add_names_option(group, f"--names-{graph}", f" of the entities of {graph.upper()}")
    group = parser.add_argument_group("matching")
    MATCHER.add_to(group)
    group.add_argument("--seed", type=int, metavar="N", default=0, help="seed of the draws (default: %(default)s)")
    add_reading_options(parser)
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(options):
    """Match the two graphs; return the exit status."""
    check_output(options.output)
    matcher = OTEntityMatcher(**MATCHER.values(options), random_state=options.seed, verbose=0 if options.quiet else 1)
    check_estimator_parameters(matcher)
    X = _graph(options.x, options.modality_x, options.names_x, "--modality-x", options)
    Y = _graph(options.y, options.modality_y, options.names_y, "--modality-y", options)
    console = Console(soft_wrap=True)
    console.print(f"{X!r}\n{Y!r}", highlight=False, markup=False)
    known = EntityPairs([] if options.pairs is None else read_pairs(options.pairs), X, Y)
    test = None if options.test is None else EntityPairs(read_pairs(options.test), X, Y)
    matcher.fit(known)
    given = set(map(tuple, known.labels.tolist()))
    rows = [
        (first, second, probability, int((first, second) in given)) for first, second, probability in matcher.matches_
    ]
    write_rows(options.output, MATCH_COLUMNS, rows)
    if test is not None:
        console.print(_table(matcher.evaluate(test), f"{len(test)} pairs of {options.test.name}"))
    written = f"{len(rows) - len(given)} new matches and {len(given)} known pairs written to {options.output}"
    alone = [
        f"{graph.n_entities - len(rows)} of {graph.n_entities} entities of {name}"
        for name, graph in zip("XY", (X, Y), strict=True)
    ]
    console.print(f"{written}; left unmatched: {' and '.join(alone)}", highlight=False, markup=False)
    return 0


def _graph(path, modalities, names, flag, options):
    triples = read_triples(path, options)
    vectors = read_modalities(modalities, flag)
    table = dict(entities=labels_of(triples, vectors), relations=first_occurrences(triples[:, 1]), names=names)
    return MultimodalTriples(triples, vectors, **table)


def _table(report, title):
    table = Table(title=Text(f"\n{title}"), title_justify="left")
    for name in METRICS.values():
        table.add_column(name, justify="right")
    table.add_row(*(f"{report[name]:.3f}" for name in METRICS))
    return table
