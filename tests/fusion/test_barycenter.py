"""The free-support barycenter: objective, special cases known in closed form, medians."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skotkge._fusion.barycenter import wasserstein_barycenter, weighted_median


def measures_and_weights(rng, n_measures=3, n_entities=25, n_columns=6, missing=False):
    measures = [rng.standard_normal((n_entities, n_columns)) for _ in range(n_measures)]
    weights = rng.uniform(0.2, 1.0, size=(n_measures, 1)) * np.ones(n_entities)
    if missing:
        weights[1, :8] = 0
        weights[:, 8] = 0
    total = weights.sum(axis=0)
    return measures, np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("missing", [False, True])
def test_objective_never_increases(p, missing):
    for seed in range(5):
        rng = np.random.RandomState(seed)
        measures, weights = measures_and_weights(rng, missing=missing)
        start = rng.standard_normal(measures[0].shape)
        result = wasserstein_barycenter(measures, weights, start, p=p, max_iter=15, tol=0)
        assert (np.diff(result.objective) <= 1e-10).all()
        assert result.n_iter == len(result.objective) > 1


def test_one_modality_and_p2_gives_the_weighted_mean_along_the_plan(rng):
    structure, modality = rng.standard_normal((25, 6)), rng.standard_normal((25, 6))
    weights = np.array([[0.7], [0.3]]) * np.ones(25)
    result = wasserstein_barycenter([structure, modality], weights, structure)
    np.testing.assert_allclose(result.plans[0] * 6, np.eye(6), atol=1e-12)
    np.testing.assert_allclose(result.points, 0.7 * structure + 0.3 * modality @ result.plans[1] * 6)


@pytest.mark.parametrize("p", [1, 2])
def test_column_permutations_of_one_space_are_its_own_barycenter(rng, p):
    space = rng.standard_normal((40, 5))
    measures = [space, space[:, rng.permutation(5)], space[:, rng.permutation(5)]]
    result = wasserstein_barycenter(measures, np.full((3, 40), 1 / 3), space, p=p)
    np.testing.assert_allclose(result.points, space)
    np.testing.assert_allclose(result.objective[-1], 0, atol=1e-10)


def test_rows_without_a_measure_are_averaged_over_the_others(rng):
    measures, weights = measures_and_weights(rng, missing=True)
    result = wasserstein_barycenter(measures, weights, measures[0])
    moved = [measure @ plan * 6 for measure, plan in zip(measures, result.plans, strict=True)]
    wanted = (weights[0, 0] * moved[0][:8] + weights[2, 0] * moved[2][:8]) / (weights[0, 0] + weights[2, 0])
    np.testing.assert_allclose(result.points[:8], wanted)
    np.testing.assert_array_equal(result.points[8], 0)


@pytest.mark.parametrize("p", [1, 2])
def test_order_of_entities_does_not_matter(rng, p):
    measures, weights = measures_and_weights(rng)
    order = rng.permutation(25)
    straight = wasserstein_barycenter(measures, weights, measures[0], p=p)
    shuffled = wasserstein_barycenter([m[order] for m in measures], weights[:, order], measures[0][order], p=p)
    np.testing.assert_allclose(shuffled.points, straight.points[order])


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(0, 3)), min_size=1, max_size=6))
def test_weighted_median_is_the_middle_of_the_minimisers(atoms):
    values, weights = (np.array(column, dtype=float)[None] for column in zip(*atoms, strict=True))
    median = weighted_median(values, weights)[0]
    if not weights.sum():
        assert median == 0
        return
    candidates = np.unique(values[weights > 0])
    objective = np.abs(candidates[:, None] - values[0]) @ weights[0]
    minimisers = candidates[objective <= objective.min() + 1e-9]
    np.testing.assert_allclose(median, (minimisers.min() + minimisers.max()) / 2)
