"""Score functions against plain NumPy formulas; gradients of them and of losses against finite differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from formulas import FORMULAS, MARGIN, OF_ONE_SPACE, as_complex
from sklearn import config_context

from skotkge import ComplEx
from skotkge._embedding import pair_products, softmax
from skotkge._embedding.batches import LEAST_SCORE
from skotkge._embedding.score_functions import CrossSpaceTransE, DotProduct
from skotkge._embedding.softmax import Softmax, log_partition, logistic, n3
from skotkge._graph.queries import KnownAnswers, both_directions, slices
from skotkge.baselines import ManhattanTransE, MeanCrossSpaceTransE

OF_SEVERAL = {
    "across two spaces": CrossSpaceTransE(2, with_sum=False),
    "mean across two spaces": MeanCrossSpaceTransE(),
    "across two spaces and their sum": CrossSpaceTransE(2, with_sum=True),
    "across three spaces and their sum": CrossSpaceTransE(3, with_sum=True),
}

ALL = OF_ONE_SPACE | OF_SEVERAL | {"manhattan": ManhattanTransE()}


@pytest.fixture(params=sorted(ALL))
def model(request):
    score_function = ALL[request.param]
    generator = torch.Generator().manual_seed(0)
    entities = torch.randn(7, 6, generator=generator, dtype=torch.float64)
    relations = score_function.initial_relations(4, 6, 0.5, generator).double()
    return request.param, score_function, entities, relations


def test_scores_are_those_of_the_formula(model):
    name, score_function, entities, relations = model
    heads, kinds, tails = (np.array(index) for index in ([0, 1, 2, 6], [0, 3, 1, 2], [3, 4, 2, 0]))
    query = score_function.query(entities[heads], relations[kinds])
    wanted = np.array(
        [
            [FORMULAS[name](entities[h].numpy(), relations[r].numpy(), tail) for tail in entities.numpy()]
            for h, r in zip(heads, kinds, strict=True)
        ]
    )
    np.testing.assert_allclose(score_function.score_all(query, entities).numpy(), wanted, rtol=1e-9)
    np.testing.assert_allclose(
        score_function.score_rows(query, entities[tails]).numpy(), wanted[range(4), tails], rtol=1e-9
    )


def test_gradients_of_both_ways_to_score(model):
    _, score_function, entities, relations = model
    entities.requires_grad_(), relations.requires_grad_()
    assert torch.autograd.gradcheck(
        lambda e, r: score_function.score_all(score_function.query(e[:3], r[:3]), e), (entities, relations)
    )
    assert torch.autograd.gradcheck(
        lambda e, r: score_function.score_rows(score_function.query(e[:3], r[:3]), e[3:6]), (entities, relations)
    )


PAIRS = torch.tensor([0, 0, 0, 1, 2, 2]), torch.tensor([6, 6, 1, 1, 1, 6])


@pytest.mark.parametrize("gathers", [False, True])
def test_chosen_pairs_score_as_among_all(model, monkeypatch, gathers):
    if gathers:  # as other devices do
        monkeypatch.setattr(pair_products, "_sampled_product", pair_products.gathered_products)
    _, score_function, entities, relations = model
    found = []
    for chosen in (
        lambda query, rows: score_function.score_pairs(query, rows, *PAIRS),
        lambda query, rows: score_function.score_rows(query[PAIRS[0]], rows[PAIRS[1]]),
    ):
        inputs = [tensor.clone().requires_grad_() for tensor in (entities, relations)]
        scores = chosen(score_function.query(inputs[0][:3], inputs[1][:3]), inputs[0])
        (scores * torch.arange(1.0, 7.0)).sum().backward()
        found.append([scores.detach(), *(tensor.grad for tensor in inputs)])
    for fast, plain in zip(*found, strict=True):
        np.testing.assert_allclose(fast.numpy(), plain.numpy(), rtol=1e-9, atol=1e-12)


def test_gradients_of_chosen_pairs(model):
    _, score_function, entities, relations = model
    query = score_function.query(entities[:3], relations[:3]).requires_grad_()
    entities.requires_grad_()
    assert torch.autograd.gradcheck(lambda q, e: score_function.score_pairs(q, e, *PAIRS), (query, entities))
    assert torch.autograd.gradcheck(lambda q: score_function.score_pairs(q, entities.detach(), *PAIRS), (query,))


def test_no_chosen_pair_is_no_score_and_no_gradient(model):
    _, score_function, entities, relations = model
    entities.requires_grad_()
    nothing = torch.empty(0, dtype=torch.int64)
    scores = score_function.score_pairs(score_function.query(entities[:2], relations[:2]), entities, nothing, nothing)
    scores.sum().backward()
    assert scores.shape == (0,)
    assert entities.grad.abs().max() == 0


def test_gradients_of_n3_on_the_modulus(model):
    _, score_function, entities, _ = model
    counts = torch.arange(1.0, 8.0, dtype=torch.float64)
    entities.requires_grad_()
    assert torch.autograd.gradcheck(lambda e: n3(score_function.modulus(e), counts), (entities,))
    factors = entities.detach().numpy()
    moduli = np.abs(as_complex(factors)) if score_function.needs_even_width else np.abs(factors)
    np.testing.assert_allclose(n3(score_function.modulus(entities)).item(), np.sum(moduli**3))


def test_n3_by_hand_is_that_of_the_modulus(model):
    _, score_function, entities, relations = model
    for rows in (entities, relations)[: 1 + score_function.regularizes_relations]:
        counts = torch.arange(1.0, len(rows) + 1, dtype=torch.float64)
        value, gradient = score_function.n3(rows, counts, 0.7)
        rows = rows.clone().requires_grad_()
        wanted = n3(score_function.modulus(rows), counts)
        np.testing.assert_allclose(value, wanted.detach(), rtol=1e-12)
        np.testing.assert_allclose(gradient, 0.7 * torch.autograd.grad(wanted, rows)[0], rtol=1e-9, atol=1e-12)


def test_gradients_of_queries_are_added_up(model):
    _, score_function, entities, relations = model
    rows = entities[:4].clone().requires_grad_(), relations.clone().requires_grad_()
    query = score_function.query(*rows)
    of_query = torch.arange(query.numel(), dtype=torch.float64).view_as(query)
    added = [torch.full_like(part, 2.0) for part in rows]
    score_function.add_query_gradients(*(part.detach() for part in rows), of_query, *added)
    for found, wanted in zip(added, torch.autograd.grad(query, rows, of_query), strict=True):
        np.testing.assert_allclose(found, 2 + wanted, rtol=1e-9, atol=1e-12)


class OfConjugate(ComplEx):
    """ComplEx with a query and with gradients of its own: scores are doubled."""

    def query(self, head, relation):
        real, imaginary = relation.chunk(2, dim=-1)
        return super().query(head, torch.cat([real, -imaginary], dim=-1))

    def score_all(self, query, entities):
        return 2 * super().score_all(query, entities)

    def score_entities(self, entities, query, out):
        return super().score_entities(entities, query, out).mul_(2)

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        super().add_gradients(query, entities, scores, 2 * mass, query_gradient, entity_gradient)


def test_what_a_subclass_writes_anew_is_what_gradients_are_of():
    generator = torch.Generator().manual_seed(0)
    entities, relations = (torch.randn(n, 6, generator=generator, dtype=torch.float64) for n in (7, 4))
    model = "own", OfConjugate(), entities, relations
    test_gradients_of_queries_are_added_up(model)
    test_gradients_of_all_scores_are_scaled(model)


def test_gradients_of_all_scores_are_scaled(model):
    _, score_function, entities, relations = model
    query = score_function.query(entities[:4], relations).detach().requires_grad_()
    entities.requires_grad_()
    mass = torch.arange(28.0, dtype=torch.float64).view(7, 4)
    wanted = torch.autograd.grad(0.3 * (mass.T * score_function.score_all(query, entities)).sum(), [query, entities])
    query, entities = query.detach(), entities.detach()
    scores = score_function.score_entities(entities, query, torch.empty_like(mass))
    found = score_function.gradients(query, entities, scores.clone(), mass.clone(), 0.3, wants_entities=True)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    of_query, nothing = score_function.gradients(query, entities, scores, mass, 0.3, wants_entities=False)
    np.testing.assert_array_equal(of_query, found[0])
    assert nothing is None


@pytest.mark.parametrize("model", sorted(OF_ONE_SPACE), indirect=True)
def test_a_distance_of_zero_has_a_finite_gradient(model):
    _, score_function, entities, relations = model
    same = torch.arange(2)
    for score in (score_function.score_rows, lambda query, rows: score_function.score_pairs(query, rows, same, same)):
        for dtype in (torch.float32, torch.float64):
            query = score_function.query(entities[:2], relations[:2]).detach().to(dtype).requires_grad_()
            scores = score(query, query.detach().clone())
            scores.sum().backward()
            assert torch.isfinite(query.grad).all()
            if not isinstance(score_function, DotProduct):
                np.testing.assert_allclose(scores.detach().numpy(), MARGIN, atol=1e-2)


@pytest.mark.parametrize("model", sorted(OF_SEVERAL), indirect=True)
def test_distances_of_zero_within_the_spaces_have_a_finite_gradient(model):
    _, score_function, entities, relations = model
    entities.requires_grad_()
    no_translation = torch.zeros_like(relations[:2])
    query = score_function.query(entities[:2], no_translation).detach()
    excluded = torch.tensor([0, 5]), torch.arange(2), torch.tensor([0.0, LEAST_SCORE])
    of_all = log_partition(query, entities.detach(), Softmax(score_function, torch.ones(2), excluded))
    assert torch.isfinite(of_all.query_gradient).all()
    assert torch.isfinite(of_all.entity_gradient).all()
    same = torch.arange(2)
    for score in (score_function.score_rows, lambda query, rows: score_function.score_pairs(query, rows, same, same)):
        (gradient,) = torch.autograd.grad(
            score(score_function.query(entities[:2], no_translation), entities[:2]).sum(), entities
        )
        assert torch.isfinite(gradient).all()
        assert gradient[:2].abs().max() > 0


@pytest.mark.parametrize("multiple", [False, True])
@pytest.mark.parametrize(("in_cache", "working_memory"), [(4, 1024), (2**18, 1e-4), (2**18, 1024)])
def test_log_partition_and_its_gradients_are_those_of_one_row_of_scores(
    model, monkeypatch, in_cache, working_memory, multiple
):
    monkeypatch.setattr(softmax, "SCORES_IN_CACHE", in_cache)
    monkeypatch.setattr(softmax, "FEWEST_ENTITIES", 1)
    _, score_function, entities, relations = model
    query = score_function.query(entities[:4], relations).detach().requires_grad_()
    entities.requires_grad_()
    counts, lowered = torch.tensor([2, 1, 3, 1]), LEAST_SCORE * torch.tensor([1.0, 0.0, 1.0, 1.0, 1.0])
    excluded = torch.tensor([2, 3, 6, 5, 0]), torch.tensor([0, 1, 2, 2, 3]), lowered
    multiplicity = torch.tensor([1, 2, 1, 3, 1, 0.5, 4], dtype=torch.float64) if multiple else None
    scores = score_function.score_all(query, entities) + (multiplicity.log() if multiple else 0)
    for entity, row, by in zip(*excluded, strict=True):
        if by < 0:
            scores = scores.index_put((row, entity), torch.tensor(-torch.inf, dtype=scores.dtype))
    beside = torch.tensor([0.5, -1.0, 2.0, 0.0], dtype=torch.float64) if multiple else None
    normalizer = torch.logsumexp(scores if beside is None else torch.cat([scores, beside[:, None]], dim=1), dim=1)
    wanted = 0.3 * (counts * normalizer).sum()
    gradients = torch.autograd.grad(wanted, [query, entities])
    terms = Softmax(score_function, counts, excluded, multiplicity, scale=0.3)
    with config_context(working_memory=working_memory):
        found, constant = (
            log_partition(query.detach(), entities.detach(), replace(terms, wants_entities=wants), beside=beside)
            for wants in (True, False)
        )
    np.testing.assert_allclose(found.value, wanted.detach(), rtol=1e-12)
    np.testing.assert_allclose(found.normalizer, normalizer.detach(), rtol=1e-12)
    np.testing.assert_allclose(found.query_gradient, gradients[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.entity_gradient, gradients[1], rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(constant.query_gradient, found.query_gradient)
    assert constant.entity_gradient is None


@pytest.mark.parametrize("name", ["distmult", "complex"])
def test_half_precision_of_the_factors_changes_value_and_gradients_by_their_rounding(name):
    generator = torch.Generator().manual_seed(0)
    query, entities = (torch.randn(n, 32, generator=generator) for n in (40, 300))
    full, half = (
        log_partition(query, entities, Softmax(OF_ONE_SPACE[name], torch.ones(40), precision=precision))
        for precision in (None, torch.bfloat16)
    )
    assert half.query_gradient.dtype == torch.float32
    np.testing.assert_allclose(half.value, full.value, rtol=2**-8)
    for wanted, found in ((full.query_gradient, half.query_gradient), (full.entity_gradient, half.entity_gradient)):
        assert 0 < (found - wanted).norm() < 0.05 * wanted.norm()


def test_log_partition_of_a_distance_of_zero_has_a_finite_gradient():
    entities = torch.eye(3)
    for name in ("transe", "rotate"):
        excluded = torch.tensor([0, 1, 2]), torch.arange(3), torch.tensor([0.0, 0.0, LEAST_SCORE])
        found = log_partition(entities.clone(), entities, Softmax(OF_ONE_SPACE[name], torch.ones(3), excluded))
        assert torch.isfinite(found.query_gradient).all()
        assert torch.isfinite(found.entity_gradient).all()


def test_negligible_probabilities_have_no_gradient():
    query = torch.tensor([[0.0, -100.0, -5.0]])
    gradient = log_partition(query, torch.eye(3), Softmax(OF_ONE_SPACE["distmult"], torch.tensor([1]))).query_gradient
    assert gradient[0, 1] == 0
    assert gradient[0, 2] > 0


def test_logistic_loss_is_equation_6():
    labels, scores = np.array([1.0, 1, 1, -1, -1]), np.array([0.3, -2.0, 40.0, 1.0, -90.0])
    found = logistic(torch.tensor(scores), -torch.tensor(labels))
    np.testing.assert_allclose(found.item(), np.log1p(np.exp(-labels * scores)).sum(), rtol=1e-6)
    counted = torch.tensor([True, True, False, False, True])
    found = logistic(torch.tensor(scores), -torch.tensor(labels), counted)
    np.testing.assert_allclose(found.item(), np.log1p(np.exp(-labels * scores))[counted.numpy()].sum(), rtol=1e-6)


def test_pieces_hold_every_answer_once(rng):
    lists = KnownAnswers(rng.randint([4, 1, 9], size=(60, 3)), 1)
    queries, starts, counts = lists.split(3)
    assert counts.max() == 3
    assert counts.min() >= 1
    rows, answers = lists.pairs()
    np.testing.assert_array_equal(slices(starts, counts), np.arange(len(answers)))
    np.testing.assert_array_equal(np.repeat(queries, counts), rows)
    np.testing.assert_array_equal(np.bincount(queries), -(-lists.counts // 3))


def test_answer_lists_hold_every_answer_of_every_query(rng):
    ids = rng.randint([6, 2, 6], size=(40, 3))
    ids[5] = ids[4]
    lists = KnownAnswers(ids, 2)
    triples = list(zip(*both_directions(ids, 2), strict=True))
    rows, answers = lists.pairs()
    listed = zip(lists.sources[rows], lists.relations[rows], answers, strict=True)
    assert sorted(map(tuple, triples)) == sorted(listed)
    assert lists.counts.sum() == 80
    sources, relations = rng.randint(6, size=9), rng.randint(4, size=9)
    rows, answers = lists.answers_of(sources, relations)
    for row in range(9):
        wanted = sorted(
            answer for source, relation, answer in triples if (source, relation) == (sources[row], relations[row])
        )
        assert sorted(answers[rows == row]) == wanted
    empty = KnownAnswers(ids[:0], 2)
    assert len(empty.answers_of(sources, relations)[0]) == len(empty) == 0
