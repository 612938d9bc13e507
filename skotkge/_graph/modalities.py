"""Modality matrices as users give them: by order, with labels, by data frame or by mapping from label to vector."""

from collections.abc import Mapping
from difflib import get_close_matches

import numpy as np
from scipy.sparse import issparse

from .._spaces import COSINES, COUNTS, KINDS, NEIGHBORS, OTHER_PARTS, RELATION_MAPS
from .._utils.messages import tell
from .labels import LabelIndex, as_labels, label_keys, name_first
from .matrices import as_matrix, frame_values, rows_of_vectors
from .preparing import prepare

LABEL_COLUMN = "entity"
# What a score is made of beside the modalities.
RESERVED = (*KINDS, *OTHER_PARTS)
OF_A_MODALITY = tuple(f"{kind} of " for kind in (RELATION_MAPS, COUNTS, COSINES, NEIGHBORS))


def check_modalities(given, fitted):
    """Refuse modalities other than those of a fit; both map names to numbers of columns.

    Modalities that the fit did not see are not looked at.
    """
    if {name: given.get(name) for name in fitted} != fitted:
        raise ValueError(
            f"X has the modalities {dict(given)} (columns of each), but the fit saw {fitted}; give one that no entity "
            "of X has as a matrix of NaN, and make triples of unseen entities by new_entities() of those of the fit, "
            "which fills holes and reduces wide vectors alike."
        )


def did_you_mean(name, modalities):
    """Write which modality is called like another name, for the end of a message."""
    near = get_close_matches(name, modalities, 1)
    return f"; did you mean {near[0]!r}?" if near else "."


def tell_of_strange_labels(sources, entities):
    """Warn of labelled modalities that have a vector for none of the entities that there are without them."""
    for name, source in sources.items():
        if len(entities) and set(label_keys(source.labels)).isdisjoint(label_keys(entities)):
            tell(
                f"modalities[{name!r}] has vectors for none of the entities of the triples: its labels are "
                f"{name_first(source.labels, 3)}, theirs {name_first(entities, 3)}. Its labels become entities beside "
                f"them; if that is not meant, give theirs in a column {LABEL_COLUMN!r} or the index of a data frame, "
                "or pass the pair (matrix, labels)."
            )


class LabelledVectors:
    """Vectors by label.

    Parameters
    ----------
    labels : array-like of shape (n_labels,)
    matrix : ndarray of shape (n_labels, n_features)
    """

    def __init__(self, labels, matrix):
        self.labels, self.matrix = as_labels(labels), matrix

    @classmethod
    def from_pair(cls, name, pair):
        if len(pair) != 2:
            raise ValueError(
                f"modalities[{name!r}] is a tuple of length {len(pair)}; a tuple is (matrix, labels), the rows of a "
                "matrix without labels are a list or an array."
            )
        matrix, labels = as_matrix(name, pair[0]), as_labels(pair[1], f"the labels of modalities[{name!r}]")
        if matrix.ndim != 2 or matrix.shape[0] != len(labels):
            raise ValueError(
                f"modalities[{name!r}] is a tuple of a matrix of the shape {matrix.shape} and {len(labels)} labels; "
                "give a matrix with one row for each label."
            )
        return cls(labels, matrix)

    @classmethod
    def from_frame(cls, name, frame):
        if len(frame.shape) != 2:
            if not hasattr(frame, "index"):
                raise ValueError(f"modalities[{name!r}] is a Series without labels; pass the pair (matrix, labels).")
            if frame.dtype == object:
                LabelIndex(frame.index.to_numpy(), f"modalities[{name!r}]")
                return cls.from_mapping(name, dict(zip(frame.index.tolist(), frame.tolist(), strict=True)))
            frame = frame.to_frame()
        if LABEL_COLUMN in list(frame.columns):
            others = [column for column in frame.columns if column != LABEL_COLUMN]
            return cls(frame[LABEL_COLUMN].to_list(), frame_values(name, frame[others]))
        if not hasattr(frame, "index"):
            raise ValueError(
                f"modalities[{name!r}] is a data frame without index and has the columns "
                f"{name_first(list(frame.columns))}; name the one with the entity labels {LABEL_COLUMN!r}, or pass the "
                "pair (matrix, labels)."
            )
        return cls(frame.index.to_numpy(), frame_values(name, frame))

    @classmethod
    def from_mapping(cls, name, vectors):
        return cls(list(vectors), rows_of_vectors(name, vectors))

    def prepared(self, name):
        """Return vectors whose matrix is as modalities are, and the `Preparation` that made it."""
        matrix, preparation = prepare(name, self.matrix)
        return LabelledVectors(self.labels, matrix), preparation

    def in_order_of(self, entities, name):
        positions = LabelIndex(self.labels, f"modalities[{name!r}]").positions(entities)
        extra = len(self.labels) - np.count_nonzero(positions >= 0)
        if extra:
            known = LabelIndex(entities, "entities").positions(self.labels) >= 0
            raise ValueError(
                f"modalities[{name!r}] has vectors for {extra} labels that are not in entities "
                f"({name_first(list(self.labels[~known]))}); add them to entities or leave their vectors out."
            )
        if np.array_equal(positions, np.arange(len(self.labels))):
            return self.matrix
        if (positions >= 0).all():
            return self.matrix[positions]
        dtype = np.result_type(self.matrix.dtype, np.float16)
        out = np.full((len(entities), self.matrix.shape[1]), np.nan, dtype=dtype)
        out[positions >= 0] = self.matrix[positions[positions >= 0]]
        return out


def _source(name, given):
    if isinstance(given, Mapping) and not issparse(given):
        return LabelledVectors.from_mapping(name, given)
    if hasattr(given, "collect"):
        raise TypeError(f"modalities[{name!r}] is a lazy data frame; pass what its collect() returns.")
    if isinstance(given, tuple):
        return LabelledVectors.from_pair(name, given)
    if hasattr(given, "to_numpy"):
        return LabelledVectors.from_frame(name, given)
    return as_matrix(name, given)


def check_modality_name(name, argument):
    """Refuse names that are no strings, empty, or those of kinds of evidence, beside which a modality is listed."""
    is_free = isinstance(name, str) and name.strip() and name not in RESERVED and not name.startswith(OF_A_MODALITY)
    if not is_free:
        raise ValueError(
            f"{argument} has the name {name!r}; names are strings other than {', '.join(map(repr, RESERVED))}, not "
            f"empty and not beginning with {' or '.join(map(repr, OF_A_MODALITY))}: rename the modality."
        )


def modality_sources(modalities, argument="modalities"):
    """Validate the mapping of modalities as far as this needs no entity labels."""
    if modalities is None:
        return {}
    if not isinstance(modalities, Mapping):
        raise TypeError(
            f"{argument} is a {type(modalities).__name__}, expected a mapping from modality name to matrix, "
            "such as {'text': matrix}."
        )
    sources = {}
    for name, source in modalities.items():
        check_modality_name(name, argument)
        sources[name] = _source(name, source)
    return sources


def modality_matrices(sources, entities):
    """Prepare every modality, bring it into the order of the entities and check its shape.

    Returns
    -------
    matrices : dict of str to ndarray of shape (n_entities, n_features)
    preparations : dict of str to Preparation
    """
    matrices, preparations = {}, {}
    for name, source in sources.items():
        labelled = isinstance(source, LabelledVectors)
        shape = source.matrix.shape if labelled else source.shape
        if len(shape) != 2 or shape[1] == 0 or (not labelled and shape[0] != len(entities)):
            raise ValueError(
                f"modalities[{name!r}] has the shape {shape}, expected ({len(entities)}, n_features): "
                "one row for each entity, in the order of entities."
            )
        if labelled:
            vectors, preparations[name] = source.prepared(name)
            matrices[name] = vectors.in_order_of(entities, name)
        else:
            matrices[name], preparations[name] = prepare(name, source)
    return matrices, preparations


def labelled_sources(vectors, preparations):
    """Validate vectors of new entities, and prepare them as those of the modalities were."""
    if hasattr(vectors, "columns") and not isinstance(vectors, Mapping):
        vectors = {_only_modality(preparations): vectors}
    sources = modality_sources(vectors, "vectors")
    if not sources:
        names = name_first(list(preparations))
        raise ValueError(f"vectors is empty, expected vectors for some of the modalities {names}.")
    for name, source in sources.items():
        if name not in preparations:
            names = name_first(list(preparations)) or "none"
            raise ValueError(
                f"vectors has the modality {name!r}, which is none of {names}{did_you_mean(name, preparations)}"
            )
        if not isinstance(source, LabelledVectors):
            raise ValueError(
                f"vectors[{name!r}] has no labels; pass the pair (matrix, labels), a data frame or a mapping from "
                "label to vector."
            )
        width = preparations[name].n_columns
        if source.matrix.shape[1] != width:
            raise ValueError(
                f"vectors[{name!r}] has {source.matrix.shape[1]} columns, expected {width} as the modality had."
            )
    return {
        name: LabelledVectors(source.labels, preparations[name].apply(f"vectors[{name!r}]", source.matrix))
        for name, source in sources.items()
    }


def _only_modality(preparations):
    if len(preparations) != 1:
        names = name_first(list(preparations)) or "none"
        raise ValueError(
            f"vectors is a data frame, and there are the modalities {names}; say which it is of, such as "
            "{'text': frame}."
        )
    return next(iter(preparations))
