"""read_constraints: what RDFS and OWL say of relations, in the form that estimators take."""

from os import PathLike
from typing import Any

from numpy.typing import ArrayLike

from .schema import read_schema, statement_rows
from .triples import as_triples


def read_constraints(source: ArrayLike | str | PathLike[str], X: ArrayLike | None = None) -> dict[Any, dict[str, Any]]:
    """Read constraints of relations from statements of RDFS and OWL.

    ``rdfs:domain``, ``rdfs:range``, ``owl:inverseOf`` and ``owl:propertyDisjointWith`` are read, the types
    ``owl:FunctionalProperty``, ``owl:InverseFunctionalProperty``, ``owl:SymmetricProperty`` and
    ``owl:AllDisjointProperties``; a class stands for its subclasses (``rdfs:subClassOf``) and, if it is one, for the
    classes of its union (``owl:unionOf``). Several domains of a relation hold together, as RDFS has it.

    Parameters
    ----------
    source : path-like, MultimodalTriples or array-like of labels of shape (n_statements, 3)
        A file in a format of `MultimodalTriples.from_rdf`, or triples with such statements among them. Terms are
        written as IRIs or with the usual prefixes rdf, rdfs and owl.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3), default=None
        The triples that the constraints are for: what is said of relations that X does not have is left out, and so
        are classes that are none of its entities. None keeps all.

    Returns
    -------
    dict of label to dict of str to value
        As for the parameter ``constraints`` of `OTKGEClassifier`; it can be read, changed and written by hand.

    Warns
    -----
    UserWarning
        If there are domains or ranges, but no relation ``rdf:type`` in X that tells what its entities are.

    Examples
    --------
    >>> import skotkge
    >>> skotkge.read_constraints(
    ...     [
    ...         ("born_in", "rdf:type", "owl:FunctionalProperty"),
    ...         ("born_in", "rdfs:range", "Place"),
    ...         ("City", "rdfs:subClassOf", "Place"),
    ...         ("spouse", "rdf:type", "owl:SymmetricProperty"),
    ...     ]
    ... )
    {'born_in': {'functional': True, 'range': [{'rdf:type': ['Place', 'City']}]}, 'spouse': {'symmetric': True}}
    """
    return read_schema(statement_rows(source), None if X is None else as_triples(X))
