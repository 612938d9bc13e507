"""The container: labels kept exactly, slices that share one table, errors that name what is wrong."""

import csv
import io
import pickle
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils import _safe_indexing

from skotkge import MultimodalTriples, OTKGEClassifier
from skotkge._graph.vocabulary import repeated_rows

TRICKY = [
    "nan",
    "NA",
    "007",
    "7",
    "",
    " ",
    "\u00e9",
    "e\u0301",
    "tail\twith tab",
    'a "quote"',
    7,
    7.0,
    True,
    -1,
    (1, 2),
]


def test_labels_are_kept_exactly_and_never_confused():
    triples = [(label, "is", other) for label, other in zip(TRICKY, reversed(TRICKY), strict=True)]
    X = MultimodalTriples(triples)
    assert X.n_entities == len(TRICKY)
    for row, (head, relation, tail) in zip(X.labels, triples, strict=True):
        for got, wanted in zip(row, (head, relation, tail), strict=True):
            assert type(got) is type(wanted)
            assert got == wanted


@pytest.mark.parametrize(
    "make",
    [
        list,
        np.array,
        lambda rows: np.array(rows, dtype=object),
        lambda rows: pd.DataFrame(rows, columns=["head", "relation", "tail"])[["tail", "head", "relation"]],
        lambda rows: pd.DataFrame(rows),
        lambda rows: [list(row) for row in rows],
        lambda rows: dict(zip(["tail", "head", "relation"], np.array(rows)[:, [2, 0, 1]].T, strict=True)),
        MultimodalTriples,
    ],
    ids=[
        "tuples",
        "array",
        "object array",
        "data frame by name",
        "numbered data frame",
        "lists",
        "mapping",
        "container",
    ],
)
def test_kinds_of_triples_give_the_same_container(make):
    rows = [("a", "likes", "b"), ("b", "likes", "c")]
    X = MultimodalTriples(make(rows))
    assert X.labels.tolist() == [list(row) for row in rows]
    assert X.entities.tolist() == ["a", "b", "c"]
    assert X.ids.tolist() == [[0, 0, 1], [1, 0, 2]]
    assert X.shape == (2, 3)
    assert len(X) == 2
    assert np.asarray(X).tolist() == X.labels.tolist()


def test_integer_labels_stay_integers():
    X = MultimodalTriples(np.array([[10, 0, 30], [30, 0, 10]]))
    assert X.labels.tolist() == [[10, 0, 30], [30, 0, 10]]
    assert type(X.labels[0, 0]) is int


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint64, np.uint8, "sparse", "largest"])
def test_integers_in_any_range_are_labels_in_order_of_first_appearance(dtype, rng):
    if dtype == "sparse":
        ids = rng.randint(-(2**62), 2**62, size=(50, 3), dtype=np.int64)
    elif dtype == "largest":
        ids = np.array([[2**64 - 1, 2**64 - 3, 2**64 - 2], [2**64 - 2, 2**64 - 3, 2**64 - 1]], dtype=np.uint64)
    else:
        limits = np.iinfo(dtype)
        ids = rng.randint(max(limits.min, -128), min(limits.max, 255), size=(50, 3)).astype(dtype)
    X = MultimodalTriples(ids, duplicates="keep")
    assert X.labels.tolist() == ids.tolist()
    assert X.entities.tolist() == list(dict.fromkeys(ids[:, [0, 2]].ravel().tolist()))
    assert X.relations.tolist() == list(dict.fromkeys(ids[:, 1].tolist()))
    assert {type(label) for label in X.entities} == {int}
    assert MultimodalTriples(ids.astype(object), duplicates="keep").entities.tolist() == X.entities.tolist()


def test_columns_of_different_kinds_are_coded_together():
    frame = pd.DataFrame({"head": [1, 2, 1], "relation": ["r", "q", "r"], "tail": ["1", "2", "x"]})
    X = MultimodalTriples(frame)
    assert X.entities.tolist() == [1, "1", 2, "2", "x"]
    assert X.relations.tolist() == ["r", "q"]
    mixed = MultimodalTriples({"head": np.array([1, 2]), "relation": ["r", "r"], "tail": [True, 1.0]})
    assert [type(label) for label in mixed.entities] == [int, bool, int, float]


@pytest.mark.parametrize("sep", ["\t", ","])
def test_long_files_are_read_like_short_ones(tmp_path, sep):
    rows = [(f"é{n % 1000}", "NA" if n % 2 else "", f'"t{n}"') for n in range(60_000)]
    path = tmp_path / "long.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=sep).writerows(
            [("head", "note", "tail", "relation"), *((h, n, t, "r") for h, n, t in rows)]
        )
    assert path.stat().st_size > 2**20
    X = MultimodalTriples.from_csv(path, sep=sep, columns=("head", "relation", "tail"))
    assert X.labels.tolist() == [[head, "r", tail] for head, _, tail in rows]
    assert X.triple_data["note"].tolist() == [note for _, note, _ in rows]
    assert X[5:7].triple_data["note"].tolist() == ["NA", ""]
    with path.open("a", encoding="utf-8") as file:
        file.write(sep.join(["h", "", "", "r"]) + "\n")
    with pytest.raises(ValueError, match=r"line 60002, column 3 'tail': the tail is empty"):
        MultimodalTriples.from_csv(path, sep=sep, columns=("head", "relation", "tail"))
    with pytest.warns(UserWarning, match="60001 rows in, 60000 kept"):
        again = MultimodalTriples.from_csv(path, sep=sep, columns=("head", "relation", "tail"), empty="drop")
    assert again.labels.tolist() == X.labels.tolist()


def test_modality_matrices_are_shared_by_reference_and_read_only():
    matrix = np.ones((2, 3), dtype=np.float16)
    X = MultimodalTriples([("a", "r", "b")], {"text": matrix}, entities=["a", "b"])
    for view in (X, X[[0]], X[np.array([True])], X[0:1], X[[0], ...], X.with_triples([("b", "r", "a")])):
        assert np.shares_memory(view.modalities["text"], matrix)
        assert not view.modalities["text"].flags.writeable
        assert not view.ids.flags.writeable
        assert view.entities is X.entities
    assert matrix.flags.writeable
    with pytest.raises(TypeError):
        X.modalities["image"] = matrix


def test_labelled_modalities_are_put_in_the_order_of_the_entities():
    frame = pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], index=["b", "a"])
    X = MultimodalTriples([("a", "r", "b"), ("b", "r", "c")], {"text": frame, "image": {"c": [5], "a": [6]}})
    np.testing.assert_array_equal(X.modalities["text"], [[3, 4], [1, 2], [np.nan, np.nan]])
    np.testing.assert_array_equal(X.modalities["image"], [[6], [np.nan], [5]])
    assert repr(X) == (
        "MultimodalTriples(2 triples, 3 entities, 1 relation; text: 2 columns, 1 row missing; "
        "image: 1 column, 1 row missing)"
    )


def test_entities_known_only_from_a_modality_join_the_table():
    X = MultimodalTriples([("a", "r", "b")], {"text": {"z": [0.0], "a": [1.0]}})
    assert X.entities.tolist() == ["a", "b", "z"]


def test_indexing_as_scikit_learn_does(small):
    rows = np.array([3, 1, 1])
    assert _safe_indexing(small, rows).labels.tolist() == small.labels[rows].tolist()
    assert small[small.ids[:, 1] == 0].ids[:, 1].max() == 0
    assert len(small[[]]) == 0
    assert small[2].tolist() == small[np.array(2)].tolist() == small.labels[2].tolist()
    for strange in (True, np.zeros((2, 2), dtype=int)):
        with pytest.raises(IndexError, match="give a row number"):
            small[strange]
    assert [row.tolist() for row in small[:2]] == small.labels[:2].tolist()
    with pytest.raises(TypeError, match="only rows of triples can be selected"):
        small[:, 0]


def test_pickled_copy_is_equal_and_read_only(small):
    copy = pickle.loads(pickle.dumps(small[:5]))
    assert copy.labels.tolist() == small[:5].labels.tolist()
    assert not copy.modalities["text"].flags.writeable
    np.testing.assert_array_equal(copy.modalities["image"], small.modalities["image"])


GOOD = [("a", "r", "b")]
MATRIX = np.zeros((2, 3))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (dict(triples=np.zeros((4, 2))), ValueError, r"shape \(4, 2\), expected \(n_triples, 3\)"),
        (dict(triples=[("a", "b")]), ValueError, "row .* at position 0, expected head, relation, tail"),
        (dict(triples="abc"), TypeError, "triples is a str"),
        (dict(triples=csr_array((3, 3))), TypeError, "triples is a sparse matrix"),
        (dict(triples=pd.DataFrame({"x": ["a"], "y": ["r"], "z": ["b"]})), ValueError, "rename them"),
        (dict(triples=[("a", None, "b")]), ValueError, "missing label in row 0"),
        (dict(triples=[("a", "r", float("nan"))]), ValueError, "missing label"),
        (dict(triples=pd.DataFrame([*GOOD, ("a", "r", None)]).astype("string")), ValueError, "missing label in row 1"),
        (dict(triples=GOOD, entities={"a", "b"}), TypeError, "entities is a set, which has no order"),
        (dict(triples=[(np.datetime64("2020-01-01"), "r", "b")]), TypeError, "NumPy dates are no labels"),
        (dict(triples=GOOD, entities=5), TypeError, "entities=5 is a single value; pass a list"),
        (
            dict(triples=[("a", "r", "b")], relations=len),
            TypeError,
            "relations=<built-in .* is a single value; pass a list",
        ),
        (dict(triples=GOOD, names=0.5), TypeError, "names=0.5 is a single value; pass a list"),
        (dict(triples=GOOD, texts={"a"}), TypeError, "texts is a set, which has no order"),
        (
            dict(triples=GOOD, modalities={"text": pd.Series([[1.0], [2.0]], index=["a", "a"])}),
            ValueError,
            "label 'a' more than once",
        ),
        (dict(triples=GOOD, modalities={"text": {}}), ValueError, "empty mapping"),
        (dict(triples=GOOD, entities=["a", "b", "a"]), ValueError, "label 'a' more than once"),
        (dict(triples=GOOD, entities=["a"]), ValueError, "names 'b', which entities lacks"),
        (dict(triples=GOOD, relations=["q"]), ValueError, "names 'r', which relations lacks"),
        (dict(triples=GOOD, modalities={"text": MATRIX}), ValueError, "matrix without labels: give entities"),
        (
            dict(triples=GOOD, modalities={"text": np.zeros((3, 3))}, entities=["a", "b"]),
            ValueError,
            r"shape \(3, 3\), expected \(2, n_features\)",
        ),
        (
            dict(triples=GOOD, modalities={"text": [[0, np.inf], [1, 1]]}, entities=["a", "b"]),
            ValueError,
            r"modalities\['text'\] has an infinite value in row 0",
        ),
        (
            dict(triples=GOOD, modalities={"text": [["x"], ["y"]]}, entities=["a", "b"]),
            ValueError,
            "dtype <U1, expected real numbers; .*encode_table",
        ),
        (dict(triples=GOOD, modalities=MATRIX), TypeError, "expected a mapping from modality name"),
        (dict(triples=GOOD, modalities={"structure": MATRIX}), ValueError, "names are strings other than 'structure'"),
        (
            dict(triples=GOOD, modalities={"text": csr_array((2, 2))}),
            ValueError,
            "matrix without labels: give entities",
        ),
        (
            dict(triples=GOOD, modalities={"text": (MATRIX, ["a"])}),
            ValueError,
            r"shape \(2, 3\) and 1 labels; give a matrix with one row for each label",
        ),
        (dict(triples=GOOD, modalities={"text": ([0], [1], [2])}), ValueError, r"tuple of length 3; a tuple is"),
        (
            dict(triples={"head": ["a"], "relation": ["r"], "tail": []}),
            ValueError,
            r"columns of the lengths \[1, 1, 0\]",
        ),
        (
            dict(triples=[("a", ["r"], "b")]),
            TypeError,
            r"triples has \['r'\], which cannot be a label .* give strings, integers or other hashable",
        ),
        (dict(triples=GOOD, entities="ab"), TypeError, "='ab' is a single value; pass a list"),
        (
            dict(triples=pd.DataFrame([[*GOOD[0], "b"]], columns=["head", "relation", "tail", "tail"])),
            ValueError,
            "give each a name of its own",
        ),
        (dict(triples=GOOD, modalities={"text": {"a": [1], "b": [1, 2]}}), ValueError, "one common length"),
        (
            dict(triples=GOOD, modalities={"text": {"a": [1], "c": [1]}}, entities=["a", "b"]),
            ValueError,
            "vectors for 1 labels that are not in entities .'c'.",
        ),
        (
            dict(triples=GOOD, modalities={"text": pd.DataFrame([[1.0], [2.0]], index=["a", "a"])}),
            ValueError,
            "label 'a' more than once",
        ),
    ],
)
def test_errors_name_what_is_wrong(arguments, error, message):
    with pytest.raises(error, match=message):
        MultimodalTriples(**arguments)


def test_with_triples_refuses_labels_that_the_table_lacks(small):
    with pytest.raises(ValueError, match="names 'nobody', which entities lacks"):
        small.with_triples([("e1", "r0", "nobody")])


def test_with_triples_and_slices_keep_repeated_rows(small):
    rows = small.labels[[0, 1, 0]]
    assert small.with_triples(rows).labels.tolist() == rows.tolist()
    assert len(small[[0, 1, 0]]) == 3


REPEATED = [("a", "r", "b"), ("b", "r", "a"), ("a", "r", "b"), ("b", "q", "a"), ("b", "r", "a"), ("a", "r", "b")]


def test_repeated_triples_are_reported_and_kept_once():
    with pytest.warns(UserWarning, match=r"3 repeated rows; .* position 2, is \['a', 'r', 'b'\].* in 3 of 6 rows"):
        X = MultimodalTriples(REPEATED)
    assert X.labels.tolist() == [list(REPEATED[row]) for row in (0, 1, 3)]
    with pytest.raises(ValueError, match=r"3 repeated rows.* drop the repetitions"):
        MultimodalTriples(REPEATED, duplicates="error")
    assert MultimodalTriples(REPEATED, duplicates="keep").labels.tolist() == [list(row) for row in REPEATED]
    with pytest.raises(ValueError, match="duplicates='drop', expected 'warn', 'error' or 'keep'"):
        MultimodalTriples(GOOD, duplicates="drop")


def test_triples_of_labels_that_only_look_alike_are_no_repetitions():
    labels = ["1", 1, 1.0, True, (1, 2), (True, 2), "\u00e9", "e\u0301", "nan", "NA", "007", "7", ""]
    triples = [(label, "r", label) for label in labels]
    X = MultimodalTriples(triples, duplicates="error")
    assert [list(map(repr, row)) for row in X.labels] == [list(map(repr, row)) for row in triples]


def test_repetitions_are_found_where_products_of_ids_overflow():
    table = SimpleNamespace(entities=range(2**31), relations=range(2**31))
    ids = np.array([[4, 0, 0], [0, 0, 0], [4, 0, 0]])
    assert repeated_rows(ids, table).tolist() == [2]


def test_bare_arrays_give_one_prediction_for_each_row(small):
    rows = np.concatenate([small.labels, small.labels[:4]])
    y = np.ones(len(rows))
    kge = OTKGEClassifier(embedding_dim=4, max_iter=1, validation_fraction=0, random_state=0).fit(rows, y)
    assert len(kge.predict(rows)) == len(kge.rank(rows)) == len(rows)


def test_sets_have_no_order(small):
    with pytest.raises(TypeError, match="triples is a set, which has no order; pass a list"):
        MultimodalTriples(set(map(tuple, small.labels)))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_masks_and_matrix_objects_of_numpy(small):
    masked = np.ma.masked_array(np.ones((30, 2)), mask=np.arange(60).reshape(30, 2) < 2)
    for given in (masked, (masked, small.entities)):
        with pytest.raises(TypeError, match=r"modalities\['text'\] is a masked array; .*filled\(np.nan\)"):
            MultimodalTriples(small.labels, {"text": given}, entities=small.entities)
    filled = masked.filled(np.nan)
    for given in (filled, np.matrix(filled)):
        X = MultimodalTriples(small.labels, {"text": given}, entities=small.entities)
        assert X.observed("text").tolist() == [False] + 29 * [True]
        assert type(X.modalities["text"]) is np.ndarray


def test_polars_frame_of_triples():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"tail": ["NA", ""], "note": [1, 2], "head": ["nan", "007"], "relation": [1, 2]})
    X = MultimodalTriples(frame)
    assert X.labels.tolist() == [["nan", 1, "NA"], ["007", 2, ""]]
    with pytest.raises(ValueError, match="missing label in row 1"):
        MultimodalTriples(pl.DataFrame({"head": ["a", None], "relation": ["r", "r"], "tail": ["b", "b"]}))
    with pytest.raises(TypeError, match="triples is a lazy data frame"):
        MultimodalTriples(frame.lazy())
    with pytest.raises(TypeError, match=r"modalities\['text'\] is a lazy data frame"):
        MultimodalTriples(frame, {"text": frame.lazy()})


def test_polars_frame_of_vectors():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame({"x": [1.0, 2.0, None], "entity": ["b", "a", "c"], "y": [3, 4, None]})
    X = MultimodalTriples([("a", "r", "b"), ("b", "r", "c")], {"text": frame})
    np.testing.assert_array_equal(X.modalities["text"], [[2, 4], [1, 3], [np.nan, np.nan]])
    pair = MultimodalTriples([("a", "r", "b"), ("b", "r", "c")], {"text": (frame.drop("entity"), frame["entity"])})
    np.testing.assert_array_equal(pair.modalities["text"], X.modalities["text"])
    with pytest.raises(ValueError, match=r"without index and has the columns 'x', 'y'; name the one .* 'entity'"):
        MultimodalTriples(GOOD, {"text": frame.drop("entity")})
    with pytest.raises(ValueError, match="is a Series"):
        MultimodalTriples(GOOD, {"text": frame["x"]})


def test_matrix_and_labels():
    X = MultimodalTriples([("a", "r", "b")], {"text": ([[1.0, 2.0], [3.0, 4.0]], ["c", "b"])})
    assert X.entities.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(X.modalities["text"], [[np.nan, np.nan], [3, 4], [1, 2]])


def test_tfidf_matrix_is_made_dense_and_its_rows_of_zeros_are_observed():
    texts = ["red cat", "blue dog", "?"]
    sparse = TfidfVectorizer().fit_transform(texts)
    triples = [("a", "r", "b"), ("b", "r", "c")]
    by_order = MultimodalTriples(triples, {"text": sparse}, entities=["a", "b", "c"])
    assert by_order.modalities["text"].dtype == np.float32
    np.testing.assert_allclose(by_order.modalities["text"], sparse.toarray(), rtol=1e-6)
    assert "missing" not in repr(by_order)
    labelled = MultimodalTriples(triples, {"text": (sparse[:2], ["b", "a"])})
    np.testing.assert_array_equal(labelled.modalities["text"][[1, 0]], by_order.modalities["text"][:2])
    assert np.isnan(labelled.modalities["text"][2]).all()


@pytest.mark.parametrize("labelled", [False, True])
def test_memory_mapped_modality_is_not_read_into_memory(tmp_path, rng, labelled):
    np.save(tmp_path / "text.npy", rng.standard_normal((2, 4)))
    mapped = np.load(tmp_path / "text.npy", mmap_mode="r")
    X = MultimodalTriples(GOOD, {"text": (mapped, ["a", "b"]) if labelled else mapped}, entities=["a", "b"])
    assert isinstance(X.modalities["text"], np.memmap)
    assert np.shares_memory(X.modalities["text"], mapped)


def test_csv_read_by_pandas_as_strings_round_trips():
    text = "head,relation,tail\nnan,r,NA\n007,r,\n"
    frame = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    assert MultimodalTriples(frame).labels.tolist() == [["nan", "r", "NA"], ["007", "r", ""]]
