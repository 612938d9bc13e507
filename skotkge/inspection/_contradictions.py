"""Triples that contradict what is known of their relations, or each other."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._estimator.constraining import SCHEMA, statements_of
from .._graph.constraints import resolve
from .._graph.queries import KnownAnswers
from .._graph.triples import as_triples
from .._ranking.constraint_checks import ConstraintChecker
from .._utils.frames import LIBRARIES, data_frame
from .._utils.messages import check_choice

COLUMNS = ("head", "relation", "tail")


def contradictions(
    X: ArrayLike, constraints: Mapping[Any, Mapping[str, Any]] | str = SCHEMA, *, library: str = "pandas"
) -> Any:
    """List the triples that contradict constraints of relations.

    Nothing tells which of two contradicting triples is wrong, so that no fit drops either.

    Parameters
    ----------
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
    constraints : mapping of relation to mapping, or "schema", default="schema"
        As for `skotkge.OTKGEClassifier`; "schema" reads the statements of RDFS and OWL in X.
    library : {"pandas", "polars"}, default="pandas"

    Returns
    -------
    DataFrame
        A row for each contradiction: constraint ("functional", "inverse_functional", "domain", "range" or
        "disjoint_with"), head, relation and tail of a triple of X, and other_head, other_relation and other_tail of the
        triple that it contradicts, the first in X; missing for a domain or a range. A triple that contradicts another
        through what follows from it, for a relation is symmetric or has an inverse, is listed as it stands in X.

    Raises
    ------
    ValueError or TypeError
        If `constraints` has another form, or names labels that X lacks.
    ImportError
        If the library is not installed.

    Examples
    --------
    >>> from skotkge.inspection import contradictions
    >>> triples = [("ann", "born_in", "rome"), ("bob", "born_in", "rome"), ("ann", "born_in", "oslo")]
    >>> print(contradictions(triples, {"born_in": {"functional": True}}).to_string())
       constraint head relation  tail other_head other_relation other_tail
    0  functional  ann  born_in  oslo        ann        born_in       rome
    """
    check_choice(library, "library", LIBRARIES)
    X = as_triples(X)
    statements = statements_of(constraints, X)
    resolved = resolve(statements, X.vocabulary)
    entailed, origins = resolved.entailed(X.ids)
    ids = np.concatenate([X.ids, entailed])
    origins = np.concatenate([np.arange(len(X)), origins])
    checker = ConstraintChecker(resolved, ids, KnownAnswers(ids, resolved.n_relations), X.n_entities)
    found = _unique([*_of_sides(checker, ids, origins), *_of_pairs(resolved, ids, origins)])
    labels = X.labels
    columns = {"constraint": [name for name, _, _ in found]}
    rows, others = ([row[place] for row in found] for place in (1, 2))
    for place, column in enumerate(COLUMNS):
        columns[column] = [labels[row, place] for row in rows]
    for place, column in enumerate(COLUMNS):
        columns[f"other_{column}"] = [None if row < 0 else labels[row, place] for row in others]
    return data_frame(library, columns, "contradictions")


def _unique(found):
    """Contradictions in the order of their rows, each once, whichever of its two triples was met first."""
    kept = {}
    for name, row, other in found:
        pair = (max(row, other), min(row, other)) if other >= 0 else (row, other)
        if pair[0] != pair[1]:
            kept.setdefault(frozenset(pair), (name, *pair))
    return sorted(kept.values(), key=lambda told: told[1:])


def _of_sides(checker, ids, origins):
    """Yield (property, row, -1) for triples with a head or tail that may not stand there."""
    for relation in np.unique(ids[:, 1]):
        rows = np.flatnonzero(ids[:, 1] == relation)
        for name, wrong in checker.of_sides(ids[rows], relation):
            for row in origins[rows[wrong]].tolist():
                yield name, row, -1


def _of_pairs(constraints, ids, origins):
    """Yield (property, row, other row) for triples that exclude each other."""
    n_relations = constraints.n_relations
    for name, shift, key in (("functional", 0, [0, 1]), ("inverse_functional", n_relations, [1, 2])):
        rows = np.flatnonzero(constraints.functional[ids[:, 1] + shift])
        order = rows[np.lexsort((rows, *ids[rows][:, key].T))]
        same = (np.diff(ids[order][:, key], axis=0, prepend=-1) == 0).all(axis=1)
        first = order[np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))]
        for row, other in zip(order[same].tolist(), first[same].tolist(), strict=True):
            if (ids[row] != ids[other]).any():
                yield name, int(origins[row]), int(origins[other])
    by_pair = {}
    pairs = constraints.disjoint[:n_relations, :n_relations].tocoo()
    disjoint = set(zip(pairs.row.tolist(), pairs.col.tolist(), strict=True))
    concerned = np.flatnonzero(np.isin(ids[:, 1], pairs.row))
    for row in concerned.tolist():
        head, relation, tail = ids[row].tolist()
        for other_relation, other in by_pair.setdefault((head, tail), []):
            if (relation, other_relation) in disjoint:
                yield "disjoint_with", int(origins[row]), int(origins[other])
        by_pair[head, tail].append((relation, row))
