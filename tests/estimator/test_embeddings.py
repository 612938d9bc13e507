"""Embeddings by label: `embed`, files and graphs of other libraries."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.baselines import RuleBaseline, TranslationBaseline


@pytest.fixture(scope="module")
def pipe(small):
    fuse, kge = OTFusionTransformer(8, random_state=0), OTKGEClassifier(max_iter=2, random_state=0)
    return Pipeline([("fuse", fuse), ("kge", kge)]).fit(small)


@pytest.fixture(scope="module")
def kge(pipe):
    return pipe["kge"]


@pytest.fixture(scope="module")
def spaced():
    """A model whose labels have blanks, and names."""
    triples = [(f"emoji {i}", "next", f"emoji {(i + 1) % 9}") for i in range(9)]
    X = MultimodalTriples(triples, names={f"emoji {i}": f"the {i}th" for i in range(1, 9)})
    return OTKGEClassifier(embedding_dim=4, max_iter=1, validation_fraction=0, random_state=0).fit(X)


# embed
@pytest.mark.parametrize("space", [None, "fused", "text", "image", "structure"])
def test_embeddings_are_the_rows_of_the_space_in_the_order_asked(kge, space):
    asked = [3, 11, 3, 0]
    found = kge.embed(kge.entities_[asked], space)
    np.testing.assert_array_equal(found, kge.space_embeddings_[space or "fused"][asked])
    found[:] = 0  # a copy: the model stays as it was
    assert kge.space_embeddings_[space or "fused"][asked].any()


def test_the_function_takes_estimators_and_pipelines(pipe, kge):
    expected = kge.embed(["e4"], "text")
    for model in (pipe, kge):
        np.testing.assert_array_equal(skotkge.embed(model, ["e4"], "text"), expected)
        np.testing.assert_array_equal(skotkge.embed(model, ["e4"], space="text"), expected)
    with pytest.raises(TypeError, match="cannot embed"):
        skotkge.embed(OTFusionTransformer(), ["e4"])


def test_embeddings_of_neighbors_have_the_similarities_told(kge):
    labels, similarities = kge.nearest(["e4"], k=3)
    vectors = kge.embed(["e4", *labels[0]]).astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(vectors[1:] @ vectors[0], similarities[0], rtol=1e-5)


def test_unseen_entities_with_the_vectors_of_seen_ones_get_their_rows(kge, small):
    has_image = small.observed("image")
    row = int(np.flatnonzero(has_image)[0])
    vectors = {name: (matrix[[row]], ["stranger"]) for name, matrix in small.modalities.items()}
    new = small.new_entities(vectors)
    for space in ("text", "image"):
        found = kge.embed(["stranger", small.entities[row]], space, new_entities=new)
        np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-6)
    with pytest.raises(ValueError, match="'stranger'"):
        kge.embed(["stranger"])


def test_names_do_for_labels(spaced):
    np.testing.assert_array_equal(spaced.embed(["the 3th"]), spaced.embed(["emoji 3"]))


def test_what_is_not_known_is_named(kge, small):
    with pytest.raises(ValueError, match=r"labels has labels that the model does not know: 'e100' \(similar to"):
        kge.embed(["e1", "e100"])
    with pytest.raises(ValueError, match=r"space='sound'; the model has the spaces 'structure', 'text'"):
        kge.embed(["e1"], "sound")
    with pytest.raises(TypeError, match="='e1' is a single value"):
        kge.embed("e1")
    rules = RuleBaseline().fit(small)
    for method in (rules.embed, rules.nearest):
        with pytest.raises(ValueError, match="no trained space"):
            method(["e1"])


def test_baselines_with_spaces_embed(small):
    baseline = TranslationBaseline(max_iter=1, random_state=0).fit(small)
    assert baseline.embed(["e1", "e2"]).shape == (2, baseline.entity_embeddings_.shape[1])


# Files
def read_word2vec(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines.pop() == ""
    shape = tuple(map(int, lines[0].split(" ")))
    rows = [line.split(" ") for line in lines[1:]]
    return [row[0] for row in rows], np.array([row[1:] for row in rows], dtype=np.float32).reshape(shape)


def read_table(path):
    frame = pd.read_csv(path, sep={".csv": ",", ".tsv": "\t"}[path.suffix], dtype={"entity": str})
    return frame["entity"].tolist(), frame.iloc[:, 1:].to_numpy(np.float32)


def read_parquet(path):
    frame = pl.read_parquet(path)
    return frame["entity"].to_list(), frame.select(pl.selectors.float()).to_numpy()


def read_npz(path):
    with np.load(path, allow_pickle=False) as arrays:
        return arrays["labels"].tolist(), arrays["vectors"]


READERS = {
    ".txt": read_word2vec,
    ".vec": read_word2vec,
    ".parquet": read_parquet,
    ".npz": read_npz,
    ".tsv": read_table,
    ".csv": read_table,
}


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("space", [None, "text"])
def test_files_hold_every_label_and_number(pipe, kge, tmp_path, suffix, space):
    path = tmp_path / f"embeddings{suffix}"
    skotkge.export_embeddings(pipe, path, space=space)
    labels, vectors = READERS[suffix](path)
    assert labels == kge.entities_.tolist()
    np.testing.assert_array_equal(vectors, kge.space_embeddings_[space or "fused"])
    skotkge.export_embeddings(kge, path, space=space, entities=["e7", "e2"])
    labels, vectors = READERS[suffix](path)
    assert labels == ["e7", "e2"]
    np.testing.assert_array_equal(vectors, kge.embed(["e7", "e2"], space))
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_names_go_where_there_is_room_for_them(spaced, tmp_path):
    skotkge.export_embeddings(spaced, tmp_path / "a.npz")
    skotkge.export_embeddings(spaced, tmp_path / "a.parquet")
    expected = ["emoji 0", *(f"the {i}th" for i in range(1, 9))]
    with np.load(tmp_path / "a.npz") as arrays:
        assert dict(zip(arrays["labels"].tolist(), arrays["names"].tolist(), strict=True)) == dict(
            zip(spaced.entities_.tolist(), expected, strict=True)
        )
        assert arrays["space"] == "structure"
    frame = pl.read_parquet(tmp_path / "a.parquet")
    assert frame.columns == ["entity", "name", *(f"structure{i}" for i in range(4))]
    assert frame["name"].to_list() == expected


def test_blanks_in_labels_need_a_word_in_word2vec_text(spaced, tmp_path):
    path = tmp_path / "a.txt"
    with pytest.raises(ValueError, match=r"labels have some: 'emoji 0'.*blanks='_'"):
        skotkge.export_embeddings(spaced, path)
    assert not path.exists()
    skotkge.export_embeddings(spaced, path, blanks="_")
    labels, vectors = read_word2vec(path)
    assert labels == [label.replace(" ", "_") for label in spaced.entities_]
    np.testing.assert_array_equal(vectors, spaced.entity_embeddings_)
    for wrong in (" ", "", "a b", 3):
        with pytest.raises(ValueError, match="blanks="):
            skotkge.export_embeddings(spaced, path, blanks=wrong)


def fit_on(labels):
    triples = [(head, "next", tail) for head, tail in zip(labels, [*labels[1:], labels[0]], strict=True)]
    return OTKGEClassifier(embedding_dim=4, max_iter=1, validation_fraction=0, random_state=0).fit(triples)


def test_labels_that_would_become_one_are_refused(tmp_path):
    with pytest.raises(ValueError, match="several labels become 'a_b'"):
        skotkge.export_embeddings(fit_on(["a b", "a_b", "c"]), tmp_path / "a.txt", blanks="_")


def test_integers_stay_integers(tmp_path):
    kge = fit_on([7, 3, 2**40])
    skotkge.export_embeddings(kge, tmp_path / "a.npz")
    skotkge.export_embeddings(kge, tmp_path / "a.parquet")
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["labels"].tolist() == [7, 3, 2**40]
    assert pl.read_parquet(tmp_path / "a.parquet")["entity"].to_list() == [7, 3, 2**40]


@pytest.mark.parametrize("labels", [["a", 1, "c"], [("a", 1), ("b", 2)], ["a\0", "b"], [2**70, 1]])
def test_labels_that_a_file_cannot_hold_are_refused(labels, tmp_path):
    with pytest.raises(ValueError, match="labels of the type"):
        skotkge.export_embeddings(fit_on(labels), tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_tabs_need_quotes(tmp_path):
    kge = fit_on(["a\tb", 'c "d"', "e"])
    with pytest.raises(ValueError, match=r"write a \.csv file"):
        skotkge.export_embeddings(kge, tmp_path / "a.tsv")
    skotkge.export_embeddings(kge, tmp_path / "a.csv")
    assert read_table(tmp_path / "a.csv")[0] == ["a\tb", 'c "d"', "e"]


def test_names_of_files_are_checked(kge, tmp_path):
    with pytest.raises(ValueError, match=r"a\.bin: expected a name that ends with \.txt"):
        skotkge.export_embeddings(kge, tmp_path / "a.bin")
    with pytest.raises(ValueError, match="there is no folder"):
        skotkge.export_embeddings(kge, tmp_path / "nowhere" / "a.npz")
    with pytest.raises(TypeError, match="names no file"):
        skotkge.export_embeddings(kge, 3)


def test_parquet_without_polars_names_the_remedy(kge, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "polars", None)
    with pytest.raises(ImportError, match="pip install polars"):
        skotkge.export_embeddings(kge, tmp_path / "a.parquet")


# Graphs
def test_networkx_nodes_have_their_rows(pipe, kge, small):
    graph = skotkge.to_networkx(pipe)
    assert {(head, relation, tail) for head, tail, relation in graph.edges(keys=True)} == set(map(tuple, small.labels))
    for label, row in zip(kge.entities_, kge.space_embeddings_["fused"], strict=True):
        np.testing.assert_array_equal(graph.nodes[label]["embedding"], row)
    few = skotkge.to_networkx(kge, [("e1", "likes", "e2")], space="text")
    assert list(few.edges(keys=True)) == [("e1", "e2", "likes")]
    np.testing.assert_array_equal(few.nodes["e2"]["embedding"], kge.embed(["e2"], "text")[0])
    with pytest.raises(ValueError, match="'stranger'"):
        skotkge.to_networkx(kge, [("e1", "likes", "stranger")])


@pytest.fixture
def pyg():
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        return pytest.importorskip("torch_geometric")


def test_pyg_has_the_rows_as_features_and_the_triples_as_typed_edges(pyg, kge, small):
    data = skotkge.to_pyg(kge)
    assert isinstance(data, pyg.data.Data)
    data.validate()
    np.testing.assert_array_equal(data.x.numpy(), kge.space_embeddings_["fused"])
    ids = np.column_stack([data.edge_index[0], data.edge_type, data.edge_index[1]])
    labels = {(data.entities[head], data.relations[kind], data.entities[tail]) for head, kind, tail in ids.tolist()}
    assert labels == set(map(tuple, small.labels))
    assert len(ids) == len(small)
    assert len(MultimodalTriples(data)) == len(small)
    assert skotkge.to_pyg(kge, small[:5], space="text").edge_index.shape == (2, 5)


def test_pyg_that_is_missing_is_told_with_the_remedy(kge, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch_geometric", None)
    monkeypatch.setitem(__import__("sys").modules, "torch_geometric.data", None)
    with pytest.raises(ImportError, match="pip install torch_geometric"):
        skotkge.to_pyg(kge)
