"""One split by entities: those of the test part have no triple in training."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array
from sklearn.utils import check_random_state

from .._graph.arguments import true_rows
from .._graph.triples import as_triples
from .._utils.messages import check_parameters, tell
from ._parts import TEST_SIZE, number_of_tested, parts

CONSTRAINTS = {"y": ["array-like", None], "test_size": TEST_SIZE, "random_state": ["random_state"]}


def inductive_train_test_split(
    X: Any,
    y: ArrayLike | None = None,
    *,
    test_size: float | int = 0.1,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[Any, ...]:
    """Split triples so that every test triple has an entity without any triple in training: a cold start.

    Parameters
    ----------
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
    y : array-like of shape (n_triples,), default=None
        Labels in {0, 1}; None means that all rows are true. Rows of 0 are no training occurrences.
    test_size : float or int, default=0.1
        Share of the rows to test, rounded up, or their number. The test part never has more; where it has fewer by a
        tenth or more, a warning tells.
    random_state : int, RandomState instance or None, default=None
        Draws the unseen entities.

    Returns
    -------
    X_train, X_test : of the type of X
        A slice of a `MultimodalTriples` shares its entity table.
    y_train, y_test : of the type of y
        Only where y is given.

    Raises
    ------
    ValueError
        If a parameter is out of its range, or no entity can be taken from training.

    Warns
    -----
    UserWarning
        If too few entities can be taken from training.

    See Also
    --------
    transductive_train_test_split : Every entity keeps a triple in training.

    Notes
    -----
    Entities are drawn at random and taken with all of their triples, as long as every relation, and every entity that
    was not drawn, keeps a true triple in training. Triples between two unseen entities are in the test part as well.
    Both parts keep the order of X. A model places the unseen entities by their vectors.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.model_selection import inductive_train_test_split
    >>> X_train, X_test = inductive_train_test_split(load_emoji().train, random_state=0)
    >>> X_train.shape, X_test.shape
    ((4608, 3), (512, 3))
    >>> bool(np.isin(X_test.ids[:, [0, 2]], X_train.ids[:, [0, 2]]).all(axis=1).any())
    False
    """
    given = {"y": y, "test_size": test_size, "random_state": random_state}
    check_parameters(CONSTRAINTS, given, "inductive_train_test_split")
    triples = as_triples(X)
    n_test = number_of_tested(test_size, len(triples))
    is_test = _rows_of_unseen(triples.ids, true_rows(y, len(triples)), n_test, check_random_state(random_state))
    n_found = np.count_nonzero(is_test)
    if not n_found:
        raise ValueError(
            "X has no entity that can be taken from training, with no more triples than test_size asks for, while "
            "each relation and each other entity keeps a triple; add triples, or set a larger test_size."
        )
    if n_found < 0.9 * n_test:
        tell(
            f"test_size={test_size} asks for {n_test} rows, but only {n_found} were found whose entities can be taken "
            "from training while each relation and each other entity keeps a triple; these are the test part."
        )
    return parts(X, y, is_test)


def _rows_of_unseen(ids, true, n_rows, random_state):
    """Draw entities with at most so many rows together; return the mask of their rows.

    Every number of true rows in training, of an entity that is not drawn or of a relation, stays above 0 if it was.
    """
    ends = ids[:, [0, 2]]
    n_entities = int(ends.max()) + 1
    row_numbers = np.arange(len(ids)).repeat(2)
    incidence = csr_array(
        (np.ones(2 * len(ids), dtype=bool), (ends.ravel(), row_numbers)), shape=(n_entities, len(ids))
    )
    left_of_entities = np.bincount(ends[true].ravel(), minlength=n_entities)
    left_of_relations = np.bincount(ids[true, 1], minlength=ids[:, 1].max() + 1)
    is_unseen, is_test = np.zeros(n_entities, dtype=bool), np.zeros(len(ids), dtype=bool)
    for entity in random_state.permutation(np.unique(ends)).tolist():
        rows = incidence.indices[incidence.indptr[entity] : incidence.indptr[entity + 1]]
        rows = rows[~is_test[rows]]
        if len(rows) > n_rows or not len(rows):
            continue
        taken = rows[true[rows]]
        others, lost = np.unique(ends[taken], return_counts=True)
        relations, lost_of_relations = np.unique(ids[taken, 1], return_counts=True)
        stays = (left_of_entities[others] > lost) | is_unseen[others] | (others == entity)
        if not stays.all() or (left_of_relations[relations] <= lost_of_relations).any():
            continue
        is_unseen[entity], is_test[rows] = True, True
        left_of_entities[others] -= lost
        left_of_relations[relations] -= lost_of_relations
        n_rows -= len(rows)
        if not n_rows:
            break
    return is_test
