"""How long do triples take to load, compared with pandas.read_csv on the same file and np.unique of the same integers?

Each reader reads each file three times, in turn. `read_csv` gives strings alone, and pyoxigraph, which RDF is compared
with, terms of strings; a `MultimodalTriples` has besides a
table of entities, integer ids, and every triple checked against all others. Files have a million triples; of integers
there are four million, and np.unique codes the entities and the relations.

    python benchmarks/loading.py
"""

import csv
import platform
import statistics
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import pandas as pd
import pyoxigraph
from rich.console import Console
from rich.table import Table

from skotkge import MultimodalTriples

N_TRIPLES, N_INTEGERS, N_ENTITIES, N_RELATIONS, N_REPEATS = 1_000_000, 4_000_000, 100_000, 200, 3
COLUMNS = ["head", "relation", "tail"]


def main():
    console = Console(width=100)
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "pandas", "polars", "pyoxigraph"))
    console.print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, {versions}")
    table = Table(title=f"{N_TRIPLES:,} triples of {N_ENTITIES:,} entities and {N_RELATIONS} relations, medians")
    for column in ("triples", "pandas, pyoxigraph or numpy", "MultimodalTriples", "ratio"):
        table.add_column(column)
    with TemporaryDirectory() as folder:
        for name, theirs, ours in readers(Path(folder)):
            seconds, own_seconds = medians(theirs, ours)
            table.add_row(name, f"{seconds:.2f} s", f"{own_seconds:.2f} s", f"{own_seconds / seconds:.1f}")
    console.print(table)


def readers(folder):
    """Write the triples in every format; yield its name and what reads it, with pandas and with this package."""
    labels = random_labels()
    frame = pd.DataFrame(labels, columns=COLUMNS)
    strings = partial(pd.read_csv, dtype=str, keep_default_na=False)
    for name, sep, read in (
        ("triples.tsv", "\t", MultimodalTriples.from_tsv),
        ("triples.tsv.gz", "\t", MultimodalTriples.from_tsv),
        ("triples.csv", ",", MultimodalTriples.from_csv),
    ):
        frame.to_csv(folder / name, sep=sep, index=False)
        yield name, partial(strings, folder / name, sep=sep), partial(read, folder / name, columns=COLUMNS)
    frame.to_csv(folder / "quoted.csv", index=False, quoting=csv.QUOTE_ALL)
    quoted = partial(MultimodalTriples.from_csv, folder / "quoted.csv", columns=COLUMNS)
    yield "quoted.csv", partial(strings, folder / "quoted.csv"), quoted
    read_csv = partial(strings, folder / "triples.csv")
    yield "triples.csv by pandas", read_csv, lambda: MultimodalTriples(read_csv())
    with (folder / "triples.nt").open("w") as file:
        file.writelines(f"<urn:{head}> <urn:{relation}> <urn:{tail}> .\n" for head, relation, tail in labels)
    parsed = partial(terms, folder / "triples.nt")
    yield "triples.nt", parsed, partial(MultimodalTriples.from_ntriples, folder / "triples.nt")
    ids = np.random.default_rng(0).integers(N_ENTITIES, size=(N_INTEGERS, 3))
    ids[:, 1] %= N_RELATIONS
    yield "4 million integers", partial(unique, ids), partial(MultimodalTriples, ids, duplicates="keep")


def terms(path):
    """Parse N-Triples."""
    parsed = pyoxigraph.parse(path=path, format=pyoxigraph.RdfFormat.N_TRIPLES)
    return [(quad.subject.value, quad.predicate.value, quad.object.value) for quad in parsed]


def unique(ids):
    """Code entities and relations."""
    return np.unique(ids[:, [0, 2]], return_inverse=True), np.unique(ids[:, 1], return_inverse=True)


def random_labels():
    """Distinct triples, their entities as unevenly frequent as in real graphs."""
    rng = np.random.default_rng(0)
    popular = (N_ENTITIES * rng.random((2 * N_TRIPLES, 2)) ** 2).astype(int)
    ids = np.column_stack([popular[:, 0], rng.integers(N_RELATIONS, size=2 * N_TRIPLES), popular[:, 1]])
    ids = rng.permutation(np.unique(ids, axis=0))[:N_TRIPLES]
    return [(f"Q{head}", f"P{relation}", f"Q{tail}") for head, relation, tail in ids.tolist()]


def medians(*functions):
    seconds = {function: [] for function in functions}
    for _ in range(N_REPEATS):
        for function in functions:
            start = perf_counter()
            function()
            seconds[function].append(perf_counter() - start)
    return [statistics.median(seconds[function]) for function in functions]


if __name__ == "__main__":
    main()
