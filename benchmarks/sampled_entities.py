"""What a sample of the entities costs in MRR: the structure alone, trained against all entities and against samples.

Each row is one objective: test MRR, filtered, mean and standard deviation over the seeds, and CPU seconds of an epoch.

    python benchmarks/sampled_entities.py --datasets codex_s hanzi --data ../shared/data
    python benchmarks/sampled_entities.py --datasets fbimg --data ../shared/data --epochs 20 --seeds 1
"""

import argparse
import os
import platform
import sys
from pathlib import Path
from statistics import mean, pstdev
from time import process_time

import torch
from _measuring import graph_of
from _peers import quiet
from rich.console import Console
from rich.table import Table

import skotkge
from skotkge import CrossEntropy, OTKGEClassifier

console = Console(width=120)


def main():
    options = parser().parse_args()
    for name in options.datasets:
        kg = graph_of(name, options.data)
        console.print(table_of(name, kg, options))
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    console.print(f"{versions}, {platform.machine()}, {os.cpu_count()} cores", highlight=False)


def parser():
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--datasets", nargs="+", default=["emoji"])
    told.add_argument("--data", type=Path)
    told.add_argument("--dimension", type=int, default=200)
    told.add_argument("--epochs", type=int, default=20)
    told.add_argument("--seeds", type=int, default=3)
    told.add_argument("--sizes", nargs="+", type=int, default=[0, 1024, 4096], help="of the sample; 0 is all entities")
    told.add_argument("--in-batch", action="store_true", help="each size also with the entities of the batch")
    return told


def table_of(name, kg, options):
    table = Table(title=f"{name}, {kg.train.n_entities} entities, {options.dimension} columns, {options.epochs} epochs")
    for column in ("candidates", "test MRR", "CPU s / epoch"):
        table.add_column(column, justify="right")
    for size in options.sizes:
        for in_batch in (False, True)[: 1 + (options.in_batch and size > 0)]:
            objective = CrossEntropy(size or None, in_batch=in_batch)
            runs = [fit(kg, objective, seed, options) for seed in range(options.seeds)]
            mrr, seconds = zip(*runs, strict=True)
            told = f"{size or 'all'}{' and the batch' if in_batch else ''}"
            table.add_row(told, f"{mean(mrr):.4f} +- {pstdev(mrr):.4f}", f"{mean(seconds):.3g}")
    return table


def fit(kg, objective, seed, options):
    """Test MRR and CPU seconds of an epoch."""
    kge = OTKGEClassifier(
        evidence=("structure",),
        objective=objective,
        embedding_dim=options.dimension,
        max_iter=options.epochs,
        early_stopping=False,
        validation_fraction=0,
        device="cpu",
        random_state=seed,
    )
    start = process_time()
    with quiet():
        kge.fit(kg.train.labels)
    seconds = (process_time() - start) / options.epochs
    mrr = kge.evaluate(kg.test.labels, known=kg.valid.labels, handle_unknown="last")["mrr"]
    print(f"{objective}, seed {seed}: {mrr:.4f}, {seconds:.2f} s", file=sys.stderr, flush=True)
    return mrr, seconds


if __name__ == "__main__":
    main()
