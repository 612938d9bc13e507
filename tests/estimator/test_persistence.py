"""Saved models: what their files hold, in which format, and what skops needs to be told."""

import importlib
import pickle
import subprocess
import sys
from copy import deepcopy

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skotkge import (
    CrossEntropy,
    Logistic,
    MultimodalTriples,
    OTFusionTransformer,
    OTKGEClassifier,
    RotatE,
    TransE,
    __version__,
)
from skotkge._utils import persistence as _persistence
from skotkge.baselines import RuleBaseline, TranslationBaseline

OUR_TYPES = list(_persistence.TYPES)

ANSWER_IN_NEW_PROCESS = """
import sys, joblib
kge = joblib.load(sys.argv[1])["kge"]
print(repr(kge.complete([["bob", 7, None]], k=2).labels.tolist()))
"""


@pytest.fixture(scope="module")
def mixed():
    """Triples whose labels are strings, integers, tuples, bytes and numbers, some of which look alike."""
    entities = ["bob", "7", 7, "007", 2.5, ("page", 3), b"raw", "", *range(100, 112)]
    relations = ["likes", 7, ("made", "by")]
    rng = np.random.RandomState(0)
    ids = np.unique(rng.randint([20, 3, 20], size=(150, 3)), axis=0)
    triples = [(entities[head], relations[relation], entities[tail]) for head, relation, tail in ids]
    vectors = {"text": rng.standard_normal((20, 6)), "image": rng.standard_normal((20, 5))}
    return MultimodalTriples(triples, vectors, entities=entities)


@pytest.fixture(scope="module")
def model(mixed):
    fuse = OTFusionTransformer(4, random_state=np.random.RandomState(0))
    return Pipeline(
        [
            ("fuse", fuse),
            (
                "kge",
                OTKGEClassifier(
                    max_iter=2, evidence=("structure", "modalities", "fused", "relation_maps", "rules"), random_state=0
                ),
            ),
        ]
    ).fit(mixed)


def same_answers(first, second, X):
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    np.testing.assert_array_equal(first.predict_proba(X.labels), second.predict_proba(X.labels))
    questions = [["bob", 7, None], [None, "likes", ("page", 3)], ["7", None, b"raw"]]
    one, other = (pipeline["kge"].complete(questions, k=5).labels for pipeline in (first, second))
    assert one.tolist() == other.tolist()
    assert [list(map(type, row)) for row in one] == [list(map(type, row)) for row in other]


@pytest.mark.parametrize("copy", [deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_give_the_same_answers_and_have_no_attribute_more(model, mixed, copy):
    copied = copy(model)
    same_answers(model, copied, mixed)
    for step in ("fuse", "kge"):
        assert vars(copied[step]).keys() == vars(model[step]).keys()


def test_state_tells_format_and_version(model):
    for step in model:
        state = step.__getstate__()
        assert (state["_skotkge_format"], state["_skotkge_version"]) == (_persistence.FORMAT, __version__)
        assert "_skotkge_format" not in vars(step)
        assert not hasattr(clone(step), "_skotkge_format")


@pytest.mark.parametrize("step", ["fuse", "kge"])
def test_newer_format_is_refused_with_both_versions(model, step, tmp_path, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(_persistence, "FORMAT", _persistence.FORMAT + 1)
        newer.setattr(_persistence, "__version__", "99.1.0")
        joblib.dump(model[step], tmp_path / "model.joblib")
    with pytest.raises(ValueError, match=r"saved by skotkge 99\.1\.0 in format \d+.*install skotkge 99\.1\.0") as error:
        joblib.load(tmp_path / "model.joblib")
    assert f"skotkge {__version__} reads formats up to {_persistence.FORMAT}" in str(error.value)


def test_joblib_file_answers_in_labels_in_a_new_process(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    command = [sys.executable, "-c", ANSWER_IN_NEW_PROCESS, str(tmp_path / "model.joblib")]
    answered = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert answered.strip() == repr(model["kge"].complete([["bob", 7, None]], k=2).labels.tolist())


def test_skops_needs_trust_in_types_of_ours_alone(model, mixed, tmp_path):
    skops.io.dump(model, tmp_path / "model.skops")
    of_the_pipeline = ["skotkge.ComplEx", "skotkge.OTFusionTransformer", "skotkge.OTKGEClassifier"]
    assert skops.io.get_untrusted_types(file=tmp_path / "model.skops") == of_the_pipeline
    same_answers(model, skops.io.load(tmp_path / "model.skops", trusted=OUR_TYPES), mixed)


def test_skops_trusts_the_translation_baseline_too(mixed, tmp_path):
    baseline = TranslationBaseline(n_components=4, max_iter=2, random_state=0).fit(mixed)
    skops.io.dump(baseline, tmp_path / "model.skops")
    loaded = skops.io.load(tmp_path / "model.skops", trusted=OUR_TYPES)
    np.testing.assert_array_equal(loaded.rank(mixed), baseline.rank(mixed))


OBJECTS = {
    "TransE": dict(score_function=TransE(margin=3.0)),
    "RotatE": dict(score_function=RotatE(margin=3.0)),
    "DistMult": dict(score_function="distmult"),
    "CrossEntropy": dict(objective=CrossEntropy(n_sampled=4)),
    "Logistic": dict(objective=Logistic(n_negatives=4)),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_skops_trusts_parameters_that_are_objects_of_ours(mixed, tmp_path, name):
    kge = OTKGEClassifier(embedding_dim=4, max_iter=2, random_state=0, **OBJECTS[name]).fit(mixed.labels)
    skops.io.dump(kge, tmp_path / "model.skops")
    assert set(skops.io.get_untrusted_types(file=tmp_path / "model.skops")) <= set(OUR_TYPES)
    loaded = skops.io.load(tmp_path / "model.skops", trusted=OUR_TYPES)
    np.testing.assert_array_equal(loaded.rank(mixed.labels), kge.rank(mixed.labels))


def test_skops_trusts_the_rule_baseline_too(mixed, tmp_path):
    baseline = RuleBaseline(random_state=0).fit(mixed)
    skops.io.dump(baseline, tmp_path / "model.skops")
    assert skops.io.get_untrusted_types(file=tmp_path / "model.skops") == ["skotkge.baselines.RuleBaseline"]
    loaded = skops.io.load(tmp_path / "model.skops", trusted=OUR_TYPES)
    np.testing.assert_array_equal(loaded.predict_proba(mixed), baseline.predict_proba(mixed))


def test_types_name_public_places():
    for name in OUR_TYPES:
        module, _, public = name.rpartition(".")
        assert module in ("skotkge", "skotkge.baselines", "skotkge.metrics")
        assert getattr(importlib.import_module(module), public).__module__ == module


def test_skops_file_of_a_newer_format_is_refused(model, tmp_path, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(_persistence, "FORMAT", _persistence.FORMAT + 1)
        skops.io.dump(model["kge"], tmp_path / "model.skops")
    with pytest.raises(ValueError, match="reads formats up to"):
        skops.io.load(tmp_path / "model.skops", trusted=OUR_TYPES)


def test_model_loaded_by_skops_trains_on(model, mixed, tmp_path):
    skops.io.dump(model, tmp_path / "model.skops")
    loaded = skops.io.load(tmp_path / "model.skops", trusted=OUR_TYPES)
    refitted = [pipeline["kge"].set_params(warm_start=True, max_iter=1) for pipeline in (deepcopy(model), loaded)]
    fused = model["fuse"].transform(mixed)
    with pytest.warns(UserWarning, match="20 of the 20 true rows of X_val are rows of X, too"):
        first, second = (kge.fit(fused, X_val=mixed[:20]) for kge in refitted)
    np.testing.assert_array_equal(first.entity_embeddings_, second.entity_embeddings_)


def test_files_without_a_later_parameter_have_its_default(model):
    kge = model["kge"]
    state = {name: value for name, value in kge.__getstate__().items() if name != "checkpoint_interval"}
    loaded = OTKGEClassifier.__new__(OTKGEClassifier)
    loaded.__setstate__(state)
    assert loaded.get_params() == kge.get_params()
