"""One split in which every entity and relation of the test part occurs in the training part."""

from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from .._graph.arguments import true_rows
from .._graph.triples import MultimodalTriples, as_triples
from .._utils.messages import check_parameters, tell
from ._parts import TEST_SIZE, number_of_tested, parts
from ._units import SplitUnits, draw

CONSTRAINTS = {
    "y": ["array-like", None],
    "test_size": TEST_SIZE,
    "keep_pairs": ["boolean"],
    "random_state": ["random_state"],
}


@overload
def transductive_train_test_split(
    X: MultimodalTriples,
    y: None = None,
    *,
    test_size: float = 0.1,
    keep_pairs: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[MultimodalTriples, MultimodalTriples]: ...


@overload
def transductive_train_test_split(
    X: Any,
    y: Any = None,
    *,
    test_size: float = 0.1,
    keep_pairs: bool = False,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Any, ...]: ...


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
    inductive_train_test_split : Test triples with entities that training does not have.
    temporal_train_test_split : Test triples that came later.

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
    given = {"y": y, "test_size": test_size, "keep_pairs": keep_pairs, "random_state": random_state}
    check_parameters(CONSTRAINTS, given, "transductive_train_test_split")
    triples = as_triples(X)
    n_test = number_of_tested(test_size, len(triples))
    units = SplitUnits(triples.ids, true_rows(y, len(triples)), keep_pairs)
    is_test = draw(units, n_test, check_random_state(random_state))[units.of_row]
    if not is_test.any():
        raise ValueError(
            "X has no row that can be tested while each of its entities and relations keeps a triple in training; "
            "add triples" + (", or set keep_pairs=False." if keep_pairs else ".")
        )
    if np.count_nonzero(is_test) < n_test:
        tell(
            f"test_size={test_size} asks for {n_test} rows, but only {np.count_nonzero(is_test)} were found that can "
            "be tested while each entity and relation keeps a triple in training; these are the test part."
        )
    return parts(X, y, is_test)
