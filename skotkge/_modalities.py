"""Modality matrices as users give them: by order, by data frame or by mapping from label to vector."""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from ._labels import LabelIndex, as_labels, name_first


def observed_rows(name, matrix, block_bytes=2**26):
    """Find the rows that are present, and refuse infinities and rows with only some values missing."""
    observed = np.ones(len(matrix), dtype=bool)
    if matrix.dtype.kind != "f":
        return observed
    rows_per_block = max(1, block_bytes // max(1, matrix.shape[1] * 8))
    for rows in gen_batches(len(matrix), rows_per_block):
        block = matrix[rows]
        if np.isinf(block).any():
            row = rows.start + int(np.isinf(block).any(axis=1).argmax())
            raise ValueError(f"modalities[{name!r}] has an infinite value in row {row}; replace it before fusing.")
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


class LabelledVectors:
    """Vectors by label: a data frame indexed by label or a mapping from label to vector."""

    def __init__(self, name, source):
        if not isinstance(source, Mapping):
            if source.ndim != 2:
                raise ValueError(
                    f"modalities[{name!r}] is a Series; pass a data frame with one column for each feature."
                )
            self.labels, self.matrix = as_labels(source.index.to_numpy()), source.to_numpy()
        else:
            self.labels = as_labels(list(source))
            widths = {np.shape(vector) for vector in source.values()}
            if not source:
                raise ValueError(f"modalities[{name!r}] is an empty mapping; leave the modality out.")
            if len(widths) != 1 or len(next(iter(widths))) != 1:
                raise ValueError(
                    f"modalities[{name!r}] maps labels to vectors of the shapes {name_first(sorted(widths))}; "
                    "all vectors need one common length."
                )
            self.matrix = np.array(list(source.values()))

    def in_order_of(self, entities, name):
        positions = LabelIndex(self.labels, f"modalities[{name!r}]").positions(entities)
        extra = len(self.labels) - np.count_nonzero(positions >= 0)
        if extra:
            known = LabelIndex(entities, "entities").positions(self.labels) >= 0
            raise ValueError(
                f"modalities[{name!r}] has vectors for {extra} labels that are not in entities "
                f"({name_first(list(self.labels[~known]))}); add them to entities or leave their vectors out."
            )
        if (positions >= 0).all():
            return self.matrix[positions]
        dtype = np.result_type(self.matrix.dtype, np.float16)
        out = np.full((len(entities), self.matrix.shape[1]), np.nan, dtype=dtype)
        out[positions >= 0] = self.matrix[positions[positions >= 0]]
        return out


def _is_labelled(source):
    return isinstance(source, Mapping) or (hasattr(source, "index") and hasattr(source, "to_numpy"))


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
        if not isinstance(name, str) or name == "structure":
            raise ValueError(f"modalities has the name {name!r}; names are strings other than 'structure'.")
        if issparse(source):
            raise TypeError(f"modalities[{name!r}] is a sparse matrix; reduce it with TruncatedSVD or pass .toarray().")
        sources[name] = LabelledVectors(name, source) if _is_labelled(source) else np.asanyarray(source)
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
