"""The edges of one graph as sparse matrices, in both directions and by relation."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array


@dataclass(frozen=True)
class Links:
    """What propagation needs of one graph.

    Each triple is two edges: from the head to the tail by the relation, and back by its inverse, so that relation r of
    ``n_relations`` has the types r and ``r + n_relations``.

    Parameters
    ----------
    adjacency : csr_array of shape (n_entities, n_entities)
        Sum of the weights of the edges from an entity (row) to another one.
    types : csr_array of shape (n_entities, n_types)
        1 where an entity has an edge of the type.
    incidence : csr_array of shape (n_entities, n_ends)
        Weight of the edge from an entity to an end, a pair of a type and a target.
    end_types, end_targets : ndarray of shape (n_ends,)
    """

    adjacency: csr_array
    types: csr_array
    incidence: csr_array
    end_types: np.ndarray
    end_targets: np.ndarray

    @property
    def n_entities(self):
        return self.adjacency.shape[0]

    @property
    def n_types(self):
        return self.types.shape[1]


def links_of(ids, n_entities, n_relations):
    """Build the links of a graph.

    An edge of relation r weighs ``log(1 + n / n_r)``, n triples of which n_r have the relation: that two entities share
    a rare relation says more than that they share a common one.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
        Positions of head, relation and tail.
    n_entities, n_relations : int

    Returns
    -------
    Links
    """
    ids = np.unique(ids, axis=0).astype(np.int64)
    heads, relations, tails = ids.T
    sources, targets = np.concatenate([heads, tails]), np.concatenate([tails, heads])
    types = np.concatenate([relations, relations + n_relations])
    counts = np.bincount(relations, minlength=n_relations)
    weights = np.log1p(len(ids) / np.maximum(counts, 1))[types % max(n_relations, 1)].astype(np.float32)
    n_types = 2 * n_relations
    # Ends are distinct (type, target), at most two for each triple; sums of edges with the same end share its vector.
    ends, end_of_edge = np.unique(types * n_entities + targets, return_inverse=True)
    has_type = csr_array((np.ones(len(types), np.float32), (sources, types)), shape=(n_entities, n_types))
    has_type.data[:] = 1
    return Links(
        adjacency=csr_array((weights, (sources, targets)), shape=(n_entities, n_entities)),
        types=has_type,
        incidence=csr_array((weights, (sources, end_of_edge)), shape=(n_entities, len(ends))),
        end_types=ends // n_entities,
        end_targets=ends % n_entities,
    )
