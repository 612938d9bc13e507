"""How one modality matrix reaches the structural space (Eq. 1-2 of the OTKGE paper). Arrays in, arrays out."""

from dataclasses import dataclass

import numpy as np

from ._transport import barycentric_map, column_scaling, feature_cost, scaled, transport_plan


@dataclass(frozen=True)
class Modality:
    """A modality matrix, which of its rows are there, and the affine scaling of its columns."""

    matrix: np.ndarray
    observed: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, matrix, observed, standardize):
        return cls(matrix, observed, *column_scaling(matrix, observed, standardize))

    def scaled(self):
        return scaled(self.matrix, self.observed, self.mean, self.scale)


@dataclass(frozen=True)
class Alignment:
    """How one modality reaches the structural space: Eq. 1's plan, Eq. 2's map, and W_p between the columns."""

    plan: np.ndarray
    map: np.ndarray
    distance: float


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
    columns = modality.scaled()
    d_k, d = columns.shape[1], structure.shape[1]
    if alignment == "linear":
        projection = random_state.standard_normal((d_k, d)) / np.sqrt(d_k)
        return Alignment(np.zeros((d_k, d)), projection, np.nan)
    both = modality.observed & structure_observed
    if not both.any():
        plan = np.full((d_k, d), 1.0 / (d_k * d))
        return Alignment(plan, np.zeros((d_k, d)), np.nan)
    if alignment == "pca":
        return Alignment(np.zeros((d_k, d)), leading_components(columns[modality.observed], d), np.nan)
    cost = feature_cost(columns[both], structure[both], p=p)
    plan = transport_plan(cost, reg=reg)  # Eq. (1)
    distance = np.sum(plan * cost) ** (1 / p)
    return Alignment(plan, barycentric_map(plan), float(distance))  # Eq. (2) with Delta_k = 0


def leading_components(columns, n_components):
    """Map to the leading principal components, each scaled to unit variance; columns beyond the rank are zero."""
    _, values, right = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
    rank = np.count_nonzero(values > values[:1] * max(columns.shape) * np.finfo(float).eps)
    kept = min(rank, n_components)
    projection = np.zeros((columns.shape[1], n_components))
    projection[:, :kept] = right[:kept].T * (np.sqrt(len(columns)) / values[:kept])
    return projection
