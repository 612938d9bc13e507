"""Take the pictures of the page of ``skotkge explore`` for the guide: in the light, in the dark, as wide as a phone.

    python tools/explore_pictures.py docs/images

Fits a model of 30 epochs on the bundled graph, or takes ``--model``. Needs the extra "explore", Pillow, and what ``make
browser`` installs.
"""

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge.datasets import emoji_images, load_emoji

COLOURS = 96
READY = "() => document.querySelector('main') && !document.body.innerText.includes('Asking the model')"
# Name, address, colours, width and height of the window.
PICTURES = [
    ("explore_light", "entity?label=1F680&n=9", "light", 1120, 1330),
    ("explore_dark", "why?head=1F9F9&relation=annotated_with&tail=1F9DB&side=tail", "dark", 1120, 720),
    ("explore_phone", "ask?head=1F9F9&relation=annotated_with", "light", 390, 844),
]


def write_graph(folder):
    """Write the bundled graph as the folder that ``--graph`` takes."""
    kg, pictures = load_emoji(), emoji_images()
    (folder / "pictures").mkdir(parents=True)
    for split in ("train", "valid"):
        lines = ("\t".join(triple) for triple in kg[split].labels)
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    paths = {label: f"pictures/{label}.png" for label in kg.train.entities}
    for path, picture in zip(paths.values(), pictures, strict=True):
        Image.fromarray(picture).save(folder / path)
    (folder / "pictures.tsv").write_text("".join(f"{label}\t{path}\n" for label, path in paths.items()))
    # The pictures are shown beside the names, without the characters before them.
    names = (name.partition(" ")[2] for name in kg.entity_names)
    lines = (f"{label}\t{name}\n" for label, name in zip(kg.train.entities, names, strict=True))
    (folder / "names.tsv").write_text("".join(lines), encoding="utf-8")
    return folder


def fit(path):
    """Fit a model of 30 epochs on the bundled graph and save it."""
    kg = load_emoji()
    kge = skotkge.OTKGEClassifier(max_iter=30, random_state=0)
    model = make_pipeline(skotkge.OTFusionTransformer(random_state=0), kge)
    skotkge.save(model.fit(kg.train, otkgeclassifier__X_val=kg.valid), path)
    return path


def take(browser, address, target, colours, width, height):
    """Write a small picture of a page."""
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=colours)
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("main")
    page.wait_for_function(READY)
    page.wait_for_timeout(1500)
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
    context.close()


def main():
    """Take all pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, help="a saved model of the bundled graph, in place of a fit")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        model = options.model or fit(scratch / "emoji.skops")
        command = [sys.executable, "-m", "skotkge", "explore", model, "--graph", write_graph(scratch / "graph")]
        command += ["--decisions", scratch / "decisions.tsv", "--no-browser"]
        with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as server:
            try:
                address = server.stdout.readline().split()[0]
                with sync_playwright() as playwright:
                    chromium = dict(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
                    browser = playwright.chromium.launch(**chromium)
                    for name, path, *how in PICTURES:
                        take(browser, address + path, options.folder / f"{name}.png", *how)
                        print(options.folder / f"{name}.png")
            finally:
                server.terminate()
                server.communicate()


if __name__ == "__main__":
    main()
