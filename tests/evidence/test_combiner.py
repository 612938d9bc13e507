"""Boosted trees as arrays, and when they are added to the weighted sum."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.ensemble import HistGradientBoostingClassifier

import skotkge
from skotkge import OTKGEClassifier
from skotkge._evidence.combiner import Combiner, learn_combiner
from skotkge._evidence.signed_weights import Candidates
from skotkge._evidence.trees import MOST_LEAVES, Trees
from skotkge._utils.sklearn_compat import grown_trees

N_QUERIES, N_CANDIDATES = 600, 16


@pytest.fixture
def grown(rng):
    """Boosting on continuous and on few distinct values, and its rows."""
    X = np.column_stack([rng.standard_normal(2000), rng.randint(4, size=2000), np.round(rng.standard_normal(2000), 2)])
    X = X.astype(np.float32)
    y = X[:, 0] * (X[:, 1] > 1) + X[:, 2] > 0
    boosting = HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=MOST_LEAVES, early_stopping=False)
    return boosting.fit(X, y), X


def sums(trees, X):
    return trees.sums(torch.tensor(X.T, dtype=torch.float64)).numpy()


def test_trees_say_what_the_boosting_says_but_for_its_constant(grown):
    boosting, X = grown
    said = boosting.decision_function(X) - sums(Trees.of(boosting, X), X)
    np.testing.assert_allclose(said, said[0], atol=1e-5)
    assert np.ptp(boosting.decision_function(X)) > 1


def test_no_threshold_is_a_value_that_occurs(grown):
    boosting, X = grown
    trees = Trees.of(boosting, X)
    assert not trees.are_near(torch.tensor(X.T, dtype=torch.float64), 1e-7).any()
    on_it = X[:1].copy().astype(float)
    on_it[0, 0] = trees.thresholds[0][0]
    assert trees.are_near(torch.tensor(on_it.T), 1e-7).all()


def test_a_tree_without_a_split_says_the_same_of_all():
    X = np.zeros((40, 1), dtype=np.float32)
    boosting = HistGradientBoostingClassifier(max_iter=2, early_stopping=False).fit(X, np.arange(40) % 2)
    assert len(grown_trees(boosting)) == 2
    np.testing.assert_allclose(sums(Trees.of(boosting, X), X), 0, atol=1e-6)


def made_candidates(rng, together):
    """Two kinds of ±1 that tell answers by their product alone, or do not; the first feature is their sum."""
    kinds = rng.choice([-1.0, 1.0], size=(N_QUERIES, 2, N_CANDIDATES)) + 0.01 * rng.standard_normal(
        (N_QUERIES, 2, N_CANDIDATES)
    )
    if together:
        # The two kinds of the answer have one sign, those of nine in ten other candidates have two.
        kinds[:, 1, 0] = np.sign(kinds[:, 0, 0])
        kinds[:, 1, 1:] = np.where(rng.random_sample((N_QUERIES, N_CANDIDATES - 1)) < 0.9, -1, 1) * np.sign(
            kinds[:, 0, 1:]
        )
    features = np.concatenate([kinds.sum(axis=1, keepdims=True), kinds], axis=1).astype(np.float32)
    return Candidates(
        features,
        np.zeros((N_QUERIES, N_CANDIDATES), dtype=np.float32),
        np.arange(N_QUERIES),
        np.arange(N_QUERIES) % 2,
        np.zeros(N_QUERIES, dtype=np.int64),
    )


def test_a_combiner_is_learned_where_kinds_tell_together_what_none_tells_alone(rng):
    combiner = learn_combiner(made_candidates(rng, together=True), 1.0, 2, np.random.RandomState(0))
    kinds = torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, 1.0]], dtype=torch.float64)
    always_above = replace(combiner, gates=np.full(2, -np.inf))
    agreeing, *differing = always_above.corrections(kinds, kinds.sum(0), torch.tensor([0, 0, 0])).tolist()
    assert agreeing > max(differing)


def test_noise_seldom_gets_one(rng):
    # A few get through by chance, and their trees count for little.
    told = made_candidates(rng, together=False)
    learned = [learn_combiner(told, 1.0, 2, np.random.RandomState(seed)) for seed in range(6)]
    assert sum(combiner is not None for combiner in learned) <= 2


def test_few_queries_get_none(rng):
    few = made_candidates(rng, together=True).of(np.arange(400))
    assert learn_combiner(few, 1.0, 2, np.random.RandomState(0)) is None


def test_below_the_gate_nothing_is_added(grown):
    boosting, X = grown
    combiner = Combiner(np.array([0.5]), Trees.of(boosting, X), -100.0)
    scores, relations = torch.tensor(X[:50, :2].T, dtype=torch.float64), torch.zeros(50, dtype=torch.int64)
    totals = torch.tensor(X[:50, 2], dtype=torch.float64)
    np.testing.assert_array_equal(combiner.corrections(scores, totals, relations) > 0, totals > 0.5)


@pytest.fixture(scope="module")
def combined(emoji):
    """A model of the triples of emoji that has a combiner."""
    kge = OTKGEClassifier(
        embedding_dim=32, max_iter=3, evidence=("structure", "counts", "rules", "cosines"), random_state=0
    )
    kge.fit(emoji.train.labels, X_val=emoji.valid.labels)
    assert kge.predictor_.combiner is not None
    return kge


def test_lists_scores_and_explanations_are_of_one_number(combined, emoji):
    X = emoji.test.labels[:200]
    asked = X.copy()
    asked[:, 2] = None
    found = combined.complete(asked, k=5)
    triples = found.triples.reshape(-1, 3)
    np.testing.assert_allclose(found.scores.ravel(), combined.decision_function(triples, side="tail"), atol=1e-4)
    told = combined.explain(X)
    np.testing.assert_allclose(told.log_odds, combined.decision_function(X), atol=1e-6)
    assert told.kinds[-3:] == ["combiner", "self_loop", "offset"]
    assert (told.by_kind()["combiner"] > 0).any()


def test_pieces_of_the_entities_give_the_same_ranks(combined, emoji):
    whole = combined.rank(emoji.test.labels)
    with config_context(working_memory=1):
        np.testing.assert_array_equal(combined.rank(emoji.test.labels), whole)


@pytest.mark.parametrize("suffix", [".skops", ".joblib"])
def test_it_is_saved_with_the_model(combined, emoji, tmp_path, suffix):
    skotkge.save(combined, tmp_path / f"model{suffix}")
    loaded = skotkge.load(tmp_path / f"model{suffix}", trusted=suffix == ".joblib")
    np.testing.assert_array_equal(loaded.rank(emoji.test.labels[:100]), combined.rank(emoji.test.labels[:100]))


def test_a_grown_model_keeps_it(combined, emoji):
    grown = deepcopy(combined).partial_fit(np.array([["1F600", "a new relation", "1F96F"]], dtype=object))
    assert len(grown.predictor_.combiner.gates) == 2 * grown.predictor_.n_relations
    assert np.isfinite(grown.decision_function(emoji.test.labels[:10])).all()


def test_none_asks_for_the_sum_alone(combined, emoji):
    plain = OTKGEClassifier(**combined.get_params(deep=False) | {"combiner": None}).fit(
        emoji.train.labels, X_val=emoji.valid.labels
    )
    assert plain.predictor_.combiner is None
    np.testing.assert_array_equal(plain.evidence_weights_, combined.evidence_weights_)
