"""Vectors of entities in every form that people hold them in, with holes, and wider than anything can take."""

import resource
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy.sparse import csr_array, csr_matrix
from sklearn import config_context

from skotkge import MultimodalTriples, OTFusionTransformer
from skotkge._graph.preparing import N_COMPONENTS, WIDEST

TRIPLES = [("a", "r", "b"), ("b", "r", "c")]
PLAIN = [[1.0, 0.0], [2.0, 1.0], [4.0, 1.0]]
LABELS = ["a", "b", "c"]


def matrix_of(given, **table):
    return MultimodalTriples(TRIPLES, {"x": given}, **table).modalities["x"]


FRAME = pd.DataFrame(PLAIN, index=LABELS)


@pytest.mark.parametrize(
    "given",
    [
        FRAME,
        FRAME.astype("Int64"),
        FRAME.astype({0: "Int64", 1: bool}),
        FRAME.astype({0: "float32", 1: "boolean"}),
        FRAME.astype(pd.SparseDtype(float, 0)),
        FRAME.astype(np.float16),
        FRAME.assign(entity=LABELS).set_index(pd.Index([7, 8, 9])),
        pl.DataFrame({"n": [1, 2, 4], "entity": LABELS, "b": [False, True, True]}),
        pl.DataFrame({"entity": LABELS, "n": [1.0, 2.0, 4.0], "b": [0, 1, 1]}, schema_overrides={"n": pl.Float32}),
        (csr_array(PLAIN), LABELS),
        (csr_matrix(PLAIN), LABELS),
        (torch.tensor(PLAIN), LABELS),
        (torch.tensor(PLAIN, dtype=torch.bfloat16), LABELS),
        (torch.tensor(PLAIN, requires_grad=True), LABELS),
        (torch.tensor(PLAIN).to_sparse(), LABELS),
        (torch.tensor(PLAIN, dtype=torch.bfloat16).to_sparse(), LABELS),
        {label: torch.tensor(row).to_sparse() for label, row in zip(LABELS, PLAIN, strict=True)},
        (np.array(PLAIN, dtype=np.float16), LABELS),
        (PLAIN, LABELS),
        dict(zip(LABELS, PLAIN, strict=True)),
        dict(zip(LABELS, torch.tensor(PLAIN), strict=True)),
        {label: csr_array([row]) for label, row in zip(LABELS, PLAIN, strict=True)},
        {"a": csr_array([PLAIN[0]]), "b": PLAIN[1], "c": np.array(PLAIN[2:])},
        pd.Series(PLAIN, index=LABELS),
    ],
)
def test_forms_of_vectors(given):
    matrix = matrix_of(given)
    np.testing.assert_array_equal(matrix, PLAIN)
    assert matrix.dtype.kind == "f"


def test_numbers_alone_are_vectors_of_one_column():
    for given in (pd.Series([1, 2, 4], index=LABELS), {"a": 1, "b": 2.0, "c": np.float32(4)}):
        np.testing.assert_array_equal(matrix_of(given), [[1], [2], [4]])


@pytest.mark.parametrize(
    "given",
    [
        pd.DataFrame({"n": [1.0, np.nan, 4.0], "m": [7.0, 7.0, np.nan]}, index=LABELS),
        pd.DataFrame({"n": pd.array([1, None, 4], "Int64"), "m": pd.array([7, 7, None], "Int8")}, index=LABELS),
        pl.DataFrame({"entity": LABELS, "n": [1, None, 4], "m": [7, 7, None]}),
        ([[1, 7], [None, 7], [4, None]], LABELS),
        {"a": [1, 7], "b": [None, 7], "c": [4, None]},
    ],
)
def test_a_hole_in_a_row_is_the_mean_of_its_column_and_told_by_another(given):
    X = MultimodalTriples([*TRIPLES, ("c", "r", "d")], {"x": given})
    expected = [[1, 7, 0, 0], [2.5, 7, 1, 0], [4, 7, 0, 1], [np.nan] * 4]
    np.testing.assert_array_equal(X.modalities["x"], expected)
    assert X.observed("x").tolist() == [True, True, True, False]
    new = X.new_entities({"x": {"new": [None, 3], "whole": [5, 5], "none": None}})
    np.testing.assert_array_equal(new.modalities["x"], [[2.5, 3, 1, 0], [5, 5, 0, 0], [np.nan] * 4])


def test_sparse_columns_of_pandas_that_leave_out_nan_have_holes():
    sparse = pd.arrays.SparseArray([1.0, np.nan, np.nan])
    np.testing.assert_array_equal(matrix_of(pd.DataFrame({"n": sparse}, index=LABELS)), [[1], [np.nan], [np.nan]])
    frame = pd.DataFrame({"n": sparse, "m": pd.arrays.SparseArray([0, 0, 5])}, index=LABELS)
    np.testing.assert_array_equal(matrix_of(frame), [[1, 0, 0], [1, 0, 1], [1, 5, 1]])


@pytest.mark.parametrize("given", [FRAME.reset_index(drop=True), ([[1.0, 2.0]], ["A"]), {"a ": [1.0]}])
def test_vectors_of_no_entity_of_the_triples_are_told_with_the_remedy(given):
    with pytest.warns(UserWarning, match="for none of the entities of the triples.* a column 'entity' or the index"):
        X = MultimodalTriples(TRIPLES, {"x": given})
    assert not X.observed("x")[:3].any()


def test_nullable_booleans_and_columns_that_nobody_has():
    frame = pd.DataFrame({"b": pd.array([True, None, False], "boolean"), "e": [np.nan] * 3, "n": [1, 2, 3]})
    np.testing.assert_array_equal(
        matrix_of(frame.set_index(pd.Index(LABELS))), [[1, 0, 1, 0], [0.5, 0, 2, 1], [0, 0, 3, 0]]
    )


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (FRAME.assign(colour="red"), "column 'colour' of .*encode_table"),
        (FRAME.assign(when=pd.Timestamp("2020-01-01")), "column 'when' of datetime64.*encode_table"),
        (FRAME.assign(kind=pd.Categorical(["x", "y", "x"])), "column 'kind' of category.*encode_table"),
        (pl.DataFrame({"entity": LABELS, "colour": ["red"] * 3}), "column 'colour' of String.*encode_table"),
        ({"a": ["red"], "b": ["x"], "c": ["y"]}, "dtype <U3, expected real numbers.*encode_table"),
        ({"a": None, "b": np.nan}, "no vector for any of its 2 labels, all are None or NaN; leave"),
        ({"a": [[1, 2], [3, 4]]}, r"for 'a' an array of the shape \(2, 2\), expected one vector"),
        (([[1, 2], [3]], ["a", "b"]), "is no matrix"),
        (([[1, np.inf], [np.nan, 3]], ["a", "b"]), "infinite value in row 0"),
        (pl.Series([1, 2, 3]), "is a Series without labels"),
    ],
)
def test_what_is_no_number_is_named_with_the_remedy(given, words):
    with pytest.raises(ValueError, match=words):
        matrix_of(given)


def test_fused_rows_of_new_entities_are_those_of_old_ones_with_the_same_holes(rng):
    """A new entity with the values of an old one gets the same vector, so every map moves both to the same place."""
    values = rng.standard_normal((20, 3)) * 5
    values[rng.random(values.shape) < 0.3] = np.nan
    values[0] = [1.0, np.nan, 2.0]
    triples = [(i, "r", (i + 3) % 20) for i in range(20)]
    X = MultimodalTriples(triples, {"x": (values, range(20))})
    new = X.new_entities({"x": (values[:1], ["new"])})
    np.testing.assert_array_equal(new.modalities["x"], X.modalities["x"][:1])
    assert X.modalities["x"].shape[1] == 3 + np.isnan(values[~np.isnan(values).all(axis=1)]).any(axis=0).sum()
    assert np.isfinite(OTFusionTransformer(4, random_state=0).fit(X).embedding_).all()


@pytest.mark.parametrize(
    "table", [np.array([[1, 5], [3, 6]]), csr_array(np.array([[1.0, 5], [3, 6]]))], ids=["int", "sparse"]
)
def test_new_entities_may_have_holes_where_the_table_had_none(table):
    X = MultimodalTriples([("a", "r", "b")], {"m": (table, ["a", "b"])})
    new = X.new_entities({"m": {"c": [None, 7], "d": [4, 8], "e": [None, None]}})
    np.testing.assert_array_equal(new.modalities["m"], [[2, 7], [4, 8], [np.nan, np.nan]])


@pytest.mark.parametrize("is_sparse", [True, False])
def test_wide_matrices_keep_the_inner_products_of_their_rows(is_sparse, rng):
    low_rank = rng.standard_normal((30, 5)) @ rng.standard_normal((5, WIDEST + 1))
    low_rank[:, rng.random(WIDEST + 1) < 0.9] = 0
    given = csr_array(low_rank) if is_sparse else low_rank
    triples = [(i, "r", (i + 1) % 30) for i in range(30)]
    with pytest.warns(UserWarning, match=rf"has {WIDEST + 1} columns, of which 5 .* 100% of the squares"):
        X = MultimodalTriples(triples, {"x": (given, range(30))})
    matrix = X.modalities["x"]
    assert matrix.shape == (30, 5)
    np.testing.assert_allclose(matrix @ matrix.T, low_rank @ low_rank.T, rtol=1e-3, atol=0.5)
    new = X.new_entities({"x": (given[4:6], ["n", "m"])})
    np.testing.assert_allclose(new.modalities["x"], matrix[4:6], rtol=1e-3, atol=1e-3)


def test_wide_matrices_of_zeros_are_reduced_without_a_division_by_zero():
    with pytest.warns(UserWarning, match="with 0% of the squares") as caught:
        X = MultimodalTriples(TRIPLES, {"x": csr_array((3, WIDEST + 1))}, entities=LABELS)
    assert len(caught) == 1
    assert not X.modalities["x"].any()


def test_missing_rows_of_wide_matrices_stay_missing(rng):
    values = rng.standard_normal((12, WIDEST + 1)).astype(np.float16)
    values[5] = np.nan
    triples = [(i, "r", (i + 1) % 12) for i in range(12)]
    with pytest.warns(UserWarning, match="of which 10"):
        X = MultimodalTriples(triples, {"x": values}, entities=range(12))
    assert np.flatnonzero(~X.observed("x")).tolist() == [5]
    values[3, 7] = np.nan
    with pytest.warns(UserWarning, match="of which 10"):
        X = MultimodalTriples(triples, {"x": values}, entities=range(12))
    new = X.new_entities({"x": (values[3:6], ["n", "m", "k"])})
    np.testing.assert_allclose(new.modalities["x"], X.modalities["x"][3:6], rtol=1e-4, atol=1e-3)
    sparse = csr_array(values[:4].astype(float))
    with pytest.raises(ValueError, match="sparse matrix with NaN or infinite values"):
        MultimodalTriples(triples, {"x": (sparse, range(4))}, entities=range(12))


def test_components_follow_the_working_memory():
    rng = np.random.default_rng(0)
    places = rng.choice(300 * 50_000, size=30_000, replace=False)
    sparse = csr_array((rng.random(30_000), np.divmod(places, 50_000)), shape=(300, 50_000))
    triples = [(i, "r", (i + 1) % 300) for i in range(300)]
    for working_memory, kept in ((1024, N_COMPONENTS), (10, 13)):
        with config_context(working_memory=working_memory), pytest.warns(UserWarning, match=f"of which {kept} "):
            X = MultimodalTriples(triples, {"x": sparse}, entities=range(300))
        assert X.modalities["x"].shape == (300, kept)
    narrow = sparse[:, :100]
    with config_context(working_memory=0.05), pytest.warns(UserWarning, match="has 100 columns, of which 8 "):
        assert MultimodalTriples(triples, {"x": narrow}, entities=range(300)).modalities["x"].shape == (300, 8)


WIDE = """
import resource, time, warnings
import numpy as np, scipy.sparse as sp
from sklearn.pipeline import make_pipeline
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
import torch, ot
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rng, E = np.random.default_rng(0), [f"e{i}" for i in range(40)]
T = [(E[i], "r", E[int(j)]) for i in range(40) for j in rng.choice(40, 4, replace=False) if i != j]
warnings.simplefilter("ignore")
start = time.perf_counter()
for width in 4_096, 20_000:
    X = MultimodalTriples(T, {"tfidf": sp.random(40, width, density=0.001, random_state=0, format="csr")}, entities=E)
    make_pipeline(OTFusionTransformer(8), OTKGEClassifier(max_iter=2)).fit(X)
print(time.perf_counter() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20)
"""


@pytest.mark.skipif(not hasattr(resource, "RUSAGE_SELF"), reason="needs Unix")
def test_thousands_of_columns_of_forty_entities_take_seconds():
    result = subprocess.run([sys.executable, "-c", WIDE], capture_output=True, text=True, check=True)
    seconds, gigabytes = map(float, result.stdout.split())
    assert seconds < 10
    assert gigabytes < 1
