"""Constraints of a fit: what the user says, and the facts that follow from those given."""

from dataclasses import replace

from .._graph.constraints import as_statements, resolve
from .._graph.queries import KnownAnswers
from .._graph.schema import read_schema, statement_rows
from .._utils.messages import shown

SCHEMA = "schema"


def statements_of(constraints, X):
    """Return the statements that a parameter makes about the relations of triples.

    Parameters
    ----------
    constraints : None, "schema" or mapping
        "schema" reads the statements of RDFS and OWL among the triples.
    X : MultimodalTriples

    Returns
    -------
    tuple of Statement

    Raises
    ------
    ValueError or TypeError
        If it has another form, or names labels that X lacks.
    """
    if isinstance(constraints, str):
        if constraints != SCHEMA:
            raise ValueError(f"constraints={shown(constraints)}; give 'schema', a mapping of relations, or None.")
        constraints = read_schema(statement_rows(X), X)
    statements = as_statements(constraints)
    resolve(statements, X.vocabulary)
    return statements


def without_repetitions(X, statements):
    """Leave out triples that follow from earlier ones, so that none is held out while another tells it."""
    if not statements:
        return X
    rows = resolve(statements, X.vocabulary).representatives(X.ids)
    return X if len(rows) == len(X) else X[rows]


def closed_split(split, statements):
    """The split with all that follows from its triples, and without held-out triples that follow from the others."""
    if not statements:
        return split
    constraints = resolve(statements, split.all.vocabulary)
    train, every = (closed(X, constraints) for X in (split.train, split.all))
    entailed = KnownAnswers(constraints.entailed(split.train.ids)[0], constraints.n_relations)
    kept = ~entailed.contains(split.validation_ids)
    return replace(split, train=train, all=every, validation_ids=split.validation_ids[kept])


def closed(X, constraints):
    """Return the triples with all that follows from them."""
    ids = constraints.closed(X.ids)
    return X if len(ids) == len(X) else X._with_ids(ids, {})
