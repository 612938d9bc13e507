"""Triples as a notebook shows them: counts, some rows with readable names, modalities with their coverage."""

from .._utils.html import bar, table
from .headers import COLUMNS

N_SHOWN = 5


def html_of_triples(X):
    """Return HTML of `MultimodalTriples`."""
    counts = [[f"{len(X):,} triples", f"{X.n_entities:,} entities", f"{len(X.relations):,} relations"]]
    parts = [table("MultimodalTriples", [""], counts)]
    names = X.entities if X.names is None else X.names
    rows = [[names[head], X.relations[relation], names[tail]] for head, relation, tail in X.ids[:N_SHOWN]]
    if rows:
        parts.append(table(f"the first {len(rows)}", COLUMNS, rows))
    modalities = []
    for name, matrix in X.modalities.items():
        observed = int(X.observed(name).sum())
        share = observed / max(X.n_entities, 1)
        modalities.append([name, matrix.shape[1], f"{observed:,} entities ({share:.0%})", bar(share)])
    if modalities:
        parts.append(table("modalities", ["name", "dimensions", "coverage", ""], modalities))
    return "".join(parts) + ("<p>with a fusion attached</p>" if X.fusion is not None else "")
