"""The project keeps its own rules: imports, documented defaults, examples, command line."""

import ast
import doctest
import inspect
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import REPOSITORY

import skotkge
import skotkge.__main__

PACKAGE = Path(skotkge.__file__).parent

# A room imports only from those before it.
ORDER = [
    *("_version", "_spaces", "_utils", "_graph", "encoding", "metrics", "model_selection"),
    *("_fusion", "_embedding", "_evidence", "_ranking", "_matching", "_estimator"),
    *("baselines", "callbacks", "inspection", "datasets", "_explore", "__init__", "_cli", "__main__"),
]
USES_TORCH = {"encoding", "_embedding", "_evidence", "_ranking", "_matching", "baselines", "callbacks"}
MODULES = sorted(PACKAGE.rglob("*.py"))
PUBLIC_MODULES = (skotkge, *(getattr(skotkge, name) for name in skotkge._SUBMODULES))
PUBLIC = [getattr(module, name) for module in PUBLIC_MODULES for name in module.__all__ if name != "__version__"]


def room_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(node):
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or alias.name for alias in node.names]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_one_way(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        level = getattr(node, "level", 0)
        names = [name.split(".")[0] for name in imported(node)]
        inside_its_room = level and level < len(path.relative_to(PACKAGE).parts)
        if level and not inside_its_room and room_of(path) != "__main__":
            assert all(ORDER.index(name) < ORDER.index(room_of(path)) for name in names), names
        if "torch" in names:
            assert room_of(path) in USES_TORCH
        if {"matplotlib", "PIL", "pyoxigraph"} & set(names):
            assert node not in tree.body


def test_the_map_of_the_packages_is_complete():
    rooms = {room_of(path) for path in MODULES} - {"_version"}
    for name in ("development.rst", "images/packages.svg"):
        words = set(re.findall(r"\w+", (REPOSITORY / "docs" / name).read_text(encoding="utf-8")))
        assert rooms <= words, name


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_documented_defaults_equal_signatures(thing):
    functions = [thing]
    if inspect.isclass(thing):
        functions += [method for name, method in inspect.getmembers(thing, inspect.isfunction) if name[0] != "_"]
        functions = [function for function in functions if function.__module__.startswith("skotkge")]
    for function in functions:
        documented = documented_defaults(inspect.getdoc(function) or "")
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.default is not parameter.empty and name != "self":
                assert documented.get(name, "undocumented") == repr(parameter.default).replace("'", '"'), name


def documented_defaults(doc):
    section = re.split(r"\n\w[\w ]*\n-{3,}\n", doc.partition("Parameters\n----------\n")[2])[0]
    pairs = re.findall(r"^(\w[\w, ]*) : .*?default=(\S+)$", section, flags=re.MULTILINE)
    plain = {name: value for names, value in pairs for name in names.split(", ")}
    return {name: repr(ast.literal_eval(value)).replace("'", '"') for name, value in plain.items()}


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_public_docstrings_have_the_numpydoc_sections(thing):
    doc = inspect.getdoc(thing)
    assert doc
    if not inspect.isclass(thing):
        assert "Returns\n-------" in doc


@pytest.mark.parametrize("thing", PUBLIC, ids=lambda thing: thing.__name__)
def test_public_docstrings_have_an_example(thing):
    assert doctest.DocTestParser().get_examples(thing.__doc__)


@pytest.mark.parametrize("module", PUBLIC_MODULES, ids=lambda module: module.__name__)
def test_every_public_name_is_on_the_api_page(module):
    page = (REPOSITORY / "docs" / "api.rst").read_text(encoding="utf-8")
    tables = re.findall(
        r"^\.\. currentmodule:: (\S+)\n((?:\n|\.\. autosummary.*\n| +.*\n?)+)", page, flags=re.MULTILINE
    )
    listed = [name for of, table in tables if of == module.__name__ for name in re.findall(r"^ +(\w+)$", table, re.M)]
    assert sorted(listed) == sorted(set(module.__all__) - {"__version__"})


def private_names(tree):
    """Private names of skotkge in a script: in its imports and strings, and as attributes of what is not its own."""
    own = {"self", "cls"} | sys.stdlib_module_names  # os._exit is private in another sense
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            dotted = ".".join([*imported(node), *(alias.name for alias in node.names)]).split(".")
            yield from (name for name in dotted if "skotkge" in dotted and is_private(name))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\bskotkge(?:\.\w+)*\.(_[a-z]\w*)", node.value)
        elif isinstance(node, ast.Attribute) and getattr(node.value, "id", None) not in own and is_private(node.attr):
            yield node.attr


def is_private(name):
    return name.startswith("_") and not name.endswith("__")


@pytest.mark.parametrize(
    "script",
    sorted(path for folder in ("benchmarks", "examples") for path in (REPOSITORY / folder).rglob("*.py")),
    ids=lambda path: str(path.relative_to(REPOSITORY)),
)
def test_benchmarks_and_examples_use_public_names_alone(script):
    assert not list(private_names(ast.parse(script.read_text(encoding="utf-8"))))


@pytest.mark.parametrize(
    "text",
    [
        "import skotkge._spaces",
        "from skotkge._estimator.memory_plan import predicted_peak",
        "from skotkge import _spaces as spaces",
        "import skotkge\nskotkge._spaces.FUSED",
        "import skotkge\nskotkge.OTKGEClassifier().fit(X)._predictor",
        "patch('skotkge._estimator.memory_plan.available_memory')",
    ],
)
def test_private_names_are_found_wherever_they_stand(text):
    assert list(private_names(ast.parse(text)))


@pytest.mark.parametrize("script", sorted((REPOSITORY / "examples").glob("plot_*.py")), ids=lambda path: path.stem)
def test_examples_run(script, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    if "import optuna" in script.read_text(encoding="utf-8"):
        pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    namespace = runpy.run_path(str(script), run_name="__main__")
    assert namespace["__doc__"]


@pytest.mark.parametrize("script", sorted((REPOSITORY / "examples").glob("plot_*.py")), ids=lambda path: path.stem)
def test_examples_are_short(script):
    assert len(script.read_text(encoding="utf-8").splitlines()) <= 60


def test_demo_trains_answers_and_saves(tmp_path, capsys):
    assert skotkge.__main__.main(["demo", "--max-iter", "2", "--output", str(tmp_path / "model.skops")]) == 0
    out = capsys.readouterr().out
    assert "structure only" in out
    assert "the same ranks" in re.sub(r"\s+", " ", out)


def test_command_line_errors_are_one_line(tmp_path):
    command = [sys.executable, "-m", "skotkge", "demo", "--output", str(tmp_path / "nowhere" / "model.skops")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)
    assert result.returncode == 2
    assert "there is no folder" in result.stderr.splitlines()[-1]


def test_version_is_told_once():
    assert re.fullmatch(r"\d+\.\d+\.\d+", skotkge.__version__)
    assert "version = { attr" in (REPOSITORY / "pyproject.toml").read_text()


def test_readme_example_prints_what_is_written_below(capsys):
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```\n\n```\n(.*?)```", readme, flags=re.DOTALL)
    assert len(blocks) == readme.count("```python")
    for block, printed in blocks:
        exec(compile(block, "README.md", "exec"), {})
        assert capsys.readouterr().out == printed
