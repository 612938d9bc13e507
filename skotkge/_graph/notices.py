"""Warnings that point at the line of the user's that caused them, however deep they arise."""

import sys
import warnings

PASSED_OVER = {__name__.partition(".")[0], "sklearn"}


def tell(message):
    """Warn the caller of the library."""
    frame, depth = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in PASSED_OVER:
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, UserWarning, stacklevel=depth)


def tell_of_isolated(nodes, columns, what):
    """Warn of nodes that are in no triple; `columns` are those of the triples, and `what` has the nodes."""
    n_isolated = len(set(nodes).difference(columns[0], columns[2]))
    if n_isolated:
        tell(f"{what}: {n_isolated} nodes without edges are left out; entities=... with all labels keeps them.")
