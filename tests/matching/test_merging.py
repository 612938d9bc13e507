"""Joining two graphs by their matches."""

import numpy as np
import pytest

from skotkge import MultimodalTriples, merge


def test_matched_entities_become_one_and_triples_are_kept_once():
    X = MultimodalTriples([("a", "likes", "b"), ("b", "likes", "c")], {"text": {"a": [1.0, 0.0]}})
    Y = MultimodalTriples(
        [("A", "likes", "B"), ("B", "knows", "c")], {"text": {"B": [0.0, 1.0]}, "image": {"A": [2.0]}}
    )
    both = merge(X, Y, [("a", "A", 0.9), ("b", "B", 0.8)])
    assert both.labels.tolist() == [["a", "likes", "b"], ["b", "likes", "c"], ["b", "knows", ("Y", "c")]]
    assert both.entities.tolist() == ["a", "b", "c", ("Y", "c")]
    np.testing.assert_array_equal(both.modalities["text"][:2], [[1, 0], [0, 1]])
    np.testing.assert_array_equal(np.isnan(both.modalities["image"][:, 0]), [False, True, True, True])


def test_conflicts_are_named():
    X = MultimodalTriples([("a", "likes", "b")], {"text": {"a": [1.0, 0.0]}})
    Y = MultimodalTriples([("A", "likes", "B")], {"text": {"A": [0.0, 1.0]}})
    with pytest.warns(UserWarning, match="1 matched entities have two different vectors in 'text' .'a'"):
        both = merge(X, Y, [("a", "A")])
    np.testing.assert_array_equal(both.modalities["text"][0], [1, 0])


def test_without_matches_both_graphs_stand_side_by_side():
    X = MultimodalTriples([("a", "likes", "b")])
    assert len(merge(X, X, [])) == 2
    assert len(merge(X, X, [("a", "a"), ("b", "b")])) == 1


def test_double_matches_are_an_error():
    X, Y = MultimodalTriples([("a", "likes", "b")]), MultimodalTriples([("A", "likes", "B")])
    with pytest.raises(ValueError, match="'A' of Y more than once"):
        merge(X, Y, [("a", "A"), ("b", "A")])
    with pytest.raises(ValueError, match="'z'"):
        merge(X, Y, [("z", "A")])


def test_names_of_both_graphs_are_kept():
    X = MultimodalTriples([("a", "r", "b")], names={"a": "Ann"})
    Y = MultimodalTriples([("x", "r", "y"), ("y", "r", "z")], names={"x": "Anna", "y": "Bob"})
    merged = merge(X, Y, [("a", "x"), ("b", "y")])
    assert dict(zip(merged.entities, merged.names, strict=True)) == {"a": "Ann", "b": "Bob", "z": "z"}
    plain = MultimodalTriples([("x", "r", "y")])
    assert merge(plain, MultimodalTriples([("p", "r", "q")]), [("x", "p")]).names is None
    assert merge(plain, X, [("x", "b")]).names.tolist() == ["x", "y", "Ann"]
