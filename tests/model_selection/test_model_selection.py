"""Guarantees of the splits of triples, on random graphs and on data sets, and their use in scikit-learn's searches."""

import pickle

import numpy as np
import pandas as pd
import pytest
from helpers import DATA_HOME
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, check_cv, cross_val_score
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_hanzi, load_wn9img
from skotkge.model_selection import TransductiveKFold, transductive_train_test_split

LOADERS = {"hanzi": load_hanzi, "wn9img": load_wn9img}

graphs = st.builds(
    lambda seed, n_rows, n_entities, n_relations: np.random.RandomState(seed).randint(
        [n_entities, n_relations, n_entities], size=(n_rows, 3)
    ),
    st.integers(0, 10_000),
    st.integers(12, 120),
    st.integers(3, 40),
    st.integers(1, 5),
)


@pytest.fixture(scope="module", params=["emoji", "hanzi", "wn9img"])
def real(request, emoji):
    if request.param == "emoji":
        return emoji.train
    if not (DATA_HOME / request.param).is_dir():
        pytest.skip(f"no folder {request.param} in the data folder")
    return LOADERS[request.param](DATA_HOME).train


def places(ids):
    """Entities and relations, as different integers."""
    return set((2 * ids[:, [0, 2]]).ravel().tolist()) | set((2 * ids[:, 1] + 1).tolist())


def unit_of(triple, keep_pairs):
    head, relation, tail = triple
    return (min(head, tail), max(head, tail)) if keep_pairs else (head, relation, tail)


def rows_never_to_test(ids, keep_pairs, true):
    """Rows that share the only unit with true triples of an entity or relation, or have a place without one."""
    units = [unit_of(triple, keep_pairs) for triple in ids.tolist()]
    units_of = {}
    for triple, unit, is_true in zip(ids, units, true, strict=True):
        for place in places(triple[None]):
            units_of.setdefault(place, set()).update([unit] if is_true else [])
    last = {next(iter(of_place)) for of_place in units_of.values() if len(of_place) == 1}
    last |= {
        unit
        for triple, unit in zip(ids, units, strict=True)
        if any(not units_of[place] for place in places(triple[None]))
    }
    return [row for row, unit in enumerate(units) if unit in last]


def folds_or_none(splitter, X, y=None):
    """Return the folds as a list, None for a graph too sparse for so many."""
    try:
        return list(splitter.split(X, y))
    except ValueError as error:
        assert "add triples" in str(error)  # noqa: PT017
        return None


def assert_transductive(ids, train, test, keep_pairs, true=None):
    true = np.ones(len(ids), bool) if true is None else true
    assert sorted([*train, *test]) == list(range(len(ids)))
    assert len(test)
    assert (np.diff(train) > 0).all()
    assert (np.diff(test) > 0).all()
    assert places(ids[test]) <= places(ids[train][true[train]])
    units = [{unit_of(triple, keep_pairs) for triple in ids[part].tolist()} for part in (train, test)]
    assert not units[0] & units[1]


@settings(max_examples=150, deadline=None)
@given(graphs, st.integers(2, 4), st.booleans(), st.booleans(), st.integers(0, 100))
def test_folds_are_disjoint_and_transductive(ids, n_splits, keep_pairs, shuffle, seed):
    splitter = TransductiveKFold(
        n_splits, keep_pairs=keep_pairs, shuffle=shuffle, random_state=seed if shuffle else None
    )
    folds = folds_or_none(splitter, ids)
    if folds is None:
        return
    assert len(folds) == n_splits == splitter.get_n_splits()
    for train, test in folds:
        assert_transductive(ids, train, test, keep_pairs)
    tested = np.concatenate([test for _, test in folds])
    assert len(np.unique(tested)) == len(tested)
    never = rows_never_to_test(ids, keep_pairs, np.ones(len(ids), bool))
    assert not np.isin(never, tested).any()
    if n_splits > 2:  # with two folds an odd cycle of entities with two triples each has to give one of them up
        assert len(tested) + len(never) == len(ids)


@settings(max_examples=60, deadline=None)
@given(graphs, st.booleans(), st.integers(0, 100))
def test_known_negatives_are_no_training_occurrences(ids, keep_pairs, seed):
    y = np.random.RandomState(seed).randint(2, size=len(ids))
    y[0] = 1
    folds = folds_or_none(TransductiveKFold(3, keep_pairs=keep_pairs, random_state=seed), ids, y)
    if folds is None:
        return
    for train, test in folds:
        assert_transductive(ids, train, test, keep_pairs, y == 1)
    tested = np.concatenate([test for _, test in folds])
    assert len(tested) + len(rows_never_to_test(ids, keep_pairs, y == 1)) == len(ids)


@settings(max_examples=100, deadline=None)
@given(graphs, st.floats(0.05, 0.95), st.booleans(), st.booleans(), st.integers(0, 100))
@pytest.mark.filterwarnings("ignore:test_size=.* asks for")
def test_train_test_split_is_transductive(ids, test_size, keep_pairs, with_y, seed):
    y = np.random.RandomState(seed).randint(2, size=len(ids)) if with_y else np.ones(len(ids), int)
    y[0] = 1
    frame = pd.DataFrame(ids, columns=["head", "relation", "tail"]).assign(row=range(len(ids)))
    options = dict(test_size=test_size, keep_pairs=keep_pairs, random_state=seed)
    try:
        train, test, y_train, y_test = transductive_train_test_split(frame, y, **options)
    except ValueError as error:
        assert "add triples" in str(error) or "leaves none" in str(error)  # noqa: PT017
        return
    train, test = train["row"].to_numpy(), test["row"].to_numpy()
    assert len(test) <= np.ceil(test_size * len(ids))
    np.testing.assert_array_equal(y[train], y_train)
    np.testing.assert_array_equal(y[test], y_test)
    assert_transductive(ids, train, test, keep_pairs, y == 1)


@pytest.mark.parametrize("keep_pairs", [False, True])
@pytest.mark.parametrize("n_splits", [2, 5])
def test_folds_of_data_sets_are_stratified_and_test_all_rows_that_can_be(real, n_splits, keep_pairs):
    folds = list(TransductiveKFold(n_splits, keep_pairs=keep_pairs, random_state=0).split(real))
    for train, test in folds:
        assert_transductive(real.ids, train, test, keep_pairs)
    never = rows_never_to_test(real.ids, keep_pairs, np.ones(len(real), bool))
    assert sum(len(test) for _, test in folds) + len(never) == len(real)
    counts = np.array([np.bincount(real.ids[test, 1], minlength=len(real.relations)) for _, test in folds])
    # Pairs have several relations, so that keeping them leaves more to chance, but less than independent draws.
    bound = 2 + np.sqrt(counts.mean(axis=0)) if keep_pairs else 2
    assert (np.ptp(counts, axis=0) <= bound).all()


@pytest.mark.parametrize("test_size", [0.1, 0.3, 300])
def test_split_of_data_sets_has_the_size_asked_for_and_each_relation_s_share(real, test_size):
    X_train, X_test = transductive_train_test_split(real, test_size=test_size, random_state=0)
    n_test = test_size if isinstance(test_size, int) else np.ceil(test_size * len(real))
    assert len(X_test) == n_test
    assert X_train.entities is X_test.entities is real.entities
    assert places(X_test.ids) <= places(X_train.ids)
    counts, expected = (np.bincount(part.ids[:, 1], minlength=len(real.relations)) for part in (X_test, real))
    np.testing.assert_allclose(counts, expected * n_test / len(real), atol=2.5)


def test_split_of_dense_graphs_is_stratified_by_relation_and_y(rng):
    ids = rng.randint([15, 4, 15], size=(1000, 3))
    y = rng.randint(2, size=1000)
    kinds = 2 * ids[:, 1] + y
    for _, test in TransductiveKFold(4, random_state=0).split(ids, y):
        _, sizes = np.unique(ids, axis=0, return_counts=True)
        bound = 1 + np.sum(sizes - 1)  # duplicates are dealt as one
        np.testing.assert_allclose(np.bincount(kinds[test]), np.bincount(kinds) / 4, atol=bound)


def test_equal_triples_stay_together():
    ids = np.repeat(np.random.RandomState(0).randint([10, 2, 10], size=(60, 3)), 2, axis=0)
    for train, test in TransductiveKFold(3, random_state=0).split(ids):
        assert not {*map(tuple, ids[train].tolist())} & {*map(tuple, ids[test].tolist())}


def test_two_folds_give_up_one_triple_of_an_odd_cycle():
    triangle = np.array([(0, 0, 1), (1, 0, 2), (2, 0, 0)])
    for seed in range(5):
        folds = list(TransductiveKFold(2, random_state=seed).split(triangle))
        assert [len(test) for _, test in folds] == [1, 1]
        for train, test in folds:
            assert_transductive(triangle, train, test, keep_pairs=False)


def test_the_only_triple_of_an_entity_is_never_tested(small):
    labels = np.concatenate([small.labels, [["hermit", "r0", "e3"], ["e1", "unique", "e2"]]])
    for _, test in TransductiveKFold(3).split(labels):
        assert test.max() < len(small)


@pytest.mark.parametrize("keep_pairs", [False, True])
def test_seed_decides_and_the_entity_table_does_not(small, keep_pairs):
    def tests(X, seed):
        folds = TransductiveKFold(3, keep_pairs=keep_pairs, random_state=seed).split(X)
        return [test.tolist() for _, test in folds]

    other_table = MultimodalTriples(small.labels, entities=small.entities[::-1], relations=small.relations[::-1])
    assert tests(small, 0) == tests(small, 0) == tests(small.labels, 0) == tests(other_table, 0)
    assert tests(small.labels.tolist(), 0) == tests(pd.DataFrame(small.labels), 0) == tests(small, 0)
    assert tests(small, 0) != tests(small, 1)
    split = [transductive_train_test_split(X, random_state=3)[1].labels for X in (small, other_table)]
    np.testing.assert_array_equal(*split)


def test_without_shuffle_the_folds_repeat_and_deal_rows_in_turn(rng):
    ids = np.unique(rng.randint([8, 1, 8], size=(400, 3)), axis=0)
    folds = [test.tolist() for _, test in TransductiveKFold(3, shuffle=False).split(ids)]
    assert folds == [list(range(start, len(ids), 3)) for start in range(3)]


def test_global_generator_is_untouched_with_a_seed(small):
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    list(TransductiveKFold(random_state=0).split(small))
    list(TransductiveKFold(shuffle=False).split(small))
    transductive_train_test_split(small, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_splitter_is_one_of_scikit_learn():
    splitter = TransductiveKFold(3, keep_pairs=True, random_state=0)
    assert repr(splitter) == "TransductiveKFold(keep_pairs=True, n_splits=3, random_state=0, shuffle=True)"
    assert check_cv(splitter) is splitter
    assert repr(clone(splitter, safe=False)) == repr(pickle.loads(pickle.dumps(splitter))) == repr(splitter)


def test_ordinary_folds_do_not_give_the_guarantee(emoji):
    ids = emoji.train.ids
    train, test = next(KFold(5, shuffle=True, random_state=0).split(ids))
    assert not places(ids[test]) <= places(ids[train])


def test_too_few_rows_to_spare_are_warned_of(small):
    with pytest.warns(UserWarning, match=rf"asks for {len(small) - 1} rows, but only \d+ were found") as caught:
        X_train, X_test = transductive_train_test_split(small, test_size=len(small) - 1, random_state=0)
    assert caught[0].filename == __file__
    assert 0 < len(X_test) == len(small) - len(X_train)
    assert len(X_train) < small.n_entities  # a cover of 30 entities by edges needs at least 15


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (dict(n_splits=1), "'n_splits' parameter of TransductiveKFold must be .* Got 1"),
        (dict(keep_pairs="yes"), "'keep_pairs' .* Got 'yes'"),
        (dict(shuffle=False, random_state=0), "random_state=0 has no effect with shuffle=False; leave it at None"),
        (dict(n_splits=5000), "n_splits=5000 is more than X allows: .* lower n_splits"),
    ],
)
def test_wrong_parameters_of_the_folds_are_named(small, parameters, message):
    with pytest.raises(ValueError, match=message):
        list(TransductiveKFold(**parameters).split(small))


@pytest.mark.parametrize(
    ("test_size", "message"),
    [
        (0.0, "'test_size' parameter .* Got 0.0"),
        (1.0, "'test_size' parameter .* Got 1.0"),
        ("big", "'test_size' parameter .* Got 'big'"),
        (10_000, "test_size=10000 leaves none of the .* set a smaller one"),
    ],
)
def test_wrong_test_sizes_are_named(small, test_size, message):
    with pytest.raises(ValueError, match=message):
        transductive_train_test_split(small, test_size=test_size)


def test_graphs_without_a_row_to_spare_and_wrong_y_are_named(small):
    path = [("a", "r", "b"), ("b", "r", "c"), ("c", "r", "d")]
    with pytest.raises(ValueError, match="n_splits=5 is more than X allows: 1 of its 3 rows"):
        list(TransductiveKFold().split(path))
    with pytest.raises(ValueError, match=r"X has no row .* add triples\.$"):
        transductive_train_test_split([path[0], path[2]], test_size=1)
    with pytest.raises(ValueError, match=r"X has no row .* or set keep_pairs=False"):
        transductive_train_test_split([("a", "r", "b"), ("b", "r", "a")], test_size=1, keep_pairs=True)
    for y in (np.zeros(len(small)), np.full(len(small), 2), np.ones(3)):
        with pytest.raises(
            ValueError, match=r"y has \d+ values.* expected \d+|X holds no true triple|inconsistent numbers of samples"
        ):
            transductive_train_test_split(small, y)
        with pytest.raises(
            ValueError, match=r"y has \d+ values.* expected \d+|X holds no true triple|inconsistent numbers of samples"
        ):
            list(TransductiveKFold().split(small, y))


def quick_pipeline():
    kge = OTKGEClassifier(max_iter=3, early_stopping=False, validation_fraction=0, random_state=0)
    return Pipeline([("fuse", OTFusionTransformer(n_components=8, random_state=0)), ("kge", kge)])


@pytest.mark.parametrize("with_y", [False, True])
def test_grid_search_with_workers(small, with_y, n_workers):
    y = None
    if with_y:
        y = np.ones(len(small), int)
        y[::5] = 0
    folds = TransductiveKFold(3, random_state=0)
    search = GridSearchCV(quick_pipeline(), {"kge__learning_rate": [0.05, 0.1]}, cv=folds, n_jobs=n_workers)
    results = search.fit(small, y).cv_results_
    scores = np.array([results[f"split{number}_test_score"] for number in range(3)])
    assert ((scores > 0) & (scores <= 1)).all()
    first = quick_pipeline().set_params(**results["params"][0])
    np.testing.assert_allclose(scores[:, 0], cross_val_score(first, small, y, cv=folds))
