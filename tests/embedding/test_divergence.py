"""Training that diverges keeps the best epoch before and says what to lower; values that spoil a fit are named."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

import skotkge
from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._embedding import trainer

SETTINGS = [
    {},
    {"early_stopping": False},
    {"optimizer": "adam"},
    {"score_function": "transe"},
    {"score_function": "rotate", "objective": Logistic(n_negatives=4)},
    {"objective": Logistic(n_negatives=4)},
    {"objective": CrossEntropy(n_sampled=10)},
]


def quick(**parameters):
    given = dict(embedding_dim=8, max_iter=4, device="cpu", random_state=0)
    return OTKGEClassifier(**given | parameters)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
@pytest.mark.parametrize("learning_rate", [1e6, 1e10])
def test_divergence_is_told_with_the_learning_rate(small, setting, learning_rate):
    kge = quick(learning_rate=learning_rate, **setting)
    with pytest.warns(ConvergenceWarning, match=rf"diverged.*epoch \d+ is kept.*learning_rate={learning_rate!r}"):
        kge.fit(small.labels)
    assert np.isfinite(kge.entity_embeddings_).all()


def rising(monkeypatch, at, value):
    """Let the loss of one epoch be another value, and spoil its tables."""
    run_epoch, epochs = trainer.run_epoch, []

    def spoiled(loss, optimizers):
        mean, start = run_epoch(loss, optimizers)
        epochs.append(mean)
        if len(epochs) == at:
            loss.model.relations.data += value
            return value, start
        return mean, start

    monkeypatch.setattr(trainer, "run_epoch", spoiled)


@pytest.mark.parametrize("early_stopping", [True, False])
@pytest.mark.parametrize("value", [1e9, np.inf, np.nan])
def test_the_best_epoch_before_is_kept(small, monkeypatch, early_stopping, value):
    expected = quick(max_iter=2, early_stopping=early_stopping, validation_fraction=0).fit(small.labels)
    rising(monkeypatch, 3, value)
    kge = quick(early_stopping=early_stopping, validation_fraction=0)
    with pytest.warns(ConvergenceWarning, match=r"in epoch 3 the loss is .* at the start; epoch 2 is kept"):
        kge.fit(small.labels)
    np.testing.assert_array_equal(kge.entity_embeddings_, expected.entity_embeddings_)
    assert (kge.n_iter_, kge.best_iter_) == (3, 2)


def test_usual_learning_rates_do_not_diverge(small):
    for learning_rate in (1e-3, 0.1, 0.5):
        quick(learning_rate=learning_rate).fit(small.labels)


def test_continuing_from_a_good_fit_does_not_count_as_divergence(small):
    kge = quick(max_iter=60, early_stopping=False, warm_start=True, regularization=0).fit(small.labels)
    kge.set_params(max_iter=3).fit(small.labels)
    assert kge.n_iter_ == 3


def test_tables_with_nan_are_not_blamed_on_training(small):
    kge = quick(warm_start=True).fit(small.labels)
    kge.predictor_.evidence[0].parameters["relations"][0, 0] = np.nan
    with pytest.raises(ValueError, match=r"table 'relations' to continue from has NaN.*load another copy"):
        kge.fit(small.labels)


def ones(shape, row):
    out = np.random.RandomState(0).standard_normal(shape)
    out[row] *= 1e8
    return out


WORTHLESS = {
    "zeros": (np.zeros((30, 4)), "all its vectors are equal"),
    "constants": (np.full((30, 4), 7.5), "all its vectors are equal"),
    "tiny": (1e-200 * np.random.RandomState(0).standard_normal((30, 4)), "all its vectors are equal"),
    "one row": (ones((30, 4), 5), "row 5 is so large"),
    "integers": (np.ones((30, 4), dtype=np.int8), "all its vectors are equal"),
}


@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("name", WORTHLESS)
def test_a_modality_that_carries_nothing_counts_as_missing(small, name, standardize):
    matrix, fault = WORTHLESS[name]
    X = MultimodalTriples(small.labels, {"image": small.modalities["image"], "text": matrix}, entities=small.entities)
    without = MultimodalTriples(small.labels, {"image": small.modalities["image"]}, entities=small.entities)
    fuse = OTFusionTransformer(4, standardize=standardize, random_state=0)
    with pytest.warns(UserWarning, match=f"the modality 'text' tells no entities apart: {fault}"):
        fuse.fit(X)
    assert fuse.modality_names_ == ["image"]
    np.testing.assert_array_equal(fuse.embedding_, OTFusionTransformer(**fuse.get_params()).fit(without).embedding_)
    kge = quick(embedding_dim=None).fit(fuse.transform(X))
    assert not any("text" in kind for kind in kge.evidence_names_)
    with pytest.warns(UserWarning, match="'text' tells"):
        fuse.set_params(weights={"structure": 1, "image": 1, "text": 2}).fit(X)
    assert fuse.weights_ == {"structure": 0.5, "image": 0.5}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_modality_that_repeats_another_counts_as_missing(small, dtype):
    image = small.modalities["image"].copy()
    image[:5] = np.nan
    once = MultimodalTriples(small.labels, {"image": image}, entities=small.entities)
    again = MultimodalTriples(small.labels, {"image": image, "again": image.astype(dtype)}, entities=small.entities)
    fuse = OTFusionTransformer(4, random_state=0)
    with pytest.warns(UserWarning, match="the modality 'again' repeats 'image': all its vectors are the same"):
        fuse.fit(again)
    assert fuse.modality_names_ == ["image"]
    np.testing.assert_array_equal(fuse.embedding_, OTFusionTransformer(**fuse.get_params()).fit(once).embedding_)


def test_modalities_of_which_one_has_more_are_kept(small):
    image = small.modalities["image"]
    fewer, other = image.copy(), image.copy()
    fewer[:5] = np.nan
    other[small.observed("image").argmax(), -1] += 1e-6
    modalities = {"image": image, "fewer": fewer, "other": other, "none": np.full_like(image, np.nan)}
    X = MultimodalTriples(small.labels, modalities | {"none too": modalities["none"]}, entities=small.entities)
    fuse = OTFusionTransformer(4, random_state=0)
    with pytest.warns(UserWarning, match="a vector in 'none', 'none too'"):
        fuse.fit(X)
    assert fuse.modality_names_[:3] == ["image", "fewer", "other"]


def test_matrices_that_carry_nothing_are_an_error():
    with (
        pytest.warns(UserWarning, match="'features' tells no entities apart"),
        pytest.raises(ValueError, match="no modality that tells entities apart"),
    ):
        OTFusionTransformer().fit(np.zeros((20, 3)), np.random.RandomState(0).standard_normal((20, 2)))


def test_sparse_indicators_and_few_rows_are_kept(small):
    indicators = np.eye(30)[:, :12]
    few = np.full((30, 3), np.nan)
    few[:2] = [[1.0, 2.0, 3.0], [3.0, 2.0, 0.0]]
    X = MultimodalTriples(small.labels, {"text": indicators, "image": few}, entities=small.entities)
    assert OTFusionTransformer(4, random_state=0).fit(X).modality_names_ == ["text", "image"]


def test_values_whose_squares_are_infinite_are_named(small):
    text = small.modalities["text"].copy()
    text[3, 2] = -1e300
    with pytest.raises(ValueError, match=r"modalities\['text'\] has the value -1e\+300 in row 3"):
        MultimodalTriples(small.labels, {"text": text}, entities=small.entities)
    with pytest.raises(ValueError, match=r"X\['features'\] has the value -1e\+300 in row 3"):
        OTFusionTransformer().fit(text, text)


def test_large_values_that_can_be_squared_are_scaled_as_others(small):
    text = small.modalities["text"]
    large, usual = (
        OTFusionTransformer(4, random_state=0).fit(
            skotkge.MultimodalTriples(small.labels, {"text": factor * text}, entities=small.entities)
        )
        for factor in (1e100, 1.0)
    )
    np.testing.assert_allclose(large.embedding_, usual.embedding_, atol=1e-6)
