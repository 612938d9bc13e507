"""The objective of a batch against plain NumPy: both losses, both directions, N3, the division by the batch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from test_scorers import FORMULAS, as_complex

from skotkge import OTFusionTransformer
from skotkge._embedding import trainer as _training
from skotkge._embedding.negatives import head_corruption_probability
from skotkge._embedding.objectives import objective_of
from skotkge._embedding.score_functions import SCORERS
from skotkge._embedding.softmax import logistic
from skotkge._graph.queries import both_directions
from skotkge._spaces import EntitySpaces

STRENGTH = 0.3


@pytest.fixture(params=["complex", "transe"])
def problem(request, small, monkeypatch):
    """A model at a scale where every term of the loss counts."""
    monkeypatch.setattr(_training, "INITIAL_GAIN", 1.0)
    scorer = SCORERS[request.param](2.0)
    settings = _training.Settings(
        score_function=scorer,
        loss="cross_entropy",
        negative_sampling="bernoulli",
        n_negatives=5,
        filter_negatives=False,
        regularization=STRENGTH,
        optimizer="adagrad",
        learning_rate=0.1,
        batch_size=32,
        max_iter=1,
        learn_transport=True,
        n_iter_no_change=1,
        tol=0.0,
        device="cpu",
    )
    spaces = OTFusionTransformer(6, random_state=0).fit_transform(small).fusion.spaces(small)["fused"]
    model = _training._Model(spaces, 3, settings, torch.Generator().manual_seed(0), torch.float64)
    return request.param, model, small.ids, settings


def objective(name, problem):
    _, model, ids, settings = problem
    return objective_for(replace(settings, loss=name), model, ids)


def objective_for(settings, model, ids, *loops):
    return objective_of(settings)(model, ids, 3, settings, torch.Generator().manual_seed(1), *loops)


def tables(model):
    return model.entities().detach().double().numpy(), model.relations.detach().double().numpy()


def expected_n3(name, entities, relations, triples):
    modulus = (lambda rows: np.abs(as_complex(rows))) if name == "complex" else np.abs
    rows = (np.concatenate([entities[h], relations[r], entities[t]]).reshape(3, -1) for h, r, t in triples)
    return STRENGTH * sum((modulus(factors) ** 3).sum() for factors in rows)


def test_entity_table_is_the_fused_embedding(problem, small):
    fuse = OTFusionTransformer(6, random_state=0).fit(small)
    np.testing.assert_allclose(tables(problem[1])[0], fuse.embedding_, atol=1e-6)


@pytest.mark.parametrize("excluded", [False, True])
def test_cross_entropy_of_an_epoch_is_that_of_one_row_per_triple(problem, excluded):
    name, model, ids, settings = problem
    entities, relations = tables(model)
    loops = np.array([excluded, False, False] * 2)
    ids = ids[(ids[:, 0] != ids[:, 2]) | ~loops[ids[:, 1]]]
    triples = list(zip(*both_directions(ids, 3), strict=True))
    data = 0.0
    for h, r, t in triples:
        scores = np.array([FORMULAS[name](entities[h], relations[r], tail) for tail in entities])
        if loops[r]:
            scores[h] = -np.inf
        data -= log_softmax(scores)[t]
    wanted = data + expected_n3(name, entities, relations, triples)
    training = objective_for(settings, model, ids, loops)
    batches = list(training.batches())
    assert len(batches) > 3
    assert sum(len(batch.answers) for batch in batches) == 2 * len(ids)
    np.testing.assert_allclose(sum(training.backward(batch).item() for batch in batches), wanted, rtol=1e-9)


def test_gradients_of_a_batch_are_those_of_one_row_per_triple_in_double_precision(problem):
    _, model, _, settings = problem
    training = objective("cross_entropy", problem)
    batch = next(iter(training.batches()))
    loss = training.backward(batch)
    found = {name: parameter.grad.clone() for name, parameter in model.parameters().items()}
    for parameter in model.parameters().values():
        parameter.grad = None
    entities, scorer = model.entities(), settings.scorer
    sources, answers = entities[batch.sources[batch.rows]], entities[batch.answers]
    relations = model.relations[batch.relations[batch.rows]]
    scores = scorer.score_all(scorer.query(sources, relations), entities)
    data = torch.nn.functional.cross_entropy(scores, batch.answers, reduction="sum")
    modulus = [scorer.modulus(factors) ** 3 for factors in (sources, relations, answers)]
    wanted = data + STRENGTH * sum(cubed.sum() for cubed in modulus)
    (wanted / (len(batch.answers) / 2)).backward()
    np.testing.assert_allclose(loss, wanted.detach(), rtol=1e-12)
    for name, parameter in model.parameters().items():
        np.testing.assert_allclose(found[name], parameter.grad, rtol=1e-9, atol=1e-12, err_msg=name)


def sampled(problem, n_candidates, loops=None):
    """Objective over a sample of entities, and one batch of it."""
    _, model, ids, settings = problem
    training = objective_for(replace(settings, n_candidates=n_candidates), model, ids, loops)
    return training, next(iter(training.batches()))


@pytest.mark.parametrize("excluded", [False, True])
def test_a_sample_that_leaves_no_entity_out_gives_the_loss_and_gradients_of_all(problem, excluded):
    loops = np.full(6, excluded)
    whole = objective_for(problem[3], *problem[1:3], loops)
    training, batch = sampled(problem, 10_000, loops)
    found = []
    for objective_ in (whole, training):
        found.append([objective_.backward(batch).numpy(), *gradients(problem[1]).values()])
    for wanted, gotten in zip(*found, strict=True):
        np.testing.assert_allclose(gotten, wanted, rtol=1e-8, atol=1e-12)


def test_a_batch_with_sampled_candidates_touches_no_other_entity(problem):
    model = problem[1]
    training, batch = sampled(problem, 2)
    told = training.candidates(batch)
    training.candidates = lambda _: told
    training.backward(batch)
    own = {*batch.sources.tolist(), *batch.answers.tolist()}
    touched = model.structure.grad.coalesce().indices()[0].tolist()
    assert touched == sorted(told[0].tolist())
    assert own <= set(touched)
    assert len(touched) <= len(own) + 2 < model.n_entities


def with_noted_negatives(training):
    """Let an objective note the negatives that it draws."""
    drawn = []
    draw = training.corruption.draw
    training.corruption.draw = lambda *a: drawn.append(draw(*a)) or drawn[-1]
    return drawn


@pytest.mark.parametrize("filtered", [False, True])
def test_logistic_loss_of_a_batch_scores_negatives_in_the_direction_that_asks_for_them(problem, filtered):
    name, model, ids, settings = problem
    entities, relations = tables(model)
    training = objective("logistic", (name, model, ids, replace(settings, filter_negatives=filtered)))
    drawn = with_noted_negatives(training)
    batch = ids[:15]
    loss = training.loss(batch)
    queries, replacements = drawn[0]
    np.testing.assert_array_equal(np.bincount(queries % 15), 5)

    def score(h, r, t):
        return FORMULAS[name](entities[h], relations[r], entities[t])

    triples = list(zip(*both_directions(batch, 3), strict=True))
    data = sum(np.log1p(np.exp(-score(*triple))) for triple in triples)
    for query, entity in zip(queries, replacements, strict=True):
        source, relation, _ = triples[query]
        data += np.log1p(np.exp(score(source, relation, entity)))
        whole = (entity, relation - 3, source) if relation >= 3 else (source, relation, entity)
        assert not filtered or whole not in set(map(tuple, ids))
    wanted = data + expected_n3(name, entities, relations, triples)
    np.testing.assert_allclose(loss.item(), wanted, rtol=1e-9)


@pytest.mark.parametrize("fusion", ["barycenter", "concat"])
@pytest.mark.parametrize("name", sorted(SCORERS))
def test_gradients_of_the_logistic_loss_are_those_of_one_row_per_negative(problem, small, name, fusion):
    settings = replace(problem[3], score_function=SCORERS[name](2.0))
    fuse = OTFusionTransformer(6, fusion=fusion, random_state=0)
    model = _training._Model(
        fuse.fit_transform(small).fusion.spaces(small)["fused"],
        3,
        settings,
        torch.Generator().manual_seed(0),
        torch.float64,
    )
    training = objective("logistic", (name, model, small.ids, settings))
    drawn = with_noted_negatives(training)
    batch = small.ids[:15]
    loss = training.loss(batch)
    loss.backward()
    found = gradients(model)
    entities = model.entities()
    sources, relations, answers = both_directions(batch, 3)
    query = settings.scorer.query(entities[sources], model.relations[relations])
    queries, replacements = drawn[0]
    plain = logistic(
        settings.scorer.score_rows(query, entities[answers]),
        settings.scorer.score_rows(query[queries], entities[replacements]),
    ) + training.regularizer(entities[sources], model.relations[relations], entities[answers])
    plain.backward()
    np.testing.assert_allclose(loss.item(), plain.item(), rtol=1e-12)
    assert found.keys() == {"structure", "relations", "map of image", "map of text"}
    for key, wanted in gradients(model).items():
        np.testing.assert_allclose(found[key], wanted, rtol=1e-9, atol=1e-10)


def gradients(model):
    """Dense gradients by name; the tensors are left without."""
    dense = {name: tensor.grad.to_dense().numpy() for name, tensor in model.parameters().items()}
    for tensor in model.parameters().values():
        tensor.grad = None
    return dense


def test_a_batch_with_negatives_touches_its_own_entities_alone(problem):
    model = problem[1]
    training = objective("logistic", problem)
    drawn = with_noted_negatives(training)
    batch = problem[2][:3]
    training.loss(batch).backward()
    present = np.unique(np.concatenate([batch[:, 0], batch[:, 2], drawn[0][1]]))
    assert len(present) < model.n_entities
    assert model.structure.grad.is_sparse
    np.testing.assert_array_equal(model.structure.grad.coalesce().indices()[0], present)


def structure_alone(optimizer, settings, n_entities=12):
    """A model of a structural table with its objective and its optimizers."""
    settings = replace(settings, optimizer=optimizer, loss="logistic", n_negatives=1, batch_size=2)
    table = np.random.RandomState(0).standard_normal((n_entities, 6))
    model = _training._Model(EntitySpaces(table, np.ones(n_entities)), 3, settings, torch.Generator().manual_seed(0))
    ids = np.array([(0, 0, 1), (2, 1, 3), (4, 2, 5), (6, 0, 7)])
    return model, objective("logistic", (None, model, ids, settings)), _training._optimizers(model, settings)


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_an_entity_keeps_its_row_while_it_is_in_no_batch(problem, optimizer):
    model, training, optimizers = structure_alone(optimizer, problem[3])
    training.corruption.draw = lambda triples, _: (np.arange(len(triples)), triples[:, 2])
    moved = []
    for batch in (training.ids[:2], training.ids[2:]):
        before = model.structure.detach().clone()
        training.batches = lambda batch=batch: [batch]
        _training._run_epoch(training, optimizers)
        changed = (model.structure != before).any(dim=1).detach().numpy()
        moved.append(np.flatnonzero(changed).tolist())
    assert moved == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_sparse_steps_of_adagrad_are_its_dense_steps(problem):
    trained = []
    for dense in (False, True):
        model, training, optimizers = structure_alone("adagrad", problem[3])
        if dense:
            model.entities = lambda chosen, entities=model.entities: entities()[chosen]
        losses = [_training._run_epoch(training, optimizers) for _ in range(5)]
        assert model.structure.grad.is_sparse != dense
        trained.append([*model.trained_state().values(), torch.tensor(losses)])
    for sparse, dense in zip(*trained, strict=True):
        np.testing.assert_allclose(sparse.numpy(), dense.numpy(), rtol=1e-5, atol=1e-7)


def test_checks_of_sparse_tensors_stay_as_the_user_has_set_them(problem):
    checks = torch.sparse.check_sparse_tensor_invariants
    _, training, optimizers = structure_alone("adagrad", problem[3])
    for enabled in (True, False):
        with checks(enabled):
            _training._run_epoch(training, optimizers)
            assert checks.is_enabled() == enabled


def test_bernoulli_probabilities_reach_the_sampler(problem):
    found = objective("logistic", problem).corruption.head_probability
    np.testing.assert_allclose(found, head_corruption_probability(problem[2], 3, "bernoulli"))
    assert not np.allclose(found, 0.5)


def test_an_epoch_visits_every_triple_once(problem):
    batches = list(objective("logistic", problem).batches())
    assert {len(batch) for batch in batches[:-1]} == {32}
    visited = np.concatenate(batches)
    assert sorted(map(tuple, visited)) == sorted(map(tuple, problem[2]))
    assert visited.tolist() != problem[2].tolist()


def test_folding_the_map_onto_the_queries_changes_neither_loss_nor_gradients(problem, small):
    _, _, ids, settings = problem
    if settings.scorer.__class__.__name__ == "TransE":
        pytest.skip("only dot products are linear in the candidates")
    space = OTFusionTransformer(6, random_state=0).fit_transform(small).fusion.spaces(small, "split")["image"]
    found = []
    for folds in (False, True):
        model = _training._Model(space, 3, settings, torch.Generator().manual_seed(0), torch.float64)
        training = objective_for(settings, model, ids)
        training._fold = folds
        loss = training.backward(next(iter(training.batches())))
        found.append([loss.numpy(), model.maps["image"].grad.numpy(), model.relations.grad.numpy()])
    for unfolded, folded in zip(*found, strict=True):
        np.testing.assert_allclose(folded, unfolded, rtol=1e-8, atol=1e-12)


def test_a_map_is_folded_where_that_takes_less_work(problem, small):
    _, _, _, settings = problem
    fusion = OTFusionTransformer(40, random_state=0).fit_transform(small).fusion
    spaces = fusion.spaces(small, "all")
    generator = torch.Generator().manual_seed(0)
    folds = {
        name: _training._Model(space, 3, settings, generator).folds_for(500, small.n_entities)
        for name, space in spaces.items()
    }
    assert folds == {"structure": False, "text": False, "image": True, "fused": False}
    wide = OTFusionTransformer(4, random_state=0).fit_transform(small).fusion.spaces(small, "split")["text"]
    assert not _training._Model(wide, 3, settings, generator).folds_for(500, small.n_entities)
