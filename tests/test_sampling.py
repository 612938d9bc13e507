"""Corruption of triples."""

import numpy as np
import torch

from skotkge._holdout import spare_rows
from skotkge._sampling import corrupt, head_corruption_probability


def test_bernoulli_probabilities_follow_the_mean_numbers_of_heads_and_tails():
    one_to_many = [(0, 0, tail) for tail in range(1, 5)]
    many_to_one = [(head, 1, 0) for head in range(1, 4)]
    ids = np.array(one_to_many + many_to_one + one_to_many[:1])
    probability = head_corruption_probability(ids, 3, "bernoulli")
    np.testing.assert_allclose(probability, [4 / (4 + 1), 1 / (1 + 3), 0.5])
    np.testing.assert_array_equal(head_corruption_probability(ids, 3, "uniform"), 0.5)


def test_corruptions_are_drawn_with_these_probabilities():
    generator = torch.Generator().manual_seed(0)
    relations = torch.tensor([0, 1]).repeat(500)
    replacement, replaces_head = corrupt(relations, torch.tensor([0.9, 0.2]), 16, 50, generator)
    assert replacement.shape == replaces_head.shape == (1000, 16)
    assert set(replacement.unique().tolist()) == set(range(50))
    np.testing.assert_allclose(replaces_head[::2].double().mean(), 0.9, atol=0.02)
    np.testing.assert_allclose(replaces_head[1::2].double().mean(), 0.2, atol=0.02)


def test_a_triple_in_several_rows_is_not_held_out(small):
    ids = np.concatenate([small.ids, small.ids[:80]])
    rows = spare_rows(ids, 0.9, np.random.RandomState(0))
    assert len(rows) > 10
    kept = np.delete(ids, rows, axis=0)
    assert not set(map(tuple, ids[rows])) & set(map(tuple, kept))


def test_held_out_rows_leave_every_entity_and_relation_in_training(emoji):
    for ids in (emoji.train.ids, np.random.RandomState(0).randint([40, 5, 40], size=(200, 3))):
        for fraction in (0.05, 0.3, 0.99):
            rows = spare_rows(ids, fraction, np.random.RandomState(1))
            kept = np.delete(ids, rows, axis=0)
            assert len(np.unique(rows)) == len(rows) <= np.ceil(fraction * len(ids))
            assert set(ids[:, [0, 2]].ravel()) == set(kept[:, [0, 2]].ravel())
            assert set(ids[:, 1]) == set(kept[:, 1])
    assert len(spare_rows(emoji.train.ids, 0.05, np.random.RandomState(1))) == 256
