"""The scikit-learn contract of every public estimator, and every tool of scikit-learn that composes with them.

In matrix form OTFusionTransformer also passes the whole of `check_estimator`: see test_fusion.py.
"""

import io
import os
import pickle
import re
import subprocess
import sys
import textwrap

import joblib
import numpy as np
import pytest
import sklearn
import torch
from sklearn import model_selection
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils import estimator_checks

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*have no training triple:UserWarning", "ignore:y has one class only:UserWarning"
)


def fuse():
    return OTFusionTransformer(8, random_state=0)


def kge(**parameters):
    return OTKGEClassifier(**dict(max_iter=3, batch_size=128, random_state=0) | parameters)


def pipeline():
    return Pipeline([("fuse", fuse()), ("kge", kge())])


def bare_kge():
    return kge(embedding_dim=8)


ESTIMATORS = {"OTFusionTransformer": fuse, "OTKGEClassifier": bare_kge, "Pipeline": pipeline}
OURS = {name: ESTIMATORS[name] for name in ("OTFusionTransformer", "OTKGEClassifier")}

DATA_FREE_CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.fixture(scope="module")
def labelled(small):
    """True and corrupted triples over the same table, with y."""
    false = small.labels.copy()
    false[:, 2] = np.random.RandomState(0).permutation(false[:, 2])
    X = small.with_triples(np.concatenate([small.labels, false]))
    return X, np.repeat([1, 0], len(small))


def data_for(make, small):
    return small.labels if make is bare_kge else small


def learned(estimator):
    """All arrays that an estimator learned, by name."""
    found = {}
    for name, value in vars(estimator).items():
        if name == "plan_times_":
            continue
        for key, part in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(part, np.ndarray | list | float) and name not in estimator.get_params():
                found[name, key] = np.asarray(part)
    return found


def last(estimator):
    return estimator[-1] if isinstance(estimator, Pipeline) else estimator


@pytest.mark.parametrize("check", DATA_FREE_CHECKS)
@pytest.mark.parametrize("make", OURS.values(), ids=OURS)
def test_data_free_checks(make, check):
    getattr(estimator_checks, check)(make().__class__.__name__, make())


@pytest.mark.parametrize("make", ESTIMATORS.values(), ids=ESTIMATORS)
class TestContract:
    def test_fit_returns_self_and_changes_no_parameter(self, make, small):
        estimator = make()
        before = {name: repr(value) for name, value in estimator.get_params().items()}
        assert estimator.fit(data_for(make, small)) is estimator
        if not isinstance(estimator, Pipeline):
            assert {name: repr(value) for name, value in estimator.get_params().items()} == before

    def test_public_attributes_of_fit_end_in_an_underscore(self, make, small):
        estimator = make()
        unfitted = set(vars(last(estimator)))
        estimator.fit(data_for(make, small))
        new = set(vars(last(estimator))) - unfitted
        assert new
        assert all(name.endswith("_") or name.startswith("_") for name in new)

    def test_unfitted_estimators_say_so(self, make, small):
        method = "transform" if hasattr(make(), "transform") else "predict"
        with pytest.raises(NotFittedError):
            getattr(last(make()), method)(small)

    def test_same_seed_refits_bit_identically(self, make, small):
        X = data_for(make, small)
        estimator = make().fit(X)
        first = learned(last(estimator))
        again = learned(last(estimator.fit(X)))
        other = learned(last(clone(estimator).fit(X)))
        for name in first:
            np.testing.assert_array_equal(first[name], again[name], err_msg=str(name))
            np.testing.assert_array_equal(first[name], other[name], err_msg=str(name))

    def test_random_state_instance_and_none(self, make, small):
        X = data_for(make, small)
        by_instance = [
            learned(last(clone(make()).set_params(**random_states(make, np.random.RandomState(5))).fit(X)))
            for _ in range(2)
        ]
        for name in by_instance[0]:
            np.testing.assert_array_equal(by_instance[0][name], by_instance[1][name])
        clone(make()).set_params(**random_states(make, None)).fit(X)

    def test_dumps_hold_nothing_of_torch_and_no_modality_matrix(self, make, small):
        estimator = make().fit(data_for(make, small))
        for dumped in (pickle.dumps(estimator), joblib_bytes(estimator)):
            assert b"torch" not in dumped
            assert all(matrix.tobytes() not in dumped for matrix in small.modalities.values())

    def test_global_state_is_untouched(self, make, small):
        def state():
            _, words, position, *_ = np.random.get_state()
            flags = torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_dtype(), np.geterr()
            return words.tolist(), position, torch.get_rng_state().tolist(), flags

        before = state()
        estimator = make().fit(data_for(make, small))
        if hasattr(estimator, "predict"):
            estimator.predict(small)
        assert state() == before

    def test_read_only_and_memory_mapped_input(self, make, small, tmp_path):
        joblib.dump(small, tmp_path / "X.joblib")
        mapped = joblib.load(tmp_path / "X.joblib", mmap_mode="r")
        X = mapped.labels if make is bare_kge else mapped
        if make is bare_kge:
            X.flags.writeable = False
        expected, got = learned(last(make().fit(data_for(make, small)))), learned(last(make().fit(X)))
        for name in expected:
            np.testing.assert_array_equal(got[name], expected[name])

    def test_fit_on_other_data_forgets_the_first(self, make, small):
        other = MultimodalTriples(
            [("a", "r", "b"), ("b", "r", "c"), ("c", "r", "a"), ("a", "r", "c"), ("a", "q", "b"), ("c", "q", "b")],
            {"text": np.eye(3)},
            entities=["a", "b", "c"],
        )
        X = other.labels if make is bare_kge else other
        estimator = make().fit(data_for(make, small)).fit(X)
        fresh = make().fit(X)
        for name, value in learned(last(fresh)).items():
            np.testing.assert_array_equal(learned(last(estimator))[name], value)

    def test_html_representation(self, make, small):
        assert type(make()).__name__ in make().fit(data_for(make, small))._repr_html_()


def joblib_bytes(model):
    buffer = io.BytesIO()
    joblib.dump(model, buffer)
    return buffer.getvalue()


def random_states(make, value):
    return {name: value for name in make().get_params() if name.split("__")[-1] == "random_state"}


GRID = {"kge__learning_rate": [0.05, 0.1]}
SEARCH = dict(cv=2)

# tool -> (call, whether it works without y)
COMPOSES = {
    "GridSearchCV": (lambda X, y: model_selection.GridSearchCV(pipeline(), GRID, **SEARCH).fit(X, y).best_score_, True),
    "RandomizedSearchCV": (
        lambda X, y: model_selection.RandomizedSearchCV(pipeline(), GRID, n_iter=2, **SEARCH).fit(X, y).best_score_,
        True,
    ),
    "HalvingGridSearchCV": (
        lambda X, y: (
            model_selection.HalvingGridSearchCV(
                pipeline(), GRID, resource="kge__max_iter", min_resources=2, max_resources=4, **SEARCH
            )
            .fit(X, y)
            .best_score_
        ),
        True,
    ),
    "cross_validate": (lambda X, y: model_selection.cross_validate(pipeline(), X, y, **SEARCH)["test_score"], True),
    "cross_val_predict": (lambda X, y: model_selection.cross_val_predict(pipeline(), X, y, **SEARCH), True),
    "learning_curve": (
        lambda X, y: model_selection.learning_curve(pipeline(), X, y, train_sizes=[0.5, 1.0], **SEARCH)[2],
        True,
    ),
    "validation_curve": (
        lambda X, y: model_selection.validation_curve(
            pipeline(), X, y, param_name="kge__learning_rate", param_range=[0.05, 0.1], **SEARCH
        )[1],
        True,
    ),
    "cross_validate with several scorers": (
        lambda X, y: model_selection.cross_validate(pipeline(), X, y, scoring=["accuracy", "roc_auc"], **SEARCH)[
            "test_roc_auc"
        ],
        False,
    ),
    "permutation_test_score": (
        lambda X, y: model_selection.permutation_test_score(pipeline(), X, y, n_permutations=2, **SEARCH)[2],
        False,
    ),
    "CalibratedClassifierCV": (
        lambda X, y: CalibratedClassifierCV(pipeline(), cv=2).fit(X, y).predict_proba(X)[:, 1],
        False,
    ),
    "VotingClassifier": (
        lambda X, y: VotingClassifier([("a", pipeline()), ("b", pipeline())], voting="soft").fit(X, y).predict(X),
        False,
    ),
    "StackingClassifier": (lambda X, y: StackingClassifier([("a", pipeline())], cv=2).fit(X, y).predict(X), False),
    "TunedThresholdClassifierCV": (
        lambda X, y: model_selection.TunedThresholdClassifierCV(pipeline(), cv=2).fit(X, y).predict(X),
        False,
    ),
    "OneVsRestClassifier": (lambda X, y: OneVsRestClassifier(pipeline()).fit(X, y).predict(X), False),
}


@pytest.mark.parametrize("tool", COMPOSES)
def test_tools_compose_with_known_negatives(tool, labelled):
    assert np.isfinite(COMPOSES[tool][0](*labelled)).all()


@pytest.mark.parametrize("tool", [tool for tool, (_, without_y) in COMPOSES.items() if without_y])
def test_tools_compose_without_y(tool, small):
    assert np.isfinite(COMPOSES[tool][0](small, None)).all()


@pytest.mark.parametrize("tool", [tool for tool, (_, without_y) in COMPOSES.items() if not without_y])
def test_tools_that_need_both_classes_do_not_pass_silently_without_y(tool, small):
    with pytest.raises((TypeError, ValueError, UserWarning)):
        COMPOSES[tool][0](small, None)


BREAKS = {
    "BaggingClassifier": (lambda X, y: BaggingClassifier(pipeline(), n_estimators=2).fit(X, y), "MultimodalTriples"),
    "FeatureUnion": (
        lambda X, y: make_pipeline(FeatureUnion([("a", fuse()), ("b", fuse())]), kge()).fit(X, y),
        "FeatureUnion",
    ),
    "FeatureUnion of one": (lambda X, y: make_pipeline(FeatureUnion([("a", fuse())]), kge()).fit(X, y), "FeatureUnion"),
    "array of a fusion": (lambda X, y: np.asarray(fuse().fit_transform(X)), "carries a fusion, which is lost"),
    "columns": (lambda X, y: X[:, [0, 1]], "only rows of triples can be selected"),
}


@pytest.mark.parametrize("tool", BREAKS)
def test_tools_that_cannot_work_with_triples_say_so(tool, labelled):
    call, message = BREAKS[tool]
    with pytest.raises(TypeError, match=message):
        call(*labelled)


@pytest.mark.parametrize("transform", ["default", "pandas"])
def test_set_output_leaves_triples_alone(transform, small):
    expected = pipeline().fit(small).decision_function(small)
    configured = pipeline().set_output(transform=transform).fit(small)
    np.testing.assert_array_equal(configured.decision_function(small), expected)
    with sklearn.config_context(transform_output=transform):
        np.testing.assert_array_equal(pipeline().fit(small).decision_function(small), expected)


def test_array_api_dispatch_changes_nothing():
    """SciPy reads its switch at import, hence the new process."""
    pytest.importorskip("sklearn.externals.array_api_compat", reason="scikit-learn needs array_api_compat here")
    script = """
        import sklearn
        from sklearn.pipeline import Pipeline
        from skotkge import OTFusionTransformer, OTKGEClassifier
        from skotkge.datasets import load_emoji
        kg = load_emoji()
        kge = OTKGEClassifier(max_iter=1, validation_fraction=0, random_state=0)
        pipe = Pipeline([("fuse", OTFusionTransformer(8, random_state=0)), ("kge", kge)])
        expected = pipe.fit(kg.train).predict_proba(kg.test)
        with sklearn.config_context(array_api_dispatch=True):
            assert (pipe.fit(kg.train).predict_proba(kg.test) == expected).all()
    """
    environment = dict(os.environ, SCIPY_ARRAY_API="1", OMP_NUM_THREADS="1")
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, env=environment)


def test_metadata_routing_of_validation_triples(small):
    X, valid = small, small[:20]
    plain = pipeline().fit(X, kge__X_val=valid)["kge"]
    with sklearn.config_context(enable_metadata_routing=True):
        routed = Pipeline([("fuse", fuse()), ("kge", kge().set_fit_request(X_val=True))])
        np.testing.assert_array_equal(routed.fit(X, X_val=valid)["kge"].entity_embeddings_, plain.entity_embeddings_)
        search = model_selection.GridSearchCV(routed, GRID, cv=2).fit(X, X_val=valid)
        assert 0 < search.best_score_ <= 1


def test_cached_pipeline_equals_the_uncached_one(small, tmp_path):
    expected = pipeline().fit(small).decision_function(small)
    for _ in range(2):
        cached = pipeline().set_params(memory=str(tmp_path)).fit(small)
        np.testing.assert_array_equal(cached.decision_function(small), expected)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1


def test_cached_fusion_is_fitted_once_for_all_parameters_of_the_classifier(small, tmp_path):
    def cached(**parameters):
        return pipeline().set_params(memory=str(tmp_path), **parameters).fit(small)

    def n_fits():
        return len(list(tmp_path.rglob("output.pkl")))

    first, second = cached(kge__learning_rate=0.05), cached(kge__learning_rate=0.1, kge__scorer="distmult")
    assert second["fuse"].plan_times_ == first["fuse"].plan_times_
    assert n_fits() == 1
    cached(fuse__p=1)
    assert n_fits() == 2


def test_dumped_search_holds_no_modality_matrix(small):
    search = model_selection.GridSearchCV(pipeline(), GRID, cv=2).fit(small)
    dumped = pickle.dumps(search)
    assert all(matrix.tobytes() not in dumped for matrix in small.modalities.values())


@pytest.mark.parametrize("make", [make for make in ESTIMATORS.values() if make is not fuse])
def test_interrupted_fit_leaves_the_estimator_unfitted(make, small, monkeypatch):
    X = data_for(make, small)
    estimator = make().fit(X)

    def interrupt(*arguments, **keywords):
        raise KeyboardInterrupt

    target = "skotkge._embedding.trainer._run_epoch"
    with monkeypatch.context() as patch:
        patch.setattr(target, interrupt)
        with pytest.raises(KeyboardInterrupt):
            estimator.fit(X)
    with pytest.raises(NotFittedError):
        last(estimator).predict(small)
    estimator.fit(X)


def test_set_params_between_fits_takes_effect(small):
    pipe = pipeline().fit(small)
    pipe.set_params(fuse__n_components=4, kge__scorer="distmult").fit(small)
    fresh = Pipeline([("fuse", OTFusionTransformer(4, random_state=0)), ("kge", kge(scorer="distmult"))]).fit(small)
    np.testing.assert_array_equal(pipe["kge"].entity_embeddings_, fresh["kge"].entity_embeddings_)


def test_y_may_be_of_any_kind_of_zeros_and_ones(labelled):
    pd = pytest.importorskip("pandas")
    X, y = labelled
    expected = kge().fit(X.labels, y).decision_function(X)
    for kind in (list(map(int, y)), y.astype(bool), y.astype(float), pd.Series(y)):
        np.testing.assert_array_equal(kge().fit(X.labels, kind).decision_function(X), expected)


def test_repr_names_the_estimator():
    assert re.match(r"OTKGEClassifier\(.*max_iter=3", repr(kge()))
