"""Filtered ranks against a plain loop."""

import numpy as np
import pytest
import torch
from sklearn import config_context

from skotkge import ComplEx, DistMult, TransE
from skotkge._evidence.embedding import EmbeddingScores
from skotkge._evidence.mixture import Mixture
from skotkge._evidence.rules import count_rules
from skotkge._evidence.sparse_scores import SparseScores
from skotkge._graph.queries import KnownAnswers, both_directions
from skotkge._ranking.parts import ARRAYS_AT_ONCE, score_blocks
from skotkge._ranking.ranker import Ranker, rank_both_sides
from skotkge.metrics import hits_at_k, mean_reciprocal_rank, summarize_ranks


def naive_ranks(score, ids, true, n_entities):
    ranks = []
    for head, relation, tail in ids:
        own = score(head, relation, tail)
        heads = [score(e, relation, tail) for e in range(n_entities) if (e, relation, tail) not in true and e != head]
        tails = [score(head, relation, e) for e in range(n_entities) if (head, relation, e) not in true and e != tail]
        ranks.append([1 + sum(s > own for s in side) + sum(s == own for s in side) / 2 for side in (heads, tails)])
    return np.array(ranks)


def ranker_of(score_function, entities, relations, **options):
    return Ranker(Mixture([EmbeddingScores(score_function, entities, relations, "cpu")], **options))


@pytest.fixture(params=["distmult", "transe"])
def problem(request, rng):
    """Embeddings of few integers, so that scores tie exactly, with reciprocals that score like the relation."""
    score_function = DistMult() if request.param == "distmult" else TransE(1.0)
    entities = rng.randint(-2, 3, size=(20, 4)).astype(float)
    relations = rng.randint(-2, 3, size=(3, 4)).astype(float)
    both = np.concatenate([relations, relations if request.param == "distmult" else -relations])
    ids = np.unique(rng.randint([20, 3, 20], size=(120, 3)), axis=0)

    def score(head, relation, tail):
        query = score_function.query(torch.tensor(entities[head]), torch.tensor(relations[relation]))
        return score_function.score_rows(query, torch.tensor(entities[tail])).item()

    return score_function, entities, both, ids, score


# Scores that fit at once: 1, 64, 640 and all.
@pytest.mark.parametrize("working_memory", [1e-9, 0.001, 0.01, 1024])
def test_ranks_are_those_of_the_loop_with_realistic_ties(problem, working_memory):
    score_function, entities, relations, ids, score = problem
    test = ids[::4]
    with config_context(working_memory=working_memory):
        ranker = ranker_of(score_function, entities, relations)
        ranks = rank_both_sides(ranker, test, KnownAnswers(ids, 3), 3)
    np.testing.assert_allclose(ranks, naive_ranks(score, test, set(map(tuple, ids.tolist())), 20))


def test_equal_scores_get_the_mean_rank(problem):
    score_function, entities, relations, ids, _ = problem
    ranker = ranker_of(score_function, np.zeros_like(entities), relations)
    ranks = rank_both_sides(ranker, ids[:1], KnownAnswers(ids[:1], 3), 3)
    np.testing.assert_array_equal(ranks, 10.5)


def test_uninformed_queries_tie_whatever_the_score_function(problem):
    score_function, entities, relations, ids, _ = problem
    informed = np.arange(20) != ids[0, 0]
    ranker = ranker_of(score_function, entities, relations, informed_entities=informed)
    rank = ranker.ranks(ids[:1, 0], ids[:1, 1], ids[:1, 2], KnownAnswers(ids[:1], 3))
    np.testing.assert_array_equal(rank, 10.5)


@pytest.mark.parametrize("working_memory", [1e-9, 0.001, 1024])
def test_blocks_of_scores_fit_into_the_working_memory_and_cover_all(working_memory):
    covered = np.zeros((30, 500), dtype=int)
    with config_context(working_memory=working_memory):
        for rows, pieces in score_blocks(30, 500):
            for entities in pieces:
                size = covered[rows, entities].size
                assert size == 1 or 4 * size * ARRAYS_AT_ONCE <= working_memory * 2**20
                covered[rows, entities] += 1
    np.testing.assert_array_equal(covered, 1)


@pytest.mark.parametrize("working_memory", [0.001, 0.05])
def test_pieces_of_the_entities_give_what_all_at_once_do(rng, emoji, working_memory):
    n_relations = len(emoji.train.relations)
    score_function = ComplEx()
    entities, relations = rng.randn(emoji.train.n_entities, 4), rng.randn(2 * n_relations, 4)
    entities[700:710] = entities[:10]  # ties
    rules = SparseScores(count_rules(emoji.train.ids, len(entities), n_relations), len(entities), "cpu")
    evidence = [EmbeddingScores(score_function, entities, relations, "cpu"), rules]
    options = {
        "weights": rng.rand(2, 2 * n_relations),
        "excludes_self_loops": rng.rand(2 * n_relations) < 0.5,
        "informed_entities": rng.rand(len(entities)) < 0.9,
    }
    asked = rng.permutation(emoji.test.ids)[:6]
    known = KnownAnswers(np.concatenate([emoji.train.ids, asked]), n_relations)
    whole = Ranker(Mixture(evidence, **options))
    sources, kinds, answers = both_directions(asked, n_relations)

    def allowed(relations):
        return np.arange(len(entities))[None] % 3 > 0

    wanted = whole.ranks(sources, kinds, answers, known), *whole.best(sources, kinds, 5, known, allowed)
    with config_context(working_memory=working_memory):
        got = whole.ranks(sources, kinds, answers, known), *whole.best(sources, kinds, 5, known, allowed)
    np.testing.assert_array_equal(got[0], wanted[0])
    np.testing.assert_allclose(got[2], wanted[2], rtol=1e-5)
    informed = options["informed_entities"][sources]
    np.testing.assert_array_equal(got[1][informed], wanted[1][informed])


def test_a_score_that_is_nan_is_an_error(problem):
    score_function, entities, relations, ids, _ = problem
    entities[3] = np.nan
    with pytest.raises(FloatingPointError, match="a score is NaN: a table of the model has NaN"):
        rank_both_sides(ranker_of(score_function, entities, relations), ids, KnownAnswers(ids, 3), 3)


def test_best_answers_are_unknown_and_in_order(problem):
    score_function, entities, relations, ids, _ = problem
    ranker, known = ranker_of(score_function, entities, relations), KnownAnswers(ids, 3)
    sources, kinds, _ = both_directions(ids[:10], 3)
    answers, scores = ranker.best(sources, kinds, 25, known)
    assert (np.diff(np.where(np.isneginf(scores), -1e9, scores), axis=1) <= 0).all()
    for row, (source, relation) in enumerate(zip(sources, kinds, strict=True)):
        true = set(known.answers_of(np.array([source]), np.array([relation]))[1].tolist())
        got = answers[row][answers[row] >= 0].tolist()
        assert sorted(got) == sorted(set(range(20)) - true)
        assert np.isneginf(scores[row, len(got) :]).all()


def test_metrics_satisfy_the_bounds_between_mrr_and_hits(rng):
    for _ in range(20):
        report = summarize_ranks(rng.geometric(0.1, size=(50, 2)))
        for side in ("", "head_", "tail_"):
            hits = [report[f"{side}hits@{k}"] for k in (1, 3, 10)]
            low = hits[0] + (hits[1] - hits[0]) / 3 + (hits[2] - hits[1]) / 10
            high = hits[0] + (hits[1] - hits[0]) / 2 + (hits[2] - hits[1]) / 4 + (1 - hits[2]) / 11
            assert low <= report[f"{side}mrr"] <= high + 1e-12


@pytest.mark.parametrize("ranks", [[], [0.5], [np.nan], [-1]])
def test_ranks_that_are_none_are_refused(ranks):
    with pytest.raises(ValueError, match="ranks"):
        mean_reciprocal_rank(ranks)
    with pytest.raises(ValueError, match="ranks"):
        hits_at_k(ranks)
