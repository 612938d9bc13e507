"""What all loaders return: the parts of a graph over one entity table, readable names and a description."""

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from .._graph.labels import as_labels, counted
from .._graph.triple_tables import read_tsv
from .._graph.triples import MultimodalTriples

SPLITS = ("train", "valid", "test")


class GraphBunch(Bunch):
    """A data set: the parts of a graph over one table of entities, in a dictionary whose entries are attributes too.

    Loaders make it; its ``repr`` tells what is inside in a line for each entry.

    Attributes
    ----------
    train, valid, test : MultimodalTriples
        They share one table of entities, relations and modalities.
    entity_names : ndarray of shape (n_entities,), dtype object
        Readable names in the order of ``train.entities``.
    DESCR : str
        Relations, sources, known flaws and licences.

    Examples
    --------
    >>> from skotkge.datasets import load_emoji
    >>> load_emoji()
    GraphBunch of
      train         MultimodalTriples(5120 triples, 1662 entities, 12 relations; text: 384 columns; image: 128 columns)
      valid         639 more triples over the same table
      test          639 more triples over the same table
      entity_names  1662 values: '®️ registered', '‼️ double exclamation mark', ...
      DESCR         58 lines of text: Emoji graph
    """

    train: MultimodalTriples
    valid: MultimodalTriples
    test: MultimodalTriples
    entity_names: NDArray[np.object_]
    DESCR: str

    def __repr__(self) -> str:
        width = max(map(len, self))
        lines = (f"  {name:<{width}}  {self._told(value)}" for name, value in self.items())
        return "\n".join([f"{type(self).__name__} of", *lines])

    def _told(self, value):
        """What a line says of an entry."""
        if isinstance(value, MultimodalTriples):
            first = next(part for part in self.values() if isinstance(part, MultimodalTriples))
            shared = value is not first and value.vocabulary is first.vocabulary
            more = counted(len(value), "more triple", "more triples")
            return f"{more} over the same table" if shared else repr(value)
        if isinstance(value, str):
            lines = value.strip().split("\n")
            return f"{counted(len(lines), 'line', 'lines')} of text: {_shortened(lines[0])}"
        if isinstance(value, np.ndarray) and value.dtype == object:
            shown = "".join(f"{_shortened(repr(entry))}, " for entry in value[:2])
            return f"{counted(len(value), 'value', 'values')}: {shown}..."
        if isinstance(value, np.ndarray):
            return f"array of shape {value.shape}, dtype {value.dtype}"
        return _shortened(repr(value))


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
    GraphBunch
        The parts as `MultimodalTriples`, with the names if they differ from the labels; ``entity_names``, ``DESCR`` and
        the extras.
    """
    table = dict(entities=entities, relations=relations)
    if list(entity_names) != list(entities):
        table["names"] = list(entity_names)
    train = MultimodalTriples(parts["train"], modalities, **table, duplicates="keep")
    others = {part: train.with_triples(triples) for part, triples in parts.items() if part != "train"}
    return GraphBunch(train=train, **others, entity_names=as_labels(entity_names), DESCR=_description(name), **extras)


def read_triples(path):
    """Read a tab-separated file of head, relation and tail into a list of tuples."""
    return list(zip(*read_tsv(path), strict=True))


def relations_of(parts):
    """Return the relations of all parts in sorted order: a test relation may be missing from train."""
    return sorted({relation for triples in parts.values() for _, relation, _ in triples})


def _shortened(text, width=60):
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _description(name):
    return (files(__package__) / "descr" / f"{name}.rst").read_text(encoding="utf-8")
