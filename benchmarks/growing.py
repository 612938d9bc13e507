"""What `partial_fit` keeps, learns and costs, against a fit on all triples.

Entities are put in random order, and the first of them are new: so many that the given share of the training triples
has one. One relation with few triples is new as a whole, if there is one. A model is fitted on the other triples and
goes on with the new ones, which bring the new entities with their vectors; another is fitted on all. Told are

- old known: filtered MRR of a sample of the old training triples, after `partial_fit` and before;
- old test: the same of the test triples of old entities and relations. After `partial_fit` the new entities are
  candidates, too, which they were not before; so they are in the refit;
- new test: the same of the other test triples, after `partial_fit` and of the refit;
- CPU seconds of `partial_fit` and of the refit, fusion included.

Each seed draws other new entities and fits other models; a cell is the mean of the seeds ± their standard deviation.

    python benchmarks/growing.py emoji hanzi codex_s --data ../shared/data --output benchmarks/results/growing.txt
"""

import argparse
import platform
import sys
import warnings
from time import process_time

import numpy as np
import torch
from _measuring import graph_of

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier

SHARES = (0.1, 0.3)
N_RANKED = 2000
HEADER = ("graph", "new", "old known", "before", "kept", "old test", "before", "refit", "new test", "refit", "share")
COSTS = ("s", "refit s", "share")
WIDTH = 14


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("graphs", nargs="+", choices=["emoji", "hanzi", "codex_s"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--shares", type=float, nargs="+", default=SHARES)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--structure-only", action="store_true", help="without modalities")
    parser.add_argument("--output", help="file for the table")
    options = parser.parse_args()
    lines = ["".join(f"{name:>{WIDTH}}" for name in HEADER + COSTS)]
    for name in options.graphs:
        kg = graph_of(name, options.data)
        for share in options.shares:
            found = []
            for seed in options.seeds:
                found.append(figures(measure(kg, share, seed, structure_only=options.structure_only)))
                print(row(f"seed {seed}", share, found[-1:]), file=sys.stderr, flush=True)
            lines.append(row(name, share, found))
            print(lines[-1], file=sys.stderr, flush=True)
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    told = "structure only, " if options.structure_only else ""
    lines.append(f"{told}{len(options.seeds)} seeds, {versions}, {torch.get_num_threads()} threads")
    print("\n".join(lines))
    if options.output:
        with open(options.output, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")


def row(name, share, found):
    """A line of the table, of the figures of each seed."""
    cells = []
    for values in zip(*found, strict=True):
        mean, spread = np.mean(values), np.std(values, ddof=1) if len(values) > 1 else None
        cells.append(f"{mean:.3f}" if spread is None else f"{mean:.3f}±{spread:.3f}")
    return "".join(f"{cell:>{WIDTH}}" for cell in (name, f"{share:.0%}", *cells))


def figures(found):
    """What `measure` has found in the order of the columns, ratios beside what they are of."""
    known, test, new, seconds = (found[key] for key in ("old known", "old test", "new test", "seconds"))
    return *known, known[0] / known[1], *test, *new, new[0] / new[1], *seconds, seconds[0] / seconds[1]


def measure(kg, share, seed=0, structure_only=False):
    """MRR and seconds of one graph and share.

    Returns
    -------
    dict of str to tuple of float
        ``"old known"``: after, before; ``"old test"``: after, before, refit; ``"new test"``: after, refit;
        ``"seconds"``: of partial_fit, of the refit.
    """
    X = kg.train if not structure_only else MultimodalTriples(kg.train.labels, entities=kg.train.entities)
    is_new, new_relation = newcomers(X, share, seed)
    new_rows, new_test = (touches(triples, is_new, new_relation) for triples in (X, X.with_triples(kg.test.labels)))
    old = over(X, X.labels[~new_rows], ~is_new)
    model, _ = fitted(old, seed)
    old_test, new_test = kg.test.labels[~new_test], kg.test.labels[new_test]
    known = X.labels[~new_rows]
    known = known[np.random.RandomState(seed).permutation(len(known))[:N_RANKED]]
    before = mrr(model, known), mrr(model, old_test)
    start = process_time()
    model.partial_fit(over(X, X.labels[new_rows], np.ones(X.n_entities, dtype=bool)))
    seconds = process_time() - start
    refit, refit_seconds = fitted(X, seed)
    return {
        "old known": (mrr(model, known), before[0]),
        "old test": (mrr(model, old_test), before[1], mrr(refit, old_test)),
        "new test": (mrr(model, new_test), mrr(refit, new_test)),
        "seconds": (seconds, refit_seconds),
    }


def newcomers(X, share, seed):
    """Mask of the new entities, and the id of a new relation or -1."""
    order = np.random.RandomState(seed).permutation(X.n_entities)
    counts = np.bincount(X.ids[:, 1], minlength=len(X.relations))
    few = np.flatnonzero((counts > 0) & (counts < share / 2 * len(X)))
    relation = int(few[np.argmax(counts[few])]) if len(few) else -1
    first = np.minimum(order[X.ids[:, 0]], order[X.ids[:, 2]])
    first[X.ids[:, 1] == relation] = -1
    return order < np.quantile(first, share), relation


def touches(triples, is_new, relation):
    """Mask of the triples with a new entity or the new relation."""
    return is_new[triples.ids[:, 0]] | is_new[triples.ids[:, 2]] | (triples.ids[:, 1] == relation)


def over(X, labels, kept):
    """Triples over a table of some of the entities of X, with their vectors."""
    modalities = {name: (matrix[kept], X.entities[kept]) for name, matrix in X.modalities.items()}
    return MultimodalTriples(labels, modalities, entities=X.entities[kept])


def fitted(X, seed):
    """The default model, and its CPU seconds."""
    start = process_time()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        if X.modalities:
            X = OTFusionTransformer(random_state=seed).fit_transform(X)
        model = OTKGEClassifier(random_state=seed).fit(X)
    return model, process_time() - start


def mrr(model, labels):
    return float(np.mean(1 / model.rank(labels)))


if __name__ == "__main__":
    main()
