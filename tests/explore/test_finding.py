"""Finding entities by what is typed, compared with a search of plain strings."""

import numpy as np
import pytest

from skotkge._explore.described import Described
from skotkge._explore.search import SearchIndex
from skotkge._explore.tables import LabelTable

LABELS = ["Q1", "Q10", "Q2", "Q3", "Q4", "Q5", 7, "Q6"]
NAMES = ["Berlin", "East Berlin", "Bern", "München", "🧹 broom", "new_york city", "7", "Ber\x1flin"]


@pytest.fixture
def index():
    return SearchIndex(LABELS, NAMES)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("berlin", [0, 1]),  # the name itself, then a word of it
        ("BER", [0, 2, 7, 1]),
        ("erl", [0, 1]),
        ("q1", [0, 1]),
        ("q10", [1]),
        ("munchen", [3]),
        ("MÜN", [3]),
        ("broom", [4]),
        ("🧹", [4]),
        ("new york", [5]),
        ("york new", [5]),
        ("7", [6]),
        ("paris", []),
        ("\x1e", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_the_best_come_first(index, typed, found):
    assert index.search(typed) == found


def test_heavier_ones_come_first_among_equals():
    index = SearchIndex(["ab", "abc", "abd"], weights=np.array([0, 1, 5]))
    assert index.search("ab") == [0, 2, 1]
    assert index.search("") == [2, 1, 0]
    assert index.search("ab", limit=2) == [0, 2]


def test_all_that_contain_it_are_found(rng):
    labels = ["".join(rng.choice(list("ab c"), size=6)) + str(number) for number in range(300)]
    index = SearchIndex(labels)
    for typed in ("a", "ab", "ba c", "cc", "b 1"):
        expected = {place for place, label in enumerate(labels) if typed in label}
        found = set(index.search(typed, limit=1000))
        words = {place for place, label in enumerate(labels) if all(word in label for word in typed.split())}
        assert expected <= found <= words


def test_a_name_of_one_alone_is_enough(index):
    labels = np.array(["Q1", "Q2", "Q3", 7, "id:0"], dtype=object)
    table = LabelTable(labels, Described(labels, {"names": ["Ann", "Bob", "Bob", "7", "id:0"]}))
    assert table.find("Q2") == 1
    assert table.find("ann") == 0
    assert table.find("7") == 3
    assert table.find("nobody") is None
    assert table.find("") is None
    assert table.find("id:9") is None
    with pytest.raises(ValueError, match="2 are called “bob”: Q2, Q3"):
        table.find("bob")


def test_tokens_lead_back():
    labels = np.empty(7, dtype=object)
    labels[:] = ["Q1", 7, "7 ", "id:0", "\ud800", ("a", 1), ""]
    table = LabelTable(labels)
    assert [table.find(table.token(position)) for position in range(7)] == list(range(7))
    assert all(token.encode() for token in map(table.token, range(7)))
    assert table.written_alike is None
    assert LabelTable(np.array([7, "7"], dtype=object)).written_alike == "7"


def test_names_can_be_shown_whatever_they_are():
    labels = np.array(["\ud800", "", " ", 7], dtype=object)
    assert [LabelTable(labels).name(i) for i in range(4)] == ["?", "(empty label '')", "(empty label ' ')", "7"]
