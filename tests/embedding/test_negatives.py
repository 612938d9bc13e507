"""Corruption of triples."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from skotkge._embedding.distinct import Strata, distinct, distinct_in_fixed_size, is_first
from skotkge._embedding.negatives import (
    Corruption,
    FilteredCorruption,
    NonAnswers,
    head_corruption_probability,
    queries_of,
)
from skotkge._graph.cover import spare_rows
from skotkge._graph.queries import KnownAnswers


def test_bernoulli_probabilities_follow_the_mean_numbers_of_heads_and_tails():
    one_to_many = [(0, 0, tail) for tail in range(1, 5)]
    many_to_one = [(head, 1, 0) for head in range(1, 4)]
    ids = np.array(one_to_many + many_to_one + one_to_many[:1])
    probability = head_corruption_probability(ids, 3, "bernoulli")
    np.testing.assert_allclose(probability, [4 / (4 + 1), 1 / (1 + 3), 0.5])
    np.testing.assert_array_equal(head_corruption_probability(ids, 3, "uniform"), 0.5)


def random_ids(seed, n_entities, n_relations, n_triples):
    return np.random.RandomState(seed).randint([n_entities, n_relations, n_entities], size=(n_triples, 3))


def corruption(kind, ids, n_relations, n_entities, method="uniform"):
    return kind(ids, n_relations, n_entities, method, torch.Generator().manual_seed(0))


def draw(sampler, triples, n_negatives):
    """Number of the triple, which side was replaced, and the entity of each negative that counts."""
    queries, answers, counted = sampler.draw(torch.tensor(triples), n_negatives)
    assert (queries.diff() >= 0).all()
    queries, answers = (part if counted is None else part[counted] for part in (queries, answers))
    return queries.numpy() // 2, queries.numpy() % 2 == 1, answers.numpy()


def negatives(triples, numbers, at_head, answers):
    """Whole triples."""
    whole = triples[numbers].copy()
    whole[at_head, 0], whole[~at_head, 2] = answers[at_head], answers[~at_head]
    return whole


@pytest.mark.parametrize("kind", [Corruption, FilteredCorruption])
def test_sides_are_drawn_with_these_probabilities_and_entities_uniformly(kind):
    one_to_many = np.array([(0, 0, tail) for tail in range(1, 5)])
    ids = np.concatenate([one_to_many, [(head, 1, 0) for head in range(1, 4)]])
    triples = np.tile(ids[[0, 4]], (500, 1))
    sampler = corruption(kind, ids, 2, 50, "bernoulli")
    numbers, at_head, answers = draw(sampler, triples, 16)
    np.testing.assert_array_equal(np.bincount(numbers), 16)
    relations = triples[numbers, 1]
    np.testing.assert_allclose(at_head[relations == 0].mean(), 4 / 5, atol=0.02)
    np.testing.assert_allclose(at_head[relations == 1].mean(), 1 / 4, atol=0.02)
    if kind is Corruption:
        assert chisquare(np.bincount(answers, minlength=50)).pvalue > 0.001


@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 3), st.integers(1, 60))
def test_no_filtered_negative_is_true_and_none_is_missing_without_need(seed, n_entities, n_relations, n_triples):
    ids = random_ids(seed, n_entities, n_relations, n_triples)
    true = set(map(tuple, ids))
    sampler = corruption(FilteredCorruption, ids, n_relations, n_entities)
    numbers, at_head, answers = draw(sampler, ids, 5)
    whole = negatives(ids, numbers, at_head, answers)
    assert not set(map(tuple, whole)) & true
    assert np.isin(answers, np.arange(n_entities)).all()
    drawn = np.bincount(numbers, minlength=n_triples)
    for (head, relation, tail), number in zip(ids, drawn, strict=True):
        room = any((head, relation, e) not in true or (e, relation, tail) not in true for e in range(n_entities))
        assert number == (5 if room else 0)


def test_the_numbers_of_non_answers_stand_for_each_of_them_once():
    ids = np.unique(random_ids(3, 12, 2, 80), axis=0)
    lists = KnownAnswers(ids, 2)
    non_answers = NonAnswers(ids, 2, 12)
    rows, answers = lists.pairs()
    for row in range(len(lists)):
        wanted = np.setdiff1d(np.arange(12), answers[rows == row])
        assert non_answers.counts[row] == len(wanted)
        found = non_answers.at(torch.full((len(wanted),), row), torch.arange(len(wanted)))
        np.testing.assert_array_equal(found, wanted)


def test_filtered_negatives_are_uniform_among_the_entities_that_are_not_true():
    ids = np.array([(0, 0, tail) for tail in (0, 3, 4, 11)] + [(7, 0, 3)])
    triples = ids[:1].repeat(4000, axis=0)
    _, at_head, answers = draw(corruption(FilteredCorruption, ids, 1, 12), triples, 8)
    for drawn, answer in ((answers[~at_head], (0, 3, 4, 11)), (answers[at_head], (0,))):
        counts = np.bincount(drawn, minlength=12)
        assert not counts[list(answer)].any()
        assert chisquare(np.delete(counts, answer)).pvalue > 0.001


def test_a_side_without_room_gives_way_to_the_other():
    everything = np.array([(0, 0, tail) for tail in range(4)] + [(1, 0, 2)])
    _, at_head, answers = draw(corruption(FilteredCorruption, everything, 1, 4), everything[:1], 50)
    assert at_head.all()
    assert set(answers) == {1, 2, 3}
    full = np.array([(0, 0, 0), (0, 0, 1), (1, 0, 0), (1, 0, 1)])
    assert len(draw(corruption(FilteredCorruption, full, 1, 2), full, 3)[0]) == 0


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


def test_queries_of_a_triple_stand_side_by_side():
    sources, relations, answers = queries_of(torch.tensor([(1, 0, 2), (3, 1, 4)]), 5)
    assert sources.tolist() == [1, 2, 3, 4]
    assert relations.tolist() == [0, 5, 1, 6]
    assert answers.tolist() == [2, 1, 4, 3]


@given(st.lists(st.integers(0, 11), min_size=1, max_size=30))
def test_distinct_ids_in_a_fixed_size_are_those_of_a_cpu_and_repetitions_of_the_last(ids):
    ids = torch.tensor(ids)
    wanted, places = distinct(ids, 12)
    present, positions = distinct_in_fixed_size(ids, 12)
    assert len(present) == min(len(ids), 12)
    assert torch.equal(positions, places)
    assert torch.equal(present[is_first(present)], wanted)
    assert (present[len(wanted) :] == wanted[-1]).all()


@given(st.integers(0, 2**16), st.integers(1, 40), st.integers(1, 50))
def test_a_sample_has_one_entity_of_each_part(seed, n_entities, n_strata):
    strata = Strata(n_entities, n_strata, "cpu")
    assert len(strata) == min(n_entities, n_strata)
    assert strata.sizes.sum() == n_entities
    assert strata.sizes.max() - strata.sizes.min() <= 1
    drawn = strata.draw(torch.Generator().manual_seed(seed))
    assert ((drawn >= 0) & (drawn < n_entities)).all()
    assert torch.equal(strata.part_of(drawn), torch.arange(len(strata)))


def test_sums_over_a_sample_estimate_sums_over_all_entities_without_bias():
    generator, strata = torch.Generator().manual_seed(0), Strata(30, 8, "cpu")
    values = torch.arange(30.0) ** 2
    estimates = [float(strata.sizes @ values[strata.draw(generator)]) for _ in range(4000)]
    error = np.std(estimates) / np.sqrt(len(estimates))
    assert np.mean(estimates) == pytest.approx(float(values.sum()), abs=4 * error)
