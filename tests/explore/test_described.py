"""Names, texts and pictures on the page: of the folder of the graph, or else of the model."""

import argparse
from pathlib import Path

import numpy as np
import pytest
from explored import png

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher
from skotkge._cli._explore import make_site
from skotkge._explore.described import Described
from skotkge._explore.folders import GraphFolder
from skotkge.baselines import RuleBaseline

TRIPLES = [("a", "likes", "b"), ("b", "likes", "c"), ("c", "likes", "a")]


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(png(2, 2))
    (folder / "page.html").write_text("no picture")
    (tmp_path / "private.png").write_bytes(png(2, 2))
    return folder


def described(picture_folder, **told):
    labels = np.array(["a", "b", "c"], dtype=object)
    return Described(
        labels, {what: np.array(values, dtype=object) for what, values in told.items()}, None, picture_folder
    )


def test_what_the_model_tells_is_shown(pictures):
    told = described(pictures, names=["Ada", "b", "c"], texts=[None, "a text", None], pictures=["a.png", None, "b.png"])
    assert told.names == ["Ada", "b", "c"]
    assert [told.text(place) for place in range(3)] == [None, "a text", None]
    assert [path and path.name for path in map(told.picture, range(3))] == ["a.png", None, "b.png"]
    assert told.first_lost_picture is None


@pytest.mark.parametrize("picture", ["../private.png", "{outside}", "page.html", "gone.png", "/etc/passwd", "", "."])
def test_no_file_outside_of_the_folder_is_a_picture(pictures, picture):
    picture = picture.format(outside=pictures.parent / "private.png")
    told = described(pictures, pictures=[None, picture, "a.png"])
    assert told.picture(1) is None
    assert told.picture(2) is not None
    assert told.first_lost_picture == picture


def test_whole_paths_inside_of_the_folder_are_pictures(pictures):
    assert described(pictures, pictures=[str(pictures / "a.png"), None, None]).picture(0).name == "a.png"
    assert described(None, pictures=[str(pictures / "a.png"), None, None]).picture(0) is None


def test_the_folder_of_the_graph_comes_first(pictures):
    labels = np.array(["a", "b", "new"], dtype=object)
    told = dict(names=np.array(["A", "B"], dtype=object), texts=np.array(["old", "old"], dtype=object), pictures=None)
    graph = GraphFolder(
        pictures, np.empty((0, 3), dtype=object), {"a": "Ann", "new": "New"}, {"b": "new"}, {"a": "b.png"}
    )
    both = Described(labels, told, graph)
    assert both.names == ["Ann", "B", "New"]
    assert [both.text(place) for place in range(3)] == ["old", "new", None]
    assert both.picture(0).name == "b.png"


def site_of(model, folder, monkeypatch, **options):
    monkeypatch.setattr("skotkge._cli._explore._load", lambda path, trust: model)
    path = folder / "model.skops"
    path.write_bytes(b"")
    given = dict(model=path, graph=[], pictures=None, trust=False) | options
    return make_site(argparse.Namespace(**given), folder / "decisions.tsv")


def test_the_pictures_of_a_model_lie_beside_it_or_where_it_is_told(pictures, monkeypatch, capsys):
    X = MultimodalTriples(TRIPLES, texts={"b": "a text"}, pictures={"a": Path("a.png")})
    model = RuleBaseline(random_state=0).fit(X)
    table = site_of(model, pictures, monkeypatch).answers.entities
    assert (table.text(1), table.picture(0).name, capsys.readouterr().err) == ("a text", "a.png", "")
    table = site_of(model, pictures.parent, monkeypatch).answers.entities
    assert table.picture(0) is None
    assert "the first picture that the model names, 'a.png', is none in" in capsys.readouterr().err
    table = site_of(model, pictures.parent, monkeypatch, pictures=pictures).answers.entities
    assert (table.picture(0).name, capsys.readouterr().err) == ("a.png", "")
    with pytest.raises(ValueError, match=r"--pictures .*gone is no folder"):
        site_of(model, pictures, monkeypatch, pictures=pictures / "gone")


def test_a_matcher_tells_of_both_graphs(pictures, monkeypatch):
    X = MultimodalTriples(TRIPLES, names={"a": "Ada"}, texts={"b": "of X"})
    Y = MultimodalTriples(TRIPLES, pictures={"c": "a.png"})
    matcher = OTEntityMatcher("exact", n_rounds=1, views=["structure"], random_state=0).fit(
        EntityPairs([("a", "a"), ("b", "b")], X, Y)
    )
    first, second = site_of(matcher, pictures, monkeypatch).answers.tables.values()
    assert (first.name(0), first.text(1), first.picture(2)) == ("Ada", "of X", None)
    assert (second.name(0), second.text(1), second.picture(2).name) == ("a", None, "a.png")
