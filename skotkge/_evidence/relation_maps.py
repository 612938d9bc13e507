"""Ridge regressions from the modality columns of sources to those of answers, one for each relation and direction.

Relation by relation, without any embedding: what the vectors alone tell, and in closed form.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from .._graph.queries import both_directions
from .._spaces import RELATION_MAPS, EvidenceId
from .._utils.linear_models import ridge_with_intercept
from .._utils.memory import row_blocks
from .devices import as_float

ALL_MODALITIES = EvidenceId(RELATION_MAPS)
# Fewer triples do not determine a map.
FEWEST_TRIPLES = 10
PENALTY = 0.3
# A map's scores are cosines up to the fit; times this they are of the size of logits.
SCALE = 10.0


@dataclass(frozen=True)
class RelationMaps:
    """Fitted regressions.

    Attributes
    ----------
    id : EvidenceId
        Of kind "relation_maps", with the modality where it is of one alone.
    sources : ndarray of shape (n_entities, d)
        Whitened modality columns; zero for an entity without any modality.
    slot : ndarray of shape (2 * n_relations,)
        Position in `coefficients`; -1 for a relation with too few triples.
    coefficients : ndarray of shape (n_maps, d, d)
    intercepts : ndarray of shape (n_maps, d)
    projections : dict of str to ndarray of shape (d_k, d)
        From the scaled columns of each modality to `sources`.
    """

    id: EvidenceId
    sources: np.ndarray
    slot: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray
    projections: dict

    @property
    def n_entities(self):
        """Number of rows of `sources`."""
        return len(self.sources)

    @property
    def candidates(self):
        """Rows of `sources` brought to unit length, with which mapped rows are compared."""
        return unit_rows(self.sources)

    def on(self, device):
        """Return the scores of the maps on a device."""
        return RelationMapScores(self, device)

    def extended(self, unseen):
        """Return the same maps with unseen entities at the end, given by their scaled columns."""
        rows = projected(unseen.columns, self.projections)
        return replace(self, sources=np.concatenate([self.sources, rows.astype(self.sources.dtype)]))

    def state(self):
        """Return plain values and arrays."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"id": tuple(self.id)}

    @classmethod
    def from_state(cls, state):
        """Return the maps that `state` was made of."""
        return cls(**state | {"id": EvidenceId(*state["id"])})


class RelationMapScores:
    """Scores ``SCALE <A_r^T x_source + b_r, x_candidate / |x_candidate|>`` on a device, 0 for a relation without map.

    Parameters
    ----------
    maps : RelationMaps
    device : str
    """

    def __init__(self, maps, device):
        self.entities = as_float(maps.candidates, device)
        self.n_entities, self.n_columns = self.entities.shape
        self._sources = as_float(maps.sources, device)
        self._slot = torch.tensor(maps.slot, device=device)
        self._coefficients = as_float(maps.coefficients, device)
        self._intercepts = as_float(maps.intercepts, device)

    def queries(self, sources, relations):
        """Mapped rows of source entities; zero for a relation without a map."""
        # SCALE (A_r' x + b_r) for the queries of each map together: d^2 multiplications a query, without a copy of A_r
        # for each.
        slots = self._slot[relations]
        rows = self._sources[sources]
        queries = torch.zeros_like(rows)
        for slot in torch.unique(slots[slots >= 0]).tolist():
            of_slot = torch.nonzero(slots == slot).squeeze(1)
            queries[of_slot] = torch.addmm(self._intercepts[slot], rows[of_slot], self._coefficients[slot])
        return SCALE * queries

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted scores with a slice of the entities to `out`, see `BoundEvidence`."""
        out.addmm_(weights * queries, self.entities[entities].T)

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer, see `BoundEvidence`."""
        return (queries.double() * self.entities[answers].double()).sum(-1)


def is_wide(shape):
    """Tell whether a matrix has so few rows that its singular vectors come sooner than products of its columns."""
    return 2 * shape[0] < shape[1]


def wide_principal_axes(rows):
    """Return the sums of squares of n wide rows along principal axes, the largest first, and these ``(d, n)``."""
    _, lengths, axes = np.linalg.svd(rows, full_matrices=False)
    return lengths**2, axes.T


def unit_rows(rows):
    """Rows divided by their length; a zero row stays zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)


def whitening(features, n_components):
    """Joint principal axes of several modalities, each scaled to unit variance.

    Every modality has the same share of the total variance before, whatever its number of columns.

    Parameters
    ----------
    features : dict of str to ndarray of shape (n_entities, d_k)
        Scaled columns; rows of zeros for missing vectors.
    n_components : int
        Most columns of the result.

    Returns
    -------
    dict of str to ndarray of shape (d_k, d)
        The sum of ``features[k] @ result[k]`` has rows of mean squared length 1.
    """
    # With J = [M_1 / sqrt(d_1), M_2 / sqrt(d_2), ...] and J'J = V diag(s) V', the columns of J V sqrt(n / (kept s)) are
    # orthogonal and of mean square 1 / kept each. Directions whose s is rounding are left out.
    matrices = list(features.values())
    n_rows, widths = len(matrices[0]), [matrix.shape[1] for matrix in matrices]
    values, axes = _principal_axes(matrices)
    rounding = max([n_rows * np.finfo(float).eps, *(np.finfo(matrix.dtype).eps ** 2 for matrix in matrices)])
    kept = min(np.count_nonzero(values > max(values[0], 0) * rounding), n_components)
    axes, values = axes[:, :kept], values[:kept]
    projection = axes * np.sqrt(n_rows / (max(kept, 1) * values))
    parts = zip(features, widths, np.split(projection, np.cumsum(widths)[:-1]), strict=True)
    return {name: part / np.sqrt(width) for name, width, part in parts}


def _principal_axes(matrices):
    """Principal axes of joined rows, each matrix with the same share, and the sums of squares along them."""
    n_rows, width = len(matrices[0]), sum(matrix.shape[1] for matrix in matrices)

    def joined(rows):
        return np.hstack([np.divide(matrix[rows], np.sqrt(matrix.shape[1]), dtype=float) for matrix in matrices])

    if is_wide((n_rows, width)):
        return wide_principal_axes(joined(slice(None)))
    # J'J (d, d) is the sum of those of blocks of rows; J never lies in memory as a whole.
    scatter = np.zeros((width, width))
    for rows in row_blocks((n_rows, width)):
        block = joined(rows)
        scatter += block.T @ block
    values, axes = np.linalg.eigh(scatter)
    return values[::-1], axes[:, ::-1]


def projected(features, projections):
    """Rows of the whitened space; `features` and `projections` are as for and from `whitening`."""
    n_rows = len(next(iter(features.values())))
    out = np.zeros((n_rows, next(iter(projections.values())).shape[1]))
    for name, projection in projections.items():
        for rows in row_blocks(features[name].shape):
            out[rows] += features[name][rows] @ projection
    return out


def fit_all_relation_maps(features, ids, n_relations, n_components):
    """Fit the regressions of each modality, and where there are several those of all of them together.

    One modality tells something where another is missing; all together tell what goes across modalities.

    Returns
    -------
    list of RelationMaps
    """
    groups = {EvidenceId(RELATION_MAPS, name): {name: matrix} for name, matrix in features.items()}
    if len(features) > 1:
        groups[EvidenceId(RELATION_MAPS)] = features
    return [fit_relation_maps(group, ids, n_relations, n_components, id) for id, group in groups.items()]


def fit_relation_maps(features, ids, n_relations, n_components, id=ALL_MODALITIES):
    """Fit a regression for each relation and reciprocal with enough triples between entities that have vectors.

    Parameters
    ----------
    features : dict of str to ndarray of shape (n_entities, d_k)
        Scaled columns; rows of zeros for missing vectors.
    ids : ndarray of shape (n_triples, 3)
    n_relations : int
    n_components : int
        Most whitened columns.
    id : EvidenceId

    Returns
    -------
    RelationMaps
    """
    projections = whitening(features, n_components)
    return regressions(projected(features, projections), projections, ids, n_relations, id)


def regressions(rows, projections, ids, n_relations, id=ALL_MODALITIES):
    """As `fit_relation_maps`, of whitened rows ``(n_entities, d)``."""
    targets = unit_rows(rows)
    sources, relations, answers = both_directions(ids, n_relations)
    told = rows.any(axis=1)[sources] & rows.any(axis=1)[answers]
    sources, relations, answers = sources[told], relations[told], answers[told]
    order = np.argsort(relations, kind="stable")
    ends = np.searchsorted(relations[order], np.arange(2 * n_relations + 1))
    fitted = np.flatnonzero(np.diff(ends) >= FEWEST_TRIPLES)
    slot = np.full(2 * n_relations, -1)
    slot[fitted] = np.arange(len(fitted))
    coefficients = np.empty((len(fitted), rows.shape[1], rows.shape[1]), dtype=np.float32)
    intercepts = np.empty((len(fitted), rows.shape[1]), dtype=np.float32)
    # min sum_i |A' x_i + b - u_i|^2 + PENALTY |A|^2 over the triples i of r, x_i the whitened source and u_i the answer
    # at unit length: products with a candidate at unit length are then cosines up to the fit.
    for position, relation in enumerate(fitted):
        chosen = order[ends[relation] : ends[relation + 1]]
        coefficients[position], intercepts[position] = ridge_with_intercept(
            rows[sources[chosen]], targets[answers[chosen]], PENALTY
        )
    return RelationMaps(id, rows.astype(np.float32), slot, coefficients, intercepts, projections)
