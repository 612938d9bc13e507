"""Vectors by which entities are alike: unit rows of few columns, of each modality and of the structure."""

from dataclasses import dataclass, replace

import numpy as np

from .._spaces import STRUCTURE
from .relation_maps import is_wide, unit_rows, wide_principal_axes

# Wider vectors are projected onto so many of their principal axes. On validation triples cosines of 64 columns told
# as much as those of all 384.
LARGEST_WIDTH = 64


@dataclass(frozen=True)
class Likeness:
    """Rows whose products are cosines.

    Attributes
    ----------
    part : str
        The modality, or "structure".
    rows : ndarray of shape (n_entities, n_columns)
        Of unit length; zero for an entity without a vector.
    axes : ndarray of shape (d, n_columns) or None
        What the scaled columns of the modality were projected onto.
    """

    part: str
    rows: np.ndarray
    axes: np.ndarray | None = None

    def extended(self, unseen):
        """Return the same vectors with those of unseen entities, zero in the structure."""
        rows = np.zeros((len(unseen), self.rows.shape[1]), dtype=self.rows.dtype)
        if self.part != STRUCTURE:
            rows[:] = _projected(unit_rows(unseen.columns[self.part]), self.axes)
        return replace(self, rows=np.concatenate([self.rows, rows]))

    def state(self):
        """Return plain values and arrays."""
        return {"part": self.part, "rows": self.rows, "axes": self.axes}


def likeness_of(X, structure=None):
    """Return the `Likeness` of each modality in the fusion of X, and of the structure.

    Parameters
    ----------
    X : MultimodalTriples
    structure : ndarray of shape (n_entities, d), default=None
        A trained table, which is compared where there is no modality, in place of the structural space of a fusion.

    Returns
    -------
    list of Likeness
    """
    fusion, vectors = X.fusion, {}
    if structure is not None and (fusion is None or not fusion.maps):
        vectors = {STRUCTURE: _centred(structure)}
    elif fusion is not None:
        vectors = fusion.scaled_columns(X) | {STRUCTURE: fusion.structure * fusion.structure_observed[:, None]}
    return [_likeness(part, unit_rows(rows)) for part, rows in vectors.items()]


def _centred(table):
    """A table around its mean, of a size whose squares are finite."""
    table = table / max(np.abs(table).max(initial=0), np.finfo(table.dtype).tiny)
    table -= table.mean(axis=0)
    return table


def _likeness(part, rows):
    # Axes V (d, LARGEST_WIDTH) of the largest eigenvalues of R'R, which eigh has last, or the first right singular
    # vectors of R where it has few rows; R has rows of length 1, and so has R V after scaling.
    axes = None
    if rows.shape[1] > LARGEST_WIDTH:
        if is_wide(rows.shape):
            axes = wide_principal_axes(rows)[1][:, :LARGEST_WIDTH]
        else:
            axes = np.linalg.eigh(rows.T @ rows)[1][:, -LARGEST_WIDTH:]
        axes = axes.astype(np.float32)
    return Likeness(part, _projected(rows, axes).astype(np.float32), axes)


def _projected(rows, axes):
    return rows if axes is None else unit_rows(rows @ axes)
