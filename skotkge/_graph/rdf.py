"""RDF files as triples, by pyoxigraph."""

import re

from .._utils.messages import brief, cut, shown, tell
from .files import read_utf8, suffix_of

# Suffixes, and names that the argument `format` takes besides.
RDF_FORMATS = {
    "ntriples": ("N-Triples", "N_TRIPLES", ".nt"),
    "turtle": ("Turtle", "TURTLE", ".ttl", ".turtle"),
    "nquads": ("N-Quads", "N_QUADS", ".nq"),
    "trig": ("TriG", "TRIG", ".trig"),
    "n3": ("N3", "N3", ".n3"),
    "rdfxml": ("RDF/XML", "RDF_XML", ".rdf", ".owl", ".xml"),
    "jsonld": ("JSON-LD", "JSON_LD", ".jsonld"),
}
RDF_SUFFIXES = {suffix: name for name, (_, _, *suffixes) in RDF_FORMATS.items() for suffix in suffixes}
XML_ENCODING = re.compile(rb"""(\s*<\?xml[^>]*?)\s+encoding\s*=\s*["']([\w.:-]+)["']""")
LITERALS = ("keep", "drop", "attributes")
XSD = "http://www.w3.org/2001/XMLSchema#"
LANG_STRING = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
WHOLE = {"integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "unsignedInt"}
WHOLE |= {"negativeInteger", "nonPositiveInteger", "unsignedLong", "unsignedShort", "unsignedByte"}
GENERATED = re.compile(r"[0-9a-f]{20,32}")  # what pyoxigraph calls a node without name, anew in each reading


class BlankNodes:
    """Names of blank nodes without a name, in order of appearance, so that a file has the same labels each time.

    One object goes through all files that are read together: their nodes without name are different ones.
    """

    def __init__(self):
        self._names = {}

    def name(self, node):
        """Return the label of a blank node: its own name, or a number after ``_:anonymous``."""
        if GENERATED.fullmatch(node.value) is None:
            return f"_:{node.value}"
        return self._names.setdefault(node.value, f"_:anonymous{len(self._names)}")


def read_rdf(path, literals="keep", rdf_format=None, base_iri=None, blank_nodes=None):
    """Read subjects, predicates and objects.

    Parameters
    ----------
    path : str or path-like
    literals : {"keep", "drop", "attributes"}
    rdf_format : str, default=None
        A key of `RDF_FORMATS`; None: by the name of the file.
    base_iri : str, default=None
    blank_nodes : BlankNodes, default=None

    Returns
    -------
    columns : list of list of str
    data : dict
        The graph of each triple if there are named ones.
    attributes : tuple of list, or None
        Subjects, predicates and values of the literals.

    Raises
    ------
    ImportError
        If pyoxigraph is missing.
    ValueError
        If the file is not of the format; the message gives the line.
    """
    if literals not in LITERALS:
        raise ValueError(f"literals={shown(literals)}, expected 'keep', 'drop' or 'attributes'.")
    rdf_format = rdf_format or RDF_SUFFIXES.get(suffix_of(path))
    if rdf_format not in RDF_FORMATS:
        named = f"format={rdf_format!r}" if rdf_format else f"the name of {brief(path)} tells no format of RDF"
        raise ValueError(f"{named}; pass format, one of {', '.join(map(repr, RDF_FORMATS))}.")
    library = _pyoxigraph(rdf_format)
    statements = _parsed(path, rdf_format, base_iri, library)
    rows, graphs, values = _sorted_out(statements, literals, blank_nodes or BlankNodes(), library)
    if literals == "drop" and values[0]:
        n_rows = len(rows[0]) + len(values[0])
        tell(f"{brief(path)}: {n_rows} triples in, {len(rows[0])} kept, {len(values[0])} with a literal dropped.")
    data = {"graph": graphs} if any(graphs) else {}
    return rows, data, (values if literals == "attributes" else None)


def _pyoxigraph(rdf_format):
    try:
        import pyoxigraph
    except ImportError as error:
        method = "from_ntriples" if rdf_format == "ntriples" else "from_rdf"
        raise ImportError(f'{method} needs pyoxigraph to parse the file: pip install ".[rdf]".') from error
    return pyoxigraph


def _parsed(path, rdf_format, base_iri, library):
    """Yield the statements of a file."""
    title, constant = RDF_FORMATS[rdf_format][:2]
    data = read_utf8(path) if rdf_format != "rdfxml" else _xml_in_utf8(read_utf8(path), path)
    try:
        yield from library.parse(data, format=getattr(library.RdfFormat, constant), base_iri=base_iri)
    except SyntaxError as error:
        remedy = _other_format(data, path, rdf_format, base_iri, library)
        if "LoadDocumentCallback" in str(error):
            remedy = "; its @context is at another place, and nothing is fetched: put the context itself into the file"
        if "scheme" in str(error) and base_iri is None:
            remedy = "; its IRIs are relative: pass base_iri, such as 'http://example.org/'"
        raise ValueError(cut(f"{brief(path)} is no {title} file: {error}{remedy}.")) from error


def _xml_in_utf8(data, path):
    """Recode a document that declares another encoding, without the declaration, since the parser knows UTF-8 alone."""
    declared = XML_ENCODING.match(data)
    if declared is None:
        return data
    name = declared[2].decode()
    # What begins with a byte order mark of UTF-16 is in UTF-8 by now.
    encoding = "utf-8" if name.lower().startswith("utf-16") else name
    try:
        rest = data[declared.end() :].decode(encoding).encode()
    except (LookupError, UnicodeDecodeError) as error:
        raise ValueError(
            cut(f"{brief(path)} declares the encoding {name}: {error}; convert the file to UTF-8.")
        ) from error
    return declared[1] + rest


def _other_format(data, path, rdf_format, base_iri, library):
    """Name the format that a whole file is in; its beginning alone is often of several, most of them wrong."""
    likely = RDF_SUFFIXES.get(suffix_of(path))
    for name in dict.fromkeys([likely, *RDF_FORMATS]):
        if name in (None, rdf_format):
            continue
        try:
            constant = getattr(library.RdfFormat, RDF_FORMATS[name][1])
            if sum(1 for _ in library.parse(data, format=constant, base_iri=base_iri)):
                return f"; it is {RDF_FORMATS[name][0]}: from_rdf reads it with format={name!r}"
        except SyntaxError:
            continue
    return ""


def _sorted_out(statements, literals, blank_nodes, library):
    """Return the columns of the triples, their graphs, and the columns of the literals taken out."""
    BlankNode, Literal, NamedNode = library.BlankNode, library.Literal, library.NamedNode

    def label(term):
        if isinstance(term, NamedNode):
            return term.value
        return blank_nodes.name(term) if isinstance(term, BlankNode) else str(term)

    heads, relations, tails, graphs = [], [], [], []
    attributes = [], [], []
    for statement in statements:
        subject, predicate, value = label(statement.subject), statement.predicate.value, statement.object
        if literals != "keep" and isinstance(value, Literal):
            attributes[0].append(subject)
            attributes[1].append(f"{predicate}@{value.language}" if value.language else predicate)
            attributes[2].append(plain_value(value.value, value.datatype.value))
            continue
        heads.append(subject)
        relations.append(predicate)
        tails.append(label(value))
        graph = getattr(statement, "graph_name", None)
        graphs.append(label(graph) if isinstance(graph, NamedNode | BlankNode) else "")
    return [heads, relations, tails], graphs, attributes


def plain_value(written, datatype):
    """Return a literal as a number or truth value where it is one, else as it is written."""
    kind = datatype.removeprefix(XSD) if datatype.startswith(XSD) else ""
    try:
        if kind in WHOLE:
            return int(written)
        if kind in ("decimal", "double", "float"):
            return float(written)
    except ValueError:
        return written  # "twelve"^^xsd:integer is legal, and no number
    if kind == "boolean" and written in ("true", "1", "false", "0"):
        return written in ("true", "1")
    return written
