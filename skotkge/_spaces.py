"""What fusion hands to training: of which parts a space is made, and how spaces are joined row by row. Arrays only."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

STRUCTURE = "structure"
MODALITIES = "modalities"
FUSED = "fused"
RELATION_MAPS = "relation_maps"
RULES = "rules"
COUNTS = "counts"
COSINES = "cosines"
NEIGHBORS = "neighbors"
# What evidence is called by.
KINDS = (STRUCTURE, MODALITIES, FUSED, RELATION_MAPS, RULES, COUNTS, COSINES, NEIGHBORS)
# What log-odds are the sum of beside evidence.
COMBINER = "combiner"
SELF_LOOP = "self_loop"
OFFSET = "offset"
CONSTRAINTS = "constraints"
OTHER_PARTS = (COMBINER, SELF_LOOP, OFFSET, CONSTRAINTS)


class EvidenceId(NamedTuple):
    """What a kind of evidence is about; `str` of it is the name that users see.

    Parameters
    ----------
    kind : str
        A value of `KINDS`, or the name of a kind of the user's.
    part : str, default=None
        The one modality, space or count that it is about, where it is one of several.

    Examples
    --------
    >>> from skotkge import EvidenceId
    >>> str(EvidenceId("rules")), str(EvidenceId("rules", "paths")), str(EvidenceId("modalities", "text"))
    ('rules', 'rules of paths', 'text')
    """

    kind: str
    part: str | None = None

    def __str__(self):
        if self.part is None:
            return self.kind
        return self.part if self.kind == "modalities" else f"{self.kind} of {self.part}"


@dataclass(frozen=True)
class SpaceSpec:
    """What the embeddings of a space are made of: ``E = w_S S + sum_k w_k M_k W_k``, or these terms side by side.

    Attributes
    ----------
    structure : ndarray of shape (n_entities, d) or None
        S, the start of the trained structural table; None for a space of modalities alone.
    structure_weight : ndarray of shape (n_entities,) or None
        w_S; zero masks a row.
    features : dict of str to ndarray of shape (n_entities, d_k)
        ``w_k M_k``, scaled columns with each row multiplied by its weight.
    maps : dict of str to ndarray of shape (d_k, d)
        W_k, the start of the trained maps.
    order : ndarray of int or None
        Columns of a concatenation; None adds the spaces.
    """

    structure: np.ndarray | None
    structure_weight: np.ndarray | None
    features: dict = field(default_factory=dict)
    maps: dict = field(default_factory=dict)
    order: np.ndarray | None = None

    @property
    def width(self):
        if self.order is not None:
            return len(self.order)
        return self.structure.shape[1] if self.structure is not None else next(iter(self.maps.values())).shape[1]


def joined_width(n_columns, n_spaces, fusion):
    """Number of columns that a fusion makes of spaces with `n_columns` each."""
    return n_columns * n_spaces if fusion == "concat" else n_columns


def row_weights(weights, observed, fusion):
    """Weight of each space for each entity.

    Parameters
    ----------
    weights : dict of str to float
        lambda of each space.
    observed : dict of str to ndarray of shape (n_entities,), dtype bool
        Which entities have a vector in the space.
    fusion : str
        In a sum the weights of the missing spaces of a row go to the others, so that they sum to 1. In a concatenation
        a missing block is zero and the others keep their weight, relative to uniform ones.

    Returns
    -------
    dict of str to ndarray of shape (n_entities,)
        All zero for an entity that is observed nowhere.
    """
    raw = {name: weights[name] * observed[name] for name in observed}
    if fusion == "concat":
        relative = len(observed) / sum(weights[name] for name in observed)
        return {name: relative * row for name, row in raw.items()}
    total = sum(raw.values())
    return {name: np.divide(row, total, out=np.zeros(len(row)), where=total > 0) for name, row in raw.items()}


def concat_order(n_columns, n_spaces):
    """Order of the columns of ``hstack(spaces)`` that joins them per half: all first halves, then all second halves.

    ComplEx and RotatE read the halves as real and imaginary parts.
    """
    columns = np.arange(n_columns * n_spaces).reshape(n_spaces, n_columns)
    return np.concatenate([columns[:, : n_columns // 2].ravel(), columns[:, n_columns // 2 :].ravel()])


def join(spaces, weights, fusion):
    """Weighted sum of aligned spaces, or for ``fusion="concat"`` their weighted columns side by side.

    Parameters
    ----------
    spaces : dict of str to ndarray of shape (n_entities, d)
    weights : dict of str to ndarray of shape (n_entities,)
        From `row_weights`.
    fusion : str

    Returns
    -------
    ndarray of shape (n_entities, d) or (n_entities, d * n_spaces)
    """
    weighted = [weights[name][:, None] * space for name, space in spaces.items()]
    if fusion != "concat":
        return sum(weighted)
    return np.hstack(weighted)[:, concat_order(weighted[0].shape[1], len(weighted))]
