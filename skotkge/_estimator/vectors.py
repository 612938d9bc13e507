"""Embeddings of entities by label: rows of the tables of the trained spaces."""

import numpy as np

from .._evidence.embedding import EmbeddingEvidence
from .._graph.labels import name_first
from .._spaces import FUSED
from .._utils.messages import shown
from .lookup import entities_of


def spaces_of(predictor):
    """The trained spaces among the evidence of a predictor, by name."""
    return {str(kind.id): kind for kind in predictor.evidence if isinstance(kind, EmbeddingEvidence)}


def tables_of_spaces(predictor):
    """Entity tables of the trained spaces, by name."""
    return {name: kind.entities for name, kind in spaces_of(predictor).items()}


def main_space(names):
    """The fused space, or the first where there is none."""
    return FUSED if FUSED in names else next(iter(names), None)


def chosen_table(predictor, space=None):
    """Return the name and the entity table of a space.

    Parameters
    ----------
    predictor : LinkPredictor
    space : str, default=None
        None is "fused", or the first where there is no fused space.

    Raises
    ------
    ValueError
        If there is no such space, or none at all.
    """
    tables = tables_of_spaces(predictor)
    if not tables:
        raise ValueError("the model has no trained space, and so no embeddings; fit an OTKGEClassifier with one.")
    space = main_space(tables) if space is None else space
    if not isinstance(space, str) or space not in tables:
        raise ValueError(f"space={shown(space)}; the model has the spaces {name_first(list(tables))}.")
    return space, tables[space]


def embed(predictor, labels, space):
    """Return the rows ``(n_labels, d)`` of entities in a space; errors as for `chosen_table` and `entities_of`."""
    _, table = chosen_table(predictor, space)
    return np.array(table[entities_of(labels, predictor.vocabulary, "labels")])
