"""Two graphs that do not have the same: relations, modalities, rows of modalities, entities."""

import numpy as np
import pytest

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher

N, N_RELATIONS, WIDTH = 90, 3, 6


@pytest.fixture(scope="module")
def drawn():
    """Ids of triples, and text of the same entities in both graphs."""
    rng = np.random.RandomState(0)
    ids = np.unique(rng.randint([N, N_RELATIONS, N], size=(600, 3)), axis=0)
    text = rng.standard_normal((N, WIDTH))
    return ids, text, text + 0.3 * rng.standard_normal(text.shape)


def graph(side, ids, modalities, n=N, relation="r"):
    entities = [f"{side}{number}" for number in range(n)]
    triples = [(f"{side}{head}", f"{relation}{name}", f"{side}{tail}") for head, name, tail in ids]
    return MultimodalTriples(triples, {name: rows[:n] for name, rows in modalities.items()}, entities=entities)


def pairs_of(X, Y, n=N):
    order = np.random.RandomState(1).permutation(n)
    return EntityPairs([(f"x{number}", f"y{number}") for number in order], X, Y)


def score(pairs, views="auto"):
    return OTEntityMatcher(n_rounds=2, n_hops=2, views=views, random_state=0).fit(pairs[:30]).score(pairs[30:])


def test_relations_of_other_names(drawn):
    ids, _, _ = drawn
    pairs = pairs_of(graph("x", ids, {}), graph("y", ids, {}, relation="other "))
    assert score(pairs, ["structure"]) > 0.9


def test_a_modality_that_the_other_side_lacks_changes_nothing_to_compare(drawn):
    ids, text, _ = drawn
    pairs = pairs_of(graph("x", ids, {"text": text}), graph("y", ids, {}))
    matcher = OTEntityMatcher(n_rounds=1, views=["structure"], random_state=0).fit(pairs[:30])
    assert matcher.score(pairs[30:]) > 0.9
    with pytest.raises(ValueError, match="views has 'text'"):
        OTEntityMatcher(views=["text"]).fit(pairs[:30])


def test_a_modality_of_other_width_is_compared_across(drawn):
    ids, text, other = drawn
    pairs = pairs_of(graph("x", ids, {"text": text}), graph("y", ids, {"text": other[:, :4]}))
    matcher = OTEntityMatcher(n_rounds=1, views=["structure", "across"], random_state=0).fit(pairs[:30])
    assert "across" in matcher.view_weights_


def test_missing_rows_are_told_by_the_structure(drawn):
    ids, text, other = drawn
    other = other.copy()
    other[::3] = np.nan
    pairs = pairs_of(graph("x", ids, {"text": text}), graph("y", ids, {"text": other}))
    assert score(pairs, ["structure", "text"]) > 0.9


def test_more_entities_on_one_side(drawn):
    ids, text, other = drawn
    few = ids[(ids[:, [0, 2]] < 60).all(axis=1)]
    X, Y = graph("x", ids, {"text": text}), graph("y", few, {"text": other}, n=60)
    pairs = pairs_of(X, Y, n=60)
    turned = EntityPairs(pairs.labels[:, ::-1], Y, X)
    for given in (pairs, turned):
        assert score(given, ["structure", "text"]) > 0.8
