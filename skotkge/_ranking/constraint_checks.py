"""Which answers constraints rule out, given the triples that are known."""

from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

# Added to the log-odds of a triple that is ruled out.
PENALTY = -1e3
# Added to its raw score where it is ranked: so much that it ties with all others that are ruled out, below the rest.
LOWEST = -1e30


class ConstraintChecker:
    """Rules answers out by constraints and by what is known.

    An answer to a query (source, relation) is ruled out if

    - the source or the answer is not among those that may stand at its side of the relation;
    - each source has at most one answer, and the source has another one;
    - each answer has at most one source, and the answer has another one;
    - a relation without common facts links the two.

    A triple that is known is never ruled out: contradictions among the known are told elsewhere.

    Parameters
    ----------
    constraints : RelationConstraints
    ids : ndarray of shape (n_known, 3)
        The known triples, with those that follow from them.
    known : KnownAnswers
        Of these.
    n_entities : int
    """

    def __init__(self, constraints, ids, known, n_entities):
        self.constraints, self.n_relations = constraints, constraints.n_relations
        self._ids, self._known, self._n_entities = ids, known, n_entities
        n_relations = constraints.n_relations
        self._reciprocal = np.roll(np.arange(2 * n_relations), n_relations)
        limited = np.zeros(2 * n_relations, dtype=bool)
        limited[list(constraints.members)] = True
        of_one = constraints.functional | limited
        self._concerned = of_one | of_one[self._reciprocal] | (np.diff(constraints.disjoint.indptr) > 0)

    @cached_property
    def _has_answer(self):
        """Which entities have an answer by each relation with at most one, csr_array (2 * n_relations, n_entities)."""
        shape, functional = (2 * self.constraints.n_relations, self._n_entities), self.constraints.functional
        keys = self._known.sources * shape[0] + self._known.relations
        sources, relations = np.divmod(keys[functional[self._known.relations]], max(1, shape[0]))
        return csr_array((np.ones(len(sources), dtype=bool), (relations, sources)), shape=shape)

    @cached_property
    def _typed(self):
        """For each relation to types: heads, types, and which entities have none."""
        kinds = {members.type_relation for found in self.constraints.members.values() for members in found} - {None}
        typed = {}
        for kind in kinds:
            heads, _, types = self._ids[self._ids[:, 1] == kind].T
            has_none = np.ones(self._n_entities, dtype=bool)
            has_none[heads] = False
            typed[kind] = heads, types, has_none
        return typed

    @cached_property
    def _of_sides(self):
        return {}

    def _may_answer(self, relation):
        """Mask of the entities that may answer a relation or reciprocal, kept packed; None is all."""
        found = self.constraints.members.get(int(relation))
        if found is None:
            return None
        if found not in self._of_sides:
            mask = np.ones(self._n_entities, dtype=bool)
            for members in found:
                mask &= self._members(members)
            self._of_sides[found] = np.packbits(mask)
        return np.unpackbits(self._of_sides[found], count=self._n_entities).astype(bool)

    def _members(self, members):
        mask = np.zeros(self._n_entities, dtype=bool)
        if members.type_relation is None:
            mask[list(members.ids)] = True
            return mask
        heads, types, has_none = self._typed[members.type_relation]
        mask[heads[np.isin(types, members.ids)]] = True
        return mask | has_none

    def ruled_out(self, sources, relations, entities):
        """Which entities of a slice are ruled out as answers to queries.

        Parameters
        ----------
        sources, relations : ndarray of shape (n_queries,)
        entities : slice

        Returns
        -------
        rows : ndarray of shape (n_concerned,)
            Queries whose relations have constraints.
        mask : ndarray of shape (n_concerned, n_entities_of_slice), dtype bool
        """
        # A mask (n_concerned, n_entities_of_slice), made relation by relation: what holds for a relation whatever the
        # source is one row for all of its queries.
        rows = np.flatnonzero(self._concerned[relations])
        sources, relations = sources[rows], relations[rows]
        first, stop, _ = entities.indices(self._n_entities)
        mask = np.zeros((len(rows), stop - first), dtype=bool)
        functional = self.constraints.functional
        for relation in np.unique(relations):
            of_relation = np.flatnonzero(relations == relation)
            for side in (relation, self._reciprocal[relation]):
                allowed = self._may_answer(side)
                if allowed is None:
                    continue
                if side == relation:
                    mask[of_relation] |= ~allowed[first:stop]
                else:
                    mask[of_relation[~allowed[sources[of_relation]]]] = True
            if functional[relation]:
                answered = self._known.answers_of(sources[of_relation], relations[of_relation])[0]
                mask[of_relation[np.unique(answered)]] = True
            reciprocal = self._reciprocal[relation]
            if functional[reciprocal]:
                mask[of_relation] |= self._has_answer[[reciprocal]].toarray()[0, first:stop]
            for other in self._disjoint_with(relation):
                self._mark(mask, of_relation, sources, np.full(len(of_relation), other), first, True)
        self._mark(mask, np.arange(len(rows)), sources, relations, first, False)
        return rows, mask

    def _mark(self, mask, rows, sources, relations, first, value):
        """Set the places of the known answers of some rows."""
        found, answers = self._known.answers_of(sources[rows], relations)
        inside = (answers >= first) & (answers < first + mask.shape[1])
        mask[rows[found[inside]], answers[inside] - first] = value

    def _disjoint_with(self, relation):
        disjoint = self.constraints.disjoint
        return disjoint.indices[slice(*disjoint.indptr[relation : relation + 2])]

    def are_ruled_out(self, ids):
        """Tell which triples are ruled out.

        Parameters
        ----------
        ids : ndarray of shape (n_triples, 3)

        Returns
        -------
        ndarray of shape (n_triples,), dtype bool
        """
        out = np.zeros(len(ids), dtype=bool)
        rows = np.flatnonzero(self._concerned[ids[:, 1]])
        rows = rows[~self._known.contains(ids[rows])]
        for relation in np.unique(ids[rows, 1]):
            of_relation = rows[ids[rows, 1] == relation]
            for _, wrong in self._violations(ids[of_relation], relation):
                out[of_relation] |= wrong
        return out

    def _violations(self, ids, relation):
        """Yield the property and the triples that violate it, of triples of one relation that are not known."""
        heads, _, tails = ids.T
        reciprocal = self._reciprocal[relation]
        yield from self.of_sides(ids, relation)
        for name, side, entities in (("functional", relation, heads), ("inverse_functional", reciprocal, tails)):
            if self.constraints.functional[side]:
                yield name, self._has_answer[[side]].toarray()[0, entities]
        for other in self._disjoint_with(relation):
            yield "disjoint_with", self._known.contains(np.column_stack([heads, np.full(len(ids), other), tails]))

    def of_sides(self, ids, relation):
        """Yield "domain" or "range" and the triples with an entity that may not stand there, of one relation."""
        for name, side, column in (("domain", self._reciprocal[relation], 0), ("range", relation, 2)):
            allowed = self._may_answer(side)
            if allowed is not None:
                yield name, ~allowed[ids[:, column]]

    def reasons(self, source, relation, answer):
        """Why one answer is ruled out, as (property, links); a link is (source, relation or reciprocal, answer)."""
        n_relations = self.constraints.n_relations
        head, tail = (source, answer) if relation < n_relations else (answer, source)
        relation = relation % n_relations
        ids = np.array([[head, relation, tail]])
        if self._known.contains(ids)[0]:
            return []
        found = [name for name, wrong in self._violations(ids, relation) if wrong[0]]
        links = {
            "functional": lambda: self._links(head, relation),
            "inverse_functional": lambda: self._links(tail, self._reciprocal[relation]),
            "disjoint_with": lambda: [
                (head, other, tail)
                for other in self._disjoint_with(relation)
                if self._known.contains(np.array([[head, other, tail]]))[0]
            ],
        }
        return [(name, links[name]() if name in links else []) for name in dict.fromkeys(found)]

    def _links(self, source, relation):
        answers = self._known.answers_of(np.array([source]), np.array([relation]))[1]
        return [(source, int(relation), int(answer)) for answer in answers]
