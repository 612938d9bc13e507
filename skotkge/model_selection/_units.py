"""What may be moved between parts: groups of triples, and what each entity and relation needs."""

import numpy as np

from .._graph.cover import first_of_each
from .._graph.queries import distinct_rows

NEVER = -1  # the fold of what stays in every training part


class SplitUnits:
    """What a split moves as one, and the places that each need one of them in training.

    A unit is a triple with its duplicates, or all triples of a pair of entities. A place is an entity or a relation.
    All numbers depend on the rows alone, not on the table of their entities.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    true : ndarray of bool, of shape (n_triples,)
        Only true rows count as training occurrences of their places.
    keep_pairs : bool

    Attributes
    ----------
    of_row : ndarray of shape (n_triples,)
        The unit of each row.
    first_rows, sizes : ndarray of shape (n_units,)
        Its first row and its number of rows.
    strata : ndarray of shape (n_units,)
        The rarest of its kinds of rows; a kind is a relation with a y.
    kinds : ndarray of shape (n_units,)
        Equal for units with the same multiset of kinds of rows, which may change places.
    testable : ndarray of bool, of shape (n_units,)
        Whether all of its places have true triples in other units, or in this one and others.
    places, units : ndarray of shape (n_pairs,)
        Pairs of a place and a unit in which it has a true triple, sorted by place.
    """

    def __init__(self, ids, true, keep_pairs):
        n_rows = len(ids)
        entities = _number_by_appearance(ids[:, [0, 2]].ravel()).reshape(-1, 2)
        relations = _number_by_appearance(ids[:, 1])
        pairs = np.sort(entities, axis=1)
        key = pairs if keep_pairs else np.column_stack([entities, relations])
        _, self.first_rows, of_row, self.sizes = distinct_rows(
            key, return_index=True, return_inverse=True, return_counts=True
        )
        self.of_row = of_row.ravel()
        self.strata, self.kinds = self._kinds_of(2 * relations + true)
        places = np.concatenate([pairs.T.ravel(), relations + n_rows * 2])
        self._link(places, np.tile(self.of_row, 3), np.tile(true, 3))

    def _kinds_of(self, row_kinds):
        counts = np.bincount(row_kinds)
        rarity = np.argsort(np.argsort(counts, kind="stable"))[row_kinds]
        strata = np.full(len(self), len(counts))
        np.minimum.at(strata, self.of_row, rarity)
        # A sum of random integers, exact in doubles, that tells multisets apart.
        codes = np.random.RandomState(0).randint(2**40, size=len(counts), dtype=np.int64)
        sums = np.bincount(self.of_row, weights=codes[row_kinds])
        return strata, np.unique(sums, return_inverse=True)[1]

    def _link(self, places, units, true):
        """Find the distinct pairs of place and unit, and the units that must stay in training."""
        _, places = np.unique(places, return_inverse=True)
        self.places, self.units = distinct_rows(np.column_stack([places[true], units[true]])).T
        self._starts = np.flatnonzero(np.diff(self.places, prepend=-1))
        self.degrees = np.bincount(self.places, minlength=places.max() + 1)
        self.testable = np.ones(len(self), dtype=bool)
        self.testable[self.units[self.degrees[self.places] == 1]] = False
        self.testable[units[self.degrees[places] == 0]] = False

    def __len__(self):
        return len(self.sizes)

    def trapped(self, folds):
        """Mask of the pairs whose place has all its true triples in the test part of one fold."""
        of_pair = folds[self.units]
        lowest, highest = (extreme.reduceat(of_pair, self._starts) for extreme in (np.minimum, np.maximum))
        trapped = (lowest == highest) & (lowest != NEVER)
        return np.repeat(trapped, np.diff(self._starts, append=len(of_pair)))

    def freeing(self, trapped, priority):
        """Return one unit for each place of trapped pairs."""
        return first_of_each(self.places[trapped], self.units[trapped], priority)


def draw(units, n_rows, random_state):
    """Draw units of at most so many rows together, such that each place keeps a true triple outside.

    Returns
    -------
    ndarray of bool, of shape (n_units,)
    """
    ties = random_state.permutation(len(units))
    order = np.lexsort((ties, units.strata))
    offsets = random_state.uniform(size=units.strata.max() + 1)
    stratum_sizes = np.bincount(units.strata)
    free = units.testable.copy()
    while True:
        # Systematic sampling: equal steps through each stratum, each from a random start.
        candidates = order[free[order]]
        strata = units.strata[candidates]
        position = np.arange(len(strata)) - np.searchsorted(strata, strata)
        share = (position + offsets[strata]) / stratum_sizes[strata]
        drawn = np.full(len(units), NEVER)
        drawn[first_that_fit(candidates[np.argsort(share, kind="stable")], units.sizes, n_rows)] = 0
        trapped = units.trapped(drawn)
        if not trapped.any():
            return drawn != NEVER
        # The unit that frees most places goes back.
        frees = np.bincount(units.units[trapped], minlength=len(units))
        free[units.freeing(trapped, ties - frees * len(units))] = False


def first_that_fit(order, sizes, n_rows):
    """Return the first units in an order, leaving out those that are too large for what is left of the rows."""
    taken = order[:0]
    while len(order):
        fits = np.cumsum(sizes[order]) <= n_rows
        taken, n_rows = np.concatenate([taken, order[fits]]), n_rows - sizes[order[fits]].sum()
        order = order[~fits]
        order = order[sizes[order] <= n_rows]
    return taken


def _number_by_appearance(values):
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
