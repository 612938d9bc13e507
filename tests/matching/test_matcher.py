"""Matching of two graphs that are the same one under other names."""

import numpy as np
import pytest

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher


@pytest.fixture(scope="module")
def two():
    """A random graph of 120 entities; the same one, renamed and shuffled, without a tenth of the triples."""
    rng = np.random.RandomState(0)
    n, names = 120, [f"r{number}" for number in range(4)]
    ids = np.unique(
        np.column_stack([rng.randint(n, size=900), rng.randint(4, size=900), rng.randint(n, size=900)]), axis=0
    )
    text = rng.standard_normal((n, 8))
    first = [f"x{number}" for number in range(n)]
    order = rng.permutation(n)
    second = [f"y{number}" for number in range(n)]
    X = MultimodalTriples(
        [(first[h], names[r], first[t]) for h, r, t in ids], {"text": text}, entities=first, relations=names
    )
    kept = ids[rng.rand(len(ids)) < 0.9]
    noisy = text + 0.3 * rng.standard_normal(text.shape)
    Y = MultimodalTriples(
        [(second[h], names[r], second[t]) for h, r, t in kept],
        {"text": noisy[order]},
        entities=[second[number] for number in order],
        relations=names,
    )
    return EntityPairs(list(zip(first, second, strict=True)), X, Y)


@pytest.mark.parametrize("solver", ["sinkhorn", "partial", "exact"])
def test_structure_alone_finds_the_counterparts(two, solver):
    matcher = OTEntityMatcher(solver, views=["structure"], random_state=0).fit(two[:60])
    assert matcher.score(two[60:]) > 0.9
    assert (matcher.predict(two[60:]) == two.labels[60:, 1]).mean() > 0.8
    assert matcher.evaluate(two[60:], candidates="pairs")["hits@1"] > 0.9


def test_no_known_pairs(two):
    matcher = OTEntityMatcher(random_state=0).fit(EntityPairs([], two.X, two.Y))
    assert matcher.score(two) > 0.9


def test_a_lower_threshold_tells_more_matches(two):
    fitted = {
        level: OTEntityMatcher(
            "partial", views=["structure"], n_hops=1, n_rounds=1, min_probability=level, random_state=0
        ).fit(two[:60])
        for level in (0.0, "f1", 0.5, 1.0)
    }
    counts = [len(fitted[level].matches_) for level in (0.0, "f1", 0.5, 1.0)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
    assert all(match[2] >= 0.5 for match in fitted[0.5].matches_)
    assert 0 < fitted["f1"].min_probability_ <= 0.5
    assert counts[1] >= counts[2]
