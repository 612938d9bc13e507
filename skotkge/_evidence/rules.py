"""Which relations imply which: rules of one premise between the same two entities. Arrays in, arrays out."""

import numpy as np
from scipy import sparse

from .._graph.queries import both_directions, distinct_rows, slices
from .._spaces import EvidenceId
from .sparse_scores import SparseEvidence

# A confidence of 1 would be endless evidence.
SUREST_RULE = 0.999

# Links looked at together when rules are asked what they say; a query from a hub has thousands.
LINKS_AT_ONCE = 2**20


class PairLinks:
    """The relations that link each ordered pair of entities, reciprocal ones included.

    A triple (h, r, t) links (h, t) by r and (t, h) by the reciprocal relation ``n_relations + r``.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_entities, n_relations : int

    Attributes
    ----------
    matrix : csr_array of shape (n_pairs, 2 * n_relations)
        1 where a relation links the pair; the pairs in lexicographic order.
    self_loops : ndarray of shape (2 * n_relations,)
        How many triples of the relation link an entity to itself.
    """

    def __init__(self, ids, n_entities, n_relations):
        self._n_entities = n_entities
        sources, relations, answers = both_directions(distinct_rows(ids), n_relations)
        self._keys, pairs = np.unique(sources * n_entities + answers, return_inverse=True)
        shape = len(self._keys), 2 * n_relations
        self.matrix = sparse.csr_array((np.ones(len(pairs)), (pairs, relations)), shape=shape)
        self.self_loops = np.bincount(relations[sources == answers], minlength=2 * n_relations)

    def of(self, sources, answers):
        """Return the rows of the matrix for any pairs, empty where nothing links the two."""
        # Rows of a csr_array by a product with a selection (n_asked, n_pairs), whose rows are empty where no pair is.
        keys = sources * self._n_entities + answers
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        rows = np.flatnonzero((self._keys[places] == keys) & (sources >= 0) & (answers >= 0))
        pick = sparse.csr_array((np.ones(len(rows)), (rows, places[rows])), shape=(len(keys), len(self._keys)))
        return (pick @ self.matrix).tocsr()


def rule_confidences(links, smoothing):
    """How often two entities that one relation links are linked by another one too.

    Parameters
    ----------
    links : PairLinks
    smoothing : float
        Pairs without the conclusion that are imagined for each premise, so that rules seen once or twice count less.

    Returns
    -------
    csr_array of shape (2 * n_relations, 2 * n_relations)
        Row b, column r: pairs linked by b and by r, divided by those linked by b and `smoothing`. With r below
        ``n_relations``, b from there on is a relation in the other direction. The diagonal is empty. Self-loops do not
        count for a relation and its own reciprocal: one triple is both.
    """
    # L (n_pairs, 2 n_relations) of 0 and 1: (L'L)[b, r] pairs are linked by both b and r, and column b of L has its
    # support; l[r] of both are self-loops.
    together = (links.matrix.T @ links.matrix).tocoo()
    support = np.bincount(links.matrix.indices, minlength=links.matrix.shape[1])
    rules = together.row != together.col
    premises, conclusions = together.row[rules], together.col[rules]
    loops = links.self_loops[premises] * (premises == reciprocal(conclusions, links.matrix.shape[1]))
    n_both, n_premises = together.data[rules] - loops, support[premises] - loops
    kept = n_both > 0
    confidences = n_both[kept] / (n_premises[kept] + smoothing)
    return sparse.csr_array((confidences, (premises[kept], conclusions[kept])), shape=together.shape)


def reciprocal(relations, n_sides):
    """The same relations in the other direction, of `n_sides` with reciprocals."""
    return (relations + n_sides // 2) % n_sides


def at_least(confidences, threshold):
    """Return the rules of at least this confidence."""
    rules = confidences.tocoo()
    kept = rules.data >= threshold
    return sparse.csr_array((rules.data[kept], (rules.row[kept], rules.col[kept])), shape=rules.shape)


def count_rules(ids, n_entities, n_relations, *, smoothing=1.0, min_confidence=0.0, certain=None):
    """Return the `FiredRules` of true triples, without rules of less than a confidence; certain ones have 1."""
    ids = distinct_rows(ids)
    confidences = rule_confidences(PairLinks(ids, n_entities, n_relations), smoothing)
    confidences = confidences if certain is None else sparse.csr_array(confidences.maximum(certain))
    return FiredRules(ids, n_entities, n_relations, at_least(confidences, min_confidence))


class FiredRules:
    """What the links of the source of a query say about its answers: the confidence of the surest rule that fires.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
        Distinct triples.
    n_entities, n_relations : int
    confidences : csr_array of shape (2 * n_relations, 2 * n_relations)
        From `rule_confidences`.
    """

    def __init__(self, ids, n_entities, n_relations, confidences):
        # Plain arrays: skops trusts no sparse ones.
        self._parts, self._shape = (confidences.data, confidences.indices, confidences.indptr), confidences.shape
        self._n_entities = n_entities
        sources, relations, answers = both_directions(ids, n_relations)
        pairs = sources * n_entities + answers
        order = np.argsort(pairs, kind="stable")
        self._relations, self._pairs = relations[order], pairs[order]

    def state(self):
        """Return plain values and arrays."""
        return {
            "parts": self._parts,
            "shape": self._shape,
            "n_entities": self._n_entities,
            "relations": self._relations,
            "pairs": self._pairs,
        }

    @classmethod
    def from_state(cls, state):
        """Return the rules that `state` was made of."""
        rules = cls.__new__(cls)
        vars(rules).update({f"_{name}": value for name, value in state.items()})
        return rules

    @property
    def confidences(self):
        """The confidences of the rules as a csr_array."""
        return sparse.csr_array(self._parts, shape=self._shape)

    def of(self, sources, relations):
        """What the rules answer to queries.

        Returns
        -------
        rows, answers : ndarray of shape (n_fired,), dtype int
            Each query, in order, with each answer for which a rule fires. Sources that are no entities have none.
        confidences : ndarray of shape (n_fired,)
        """
        starts, stops = np.searchsorted(self._pairs, [sources * self._n_entities, (sources + 1) * self._n_entities])
        rows, pairs, confidences = self._surest(starts, stops, relations)
        return rows, pairs % self._n_entities, confidences

    def of_pairs(self, sources, relations, answers):
        """Return the confidence for each query with one answer, 0 where no rule fires."""
        pairs = sources * self._n_entities + answers
        starts = np.searchsorted(self._pairs, pairs)
        stops = np.where(answers < self._n_entities, np.searchsorted(self._pairs, pairs, side="right"), starts)
        rows, _, confidences = self._surest(starts, stops, relations)
        surest = np.zeros(len(sources))
        surest[rows] = confidences
        return surest

    def scored(self, sources, relations):
        """`of` with scores ``-log(1 - confidence)``."""
        rows, answers, confidences = self.of(sources, relations)
        return rows, answers, evidence_of_confidence(confidences)

    def scored_pairs(self, sources, relations, answers):
        """`of_pairs` with scores ``-log(1 - confidence)``."""
        return evidence_of_confidence(self.of_pairs(sources, relations, answers))

    def facts(self, source, relation, answer):
        """The rules that fire for one pair of entities, surest first, as facts of `Evidence`."""
        return [
            ("rule of confidence", confidence, [(source, premise, answer)])
            for premise, confidence in self.premises_of(source, relation, answer)
        ]

    def premises_of(self, source, relation, answer):
        """Premises between one pair of entities, as (relation or reciprocal, confidence), the surest first."""
        if answer >= self._n_entities or source >= self._n_entities:
            return []
        pair = source * self._n_entities + answer
        premises = self._relations[slice(*np.searchsorted(self._pairs, [pair, pair + 1]))]
        if source == answer:
            premises = premises[premises != reciprocal(relation, self._shape[0])]
        confidences = self.confidences[:, [relation]].toarray()[premises, 0]
        order = np.argsort(-confidences, kind="stable")
        return [(int(premises[i]), float(confidences[i])) for i in order if confidences[i] > 0]

    def _surest(self, starts, stops, relations):
        """Query, pair and confidence of the surest rule, of slices of links that are asked for one relation each."""
        # Links are sorted by pair, so that all premises between a source and an answer are neighbours: the maximum over
        # each run of equal pairs.
        batches = np.flatnonzero(np.diff(np.cumsum(stops - starts) // LINKS_AT_ONCE, prepend=-1))
        found = [(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))]
        for first, last in zip(batches, [*batches[1:], len(starts)], strict=True):
            counts = stops[first:last] - starts[first:last]
            if not counts.any():
                continue
            rows, links = np.repeat(np.arange(first, last), counts), slices(starts[first:last], counts)
            fired = np.asarray(self.confidences[self._relations[links], relations[rows]]).ravel()
            rows, links, fired = rows[fired > 0], links[fired > 0], fired[fired > 0]
            pairs = self._pairs[links]
            # A self-loop is no premise for itself.
            is_loop = pairs // self._n_entities == pairs % self._n_entities
            other = ~is_loop | (self._relations[links] != reciprocal(relations[rows], self._shape[0]))
            rows, pairs, fired = rows[other], pairs[other], fired[other]
            if len(rows):
                groups = np.flatnonzero((np.diff(rows, prepend=-1) != 0) | (np.diff(pairs, prepend=-1) != 0))
                found.append((rows[groups], pairs[groups], np.maximum.reduceat(fired, groups)))
        return tuple(np.concatenate(arrays) for arrays in zip(*found, strict=True))


class RuleEvidence(SparseEvidence):
    """The most confident rule that speaks for an answer, by `FiredRules`."""

    def facts(self, source, relation, answer):
        """The rules that fire, surest first, each with the triple that it starts from; see `Evidence`."""
        return self.rules.facts(source, relation, answer)

    def state(self):
        """Return plain values and arrays."""
        return {"id": tuple(self.id), "n_entities": self.n_entities, "rules": self.rules.state()}

    @classmethod
    def from_state(cls, state):
        """Return the evidence that `state` was made of."""
        return cls(EvidenceId(*state["id"]), FiredRules.from_state(state["rules"]), state["n_entities"])


def evidence_of_confidence(confidences):
    """Return ``-log(1 - confidence)``: of two rules, one half as likely to fail says log 2 more."""
    return -np.log1p(-np.minimum(confidences, SUREST_RULE))
