"""What an import costs: data, splits and metrics without torch, names when they are first used."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import skotkge

SUBMODULES = {"baselines", "callbacks", "datasets", "encoding", "inspection", "metrics", "model_selection"}

DATA = """
import tempfile
from pathlib import Path
import skotkge

kg = skotkge.datasets.load_emoji()
with tempfile.TemporaryDirectory() as folder:
    for name, sep in (("triples.tsv", "\\t"), ("triples.csv", ",")):
        path = Path(folder, name)
        path.write_text("".join(f"{sep.join(triple)}\\n" for triple in kg.test.labels))
        assert len(getattr(skotkge.MultimodalTriples, f"from_{name[-3:]}")(path)) == len(kg.test)
    path = Path(folder, "triples.nt")
    path.write_text("<urn:a> <urn:likes> <urn:b> .\\n")
    assert len(skotkge.MultimodalTriples.from_ntriples(path)) == 1
skotkge.encoding.TableEncoder().fit({"entity": ["a", "b"], "text": ["x", "y"]})
train, test = skotkge.model_selection.transductive_train_test_split(kg.train, random_state=0)
next(skotkge.model_selection.TransductiveKFold(3).split(kg.train[:500]))
ranks = [[1.0, 2.0]] * len(test)
skotkge.metrics.mean_reciprocal_rank(ranks)
skotkge.metrics.hits_at_k(ranks, k=10)
skotkge.metrics.summarize_ranks(ranks)
"""
HELP = """
from skotkge.__main__ import main
try:
    main(["--help"])
except SystemExit:
    pass
"""


def packages_after(script):
    """Which third-party packages a new process has imported after the script."""
    told = "import sys; print(*sorted({'numpy', 'ot', 'rich', 'sklearn', 'torch'} & set(sys.modules)))"
    command = [sys.executable, "-c", f"{script}\n{told}"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=Path(skotkge.__file__).parents[1])
    assert result.returncode == 0, result.stderr
    return set(result.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("script", ["import skotkge", HELP], ids=["import", "help"])
def test_the_package_and_its_help_import_nothing_heavy(script):
    assert packages_after(script) == set()


def test_data_splits_and_metrics_do_not_import_torch():
    assert not packages_after(DATA) & {"ot", "torch"}


def test_submodules_are_there_after_the_import_of_the_package():
    named = "\n".join(f"assert skotkge.{name}.__name__ == 'skotkge.{name}'" for name in sorted(SUBMODULES))
    packages_after(f"import skotkge\n{named}")


def test_every_name_is_found_and_listed():
    assert set(dir(skotkge)) == {*skotkge.__all__, *SUBMODULES}
    for name in dir(skotkge):
        assert getattr(skotkge, name) is getattr(skotkge, name)
    with pytest.raises(AttributeError, match="'skotkge' has no attribute 'nothing'"):
        skotkge.nothing  # noqa: B018


def test_type_checkers_see_the_names():
    tree = ast.parse(Path(skotkge.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and node.test.id == "TYPE_CHECKING")
    seen = {alias.name for node in block.body for alias in node.names}
    assert seen == set(dir(skotkge)) - {"__version__"}
