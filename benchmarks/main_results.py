"""Test results of the default parameters, with and without modalities, over several seeds.

Every model is fitted on the training triples alone (it holds 5 % of them out for early stopping and then trains on all
of them for the best number of epochs), or with ``--validate`` on the training triples with the valid split for early
stopping. Test triples are ranked on both sides, filtered by all three splits.

    python benchmarks/main_results.py emoji --seeds 5
    python benchmarks/main_results.py wn9img --data ../shared/data --validate --models structure --seeds 3
"""

import argparse
import platform
import time
import warnings

import numpy as np
import sklearn
import torch
from rich.console import Console
from rich.table import Table
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier, datasets

METRICS = ("mrr", "hits@1", "hits@3", "hits@10")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", choices=["emoji", "hanzi", "wn9img", "fbimg"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--models", nargs="+", help="among structure and the subsets of modalities such as text+image")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", action="store_true", help="early stopping on the valid split, no refit")
    options = parser.parse_args()
    load = getattr(datasets, f"load_{options.dataset}")
    kg = load() if options.dataset == "emoji" else load(options.data)
    names = list(kg.train.modalities)
    models = options.models or ["structure", *names, *(["+".join(names)] if len(names) > 1 else [])]
    table = Table(title=f"{options.dataset}: mean ± standard deviation over {options.seeds} seeds")
    for column in ("model", *METRICS, "seconds"):
        table.add_column(column, justify="left" if column == "model" else "right")
    for model in models:
        runs = [run(kg, model, seed, options.validate) for seed in range(options.seeds)]
        means, deviations = np.mean(runs, axis=0), np.std(runs, axis=0, ddof=1) if len(runs) > 1 else np.zeros(5)
        cells = [f"{mean:.3f} ± {deviation:.3f}" for mean, deviation in zip(means[:4], deviations[:4], strict=True)]
        table.add_row(model, *cells, f"{means[4]:.0f} ± {deviations[4]:.0f}")
    console = Console(width=110)
    console.print(table)
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}"
    console.print(f"{versions}, Python {platform.python_version()}, {torch.get_num_threads()} threads", highlight=False)


def run(kg, model, seed, validate):
    """Fit one model; return its test metrics and the seconds of the fit."""
    X = with_modalities(kg.train, [] if model == "structure" else model.split("+"))
    steps = [("kge", OTKGEClassifier(random_state=seed))]
    if X.modalities:
        steps.insert(0, ("fuse", OTFusionTransformer(random_state=seed)))
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        fitted = Pipeline(steps).fit(X, **({"kge__X_val": kg.valid} if validate else {}))
    seconds = time.perf_counter() - start
    report = fitted["kge"].evaluate(kg.test, known=kg.valid)
    print(
        f"{model}, seed {seed}: MRR {report['mrr']:.4f}, {fitted['kge'].best_iter_} epochs, {seconds:.1f} s", flush=True
    )
    return [*(report[metric] for metric in METRICS), seconds]


def with_modalities(X, names):
    """The same triples over a table with some of the modalities."""
    modalities = {name: X.modalities[name] for name in names}
    return MultimodalTriples(X.labels, modalities, entities=X.entities, relations=X.relations)


if __name__ == "__main__":
    main()
