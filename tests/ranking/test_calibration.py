"""From raw scores to probabilities: calibration for each relation, known negatives, expected calibration error."""

import numpy as np
import pytest
import sklearn
from scipy.special import expit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._estimator import calibrating as _calibrating
from skotkge._graph.queries import KnownAnswers
from skotkge._ranking.calibration import Calibration, corrupted_ids, platt_scaling
from skotkge.metrics import expected_calibration_error


def kge(**parameters):
    return OTKGEClassifier(**dict(embedding_dim=8, max_iter=4, batch_size=64, random_state=0) | parameters)


@pytest.fixture(scope="module")
def split(small):
    """Training triples, and validation triples with false ones between them and y of both."""
    bare = MultimodalTriples(small.labels, entities=small.entities, relations=small.relations)
    false = small.labels[-30:].copy()
    false[:, 2] = np.roll(false[:, 2], 7)
    true = set(map(tuple, small.labels.tolist()))
    false = np.array([row for row in false.tolist() if tuple(row) not in true and row[0] != row[2]], dtype=object)
    y = np.repeat([1, 0], [30, len(false)])
    order = np.random.RandomState(0).permutation(len(y))
    return bare[:-30], np.concatenate([small.labels[-30:], false])[order], y[order]


@pytest.fixture
def calibrated_with(monkeypatch):
    """Arguments of each call of platt_scaling."""
    calls = []
    monkeypatch.setattr(_calibrating, "platt_scaling", lambda *given: calls.append(given) or platt_scaling(*given))
    return calls


def drawn_from(slope, intercept, relations, rng):
    scores = rng.normal(size=len(relations))
    return scores, rng.uniform(size=len(relations)) < expit(slope[relations] * scores + intercept[relations])


def test_calibration_negatives_are_not_known_to_be_true(small, rng):
    known = set(map(tuple, small.ids.tolist()))
    false = corrupted_ids(small.ids, KnownAnswers(small.ids, 3), 30, rng)
    assert len(small) < len(false) <= 2 * len(small)
    assert not known & set(map(tuple, false.tolist()))


def test_log_odds_of_two_gaussians_are_recovered(rng):
    scores = np.concatenate([rng.normal(3, 1, 20_000), rng.normal(1, 1, 40_000)])
    found = platt_scaling(scores, np.arange(60_000) < 20_000, np.zeros(60_000, dtype=int), 1)
    np.testing.assert_allclose([found.slope[0], found.intercept[0]], [2, -4], rtol=0.05)


def test_line_of_each_relation_is_recovered(rng):
    slope, intercept = np.array([1.0, 2.0, 0.5]), np.array([-1.0, 3.0, 0.0])
    relations = rng.randint(3, size=60_000)
    scores, truth = drawn_from(slope, intercept, relations, rng)
    found = platt_scaling(scores, truth, relations, 3, truth.mean())
    np.testing.assert_allclose(found.slope, slope, atol=0.1)
    np.testing.assert_allclose(found.intercept, intercept, atol=0.15)
    np.testing.assert_allclose(found.even_odds(np.arange(3)), -intercept / slope, atol=0.1)


def test_scale_and_origin_of_the_scores_do_not_matter(rng):
    relations = rng.randint(3, size=300)
    scores, truth = drawn_from(np.array([1.0, 2.0, 0.5]), np.array([-1.0, 1.0, 0.0]), relations, rng)
    plain, moved = (platt_scaling(values, truth, relations, 3) for values in (scores, 100 * scores - 40))
    np.testing.assert_allclose(
        moved.log_odds(100 * scores - 40, relations), plain.log_odds(scores, relations), rtol=1e-3, atol=1e-3
    )


def test_a_missing_answer_has_no_odds_whatever_the_slope():
    log_odds = Calibration(np.array([0.0, 2.0]), np.array([1.0, 1.0])).log_odds(np.array([-np.inf, 3.0]), [[0], [1]])
    np.testing.assert_array_equal(log_odds, [[-np.inf, 1.0], [-np.inf, 7.0]])


def test_relation_with_few_rows_stays_near_the_shared_line(rng):
    """Relation 0 has much data, 1 the first rows of data that contradict it, 2 none."""
    relations = np.repeat([0, 1], [5000, 5000])
    scores, truth = drawn_from(np.array([2.0, 2.0]), np.array([0.0, 3.0]), relations, rng)
    distances = []
    for rows in (1, 30, 5000):
        kept = slice(5000 + rows)
        found = platt_scaling(scores[kept], truth[kept], relations[kept], 3, truth[kept].mean())
        distances.append(found.intercept[1] - found.intercept[0])
    assert 0 < distances[0] < min(distances[1:])
    assert distances[2] == pytest.approx(3, abs=0.3)
    assert distances[0] < 1.5
    shared = platt_scaling(scores[:5000], truth[:5000], relations[:5000], 3, truth[:5000].mean())
    np.testing.assert_allclose(shared.slope, shared.slope[0], rtol=0.2)
    assert shared.slope[1] == shared.slope[2]


def test_odds_are_for_the_share_of_true_triples_asked_for(rng):
    relations = np.zeros(40_000, dtype=int)
    scores, truth = drawn_from(np.ones(1), np.zeros(1), relations, rng)
    few = truth & (rng.uniform(size=len(truth)) < 0.2)
    rows = few | ~truth
    found = platt_scaling(scores[rows], truth[rows], relations[rows], 1, truth.mean())
    np.testing.assert_allclose([found.slope[0], found.intercept[0]], [1, 0], atol=0.08)


def test_higher_scores_never_lower_the_odds_of_a_relation(rng):
    relations = rng.randint(2, size=4000)
    scores, truth = drawn_from(np.array([2.0, -1.0]), np.zeros(2), relations, rng)
    found = platt_scaling(scores, truth, relations, 3)
    np.testing.assert_allclose(found.slope, [2, 0, 2], atol=0.3)
    assert found.slope[1] == 0


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_scores_that_do_not_go_with_truth_give_equal_probabilities(rng, share):
    scores = np.concatenate([rng.normal(1, 1, 50), rng.normal(3, 1, 50)])
    with pytest.warns(UserWarning, match="do not score higher than false ones"):
        found = platt_scaling(scores, np.arange(100) < 50, np.arange(100) % 2, 2, share)
    np.testing.assert_allclose(expit(found.log_odds(scores, np.arange(100) % 2)), share)


def test_scores_are_taken_for_log_odds_where_there_is_one_class(rng):
    found = platt_scaling(rng.normal(size=5), np.ones(5, dtype=bool), np.zeros(5, dtype=int), 2)
    expected = Calibration.identity(2)
    np.testing.assert_array_equal([found.slope, found.intercept], [expected.slope, expected.intercept])


def test_held_out_triples_are_set_against_corrupted_ones(split, calibrated_with):
    train, rows, y = split
    kge().fit(train, X_val=rows[y == 1])
    _, truth, _, n_relations, true_share = calibrated_with[0]
    assert truth.sum() == (y == 1).sum()
    assert (~truth).sum() > truth.sum()
    assert (n_relations, true_share) == (3, 0.5)


def test_of_many_triples_a_sample_calibrates(split, calibrated_with, monkeypatch):
    monkeypatch.setattr(_calibrating, "MOST_CALIBRATED", 20)
    kge(validation_fraction=0).fit(split[0])
    ((_, truth, *_),) = calibrated_with
    assert truth.sum() == 20 < len(truth) <= 60


def test_labels_of_the_validation_triples_count(split, calibrated_with):
    train, rows, y = split
    fitted = kge().fit(train, X_val=rows, y_val=y)
    scores, truth, *_, true_share = calibrated_with[0]
    false = rows[y == 0]
    np.testing.assert_allclose(scores, fitted.score_triples(np.concatenate([rows[y == 1], false])))
    assert (~truth).sum() == len(false)
    assert true_share == y.mean()
    plain = kge().fit(train, X_val=rows[y == 1])
    np.testing.assert_array_equal(fitted.entity_embeddings_, plain.entity_embeddings_)
    assert fitted.validation_scores_ == plain.validation_scores_
    np.testing.assert_array_equal(fitted.rank(rows[y == 1]), plain.rank(rows[y == 1]))
    assert not np.allclose(fitted.predict_proba(rows), plain.predict_proba(rows))


def test_known_negatives_shape_neither_embeddings_nor_filters_but_calibrate(split, calibrated_with):
    train, rows, y = split
    X = train.with_triples(np.concatenate([rows[y == 0], train.labels]))
    labels = np.repeat([0, 1], [len(X) - len(train), len(train)])
    with_y, without = kge().fit(X, labels), kge().fit(train)
    np.testing.assert_array_equal(with_y.entity_embeddings_, without.entity_embeddings_)
    np.testing.assert_array_equal(with_y.predictor_.true_ids, without.predictor_.true_ids)
    _, truth, _, _, true_share = calibrated_with[0]
    assert (~truth).sum() == (y == 0).sum()
    assert true_share == labels.mean()


def test_negatives_of_the_validation_triples_come_before_those_of_X(split, calibrated_with):
    train, rows, y = split
    false = rows[y == 0]
    X = train.with_triples(np.concatenate([train.labels, false[:11]]))
    labels = np.repeat([1, 0], [len(train), 11])
    kge().fit(X, labels, X_val=rows[y == 1])
    kge().fit(X, labels, X_val=rows, y_val=y)
    assert [(~truth).sum() for _, truth, *_ in calibrated_with] == [11, len(false)]


def test_too_few_known_negatives_give_way_to_corrupted_ones(split):
    train, rows, y = split
    few = np.concatenate([rows[y == 1], rows[y == 0][:3]])
    with pytest.warns(UserWarning, match="3 known negatives are too few to calibrate with"):
        fitted = kge().fit(train, X_val=few, y_val=np.arange(len(few)) < y.sum())
    plain = kge().fit(train, X_val=rows[y == 1])
    np.testing.assert_allclose(fitted.decision_function(rows[y == 1]), plain.decision_function(few[: y.sum()]))


def test_excluded_self_loops_among_the_negatives_move_nothing(split, small):
    train, rows, y = split
    loops = np.array([(f"e{number}", "r0", f"e{number}") for number in range(10)], dtype=object)
    plain = kge().fit(train, X_val=rows, y_val=y)
    excluded = plain.predictor_.excludes_self_loops[0]
    assert excluded == (not ((small.ids[:, 0] == small.ids[:, 2]) & (small.ids[:, 1] == 0)).any())
    fitted = kge().fit(train, X_val=np.concatenate([rows, loops]), y_val=np.concatenate([y, np.zeros(10)]))
    if excluded:
        assert fitted.predict(loops).sum() == 0
        assert np.corrcoef(fitted.decision_function(rows), plain.decision_function(rows))[0, 1] > 0.9


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda rows, y: dict(y_val=y), "y_val labels the rows of X_val, but X_val is None"),
        (lambda rows, y: dict(X_val=rows, y_val=y[:-1]), "expected 5[0-9] values .* one for each triple of X_val"),
        (lambda rows, y: dict(X_val=rows, y_val=2 * y), r"y_val has .* values, among them 2, expected"),
        (lambda rows, y: dict(X_val=rows, y_val=0 * y), "X_val holds no true triple"),
    ],
)
def test_wrong_labels_of_validation_triples_are_named(split, given, message):
    train, rows, y = split
    with pytest.raises(ValueError, match=message):
        kge().fit(train, **given(rows, y))


def test_labels_of_validation_triples_pass_through_a_pipeline_and_routing(small, split):
    _, rows, y = split
    steps = [("fuse", OTFusionTransformer(8, random_state=0)), ("kge", kge(embedding_dim=None))]
    X = small[:-30]
    plain = Pipeline(steps).fit(X, kge__X_val=rows, kge__y_val=y).decision_function(X)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = Pipeline([steps[0], ("kge", kge(embedding_dim=None).set_fit_request(X_val=True, y_val=True))])
        np.testing.assert_array_equal(routed.fit(X, X_val=rows, y_val=y).decision_function(X), plain)


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_calibrated_classifier_over_a_frozen_or_a_refitted_classifier(split, method):
    train, rows, y = split
    frozen = FrozenEstimator(kge().fit(train))
    X = train.with_triples(np.concatenate([train.labels, rows]))
    labels = np.concatenate([np.ones(len(train), dtype=int), y])
    for probabilities in (
        CalibratedClassifierCV(frozen, method=method).fit(rows, y).predict_proba(rows),
        CalibratedClassifierCV(kge(), method=method, cv=2).fit(X, labels).predict_proba(rows),
        cross_val_predict(kge(), X, labels, cv=2, method="predict_proba"),
    ):
        assert probabilities.shape[1] == 2
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        assert np.isfinite(probabilities).all()


@pytest.mark.parametrize("strategy", ["quantile", "uniform"])
def test_calibration_error_of_exact_and_of_overconfident_probabilities(rng, strategy):
    probability = rng.uniform(size=100_000)
    truth = rng.uniform(size=len(probability)) < probability
    assert expected_calibration_error(truth, probability, strategy=strategy) < 0.01
    overconfident = np.where(probability > 0.5, 1.0, 0.0)
    np.testing.assert_allclose(expected_calibration_error(truth, overconfident, strategy=strategy), 0.25, atol=0.01)


def test_calibration_error_weighs_bins_by_their_rows():
    truth, probability = [0, 0, 0, 1, 1], [0.1, 0.1, 0.1, 0.1, 0.9]
    expected = (4 * abs(1 / 4 - 0.1) + 1 * abs(1 - 0.9)) / 5
    np.testing.assert_allclose(expected_calibration_error(truth, probability, n_bins=2, strategy="uniform"), expected)
    np.testing.assert_allclose(expected_calibration_error(truth, [0.6] * 5), abs(2 / 5 - 0.6))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(y_prob=[0.5, 1.5]), "y_prob has the value 1.5; give probabilities from 0 to 1"),
        (dict(y_prob=[0.5]), "inconsistent numbers of samples"),
        (dict(y_true=[0, 2]), "y_true has the value 2; give labels"),
        (dict(y_true=["0", "1"]), "y_true has the value '0'; give labels"),
        (dict(y_true=[], y_prob=[]), "y_true is empty"),
        (dict(strategy="log"), "strategy='log' is none of 'quantile', 'uniform'"),
        (dict(n_bins=0), "n_bins == 0"),
    ],
)
def test_calibration_error_names_wrong_arguments(given, message):
    with pytest.raises(ValueError, match=message):
        expected_calibration_error(**dict(y_true=[0, 1], y_prob=[0.2, 0.7]) | given)
