"""``fit``: train on files of triples and vectors, and save the model."""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console
from sklearn.pipeline import Pipeline

from .._embedding.score_functions import SCORE_FUNCTIONS
from .._estimator.classifier import DEFAULT_WIDTH, OTKGEClassifier
from .._estimator.saving import check_model_path, save
from .._estimator.so_far import model_so_far
from .._estimator.stores import FolderStore, MemoryStore
from .._fusion.transformer import OTFusionTransformer
from .._graph.labels import first_occurrences
from .._graph.triples import MultimodalTriples
from .._utils.sklearn_compat import check_estimator_parameters
from ._options import add_reading_options
from ._processes import shared_by_processes
from ._reading import find_split, read_entities, read_triples, read_vectors
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
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    _add_entity_options(parser.add_argument_group("entities and their vectors"))
    _add_model_options(parser.add_argument_group("model"))
    add_reading_options(parser)


def _add_entity_options(group):
    group.add_argument(
        "--entities",
        type=Path,
        metavar="FILE",
        help="labels of all entities: the first column of a .tsv, .txt or .csv file without header; by default "
        "entities.tsv of the folder, else those of the triples and vectors",
    )
    group.add_argument(
        "--names",
        type=Path,
        metavar="FILE",
        help="readable names: a tab-separated file with an entity and its name in each line; complete shows them and "
        "takes them in questions",
    )
    group.add_argument(
        "--modality",
        type=_name_and_path,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="vectors: a .tsv, .txt or .csv file with an entity and its numbers in each line, or a .npy file with one "
        "row for each of --entities; may be given several times",
    )


def _add_model_options(group):
    group.add_argument(
        "--n-components",
        type=int,
        metavar="N",
        default=DEFAULT_WIDTH,
        help="dimensions of each space (default: %(default)s)",
    )
    group.add_argument(
        "--score-function",
        choices=sorted(SCORE_FUNCTIONS),
        default=DEFAULTS["score_function"],
        help="score function (default: %(default)s)",
    )
    group.add_argument(
        "--evidence",
        type=_kinds,
        metavar="KINDS",
        default=DEFAULTS["evidence"],
        help="what is scored: all, embeddings, fused, or kinds separated by commas, such as structure,rules "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--learning-rate",
        type=float,
        metavar="STEP",
        default=DEFAULTS["learning_rate"],
        help="step of the optimizer (default: %(default)s)",
    )
    group.add_argument(
        "--max-iter",
        type=int,
        metavar="N",
        default=DEFAULTS["max_iter"],
        help="largest number of epochs (default: %(default)s)",
    )
    group.add_argument(
        "--seed", type=int, metavar="N", default=0, help="seed of all random draws (default: %(default)s)"
    )


def _kinds(value):
    return tuple(value.split(",")) if "," in value or value not in ("all", "embeddings", "fused") else value


def _name_and_path(value):
    name, equals, path = value.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{value!r} is not NAME=FILE, such as text=vectors.npy")
    return name, Path(path)


def run(options):
    """Fit a model on the files of the options; return the exit status."""
    check_model_path(options.output, "--output")
    model = _model(options)
    for step in model:
        check_estimator_parameters(step)
    console = Console(soft_wrap=True)
    train, valid = _read_graph(options)
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


def _read_graph(options):
    """Return the training triples over the table of all labels, and the validation triples or None."""
    files, entities = _split_files(options)
    triples = {split: read_triples(path, options) for split, path in files.items()}
    every = np.concatenate(list(triples.values()))
    modalities = {}
    for name, path in options.modality:
        if name in modalities:
            raise ValueError(f"--modality names {name!r} twice; give each its own name")
        modalities[name] = read_vectors(path)
        if entities is None and not isinstance(modalities[name], tuple):
            raise ValueError(f"--modality {name}={path} has no labels; pass --entities with the label of each row")
    if entities is None:
        labelled = [labels for _, labels in modalities.values()]
        labels = first_occurrences([*every[:, [0, 2]].ravel(), *(label for labels in labelled for label in labels)])
    else:
        labels = read_entities(entities)
    table = dict(entities=labels, relations=first_occurrences(every[:, 1]), names=options.names)
    train = MultimodalTriples(triples["train"], modalities, **table)
    return train, (train.with_triples(triples["valid"]) if "valid" in triples else None)


def _split_files(options):
    """Return the files of triples by split and the file of entities or None."""
    files, entities = {"train": options.triples}, options.entities
    if options.triples.is_dir():
        files = {split: find_split(options.triples, split) for split in ("train", "valid", "test")}
        if files["train"] is None:
            raise ValueError(f"{options.triples} has no file train.tsv, .txt, .csv, .nt or the like")
        beside = options.triples / "entities.tsv"
        entities = entities or (beside if beside.is_file() else None)
    if options.valid is not None:
        files["valid"] = options.valid
    return {split: path for split, path in files.items() if path is not None}, entities


def _model(options):
    fused = bool(options.modality)
    classifier = OTKGEClassifier(
        options.score_function,
        embedding_dim=None if fused else options.n_components,
        evidence=options.evidence,
        learning_rate=options.learning_rate,
        max_iter=options.max_iter,
        checkpoint_interval=options.checkpoint_interval,
        verbose=0 if options.quiet else 1,
        random_state=options.seed,
    )
    fusion = [("fuse", OTFusionTransformer(options.n_components, random_state=options.seed))] if fused else []
    return Pipeline([*fusion, ("kge", classifier)])
