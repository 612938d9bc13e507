"""K folds in which every entity and relation of a test part occurs in its training part."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import check_random_state

from .._graph.arguments import true_rows
from .._graph.triples import as_triples
from .._utils.messages import check_parameters
from .._utils.sklearn_compat import Interval
from ._units import NEVER, SplitUnits

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
        check_parameters(self._parameter_constraints, parameters, type(self).__name__)
        if not self.shuffle and self.random_state is not None:
            raise ValueError(
                f"random_state={self.random_state!r} has no effect with shuffle=False; leave it at None or set "
                "shuffle=True."
            )

    def _iter_test_masks(self, X=None, y=None, groups=None):
        X = as_triples(X)
        units = SplitUnits(X.ids, true_rows(y, len(X)), self.keep_pairs)
        n_splits = min(self.n_splits, len(X) + 1)  # with more there is nothing to deal out either
        random_state = check_random_state(self.random_state if self.shuffle else 0)
        folds = deal(units, n_splits, random_state if self.shuffle else None)
        separate(units, folds, n_splits, random_state)
        folds = folds[units.of_row]
        if len(np.unique(folds[folds != NEVER])) < self.n_splits:
            raise ValueError(
                f"n_splits={self.n_splits} is more than X allows: {np.count_nonzero(folds != NEVER)} of its {len(X)} "
                "rows can be tested while each of their entities and relations keeps a triple in training, and these "
                "do not fill all folds; lower n_splits or add triples."
            )
        for fold in range(self.n_splits):
            yield folds == fold


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
