"""How one modality matrix reaches the structural space (Eq. 1-2 of the OTKGE paper), and what an aligner has to be."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np

from .._utils.messages import shown
from .scaling import apply_column_map, column_scaling, scaled_blocks, standardize_rows
from .transport import barycentric_map, feature_cost, transport_plan


@dataclass(frozen=True, eq=False)
class ScaledColumns:
    """A matrix of entity vectors, which of its rows are there, and the affine scaling of its columns.

    Attributes
    ----------
    matrix : ndarray of shape (n_entities, n_columns)
        As given, not scaled; rows that are not observed may hold anything.
    observed : ndarray of shape (n_entities,), dtype bool
    mean, scale : ndarray of shape (n_columns,)
    is_standardized : bool
        False for a mean of 0 and a scale of 1.
    """

    matrix: np.ndarray
    observed: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    is_standardized: bool

    @classmethod
    def fit(cls, matrix, observed, standardize):
        return cls(matrix, observed, *column_scaling(matrix, observed, standardize), standardize)

    @property
    def shape(self):
        return self.matrix.shape

    def rows(self, chosen):
        """Scaled rows in double precision, as a new array.

        Parameters
        ----------
        chosen : ndarray of bool or int, or slice
            A mask of the entities, or their positions in any order.

        Returns
        -------
        ndarray of shape (n_chosen, n_columns)
            Zeros for entities that are not observed.
        """
        return standardize_rows(self.matrix[chosen], self.observed[chosen], self.mean, self.scale)

    def times(self, column_map):
        """The scaled columns times a map, without a copy of all of them."""
        return apply_column_map(self.matrix, self.observed, self.mean, self.scale, column_map)

    def cost(self, target, target_observed, p):
        """Cost between the scaled columns and those of a target, over the entities that have both."""
        # Eq. (1) over the entities of both: w_e = 1 / (their number), and 0 for the others.
        both = self.observed & target_observed
        scaling = (self.mean, self.scale) if self.is_standardized else None
        return feature_cost(self.matrix, target, p=p, row_weights=both / both.sum(), scaling=scaling)

    def centered_blocks(self):
        """Yield the observed rows by blocks, with columns of mean 0 in the scale of the fit."""
        mean = self.mean if self.is_standardized else column_scaling(self.matrix, self.observed)[0]
        for _, block in scaled_blocks(self.matrix, self.observed, mean, self.scale):
            yield block


@dataclass(frozen=True, eq=False)
class ColumnAlignment:
    """How one modality reaches the structural space: what a `ColumnAligner` returns.

    Parameters
    ----------
    map : ndarray of shape (d_k, d)
        The aligned modality is ``modality @ map`` (Eq. 2); the start of the map that a classifier trains.
    plan : ndarray of shape (d_k, d), default=None
        Plan of Eq. 1, where there is one.
    distance : float, default=None
        W_p between the dimensions of the modality and of the structure.
    seconds : float, default=None
        Time that the solution of the plan took.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge import ColumnAlignment
    >>> ColumnAlignment(np.eye(3)).plan is None
    True
    """

    map: np.ndarray
    plan: np.ndarray | None = None
    distance: float | None = None
    seconds: float | None = None


class ColumnAligner(Protocol):
    """What `OTFusionTransformer` takes as `alignment`: any object with this method, nothing to inherit from.

    An aligner decides how the dimensions of a modality become those of the structural space. It holds parameters alone
    and learns nothing that outlasts the call. As a `sklearn.base.BaseEstimator` it is cloned, printed and searched over
    by its parameters: ``fuse__alignment__alpha`` in a grid.

    Examples
    --------
    The ridge regression of the structure on the modality, in place of a plan:

    >>> from sklearn.base import BaseEstimator
    >>> from sklearn.linear_model import Ridge
    >>> from skotkge import ColumnAlignment, OTFusionTransformer
    >>> from skotkge.datasets import load_emoji
    >>> class RidgeAligner(BaseEstimator):
    ...     def __init__(self, alpha=1.0):
    ...         self.alpha = alpha
    ...
    ...     def align(self, modality, structure, random_state):
    ...         both = modality.observed & structure.observed
    ...         ridge = Ridge(alpha=self.alpha, fit_intercept=False).fit(modality.rows(both), structure.rows(both))
    ...         return ColumnAlignment(ridge.coef_.T)
    ...
    >>> fuse = OTFusionTransformer(16, alignment=RidgeAligner(alpha=10.0), random_state=0)
    >>> fuse.fit(load_emoji().train).transport_maps_["image"].shape
    (128, 16)
    """

    def align(self, modality: Any, structure: Any, random_state: np.random.RandomState) -> ColumnAlignment:
        """Find the map of one modality into the structural space.

        Called once for each modality that has an entity in common with the structure, in their order.

        Parameters
        ----------
        modality, structure : object
            Each has the ``shape`` ``(n_entities, n_columns)``, the mask ``observed`` of the entities that have a vector
            in it, and ``rows(chosen)``: the scaled vectors of the entities in a mask or an array of positions, as an
            array of shape ``(n_chosen, n_columns)``. A modality may lie on the disk, and only the chosen rows are read.
        random_state : RandomState
            Of the fit; what is drawn from it repeats with the seed of the transformer.

        Returns
        -------
        ColumnAlignment
        """


@dataclass(frozen=True)
class OptimalTransport:
    """``alignment="transport"``: Eq. 1's plan, and Eq. 2's map with Delta_k = 0."""

    p: int = 2
    reg: float = 0.0

    def align(self, modality, structure, random_state):
        cost = modality.cost(structure.matrix, structure.observed, self.p)
        start = perf_counter()
        plan = transport_plan(cost, reg=self.reg)  # Eq. (1)
        seconds = perf_counter() - start
        distance = float(np.sum(plan * cost) ** (1 / self.p))  # W_p = <T, C>^(1/p)
        return ColumnAlignment(barycentric_map(plan), plan, distance, seconds)  # Eq. (2) with Delta_k = 0


@dataclass(frozen=True)
class RandomProjection:
    """``alignment="linear"``: T_k = 0, and a random Delta_k for the classifier to train."""

    def align(self, modality, structure, random_state):
        # Entries of variance 1 / d_k keep the variance of standardised columns.
        d_k, d = modality.shape[1], structure.shape[1]
        return ColumnAlignment(random_state.standard_normal((d_k, d)) / np.sqrt(d_k))


@dataclass(frozen=True)
class PrincipalComponents:
    """``alignment="pca"``: the leading principal components."""

    def align(self, modality, structure, random_state):
        return ColumnAlignment(leading_components(modality.centered_blocks(), structure.shape[1]))


def aligner_of(alignment, *, p, reg):
    """Return the aligner that a string is short for, or the given object."""
    if not isinstance(alignment, str):
        return alignment
    return {"transport": OptimalTransport(p, reg), "linear": RandomProjection(), "pca": PrincipalComponents()}[
        alignment
    ]


def align_columns(aligner, modality, structure, random_state):
    """Let an aligner map one modality into the structural space.

    Parameters
    ----------
    aligner : ColumnAligner
    modality, structure : ScaledColumns
        Of d_k and d columns.
    random_state : RandomState

    Returns
    -------
    ColumnAlignment
        Complete: zeros in place of a plan, NaN in place of a distance or time, where the aligner gives none. Without
        an entity that has both spaces the map is zero and the plan uniform, unless the map is random anyway.

    Raises
    ------
    TypeError, ValueError
        If the aligner returns something else than a `ColumnAlignment` of finite ``(d_k, d)`` arrays.
    """
    shape = d_k, d = modality.shape[1], structure.shape[1]
    if not isinstance(aligner, RandomProjection) and not (modality.observed & structure.observed).any():
        # The plan of independence, u v' with the masses 1 / d_k and 1 / d.
        return ColumnAlignment(np.zeros(shape), np.full(shape, 1.0 / (d_k * d)), np.nan, np.nan)
    found = aligner.align(modality, structure, random_state)
    if not isinstance(found, ColumnAlignment):
        raise TypeError(
            f"alignment={shown(aligner)} returned a {type(found).__name__}; let align return a ColumnAlignment."
        )
    return ColumnAlignment(
        _checked(found.map, "map", shape, aligner),
        np.zeros(shape) if found.plan is None else _checked(found.plan, "plan", shape, aligner),
        *(np.nan if value is None else float(value) for value in (found.distance, found.seconds)),
    )


def _checked(matrix, name, shape, aligner):
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.shape != shape or not np.isfinite(matrix).all():
        raise ValueError(
            f"alignment={shown(aligner)} returned a {name} of shape {matrix.shape}; it has to be finite and of shape "
            f"{shape}, a row for each dimension of the modality and a column for each of the structure."
        )
    return matrix


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
    # R'R = A'A for the triangular factor R of A = QR (n, d_k), and R of two blocks is that of their R's stacked. With
    # R = U S V' the map is V S^-1 sqrt(n): the components A V of variances S^2 / n, each divided by its deviation.
    n_rows, factor = 0, None
    for block in blocks:
        n_rows += len(block)
        factor = block if factor is None else np.linalg.qr(np.vstack([factor, block]), mode="r")
    _, values, right = np.linalg.svd(factor, full_matrices=False)
    n_columns = factor.shape[1]
    # Singular values below n eps of the largest are rounding.
    rank = np.count_nonzero(values > values[:1] * max(n_rows, n_columns) * np.finfo(float).eps)
    kept = min(rank, n_components)
    projection = np.zeros((n_columns, n_components))
    projection[:, :kept] = right[:kept].T * (np.sqrt(n_rows) / values[:kept])
    return projection
