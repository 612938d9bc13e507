"""Evidence across modalities: what is alike in the text of one graph should be alike in the images of the other."""

from dataclasses import dataclass

import numpy as np

from .candidates import best_candidates
from .evidence import Part, modality_vectors
from .propagation import hops, unit_rows

ACROSS = "across"
N_NEIGHBORS = 50
# Weight of a neighbour: exp(SHARPNESS * (cosine - 1)).
SHARPNESS = 8.0
# Ridge of the map between modalities, in mean eigenvalues of a modality's covariance; with fewer known pairs there is
# no map.
RIDGE, FEWEST_PAIRS = 1.0, 40


@dataclass(frozen=True)
class OwnModalities:
    """What only one of the graphs has, of each.

    Parameters
    ----------
    vectors : tuple of two ndarray of shape (n_entities, n_features)
        Centred, rows of length 1 or 0.
    near : tuple of two csr_array of shape (n_entities, n_entities)
        Weights of the most similar entities by the vectors; none of an entity to itself.
    """

    vectors: tuple
    near: tuple


def own_modalities(modalities, shared):
    """Names of the modalities of each graph that the other one lacks.

    Parameters
    ----------
    modalities : tuple of two mappings
    shared : list of str

    Returns
    -------
    tuple of two list of str
    """
    return tuple([name for name in side if name not in shared] for side in modalities)


def read_own_modalities(modalities, names, random_state):
    """Read the modalities that only one of the graphs has, several of them side by side.

    Parameters
    ----------
    modalities : tuple of two mappings of str to ndarray of shape (n_entities, n_features)
    names : tuple of two list of str
    random_state : RandomState

    Returns
    -------
    OwnModalities
    """
    vectors = tuple(
        unit_rows(np.hstack([modality_vectors(side[name], side[name])[0] for name in chosen]))
        for side, chosen in zip(modalities, names, strict=True)
    )
    return OwnModalities(vectors, tuple(_neighbor_graph(side, random_state) for side in vectors))


def _neighbor_graph(vectors, random_state):
    # exp(SHARPNESS (cos - 1)) for the N_NEIGHBORS most similar, and none where one side has no vector. One more is
    # asked for, since each entity is most similar to itself.
    near = best_candidates(vectors, vectors, N_NEIGHBORS + 1, random_state)
    rows = np.repeat(np.arange(len(vectors)), np.diff(near.indptr))
    seen = vectors.any(axis=1)
    near.data = np.exp(SHARPNESS * (near.data - 1)) * (near.indices != rows) * seen[rows] * seen[near.indices]
    near.eliminate_zeros()
    return near


def across_parts(own, links, starts, known, found, n_hops):
    """Which known pairs are most similar to an entity, each graph by its own modality, and a map between these.

    Parameters
    ----------
    own : OwnModalities
    links : tuple of two Links
    starts : list of two ndarray of shape (n_entities, n_columns)
        Of `label_starts`.
    known : ndarray of shape (n_pairs, 2)
    found : tuple of three ndarray, or None
        As for `label_starts`.
    n_hops : int

    Returns
    -------
    list of Part
    """
    # The inner product of x and y is, in expectation, sum_ij N_xi w_ij M_yj with neighbour graphs N and M and weights w
    # of the pairs taken to be the same: the gradient of a Gromov-Wasserstein term between the two modalities.
    parts = [Part(ACROSS, *(unit_rows(graph @ start) for graph, start in zip(own.near, starts, strict=True)))]
    if len(known) < FEWEST_PAIRS:
        return parts
    pairs, weights = known, np.ones(len(known))
    if found is not None:
        pairs, weights = np.concatenate([known, np.column_stack(found[:2])]), np.concatenate([weights, found[2]])
    mapped = mapped_vectors(own.vectors, pairs, weights)
    around = [hops(side, vectors, n_hops)[0][1:] for side, vectors in zip(links, mapped, strict=True)]
    around = [unit_rows(np.concatenate(steps, axis=1)) for steps in around]
    return [*parts, Part(f"{ACROSS} by map", *mapped), Part(f"{ACROSS} by map around", *around)]


def mapped_vectors(vectors, pairs, weights):
    """Vectors of two modalities in one space, by what paired entities have in common.

    With covariances A and B of the two sides, each with a ridge, and C that of the pairs, the bilinear form
    ``x A^-1 C B^-1 y`` is the one that predicts by least squares who is paired with whom. Its factors come from the
    singular vectors of ``A^-1/2 C B^-1/2``, the canonical correlations of the pairs, each times the root of its value.

    Parameters
    ----------
    vectors : tuple of two ndarray of shape (n_entities, n_features)
    pairs : ndarray of shape (n_pairs, 2)
    weights : ndarray of shape (n_pairs,)

    Returns
    -------
    list of two ndarray of shape (n_entities, n_components)
        Rows of length 1 or 0.
    """
    first, second = (side.astype(np.float64) for side in vectors)
    roots = _inverse_root(first.T @ first / len(first)), _inverse_root(second.T @ second / len(second))
    common = (first[pairs[:, 0]] * weights[:, None]).T @ second[pairs[:, 1]] / weights.sum()
    left, values, right = np.linalg.svd(roots[0] @ common @ roots[1], full_matrices=False)
    factors = roots[0] @ left * np.sqrt(values), roots[1] @ right.T * np.sqrt(values)
    return [
        unit_rows((side @ factor).astype(np.float32)) for side, factor in zip((first, second), factors, strict=True)
    ]


def _inverse_root(covariance):
    """Inverse root of a covariance with a ridge; of one of zeros the identity."""
    # V diag(s + ridge)^-1/2 V', symmetric; the ridge is RIDGE times the mean of s.
    values, vectors = np.linalg.eigh(covariance)
    values = np.maximum(values, 0) + RIDGE * values.mean() if values.any() else np.ones_like(values)
    return vectors / np.sqrt(values) @ vectors.T
