"""Regressions from vectors to vectors: what they recover, what they leave out, how they go on with new entities."""

import numpy as np
import pytest
import torch

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge._evidence.mixture import Mixture
from skotkge._evidence.relation_maps import (
    SCALE,
    RelationMapScores,
    fit_all_relation_maps,
    fit_relation_maps,
    unit_rows,
    whitening,
)
from skotkge._evidence.unseen import UnseenEntities
from skotkge._spaces import EvidenceId


@pytest.fixture
def rotated(rng):
    """Entities 0-39 and, turned by a rotation that is the relation, 40-79; the first 30 pairs are triples."""
    rows = rng.standard_normal((40, 5))
    rotation = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    ids = np.column_stack([np.arange(30), np.zeros(30, dtype=int), np.arange(40, 70)])
    return {"text": np.concatenate([rows, rows @ rotation])}, ids


def test_a_linear_relation_is_recovered_for_new_pairs(rotated):
    features, ids = rotated
    scores = Mixture([RelationMapScores(fit_relation_maps(features, ids, 1, 5), "cpu")])
    heads, tails = np.arange(30, 40), np.arange(70, 80)
    assert scores.scores(slice(None), heads, np.zeros(10, dtype=int)).argmax(1).tolist() == tails.tolist()
    assert scores.scores(slice(None), tails, np.ones(10, dtype=int)).argmax(1).tolist() == heads.tolist()


def test_scores_are_scaled_products_of_mapped_rows_and_unit_rows(rotated):
    features, ids = rotated
    maps = fit_relation_maps(features, ids, 1, 3)
    scores = RelationMapScores(maps, "cpu")
    query = scores.queries(torch.tensor([2, 5]), torch.tensor([0, 1]))
    for row, (source, relation) in enumerate([(2, 0), (5, 1)]):
        mapped = maps.sources[source] @ maps.coefficients[relation] + maps.intercepts[relation]
        np.testing.assert_allclose(
            scores.pair_scores(query, torch.tensor([7, 7]))[row],
            SCALE * mapped @ unit_rows(maps.sources)[7],
            rtol=1e-5,
        )


def test_whitened_columns_are_uncorrelated_of_equal_variance(rng):
    features = {"text": rng.standard_normal((50, 4)), "image": rng.standard_normal((50, 6))}
    projections = whitening(features, 7)
    rows = sum(features[name] @ projections[name] for name in features)
    np.testing.assert_allclose(rows.T @ rows / 50, np.eye(7) / 7, atol=1e-10)


def test_wide_columns_of_few_entities_are_whitened_to_the_same_inner_products(rng):
    features = {"text": rng.standard_normal((20, 60)).astype(np.float32), "image": rng.standard_normal((20, 30))}
    features["text"][3] = 0
    joined = np.hstack([matrix / np.sqrt(matrix.shape[1]) for matrix in features.values()])
    values, axes = np.linalg.eigh(joined.T @ joined)
    for n_components in (7, 100):
        kept = min(n_components, 20)
        expected = joined @ axes[:, -kept:] * np.sqrt(20 / (kept * values[-kept:]))
        projections = whitening(features, n_components)
        rows = sum(features[name] @ projections[name] for name in features)
        np.testing.assert_allclose(rows @ rows.T, expected @ expected.T, atol=1e-5)


def test_missing_vectors_and_relations_with_few_triples_teach_nothing(rotated):
    features, ids = rotated
    few = np.array([[0, 1, 41], [1, 1, 42]])
    maps = fit_relation_maps(features, np.concatenate([ids, few]), 2, 5)
    assert maps.slot.tolist() == [0, -1, 1, -1]
    scores = RelationMapScores(maps, "cpu")
    assert not scores.queries(torch.tensor([0]), torch.tensor([1])).any()
    gone = features["text"].copy()
    gone[[3, 45]] = 0
    left = ~np.isin(ids[:, [0, 2]], [3, 45]).any(axis=1)
    with_all, without = (fit_relation_maps({"text": gone}, rows, 1, 5) for rows in (ids, ids[left]))
    np.testing.assert_array_equal(with_all.coefficients, without.coefficients)


def test_more_entities_go_on_from_the_same_maps(rotated):
    features, ids = rotated
    maps = fit_relation_maps({"text": features["text"][:75]}, ids, 1, 5)
    extended = maps.extended(UnseenEntities(None, {"text": features["text"][75:]}, {"text": np.ones(5, dtype=bool)}))
    assert extended.sources.shape == (80, 5)
    np.testing.assert_allclose(extended.sources[75:], features["text"][75:] @ maps.projections["text"], rtol=1e-5)


def test_each_modality_has_maps_and_all_together_do(rng):
    features = {"text": rng.standard_normal((20, 3)), "image": rng.standard_normal((20, 2))}
    ids = rng.randint([20, 1, 20], size=(30, 3))
    fitted = fit_all_relation_maps(features, ids, 1, 4)
    assert [maps.id for maps in fitted] == [
        EvidenceId("relation_maps", "text"),
        EvidenceId("relation_maps", "image"),
        EvidenceId("relation_maps"),
    ]
    assert [str(maps.id) for maps in fitted] == ["relation_maps of text", "relation_maps of image", "relation_maps"]
    (alone,) = fit_all_relation_maps({"text": features["text"]}, ids, 1, 4)
    assert alone.id == EvidenceId("relation_maps", "text")


@pytest.mark.parametrize(
    ("evidence", "names"),
    [
        ("fused", ["fused"]),
        (("structure", "modalities"), ["structure", "text", "image"]),
        ("embeddings", ["structure", "text", "image", "fused"]),
        (
            ("structure", "modalities", "relation_maps"),
            ["structure", "text", "image", "relation_maps of text", "relation_maps of image", "relation_maps"],
        ),
    ],
)
def test_the_spaces_of_a_classifier(small, evidence, names):
    fused = OTFusionTransformer(6, random_state=0).fit_transform(small)
    kge = OTKGEClassifier(max_iter=2, evidence=evidence, random_state=0).fit(fused)
    assert kge.evidence_names_ == names
    assert kge.evidence_weights_.shape == (len(names), 2, 3)
    trained = [name for name in names if "relation_maps" not in name]
    assert list(kge.space_embeddings_) == list(kge.space_training_) == trained
    assert kge.entity_embeddings_.shape == (30, 6 * len(trained))
    assert kge.relation_embeddings_.shape == (6, 6 * len(trained))
