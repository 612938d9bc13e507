"""Triples with their vectors, names and attributes, from the files that the options name."""

import argparse
from pathlib import Path

import numpy as np

from .._graph.labels import first_occurrences
from .._graph.triples import MultimodalTriples
from ..encoding import TableEncoder, encode_table
from ..encoding._kinds import KINDS
from ._reading import find_split, read_columns, read_entities, read_triples, read_vectors
from ._signature import ConstructorOptions, pairs_of

# Of a table of attributes; a transformer in place of the name of a kind is for Python alone.
ENCODER = ConstructorOptions(
    TableEncoder,
    prefix="attributes",
    left_out=frozenset({"random_state"}),
    special={
        "spec": dict(
            type=pairs_of(str, "year=number,note=drop"),
            metavar="COLUMN=KIND,...",
            help=f"what columns hold, where their values do not tell: {', '.join(KINDS)}, or drop",
        )
    },
)


VECTORS = "a .tsv, .txt or .csv file with an entity and its numbers in each line"


def add_modality_option(group, flag, what):
    """Add the option for vectors; `what` is its help."""
    group.add_argument(
        flag,
        type=_name_and_path,
        action="append",
        default=[],
        metavar="NAME=FILE",
        help=f"{what}; may be given several times",
    )


def add_names_option(group, flag="--names", of=""):
    """Add the option for readable names."""
    group.add_argument(
        flag,
        type=Path,
        metavar="FILE",
        help=f"readable names{of}: a tab-separated or CSV file with an entity and its name in each line; commands show "
        "them, and take them for labels",
    )


def add_display_options(group):
    """Add the options for what is kept for display."""
    for what, value in (("texts", "a text about it"), ("pictures", "the path of its picture")):
        group.add_argument(
            f"--{what}",
            type=Path,
            metavar="FILE",
            help=f"a tab-separated or CSV file with an entity and {value} in each line, for explore",
        )


def add_attribute_options(group):
    """Add the options for a table of attributes and how it is encoded."""
    group.add_argument(
        "--attributes",
        type=Path,
        metavar="FILE",
        help="table of what is known about entities: a .tsv, .txt or .csv file with names in its first line, and a "
        "line for each entity; its columns become modalities",
    )
    ENCODER.add_to(group)


def _name_and_path(value):
    name, equals, path = value.partition("=")
    if not (name and equals and path):
        raise argparse.ArgumentTypeError(f"{value!r} is not NAME=FILE, such as text=vectors.npy")
    return name, Path(path)


def table_encoder(options):
    """Return the encoder of the options, unfitted, or None without a table of attributes."""
    if options.attributes is None:
        return None
    return TableEncoder(**ENCODER.values(options), random_state=options.seed)


def read_graph(options, encoder=None):
    """Return the training triples over the table of all labels, and the validation triples or None.

    Parameters
    ----------
    options : Namespace
        Of ``fit``.
    encoder : TableEncoder, default=None
        Of the table of attributes, if there is one.
    """
    files, entities = _split_files(options)
    triples = {split: read_triples(path, options) for split, path in files.items()}
    every = np.concatenate(list(triples.values()))
    modalities = read_modalities(options.modality, has_entities=entities is not None)
    if encoder is not None:
        modalities |= _encoded(options.attributes, encoder, modalities)
    labels = labels_of(every, modalities) if entities is None else read_entities(entities)
    table = dict(entities=labels, relations=first_occurrences(every[:, 1]))
    table |= dict(names=options.names, texts=options.texts, pictures=options.pictures)
    train = MultimodalTriples(triples["train"], modalities, **table)
    return train, (train.with_triples(triples["valid"]) if "valid" in triples else None)


def labels_of(triples, modalities):
    """Return the labels of triples, and of vectors that come with labels, in order of first appearance."""
    labelled = [labels for _, labels in modalities.values()]
    return first_occurrences([*triples[:, [0, 2]].ravel(), *(label for labels in labelled for label in labels)])


def read_modalities(pairs, flag="--modality", has_entities=False):
    """Read the vectors of pairs of a name and a path.

    Raises
    ------
    ValueError
        If a name is given twice, or a file without labels comes without those of all entities.
    """
    modalities = {}
    for name, path in pairs:
        if name in modalities:
            raise ValueError(f"{flag} names {name!r} twice; give each its own name")
        modalities[name] = read_vectors(path)
        if not has_entities and not isinstance(modalities[name], tuple):
            remedy = (
                "pass --entities with the label of each row" if flag == "--modality" else "give a table with labels"
            )
            raise ValueError(f"{flag} {name}={path} has no labels; {remedy}")
    return modalities


def _encoded(path, encoder, others):
    """Return the modalities of a table of attributes."""
    columns = read_columns(path)
    if encoder.entity not in columns:
        raise ValueError(
            f"--attributes {path} has no column {encoder.entity!r} with the labels of the entities; name it with "
            f"--attributes-entity, one of {', '.join(columns)}"
        )
    frames = encode_table(columns, encoder)
    both = sorted(frames.keys() & others.keys())
    if both:
        raise ValueError(
            f"--attributes makes the modality {both[0]!r}, and --modality does; give the latter another name"
        )
    return {name: (frame.to_numpy(), frame.index.tolist()) for name, frame in frames.items()}


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
