"""What a notebook shows below the diagram of a fitted estimator: graph, quality in training and evidence."""

import numpy as np

from .._utils.html import bar, table


def caption_of_fitted(model):
    """Return a line with the size of the graph and the best validation score of a fitted estimator."""
    sizes = f"{len(model.entities_):,} entities, {len(model.relations_):,} relations"
    scores = getattr(model, "validation_scores_", [])
    return sizes + (f", validation score {max(scores):.3f}" if len(scores) else "")


def html_of_fitted(model):
    """Return tables of the graph, the trained spaces and the evidence of a fitted estimator."""
    counts = [f"{len(model.entities_):,} entities", f"{len(model.relations_):,} relations"]
    parts = [table("fitted on", [""], [[*counts, f"{len(model.predictor_.true_ids):,} true triples"]])]
    spaces = []
    for name, told in getattr(model, "space_training_", {}).items():
        scores = told["validation_scores"]
        best = max(scores, default=None)
        shown = ["none", ""] if best is None else [float(best), bar(best)]
        spaces.append([name, int(told["n_iter"]), int(told["best_iter"]), *shown])
    if spaces:
        parts.append(table("trained spaces", ["space", "epochs", "kept", "validation score", ""], spaces))
    medians = np.median(model.evidence_weights_, axis=2)
    rows = [[name, *map(float, pair)] for name, pair in zip(model.evidence_names_, medians, strict=True)]
    parts.append(table("evidence, median weight over relations", ["", "for tails", "for heads"], rows))
    return "".join(parts)
