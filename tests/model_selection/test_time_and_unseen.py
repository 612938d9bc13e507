"""Splits by time and by unseen entities."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from skotkge import MultimodalTriples
from skotkge.model_selection import inductive_train_test_split, temporal_train_test_split

RING = [(f"e{i}", "next", f"e{(i + 1) % 10}") for i in range(10)]

graphs = st.builds(
    lambda seed, n_rows, n_entities, n_relations: np.random.RandomState(seed).randint(
        [n_entities, n_relations, n_entities], size=(n_rows, 3)
    ),
    st.integers(0, 10_000),
    st.integers(12, 120),
    st.integers(3, 40),
    st.integers(1, 5),
)


# By time
@given(st.integers(0, 1000), st.integers(2, 60), st.integers(1, 30), st.floats(0.05, 0.9))
@settings(max_examples=100, deadline=None)
def test_the_latest_rows_are_tested_and_equal_times_stay_together(seed, n_rows, n_times, test_size):
    rng = np.random.RandomState(seed)
    times, X = rng.randint(n_times, size=n_rows), np.arange(n_rows)[:, None].repeat(3, axis=1)
    asked = int(np.ceil(test_size * n_rows))
    if asked >= n_rows or np.count_nonzero(times == times.max()) > asked:
        with pytest.raises(ValueError, match="test_size"):
            temporal_train_test_split(X, times, test_size=test_size)
        return
    train, test = temporal_train_test_split(X, times, test_size=test_size)
    assert sorted([*train[:, 0], *test[:, 0]]) == list(range(n_rows))
    assert times[train[:, 0]].max() < times[test[:, 0]].min()
    # One more time would be too many rows.
    assert len(test) <= asked < len(test) + np.count_nonzero(times == times[train[:, 0]].max())
    for part in (train, test):
        assert (np.diff(part[:, 0]) > 0).all()


DAYS = [datetime.date(2024, 1, 1) + datetime.timedelta(days=40 * i) for i in range(10)]
TIMES = {
    "integers": list(range(10)),
    "strings of numbers": [str(9 + i) for i in range(10)],  # "9" is before "10"
    "dates": DAYS,
    "ISO": [day.isoformat() for day in DAYS],
    "ISO of different precision": [day.isoformat()[: 10 if i % 2 else 7] for i, day in enumerate(DAYS)],
    "ISO in UTC": [f"{day.isoformat()}T12:00:00Z" for day in DAYS],
    "NumPy": np.array(DAYS, dtype="datetime64[ns]"),
    "pandas": pd.Series(pd.to_datetime(DAYS)),
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
def test_times_of_every_kind(times):
    order = np.random.RandomState(0).permutation(10)
    shuffled = times.iloc[order] if isinstance(times, pd.Series) else [times[i] for i in order]
    train, test = temporal_train_test_split([RING[i] for i in order], shuffled, test_size=3)
    assert test == [RING[i] for i in order if i >= 7]
    assert train == [RING[i] for i in order if i < 7]


def test_since_and_containers():
    X = MultimodalTriples(pd.DataFrame(RING, columns=["head", "relation", "tail"]).assign(day=DAYS))
    train, test = temporal_train_test_split(X, X.triple_data["day"], since=DAYS[6])
    assert [len(train), len(test)] == [6, 4]
    assert test.vocabulary is X.vocabulary
    assert test.triple_data["day"].tolist() == DAYS[6:]
    assert len(temporal_train_test_split(RING, [str(day) for day in DAYS], since=str(DAYS[8]))[1]) == 2
    y = np.arange(10) % 2
    *_, y_train, y_test = temporal_train_test_split(RING, range(10), y, test_size=2)
    assert (y_train.tolist(), y_test.tolist()) == (y[:8].tolist(), y[8:].tolist())


def test_repeated_triples_are_told():
    with pytest.warns(UserWarning, match="1 of the 2 rows of the test part repeat"):
        temporal_train_test_split([*RING, RING[0], ("e1", "likes", "e2")], range(12), test_size=2)


BAD = [
    (range(9), {}, "times has 9 values, X 10 rows"),
    ([*range(9), None], {}, "missing value \\(None\\) in row 9"),
    ([*DAYS[:9], "2024"], {}, "not all numbers, all dates or all strings"),
    ([*map(str, DAYS[:9]), "yesterday"], {}, "'yesterday', which is neither a number nor a date"),
    ([f"{day}T00:00+02:00" for day in DAYS], {}, "without a time zone"),
    ([1] * 10, {}, "10 have the latest time and stay together"),
    (range(10), dict(since=10), "since tests none"),
    (range(10), dict(since=0), "since tests all"),
    (range(10), dict(since="2024-01-01"), "make them of one kind"),
    (range(10), dict(test_size=10), "leaves none"),
    (range(10), dict(test_size=0), "'test_size' parameter"),
    (np.zeros((10, 2)), {}, "expected one value for each row"),
]


@pytest.mark.parametrize(("times", "options", "message"), BAD)
def test_bad_times_are_named(times, options, message):
    with pytest.raises(ValueError, match=message):
        temporal_train_test_split(RING, times, **options)


# By unseen entities
def ends(ids):
    return set(ids[:, [0, 2]].ravel().tolist())


def split_or_none(ids, y, **options):
    """The parts, or None where no entity can be spared."""
    try:
        return inductive_train_test_split(ids, y, **options)
    except ValueError:
        return None


@given(graphs, st.floats(0.05, 0.6), st.integers(0, 100), st.booleans())
@settings(max_examples=150, deadline=None)
@pytest.mark.filterwarnings("ignore:test_size=")
def test_every_test_triple_has_an_unseen_entity_and_nothing_else_is_lost(ids, test_size, seed, labelled):
    y = np.random.RandomState(seed).randint(2, size=len(ids)) if labelled else None
    if labelled and not y.any():
        y[0] = 1
    true = np.ones(len(ids), dtype=bool) if y is None else y == 1
    found = split_or_none(ids, y, test_size=test_size, random_state=seed)
    assume(found is not None)
    train, test = found[:2]
    assert sorted(map(tuple, np.concatenate([train, test]))) == sorted(map(tuple, ids))
    assert len(test) <= np.ceil(test_size * len(ids))
    unseen = ends(test) - ends(train)
    assert all({head, tail} & unseen for head, _, tail in test.tolist())
    if y is None:
        assert set(train[:, 1]) == set(ids[:, 1])
    else:
        # What had a true triple has one in training, but for the unseen.
        true_train = train[found[2] == 1]
        assert set(ids[true, 1]) == set(true_train[:, 1])
        assert ends(ids[true]) - ends(true_train) <= unseen


def test_entities_of_a_data_set(emoji):
    train, test = inductive_train_test_split(emoji.train, test_size=0.2, random_state=0)
    assert len(test) == 1024
    assert train.vocabulary is test.vocabulary is emoji.train.vocabulary
    again, _ = inductive_train_test_split(emoji.train, test_size=0.2, random_state=0)
    np.testing.assert_array_equal(again.ids, train.ids)
    other, _ = inductive_train_test_split(emoji.train, test_size=0.2, random_state=1)
    assert not np.array_equal(other.ids[:100], train.ids[:100])


def test_too_few_entities_are_told():
    chain = [("a", "r", "b"), ("b", "r", "c"), ("c", "r", "d"), ("d", "r", "e")]
    with pytest.raises(ValueError, match="no entity that can be taken"):
        inductive_train_test_split([("a", "r", "b"), ("c", "s", "d")], test_size=1)
    with pytest.warns(UserWarning, match="asks for 3 rows, but only"):
        inductive_train_test_split([*chain, ("a", "s", "c"), ("b", "q", "e")], test_size=3, random_state=0)
    with pytest.raises(ValueError, match="leaves none"):
        inductive_train_test_split(chain, test_size=4)
