"""Seconds and memory beside those of PyKEEN, of the bare matrix products, and of the code of the OTKGE paper.

Within a run all competitors alternate, each ratio is taken within a repeat, and the table has the median of the repeats
and in brackets the smallest and largest. All have the same triples, columns, batch, optimizer and initial scale;
PyKEEN goes without the regularizer that it has by default, which makes its epochs shorter.

    train      an epoch of cross-entropy on the structure; PyKEEN: ComplEx, LCWA, softmax cross-entropy
    negatives  an epoch with sampled negatives; PyKEEN: sLCWA, as many negatives of each triple, logistic loss
    evaluate   filtered ranks of the test triples on both sides
    fused      an epoch of all spaces of text and image; an image that a data set lacks is random
    evidence   a whole fit by default parameters and its filtered ranks, beside one without rules, counts, cosines and
               neighbors, in seconds of the CPU
    quality    filtered MRR of the test triples after as many epochs of cross-entropy
    memory     peak of the same, each in a process of its own
    growth     seconds and memory on synthetic graphs of growing size
    device     epochs of batches of 512 and 4,096 triples and with sampled negatives, as multiples of the products
    reference  an epoch and an evaluation of the code of the paper, of which --reference names a checkout

The floor of training are the products of one row for each distinct query with the entities: logits, gradients of the
queries, gradients of the entities. PyKEEN and the code of the paper are no requirement: what is not there is left out.
With --share, seconds of epochs are scaled to all triples, by distinct queries or for negatives by triples; those of
ranking are not, because filters are made of all triples whatever the share.

    python benchmarks/speed.py --datasets emoji wn9img --data ../shared/data
    python benchmarks/speed.py --parts train negatives --datasets fbimg --data ../shared/data --share 0.05
    python benchmarks/speed.py --parts device evaluate --device cuda --datasets emoji wn9img --data ../shared/data
"""

import argparse
import platform
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

import _growth
import _peers as peers
import numpy as np
import torch
from _measuring import alternate, digits, graph_of, in_fresh_process, peak_memory, ratios, spread
from _reference import reference_seconds
from rich.console import Console
from rich.table import Table

import skotkge
from skotkge import Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier

OURS, FLOOR, PAPER = "skotkge", "products alone", "code of the paper"
PYKEEN, LCWA, SLCWA = "PyKEEN", "PyKEEN LCWA", "PyKEEN sLCWA"
SPACES, SUM, DEFAULT = "spaces and their maps", "all evidence, weighted sum", "all evidence"
EVIDENCE = {
    SPACES: {"evidence": ("structure", "modalities", "fused", "relation_maps")},
    SUM: {"combiner": None},
    DEFAULT: {},
}
RANDOM_IMAGE_COLUMNS, N_WARM_UP = 128, 32
LARGE_BATCH = 4096
MOST_GROWTH_MIB = 1024
console = Console(width=120)


@dataclass(frozen=True)
class Case:
    """A data set and how it is measured."""

    name: str
    data: str | None
    size: peers.Size
    fused_columns: int
    repeats: int
    share: float
    reference: str | None
    quality_epochs: int

    def load(self):
        return graph_of(self.name, self.data)

    def sample(self, X):
        """A share of the triples."""
        n_kept = max(1, round(self.share * len(X)))
        return X if n_kept == len(X) else X[np.sort(np.random.RandomState(0).permutation(len(X))[:n_kept])]

    def alternate(self, part, competitors):
        return alternate(competitors, self.repeats, f"{self.name}, {part}")


# --- parts


def train(case, kg):
    X = case.sample(kg.train)
    competitors = {
        FLOOR: partial(peers.floor_epoch, X, case.size),
        OURS: partial(peers.our_epoch, X, case.size),
    }
    if peers.pykeen_version():
        competitors[LCWA] = partial(peers.pykeen_epoch, X, case.size)
    scale = len(peers.answer_counts(kg.train)) / len(peers.answer_counts(X))
    title = f"epoch of cross-entropy, {peers.rows_of_a_batch(X, case.size)} queries a batch"
    report(case, title, case.alternate("train", competitors), scale, [(OURS, FLOOR, "<=", 1.3)])


def negatives(case, kg):
    X = case.sample(kg.train)
    competitors = {OURS: partial(peers.our_epoch, X, case.size, objective=Logistic(case.size.n_negatives))}
    if peers.pykeen_version():
        competitors[SLCWA] = partial(peers.pykeen_epoch, X, case.size, sampled=True, reciprocal=False)
    scale = len(kg.train) / len(X)
    title = f"epoch with {case.size.n_negatives} sampled negatives of each triple"
    report(case, title, case.alternate("negatives", competitors), scale, [(SLCWA, OURS, ">=", 20)])


def on_device(case, kg):
    """All epochs side by side, each as a multiple of the bare products of its own batches."""
    X, large = case.sample(kg.train), replace(case.size, batch_size=LARGE_BATCH)
    negatives_of_each = Logistic(case.size.n_negatives)
    small, name = case.size.batch_size, f"{case.size.n_negatives} negatives"
    competitors = {
        FLOOR: partial(peers.floor_epoch, X, case.size),
        f"{FLOOR}, batch {LARGE_BATCH}": partial(peers.floor_epoch, X, large),
        f"{OURS}, batch {small}": partial(peers.our_epoch, X, case.size),
        f"{OURS}, batch {LARGE_BATCH}": partial(peers.our_epoch, X, large),
        f"{OURS}, {name}, batch {small}": partial(peers.our_epoch, X, case.size, objective=negatives_of_each),
    }
    targets = [(f"{OURS}, batch {small}", FLOOR, "<=", 10 if case.name == "emoji" else 4)]
    if peers.pykeen_version():
        competitors[LCWA] = partial(peers.pykeen_epoch, X, case.size)
        competitors[SLCWA] = partial(peers.pykeen_epoch, X, case.size, sampled=True, reciprocal=False)
        targets.append((SLCWA, f"{OURS}, {name}, batch {small}", ">=", 10))
    title = f"epochs on {len(X)} of {len(kg.train)} triples, device {case.size.device}"
    report(case, title, case.alternate("device", competitors), None, targets)


def evaluate(case, kg):
    test = case.sample(kg.test)
    rankers = rankers_of(case, kg)
    for ranks in rankers.values():
        ranks(test[:N_WARM_UP])
    competitors = {name: partial(ranks, test) for name, ranks in rankers.items()}
    title = f"filtered ranks of {len(test)} of {len(kg.test)} test triples, both sides"
    targets = [(OURS, FLOOR, "<=", 2), (PYKEEN, OURS, ">=", 7)]
    report(case, title, case.alternate("evaluate", competitors), None, targets)


def rankers_of(case, kg, names=(FLOOR, OURS, PYKEEN)):
    """Functions from test triples to the seconds that their ranks take."""
    rankers = {}
    if FLOOR in names:
        rankers[FLOOR] = partial(peers.floor_scores, kg.train.n_entities, case.size)
    if OURS in names:
        with peers.quiet():
            kge = peers.our_classifier(case.size, max_iter=1, objective=Logistic(n_negatives=1)).fit(kg.train)
        rankers[OURS] = partial(peers.our_ranks, kge, kg.valid)
    if PYKEEN in names and peers.pykeen_version():
        _, model = peers.pykeen_model(kg.train, case.size, reciprocal=True, loss="crossentropy")
        rankers[PYKEEN] = lambda test: peers.pykeen_ranks(model, kg, test)[0]
    return rankers


def fused(case, kg):
    whole = with_image(kg.train)
    X = OTFusionTransformer(case.fused_columns, random_state=0).fit_transform(case.sample(whole))
    competitors = {
        FLOOR: partial(peers.floor_epoch, X, case.size, case.fused_columns),
        OURS: partial(peers.our_epoch, X, case.size),
    }
    scale = len(peers.answer_counts(kg.train)) / len(peers.answer_counts(X))
    widths = " and ".join(f"{matrix.shape[1]} columns of {name}" for name, matrix in X.modalities.items())
    title = f"epoch of all spaces, {case.fused_columns} columns each, with {widths}"
    report(case, title, case.alternate("fused", competitors), scale, [(OURS, FLOOR, "<=", 1.8)])


def evidence(case, kg):
    """What the kinds beside the trained spaces cost; the spaces train for as many epochs with and without them."""
    fuse = OTFusionTransformer(random_state=0).fit(kg.train)
    X, valid, test = (fuse.transform(kg[split]) for split in ("train", "valid", "test"))
    models = {}

    def fit_seconds(name):
        kge = OTKGEClassifier(**EVIDENCE[name], random_state=0)
        start = process_time()
        with peers.quiet():
            models[name] = kge.fit(X, X_val=valid)
        return process_time() - start

    def rank_seconds(name):
        start = process_time()
        models[name].rank(test, known=valid)
        return process_time() - start

    for title, seconds_of, limit in (
        ("a whole fit", fit_seconds, 1.3),
        (f"filtered ranks of {len(test)} test triples, both sides", rank_seconds, 1.5),
    ):
        seconds = case.alternate(title, {name: partial(seconds_of, name) for name in EVIDENCE})
        report(case, f"{title}, CPU", seconds, None, [(DEFAULT, SPACES, "<=", limit)], [SPACES])


def with_image(X):
    """The triples with text and an image, a random one where they have none."""
    modalities = dict(X.modalities)
    if "image" not in modalities:
        rng = np.random.default_rng(0)
        modalities["image"] = rng.standard_normal((X.n_entities, RANDOM_IMAGE_COLUMNS), dtype=np.float32)
    return MultimodalTriples(X.labels, modalities, entities=X.entities, relations=X.relations)


def quality(case, kg):
    """So that nobody compares seconds of models that do not learn. Only ours is regularized, as in the timed epochs."""
    X, n_epochs = case.sample(kg.train), case.quality_epochs
    with peers.quiet():
        kge = peers.our_classifier(case.size, max_iter=n_epochs).fit(X)
    found = {OURS: kge.evaluate(kg.test, known=[kg.train, kg.valid])["mrr"]}
    if peers.pykeen_version():
        triples, model = peers.pykeen_model(X, case.size, reciprocal=True, loss="crossentropy")
        peers.pykeen_train(triples, model, case.size, n_epochs)
        found[f"{LCWA} without a regularizer"] = peers.pykeen_ranks(model, kg, kg.test)[1]
    told = ", ".join(f"{name} {mrr:.3f}" for name, mrr in found.items())
    console.print(f"{case.name}: filtered MRR after {n_epochs} epochs on {len(X)} triples: {told}", highlight=False)


def memory(case, kg):
    table = Table(title=f"{case.name}: peak of the resident set above that of the loaded data")
    for column in ("", OURS, PYKEEN):
        table.add_column(column, justify="left" if not column else "right")
    for what, title in MEMORY.items():
        peaks = [in_fresh_process(memory_of, case, what, name) for name in (OURS, PYKEEN)]
        table.add_row(title, *("-" if peak is None else f"{digits(peak)} MiB" for peak in peaks))
    console.print(table)


MEMORY = {
    "train": "epoch of cross-entropy, with the model",
    "negatives": "epoch with sampled negatives, with the model",
    "evaluate": "filtered ranks, above the model",
}


def memory_of(case, what, name):
    """Peak memory of one competitor, in a process that does nothing else; None where PyKEEN is missing."""
    if name == PYKEEN and not peers.pykeen_version():
        return None
    kg = case.load()
    if what == "evaluate":
        ranks, test = rankers_of(case, kg, (name,))[name], case.sample(kg.test)
        return peak_memory(lambda: ranks(test))[1]
    X = case.sample(kg.train)
    sampled = what == "negatives"
    if name == OURS:
        epoch = partial(peers.our_epoch, objective="logistic" if sampled else "cross_entropy")
    else:
        epoch = partial(peers.pykeen_epoch, sampled=sampled, reciprocal=not sampled)
    epoch(X[:N_WARM_UP], peers.Size(dimension=2))  # what torch loads at its first backward pass
    return peak_memory(lambda: epoch(X, case.size))[1]


def reference(case, kg):
    """The model of the paper is one space; the default here trains the spaces apart too."""
    if case.reference is None:
        console.print(f"{case.name}: the code of the paper is left out, give --reference")
        return
    kg = datasets_with_image(kg)
    with TemporaryDirectory() as folder:
        paper = {}

        def run_paper():
            paper.update(reference_seconds(case.reference, kg, case.size, case.share, Path(folder)))
            return paper["epoch"]

        X = OTFusionTransformer(case.size.dimension, random_state=0).fit_transform(case.sample(kg.train))
        scale = len(peers.answer_counts(kg.train)) / len(peers.answer_counts(X))
        competitors = {
            PAPER: run_paper,
            f"{OURS}, fused space": lambda: scale * peers.our_epoch(X, case.size, evidence="fused"),
            OURS: lambda: scale * peers.our_epoch(X, case.size),
        }
        seconds = case.alternate("reference", competitors)
    targets = [(PAPER, OURS, ">=", 20), (PAPER, f"{OURS}, fused space", ">=", 20)]
    report(case, f"epoch with text and image, {case.size.dimension} columns", seconds, 1.0, targets)
    console.print(f"{PAPER}: filtered ranks of the test triples {digits(paper['evaluation'])} s")


def datasets_with_image(kg):
    return type(kg)(**{split: with_image(kg[split]) for split in ("train", "valid", "test")})


def growth():
    for axis in _growth.AXES:
        fixed = {name: value for name, value in (_growth.BASE | _growth.AXES[axis][1]).items() if name != axis}
        described = ", ".join(f"{value:,} {name}" for name, value in fixed.items())
        table = Table(title=f"growth with {axis}: fit of one epoch, ranks of {_growth.N_RANKED} triples; {described}")
        for column in (axis, "tables MiB", *_growth.MEASURED):
            table.add_column(column, justify="right")
        for value, told in _growth.curve(axis):
            print(f"growth, {axis} {value:,}: fit {told['fit s']:.3g} s", file=sys.stderr, flush=True)
            cells = (told.get(column) for column in ("tables MiB", *_growth.MEASURED))
            table.add_row(f"{value:,}", *("-" if cell is None else digits(cell) for cell in cells))
        console.print(table)
        if axis == "n_entities" and told["rank MiB"] is not None:
            found, met = told["rank MiB"], told["rank MiB"] <= MOST_GROWTH_MIB
            what = f"ranking among {value:,} entities, memory above the model"
            console.print(
                f"{what}: {digits(found)} MiB, target <= {MOST_GROWTH_MIB} MiB{verdict(met)}", highlight=False
            )


# --- output


def report(case, title, seconds, scale, targets, bases=(FLOOR, OURS)):
    """Print seconds of the competitors, their ratios to those of `bases`, and the targets.

    `scale` is the size of the whole relative to the share that was measured, None where the seconds are of the share.
    """
    if case.share != 1 and scale is not None:
        title += f"; measured on {case.share:g} of the triples, seconds scaled to all"
    bases = [name for name in bases if name in seconds]
    table = Table(title=f"{case.name}: {title}")
    for column in ("", "seconds", *(f"/ {base}" for base in bases)):
        table.add_column(column, justify="left" if not column else "right")
    for name, values in seconds.items():
        cells = ("" if name in (base, FLOOR) else spread(ratios(values, seconds[base])) for base in bases)
        table.add_row(name, spread(values, scale or 1.0), *cells)
    console.print(table)
    for above, below, sign, limit in targets:
        if above in seconds and below in seconds:
            found = ratios(seconds[above], seconds[below])
            met = np.median(found) <= limit if sign == "<=" else np.median(found) >= limit
            console.print(f"{above} / {below}: {spread(found)}, target {sign} {limit}{verdict(met)}", highlight=False)


def verdict(met):
    return ": met" if met else ": NOT met"


def versions():
    """Versions and the machine."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text().splitlines() if cpus.exists() else []
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    pykeen = peers.pykeen_version()
    told = [f"skotkge {skotkge.__version__}", f"torch {torch.__version__}", f"NumPy {np.__version__}"]
    told += [f"PyKEEN {pykeen}"] if pykeen else ["without PyKEEN: python -m pip install pykeen==1.11.1"]
    told += [f"Python {platform.python_version()}", f"{platform.machine()} {model}"]
    if torch.cuda.is_available():
        told.append(torch.cuda.get_device_name())
    return ", ".join([*told, f"{torch.get_num_threads()} threads"])


PARTS = {
    "train": train,
    "negatives": negatives,
    "device": on_device,
    "evaluate": evaluate,
    "fused": fused,
    "evidence": evidence,
    "quality": quality,
    "memory": memory,
    "reference": reference,
}


def main():
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--parts", nargs="+", choices=[*PARTS, "growth"], default=[*PARTS, "growth"])
    parser.add_argument("--datasets", nargs="+", choices=["emoji", "hanzi", "wn9img", "fbimg"], default=["emoji"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=1, help="timed epochs of a repeat, after one that is not timed")
    parser.add_argument("--share", type=float, default=1.0, help="share of the triples that all competitors get")
    parser.add_argument("--dimension", type=int, default=400, help="real columns")
    parser.add_argument("--fused-columns", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--negatives", type=int, default=64)
    parser.add_argument("--quality-epochs", type=int, default=20)
    parser.add_argument("--device", default="cpu", help="of this package, PyKEEN and the products, such as cuda")
    parser.add_argument("--reference", help="checkout of https://github.com/Lion-ZS/OTKGE")
    options = parser.parse_args()
    size = peers.Size(options.dimension, options.batch_size, options.negatives, options.epochs, options.device)
    for name in options.datasets:
        case = Case(
            name,
            options.data,
            size,
            options.fused_columns,
            options.repeats,
            options.share,
            options.reference,
            options.quality_epochs,
        )
        kg = case.load()
        for part in PARTS:
            if part in options.parts:
                PARTS[part](case, kg)
    if "growth" in options.parts:
        growth()
    console.print(versions(), highlight=False)


if __name__ == "__main__":
    main()
