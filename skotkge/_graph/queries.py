"""Triples as queries: (head, relation) asks for tails, (tail, reciprocal relation) for heads. Arrays in, arrays out."""

import math

import numpy as np

# What queries ask for, in the order of `both_directions`.
DIRECTIONS = ("tail", "head")


def distinct_rows(ids, **returned):
    """What `numpy.unique` of rows returns, by one number for each row, which is sorted many times faster than the row.

    Parameters
    ----------
    ids : ndarray of int of shape (n_rows, n_columns)
    **returned
        ``return_index``, ``return_inverse`` and ``return_counts``, as for `numpy.unique`.

    Returns
    -------
    ndarray of shape (n_distinct, n_columns), or a tuple that begins with it
        In lexicographic order.
    """
    if not len(ids) or ids.min() < 0:
        return np.unique(ids, axis=0, **returned)
    # (h, r, t) has the number (h R + r) N + t, with R and N above all values of their columns.
    sizes = [int(most) + 1 for most in ids.max(axis=0)]
    if math.prod(sizes) > np.iinfo(np.int64).max:
        return np.unique(ids, axis=0, **returned)
    keys = ids[:, 0].astype(np.int64)
    for column, size in zip(ids.T[1:], sizes[1:], strict=True):
        keys *= size
        keys += column
    if returned:
        keys, *others = np.unique(keys, **returned)
    else:
        keys.sort()
        keys, others = keys[np.diff(keys, prepend=-1) > 0], []
    rows = np.empty((len(keys), len(sizes)), dtype=ids.dtype)
    for number in reversed(range(1, len(sizes))):
        keys, rows[:, number] = np.divmod(keys, sizes[number])
    rows[:, 0] = keys
    return (rows, *others) if returned else rows


def both_directions(ids, n_relations):
    """Triples as queries in both directions, tails asked for first.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_relations : int
        Relation ``n_relations + r`` is the reciprocal of r.

    Returns
    -------
    sources, relations, answers : ndarray of shape (2 * n_triples,)
    """
    head, relation, tail = ids.T
    return (
        np.concatenate([head, tail]),
        np.concatenate([relation, relation + n_relations]),
        np.concatenate([tail, head]),
    )


def as_triples_of(sources, relations, answers, n_relations):
    """Queries with an answer each as triples ``(n, 3)``, those of reciprocals turned around."""
    backward = relations >= n_relations
    heads, tails = np.where(backward, answers, sources), np.where(backward, sources, answers)
    return np.column_stack([heads, np.where(backward, relations - n_relations, relations), tails])


class KnownAnswers:
    """Distinct queries of triples, in both directions, and the answers of each as slices of one sorted array.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_relations : int

    Attributes
    ----------
    sources, relations : ndarray of shape (n_queries,)
        The distinct queries, in lexicographic order.
    counts : ndarray of shape (n_queries,)
        Number of answers of each.
    order : ndarray of shape (2 * n_triples,)
        Position in `both_directions` of each pair of `pairs`.
    """

    def __init__(self, ids, n_relations):
        self._index(*both_directions(ids, n_relations), n_relations)

    @classmethod
    def of_pairs(cls, sources, relations, answers, n_relations):
        """Make the lists of queries with an answer each, ``(n_pairs,)``, in whichever directions these are."""
        lists = cls.__new__(cls)
        lists._index(sources, relations, answers, n_relations)
        return lists

    def _index(self, sources, relations, answers, n_relations):
        self._base = 2 * n_relations
        keys = sources * self._base + relations
        self.order = _order_of(keys, answers)
        self._answers, keys = answers[self.order], keys[self.order]
        self._starts = np.flatnonzero(np.diff(keys, prepend=-1))
        self._keys, self.counts = keys[self._starts], np.diff(self._starts, append=len(keys))
        self.sources, self.relations = np.divmod(self._keys, max(1, self._base))

    def __len__(self):
        return len(self._keys)

    @property
    def n_answers(self):
        """Of all queries together."""
        return len(self._answers)

    def pairs(self):
        """Return all pairs (position of the query, answer), as two arrays."""
        return np.repeat(np.arange(len(self)), self.counts), self._answers

    def positions(self, sources, relations):
        """Return the position of each of some queries, which have to be listed."""
        return np.searchsorted(self._keys, sources * self._base + relations)

    def split(self, largest):
        """Cut the answers of each query into nearly equal pieces of at most `largest`.

        Returns
        -------
        queries, starts, counts : ndarray of shape (n_pieces,)
            Position of the query of each piece, and its slice of the answers of `pairs`.
        """
        n_pieces = -(-self.counts // largest)
        queries = np.repeat(np.arange(len(self)), n_pieces)
        number = np.arange(len(queries)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces)
        edges = [number * self.counts[queries] // n_pieces[queries] for number in (number, number + 1)]
        return queries, self._starts[queries] + edges[0], edges[1] - edges[0]

    def contains(self, ids):
        """Tell which triples are among those that the lists were made of; no list is walked along, however long."""
        low, counts = self._lists_of(ids[:, 0], ids[:, 1])
        high = end = low + counts
        wanted = ids[:, 2]
        # Bisection of all lists at once: answers before `low` are smaller, those from `high` on are not.
        while (between := low < high).any():
            middle = (low + high) // 2
            smaller = np.zeros(len(ids), dtype=bool)
            smaller[between] = self._answers[middle[between]] < wanted[between]
            low, high = np.where(smaller, middle + 1, low), np.where(between & ~smaller, middle, high)
        found = low < end
        found[found] = self._answers[low[found]] == wanted[found]
        return found

    def answers_of(self, sources, relations):
        """Return all pairs (row of the query, answer) of any queries, as two arrays."""
        starts, counts = self._lists_of(sources, relations)
        return np.repeat(np.arange(len(counts)), counts), self._answers[slices(starts, counts)]

    def _lists_of(self, sources, relations):
        """First positions and numbers of the answers of any queries, which are sorted."""
        keys = sources * self._base + relations
        position = np.searchsorted(self._keys, keys)
        found = position < len(self._keys)
        found[found] = self._keys[position[found]] == keys[found]
        starts, counts = np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=np.int64)
        starts[found], counts[found] = self._starts[position[found]], self.counts[position[found]]
        return starts, counts


class KnownUnion:
    """Known answers of several `KnownAnswers` together, without sorting them anew; one answer may be listed twice.

    Parameters
    ----------
    parts : sequence of KnownAnswers
    """

    def __init__(self, parts):
        self._parts = parts

    def answers_of(self, sources, relations):
        """Return all pairs (row of the query, answer) of any queries, as two arrays."""
        pairs = [part.answers_of(sources, relations) for part in self._parts]
        return tuple(np.concatenate(arrays) for arrays in zip(*pairs, strict=True))

    def contains(self, ids):
        """Tell which triples are in any of the parts."""
        return np.logical_or.reduce([part.contains(ids) for part in self._parts])


def slices(starts, counts):
    """Positions of several slices, one after the other."""
    return np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())


def _order_of(keys, answers):
    """Stable order by keys, and among equal ones by answers; both as one number, where it is not too large."""
    size = int(answers.max(initial=0)) + 1
    if (int(keys.max(initial=0)) + 1) * size > np.iinfo(np.int64).max:
        return np.lexsort((answers, keys))
    return np.argsort(keys * size + answers, kind="stable")
