"""Triples over one shared, immutable table of entities, relations and modality matrices."""

import reprlib
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import column_or_1d

from .labels import as_labels, counted, first_occurrences, name_first, plain_labels
from .modalities import LabelledVectors, modality_matrices, modality_sources
from .readers import read_csv, read_ntriples, read_tsv
from .vocabulary import DistinctLabels, EntityTable, Vocabulary, distinct_triples, frozen

COLUMNS = ("head", "relation", "tail")


def as_label_triples(triples):
    """Return triples of labels as an ``(n_triples, 3)`` object array.

    Parameters
    ----------
    triples : MultimodalTriples, array-like of shape (n_triples, 3), data frame or mapping
        A data frame or mapping needs the columns head, relation and tail, or exactly three columns numbered 0, 1, 2.

    Raises
    ------
    ValueError
        If there are not three labels in each row.
    """
    if isinstance(triples, MultimodalTriples):
        return triples.labels
    columns = label_columns(triples)
    out = np.empty((len(columns[0]), 3), dtype=object)
    for position, column in enumerate(columns):
        out[:, position] = as_labels(column)
    return out


def label_columns(triples):
    """Return the columns of triples as three lists of labels; triples are as for `as_label_triples`."""
    if issparse(triples):
        raise TypeError("triples is a sparse matrix, expected (n_triples, 3) labels in an array, list or data frame.")
    if hasattr(triples, "collect"):
        raise TypeError("triples is a lazy data frame; pass what its collect() returns.")
    if isinstance(triples, MultimodalTriples):
        columns = triples.labels.T
    elif isinstance(triples, Mapping):
        columns = _named_columns(triples, list(triples))
    elif hasattr(triples, "columns"):
        columns = [column.to_numpy() for column in _named_columns(triples, list(triples.columns))]
    else:
        columns = _sequence_columns(triples)
    return [plain_labels(column) for column in columns]


def _named_columns(table, names):
    """Pick head, relation and tail from a data frame or a mapping."""
    if set(COLUMNS) <= set(names):
        chosen = COLUMNS
    elif names == [0, 1, 2]:
        chosen = names
    else:
        raise ValueError(
            f"triples has the columns {name_first(names)}; rename them so that 'head', 'relation' and 'tail' are among "
            "them."
        )
    if len(names) != len(set(names)):
        raise ValueError(f"triples has the columns {name_first(names)}; give each a name of its own.")
    columns = [table[name] for name in chosen]
    if len(set(map(len, columns))) != 1:
        raise ValueError(f"triples has columns of the lengths {list(map(len, columns))}; they need one common length.")
    return columns


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
    if isinstance(triples, set | frozenset):
        raise TypeError(f"triples is a {type(triples).__name__}, which has no order; pass a list.")
    if not (set(map(type, triples)) <= {list, tuple} and set(map(len, triples)) <= {3}):
        _check_rows(triples)
    return [list(map(itemgetter(position), triples)) for position in range(3)]


def _check_rows(triples):
    for number, row in enumerate(triples):
        if isinstance(row, str) or not hasattr(row, "__len__") or len(row) != 3:
            raise ValueError(
                f"triples has the row {reprlib.repr(row)} at position {number}, expected head, relation, tail."
            )


class MultimodalTriples:
    """Triples of a multi-modal knowledge graph, indexable by row as scikit-learn expects.

    Rows are triples. The labels and the modality matrices form one immutable table that all slices share by
    reference, so cross-validation copies no matrix and a fold never changes the number of entities.

    Parameters
    ----------
    triples : array-like of shape (n_triples, 3), data frame or mapping of columns
        Labels of head, relation and tail. A data frame, of pandas or polars, and a mapping such as
        ``{"head": [...], "relation": [...], "tail": [...]}`` need columns of these names. Labels are strings, integers
        or other hashable objects and are kept exactly: ``"nan"``, ``"007"`` and ``7`` are three different labels.
    modalities : mapping of str to matrix, default=None
        For each modality one of

        - a matrix of shape ``(n_entities, n_features)`` in the order of `entities`;
        - a pair ``(matrix, labels)``, with the entity label of each row;
        - a pandas data frame indexed by entity label, or a polars one with the labels in a column ``"entity"``;
        - a mapping from entity label to vector.

        A row of NaN, or a label absent from the pair, data frame or mapping, is a missing modality. A matrix may be
        sparse, and is then made dense in single precision; its rows of zeros are vectors like any other.
    entities : array-like of shape (n_entities,), default=None
        Labels of all entities. By default those of the triples in order of first appearance, then those that only
        occur in a labelled modality. Required when a modality is a plain matrix.
    relations : array-like of shape (n_relations,), default=None
        Labels of all relations; by default in order of first appearance.
    duplicates : {"warn", "error", "keep"}, default="warn"
        What happens to triples that are given more than once: each is kept at its first row and a warning tells how
        many rows went, an error, or all rows are kept. A `y` has one value for each row kept, so give ``"keep"``
        where it belongs to the rows given. Selecting rows, `with_triples` and estimators never drop any.

    Attributes
    ----------
    shape : tuple
        ``(n_triples, 3)``.
    labels : ndarray of shape (n_triples, 3), dtype object
    ids : ndarray of shape (n_triples, 3), dtype int64
        Positions of the labels in `entities` and `relations`.
    entities, relations : ndarray, dtype object
    modalities : mapping of str to ndarray of shape (n_entities, n_features)
        Read-only; the very arrays given (by reference), memory-mapped ones too, where their rows have the order of
        `entities`.
    n_entities : int

    Raises
    ------
    ValueError
        If the triples do not have three columns, a label is missing or duplicated, a triple's label is not in the
        table, a modality has the wrong number of rows, an infinite value or a partly missing row, or a sparse matrix
        is too large to be made dense.

    Warns
    -----
    UserWarning
        If triples are given more than once.

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
        duplicates: str = "warn",
    ) -> None:
        triples = DistinctLabels(label_columns(triples))
        sources = modality_sources(modalities)
        entities = _entities_of(triples, sources) if entities is None else as_labels(entities)
        relations = triples.relations if relations is None else as_labels(relations)
        vocabulary = Vocabulary(entities, relations)
        self._table = EntityTable(vocabulary, modality_matrices(sources, entities))
        ids = triples.ids_in(vocabulary)
        self._ids = frozen(ids if duplicates == "keep" else distinct_triples(ids, vocabulary, duplicates))
        self._fusion = None

    @classmethod
    def from_tsv(
        cls,
        path: str | PathLike[str],
        modalities: Mapping[str, Any] | None = None,
        *,
        columns: Sequence[str] | None = None,
        entities: ArrayLike | None = None,
        relations: ArrayLike | None = None,
        duplicates: str = "warn",
    ) -> "MultimodalTriples":
        """Read triples from a tab-separated UTF-8 file without quoting: a quote is part of its label.

        Parameters
        ----------
        path : str or path-like
            The file; decompressed when its name ends with ``.gz``.
        modalities : mapping of str to matrix, default=None
            As for the class.
        columns : sequence of str, default=None
            Names that the first line gives to the columns of head, relation and tail, such as
            ``("subject", "predicate", "object")``; their order in the file is free, and other columns are not read.
            None: the file has no such line, and its columns are head, relation and tail.
        entities, relations : array-like, default=None
            As for the class.
        duplicates : {"warn", "error", "keep"}, default="warn"
            As for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            If a line does not have three fields, or as many as the first line; the message gives its number. If the
            first line lacks a column, or the file is no UTF-8.
        """
        triples = dict(zip(COLUMNS, read_tsv(path, columns=columns), strict=True))
        return cls(triples, modalities, entities=entities, relations=relations, duplicates=duplicates)

    @classmethod
    def from_csv(
        cls,
        path: str | PathLike[str],
        modalities: Mapping[str, Any] | None = None,
        *,
        columns: Sequence[str] | None = None,
        sep: str = ",",
        entities: ArrayLike | None = None,
        relations: ArrayLike | None = None,
        duplicates: str = "warn",
    ) -> "MultimodalTriples":
        """Read triples from a CSV file in UTF-8, where fields with separators, quotes or line ends stand in quotes.

        Parameters
        ----------
        path : str or path-like
            The file; decompressed when its name ends with ``.gz``.
        modalities : mapping of str to matrix, default=None
            As for the class.
        columns : sequence of str, default=None
            As for `from_tsv`.
        sep : str, default=","
            The character between fields.
        entities, relations : array-like, default=None
            As for the class.
        duplicates : {"warn", "error", "keep"}, default="warn"
            As for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            As for `from_tsv`; also if quotes are not closed, or followed by other characters than `sep`.
        """
        triples = dict(zip(COLUMNS, read_csv(path, sep, columns), strict=True))
        return cls(triples, modalities, entities=entities, relations=relations, duplicates=duplicates)

    @classmethod
    def from_ntriples(
        cls,
        path: str | PathLike[str],
        modalities: Mapping[str, Any] | None = None,
        *,
        entities: ArrayLike | None = None,
        relations: ArrayLike | None = None,
        duplicates: str = "warn",
    ) -> "MultimodalTriples":
        """Read triples from an N-Triples file: subject, predicate and object become head, relation and tail.

        The label of an IRI is the IRI without angle brackets. Blank nodes (``_:b1``) and literals (``"chat"@en``,
        ``"7"^^<http://www.w3.org/2001/XMLSchema#integer>``) are labels as written, but for what RDF takes to be the
        same: escapes are resolved, language tags are in lower case and the datatype ``xsd:string`` is left out. Blank
        nodes are matched by name, also across files.

        Parameters
        ----------
        path : str or path-like
            The file; decompressed when its name ends with ``.gz``.
        modalities : mapping of str to matrix, default=None
            As for the class.
        entities, relations : array-like, default=None
            As for the class.
        duplicates : {"warn", "error", "keep"}, default="warn"
            As for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ImportError
            If pyoxigraph is missing: ``pip install "skotkge[rdf]"``.
        ValueError
            If a line is no triple; the message gives its number.
        """
        triples = dict(zip(COLUMNS, read_ntriples(path), strict=True))
        return cls(triples, modalities, entities=entities, relations=relations, duplicates=duplicates)

    def with_triples(self, triples: ArrayLike) -> "MultimodalTriples":
        """Return other triples over the same table of entities, relations and modalities.

        Parameters
        ----------
        triples : array-like of shape (n_triples, 3), data frame or mapping of columns
            Each becomes a row, repeated ones too.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            If a label is not in the table.
        """
        return self._with_ids(DistinctLabels(label_columns(triples)).ids_in(self.vocabulary))

    def _with_ids(self, ids):
        other = object.__new__(type(self))
        other._table, other._ids, other._fusion = self._table, frozen(ids), self._fusion
        return other

    @property
    def fusion(self):
        """The fitted fusion that `OTFusionTransformer.transform` attaches, or None."""
        return self._fusion

    def with_fusion(self, fusion):
        """Return the same rows with a fitted fusion attached, or without one for None."""
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
        return self._table.vocabulary.entities

    @property
    def relations(self) -> NDArray[np.object_]:
        """Labels of the relations."""
        return self._table.vocabulary.relations

    @property
    def modalities(self) -> Mapping[str, NDArray[Any]]:
        """Read-only mapping from name to matrix."""
        return self._table.modalities

    @property
    def vocabulary(self):
        """Labels to ids and back; one object for all slices."""
        return self._table.vocabulary

    def observed(self, name: str) -> NDArray[np.bool_]:
        """Tell which entities have a vector in a modality.

        Parameters
        ----------
        name : str

        Returns
        -------
        ndarray of shape (n_entities,), dtype bool
        """
        return self._table.observed(name)

    @property
    def n_entities(self) -> int:
        """Number of entities of the table, whether they occur in the rows or not."""
        return len(self.entities)

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
        if self._fusion is not None:
            raise TypeError(
                "X carries a fusion, which is lost in an array of labels; take X.labels where labels are wanted. Tools "
                "that make arrays of what their steps return, such as FeatureUnion, cannot hand triples on."
            )
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
            counted(len(self), "triple", "triples"),
            counted(self.n_entities, "entity", "entities"),
            counted(len(self.relations), "relation", "relations"),
        ]
        parts = [", ".join(counts)]
        for name, matrix in self.modalities.items():
            missing = self.n_entities - np.count_nonzero(self.observed(name))
            note = f", {counted(missing, 'row', 'rows')} missing" if missing else ""
            parts.append(f"{name}: {counted(matrix.shape[1], 'column', 'columns')}{note}")
        if self._fusion is not None:
            parts.append("fused")
        return f"{type(self).__name__}({'; '.join(parts)})"

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._ids = frozen(self._ids)


def as_triple_sets(known):
    """Return a list of sets of triples from None, one set or a list of sets.

    Parameters
    ----------
    known : None, MultimodalTriples, data frame, mapping, array-like of shape (n_triples, 3), set, or list of these

    Returns
    -------
    list
        The sets as they were given, those without an order as lists.
    """
    if known is None:
        return []
    is_list_of_sets = isinstance(known, list | tuple) and all(map(_is_set_of_triples, known))
    sets = known if is_list_of_sets else [known]
    return [list(part) if isinstance(part, set | frozenset) else part for part in sets]


def _is_set_of_triples(part):
    if hasattr(part, "shape"):
        return len(part.shape) == 2
    if isinstance(part, Mapping):
        return True
    listed = isinstance(part, list | tuple | set | frozenset)
    return listed and all(isinstance(row, list | tuple | np.ndarray) for row in part)


def true_rows(y, n_rows, name="y", of="X"):
    """Return the mask of the rows whose value in y is 1; None means that all rows are true.

    Raises
    ------
    ValueError
        If y has not one value of 0 or 1 for each of the rows, or if no row is true.
    """
    y = np.ones(n_rows) if y is None else column_or_1d(y)
    strange = [value for value in y.tolist() if value not in (0, 1)]
    if len(y) != n_rows or strange:
        found = f", among them {name_first(first_occurrences(strange))}" if strange else ""
        raise ValueError(
            f"{name} has {len(y)} values{found}, expected {n_rows} values in {{0, 1}}: one for each triple of {of}."
        )
    if not (y == 1).any():
        raise ValueError(f"{of} holds no true triple; at least one row needs {name} = 1.")
    return y == 1


def as_triples(X):
    """Return X itself when it is a `MultimodalTriples`, else one with a row for each of the bare label triples."""
    return X if isinstance(X, MultimodalTriples) else MultimodalTriples(X, duplicates="keep")


def _entities_of(triples, sources):
    plain = next((name for name, source in sources.items() if not isinstance(source, LabelledVectors)), None)
    if plain is not None:
        raise ValueError(
            f"modalities[{plain!r}] is a matrix without labels: give entities, the label of each of its rows in order, "
            "or pass the pair (matrix, labels)."
        )
    return first_occurrences(np.concatenate([triples.entities, *(source.labels for source in sources.values())]))
