"""Weights of facts, classes that are no numbers, thresholds of scikit-learn, and what early stopping judges by."""

import numpy as np
import pytest
import sklearn
import torch
from helpers import false_triples
from sklearn.metrics import get_scorer, roc_auc_score
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline
from sklearn.utils.fixes import parse_version

from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._embedding.options import TrainingOptions
from skotkge._embedding.score_functions import ComplEx
from skotkge._embedding.trainer import Trainer
from skotkge._estimator import calibrating
from skotkge._estimator.judging import accuracy_at_best_thresholds
from skotkge._graph.classes import class_labels
from skotkge._spaces import SpaceSpec
from skotkge.baselines import RuleBaseline

pytestmark = pytest.mark.filterwarnings("ignore:y has one class only:UserWarning")


def quick(**parameters):
    defaults = dict(embedding_dim=8, max_iter=3, batch_size=128, evidence=("structure", "counts"), random_state=0)
    return OTKGEClassifier(**defaults | parameters)


@pytest.fixture(scope="module")
def labelled(small):
    return np.concatenate([small.labels, false_triples(small)]), np.repeat([1, 0], len(small))


def gradients(objective, ids, weights):
    options = TrainingOptions(ComplEx(), objective, batch_size=len(ids))
    spec = SpaceSpec(np.random.RandomState(0).standard_normal((6, 4)), np.ones(6))
    trainer = Trainer(spec, ids, 2, options, seed=0, weights=weights)
    (batch,) = trainer._loss.batches()
    value = trainer._loss.backward(batch)
    return float(value), {name: table.grad.to_dense() for name, table in trainer.model.parameters().items()}


@pytest.mark.parametrize("objective", [CrossEntropy(), CrossEntropy(n_sampled=6)], ids=str)
def test_a_weight_of_two_is_a_second_row(objective):
    ids = np.array([[0, 0, 1], [0, 0, 2], [3, 1, 4], [5, 1, 0]])
    weights = np.array([2.0, 1.0, 1.0, 3.0])
    repeated = np.repeat(ids, weights.astype(int), axis=0)
    if objective.n_sampled is None:
        value, found = gradients(objective, ids, weights)
        wanted_value, wanted = gradients(objective, repeated, None)
        assert value == pytest.approx(wanted_value, rel=1e-5)
        for name, gradient in found.items():
            torch.testing.assert_close(gradient * len(ids), wanted[name] * len(repeated), rtol=1e-4, atol=1e-7)
    for name, gradient in gradients(objective, ids, np.ones(4))[1].items():
        torch.testing.assert_close(gradient, gradients(objective, ids, None)[1][name], rtol=1e-5, atol=1e-8)


def test_weights_of_the_logistic_loss():
    ids = np.array([[0, 0, 1], [3, 1, 4]])
    objective = Logistic(n_negatives=3)
    plain, doubled = (gradients(objective, ids, weights) for weights in (None, np.full(2, 2.0)))
    assert doubled[0] == pytest.approx(2 * plain[0], rel=1e-5)
    for name, gradient in plain[1].items():
        torch.testing.assert_close(doubled[1][name], 2 * gradient, rtol=1e-5, atol=1e-8)
    only_first = gradients(objective, ids, np.array([1.0, 1e-12]))[1]["relations"]
    assert only_first[0].any()
    assert only_first[1].abs().max() < 1e-10


def test_sample_weight_says_whom_to_believe():
    rows = [(f"a{i}", "r", f"b{i % 3}") for i in range(12)] + [(f"a{i}", "r", f"b{(i + 1) % 3}") for i in range(12)]
    weights = np.repeat([1.0, 0.01], 12)
    model = quick(max_iter=30, validation_fraction=0, evidence=("structure",))
    believed = model.fit(rows, sample_weight=weights).score_triples(rows)
    assert (believed[:12] > believed[12:]).mean() > 0.9
    reversed_ = model.fit(rows, sample_weight=weights[::-1]).score_triples(rows)
    assert (reversed_[:12] < reversed_[12:]).mean() > 0.9


def test_rows_of_weight_zero_are_left_out_and_only_ratios_matter(labelled):
    X, y = labelled
    kept = np.random.RandomState(1).rand(len(X)) < 0.8
    kept[y == 1] |= True
    kept[:5] = False
    X = MultimodalTriples(X, duplicates="keep")
    alone = quick().fit(X[kept], y[kept])
    weighted = quick().fit(X, y, sample_weight=kept.astype(float))
    np.testing.assert_allclose(weighted.decision_function(X), alone.decision_function(X), rtol=1e-3, atol=1e-3)
    assert not weighted.was_trained_on(X[:5]).any()
    ten = quick().fit(X, y, sample_weight=np.full(len(X), 10.0))
    np.testing.assert_allclose(ten.decision_function(X), quick().fit(X, y).decision_function(X), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones(3), r"sample_weight=.* has the shape \(3,\), expected \(352,\)"),
        (np.append(np.ones(351), -1.0), "sample_weight has -1.0 in row 351, .* at least 0"),
        (np.full(352, np.nan), "sample_weight has nan in row 0, .* finite"),
        (np.repeat([0.0, 1.0], 176), "sample_weight is 0 in all true rows"),
        (["much"] * 352, "sample_weight"),
    ],
)
def test_weights_that_are_none(labelled, weights, message):
    with pytest.raises(ValueError, match=message):
        quick().fit(*labelled, sample_weight=weights)


def test_weights_stay_with_facts_that_go_on(small):
    weights = np.linspace(0.5, 2, len(small))
    model = quick(warm_start=True).fit(small.labels, sample_weight=weights)
    model.partial_fit([("new", "r0", "e1")])
    predictor = model.predictor_
    ids = predictor.vocabulary.ids_of(small.labels)
    found = {
        tuple(row): weight for row, weight in zip(predictor.true_ids.tolist(), predictor.fact_weights, strict=True)
    }
    np.testing.assert_allclose([found[tuple(row)] for row in ids.tolist()], weights)
    model.fit(small.labels[:3], sample_weight=[9.0, 9.0, 9.0])
    predictor = model.predictor_
    found = {
        tuple(row): weight for row, weight in zip(predictor.true_ids.tolist(), predictor.fact_weights, strict=True)
    }
    np.testing.assert_allclose([found[tuple(row)] for row in ids.tolist()], [9.0] * 3 + weights[3:].tolist())


def test_metadata_routing_carries_weights_through_searches_and_pipelines(small):
    seen = []

    class Watched(OTKGEClassifier):
        def fit(self, X, y=None, *, sample_weight=None, X_val=None, y_val=None, callbacks=()):
            seen.append(sample_weight)
            return super().fit(X, y, sample_weight=sample_weight, X_val=X_val, y_val=y_val, callbacks=callbacks)

    weights = np.linspace(1, 2, len(small))
    with sklearn.config_context(enable_metadata_routing=True):
        kge = Watched(max_iter=1, evidence=("structure",), random_state=0).set_fit_request(sample_weight=True)
        kge.set_score_request(sample_weight=True)
        pipe = Pipeline([("fuse", OTFusionTransformer(4, random_state=0)), ("kge", kge)])
        pipe.fit(small, sample_weight=weights)
        np.testing.assert_array_equal(seen[-1], weights)
        if parse_version(sklearn.__version__) < parse_version("1.8"):
            pytest.skip("a search does not ask the steps of a pipeline what their score takes before scikit-learn 1.8")
        search = GridSearchCV(pipe, {"kge__learning_rate": [0.1]}, cv=[(np.arange(100), np.arange(100, 176))])
        search.fit(small, sample_weight=weights)
    np.testing.assert_array_equal(seen[-2], weights[:100])
    np.testing.assert_array_equal(seen[-1], weights)


@pytest.mark.parametrize("classes", [("no", "yes"), (False, True), ("false", "true")], ids=str)
def test_classes_of_other_names(labelled, classes):
    X, y = labelled
    named = np.array(classes)[y]
    held = np.arange(len(X)) % 3 == 0
    plain, kge = quick().fit(X, y), quick().fit(X[~held], named[~held], X_val=X[held], y_val=named[held])
    assert kge.classes_.tolist() == list(classes)
    assert set(kge.predict(X).tolist()) <= set(classes)
    assert 0 <= kge.score(X, named) <= 1
    same = quick().fit(X, list(named))
    np.testing.assert_array_equal(same.decision_function(X), plain.decision_function(X))
    np.testing.assert_array_equal(same.predict(X) == classes[1], plain.predict(X) == 1)
    assert RuleBaseline().fit(X, named).classes_.tolist() == list(classes)


def test_accuracy_takes_what_fit_takes(labelled):
    X, y = labelled
    numbers, words = quick().fit(X, y), quick().fit(X, np.array(["no", "yes"])[y])
    wanted = numbers.score(X, y)
    assert 0 < wanted < 1
    for same in (y.astype(object), y.astype(bool), y.astype(bool).astype(object), y.astype(float), list(y)):
        assert numbers.score(X, same) == words.score(X, same) == wanted
    assert words.score(X, np.array(["no", "yes"], dtype=object)[y]) == wanted
    with pytest.raises(ValueError, match=r"y has 'yes', which is not among the classes \[0, 1\] of fit"):
        numbers.score(X, np.array(["no", "yes"])[y])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        numbers.score(X, y[1:])


def test_rows_of_validation_that_were_trained_on_are_told(small):
    with pytest.warns(UserWarning, match="7 of the 20 true rows of X_val are rows of X, too"):
        quick(max_iter=1).fit(small.labels[13:], X_val=small.labels[:20])


def test_a_row_of_validation_counts_once(small):
    held, train = small.labels[:20], small.labels[20:]
    once, often = (quick(max_iter=2).fit(train, X_val=X_val) for X_val in (held, np.repeat(held, 3, axis=0)))
    np.testing.assert_array_equal(once.decision_function(held), often.decision_function(held))


def test_what_is_true_and_false_counts_as_true(labelled):
    X, y = labelled
    more, truth = np.concatenate([X, X[:3]]), np.concatenate([y, 1 - y[:3]])
    with pytest.warns(UserWarning, match=r"3 triples are false in one row of y or y_val and true in another, such as"):
        told = quick(max_iter=2).fit(more, truth)
    np.testing.assert_allclose(told.decision_function(X), quick(max_iter=2).fit(X, y).decision_function(X), rtol=1e-6)


def test_repeated_rows_that_leave_none_to_hold_out_are_told(small):
    X = MultimodalTriples(np.repeat(small.labels, 2, axis=0), duplicates="keep")
    with pytest.warns(UserWarning, match=r"none is that occurs in several rows \(give each row once\)"):
        quick(max_iter=1).fit(X)


class TestKnownNegatives:
    @pytest.fixture
    def few(self, labelled):
        X, y = labelled
        of_r0 = (y == 1) | (X[:, 1] == "r0")
        return X[of_r0], y[of_r0]

    def test_relations_without_any_are_told_and_get_random_ones(self, labelled, few, monkeypatch):
        with pytest.warns(UserWarning, match="the relations 'r2', 'r1' have no known negatives"):
            kge = quick().fit(*few)
        X, y = labelled
        false = X[(y == 0) & (X[:, 1] != "r0")]
        monkeypatch.setattr(calibrating, "_with_other_relations", lambda predictor, true, negatives, _: negatives)
        without = quick().fit(*few)
        # All true and no false ones of these relations speak for all that have them.
        assert np.mean(kge.decision_function(false) - without.decision_function(false)) < -0.1

    def test_those_that_loops_decide_about_do_not_count(self, labelled):
        X, y = labelled
        true = X[y == 1]
        relation = "r0"
        no_loops = true[true[:, 0] != true[:, 2]]
        loops = [(entity, relation, entity) for entity in np.unique(no_loops[:, 0])]
        with pytest.warns(UserWarning, match=f"0 known negatives, beside {len(loops)} that self-loops or constraints"):
            kge = quick().fit([*no_loops.tolist(), *loops], [1] * len(no_loops) + [0] * len(loops))
        assert not np.allclose(kge.predictor_.calibration.slope, 1)

    def test_a_few_of_validation_do_not_take_the_place_of_many(self, labelled):
        X, y = labelled
        held = (np.arange(len(X)) < 40) & (y == 1)
        false = np.flatnonzero(y == 0)
        X_val, y_val = np.concatenate([X[held], X[false[:3]]]), np.repeat([1, 0], [held.sum(), 3])
        rest = ~held
        rest[false[:3]] = False
        few = quick().fit(X[rest], y[rest], X_val=X_val, y_val=y_val)
        none = quick().fit(X[rest], y[rest], X_val=X[held])
        np.testing.assert_array_equal(few.predictor_.calibration.slope, none.predictor_.calibration.slope)


def test_classes_whose_order_says_the_opposite():
    with pytest.raises(ValueError, match=r"the second in their order stands for true.*y == 'right'"):
        class_labels(["wrong", "right"])
    with pytest.raises(ValueError, match="y has 3 different strings"):
        class_labels(["a", "b", "c"])
    with pytest.raises(ValueError, match="y has 1 different strings"):
        quick().fit([("a", "r", "b")], ["yes"])
    with pytest.raises(ValueError, match=r"'maybe', which is not among the classes \['no', 'yes'\]"):
        quick().fit([("a", "r", "b"), ("b", "r", "a")], ["no", "yes"], X_val=[("a", "r", "b")], y_val=["maybe"])


@pytest.mark.filterwarnings("ignore:.*have no training triple:UserWarning", "ignore:.*known negatives:UserWarning")
def test_thresholds_of_scikit_learn(labelled):
    X, y = labelled
    fitted = quick().fit(X, y)
    fixed = FixedThresholdClassifier(quick(), threshold=0.9).fit(X, y)
    np.testing.assert_array_equal(fixed.predict(X), (fitted.predict_proba(X)[:, 1] >= 0.9).astype(int))
    tuned = TunedThresholdClassifierCV(quick(), scoring="accuracy", thresholds=20, cv=2, random_state=0).fit(X, y)
    assert tuned.predict(X).shape == y.shape
    from sklearn.frozen import FrozenEstimator

    held = TunedThresholdClassifierCV(FrozenEstimator(fitted), scoring="accuracy", cv="prefit", refit=False).fit(X, y)
    assert np.mean(held.predict(X) == y) >= fitted.score(X, y)


@pytest.mark.parametrize("metric", ["hits@1", "hits@3", "hits@10", "accuracy"])
def test_metrics_of_early_stopping(small, metric):
    kge = quick(metric=metric, evidence=("structure",), max_iter=4, n_iter_no_change=4).fit(
        small.labels[40:], X_val=small.labels[:40]
    )
    scores = np.array(kge.validation_scores_)
    assert len(scores) == 4
    assert ((scores >= 0) & (scores <= 1)).all()
    assert kge.best_iter_ == scores.argmax() + 1
    steps = scores * (160 if metric == "accuracy" else 80)
    if metric != "accuracy":
        np.testing.assert_allclose(steps, np.rint(steps))


def test_a_scorer_judges_the_space_alone(labelled):
    X, y = labelled
    calls = []

    def scorer(estimator, X, y):
        calls.append((len(X), None if y is None else y.tolist()))
        return float(np.mean(1 / estimator.rank(X if y is None else X[y == 1])))

    told = dict(X_val=X[:40])
    by_scorer = quick(metric=scorer, max_iter=3, n_iter_no_change=3).fit(X[40 : len(X) // 2], **told)
    by_name = quick(max_iter=3, n_iter_no_change=3).fit(X[40 : len(X) // 2], **told)
    np.testing.assert_allclose(by_scorer.validation_scores_, by_name.validation_scores_)
    assert calls == [(40, None)] * 3
    quick(metric=scorer, max_iter=1).fit(X, y)
    assert set(calls[-1][1]) == {0, 1}


def test_scorers_of_labels_need_known_negatives(labelled):
    X, y = labelled
    scorer = get_scorer("roc_auc")
    kge = quick(metric=scorer, max_iter=2).fit(X, y)
    assert all(0 <= score <= 1 for score in kge.validation_scores_)
    train = X[:140][y[:140] == 1]
    given = quick(metric=scorer, max_iter=2).fit(train, X_val=X[140:210], y_val=y[140:210])
    assert all(0 <= score <= 1 for score in given.validation_scores_)
    for told in ({}, {"X_val": X[140:170]}):
        with pytest.raises(
            ValueError, match=r"metric=make_scorer\(roc_auc_score.* has failed .*give y_val with rows of 0"
        ):
            quick(metric=scorer).fit(train, **told)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (roc_auc_score, r"metric=<function roc_auc_score.* has failed .*called as scorer\(estimator, X, y\)"),
        (
            lambda estimator, X, y: np.nan,
            r"metric=.* says nan of the validation triples; give a scorer that returns one",
        ),
        (lambda estimator, X, y: {"mrr": 1.0}, r"metric=.* says \{'mrr': 1.0\} of the validation triples"),
    ],
)
def test_what_is_no_scorer_is_told(labelled, metric, message):
    with pytest.raises(ValueError, match=message):
        quick(metric=metric).fit(*labelled)


def test_accuracy_at_the_best_thresholds():
    scores = np.array([0.1, 0.4, 0.35, 0.8, 5.0, 6.0, 7.0, 7.0])
    truth = np.array([False, False, True, True, False, True, True, False])
    groups = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    best = 0
    for group in (0, 1):
        rows = groups == group
        levels = [*scores[rows], np.inf]
        best += max(np.count_nonzero((scores[rows] >= level) == truth[rows]) for level in levels)
    assert accuracy_at_best_thresholds(scores, truth, groups) == best / 8
