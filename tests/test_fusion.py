"""OTFusionTransformer in both forms."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skotkge import MultimodalTriples, OTFusionTransformer


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
    spaces = fusion.spaces(small)["fused"]
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
    broken = text.copy()
    broken[2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN in some columns of row 2"):
        OTFusionTransformer().fit(broken, text)
    with pytest.raises(ValueError, match="fitted on matrices"):
        OTFusionTransformer().fit(text, text).transform(small)


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
