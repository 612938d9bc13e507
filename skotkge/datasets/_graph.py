"""What all loaders return: the parts of a graph over one entity table, readable names and a description."""

from importlib.resources import files

from sklearn.utils import Bunch

from .._graph.labels import as_labels
from .._graph.readers import read_tsv
from .._graph.triples import MultimodalTriples

SPLITS = ("train", "valid", "test")


def graph_bunch(name, parts, modalities, *, entities, entity_names, relations, **extras):
    """Put the parts of a graph over one shared table.

    Parameters
    ----------
    name : str
        The data set, as its description file is called.
    parts : dict of str to array-like of shape (n_triples, 3)
        Label triples of "train", "valid" and "test", and of any further part.
    modalities : dict of str to ndarray of shape (n_entities, n_features)
    entities, entity_names, relations : sequences of str
        The two of entities have one order, which is that of the rows of the modalities.
    **extras
        Further entries.

    Returns
    -------
    Bunch
        The parts as `MultimodalTriples`, with the names if they differ from the labels; ``entity_names``, ``DESCR`` and
        the extras.
    """
    table = dict(entities=entities, relations=relations)
    if list(entity_names) != list(entities):
        table["names"] = list(entity_names)
    train = MultimodalTriples(parts["train"], modalities, **table, duplicates="keep")
    others = {part: train.with_triples(triples) for part, triples in parts.items() if part != "train"}
    return Bunch(train=train, **others, entity_names=as_labels(entity_names), DESCR=_description(name), **extras)


def read_triples(path):
    """Read a tab-separated file of head, relation and tail into a list of tuples."""
    return list(zip(*read_tsv(path), strict=True))


def relations_of(parts):
    """Return the relations of all parts in sorted order: a test relation may be missing from train."""
    return sorted({relation for triples in parts.values() for _, relation, _ in triples})


def _description(name):
    return (files(__package__) / "descr" / f"{name}.rst").read_text(encoding="utf-8")
