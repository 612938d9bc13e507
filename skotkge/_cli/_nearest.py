"""``nearest``: the entities that are most like others, by the embeddings of a saved model."""

from pathlib import Path

from rich.console import Console

from ._options import add_model_option, add_space_option
from ._reading import load_model, read_entities
from ._tables import neighbor_table
from ._writing import add_output_option, check_output, write_rows


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Find the entities whose embeddings are most similar to those of others."
    parser.set_defaults(run=run)
    add_model_option(parser)
    parser.add_argument("--entity", nargs="+", default=[], metavar="LABEL", help="labels, or names that the model has")
    parser.add_argument(
        "--entities",
        type=Path,
        metavar="FILE",
        help="more of them: the first column of a .tsv, .txt or .csv file without header",
    )
    parser.add_argument("-k", type=int, default=10, help="neighbours of each (default: %(default)s)")
    add_space_option(parser)
    add_output_option(parser, "the neighbours")


def run(options):
    """Find the neighbours; return the exit status."""
    check_output(options.output)
    asked = [*options.entity, *([] if options.entities is None else read_entities(options.entities))]
    if not asked:
        raise ValueError("no entity is asked about; give --entity or --entities")
    model = load_model(options.model, "nearest", options.trust)
    found = model.nearest(asked, options.k, space=options.space)
    console = Console(soft_wrap=True)
    if options.output is None:
        for row in range(len(found.labels)):
            console.print(neighbor_table(found, row))
    else:
        named = found.names is not None
        names = ["entity_name", "neighbor_name"] if named else []
        rows = list(_rows(found, named))
        write_rows(options.output, ["entity", "rank", "neighbor", "similarity", *names], rows)
        console.print(f"{len(rows)} neighbours written to {options.output}", highlight=False, markup=False)
    return 0


def _rows(found, named):
    for row, entity in enumerate(found.asked):
        neighbors = zip(found.labels[row], found.similarities[row], strict=True)
        for rank, (neighbor, similarity) in enumerate(neighbors, 1):
            if neighbor is not None:
                names = found.vocabulary.names_of([entity, neighbor]) if named else []
                yield [entity, rank, neighbor, similarity, *names]
