"""What is known of relations beforehand: declared in labels, resolved in ids, and what follows from facts by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from .._utils.messages import shown
from .labels import is_missing, name_first, plain_labels
from .queries import KnownAnswers, both_directions

FLAGS = ("functional", "inverse_functional", "symmetric")
OF_RELATIONS = ("inverse_of", "disjoint_with")
OF_ENTITIES = ("domain", "range")
PROPERTIES = (*FLAGS, *OF_RELATIONS, *OF_ENTITIES)


@dataclass(frozen=True)
class Statement:
    """One thing that is said of a relation.

    Attributes
    ----------
    relation : label
    property : str
        One of `PROPERTIES`.
    type_relation : label or None
        Of "domain" and "range": the relation from entities to their types. None: `labels` are the entities.
    labels : tuple of label
        Relations, types or entities; empty for a flag.
    """

    relation: object
    property: str
    type_relation: object = None
    labels: tuple = ()


def as_statements(constraints):
    """Return a mapping of relations to what is said of them as a tuple of `Statement`.

    Parameters
    ----------
    constraints : mapping of label to mapping of str to value, or None

    Raises
    ------
    ValueError or TypeError
        If it has another form; the message names the position.
    """
    if constraints is None:
        return ()
    if not isinstance(constraints, Mapping):
        raise TypeError(
            f"constraints={shown(constraints)} is a {type(constraints).__name__}; give a mapping such as "
            "{'born_in': {'functional': True}}, or 'schema'."
        )
    found = []
    for relation, said in constraints.items():
        if not isinstance(said, Mapping):
            raise TypeError(
                f"constraints[{relation!r}]={shown(said)}; give a mapping of some of {', '.join(PROPERTIES)}."
            )
        for name, value in said.items():
            if name not in PROPERTIES:
                raise ValueError(f"constraints[{relation!r}] has {shown(name)}; give some of {', '.join(PROPERTIES)}.")
            found += _statements_of(relation, name, value)
    return tuple(found)


def _statements_of(relation, name, value):
    value = _in_order(value)
    where = f"constraints[{relation!r}][{name!r}]={shown(value)}"
    if name in FLAGS:
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{where}; give True or False.")
        return [Statement(relation, name)] if value else []
    if name in OF_RELATIONS:
        return [Statement(relation, name, None, tuple(_listed(value)))]
    if isinstance(value, Mapping):
        return [Statement(relation, name, kind, tuple(_listed(labels))) for kind, labels in value.items()]
    if isinstance(value, list | tuple) and value and all(isinstance(part, Mapping) for part in value):
        return [statement for part in value for statement in _statements_of(relation, name, part)]
    if isinstance(value, str) or np.ndim(np.empty(0) if value is None else value) == 0:
        raise ValueError(
            f"{where}; give a list of entities, or the type that they are of as a mapping, such as "
            "{'instance_of': 'City'}."
        )
    return [Statement(relation, name, None, tuple(plain_labels(value)))]


def _in_order(value):
    """A set as a list whose order is the same in every process, as the digest of a checkpoint needs it."""
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else value


def _listed(value):
    """Labels of a list, set or array, or the one label, which may be a tuple."""
    value = _in_order(value)
    return plain_labels(value) if isinstance(value, list | np.ndarray) else [value]


@dataclass(frozen=True)
class Members:
    """Entities that may stand at one side of a relation: listed ones, or those of some types.

    Attributes
    ----------
    type_relation : int or None
        None: `ids` are the entities, else the types. An entity of no known type may stand anywhere.
    ids : tuple of int
    """

    type_relation: int | None
    ids: tuple


@dataclass(frozen=True)
class RelationConstraints:
    """Constraints in ids, for relations and their reciprocals, relation ``n_relations + r`` that of r.

    What is said of a relation holds for those that are the same in the other direction, too.

    Attributes
    ----------
    n_relations : int
    functional : ndarray of shape (2 * n_relations,), dtype bool
        Each source has at most one answer.
    group : ndarray of shape (2 * n_relations,)
        Relations of one group have the same facts: those of a symmetric one and of its reciprocal, say.
    disjoint : csr_array of shape (2 * n_relations, 2 * n_relations), dtype bool
        Relations without a common fact.
    members : dict of int to tuple of Members
        Of relations and reciprocals, whose answers are in all of these.
    """

    n_relations: int
    functional: np.ndarray
    group: np.ndarray
    disjoint: csr_array
    members: dict

    @cached_property
    def same(self):
        """Other relations of the group, csr_array of shape (2 * n_relations, 2 * n_relations) of ones."""
        n_sides = len(self.group)
        member = csr_array((np.ones(n_sides), (np.arange(n_sides), self.group)), shape=(n_sides, n_sides))
        pairs = (member @ member.T).tocoo()
        other = pairs.row != pairs.col
        return csr_array((np.ones(other.sum()), (pairs.row[other], pairs.col[other])), shape=pairs.shape)

    def entailed(self, ids):
        """Triples that follow from some, for relations are symmetric or inverse.

        Parameters
        ----------
        ids : ndarray of shape (n_triples, 3)

        Returns
        -------
        entailed : ndarray of shape (n_entailed, 3)
            Distinct, and none of `ids`.
        origins : ndarray of shape (n_entailed,)
            The row of `ids` that each follows from, the first of several.
        """
        if not self.same.nnz or not len(ids):
            return ids[:0], np.empty(0, dtype=np.int64)
        sources, relations, answers = both_directions(ids, self.n_relations)
        found = self.same[relations].tocoo()
        forward = found.col < self.n_relations
        rows, others = found.row[forward], found.col[forward]
        triples = np.column_stack([sources[rows], others, answers[rows]]).astype(np.int64)
        origins = rows % len(ids)
        order = np.lexsort((origins, *triples.T))
        triples, origins = triples[order], origins[order]
        first = np.ones(len(triples), dtype=bool)
        first[1:] = (np.diff(triples, axis=0) != 0).any(axis=1)
        new = first & ~KnownAnswers(ids, self.n_relations).contains(triples)
        return triples[new], origins[new]

    def closed(self, ids):
        """Triples together with those that follow from them, at the end."""
        entailed, _ = self.entailed(ids)
        return np.concatenate([ids, entailed]) if len(entailed) else ids

    def representatives(self, ids):
        """Rows of which no triple of a symmetric or inverse relation follows from an earlier one, and all others do."""
        if not self.same.nnz:
            return np.arange(len(ids))
        concerned = np.diff(self.same.indptr)[ids[:, 1]] > 0
        rows = np.flatnonzero(concerned)
        head, relation, tail = ids[rows].T
        forward, backward = self.group[relation], self.group[relation + self.n_relations]
        # A fact by its group, in the direction in which the pair (group, source, answer) is the lesser.
        keys = np.stack([np.column_stack([forward, head, tail]), np.column_stack([backward, tail, head])])
        lesser = _is_less(keys[1], keys[0])
        keys = np.where(lesser[:, None], keys[1], keys[0])
        first = np.unique(keys, axis=0, return_index=True)[1]
        return np.sort(np.concatenate([np.flatnonzero(~concerned), rows[first]]))


def _is_less(first, second):
    """Compare rows of three integers in lexicographic order."""
    less, equal = np.zeros(len(first), dtype=bool), np.ones(len(first), dtype=bool)
    for column in range(first.shape[1]):
        less |= equal & (first[:, column] < second[:, column])
        equal &= first[:, column] == second[:, column]
    return less


def resolve(statements, vocabulary):
    """Return `RelationConstraints` of statements over the labels of a vocabulary.

    Raises
    ------
    ValueError
        If a label is not in the vocabulary.
    """
    n_relations = len(vocabulary.relations)
    functional = np.zeros(2 * n_relations, dtype=bool)
    same, disjoint, members = [], [], {}
    for statement in statements:
        (relation,) = _relations([statement.relation], vocabulary, "constraints")
        reciprocal, where = relation + n_relations, f"constraints[{statement.relation!r}][{statement.property!r}]"
        if statement.property == "functional":
            functional[relation] = True
        elif statement.property == "inverse_functional":
            functional[reciprocal] = True
        elif statement.property == "symmetric":
            same.append((relation, reciprocal))
        elif statement.property == "inverse_of":
            others = _relations(statement.labels, vocabulary, where)
            same += [pair for other in others for pair in ((relation, other + n_relations), (reciprocal, other))]
        elif statement.property == "disjoint_with":
            disjoint += [(relation, other) for other in _relations(statement.labels, vocabulary, where)]
        else:
            side = reciprocal if statement.property == "domain" else relation
            members.setdefault(side, []).append(_members(statement, vocabulary, where))
    return _propagated(n_relations, functional, same, disjoint, members)


def _propagated(n_relations, functional, same, disjoint, members):
    """Say of all relations of a group what is said of one."""
    shape = 2 * n_relations, 2 * n_relations
    group = connected_components(_matrix(same, shape), directed=False)[1]
    functional = np.isin(group, group[functional])
    n_groups = group.max(initial=-1) + 1
    of_group = csr_array((np.ones(len(group)), (np.arange(len(group)), group)), shape=(len(group), n_groups))
    # In both directions, of both relations.
    pairs = disjoint + [((a + n_relations) % shape[0], (b + n_relations) % shape[0]) for a, b in disjoint]
    pairs += [(b, a) for a, b in pairs]
    between = of_group.T @ _matrix(pairs, shape) @ of_group
    of_groups = {}
    for side, found in members.items():
        of_groups.setdefault(group[side], []).extend(found)
    spread = {side: tuple(dict.fromkeys(of_groups[number])) for side, number in enumerate(group) if number in of_groups}
    disjoint = csr_array(of_group @ between @ of_group.T) > 0
    return RelationConstraints(n_relations, functional, group, csr_array(disjoint), spread)


def _matrix(pairs, shape):
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=shape))


def _members(statement, vocabulary, where):
    entities = list(statement.labels)
    positions = vocabulary.entity_index.positions(entities)
    _check_known(entities, positions, vocabulary, where, "entity")
    if statement.type_relation is None:
        return Members(None, tuple(np.unique(positions).tolist()))
    (kind,) = _relations([statement.type_relation], vocabulary, where)
    return Members(kind, tuple(np.unique(positions).tolist()))


def _relations(labels, vocabulary, where):
    labels = list(labels)
    positions = vocabulary.relation_index.positions(labels)
    _check_known(labels, positions, vocabulary, where, "relation")
    return positions.tolist()


def _check_known(labels, positions, vocabulary, where, what):
    unknown = [label for label, position in zip(labels, positions, strict=True) if position < 0]
    if not unknown:
        return
    similar = "" if is_missing(unknown[0]) else vocabulary.similar(unknown[0], what == "relation")
    hint = f" (similar to {shown(unknown[0])}: {similar})" if similar else ""
    raise ValueError(f"{where} names {name_first(unknown)}, which is no {what} of the triples{hint}.")
