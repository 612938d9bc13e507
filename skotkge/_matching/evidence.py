"""Vectors by which entities of two graphs are compared: structure seen from known pairs, modalities and names.

Each kind of evidence is a `Part`, two matrices with rows of length 1 (or 0 where nothing is known), so that their inner
products are cosines.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from .propagation import hops, random_signs, random_units, typed_step, unit_rows

# Columns of the random vectors of known pairs, and of what is marked by relations: of known pairs, and of other views.
N_LABEL_COLUMNS = 512
N_SKETCH_COLUMNS = 2048
N_VIEW_SKETCH_COLUMNS = 1024
N_NAME_COLUMNS = 2048
N_GRAM_BITS = 18
# Columns that each n-gram is added to.
N_GRAM_PLACES = 32
STRUCTURE, NAMES = "structure", "names"


@dataclass(frozen=True)
class Part:
    """One kind of evidence.

    Parameters
    ----------
    name : str
        Its view, followed by " around" for what neighbours say.
    first, second : ndarray of shape (n_entities, n_columns)
        Rows of length 1 or 0.
    """

    name: str
    first: np.ndarray
    second: np.ndarray


def label_starts(sizes, known, found, random_state):
    """Random vectors that say which entities are taken to be the same.

    Both sides of a known pair get the same vector. An entity of Y that a plan reaches gets one of its own, and entities
    of X the mixture of those that they are moved to, with weights w: then the inner product of what x and y gather from
    their neighbours is, in expectation, ``sum_ij A_xi w_ij B_yj``, the gradient of the Gromov-Wasserstein term at the
    plan w.

    Parameters
    ----------
    sizes : tuple of two int
    known : ndarray of shape (n_pairs, 2)
    found : tuple of three ndarray, or None
        Entities of X, entities of Y and weights of the plan of the round before.
    random_state : RandomState

    Returns
    -------
    list of two ndarray of shape (n_entities, N_LABEL_COLUMNS)
    """
    # With W (n_X, n_Y) the weights and L (n_Y, n_columns) unit vectors that are nearly orthogonal, X starts from W L
    # and Y from diag(W' 1) L.
    labels = random_units(sizes[1], N_LABEL_COLUMNS, random_state)
    mixture = csr_array((np.ones(len(known), np.float32), (known[:, 0], known[:, 1])), shape=sizes)
    if found is not None:
        rows, columns, weights = found
        mixture = mixture + csr_array((weights.astype(np.float32), (rows, columns)), shape=sizes)
    return [mixture @ labels, labels * mixture.sum(axis=0)[:, None]]


def around_parts(name, links, shared_types, starts, n_hops, n_columns, random_state):
    """Evidence from the neighbours of entities that start with comparable vectors.

    The first part passes the vectors along all edges alike; the second marks them by relations: with random
    signs where both graphs share a relation's label, else with a sketch of what the relation links. The
    idea of both is LightEA's (Mao et al., "LightEA", EMNLP 2022), whose relations are never shared.

    Parameters
    ----------
    name : str
    links : tuple of two Links
    shared_types : ndarray of shape (n_shared, 2)
        Types of edges that mean the same in both graphs.
    starts : list of two ndarray of shape (n_entities, n_start_columns)
    n_hops : int
    n_columns : int
        Of what is marked by relations.
    random_state : RandomState

    Returns
    -------
    list of Part
    """
    entities, types = zip(*(hops(side, start, n_hops) for side, start in zip(links, starts, strict=True)), strict=True)
    plain = [unit_rows(np.concatenate(steps[1:], axis=1)) for steps in entities]
    if len(shared_types):
        marked = _marked_by_shared(links, shared_types, starts, n_hops, n_columns, random_state)
    else:
        marked = _marked_by_description(links, entities, types, n_columns, random_state)
    return [Part(name, *plain), Part(f"{name} by relation", *marked)]


def _marked_by_description(links, entities, types, n_columns, random_state):
    """One step along edges whose types are described by the vectors of what they link."""
    width = sum(step.shape[1] for step in entities[0])
    # With random signs P and Q, <(P a) * (Q b), (P a') * (Q b')> / n_columns is <a, a'> <b, b'> on average: a sketch of
    # the product of a type's vector a and a target's vector b.
    of_types = random_signs(width, n_columns, random_state)
    of_targets = random_signs(width, n_columns, random_state)
    return [
        typed_step(side, unit_rows(np.hstack(its_types)) @ of_types, unit_rows(np.hstack(its_entities)) @ of_targets)
        for side, its_entities, its_types in zip(links, entities, types, strict=True)
    ]


def _marked_by_shared(links, shared_types, starts, n_hops, n_columns, random_state):
    """Steps along edges whose types carry the same random signs in both graphs; the others are left out."""
    # Step i sums over the paths of i edges the start of their end, in each column times the signs of all relations on
    # the way; the steps stand side by side in n_columns.
    width = n_columns // n_hops
    signs = random_signs(len(shared_types), width, random_state)
    project = random_signs(starts[0].shape[1], width, random_state)
    out = []
    for side, start, rows in zip(links, starts, shared_types.T, strict=True):
        signatures = np.zeros((side.n_types, width), np.float32)
        signatures[rows] = signs
        steps, vectors = [], unit_rows(start @ project)
        for _ in range(n_hops):
            vectors = typed_step(side, signatures, vectors)
            steps.append(vectors)
            # Shifted by one column a step, signs tell "a then b" from "b then a".
            signatures = np.roll(signatures, 1, axis=1)
        out.append(unit_rows(np.hstack(steps)))
    return out


def modality_vectors(first, second):
    """Vectors of one modality of both graphs: centred and scaled by what both sides have, rows of NaN become zeros.

    Parameters
    ----------
    first, second : ndarray of shape (n_entities, n_features)

    Returns
    -------
    list of two ndarray of shape (n_entities, n_features)
    """
    # Each graph is standardised by its own means and deviations: an offset between the two sides does not count.
    both = [np.asarray(matrix, dtype=np.float32) for matrix in (first, second)]
    observed = [~np.isnan(matrix).any(axis=1) for matrix in both]
    out = []
    for matrix, rows in zip(both, observed, strict=True):
        centred = np.zeros_like(matrix)
        if rows.any():
            spread = matrix[rows].std(axis=0)
            centred[rows] = (matrix[rows] - matrix[rows].mean(axis=0)) / np.where(spread > 1e-6, spread, 1)
        out.append(unit_rows(centred))
    return out


def name_vectors(first, second, random_state):
    """Vectors of labels by their character n-grams, weighted by how rare they are in both graphs.

    Parameters
    ----------
    first, second : list of str
    random_state : RandomState

    Returns
    -------
    list of two ndarray of shape (n_entities, n_columns)
    """
    hashing = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=(2, 4),
        n_features=2**N_GRAM_BITS,
        strip_accents="unicode",
        alternate_sign=False,
        dtype=np.float32,
    )
    # tf-idf rows t (n_grams,) and a sparse random projection R of signs: <R't, R't'> is N_GRAM_PLACES <t, t'> on
    # average, and at length 1 the factor is gone. Cosines of 2^N_GRAM_BITS columns in N_NAME_COLUMNS.
    counts = hashing.transform([name.replace("_", " ") for name in [*first, *second]])
    weighted = TfidfTransformer(sublinear_tf=False).fit_transform(counts)
    grams, places = np.unique(weighted.indices, return_inverse=True)
    weighted = csr_array((weighted.data, places, weighted.indptr), shape=(weighted.shape[0], len(grams)))
    vectors = unit_rows((weighted @ _sparse_signs(len(grams), random_state)).toarray())
    return [vectors[: len(first)], vectors[len(first) :]]


def _sparse_signs(n_rows, random_state):
    """A projection to `N_NAME_COLUMNS` that keeps inner products on average: random signs at a few places a row."""
    size = n_rows * N_GRAM_PLACES
    signs = (2 * random_state.randint(2, size=size) - 1).astype(np.float32)
    ends = N_GRAM_PLACES * np.arange(n_rows + 1)
    return csr_array((signs, random_state.randint(N_NAME_COLUMNS, size=size), ends), shape=(n_rows, N_NAME_COLUMNS))
