"""Seconds, bytes and their growth on synthetic graphs with the sizes of Wikidata5M and below, of the structure alone.

Wikidata5M has 4.6 M entities, 822 relations and 20.6 M triples: 4.5 triples for each entity. The synthetic graphs have
the same number of triples for each entity, heads that are equally frequent, and tails and relations by Zipf's law (the
exponents are options; they are an assumption, not a fit). Each size has a process of its own. The tables have

    epoch       seconds of an epoch of training (the mean after the first) by the sampled softmax, row-wise Adagrad
    traffic     bytes that an epoch moves at least, over the bandwidth of memory measured in the same run: of each row
                of each batch the row is read twice and written once, its gradient written and read, and so are the
                rows of the draws that it shares
    epoch 64    the same of the logistic loss with 64 negatives of each triple
    PyKEEN      the same by PyKEEN's sLCWA, timed on some batches and scaled to an epoch (where it is installed)
    peak        of the resident set in the fit, above what the triples take; predicted: what the fit says before
    fit         seconds of the whole fit
    others      loading from integers, splitting, ranking 100 triples against all, 10 completions, saving

and below them the exponent of growth between the first and the last size: seconds ~ (number of triples) ** exponent.

    python benchmarks/scale.py --sizes 10000 100000
    python benchmarks/scale.py --sizes 1000000 --no-peer
    python benchmarks/scale.py --sizes 5000000 --triples 20000000 --dimension 256 --batch-size 2048 --n-sampled 256 \
        --epochs 0 --no-peer --no-negatives --tell                                            # the whole, within 16 GB
"""

import argparse
import math
import os
import platform
import re
import sys
import tempfile
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from pathlib import Path
from statistics import mean
from time import perf_counter

import numpy as np
import torch
from _measuring import digits, in_fresh_process, peak_memory
from _peers import Size, Stopwatch, pykeen_epoch, pykeen_version, quiet
from rich.console import Console
from rich.table import Table

import skotkge
from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTKGEClassifier
from skotkge.model_selection import transductive_train_test_split

TRIPLES_OF_AN_ENTITY, N_RELATIONS = 20.6 / 4.6, 822
N_RANKED, N_COMPLETED, N_NEGATIVES = 100, 10, 64
BYTES_COPIED = 2**28
# Of the memory that a fit says it takes.
UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9}
SECONDS = ("load", "split", "fit", "epoch", "traffic", "epoch 64", "PyKEEN", "rank", "complete", "save")
BYTES = ("peak", "predicted", "file")
console = Console(width=120)


def main():
    options = parser().parse_args()
    measured = {size: in_fresh_process(measure, size, vars(options)) for size in options.sizes}
    table = Table(title=f"{options.dimension} columns, batch {options.batch_size}, {options.n_sampled} sampled")
    table.add_column("")
    for size in options.sizes:
        table.add_column(f"{size:,} entities", justify="right")
    table.add_column("exponent", justify="right")
    for name in ("triples", *SECONDS, *BYTES):
        values = [of_size.get(name) for of_size in measured.values()]
        unit = "" if name == "triples" else " s" if name in SECONDS else " MiB"
        shown = ["" if value is None else digits(value) for value in values]
        table.add_row(name + unit, *shown, growth([of_size["triples"] for of_size in measured.values()], values))
    console.print(table)
    for size, of_size in measured.items():
        told = f"{size:,} entities: epoch / traffic {of_size['epoch'] / of_size['traffic']:.2f}"
        if of_size.get("PyKEEN") is not None:
            told += f", PyKEEN / epoch 64: {of_size['PyKEEN'] / of_size['epoch 64']:.3g}"
        told += f", {of_size['bandwidth']:.3g} GB/s"
        console.print(told, highlight=False)
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, PyKEEN {pykeen_version()}"
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    console.print(f"{versions}, {machine}, {torch.get_num_threads()} threads", highlight=False)


def parser():
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--sizes", nargs="+", type=int, default=[10**4, 10**5, 10**6], help="numbers of entities")
    told.add_argument("--dimension", type=int, default=64)
    told.add_argument("--batch-size", type=int, default=1024)
    told.add_argument("--n-sampled", type=int, default=512)
    told.add_argument("--triples", type=int, help="of each size; without it 4.5 for each entity")
    told.add_argument("--entity-table", choices=("memory", "disk"), default="memory")
    told.add_argument("--epochs", type=int, default=2, help="timed after one that is not; 0: one, with its start")
    told.add_argument("--tell", action="store_true", help="print each figure as soon as it is there")
    told.add_argument("--zipf", type=float, default=0.8, help="exponent of the frequencies of tails by their rank")
    told.add_argument("--peer-batches", type=int, default=10, help="batches of PyKEEN's epoch that are timed")
    told.add_argument("--no-peer", action="store_true")
    told.add_argument("--no-negatives", action="store_true")
    return told


def growth(sizes, values):
    """Exponent between the first and the last size, where both were measured."""
    if len(sizes) < 2 or sizes[0] == sizes[-1] or not (values[0] and values[-1]):
        return ""
    return f"{math.log(values[-1] / values[0]) / math.log(sizes[-1] / sizes[0]):.2f}"


def measure(n_entities, options):
    """All that is told of one size."""
    options = argparse.Namespace(**options)
    told = Told() if options.tell else {}
    triples = synthetic(n_entities, options.zipf, options.triples)
    told["triples"] = len(triples)
    X, told["load"] = timed(lambda: MultimodalTriples(triples, entities=range(n_entities), duplicates="keep"))
    (train, test), told["split"] = timed(lambda: transductive_train_test_split(X, test_size=0.01, random_state=0))
    told["bandwidth"] = bandwidth() / 1e9
    told["traffic"] = traffic(X, options) / (1e9 * told["bandwidth"])
    kge = classifier(CrossEntropy(options.n_sampled), options)
    with quiet():
        # What libraries load is no part of the measurement. Of a small graph: a fit holds the model of the one before.
        kge.fit(synthetic(100, options.zipf))
        told["epoch"], told["peak"] = peak_memory(lambda: with_prediction(kge, train, told))
        told["rank"] = timed(lambda: kge.rank(test[:N_RANKED]))[1]
        questions = [(head, relation, None) for head, relation, _ in test.labels[:N_COMPLETED]]
        told["complete"] = timed(lambda: kge.complete(questions))[1]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.skops"
            told["save"] = timed(lambda: skotkge.save(kge, path))[1]
            told["file"] = path.stat().st_size / 2**20
        if not options.no_negatives:
            told["epoch 64"] = epoch(classifier(Logistic(N_NEGATIVES), options), train)[1]
        if not options.no_peer and pykeen_version() is not None:
            told["PyKEEN"] = peer(train, options)
    return dict(told)  # else it would be printed again where it arrives


class Told(dict):
    """Figures of one size, each of which is printed at once."""

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        print(f"{name}: {value:,.5g}", file=sys.__stdout__, flush=True)


class Prediction:
    """Callback that takes down what a fit has said before it began, and the seconds up to the end of each epoch."""

    def __init__(self, said, told):
        self._said, self._told, self.first = said, told, None

    def on_fit_begin(self, estimator):
        self._start = perf_counter()
        number, unit = re.search(r"about (\S+) (\S+) of\s+memory", self._said.getvalue()).groups()
        self._told["predicted"] = float(number) * UNITS[unit] / 2**20

    def on_epoch_end(self, state):
        self.first = self.first or perf_counter() - self._start
        self._told[f"seconds up to the end of epoch {state.epoch}"] = perf_counter() - self._start


def synthetic(n_entities, exponent, n_triples=None):
    """Ids of triples: heads evenly frequent, tails and relations by Zipf's law, entities in random order."""
    rng = np.random.default_rng(0)
    n_triples = n_triples or round(TRIPLES_OF_AN_ENTITY * n_entities)
    tails = rng.permutation(n_entities)[zipf(rng, n_entities, exponent, n_triples)]
    return np.column_stack([rng.integers(n_entities, size=n_triples), zipf(rng, N_RELATIONS, 1.0, n_triples), tails])


def zipf(rng, n, exponent, size):
    """Draw ranks below n with probabilities that fall with a power of the rank."""
    cumulated = np.cumsum(np.arange(1, n + 1) ** -exponent)
    return np.searchsorted(cumulated, rng.random(size) * cumulated[-1])


def classifier(objective, options):
    return OTKGEClassifier(
        evidence=("structure",),
        objective=objective,
        optimizer="rowwise_adagrad",
        embedding_dim=options.dimension,
        batch_size=options.batch_size,
        max_iter=1 + options.epochs,
        early_stopping=False,
        validation_fraction=0,
        device="cpu",
        entity_table=options.entity_table,
        random_state=0,
    )


def epoch(kge, X, callbacks=()):
    """Fit; return the model and the mean seconds of its epochs after the first, None where there is one."""
    stopwatch = Stopwatch("cpu")
    kge.fit(X, callbacks=[stopwatch, *callbacks])
    (stamps,) = stopwatch.spaces.values()
    return kge, mean(later - earlier for earlier, later in pairwise(stamps)) if len(stamps) > 1 else None


def with_prediction(kge, X, told):
    """Fit aloud; return the mean seconds of the epochs after the first, and tell the MiB that the fit says it takes."""
    with redirect_stdout(StringIO()) as said:
        prediction = Prediction(said, told)
        start = perf_counter()
        _, seconds = epoch(kge.set_params(verbose=1), X, [prediction])
        told["fit"] = perf_counter() - start
    kge.set_params(verbose=0)
    return prediction.first if seconds is None else seconds


def peer(X, options):
    """Seconds of an epoch of PyKEEN, from those of some batches."""
    n_timed = min(len(X), options.peer_batches * options.batch_size)
    size = Size(options.dimension, options.batch_size, N_NEGATIVES, epochs=1)
    return pykeen_epoch(X[:n_timed], size, sampled=True) * len(X) / n_timed


def bandwidth():
    """Bytes that are read and written in a second, by copies of an array that no cache holds."""
    source = torch.zeros(BYTES_COPIED, dtype=torch.uint8)
    target = torch.empty_like(source)
    target.copy_(source)
    seconds = min(timed(lambda: target.copy_(source))[1] for _ in range(5))
    return 2 * BYTES_COPIED / seconds


def traffic(X, options):
    """Bytes that an epoch moves at least."""
    n_batches = math.ceil(len(X) / options.batch_size)
    first = X.ids[np.random.RandomState(0).permutation(len(X))[: options.batch_size]]
    rows = len(np.unique(first[:, [0, 2]])) + options.n_sampled
    return 5 * n_batches * rows * options.dimension * torch.finfo(torch.float32).bits // 8


def timed(function):
    start = perf_counter()
    result = function()
    return result, perf_counter() - start


if __name__ == "__main__":
    main()
