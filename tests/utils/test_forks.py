"""A child that is forked after PyTorch has used its threads goes on, where it would wait for them for ever."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import skotkge

START = """
import os, signal, tempfile
import numpy as np
import torch
import skotkge
from skotkge.baselines import TranslationBaseline

torch.set_num_threads(4)
rng = np.random.RandomState(0)
entities = [f"e{number}" for number in range(600)]
ids = np.unique(rng.randint([600, 2, 600], size=(3000, 3)), axis=0)
triples = [(entities[head], f"r{relation}", entities[tail]) for head, relation, tail in ids]

def fit():
    X = skotkge.MultimodalTriples(triples, {"text": np.eye(600)[:, :8]}, entities=entities)
    return TranslationBaseline(n_components=64, max_iter=1, validation_fraction=0, random_state=0).fit(X)

def product():
    table = torch.ones(1000, 1000)
    return float((table @ table).exp().sum())
"""
FITTED = """
model = fit()
model.rank(triples)
"""
LOADED = """
path = os.path.join(tempfile.mkdtemp(), "model.skops")
before = os.fork()
if before == 0:
    skotkge.save(fit(), path)
    os._exit(0)
os.waitpid(before, 0)
model = skotkge.load(path)
model.rank(triples)
"""
FORK = """
product()
child = os.fork()
if child == 0:
    signal.alarm(60)
    product()
    model.rank(triples)
    fit()
    os._exit(0)
_, status = os.waitpid(child, 0)
assert torch.get_num_threads() == 4
print("status", status)
"""


def status_of(*parts):
    """What the child of a script has ended with."""
    environment = os.environ | {"OMP_NUM_THREADS": "4"}
    command = [sys.executable, "-W", "ignore", "-c", "".join(parts)]
    ended = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(skotkge.__file__).parents[1], env=environment
    )
    assert ended.returncode == 0, ended.stderr
    return int(ended.stdout.rpartition("status")[2])


@pytest.mark.skipif(not hasattr(os, "register_at_fork"), reason="no forks on this system")
@pytest.mark.parametrize("origin", [FITTED, LOADED], ids=["fitted", "loaded"])
def test_a_forked_child_goes_on(origin):
    assert status_of(START, origin, FORK) == 0
