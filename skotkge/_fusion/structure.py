"""Structural embeddings of entities from triples alone."""

import numpy as np
from scipy.sparse import csr_array, diags_array
from sklearn.base import clone
from sklearn.utils.extmath import randomized_svd

from .._graph.labels import LabelIndex, name_first
from .._graph.triples import MultimodalTriples


def observed_in(ids, n_entities):
    """Return a boolean mask of the entities that occur in the triples."""
    seen = np.zeros(n_entities, dtype=bool)
    seen[ids[:, 0]] = True
    seen[ids[:, 2]] = True
    return seen


def relational_adjacency(ids, n_entities, n_relations):
    """Degree-normalised, relation-aware adjacency of a graph.

    Row e has one column for each pair (relation and direction, neighbour); an entry is
    ``1 / sqrt(degree of the row * degree of the column)``.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_entities, n_relations : int

    Returns
    -------
    scipy.sparse.csr_array of shape (n_entities, 2 * n_relations * n_entities)
    """
    head, relation, tail = np.unique(ids, axis=0).T
    rows = np.concatenate([head, tail])
    columns = np.concatenate([relation * n_entities + tail, (n_relations + relation) * n_entities + head])
    used, columns = np.unique(columns, return_inverse=True)
    shape = (n_entities, len(used))
    adjacency = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    degrees = (np.maximum(adjacency.sum(axis=axis), 1.0) for axis in (1, 0))
    left, right = (diags_array(1.0 / np.sqrt(degree)) for degree in degrees)
    return csr_array(left @ adjacency @ right)


def spectral_structure(ids, n_entities, n_relations, n_components, random_state):
    """About the leading left singular vectors of the relation-aware adjacency, by a randomised SVD.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_entities, n_relations, n_components : int
    random_state : RandomState
        Draws the test matrix of the randomised SVD and the columns beyond the rank.

    Returns
    -------
    ndarray of shape (n_entities, n_components)
        Columns of unit norm; the sign of each makes its entry of largest magnitude positive. Columns beyond the rank
        are Gaussian noise.
    """
    adjacency = relational_adjacency(ids, n_entities, n_relations)
    if not adjacency.nnz:
        return random_structure(n_entities, n_components, random_state)
    k = min(n_components, *adjacency.shape)
    vectors, values, _ = randomized_svd(adjacency, k, random_state=random_state)
    rank = np.count_nonzero(values > values[0] * max(adjacency.shape) * np.finfo(float).eps)
    return fill_with_noise(vectors[:, :rank], n_components, random_state)


def random_structure(n_entities, n_components, random_state):
    """Gaussian noise of shape (n_entities, n_components): a start without information."""
    return random_state.standard_normal((n_entities, n_components))


def estimated_structure(estimator, X, n_components, random_state):
    """Structural embedding learned by another estimator.

    Parameters
    ----------
    estimator : estimator
        Cloned and fitted on the triples of X; must then have `entity_embeddings_` and, where they are in another
        order than ``X.entities``, `entities_`.
    X : MultimodalTriples
    n_components : int
    random_state : RandomState
        Draws the columns beyond those of the estimator, and seeds its parameters random_state that are None.

    Returns
    -------
    ndarray of shape (n_entities, n_components)
    """
    estimator = clone(estimator)
    seeds = {
        name: random_state.randint(2**31) for name, value in estimator.get_params().items() if is_open_seed(name, value)
    }
    bare = MultimodalTriples(X.labels, entities=X.entities, relations=X.relations, duplicates="keep")
    fitted = estimator.set_params(**seeds).fit(bare)
    if not hasattr(fitted, "entity_embeddings_"):
        raise ValueError(f"structure={estimator!r} has no entity_embeddings_ after fit; give an estimator that has it.")
    embeddings = np.asarray(fitted.entity_embeddings_, dtype=float)
    if embeddings.shape[1] > n_components:
        raise ValueError(
            f"structure={estimator!r} gives {embeddings.shape[1]} columns, more than n_components={n_components}; "
            f"set n_components={embeddings.shape[1]}."
        )
    if hasattr(fitted, "entities_"):
        positions = LabelIndex(fitted.entities_, "structure.entities_").positions(X.entities)
        if (positions < 0).any():
            raise ValueError(f"structure={estimator!r} has no row for {name_first(list(X.entities[positions < 0]))}.")
        embeddings = embeddings[positions]
    return fill_with_noise(embeddings, n_components, random_state)


def is_open_seed(name, value):
    """Tell whether a parameter is a random_state without a seed."""
    return value is None and name.split("__")[-1] == "random_state"


def fill_with_noise(embeddings, n_components, random_state):
    """Append Gaussian columns, of the same mean square as the given ones, up to exactly `n_components`."""
    n_entities, width = embeddings.shape
    scale = np.sqrt(np.mean(embeddings**2)) if embeddings.size else 1.0
    noise = scale * random_state.standard_normal((n_entities, n_components - width))
    return np.hstack([embeddings, noise])
