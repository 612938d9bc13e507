"""Plans between columns: marginals, optimality against independent solvers, guards."""

import warnings

import numpy as np
import ot
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.exceptions import ConvergenceWarning

from skotkge._fusion.scaling import column_scaling, standardize_rows
from skotkge._fusion.transport import barycentric_map, feature_cost, transport_plan


def naive_cost(source, target, p):
    cost = np.zeros((source.shape[1], target.shape[1]))
    for i in range(source.shape[1]):
        for j in range(target.shape[1]):
            cost[i, j] = np.mean(np.abs(source[:, i] - target[:, j]) ** p)
    return cost


@pytest.mark.parametrize("p", [1, 2])
def test_cost_is_the_mean_distance_between_columns(rng, p):
    source, target = rng.standard_normal((20, 5)), rng.standard_normal((20, 7))
    np.testing.assert_allclose(feature_cost(source, target, p=p), naive_cost(source, target, p), atol=1e-12)


@pytest.mark.parametrize("p", [1, 2])
def test_row_weights_of_zero_leave_rows_out(rng, p):
    source, target = rng.standard_normal((20, 5)), rng.standard_normal((20, 7))
    weights = np.repeat([1 / 12, 0.0], [12, 8])
    got = feature_cost(source, target, p=p, row_weights=weights)
    np.testing.assert_allclose(got, naive_cost(source[:12], target[:12], p), atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 5), (9, 4), (3, 8), (1, 6), (40, 1)])
@pytest.mark.parametrize("reg", [0.0, 0.5])
def test_plans_have_uniform_marginals(rng, shape, reg):
    plan = transport_plan(rng.uniform(size=shape), reg=reg)
    assert (plan >= 0).all()
    np.testing.assert_allclose(plan.sum(axis=1), 1 / shape[0], atol=1e-7)
    np.testing.assert_allclose(plan.sum(axis=0), 1 / shape[1], atol=1e-7)


def test_exact_plan_costs_what_pot_and_the_assignment_problem_say(rng):
    cost = rng.uniform(size=(8, 5))
    np.testing.assert_allclose(np.sum(transport_plan(cost) * cost), ot.emd2([], [], cost))
    cost = rng.uniform(size=(12, 12))
    rows, columns = linear_sum_assignment(cost)
    np.testing.assert_allclose(np.sum(transport_plan(cost) * cost), cost[rows, columns].mean())


def test_entropic_plan_approaches_the_exact_one(rng):
    cost = rng.uniform(size=(6, 6))
    exact = np.sum(transport_plan(cost) * cost)
    excess = [np.sum(transport_plan(cost, reg=reg) * cost) - exact for reg in (1.0, 0.1, 0.01)]
    assert excess[0] > excess[1] > excess[2] > -1e-9
    assert excess[2] < 0.01


@pytest.mark.parametrize("offset", [-3, 0, 1e4])
@pytest.mark.parametrize("reg", [1.0, 0.05, 0.0051])
def test_entropic_plan_is_that_of_the_log_domain(rng, reg, offset):
    cost = offset + rng.uniform(size=(9, 12))
    cost.flat[:2] = offset, offset + 1
    masses = np.full(9, 1 / 9), np.full(12, 1 / 12)
    wanted = ot.bregman.sinkhorn_log(*masses, cost, reg, numItermax=100_000, stopThr=1e-9)
    np.testing.assert_allclose(transport_plan(cost, reg=reg), wanted, atol=1e-7)


@pytest.mark.parametrize("p", [1, 2])
def test_plan_finds_the_permutation_of_the_columns(rng, p):
    target = rng.standard_normal((50, 8))
    order = rng.permutation(8)
    plan = transport_plan(feature_cost(target[:, order], target, p=p))
    np.testing.assert_array_equal(plan.argmax(axis=1), order)
    np.testing.assert_allclose(target[:, order] @ barycentric_map(plan), target, atol=1e-12)


def test_plan_is_invariant_to_the_order_of_entities(rng):
    source, target = rng.standard_normal((30, 6)), rng.standard_normal((30, 4))
    order = rng.permutation(30)
    np.testing.assert_allclose(
        transport_plan(feature_cost(source[order], target[order])), transport_plan(feature_cost(source, target))
    )


def test_barycentric_map_averages_columns(rng):
    plan = transport_plan(rng.uniform(size=(9, 4)))
    np.testing.assert_allclose(barycentric_map(plan).sum(axis=0), 1)


def test_cost_that_is_not_finite_is_an_error():
    with pytest.raises(ValueError, match="transport cost is not finite"):
        feature_cost(np.full((3, 2), np.nan), np.zeros((3, 2)))


def test_solver_that_stops_early_warns(rng):
    with pytest.warns(ConvergenceWarning, match="did not converge"):
        transport_plan(rng.uniform(size=(50, 50)), reg=1e-6)


def test_warnings_of_others_are_left_alone(rng, monkeypatch):
    """Recording warnings would take those of other threads, and threads that overlap would leave none recorded."""
    emd = ot.emd

    def noisy(*args, **kwargs):
        warnings.warn("of another thread", UserWarning, stacklevel=2)
        return emd(*args, **kwargs)

    monkeypatch.setattr(ot, "emd", noisy)
    with pytest.warns(UserWarning, match="of another thread") as told:
        transport_plan(rng.uniform(size=(5, 5)))
    assert [warning.category for warning in told] == [UserWarning]


def test_an_exact_solver_that_fails_warns(rng, monkeypatch):
    emd = ot.emd
    monkeypatch.setattr(ot, "emd", lambda *args, **kwargs: emd(*args, **kwargs | dict(numItermax=1)))
    with pytest.warns(UserWarning, match="numItermax") as told:
        transport_plan(rng.uniform(size=(20, 20)))
    ours = [str(warning.message) for warning in told if warning.category is ConvergenceWarning]
    assert len(ours) == 1
    assert "did not converge" in ours[0]


def test_constant_columns_become_zero_and_missing_rows_stay_out(rng):
    matrix = rng.standard_normal((10, 4)).astype(np.float16)
    matrix[:, 2] = 0.3
    matrix[7] = np.nan
    observed = np.arange(10) != 7
    out = standardize_rows(matrix, observed, *column_scaling(matrix, observed))
    assert np.isfinite(out).all()
    np.testing.assert_allclose(out[:, 2], 0, atol=1e-9)
    np.testing.assert_array_equal(out[7], 0)
    np.testing.assert_allclose(out[observed][:, [0, 1, 3]].std(axis=0), 1)
    np.testing.assert_allclose(out[observed].mean(axis=0), 0, atol=1e-12)
