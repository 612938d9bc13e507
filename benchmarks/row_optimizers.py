"""Filtered MRR with one accumulated number a row in place of one for each column, of the structure alone.

Each optimizer has its learning rate chosen on the validation triples; the table has the test MRR of that rate (mean and
standard deviation over the seeds), and the bytes of the state of the table.

    python benchmarks/row_optimizers.py --datasets emoji
    python benchmarks/row_optimizers.py --datasets fbimg --data ../shared/data --epochs 30
"""

import argparse
import os
import platform
import sys
from pathlib import Path
from statistics import mean, pstdev

import torch
from _measuring import graph_of
from _peers import quiet
from rich.console import Console
from rich.table import Table

import skotkge
from skotkge import CrossEntropy, Logistic, OTKGEClassifier

OPTIMIZERS = ("adagrad", "rowwise_adagrad")
OBJECTIVES = {"cross_entropy, 512 sampled": CrossEntropy(512), "logistic, 64 negatives": Logistic(64)}
NUMBERS_OF_A_ROW = {"adagrad": lambda width: width, "rowwise_adagrad": lambda width: 1}
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
    told.add_argument("--epochs", type=int, default=30)
    told.add_argument("--seeds", type=int, default=3)
    told.add_argument("--rates", nargs="+", type=float, default=[0.05, 0.1, 0.2, 0.4])
    return told


def table_of(name, kg, options):
    table = Table(title=f"{name}, {options.dimension} columns, {options.epochs} epochs, {options.seeds} seeds")
    for column in ("objective", "optimizer", "learning rate", "test MRR", "state of the table, MB"):
        table.add_column(column)
    for told, objective in OBJECTIVES.items():
        for optimizer in OPTIMIZERS:
            by_rate = {rate: scores(kg, objective, optimizer, rate, options) for rate in options.rates}
            best = max(by_rate, key=lambda rate: mean(valid for valid, _ in by_rate[rate]))
            test = [score for _, score in by_rate[best]]
            state = 4e-6 * kg.train.n_entities * NUMBERS_OF_A_ROW[optimizer](options.dimension)
            table.add_row(told, optimizer, str(best), f"{mean(test):.4f} +- {pstdev(test):.4f}", f"{state:.3g}")
    return table


def scores(kg, objective, optimizer, rate, options):
    """MRR of the validation and of the test triples, for each seed."""
    found = []
    for seed in range(options.seeds):
        kge = OTKGEClassifier(
            evidence=("structure",),
            objective=objective,
            optimizer=optimizer,
            learning_rate=rate,
            embedding_dim=options.dimension,
            max_iter=options.epochs,
            early_stopping=False,
            device="cpu",
            random_state=seed,
        )
        with quiet():
            kge.fit(kg.train.labels, X_val=kg.valid.labels)
        parts = kge.evaluate(kg.valid.labels), kge.evaluate(kg.test.labels, known=kg.valid.labels)
        found.append(tuple(part["mrr"] for part in parts))
        print(f"{optimizer}, {objective}, {rate}, seed {seed}: {found[-1]}", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
