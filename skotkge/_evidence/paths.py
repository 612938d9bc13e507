"""Rules of two premises: which paths of two links imply which relation. Arrays in, arrays out.

``r(x, y) <- b(x, z), c(z, y)`` with relations b, c in either direction. Its confidence is the share of the pairs (x, y)
that the path links, z whatever it may be, that r links too. A path never runs through the triple that it speaks for:
self-loops are no links of a path, so that z is neither x nor y.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from .._graph.queries import both_directions, distinct_rows, slices
from .._spaces import RULES, EvidenceId
from .rules import PairLinks, evidence_of_confidence
from .sparse_scores import SparseEvidence

# Pairs that a rule is imagined to have got wrong, and those that it must have got right: there are so many paths that
# some hold by chance.
SMOOTHING = 5.0
FEWEST_HITS = 2
# The surest rules of each relation and direction.
RULES_OF_A_RELATION = 50
# What the next surest rule for an answer counts beside the one before it. 0 is the surest alone, 1 the noisy-or of all,
# as if rules were independent; on valid splits .3 was best or within .003 of it.
DISCOUNT = 0.3
SHOWN_PATHS = 5
# Groundings (x, z, y) that rules are counted in; on larger graphs those of randomly chosen x. Without x of which there
# are more than the second number: rules that fire there say as good as nothing.
COUNTED_GROUNDINGS = 2**22
COUNTED_OF_A_SOURCE = 2**15
# A rule that has more groundings for a query is silent there.
GROUNDINGS_OF_A_QUERY = 1000
# Entities times relations for which the place of their links is kept; it is searched for in larger graphs.
LARGEST_TABLE = 2**24
# Groundings looked at together.
AT_ONCE = 2**19


class TwoSteps:
    """The links of true triples, to follow two in a row.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
        Distinct triples.
    n_entities, n_relations : int
    """

    def __init__(self, ids, n_entities, n_relations):
        self.n_entities, self.n_kinds = n_entities, 2 * n_relations
        sources, relations, answers = both_directions(ids[ids[:, 0] != ids[:, 2]], n_relations)
        # Sorted by source, relation and answer, each link is one number.
        self.keys = np.sort((sources * self.n_kinds + relations) * n_entities + answers)

    @cached_property
    def answers(self):
        """Where each link leads."""
        return self.keys % self.n_entities

    @cached_property
    def relations(self):
        """The relation of each link."""
        return self.keys // self.n_entities % self.n_kinds

    @cached_property
    def first_of(self):
        """Position of the first link of each entity, and last the number of links."""
        return np.searchsorted(self.keys, np.arange(self.n_entities + 1) * self.n_kinds * self.n_entities)

    @cached_property
    def _table(self):
        """Position of the first link of each entity by each relation; None where that would be too large."""
        n_queries = self.n_entities * self.n_kinds
        if n_queries > LARGEST_TABLE:
            return None
        counts = np.bincount(self.keys // self.n_entities, minlength=n_queries)
        return np.append(0, np.cumsum(counts)).astype(np.int32 if len(self.keys) < 2**31 else np.int64)

    def of(self, sources, relations):
        """Positions of the links of entities by a relation each: starts and counts."""
        # The links of an entity by a relation are a slice of the sorted keys: its ends are in the table, or found by
        # bisection.
        asked = sources * self.n_kinds + relations
        if self._table is not None:
            starts = self._table[asked]
            return starts, self._table[asked + 1] - starts
        starts = np.searchsorted(self.keys, asked * self.n_entities)
        return starts, np.searchsorted(self.keys, (asked + 1) * self.n_entities) - starts

    def contain(self, sources, relations, answers):
        """Tell which links there are."""
        asked = (sources * self.n_kinds + relations) * self.n_entities + answers
        places = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        return self.keys[places] == asked if len(self.keys) else np.zeros(len(asked), dtype=bool)


def path_rules(ids, n_entities, n_relations, seed):
    """Return the `PathEvidence` of true triples, see `count_paths`."""
    rules = count_paths(ids, n_entities, n_relations, seed)
    return PathEvidence(EvidenceId(RULES, "paths"), rules, n_entities)


def count_paths(ids, n_entities, n_relations, seed=0):
    """Count which paths of two links imply which relation.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_entities, n_relations : int
    seed : int, default=0
        Chooses the entities x that rules are counted at where all have more than `COUNTED_GROUNDINGS`.

    Returns
    -------
    PathRules
    """
    ids, random_state = distinct_rows(ids), np.random.RandomState(seed)
    steps, linked = TwoSteps(ids, n_entities, n_relations), PairLinks(ids, n_entities, n_relations)
    counted = _Counted(steps.n_kinds)
    for sources in _counted_sources(steps, random_state):
        counted.add(*_pairs_of_paths(steps, sources), linked)
    return PathRules(steps, *counted.surest_rules())


def _counted_sources(steps, random_state):
    """Yield entities whose paths are counted, `AT_ONCE` groundings at a time."""
    # x has sum_z deg(z) groundings over its links (x, z): differences of one cumulated sum over all links.
    degrees = np.diff(steps.first_of)
    two_steps = np.append(0, np.cumsum(degrees[steps.answers]))
    n_groundings = two_steps[steps.first_of[1:]] - two_steps[steps.first_of[:-1]]
    sources = random_state.permutation(np.flatnonzero((n_groundings > 0) & (n_groundings <= COUNTED_OF_A_SOURCE)))
    total = np.cumsum(n_groundings[sources])
    sources = sources[total <= COUNTED_GROUNDINGS]
    for batch in batches(n_groundings[sources], AT_ONCE):
        yield sources[batch]


def _pairs_of_paths(steps, sources):
    """Distinct (path, x, y) of some x; a path is ``first relation * n_kinds + second relation``."""
    # The links (x, b, z) of the sources joined with all links (z, c, y) of their ends. A grounding is one number,
    # (path, x, y) without z, so that sorting makes the pairs of each path distinct.
    degrees = np.diff(steps.first_of)
    first = slices(steps.first_of[sources], degrees[sources])
    xs, middles = np.repeat(np.arange(len(sources)), degrees[sources]), steps.answers[first]
    second = slices(steps.first_of[middles], degrees[middles])
    xs, begun = np.repeat(xs, degrees[middles]), np.repeat(steps.relations[first], degrees[middles])
    paths, answers = begun * steps.n_kinds + steps.relations[second], steps.answers[second]
    returned = answers == sources[xs]
    keys = distinct(((paths * len(sources) + xs) * steps.n_entities + answers)[~returned])
    keys, answers = np.divmod(keys, steps.n_entities)
    paths, xs = np.divmod(keys, len(sources))
    return paths, sources[xs], answers


class _Counted:
    """How many pairs each path links, and how many of these each relation links too."""

    def __init__(self, n_kinds):
        self._n_kinds = n_kinds
        self._paths, self._hits = [], []

    def add(self, paths, sources, answers, linked):
        """Count distinct pairs."""
        self._paths.append(np.unique(paths, return_counts=True))
        links = linked.of(sources, answers).tocoo()
        self._hits.append(np.unique(paths[links.row] * self._n_kinds + links.col, return_counts=True))

    def surest_rules(self):
        """First and second premise, conclusion and confidence of rules, the surest of each conclusion first."""
        # c(b, c => r) = (pairs that path and r link) / (pairs that the path links + SMOOTHING). Sorted by conclusion
        # and falling confidence, the rank of a rule among those of r is its position less that of the first.
        paths, n_linked = _summed(self._paths)
        rules, n_hits = _summed(self._hits)
        kept = n_hits >= FEWEST_HITS
        rules, n_hits = rules[kept], n_hits[kept]
        premises, conclusions = np.divmod(rules, self._n_kinds)
        confidences = n_hits / (n_linked[np.searchsorted(paths, premises)] + SMOOTHING)
        order = np.lexsort((premises, -confidences, conclusions))
        starts = np.searchsorted(conclusions[order], conclusions[order])
        order = order[np.arange(len(order)) - starts < RULES_OF_A_RELATION]
        first, second = np.divmod(premises[order], self._n_kinds)
        return first, second, conclusions[order], confidences[order]


def _summed(counts):
    """Sums of counts that were taken in parts."""
    if not counts:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    keys, places = np.unique(np.concatenate([keys for keys, _ in counts]), return_inverse=True)
    return keys, np.bincount(places, np.concatenate([n for _, n in counts]), len(keys)).astype(np.int64)


def distinct(keys):
    """Return sorted distinct integers; faster here than the hashes of `numpy.unique`."""
    keys = np.sort(keys)
    return keys[np.diff(keys, prepend=-1) != 0]


def batches(counts, largest):
    """Yield slices of consecutive counts that sum to about `largest`."""
    starts = np.flatnonzero(np.diff(np.cumsum(counts) // largest, prepend=-1))
    for start, stop in pairwise([*starts.tolist(), len(counts)]):
        yield slice(start, stop)


def whole_queries(rows, counts):
    """Yield slices of sorted rows with counts that sum to about `AT_ONCE`, all rows of a query in one."""
    if len(rows):
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        bounds = np.append(starts, len(rows))
        for part in batches(np.add.reduceat(counts, starts), AT_ONCE):
            yield slice(bounds[part.start], bounds[part.stop])


@dataclass(frozen=True)
class PathRules:
    """Rules of two premises, and what they say of answers.

    Attributes
    ----------
    steps : TwoSteps
    first, second, conclusions : ndarray of shape (n_rules,)
        Relations or reciprocals; sorted by conclusion, the surest rule first.
    confidences : ndarray of shape (n_rules,)
    """

    steps: TwoSteps
    first: np.ndarray
    second: np.ndarray
    conclusions: np.ndarray
    confidences: np.ndarray

    def scored(self, sources, relations):
        """What the rules answer to queries.

        Returns
        -------
        rows, answers : ndarray of shape (n_fired,), dtype int
            Each query, in order, with each answer, in order, for which a rule fires.
        scores : ndarray of shape (n_fired,)
            ``sum_i DISCOUNT^i (-log(1 - c_i))`` over the confidences c_0 >= c_1 >= ... of the rules that fire.
        """
        found = []
        for rows, rules, _, starts, counts in self._middles(sources, relations):
            rows, rules = np.repeat(rows, counts), np.repeat(rules, counts)
            answers = self.steps.answers[slices(starts, counts)]
            found.append(self._by_answer(rows, answers, rules, answers != sources[rows]))
        return _joined(found)

    def scored_pairs(self, sources, relations, answers):
        """Return the score for each query with one answer, 0 where no rule fires."""
        scores = np.zeros(len(sources))
        # Of an unseen entity, and of the source itself, no path tells.
        can_answer = (answers != sources) & (answers < self.steps.n_entities)
        for rows, rules, middles, _, _ in self._middles(sources, relations):
            ends = self.steps.contain(middles, self.second[rules], answers[rows]) & can_answer[rows]
            queries, _, found = self._by_answer(rows, answers[rows], rules, ends)
            scores[queries] = found
        return scores

    def paths_of(self, source, relation, answer):
        """The paths that speak for one answer, as (confidence, first premise, middle, second premise), surest first."""
        source, relation, answer = (np.array([id]) for id in (source, relation, answer))
        if answer[0] >= self.steps.n_entities or source[0] == answer[0]:
            return []
        for rows, rules, middles, _, _ in self._middles(source, relation):
            ends = self.steps.contain(middles, self.second[rules], answer[rows])
            rules, places = np.unique(rules[ends], return_index=True)
            middles = middles[ends][places]
            return [
                (float(self.confidences[rule]), int(self.first[rule]), int(middle), int(self.second[rule]))
                for rule, middle in list(zip(rules, middles, strict=True))[:SHOWN_PATHS]
            ]
        return []

    def _middles(self, sources, relations):
        """Yield the first step of each rule for each query, whole queries at a time.

        Yields
        ------
        rows, rules, middles : ndarray of shape (n_steps,)
            Query, sorted; rule; and entity that the first step leads to.
        starts, counts : ndarray of shape (n_steps,)
            The links of the second step.
        """
        first_rule = np.searchsorted(self.conclusions, np.arange(self.steps.n_kinds + 1))
        queries = np.flatnonzero(sources < self.steps.n_entities)
        n_rules = np.diff(first_rule)[relations[queries]]
        for part in batches(n_rules, AT_ONCE):
            rows = np.repeat(queries[part], n_rules[part])
            rules = slices(first_rule[relations[queries[part]]], n_rules[part])
            starts, counts = self.steps.of(sources[rows], self.first[rules])
            fires = (counts > 0) & (counts <= GROUNDINGS_OF_A_QUERY)
            rows, rules, starts, counts = (array[fires] for array in (rows, rules, starts, counts))
            for some in whole_queries(rows, counts):
                yield from self._second_steps(rows[some], rules[some], starts[some], counts[some])

    def _second_steps(self, rows, rules, starts, counts):
        """`_middles` of some first steps, without rules that have too many groundings."""
        steps = np.repeat(np.arange(len(rows)), counts)
        middles = self.steps.answers[slices(starts, counts)]
        starts, counts = self.steps.of(middles, self.second[rules[steps]])
        fires = (counts > 0) & (np.bincount(steps, counts, len(rows))[steps] <= GROUNDINGS_OF_A_QUERY)
        steps, middles, starts, counts = (array[fires] for array in (steps, middles, starts, counts))
        rows, rules = rows[steps], rules[steps]
        for some in whole_queries(rows, counts):
            yield rows[some], rules[some], middles[some], starts[some], counts[some]

    def _by_answer(self, rows, answers, rules, counts):
        """Rows and answers of the fired rules that count, in order, each pair once, with their score."""
        rows, answers, rules = rows[counts], answers[counts], rules[counts]
        # Rules of a conclusion are sorted, the surest first.
        fired = distinct((rows * self.steps.n_entities + answers) * len(self.first) + rules)
        fired, rules = np.divmod(fired, max(1, len(self.first)))
        pairs = np.flatnonzero(np.diff(fired, prepend=-1))
        place = np.arange(len(fired)) - np.repeat(pairs, np.diff(np.append(pairs, len(fired))))
        scores = evidence_of_confidence(self.confidences[rules]) * DISCOUNT**place
        rows, answers = np.divmod(fired[pairs], self.steps.n_entities)
        return rows, answers, np.add.reduceat(scores, pairs) if len(pairs) else scores


def _joined(found):
    """Arrays of parts, one after the other."""
    empty = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0)
    return tuple(np.concatenate(arrays) for arrays in zip(empty, *found, strict=True))


class PathEvidence(SparseEvidence):
    """The paths of two links that speak for an answer, by `PathRules`."""

    def facts(self, source, relation, answer):
        """The paths that speak for an answer, surest first, each with its two triples; see `Evidence`."""
        return [
            ("path of confidence", confidence, [(source, first, middle), (middle, second, answer)])
            for confidence, first, middle, second in self.rules.paths_of(source, relation, answer)
        ]

    def state(self):
        """Return plain values and arrays."""
        rules = self.rules
        steps = {name: getattr(rules.steps, name) for name in ("keys", "n_entities", "n_kinds")}
        counted = {name: getattr(rules, name) for name in ("first", "second", "conclusions", "confidences")}
        return {"id": tuple(self.id), "n_entities": self.n_entities, "steps": steps, "rules": counted}

    @classmethod
    def from_state(cls, state):
        """Return the evidence that `state` was made of."""
        steps = TwoSteps.__new__(TwoSteps)
        vars(steps).update(state["steps"])
        return cls(EvidenceId(*state["id"]), PathRules(steps, **state["rules"]), state["n_entities"])
