"""Take pictures of the built documentation: landing page, a gallery page and a guide page, light and dark.

    make docs
    python tools/screenshots.py build/screenshots

Needs Playwright's client (``pip install playwright``) and a Chromium of the system (Debian's package ``chromium``).
"""

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

BUILT = Path(__file__).resolve().parents[1] / "docs" / "_build" / "html"
PAGES = {
    "landing": "index.html",
    "gallery": "auto_examples/plot_why.html",
    "guide": "user_guide/quality.html",
}


def take(browser, page_file, target, theme):
    """Write a picture of the first screen of a page in a theme."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=theme)
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    # Nothing is fetched from elsewhere: formulas need a network.
    page.route("http*://**", lambda route: route.abort())
    page.goto((BUILT / page_file).as_uri())
    page.wait_for_timeout(500)
    page.screenshot(path=target)
    context.close()


def main():
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        options = dict(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        browser = playwright.chromium.launch(**options)
        for name, page_file in PAGES.items():
            for theme in ("light", "dark"):
                take(browser, page_file, folder / f"{name}_{theme}.png", theme)
                print(folder / f"{name}_{theme}.png")
        browser.close()


if __name__ == "__main__":
    main()
