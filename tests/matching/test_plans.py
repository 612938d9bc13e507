"""Plans: against POT and SciPy, and what holds for each."""

import numpy as np
import ot
import pytest
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_array

from skotkge._matching.candidates import best_candidates
from skotkge._matching.plans import entropic_plan, exact_plan, transport_plan


@pytest.fixture
def similarity(rng):
    return rng.rand(12, 12)


def test_equal_masses_give_the_plan_of_pot(similarity):
    ours = entropic_plan(similarity.copy(), 0.3, None, 10_000, 1e-10)
    theirs = ot.sinkhorn(np.ones(12), np.ones(12), -similarity, 0.3, stopThr=1e-12)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_sparse_and_dense_plans_agree(similarity):
    for unmatched in (None, 0.5):
        dense = entropic_plan(similarity.copy(), 0.1, unmatched)
        sparse = entropic_plan(csr_array(similarity), 0.1, unmatched)
        np.testing.assert_allclose(sparse.toarray(), dense, atol=1e-6)


def test_partial_plan_is_that_of_pot_for_its_mass(similarity):
    ours = entropic_plan(similarity[:, :9].copy(), 0.1, 1.1, 10_000, 1e-10)
    theirs = ot.partial.entropic_partial_wasserstein(
        np.ones(12), np.ones(9), 1 - similarity[:, :9], 0.1, m=ours.sum(), stopThr=1e-12
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_exact_plan_is_the_assignment(similarity):
    plan = exact_plan(similarity, 0.0).toarray()
    rows, columns = linear_sum_assignment(-similarity)
    np.testing.assert_allclose(plan[rows, columns], 1)
    alone = exact_plan(csr_array(similarity), 0.9).toarray()
    assert ((alone > 0) <= (similarity > 0.9)).all()


@pytest.mark.parametrize("solver", ["sinkhorn", "partial", "exact"])
@pytest.mark.parametrize("shape", [(10, 14), (14, 10)])
def test_no_entity_is_moved_twice(rng, solver, shape):
    plan = transport_plan(csr_array(rng.rand(*shape)), solver, 0.05, 0.3)
    assert plan.sum(axis=0).max() < 1.02
    assert plan.sum(axis=1).max() < 1.02
    if solver == "sinkhorn":
        assert plan.sum() == pytest.approx(10, rel=0.02)


def test_best_candidates_are_the_largest_products(rng):
    first, second = rng.standard_normal((7, 4)).astype(np.float32), rng.standard_normal((9, 4)).astype(np.float32)
    products = first @ second.T
    best = best_candidates(first, second, 3, rng)
    for row in range(7):
        assert set(best[[row]].indices) == set(np.argsort(-products[row])[:3])
    np.testing.assert_allclose(best_candidates(first, second, None, rng).toarray(), products)


def test_candidates_by_sketches_are_the_best(rng):
    second = rng.standard_normal((2000, 1100)).astype(np.float32)
    first = second[:200] + 0.5 * rng.standard_normal((200, 1100)).astype(np.float32)
    first[0] = 0
    best = best_candidates(first, second, 20, rng, largest_exact=0)
    exact = first @ second.T
    assert best[[0]].nnz == 0
    assert np.diff(best.indptr).max() == 20
    for row in range(1, 200):
        candidates = best[[row]]
        assert row in candidates.indices
        assert (np.diff(candidates.indices) > 0).all()
        np.testing.assert_allclose(candidates.data, exact[row, candidates.indices], rtol=1e-4)
