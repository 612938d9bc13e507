"""Modality matrices as users give them: by order, with labels, by data frame or by mapping from label to vector."""

from collections.abc import Mapping
from difflib import get_close_matches

import numpy as np
from scipy.sparse import issparse
from sklearn import get_config

from .._spaces import KINDS, RELATION_MAPS
from .._utils.memory import row_blocks
from .labels import LabelIndex, as_labels, name_first

LABEL_COLUMN = "entity"
# What a score is made of beside the modalities.
RESERVED = (*KINDS, "self_loop")
# In absolute value; squares of larger ones, added up over the rows, may be infinite.
LARGEST = 1e140
OF_A_MODALITY = f"{RELATION_MAPS} of "


def observed_rows(name, matrix):
    """Find the rows that are present, and refuse infinities and rows with only some values missing."""
    observed = np.ones(len(matrix), dtype=bool)
    if matrix.dtype.kind != "f":
        return observed
    for rows in row_blocks(matrix.shape):
        block = matrix[rows]
        if np.isinf(block).any():
            row = rows.start + int(np.isinf(block).any(axis=1).argmax())
            raise ValueError(f"modalities[{name!r}] has an infinite value in row {row}; replace it before fusing.")
        check_sizes(f"modalities[{name!r}]", block, rows.start)
        missing = np.isnan(block)
        partly = missing.any(axis=1) & ~missing.all(axis=1)
        if partly.any():
            row = rows.start + int(partly.argmax())
            raise ValueError(
                f"modalities[{name!r}] has NaN in some columns of row {row}; a missing modality is a whole row of NaN: "
                "impute the single values or drop the row's vector altogether."
            )
        observed[rows] = ~missing.all(axis=1) if matrix.shape[1] else False
    return observed


def check_sizes(name, block, first_row=0):
    """Refuse values so large that their squares are no finite numbers, NaN apart."""
    if block.dtype.kind == "f" and float(np.finfo(block.dtype).max) < LARGEST:
        return
    too_large = (np.abs(block) > LARGEST).any(axis=1)
    if too_large.any():
        row = int(too_large.argmax())
        value = block[row][np.nanargmax(np.abs(block[row]))]
        raise ValueError(
            f"{name} has the value {value:.3g} in row {first_row + row}, whose square is no finite number: correct it, "
            "or divide the matrix."
        )


def check_modalities(given, fitted):
    """Refuse modalities other than those of a fit; both map names to numbers of columns.

    Modalities that the fit did not see are not looked at.
    """
    if {name: given.get(name) for name in fitted} != fitted:
        raise ValueError(
            f"X has the modalities {dict(given)} (columns of each), but the fit saw {fitted}; give one that no entity "
            "of X has as a matrix of NaN."
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
        matrix, labels = dense(name, pair[0]), as_labels(pair[1])
        if matrix.ndim != 2 or len(matrix) != len(labels):
            raise ValueError(
                f"modalities[{name!r}] is a tuple of a matrix of the shape {matrix.shape} and {len(labels)} labels; "
                "give a matrix with one row for each label."
            )
        return cls(labels, matrix)

    @classmethod
    def from_frame(cls, name, frame):
        if len(frame.shape) != 2:
            raise ValueError(f"modalities[{name!r}] is a Series; pass a data frame with one column for each feature.")
        if hasattr(frame, "index"):
            return cls(frame.index.to_numpy(), frame.to_numpy())
        if LABEL_COLUMN not in frame.columns:
            raise ValueError(
                f"modalities[{name!r}] is a data frame without index and has the columns "
                f"{name_first(list(frame.columns))}; name the one with the entity labels {LABEL_COLUMN!r}, or pass the "
                "pair (matrix, labels)."
            )
        return cls(frame[LABEL_COLUMN].to_numpy(), frame.drop(LABEL_COLUMN).to_numpy())

    @classmethod
    def from_mapping(cls, name, vectors):
        widths = {np.shape(vector) for vector in vectors.values()}
        if not vectors:
            raise ValueError(f"modalities[{name!r}] is an empty mapping; leave the modality out.")
        if len(widths) != 1 or len(next(iter(widths))) != 1:
            raise ValueError(
                f"modalities[{name!r}] maps labels to vectors of the shapes {name_first(sorted(widths))}; "
                "all vectors need one common length."
            )
        return cls(list(vectors), np.array(list(vectors.values())))

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


def dense(name, matrix):
    """Return a matrix as an array: itself where it is one, in single precision where it is sparse.

    Raises
    ------
    TypeError
        If it is a masked array.
    ValueError
        If a sparse matrix would take more memory than scikit-learn's ``working_memory``.
    """
    if isinstance(matrix, np.ma.MaskedArray):
        raise TypeError(
            f"modalities[{name!r}] is a masked array; turn it into floats and pass what its filled(np.nan) returns."
        )
    if isinstance(matrix, np.matrix):
        return np.asarray(matrix)
    if not issparse(matrix):
        return matrix.to_numpy() if hasattr(matrix, "to_numpy") else np.asanyarray(matrix)
    size, limit = np.prod(matrix.shape, dtype=float) * 4 / 2**20, get_config()["working_memory"]
    if size > limit:
        raise ValueError(
            f"modalities[{name!r}] is a sparse matrix of the shape {matrix.shape}, which as a dense one takes "
            f"{size:.0f} MiB, more than the {limit} MiB of scikit-learn's working_memory; reduce it with TruncatedSVD, "
            "or raise the limit with sklearn.set_config(working_memory=...)."
        )
    return matrix.astype(np.float32).toarray()


def _source(name, given):
    if isinstance(given, Mapping):
        return LabelledVectors.from_mapping(name, given)
    if hasattr(given, "collect"):
        raise TypeError(f"modalities[{name!r}] is a lazy data frame; pass what its collect() returns.")
    if isinstance(given, tuple):
        return LabelledVectors.from_pair(name, given)
    if hasattr(given, "to_numpy"):
        return LabelledVectors.from_frame(name, given)
    return dense(name, given)


def check_modality_name(name, argument):
    """Refuse names that are no strings, empty, or those of kinds of evidence, beside which a modality is listed."""
    is_free = isinstance(name, str) and name.strip() and name not in RESERVED and not name.startswith(OF_A_MODALITY)
    if not is_free:
        raise ValueError(
            f"{argument} has the name {name!r}; names are strings other than {', '.join(map(repr, RESERVED))}, not "
            f"empty and not beginning with {OF_A_MODALITY!r}: rename the modality."
        )


def modality_sources(modalities):
    """Validate the mapping of modalities as far as this needs no entity labels."""
    if modalities is None:
        return {}
    if not isinstance(modalities, Mapping):
        raise TypeError(
            f"modalities is a {type(modalities).__name__}, expected a mapping from modality name to matrix, "
            "such as {'text': matrix}."
        )
    sources = {}
    for name, source in modalities.items():
        check_modality_name(name, "modalities")
        sources[name] = _source(name, source)
    return sources


def modality_matrices(sources, entities):
    """Bring every modality into the order of the entities and check its shape and dtype."""
    matrices = {}
    for name, source in sources.items():
        matrix = source.in_order_of(entities, name) if isinstance(source, LabelledVectors) else source
        if matrix.ndim != 2 or len(matrix) != len(entities) or matrix.shape[1] == 0:
            raise ValueError(
                f"modalities[{name!r}] has the shape {matrix.shape}, expected ({len(entities)}, n_features): "
                "one row for each entity, in the order of entities."
            )
        if matrix.dtype.kind not in "fiub":
            raise ValueError(f"modalities[{name!r}] has the dtype {matrix.dtype}, expected real numbers.")
        matrices[name] = matrix
    return matrices


def labelled_sources(vectors, widths):
    """Validate vectors of new entities: by label, for modalities of which `widths` has the numbers of columns."""
    sources = modality_sources(vectors)
    if not sources:
        raise ValueError(f"vectors is empty, expected vectors for some of the modalities {name_first(list(widths))}.")
    for name, source in sources.items():
        if name not in widths:
            near = get_close_matches(name, widths, 1)
            remedy = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"vectors has the modality {name!r}, which is none of {name_first(list(widths))}{remedy}")
        if not isinstance(source, LabelledVectors):
            raise ValueError(
                f"vectors[{name!r}] has no labels; pass the pair (matrix, labels), a data frame or a mapping from "
                "label to vector."
            )
        if source.matrix.shape[1] != widths[name]:
            raise ValueError(
                f"vectors[{name!r}] has {source.matrix.shape[1]} columns, expected {widths[name]} as the modality has."
            )
    return sources
