"""The main job on real data, at a small size."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

from skotkge import OTFusionTransformer, OTKGEClassifier


@pytest.fixture(scope="module")
def otkge(emoji):
    pipe = Pipeline(
        [
            ("fuse", OTFusionTransformer(64, random_state=0)),
            ("kge", OTKGEClassifier(max_iter=6, random_state=0)),
        ]
    )
    return pipe.fit(emoji.train, kge__X_val=emoji.valid)


def test_modalities_help(emoji, otkge):
    alone = OTKGEClassifier(embedding_dim=64, max_iter=6, random_state=0).fit(emoji.train.labels, X_val=emoji.valid)
    structure, fused = alone.score(emoji.test), otkge.score(emoji.test)
    assert structure > 0.2
    assert fused > structure + 0.05


def test_plans_see_a_real_signal(emoji, otkge):
    """Columns lie nearer to the structure than those of shuffled rows; 2 would be the squared W_2 of independence."""
    distances = otkge["fuse"].wasserstein_distances_
    structure, rng = otkge["fuse"].structural_embedding_, np.random.RandomState(0)
    for name, matrix in emoji.train.modalities.items():
        shuffled = OTFusionTransformer().fit(rng.permutation(matrix.astype(float)), structure)
        assert distances[name] ** 2 < shuffled.wasserstein_distances_["features"] ** 2 - 0.01 < 2


def test_probabilities_separate_true_triples_from_random_ones(emoji, otkge):
    random = emoji.test.labels.copy()
    random[:, 2] = np.random.RandomState(0).permutation(random[:, 2])
    X = emoji.test.with_triples(np.concatenate([emoji.test.labels, random]))
    assert otkge.score(X, np.repeat([1, 0], len(random))) > 0.75


def test_every_test_entity_without_its_triples_is_still_ranked_above_chance(emoji):
    """Fold of a plain KFold: some entities lose all their triples and are placed by text and image."""
    train, test = next(KFold(3).split(emoji.train))
    pipe = Pipeline([("fuse", OTFusionTransformer(64)), ("kge", OTKGEClassifier(max_iter=4, random_state=0))])
    with pytest.warns(UserWarning, match="have no training triple"):
        pipe.fit(emoji.train[train])
    lost = np.setdiff1d(emoji.train.ids[:, [0, 2]], emoji.train.ids[train][:, [0, 2]])
    rows = test[np.isin(emoji.train.ids[test][:, 0], lost)]
    assert len(rows) > 10
    ranks = pipe["kge"].rank(emoji.train[rows])
    assert np.median(ranks[:, 0]) < emoji.train.n_entities / 4


@pytest.mark.filterwarnings("ignore:.*have no training triple:UserWarning")
def test_grid_search_in_workers(emoji, n_workers):
    pipe = Pipeline(
        [
            ("fuse", OTFusionTransformer(32, random_state=0)),
            ("kge", OTKGEClassifier(max_iter=2, early_stopping=False, validation_fraction=0, random_state=0)),
        ]
    )
    grid = {"fuse__p": [1, 2], "kge__learning_rate": [0.05, 0.1]}
    search = GridSearchCV(pipe, grid, cv=2, n_jobs=n_workers).fit(emoji.train)
    assert (search.cv_results_["mean_test_score"] > 0.05).all()
    assert search.best_estimator_.score(emoji.test) > 0.1
