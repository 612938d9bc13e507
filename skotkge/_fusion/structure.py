"""Structural embeddings of entities from triples alone."""

import hashlib
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, diags_array
from sklearn.base import clone
from sklearn.utils.extmath import randomized_svd

from .._graph.labels import LabelIndex, name_first
from .._graph.queries import distinct_rows
from .._graph.triples import MultimodalTriples
from .._utils.messages import shown
from .column_alignment import ScaledColumns


@dataclass(frozen=True, eq=False)
class StructuralSpace:
    """Structural embedding that the modalities of a graph are aligned with.

    Attributes
    ----------
    columns : ndarray of shape (n_entities, d)
        Scaled; zero for entities that are not observed.
    observed : ndarray of shape (n_entities,), dtype bool
        Entities with at least one triple.
    generator : tuple
        State of the random generator after the structure was drawn: what comes next goes on from there.
    triples : str or None
        Digest of the triples that it was learned from; None for a given structure.
    """

    columns: np.ndarray
    observed: np.ndarray
    generator: tuple
    triples: str | None = None

    @classmethod
    def scaled(cls, space, observed, standardize, random_state, triples=None):
        """Scale the columns of a space over the observed entities."""
        columns = ScaledColumns.fit(space, observed, standardize).rows(slice(None))
        return cls(columns, observed, random_state.get_state(), triples)

    def random_state(self):
        """Return a generator in the state that learning the structure left it in."""
        random_state = np.random.RandomState()
        random_state.set_state(self.generator)
        return random_state


def learn_structure(X, options, known=None):
    """Structural space of the triples of X.

    Parameters
    ----------
    X : MultimodalTriples
        True rows alone.
    options : FusionOptions
    known : StructuralSpace, default=None
        Learned with the same options over the same entities and relations: returned where its triples are those of X.

    Returns
    -------
    StructuralSpace
    """
    n_entities, n_relations, n_components = X.n_entities, len(X.relations), options.n_components
    triples = hashlib.blake2b(np.array([n_entities, n_relations]).tobytes() + X.ids.tobytes()).hexdigest()
    if known is not None and known.triples == triples:
        return known
    random_state = np.random.RandomState(options.seed)
    if options.structure == "spectral":
        space = spectral_structure(X.ids, n_entities, n_relations, n_components, random_state)
    elif options.structure == "random":
        space = random_structure(n_entities, n_components, random_state)
    else:
        space = estimated_structure(options.structure, X, n_components, random_state)
    return StructuralSpace.scaled(space, observed_in(X.ids, n_entities), options.standardize, random_state, triples)


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
    scipy.sparse.csr_array of shape (n_entities, n_used_columns)
    """
    # B (n_entities, 2 n_relations n_entities) is 1 at (h, (r, t)) and at (t, (r^-1, h)) for each triple (h, r, t). With
    # D_e and D_c its sums by row and by column the result is D_e^-1/2 B D_c^-1/2; columns without an entry are dropped.
    head, relation, tail = distinct_rows(ids).T
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
    # adjacency ~ U S V' with U (n_entities, k): entities with the same neighbours by the same relations lie together.
    adjacency = relational_adjacency(ids, n_entities, n_relations)
    if not adjacency.nnz:
        return random_structure(n_entities, n_components, random_state)
    k = min(n_components, *adjacency.shape)
    vectors, values, _ = randomized_svd(adjacency, k, random_state=random_state)
    # Where a singular value is rounding beside the largest, its vector points anywhere.
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
        raise ValueError(
            f"structure={shown(estimator)} has no entity_embeddings_ after fit; give an estimator that has it."
        )
    embeddings = np.asarray(fitted.entity_embeddings_, dtype=float)
    if embeddings.shape[1] > n_components:
        raise ValueError(
            f"structure={shown(estimator)} gives {embeddings.shape[1]} dimensions, more than "
            f"n_components={n_components}; set n_components={embeddings.shape[1]}."
        )
    if hasattr(fitted, "entities_"):
        positions = LabelIndex(fitted.entities_, "structure.entities_").positions(X.entities)
        if (positions < 0).any():
            raise ValueError(
                f"structure={shown(estimator)} has no row for {name_first(list(X.entities[positions < 0]))}."
            )
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
