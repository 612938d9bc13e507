"""Ridge regressions from the modality columns of sources to those of answers, one for each relation and direction.

Relation by relation, without any embedding: what the vectors alone tell, and in closed form.
"""

from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import Ridge

from .._graph.queries import both_directions
from .._spaces import REGRESSION
from .._utils.memory import row_blocks

# Fewer triples do not determine a map.
FEWEST_TRIPLES = 10
PENALTY = 0.3


@dataclass(frozen=True)
class RelationMaps:
    """Fitted regressions.

    Attributes
    ----------
    sources : ndarray of shape (n_entities, d)
        Whitened modality columns; zero for an entity without any modality.
    slot : ndarray of shape (2 * n_relations,)
        Position in `coefficients`; -1 for a relation with too few triples.
    coefficients : ndarray of shape (n_maps, d, d)
    intercepts : ndarray of shape (n_maps, d)
    projections : dict of str to ndarray of shape (d_k, d)
        From the scaled columns of each modality to `sources`.
    """

    sources: np.ndarray
    slot: np.ndarray
    coefficients: np.ndarray
    intercepts: np.ndarray
    projections: dict

    @property
    def entities(self):
        """Rows of `sources` brought to unit length, the candidates that mapped rows are compared with."""
        return unit_rows(self.sources)

    def extended(self, columns):
        """The same maps with more entities at the end, given by their scaled columns."""
        rows = projected(columns, self.projections)
        return replace(self, sources=np.concatenate([self.sources, rows.astype(self.sources.dtype)]))


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
    matrices = list(features.values())
    n_rows, widths = len(matrices[0]), [matrix.shape[1] for matrix in matrices]
    values, axes = np.linalg.eigh(_scatter(matrices))
    rounding = max([n_rows * np.finfo(float).eps, *(np.finfo(matrix.dtype).eps ** 2 for matrix in matrices)])
    kept = min(np.count_nonzero(values > max(values[-1], 0) * rounding), n_components)
    axes, values = axes[:, ::-1][:, :kept], values[::-1][:kept]
    projection = axes * np.sqrt(n_rows / (max(kept, 1) * values))
    parts = zip(features, widths, np.split(projection, np.cumsum(widths)[:-1]), strict=True)
    return {name: part / np.sqrt(width) for name, width, part in parts}


def _scatter(matrices):
    """Sum over the entities of the outer products of their joined rows, each matrix with the same share."""
    width = sum(matrix.shape[1] for matrix in matrices)
    scatter = np.zeros((width, width))
    for rows in row_blocks((len(matrices[0]), width)):
        block = np.hstack([np.divide(matrix[rows], np.sqrt(matrix.shape[1]), dtype=float) for matrix in matrices])
        scatter += block.T @ block
    return scatter


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
    dict of str to RelationMaps
        By the name of their space.
    """
    groups = {f"{REGRESSION} of {name}": {name: matrix} for name, matrix in features.items()}
    if len(features) > 1:
        groups[REGRESSION] = features
    return {name: fit_relation_maps(group, ids, n_relations, n_components) for name, group in groups.items()}


def fit_relation_maps(features, ids, n_relations, n_components):
    """Fit a regression for each relation and reciprocal with enough triples between entities that have vectors.

    Parameters
    ----------
    features : dict of str to ndarray of shape (n_entities, d_k)
        Scaled columns; rows of zeros for missing vectors.
    ids : ndarray of shape (n_triples, 3)
    n_relations : int
    n_components : int
        Most whitened columns.

    Returns
    -------
    RelationMaps
    """
    projections = whitening(features, n_components)
    rows = projected(features, projections)
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
    for position, relation in enumerate(fitted):
        chosen = order[ends[relation] : ends[relation + 1]]
        ridge = Ridge(alpha=PENALTY).fit(rows[sources[chosen]], targets[answers[chosen]])
        coefficients[position], intercepts[position] = ridge.coef_.T, ridge.intercept_
    return RelationMaps(rows.astype(np.float32), slot, coefficients, intercepts, projections)
