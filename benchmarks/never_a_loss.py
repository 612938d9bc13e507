"""Whether evidence or a modality that tells nothing costs anything.

    python benchmarks/never_a_loss.py nations umls kinships --pykeen FOLDER
    python benchmarks/never_a_loss.py emoji --seeds 5

FOLDER has PyKEEN's small graphs, ``nations/train.txt`` and so on: ``pykeen/datasets`` of its wheel. Each graph is taken
as it is, with a modality of Gaussian noise (which, from 100 entities on, nearly always counts as missing), with one of
its modalities twice (which counts as missing, so that nothing changes), and with one that only 5 % of the entities
have. All evidence is compared with the best of its parts: one kind left out, "embeddings", "fused", each modality by
itself. The best is chosen by the MRR of the valid split and compared on test, filtered by all splits. All models stay
as trained on train alone, so that the valid split can choose. Beside the loss stands its standard error over the
queries of test, each with the mean of its seeds: nations has 402 of them.

A space is trained by itself, whatever other evidence there is, so the fits of one graph, its modalities and a seed
share the tables of each. ``--alone`` trains them anew in each fit, to the same figures in twice the time on emoji.
"""

import argparse
import platform
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from _measuring import graph_of
from _trained_once import NEVER, SPACES, TrainedOnce

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier

KINDS = (*SPACES, "relation_maps", "rules", "counts", "cosines", "neighbors")
# Those that a graph without modalities has.
OF_STRUCTURE = ("structure", "rules", "counts", "cosines", "neighbors")
OF_PYKEEN = ("nations", "umls", "kinships")
NOISE_COLUMNS = 64
FEW = 0.05
VALID, TEST = 0, 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", nargs="+", choices=[*OF_PYKEEN, "emoji", "hanzi", "wn9img", "codex_s"])
    parser.add_argument("--pykeen", type=Path, help="folder of PyKEEN's small graphs")
    parser.add_argument("--data", help="folder of the other data sets that are not bundled")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--variants", nargs="+", help="parts of the names of those wanted, such as noise; default: all")
    parser.add_argument("--alone", action="store_true", help="train each space anew in each fit")
    options = parser.parse_args()
    print(f"skotkge {skotkge.__version__}, torch {torch.__version__}, {platform.machine()}, {options.seeds} seeds")
    print(
        f"{'':<34}{'all: valid':>12}{'test':>18}  {'best part':<24}{'valid':>8}{'test':>18}{'loss':>18}{'s a fit':>9}"
    )
    for name in options.datasets:
        splits = splits_of(name, options.pykeen, options.data)
        graph = Graph(splits, shares=not options.alone)
        for variant, modalities in variants(splits[0]).items():
            if options.variants and not any(word in variant for word in options.variants):
                continue
            print(line(f"{name} {variant}", graph, modalities, options.seeds), flush=True)


def small_graph(folder, name):
    """Train, valid and test of one of PyKEEN's graphs; the numbers of nations as a modality."""
    if folder is None:
        raise SystemExit(f"{name} needs --pykeen FOLDER.")
    rows = [MultimodalTriples.from_tsv(folder / name / f"{part}.txt").labels for part in ("train", "valid", "test")]
    heads, relations, tails = np.concatenate(rows).T
    numbers = folder / name / "literals.txt"
    modalities = {"numbers": numbers_of(numbers)} if numbers.exists() else {}
    table = {"entities": [*dict.fromkeys([*heads, *tails])], "relations": [*dict.fromkeys(relations)]}
    train = MultimodalTriples(rows[0], modalities, **table)
    return train, train.with_triples(rows[1]), train.with_triples(rows[2])


def numbers_of(path):
    """A table of the numeric attributes of entities."""
    rows = pd.read_csv(path, sep="\t", names=["entity", "attribute", "value"])
    return rows.pivot_table(index="entity", columns="attribute", values="value")


def splits_of(name, pykeen, data):
    """Train, valid and test of a graph: folders of PyKEEN's, and of the others that are not bundled."""
    if name in OF_PYKEEN:
        return small_graph(pykeen, name)
    kg = graph_of(name, data)
    return kg.train, kg.valid, kg.test


def variants(X):
    """The modalities of each variant of a graph."""
    rng, own = np.random.RandomState(0), dict(X.modalities)
    noise = rng.standard_normal((X.n_entities, NOISE_COLUMNS)).astype(np.float32)
    name, matrix = next(iter(own.items()), ("noise", noise))
    few = np.full_like(matrix, np.nan, dtype=np.float32)
    rows = rng.choice(X.n_entities, max(2, round(FEW * X.n_entities)), replace=False)
    few[rows] = matrix[rows]
    found = {"as it is": own, "with noise": own | {"noise": noise}}
    if own:
        found |= {f"{name} twice": own | {f"{name} again": matrix}}
    return found | {f"with {name} for 5 %": own | {f"few {name}": few}}


def line(title, graph, modalities, n_seeds):
    start, n_fits = time.perf_counter(), 0
    kinds, own = (KINDS if modalities else OF_STRUCTURE), tuple(modalities)
    rows = {"all": (kinds, own)}
    rows |= {f"without {kind}": (tuple(other for other in kinds if other != kind), own) for kind in kinds}
    if modalities:
        rows |= {"embeddings": (SPACES, own), "fused": (("fused",), own)}
        rows |= {f"{name} alone": (kinds, (name,)) for name in modalities if len(modalities) > 1}
        rows["no modality"] = (OF_STRUCTURE, ())
    found = {row: [] for row in rows}
    for seed in range(n_seeds):
        for row, (evidence, names) in rows.items():
            found[row].append(graph.reciprocal_ranks(evidence, {name: modalities[name] for name in names}, seed))
            n_fits += 1
    everything = found.pop("all")
    best = max(found, key=lambda row: mrr(found[row], VALID).mean())
    cells = [
        f"{title:<34}{mrr(everything, VALID).mean():>12.4f}{told(mrr(everything, TEST)):>18}",
        f"  {best:<24}{mrr(found[best], VALID).mean():>8.4f}{told(mrr(found[best], TEST)):>18}",
        f"{loss(everything, found[best]):>18}{(time.perf_counter() - start) / n_fits:>9.1f}",
    ]
    lines = [f"  {row:<32}{mrr(runs, VALID).mean():>12.4f}{told(mrr(runs, TEST)):>18}" for row, runs in found.items()]
    return "\n".join(["".join(cells), *lines])


def mrr(runs, split):
    """MRR of each seed."""
    return np.array([reciprocal[split].mean() for reciprocal in runs])


def told(figures):
    return f"{figures.mean():.4f} ± {figures.std():.4f}"


def loss(everything, part):
    """By how much the part is better on test, with the standard error over queries."""
    by_query = np.mean([b[TEST] - a[TEST] for a, b in zip(everything, part, strict=True)], axis=0)
    return f"{by_query.mean():+.4f} ± {by_query.std(ddof=1) / np.sqrt(by_query.size):.4f}"


class Graph:
    """The splits of a graph, and what the fits on it have in common.

    Parameters
    ----------
    splits : tuple of MultimodalTriples
        Train, valid and test.
    shares : bool
        Whether fits share the trained spaces of the same modalities and seed.
    """

    def __init__(self, splits, shares):
        self._splits, self._trained = splits, TrainedOnce(n_kept=1) if shares else None
        self._found, self._last = {}, (None, None)

    def reciprocal_ranks(self, evidence, modalities, seed):
        """Those of the queries of the valid and of the test split; a modality of a name is always the same one."""
        key = (evidence, tuple(modalities), seed)
        if key not in self._found:
            self._found[key] = self._fit(evidence, modalities, seed)
        return self._found[key]

    def _fit(self, evidence, modalities, seed):
        X, held = self._fused(modalities, seed)
        options = {"checkpoint": self._trained, "checkpoint_interval": NEVER, "refit": False, "random_state": seed}
        classifier = OTKGEClassifier(evidence=evidence, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            classifier.fit(X, X_val=held[VALID])
            return [1 / classifier.rank(part, known=held).ravel() for part in held]

    def _fused(self, modalities, seed):
        """The splits with some modalities, fused with a seed."""
        key = (tuple(modalities), seed)
        if self._last[0] != key:
            X, *held = fused(self._splits, modalities, seed)
            self._last = key, (X, held)
        return self._last[1]


def fused(splits, modalities, seed):
    """The splits with modalities in place of their own, and with the fusion of train if there are any."""
    train, *held = splits
    X = MultimodalTriples(train.labels, modalities, entities=train.entities, relations=train.relations)
    parts = [X, *(X.with_triples(part.labels) for part in held)]
    if not modalities:
        return parts
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        fuse = OTFusionTransformer(random_state=seed).fit(X)
        return [fuse.transform(part) for part in parts]


if __name__ == "__main__":
    main()
