"""The folder of a graph: what is read of it, and what is not."""

import numpy as np
import pytest
from explored import write_folder

from skotkge._explore.folders import check_picture, read_folder


def lines(path):
    return [tuple(line.split("\t")) for line in path.read_text().splitlines()]


def read(folder):
    return read_folder(folder, lambda path: np.array(lines(path), dtype=object))


def test_all_files_are_read(tmp_path):
    folder = read(write_folder(tmp_path / "graph"))
    assert folder.triples.tolist()[0] == ["Q0", "likes", "Q9"]
    assert folder.texts == {"Q0": "The <i>first</i> of all."}
    assert folder.pictures["Q0"] == "pictures/ada.png"
    assert folder.names == {}


def test_columns_of_the_entities_are_texts_where_there_are_no_others(tmp_path):
    (tmp_path / "entities.tsv").write_text("a\tword\tgloss\nb\n")
    assert read(tmp_path).texts == {"a": "word · gloss"}
    (tmp_path / "texts.tsv").write_text("b\tother\n")
    assert read(tmp_path).texts == {"b": "other"}


def test_a_folder_without_any_of_them_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has none of the files train, valid or test"):
        read(tmp_path)
    with pytest.raises(ValueError, match="is no folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("outside", ["../secret.png", "/etc/passwd", "/etc/logo.png", "pictures/../../x.png"])
def test_pictures_outside_of_the_folder_are_refused(tmp_path, outside):
    folder = write_folder(tmp_path / "graph")
    (folder / "pictures.tsv").write_text(f"Q0\t{outside}\n")
    with pytest.raises(ValueError, match=r"the picture of 'Q0' is .*outside of the folder"):
        read(folder)


def test_a_link_does_not_lead_outside(tmp_path):
    folder = write_folder(tmp_path / "graph")
    (tmp_path / "private.png").write_bytes(b"x")
    (folder / "linked.png").symlink_to(tmp_path / "private.png")
    with pytest.raises(ValueError, match="outside of the folder"):
        check_picture(folder.resolve(), "linked.png")


@pytest.mark.parametrize("name", ["secret.txt", "page.html", "drawing.svg", "pictures"])
def test_what_is_no_picture_is_refused(tmp_path, name):
    folder = write_folder(tmp_path / "graph")
    (folder / "pictures.tsv").write_text(f"Q0\t{name}\n")
    with pytest.raises(ValueError, match="expected a name that ends with"):
        read(folder)


def test_an_entity_has_one_line(tmp_path):
    (tmp_path / "names.tsv").write_text("a\tone\na\ttwo\n")
    with pytest.raises(ValueError, match="names 'a' more than once"):
        read(tmp_path)
