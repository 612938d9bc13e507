"""The objective of a batch against plain NumPy: both losses, both directions, N3, the division by the batch.

The training loop: going on from a kept state, callbacks.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from formulas import FORMULAS, OF_ONE_SPACE, as_complex
from scipy.special import log_softmax

from skotkge import ComplEx, CrossEntropy, Logistic, OTFusionTransformer, TransE
from skotkge._embedding import model as embedding_model
from skotkge._embedding.model import EmbeddingModel
from skotkge._embedding.negatives import head_corruption_probability
from skotkge._embedding.options import TrainingOptions
from skotkge._embedding.rowwise_adagrad import RowwiseAdagrad
from skotkge._embedding.start import NormalRows, filled_table
from skotkge._embedding.trainer import Trainer, optimizers_of, run_epoch
from skotkge._graph.queries import both_directions
from skotkge._spaces import EvidenceId, SpaceSpec
from skotkge._utils import memory

STRENGTH = 0.3
FUSED = EvidenceId("fused")
OBJECTIVES = {"cross_entropy": CrossEntropy(), "logistic": Logistic(n_negatives=5, sampling="bernoulli")}


def spaces_of(X, n_components, **parameters):
    """Specs of the spaces of a fusion."""
    return OTFusionTransformer(n_components, random_state=0, **parameters).fit_transform(X).fusion.spaces(X)


def model_of(spec, options, dtype=torch.float32):
    return EmbeddingModel(spec, 3, options, torch.Generator().manual_seed(0), dtype)


@pytest.fixture(params=["complex", "transe"])
def problem(request, small, monkeypatch):
    """A model at a scale where every term of the loss counts."""
    monkeypatch.setattr(embedding_model, "INITIAL_GAIN", 1.0)
    options = TrainingOptions(
        score_function=OF_ONE_SPACE[request.param],
        objective=CrossEntropy(),
        regularization=STRENGTH,
        optimizer="adagrad",
        learning_rate=0.1,
        batch_size=32,
        max_iter=1,
        n_iter_no_change=1,
        tol=0.0,
    )
    model = model_of(spaces_of(small, 6)[FUSED], options, torch.float64)
    return request.param, model, small.ids, options


def objective(name, problem):
    _, model, ids, options = problem
    return objective_for(replace(options, objective=OBJECTIVES[name]), model, ids)


def objective_for(options, model, ids, *loops):
    return options.objective.of_training(model, ids, 3, options, torch.Generator().manual_seed(1), *loops)


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
    name, model, ids, options = problem
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
    training = objective_for(options, model, ids, loops)
    batches = list(training.batches())
    assert len(batches) > 3
    assert sum(len(batch.answers) for batch in batches) == 2 * len(ids)
    np.testing.assert_allclose(sum(training.backward(batch).item() for batch in batches), wanted, rtol=1e-9)


def test_gradients_of_a_batch_are_those_of_one_row_per_triple_in_double_precision(problem):
    _, model, _, options = problem
    training = objective("cross_entropy", problem)
    batch = next(iter(training.batches()))
    loss = training.backward(batch)
    found = {name: parameter.grad.clone() for name, parameter in model.parameters().items()}
    for parameter in model.parameters().values():
        parameter.grad = None
    entities, score_function = model.entities(), options.score_function
    sources, answers = entities[batch.sources[batch.rows]], entities[batch.answers]
    relations = model.relations[batch.relations[batch.rows]]
    scores = score_function.score_all(score_function.query(sources, relations), entities)
    data = torch.nn.functional.cross_entropy(scores, batch.answers, reduction="sum")
    modulus = [score_function.modulus(factors) ** 3 for factors in (sources, relations, answers)]
    wanted = data + STRENGTH * sum(cubed.sum() for cubed in modulus)
    (wanted / (len(batch.answers) / 2)).backward()
    np.testing.assert_allclose(loss, wanted.detach(), rtol=1e-12)
    for name, parameter in model.parameters().items():
        np.testing.assert_allclose(found[name], parameter.grad, rtol=1e-9, atol=1e-12, err_msg=name)


def sampled(problem, n_sampled, in_batch, batch_size=32, loops=None):
    """Objective over a sample of entities, and one batch of it."""
    _, model, ids, options = problem
    options = replace(options, objective=CrossEntropy(n_sampled, in_batch), batch_size=batch_size)
    training = objective_for(options, model, ids, loops)
    return training, next(iter(training.batches()))


@pytest.mark.parametrize("in_batch", [False, True])
@pytest.mark.parametrize("excluded", [False, True])
def test_a_sample_that_leaves_no_entity_out_gives_the_loss_and_gradients_of_all(problem, excluded, in_batch):
    loops = np.full(6, excluded)
    name, model, ids, options = problem
    ids = ids[ids[:, 0] != ids[:, 2]]
    whole = objective_for(options, model, ids, loops)
    training, batch = sampled((name, model, ids, options), 10_000, in_batch, loops=loops)
    found = []
    for objective_ in (whole, training):
        found.append([objective_.backward(batch).numpy(), *gradients(model).values()])
    for wanted, gotten in zip(*found, strict=True):
        np.testing.assert_allclose(gotten, wanted, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("in_batch", [False, True])
def test_a_batch_with_sampled_candidates_touches_no_other_entity(problem, in_batch):
    model = problem[1]
    training, batch = sampled(problem, 2, in_batch, batch_size=8)
    told = training.candidates(batch)
    training.candidates = lambda _: told
    training.backward(batch)
    own = {*batch.sources.tolist(), *batch.answers.tolist()}
    touched = model.structure.grad.coalesce().indices()[0].tolist()
    assert touched == told.entities.tolist()
    assert own <= set(touched)
    assert len(touched) <= len(own) + 2 < model.n_entities


def with_noted_negatives(training):
    """Let an objective note the negatives that it draws."""
    drawn = []
    draw = training.corruption.draw
    training.corruption.draw = lambda *a: drawn.append(draw(*a)) or drawn[-1]
    return drawn


def interleaved(ids):
    """Triples as queries, the two of a triple side by side."""
    return zip(*(np.stack(pair, axis=1).ravel() for pair in sides(ids)), strict=True)


def sides(ids):
    head, relation, tail = ids.T
    return (head, tail), (relation, relation + 3), (tail, head)


@pytest.mark.parametrize("filtered", [False, True])
def test_logistic_loss_of_a_batch_scores_negatives_in_the_direction_that_asks_for_them(problem, filtered):
    name, model, ids, options = problem
    entities, relations = tables(model)
    negatives = Logistic(n_negatives=5, sampling="bernoulli", filtered=filtered)
    training = objective_for(replace(options, objective=negatives), model, ids)
    drawn = with_noted_negatives(training)
    batch = ids[:15]
    loss = training.backward(torch.tensor(batch))
    queries, replacements, counted = drawn[0]
    assert counted is None
    np.testing.assert_array_equal(np.bincount(queries // 2), 5)

    def score(h, r, t):
        return FORMULAS[name](entities[h], relations[r], entities[t])

    triples = list(interleaved(batch))
    data = sum(np.log1p(np.exp(-score(*triple))) for triple in triples)
    for query, entity in zip(queries.tolist(), replacements.tolist(), strict=True):
        source, relation, _ = triples[query]
        data += np.log1p(np.exp(score(source, relation, entity)))
        whole = (entity, relation - 3, source) if relation >= 3 else (source, relation, entity)
        assert not filtered or whole not in set(map(tuple, ids))
    wanted = data + expected_n3(name, entities, relations, triples)
    np.testing.assert_allclose(loss.item(), wanted, rtol=1e-9)


@pytest.mark.parametrize("fusion", ["barycenter", "concat"])
@pytest.mark.parametrize("name", sorted(OF_ONE_SPACE))
def test_gradients_of_the_logistic_loss_are_those_of_one_row_per_negative(problem, small, name, fusion):
    options = replace(problem[3], score_function=OF_ONE_SPACE[name])
    model = model_of(spaces_of(small, 6, fusion=fusion)[FUSED], options, torch.float64)
    training = objective("logistic", (name, model, small.ids, options))
    drawn = with_noted_negatives(training)
    batch = small.ids[:15]
    loss = training.backward(torch.tensor(batch))
    found = gradients(model)
    entities = model.entities()
    sources, relations, answers = (torch.tensor(part) for part in zip(*interleaved(batch), strict=True))
    query = options.score_function.query(entities[sources], model.relations[relations])
    queries, replacements, _ = drawn[0]
    of_answers = options.score_function.score_rows(query, entities[answers])
    of_negatives = options.score_function.score_rows(query[queries], entities[replacements])
    data = torch.nn.functional.softplus(-of_answers).sum() + torch.nn.functional.softplus(of_negatives).sum()
    factors = entities[sources], model.relations[relations], entities[answers]
    if not options.score_function.regularizes_relations:
        factors = factors[::2]
    plain = data + STRENGTH * sum((options.score_function.modulus(rows) ** 3).sum() for rows in factors)
    (plain / len(batch)).backward()
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
    training._takes_all = False
    training.backward(torch.tensor(batch))
    present = np.unique(np.concatenate([batch[:, 0], batch[:, 2], drawn[0][1]]))
    assert len(present) < model.n_entities
    assert model.structure.grad.is_sparse
    np.testing.assert_array_equal(model.structure.grad.coalesce().indices()[0], present)


def structure_alone(optimizer, options, n_entities=12):
    """A model of a structural table with its objective and its optimizers."""
    negatives = Logistic(n_negatives=1, sampling="bernoulli")
    options = replace(options, optimizer=optimizer, objective=negatives, batch_size=2)
    table = np.random.RandomState(0).standard_normal((n_entities, 6))
    model = model_of(SpaceSpec(table, np.ones(n_entities)), options)
    ids = np.array([(0, 0, 1), (2, 1, 3), (4, 2, 5), (6, 0, 7)])
    return model, objective_for(options, model, ids), optimizers_of(model, options)


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_an_entity_keeps_its_row_while_it_is_in_no_batch(problem, optimizer):
    model, training, optimizers = structure_alone(optimizer, problem[3])
    training.corruption.draw = lambda triples, _: (2 * torch.arange(len(triples)), triples[:, 2], None)
    moved = []
    for batch in torch.tensor(training.ids).split(2):
        before = model.structure.detach().clone()
        training.batches = lambda batch=batch: [batch]
        run_epoch(training, optimizers)
        changed = (model.structure != before).any(dim=1).detach().numpy()
        moved.append(np.flatnonzero(changed).tolist())
    assert moved == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_sparse_steps_of_adagrad_are_its_dense_steps(problem):
    trained = []
    for dense in (False, True):
        model, training, optimizers = structure_alone("adagrad", problem[3])
        training._takes_all = dense
        assert training.model.structure.grad is None
        losses = [run_epoch(training, optimizers)[0] for _ in range(5)]
        trained.append([*model.trained_state().values(), torch.tensor(losses)])
    for sparse, dense in zip(*trained, strict=True):
        np.testing.assert_allclose(sparse.numpy(), dense.numpy(), rtol=1e-5, atol=1e-7)


def test_checks_of_sparse_tensors_stay_as_the_user_has_set_them(problem):
    checks = torch.sparse.check_sparse_tensor_invariants
    _, training, optimizers = structure_alone("adagrad", problem[3])
    for enabled in (True, False):
        with checks(enabled):
            run_epoch(training, optimizers)
            assert checks.is_enabled() == enabled


def test_bernoulli_probabilities_reach_the_sampler(problem):
    found = objective("logistic", problem).corruption.head_probability
    np.testing.assert_allclose(found, head_corruption_probability(problem[2], 3, "bernoulli"))
    assert not np.allclose(found, 0.5)


def test_an_epoch_visits_every_triple_once(problem):
    batches = list(objective("logistic", problem).batches())
    assert {len(batch) for batch in batches[:-1]} == {32}
    visited = torch.cat(batches).numpy()
    assert sorted(map(tuple, visited)) == sorted(map(tuple, problem[2]))
    assert visited.tolist() != problem[2].tolist()


def test_folding_the_map_onto_the_queries_changes_neither_loss_nor_gradients(problem, small):
    _, _, ids, options = problem
    if isinstance(options.score_function, TransE):
        pytest.skip("only dot products are linear in the candidates")
    space = spaces_of(small, 6)[EvidenceId("modalities", "image")]
    found = []
    for folds in (False, True):
        model = model_of(space, options, torch.float64)
        training = objective_for(options, model, ids)
        training._fold = folds
        loss = training.backward(next(iter(training.batches())))
        found.append([loss.numpy(), model.maps["image"].grad.numpy(), model.relations.grad.numpy()])
    for unfolded, folded in zip(*found, strict=True):
        np.testing.assert_allclose(folded, unfolded, rtol=1e-8, atol=1e-12)


def test_a_map_is_folded_where_that_takes_less_work(problem, small):
    _, _, _, options = problem
    folds = {
        str(id): model_of(space, options).folds_for(500, small.n_entities) for id, space in spaces_of(small, 40).items()
    }
    assert folds == {"structure": False, "text": False, "image": True, "fused": False}
    wide = spaces_of(small, 4)[EvidenceId("modalities", "text")]
    assert not model_of(wide, options).folds_for(500, small.n_entities)


EVERY_OBJECTIVE = {
    "cross-entropy": CrossEntropy(),
    "sampled cross-entropy": CrossEntropy(n_sampled=8),
    "logistic": Logistic(n_negatives=4),
    "filtered logistic": Logistic(n_negatives=4, sampling="bernoulli", filtered=True),
}


@pytest.fixture(scope="module")
def trainer_of(small):
    """Make trainers of a space of the small graph."""
    specs = spaces_of(small, 6)

    def make(space="fused", objective=OBJECTIVES["cross_entropy"], seed=0, **options):
        settings = {"learning_rate": 0.3, "batch_size": 32, "max_iter": 5, "n_iter_no_change": 2, "tol": 0.0} | options
        return Trainer(
            specs[EvidenceId(space)],
            small.ids,
            3,
            TrainingOptions(OF_ONE_SPACE["complex"], objective, **settings),
            seed=seed,
            excludes_self_loops=np.array([True, False, False] * 2),
        )

    return make


def rising_and_falling(_, relations):
    """A validation score that is best after a few epochs, while the relation table grows."""
    return -abs(relations.norm().item() - 2.6)


class Notes:
    """A callback that keeps all that it is told and can end training after an epoch."""

    def __init__(self, last=None):
        self.states, self.dicts, self.last = [], [], last

    def on_epoch_end(self, state):
        self.states.append(state)
        self.dicts.append(state.state_dict())
        if state.epoch == self.last:
            state.stop()


def assert_same_training(found, wanted):
    """Bit for bit the same, floats of the curves included."""
    assert found.history() == wanted.history()
    assert found.parameters.keys() == wanted.parameters.keys()
    for name, table in wanted.parameters.items():
        np.testing.assert_array_equal(found.parameters[name], table, err_msg=name)
    np.testing.assert_array_equal(found.entities, wanted.entities)
    np.testing.assert_array_equal(found.relations, wanted.relations)


@pytest.mark.parametrize("validate", [None, rising_and_falling], ids=["no validation", "validation"])
@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
@pytest.mark.parametrize("space", ["structure", "fused"])
@pytest.mark.parametrize("name", sorted(EVERY_OBJECTIVE))
def test_training_goes_on_from_the_state_of_any_epoch_as_if_never_interrupted(
    trainer_of, name, space, optimizer, validate
):
    options = {"space": space, "objective": EVERY_OBJECTIVE[name], "optimizer": optimizer}
    notes = Notes()
    wanted = trainer_of(**options).run(validate=validate, callbacks=[notes])
    assert len(notes.dicts) == len(wanted.losses) > 2
    assert len(set(wanted.losses)) == len(wanted.losses)
    for kept in map(pickle.dumps, notes.dicts):
        trainer = trainer_of(**options, seed=1)
        trainer.load_state_dict(pickle.loads(kept))
        assert_same_training(trainer.run(validate=validate), wanted)


def test_going_on_leaves_the_state_as_it_was(trainer_of):
    notes = Notes(last=2)
    trainer_of(optimizer="adam").run(validate=rising_and_falling, callbacks=[notes])
    found = []
    for _ in range(2):
        trainer = trainer_of(optimizer="adam")
        trainer.load_state_dict(notes.dicts[0])
        found.append(trainer.run(validate=rising_and_falling))
    assert_same_training(*found)


def test_the_trainer_that_gave_a_state_goes_on_without_it(trainer_of):
    whole, parts = trainer_of().run(), trainer_of()
    parts.run(callbacks=[Notes(last=2)])
    assert_same_training(parts.run(), whole)


def test_training_with_validation_keeps_the_best_epoch_and_ends_without_a_gain(trainer_of):
    notes = Notes()
    trained = trainer_of(max_iter=50).run(validate=rising_and_falling, callbacks=[notes])
    best = int(np.argmax(trained.validation_scores)) + 1
    assert trained.best_iter == best
    assert best > 1
    assert len(trained.losses) == len(trained.validation_scores) == best + 2 < 50
    for name, table in notes.dicts[best - 1]["parameters"].items():
        np.testing.assert_array_equal(trained.parameters[name], table.numpy(), err_msg=name)
    assert [state.epoch for state in notes.states] == list(range(1, best + 3))


@pytest.mark.parametrize("validate", [None, rising_and_falling])
def test_a_callback_ends_training_after_its_epoch_and_all_are_told_of_it(trainer_of, validate):
    first, second = Notes(last=2), Notes()
    trained = trainer_of().run(validate=validate, callbacks=[first, second])
    assert [state.epoch for state in first.states] == [state.epoch for state in second.states] == [1, 2]
    assert [state.stopped for state in first.states] == [False, True]
    shorter = trainer_of(max_iter=2).run(validate=validate)
    assert_same_training(trained, shorter)


@pytest.mark.parametrize("validate", [None, rising_and_falling])
def test_a_callback_is_told_what_the_epoch_gave(trainer_of, validate):
    notes = Notes()
    trained = trainer_of().run(validate=validate, callbacks=[notes], name="fused")
    scores = trained.validation_scores or [None] * len(trained.losses)
    for number, (state, kept) in enumerate(zip(notes.states, notes.dicts, strict=True), start=1):
        assert (state.space, state.epoch, state.max_iter, state.stopped) == ("fused", number, 5, False)
        assert (state.loss, state.validation_score) == (trained.losses[number - 1], scores[number - 1])
        assert kept["losses"] == trained.losses[:number]
        assert kept["validation_scores"] == trained.validation_scores[:number]
        after = trainer_of(max_iter=number).run()
        for name, table in kept["parameters"].items():
            np.testing.assert_array_equal(table.numpy(), after.parameters[name], err_msg=name)


def rowwise_by_hand(table, gradients, lr):
    """Row-wise Adagrad row by row: step sizes from the sum of the mean squares of a row's gradients."""
    sums = np.zeros(len(table))
    for gradient in gradients:
        for row, values in enumerate(gradient):
            sums[row] += np.mean(values**2)
            if sums[row] > 0:
                table[row] -= lr * values / np.sqrt(sums[row])
    return table


@pytest.mark.parametrize("is_sparse", [True, False])
def test_rowwise_adagrad(rng, is_sparse):
    start, gradients = rng.standard_normal((7, 3)), rng.standard_normal((4, 7, 3))
    gradients[:, 2] = 0.0
    table = torch.tensor(start, requires_grad=True)
    optimizer = RowwiseAdagrad([table], lr=0.1)
    for gradient in gradients:
        table.grad = torch.tensor(gradient)
        if is_sparse:  # with the last row repeated, without a gradient, as a batch in a fixed size has it
            rows = torch.tensor([[0, 1, 3, 4, 5, 6, 6]])
            values = table.grad[rows[0]]
            values[6] = 0
            table.grad = torch.sparse_coo_tensor(rows, values, table.shape, check_invariants=True)
        optimizer.step()
    np.testing.assert_allclose(table.detach().numpy(), rowwise_by_hand(start.copy(), gradients, 0.1), rtol=1e-6)
    assert optimizer.state[table]["sum"].numel() == 7


def test_drawn_start_is_that_of_one_draw(monkeypatch):
    monkeypatch.setattr(memory, "LARGEST_BLOCK", memory.COPIES * 8 * 5 * 7)  # 7 rows at a time
    drawn = np.random.RandomState(3).standard_normal((23, 5)).astype(np.float32)
    np.testing.assert_array_equal(filled_table(NormalRows(3, (23, 5)), torch.float32, "cpu").numpy(), drawn)


def test_result_stays_when_training_goes_on(small):
    options = TrainingOptions(ComplEx(), CrossEntropy(n_sampled=8), max_iter=1)
    structure = SpaceSpec(np.random.RandomState(0).standard_normal((small.n_entities, 6)), np.ones(small.n_entities))
    trainer = Trainer(structure, small.ids, 3, options, seed=0)
    result = trainer.run()
    assert result.entities is result.parameters["structure"]
    kept = {name: table.copy() for name, table in result.parameters.items()}
    trainer.options = replace(options, max_iter=2)
    further = trainer.run()
    for name, table in kept.items():
        np.testing.assert_array_equal(result.parameters[name], table)
        assert not np.array_equal(further.parameters[name], table)
