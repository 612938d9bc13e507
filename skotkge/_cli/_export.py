"""``export``: write the embeddings of a saved model to a file of another program."""

from pathlib import Path

from rich.console import Console

from .._estimator.embedding_files import check_embedding_path, export_embeddings
from ._options import add_model_option, add_space_option
from ._reading import load_model, read_entities


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = (
        "Write the embeddings of the entities to a file: word2vec text (.txt, .vec), Parquet (.parquet), a NumPy "
        "archive (.npz), or a table that fit reads as vectors (.tsv, .csv)."
    )
    parser.set_defaults(run=run)
    add_model_option(parser)
    parser.add_argument("output", type=Path, metavar="OUTPUT", help="the file; its name tells the format")
    add_space_option(parser)
    parser.add_argument(
        "--entities",
        type=Path,
        metavar="FILE",
        help="which entities, and in which order: the first column of a .tsv, .txt or .csv file without header "
        "(default: all)",
    )
    parser.add_argument(
        "--blanks",
        metavar="TEXT",
        help="what stands for each white space of a label in word2vec text, such as _ (default: such a label is an "
        "error)",
    )


def run(options):
    """Write the embeddings; return the exit status."""
    check_embedding_path(options.output, "OUTPUT")
    model = load_model(options.model, "embed", options.trust)
    entities = None if options.entities is None else read_entities(options.entities)
    export_embeddings(model, options.output, space=options.space, entities=entities, blanks=options.blanks)
    n_entities = len(model.entities_ if entities is None else entities)
    Console(soft_wrap=True).print(
        f"embeddings of {n_entities} entities written to {options.output}", highlight=False, markup=False
    )
    return 0
