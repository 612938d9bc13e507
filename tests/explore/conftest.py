"""A served page, and a browser for it."""

import shutil

import pytest
from explored import fit_and_save, write_folder
from served import serving


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


@pytest.fixture(scope="module")
def browser():
    """Chromium of the system, without a window; as long as it runs, its thread has a running event loop."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright: make browser")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("needs Chromium of the system: make browser")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()
