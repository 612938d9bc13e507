"""Notices that several readers of graphs give."""

from .._utils.messages import tell


def tell_of_isolated(nodes, columns, what):
    """Warn of nodes that are in no triple; `columns` are those of the triples, and `what` has the nodes."""
    n_isolated = len(set(nodes).difference(columns[0], columns[2]))
    if n_isolated:
        tell(f"{what}: {n_isolated} nodes without edges are left out; entities=... with all labels keeps them.")
