"""The memory of a fit: predicted, said, and refused with what would take less."""

import pytest

from skotkge import CrossEntropy, OTKGEClassifier
from skotkge._embedding.options import TrainingOptions
from skotkge._embedding.score_functions import ComplEx
from skotkge._estimator import memory_plan

TRIPLES = [(f"e{number}", "next", f"e{(number + 1) % 30}") for number in range(30)]


def peak(n_entities=1000, width=64, n_triples=0, n_spaces=1, early_stopping=True, **options):
    options = TrainingOptions(ComplEx(), **{"objective": CrossEntropy(8)} | options)
    return memory_plan.predicted_peak(n_entities, width, n_triples, n_spaces, options, early_stopping)


def test_prediction_counts_tables():
    table = 1000 * 64 * 4
    assert peak() == 3 * table  # table, squared gradients, best epoch
    assert peak(optimizer="adam") == 4 * table
    assert peak(optimizer="rowwise_adagrad") == 2 * table
    assert peak(objective=CrossEntropy()) == 4 * table
    assert peak(n_spaces=3) == 7 * table
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
