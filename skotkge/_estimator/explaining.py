"""Explanations in labels of triples in ids."""

import numpy as np

from .._ranking.constraint_checks import PENALTY
from .._ranking.explanation import Explanation, Fact

COMBINER = "combiner"
SELF_LOOP = "self_loop"
OFFSET = "offset"
CONSTRAINTS = "constraints"


def explain(predictor, labels, ids, rows, side, device):
    """Explain triples.

    Parameters
    ----------
    predictor : LinkPredictor
    labels : ndarray of shape (n_triples, 3), dtype object
    ids : ndarray of shape (n_triples, 3)
    rows : ndarray of shape (n_triples,), dtype bool
        Those whose labels are all known.
    side : {"both", "head", "tail"}
    device : str

    Returns
    -------
    Explanation
    """
    calibration, relations = predictor.calibration, ids[:, 1]
    parts, unknown = predictor.contributions(ids, device, side)
    log_odds = calibration.log_odds(predictor.score_of_parts(parts, unknown, relations), relations)
    parts = parts * calibration.slope[relations]
    offset = log_odds - parts.sum(axis=0)
    contributions = np.where(rows[:, None], np.column_stack([*parts, offset]), np.nan)
    others = [*([COMBINER] if predictor.combiner is not None else []), SELF_LOOP, OFFSET]
    if predictor.checker is not None:
        contributions = np.column_stack([contributions, np.where(rows, PENALTY * predictor.are_ruled_out(ids), np.nan)])
        others.append(CONSTRAINTS)
    # What was asked by name is told by label.
    told = labels.copy()
    told[rows] = predictor.vocabulary.labels_of(ids[rows])
    return Explanation(
        told,
        [*(kind.id.kind for kind in predictor.evidence), *others],
        [*(str(kind.id) for kind in predictor.evidence), *others],
        contributions,
        [_facts(predictor, triple, side) if known else () for triple, known in zip(ids, rows, strict=True)],
        predictor.vocabulary,
    )


def _facts(predictor, triple, side):
    """Facts about one triple from all evidence that names some, in the directions asked in."""
    head, relation, tail = (int(id) for id in triple)
    queries = {"tail": (head, relation, tail), "head": (tail, relation + predictor.n_relations, head)}
    found = []
    for direction in queries if side == "both" else [side]:
        for kind in predictor.evidence:
            if hasattr(kind, "facts"):
                for text, value, triples in kind.facts(*queries[direction]):
                    links = tuple(_told(predictor, link) for link in triples)
                    found.append(Fact(str(kind.id), direction, text, value, links))
    if predictor.checker is not None:
        direction = "tail" if side == "both" else side
        for text, triples in predictor.checker.reasons(*queries[direction]):
            links = tuple(_told(predictor, link) for link in triples)
            found.append(Fact(CONSTRAINTS, direction, f"ruled out by {text}", PENALTY, links))
    return tuple(found)


def _told(predictor, link):
    """A link (source, relation or reciprocal, answer) as a triple of labels."""
    source, relation, answer = link
    head, tail = (source, answer) if relation < predictor.n_relations else (answer, source)
    return tuple(predictor.vocabulary.labels_of(np.array([[head, relation % predictor.n_relations, tail]]))[0])
