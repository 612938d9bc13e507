"""Triples over one shared, immutable table of entities, relations and modality matrices."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._utils.frames import data_frame
from .details import as_data, described
from .from_files import ReadFromFiles
from .headers import COLUMNS
from .html import html_of_triples
from .label_columns import as_rows
from .labels import as_labels, counted, first_occurrences, name_first
from .modalities import LabelledVectors, labelled_sources, modality_matrices, modality_sources, tell_of_strange_labels
from .networks import to_network
from .vocabulary import DistinctLabels, EntityTable, Vocabulary, first_rows, frozen


class MultimodalTriples(ReadFromFiles):
    """Triples of a multi-modal knowledge graph, indexable by row as scikit-learn expects.

    Rows are triples. The labels and the modality matrices form one immutable table that all slices share by
    reference, so cross-validation copies no matrix and a fold never changes the number of entities.

    Parameters
    ----------
    triples : array-like of shape (n_triples, 3), data frame, mapping of columns or graph
        Labels of head, relation and tail, in one of these forms:

        - an array, a tensor or a list of rows;
        - a data frame of pandas or polars, a Hugging Face data set, a table of Arrow, a mapping of columns such as
          ``{"head": [...], "relation": [...], "tail": [...]}`` or a list of mappings, with these names or others that
          are usual, such as subject, predicate, object; further columns are `triple_data`;
        - a graph of networkx (the relation is an attribute ``relation``, ``label``, ``type``, ``predicate`` or ``rel``
          of every edge, or the key), rdflib (IRIs as strings), PyTorch Geometric or PyKEEN.

        Labels are strings, integers or other hashable objects and are kept exactly: ``"nan"``, ``"007"`` and ``7`` are
        three different labels.
    modalities : mapping of str to matrix, default=None
        For each modality one of

        - a matrix of shape ``(n_entities, n_features)`` in the order of `entities`;
        - a pair ``(matrix, labels)``, with the entity label of each row;
        - a pandas data frame or Series indexed by entity label, or a frame of pandas or polars with the labels in a
          column ``"entity"``: columns of numbers or truth values, nullable ones too; text, categories and dates become
          vectors by `skotkge.encoding.encode_table`;
        - a mapping from entity label to vector or number.

        Matrices are arrays, tensors or sparse. A row of NaN, or a label absent from the pair, data frame or mapping,
        is a missing modality. A hole in a row with other values is the mean of its column, and for each column with
        such holes another one with 1 for a hole is added at the end. A sparse matrix is made dense in single
        precision; its rows of zeros are vectors like any other. One of more than 4,096 columns, or a sparse one that
        as a dense one would exceed scikit-learn's ``working_memory``, is reduced by a truncated SVD to at most 256
        columns, fewer where the working memory asks for it, and a warning tells so.
    entities : array-like of shape (n_entities,), default=None
        Labels of all entities. By default those of the triples in order of first appearance, then those that only
        occur in a labelled modality. Required when a modality is a plain matrix.
    relations : array-like of shape (n_relations,), default=None
        Labels of all relations; by default in order of first appearance.
    duplicates : {"warn", "error", "keep"}, default="warn"
        What happens to triples that are given more than once: each is kept at its first row and a warning tells how
        many rows went, an error, or all rows are kept. A `y` has one value for each row kept, so give ``"keep"``
        where it belongs to the rows given. Selecting rows, `with_triples` and estimators never drop any.
    names : mapping, data frame, array-like of shape (n_entities,) or path, default=None
        Readable names: by label (a mapping, a list of pairs, a pandas Series or frame of one column indexed by label, a
        frame with a column "entity" and one more), in the order of `entities`, a tab-separated or CSV file with label
        and name in each line, or an attribute that a file tells, such as
        ``"http://www.w3.org/2000/01/rdf-schema#label@en"`` (see `attributes`). Fitted models keep them, tell
        them beside labels, and take the name of one entity alone in place of its label in a question.
    texts, pictures : mapping, array-like of shape (n_entities,) or path, default=None
        Texts and paths of pictures for display, given like `names`. Fitted models keep them, and the page of
        ``skotkge explore`` shows them.

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
    triple_data : mapping of str to ndarray of shape (n_triples,)
        Further columns of the triples, such as weight, time or source, sliced with the rows.
    attributes : pandas data frame, or None
        A long table (entity, attribute, value) of what a graph or file tells of entities apart from triples.
    names, texts, pictures : ndarray of shape (n_entities,), dtype object, or None

    Raises
    ------
    ValueError
        If the triples do not have three columns, a label is missing or duplicated, a triple's label is not in the
        table, or a modality has the wrong number of rows, an infinite value or values that are no numbers.

    Warns
    -----
    UserWarning
        If triples are given more than once, a wide modality is reduced, or one has vectors for none of the entities
        of the triples.

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
        triples: Any,
        modalities: Mapping[str, Any] | None = None,
        *,
        entities: ArrayLike | None = None,
        relations: ArrayLike | None = None,
        duplicates: str = "warn",
        names: Any = None,
        texts: Any = None,
        pictures: Any = None,
    ) -> None:
        rows = as_rows(triples)
        distinct = DistinctLabels(rows.columns)
        sources = modality_sources(modalities)
        attributes = _attribute_arrays(rows)
        entities = _entities_of(distinct, sources, attributes) if entities is None else as_labels(entities, "entities")
        relations = distinct.relations if relations is None else as_labels(relations, "relations")
        told = dict(names=names, texts=texts, pictures=pictures)
        vocabulary = described(Vocabulary(entities, relations), attributes, **told)
        self._table = EntityTable(vocabulary, *modality_matrices(sources, entities))
        self._attributes = attributes
        ids = distinct.ids_in(vocabulary)
        kept = first_rows(ids, vocabulary, duplicates)
        data = {name: as_data(name, column, len(ids)) for name, column in rows.data.items()}
        self._ids = frozen(ids if kept is None else ids[kept])
        self._data = data if kept is None else {name: column[kept] for name, column in data.items()}
        self._fusion = None

    def with_triples(self, triples: Any) -> "MultimodalTriples":
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
        rows = as_rows(triples)
        ids = DistinctLabels(rows.columns).ids_in(self.vocabulary)
        return self._with_ids(ids, {name: as_data(name, column, len(ids)) for name, column in rows.data.items()})

    def _with_ids(self, ids, data):
        other = object.__new__(type(self))
        other._table, other._attributes, other._fusion = self._table, self._attributes, self._fusion
        other._ids, other._data = frozen(ids), data
        return other

    @property
    def fusion(self):
        """The fitted fusion that `OTFusionTransformer.transform` attaches, or None."""
        return self._fusion

    def with_fusion(self, fusion):
        """Return the same rows with a fitted fusion attached, or without one for None."""
        other = self._with_ids(self._ids, self._data)
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
    def triple_data(self) -> Mapping[str | int, NDArray[Any]]:
        """Read-only mapping from the name of a further column to its values, one for each row; strings from files."""
        return MappingProxyType(self._data)

    @property
    def attributes(self) -> Any:
        """What a graph or file tells of its entities apart from triples: a pandas data frame, or None.

        Columns entity, attribute and value. Whole and decimal numbers and truth values of RDF are those of Python,
        other values are strings; the language of a text is part of the attribute, as in ``"http://x.org/name@en"``.
        """
        columns = self._attributes
        if columns is None:
            return None
        return data_frame("pandas", dict(zip(("entity", "attribute", "value"), columns, strict=True)), "attributes")

    @property
    def attribute_columns(self):
        """The columns of `attributes` as arrays, or None."""
        return self._attributes

    @property
    def names(self) -> NDArray[np.object_] | None:
        """Readable names in the order of `entities`, the label itself where none was given; None without `names`."""
        return self._table.vocabulary.names

    @property
    def texts(self) -> NDArray[np.object_] | None:
        """Texts in the order of `entities`, None where none was given; None without `texts`."""
        return self._table.vocabulary.texts

    @property
    def pictures(self) -> NDArray[np.object_] | None:
        """Paths of pictures in the order of `entities`, None where none was given; None without `pictures`."""
        return self._table.vocabulary.pictures

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

    def to_frame(self, library: str = "pandas") -> Any:
        """Return the triples as a data frame.

        Parameters
        ----------
        library : {"pandas", "polars"}, default="pandas"

        Returns
        -------
        DataFrame
            Columns head, relation and tail, then those of `triple_data`.

        Raises
        ------
        ImportError
            If the library is not installed.
        ValueError
            If `library` is another one.

        Examples
        --------
        >>> from skotkge import MultimodalTriples
        >>> MultimodalTriples([("ann", "likes", "bob")]).to_frame()
          head relation tail
        0  ann    likes  bob
        """
        columns = {name: self.labels[:, position].tolist() for position, name in enumerate(COLUMNS)}
        names = {name: str(name) if library == "polars" else name for name in self._data}
        columns |= {names[name]: column.tolist() for name, column in self._data.items()}
        return data_frame(library, columns, "to_frame")

    def to_networkx(self) -> Any:
        """Return the triples as a graph of networkx.

        Returns
        -------
        networkx.MultiDiGraph
            Every entity of the table is a node, with its name as ``"name"`` if there are names. The relation of an edge
            is its key and its attribute ``"relation"``; `triple_data` are its other attributes. Triples given more than
            once are one edge.

        Raises
        ------
        ImportError
            If networkx is not installed.

        Examples
        --------
        >>> from skotkge import MultimodalTriples
        >>> graph = MultimodalTriples([("ann", "likes", "bob")]).to_networkx()
        >>> list(graph.edges(data=True))
        [('ann', 'bob', {'relation': 'likes'})]
        """
        return to_network(self)

    def new_entities(
        self, vectors: Any, *, names: Any = None, texts: Any = None, pictures: Any = None
    ) -> "MultimodalTriples":
        """Return entities that come with vectors and without triples, as ``complete(new_entities=)`` takes them.

        Parameters
        ----------
        vectors : mapping of str to labelled vectors, or data frame
            For one or more of the modalities of these triples a pair ``(matrix, labels)``, a data frame or a mapping
            from label to vector, as for the class and of the same columns: holes are filled and wide rows reduced as
            they were there. An entity may lack some of them. Of a single modality, its data frame alone will do.
        names, texts, pictures : mapping, array-like of shape (n_new,) or path, default=None
            Readable names, texts and paths of pictures, as for the class.

        Returns
        -------
        MultimodalTriples
            No triples, over a table of the new entities alone.

        Raises
        ------
        ValueError
            If a modality is not one of these triples', has another number of columns or no labels, or an entity is in
            the table already.

        Examples
        --------
        >>> from skotkge import MultimodalTriples
        >>> X = MultimodalTriples([("ann", "likes", "bob")], {"text": {"ann": [0.0, 1.0], "bob": [1.0, 0.0]}})
        >>> X.new_entities({"text": {"eve": [0.5, 0.5]}})
        MultimodalTriples(0 triples, 1 entity, 1 relation; text: 2 columns)
        """
        sources = labelled_sources(vectors, self._table.preparations)
        labels = first_occurrences(np.concatenate([source.labels for source in sources.values()]))
        known = labels[self.vocabulary.entity_index.positions(labels) >= 0]
        if len(known):
            raise ValueError(
                f"vectors has {name_first(known)}, which the table has already; give new entities only, and make other "
                "vectors of old ones part of modalities."
            )
        matrices = {
            name: np.full((len(labels), matrix.shape[1]), np.nan, dtype=np.float32)
            for name, matrix in self.modalities.items()
        }
        matrices |= {name: source.in_order_of(labels, name) for name, source in sources.items()}
        none = np.empty((0, 3), dtype=object)
        told = dict(names=names, texts=texts, pictures=pictures)
        return type(self)(none, matrices, entities=labels, relations=self.relations, **told)

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

    @overload
    def __getitem__(self, rows: int) -> NDArray[np.object_]: ...

    @overload
    def __getitem__(self, rows: slice | Sequence[int] | NDArray[Any] | tuple[Any, Any]) -> "MultimodalTriples": ...

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
        return self._with_ids(self._ids[rows], {name: column[rows] for name, column in self._data.items()})

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

    def _repr_html_(self):
        return html_of_triples(self)

    def __setstate__(self, state):
        self._attributes, self._data = None, {}  # files of earlier versions have none
        self.__dict__.update(state)
        self._ids = frozen(self._ids)


def as_triples(X):
    """Return X itself when it is a `MultimodalTriples`, else one with a row for each of the bare label triples."""
    return X if isinstance(X, MultimodalTriples) else MultimodalTriples(X, duplicates="keep")


def _entities_of(triples, sources, attributes):
    plain = next((name for name, source in sources.items() if not isinstance(source, LabelledVectors)), None)
    if plain is not None:
        raise ValueError(
            f"modalities[{plain!r}] is a matrix without labels: give entities, the label of each of its rows in order, "
            "or pass the pair (matrix, labels)."
        )
    entities = triples.entities
    if attributes is not None:
        entities = first_occurrences(np.concatenate([entities, attributes[0]]))
    if not sources:
        return entities
    tell_of_strange_labels(sources, entities)
    return first_occurrences(np.concatenate([entities, *(source.labels for source in sources.values())]))


def _attribute_arrays(rows):
    return None if rows.attributes is None else tuple(frozen(as_labels(column)) for column in rows.attributes)
