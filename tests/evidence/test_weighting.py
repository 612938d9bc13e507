"""Weights of evidence: what they favour, how relations share them, and the candidates that stand for all."""

import numpy as np
import torch

from skotkge._evidence.weighting import SHRINKAGES, _candidates, best_shrinkage, likeliest_strength, weights_of_scores


def problem(rng, n_queries, informative):
    """Scores of three kinds of evidence; in the informative ones of each relation the answer, first, scores higher."""
    relations = np.arange(n_queries) % len(informative)
    scores = rng.standard_normal((n_queries, 3, 40)).astype(np.float32)
    for row, relation in enumerate(relations):
        scores[row, informative[relation], 0] += 3
    return scores, np.zeros((n_queries, 40), dtype=np.float32), relations


def test_evidence_that_tells_nothing_gets_next_to_no_weight(rng):
    weights = weights_of_scores(*problem(rng, 400, [[0, 1]]), 1)
    assert weights.shape == (3, 1)
    assert (weights >= 0).all()
    assert weights[2, 0] < 0.1 * weights[:2, 0].min()


def test_relations_with_data_have_weights_of_their_own_and_others_share(rng):
    scores, offsets, relations = problem(rng, 400, [[0], [1]])
    weights = weights_of_scores(scores, offsets, relations, 3)
    assert weights[0, 0] > 5 * weights[1, 0]
    assert weights[1, 1] > 5 * weights[0, 1]
    assert weights[:, 2].max() < max(weights[0, 0], weights[1, 1])
    alone = weights_of_scores(scores[:2], offsets[:2], relations[:2], 3)
    assert np.ptp(alone[:2], axis=1).max() < np.ptp(weights[:2], axis=1).max()


def test_weights_are_a_minimum_of_the_cross_entropy(rng):
    scores, offsets, relations = problem(rng, 300, [[0, 1]])
    weights = weights_of_scores(scores, offsets, relations, 1)[:, 0]

    def loss(weights):
        logits = np.einsum("k,qkn->qn", weights, scores)
        return np.mean(np.log(np.exp(logits).sum(axis=1)) - logits[:, 0])

    for kind in (0, 1):
        for factor in (0.8, 1.25):
            assert loss(np.where(np.arange(3) == kind, factor, 1) * weights) > loss(weights)


def test_the_shrinkage_is_chosen_by_what_relations_have_in_common(rng):
    def chosen(n_queries, informative):
        scores, offsets, relations = problem(rng, n_queries, informative)
        return best_shrinkage(scores, offsets, np.arange(n_queries), relations, len(informative), rng)

    # Many relations of four queries each that all need the same, and two that need different evidence.
    assert chosen(400, [[0]] * 100) == SHRINKAGES[-1]
    assert chosen(400, [[0], [1]]) < SHRINKAGES[-1]
    assert best_shrinkage(*problem(rng, 1, [[0]])[:2], [0], np.zeros(1, dtype=int), 1, rng) == SHRINKAGES[-1]


def test_no_query_is_on_both_sides_of_a_fold_and_few_choose(rng):
    groups = np.repeat(np.arange(1500), 2)

    def loss(learned, left_out, strength):
        assert not set(groups[learned]) & set(groups[left_out])
        assert len(learned) + len(left_out) == 2000
        return abs(strength - 2)

    assert likeliest_strength((1, 2, 3), groups, rng, loss) == 2
    assert likeliest_strength((1, 2, 3), np.zeros(5, dtype=int), rng, loss) == 3


def test_candidates_stand_for_all_that_are_not_left_out(rng):
    scores = torch.tensor(rng.standard_normal((2, 5, 60)))
    left_out = torch.tensor(rng.random_sample((5, 60)) < 0.2)
    answers = torch.tensor([3, 9, 12, 40, 59])
    sample = torch.tensor(rng.permutation(60)[:20])
    candidates, offsets = _candidates(scores, left_out, answers, sample, 10)
    assert candidates.shape == offsets.shape == (5, 1 + 2 * 10 + 20)
    np.testing.assert_array_equal(candidates[:, 0], answers)
    np.testing.assert_array_equal(offsets[:, 0], 0)
    left_out[torch.arange(5), answers] = False
    np.testing.assert_allclose(offsets.exp().sum(1), (~left_out).sum(1), rtol=1e-5)
    for row in range(5):
        counted = candidates[row][torch.isfinite(offsets[row])].tolist()
        assert len(counted) == len(set(counted))
        assert not left_out[row, counted].any()
        best = scores[0, row].masked_fill(left_out[row], -torch.inf).topk(5).indices.tolist()
        assert set(best) <= set(counted)
