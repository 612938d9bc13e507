"""Training on a device that cannot be looked at: tensors without values, on which every look at one raises."""

from collections import Counter

import numpy as np
import pytest
import torch
from formulas import OF_ONE_SPACE
from torch.utils._python_dispatch import TorchDispatchMode

from skotkge import CrossEntropy, Logistic, OTFusionTransformer
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
    loops = np.array([True, False, False] * 2)
    return Trainer(specs[SPACES[space]], ids, 3, told, seed=0, excludes_self_loops=loops)


class Operations(TorchDispatchMode):
    """Counts what is computed, and notes tensors that are not on the device."""

    def __init__(self):
        super().__init__()
        self.counts, self.elsewhere = Counter(), []

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        found = function(*arguments, **(options or {}))
        computes = not (function.is_view or function._schema.name in ALLOCATIONS)
        if computes:
            self.counts[function._schema.name] += 1
        for value in torch.utils._pytree.tree_leaves((arguments, options, found)):
            if isinstance(value, torch.Tensor) and value.device.type != "meta" and value.ndim:
                self.elsewhere.append(function)
        return found


ALLOCATIONS = {"aten::empty.memory_format", "aten::empty", "aten::empty_like", "aten::new_empty", "aten::detach"}


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
@pytest.mark.parametrize("space", sorted(SPACES))
@pytest.mark.parametrize("score_function", sorted(OF_ONE_SPACE))
@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_nothing_is_asked_back_and_nothing_sent_within_an_epoch(
    small, specs, objective, score_function, space, optimizer
):
    trainer = trainer_on("meta", specs, small.ids, space, score_function, objective, optimizer=optimizer)
    n_batches = 0
    with Operations() as told:
        for batch in trainer._loss.batches():
            assert take_step(trainer._loss, batch, trainer._optimizers).shape == ()
            n_batches += 1
    assert n_batches > 3
    assert sum(told.counts.values()) > 10
    assert not told.elsewhere
