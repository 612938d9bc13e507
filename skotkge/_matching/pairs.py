"""Known pairs of entities of two graphs, with the graphs inside."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse

from .._graph.labels import length_of
from .._graph.triples import MultimodalTriples
from .._utils.messages import reading, shown
from .lookup import RowNumbers

# The name of the modality that a bare feature matrix becomes.
FEATURES = "features"


class EntityPairs:
    """Pairs of entities, one of each graph, that are known to be the same thing.

    Rows are pairs. Both graphs travel inside by reference, so that `KFold`, `GridSearchCV` and joblib work as they
    stand: a fold has fewer pairs over the same two graphs.

    Parameters
    ----------
    pairs : array-like of shape (n_pairs, 2) or data frame of two columns
        Label of an entity of X and label of the same entity in Y. Empty where nothing is known.
    X, Y : MultimodalTriples, tuple or data frame
        The two graphs, or what is known of the entities without any triple: a tuple of a feature matrix
        ``(n_entities, n_features)`` and the entity labels, or a data frame of features indexed by entity label. Labels
        and relations need not be the same in both; modalities of equal name and width are compared.

    Attributes
    ----------
    shape : tuple
        ``(n_pairs, 2)``.
    labels : ndarray of shape (n_pairs, 2), dtype object
    ids : ndarray of shape (n_pairs, 2), dtype int64
        Positions of the labels in ``X.entities`` and ``Y.entities``.
    X, Y : MultimodalTriples

    Raises
    ------
    ValueError
        If there are not two labels in each row, or one is no entity of its graph.
    TypeError
        If X or Y is none of the forms above.

    Examples
    --------
    >>> from skotkge import EntityPairs, MultimodalTriples
    >>> X = MultimodalTriples([("ann", "likes", "bob"), ("bob", "likes", "cid")])
    >>> Y = MultimodalTriples([("Anna", "mag", "Robert"), ("Robert", "mag", "Sid")])
    >>> pairs = EntityPairs([("ann", "Anna"), ("bob", "Robert")], X, Y)
    >>> pairs
    EntityPairs(2 pairs of 3 and 3 entities)
    >>> pairs[:1].labels
    array([['ann', 'Anna']], dtype=object)
    """

    def __init__(self, pairs: Any, X: Any, Y: Any) -> None:
        self._X, self._Y = as_graph(X, "X"), as_graph(Y, "Y")
        first, second = pair_columns(pairs)
        ids = np.empty((len(first), 2), dtype=np.int64)
        if len(first):
            ids[:, 0] = RowNumbers(self._X.entities).rows(first, "The first column of pairs")
            ids[:, 1] = RowNumbers(self._Y.entities).rows(second, "The second column of pairs")
        self._ids = _read_only(ids)

    @property
    def X(self) -> MultimodalTriples:
        """The graph of the first column."""
        return self._X

    @property
    def Y(self) -> MultimodalTriples:
        """The graph of the second column."""
        return self._Y

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_pairs, 2)``."""
        return self._ids.shape

    @property
    def ids(self) -> NDArray[np.int64]:
        """Positions of the labels in ``X.entities`` and ``Y.entities``, ``(n_pairs, 2)``."""
        return self._ids

    @property
    def labels(self) -> NDArray[np.object_]:
        """Labels, ``(n_pairs, 2)``."""
        out = np.empty(self._ids.shape, dtype=object)
        out[:, 0], out[:, 1] = self._X.entities[self._ids[:, 0]], self._Y.entities[self._ids[:, 1]]
        return out

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[NDArray[np.object_]]:
        return iter(self.labels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.labels if dtype is None else self.labels.astype(dtype)

    @overload
    def __getitem__(self, rows: int) -> NDArray[np.object_]: ...

    @overload
    def __getitem__(self, rows: slice | Sequence[int] | NDArray[Any] | tuple[Any, Any]) -> "EntityPairs": ...

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, tuple):
            if len(rows) != 2 or not (rows[1] is Ellipsis or (isinstance(rows[1], slice) and rows[1] == slice(None))):
                raise TypeError(f"index {rows!r}: only rows of pairs can be selected; use labels or ids for columns.")
            rows = rows[0]
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            if rows.ndim == 0 and rows.dtype.kind in "iu":
                return self.labels[rows]
            if rows.ndim != 1:
                raise IndexError(f"index of shape {rows.shape}: give a row number, a list of them or a mask of rows.")
            rows = rows.astype(np.int64) if rows.size == 0 else rows
        other = object.__new__(type(self))
        other._X, other._Y, other._ids = self._X, self._Y, _read_only(self._ids[rows])
        return other

    def __repr__(self) -> str:
        pairs = "1 pair" if len(self) == 1 else f"{len(self)} pairs"
        return f"EntityPairs({pairs} of {self._X.n_entities} and {self._Y.n_entities} entities)"


def as_graph(given, argument):
    """Return a graph as MultimodalTriples; a matrix with labels becomes entities with one modality and no triples.

    Parameters
    ----------
    given : MultimodalTriples, (matrix, labels) or data frame
    argument : str
        Its name in error messages.

    Returns
    -------
    MultimodalTriples
    """
    if isinstance(given, MultimodalTriples):
        return given
    if isinstance(given, tuple) and len(given) == 2:
        matrix, labels = given
    elif hasattr(given, "index") and hasattr(given, "to_numpy"):
        matrix, labels = given.to_numpy(), given.index.to_numpy()
    else:
        raise TypeError(
            f"{argument} is a {type(given).__name__}; pass MultimodalTriples, a tuple (matrix, labels) or a data frame "
            "indexed by entity label."
        )
    with reading(argument, given, "a matrix of numbers and the labels of its rows"):
        return MultimodalTriples(np.empty((0, 3), dtype=object), {FEATURES: np.asarray(matrix)}, entities=labels)


def pair_columns(pairs):
    """Return labels of X and labels of Y of pairs in any of the forms of `EntityPairs`."""
    if isinstance(pairs, EntityPairs):
        pairs = pairs.labels
    elif hasattr(pairs, "columns"):
        columns = [pairs[name].to_numpy() for name in pairs.columns]
        if len(columns) != 2:
            raise ValueError(f"pairs has {len(columns)} columns; select two: label of X, label of Y.")
        return columns[0].tolist(), columns[1].tolist()
    if isinstance(pairs, np.ndarray | memoryview):
        pairs = np.asarray(pairs)
        if pairs.size and (pairs.ndim != 2 or pairs.shape[1] != 2):
            raise ValueError(f"pairs has the shape {pairs.shape}, expected (n_pairs, 2): label of X, label of Y.")
        pairs = pairs.tolist()
    if isinstance(pairs, str) or issparse(pairs) or not hasattr(pairs, "__len__"):
        raise TypeError(f"pairs is a {type(pairs).__name__}, expected (n_pairs, 2) labels.")
    for number, row in enumerate(pairs):
        if length_of(row) != 2:
            raise ValueError(f"pairs has the row {shown(row)} at position {number}, expected label of X, label of Y.")
    return [row[0] for row in pairs], [row[1] for row in pairs]


def _read_only(ids):
    ids = ids.view()
    ids.flags.writeable = False
    return ids
