"""Rules of two premises against a search through all paths."""

import itertools

import numpy as np
import pytest
import torch

from skotkge import OTKGEClassifier
from skotkge._evidence import paths
from skotkge._evidence.paths import PathEvidence, count_paths, path_rules

N_ENTITIES, N_RELATIONS = 12, 3


@pytest.fixture(scope="module")
def ids():
    rng = np.random.RandomState(0)
    drawn = [rng.randint(size, size=90) for size in (N_ENTITIES, N_RELATIONS, N_ENTITIES)]
    return np.unique(np.column_stack(drawn), axis=0)


@pytest.fixture(scope="module")
def linked_by(ids):
    """Pairs that each path of two relations links, by looking at all links twice."""
    links = {(h, r, t) for h, r, t in ids.tolist() if h != t}
    links |= {(t, r + N_RELATIONS, h) for h, r, t in links}
    pairs = {path: set() for path in itertools.product(range(2 * N_RELATIONS), repeat=2)}
    for (x, a, z), (begin, b, y) in itertools.product(links, repeat=2):
        if begin == z and x != y:
            pairs[a, b].add((x, y))
    return pairs


def by_rule(rules):
    found = zip(rules.first, rules.second, rules.conclusions, rules.confidences, strict=True)
    return {tuple(rule): confidence for *rule, confidence in found}


def all_queries():
    return np.repeat(np.arange(N_ENTITIES), 2 * N_RELATIONS), np.tile(np.arange(2 * N_RELATIONS), N_ENTITIES)


def dense(rules):
    sources, relations = all_queries()
    rows, answers, scores = rules.scored(sources, relations)
    table = np.zeros((len(sources), N_ENTITIES))
    table[rows, answers] = scores
    return table


def test_confidences_are_shares_of_the_pairs_that_a_path_links(ids, linked_by):
    links = {(h, r, t) for h, r, t in ids.tolist()} | {(t, r + N_RELATIONS, h) for h, r, t in ids.tolist()}
    expected = {}
    for path, pairs in linked_by.items():
        for conclusion in range(2 * N_RELATIONS):
            hits = sum((x, conclusion, y) in links for x, y in pairs)
            if hits >= paths.FEWEST_HITS:
                expected[*path, conclusion] = hits / (len(pairs) + paths.SMOOTHING)
    assert by_rule(count_paths(ids, N_ENTITIES, N_RELATIONS)) == pytest.approx(expected)


def test_scores_are_those_of_a_search_through_all_paths(ids, linked_by):
    rules = count_paths(ids, N_ENTITIES, N_RELATIONS)
    confidences = by_rule(rules)
    expected = np.zeros((N_ENTITIES * 2 * N_RELATIONS, N_ENTITIES))
    for row, (x, relation) in enumerate(zip(*all_queries(), strict=True)):
        for y in range(N_ENTITIES):
            fired = [c for (a, b, r), c in confidences.items() if r == relation and (x, y) in linked_by[a, b]]
            expected[row, y] = sum(paths.DISCOUNT**i * -np.log1p(-c) for i, c in enumerate(sorted(fired)[::-1]))
    assert expected.max() > 0
    np.testing.assert_allclose(dense(rules), expected, atol=1e-12)


def test_one_answer_scores_as_in_the_list_of_all(ids):
    rules = count_paths(ids, N_ENTITIES, N_RELATIONS)
    sources, relations = (np.repeat(array, N_ENTITIES) for array in all_queries())
    answers = np.tile(np.arange(N_ENTITIES), N_ENTITIES * 2 * N_RELATIONS)
    np.testing.assert_array_equal(rules.scored_pairs(sources, relations, answers), dense(rules).ravel())


@pytest.mark.parametrize("limits", [{"AT_ONCE": 50}, {"LARGEST_TABLE": 0}])
def test_memory_limits_change_nothing(ids, limits, monkeypatch):
    whole = count_paths(ids, N_ENTITIES, N_RELATIONS)
    scores = dense(whole)
    for name, value in limits.items():
        monkeypatch.setattr(paths, name, value)
    parts = count_paths(ids, N_ENTITIES, N_RELATIONS)
    np.testing.assert_array_equal(parts.confidences, whole.confidences)
    np.testing.assert_array_equal(dense(parts), scores)


def test_rules_with_too_many_groundings_are_silent(ids, monkeypatch):
    before = np.count_nonzero(dense(count_paths(ids, N_ENTITIES, N_RELATIONS)))
    monkeypatch.setattr(paths, "GROUNDINGS_OF_A_QUERY", 3)
    assert 0 < np.count_nonzero(dense(count_paths(ids, N_ENTITIES, N_RELATIONS))) < before


def test_of_unseen_entities_no_path_tells(ids):
    evidence = path_rules(ids, N_ENTITIES, N_RELATIONS, 0).extended(["new"])
    scores = evidence.on("cpu")
    of = scores.queries(torch.tensor([0, N_ENTITIES, 0]), torch.tensor([0, 0, 0]))
    assert scores.pair_scores(of, torch.tensor([N_ENTITIES, 0, 0])).tolist() == [0, 0, 0]
    out = torch.zeros(3, N_ENTITIES + 1)
    scores.add_scores(slice(None), of, 1.0, out)
    assert not out[1].any()
    assert not out[:, N_ENTITIES].any()
    assert not evidence.facts(0, 0, N_ENTITIES)


def test_no_links_have_no_rules():
    rules = count_paths(np.empty((0, 3), dtype=np.int64), 2, 1)
    assert not len(rules.confidences)
    assert not len(rules.scored(np.array([0]), np.array([0]))[0])


def test_state_gives_the_same_scores(ids):
    evidence = path_rules(ids, N_ENTITIES, N_RELATIONS, 0)
    np.testing.assert_array_equal(dense(PathEvidence.from_state(evidence.state()).rules), dense(evidence.rules))


def test_explanation_names_the_path():
    """Everyone lives in the country of the city of birth, but for one of whom only the city is told."""
    born = [(f"person {i}", "born_in", f"city {i % 4}") for i in range(16)]
    lies = [(f"city {i}", "lies_in", f"country {i % 2}") for i in range(4)]
    lives = [(f"person {i}", "lives_in", f"country {i % 2}") for i in range(15)]
    model = OTKGEClassifier(evidence=("rules",), early_stopping=False, random_state=0).fit(born + lies + lives)
    answers = model.complete([("person 15", "lives_in", None)], k=2)
    assert answers.labels[0, 0] == "country 1"
    facts = model.explain([("person 15", "lives_in", "country 1")]).facts[0]
    told = [fact.triples for fact in facts if fact.evidence == "rules of paths" and fact.side == "tail"]
    assert (("person 15", "born_in", "city 3"), ("city 3", "lies_in", "country 1")) in told
