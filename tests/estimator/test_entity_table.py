"""Tables on disk: the same model as in memory, files that go with it, and refusals where they have no meaning."""

import gc
import pickle
import tempfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from golden import models

from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier, load_checkpoint
from skotkge._embedding.disk import all_finite, copy_on_disk, empty_on_disk
from skotkge._embedding.model import EmbeddingModel
from skotkge._embedding.options import TrainingOptions
from skotkge._embedding.score_functions import ComplEx
from skotkge._estimator import memory_plan
from skotkge._spaces import SpaceSpec

# Of the entity without a triple.
pytestmark = pytest.mark.filterwarnings("ignore:1 of .* entities")
QUICK = dict(
    evidence=("structure",),
    objective=CrossEntropy(8),
    optimizer="rowwise_adagrad",
    embedding_dim=8,
    max_iter=4,
    device="cpu",
    random_state=0,
)


class Killed(BaseException):
    """What stands for a signal in the same process."""


class KillAfterTwo:
    """Callback that ends a fit in its second epoch."""

    def on_epoch_end(self, state):
        if state.epoch == 2:
            raise Killed


@pytest.fixture(scope="module")
def X():
    """A graph with an entity that has no triple, whose row of the trained table is zero."""
    labels = models.graph().labels
    return MultimodalTriples(labels, entities=[*np.unique(labels[:, [0, 2]]), "alone"])


def fitted(X, **options):
    return OTKGEClassifier(**QUICK | options).fit(X)


def same(first, second, X):
    np.testing.assert_array_equal(first.entity_embeddings_, second.entity_embeddings_)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert first.space_training_ == second.space_training_


@pytest.mark.parametrize(
    "options",
    [
        {},
        dict(early_stopping=False),
        dict(refit=False, n_iter_no_change=1),
        dict(objective=Logistic(n_negatives=4), score_function="transe"),
    ],
)
def test_disk_and_memory_give_the_same_model(X, options):
    on_disk = fitted(X, entity_table="disk", **options)
    same(on_disk, fitted(X, **options), X)
    same(pickle.loads(pickle.dumps(on_disk)), on_disk, X)


def test_partial_fit_goes_on_in_the_same_way(X):
    new = [("alone", X.labels[0][1], X.labels[0][2])]
    on_disk, in_memory = (fitted(X, entity_table=place).partial_fit(new) for place in ("disk", "memory"))
    same(on_disk, in_memory, X)
    assert in_memory.entity_embeddings_[X.entities.tolist().index("alone")].all()


@pytest.mark.parametrize(("before", "after"), [("disk", "disk"), ("memory", "disk"), ("disk", "memory")])
def test_interrupted_fit_goes_on_wherever_the_table_lies(X, tmp_path, before, after):
    with pytest.raises(Killed):
        OTKGEClassifier(**QUICK, entity_table=before, checkpoint=tmp_path).fit(X, callbacks=[KillAfterTwo()])
    assert load_checkpoint(tmp_path).entity_embeddings_.shape == (X.n_entities, 8)
    same(fitted(X, entity_table=after, checkpoint=tmp_path), fitted(X), X)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="asks Linux for the files that are mapped")
def test_files_have_no_name_and_go_with_the_model(X, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def is_mapped():
        gc.collect()
        return str(tmp_path) in Path("/proc/self/maps").read_text()

    kge = fitted(X, entity_table="disk")
    assert is_mapped()
    assert not list(tmp_path.iterdir())
    del kge
    assert not is_mapped()


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        (dict(objective="cross_entropy"), "an objective that asks for few rows"),
        (dict(optimizer="adagrad"), 'optimizer="rowwise_adagrad"'),
        (dict(device="meta"), 'device="cpu"'),
    ],
)
def test_refused_where_it_has_no_meaning(X, options, needed):
    with pytest.raises(ValueError, match=f'entity_table="disk" needs {needed}'):
        fitted(X, entity_table="disk", **options)


def test_refused_with_a_fusion():
    fused = OTFusionTransformer(8, random_state=0).fit_transform(models.graph())
    with pytest.raises(ValueError, match='entity_table="disk" needs X without a fusion'):
        fitted(fused, entity_table="disk")


def test_prediction_has_no_tables():
    def peak(n_entities, **options):
        training = TrainingOptions(ComplEx(), CrossEntropy(8), optimizer="rowwise_adagrad", **options)
        return memory_plan.predicted_peak(n_entities, 256, 0, 1, training, True)

    assert peak(1000, entity_table="disk") < peak(1000) / 100


def test_said_and_refused_where_the_disk_is_too_small(X, capsys, monkeypatch):
    fitted(X, entity_table="disk", verbose=1)
    assert f"on disk in {tempfile.gettempdir()}" in capsys.readouterr().out.replace("\n", " ")
    monkeypatch.setattr(memory_plan.shutil, "disk_usage", lambda folder: SimpleNamespace(free=10))
    with pytest.raises(MemoryError, match="set the environment variable TMPDIR"):
        fitted(X, entity_table="disk")


def test_copies_and_finite_numbers(monkeypatch):
    monkeypatch.setattr("skotkge._utils.memory.LARGEST_BLOCK", 3 * 8 * 2 * 5)  # two rows of five columns
    table = empty_on_disk((7, 5), torch.float32)
    table += torch.arange(35.0).reshape(7, 5)
    torch.testing.assert_close(copy_on_disk(table), table, rtol=0, atol=0)
    assert all_finite(table)
    table[6, 4] = torch.nan
    assert not all_finite(table)


@pytest.mark.parametrize("place", ["memory", "disk"])
def test_an_entity_with_its_first_triple_starts_from_a_row_of_its_own(X, place):
    kge = fitted(X, entity_table=place, warm_start=True, early_stopping=False)
    row = X.entities.tolist().index("alone")
    assert not kge.entity_embeddings_[row].any()
    kge.fit(MultimodalTriples([*X.labels, ("alone", *X.labels[0][1:])], entities=X.entities))
    assert np.abs(kge.entity_embeddings_[row]).all()


def test_rows_that_had_no_weight_keep_the_start_that_they_have(rng):
    spec = SpaceSpec(rng.standard_normal((4, 6)), np.ones(4))
    model = EmbeddingModel(spec, 2, TrainingOptions(ComplEx(), CrossEntropy(2)), torch.Generator().manual_seed(0))
    fresh = model.trained_state()["structure"]
    earlier = {name: table + 1 for name, table in model.trained_state().items()}
    earlier["structure"][3] = 0
    model.start_from(earlier, np.array([1, 1, 1, 0]))
    expected = torch.cat([earlier["structure"][:3], fresh[3:]])
    torch.testing.assert_close(model.trained_state()["structure"], expected, rtol=0, atol=0)
