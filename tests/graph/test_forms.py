"""Triples in every form that libraries hold them in; stand-ins for the libraries that are large."""

import gzip
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from skotkge import MultimodalTriples, OTKGEClassifier

IDS = [[0, 0, 1], [1, 0, 2], [2, 1, 0]]
LABELS = [["a", "r", "b"], ["b", "q", "c"]]
COLUMNS = dict(zip(("head", "relation", "tail"), map(list, zip(*LABELS, strict=True)), strict=True))


class ForeignTable:
    """What Hugging Face data sets and Arrow tables have in common."""

    def __init__(self, columns):
        self._columns, self.column_names = columns, list(columns)

    def __getitem__(self, name):
        return self._columns[name]


class HeteroGraph(dict):
    """A HeteroData of PyTorch Geometric, with the method that lazy frames have too."""

    edge_types, node_types = [("person", "likes", "film"), ("film", "by", "person")], ["person", "film"]
    __hash__ = None

    def collect(self, key):
        raise AssertionError


@pytest.mark.parametrize(
    "triples",
    [
        torch.tensor(IDS),
        [torch.tensor(row) for row in IDS],
        [tuple(row) for row in torch.tensor(IDS)],
        {name: torch.tensor(column) for name, column in zip(COLUMNS, zip(*IDS, strict=True), strict=True)},
        SimpleNamespace(mapped_triples=torch.tensor(IDS)),
        SimpleNamespace(edge_index=torch.tensor([[0, 1, 2], [1, 2, 0]]), edge_type=torch.tensor([0, 0, 1])),
        np.array([tuple(row) for row in IDS], dtype=[("head", int), ("relation", int), ("tail", int)]),
    ],
    ids=["tensor", "list of tensors", "rows of tensors", "columns", "PyKEEN core", "PyG Data", "structured array"],
)
def test_numbers(triples):
    X = MultimodalTriples(triples)
    assert X.labels.tolist() == IDS
    assert {type(label) for label in X.entities} == {int}


@pytest.mark.parametrize(
    "make",
    [lambda columns: pd.DataFrame(columns).astype({"head": "Int64", "tail": "UInt8"}), pl.DataFrame],
    ids=["pandas", "polars"],
)
def test_integers_beside_empty_positions_stay_integers(make):
    ids = [(i, "next", (i + 1) % 20) for i in range(20)]
    kge = OTKGEClassifier(embedding_dim=4, max_iter=1, random_state=0).fit(ids)
    asked = make({"head": [1, None], "relation": ["next", "next"], "tail": [None, 3]})
    wanted = kge.complete([(1, "next", None), (None, "next", 3)], k=2)
    assert kge.complete(asked, k=2).labels.tolist() == wanted.labels.tolist()


@pytest.mark.parametrize(
    "triples",
    [
        [dict(zip(COLUMNS, row, strict=True)) for row in LABELS],
        [dict(zip(("subject", "predicate", "object"), row, strict=True)) for row in LABELS],
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS).astype("category"),
        pl.DataFrame(COLUMNS),
        ForeignTable(COLUMNS),
        SimpleNamespace(
            mapped_triples=torch.tensor([[0, 0, 1], [1, 1, 2]]),
            entity_id_to_label={0: "a", 1: "b", 2: "c"},
            relation_id_to_label={0: "r", 1: "q"},
        ),
        SimpleNamespace(
            mapped_triples=torch.tensor([[0, 0, 1], [1, 1, 2]]),
            entity_to_id={"a": 0, "b": 1, "c": 2},
            relation_to_id={"r": 0, "q": 1},
        ),
    ],
    ids=["records", "RDF records", "pandas", "categories", "polars", "data set", "PyKEEN", "PyKEEN ids of labels"],
)
def test_labels(triples):
    assert MultimodalTriples(triples).labels.tolist() == LABELS


def test_typed_edges_of_pytorch_geometric():
    graph = HeteroGraph()
    for edge_type, index in zip(graph.edge_types, ([[0, 1], [0, 0]], [[0], [1]]), strict=True):
        graph[edge_type] = SimpleNamespace(edge_index=torch.tensor(index))
    assert MultimodalTriples(graph).labels.tolist() == [
        ["person:0", "likes", "film:0"],
        ["person:1", "likes", "film:0"],
        ["film:0", "by", "person:1"],
    ]


def test_an_edge_type_without_edges_is_named():
    graph = HeteroGraph({edge_type: SimpleNamespace() for edge_type in HeteroGraph.edge_types})
    with pytest.raises(ValueError, match=r"edge type \('person', 'likes', 'film'\) has no edge_index"):
        MultimodalTriples(graph)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, dict, ForeignTable])
def test_further_columns_go_with_the_rows(make):
    X = MultimodalTriples(make(COLUMNS | {"weight": [0.5, 2.0], "source": ["x", "y"]}))
    assert X.triple_data["weight"].tolist() == [0.5, 2.0]
    assert X[[1]].triple_data["source"].tolist() == ["y"]
    assert MultimodalTriples(X).triple_data["weight"].tolist() == [0.5, 2.0]
    repeated = pd.DataFrame(COLUMNS | {"n": [1, 2]}).loc[[0, 0, 1]]
    with pytest.warns(UserWarning, match="1 repeated row"):
        assert MultimodalTriples(repeated).triple_data["n"].tolist() == [1, 2]


def test_networkx_there_and_back():
    networkx = pytest.importorskip("networkx")
    X = MultimodalTriples(COLUMNS | {"weight": [1, 2]}, names={"a": "Ann"})
    graph = X.to_networkx()
    assert graph.nodes["a"]["name"] == "Ann"
    back = MultimodalTriples(graph)
    assert back.labels.tolist() == LABELS
    assert back.triple_data["weight"].tolist() == [1, 2]
    plain = networkx.DiGraph([("a", "b", {"type": "r"})])
    assert MultimodalTriples(plain).labels.tolist() == [["a", "r", "b"]]
    with pytest.warns(UserWarning, match="without directions"):
        MultimodalTriples(networkx.Graph([("a", "b", {"label": "r"})]))
    with pytest.raises(ValueError, match="edges have no attribute 'relation'"):
        MultimodalTriples(networkx.DiGraph([("a", "b")]))


def test_columns_go_to_networkx_with_their_names():
    pytest.importorskip("networkx")
    graph = MultimodalTriples(COLUMNS | {"key": [1, 2]}).to_networkx()
    assert [(key, data["key"]) for *_, key, data in graph.edges(keys=True, data=True)] == [("r", 1), ("q", 2)]
    with pytest.raises(ValueError, match=r"has a column 'relation'.*rename"):
        MultimodalTriples({"subject": ["a"], "predicate": ["r"], "object": ["b"], "relation": [1]}).to_networkx()


def test_rdflib_graphs_give_the_labels_of_files(tmp_path):
    rdflib = pytest.importorskip("rdflib")
    pytest.importorskip("pyoxigraph")
    text = r'@prefix : <http://x.org/> . :a :p :b ; :q "say \"x\"\n" ; :q "A"@EN ; :q 7 ; :q _:n .'
    (tmp_path / "graph.ttl").write_text(text)
    graph = rdflib.Graph().parse(data=text, format="turtle")
    X, Y = MultimodalTriples(graph), MultimodalTriples.from_rdf(tmp_path / "graph.ttl")
    named = [set(labels[~np.char.startswith(labels.astype(str), "_:")]) for labels in (X.entities, Y.entities)]
    assert named[0] == named[1]
    assert {type(label) for label in X.entities} == {str}
    assert {type(label) for label in MultimodalTriples(list(graph)).entities} == {str}
    data = rdflib.Dataset()
    for name, tail in (("x:g", "x:b"), ("x:h", "x:c")):
        data.graph(rdflib.URIRef(name)).add(tuple(map(rdflib.URIRef, ("x:a", "x:p", tail))))
    X = MultimodalTriples(data)
    assert X.labels.tolist() == [["x:a", "x:p", "x:b"], ["x:a", "x:p", "x:c"]]
    assert X.triple_data["graph"].tolist() == ["x:g", "x:h"]


@pytest.mark.parametrize(
    ("triples", "words"),
    [
        (torch.zeros(2, 2), r"shape \(2, 2\), expected \(n_triples, 3\)"),
        (torch.zeros(3, 7), "transpose it"),
        ([{"head": "a", "relation": "r"}], "record .* at position 0, expected the keys 'head', 'relation', 'tail'"),
        ([{"head": "a", "relation": "r", "tail": "b"}, {}], "position 1, expected the keys"),
        ({"train": ForeignTable(COLUMNS)}, r"of the splits 'train'; pass one of them"),
        (pl.DataFrame(COLUMNS).lazy(), "lazy data frame"),
        (ForeignTable({"a": [1]}), "rename them"),
        (SimpleNamespace(edge_index=torch.zeros(2, 2)), "no edge_type; set edge_type"),
        (SimpleNamespace(edge_index=torch.zeros(2, 2), edge_type=None), "no edge_type; set edge_type"),
    ],
)
def test_wrong_forms_are_named(triples, words):
    with pytest.raises((ValueError, TypeError), match=words):
        MultimodalTriples(triples)


@pytest.mark.parametrize("library", [pd, pl])
def test_frames_there_and_back(library):
    X = MultimodalTriples(COLUMNS | {"weight": [1, 2]})
    frame = X.to_frame(library.__name__)
    assert isinstance(frame, library.DataFrame)
    assert list(frame.columns) == ["head", "relation", "tail", "weight"]
    assert MultimodalTriples(frame).labels.tolist() == LABELS
    with pytest.raises(ValueError, match="library='excel'"):
        X.to_frame("excel")


def test_names_texts_and_pictures(tmp_path):
    (tmp_path / "names.tsv").write_text("a\tAnn\nz\tnobody\n")
    X = MultimodalTriples(
        LABELS, names=tmp_path / "names.tsv", texts={"b": "a text"}, pictures=["a.png", None, "c.png"]
    )
    assert X[:1].names.tolist() == ["Ann", "b", "c"]
    assert X.texts.tolist() == [None, "a text", None]
    assert X.pictures.tolist() == ["a.png", None, "c.png"]
    assert MultimodalTriples(LABELS).names is None
    assert MultimodalTriples(LABELS, names=pd.Series({"c": "Cid"})).names.tolist() == ["a", "b", "Cid"]
    with pytest.raises(ValueError, match=r"names has 1 values, expected 3"):
        MultimodalTriples(LABELS, names=["Ann"])
    with pytest.raises(ValueError, match=r"names has none of the 3 entities"):
        MultimodalTriples(LABELS, names={"z": "Ann"})


@pytest.mark.parametrize(
    "names",
    [
        pd.DataFrame({"name": ["Ann", "Bob"]}, index=["a", "b"]),
        pd.DataFrame({"name": ["Ann", "Bob"], "entity": ["a", "b"]}),
        pl.DataFrame({"entity": ["a", "b"], "name": ["Ann", "Bob"]}),
        ForeignTable({"entity": ["a", "b"], "name": ["Ann", "Bob"]}),
        pd.DataFrame({"name": ["Ann", "Bob", None]}),
        pl.DataFrame({"name": ["Ann", "Bob", None]}),
        pd.Series(["Ann", "Bob", None]),
        [("a", "Ann"), ("b", "Bob")],
        np.array([["a", "Ann"], ["b", "Bob"]]),
        np.array([["Ann"], ["Bob"], [None]], dtype=object),
        [["Ann"], ["Bob"], [None]],
    ],
    ids=lambda names: type(names).__module__,
)
def test_forms_of_names(names):
    assert MultimodalTriples(LABELS, names=names).names.tolist() == ["Ann", "Bob", "c"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("n.csv", 'entity,name\na,"Ann, jr."\nb,Bob\n'),
        ("n.csv", "a;Ann, jr.\nb;Bob\n"),
        ("n.csv.gz", 'a,"Ann, jr."\nb,Bob\n'),
        ("n.tsv.gz", "a\tAnn, jr.\nb\tBob\n"),
    ],
)
def test_files_of_names(tmp_path, file, text):
    write = gzip.compress if file.endswith(".gz") else bytes
    (tmp_path / file).write_bytes(write(text.encode()))
    assert MultimodalTriples(LABELS, names=tmp_path / file).names.tolist() == ["Ann, jr.", "Bob", "c"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (
            pd.DataFrame({"x": ["A"], "y": ["B"]}, index=["a"]),
            "names is a data frame with the columns 'x', 'y'; give a",
        ),
        ({"a": ["Ann"]}, r"names has \['Ann'\] in place of one string; give a mapping"),
        ([("a", "b", "c")] * 3, r"names has .*'c'.* in place of one string"),
        (np.array([["a", "b", "c"]] * 3), "in place of one string"),
        ([("a", "Ann"), ("a", "Bob")], "names has the label 'a' more than once"),
    ],
)
def test_what_is_no_name_for_each_entity_is_refused(names, words):
    with pytest.raises(ValueError, match=words):
        MultimodalTriples(LABELS, names=names)


def test_a_further_column_of_another_length_is_refused():
    for column in ([1], "x", 3):
        with pytest.raises(ValueError, match=r"in the column 'weight' .*, expected 3 values"):
            MultimodalTriples({name: [*"abc"] for name in ("head", "relation", "tail")} | {"weight": column})


def test_names_of_an_attribute(tmp_path):
    path = tmp_path / "graph.ttl"
    path.write_text('@prefix : <x:> . :a :in :b ; :name "Ann"@en ; :name "Anne"@fr . :b :name "Bob"@en ; :age 3 .')
    X = MultimodalTriples.from_rdf(path, literals="attributes", names="x:name@en")
    assert X.names.tolist() == ["Ann", "Bob"]


def test_new_entities_of_a_data_frame():
    X = MultimodalTriples(LABELS, {"text": {"a": [1.0, 0.0]}})
    for frame in (pd.DataFrame([[1, 2]], index=["x"]), pl.DataFrame({"entity": ["x"], "n": [1], "m": [2]})):
        new = X.new_entities(frame)
        assert (new.entities.tolist(), new.modalities["text"].tolist()) == (["x"], [[1.0, 2.0]])


def test_new_entities_come_with_vectors_alone():
    X = MultimodalTriples(LABELS, {"text": {"a": [1.0, 0.0]}, "image": {"b": [1.0]}})
    new = X.new_entities({"text": {"x": [0.5, 0.5], "y": [0.0, 1.0]}})
    assert (len(new), new.entities.tolist()) == (0, ["x", "y"])
    assert not new.observed("image").any()
    for vectors, words in (
        ({"txet": {"x": [1.0, 2.0]}}, "'txet', which is none of .*did you mean 'text'"),
        ({"text": {"x": [1.0]}}, "has 1 columns, expected 2"),
        ({"text": {"a": [1.0, 2.0]}}, "'a', which the table has already"),
        ({"text": [[1.0, 2.0]]}, "has no labels"),
        ({}, "vectors is empty"),
        (pd.DataFrame([[1.0, 2.0]], index=["x"]), "is a data frame, and there are the modalities 'text', 'image'"),
    ):
        with pytest.raises(ValueError, match=words):
            X.new_entities(vectors)
