"""Texts and pictures of entities: kept by fitted models and their files, beside the names."""

from pathlib import Path

import numpy as np
import pytest

import skotkge
from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher, OTKGEClassifier, load, merge, save
from skotkge.__main__ import main
from skotkge.baselines import RuleBaseline

TRIPLES = [(f"e{i}", "r", f"e{(i + 1) % 12}") for i in range(12)]
TOLD = {"names": {"e0": "Bagel"}, "texts": {"e1": "Bread\nand more"}, "pictures": {"e2": Path("a/b.png")}}
OPTIONS = dict(embedding_dim=2, max_iter=2, validation_fraction=0, random_state=0)


def told_of(model):
    """What a model tells of the first three entities, and of all others."""
    kept = model.entity_names_, model.entity_texts_, model.entity_pictures_
    return [values.tolist()[:3] for values in kept], {values[3] for values in kept}


EXPECTED = [["Bagel", "e1", "e2"], [None, "Bread\nand more", None], [None, None, str(Path("a/b.png"))]], {"e3", None}


@pytest.mark.parametrize("ending", ["skops", "joblib"])
@pytest.mark.parametrize("model", [OTKGEClassifier(**OPTIONS), RuleBaseline(random_state=0)], ids=["kge", "rules"])
def test_models_and_their_files_keep_them(model, ending, tmp_path):
    model = model.fit(MultimodalTriples(TRIPLES, **TOLD))
    assert told_of(model) == EXPECTED
    save(model, tmp_path / f"model.{ending}")
    assert told_of(load(tmp_path / f"model.{ending}", trusted=ending == "joblib")) == EXPECTED


def test_without_any_there_are_none():
    model = RuleBaseline(random_state=0).fit(TRIPLES)
    assert (model.entity_names_, model.entity_texts_, model.entity_pictures_) == (None, None, None)


@pytest.mark.parametrize("before", [TOLD, {}], ids=["before", "new alone"])
def test_a_grown_model_has_those_of_new_entities(before):
    kge = OTKGEClassifier(**OPTIONS).fit(MultimodalTriples(TRIPLES, **before))
    kge.partial_fit(
        MultimodalTriples([("e0", "r", "n"), ("n", "s", "e1")], texts={"n": "new"}, pictures={"n": "n.png"})
    )
    kept = kge.entity_texts_.tolist(), kge.entity_pictures_.tolist()
    assert [values[-1] for values in kept] == ["new", "n.png"]
    assert [values[1] for values in kept] == ["Bread\nand more" if before else None, None]
    assert (None if kge.entity_names_ is None else kge.entity_names_[-1]) == ("n" if before else None)
    assert kge.forget([("n", "s", "e1")]).entity_texts_[-1] == "new"


def test_the_model_of_a_checkpoint_has_them(tmp_path):
    OTKGEClassifier(**OPTIONS, checkpoint=tmp_path).fit(MultimodalTriples(TRIPLES, **TOLD))
    model = skotkge.load_checkpoint(tmp_path)
    assert told_of(model) == EXPECTED
    assert model.complete([("bagel", "r", None)], k=1).questions.labels[0, 0] == "e0"


def test_a_matcher_keeps_those_of_both_graphs_and_a_merger_joins_them(tmp_path):
    X = MultimodalTriples(TRIPLES, **TOLD)
    other = [(f"o{i}", "r", f"o{(i + 1) % 13}") for i in range(13)]
    Y = MultimodalTriples(other, texts={"o1": "other bread", "o4": "four"}, pictures={"o12": "x.png"})
    matcher = OTEntityMatcher("exact", n_rounds=1, views=["structure"], random_state=0).fit(
        EntityPairs([("e0", "o0"), ("e1", "o1")], X, Y)
    )
    save(matcher, tmp_path / "matcher.skops")
    first, second = load(tmp_path / "matcher.skops").vocabularies_
    assert first.texts[1] == "Bread\nand more"
    assert second.names is None
    assert second.texts[[1, 4]].tolist() == ["other bread", "four"]
    both = merge(X, Y, [(f"e{i}", f"o{i}") for i in range(12)])
    assert both.entities.tolist() == [*X.entities, "o12"]
    assert both.texts[[1, 4, 12]].tolist() == ["Bread\nand more", "four", None]
    assert both.pictures[[2, 12]].tolist() == [str(Path("a/b.png")), "x.png"]
    assert both.names[:2].tolist() == ["Bagel", "e1"]


def test_new_entities_come_with_them():
    X = MultimodalTriples(TRIPLES, {"text": {"e0": [1.0, 2.0]}})
    new = X.new_entities({"text": {"n": [0.0, 1.0]}}, texts={"n": "a text"}, pictures=["n.png"])
    assert (new.names, new.texts.tolist(), new.pictures.tolist()) == (None, ["a text"], ["n.png"])


def test_slices_share_them():
    X = MultimodalTriples(TRIPLES, **TOLD)
    assert X[3:5].texts is X.texts
    assert X.with_triples(TRIPLES[:1]).pictures is X.pictures


def test_command_line_keeps_them(tmp_path):
    (tmp_path / "graph.tsv").write_text("".join(f"{h}\t{r}\t{t}\n" for h, r, t in TRIPLES))
    (tmp_path / "texts.tsv").write_text("e1\ta text\n")
    (tmp_path / "pictures.tsv").write_text("e2\tp.png\n")
    files = [part for what in ("texts", "pictures") for part in (f"--{what}", str(tmp_path / f"{what}.tsv"))]
    arguments = [*files, "--max-iter", "1", "--n-components", "4", "--quiet", "--output", str(tmp_path / "model.skops")]
    assert main(["fit", str(tmp_path / "graph.tsv"), *arguments]) == 0
    model = load(tmp_path / "model.skops")
    model = model[-1] if hasattr(model, "steps") else model
    assert np.count_nonzero(model.entity_texts_) == 1
    assert model.entity_pictures_[2] == "p.png"
