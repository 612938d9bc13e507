"""How long, and in how much memory, do wide sparse matrices become modalities, and a fused space?

Random matrices of 100 values in each row. Each size is measured in a process of its own; memory is the peak of the
process, that of the matrix and the imports included.

    python benchmarks/wide_modalities.py
"""

import json
import platform
import resource
import subprocess
import sys
import warnings
from importlib.metadata import version
from time import perf_counter

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table

from skotkge import MultimodalTriples, OTFusionTransformer

SIZES = ((40, 20_000), (40, 1_000_000), (10_000, 50_000), (50_000, 200_000))


def main():
    console = Console(width=100)
    versions = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn"))
    console.print(f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}, {versions}")
    table = Table(title="Wide sparse modalities: seconds and GiB")
    for column in ("entities", "columns", "kept", "MultimodalTriples", "peak", "fusion", "peak"):
        table.add_column(column, justify="right")
    for n_entities, n_columns in SIZES:
        command = [sys.executable, __file__, str(n_entities), str(n_columns)]
        told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        reading, fitting = ((f"{seconds:.1f} s", f"{peak:.1f}") for seconds, peak in (told["read"], told["fit"]))
        table.add_row(f"{n_entities:,}", f"{n_columns:,}", str(told["kept"]), *reading, *fitting)
    console.print(table)


def measure(n_entities, n_columns):
    """Print seconds and peak memory of the triples and of their fusion as JSON."""
    warnings.simplefilter("ignore")
    rng = np.random.default_rng(0)
    matrix = sp.random_array((n_entities, n_columns), density=100 / n_columns, rng=rng, format="csr")
    ids = np.column_stack([np.arange(n_entities), np.zeros(n_entities, int), rng.permutation(n_entities)])
    X, read = timed(lambda: MultimodalTriples(ids, {"words": matrix}, entities=np.arange(n_entities)))
    _, fit = timed(lambda: OTFusionTransformer(32, random_state=0).fit(X))
    print(json.dumps({"kept": X.modalities["words"].shape[1], "read": read, "fit": fit}))


def timed(function):
    start = perf_counter()
    found = function()
    return found, (perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


if __name__ == "__main__":
    if sys.argv[1:]:
        measure(*map(int, sys.argv[1:]))
    else:
        main()
