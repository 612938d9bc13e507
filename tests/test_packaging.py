"""What goes with the package: citation, issue forms, extras, the conda recipe, completion and model cards."""

import re
import runpy
import shutil
import subprocess
import sys

import pytest
import yaml
from helpers import REPOSITORY

import skotkge
from skotkge.__main__ import COMMANDS, main

PROJECT = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
FORMS = sorted((REPOSITORY / ".github" / "ISSUE_TEMPLATE").glob("*_*.yml"))


def test_citation_is_that_of_this_version():
    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == skotkge.__version__
    assert citation["license"] in PROJECT
    assert [author["name"] for author in citation["authors"]] == re.findall(
        r'authors = \[\{ name = "(.+)" \}\]', PROJECT
    )
    assert (
        "Wasserstein" in citation["references"][0]["title"] or "Optimal Transport" in citation["references"][0]["title"]
    )


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_issue_forms_have_what_github_asks_for(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {"name", "description", "body"} <= form.keys()
    inputs = [part for part in form["body"] if part["type"] != "markdown"]
    assert all(part["type"] in ("textarea", "input", "dropdown", "checkboxes") for part in inputs)
    assert all(part["attributes"]["label"] for part in inputs)
    assert len({part["id"] for part in inputs}) == len(inputs)
    assert any(part.get("validations", {}).get("required") for part in inputs)


def test_hooks_run_what_the_linter_runs():
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert {hook["id"] for hook in hooks} == {"ruff-check", "ruff-format"}


def test_the_extra_all_has_every_extra_of_users():
    extras = set(
        re.findall(r"^(\w+) = \[", PROJECT.partition("[project.optional-dependencies]")[2].partition("[tool")[0], re.M)
    )
    of_developers = {"all", "benchmark", "browser", "dev", "docs", "lint", "packaging", "test", "types"}
    of_clusters = {"dask", "ray"}  # large, and there for those who have such a cluster
    named = set(re.search(r'all = \["skotkge\[(.+)\]"\]', PROJECT).group(1).split(","))
    assert named == extras - of_developers - of_clusters


def test_the_recipe_says_what_the_project_says():
    script = runpy.run_path(str(REPOSITORY / "tools" / "check_recipe.py"))
    assert script["main"]() == 0


def test_the_script_of_the_recipe_finds_faults():
    script = runpy.run_path(str(REPOSITORY / "tools" / "check_recipe.py"))
    recipe = yaml.safe_load((REPOSITORY / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
    recipe["requirements"]["run"].remove("scipy >=1.12")
    project = script["tomllib"].loads(PROJECT)
    found = script["problems"](recipe, project["project"], project["build-system"]["requires"], "9.9.9")
    assert [line.split(":")[0] for line in found] == ["version", "dependencies"]


@pytest.mark.parametrize(("shell", "option"), [("bash", "--"), ("zsh", "--"), ("fish", "-l ")])
def test_completion_knows_all_commands_and_their_options(shell, option, capsys):
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert all(command in script for command in COMMANDS)
    assert all(f"{option}{name}" in script for name in ("modality", "questions", "json"))


def test_bash_accepts_the_completion(tmp_path, capsys):
    pytest.importorskip("shtab")
    main(["completion", "bash"])
    (tmp_path / "completion.bash").write_text(capsys.readouterr().out)
    command = ["bash", "-c", "source completion.bash && complete -p skotkge"]
    assert "skotkge" in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish")
def test_fish_completes_commands_and_values(tmp_path, capsys):
    pytest.importorskip("shtab")
    main(["completion", "fish"])
    (tmp_path / "completion.fish").write_text(capsys.readouterr().out)
    asked = {"skotkge comp": ["complete", "completion"], "skotkge fit --fusion m": ["mean"]}
    for line, answers in asked.items():
        command = ["fish", "--no-config", "-c", f'source completion.fish; complete -C "{line}"']
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        assert [answer.split("\t")[0] for answer in told.splitlines()] == answers


def test_completion_without_shtab_names_the_remedy(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install shtab" in capsys.readouterr().err


@pytest.fixture(scope="module")
def model(small, tmp_path_factory):
    kge = skotkge.OTKGEClassifier(embedding_dim=4, max_iter=2, random_state=0).fit(small.labels[20:])
    path = tmp_path_factory.mktemp("card") / "a|model.skops"
    skotkge.save(kge, path)
    test = path.parent / "test.tsv"
    test.write_text("".join("\t".join(triple) + "\n" for triple in small.labels[:20]))
    return kge, path, test


def test_the_card_has_the_figures_that_evaluate_gives(model, small, capsys):
    kge, path, test = model
    assert main(["card", str(path), "--test", str(test)]) == 0
    card = capsys.readouterr().out
    report = kge.evaluate(small.labels[:20])
    names = ("mrr", "hits@1", "hits@3", "hits@10", "mean_rank")
    assert f"| heads | {' | '.join(format(report['head_' + name], '.3f') for name in names)} |" in card
    assert "20 triples of `test.tsv`, ranked among all 30 entities" in card
    assert f"| true triples seen in fit | {len(small) - 20} |" in card
    assert "| `embedding_dim` | `4` |" in card


def test_a_card_without_test_triples_says_so(model, tmp_path, capsys):
    path = tmp_path / "card.md"
    assert main(["card", str(model[1]), "--output", str(path)]) == 0
    assert "card written to" in capsys.readouterr().out
    card = path.read_text(encoding="utf-8")
    assert "Not measured" in card
    assert "| structure | 2 |" in card


def test_a_card_refuses_unknown_labels(model, tmp_path, capsys):
    (tmp_path / "test.tsv").write_text("nobody\tr0\te1\n")
    assert main(["card", str(model[1]), "--test", str(tmp_path / "test.tsv")]) == 2
    assert "'nobody'" in capsys.readouterr().err
