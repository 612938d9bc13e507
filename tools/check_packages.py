"""Build sdist and wheel, check them, and run the tests of the unpacked sdist against the installed wheel.

    python tools/check_packages.py             # all tests, without the data that cannot be bundled
    python tools/check_packages.py tests/graph # some of them

Builds in ``build/packages``. The wheel is installed beside the packages of this environment in one of its own, and the
package's sources are taken out of the unpacked sdist, so that nothing but the wheel can be imported.
"""

import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "packages"
# Formal faults that are known and answered: why is told beside each.
ANSWERED = [
    "GH",  # GitHub's actions: the project's own CI runs .ci/run
    "PC",  # hooks that fetch from the network: ours run what `make lint` installs
    "PP006",  # extras and not dependency groups, which pip reads since 25.1 only
    "PY007",  # the Makefile is the task runner
]


def run(*command, **options):
    """Run a command, show it, and stop if it fails."""
    print("$", *command, flush=True)
    subprocess.run([str(part) for part in command], check=True, **options)


def build():
    """Build both packages anew; return their paths."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", FOLDER, ROOT)
    (sdist,), (wheel,) = FOLDER.glob("*.tar.gz"), FOLDER.glob("*.whl")
    return sdist, wheel


def check_forms(sdist, wheel):
    """Check what indexes and readers of metadata ask of a package; the authors have no address of their own."""
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    run(sys.executable, "-m", "pyroma", "--min", "10", "--skip-tests", "AuthorEmail", ROOT)
    run(sys.executable, "-m", "repo_review", ROOT, "--ignore", ",".join(ANSWERED))
    run(sys.executable, ROOT / "tools" / "check_recipe.py", env=os.environ | {"PYTHONPATH": str(ROOT)})


def check_contents(sdist, unpacked):
    """Check that the sdist has every file of the tests that is under version control."""
    command = ["git", "ls-files", "tests", "docs", "examples", "benchmarks", "tools", "recipe"]
    tracked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    missing = [name for name in tracked if not (unpacked / name).is_file()]
    if missing:
        sys.exit(f"{sdist.name} lacks {', '.join(missing)}")


def test_installed(wheel, unpacked, tests):
    """Run tests of the sdist against the wheel, with the libraries of this environment."""
    environment = FOLDER / "environment"
    run(sys.executable, "-m", "venv", "--system-site-packages", environment)
    python = environment / "bin" / "python"
    libraries = next((environment / "lib").glob("python*/site-packages")) / "libraries.pth"
    libraries.write_text(f"{Path(os.__file__).parent}\n{_site_packages()}\n", encoding="utf-8")
    run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel)
    shutil.rmtree(unpacked / "skotkge")
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SKOTKGE_DATA")}
    run(python, "-c", "import skotkge; assert 'environment' in skotkge.__file__, skotkge.__file__", cwd=FOLDER)
    run(python, "-P", "-m", "pytest", "-q", *tests, cwd=unpacked, env=variables)


def _site_packages():
    import sklearn

    return Path(sklearn.__file__).parents[1]


def main():
    """Build and check; tests are named on the command line."""
    sdist, wheel = build()
    with tarfile.open(sdist) as archive:
        archive.extractall(FOLDER, filter="data")
    unpacked = FOLDER / sdist.name.removesuffix(".tar.gz")
    check_contents(sdist, unpacked)
    check_forms(sdist, wheel)
    test_installed(wheel, unpacked, sys.argv[1:] or ["tests", "docs"])


if __name__ == "__main__":
    main()
