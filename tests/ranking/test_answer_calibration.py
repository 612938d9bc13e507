"""Probabilities of lists of answers."""

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_array

from skotkge._graph.queries import KnownAnswers
from skotkge._ranking.answer_calibration import AnswerCalibration, calibrate_answers, list_features
from skotkge._ranking.calibration import corrupted_ids


def lists_of(rng, n_lists, k=10):
    scores = -np.sort(-rng.standard_normal((n_lists, k)) * 2, axis=1)
    groups = rng.randint(2, size=n_lists)
    return scores, groups


def test_it_finds_the_line_that_the_lists_were_drawn_from(rng):
    scores, groups = lists_of(rng, 6000)
    true_line = AnswerCalibration(np.array([0.8, 0.5, 0.3]), np.array([-0.5, 0.7]))
    odds = true_line.log_odds(scores, groups)
    truth = rng.random_sample(scores.shape) < 1 / (1 + np.exp(-odds))
    found = calibrate_answers(scores, truth, groups, 2)
    np.testing.assert_allclose(found.log_odds(scores, groups), odds, atol=0.35)
    np.testing.assert_allclose(found.intercepts[1] - found.intercepts[0], 1.2, atol=0.15)


def test_log_odds_never_rise_down_a_list_though_truth_does(rng):
    scores, groups = lists_of(rng, 300)
    truth = np.zeros(scores.shape, dtype=bool)
    truth[:, -1] = rng.random_sample(300) < 0.9
    found = calibrate_answers(scores, truth, groups, 2)
    assert (found.slopes >= 0).all()
    assert (np.diff(found.log_odds(scores, groups), axis=1) <= 1e-12).all()


def test_a_list_of_weight_two_counts_as_two(rng):
    scores, groups = lists_of(rng, 300)
    truth = rng.random_sample(scores.shape) < 1 / (1 + np.exp(2 - scores))
    counts = rng.randint(1, 4, size=300)
    weighted = calibrate_answers(scores, truth, groups, 2, counts)
    repeated = calibrate_answers(*(np.repeat(array, counts, axis=0) for array in (scores, truth, groups)), 2)
    np.testing.assert_allclose(weighted.slopes, repeated.slopes, atol=0.02)
    np.testing.assert_allclose(weighted.log_odds(scores, groups), repeated.log_odds(scores, groups), atol=0.02)


def test_groups_that_no_list_is_of_change_nothing(rng):
    scores, groups = lists_of(rng, 500)
    truth = rng.random_sample(scores.shape) < 1 / (1 + np.exp(2 - scores))
    few, many = calibrate_answers(scores, truth, groups, 2), calibrate_answers(scores, truth, 50 * groups, 60)
    np.testing.assert_allclose(many.slopes, few.slopes, atol=1e-3)
    np.testing.assert_allclose(many.intercepts[[0, 50]], few.intercepts, atol=1e-3)


def test_memory_is_linear_in_answers_whatever_the_number_of_groups(rng):
    scores, groups = lists_of(rng, 2000)
    truth = rng.random_sample(scores.shape) < 1 / (1 + np.exp(2 - scores))
    tracemalloc.start()
    calibrate_answers(scores, truth, 1000 * groups, 2000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # A column for each group would take 2000 numbers an answer.
    assert peak < 100 * scores.size * scores.itemsize


@pytest.mark.parametrize("share", [0, 1])
def test_lists_of_one_class_have_its_smoothed_share(rng, share):
    scores, groups = lists_of(rng, 20)
    found = calibrate_answers(scores, np.full(scores.shape, bool(share)), groups, 2)
    probability = 1 / (1 + np.exp(-found.log_odds(scores, groups)))
    np.testing.assert_allclose(probability, (200 * share + 1) / 202)


def test_a_list_that_has_ended_tells_nothing_of_the_rest():
    scores = np.array([[2.0, 1.0, -np.inf], [-np.inf] * 3])
    features = list_features(scores)
    assert np.isfinite(features).all()
    np.testing.assert_allclose(np.exp(features[0, :2, 0]).sum(), 1)


def test_typed_negatives_are_of_the_entities_of_that_side(small, rng):
    known = KnownAnswers(small.ids, 3)
    pools = np.zeros((6, 30), dtype=bool)
    pools[small.ids[:, 1], small.ids[:, 2]] = pools[small.ids[:, 1] + 3, small.ids[:, 0]] = True
    pools[3] = False
    pools[3, 7] = True
    false = corrupted_ids(small.ids, known, 30, np.random.RandomState(0), csr_array(pools))
    assert not known.contains(false).any()
    assert (false[:, 0] != false[:, 2]).all()
    assert len(false) > 1.5 * len(small)
    # All but those of relation 0, whose one head is true already or a loop for some.
    others = false[false[:, 1] != 0]
    assert (pools[others[:, 1], others[:, 2]] & pools[others[:, 1] + 3, others[:, 0]]).all()
