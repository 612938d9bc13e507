"""The memory of a fit: predicted, said, and refused with what would take less."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from skotkge import CrossEntropy, OTKGEClassifier
from skotkge._embedding.options import TrainingOptions
from skotkge._embedding.score_functions import ComplEx
from skotkge._estimator import memory_plan

TRIPLES = [(f"e{number}", "next", f"e{(number + 1) % 30}") for number in range(30)]


def peak(n_entities=1000, width=64, n_triples=0, n_spaces=1, early_stopping=True, is_fused=False, **options):
    options = TrainingOptions(ComplEx(), **{"objective": CrossEntropy(8)} | options)
    return memory_plan.predicted_peak(n_entities, width, n_triples, n_spaces, options, early_stopping, is_fused)


def test_prediction_counts_tables():
    table = 1000 * 64 * 4
    assert peak() == 3 * table  # table, squared gradients, best epoch
    assert peak(optimizer="adam") == 4 * table
    assert peak(optimizer="rowwise_adagrad") == 2 * table
    assert peak(objective=CrossEntropy()) == 4 * table
    assert peak(n_spaces=3, is_fused=True) == 8 * table  # two of each space before, and the entities of the last
    assert peak(n_triples=10) - peak() == 2 * 10 * 8 * memory_plan.ARRAYS_OF_TRIPLES


def test_large_tables_have_no_copy_without_validation():
    n_entities = memory_plan.LARGEST_COPY // (64 * 4) + 1
    kept = peak(n_entities, early_stopping=True) - peak(n_entities, early_stopping=False)
    assert kept == n_entities * 64 * 4


@pytest.mark.parametrize("objective", ["cross_entropy", CrossEntropy(n_sampled=4)])
def test_what_will_not_fit_is_refused_with_the_remedy(monkeypatch, objective):
    monkeypatch.setattr(memory_plan, "available_memory", lambda: 5_000)
    with pytest.raises(MemoryError, match=r"needs about .* of memory, and 5 kB are available; less takes") as error:
        OTKGEClassifier(objective=objective, embedding_dim=8).fit(TRIPLES)
    assert ("n_sampled=1024" in str(error.value)) == (objective == "cross_entropy")
    assert 'optimizer="rowwise_adagrad"' in str(error.value)


def test_unknown_memory_is_no_reason_to_refuse(monkeypatch):
    monkeypatch.setattr(memory_plan, "available_memory", lambda: None)
    OTKGEClassifier(embedding_dim=8, max_iter=1, validation_fraction=0).fit(TRIPLES)


def test_prediction_is_said(capsys):
    OTKGEClassifier(embedding_dim=8, max_iter=1, validation_fraction=0, verbose=1).fit(TRIPLES)
    assert "of memory for a table of 0.96 kB" in capsys.readouterr().out.replace("\n", " ")


# Peaks of the resident set in fits, above that before, and predictions: a first fit loads what libraries need.
MEASURED = """
import ctypes, gc, json, warnings
from pathlib import Path
import numpy as np
from skotkge import CrossEntropy, MultimodalTriples, OTKGEClassifier
from skotkge._estimator import memory_plan

warnings.simplefilter("ignore")
predicted, plan = [], memory_plan.predicted_peak
memory_plan.predicted_peak = lambda *sizes: predicted.append(plan(*sizes)) or predicted[-1]

def resident(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))

def peak(n_entities, optimizer, has_all):
    ids = np.random.default_rng(0).integers(0, (n_entities // 2, 3, n_entities), size=(2000, 3))
    if has_all:
        everyone = np.arange(n_entities)
        ids = np.column_stack([everyone, everyone % 3, np.roll(everyone, 1)])
    X = MultimodalTriples(ids, entities=range(n_entities), duplicates="keep")
    kge = OTKGEClassifier(
        evidence=("structure",), objective=CrossEntropy(64), optimizer=optimizer, embedding_dim=256, max_iter=2,
        batch_size=256, validation_fraction=0.01, metric="accuracy", device="cpu", random_state=0,
    )
    gc.collect()
    getattr(ctypes.CDLL(None), "malloc_trim", lambda kept: None)(0)
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    kge.fit(X)
    return resident("VmHWM") - before

peak(1000, "adagrad", False)
predicted.clear()
SIZES = [(150_000, "rowwise_adagrad", False), (300_000, "rowwise_adagrad", False), (200_000, "adagrad", True)]
print(json.dumps([[peak(*size) for size in SIZES], predicted]))
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="asks Linux for the peak")
def test_fits_take_what_is_predicted():
    told = subprocess.run([sys.executable, "-c", MEASURED], capture_output=True, text=True, check=True).stdout
    for measured, predicted in zip(*json.loads(told), strict=True):
        assert measured == pytest.approx(predicted, rel=0.25)
