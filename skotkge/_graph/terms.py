"""Terms of RDF as labels: IRIs plainly, blank nodes and literals in the notation of N-Triples."""

STRING = "http://www.w3.org/2001/XMLSchema#string"
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"})


def plain_term(term):
    """Return a term of rdflib as pyoxigraph writes it, so that a graph has the same labels from either library."""
    if type(term).__name__ == "BNode":
        return f"_:{term}"
    if not hasattr(term, "datatype"):
        return str(term)
    quoted = f'"{str(term).translate(ESCAPES)}"'
    if term.language:
        return f"{quoted}@{term.language.lower()}"
    datatype = str(term.datatype or STRING)
    return quoted if datatype == STRING else f"{quoted}^^<{datatype}>"


def is_rdf_graph(thing):
    """Tell whether something is a graph or data set of rdflib."""
    return all(hasattr(thing, name) for name in ("triples", "namespace_manager", "bind"))


def rdf_graph_columns(graph):
    """Return the subjects, predicates and objects of a graph of rdflib, and the graph of each where there are several.

    rdflib keeps triples without order; they are sorted, so that a graph gives the same ids in each process.
    """
    if hasattr(graph, "quads"):
        quads = [(s, p, o, getattr(g, "identifier", g)) for s, p, o, g in graph.quads((None, None, None, None))]
    else:
        quads = [(*triple, None) for triple in graph.triples((None, None, None))]
    quads = sorted(tuple("" if term is None else plain_term(term) for term in quad) for quad in quads)
    columns = [list(column) for column in zip(*quads, strict=True)] or [[], [], [], []]
    return columns[:3], ({"graph": columns[3]} if len(set(columns[3])) > 1 else {})
