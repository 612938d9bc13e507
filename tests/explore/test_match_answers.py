"""What the pages tell of a matcher, compared with its own answers."""

import numpy as np
import pytest
from explored import HOSTILE

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher
from skotkge._explore.folders import read_folder
from skotkge._explore.matches import MatchAnswers


@pytest.fixture(scope="module")
def matcher():
    return fitted_matcher()


def fitted_matcher():
    """Of two graphs of 30 entities with nearly the same vectors."""
    rng = np.random.RandomState(0)
    vectors = rng.standard_normal((30, 6))
    first = [f"x{i}" for i in range(22)] + HOSTILE[:8]
    second = [f"y{i}" for i in range(22)] + [f"y of {label}" for label in HOSTILE[:8]]
    links = np.unique(rng.randint(30, size=(80, 2)), axis=0)
    noise = 0.1 * rng.standard_normal((30, 6))
    X = MultimodalTriples([(first[h], "r", first[t]) for h, t in links], {"v": vectors}, entities=first)
    Y = MultimodalTriples([(second[h], "s", second[t]) for h, t in links], {"v": vectors + noise}, entities=second)
    return OTEntityMatcher(random_state=0).fit(EntityPairs([("x0", "y0"), ("x1", "y1")], X, Y))


@pytest.fixture(scope="module")
def answers(matcher):
    return MatchAnswers(matcher)


def test_candidates_come_in_the_order_of_the_plan(answers, matcher):
    for label in ("x0", "x5", HOSTILE[0]):
        entity = answers.tables["X"].find(label)
        found = answers.candidates(0, entity, n=12)
        ranks = matcher.rank(np.array([answers.labels(match.pair) for match in found], dtype=object))
        assert (np.diff(ranks) >= 0).all()
        assert ranks[0] == 1
        probabilities = matcher.match_proba([answers.labels(match.pair) for match in found])
        assert [match.probability for match in found] == pytest.approx(probabilities.tolist())
        told = [answers.labels(match.pair)[1] for match in found if match.told]
        (predicted,) = matcher.predict([label])
        assert told == ([] if predicted is None else [predicted])


def test_candidates_of_the_other_side_are_the_same_pairs(answers):
    first = {match for entity in range(30) for match in answers.candidates(0, entity, n=30)}
    second = {match for entity in range(30) for match in answers.candidates(1, entity, n=30)}
    assert first == second


def test_all_matches_are_told(answers, matcher):
    told = [(*answers.labels(match.pair), match.probability) for match in answers.found]
    assert told == [tuple(match) for match in matcher.matches_]
    assert len(told) > 20


def test_links_come_from_the_folders(matcher, tmp_path):
    (tmp_path / "train.tsv").write_text("x3\tr\tx4\nx4\tr\tx5\nother\tr\tx4\nx4\tr\tx4\n")
    read = lambda path: np.array([line.split("\t") for line in path.read_text().splitlines()], dtype=object)  # noqa: E731
    graphs = MatchAnswers(matcher, [read_folder(tmp_path, read)]).graphs
    x4 = graphs[0].entities.find("x4")
    links, total = graphs[0].links(x4)
    assert sorted(links) == [("other", "r", "x4"), ("x3", "r", "x4"), ("x4", "r", "x4"), ("x4", "r", "x5")]
    assert total == 4
    assert len(graphs[0].links(x4, n=2)[0]) == 2
    assert graphs[0].links(graphs[0].entities.find("x9")) == ([], 0)
    assert graphs[1].links(0) == ([], 0)
