"""Constructors of `MultimodalTriples` from files of each format."""

from collections.abc import Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from .readers import ReadingOptions, read_rows
from .tables import check_separator


class ReadFromFiles:
    """Class methods that read rows and hand them to ``cls(rows, modalities, **table)``; nothing else is asked of it."""

    if TYPE_CHECKING:

        def __init__(self, triples: Any, modalities: Mapping[str, Any] | None = None, **table: Any) -> None: ...

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
    ) -> Self:
        """Read triples from a tab-separated file without quoting: a quote is part of its label.

        Parameters
        ----------
        path : str, path-like or list of these
            The file, in UTF-8 or in UTF-16 with a byte order mark, and as it is or compressed by gzip, bz2, xz, zip or
            zstd (with ``pip install ".[zstd]"``). Of a list of files the triples follow one another, and
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
    ) -> Self:
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
    ) -> Self:
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
            If pyoxigraph is missing: ``pip install ".[rdf]"``.
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
    ) -> Self:
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
            If pyoxigraph is missing: ``pip install ".[rdf]"``.
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
    ) -> Self:
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
    ) -> Self:
        """Read the edges of a GraphML file, as Neo4j, Gephi, yEd and networkx write it.

        The relation of an edge is its ``label``, ``Edge Label``, ``relation``, ``type``, ``predicate`` or ``key``, or
        what yEd writes beside it, else its id if that is no number of the edge. What the nodes have
        is the long table `attributes`, what else the edges have is `triple_data`.

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
