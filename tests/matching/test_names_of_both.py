"""Names of entities as evidence."""

import numpy as np

from skotkge._matching.evidence import name_vectors


def test_vectors_are_alike_where_names_share_characters(rng):
    words = ["".join(rng.choice(list("abcdefghijklmnop"), 12)) for _ in range(200)]
    first, second = name_vectors(words, [f"{word[:10]}__" for word in words], rng)
    cosines = first @ second.T
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, rtol=1e-5)
    assert (cosines.argmax(axis=1) == np.arange(200)).all()
    # Of names with no n-gram in common the cosines are noise around zero.
    others = cosines[~np.eye(200, dtype=bool)]
    assert abs(others.mean()) < 0.05
    assert np.abs(others).max() < 0.6


def test_names_without_characters_have_no_vector(rng):
    first, second = name_vectors(["", "ab"], ["ab", " "], rng)
    assert not first[0].any()
    assert not second[1].any()
    np.testing.assert_allclose(first[1], second[0])
