"""How one modality matrix reaches the structural space (Eq. 1-2 of the OTKGE paper). Arrays in, arrays out."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np

from .scaling import apply_column_map, column_scaling, scaled_blocks, standardize_rows
from .transport import barycentric_map, feature_cost, transport_plan


@dataclass(frozen=True)
class Modality:
    """A modality matrix, which of its rows are there, and the affine scaling of its columns."""

    matrix: np.ndarray
    observed: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    is_standardized: bool

    @classmethod
    def fit(cls, matrix, observed, standardize):
        return cls(matrix, observed, *column_scaling(matrix, observed, standardize), standardize)

    def scaled(self):
        return standardize_rows(self.matrix, self.observed, self.mean, self.scale)

    def moved(self, column_map):
        """The scaled columns times a map, without a copy of all of them."""
        return apply_column_map(self.matrix, self.observed, self.mean, self.scale, column_map)

    def cost(self, structure, structure_observed, p):
        """Cost between the scaled columns and those of the structure, over the entities that have both."""
        both = self.observed & structure_observed
        scaling = (self.mean, self.scale) if self.is_standardized else None
        return feature_cost(self.matrix, structure, p=p, row_weights=both / both.sum(), scaling=scaling)

    def centered_blocks(self):
        """Yield the observed rows by blocks, with columns of mean 0 in the scale of the fit."""
        mean = self.mean if self.is_standardized else column_scaling(self.matrix, self.observed)[0]
        for _, block in scaled_blocks(self.matrix, self.observed, mean, self.scale):
            yield block


@dataclass(frozen=True)
class Alignment:
    """How one modality reaches the structural space.

    Eq. 1's plan and the seconds its solution took, Eq. 2's map, and W_p between the columns.
    """

    plan: np.ndarray
    map: np.ndarray
    distance: float = np.nan
    seconds: float = np.nan


def align(modality, structure, structure_observed, *, alignment, p, reg, random_state):
    """Fit the map of one modality into the structural space.

    Parameters
    ----------
    modality : Modality
    structure : ndarray of shape (n_entities, d)
        Scaled structural columns.
    structure_observed : ndarray of shape (n_entities,), dtype bool
    alignment, p, reg
        As the parameters of `OTFusionTransformer`.
    random_state : RandomState

    Returns
    -------
    Alignment
        Without an entity that has both spaces the map is zero and the distance NaN.
    """
    d_k, d = modality.matrix.shape[1], structure.shape[1]
    if alignment == "linear":
        return Alignment(np.zeros((d_k, d)), random_state.standard_normal((d_k, d)) / np.sqrt(d_k))
    if not (modality.observed & structure_observed).any():
        return Alignment(np.full((d_k, d), 1.0 / (d_k * d)), np.zeros((d_k, d)))
    if alignment == "pca":
        return Alignment(np.zeros((d_k, d)), leading_components(modality.centered_blocks(), d))
    cost = modality.cost(structure, structure_observed, p)
    start = perf_counter()
    plan = transport_plan(cost, reg=reg)  # Eq. (1)
    seconds = perf_counter() - start
    distance = float(np.sum(plan * cost) ** (1 / p))
    return Alignment(plan, barycentric_map(plan), distance, seconds)  # Eq. (2) with Delta_k = 0


def leading_components(blocks, n_components):
    """Map to the leading principal components, each scaled to unit variance; columns beyond the rank are zero.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n_rows, n_features)
        Rows of a matrix with columns of mean 0.
    n_components : int

    Returns
    -------
    ndarray of shape (n_features, n_components)
    """
    n_rows, factor = 0, None
    for block in blocks:
        n_rows += len(block)
        factor = block if factor is None else np.linalg.qr(np.vstack([factor, block]), mode="r")
    _, values, right = np.linalg.svd(factor, full_matrices=False)
    n_columns = factor.shape[1]
    rank = np.count_nonzero(values > values[:1] * max(n_rows, n_columns) * np.finfo(float).eps)
    kept = min(rank, n_components)
    projection = np.zeros((n_columns, n_components))
    projection[:, :kept] = right[:kept].T * (np.sqrt(n_rows) / values[:kept])
    return projection
