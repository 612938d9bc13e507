"""Constraints of relations from the statements of RDFS and OWL about them."""

from collections import defaultdict
from os import PathLike

import numpy as np

from .._utils.messages import tell
from .label_columns import as_label_triples
from .labels import as_labels, first_occurrences
from .readers import ReadingOptions, read_rows
from .triples import MultimodalTriples

NAMESPACES = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://www.w3.org/2000/01/rdf-schema#": "rdfs:",
    "http://www.w3.org/2002/07/owl#": "owl:",
}
TYPE = "rdf:type"
FLAGS_OF_TYPES = {
    "owl:FunctionalProperty": "functional",
    "owl:InverseFunctionalProperty": "inverse_functional",
    "owl:SymmetricProperty": "symmetric",
}
RELATED = {"owl:inverseOf": "inverse_of", "owl:propertyDisjointWith": "disjoint_with"}
SIDES = {"rdfs:domain": "domain", "rdfs:range": "range"}
LISTS = ("rdf:first", "rdf:rest", "owl:unionOf", "owl:members")
READ = {TYPE, "rdfs:subClassOf", *RELATED, *SIDES, *LISTS}
# Every entity is one.
EVERYTHING = {"owl:Thing", "rdfs:Resource"}


def short(label):
    """Write a term of RDF, RDFS and OWL with its usual prefix; other labels as they are."""
    if isinstance(label, str):
        for namespace, prefix in NAMESPACES.items():
            if label.startswith(namespace):
                return prefix + label[len(namespace) :]
    return label


def statement_rows(source):
    """Return the rows of a source that a schema may be made of, as labels ``(n, 3)``."""
    if isinstance(source, str | PathLike):
        return as_label_triples(read_rows(source, ReadingOptions(None, data=(), literals="keep")))
    if not isinstance(source, MultimodalTriples):
        return as_label_triples(source)
    wanted = np.array([short(label) in READ for label in source.relations], dtype=bool)
    ids = source.ids[wanted[source.ids[:, 1]]] if len(source.relations) else source.ids[:0]
    return source.vocabulary.labels_of(ids)


def read_schema(rows, X=None):
    """Return the constraints that statements make, as a mapping of relations.

    Parameters
    ----------
    rows : ndarray of shape (n_statements, 3), dtype object
    X : MultimodalTriples, default=None
        Keep what can be said of its relations and types.

    Returns
    -------
    dict of label to dict of str to value
    """
    said = _Statements(rows)
    type_relation = said.type_relation(X)
    found, without_types = defaultdict(dict), 0
    for relation, name in said.flags():
        found[relation][name] = True
    for relation, name, other in said.related():
        found[relation].setdefault(name, []).append(other)
    for relation, name, types in said.sides():
        if type_relation is None:
            without_types += int(X.vocabulary.relation_index.positions([relation])[0] >= 0)
        else:
            found[relation].setdefault(name, []).append({type_relation: types})
    if X is None:
        return dict(found)
    kept = _of_triples(found, X)
    if without_types:
        tell(
            f"{without_types} statements of rdfs:domain and rdfs:range are left out: X has no relation rdf:type that "
            "tells the types of entities; add those triples, or give the entities as lists."
        )
    return kept


def _of_triples(found, X):
    """Leave out relations and types that triples do not have."""
    relations, entities = X.vocabulary.relation_index, X.vocabulary.entity_index
    kept = {}
    for relation, said in found.items():
        if relations.positions([relation])[0] < 0:
            continue
        of_relation = {}
        for name, value in said.items():
            if name in RELATED.values():
                value = [label for label in value if relations.positions([label])[0] >= 0]
                if not value:
                    continue
            elif name in SIDES.values():
                value = [
                    {kind: [label for label in types if entities.positions([label])[0] >= 0]}
                    for part in value
                    for kind, types in part.items()
                ]
            of_relation[name] = value
        if of_relation:
            kept[relation] = of_relation
    return kept


class _Statements:
    """Triples by their predicates."""

    def __init__(self, rows):
        self._of = defaultdict(list)
        self._types = []
        for subject, predicate, value in rows.tolist():
            self._of[short(predicate)].append((subject, value))
            if short(predicate) == TYPE:
                self._types.append(predicate)
        self._written_in_full = any(isinstance(row[1], str) and row[1] != short(row[1]) for row in rows.tolist())
        self._lists = {name: dict(self._of[name]) for name in ("rdf:first", "rdf:rest", "owl:unionOf")}
        self._subclasses = defaultdict(list)
        for below, above in self._of["rdfs:subClassOf"]:
            self._subclasses[above].append(below)

    def type_relation(self, X):
        """The relation from entities to their types, as it is written in the triples or the statements, or None."""
        full = next(iter(NAMESPACES)) + "type"
        if X is not None:
            return next((label for label in X.relations.tolist() if short(label) == TYPE), None)
        if self._types:
            return self._types[0]
        return full if self._written_in_full else TYPE

    def flags(self):
        """Yield each relation with a property that is said of it."""
        for subject, value in self._of[TYPE]:
            if short(value) in FLAGS_OF_TYPES:
                yield subject, FLAGS_OF_TYPES[short(value)]

    def related(self):
        """Yield each relation, property and other relation."""
        for predicate, name in RELATED.items():
            for subject, value in self._of[predicate]:
                yield subject, name, value
        all_disjoint = {subject for subject, value in self._of[TYPE] if short(value) == "owl:AllDisjointProperties"}
        for subject, value in self._of["owl:members"]:
            members = self._listed(value) if subject in all_disjoint else []
            for place, member in enumerate(members):
                for other in members[place + 1 :]:
                    yield member, "disjoint_with", other

    def sides(self):
        """Yield each relation, "domain" or "range", and the types below the one that it names."""
        for predicate, name in SIDES.items():
            for subject, value in self._of[predicate]:
                types = self._below(value)
                if not EVERYTHING & set(map(short, types[:1])):
                    yield subject, name, types

    def _below(self, kind):
        """A type, those that it is the union of, and all their subclasses."""
        found, waiting = [], [kind]
        while waiting:
            one = waiting.pop()
            if one in found:
                continue
            found.append(one)
            union = self._lists["owl:unionOf"].get(one)
            waiting += [] if union is None else self._listed(union)
            waiting += self._subclasses[one]
        return first_occurrences(as_labels(found)).tolist()

    def _listed(self, node):
        """The members of a list of RDF."""
        found, passed = [], set()
        while node in self._lists["rdf:first"] and node not in passed:
            passed.add(node)
            found.append(self._lists["rdf:first"][node])
            node = self._lists["rdf:rest"].get(node)
        return found
