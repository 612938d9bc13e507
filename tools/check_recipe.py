"""Hold the conda recipe to pyproject.toml: version, dependencies, entry points, licence, and modules that exist.

python tools/check_recipe.py
"""

import importlib
import re
import sys
import tomllib
from pathlib import Path

import yaml

import skotkge

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path(skotkge.__file__).parent  # the installed one, where the tests run without the sources
CONDA_NAMES = {"torch": "pytorch"}


def problems(recipe, project, build_requires, version):
    """Return what the recipe says otherwise than the project, a line each."""
    context, requirements, about = recipe["context"], recipe["requirements"], recipe["about"]
    entry_points = [f"{name} = {target}" for name, target in project["scripts"].items()]
    expected = {
        "name": (recipe["package"]["name"], project["name"]),
        "version": (context["version"], version),
        "lowest Python": (context["python_min"], project["requires-python"].removeprefix(">=")),
        "dependencies": (_plain(requirements["run"]), _conda(project["dependencies"])),
        "build dependencies": (_plain(requirements["host"]) - {"pip"}, _conda(build_requires)),
        "entry points": (recipe["build"]["python"]["entry_points"], entry_points),
        "summary": (about["summary"], project["description"]),
        "licence": (about["license"], project["license"]),
        "licence files": (about["license_file"], project["license-files"]),
    }
    return [
        f"{name}: the recipe has {ours}, the project {its}" for name, (ours, its) in expected.items() if ours != its
    ]


def _plain(requirements):
    """Requirements without Python itself, which has a line of its own."""
    return {line for line in requirements if not line.startswith("python ")}


def _conda(requirements):
    """Requirements of pip as conda writes them: ``torch>=2.4`` is ``pytorch >=2.4``."""
    pairs = (re.fullmatch(r"([\w-]+)(.*)", line).groups() for line in requirements)
    return {f"{CONDA_NAMES.get(name, name)} {bound}".strip() for name, bound in pairs}


def _is_there(name):
    return (ROOT / name).is_file() or (PACKAGE.parent / name).is_file()


def main():
    """Print the problems; the exit status tells whether there are any."""
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text(encoding="utf-8"))
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found = problems(recipe, configuration["project"], configuration["build-system"]["requires"], skotkge.__version__)
    found += [f"licence file {name} is missing" for name in recipe["about"]["license_file"] if not _is_there(name)]
    for module in recipe["tests"][0]["python"]["imports"]:
        importlib.import_module(module)
    print("\n".join(found) or "recipe/recipe.yaml says what pyproject.toml says")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
