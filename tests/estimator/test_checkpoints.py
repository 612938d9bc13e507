"""Checkpoints: a fit that is killed goes on to the same result, and gives a model of what there is."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest
from golden import models
from helpers import REPOSITORY
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import skotkge
from skotkge import CrossEntropy, Logistic, OTFusionTransformer, OTKGEClassifier
from skotkge._embedding.trainer import Trainer
from skotkge._estimator.checkpoints import RUNNING
from skotkge._estimator.saving import types_and_loaders
from skotkge._estimator.stores import MemoryStore
from skotkge._utils import persistence
from skotkge.baselines import MMKRLBaseline, TransAEBaseline, TranslationBaseline

QUICK = dict(max_iter=3, n_iter_no_change=3, device="cpu", random_state=0)
FITS = {
    "default": {},
    "all evidence": dict(n_iter_no_change=1),
    "Adam, sampled entities": dict(objective=CrossEntropy(n_sampled=5), optimizer="adam", learning_rate=0.01),
    "sampled negatives": dict(objective=Logistic(n_negatives=4, filtered=True), score_function="transe"),
    "without early stopping": dict(early_stopping=False),
    "without refit": dict(refit=False, evidence="fused"),
    "frozen maps": dict(transport_lr_factor=0, matmul_precision="bfloat16"),
    "a generator": dict(random_state=np.random.RandomState(3)),
}


class Killed(BaseException):
    """What stands for a signal in the same process."""


class KillAfter:
    """Callback that ends a fit after so many epochs of all spaces."""

    def __init__(self, epochs):
        self.epochs = epochs

    def on_epoch_end(self, state):
        if self.epochs == 0:
            raise Killed
        self.epochs -= 1


@pytest.fixture(scope="module")
def X():
    return OTFusionTransformer(4, random_state=0).fit_transform(models.graph())


def same(first, second, X):
    np.testing.assert_array_equal(first.score_triples(X), second.score_triples(X))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    np.testing.assert_array_equal(first.entity_embeddings_, second.entity_embeddings_)
    assert first.space_training_ == second.space_training_


def kill(kge, X, epochs):
    """Fit until so many epochs have ended; return whether that was before the end."""
    try:
        clone(kge).fit(X, callbacks=[KillAfter(epochs)])
    except Killed:
        return True
    return False


@pytest.mark.parametrize("name", FITS)
def test_a_fit_that_is_killed_goes_on_to_the_same_result(X, tmp_path, name):
    parameters = QUICK | FITS[name]
    expected = clone(OTKGEClassifier(**parameters)).fit(X)
    kge = OTKGEClassifier(**parameters, checkpoint=tmp_path / "checkpoints")
    rng, n_kills = np.random.RandomState(1), 0
    while kill(kge, X, rng.randint(1, 3)):
        n_kills += 1
    assert n_kills > 0
    same(clone(kge).fit(X), expected, X)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    assert not list(tmp_path.rglob(f"*{RUNNING}*"))


def test_a_fit_that_is_killed_while_its_weights_are_learned_trains_nothing_again(X, tmp_path, monkeypatch):
    expected, kge = OTKGEClassifier(**QUICK).fit(X), OTKGEClassifier(**QUICK, checkpoint=tmp_path)

    def killed(*args):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("skotkge._estimator.fitting.learn_weights", killed)
        with pytest.raises(Killed):
            clone(kge).fit(X)
    epochs = []

    class Count:
        def on_epoch_end(self, state):
            epochs.append(state.epoch)

    same(clone(kge).fit(X, callbacks=[Count()]), expected, X)
    assert len(epochs) < sum(told["n_iter"] for told in expected.space_training_.values()) * 2


def test_nothing_is_trained_twice(X, tmp_path):
    epochs = []

    class Count:
        def on_epoch_end(self, state):
            epochs.append((state.space, state.epoch))

    def fit(**parameters):
        return OTKGEClassifier(**QUICK, **parameters).fit(X, callbacks=[Count()])

    fit()
    n_epochs, kge = len(epochs), OTKGEClassifier(**QUICK, checkpoint=tmp_path)
    kill(kge, X, 4)
    epochs.clear()
    fit(checkpoint=tmp_path)
    assert len(epochs) == n_epochs - 4
    epochs.clear()
    fit(checkpoint=tmp_path)
    assert epochs == []
    fit(checkpoint=tmp_path, learning_rate=0.2)
    assert len(epochs) > 9


def test_without_a_seed_the_fit_goes_on_and_the_next_is_another(X, tmp_path):
    kge = OTKGEClassifier(**QUICK | {"random_state": None}, checkpoint=tmp_path)
    kill(kge, X, 3)
    first = OTKGEClassifier(**QUICK | {"random_state": None}, checkpoint=tmp_path)
    seed = skotkge.load(next(tmp_path.glob("*/start.skops")))["seed"]
    expected = OTKGEClassifier(**QUICK | {"random_state": seed}).fit(X)
    same(first.fit(X), expected, X)
    second = clone(kge).fit(X)
    assert not np.array_equal(second.entity_embeddings_, expected.entity_embeddings_)


def test_a_callback_that_stopped_a_space_has_stopped_it_for_good(X, tmp_path, monkeypatch):
    class Stop:
        def on_epoch_end(self, state):
            state.stop()

    expected = OTKGEClassifier(**QUICK, refit=False).fit(X, callbacks=[Stop()])
    kge = OTKGEClassifier(**QUICK, refit=False, checkpoint=tmp_path)
    run = Trainer.run

    def killed_before_the_end(self, **given):
        run(self, **given)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run", killed_before_the_end)
        with pytest.raises(Killed):
            clone(kge).fit(X, callbacks=[Stop()])
    same(clone(kge).fit(X, callbacks=[Stop()]), expected, X)


@pytest.mark.parametrize("kind", [TranslationBaseline, TransAEBaseline, MMKRLBaseline])
def test_the_baselines_go_on_too(kind, tmp_path, monkeypatch):
    parameters = dict(n_components=4, max_iter=2, random_state=0)
    expected = kind(**parameters).fit(models.graph())
    run, calls = Trainer.run, []

    def killed_in_the_second_round(self, **given):
        calls.append(self)
        if len(calls) == 2:
            raise Killed
        return run(self, **given)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "run", killed_in_the_second_round)
        with pytest.raises(Killed):
            kind(**parameters, checkpoint=tmp_path).fit(models.graph())
    so_far = skotkge.load_checkpoint(tmp_path)
    assert type(so_far) is kind
    assert type(so_far.predictor_.encoder) is type(expected.predictor_.encoder)
    same(kind(**parameters, checkpoint=tmp_path).fit(models.graph()), expected, models.graph())


def test_clones_of_a_search_share_a_folder(X, tmp_path):
    kge = OTKGEClassifier(**QUICK, evidence="fused", checkpoint=tmp_path)
    search = GridSearchCV(kge, {"learning_rate": [0.05, 0.1]}, cv=[(np.arange(84), np.arange(10))])
    search.fit(X)
    assert len(list(tmp_path.iterdir())) == 2  # the best one's last fit is on the same triples
    with pytest.raises(ValueError, match="has checkpoints of 2 fits; give the subfolder"):
        skotkge.load_checkpoint(tmp_path)
    assert skotkge.load_checkpoint(next(tmp_path.iterdir())).rank(X).shape == (len(X), 2)


@pytest.mark.parametrize("epochs", [1, 2, 5, 10])
def test_the_model_of_the_best_epochs_so_far(X, tmp_path, epochs):
    kge = OTKGEClassifier(**QUICK, evidence="embeddings", checkpoint=tmp_path)
    assert kill(kge, X, epochs)
    so_far = skotkge.load_checkpoint(tmp_path)
    trained = [len(told["loss_curve"]) for told in so_far.space_training_.values()]
    assert sum(trained) == min(epochs, 9)
    for told in so_far.space_training_.values():
        assert told["best_iter"] == 1 + int(np.argmax(told["validation_scores"]))
    assert so_far.score(X) > 0
    assert so_far.predict_proba(X).shape == (len(X), 2)
    new = X.new_entities({"text": {"stranger": X.modalities["text"][X.observed("text")][0]}})
    if "text" in so_far.space_training_:
        assert so_far.complete([("stranger", "r0", None)], k=2, new_entities=new).labels.shape == (1, 2)
    skotkge.save(so_far, tmp_path / "model.skops")
    np.testing.assert_array_equal(skotkge.load(tmp_path / "model.skops").rank(X), so_far.rank(X))


def test_the_model_of_a_fit_that_has_ended_is_its_own(X, tmp_path):
    fitted = OTKGEClassifier(**QUICK, evidence="embeddings", checkpoint=tmp_path).fit(X)
    so_far = skotkge.load_checkpoint(tmp_path)
    np.testing.assert_array_equal(so_far.entity_embeddings_, fitted.entity_embeddings_)
    assert so_far.fit_record_ == fitted.fit_record_


def test_an_interval_writes_less(X, tmp_path):
    kge = OTKGEClassifier(**QUICK, checkpoint=tmp_path, checkpoint_interval=1000)
    kill(kge, X, 2)
    assert not list(tmp_path.rglob(f"*{RUNNING}*"))
    with pytest.raises(ValueError, match="no epoch has ended"):
        skotkge.load_checkpoint(tmp_path)
    kill(kge, X, 4)
    assert len(list(tmp_path.glob("*/train-0.skops"))) == 1
    same(clone(kge).fit(X), OTKGEClassifier(**QUICK).fit(X), X)


def test_checkpoints_that_are_damaged_or_missing_are_told(X, tmp_path):
    with pytest.raises(ValueError, match="has no checkpoint"):
        skotkge.load_checkpoint(tmp_path)
    kge = OTKGEClassifier(**QUICK, checkpoint=tmp_path)
    kill(kge, X, 2)
    (state,) = tmp_path.rglob(f"*{RUNNING}*")
    content = bytearray(state.read_bytes())
    content[len(content) // 2] ^= 1
    state.write_bytes(content)
    with pytest.raises(ValueError, match="is damaged"):
        clone(kge).fit(X)
    with pytest.raises(ValueError, match="is damaged"):
        skotkge.load_checkpoint(tmp_path)


def test_checkpoints_hold_nothing_that_needs_trust(X, tmp_path):
    kge = OTKGEClassifier(**QUICK | {"optimizer": "adam"}, checkpoint=tmp_path)
    kill(kge, X, 2)
    for path in tmp_path.rglob("*.skops"):
        assert types_and_loaders(path)[0] <= {*persistence.TYPES, *persistence.PLAIN_TYPES}


def test_a_folder_that_takes_no_file_is_told_before_training(X, tmp_path):
    (tmp_path / "file").touch()
    kge = OTKGEClassifier(**QUICK, checkpoint=tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        kge.fit(X, callbacks=[KillAfter(0)])
    kge = OTKGEClassifier(**QUICK, checkpoint=tmp_path, objective=lambda: None)
    with pytest.raises(ValueError, match="The 'objective' parameter"):
        kge.fit(X)


def test_a_disk_that_fills_up_costs_checkpoints_alone(X):
    store, kge = MemoryStore(), OTKGEClassifier(**QUICK)
    write = store.write

    def full(name, values):
        if name.endswith(RUNNING):
            raise OSError(28, "No space left on device", name)
        write(name, values)

    store.write = full
    with pytest.warns(UserWarning, match="could not be written .*No space left"):
        kge.set_params(checkpoint=store).fit(X)
    same(kge, OTKGEClassifier(**QUICK).fit(X), X)


def test_a_saved_model_names_the_folder_alone(X, tmp_path):
    for place, kept in ((tmp_path / "c", str(tmp_path / "c")), (MemoryStore(), None)):
        kge = OTKGEClassifier(**QUICK, checkpoint=place).fit(X)
        skotkge.save(kge, tmp_path / "model.skops")
        assert skotkge.load(tmp_path / "model.skops").checkpoint == kept


FIT_IN_ANOTHER_PROCESS = """
import sys
from golden import models
from skotkge import OTFusionTransformer, OTKGEClassifier
X = OTFusionTransformer(4, random_state=0).fit_transform(models.graph())
kge = OTKGEClassifier(max_iter=30, tol=0, n_iter_no_change=30, device="cpu", random_state=0, checkpoint=sys.argv[1])
print("begins", flush=True)
kge.fit(X)
"""


def test_killed_by_a_signal_at_any_moment(X, tmp_path):
    parameters = dict(max_iter=30, tol=0, n_iter_no_change=30, device="cpu", random_state=0)
    for delay in (0.15, 0.3):
        command = [sys.executable, "-c", FIT_IN_ANOTHER_PROCESS, str(tmp_path)]
        found = dict(cwd=REPOSITORY / "tests", env=os.environ | {"PYTHONPATH": str(REPOSITORY)})
        process = subprocess.Popen(command, stdout=subprocess.PIPE, **found)
        process.stdout.readline()
        time.sleep(delay)
        process.kill()
        process.wait()
        process.stdout.close()
    kge = OTKGEClassifier(**parameters, checkpoint=tmp_path).fit(X)
    same(kge, OTKGEClassifier(**parameters).fit(X), X)
