"""Structural embeddings from triples."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge._fusion.structure import observed_in, relational_adjacency, spectral_structure


def test_adjacency_is_normalised_by_both_degrees(small):
    ids = small.ids
    adjacency = relational_adjacency(ids, 30, 3).toarray()
    values = np.linalg.svd(adjacency, compute_uv=False)
    np.testing.assert_allclose(values[0], 1)
    degree = np.bincount(ids[:, [0, 2]].ravel(), minlength=30)
    left = np.sqrt(degree) / np.linalg.norm(np.sqrt(degree))
    np.testing.assert_allclose(np.linalg.norm(left @ adjacency), 1)
    assert (adjacency > 0).sum() == 2 * len(ids)


def test_duplicate_triples_change_nothing(small):
    twice = np.concatenate([small.ids, small.ids[:7]])
    assert (relational_adjacency(twice, 30, 3) != relational_adjacency(small.ids, 30, 3)).nnz == 0


def test_spectral_structure_captures_as_much_as_the_leading_singular_vectors(small):
    space = spectral_structure(small.ids, 30, 3, 5, np.random.RandomState(0))
    adjacency = relational_adjacency(small.ids, 30, 3).toarray()
    values = np.linalg.svd(adjacency, compute_uv=False)
    np.testing.assert_allclose(space.T @ space, np.eye(5), atol=1e-10)
    assert np.linalg.norm(space.T @ adjacency) > 0.99 * np.linalg.norm(values[:5])


def test_columns_beyond_the_rank_are_filled_with_noise(small):
    space = spectral_structure(small.ids, 30, 3, 64, np.random.RandomState(0))
    assert space.shape == (30, 64)
    assert (space.std(axis=0) > 0).all()


def test_entities_without_a_triple_have_no_structural_row(small):
    kept = small[(small.ids[:, [0, 2]] != 4).all(axis=1)]
    fuse = OTFusionTransformer(n_components=8, random_state=0).fit(kept)
    assert not observed_in(kept.ids, 30)[4]
    np.testing.assert_array_equal(fuse.structural_embedding_[4], 0)
    assert np.abs(fuse.embedding_[4]).sum() > 0


class Degrees(BaseEstimator):
    """A structural model whose rows come in reverse order."""

    def __init__(self, width=2):
        self.width = width

    def fit(self, X, y=None):
        degree = np.bincount(X.ids[:, [0, 2]].ravel(), minlength=X.n_entities).astype(float)
        self.entities_ = X.entities[::-1]
        self.entity_embeddings_ = np.repeat(degree[::-1, None], self.width, axis=1)
        return self


def test_structure_from_an_estimator_is_matched_by_label(small):
    fuse = OTFusionTransformer(n_components=2, structure=Degrees(), standardize=False, fusion="none").fit(small)
    degree = np.bincount(small.ids[:, [0, 2]].ravel(), minlength=30)
    np.testing.assert_array_equal(fuse.structural_embedding_, np.column_stack([degree, degree]))


def test_structure_from_a_classifier_follows_the_seed(small):
    structure = OTKGEClassifier(embedding_dim=4, max_iter=2)
    first, second = (
        OTFusionTransformer(6, structure=structure, random_state=0).fit(small).embedding_ for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_structure_wider_than_the_fusion_is_an_error(small):
    with pytest.raises(ValueError, match="gives 9 dimensions, more than n_components=4; set n_components=9"):
        OTFusionTransformer(n_components=4, structure=Degrees(9)).fit(small)
