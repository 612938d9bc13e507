"""Which modalities tell anything about the links of a graph: a permutation test on the triples of a fit."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.sparse import csr_array
from sklearn.preprocessing import normalize
from sklearn.utils.extmath import randomized_svd

from .._graph.queries import KnownAnswers, distinct_rows
from .._utils.messages import tell
from .column_alignment import ScaledColumns
from .structure import observed_in

# In smaller graphs some vectors that tell a lot are not told from noise.
FEWEST_ENTITIES = 100
N_SHUFFLES = 20
# Standard deviations above shuffled rows. Noise on eight graphs and 34 parts of them reached 3.2, seldom 3, and 2.8 in
# a hundred draws on emoji. Vectors of all entities had 4.2 at least in parts of 120 entities. A few vectors may tell
# nothing: of ten draws of emoji's images each, 20 fell below in 7, 40 in 5, 60 in 1, 83 in none; of texts none did.
THRESHOLD = 3.0
# Wider vectors are projected onto so many of their principal axes.
LARGEST_WIDTH = 64
# Of a larger graph or a larger matrix a part is looked at.
MOST_TRIPLES = 200_000
LARGEST_SIZE = 2**24


def telling(matrices, observed, ids, standardize, seed):
    """Leave out the modalities that say nothing about the links of entities, and warn with their names.

    Where noise was the only modality it cost .012 of MRR on CoDEx-S. Beside others it cost nothing on emoji, hanzi or
    WN9-IMG but its share of the time.

    Parameters
    ----------
    matrices : dict of str to ndarray of shape (n_entities, d_k)
    observed : dict of str to ndarray of shape (n_entities,), dtype bool
    ids : ndarray of shape (n_triples, 3)
        True triples.
    standardize : bool
        Whether columns are scaled, as in the fusion.
    seed : int
        Each modality is judged as it would be without the others.

    Returns
    -------
    dict of str to ndarray
        The matrices that are left.

    Warns
    -----
    UserWarning
        For each modality that is left out.
    """
    kept = {}
    for name, matrix in matrices.items():
        if is_silent(matrix, observed[name], ids, standardize, seed):
            tell(
                f"the modality {name!r} says nothing about links: by its {np.count_nonzero(observed[name])} vectors "
                "entities that are linked, or that have the same answers, are no more alike than by shuffled ones. It "
                "counts as missing; check that its rows belong to the entities, drop it, or keep it with "
                "screening=False."
            )
        else:
            kept[name] = matrix
    return kept


def is_silent(matrix, observed, ids, standardize, seed):
    """Tell whether the vectors of a modality say no more about the links of their entities than shuffled ones.

    Parameters
    ----------
    matrix : ndarray of shape (n_entities, d_k)
    observed : ndarray of shape (n_entities,), dtype bool
    ids : ndarray of shape (n_triples, 3)
        True triples.
    standardize : bool
    seed : int

    Returns
    -------
    bool
        False in a graph of few entities, or if no entity with a vector has a triple.
    """
    linked = observed_in(ids, len(observed))
    if np.count_nonzero(linked) < FEWEST_ENTITIES or not (observed & linked).any():
        return False
    random_state = np.random.RandomState(seed)
    links = drawn_links(ids, observed, max(1, LARGEST_SIZE // matrix.shape[1]), random_state)
    rows = ScaledColumns.fit(matrix, observed, standardize).rows(links.entities)
    return strength(links, normalize(_principal(normalize(rows), random_state)), random_state) < THRESHOLD


def strength(links, rows, random_state):
    """How far the statistic of the rows that stands out most lies above those of shuffled rows, in their deviations."""
    found = links.statistics(rows)
    shuffled = np.array([links.statistics(random_state.permutation(rows)) for _ in range(N_SHUFFLES)])
    # A statistic that no shuffling changes tells nothing, whatever it is; its deviation is rounding.
    deviation, rounding = shuffled.std(axis=0, ddof=1), np.finfo(np.float32).eps * np.abs(shuffled).max(axis=0)
    above = found - shuffled.mean(axis=0)
    return np.divide(above, deviation, out=np.zeros_like(above), where=deviation > rounding).max()


@dataclass(frozen=True, eq=False)
class Links:
    """Triples as the vectors of their entities are compared by.

    Attributes
    ----------
    entities : ndarray of shape (n_rows,)
        Those with a vector; all else refers to them by position.
    heads, tails : ndarray of shape (n_links,)
        Ends of the triples that have a vector at both, in the order of relations.
    relations : list of slice
        The triples of each relation among them.
    groups : csr_array of shape (n_groups, n_rows)
        1 where an entity is in a group: those that share an answer, by the same relation and direction.
    """

    entities: np.ndarray
    heads: np.ndarray
    tails: np.ndarray
    relations: list
    groups: csr_array

    @cached_property
    def shares(self):
        """1 / (n - 1) for each group of n entities."""
        return 1.0 / (self.groups.sum(axis=1) - 1.0)

    def statistics(self, rows):
        """How alike entities are that share an answer, how alike linked ones, and how far ends determine each other.

        Parameters
        ----------
        rows : ndarray of shape (n_rows, n_columns)
            Of unit length.

        Returns
        -------
        ndarray of shape (3,)
        """
        # Of a group g with n members the mean cosine of each with the others, summed over members, is
        # (|sum_g u|^2 - n) / (n - 1), of which the shuffling leaves n as it is.
        sharing = self.shares @ np.square(self.groups @ rows).sum(axis=1)
        heads, tails = rows[self.heads], rows[self.tails]
        # n |C|_F^2, C (k, k) being the covariance of heads and tails of the n triples of a relation: what a linear map
        # from one end to the other has to learn from.
        mapped = 0.0
        for part in self.relations:
            of_heads, of_tails = (ends[part] - ends[part].mean(axis=0) for ends in (heads, tails))
            mapped += np.square(of_heads.T @ of_tails).sum() / len(of_heads)
        return np.array([sharing, np.vdot(heads, tails), mapped], dtype=float)


def drawn_links(ids, observed, n_rows, random_state):
    """Return the links of entities with vectors; in a large graph those of entities drawn at random.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    observed : ndarray of shape (n_entities,), dtype bool
        True for at least one entity that has a triple.
    n_rows : int
        Most entities with a vector, if one and its neighbor are not more than that.
    random_state : RandomState

    Returns
    -------
    Links
    """
    ids = distinct_rows(ids)
    ids = _around_drawn(ids[observed[ids[:, 0]] | observed[ids[:, 2]]], observed, n_rows, random_state)
    entities = np.unique(ids[:, [0, 2]])
    entities = entities[observed[entities]]
    position = np.full(len(observed), -1)
    position[entities] = np.arange(len(entities))
    group, member = KnownAnswers(ids, ids[:, 1].max() + 1).pairs()
    group, member = group[observed[member]], position[member[observed[member]]]
    groups = csr_array((np.ones(len(group), dtype=np.float32), (group, member)), shape=(2 * len(ids), len(entities)))
    head, relation, tail = ids[np.argsort(ids[:, 1], kind="stable")].T
    both = observed[head] & observed[tail] & (head != tail)
    edges = [0, *np.flatnonzero(np.diff(relation[both])) + 1, np.count_nonzero(both)]
    relations = [slice(first, last) for first, last in pairwise(edges) if last > first]
    return Links(entities, position[head[both]], position[tail[both]], relations, groups[groups.sum(axis=1) > 1])


def _around_drawn(ids, observed, n_rows, random_state):
    """All triples of each of the entities drawn, until there are too many; so the groups of their answers are whole."""
    turn = random_state.permutation(len(observed))
    ids = ids[np.argsort(turn[ids[:, [0, 2]]].min(axis=1), kind="stable")][:MOST_TRIPLES]
    ends = ids[:, [0, 2]].ravel()
    is_new = np.zeros(len(ends), dtype=bool)
    is_new[np.unique(ends, return_index=True)[1]] = True
    return ids[(is_new & observed[ends]).reshape(-1, 2).sum(axis=1).cumsum() <= max(2, n_rows)]


def _principal(rows, random_state):
    """Rows on their principal axes, in single precision, if they are wide."""
    if rows.shape[1] > LARGEST_WIDTH:
        left, values, _ = randomized_svd(rows, min(LARGEST_WIDTH, *rows.shape), random_state=random_state)
        rows = left * values
    return rows.astype(np.float32)
