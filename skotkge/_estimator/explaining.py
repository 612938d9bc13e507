"""Explanations in labels of triples in ids."""

import numpy as np

from .._ranking.constraint_checks import PENALTY
from .._ranking.explanation import Explanation, Fact
from .._spaces import COMBINER, CONSTRAINTS, OFFSET, SELF_LOOP


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
    parts, offset, _ = predictor.log_odds_of_parts(ids, device, side)
    contributions = np.where(rows[:, None], np.column_stack([*parts, offset]), np.nan)
    others = [*([COMBINER] if predictor.combiner is not None else []), SELF_LOOP, OFFSET]
    if predictor.checker is not None:
        contributions = np.column_stack([contributions, np.where(rows, PENALTY * predictor.are_ruled_out(ids), np.nan)])
        others.append(CONSTRAINTS)
    # What was asked by name is told by label.
    told = labels.copy()
    told[rows] = predictor.vocabulary.labels_of(ids[rows])
    names = [*(str(kind.id) for kind in predictor.evidence), *others]
    facts = []
    for triple, known, of_triple in zip(ids, rows, np.abs(contributions), strict=True):
        found, size = _facts(predictor, triple, side) if known else (), dict(zip(names, of_triple, strict=True))
        facts.append(tuple(sorted(found, key=lambda fact, size=size: -size[fact.evidence])))
    kinds = [*(kind.id.kind for kind in predictor.evidence), *others]
    return Explanation(told, kinds, names, contributions, facts, predictor.vocabulary)


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
