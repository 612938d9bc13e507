"""OTFusionTransformer in both forms."""

import pickle
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import ot
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

import skotkge
from skotkge import ColumnAlignment, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._spaces import EvidenceId


@parametrize_with_checks([OTFusionTransformer()])
def test_matrix_form_passes_scikit_learns_checks(estimator, check):
    check(estimator)


def fit(X, y=None, **parameters):
    return OTFusionTransformer(**{"n_components": 8, "random_state": 0} | parameters).fit(X, y)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("alignment", ["transport", "linear", "pca"])
@pytest.mark.parametrize("fusion", ["barycenter", "mean", "concat", "none"])
def test_every_combination_has_the_documented_shapes(small, alignment, fusion, p):
    fuse = fit(small, alignment=alignment, fusion=fusion, p=p)
    names = [] if fusion == "none" else ["text", "image"]
    width = 24 if fusion == "concat" else 8
    assert fuse.modality_names_ == names == list(fuse.transport_plans_) == list(fuse.transport_maps_)
    for name in names:
        assert fuse.transport_plans_[name].shape == (small.modalities[name].shape[1], 8)
        assert fuse.transport_maps_[name].shape == fuse.transport_plans_[name].shape
        mass = 1.0 if alignment == "transport" else 0.0
        np.testing.assert_allclose(fuse.transport_plans_[name].sum(), mass)
    assert fuse.embedding_.shape == (30, width)
    assert np.isfinite(fuse.embedding_).all()
    np.testing.assert_allclose(sum(fuse.weights_.values()), 1)
    assert fuse.get_feature_names_out().shape == (width,)


@pytest.mark.parametrize("alignment", ["transport", "linear", "pca"])
def test_p2_embedding_is_the_weighted_sum_along_the_maps(small, alignment):
    fuse = fit(small, weights={"structure": 2, "text": 1, "image": 1}, alignment=alignment)
    fusion = fuse.transform(small).fusion
    spaces = fusion.spaces(small)[EvidenceId("fused")]
    moved = sum(spaces.features[name] @ spaces.maps[name] for name in ("text", "image"))
    assert all(features.dtype == np.float32 for features in spaces.features.values())
    np.testing.assert_allclose(spaces.structure_weight[:, None] * spaces.structure + moved, fuse.embedding_, atol=1e-6)
    missing = np.isnan(small.modalities["image"]).any(axis=1)
    np.testing.assert_allclose(spaces.structure_weight[~missing], 0.5)
    np.testing.assert_allclose(spaces.structure_weight[missing], 2 / 3)


def test_distances_are_those_between_scaled_columns(small):
    fuse = fit(small)
    text = small.modalities["text"]
    text = (text - text.mean(axis=0)) / text.std(axis=0)
    cost = ((text[:, :, None] - fuse.structural_embedding_[:, None]) ** 2).mean(axis=0)
    squared = np.sum(fuse.transport_plans_["text"] * cost)
    np.testing.assert_allclose(fuse.wasserstein_distances_["text"], np.sqrt(squared))


def test_entities_without_an_image_do_not_shape_its_plan(small):
    image = np.array(small.modalities["image"])
    missing = np.isnan(image).any(axis=1)
    structure = np.random.RandomState(0).standard_normal((30, 6))
    whole, part = (
        OTFusionTransformer(standardize=False).fit(matrix, space)
        for matrix, space in ((image, structure), (image[~missing], structure[~missing]))
    )
    np.testing.assert_allclose(whole.transport_plans_["features"], part.transport_plans_["features"])


def test_structure_uses_only_the_rows_of_X_that_are_true(small):
    y = np.ones(len(small), dtype=int)
    y[:40] = 0
    with_labels = fit(small, y)
    without = fit(small[40:])
    np.testing.assert_array_equal(with_labels.embedding_, without.embedding_)
    assert not np.allclose(with_labels.embedding_, fit(small).embedding_)


def test_attached_fusion_can_be_fitted_again_on_fewer_rows(small):
    fused = OTFusionTransformer(8, random_state=3).fit_transform(small)
    again = fused.fusion.refit(fused[40:])
    np.testing.assert_array_equal(again.fusion.structure, fit(small[40:], random_state=3).fusion_.structure)


def test_slices_keep_the_fusion_and_repr_says_so(small):
    fused = fit(small).transform(small[3:9])
    assert fused[[1, 2]].fusion is fused.fusion
    assert repr(fused).endswith("; fused)")
    assert fused.labels.tolist() == small[3:9].labels.tolist()


def test_bare_labels_are_handed_on_after_a_fit_on_triples(small):
    fuse = fit(small)
    labels = [["e1", "r0", "e2"]]
    assert fuse.transform(labels) is labels
    with pytest.raises(ValueError, match="expected head, relation, tail"):
        fuse.transform([["e1", "e2"]])


def test_matrix_form_with_named_matrices_and_missing_rows(rng):
    text, image = rng.standard_normal((20, 5)), rng.standard_normal((20, 3))
    image[:4] = np.nan
    structure = rng.standard_normal((20, 4))
    fuse = OTFusionTransformer().fit({"text": text, "image": image}, structure)
    out = fuse.transform({"text": text, "image": image})
    assert out.shape == (20, 4)
    only_text = (text - text.mean(axis=0)) / text.std(axis=0) @ fuse.transport_maps_["text"]
    np.testing.assert_allclose(out[:4], only_text[:4])
    order = rng.permutation(20)
    np.testing.assert_allclose(fuse.transform({"text": text[order], "image": image[order]}), out[order])


@pytest.mark.parametrize("fusion", ["mean", "concat"])
def test_transform_takes_the_named_matrices_in_any_order_and_beside_others(rng, fusion):
    text, image, structure = (rng.standard_normal((20, width)) for width in (5, 3, 4))
    fuse = OTFusionTransformer(fusion=fusion).fit({"text": text, "image": image}, structure)
    expected = fuse.transform({"text": text, "image": image})
    np.testing.assert_array_equal(fuse.transform({"image": image, "sound": text[:, :2], "text": text}), expected)
    with pytest.raises(ValueError, match="the fit saw"):
        fuse.transform({"image": image})


def test_order_of_entities_does_not_matter_in_matrix_form(rng):
    text, structure = rng.standard_normal((30, 7)), rng.standard_normal((30, 4))
    order = rng.permutation(30)
    straight = OTFusionTransformer().fit(text, structure)
    shuffled = OTFusionTransformer().fit(text[order], structure[order])
    np.testing.assert_allclose(shuffled.embedding_, straight.embedding_[order])


def test_linear_alignment_and_random_structure_follow_the_seed(small):
    options = dict(alignment="linear", structure="random")
    first, second, other = fit(small, **options), fit(small, **options), fit(small, random_state=1, **options)
    np.testing.assert_array_equal(first.embedding_, second.embedding_)
    assert not np.allclose(first.embedding_, other.embedding_)


def test_pca_alignment_gives_whitened_leading_components(rng):
    matrix = rng.standard_normal((60, 5)) @ rng.standard_normal((5, 5))
    fuse = OTFusionTransformer(alignment="pca").fit(matrix, rng.standard_normal((60, 3)))
    out = fuse.transform(matrix)
    np.testing.assert_allclose(np.cov(out.T, bias=True), np.eye(3), atol=1e-10)


def test_concatenation_joins_per_half(small):
    fuse = fit(small, fusion="concat")
    np.testing.assert_allclose(fuse.embedding_[:, :4], fuse.structural_embedding_[:, :4])
    np.testing.assert_allclose(fuse.embedding_[:, 12:16], fuse.structural_embedding_[:, 4:])


def test_concatenation_scales_each_space_by_its_weight(small, rng):
    text, image, structure = rng.standard_normal((20, 5)), rng.standard_normal((20, 3)), rng.standard_normal((20, 4))
    X, weights = {"text": text, "image": image}, {"structure": 5, "text": 3, "image": 1}
    fuse = OTFusionTransformer(fusion="concat", weights=weights).fit(X, structure)
    plain = OTFusionTransformer(fusion="mean").fit(X, structure)
    moved = [(X[n] - X[n].mean(axis=0)) / X[n].std(axis=0) @ plain.transport_maps_[n] for n in X]
    out = fuse.transform(X)
    np.testing.assert_allclose(out[:, [0, 1, 4, 5]], 1.5 * moved[0])
    np.testing.assert_allclose(out[:, [2, 3, 6, 7]], 0.5 * moved[1])
    single = OTFusionTransformer(fusion="concat").fit(text, structure)
    np.testing.assert_allclose(single.transform(text), moved[0])


def test_entropic_regularisation_spreads_the_plans(small):
    exact, entropic = fit(small), fit(small, reg=1.0)
    for name in small.modalities:
        assert (entropic.transport_plans_[name] > 1e-9).sum() > 1.5 * (exact.transport_plans_[name] > 1e-9).sum()
        assert entropic.wasserstein_distances_[name] > exact.wasserstein_distances_[name]


def test_modality_that_meets_no_structure_is_left_out(small):
    X = MultimodalTriples(small.labels, {"text": np.full((30, 4), np.nan)}, entities=small.entities)
    for alignment in ("transport", "pca", "linear"):
        with pytest.warns(UserWarning, match="no entity has both a training triple and a vector in 'text'"):
            fuse = fit(X, alignment=alignment)
        assert np.isnan(fuse.wasserstein_distances_["text"])
        np.testing.assert_allclose(fuse.embedding_, fuse.structural_embedding_)


def test_triples_without_modalities_are_handed_on(small):
    rows = MultimodalTriples(small.labels[:3])
    assert fit(small).transform(rows) is rows


def test_constant_columns_are_harmless(small):
    text = np.array(small.modalities["text"])
    text[:, 3] = 0.1
    X = MultimodalTriples(small.labels, {"text": text}, entities=small.entities)
    fuse = fit(X)
    assert np.isfinite(fuse.embedding_).all()
    assert np.isfinite(fuse.wasserstein_distances_["text"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(weights={"structure": 1, "text": 1}), "must name exactly the spaces"),
        (dict(weights={"structure": 1, "text": -1, "image": 1}), "must be non-negative"),
        (dict(weights={"structure": 0, "text": 0, "image": 0}), "with a positive sum"),
        (dict(weights={"structure": "1", "text": 1, "image": 1}), "must be numbers"),
        (dict(p=3), "'p' parameter"),
        (dict(alignment="best"), "'alignment' parameter"),
    ],
)
def test_wrong_parameters_are_named(small, parameters, message):
    with pytest.raises(ValueError, match=message):
        fit(small, **parameters)


def test_errors_of_the_matrix_form(rng, small):
    text = rng.standard_normal((10, 3))
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        OTFusionTransformer().fit(text)
    with pytest.raises(ValueError, match="y has 9 rows and X 10"):
        OTFusionTransformer().fit(text, text[:9])
    with pytest.raises(ValueError, match="different or no rows"):
        OTFusionTransformer().fit({"text": text, "image": text[:5]}, text)
    with pytest.raises(ValueError, match="keeps the structure alone"):
        OTFusionTransformer(fusion="none").fit(text, text)
    with pytest.raises(ValueError, match="names are strings other than 'structure'"):
        OTFusionTransformer().fit({"structure": text}, text)
    with pytest.raises(ValueError, match="y has 10 values, expected 176"):
        fit(small, np.ones(10))
    with pytest.raises(ValueError, match="fitted on matrices"):
        OTFusionTransformer().fit(text, text).transform(small)


def test_holes_are_filled_as_those_of_triples(rng, tmp_path):
    matrix, structure = rng.standard_normal((20, 3)), rng.standard_normal((20, 4))
    matrix[2, 1], matrix[7, 1], matrix[5] = np.nan, np.nan, np.nan
    filled = MultimodalTriples([("e0", "r", "e1")], {"m": matrix}, entities=[f"e{i}" for i in range(20)]).modalities[
        "m"
    ]
    fuse, expected = OTFusionTransformer().fit(matrix, structure), OTFusionTransformer().fit(filled, structure)
    assert filled.shape == (20, 4)
    np.testing.assert_array_equal(fuse.embedding_, expected.embedding_)
    np.testing.assert_array_equal(fuse.transform(matrix), expected.transform(filled))
    # A row that comes later, with a hole in a column that had none in the fit: its mean, and nothing tells of it.
    row = np.array([[np.nan, 1.0, 2.0]])
    later = np.array([[np.nanmean(matrix[:, 0]), 1.0, 2.0, 0.0]])
    skotkge.save(fuse, tmp_path / "fuse.skops")
    for fitted in (fuse, skotkge.load(tmp_path / "fuse.skops")):
        np.testing.assert_allclose(fitted.transform(row), expected.transform(later), atol=1e-12)
        assert fitted.transform({"features": row}).shape == (1, 4)
    with pytest.raises(ValueError, match="columns"):
        fuse.transform({"features": later})
    whole = OTFusionTransformer().fit({"a": filled[:, 2:], "b": filled[:, :2]}, structure)
    np.testing.assert_allclose(
        whole.transform({"a": filled[:1, 2:], "b": [[np.nan, 1.0]]}),
        whole.transform({"a": filled[:1, 2:], "b": [[np.nanmean(filled[:, 0]), 1.0]]}),
    )


def test_labels_without_modalities_are_told_from_matrices(small):
    head, relation, tail = small.labels.T
    columns = {"head": head, "relation": relation, "tail": tail}
    for X in (small.labels, small.labels.tolist(), pd.DataFrame(columns), columns):
        with pytest.raises(TypeError, match=f"X is a {type(X).__name__} of labels .* needs a MultimodalTriples"):
            OTFusionTransformer().fit(X)


def test_transform_refuses_other_modalities(small):
    fuse = fit(small)
    other = MultimodalTriples(small.labels, {"text": small.modalities["text"]}, entities=small.entities)
    with pytest.raises(ValueError, match="the fit saw"):
        fuse.transform(other)


def test_clone_keeps_the_parameters():
    fuse = OTFusionTransformer(17, p=1, weights={"structure": 1, "text": 3})
    assert clone(fuse).get_params() == fuse.get_params()


def test_seconds_of_each_plan_are_told(small):
    times = fit(small).plan_times_
    assert list(times) == ["text", "image"]
    assert all(0 < seconds < 60 for seconds in times.values())
    for alignment in ("linear", "pca"):
        assert np.isnan(list(fit(small, alignment=alignment).plan_times_.values())).all()
    assert fit(small, fusion="none").plan_times_ == {}


# Aligner objects
class PlanOfPOT(BaseEstimator):
    """Eq. 1 and 2 written anew, with a factor."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def align(self, modality, structure, random_state):
        both = modality.observed & structure.observed
        cost = ot.dist(modality.rows(both).T, structure.rows(both).T) / both.sum()
        plan = ot.emd([], [], cost)
        return ColumnAlignment(self.factor * plan * plan.shape[1], plan, np.sqrt(np.sum(plan * cost)))


class RandomMap:
    """No estimator: any object with the method will do."""

    def align(self, modality, structure, random_state):
        return ColumnAlignment(random_state.standard_normal((modality.shape[1], structure.shape[1])))


class Returning:
    """An aligner that returns what it is told to."""

    def __init__(self, make):
        self.make = make

    def align(self, modality, structure, random_state):
        return self.make(modality.shape[1], structure.shape[1])


def test_aligner_that_solves_eq_1_equals_the_short_form(small):
    fuse, expected = fit(small, alignment=PlanOfPOT()), fit(small)
    np.testing.assert_allclose(fuse.embedding_, expected.embedding_, atol=1e-6)
    for name in small.modalities:
        np.testing.assert_allclose(fuse.transport_plans_[name], expected.transport_plans_[name], atol=1e-9)
        np.testing.assert_allclose(fuse.wasserstein_distances_[name], expected.wasserstein_distances_[name], rtol=1e-6)
        assert np.isnan(fuse.plan_times_[name])


def test_aligner_draws_from_the_generator_of_the_fit(small):
    first, again = (fit(small, alignment=RandomMap(), fusion="mean") for _ in range(2))
    np.testing.assert_array_equal(first.embedding_, again.embedding_)
    refitted = first.transform(small).fusion.refit(small).fusion
    for name in small.modalities:
        assert not first.transport_plans_[name].any()
        assert np.isnan(first.wasserstein_distances_[name])
        np.testing.assert_array_equal(refitted.maps[name], first.transport_maps_[name])


def test_aligner_gets_scaled_rows_and_masks(small):
    seen = {}

    class Watching:
        def align(self, modality, structure, random_state):
            order = np.arange(modality.shape[0])[::-1]
            seen[modality.shape] = modality.observed, modality.rows(order)[::-1], structure.rows(structure.observed)
            return ColumnAlignment(np.zeros((modality.shape[1], structure.shape[1])))

        def __deepcopy__(self, memo):
            return self

    fuse = fit(small, alignment=Watching())
    for name, matrix in small.modalities.items():
        observed, rows, structure = seen[matrix.shape]
        np.testing.assert_array_equal(observed, small.observed(name))
        np.testing.assert_allclose(rows[observed].std(axis=0), 1)
        assert not rows[~observed].any()
        np.testing.assert_array_equal(structure, fuse.structural_embedding_[fuse.fusion_.structure_observed])


def test_aligner_is_a_nested_parameter(small):
    fuse = OTFusionTransformer(8, alignment=PlanOfPOT(2.0), random_state=0)
    assert "alignment=PlanOfPOT(factor=2.0)" in repr(fuse)
    assert fuse.get_params()["alignment__factor"] == 2.0
    copied = clone(fuse).set_params(alignment__factor=3.0)
    assert (fuse.alignment.factor, copied.alignment.factor) == (2.0, 3.0)
    kge = OTKGEClassifier(max_iter=1, early_stopping=False, random_state=0)
    grid = {"fuse__alignment": ["pca", PlanOfPOT()], "fuse__fusion": ["mean"]}
    grids = [grid, {"fuse__alignment__factor": [0.5, 1.0]}]
    search = GridSearchCV(Pipeline([("fuse", fuse), ("kge", kge)]), grids, cv=2)
    assert np.isfinite(search.fit(small).cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda d_k, d: (np.zeros((d_k, d)), None), TypeError, "returned a tuple; let align return a ColumnAlignment"),
        (lambda d_k, d: ColumnAlignment(np.zeros((d, d_k))), ValueError, "returned a map of shape"),
        (lambda d_k, d: ColumnAlignment(np.full((d_k, d), np.nan)), ValueError, "it has to be finite"),
        (lambda d_k, d: ColumnAlignment(np.zeros((d_k, d)), np.zeros(3)), ValueError, "returned a plan of shape"),
    ],
)
def test_what_an_aligner_returns_is_checked(small, make, error, message):
    with pytest.raises(error, match=message):
        fit(small, alignment=Returning(make))


def test_object_without_the_method_is_no_aligner(small):
    with pytest.raises(ValueError, match="'alignment' parameter"):
        fit(small, alignment=BaseEstimator())


# What is fitted stays as it is
OTHER_VALUES = {
    "n_components": 3,
    "alignment": "linear",
    "p": 1,
    "weights": {"structure": 1},
    "reg": 7.0,
    "structure": "random",
    "standardize": False,
    "screening": False,
    "max_iter": 1,
    "tol": 1.0,
    "random_state": 9,
    "alignment__factor": 5.0,
}


@pytest.mark.parametrize("name", OTFusionTransformer(alignment=PlanOfPOT()).get_params())
@pytest.mark.parametrize("fusion", ["barycenter", "concat"])
def test_set_params_after_fit_changes_no_answer(small, rng, name, fusion):
    text, space = rng.standard_normal((20, 5)), rng.standard_normal((20, 4))
    X, matrices = (fit(*data, alignment=PlanOfPOT(), fusion=fusion) for data in ((small,), (text, space)))
    expected, names = matrices.transform(text), X.get_feature_names_out()
    refitted = X.transform(small).fusion.refit(small[30:]).fusion
    values = OTHER_VALUES | {"fusion": "concat" if fusion == "barycenter" else "mean"}
    for fuse in (X, matrices):
        fuse.set_params(**{name: values[name]})
    np.testing.assert_array_equal(matrices.transform(text), expected)
    assert X.get_feature_names_out().tolist() == names.tolist()
    again = X.transform(small).fusion.refit(small[30:]).fusion
    np.testing.assert_array_equal(again.structure, refitted.structure)
    for modality, column_map in refitted.maps.items():
        np.testing.assert_array_equal(again.maps[modality], column_map)


class Failing(BaseEstimator):
    """A structure or an aligner that raises."""

    def __init__(self, error):
        self.error = error

    def fit(self, X, y=None):
        raise self.error

    def align(self, modality, structure, random_state):
        raise self.error


FAILING_STEPS = {
    "validation of parameters": dict(p=3),
    "weights": dict(weights={"text": 1}),
    "structure": dict(structure=Failing(RuntimeError())),
    "interrupted structure": dict(structure=Failing(KeyboardInterrupt())),
    "alignment": dict(alignment=Failing(RuntimeError())),
    "interrupted alignment": dict(alignment=Failing(KeyboardInterrupt())),
}
STEPS = ["wasserstein_barycenter", "align_columns", "row_weights", "join", "FittedFusion"]


def check_failed_fit(break_step, X, y=None, other=None):
    """A fit that fails leaves an estimator unfitted, and a fitted one as it was."""
    unfitted = OTFusionTransformer(8, random_state=0)
    fitted = clone(unfitted).fit(X, y)
    before = dict(vars(fitted))
    for fuse in (unfitted, fitted):
        break_step(fuse)
        parameters = fuse.get_params(deep=False)
        with pytest.raises((ValueError, RuntimeError, KeyboardInterrupt)):
            fuse.fit(X if other is None else other, y)
        assert fuse.get_params(deep=False) == parameters
    with pytest.raises(NotFittedError):
        unfitted.transform(X)
    learned = {name: value for name, value in before.items() if name.endswith("_")}
    assert {name for name in vars(fitted) if name.endswith("_")} == learned.keys()
    assert all(vars(fitted)[name] is value for name, value in learned.items())
    assert not [name for name in vars(unfitted) if name.endswith("_")]


@pytest.mark.parametrize("parameters", FAILING_STEPS.values(), ids=FAILING_STEPS)
def test_failed_fit_leaves_the_earlier_state_or_none(small, parameters):
    check_failed_fit(lambda fuse: fuse.set_params(**parameters), small)


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
@pytest.mark.parametrize("step", STEPS)
def test_failure_in_any_step_leaves_the_earlier_state_or_none(small, monkeypatch, step, error):
    def fail(*arguments, **keywords):
        raise error

    def break_step(fuse):
        fuse.set_params(fusion="mean" if step == "join" else "barycenter")
        monkeypatch.setattr(f"skotkge._fusion.fitted.{step}", fail)

    check_failed_fit(break_step, small)


def test_failed_fit_on_matrices_leaves_the_earlier_columns(rng):
    text, structure = rng.standard_normal((20, 5)), rng.standard_normal((20, 4))
    fuse = OTFusionTransformer().fit(pd.DataFrame(text, columns=list("abcde")), structure)
    with pytest.raises(ValueError, match="y has 20 rows and X 9"):
        fuse.fit(text[:9, :3], structure)
    assert fuse.n_features_in_ == 5
    assert fuse.feature_names_in_.tolist() == list("abcde")
    assert not hasattr(fuse.fit(text, structure), "feature_names_in_")


@pytest.mark.parametrize("fusion", ["barycenter", "mean", "concat", "none"])
def test_saved_transformer_holds_each_array_once_and_loads_whole(small, tmp_path, fusion):
    fuse = fit(small, fusion=fusion)
    joblib.dump(fuse, tmp_path / "fuse.joblib")
    loaded = joblib.load(tmp_path / "fuse.joblib")
    assert vars(loaded).keys() == vars(fuse).keys()
    np.testing.assert_array_equal(loaded.embedding_, fuse.embedding_)
    assert loaded.structural_embedding_ is loaded.fusion_.structural_space.columns
    assert vars(pickle.loads(pickle.dumps(clone(fuse)))).keys() == vars(clone(fuse)).keys()


# Nothing is computed that nothing uses
class CountingStructure(BaseEstimator):
    """A structure that counts its fits."""

    fits = 0

    def fit(self, X, y=None):
        type(self).fits += 1
        self.entity_embeddings_ = np.random.RandomState(0).standard_normal((X.n_entities, 4))
        return self


def test_refit_on_the_same_rows_learns_no_structure_again(small, monkeypatch):
    monkeypatch.setattr(CountingStructure, "fits", 0)
    y = np.ones(len(small), dtype=int)
    y[:40] = 0
    fusion = fit(small, y, structure=CountingStructure(), alignment="linear").transform(small).fusion
    same, labelled = fusion.refit(small[40:]).fusion, fusion.refit(small, y).fusion
    assert CountingStructure.fits == 1
    for other in (same, labelled, pickle.loads(pickle.dumps(fusion)).refit(small[40:]).fusion):
        np.testing.assert_array_equal(other.structure, fusion.structure)
        np.testing.assert_array_equal(other.maps["text"], fusion.maps["text"])
    fusion.refit(small[41:])
    assert CountingStructure.fits == 2


def test_structure_alone_needs_no_plan(small):
    fuse = fit(small, fusion="none", alignment=Failing(RuntimeError()))
    assert fuse.transform(small).fusion.refit(small[9:]).fusion.maps == {}
    bare = fit(MultimodalTriples(small.labels))
    np.testing.assert_array_equal(bare.embedding_, bare.structural_embedding_)
    assert bare.n_iter_ == 0


def test_refit_takes_the_modalities_of_the_fit(small):
    more = {"sound": np.ones((30, 2)), **small.modalities}
    X = MultimodalTriples(small.labels, more, entities=small.entities, relations=small.relations)
    fused = fit(small).transform(X)
    assert list(fused.fusion.refit(X[20:]).fusion.maps) == ["text", "image"]
    less = MultimodalTriples(small.labels, entities=small.entities, relations=small.relations)
    with pytest.raises(ValueError, match="the fit saw"):
        fused.fusion.refit(less)


def test_fusion_package_imports_no_torch():
    program = (
        "import sys, types; package = types.ModuleType('skotkge'); package.__path__ = [sys.argv[1]];"
        "sys.modules['skotkge'] = package; import skotkge._fusion.transformer;"
        "print(sorted({'ot', 'torch'} & {*sys.modules}))"
    )
    command = [sys.executable, "-c", program, str(Path(skotkge.__file__).parent)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
