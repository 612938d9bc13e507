"""Commands that use a saved model or files of triples: export, nearest, explain, split, match, tables of attributes."""

import csv
import re

import numpy as np
import pandas as pd
import pytest

import skotkge
from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher, OTFusionTransformer, OTKGEClassifier
from skotkge.__main__ import main
from skotkge.model_selection import inductive_train_test_split, transductive_train_test_split

QUICK = ["--max-iter", "2", "--n-components", "4", "--quiet"]


def run(*arguments):
    return main([str(argument) for argument in arguments])


def write_lines(path, rows, sep="\t"):
    path.write_text("".join(sep.join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


def read_lines(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter={".tsv": "\t", ".csv": ","}[path.suffix]))


@pytest.fixture(scope="module")
def kge(small):
    X = MultimodalTriples(small.labels, small.modalities, entities=small.entities, names={"e1": "One", "e2": "Two"})
    fused = OTFusionTransformer(8, random_state=0).fit_transform(X)
    return OTKGEClassifier(max_iter=2, random_state=0).fit(fused)


@pytest.fixture(scope="module")
def model(kge, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.skops"
    skotkge.save(kge, path)
    return path


@pytest.fixture(scope="module")
def triples(small, tmp_path_factory):
    path = tmp_path_factory.mktemp("triples") / "all.tsv"
    write_lines(path, small.labels)
    return path


# export
def test_export_writes_what_the_function_writes(model, kge, tmp_path, capsys):
    write_lines(tmp_path / "few.txt", [["e7"], ["e2"]])
    assert run("export", model, tmp_path / "a.npz", "--space", "text", "--entities", tmp_path / "few.txt") == 0
    assert "embeddings of 2 entities written" in capsys.readouterr().out
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays["labels"].tolist() == ["e7", "e2"]
        np.testing.assert_array_equal(arrays["vectors"], kge.embed(["e7", "e2"], "text"))


def test_exported_tables_are_vectors_of_a_fit(model, kge, triples, tmp_path):
    for suffix in ("tsv", "csv"):
        assert run("export", model, tmp_path / f"a.{suffix}") == 0
        vectors = ["--modality", f"before={tmp_path / f'a.{suffix}'}"]
        assert run("fit", triples, *vectors, *QUICK, "--output", tmp_path / "model.skops") == 0
        mean, _ = skotkge.load(tmp_path / "model.skops")["fuse"].fusion_.encoder.scalings["before"]
        np.testing.assert_allclose(mean, kge.embed(kge.entities_).mean(axis=0), rtol=1e-4, atol=1e-6)


# nearest
def test_nearest_shows_and_writes_the_neighbours_with_names(model, kge, tmp_path, capsys):
    expected = kge.nearest(["e1", "e5"], 3, space="image")
    assert run("nearest", model, "--entity", "One", "e5", "-k", "3", "--space", "image") == 0
    out = capsys.readouterr().out
    assert "nearest to e1 One" in out
    assert f"{expected.similarities[0, 0]:.3f}" in out
    write_lines(tmp_path / "asked.txt", [["e5"]])
    asked = ["--entity", "e1", "--entities", tmp_path / "asked.txt", "-k", "3", "--space", "image"]
    assert run("nearest", model, *asked, "--output", tmp_path / "a.csv") == 0
    header, *rows = read_lines(tmp_path / "a.csv")
    assert header == ["entity", "rank", "neighbor", "similarity", "entity_name", "neighbor_name"]
    assert [row[0] for row in rows] == ["e1"] * 3 + ["e5"] * 3
    assert [row[2] for row in rows] == expected.labels.ravel().tolist()
    assert [float(row[3]) for row in rows] == expected.similarities.ravel().tolist()
    assert [row[4] for row in rows] == ["One"] * 3 + [""] * 3
    assert "6 neighbours written" in capsys.readouterr().out


# explain
def test_explain_shows_and_writes_what_the_method_tells(model, kge, small, triples, tmp_path, capsys):
    expected = kge.explain([("e1", "r1", "e2")], side="tail")
    assert run("explain", model, "--head", "One", "--relation", "r1", "--tail", "e2", "--side", "tail") == 0
    out = capsys.readouterr().out
    assert "('e1' (One), r1, 'e2' (Two))" in out.replace("'One'", "'e1' (One)")
    assert f"log-odds {expected.log_odds[0]:.2f}" in out
    assert run("explain", model, "--triples", triples) == 0
    assert capsys.readouterr().out.count("log-odds") == len(small)
    write_lines(tmp_path / "few.tsv", small.labels[:3])
    assert run("explain", model, "--triples", tmp_path / "few.tsv", "--output", tmp_path / "a.csv") == 0
    found = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    frame = kge.explain(small.labels[:3]).to_frame()
    assert found.columns.tolist() == frame.columns.tolist()
    np.testing.assert_allclose(found["contribution"], frame["contribution"])
    assert found["facts"].tolist() == frame["facts"].tolist()


def test_complete_explains_every_answer(model, capsys):
    assert run("complete", model, "--head", "One", "--relation", "r1", "-k", "12", "--why") == 0
    out = capsys.readouterr().out
    assert out.count("log-odds") == 12
    assert "to_frame" not in out


# split
def parts(folder, suffix=".tsv"):
    return {path.stem: [tuple(row) for row in read_lines(path)] for path in sorted(folder.glob(f"*{suffix}"))}


def test_split_at_random_equals_the_function(triples, small, tmp_path, capsys):
    assert run("split", triples, tmp_path / "graph", "--test-size", "20", "--valid-size", "0.1", "--seed", "3") == 0
    found = parts(tmp_path / "graph")
    rest, test = transductive_train_test_split(small.labels, test_size=20, random_state=3)
    n_valid = int(np.ceil(0.1 * len(small)))
    train, valid = transductive_train_test_split(rest, test_size=n_valid, random_state=3)
    for name, expected in (("train", train), ("valid", valid), ("test", test)):
        assert found[name] == [tuple(row) for row in expected]
    assert "20" in capsys.readouterr().out
    assert run("fit", tmp_path / "graph", *QUICK, "--output", tmp_path / "model.skops") == 0


def test_split_by_entities(triples, small, tmp_path, capsys):
    options = ["--by", "entities", "--no-valid", "--to", "csv"]
    assert run("split", triples, tmp_path / "graph", *options) == 0
    found = parts(tmp_path / "graph", ".csv")
    assert found.keys() == {"train", "test"}
    assert {part[0] for part in found.values()} == {("head", "relation", "tail")}
    _, test = inductive_train_test_split(small.labels, random_state=0)
    assert found["test"][1:] == [tuple(row) for row in test]


@pytest.mark.parametrize("column", ["year", "3"])
def test_split_by_time(small, tmp_path, column, capsys):
    years = 2000 + np.arange(len(small))
    rows = [(*triple, year) for triple, year in zip(small.labels, years, strict=True)]
    order = np.random.RandomState(0).permutation(len(rows))
    header = [("head", "relation", "tail", "year")] if column == "year" else []
    write_lines(tmp_path / "all.csv", [*header, *(rows[row] for row in order)], ",")
    reading = ["--header", "yes"] if header else ["--columns", "0,1,2"]
    options = ["--by", "time", "--time", column, "--since", years[-12], "--valid-size", "7", *reading]
    assert run("split", tmp_path / "all.csv", tmp_path / "graph", *options) == 0
    found = {name: set(part) for name, part in parts(tmp_path / "graph").items()}
    labels = [tuple(row) for row in small.labels]
    assert found == {"train": set(labels[:-19]), "valid": set(labels[-19:-12]), "test": set(labels[-12:])}


def test_split_leaves_files_that_are_there(triples, tmp_path, capsys):
    (tmp_path / "valid.csv").write_text("mine")
    assert run("split", triples, tmp_path) == 2
    assert "valid.csv already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["valid.csv"]


# match
def test_match_writes_what_the_matcher_finds(small, tmp_path, capsys):
    renamed = {label: f"f{number}" for number, label in enumerate(small.entities)}
    other = [(renamed[head], f"{relation}!", renamed[tail]) for head, relation, tail in small.labels]
    write_lines(tmp_path / "x.tsv", small.labels)
    write_lines(tmp_path / "y.tsv", other)
    pairs = [(label, renamed[label]) for label in small.entities]
    write_lines(tmp_path / "seeds.csv", pairs[:10], ",")
    write_lines(tmp_path / "test.tsv", pairs[10:])
    vectors = small.modalities["text"]
    for side, labels in (("x", small.entities), ("y", renamed.values())):
        rows = [(label, *vector) for label, vector in zip(labels, vectors, strict=True)]
        write_lines(tmp_path / f"{side}_text.tsv", rows)
    given = [tmp_path / "x.tsv", tmp_path / "y.tsv", "--pairs", tmp_path / "seeds.csv", "--test", tmp_path / "test.tsv"]
    given += [f"--modality-{side}=text={tmp_path}/{side}_text.tsv" for side in "xy"]
    output = tmp_path / "matches.tsv"
    assert run("match", *given, "--n-rounds", "2", "--views", "structure,text", "--output", output) == 0
    out = capsys.readouterr().out
    X = MultimodalTriples(small.labels, {"text": (vectors, small.entities)})
    Y = MultimodalTriples(other, {"text": (vectors, list(renamed.values()))})
    matcher = OTEntityMatcher(n_rounds=2, views=("structure", "text"), random_state=0).fit(
        EntityPairs(pairs[:10], X, Y)
    )
    header, *rows = read_lines(output)
    assert header == ["x", "y", "probability", "known"]
    assert [(x, y) for x, y, *_ in rows] == [pair[:2] for pair in matcher.matches_]
    np.testing.assert_allclose([float(row[2]) for row in rows], [pair[2] for pair in matcher.matches_], rtol=1e-4)
    assert [row[3] for row in rows] == ["1"] * 10 + ["0"] * (len(rows) - 10)
    assert len(rows) == 30  # vectors are the same, so that all are found
    assert f"{matcher.evaluate(pairs[10:])['hits@1']:.3f}" in out
    assert "20 new matches and 10 known pairs written" in out
    assert "left unmatched: 0 of 30 entities of X and 0 of 30 entities of Y" in out.replace("\n", " ")
    # What was written is taken for pairs again.
    assert run("match", *given[:2], "--seeds", output, "--output", tmp_path / "again.tsv") == 0
    assert "0 new matches and 30 known pairs written" in capsys.readouterr().out


# Tables of attributes
def test_attributes_become_modalities(triples, small, tmp_path, capsys):
    rng = np.random.RandomState(0)
    rows = [("entity", "size", "colour", "note")]
    for number, label in enumerate(small.entities[:25]):
        size, colour = rng.randint(99) if number % 3 else "", "red" if number % 2 else "blue"
        rows.append((label, size, colour, f"word {number} of {number**2}"))
    write_lines(tmp_path / "table.csv", rows, ",")
    fit = ["fit", triples, "--attributes", tmp_path / "table.csv", *QUICK, "--output", tmp_path / "model.skops"]
    assert run(*fit, "--attributes-spec", "colour=drop", "--attributes-n-components", "3") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "numbers: 1 column, 14 rows missing; text: 3 columns, 5 rows missing" in told
    fitted = skotkge.load(tmp_path / "model.skops")
    assert fitted["fuse"].modality_names_ == ["numbers", "text"]
    assert fitted["kge"].predictor_.encoder.scalings["text"][0].shape == (3,)
    assert run(*fit) == 0
    assert "categories: 2 columns" in " ".join(capsys.readouterr().out.split())


WRONG = {
    "export kind": ("export {model} {tmp}/a.bin", "OUTPUT {tmp}/a.bin: expected a name that ends with .txt"),
    "export space": ("export {model} {tmp}/a.npz --space sound", "space='sound'; the model has the spaces"),
    "export entity": ("export {model} {tmp}/a.npz --entities {tmp}/stranger.tsv", "'stranger'"),
    "nobody": ("nearest {model}", "no entity is asked about"),
    "stranger": ("nearest {model} --entity e100", "labels that the model does not know: 'e100' (similar"),
    "neighbours of none": ("nearest {model} --entity e1 -k 0", "k == 0, must be >= 1"),
    "two of three": ("explain {model} --head e1 --tail e2", "2 of --head, --relation and --tail are given; give all"),
    "both": ("explain {model} --head e1 --triples {triples}", "give one or the other"),
    "unknown": ("explain {model} --head e100 --relation r1 --tail e2", "--head 'e100' is none of the 30 labels"),
    "unknown in file": ("explain {model} --triples {tmp}/stranger.tsv", "names 'stranger'"),
    "output": ("explain {model} --triples {triples} --output {tmp}/a.json", "ends with .csv or .tsv"),
    "time without": ("split {triples} {tmp}/g --time 3", "belong together"),
    "by time without": ("split {triples} {tmp}/g --by time", "belong together"),
    "since without": ("split {triples} {tmp}/g --since 3", "--since is a time"),
    "pairs elsewhere": ("split {triples} {tmp}/g --by entities --keep-pairs", "--keep-pairs is for --by random"),
    "no column": ("split {triples} {tmp}/g --by time --time 7", "has no further column 7"),
    "no date": ("split {tmp}/days.tsv {tmp}/g --by time --time 3 --columns 0,1,2", "'soon', which is neither"),
    "size": ("split {triples} {tmp}/g --test-size many", "'many' is neither a share such as 0.1 nor a number"),
    "too large": ("split {triples} {tmp}/g --test-size 1000", "leaves none"),
    "nothing to test": ("split {triples} {tmp}/g --test-size 0", "leaves nothing to test"),
    "not pairs": ("match {triples} {triples} --pairs {triples}", "line 1: expected two labels"),
    "pair of strangers": ("match {triples} {triples} --pairs {tmp}/pairs.tsv", "no entities of the graph"),
    "no labels": ("match {triples} {triples} --modality-x a={tmp}/a.npy", "--modality-x a={tmp}/a.npy has no labels"),
    "rounds": ("match {triples} {triples} --n-rounds 0", "The 'n_rounds' parameter of OTEntityMatcher"),
    "entity column": ("fit {triples} --attributes {tmp}/table.csv", "no column 'entity'.*--attributes-entity"),
    "attribute kind": (
        "fit {triples} --attributes {tmp}/table.csv --attributes-entity who --attributes-spec size=heavy",
        "'heavy'",
    ),
    "short line": ("fit {triples} --attributes {tmp}/short.csv", "line 3: 1 fields in place of 2"),
    "same name": (
        "fit {triples} --attributes {tmp}/table.csv --attributes-entity who --modality numbers={tmp}/vectors.tsv",
        "makes the modality 'numbers', and --modality does",
    ),
}


@pytest.mark.parametrize(("command", "told"), WRONG.values(), ids=list(WRONG))
def test_wrong_input_is_told_in_one_line(command, told, model, triples, tmp_path, capsys):
    write_lines(tmp_path / "stranger.tsv", [["stranger", "r1", "e1"]])
    write_lines(tmp_path / "pairs.tsv", [["stranger", "e1"]])
    write_lines(tmp_path / "days.tsv", [["e1", "r1", "e2", "soon"], ["e2", "r1", "e1", "2024"]])
    write_lines(tmp_path / "table.csv", [["who", "size"], ["e1", 3], ["e2", 4]], ",")
    write_lines(tmp_path / "short.csv", [["entity", "size"], ["e1", 3], ["e2"]], ",")
    write_lines(tmp_path / "vectors.tsv", [["e1", 1.5, 2], ["e2", 3, 4]])
    np.save(tmp_path / "a.npy", np.zeros((2, 3)))
    arguments = command.format(model=model, triples=triples, tmp=tmp_path).split()
    arguments += ["--output", str(tmp_path / "m.skops")] if arguments[0] == "fit" else []
    try:
        status = main(arguments)
    except SystemExit as exit:
        status = exit.code
    captured = capsys.readouterr()
    assert status == 2
    assert len(captured.err.splitlines()) == 1
    assert re.search(".*".join(map(re.escape, told.format(tmp=tmp_path).split(".*"))), captured.err), captured.err
