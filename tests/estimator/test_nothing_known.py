"""Entities and relations of which nothing is known: they answer nothing, have even odds, and never outrank what is."""

import numpy as np
import pytest

from skotkge import MultimodalTriples, OTKGEClassifier


@pytest.fixture(scope="module")
def triples():
    rng, n = np.random.RandomState(0), 30
    found = [(f"e{i}", "next", f"e{(i + 1) % n}") for i in range(n)]
    found += [(f"e{(i + 1) % n}", "prev", f"e{i}") for i in range(n)]
    found += [(f"e{i}", "in", f"c{i % 6}") for i in range(n)]
    pairs = {tuple(rng.choice(n, 2, replace=False)) for _ in range(60)}
    found += [(f"e{i}", "like", f"e{j}") for i, j in sorted(pairs)]
    return [found[i] for i in rng.permutation(len(found))]


@pytest.fixture(scope="module")
def model(triples):
    # "alone" and "lonely" are in the table and in no triple; nothing has the relation "ghost".
    entities = sorted({entity for head, _, tail in triples for entity in (head, tail)})
    X = MultimodalTriples(
        triples, entities=[*entities, "alone", "lonely"], relations=["in", "like", "next", "prev", "ghost"]
    )
    with pytest.warns(UserWarning, match="2 of 38 entities and 1 of 5 relations have no training triple"):
        return OTKGEClassifier(embedding_dim=8, max_iter=8, validation_fraction=0.2, random_state=0).fit(X)


def test_questions_about_them_have_no_answers(model):
    questions = [("alone", "next", None), (None, "in", "alone"), ("e1", "ghost", None), ("alone", "ghost", None)]
    answers = model.complete(questions, k=3)
    assert all(label is None for label in answers.labels.ravel())
    assert np.isneginf(answers.scores).all()
    assert np.isnan(answers.probabilities).all()
    facts = model.complete([("alone", None, None)], k=3)
    assert all(label is None for label in facts.labels.ravel())
    # The tail is unknown, but what is known of the other direction places it.
    assert "alone" in model.complete([("e1", "next", None)], k=38, known_answers="mark").labels[0]


def test_their_ranks_are_ties(model):
    n_ranked = len(model.entities_)
    assert model.rank([("alone", "ghost", "lonely")]).tolist() == [[(n_ranked + 1) / 2] * 2]


def test_a_relation_without_triples_stands_between_no_two_entities(model):
    questions = [(f"e{i}", None, f"e{(7 * i + 3) % 30}") for i in range(12)]
    answers = model.complete(questions, k=5, known_answers="mark")
    assert "ghost" not in answers.labels
    assert model.complete([("alone", None, "lonely")], k=2).labels.tolist() == [[None, None]]


def test_pairs_of_them_are_not_among_the_likeliest(model):
    everything = model.likeliest_missing(k=6000)
    triples = everything.triples[0][np.isfinite(everything.scores[0])]
    assert 1000 < len(triples) < 6000
    assert "ghost" not in triples[:, 1]
    assert not (np.isin(triples[:, 0], ["alone", "lonely"]) & np.isin(triples[:, 2], ["alone", "lonely"])).any()
    # One of the two sides is enough.
    assert "alone" in triples[:, 0]
    np.testing.assert_array_equal(np.isfinite(everything.probabilities[0]), np.isfinite(everything.scores[0]))


def test_their_odds_are_even(model):
    asked = [("alone", "next", "lonely"), ("e1", "ghost", "e2")]
    assert model.decision_function(asked).tolist() == [0, 0]
    assert model.predict_proba(asked)[:, 1].tolist() == [0.5, 0.5]
    explained = model.explain(asked)
    assert (explained.contributions == 0).all()
    for side in ("head", "tail"):
        assert model.decision_function([("alone", "next", "lonely")], side=side).tolist() == [0]


def test_what_is_forgotten_is_unknown(triples):
    model = OTKGEClassifier(embedding_dim=8, max_iter=4, validation_fraction=0.2, random_state=0).fit(triples)
    model.forget([triple for triple in triples if triple[1] == "prev"])
    answers = model.complete([("e1", "prev", None)], k=3)
    assert answers.labels.tolist() == [[None] * 3]
    assert "prev" not in model.complete([("e2", None, "e1")], k=4).labels


@pytest.mark.parametrize("evidence", [("counts",), "all"])
def test_an_excluded_self_loop_is_false_whatever_the_slope(triples, evidence):
    model = OTKGEClassifier(evidence=evidence, embedding_dim=8, max_iter=3, validation_fraction=0.2, random_state=0)
    model.fit(triples)
    loop = [("e1", "like", "e1")]
    assert model.decision_function(loop)[0] < -900
    assert model.predict(loop).tolist() == [0]
    explained = model.explain(loop)
    np.testing.assert_allclose(explained.log_odds, model.decision_function(loop), rtol=1e-12)
    assert explained.by_kind()["self_loop"][0] == -1000
