"""Both layouts of DBP15K, written small."""

import gzip

import numpy as np
import pytest

from skotkge.datasets import load_dbp15k


@pytest.fixture
def ours(tmp_path):
    np.savez(
        tmp_path / "graphs.npz",
        triples_1=np.array([[0, 0, 1], [1, 1, 2]]),
        triples_2=np.array([[1, 0, 0]]),
        pairs=np.array([[0, 1], [1, 0]]),
    )
    for number, names in enumerate((["Rome", "Paris", "Paris"], ["Parigi", "Roma"]), start=1):
        with gzip.open(tmp_path / f"entities_{number}.txt.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(names) + "\n")
    return tmp_path


@pytest.fixture
def field(tmp_path):
    prefix = "http://xx.dbpedia.org/resource/"
    files = {
        "ent_ids_1": [f"0\t{prefix}Rome", f"1\t{prefix}Paris", f"2\t{prefix}Paris_(Texas)"],
        "ent_ids_2": [f"10\t{prefix}Parigi", f"11\t{prefix}Roma"],
        "triples_1": ["0\t7\t1", "1\t8\t2"],
        "triples_2": ["11\t20\t10"],
        "ref_ent_ids": ["0\t11"],
        "sup_ent_ids": ["1\t10"],
    }
    for name, lines in files.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_our_layout(ours):
    data = load_dbp15k(ours)
    assert data.pairs.labels.tolist() == [["Rome", "Roma"], ["Paris", "Parigi"]]
    assert data.X.labels.tolist() == [["Rome", "1:0", "Paris"], ["Paris", "1:1", "Paris [2]"]]
    assert data.entity_names[0].tolist() == ["Rome", "Paris", "Paris"]


def test_the_layout_of_the_field(field):
    data = load_dbp15k(field)
    assert data.pairs.labels.tolist() == [["Rome", "Roma"], ["Paris", "Parigi"]]
    assert data.X.labels.tolist() == [["Rome", "1:0", "Paris"], ["Paris", "1:1", "Paris (Texas)"]]
    assert data.Y.labels.tolist() == [["Roma", "2:0", "Parigi"]]


def test_neither_layout_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="has neither"):
        load_dbp15k(tmp_path)


def test_missing_pairs_are_named(field):
    for name in ("ref_ent_ids", "sup_ent_ids"):
        (field / name).unlink()
    with pytest.raises(FileNotFoundError, match="no file of pairs"):
        load_dbp15k(field)
