"""Signed weights on made-up evidence."""

import numpy as np
import pytest
import torch

from skotkge._evidence.mixture import Mixture
from skotkge._evidence.signed_weights import (
    Candidates,
    best_ridge,
    candidates_of,
    learn_from,
    without_unlabelled,
)
from skotkge._graph.queries import KnownAnswers, both_directions

N_ENTITIES, N_RELATIONS = 60, 2


class Made:
    """Evidence by a table of scores of (source, relation, candidate)."""

    n_columns, n_entities = 1, N_ENTITIES

    def __init__(self, table):
        self.scores = torch.tensor(table, dtype=torch.float32)

    def queries(self, sources, relations):
        return sources, relations

    def add_scores(self, entities, queries, weights, out):
        out += weights * self.scores[queries[0], queries[1]][:, entities]


@pytest.fixture
def made(rng):
    """A first kind that knows a little, one that speaks against answers, one of noise; and held-out triples."""
    ids = np.column_stack([rng.randint(largest, size=400) for largest in (N_ENTITIES, N_RELATIONS, N_ENTITIES)])
    ids = np.unique(ids[ids[:, 0] != ids[:, 2]], axis=0)
    truth = np.zeros((N_ENTITIES, 2 * N_RELATIONS, N_ENTITIES))
    truth[both_directions(ids, N_RELATIONS)] = 1
    noise = rng.standard_normal((3, *truth.shape))
    return [Made(truth + noise[0]), Made(-2 * truth + noise[1]), Made(noise[2])], ids


def learned(made, seed=0, base=(1.0, 0.0, 0.0)):
    kinds, ids = made
    base = np.repeat(np.array(base)[:, None], 2 * N_RELATIONS, axis=1)
    known = KnownAnswers(ids, N_RELATIONS)
    random_state = np.random.RandomState(seed)
    told = candidates_of(Mixture(kinds), base, ids, known, 0.0, N_RELATIONS, random_state)
    weights = learn_from(told, best_ridge(told, 2 * N_RELATIONS, random_state), 2 * N_RELATIONS)
    return weights[0] * base + weights[1:]


def test_evidence_against_answers_has_a_negative_weight_and_noise_nearly_none(made):
    weights = learned(made)
    assert weights.shape == (3, 2 * N_RELATIONS)
    assert (weights[0] > 0.3).all()
    assert (weights[1] < -0.5).all()
    assert (np.abs(weights[2]) < 0.25 * np.abs(weights[1])).all()


def test_they_depend_on_nothing_but_the_seed(made):
    np.testing.assert_array_equal(learned(made), learned(made))


def test_relations_may_differ(made):
    kinds, _ = made
    kinds[1].scores[:, [0, 2]] *= -1
    weights = learned(made)
    assert (weights[1, [0, 2]] > 0).all()
    assert (weights[1, [1, 3]] < 0).all()


def test_best_candidates_that_count_are_left_out_as_unlabelled():
    # Candidate 1 is known already, 2 is twice there and counts once, 5 stands for three others.
    logits = np.array([[9.0, 8.0, 7.0, 7.0, 6.0, 8.5]], dtype=np.float32)
    offsets = np.array([[0.0, -np.inf, -np.inf, 0.0, 0.0, np.log(3)]])
    told = Candidates(logits[:, None], offsets, np.array([0]), np.array([0]), unlabelled=np.array([1]))
    left = without_unlabelled(told, np.ones((1, 1)))
    np.testing.assert_array_equal(np.isneginf(left[0]), [False, True, True, True, False, False])
    few = Candidates(logits[:, None], offsets, np.array([0]), np.array([0]), unlabelled=np.array([5]))
    left = without_unlabelled(few, np.ones((1, 1)))
    np.testing.assert_array_equal(np.isneginf(left[0]), [False, True, True, True, True, False])


def test_weights_stand_still(made, rng):
    # Features that are rounded otherwise, as another processor does, change the weights as little.
    kinds, ids = made
    known, base = KnownAnswers(ids, N_RELATIONS), np.array([[1.0], [0.0], [0.0]]).repeat(2 * N_RELATIONS, axis=1)
    told = candidates_of(Mixture(kinds), base, ids, known, 0.0, N_RELATIONS, np.random.RandomState(0))
    rounded = told.features * (1 + 1e-6 * rng.standard_normal(told.features.shape)).astype(np.float32)
    weights, others = (
        learn_from(Candidates(features, *list(vars(told).values())[1:]), 1.0, 2 * N_RELATIONS)
        for features in (told.features, rounded)
    )
    np.testing.assert_allclose(others, weights, rtol=1e-4, atol=1e-4)
