"""How long does an answer take, its explanation, and the first import?

`complete` of one question and of a thousand, heads and tails in turn, beside what no answer can do without: the product
of the query vectors with the table of entities and the k best scores of each, in blocks of some eight million scores.
Random triples, five times as many as entities; the model is trained for one epoch, as its values change no time. The
first answer apart, the times are of a model that has answered before. `explain` is of one triple at a time. Each size
has a process of its own. Imports are timed as whole processes.

    OMP_NUM_THREADS=1 python benchmarks/answering.py
    OMP_NUM_THREADS=1 python benchmarks/answering.py --entities 1000 10000 --no-imports --evidence embeddings

The default evidence takes two more products: the cosine of the source and each candidate, and the similarities of the
source to all that ask the same relation. `--evidence embeddings` does without.
"""

import argparse
import platform
import subprocess
import sys
import warnings
from dataclasses import dataclass
from itertools import count
from time import perf_counter

import numpy as np
import torch
from _measuring import alternate, digits, in_fresh_process, ratios, spread
from rich.console import Console
from rich.table import Table

import skotkge

OURS, FLOOR = "complete", "product and top-k"
EXPLAIN = "explain"
MOST_SECONDS = 0.3
N_RELATIONS, TRIPLES_OF_AN_ENTITY, K = 20, 5, 10
ONE_AT_A_TIME, MANY = 5, 1000
SCORES_OF_A_BLOCK = 2**23
# Targets by number of entities: of questions at once the ratio to the bare products, of an explanation milliseconds.
LIMITS = {(100_000, 1): 6, (100_000, MANY): 1.5, (15_000, EXPLAIN): 50}

BASE = "import sklearn.base, scipy.sparse"
IMPORTS = {
    "pass": ["-c", "pass"],
    BASE: ["-c", BASE],
    "import skotkge": ["-c", "import skotkge"],
    "python -m skotkge --help": ["-m", "skotkge", "--help"],
    "import skotkge.datasets": ["-c", "import skotkge.datasets"],
    "from skotkge import OTKGEClassifier": ["-c", "from skotkge import OTKGEClassifier"],
}
LIGHT = ("import skotkge", "python -m skotkge --help")


@dataclass(frozen=True)
class Case:
    """A graph and how its questions are measured."""

    n_entities: int
    dimension: int
    repeats: int
    evidence: str

    @property
    def n_triples(self):
        return TRIPLES_OF_AN_ENTITY * self.n_entities


# --- answers


def measure(case):
    """Seconds of the first answer, and of one and of a thousand questions, ours and those of the bare products."""
    X = random_graph(case)
    kge = hardly_trained(X, case)
    table = torch.tensor(kge.entity_embeddings_)
    questions = questions_of(X)
    first = seconds_of(kge.complete, next(questions)[None], k=K)
    triples = X.labels[: 1 + ONE_AT_A_TIME * case.repeats]
    told = {"first": first, EXPLAIN: [seconds_of(kge.explain, triple[None]) for triple in triples][1:]}
    for n_questions, calls in ((1, ONE_AT_A_TIME), (MANY, 1)):

        def ours(n_questions=n_questions, calls=calls):
            asked = [np.stack([next(questions) for _ in range(n_questions)]) for _ in range(calls)]
            return sum(seconds_of(kge.complete, rows, k=K) for rows in asked) / calls

        def floor(n_questions=n_questions, calls=calls):
            queries = [table[torch.randint(len(table), (n_questions,))] for _ in range(calls)]
            return sum(seconds_of(best, vectors, table) for vectors in queries) / calls

        floor()
        ours()
        told[n_questions] = alternate(
            {FLOOR: floor, OURS: ours}, case.repeats, f"{case.n_entities:,} entities, {n_questions} at once"
        )
    return told


def random_graph(case):
    """Random triples of evenly frequent entities."""
    rng = np.random.default_rng(0)
    entities = np.array([f"Q{number}" for number in range(case.n_entities)], dtype=object)
    relations = np.array([f"P{number}" for number in range(N_RELATIONS)], dtype=object)
    head, tail = rng.integers(case.n_entities, size=(2, case.n_triples))
    triples = np.column_stack(
        [entities[head], relations[rng.integers(N_RELATIONS, size=case.n_triples)], entities[tail]]
    )
    return skotkge.MultimodalTriples(triples, entities=entities, relations=relations, duplicates="keep")


def hardly_trained(X, case):
    """A model of all entities, by the cheapest way through `fit`."""
    kge = skotkge.OTKGEClassifier(
        embedding_dim=case.dimension,
        evidence=case.evidence,
        objective=skotkge.Logistic(n_negatives=1),
        batch_size=2**14,
        max_iter=1,
        early_stopping=False,
        validation_fraction=0,
        device="cpu",
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kge.fit(X)


def questions_of(X):
    """Yield the triples of X in random order without their tail or their head, in turn."""
    rng, triples = np.random.default_rng(1), X.labels
    for number in count():
        question = triples[rng.integers(len(triples))].copy()
        question[2 if number % 2 else 0] = None
        yield question


def best(queries, table):
    """The k best scores of each query."""
    for block in queries.split(max(1, SCORES_OF_A_BLOCK // len(table))):
        torch.topk(block @ table.T, K)


def seconds_of(function, *arguments, **options):
    start = perf_counter()
    function(*arguments, **options)
    return perf_counter() - start


# --- imports


def import_seconds(repeats):
    """Seconds of whole processes, from start to end."""

    def process(arguments):
        return lambda: seconds_of(subprocess.run, [sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)

    competitors = {name: process(arguments) for name, arguments in IMPORTS.items()}
    for run in competitors.values():  # byte code and disk caches
        run()
    return alternate(competitors, repeats, "imports")


# --- output


def answer_table(cases):
    """A table with two rows for each size, and the values that `LIMITS` are targets of."""
    table = Table(title=f"{K} best answers, milliseconds: median")
    for column in ("entities", "questions", FLOOR, OURS, "ratio", "first answer", EXPLAIN):
        table.add_column(column, justify="right")
    found = {}
    for case in cases:
        told = in_fresh_process(measure, case)
        for n_questions in (1, MANY):
            seconds = told[n_questions]
            found[case.n_entities, n_questions] = np.median(ratios(seconds[OURS], seconds[FLOOR]))
            cells = [spread(seconds[name], 1000) for name in (FLOOR, OURS)]
            cells.append(spread(ratios(seconds[OURS], seconds[FLOOR])))
            once = [digits(1000 * told["first"]), spread(told[EXPLAIN], 1000)] if n_questions == 1 else []
            table.add_row(f"{case.n_entities:,}", f"{n_questions:,}", *cells, *once)
        found[case.n_entities, EXPLAIN] = 1000 * np.median(told[EXPLAIN])
    return table, found


def import_table(seconds):
    table = Table(title="processes, seconds: median")
    for column in ("", "seconds", f"more than {BASE}"):
        table.add_column(column, justify="right" if column else "left")
    base = np.median(seconds[BASE])
    for name, values in seconds.items():
        table.add_row(name, spread(values), f"{np.median(values) - base:+.2f}")
    return table


def report_targets(console, found):
    for size, value in found.items():
        if size in LIMITS:
            n_entities, asked = size
            what = "ms an explanation" if asked == EXPLAIN else f"{asked:,} at once, {OURS} / {FLOOR}"
            told = f"{n_entities:,} entities, {what}: {digits(value)}, target <= {LIMITS[size]}"
            console.print(told + verdict(value <= LIMITS[size]), highlight=False)


def report_import_targets(console, seconds):
    for name in LIGHT:
        more = np.median(seconds[name]) - np.median(seconds[BASE])
        told = f"{name}: {more:+.2f} s beside {BASE}, target <= {MOST_SECONDS}"
        console.print(f"{told}{verdict(more <= MOST_SECONDS)}", highlight=False)


def verdict(met):
    return ": met" if met else ": NOT met"


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument(
        "--entities",
        type=int,
        nargs="*",
        default=[10**3, 10**4, 15_000, 10**5, 10**6],
        help="sizes of the graph; none leaves the answers out",
    )
    parser.add_argument("--dimension", type=int, default=200, help="real columns")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--evidence", choices=("all", "embeddings"), default="all")
    parser.add_argument("--no-imports", action="store_true", help="leave the import times out")
    options = parser.parse_args()
    console = Console(width=135)
    told = [f"skotkge {skotkge.__version__}", f"torch {torch.__version__}", f"Python {platform.python_version()}"]
    console.print(", ".join([*told, platform.machine(), f"{torch.get_num_threads()} threads"]), highlight=False)
    if options.entities:
        cases = [
            Case(n_entities, options.dimension, options.repeats, options.evidence) for n_entities in options.entities
        ]
        table, found = answer_table(cases)
        console.print(table)
        report_targets(console, found)
    if not options.no_imports:
        seconds = import_seconds(options.repeats)
        console.print(import_table(seconds))
        report_import_targets(console, seconds)


if __name__ == "__main__":
    main()
