"""Splits of triples for which every entity and relation of a test part occurs in its training part."""

import math
import warnings
from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import _safe_indexing, check_random_state
from sklearn.utils._param_validation import Interval, RealNotInt, validate_parameter_constraints, validate_params

from ._graph.cover import first_of_each
from ._graph.triples import as_triples, true_rows

NEVER = -1  # the fold of what stays in every training part
SWAP_ROUNDS, MOVE_ROUNDS = 20, 100


class TransductiveKFold(BaseCrossValidator):
    """K folds of triples in which every entity and relation of a test part also occurs in its training part.

    Ordinary folds put all triples of some entities into one test part, and a model can say nothing of an entity that it
    has never seen (the *inductive* task). Here each fold is the *transductive* task of the usual benchmarks.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    keep_pairs : bool, default=False
        Keep all triples of two entities, whatever their relations and directions, in one part. Otherwise a test triple
        may have its reverse, or the same pair under another relation, in the training part.
    shuffle : bool, default=True
        Deal the triples of each relation to the folds at random, otherwise in the order of the rows.
    random_state : int, RandomState instance or None, default=None
        Chooses the folds. Give an integer for the same folds from each call of `split`. Only with ``shuffle=True``.

    See Also
    --------
    transductive_train_test_split : One such split.

    Notes
    -----
    An entity or relation is trained on wherever its triples are not all in the same test part. So only the rows whose
    entity or relation has no other triple must stay in every training part. They are **never tested**: the test parts
    are disjoint, but their union may be smaller than X. Equal triples in several rows count as one and stay together,
    as do, with ``keep_pairs=True``, those of one pair; the only pair of an entity is then never tested.

    The folds are stratified by relation, and by y where it is given: of each, the numbers of triples in the test parts
    differ by at most one. Exceptions are triples that had to move for the guarantee and found no other of the same
    relation to change places with. With ``keep_pairs=True`` pairs are dealt instead of triples, in the order of the
    rarest of their relations.

    Rows with y = 0 are known negatives. They are dealt like the others, but are no training occurrences: an entity
    or relation that only such rows have is never tested.

    Time is in O(n log n), memory in O(n) for n triples; the entity table is not copied.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.model_selection import TransductiveKFold
    >>> X = load_emoji().train
    >>> for train, test in TransductiveKFold(3, random_state=0).split(X):
    ...     missing = np.setdiff1d(X.ids[test][:, [0, 2]], X.ids[train][:, [0, 2]])
    ...     print(len(train) + len(test), len(missing))
    5120 0
    5120 0
    5120 0
    """

    _parameter_constraints = {
        "n_splits": [Interval(Integral, 2, None, closed="left")],
        "keep_pairs": ["boolean"],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_splits: int = 5,
        *,
        keep_pairs: bool = False,
        shuffle: bool = True,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.keep_pairs = keep_pairs
        self.shuffle = shuffle
        self.random_state = random_state

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored; here as in scikit-learn's splitters.

        Returns
        -------
        int
        """
        return self.n_splits

    def split(self, X: ArrayLike, y: ArrayLike | None = None, groups: Any = None) -> Iterator[tuple[NDArray, NDArray]]:
        """Yield the row numbers of the training and the test part of each fold.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}; None means that all rows are true.
        groups : object, default=None
            Ignored; here as in scikit-learn's splitters.

        Yields
        ------
        train, test : ndarray of int
            Sorted row numbers.

        Raises
        ------
        ValueError
            If a parameter is out of its range, y holds other values than 0 and 1 or no 1, or fewer triples than folds
            can be tested.
        """
        self._check_parameters()
        return super().split(X, y, None)

    def _check_parameters(self):
        parameters = {name: getattr(self, name) for name in self._parameter_constraints}
        validate_parameter_constraints(self._parameter_constraints, parameters, caller_name=type(self).__name__)
        if not self.shuffle and self.random_state is not None:
            raise ValueError(
                f"random_state={self.random_state!r} has no effect with shuffle=False; leave it at None or set "
                "shuffle=True."
            )

    def _iter_test_masks(self, X=None, y=None, groups=None):
        X = as_triples(X)
        units = SplitUnits(X.ids, true_rows(y, len(X)), self.keep_pairs)
        random_state = check_random_state(self.random_state if self.shuffle else 0)
        folds = deal(units, self.n_splits, random_state if self.shuffle else None)
        separate(units, folds, self.n_splits, random_state)
        folds = folds[units.of_row]
        if len(np.unique(folds[folds != NEVER])) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than X allows: {np.count_nonzero(folds != NEVER)} of its {len(X)} "
                "rows can be tested while each of their entities and relations keeps a triple in training, and these "
                "do not fill all folds; lower n_splits or add triples."
            )
        for fold in range(self.n_splits):
            yield folds == fold


@validate_params(
    {
        "X": "no_validation",
        "y": ["array-like", None],
        "test_size": [Interval(RealNotInt, 0, 1, closed="neither"), Interval(Integral, 1, None, closed="left")],
        "keep_pairs": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def transductive_train_test_split(
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    test_size: float | int = 0.1,
    keep_pairs: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Any, ...]:
    """Split triples so that every entity and relation of the test part also occurs in the training part.

    Parameters
    ----------
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
    y : array-like of shape (n_triples,), default=None
        Labels in {0, 1}; None means that all rows are true. Rows of 0 are no training occurrences.
    test_size : float or int, default=0.1
        Share of the rows to test, rounded up, or their number. Fewer rows are tested where not enough can be spared,
        which is warned of.
    keep_pairs : bool, default=False
        Keep all triples of two entities, whatever their relations and directions, in one part.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    X_train, X_test : of the type of X
        A slice of a `MultimodalTriples` shares its entity table.
    y_train, y_test : of the type of y
        Only where y is given.

    Raises
    ------
    ValueError
        If a parameter is out of its range, `test_size` leaves no row for training, no row can be tested, or y holds
        other values than 0 and 1 or no 1.

    See Also
    --------
    TransductiveKFold : Several such splits, with disjoint test parts.

    Notes
    -----
    Rows are drawn at random, an equal share of each relation (and of each y). Where this would take the last true
    triple of an entity or relation from training, one of them stays there and another row is drawn, of the same
    relation if possible. Rows with equal triples stay together. Both parts keep the order of X.

    Examples
    --------
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.model_selection import transductive_train_test_split
    >>> X_train, X_test = transductive_train_test_split(load_emoji().train, test_size=0.2, random_state=0)
    >>> X_train.shape, X_test.shape
    ((4096, 3), (1024, 3))
    """
    triples = as_triples(X)
    n_test = test_size if isinstance(test_size, Integral) else math.ceil(test_size * len(triples))
    if n_test >= len(triples):
        raise ValueError(
            f"test_size={test_size} leaves none of the {len(triples)} rows of X for training; set a smaller one."
        )
    units = SplitUnits(triples.ids, true_rows(y, len(triples)), keep_pairs)
    is_test = draw(units, n_test, check_random_state(random_state))[units.of_row]
    if not is_test.any():
        raise ValueError(
            "X has no row that can be tested while each of its entities and relations keeps a triple in training; "
            "add triples" + (", or set keep_pairs=False." if keep_pairs else ".")
        )
    if np.count_nonzero(is_test) < n_test:
        warnings.warn(
            f"test_size={test_size} asks for {n_test} rows, but only {np.count_nonzero(is_test)} were found that can "
            "be tested while each entity and relation keeps a triple in training; these are the test part.",
            UserWarning,
            stacklevel=3,  # past the wrapper of validate_params
        )
    parts = [np.flatnonzero(~is_test), np.flatnonzero(is_test)]
    return tuple(_safe_indexing(data, rows) for data in (X, y) if data is not None for rows in parts)


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
        _, self.first_rows, of_row, self.sizes = np.unique(
            key, axis=0, return_index=True, return_inverse=True, return_counts=True
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
        self.places, self.units = np.divmod(np.unique(places[true] * len(self) + units[true]), len(self))
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


def deal(units, n_folds, random_state=None):
    """Deal the testable units to folds, those of a stratum in turn, without regard to places.

    Parameters
    ----------
    units : SplitUnits
    n_folds : int
    random_state : RandomState, default=None
        None deals them in the order of their rows.

    Returns
    -------
    ndarray of shape (n_units,)
        The fold of each unit, NEVER for those that cannot be tested.
    """
    ties = units.first_rows if random_state is None else random_state.permutation(len(units))
    order = np.lexsort((ties, units.kinds, units.strata))
    order = order[units.testable[order]]
    folds = np.full(len(units), NEVER)
    folds[order] = np.arange(len(order)) % n_folds
    return folds


def separate(units, folds, n_folds, random_state):
    """Change folds, in place, until no place has all its true triples in one of them.

    A unit of each trapped place changes places with one of its kind in another fold, which keeps the strata as they
    are. Where that does not help, it goes to any other fold, and in the end out of all of them.
    """
    for turn in range(SWAP_ROUNDS + MOVE_ROUNDS):
        trapped = units.trapped(folds)
        if not trapped.any():
            return
        movers = units.freeing(trapped, random_state.permutation(len(units)))
        if turn < SWAP_ROUNDS:
            swap(units, folds, movers, random_state)
        else:
            folds[movers] = (folds[movers] + random_state.randint(1, n_folds, size=len(movers))) % n_folds
    trapped = units.trapped(folds)
    folds[units.freeing(trapped, -np.bincount(units.units[trapped], minlength=len(units)))] = NEVER


def swap(units, folds, movers, random_state):
    """Let each mover change folds, in place, with a random unit of its kind, where that is in another fold.

    Only units of well-connected places are asked: those are rarely trapped by the change.
    """
    sturdy = units.testable.copy()
    sturdy[units.units[units.degrees[units.places] == 2]] = False
    sturdy[movers] = False
    pool = np.flatnonzero(sturdy)
    pool = pool[np.argsort(units.kinds[pool], kind="stable")]
    first, end = (np.searchsorted(units.kinds[pool], units.kinds[movers], side) for side in ("left", "right"))
    drawn = first + (random_state.uniform(size=len(movers)) * (end - first)).astype(np.int64)
    movers, partners = movers[end > first], pool[drawn[end > first]]
    apart = folds[movers] != folds[partners]
    movers, partners = movers[apart], partners[apart]
    partners, once = np.unique(partners, return_index=True)
    movers = movers[once]
    folds[movers], folds[partners] = folds[partners], folds[movers]


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
