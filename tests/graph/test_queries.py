"""Rows and queries that are sorted by one number each, as sorting them column by column does."""

import numpy as np
import pytest

from skotkge._graph.queries import KnownAnswers, both_directions, distinct_rows

IDS = np.random.default_rng(0).integers(4, size=(60, 3))
# Numbers of rows that do not fit into 64 bits, and ids below zero, are sorted in columns.
SETS = {"small": IDS, "empty": IDS[:0], "large": IDS * 10**9, "negative": -IDS}


@pytest.mark.parametrize("ids", SETS.values(), ids=SETS)
def test_distinct_rows_are_those_of_numpy(ids):
    every = dict(return_index=True, return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(distinct_rows(ids), np.unique(ids, axis=0))
    for found, expected in zip(distinct_rows(ids, **every), np.unique(ids, axis=0, **every), strict=True):
        np.testing.assert_array_equal(found, expected.reshape(found.shape))


@pytest.mark.parametrize("name", ["small", "empty", "large"])
def test_known_answers_are_in_order(name):
    ids = SETS[name] * (1, 0, 1)  # no relation but one, whose number is small
    lists = KnownAnswers(ids, 1)
    sources, relations, answers = both_directions(ids, 1)
    np.testing.assert_array_equal(lists.order, np.lexsort((answers, relations, sources)))
    queries, counts = np.unique(np.column_stack([sources, relations]), axis=0, return_counts=True)
    np.testing.assert_array_equal(np.column_stack([lists.sources, lists.relations]), queries)
    np.testing.assert_array_equal(lists.counts, counts)
    assert lists.contains(ids).all()
