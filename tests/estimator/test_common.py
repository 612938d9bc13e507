"""The scikit-learn contract of every public estimator, and every tool of scikit-learn that composes with them.

In matrix form OTFusionTransformer also passes the whole of `check_estimator`: see test_fusion.py.
"""

import importlib
import io
import os
import pickle
import re
import subprocess
import sys
import textwrap
from functools import partial
from itertools import zip_longest

import joblib
import numpy as np
import pytest
import sklearn
import torch
from helpers import false_triples
from sklearn import model_selection
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.utils import estimator_checks
from sklearn.utils._param_validation import Options, make_constraint

import skotkge
from skotkge import (
    ComplEx,
    CrossEntropy,
    EntityPairs,
    Logistic,
    MultimodalTriples,
    OTEntityMatcher,
    OTFusionTransformer,
    OTKGEClassifier,
    RotatE,
    TransE,
)
from skotkge._graph.vocabulary import Vocabulary
from skotkge.baselines import MarginRanking, MMKRLBaseline, RuleBaseline, TransAEBaseline, TranslationBaseline

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
    X = small.with_triples(np.concatenate([small.labels, false_triples(small)]))
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
    X, valid = small[20:], small[:20]
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

    first, second = cached(kge__learning_rate=0.05), cached(kge__learning_rate=0.1, kge__score_function="distmult")
    assert second["fuse"].plan_times_ == first["fuse"].plan_times_
    assert n_fits() == 1
    cached(fuse__p=1)
    assert n_fits() == 2


def test_dumped_search_holds_no_modality_matrix(small):
    search = model_selection.GridSearchCV(pipeline(), GRID, cv=2).fit(small)
    dumped = pickle.dumps(search)
    assert all(matrix.tobytes() not in dumped for matrix in small.modalities.values())


def with_rules():
    return bare_kge().set_params(evidence=("structure", "rules"))


def translations():
    return TranslationBaseline(n_components=4, max_iter=2, random_state=0)


def transae():
    return TransAEBaseline(n_components=4, n_hidden=4, max_iter=2, random_state=0)


def mmkrl():
    return MMKRLBaseline(n_components=4, max_iter=2, random_state=0)


def rules():
    return RuleBaseline(random_state=0)


FITTING = "skotkge._estimator.fitting."
VALIDATION = "skotkge._estimator.validation.metrics.mean_reciprocal_rank"
# step -> (what is called, how often it is called before the interruption, estimators whose fit has the step)
STEPS = {
    "alignment": ("skotkge._fusion.fitted.align_columns", 0, [fuse, pipeline]),
    "barycenter": ("skotkge._fusion.fitted.wasserstein_barycenter", 0, [fuse, pipeline]),
    "training": ("skotkge._embedding.trainer.run_epoch", 1, [bare_kge, pipeline, translations, transae, mmkrl]),
    "validation": (VALIDATION, 1, [bare_kge, pipeline, translations, transae, mmkrl]),
    "regressions": (FITTING + "fit_all_relation_maps", 0, [pipeline]),
    "rules": (FITTING + "count_rules", 0, [with_rules]),
    "counting": ("skotkge.baselines._rule_baseline.count_rules", 0, [rules]),
    "weighting": (FITTING + "learn_weights", 0, [pipeline]),
    "signed weighting": (FITTING + "learn_from", 0, [with_rules, pipeline]),
    "combining": (FITTING + "learn_combiner", 0, [with_rules, pipeline]),
    "calibration of lists": (FITTING + "calibrate_lists", 0, [bare_kge, pipeline]),
    "calibration": (
        "skotkge._estimator.calibrating.platt_scaling",
        0,
        [bare_kge, pipeline, translations, transae, mmkrl, rules],
    ),
    "refit": (FITTING + "_train_spaces", 1, [bare_kge, pipeline, translations, transae, mmkrl]),
    "evidence of the refit": (FITTING + "_evidence_of", 1, [bare_kge, pipeline, translations, transae, mmkrl]),
}


def interrupting(n_calls, function, error=KeyboardInterrupt):
    """A function that is another one for so many calls, and then raises."""
    calls = iter(range(n_calls))

    def interrupt(*arguments, **keywords):
        if next(calls, None) is None:
            raise error
        return function(*arguments, **keywords)

    return interrupt


@pytest.mark.parametrize("error", [KeyboardInterrupt, FloatingPointError])
@pytest.mark.parametrize(
    ("step", "make"),
    [
        pytest.param(step, make, id=f"{step} of {make.__name__}")
        for step, (*_, makes) in STEPS.items()
        for make in makes
    ],
)
def test_failed_fit_leaves_the_earlier_one_whole(step, make, error, small, monkeypatch):
    target, n_calls, _ = STEPS[step]
    module, _, name = target.removesuffix(".mean_reciprocal_rank").rpartition(".")
    owner = getattr(importlib.import_module(module), name)
    function = owner.mean_reciprocal_rank if name == "metrics" else owner
    labels_alone = make in (bare_kge, with_rules)
    first, second = (part.labels if labels_alone else part for part in (small, small[:-20]))
    fresh, fitted = make(), make().fit(first)
    expected, learned_before = answers(last(fitted), small), learned(last(fitted))
    with monkeypatch.context() as patch:
        for estimator in (fresh, fitted):
            patch.setattr(target, interrupting(n_calls, function, error))
            with pytest.raises(error):
                estimator.fit(second)
    with pytest.raises(NotFittedError):
        getattr(last(fresh), "transform" if make is fuse else "predict")(small)
    assert set(vars(last(fresh))) == set(vars(last(make())))
    assert_same_answers(answers(last(fitted), small), expected)
    for key, value in learned(last(fitted)).items():
        np.testing.assert_array_equal(value, learned_before[key])
    again = answers(last(fitted.fit(second)), small)
    assert_same_answers(again, answers(last(make().fit(second)), small))


def public_estimators():
    """Every estimator of the public modules by name."""
    found = {}
    for module in (skotkge, skotkge.baselines):
        for name in module.__all__:
            public = getattr(module, name)
            if isinstance(public, type) and issubclass(public, BaseEstimator) and hasattr(public, "fit"):
                found[name] = public
    return found


# Values for a fit that is quick and repeats, given to estimators that have such a parameter.
QUICK = dict(n_components=8, embedding_dim=8, max_iter=2, random_state=0)
# Parameters that are objects, so that theirs are changed, too.
OBJECTS = {
    "OTKGEClassifier": [
        dict(score_function=TransE(margin=6.0), objective=CrossEntropy(n_sampled=8)),
        dict(score_function=RotatE(margin=6.0), objective=Logistic(n_negatives=4)),
    ],
    "TransAEBaseline": [dict(norm=1, objective=MarginRanking(n_negatives=4))],
    "MMKRLBaseline": [dict(objective=CrossEntropy(n_sampled=8))],
}
# What answers may depend on, because users want it to: where they are computed, and what is shown meanwhile.
FREE = {"device", "verbose"}
OTHER_VALUES = [
    *(False, True, None, 0, 1, 2, 3, 0.0, 0.3, 0.7, 1.0, 17, 400),
    {"structure": 5, "text": 1, "image": 1},
    *(("fused",), ["structure"], "elsewhere"),
    *(TransE(margin=1.0), ComplEx(), CrossEntropy(n_sampled=3), Logistic(n_negatives=2)),
]


def constraints_of(estimator, name):
    """What a parameter may be; without constraints declared, all of the type that it has."""
    *path, own = name.split("__")
    for step in path:
        estimator = getattr(estimator, step)
    declared = getattr(estimator, "_parameter_constraints", {})
    return declared.get(own, [type(getattr(estimator, own))])


def other_values(estimator, name):
    """Valid values of a parameter that it does not have."""
    constraints = [make_constraint(constraint) for constraint in constraints_of(estimator, name)]
    options = [option for each in constraints if isinstance(each, Options) for option in sorted(each.options)]
    value = estimator.get_params()[name]
    for other in [*options, *OTHER_VALUES]:
        valid = any(each.is_satisfied_by(other) for each in constraints)
        if valid and repr(other) != repr(value):
            yield other


def fitted_variants():
    # EntityEmbedder is fitted on tables: see test_embedder.py.
    for name, kind in (pair for pair in public_estimators().items() if pair[0] != "EntityEmbedder"):
        for number, objects in enumerate([{}, *OBJECTS.get(name, [])]):
            known = kind().get_params()
            yield pytest.param(kind, {key: QUICK[key] for key in QUICK.keys() & known} | objects, id=f"{name}-{number}")


def outcome(call):
    """What a call returns, or the error that it raises."""
    try:
        return call()
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def answers(estimator, X):
    """Everything that a fitted estimator says of triples, known or not, by method."""
    unknown = [("stranger", "r0", "e2"), ("e1", "r0", "e2")]
    questions = [("e1", "r0", None), (None, "r1", "e3"), ("e1", None, "e2"), ("stranger", "r0", None)]
    found = {}
    for name in ("score_triples", "decision_function", "predict_proba", "predict", "rank", "was_trained_on"):
        if hasattr(estimator, name):
            method = getattr(estimator, name)
            found[name], found[name, "labels"] = method(X), method(X.labels)
            found[name, "unknown"] = outcome(lambda method=method: method(unknown))
            found[name, "last"] = method(unknown, handle_unknown="last")
    if hasattr(estimator, "complete"):
        for handle_unknown in (None, "last"):
            completions = outcome(lambda how=handle_unknown: estimator.complete(questions, k=4, handle_unknown=how))
            found["complete", handle_unknown] = completions if isinstance(completions, str) else vars(completions)
        with pytest.warns(UserWarning, match="were trained on"):
            found["evaluate"] = estimator.evaluate(X)
        found["score"] = estimator.score(X)
        found["accuracy"] = estimator.score(X, np.arange(len(X)) % 2)
    if hasattr(estimator, "nearest"):
        found["nearest"] = outcome(lambda: tuple(estimator.nearest(["e1", "e2"], k=3)))
    if hasattr(estimator, "transform"):
        fusion = estimator.transform(X).fusion
        spaces = {str(id): vars(space) for id, space in fusion.spaces(X).items()}
        found["transform"] = {"spaces": spaces, "embedding": fusion.width, "fusion": fusion.fusion}
        found["refit"] = {str(id): vars(space) for id, space in fusion.refit(X).fusion.spaces(X).items()}
    return found


def answers_about_pairs(estimator, pairs):
    """Everything that a fitted matcher says of pairs, by method."""
    methods = ("predict", "match_proba", "rank", "score", "evaluate")
    return {name: getattr(estimator, name)(pairs) for name in methods} | {"plan": estimator.plan_.toarray()}


def assert_same_answers(found, expected, path=""):
    """Compare nested containers of arrays exactly."""
    if isinstance(expected, dict):
        assert list(found) == list(expected), path
        for key in expected:
            assert_same_answers(found[key], expected[key], f"{path}/{key}")
    elif isinstance(expected, Vocabulary):
        assert found.is_that_of(expected), path
    elif isinstance(expected, str | type(None)) or type(expected).__name__ == "Questions":
        assert isinstance(found, type(expected)), path
        assert type(expected).__name__ == "Questions" or found == expected, path
    elif isinstance(expected, tuple):
        for position, pair in enumerate(zip(found, expected, strict=True)):
            assert_same_answers(*pair, f"{path}/{position}")
    else:
        np.testing.assert_array_equal(found, expected, err_msg=path)


UNSET = object()


def changed_together(others):
    """Yield a new value for many parameters at once, those of nested objects apart from the objects."""
    for nested in (False, True):
        of_kind = {name: values for name, values in others.items() if ("__" in name) == nested}
        for values in zip_longest(*of_kind.values(), fillvalue=UNSET):
            yield {name: other for name, other in zip(of_kind, values, strict=True) if other is not UNSET}


@pytest.mark.parametrize(("kind", "parameters"), list(fitted_variants()))
def test_no_parameter_changes_an_answer_after_fit(kind, parameters, small):
    X, ask = small if kind is OTFusionTransformer else fuse().fit_transform(small), partial(answers, X=small)
    if kind is OTEntityMatcher:
        X = EntityPairs([(label, label) for label in small.entities[:20]], small, small[5:])
        ask = partial(answers_about_pairs, pairs=X)
    estimator = clone(kind(**parameters)).fit(X)
    expected = ask(estimator)
    before = {name: value for name, value in estimator.get_params().items() if name not in FREE}
    others = {name: list(other_values(estimator, name)) for name in before}
    unchanged = {name for name, values in others.items() if not values}
    changes = {}
    for together in changed_together(others):
        estimator.set_params(**together)
        try:
            assert_same_answers(ask(estimator), expected)
        except Exception as error:
            changes[", ".join(together)] = f"{together!r}: {error}"
        estimator.set_params(**before)
    assert changes == {}
    assert unchanged == set(), "OTHER_VALUES has no valid other value for them"
    with_objects = {name for name in estimator.get_params() if "__" in name}
    assert with_objects or not any(isinstance(value, BaseEstimator) for value in parameters.values())


def test_every_public_estimator_is_found():
    known = {"OTKGEClassifier", "OTFusionTransformer", "RuleBaseline", "TranslationBaseline"}
    assert known | {"TransAEBaseline", "MMKRLBaseline"} <= set(public_estimators())


class Recorder:
    """A callback that remembers what it is told, and ends the training of a space after some epochs."""

    def __init__(self, stop_after=None):
        self.stop_after, self.events, self.states = stop_after, [], []

    def on_fit_begin(self, estimator):
        self.events.append(("begin", estimator))

    def on_epoch_end(self, state):
        self.events.append((state.space, state.epoch))
        self.states.append(state)
        if state.epoch == self.stop_after:
            state.stop()

    def on_fit_end(self, estimator):
        self.events.append(("end", estimator))


class TestCallbacks:
    def test_they_are_told_of_each_epoch_of_each_space(self, small):
        fused, recorder = fuse().fit_transform(small), Recorder()
        estimator = kge(refit=False)
        assert estimator.fit(fused, callbacks=[recorder]) is estimator
        spaces = estimator.space_training_
        epochs = [(name, n) for name, told in spaces.items() for n in range(1, told["n_iter"] + 1)]
        assert list(spaces) == ["structure", "text", "image", "fused"]
        assert recorder.events == [("begin", estimator), *epochs, ("end", estimator)]
        for name, told in spaces.items():
            states = [state for state in recorder.states if state.space == name]
            assert [state.loss for state in states] == told["loss_curve"]
            assert [state.validation_score for state in states] == told["validation_scores"]
            assert {state.max_iter for state in states} == {3}

    def test_a_refit_is_told_of_too(self, small):
        recorder = Recorder()
        estimator = kge(embedding_dim=8).fit(small.labels, callbacks=[recorder])
        epochs = [*range(1, estimator.n_iter_ + 1), *range(1, estimator.best_iter_ + 1)]
        assert [epoch for _, epoch in recorder.events[1:-1]] == epochs
        assert {state.validation_score for state in recorder.states[estimator.n_iter_ :]} == {None}

    def test_without_early_stopping_there_is_no_validation_score(self, small):
        recorder = Recorder()
        kge(embedding_dim=8, early_stopping=False).fit(small.labels, callbacks=[recorder])
        assert {state.validation_score for state in recorder.states} == {None}

    def test_they_change_nothing_unless_they_stop(self, small):
        plain, told = bare_kge().fit(small.labels), bare_kge().fit(small.labels, callbacks=[Recorder()])
        assert_same_answers(answers(told, small), answers(plain, small))

    @pytest.mark.parametrize("others", [[], [Recorder()]], ids=["alone", "before another"])
    def test_stop_ends_the_training_of_the_space(self, small, others):
        fused = fuse().fit_transform(small)
        options = dict(early_stopping=False, validation_fraction=0)
        stopped = kge(max_iter=9, **options).fit(fused, callbacks=[Recorder(stop_after=2), *others])
        assert {name: told["n_iter"] for name, told in stopped.space_training_.items()} == dict.fromkeys(
            ["structure", "text", "image", "fused"], 2
        )
        short = kge(max_iter=2, **options).fit(fused)
        np.testing.assert_array_equal(stopped.entity_embeddings_, short.entity_embeddings_)

    def test_state_dict_is_a_copy_of_what_training_goes_on_from(self, small):
        class Keeper:
            def __init__(self):
                self.kept = []

            def on_epoch_end(self, state):
                self.kept.append(state.state_dict())

        keeper = Keeper()
        kge(embedding_dim=8, refit=False).fit(small.labels, callbacks=[keeper])
        first, second = (kept["parameters"]["structure"] for kept in keeper.kept[:2])
        assert not torch.equal(first, second)
        assert [len(kept["losses"]) for kept in keeper.kept] == [1, 2, 3]

    def test_each_may_have_some_of_the_methods_alone(self, small):
        events = []

        class Begins:
            def on_fit_begin(self, estimator):
                events.append("begin")
                assert not hasattr(estimator, "predictor_")

        class Ends:
            def on_fit_end(self, estimator):
                events.append("end")
                assert estimator.predict(small.labels).shape == (len(small),)

        bare_kge().fit(small.labels, callbacks=[Ends(), Begins(), object()])
        assert events == ["begin", "end"]

    def test_the_end_is_not_told_of_where_the_fit_fails(self, small):
        class Fails(Recorder):
            def on_epoch_end(self, state):
                raise RuntimeError("no more")

        recorder, estimator = Recorder(), bare_kge().fit(small.labels)
        expected = answers(estimator, small)
        with pytest.raises(RuntimeError, match="no more"):
            estimator.set_params(learning_rate=0.5).fit(small.labels, callbacks=[recorder, Fails()])
        assert recorder.events == [("begin", estimator), ("structure", 1)]
        assert_same_answers(answers(estimator, small), expected)

    def test_they_reach_the_classifier_through_a_pipeline_and_routing(self, small):
        recorder = Recorder()
        pipeline().fit(small, kge__callbacks=[recorder])
        with sklearn.config_context(enable_metadata_routing=True):
            routed = Pipeline([("fuse", fuse()), ("kge", kge().set_fit_request(callbacks=True))])
            again = Recorder()
            routed.fit(small, callbacks=[again])
        assert again.events[1:-1] == recorder.events[1:-1] != []

    def test_no_callback_is_kept_by_the_model(self, small):
        estimator = bare_kge().fit(small.labels, callbacks=[Recorder()])
        assert b"Recorder" not in pickle.dumps(estimator)


@pytest.mark.parametrize("evidence", [("fused", "pictures"), ("pictures",), ()])
def test_evidence_that_does_not_exist_is_named(small, evidence):
    found = "has 'pictures'" if evidence else "is empty"
    with pytest.raises(ValueError, match=f"{found}; give 'all', 'embeddings', 'fused' or some of 'structure'"):
        bare_kge().set_params(evidence=evidence).fit(small.labels)


def test_set_params_between_fits_takes_effect(small):
    pipe = pipeline().fit(small)
    pipe.set_params(fuse__n_components=4, kge__score_function="distmult").fit(small)
    fresh = Pipeline([("fuse", OTFusionTransformer(4, random_state=0)), ("kge", kge(score_function="distmult"))]).fit(
        small
    )
    np.testing.assert_array_equal(pipe["kge"].entity_embeddings_, fresh["kge"].entity_embeddings_)


def test_y_may_be_of_any_kind_of_zeros_and_ones(labelled):
    pd = pytest.importorskip("pandas")
    X, y = labelled
    expected = kge().fit(X.labels, y).decision_function(X)
    for kind in (list(map(int, y)), y.astype(bool), y.astype(float), pd.Series(y)):
        np.testing.assert_array_equal(kge().fit(X.labels, kind).decision_function(X), expected)


def test_repr_names_the_estimator():
    assert re.match(r"OTKGEClassifier\(.*max_iter=3", repr(kge()))
