"""How long does the page of ``skotkge explore`` take, and how much memory, on emoji and with a million entities?

The clock starts with the process. "page" is when it listens, "first answer" when a browser that goes straight to an
entity shows its known and its most probable links. Then, medians of several entities: "search" from the last key to the
list of what is found, 150 ms of which the page waits for a further key; "entity" from the call of its address to both
lists; "question" the same for (head, relation, ?). "memory" is the largest resident set of the server. The synthetic
graph has 5 triples for each entity, 20 relations and names of three words; its model is a structure of 64 dimensions
after one epoch, as its values change no time.

    python benchmarks/exploring.py
    python benchmarks/exploring.py --entities 10000

Needs the extra "explore", Playwright's client and Chromium of the system (``make browser``).
"""

import argparse
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from urllib.parse import quote

import numpy as np
from _measuring import digits
from playwright.sync_api import sync_playwright
from rich.console import Console
from rich.table import Table
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge.datasets import load_emoji

N_RELATIONS, TRIPLES_OF_AN_ENTITY, DIMENSION = 20, 5, 64
REPEATS = 7
SYLLABLES = [first + second for first in "bdfgklmnprst" for second in ("a", "e", "i", "o", "u", "ar", "en", "il")]
ANSWERED = "() => document.querySelector('.row-link') && !document.body.innerText.includes('Asking the model')"
COLUMNS = ["graph", "entities", "page, s", "first answer, s", "search, ms", "entity, ms", "question, ms", "memory, MiB"]


def emoji_model(path, given):
    """Fit the default model on the bundled graph, or copy one; return labels to look at and words to look for."""
    kg = load_emoji()
    if given is None:
        model = make_pipeline(skotkge.OTFusionTransformer(random_state=0), skotkge.OTKGEClassifier(random_state=0))
        skotkge.save(model.fit(kg.train, otkgeclassifier__X_val=kg.valid), path)
    else:
        shutil.copy(given, path)
    chosen = np.unique(kg.test.ids[:, 0])[: REPEATS + 1]
    words = [kg.entity_names[entity].split()[-1] for entity in chosen]
    return kg.train.entities[chosen], words, "annotated_with"


def synthetic_model(n_entities, path):
    """Fit a model that is cheap to fit on random triples; return labels to look at and words to look for."""
    rng = np.random.RandomState(0)
    words = ["".join(rng.choice(SYLLABLES, size=3)) for _ in range(5000)]
    labels = [f"Q{number}" for number in range(n_entities)]
    names = [" ".join(words[word] for word in row) for row in rng.randint(5000, size=(n_entities, 3))]
    ids = rng.randint([n_entities, N_RELATIONS, n_entities], size=(TRIPLES_OF_AN_ENTITY * n_entities, 3))
    relations = [f"relation {number}" for number in range(N_RELATIONS)]
    labelled = np.array(labels, dtype=object)
    triples = np.column_stack([labelled[ids[:, 0]], np.array(relations, dtype=object)[ids[:, 1]], labelled[ids[:, 2]]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # random triples teach nothing, and some are drawn twice
        X = skotkge.MultimodalTriples(triples, entities=labels, relations=relations, names=names)
        options = dict(evidence=("structure",), objective=skotkge.Logistic(n_negatives=1), batch_size=2**16)
        model = skotkge.OTKGEClassifier(
            **options, embedding_dim=DIMENSION, max_iter=1, validation_fraction=0, random_state=0
        ).fit(X)
    skotkge.save(model, path)
    chosen = rng.randint(n_entities, size=REPEATS + 1)
    return [labels[entity] for entity in chosen], [names[entity] for entity in chosen], relations[0]


@contextmanager
def serving(model, decisions):
    """The process of the page, its address and the seconds until it listened."""
    command = [sys.executable, "-m", "skotkge", "explore", model, "--decisions", decisions, "--no-browser"]
    start = perf_counter()
    with subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().split()[0]
            yield process, address, start, perf_counter() - start
        finally:
            process.terminate()
            process.communicate()


def seconds_of(page, act, condition):
    """Do something on a page; return the seconds until a condition holds."""
    start = perf_counter()
    act()
    page.wait_for_function(condition)
    return perf_counter() - start


def measure(browser, model, labels, words, relation, scratch):
    """The figures of one model, in seconds, and MiB of memory."""
    with serving(model, scratch / "decisions.tsv") as (process, address, start, until_page):
        page = browser.new_page()
        page.set_default_timeout(600_000)
        page.goto(f"{address}entity?label={quote(labels[0])}")
        page.wait_for_function(ANSWERED)
        first_answer = perf_counter() - start
        found = "() => document.querySelector('.found .choice') !== null"
        searches, entities, questions = [], [], []
        for label, word in zip(labels[1:], words[1:], strict=True):
            page.goto(address)
            field = page.get_by_label("Name or label", exact=True)
            page.wait_for_function(found)
            field.fill("nothing is called so")
            page.wait_for_function("() => document.querySelector('.found .choice') === null")
            searches.append(seconds_of(page, lambda: field.fill(word), found))  # noqa: B023
            entities.append(
                seconds_of(page, lambda: page.goto(f"{address}entity?label={quote(label)}"), ANSWERED)  # noqa: B023
            )
            question = f"{address}ask?head={quote(label)}&relation={quote(relation)}"
            questions.append(seconds_of(page, lambda: page.goto(question), ANSWERED))  # noqa: B023
        memory = int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text()).group(1)) / 1024
        page.close()
    return until_page, first_answer, *map(statistics.median, (searches, entities, questions)), memory


def main():
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=10**6, help="of the synthetic graph (default: %(default)s)")
    parser.add_argument("--model", type=Path, help="a saved model of the bundled graph, in place of a fit")
    options = parser.parse_args()
    table = Table(*COLUMNS, title=f"{platform.machine()}, Python {platform.python_version()}", title_justify="left")
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        scratch = Path(scratch)
        chromium = dict(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"])
        browser = playwright.chromium.launch(**chromium)
        for name, make in (
            ("emoji", lambda path: emoji_model(path, options.model)),
            ("synthetic", lambda path: synthetic_model(options.entities, path)),
        ):
            path = scratch / f"{name}.skops"
            labels, words, relation = make(path)
            print(f"{name}: the model's file has {path.stat().st_size / 2**20:,.0f} MiB", file=sys.stderr, flush=True)
            page, first, search, entity, question, memory = measure(browser, path, labels, words, relation, scratch)
            size = 1662 if name == "emoji" else options.entities
            milliseconds = (digits(1000 * value) for value in (search, entity, question))
            table.add_row(name, f"{size:,}", digits(page), digits(first), *milliseconds, digits(memory))
            path.unlink()
        browser.close()
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
