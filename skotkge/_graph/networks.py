"""Triples from and to the graphs of networkx."""

from .._utils.messages import tell
from .notices import tell_of_isolated

# Attributes of edges that hold the relation, by custom; the first that every edge has.
RELATIONS = ("relation", "label", "type", "predicate", "rel")


def has_edges(thing):
    """Tell whether something is a graph of networkx, or offers the same."""
    return hasattr(thing, "is_multigraph") and hasattr(thing, "edges")


def network_rows(graph):
    """Return the columns of triples of a networkx graph, and the other attributes of its edges.

    The relation is an attribute ``relation``, ``label``, ``type``, ``predicate`` or ``rel`` that every edge has, or in
    a multigraph the key of the edge if all keys are strings.

    Raises
    ------
    ValueError
        If the edges tell no relation.

    Warns
    -----
    UserWarning
        If edges have no direction.
    """
    if graph.is_multigraph():
        edges = list(graph.edges(keys=True, data=True))
    else:
        edges = [(source, target, None, data) for source, target, data in graph.edges(data=True)]
    name = next((name for name in RELATIONS if all(name in data for *_, data in edges)), None)
    if name is None and not all(isinstance(key, str) for _, _, key, _ in edges):
        raise ValueError(
            f"triples is a {type(graph).__name__} whose edges have no attribute {', '.join(map(repr, RELATIONS))} in "
            "common; set one on every edge, such as graph.add_edge(head, tail, relation='likes')."
        )
    if edges and not graph.is_directed():
        tell(
            "triples is a graph without directions; each edge is one triple, in the order of its two nodes. Pass "
            "graph.to_directed() for both directions."
        )
    heads, tails = [edge[0] for edge in edges], [edge[1] for edge in edges]
    tell_of_isolated(graph.nodes, (heads, (), tails), f"triples is a {type(graph).__name__}")
    relations = [key if name is None else data[name] for _, _, key, data in edges]
    others = dict.fromkeys(attribute for *_, data in edges for attribute in data if attribute != name)
    return [heads, relations, tails], {other: [data.get(other) for *_, data in edges] for other in others}


def to_network(X):
    """Return a ``networkx.MultiDiGraph`` with the entities as nodes and the relations as keys of its edges."""
    try:
        import networkx
    except ImportError as error:
        raise ImportError("to_networkx needs networkx: pip install networkx.") from error
    graph = networkx.MultiDiGraph()
    graph.add_nodes_from(X.entities.tolist())
    if X.names is not None:
        networkx.set_node_attributes(graph, dict(zip(X.entities.tolist(), X.names.tolist(), strict=True)), "name")
    data = {str(name): column for name, column in X.triple_data.items()}
    if "relation" in data:
        raise ValueError(
            "triple_data has a column 'relation', which is what to_networkx calls the relation of an edge; rename the "
            "column."
        )
    for row, (head, relation, tail) in enumerate(X.labels.tolist()):
        graph.add_edge(head, tail, relation, relation=relation)
        # As arguments a column of the name "key" would take the place of the key of the edge.
        graph.edges[head, tail, relation].update({name: column[row] for name, column in data.items()})
    return graph
