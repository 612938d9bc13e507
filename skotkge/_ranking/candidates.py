"""Which entities may answer each relation and reciprocal, and how many are left for each question."""

import numpy as np
from scipy.sparse import csr_array


class Candidates:
    """The entities that may answer.

    Parameters
    ----------
    row_of : ndarray of shape (2 * n_relations,)
        Row of the table for each relation and reciprocal; -1 where every entity may answer.
    table : csr_array of shape (n_rows, n_entities), dtype bool
    """

    def __init__(self, row_of, table):
        self._row_of, self._table = row_of, table.astype(bool)
        self._shared = self._table.toarray() if table.shape[0] == 1 and not row_of.any() else None

    @classmethod
    def of_sets(cls, sets, n_sides, n_entities):
        """Return the candidates of a mapping from relations and reciprocals to positions of entities.

        Parameters
        ----------
        sets : dict of int to ndarray of int
        n_sides : int
            Relations and reciprocals; those that are no key may be answered by all.
        n_entities : int
        """
        row_of, parts = np.full(n_sides, -1), [np.unique(positions) for positions in sets.values()]
        row_of[list(sets)] = np.arange(len(sets))
        starts = np.cumsum([0, *map(len, parts)])
        columns = np.concatenate([np.empty(0, dtype=np.int64), *parts])
        shape = len(sets), n_entities
        return cls(row_of, csr_array((np.ones(len(columns), dtype=bool), columns, starts), shape=shape))

    @classmethod
    def of_all_relations(cls, positions, n_sides, n_entities):
        """Return the same candidates for every relation and reciprocal."""
        one = cls.of_sets({0: positions}, 1, n_entities)
        return cls(np.zeros(n_sides, dtype=np.int64), one._table)

    def __call__(self, relations):
        """Masks of shape (n, n_entities) for relations (n,), or (1, n_entities) where all have the same."""
        if self._shared is not None:
            return self._shared
        rows = self._row_of[relations]
        masks = np.ones((len(rows), self._table.shape[1]), dtype=bool)
        masks[rows >= 0] = self._table[rows[rows >= 0]].toarray()
        return masks

    def contains(self, relations, entities):
        """Tell of each entity whether it may answer the relation beside it."""
        rows = self._row_of[relations]
        inside = np.ones(len(rows), dtype=bool)
        limited = np.flatnonzero(rows >= 0)
        inside[limited] = np.asarray(self._table[rows[limited], entities[limited]]).ravel()
        return inside

    def of(self, relation):
        """Positions of the candidates of one relation or reciprocal, in order."""
        row = self._row_of[relation]
        if row < 0:
            return np.arange(self._table.shape[1])
        return np.sort(self._table.indices[slice(*self._table.indptr[row : row + 2])])

    def counts(self, relations):
        """Number of the candidates of each relation or reciprocal."""
        numbers = np.append(np.diff(self._table.indptr), self._table.shape[1])
        return numbers[self._row_of[relations]]


def count_candidates(queries, left_out, n_entities, allowed=None):
    """How many entities each answer is ranked among, itself included.

    Parameters
    ----------
    queries : tuple of ndarray of shape (n_queries,)
        Sources, relations and answers.
    left_out : KnownAnswers or KnownUnion
        Answers that are filtered out.
    n_entities : int
    allowed : Candidates, default=None
        None allows all.

    Returns
    -------
    ndarray of shape (n_queries,)
    """
    sources, relations, answers = queries
    rows, others = left_out.answers_of(sources, relations)
    # Pairs of query and entity as one number make the entities left out, the answer among them, distinct for each
    # query: what is left, and the answer itself, are candidates.
    keys = np.unique(np.concatenate([rows * n_entities + others, np.arange(len(sources)) * n_entities + answers]))
    rows, gone = np.divmod(keys, n_entities)
    if allowed is None:
        return n_entities - np.bincount(rows, minlength=len(sources)) + 1
    gone = allowed.contains(relations[rows], gone)
    return allowed.counts(relations) - np.bincount(rows, weights=gone, minlength=len(sources)).astype(int) + 1
