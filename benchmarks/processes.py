"""Training of the structure in 1, 2 and 4 processes on one machine, at equal global batch.

Each run is a process group of its own, with one thread in each process. The table has the filtered MRR of the test
triples (mean and standard deviation over the seeds), the seconds of an epoch (median over epochs and seeds; the first
is left out), the bytes that all processes send in an epoch, and the efficiency: the seconds of one process divided by
those of n times the number of cores in use. More processes than cores share them, and cannot be faster.

Batches are those of ``distributed_batches``; one process has but one kind.

    python benchmarks/processes.py --datasets emoji
    python benchmarks/processes.py --datasets wn9img --data ../shared/data --processes 1 2 --epochs 20
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from itertools import pairwise, product
from pathlib import Path
from statistics import mean, median, pstdev
from tempfile import TemporaryDirectory
from time import perf_counter

from _measuring import graph_of
from rich.console import Console
from rich.table import Table

OBJECTIVES = ("cross_entropy", "logistic")
BATCHES = ("random", "balanced")
# What an epoch sends for training; validation, the start and the end are not of it.
OF_TRAINING = ("counts", "ids", "rows", "gradients", "relations")
console = Console(width=120)


def main():
    options = parser().parse_args()
    if options.worker:
        work(options)
        return
    for name in options.datasets:
        for objective in options.objectives:
            console.print(table_of(name, objective, options))
    import torch

    from skotkge import __version__

    versions = f"skotkge {__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    load = f"load {os.getloadavg()[2]:.1f} in the last 15 minutes"
    console.print(f"{versions}, {platform.machine()}, {os.cpu_count()} cores, {load}", highlight=False)


def parser():
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--datasets", nargs="+", default=["emoji"])
    told.add_argument("--data", type=Path)
    told.add_argument("--processes", nargs="+", type=int, default=[1, 2, 4])
    told.add_argument("--batches", nargs="+", choices=BATCHES, default=list(BATCHES))
    told.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    told.add_argument("--seeds", type=int, default=3)
    told.add_argument("--epochs", type=int, default=20)
    told.add_argument("--batch-size", type=int, default=512)
    told.add_argument("--dimension", type=int, default=200)
    told.add_argument("--n-sampled", type=int, default=512, help="of the cross-entropy")
    told.add_argument("--n-negatives", type=int, default=64, help="of the logistic loss")
    told.add_argument("--worker", nargs=3, metavar=("NAME", "OBJECTIVE", "FILE"), help=argparse.SUPPRESS)
    return told


def table_of(name, objective, options):
    """Run all numbers of processes, and set them side by side."""
    table = Table(title=f"{name}, {objective}, batch {options.batch_size}, {options.epochs} epochs")
    for column in ("processes", "batches", "MRR", "s / epoch", "MB sent / epoch", "efficiency"):
        table.add_column(column, justify="right")
    alone = None
    for size, batches in product(options.processes, options.batches):
        if size == 1 and alone is not None:
            continue
        runs = run(name, objective, size, [*sys.argv[1:], "--batches", batches])
        seconds = median(second for of_run in runs for second in of_run["seconds"])
        alone = seconds * size if alone is None else alone
        efficiency = alone / seconds / min(size, os.cpu_count())
        mrr = [of_run["mrr"] for of_run in runs]
        sent = median(of_run["sent"] for of_run in runs) / 1e6
        quality = f"{mean(mrr):.4f} +- {pstdev(mrr):.4f}"
        table.add_row(
            str(size), "" if size == 1 else batches, quality, f"{seconds:.3g}", f"{sent:.3g}", f"{efficiency:.2f}"
        )
    return table


def run(name, objective, size, arguments):
    """Results of all seeds in one group of processes."""
    with TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        arguments = [*arguments, "--worker", name, objective, str(result)]
        launcher = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={size}"]
        command = [sys.executable, *launcher, __file__, *arguments]
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        return json.loads(result.read_text())


def work(options):
    """What each process of a group does."""
    from torch import distributed

    from skotkge import CrossEntropy, Logistic

    name, objective, result = options.worker
    distributed.init_process_group("gloo")
    kg = graph_of(name, options.data)
    objectives = {"cross_entropy": CrossEntropy(options.n_sampled), "logistic": Logistic(options.n_negatives)}
    runs = [one_fit(kg, objectives[objective], seed, options) for seed in range(options.seeds)]
    if distributed.get_rank() == 0:
        Path(result).write_text(json.dumps(runs))
    distributed.barrier()
    distributed.destroy_process_group()


def one_fit(kg, objective, seed, options):
    """MRR, seconds of the epochs but the first, and bytes of training of an epoch."""
    from skotkge import OTKGEClassifier

    stopwatch = Stopwatch()
    kge = OTKGEClassifier(
        evidence=("structure",),
        objective=objective,
        embedding_dim=options.dimension,
        batch_size=options.batch_size,
        distributed_batches=options.batches[0],
        max_iter=options.epochs,
        early_stopping=False,
        validation_fraction=0,
        device="cpu",
        random_state=seed,
    )
    kge.fit(kg.train.labels, callbacks=[stopwatch])
    sent = kge.space_training_["structure"].get("bytes_sent", dict.fromkeys(OF_TRAINING, 0))
    seconds = [later - earlier for earlier, later in pairwise(stopwatch.stamps)]
    bytes_of_epoch = sum(sent[what] for what in OF_TRAINING) / options.epochs
    mrr = kge.evaluate(kg.test.labels, known=kg.valid.labels, handle_unknown="last")["mrr"]
    return {"mrr": mrr, "seconds": seconds, "sent": bytes_of_epoch}


class Stopwatch:
    """Notes when epochs end."""

    def __init__(self):
        self.stamps = []

    def on_epoch_end(self, state):
        self.stamps.append(perf_counter())


if __name__ == "__main__":
    main()
