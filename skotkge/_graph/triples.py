"""Triples over one shared, immutable table of entities, relations and modality matrices."""

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from types import MappingProxyType
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._utils.messages import reading
from .classes import truth_of
from .details import EntityDetails, as_data, data_frame, names_in_order
from .headers import COLUMNS
from .html import html_of_triples
from .label_columns import as_label_triples as as_label_triples  # other rooms import it from here
from .label_columns import as_rows
from .labels import as_labels, counted, first_occurrences, name_first
from .modalities import LabelledVectors, labelled_sources, modality_matrices, modality_sources
from .networks import to_network
from .readers import ReadingOptions, read_rows
from .tables import check_separator
from .vocabulary import DistinctLabels, EntityTable, Vocabulary, first_rows, frozen


class MultimodalTriples:
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
        - a pandas data frame or Series indexed by entity label, or a polars frame with the labels in a column
          ``"entity"``: columns of numbers or truth values, nullable ones too; text, categories and dates become
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
    names : mapping, array-like of shape (n_entities,) or path, default=None
        Readable names: by label, in the order of `entities`, a tab-separated file with label and name in each line, or
        an attribute that a file tells, such as ``"http://www.w3.org/2000/01/rdf-schema#label@en"`` (see `attributes`).
        Fitted models keep them, tell them beside labels, and take the name of one entity alone in place of its label in
        a question.
    texts, pictures : mapping, array-like of shape (n_entities,) or path, default=None
        Texts and paths of pictures for display, given like `names`.

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
        If triples are given more than once, or a wide modality is reduced.

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
        entities = _entities_of(distinct, sources, attributes) if entities is None else as_labels(entities)
        relations = distinct.relations if relations is None else as_labels(relations)
        vocabulary = Vocabulary(entities, relations)
        if names is not None:
            vocabulary = vocabulary.with_names(names_in_order(names, vocabulary, attributes))
        self._table = EntityTable(vocabulary, *modality_matrices(sources, entities))
        self._details = EntityDetails.of(vocabulary, attributes, texts=texts, pictures=pictures)
        ids = distinct.ids_in(vocabulary)
        kept = first_rows(ids, vocabulary, duplicates)
        data = {name: as_data(name, column, len(ids)) for name, column in rows.data.items()}
        self._ids = frozen(ids if kept is None else ids[kept])
        self._data = data if kept is None else {name: column[kept] for name, column in data.items()}
        self._fusion = None

    @classmethod
    def from_tsv(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        modalities: Mapping[str, Any] | None = None,
        *,
        columns: Sequence[str] | Sequence[int] | None = None,
        header: bool | None = None,
        sep: str = "\t",
        empty: str = "error",
        data: Sequence[str] | Sequence[int] | None = None,
        **table: Any,
    ) -> "MultimodalTriples":
        """Read triples from a tab-separated file without quoting: a quote is part of its label.

        Parameters
        ----------
        path : str, path-like or list of these
            The file, in UTF-8 or in UTF-16 with a byte order mark, and as it is or compressed by gzip, bz2, xz, zip or
            zstd (with ``pip install "skotkge[zstd]"``). Of a list of files the triples follow one another, and
            ``triple_data["file"]`` tells which is from which. A folder has files train, valid and test, or some of
            them, and ``triple_data["split"]`` tells the split.
        modalities : mapping of str to matrix, default=None
            As for the class.
        columns : sequence of str or int, default=None
            The columns of head, relation and tail: names that the first line gives them, such as
            ``("subject", "predicate", "object")``, or numbers from 0. None: there are three, or the first line has
            three names that are usual.
        header : bool, default=None
            Whether the first line has names. None: yes if `columns` are names; else it is guessed, and a warning says
            so when the answer is yes.
        sep : str, default="\\t"
            The character between fields, or ``r"\\s+"`` for any white space.
        empty : {"error", "drop"}, default="error"
            What happens to rows with an empty head, relation or tail: an error that names the line, or they are left
            out and a warning tells how many. Empty lines are no rows.
        data : sequence of str or int, default=None
            Further columns to keep as `triple_data`, by name, or by number where there is no header. None: all;
            ``()``: none.
        **table
            entities, relations, duplicates, names, texts and pictures, as for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            If a line has another number of fields than the first, or an empty label; the message names the file, the
            line and the column. If the first line lacks a column, or the file is in another encoding.

        Warns
        -----
        UserWarning
            If the first line is taken for a header, or rows are left out.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from skotkge import MultimodalTriples
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "graph.tsv"
        ...     _ = path.write_text("ann\\tlikes\\tbob\\n\\n007\\tlikes\\tNA\\r\\n")
        ...     MultimodalTriples.from_tsv(path).labels.tolist()
        [['ann', 'likes', 'bob'], ['007', 'likes', 'NA']]
        """
        options = ReadingOptions("tsv", columns, check_separator(sep), header, data, empty)
        return cls(read_rows(path, options), modalities, **table)

    @classmethod
    def from_csv(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        modalities: Mapping[str, Any] | None = None,
        *,
        columns: Sequence[str] | Sequence[int] | None = None,
        header: bool | None = None,
        sep: str = ",",
        empty: str = "error",
        data: Sequence[str] | Sequence[int] | None = None,
        **table: Any,
    ) -> "MultimodalTriples":
        """Read triples from a CSV file, where fields with separators, quotes or line ends stand in quotes.

        Parameters
        ----------
        path : str, path-like or list of these
            As for `from_tsv`.
        modalities : mapping of str to matrix, default=None
            As for the class.
        columns : sequence of str or int, default=None
            As for `from_tsv`.
        header : bool, default=None
            As for `from_tsv`.
        sep : str, default=","
            The character between fields, or ``r"\\s+"`` for any white space.
        empty : {"error", "drop"}, default="error"
            As for `from_tsv`.
        data : sequence of str or int, default=None
            As for `from_tsv`.
        **table
            entities, relations, duplicates, names, texts and pictures, as for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            As for `from_tsv`; also if quotes are not closed, or followed by other characters than `sep`.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from skotkge import MultimodalTriples
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "graph.csv"
        ...     _ = path.write_text('who;how;whom;year\\nann;likes;"bob; jr.";2001\\n')
        ...     X = MultimodalTriples.from_csv(path, sep=";", columns=("who", "how", "whom"))
        >>> X.labels.tolist(), X.triple_data["year"].tolist()
        ([['ann', 'likes', 'bob; jr.']], ['2001'])
        """
        options = ReadingOptions("csv", columns, check_separator(sep), header, data, empty)
        return cls(read_rows(path, options), modalities, **table)

    @classmethod
    def from_rdf(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        modalities: Mapping[str, Any] | None = None,
        *,
        literals: str = "keep",
        format: str | None = None,
        base_iri: str | None = None,
        **table: Any,
    ) -> "MultimodalTriples":
        """Read triples from a file of RDF: subject, predicate and object become head, relation and tail.

        The label of an IRI is the IRI without angle brackets. Blank nodes (``_:b1``) and literals (``"chat"@en``,
        ``"7"^^<http://www.w3.org/2001/XMLSchema#integer>``) are labels in the notation of N-Triples, but for what RDF
        takes to be the same: escapes are resolved, language tags are in lower case and the datatype ``xsd:string`` is
        left out. Blank nodes with a name are matched by name, also across files; those without one are called
        ``_:anonymous0`` and so on in order of appearance.

        Parameters
        ----------
        path : str, path-like or list of these
            As for `from_tsv`. ``triple_data["graph"]`` tells the graph of each triple if the file names any.
        modalities : mapping of str to matrix, default=None
            As for the class.
        literals : {"keep", "drop", "attributes"}, default="keep"
            Whether literals are entities; or their triples are left out, and a warning tells how many; or these are
            kept apart, in the long table `attributes`.
        format : str, default=None
            ``"turtle"``, ``"ntriples"``, ``"nquads"``, ``"trig"``, ``"n3"``, ``"rdfxml"`` or ``"jsonld"``. None: as the
            name ends, with ``.ttl``, ``.nt``, ``.nq``, ``.trig``, ``.n3``, ``.rdf``, ``.owl``, ``.xml`` or ``.jsonld``.
        base_iri : str, default=None
            What relative IRIs of the file are relative to.
        **table
            entities, relations, duplicates, names, texts and pictures, as for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ImportError
            If pyoxigraph is missing: ``pip install "skotkge[rdf]"``.
        ValueError
            If the file is not of its format; the message gives the line, and the format that it seems to have.

        Examples
        --------
        >>> from pathlib import Path
        >>> from tempfile import TemporaryDirectory
        >>> from skotkge import MultimodalTriples
        >>> with TemporaryDirectory() as folder:
        ...     path = Path(folder) / "graph.ttl"
        ...     _ = path.write_text("@prefix : <http://x.org/> . :at :capital :vienna ; :area 83879 .")
        ...     X = MultimodalTriples.from_rdf(path, literals="attributes")
        >>> X.labels.tolist()
        [['http://x.org/at', 'http://x.org/capital', 'http://x.org/vienna']]
        >>> X.attributes
                    entity          attribute  value
        0  http://x.org/at  http://x.org/area  83879
        """
        options = ReadingOptions("rdf", literals=literals, rdf_format=format, base_iri=base_iri)
        return cls(read_rows(path, options), modalities, **table)

    @classmethod
    def from_ntriples(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        modalities: Mapping[str, Any] | None = None,
        **table: Any,
    ) -> "MultimodalTriples":
        """Read triples from an N-Triples file; short for `from_rdf` with ``format="ntriples"``.

        Parameters
        ----------
        path : str, path-like or list of these
            As for `from_rdf`.
        modalities : mapping of str to matrix, default=None
            As for the class.
        **table
            entities, relations, duplicates, names, texts and pictures, as for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ImportError
            If pyoxigraph is missing: ``pip install "skotkge[rdf]"``.
        ValueError
            If a line is no triple; the message gives its number, and the format that the file seems to have.
        """
        return cls(read_rows(path, ReadingOptions("ntriples")), modalities, **table)

    @classmethod
    def from_neo4j(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        modalities: Mapping[str, Any] | None = None,
        **table: Any,
    ) -> "MultimodalTriples":
        """Read an export of Neo4j by ``apoc.export.json`` or ``apoc.export.csv``.

        Entities are the ids of the nodes, relations the types of the relationships. What the nodes are and have is the
        long table `attributes`, what the relationships have is `triple_data`.

        Parameters
        ----------
        path : str, path-like or list of these
            As for `from_tsv`; read as CSV if the name ends with ``.csv``, else as JSON.
        modalities : mapping of str to matrix, default=None
            As for the class.
        **table
            entities, relations, duplicates, names, texts and pictures, as for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            If the file is no such export; the message names the line.
        """
        return cls(read_rows(path, ReadingOptions("neo4j")), modalities, **table)

    @classmethod
    def from_graphml(
        cls,
        path: str | PathLike[str] | Sequence[str | PathLike[str]],
        modalities: Mapping[str, Any] | None = None,
        **table: Any,
    ) -> "MultimodalTriples":
        """Read the edges of a GraphML file, as Neo4j, Gephi, yEd and networkx write it.

        The relation of an edge is its ``label``, ``relation``, ``type``, ``predicate`` or ``key``, else its id. What
        the nodes have is the long table `attributes`, what else the edges have is `triple_data`.

        Parameters
        ----------
        path : str, path-like or list of these
            As for `from_tsv`.
        modalities : mapping of str to matrix, default=None
            As for the class.
        **table
            entities, relations, duplicates, names, texts and pictures, as for the class.

        Returns
        -------
        MultimodalTriples

        Raises
        ------
        ValueError
            If the file is no GraphML, or an edge tells no relation.
        """
        return cls(read_rows(path, ReadingOptions("graphml")), modalities, **table)

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
        other._table, other._details, other._fusion = self._table, self._details, self._fusion
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
        columns = self._details.attributes
        if columns is None:
            return None
        return data_frame("pandas", dict(zip(("entity", "attribute", "value"), columns, strict=True)), "attributes")

    @property
    def attribute_columns(self):
        """The columns of `attributes` as arrays, or None."""
        return self._details.attributes

    @property
    def names(self) -> NDArray[np.object_] | None:
        """Readable names in the order of `entities`, the label itself where none was given; None without `names`."""
        return self._table.vocabulary.names

    @property
    def texts(self) -> NDArray[np.object_] | None:
        """Texts in the order of `entities`, None where none was given; None without `texts`."""
        return self._details.texts

    @property
    def pictures(self) -> NDArray[np.object_] | None:
        """Paths of pictures in the order of `entities`, None where none was given; None without `pictures`."""
        return self._details.pictures

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
        if library not in ("pandas", "polars"):
            raise ValueError(f"library={library!r}; give 'pandas' or 'polars'.")
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

    def new_entities(self, vectors: Any, *, names: Any = None) -> "MultimodalTriples":
        """Return entities that come with vectors and without triples, as ``complete(new_entities=)`` takes them.

        Parameters
        ----------
        vectors : mapping of str to labelled vectors, or data frame
            For one or more of the modalities of these triples a pair ``(matrix, labels)``, a data frame or a mapping
            from label to vector, as for the class and of the same columns: holes are filled and wide rows reduced as
            they were there. An entity may lack some of them. Of a single modality, its data frame alone will do.
        names : mapping, array-like of shape (n_new,) or path, default=None
            Readable names, as for the class.

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
        return type(self)(none, matrices, entities=labels, relations=self.relations, names=names)

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
        self._details, self._data = EntityDetails(), {}  # files of earlier versions have none
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
    with reading(name, y, f"values in {{0, 1}}, one for each triple of {of}"):
        y = np.ones(n_rows) if y is None else truth_of(y)
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


def _entities_of(triples, sources, attributes):
    plain = next((name for name, source in sources.items() if not isinstance(source, LabelledVectors)), None)
    if plain is not None:
        raise ValueError(
            f"modalities[{plain!r}] is a matrix without labels: give entities, the label of each of its rows in order, "
            "or pass the pair (matrix, labels)."
        )
    further = [] if attributes is None else [attributes[0]]
    further += [source.labels for source in sources.values()]
    return first_occurrences(np.concatenate([triples.entities, *further])) if further else triples.entities


def _attribute_arrays(rows):
    return None if rows.attributes is None else tuple(frozen(as_labels(column)) for column in rows.attributes)
