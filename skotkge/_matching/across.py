"""Evidence across modalities: what is alike in the text of one graph should be alike in the images of the other."""

import numpy as np

from .candidates import best_candidates
from .evidence import Part, modality_vectors
from .propagation import unit_rows

ACROSS = "across"
N_NEIGHBORS = 50
# Weight of a neighbour: exp(SHARPNESS * (cosine - 1)).
SHARPNESS = 8.0


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


def neighbor_graphs(modalities, names, random_state):
    """For each graph the most similar entities of each one by the modalities that only this graph has.

    Parameters
    ----------
    modalities : tuple of two mappings of str to ndarray of shape (n_entities, n_features)
    names : tuple of two list of str
    random_state : RandomState

    Returns
    -------
    list of two csr_array of shape (n_entities, n_entities)
        Weights; none of an entity to itself.
    """
    out = []
    for side, chosen in zip(modalities, names, strict=True):
        vectors = unit_rows(np.hstack([modality_vectors(side[name], side[name])[0] for name in chosen]))
        near = best_candidates(vectors, vectors, N_NEIGHBORS + 1, random_state)
        rows = np.repeat(np.arange(len(vectors)), np.diff(near.indptr))
        seen = vectors.any(axis=1)
        near.data = np.exp(SHARPNESS * (near.data - 1)) * (near.indices != rows) * seen[rows] * seen[near.indices]
        near.eliminate_zeros()
        out.append(near)
    return out


def across_part(near, starts):
    """Which known pairs are most similar to an entity, each graph by its own modality.

    The inner product of x and y is, in expectation, ``sum_ij N_xi w_ij M_yj`` with neighbour graphs N and M and weights
    w of the pairs taken to be the same: the gradient of a Gromov-Wasserstein term between the two modalities.

    Parameters
    ----------
    near : list of two csr_array of shape (n_entities, n_entities)
    starts : list of two ndarray of shape (n_entities, n_columns)
        Of `label_starts`.

    Returns
    -------
    Part
    """
    return Part(ACROSS, *(unit_rows(graph @ start) for graph, start in zip(near, starts, strict=True)))
