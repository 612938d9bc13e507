"""What scikit-learn's tools expect of the matcher and of the pairs."""

import io
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.utils import estimator_checks

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher

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
def pairs():
    rng = np.random.RandomState(1)
    ids = np.unique(rng.randint([40, 3, 40], size=(250, 3)), axis=0)
    sides = [
        MultimodalTriples(
            [(f"{side}{head}", f"r{relation}", f"{side}{tail}") for head, relation, tail in ids],
            entities=[f"{side}{number}" for number in range(40)],
        )
        for side in "xy"
    ]
    return EntityPairs([(f"x{number}", f"y{number}") for number in rng.permutation(40)], *sides)


@pytest.fixture(scope="module")
def fitted(pairs):
    return matcher().fit(pairs[:20])


def matcher(**parameters):
    return OTEntityMatcher(**dict(views=["structure"], n_rounds=2, random_state=0) | parameters)


@pytest.mark.parametrize("name", DATA_FREE_CHECKS)
def test_data_free_checks(name):
    getattr(estimator_checks, name)("OTEntityMatcher", OTEntityMatcher())


def test_unfitted_says_so(pairs):
    for ask in ("rank", "score", "match_proba", "evaluate"):
        with pytest.raises(NotFittedError):
            getattr(OTEntityMatcher(), ask)(pairs)
    with pytest.raises(NotFittedError):
        OTEntityMatcher().predict(["x0"])


def test_fitting_twice_and_cloning_give_the_same(pairs, fitted):
    again = clone(fitted).fit(pairs[:20])
    assert again.matches_ == fitted.matches_
    np.testing.assert_array_equal(again.rank(pairs), fitted.rank(pairs))


def test_parameters_set_after_fit_change_no_answer(pairs):
    model = matcher().fit(pairs[:20])
    before = model.evaluate(pairs[20:], "pairs"), model.match_proba(pairs).tolist(), model.predict(pairs).tolist()
    model.set_params(solver="exact", reg=3.0, n_hops=1, n_rounds=1, views="auto", n_candidates=1)
    assert before == (
        model.evaluate(pairs[20:], "pairs"),
        model.match_proba(pairs).tolist(),
        model.predict(pairs).tolist(),
    )


def test_a_failed_fit_leaves_the_earlier_state(pairs):
    model = matcher().fit(pairs[:20])
    before = model.predict(pairs).tolist()
    with pytest.raises(ValueError, match="'image'"):
        model.set_params(views=["image"]).fit(pairs)
    assert model.predict(pairs).tolist() == before


def test_folds_searches_and_workers(pairs, n_workers):
    scores = cross_val_score(matcher(), pairs, cv=KFold(2), n_jobs=n_workers)
    assert scores.shape == (2,)
    search = GridSearchCV(matcher(), {"n_hops": [1, 2]}, cv=2).fit(pairs)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_pickles_without_the_graphs(pairs, fitted):
    file = io.BytesIO()
    joblib.dump(fitted, file)
    file.seek(0)
    loaded = joblib.load(file)
    np.testing.assert_array_equal(loaded.rank(pairs), fitted.rank(pairs))
    assert b"MultimodalTriples" not in pickle.dumps(fitted)


def test_plan_and_answers_agree(pairs, fitted):
    plan = fitted.plan_
    assert plan.shape == (40, 40)
    assert plan.sum(axis=0).max() < 1.01
    assert plan.sum(axis=1).max() < 1.01
    probabilities = fitted.match_proba(pairs)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    np.testing.assert_array_equal(probabilities[:20], 1)
    np.testing.assert_array_equal(fitted.rank(pairs[:20]), 1)
    told = {first: second for first, second, _ in fitted.matches_}
    assert [told.get(label) for label in pairs.labels[:, 0]] == fitted.predict(pairs).tolist()
    assert fitted.score(pairs[20:]) == np.mean(fitted.rank(pairs[20:]) <= 1) == fitted.evaluate(pairs[20:])["hits@1"]


def test_pairs_slice_like_arrays(pairs):
    assert pairs.shape == (40, 2)
    mask = np.arange(40) < 3
    for rows in (slice(3), [0, 1, 2], mask, np.arange(3)):
        np.testing.assert_array_equal(pairs[rows].ids, pairs.ids[:3])
        assert pairs[rows].X is pairs.X
    np.testing.assert_array_equal(pairs[[0, 1], ...].labels, np.asarray(pairs)[:2])
    assert len(EntityPairs([], pairs.X, pairs.Y)) == 0
    with pytest.raises(TypeError, match="only rows"):
        pairs[:, 0]
    with pytest.raises(IndexError, match="mask of rows"):
        pairs[np.zeros((2, 2), dtype=int)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([("x0", "nobody")], "'nobody'.*leave them out"),
        ([("x0",)], r"row \('x0',\) at position 0"),
        (np.zeros((2, 3)), r"shape \(2, 3\)"),
        ("x0", "is a str"),
    ],
)
def test_wrong_pairs_are_named(pairs, given, message):
    with pytest.raises((ValueError, TypeError), match=message):
        EntityPairs(given, pairs.X, pairs.Y)


def test_wrong_fits_are_named(pairs):
    with pytest.raises(TypeError, match="carries the two graphs"):
        matcher().fit([("x0", "y0")])
    with pytest.raises(ValueError, match="'x0' of X in 2 rows"):
        matcher().fit(EntityPairs([("x0", "y0"), ("x0", "y1")], pairs.X, pairs.Y))
    with pytest.raises(ValueError, match="pairs is empty"):
        matcher().fit(pairs[:0])
    with pytest.raises(TypeError, match="Y is a list"):
        EntityPairs([], pairs.X, [1])


def test_wrong_questions_are_named(pairs, fitted):
    with pytest.raises(ValueError, match="'nobody'"):
        fitted.predict(["nobody"])
    with pytest.raises(ValueError, match=r"'some'.*'all' or 'pairs'"):
        fitted.evaluate(pairs, "some")
