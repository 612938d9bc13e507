"""Vectors that travel along the edges of both graphs alike, so that they can be compared between the graphs."""

import numpy as np

# Columns at once: the vectors of all ends of edges are made for these columns only.
COLUMN_BLOCK = 64


def unit_rows(matrix):
    """Divide each row by its length; rows of zeros stay.

    Parameters
    ----------
    matrix : ndarray of shape (n_rows, n_columns)

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
    """
    # Sums of squares without an array of the squares.
    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))
    return matrix / np.where(lengths > 0, lengths, 1)[:, None]


def random_units(n_rows, n_columns, random_state):
    """Random vectors of length 1, nearly orthogonal to each other where there are many columns."""
    return unit_rows(random_state.standard_normal((n_rows, n_columns)).astype(np.float32))


def random_signs(n_rows, n_columns, random_state):
    """Random vectors of -1 and 1."""
    return (2 * random_state.randint(2, size=(n_rows, n_columns)) - 1).astype(np.float32)


def hops(links, vectors, n_hops):
    """Pass vectors between entities and relation types.

    In each hop a type gets the mean direction of the entities that have it, and an entity the sum of its neighbours,
    weighted by how rare the relation is, plus that of its types.

    Parameters
    ----------
    links : Links
    vectors : ndarray of shape (n_entities, n_columns)
        Start: one vector for each seed, shared by its two sides; zeros elsewhere.
    n_hops : int

    Returns
    -------
    of_entities : list of ndarray of shape (n_entities, n_columns)
        Rows of length 1 or 0, after 0, 1, ... `n_hops` hops.
    of_types : list of ndarray of shape (n_types, n_columns)
        The same for the types.
    """
    # With A (n_entities, n_entities) the weighted adjacency and H (n_entities, n_types) of 0 and 1: Y' = unit(H' X) and
    # X' = unit(A X + H Y), both from the vectors of the hop before. A hop takes (nnz(A) + 2 nnz(H)) n_columns
    # multiplications.
    entities, types = [vectors], [np.zeros((links.n_types, vectors.shape[1]), vectors.dtype)]
    for _ in range(n_hops):
        next_types = unit_rows(links.types.T @ entities[-1])
        next_entities = unit_rows(links.adjacency @ entities[-1] + links.types @ types[-1])
        entities.append(next_entities)
        types.append(next_types)
    return entities, types


def typed_step(links, signatures, vectors):
    """Sum over the edges of each entity the vector of the target, marked by the type of the edge.

    The mark is the product with the signature of the type, column by column. With random signatures, the inner product
    of two such sums is, in expectation, the sum over pairs of edges of <signatures> times <vectors>: edges only count
    together where both their types and their targets agree.

    Parameters
    ----------
    links : Links
    signatures : ndarray of shape (n_types, n_columns)
    vectors : ndarray of shape (n_entities, n_columns)

    Returns
    -------
    ndarray of shape (n_entities, n_columns)
        Rows of length 1 or 0.
    """
    # out_x = sum over ends (r, z) of w[x, r, z] sig_r * v_z. An end is computed once for all entities that have it, and
    # the sum over the ends is one sparse product. Columns do not meet, so that blocks of them bound the (n_ends,
    # n_columns) vectors of the ends.
    out = np.empty_like(vectors)
    for start in range(0, vectors.shape[1], COLUMN_BLOCK):
        block = slice(start, start + COLUMN_BLOCK)
        ends = np.ascontiguousarray(vectors[:, block])[links.end_targets]
        ends *= np.ascontiguousarray(signatures[:, block])[links.end_types]
        out[:, block] = links.incidence @ ends
    return unit_rows(out)
