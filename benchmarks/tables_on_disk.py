"""Seconds and memory of a fit with the table of the entities in memory and on disk, of the structure alone.

The graph has uniformly random triples. "anonymous" is the most memory above that before the fit that the system could
not have back without swapping, "mapped" the most of files, which it can write out. The fits are sampled every 20 ms.

    python benchmarks/tables_on_disk.py --entities 1000000 --dimension 128 --triples 100000
"""

import argparse
from itertools import pairwise
from pathlib import Path
from threading import Event, Thread
from time import perf_counter

import numpy as np
from _measuring import in_fresh_process
from _peers import Stopwatch, quiet

from skotkge import CrossEntropy, MultimodalTriples, OTKGEClassifier

KINDS = {"RssAnon": "anonymous", "RssFile": "mapped"}


def main():
    told = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    told.add_argument("--entities", type=int, default=10**6)
    told.add_argument("--dimension", type=int, default=128)
    told.add_argument("--triples", type=int, default=10**5)
    options = told.parse_args()
    for place in ("memory", "disk"):
        print(place, in_fresh_process(measure, place, vars(options)))


def measure(place, options):
    """Seconds of the fit and of its second epoch, and MiB of each kind of memory."""
    n_entities, rng = options["entities"], np.random.default_rng(0)
    ids = rng.integers((n_entities, 822, n_entities), size=(options["triples"], 3))
    X = MultimodalTriples(ids, entities=range(n_entities), duplicates="keep")
    kge = OTKGEClassifier(
        evidence=("structure",),
        objective=CrossEntropy(512),
        optimizer="rowwise_adagrad",
        embedding_dim=options["dimension"],
        batch_size=1024,
        max_iter=2,
        early_stopping=False,
        validation_fraction=0,
        device="cpu",
        entity_table=place,
        random_state=0,
    )
    before, most, has_ended, stopwatch = resident(), resident(), Event(), Stopwatch("cpu")
    watch = Thread(target=keep_most, args=(most, has_ended))
    watch.start()
    start = perf_counter()
    with quiet():
        kge.fit(X, callbacks=[stopwatch])
    seconds = perf_counter() - start
    has_ended.set()
    watch.join()
    (stamps,) = stopwatch.spaces.values()
    (epoch,) = (later - earlier for earlier, later in pairwise(stamps))
    return {"fit s": round(seconds, 1), "epoch s": round(epoch, 1)} | {
        f"{name} MiB": round(most[name] - before[name]) for name in most
    }


def keep_most(most, has_ended):
    """Raise the figures to those of now, again and again, until the end."""
    while not has_ended.wait(0.02):
        most.update({name: max(most[name], value) for name, value in resident().items()})


def resident():
    """MiB of this process in memory, by kind, as Linux tells them."""
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return {name: int(lines[key].split()[0]) / 1024 for key, name in KINDS.items()}


if __name__ == "__main__":
    main()
