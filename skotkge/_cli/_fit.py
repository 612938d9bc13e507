"""``fit``: train on files of triples and vectors, and save the model."""

from pathlib import Path

from rich.console import Console
from sklearn.pipeline import Pipeline

from .._embedding.options import OBJECTIVES
from .._embedding.score_functions import SCORE_FUNCTIONS
from .._estimator.classifier import DEFAULT_WIDTH, EVIDENCE, OTKGEClassifier
from .._estimator.saving import check_model_path, save
from .._estimator.so_far import model_so_far
from .._estimator.stores import FolderStore, MemoryStore
from .._fusion.transformer import OTFusionTransformer
from .._utils.sklearn_compat import check_estimator_parameters
from ._graphs import (
    VECTORS,
    add_attribute_options,
    add_display_options,
    add_modality_option,
    add_names_option,
    read_graph,
    table_encoder,
)
from ._options import add_reading_options
from ._processes import shared_by_processes
from ._reading import constraints_for
from ._signature import ConstructorOptions, component, pairs_of
from ._tables import ranking_table, training_table

DEFAULTS = OTKGEClassifier().get_params()


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Train on files of triples and vectors, and save the model."
    parser.set_defaults(run=shared_by_processes(run))
    parser.add_argument(
        "triples", type=Path, metavar="TRIPLES", help="file of triples, or folder with train, valid and test files"
    )
    parser.add_argument(
        "--valid",
        type=Path,
        metavar="FILE",
        help="triples for early stopping and calibration; by default those of the folder, else a part held out",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        default=Path("model.skops"),
        help="where the model is saved, as a pickle if the name ends with .joblib (default: %(default)s)",
    )
    _add_checkpoint_options(parser)
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    _add_entity_options(parser.add_argument_group("entities and their vectors"))
    _add_model_options(parser.add_argument_group("model"))
    FUSION.add_to(parser.add_argument_group("fusion", "how vectors are joined with the triples"))
    add_reading_options(parser)


def _add_checkpoint_options(parser):
    parser.add_argument(
        "--checkpoint",
        type=Path,
        metavar="FOLDER",
        help="keep the state of the training here after every epoch; the same command goes on from there",
    )
    parser.add_argument(
        "--checkpoint-interval",
        type=float,
        metavar="SECONDS",
        default=DEFAULTS["checkpoint_interval"],
        help="seconds at least between two checkpoints (default: %(default)s)",
    )
    parser.add_argument(
        "--resume",
        action="store_true",
        help="stop if there is nothing in --checkpoint to go on from, and do not begin anew",
    )


def _add_model_options(group):
    CLASSIFIER.add_to(group)
    group.add_argument(
        "--constraints",
        metavar="schema|FILE",
        help="what is known of relations: statements of RDFS and OWL in a file, or among the triples (schema), or a "
        ".json file with a mapping as the parameter takes it",
    )
    group.add_argument(
        "--seed", type=int, metavar="N", default=0, help="seed of all random draws (default: %(default)s)"
    )


def _add_entity_options(group):
    group.add_argument(
        "--entities",
        type=Path,
        metavar="FILE",
        help="labels of all entities: the first column of a .tsv, .txt or .csv file without header; by default "
        "entities.tsv of the folder, else those of the triples and vectors",
    )
    add_names_option(group)
    add_display_options(group)
    add_modality_option(group, "--modality", f"vectors: {VECTORS}, or a .npy file with one row for each of --entities")
    add_attribute_options(group)


def _kinds(value):
    return tuple(value.split(",")) if "," in value or value not in EVIDENCE else value


# The same number of columns is that of the fusion, or without vectors that of the embeddings. A warm start needs an
# earlier fit in the same process.
CLASSIFIER = ConstructorOptions(
    OTKGEClassifier,
    left_out=frozenset(
        {"constraints", "embedding_dim", "warm_start", "checkpoint", "checkpoint_interval", "verbose", "random_state"}
    ),
    special={
        "score_function": component(SCORE_FUNCTIONS),
        "objective": component(OBJECTIVES),
        "evidence": dict(
            type=_kinds,
            metavar="KINDS",
            help="what is scored: all, embeddings, fused, or kinds separated by commas, such as structure,rules "
            "(default: all)",
        ),
    },
)
FUSION = ConstructorOptions(
    OTFusionTransformer,
    prefix="fusion",
    left_out=frozenset({"random_state"}),
    special={
        "n_components": dict(
            flag="--n-components", type=int, metavar="N", help=f"dimensions of each space (default: {DEFAULT_WIDTH})"
        ),
        "weights": dict(type=pairs_of(float, "structure=2,text=1"), metavar="SPACE=NUMBER,..."),
    },
)


def run(options):
    """Fit a model on the files of the options; return the exit status."""
    check_model_path(options.output, "--output")
    model, encoder = _model(options), table_encoder(options)
    for step in (*model, *([] if encoder is None else [encoder])):
        check_estimator_parameters(step)
    console = Console(soft_wrap=True)
    train, valid = read_graph(options, encoder)
    model["kge"].set_params(constraints=constraints_for(options.constraints, train))
    console.print(repr(train), highlight=False, markup=False)
    store = _store(options)
    model["kge"].checkpoint = store
    try:
        model.fit(train, **({} if valid is None else {"kge__X_val": valid}))
    except KeyboardInterrupt as interruption:
        interruption.args = (_save_so_far(model, store, options),)
        raise
    model["kge"].checkpoint = options.checkpoint
    save(model, options.output)
    console.print(training_table(model["kge"]))
    if valid is not None:
        console.print(ranking_table("Validation triples", model["kge"].evaluate(valid)))
    console.print(f"saved to {options.output}", highlight=False, markup=False)
    return 0


def _store(options):
    """Where the fit keeps its state: in the folder of the options, else in memory, for the case that it is ended."""
    if options.checkpoint is not None:
        return FolderStore(options.checkpoint, must_exist=options.resume)
    if options.resume:
        raise ValueError("--resume needs --checkpoint, the folder to go on from")
    return MemoryStore()


def _save_so_far(model, store, options):
    """Save the model of the best epochs so far beside the output; return what is told about it."""
    path = options.output.with_name(f"{options.output.stem}.so-far{options.output.suffix}")
    try:
        if store.opened is None:
            raise ValueError("training had not begun.")
        steps = [(name, step) for name, step in model.steps if name != "kge"]
        save(Pipeline([*steps, ("kge", model_so_far(store.opened))]), path)
    except (ValueError, OSError) as error:
        return f"nothing is saved: {error}"
    onwards = "" if options.checkpoint is None else "; the same command goes on from the last epoch"
    return f"the best so far is saved to {path}{onwards}"


def _model(options):
    fused = bool(options.modality) or options.attributes is not None
    fusion, kge = FUSION.values(options), CLASSIFIER.values(options)
    classifier = OTKGEClassifier(
        **kge,
        embedding_dim=None if fused else fusion.get("n_components"),
        checkpoint_interval=options.checkpoint_interval,
        verbose=0 if options.quiet else 1,
        random_state=options.seed,
    )
    steps = [("fuse", OTFusionTransformer(**fusion, random_state=options.seed))] if fused else []
    return Pipeline([*steps, ("kge", classifier)])
