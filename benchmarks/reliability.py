"""What the library promises about files, interrupted fits and bad input, tried: ``python benchmarks/reliability.py``.

Kills, damaged files, pickles, bad input, divergence, the cost of checkpoints, saving and loading, many calls. With
``--quick`` a tenth of everything, with ``--only files checkpoints`` these parts alone. The output is in
``results/reliability.txt``.
"""

import argparse
import os
import pickle
import resource
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

import skotkge
from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji

ROOT = Path(__file__).resolve().parents[1]
CLOCKS = ("by the clock", "of processors")
FITS = {
    "full objective, early stopping, refit, all spaces": {},
    "sampled objective": dict(objective=CrossEntropy(n_sampled=5), optimizer="adam", learning_rate=0.01),
    "sampled negatives": dict(objective=Logistic(n_negatives=4), score_function="transe"),
    "no early stopping": dict(early_stopping=False, evidence="fused"),
}


class Code:
    """Loading its pickle makes a folder."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def small_graph():
    """A graph whose fit takes a moment."""
    rng = np.random.RandomState(5)
    entities = [f"e{number}" for number in range(60)]
    ids = np.unique(rng.randint([60, 3, 60], size=(500, 3)), axis=0)
    triples = [(entities[head], f"r{relation}", entities[tail]) for head, relation, tail in ids]
    X = MultimodalTriples(triples, {"text": rng.standard_normal((60, 8))}, entities=entities)
    return OTFusionTransformer(8, random_state=0).fit_transform(X)


def small_fit(name, **parameters):
    """Fit the graph with one of the settings."""
    usual = dict(max_iter=8, n_iter_no_change=8, tol=0, batch_size=256, device="cpu", random_state=0)
    return OTKGEClassifier(**usual | FITS[name] | parameters).fit(small_graph())


def clocked(call, *arguments):
    """Seconds of a call by the clock and of processors."""
    start, start_of_work = time.perf_counter(), time.process_time()
    call(*arguments)
    return time.perf_counter() - start, time.process_time() - start_of_work


def killed(task, delay):
    """Do something in a child of this process, and kill the child some time later."""
    child = os.fork()  # one thread only, see main
    if child == 0:
        try:
            task()
        finally:
            os._exit(0)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def kills_while_saving(n, folder):
    """Earlier files lost to kills while a model is saved over them."""
    path = folder / "model.skops"
    kge = small_fit("no early stopping")
    skotkge.save(kge, path)
    expected, lost, rng = kge.score_triples(small_graph()), 0, np.random.RandomState(0)

    def save_for_ever():
        while True:
            skotkge.save(kge, path)

    for _ in range(n):
        killed(save_for_ever, rng.uniform(0, 0.1))
        lost += not np.array_equal(skotkge.load(path).score_triples(small_graph()), expected)
    print(f"killed while saving over an earlier file: {lost} of {n} lost")


def kills_while_fitting(n, folder):
    """Fits that are killed at random moments, and are called again."""
    equal, n_kills, rng = 0, 0, np.random.RandomState(1)
    expected, seconds = {}, {}
    for name in FITS:
        start = time.perf_counter()
        expected[name] = small_fit(name).predictor_.state()
        seconds[name] = time.perf_counter() - start
    for number in range(n):
        name, place = list(FITS)[number % len(FITS)], folder / f"fit-{number}"
        for _ in range(rng.randint(1, 4)):
            killed(partial(small_fit, name, checkpoint=place), rng.uniform(0, 1) * seconds[name])
            n_kills += 1
        found = small_fit(name, checkpoint=place).predictor_.state()
        equal += joblib.hash(found) == joblib.hash(expected[name])
    print(f"killed while fitting, called again: {equal} of {n} bit-equal to the uninterrupted fit ({n_kills} kills)")


def full_disk(n, folder):
    """Earlier files lost where a limit of the file size stands for a full disk."""
    path, kge = folder / "full.skops", small_fit("no early stopping")
    skotkge.save(kge, path)
    content, lost, named = path.read_bytes(), 0, 0
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for limit in np.linspace(0, len(content) - 1, n).astype(int):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), limits[1]))
        try:
            skotkge.save(kge, path)
        except (OSError, ValueError) as error:
            named += str(path) in str(error)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        lost += path.read_bytes() != content
    print(f"disk full while saving: {lost} of {n} earlier files lost, {named} of {n} errors name the file")


def damaged_files(n, folder):
    """Files with a flipped bit or cut off that load without an error."""
    kge, rng = small_fit("no early stopping"), np.random.RandomState(2)
    silent = {}
    for kind in ("model.skops", "model.joblib"):
        path = folder / kind
        skotkge.save(kge, path)
        content, silent[kind] = path.read_bytes(), 0
        for number in range(n // 2):
            damaged = bytearray(content)
            if number % 5:
                damaged[rng.randint(len(damaged))] ^= 1 << rng.randint(8)
            else:
                damaged = damaged[: rng.randint(len(damaged))]
            path.write_bytes(damaged)
            try:
                skotkge.load(path, trusted=kind.endswith("joblib"))
                silent[kind] += 1
            except ValueError as error:
                silent[kind] += str(path) not in str(error)
    told = ", ".join(f"{count} of {n // 2} {kind.partition('.')[2]}" for kind, count in silent.items())
    print(f"damaged files that load, or whose error names another file: {told}")


def pickles(folder):
    """Pickles whose code runs though nobody has asked for it."""
    n_ran = 0
    for number, write in enumerate((joblib.dump, lambda thing, path: path.write_bytes(pickle.dumps(thing)))):
        for command in ("evaluate", "complete"):
            ran, path = folder / f"ran-{number}-{command}", folder / "model.joblib"
            write(Code(ran), path)
            given = [str(path), str(path)] if command == "evaluate" else [str(path), "--head", "a", "--relation", "r"]
            subprocess.run([sys.executable, "-m", "skotkge", command, *given], capture_output=True, cwd=ROOT)
            n_ran += ran.exists()
    print(f"pickles whose code runs unasked in evaluate and complete: {n_ran} of 4")


def divergence():
    """Fits with a learning rate of a million that say nothing."""
    silent, fits = 0, 0
    for score_function in ("complex", "distmult", "transe", "rotate"):
        for optimizer in ("adagrad", "adam"):
            for early_stopping in (True, False):
                given = dict(score_function=score_function, optimizer=optimizer, early_stopping=early_stopping)
                usual = dict(max_iter=4, device="cpu", random_state=0)
                with warnings.catch_warnings(record=True) as told:
                    warnings.simplefilter("always")
                    OTKGEClassifier(learning_rate=1e6, **usual, **given).fit(small_graph())
                silent += not any(issubclass(warning.category, ConvergenceWarning) for warning in told)
                fits += 1
    print(f"fits with learning_rate=1e6 that do not warn: {silent} of {fits}")


def cost_of_checkpoints(folder, max_iter):
    """Time of a fit of emoji without checkpoints and with one after each epoch, the least of three each."""
    X = OTFusionTransformer(200, random_state=0).fit_transform(load_emoji().train)
    usual = dict(evidence="fused", max_iter=max_iter, early_stopping=False, refit=False, device="cpu", random_state=0)
    without, each = [], []
    for number in range(3):
        without.append(clocked(OTKGEClassifier(**usual).fit, X))
        each.append(clocked(OTKGEClassifier(**usual, checkpoint=folder / f"checkpoints-{number}").fit, X))
    print(f"fit of emoji, {max_iter} epochs of the fused space, without checkpoints and with one each, least of three:")
    for clock, plain, kept in zip(CLOCKS, np.min(without, axis=0), np.min(each, axis=0), strict=True):
        told = f"{plain:.1f} s and {kept:.1f} s ({kept / plain - 1:+.1%})"
        print(f"  {clock}: {told}; one a minute takes {(kept - plain) / max_iter / 60:.2%} of it")


def large_model(n_entities, width):
    """A model with a table of random numbers."""
    triples = [(f"e{number}", "r", f"e{(number + 1) % 30}") for number in range(30)]
    kge = OTKGEClassifier(embedding_dim=4, max_iter=1, validation_fraction=0, device="cpu", random_state=0).fit(triples)
    rng, before = np.random.default_rng(0), kge.predictor_
    table = rng.standard_normal((n_entities, width), dtype=np.float32)
    space = before.evidence[0]
    space = replace(space, entities=table, parameters=space.parameters | {"structure": table})
    labels = np.array([f"entity number {number}" for number in range(n_entities)], dtype=object)
    state = before.state() | {"entities": labels, "true_ids": rng.integers(0, n_entities, (2 * n_entities, 3))}
    state |= {"evidence": [("EmbeddingEvidence", space.state())]}
    kge.predictor_ = before.from_state(state | {"informed": (np.ones(n_entities, dtype=bool), before.informed[1])})
    return kge


def saving_and_loading(n_entities, width, folder):
    """Time of saving and loading beside that of plain joblib."""
    kge, path = large_model(n_entities, width), folder / "large"
    steps = {
        "joblib.dump": lambda: joblib.dump(kge, path),
        "joblib.load": lambda: joblib.load(path),
        "save, .skops": lambda: skotkge.save(kge, path.with_suffix(".skops")),
        "load, .skops": lambda: skotkge.load(path.with_suffix(".skops")),
        "save, .joblib": lambda: skotkge.save(kge, path.with_suffix(".joblib")),
        "load, .joblib": lambda: skotkge.load(path.with_suffix(".joblib"), trusted=True),
    }
    clocks = {name: [] for name in steps}
    for _ in range(5):  # one after the other, so that what else the machine does meets all
        for name, step in steps.items():
            clocks[name].append(clocked(step))
    print(f"{n_entities:,} entities, {width} columns, the least of five:")
    for number, clock in enumerate(CLOCKS):
        seconds = {name: min(values[number] for values in all_values) for name, all_values in clocks.items()}
        told = []
        for name, value in seconds.items():
            plain = seconds["joblib.dump" if name.startswith("save") else "joblib.load"]
            told.append(f"{name} {value:.2f} s" + ("" if name.startswith("joblib") else f" ({value / plain:.2f} x)"))
        print(f"  {clock}: {', '.join(told)}")


def many_calls(n):
    """Growth of the process over many questions."""
    kge = small_fit("no early stopping")
    question = [("e1", "r1", None)]

    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    for _ in range(n // 10):
        kge.complete(question)
    before = resident()
    for _ in range(n):
        kge.complete(question)
    n_files = len(list(Path("/proc/self/fd").iterdir()))
    print(f"{n} calls of complete: {resident() - before:+.1f} MiB resident, {n_files} open files")


def parts(folder, share):
    """The parts of the campaign by name, each a list of calls."""
    return {
        "kills": [
            lambda: kills_while_saving(100 // share, folder),
            lambda: full_disk(100 // share, folder),
            lambda: kills_while_fitting(100 // share, folder),
        ],
        "damage": [lambda: damaged_files(1000 // share, folder), lambda: pickles(folder)],
        "numbers": [divergence],
        "files": [
            lambda: saving_and_loading(1_000_000 // share, 20, folder),
            lambda: saving_and_loading(1_000_000 // share, 100, folder),
        ],
        "calls": [lambda: many_calls(10_000 // share)],
        "checkpoints": [lambda: cost_of_checkpoints(folder, 50 // share)],
    }


def main():
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", nargs="+", choices=["kills", "damage", "numbers", "files", "calls", "checkpoints"])
    given = parser.parse_args()
    share = 10 if given.quick else 1
    warnings.simplefilter("ignore", UserWarning)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        for part, steps in parts(Path(name), share).items():
            for step in steps if given.only is None or part in given.only else ():
                step()


if __name__ == "__main__":
    main()
