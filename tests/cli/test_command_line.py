"""``python -m skotkge`` on real files: fit, evaluate and complete, and what it says to wrong input."""

import csv
import gzip
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from importlib.resources import files

import joblib
import numpy as np
import pandas as pd
import pytest
from helpers import REPOSITORY

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier, __version__
from skotkge.__main__ import main
from skotkge._embedding import trainer
from skotkge._graph.vocabulary import Vocabulary
from skotkge.baselines import RuleBaseline

QUICK = ["--max-iter", "2", "--n-components", "4", "--quiet"]


class Strange:
    """A type that nobody trusts."""


def write_lines(path, rows, sep="\t"):
    path.write_text("".join(sep.join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, small):
    """The small graph in files: three splits, all entities, text in their order and image by label."""
    folder = tmp_path_factory.mktemp("graph")
    labels = small.labels
    for split, rows in (("train", labels[20:]), ("valid", labels[10:20]), ("test", labels[:10])):
        write_lines(folder / f"{split}.tsv", rows)
    write_lines(folder / "entities.tsv", [(label, "a description") for label in small.entities])
    np.save(folder / "text.npy", small.modalities["text"])
    observed = ~np.isnan(small.modalities["image"]).any(axis=1)
    rows = zip(small.entities[observed], small.modalities["image"][observed], strict=True)
    write_lines(folder / "image.csv", [["entity", *"abcdef"], *([label, *vector] for label, vector in rows)], ",")
    return folder


@pytest.fixture(scope="module")
def model(folder):
    path = folder / "model.skops"
    vectors = ["--modality", f"text={folder / 'text.npy'}", "--modality", f"image={folder / 'image.csv'}"]
    assert main(["fit", str(folder), *vectors, *QUICK, "--output", str(path)]) == 0
    return path


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_fit_on_a_folder_equals_the_estimators(model, folder, small):
    fitted = skotkge.load(model)
    assert fitted["fuse"].modality_names_ == ["text", "image"]
    assert fitted["kge"].entities_.tolist() == small.entities.tolist()
    table = dict(entities=small.entities, relations=fitted["kge"].relations_)
    train = MultimodalTriples.from_tsv(folder / "train.tsv", small.modalities, **table)
    expected = skotkge.load(model).set_params(kge__random_state=0)
    expected.fit(train, kge__X_val=small.labels[10:20])
    np.testing.assert_array_equal(expected["kge"].entity_embeddings_, fitted["kge"].entity_embeddings_)


def test_fit_prints_training_and_validation_results(folder, tmp_path, capsys):
    assert run("fit", folder, *QUICK, "--score-function", "distmult", "--output", tmp_path / "model.skops") == 0
    out = capsys.readouterr().out
    assert "validation score" in out
    assert "Validation triples" in out
    fitted = skotkge.load(tmp_path / "model.skops")["kge"]
    assert (fitted.score_function, fitted.embedding_dim, fitted.max_iter) == ("distmult", 4, 2)
    assert f"{fitted.evaluate(MultimodalTriples.from_tsv(folder / 'valid.tsv'))['mrr']:.3f}" in out


def test_vectors_with_a_header_of_pandas(tmp_path, small, capsys):
    text = pd.DataFrame(small.modalities["text"], index=small.entities)
    text.to_csv(tmp_path / "unnamed.csv")
    text.to_csv(tmp_path / "named.csv", index_label="entity")
    for labels, name in ((small.entities.tolist(), "unnamed"), ([*small.entities, "entity"], "named")):
        write_lines(tmp_path / "graph.tsv", small.labels)
        arguments = ["--modality", f"text={tmp_path / name}.csv", *QUICK, "--output", tmp_path / "model.skops"]
        assert run("fit", tmp_path / "graph.tsv", *arguments) == 0
        assert set(skotkge.load(tmp_path / "model.skops")["kge"].entities_) == set(labels)
        assert ("read as the vector of 'entity'" in capsys.readouterr().err) == (name == "named")


def test_fit_on_a_csv_file_with_header(tmp_path, small):
    rows = [["number", "subject", "verb", "object"], *([n, *row] for n, row in enumerate(small.labels))]
    with gzip.open(tmp_path / "graph.csv.gz", "wt", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    arguments = ["--columns", "subject,verb,object", *QUICK, "--output", tmp_path / "model.skops"]
    assert run("fit", tmp_path / "graph.csv.gz", *arguments) == 0
    fitted = skotkge.load(tmp_path / "model.skops")["kge"]
    assert set(fitted.entities_) == set(small.entities)
    assert set(fitted.relations_) == set(small.relations)


def test_evaluate_prints_the_figures_of_the_model(model, folder, small, capsys):
    expected = skotkge.load(model)["kge"].evaluate(small.labels[:10])
    assert run("evaluate", model, folder / "test.tsv", "--json") == 0
    assert json.loads(capsys.readouterr().out) == expected
    assert run("evaluate", model, folder) == 0
    out = capsys.readouterr().out
    for metric in ("mrr", "hits@10", "head_mrr", "tail_mrr"):
        assert f"{expected[metric]:.3f}" in out


def test_evaluate_leaves_out_what_is_known(model, folder, small, tmp_path, capsys):
    write_lines(tmp_path / "known.csv", [["head", "relation", "tail"], *small.labels[5:10]], ",")
    write_lines(tmp_path / "asked.csv", [["head", "relation", "tail"], *small.labels[:5]], ",")
    columns = ["--columns", "head,relation,tail"]
    assert run("evaluate", model, tmp_path / "asked.csv", "--known", tmp_path / "known.csv", "--json", *columns) == 0
    expected = skotkge.load(model)["kge"].evaluate(small.labels[:5], known=small.labels[5:10])
    assert json.loads(capsys.readouterr().out) == expected


def test_evaluate_ranks_unknown_labels_last_on_request(model, tmp_path, small, capsys):
    write_lines(tmp_path / "test.tsv", [["stranger", *small.labels[0, 1:]]])
    assert run("evaluate", model, tmp_path / "test.tsv", "--unknown", "last", "--json") == 0
    assert json.loads(capsys.readouterr().out)["mean_rank"] == small.n_entities + 1


@pytest.mark.parametrize("asked", [0, 1, 2])
def test_complete_answers_one_question(model, small, capsys, asked):
    question = small.labels[0].copy()
    question[asked] = None
    given = [
        word
        for name, label in zip(("head", "relation", "tail"), question, strict=True)
        if label
        for word in (f"--{name}", label)
    ]
    assert run("complete", model, *given, "-k", 2) == 0
    out = capsys.readouterr().out
    answers = skotkge.load(model)["kge"].complete([question], k=2)
    for label, score in zip(answers.labels[0], answers.scores[0], strict=True):
        if label is not None:
            assert label in out
            assert f"{score:.3f}" in out


@pytest.mark.parametrize(("suffix", "separator"), [(".csv", ","), (".tsv", "\t")])
def test_complete_writes_the_answers_to_a_file_of_questions(model, small, tmp_path, suffix, separator):
    head, relation, tail = small.labels[0]
    questions = [[head, relation, ""], ["", relation, tail]]
    write_lines(tmp_path / f"questions{suffix}", questions, separator)
    output = tmp_path / f"answers{suffix}"
    assert run("complete", model, "--questions", tmp_path / f"questions{suffix}", "-k", 3, "--output", output) == 0
    with open(output, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=separator))
    asked = [[label or None for label in question] for question in questions]
    answers = skotkge.load(model)["kge"].complete(asked, k=3)
    assert [row["tail"] for row in rows if row["question"] == "1"] == answers.labels[0].tolist()
    assert [row["head"] for row in rows if row["question"] == "2"] == answers.labels[1].tolist()
    assert [float(row["score"]) for row in rows] == answers.scores.ravel().tolist()
    assert [row["rank"] for row in rows] == ["1", "2", "3"] * 2


def test_tab_separated_answers_have_no_quoting(tmp_path, capsys):
    with open(tmp_path / "graph.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([(f'a "{n}"', "r", f'a "{(n + 1) % 5}"') for n in range(5)])
    assert run("fit", tmp_path / "graph.csv", *QUICK, "--output", tmp_path / "model.skops") == 0
    asked = ["complete", tmp_path / "model.skops", "--head", 'a "0"', "--relation", "r", "-k", "1", "--output"]
    assert run(*asked, tmp_path / "answers.tsv") == 0
    assert (tmp_path / "answers.tsv").read_text().splitlines()[1].startswith('1\ta "0"\tr\ta "')
    fitted = skotkge.load(tmp_path / "model.skops")["kge"]
    entities = np.array([label.replace(" ", "\t") for label in fitted.entities_], dtype=object)
    fitted.predictor_ = replace(fitted.predictor_, vocabulary=Vocabulary(entities, fitted.relations_))
    skotkge.save(fitted, tmp_path / "model.skops")
    asked[3] = 'a\t"0"'
    assert run(*asked, tmp_path / "answers.tsv") == 2
    assert "a label has a tab" in capsys.readouterr().err


def test_models_saved_as_pickles_need_trust(model, folder, small, tmp_path, capsys):
    pickled = tmp_path / "model.joblib"
    assert run("convert", model, pickled) == 0
    capsys.readouterr()
    assert run("evaluate", pickled, folder / "test.tsv", "--json") == 2
    assert "--trust" in capsys.readouterr().err
    assert run("evaluate", pickled, folder / "test.tsv", "--json", "--trust") == 0
    expected = skotkge.load(model)["kge"].evaluate(small.labels[:10])
    assert json.loads(capsys.readouterr().out) == expected
    assert run("convert", pickled, tmp_path / "again.skops") == 2
    assert run("convert", pickled, tmp_path / "again.skops", "--trust") == 0
    assert skotkge.load(tmp_path / "again.skops")["kge"].evaluate(small.labels[:10]) == expected


def test_types_of_others_need_trust(model, folder, small, tmp_path, capsys):
    fitted = skotkge.load(model)
    fitted["kge"].strange_ = Strange()
    skotkge.save(fitted, tmp_path / "model.skops")
    assert run("evaluate", tmp_path / "model.skops", folder / "test.tsv") == 2
    assert "Strange" in capsys.readouterr().err
    assert run("evaluate", tmp_path / "model.skops", folder / "test.tsv", "--trust") == 0


def test_evaluate_takes_the_rule_baseline(folder, small, tmp_path, capsys):
    skotkge.save(RuleBaseline().fit(small), tmp_path / "rules.skops")
    assert run("evaluate", tmp_path / "rules.skops", folder / "test.tsv", "--json") == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["mrr"] == RuleBaseline().fit(small).score(small[:10])
    assert "10 of the 10 triples in X were trained on" in told.err
    assert run("complete", tmp_path / "rules.skops", "--head", "e1", "--relation", "r1", "-k", "1") == 0
    (best,) = RuleBaseline().fit(small).complete([("e1", "r1", None)], k=1).labels[0]
    assert best in capsys.readouterr().out
    skotkge.save(OTFusionTransformer(4).fit(small), tmp_path / "fusion.skops")
    assert run("complete", tmp_path / "fusion.skops", "--head", "e1", "--relation", "r1") == 2
    assert "holds a OTFusionTransformer" in capsys.readouterr().err


def test_labels_that_look_like_markup_are_shown_as_they_are(tmp_path, capsys):
    write_lines(tmp_path / "graph.tsv", [(f"[bold]{n}", "[red]", f"[bold]{(n + 1) % 5}") for n in range(5)])
    assert run("fit", tmp_path / "graph.tsv", *QUICK, "--output", tmp_path / "model.skops") == 0
    assert run("complete", tmp_path / "model.skops", "--head", "[bold]0", "--relation", "[red]") == 0
    out = capsys.readouterr().out
    assert "([bold]0, [red], ?)" in out
    assert "[bold]3" in out


def test_warnings_are_told_in_one_line(tmp_path, capsys):
    write_lines(
        tmp_path / "graph.tsv", [("head", "relation", "tail"), ("a", "r", "b"), ("a", "r", "b"), ("b", "r", "a")]
    )
    assert run("fit", tmp_path / "graph.tsv", *QUICK, "--output", tmp_path / "model.skops") == 0
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith("skotkge fit: warning: ") for line in lines)
    assert any("head,relation,tail, is taken for the names of columns" in line for line in lines)
    assert any("triples has 1 repeated row" in line for line in lines)


WRONG = {
    "missing file": ("fit nowhere.tsv", "nowhere.tsv: No such file or directory"),
    "missing model": ("evaluate nowhere.joblib {folder}/test.tsv", "nowhere.joblib: No such file"),
    "no model": ("evaluate {folder}/test.tsv {folder}/test.tsv", "is no skops file"),
    "no model, trusted": ("evaluate {folder}/test.tsv {folder}/test.tsv --trust", "is no saved model"),
    "no trust": (
        "evaluate {tmp}/list.joblib {folder}/test.tsv",
        "convert {tmp}/list.joblib list.skops --trust",
    ),
    "kind of model": ("fit {folder} --output {tmp}/model.bin", "expected a name that ends with .skops"),
    "other object": (
        "evaluate {tmp}/list.joblib {folder}/test.tsv --trust",
        "holds a list, expected a fitted OTKGEClassifier",
    ),
    "unfitted": ("evaluate {tmp}/unfitted.skops {folder}/test.tsv", "expected a fitted OTKGEClassifier"),
    "output folder": ("fit {folder} --output {tmp}/no/model.skops", "there is no folder"),
    "output is folder": ("fit {folder} --output {tmp}", "is a folder; name a file in it"),
    "wrong column": ("fit {folder}/test.tsv --columns s,p,o", "'s' 0 times instead of once"),
    "two columns": ("fit {folder}/test.tsv --columns s,p", "has 2 names, expected three"),
    "entities lack label": ("fit {folder} --entities {tmp}/few.txt", "which entities lacks"),
    "no labels": ("fit {folder}/train.tsv --modality text={folder}/text.npy", "pass --entities"),
    "wrong rows": ("fit {folder} --modality text={tmp}/short.npy", "one row for each entity"),
    "not a number": ("fit {folder} --modality text={tmp}/words.csv", "line 2: expected a label and 2 numbers"),
    "no number in the first line": ("fit {folder} --modality text={tmp}/hole.csv", "line 1: expected a label and"),
    "no label": ("fit {folder} --modality text={tmp}/anonymous.csv", "line 2: expected a label and 2 numbers"),
    "no numbers": ("fit {folder} --modality text={tmp}/few.txt", "line 1: expected a label and some numbers"),
    "no NumPy file": ("fit {folder} --modality text={tmp}/text.npy", "no NumPy file of plain numbers"),
    "same modality": ("fit {folder} --modality a={folder}/text.npy --modality a={folder}/text.npy", "'a' twice"),
    "no file of modality": ("fit {folder} --modality text", "is not NAME=FILE"),
    "no format": ("fit {tmp}/list.joblib", "tells no format"),
    "not UTF-8": ("fit {tmp}/latin.tsv", "convert the file to UTF-8"),
    "empty": ("fit {tmp}/empty.tsv", "holds no triple"),
    "empty folder": ("fit {tmp}", "has no file train.tsv"),
    "number": ("fit {folder} --max-iter many", "invalid int value: 'many'"),
    "range": ("fit {folder} --max-iter -1", "The 'max_iter' parameter"),
    "unknown label in file": ("evaluate {model} {tmp}/stranger.tsv", "names 'stranger', which the model has not seen"),
    "unknown label": ("complete {model} --head e100 --relation r1", "similar ones: 'e10'"),
    "unknown relation": ("complete {model} --head e1 --relation likes", "--relation 'likes' is none of the 3 labels"),
    "no question": ("complete {model}", "0 of --head, --relation and --tail are given"),
    "missing and a label": ("complete {model} --missing --head e1", "--missing asks about the whole graph"),
    "no candidates": ("complete {model} --head e1 --candidates {tmp}/words.csv", "line 1: 3 fields, expected a label"),
    "strange candidates": ("evaluate {model} {folder} --candidates {tmp}/strangers.txt", "does not know: 'stranger'"),
    "no negatives": ("evaluate {model} {folder} --negatives 0", "negatives=0; give a number of at least 1"),
    "ranks to nowhere": ("rank {model} {folder} --output {tmp}/ranks.json", "ends with .csv or .tsv"),
    "scores of a stranger": (
        "score {model} {tmp}/stranger.tsv --output {tmp}/scores.tsv",
        "fit has not seen: 'stranger'",
    ),
    "constraints of a stranger": (
        "fit {folder} --constraints {tmp}/constraints.json --output {tmp}/m.skops",
        "names 'likes', which is no relation",
    ),
    "no JSON": ("fit {folder} --constraints {tmp}/bad.json --output {tmp}/m.skops", "bad.json is no JSON file"),
    "three labels": ("complete {model} --head e1 --relation r1 --tail e2", "3 of --head, --relation and --tail"),
    "both": ("complete {model} --head e1 --questions {folder}/test.tsv", "give one or the other"),
    "full question": ("complete {model} --questions {folder}/test.tsv", "question 1 has 0 empty fields"),
    "kind of output": ("complete {model} --head e1 --relation r1 --output {tmp}/a.json", "ends with .csv or .tsv"),
    "k": ("complete {model} --head e1 --relation r1 -k 0", "k == 0, must be >= 1"),
    "command": ("train", "invalid choice: 'train'"),
}


@pytest.mark.parametrize(("command", "told"), WRONG.values(), ids=list(WRONG))
def test_wrong_input_is_told_in_one_line(command, told, model, folder, tmp_path, capsys):
    joblib.dump([], tmp_path / "list.joblib")
    skotkge.save(OTKGEClassifier(), tmp_path / "unfitted.skops")
    np.save(tmp_path / "short.npy", np.zeros((2, 3)))
    write_lines(tmp_path / "few.txt", [["e1"]])
    write_lines(tmp_path / "words.csv", [["e1", 1, 2], ["e2", "long", "short"]], ",")
    write_lines(tmp_path / "hole.csv", [["e1", 1, ""], ["e2", 1, 2]], ",")
    write_lines(tmp_path / "anonymous.csv", [["e1", 1, 2], ["", 1, 2]], ",")
    write_lines(tmp_path / "stranger.tsv", [["stranger", "r1", "e1"]])
    write_lines(tmp_path / "strangers.txt", [["stranger"]])
    (tmp_path / "constraints.json").write_text('{"likes": {"symmetric": true}}')
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "text.npy").write_bytes(b"text")
    (tmp_path / "latin.tsv").write_bytes("a\tr\té\n".encode("latin-1"))
    (tmp_path / "empty.tsv").touch()
    arguments = command.format(folder=folder, model=model, tmp=tmp_path).split()
    try:
        status = main(arguments)
    except SystemExit as exit:
        status = exit.code
    captured = capsys.readouterr()
    assert status == 2
    assert len(captured.err.splitlines()) == 1
    assert captured.err.startswith("skotkge")
    assert told.format(tmp=tmp_path) in captured.err
    assert captured.out == ""


class TestQuestions:
    def test_evaluate_among_candidates_of_one_side(self, model, folder, tmp_path, capsys):
        kge = skotkge.load(model)["kge"]
        known = pd.read_csv(folder / "valid.tsv", sep="\t", header=None).to_numpy()
        test = pd.read_csv(folder / "test.tsv", sep="\t", header=None).to_numpy()
        write_lines(tmp_path / "labels.txt", [["e1"], ["e2"], ["e3"]])
        write_lines(tmp_path / "of_relations.csv", [["r1", "e1"], ["r1", "e2"]], ",")
        cases = {
            "--candidates seen --sides tail": dict(candidates="seen", sides=("tail",)),
            f"--candidates {tmp_path}/labels.txt": dict(candidates=["e1", "e2", "e3"]),
            f"--candidates {tmp_path}/of_relations.csv": dict(candidates={"r1": ["e1", "e2"]}),
            "--negatives 3 --seed 4 --average relation": dict(negatives=3, random_state=4, average="relation"),
        }
        for options, arguments in cases.items():
            assert run("evaluate", model, folder, "--json", *options.split()) == 0
            wanted = kge.evaluate(test, known=known, **arguments)
            assert json.loads(capsys.readouterr().out) == pytest.approx(wanted)
        assert run("evaluate", model, folder, "--sides", "head") == 0
        assert "tails" not in capsys.readouterr().out

    def test_rank_writes_the_ranks(self, model, folder, tmp_path, capsys):
        assert run("rank", model, folder / "test.tsv", "--output", tmp_path / "ranks.csv", "--candidates", "seen") == 0
        frame = pd.read_csv(tmp_path / "ranks.csv")
        labels = frame[["head", "relation", "tail"]].to_numpy()
        ranks = skotkge.load(model)["kge"].rank(labels, candidates="seen")
        np.testing.assert_array_equal(frame[["head_rank", "tail_rank"]], ranks)
        assert "ranks of 10 triples" in capsys.readouterr().out

    def test_score_writes_the_scores(self, model, folder, tmp_path, capsys):
        options = ["--output", tmp_path / "scores.tsv", "--side", "tail", "--chunk-size", "3"]
        assert run("score", model, folder / "test.tsv", *options) == 0
        frame = pd.read_csv(tmp_path / "scores.tsv", sep="\t")
        labels = frame[["head", "relation", "tail"]].to_numpy()
        scores = skotkge.load(model)["kge"].decision_function(labels, side="tail")
        np.testing.assert_allclose(frame["score"], scores)
        assert "10 triples written" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("options", "question"),
        [
            ("--relation r1", (None, "r1", None)),
            ("--head e3", ("e3", None, None)),
            ("--tail e3", (None, None, "e3")),
            ("--missing", (None, None, None)),
        ],
    )
    def test_complete_fills_several_places(self, model, tmp_path, capsys, options, question):
        assert run("complete", model, *options.split(), "-k", "4", "--output", tmp_path / "answers.tsv") == 0
        frame = pd.read_csv(tmp_path / "answers.tsv", sep="\t")
        found = skotkge.load(model)["kge"].complete([question], k=4)
        assert frame[["head", "relation", "tail"]].to_numpy().tolist() == found.triples[0].tolist()
        capsys.readouterr()
        assert run("complete", model, *options.split(), "-k", "2", "--why", "--candidates", "seen") == 0
        shown = capsys.readouterr().out
        assert "probability" in shown
        assert "log-odds" in shown

    def test_fit_with_constraints(self, folder, tmp_path, capsys):
        (tmp_path / "constraints.json").write_text('{"r1": {"symmetric": true}}')
        options = ["--constraints", tmp_path / "constraints.json", *QUICK, "--output", tmp_path / "model.skops"]
        assert run("fit", folder / "train.tsv", *options) == 0
        kge = skotkge.load(tmp_path / "model.skops")["kge"]
        assert kge.constraints == {"r1": {"symmetric": True}}
        head, relation, tail = next(
            row.split("\t") for row in (folder / "train.tsv").read_text().split("\n") if "r1" in row
        )
        assert kge.was_trained_on([(tail, relation, head)]).all()


def test_model_of_a_newer_format_is_refused_in_one_line(model, folder, tmp_path, monkeypatch, capsys):
    with monkeypatch.context() as newer:
        newer.setattr("skotkge._utils.persistence.FORMAT", 99)
        skotkge.save(skotkge.load(model), tmp_path / "newer.skops")
        joblib.dump(skotkge.load(model), tmp_path / "newer.joblib")
    for newer, trust in (("newer.skops", []), ("newer.joblib", ["--trust"])):
        assert run("evaluate", tmp_path / newer, folder / "test.tsv", *trust) == 2
        assert "in format 99" in capsys.readouterr().err


def test_errors_of_the_program_itself_have_no_traceback(tmp_path):
    command = [sys.executable, "-m", "skotkge", "evaluate", "nowhere.joblib", "test.tsv"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "skotkge evaluate: error: nowhere.joblib: No such file or directory\n"


def test_interruption_is_told_without_traceback(folder, monkeypatch, capsys):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(OTKGEClassifier, "fit", interrupted)
    assert run("fit", folder, *QUICK) == 130
    assert capsys.readouterr().err == "skotkge fit: interrupted; nothing is saved: training had not begun.\n"


@pytest.fixture
def heeds_interrupts():
    """As from a terminal: a shell that runs the tests in the background has them ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_interrupts")
@pytest.mark.parametrize("checkpoint", [True, False])
@pytest.mark.parametrize(("number", "status", "told"), [(2, 130, "interrupted"), (15, 143, "terminated")])
def test_an_ended_fit_saves_the_best_so_far(
    folder, small, tmp_path, monkeypatch, capsys, checkpoint, number, status, told
):
    epochs = []
    run_epoch = trainer.run_epoch

    def ended_in_the_fourth_epoch(*given):
        epochs.append(given)
        if len(epochs) == 4:
            os.kill(os.getpid(), number)
        return run_epoch(*given)

    output = tmp_path / "model.skops"
    kept = ["--checkpoint", tmp_path / "checkpoints"] if checkpoint else []
    command = ["fit", folder, "--modality", f"image={folder / 'image.csv'}", *QUICK, *kept, "--output", output]
    if checkpoint:
        assert run(*command, "--resume") == 2
        assert "nothing to resume" in capsys.readouterr().err
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "run_epoch", ended_in_the_fourth_epoch)
        assert run(*command) == status
    captured = capsys.readouterr()
    assert not output.exists()
    so_far = tmp_path / "model.so-far.skops"
    assert captured.err.startswith(f"skotkge fit: {told}; the best so far is saved to {so_far}")
    assert list(skotkge.load(so_far)["kge"].space_training_) == ["structure", "image"]
    assert run("evaluate", so_far, folder / "test.tsv") == 0
    if checkpoint:
        assert run(*command, "--resume") == 0
        assert run(*command[:-4], "--output", tmp_path / "other.skops") == 0
        one, other = (skotkge.load(tmp_path / name)["kge"] for name in ("model.skops", "other.skops"))
        np.testing.assert_array_equal(one.score_triples(small.labels), other.score_triples(small.labels))
        assert (one.checkpoint, other.checkpoint) == (str(tmp_path / "checkpoints"), None)


def test_resuming_needs_a_folder(folder, tmp_path, capsys):
    assert run("fit", folder, *QUICK, "--resume", "--output", tmp_path / "model.skops") == 2
    assert "--resume needs --checkpoint" in capsys.readouterr().err


def test_interruption_of_imports_is_silent(tmp_path):
    for delay in (0.3, 0.6):
        command = [sys.executable, "-m", "skotkge", "fit", str(tmp_path / "nowhere.tsv")]
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process = subprocess.Popen(command, cwd=REPOSITORY, text=True, **pipes)
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        assert (process.returncode, out, err) == (130, "", "")


def test_errors_of_torch_and_of_memory_are_one_line(folder, monkeypatch, capsys):
    for error in (RuntimeError("DefaultCPUAllocator:\nnot enough memory"), MemoryError()):

        def failing(*_, error=error, **__):
            raise error

        monkeypatch.setattr(OTKGEClassifier, "fit", failing)
        assert run("fit", folder, *QUICK) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert "memory" in line


def test_without_command_help_is_shown(capsys):
    assert main([]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("fit", "evaluate", "complete", "demo"))


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"skotkge {__version__}\n"


@pytest.mark.parametrize("page", ["README.md", "docs/user_guide/command_line.rst"])
def test_documented_commands_run(page, tmp_path, monkeypatch):
    bundled = files("skotkge.datasets") / "data" / "emoji"
    (tmp_path / "graph").mkdir()
    for name in ("train.tsv", "valid.tsv", "test.tsv", "entities.tsv"):
        (tmp_path / "graph" / name).write_bytes((bundled / name).read_bytes())
    (tmp_path / "graph" / "text.npy").write_bytes((bundled / "text_minilm_384.npy").read_bytes())
    triples = (bundled / "train.tsv").read_text(encoding="utf-8").splitlines()
    (tmp_path / "all.tsv").write_text("\n".join(triples))
    dated = [f"{row},{2010 + number % 15}".replace("\t", ",") for number, row in enumerate(triples)]
    (tmp_path / "dated.csv").write_text("\n".join(["head,relation,tail,year", *dated]))
    entities = [line.split("\t")[0] for line in (bundled / "entities.tsv").read_text(encoding="utf-8").splitlines()]
    table = [f"{entity},{number},group {number % 7}" for number, entity in enumerate(entities)]
    (tmp_path / "table.csv").write_text("\n".join(["entity,hue,group", *table]))
    for name, prefix in (("first", ""), ("second", "other ")):
        few = [row.split("\t") for row in triples[:400]]
        (tmp_path / f"{name}.tsv").write_text("\n".join(f"{prefix}{h}\t{r}\t{prefix}{t}" for h, r, t in few))
    (tmp_path / "known.tsv").write_text("\n".join(f"{h}\tother {h}" for h in dict.fromkeys(h for h, *_ in few[:60])))
    (tmp_path / "asked.txt").write_text("1F96F\n1F35E\n")
    (tmp_path / "questions.csv").write_text("1F96F,annotated_with,\n,annotated_with,1F35E\n")
    monkeypatch.chdir(tmp_path)
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    tried = "fit|evaluate|complete|split|explain|nearest|export|match"
    commands = re.findall(rf"^ *skotkge ((?:{tried}) .*)$", text, flags=re.MULTILINE)
    found = {command.split()[0] for command in commands}
    assert found == set(tried.split("|")) if page.endswith("rst") else {"fit", "evaluate", "complete"} <= found
    # Some are told twice, and no file is split into a folder that has files.
    for number, command in enumerate(dict.fromkeys(commands)):
        arguments = shlex.split(command, comments=True)
        if arguments[0] == "split" and (tmp_path / arguments[2] / "train.tsv").exists():
            arguments[2] += f" {number}"
        assert main(arguments + (QUICK if arguments[0] == "fit" else [])) == 0, command
