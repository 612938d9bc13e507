"""A served page, in a process of its own, and a browser for it."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from graphs import fit_and_save, write_folder
from helpers import REPOSITORY


@dataclass(frozen=True)
class Served:
    """Where a page is, and the files that it was made of."""

    address: str
    model: Path
    graph: Path
    decisions: Path


@contextmanager
def serving(model, decisions, *folders):
    """Serve a page in a process, which must end with nothing on its standard error."""
    options = [part for folder in folders for part in ("--graph", folder)]
    command = [sys.executable, "-m", "skotkge", "explore", model, *options, "--decisions", decisions, "--no-browser"]
    process = subprocess.Popen(
        [*map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=model.parent,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    try:
        started = re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        if started is None:
            raise RuntimeError(process.communicate(timeout=60)[1])
        yield Served(started.group(), model, folders[0] if folders else None, decisions)
    finally:
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert out.startswith("ended; ")
    assert err == ""
    assert process.returncode == 0


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """The page of a graph whose labels want to be scripts."""
    pytest.importorskip("nicegui", reason='needs the extra "explore"')
    folder = tmp_path_factory.mktemp("served")
    fit_and_save(folder / "model.skops")
    with serving(folder / "model.skops", folder / "decisions.tsv", write_folder(folder / "graph")) as page:
        yield page
    files = {path.name for path in folder.iterdir()}
    assert files <= {"graph", "model.skops", "decisions.tsv"}


@pytest.fixture(scope="session")
def browser():
    """Chromium of the system, without a window."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make browser")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs Chromium of the system: make browser")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
