"""Training on a device that cannot be looked at: tensors without values, on which every look at one raises."""

from collections import Counter

import numpy as np
import pytest
import torch
from formulas import OF_ONE_SPACE
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from skotkge import CrossEntropy, Logistic, OTFusionTransformer
from skotkge._embedding import objectives
from skotkge._embedding.distinct import distinct_in_fixed_size
from skotkge._embedding.options import TrainingOptions
from skotkge._embedding.trainer import Trainer, run_epoch, take_step
from skotkge._spaces import EvidenceId

OBJECTIVES = {
    "all entities": CrossEntropy(),
    "sample": CrossEntropy(n_sampled=8),
    "sample and batch": CrossEntropy(n_sampled=8, in_batch=True),
    "negatives": Logistic(n_negatives=4),
    "bernoulli": Logistic(n_negatives=4, sampling="bernoulli"),
    "filtered negatives": Logistic(n_negatives=4, filtered=True),
}
SPACES = {
    "structure": EvidenceId("structure"),
    "image": EvidenceId("modalities", "image"),
    "fused": EvidenceId("fused"),
}


@pytest.fixture(scope="module")
def specs(small):
    return OTFusionTransformer(6, random_state=0).fit_transform(small).fusion.spaces(small)


def trainer_on(device, specs, ids, space="structure", score_function="complex", objective="all entities", **options):
    options = {"batch_size": 32} | options
    told = TrainingOptions(OF_ONE_SPACE[score_function], OBJECTIVES[objective], device=device, **options)
    ids = ids[(ids[:, 0] != ids[:, 2]) | (ids[:, 1] != 0)]
    loops = np.array([True, False, False] * 2)
    return Trainer(specs[SPACES[space]], ids, 3, told, seed=0, excludes_self_loops=loops)


class Operations(TorchDispatchMode):
    """Counts what is computed, and notes tensors that are not on the device."""

    def __init__(self):
        super().__init__()
        self.counts, self.elsewhere = Counter(), []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        found = function(*arguments, **(options or {}))
        tensors = [leaf for leaf in tree_leaves((arguments, options, found)) if isinstance(leaf, torch.Tensor)]
        on_device = [tensor for tensor in tensors if tensor.device.type == "meta"]
        computes = not (function.is_view or function._schema.name in ALLOCATIONS)
        if computes and on_device:
            self.counts[function._schema.name] += 1
        # The optimizers count their steps on the CPU, in tensors without a dimension.
        self.elsewhere += [function for tensor in tensors if tensor.device.type != "meta" and tensor.ndim]
        return found


ALLOCATIONS = {"aten::empty", "aten::empty_like", "aten::new_empty", "aten::detach"}


CASES = [
    *((objective, name, "structure", "adagrad") for objective in OBJECTIVES for name in sorted(OF_ONE_SPACE)),
    *((objective, "complex", space, "adagrad") for objective in OBJECTIVES for space in ("image", "fused")),
    *((objective, "complex", "fused", "adam") for objective in OBJECTIVES),
    *((objective, "complex", "structure", "rowwise_adagrad") for objective in OBJECTIVES),
]


@pytest.mark.parametrize(("objective", "score_function", "space", "optimizer"), CASES)
def test_nothing_is_asked_back_and_nothing_sent_within_an_epoch(
    small, specs, objective, score_function, space, optimizer
):
    trainer = trainer_on("meta", specs, small.ids, space, score_function, objective, optimizer=optimizer)
    n_batches = 0
    with Operations() as told:
        for batch in trainer._loss.batches():
            assert take_step(trainer._loss, batch, trainer.optimizers).shape == ()
            n_batches += 1
    assert n_batches > 3
    assert sum(told.counts.values()) > 10
    assert not told.elsewhere


def test_the_loss_is_read_after_the_epoch(small, specs):
    trainer = trainer_on("meta", specs, small.ids)
    visited = []
    batches = trainer._loss.batches()
    trainer._loss.batches = lambda: (visited.append(batch) or batch for batch in batches)
    with pytest.raises(RuntimeError, match="meta"):
        run_epoch(trainer._loss, trainer.optimizers)
    assert len(visited) > 3


# What a step of Adagrad in the space of the structure computes, the optimizer's operations included, views and
# allocations not: more is a step back.
MOST_OPERATIONS = {"all entities": 40, "negatives": 60, "sample and batch": 67}


@pytest.mark.parametrize("objective", sorted(MOST_OPERATIONS))
def test_a_step_takes_few_operations(small, specs, objective):
    trainer = trainer_on("meta", specs, small.ids, objective=objective)
    batch = next(iter(trainer._loss.batches()))
    with Operations() as told:
        take_step(trainer._loss, batch, trainer.optimizers)
    assert sum(told.counts.values()) <= MOST_OPERATIONS[objective], told.counts


@pytest.mark.parametrize("score_function", sorted(OF_ONE_SPACE))
@pytest.mark.parametrize("objective", ["all entities", "sample and batch"])
@pytest.mark.parametrize("space", ["structure", "image"])
def test_all_scores_at_once_give_the_loss_and_gradients_of_chunks(
    small, specs, monkeypatch, space, objective, score_function
):
    found = []
    for at_once in (False, True):
        monkeypatch.setattr(objectives, "fits_at_once", lambda *_, at_once=at_once: at_once)
        trainer = trainer_on("cpu", specs, small.ids, space, score_function, objective)
        batch = next(iter(trainer._loss.batches()))
        parameters = trainer.model.parameters()
        loss = trainer._loss.backward(batch)
        found.append([loss, *(parameter.grad.to_dense() for parameter in parameters.values())])
    for chunks, whole in zip(*found, strict=True):
        np.testing.assert_allclose(whole.numpy(), chunks.numpy(), rtol=1e-4, atol=1e-6)


def waits_for_the_device(gradient):
    raise AssertionError("to add up equal rows one has to ask the device how many are left")


@pytest.mark.parametrize("optimizer", ["adagrad", "adam", "rowwise_adagrad"])
@pytest.mark.parametrize("objective", ["negatives", "sample", "sample and batch"])
def test_rows_in_a_fixed_size_are_stepped_as_those_of_a_cpu(small, specs, monkeypatch, objective, optimizer):
    trained = []
    for fixed in (False, True):
        if fixed:
            monkeypatch.setattr(objectives, "distinct", distinct_in_fixed_size)
            monkeypatch.setattr(torch.Tensor, "coalesce", waits_for_the_device)
        trainer = trainer_on("cpu", specs, small.ids, objective=objective, optimizer=optimizer)
        trainer._loss._takes_all = False
        run_epoch(trainer._loss, trainer.optimizers)
        trained.append(trainer.model.trained_state())
    for name, table in trained[0].items():
        np.testing.assert_allclose(trained[1][name].numpy(), table.numpy(), rtol=1e-4, atol=1e-5, err_msg=name)
