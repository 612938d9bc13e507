"""Triples over one shared, immutable table of entities, relations and modality matrices."""

import gzip
from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import column_or_1d

from ._labels import LabelIndex, as_labels, first_occurrences, is_missing, name_first
from ._modalities import LabelledVectors, modality_matrices, modality_sources, observed_rows

COLUMNS = ("head", "relation", "tail")


def as_label_triples(triples):
    """Return triples of labels as an ``(n_triples, 3)`` object array.

    Parameters
    ----------
    triples : MultimodalTriples, array-like of shape (n_triples, 3) or data frame
        A data frame needs the columns head, relation and tail, or exactly three columns numbered 0, 1, 2.

    Raises
    ------
    ValueError
        If there are not three labels in each row.
    """
    if issparse(triples):
        raise TypeError("triples is a sparse matrix, expected (n_triples, 3) labels in an array, list or data frame.")
    if isinstance(triples, MultimodalTriples):
        return triples.labels
    columns = _frame_columns(triples) if hasattr(triples, "columns") else _sequence_columns(triples)
    out = np.empty((len(columns[0]), 3), dtype=object)
    for position, column in enumerate(columns):
        out[:, position] = as_labels(column)
    return out


def _frame_columns(frame):
    names = list(frame.columns)
    if set(COLUMNS) <= set(names):
        chosen = COLUMNS
    elif names == [0, 1, 2]:
        chosen = names
    else:
        raise ValueError(
            f"triples is a data frame with the columns {name_first(names)}; rename them so that "
            "'head', 'relation' and 'tail' are among them."
        )
    return [frame[name].to_numpy() for name in chosen]


def _sequence_columns(triples):
    if isinstance(triples, np.ndarray):
        if triples.ndim == 2 and triples.shape[1] > 3 and triples.shape[1] % 3 == 0:
            raise TypeError(
                f"triples has {triples.shape[1]} columns, several triples side by side as FeatureUnion makes them; it "
                "cannot join triples: give each branch a Pipeline of its own."
            )
        if triples.ndim != 2 or triples.shape[1] != 3:
            raise ValueError(f"triples has the shape {triples.shape}, expected (n_triples, 3): head, relation, tail.")
        return [triples[:, position] for position in range(3)]
    if isinstance(triples, str) or not hasattr(triples, "__len__"):
        raise TypeError(f"triples is a {type(triples).__name__}, expected (n_triples, 3) labels.")
    for number, row in enumerate(triples):
        if isinstance(row, str) or not hasattr(row, "__len__") or len(row) != 3:
            raise ValueError(f"triples has the row {row!r} at position {number}, expected head, relation, tail.")
    return [[row[position] for row in triples] for position in range(3)]


class EntityTable:
    """Labels and modality matrices that all slices of a `MultimodalTriples` share by reference.

    Parameters
    ----------
    entities, relations : ndarray of shape (n_entities,) and (n_relations,), dtype object
        Distinct labels; ids are positions in these arrays.
    modalities : dict of str to ndarray of shape (n_entities, n_features)
        One row per entity; a row of NaN is a missing one.
    """

    def __init__(self, entities, relations, modalities=MappingProxyType({})):
        self.entities = _frozen(entities)
        self.relations = _frozen(relations)
        self._modalities = {name: _frozen(matrix) for name, matrix in modalities.items()}
        self._observed = {name: _frozen(observed_rows(name, matrix)) for name, matrix in modalities.items()}

    @property
    def modalities(self):
        return MappingProxyType(self._modalities)

    def observed(self, name):
        """Return a boolean mask of the entities that have a vector in a modality."""
        return self._observed[name]

    def ids_of(self, triples):
        """Return the ids of label triples, -1 for labels that the table lacks."""
        entities = LabelIndex(self.entities, "entities")
        relations = LabelIndex(self.relations, "relations")
        columns = (entities, relations, entities)
        return np.column_stack([index.positions(triples[:, i]) for i, index in enumerate(columns)])

    def __setstate__(self, state):
        self.__dict__.update(state)
        for array in (self.entities, self.relations, *self._modalities.values(), *self._observed.values()):
            array.flags.writeable = False


def _frozen(array):
    view = array.view()
    view.flags.writeable = False
    return view


class MultimodalTriples:
    """Triples of a multi-modal knowledge graph, indexable by row as scikit-learn expects.

    Rows are triples. The labels and the modality matrices form one immutable table that all slices share by
    reference, so cross-validation copies no matrix and a fold never changes the number of entities.

    Parameters
    ----------
    triples : array-like of shape (n_triples, 3) or data frame
        Labels of head, relation and tail. A data frame needs columns of these names. Labels are strings, integers or
        other hashable objects and are kept exactly: ``"nan"``, ``"007"`` and ``7`` are three different labels.
    modalities : mapping of str to matrix, default=None
        For each modality a matrix of shape ``(n_entities, n_features)`` in the order of `entities`, a data frame
        indexed by entity label, or a mapping from entity label to vector. A row of NaN, or a label absent from the
        data frame or mapping, is a missing modality.
    entities : array-like of shape (n_entities,), default=None
        Labels of all entities. By default those of the triples in order of first appearance, then those that only
        occur in a labelled modality. Required when a modality is a plain matrix.
    relations : array-like of shape (n_relations,), default=None
        Labels of all relations; by default in order of first appearance.

    Attributes
    ----------
    shape : tuple
        ``(n_triples, 3)``.
    labels : ndarray of shape (n_triples, 3), dtype object
    ids : ndarray of shape (n_triples, 3), dtype int64
        Positions of the labels in `entities` and `relations`.
    entities, relations : ndarray, dtype object
    modalities : mapping of str to ndarray of shape (n_entities, n_features)
        Read-only; the very arrays given (by reference) where they were given as matrices.
    n_entities : int

    Raises
    ------
    ValueError
        If the triples do not have three columns, a label is missing or duplicated, a triple's label is not in the
        table, or a modality has the wrong number of rows, an infinite value or a partly missing row.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge import MultimodalTriples
    >>> X = MultimodalTriples(
    ...     [("ann", "likes", "bob"), ("bob", "likes", "cid")],
    ...     {"text": {"ann": [0.0, 1.0], "bob": [1.0, 0.0]}},
    ... )
    >>> X
    MultimodalTriples(2 triples, 3 entities, 1 relation; text: 2 columns, 1 row missing)
    >>> X[:1].labels
    array([['ann', 'likes', 'bob']], dtype=object)
    """

    def __init__(
        self,
        triples: ArrayLike,
        modalities: Mapping[str, Any] | None = None,
        *,
        entities: ArrayLike | None = None,
        relations: ArrayLike | None = None,
    ) -> None:
        labels = as_label_triples(triples)
        sources = modality_sources(modalities)
        if entities is None:
            entities = _entities_of(labels, sources)
        entities = as_labels(entities)
        relations = first_occurrences(labels[:, 1]) if relations is None else as_labels(relations)
        self._table = EntityTable(entities, relations, modality_matrices(sources, entities))
        self._ids = _known_ids(self._table, labels)
        self._fusion = None

    @classmethod
    def from_tsv(
        cls,
        path: str | PathLike[str],
        modalities: Mapping[str, Any] | None = None,
        *,
        entities: ArrayLike | None = None,
        relations: ArrayLike | None = None,
    ) -> "MultimodalTriples":
        """Read triples from a tab-separated UTF-8 file without header: head, relation, tail.

        Parameters
        ----------
        path : str or path-like
            The file; decompressed when its name ends with ``.gz``.
        modalities : mapping of str to matrix, default=None
            As for the class.
        entities, relations : array-like, default=None
            As for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            If a line does not have three fields; the message gives its number.
        """
        return cls(read_tsv(path, n_fields=3), modalities, entities=entities, relations=relations)

    def with_triples(self, triples: ArrayLike) -> "MultimodalTriples":
        """Return other triples over the same table of entities, relations and modalities.

        Parameters
        ----------
        triples : array-like of shape (n_triples, 3) or data frame

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            If a label is not in the table.
        """
        return self._with_ids(_known_ids(self._table, as_label_triples(triples)))

    def _with_ids(self, ids):
        other = object.__new__(type(self))
        other._table, other._ids, other._fusion = self._table, _frozen(ids), self._fusion
        return other

    def _with_fusion(self, fusion):
        other = self._with_ids(self._ids)
        other._fusion = fusion
        return other

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_triples, 3)``."""
        return self._ids.shape

    @property
    def ids(self) -> NDArray[np.int64]:
        """Positions of the labels in `entities` and `relations`, ``(n_triples, 3)`` of int64."""
        return self._ids

    @property
    def entities(self) -> NDArray[np.object_]:
        """Labels of the entities, in the order of the rows of every modality."""
        return self._table.entities

    @property
    def relations(self) -> NDArray[np.object_]:
        """Labels of the relations."""
        return self._table.relations

    @property
    def modalities(self) -> Mapping[str, NDArray[Any]]:
        """Read-only mapping from name to matrix."""
        return self._table.modalities

    @property
    def n_entities(self) -> int:
        """Number of entities of the table, whether they occur in the rows or not."""
        return len(self._table.entities)

    @property
    def labels(self) -> NDArray[np.object_]:
        """Labels of head, relation and tail, ``(n_triples, 3)``."""
        out = np.empty(self._ids.shape, dtype=object)
        for position, names in enumerate((self.entities, self.relations, self.entities)):
            out[:, position] = names[self._ids[:, position]]
        return out

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[NDArray[np.object_]]:
        return iter(self.labels)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return self.labels if dtype is None else self.labels.astype(dtype)

    def __getitem__(self, rows: Any) -> Any:
        if isinstance(rows, tuple):
            if len(rows) != 2 or not (rows[1] is Ellipsis or (isinstance(rows[1], slice) and rows[1] == slice(None))):
                raise TypeError(
                    f"index {rows!r}: only rows of triples can be selected, not columns as by ColumnTransformer; use "
                    "X.labels or X.ids for columns."
                )
            rows = rows[0]
        if not isinstance(rows, slice):
            rows = np.asarray(rows)
            if rows.ndim == 0 and rows.dtype.kind in "iu":
                return self.labels[rows]
            if rows.ndim != 1:
                raise IndexError(f"index of shape {rows.shape}: give a row number, a list of them or a mask of rows.")
            rows = rows.astype(np.int64) if rows.size == 0 else rows
        return self._with_ids(self._ids[rows])

    def __repr__(self):
        counts = [
            _count(len(self), "triple", "triples"),
            _count(self.n_entities, "entity", "entities"),
            _count(len(self.relations), "relation", "relations"),
        ]
        parts = [", ".join(counts)]
        for name, matrix in self.modalities.items():
            missing = self.n_entities - np.count_nonzero(self._table.observed(name))
            note = f", {_count(missing, 'row', 'rows')} missing" if missing else ""
            parts.append(f"{name}: {_count(matrix.shape[1], 'column', 'columns')}{note}")
        if self._fusion is not None:
            parts.append("fused")
        return f"{type(self).__name__}({'; '.join(parts)})"

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._ids = _frozen(self._ids)


def as_triple_sets(known):
    """Return a list of sets of triples from None, one set or a list of sets.

    Parameters
    ----------
    known : None, MultimodalTriples, data frame, array-like of shape (n_triples, 3), or list of these

    Returns
    -------
    list
        The sets as they were given.
    """
    if known is None:
        return []
    is_list_of_sets = isinstance(known, list | tuple) and all(map(_is_set_of_triples, known))
    return list(known) if is_list_of_sets else [known]


def _is_set_of_triples(part):
    if hasattr(part, "shape"):
        return len(part.shape) == 2
    return isinstance(part, list | tuple) and all(isinstance(row, list | tuple | np.ndarray) for row in part)


def check_truth(y, n_rows, name="y", of="X"):
    """Return y as an array after checking that it has one value of 0 or 1 for each of the rows.

    Raises
    ------
    ValueError
        Otherwise, or if no value is 1.
    """
    y = column_or_1d(y)
    strange = [value for value in y.tolist() if value not in (0, 1)]
    if len(y) != n_rows or strange:
        found = f", among them {name_first(first_occurrences(strange))}" if strange else ""
        raise ValueError(
            f"{name} has {len(y)} values{found}, expected {n_rows} values in {{0, 1}}: one for each triple of {of}."
        )
    if not (y == 1).any():
        raise ValueError(f"{of} holds no true triple; fit needs at least one row with {name} = 1.")
    return y


def as_triples(X):
    """Return X itself when it is a `MultimodalTriples`, else one made from bare label triples."""
    return X if isinstance(X, MultimodalTriples) else MultimodalTriples(X)


def read_tsv(path, n_fields):
    """Read a tab-separated UTF-8 file into lists of exactly `n_fields` strings, changing no character of them."""
    path = Path(path)
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode("utf-8-sig")
    line_end = "\r\n" if text.count("\r\n") == text.count("\n") > 0 else "\n"
    lines = text.removesuffix(line_end).split(line_end) if text else []
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) != n_fields:
            raise ValueError(f"{path}, line {number}: {len(row)} tab-separated fields, expected {n_fields}: {row!r}.")
    return rows


def _count(number, singular, plural):
    return f"{number} {singular if number == 1 else plural}"


def _entities_of(labels, sources):
    plain = next((name for name, source in sources.items() if not isinstance(source, LabelledVectors)), None)
    if plain is not None:
        raise ValueError(
            f"modalities[{plain!r}] is a matrix without labels: give entities, the label of each of its rows in order, "
            "or pass a data frame indexed by entity label."
        )
    parts = [labels[:, [0, 2]].ravel(), *(source.labels for source in sources.values())]
    return first_occurrences(np.concatenate(parts))


def _known_ids(table, labels):
    missing = [row for row, triple in enumerate(labels) if any(map(is_missing, triple))]
    if missing:
        raise ValueError(f"triples has a missing label in row {missing[0]}: {labels[missing[0]].tolist()!r}.")
    ids = table.ids_of(labels)
    for columns, what in (([0, 2], "entities"), ([1], "relations")):
        unknown = labels[:, columns][ids[:, columns] < 0]
        if len(unknown):
            raise ValueError(
                f"triples names {name_first(first_occurrences(unknown))}, which {what} lacks; "
                f"add every label of the triples to {what}."
            )
    return _frozen(ids)
