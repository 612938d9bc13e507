"""The experiments of the OTKGE paper (Table 2 and 3) on data sets whose features can be had, every row tuned alike.

Each row is tuned on the valid split by a grid search and then fitted on train with several seeds, with the valid split
for early stopping and for the weights of spaces. Test triples are ranked on both sides, filtered by all three splits.
Every fit is stored as a line of the results file as soon as it is done, so that the command can be stopped and run
again, and each row run alone; ``--show`` prints the tables of what is stored. Rows of all evidence share the spaces
that they train where one call runs them: the seconds of such a line are of what was left to do.

    python benchmarks/paper_tables.py --data ../shared/data
    python benchmarks/paper_tables.py --datasets emoji --rows "OTKGE_2" "all spaces" --seeds 5
    python benchmarks/paper_tables.py --show

Beside other work on the same cores set OMP_NUM_THREADS=1: threads that wait for one whose core is taken cost far more
than a second one gains.
"""

import argparse
import json
import os
import platform
import time
import warnings
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import ot
import torch
from _measuring import graph_of
from _trained_once import NEVER, TrainedOnce
from rich.console import Console
from rich.table import Table
from sklearn.base import BaseEstimator
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import (
    ColumnAlignment,
    CrossEntropy,
    MultimodalTriples,
    OTFusionTransformer,
    OTKGEClassifier,
)
from skotkge.baselines import MMKRLBaseline, RuleBaseline, TransAEBaseline, TranslationBaseline
from skotkge.inspection import leakage_report
from skotkge.metrics import summarize_ranks

RESULTS = Path(__file__).parent / "results" / "paper_tables.jsonl"
COLUMNS = 200
GRID = {"kge__regularization": [5e-3, 2e-2]}
# N3 is made for products; it holds the vectors together, and with them the distances that tell answers apart. So these
# do without, too.
GRID_OF_DISTANCES = [GRID, {"kge__regularization": [0.0], "kge__learning_rate": [0.1, 1.0]}]
DISTANCES = ("transe", "rotate")
# The baselines with layers never have any. Their optimizer was chosen on emoji's valid split; at its learning rate they
# have not done rising on wn9img after a hundred epochs.
GRID_OF_LAYERS = {"kge__learning_rate": [0.1, 0.5]}
GRID_OF_LAYERS_IN_FEW_EPOCHS = {"kge__learning_rate": [0.5, 1.0]}
# On the larger graphs translations with modalities take what the grid search of others has chosen: on hanzi that of
# their own on the smaller ones, on fbimg that of TransE and RotatE there, as few epochs need large steps.
GRIDS_OF_LARGER = {
    "hanzi": {"kge__regularization": [0.0], "kge__learning_rate": [0.1]},
    "fbimg": {"kge__regularization": [0.0], "kge__learning_rate": [1.0]},
}
# On fbimg, where a fit of all evidence takes half an hour, it has the value that was chosen on the valid split for all
# spaces and rules.
GRID_OF_ALL_EVIDENCE = {"fbimg": {"kge__regularization": [2e-2]}}
# Single spaces go on rising slowly, so no row is stopped as early as the default would.
PATIENCE = {"n_iter_no_change": 10, "tol": 1e-4}
# What only the cost of the larger graphs asks for.
SETTINGS = {
    "wn9img": {"matmul_precision": "bfloat16"},
    "fbimg": {
        "matmul_precision": "bfloat16",
        "objective": CrossEntropy(n_sampled=1024),
        "max_iter": 20,
        "structure_lr_factor": 1.0,
    },
}
# Of translations with modalities on a graph of limited epochs: one takes them several times as long as the other rows.
EPOCHS_OF_TRANSLATIONS = 10
SEEDS = {"emoji": 5, "hanzi": 3, "wn9img": 3, "fbimg": 3}
SPACES = ("structure", "modalities", "fused", "relation_maps")
# Rows of all evidence and of all but one kind share the spaces that are trained: with each of both values of the grid
# those of at most five seeds.
SHARED = TrainedOnce(n_kept=10)
KINDS = (*SPACES, "rules", "counts", "cosines", "neighbors")
METRICS = ("mrr", "hits@1", "hits@3", "hits@10")
# Table 2 and 3 of the paper, with the text and image features of its authors: MRR, Hits@1, Hits@3, Hits@10.
PUBLISHED = {
    "wn9img": {
        "TransE": (0.865, 0.765, 0.816, 0.871),
        "DistMult": (0.901, 0.895, 0.905, 0.925),
        "ComplEx": (0.908, 0.903, 0.907, 0.928),
        "RotatE": (0.910, 0.901, 0.914, 0.926),
        "IKRL": (0.898, 0.894, 0.908, 0.922),
        "TransAE": (0.901, 0.900, 0.912, 0.928),
        "TBKGE": (0.912, 0.904, 0.914, 0.931),
        "MMKRL": (0.913, 0.905, 0.917, 0.932),
        "OTKGE_1": (0.920, 0.909, 0.925, 0.940),
        "OTKGE_2": (0.923, 0.911, 0.930, 0.947),
        "linear, mean": (0.913, 0.909, 0.915, 0.921),
        "linear, concat": (0.916, 0.906, 0.918, 0.932),
        "OTKGE_2 without text": (0.914, 0.907, 0.914, 0.929),
        "OTKGE_2 without image": (0.916, 0.906, 0.917, 0.938),
    },
    "fbimg": {
        "TransE": (0.712, 0.618, 0.781, 0.859),
        "DistMult": (0.706, 0.606, 0.742, 0.808),
        "ComplEx": (0.808, 0.757, 0.845, 0.892),
        "RotatE": (0.794, 0.744, 0.827, 0.883),
        "IKRL": (0.742, 0.691, 0.785, 0.844),
        "TransAE": (0.755, 0.698, 0.794, 0.857),
        "TBKGE": (0.812, 0.764, 0.850, 0.902),
        "MMKRL": (0.827, 0.783, 0.857, 0.906),
        "OTKGE_1": (0.843, 0.799, 0.873, 0.914),
        "OTKGE_2": (0.842, 0.798, 0.876, 0.916),
        "linear, mean": (0.828, 0.789, 0.857, 0.899),
        "linear, concat": (0.838, 0.796, 0.863, 0.910),
        "OTKGE_2 without text": (0.835, 0.791, 0.867, 0.908),
        "OTKGE_2 without image": (0.836, 0.794, 0.868, 0.912),
    },
}


class ShuffledPlan(BaseEstimator):
    """Control: the plan of a modality whose rows are shuffled, applied to the rows in their right order."""

    def __init__(self, seed=0):
        self.seed = seed

    def align(self, modality, structure, random_state):
        order = np.random.RandomState(self.seed).permutation(modality.shape[0])
        both = modality.observed[order] & structure.observed
        cost = ot.dist(modality.rows(order[both]).T, structure.rows(both).T) / both.sum()
        plan = ot.emd([], [], cost, numItermax=10_000_000)
        return ColumnAlignment(plan * plan.shape[1], plan)


def rows_of(names, settings):
    """Title of each row and a function from a seed to its pipeline and the modalities that it sees."""

    def structure(scorer):
        return lambda seed: ([("kge", classifier(seed, score_function=scorer, embedding_dim=COLUMNS))], [])

    def classifier(seed, **options):
        options = PATIENCE | settings | options
        if options.get("score_function") in DISTANCES:  # bfloat16 is for the products of the other two
            options.pop("matmul_precision", None)
        return OTKGEClassifier(random_state=seed, **options)

    def translations(kind, **options):
        options |= {"max_iter": EPOCHS_OF_TRANSLATIONS} if "max_iter" in settings else {}
        if "objective" in settings and "objective" not in options:
            sampled = settings["objective"]
            options |= {"objective": sampled} if kind is not TranslationBaseline else {"n_sampled": sampled.n_sampled}
        options = PATIENCE | {"n_components": COLUMNS // 2} | options
        return lambda seed: ([("kge", kind(random_state=seed, **options))], names)

    def fused(
        modalities=names,
        evidence="fused",
        n_components=COLUMNS,
        shared=None,
        **options,
    ):
        def make(seed):
            given = {name: value(seed) if callable(value) else value for name, value in options.items()}
            fuse = OTFusionTransformer(n_components, random_state=seed, **given)
            checkpoint = {} if shared is None else {"checkpoint": shared, "checkpoint_interval": NEVER}
            return [("fuse", fuse), ("kge", classifier(seed, evidence=evidence, **checkpoint))], list(modalities)

        return make

    def share(n_spaces):
        return 2 * (COLUMNS // n_spaces // 2)

    concatenated = share(len(names) + 1)
    titles = {"transe": "TransE", "distmult": "DistMult", "complex": "ComplEx", "rotate": "RotatE"}
    rows = {title: structure(scorer) for scorer, title in titles.items()}
    rows |= {
        "IKRL": translations(TranslationBaseline, model="ikrl"),
        "TransAE": translations(TransAEBaseline),
        "TransAE, margin": translations(TransAEBaseline, objective="margin", norm=1),
        "TBKGE": translations(TranslationBaseline, model="tbkge"),
        "MMKRL": translations(MMKRLBaseline),
        "MMKRL, margin": translations(MMKRLBaseline, objective="margin"),
        "OTKGE_1": fused(p=1),
        "OTKGE_2": fused(),
        "OTKGE_2, pretrained structure": fused(
            structure=lambda seed: OTKGEClassifier(embedding_dim=COLUMNS, random_state=0, **settings)
        ),
        "OTKGE_2, plan of shuffled rows": fused(alignment=ShuffledPlan),
        "linear, mean": fused(alignment="linear", fusion="mean"),
        "linear, concat": fused(alignment="linear", fusion="concat", n_components=concatenated),
        "pca, mean": fused(alignment="pca", fusion="mean"),
        "pca, concat": fused(alignment="pca", fusion="concat", n_components=concatenated),
        "transport, concat": fused(fusion="concat", n_components=concatenated),
    }
    if len(names) > 1:
        rows |= {f"OTKGE_2 without {name}": fused([other for other in names if other != name]) for name in names}
    rows |= {f"{name} alone": fused([name], weights={"structure": 0, name: 1}) for name in names}
    rows |= {
        "all spaces, as many dimensions": fused(evidence=SPACES, n_components=share(len(names) + 2)),
        "all spaces, linear": fused(evidence=SPACES, alignment="linear", fusion="mean"),
        "all spaces": fused(evidence=SPACES),
        "all spaces and rules": fused(evidence=(*SPACES, "rules")),
        "all evidence": fused(evidence="all", shared=SHARED),
    }
    rows |= {
        f"all evidence without {kind}": fused(evidence=tuple(other for other in KINDS if other != kind), shared=SHARED)
        for kind in KINDS
    }
    rows |= {f"{kind} alone": fused(evidence=(kind,)) for kind in ("counts", "neighbors")}
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--datasets", nargs="+", choices=list(SEEDS), help="default: all that there are")
    parser.add_argument("--rows", nargs="+", help="titles of rows; default: all")
    parser.add_argument("--seeds", type=int, help="default: 5 on emoji, 3 on the others")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--show", action="store_true", help="print the tables of the results file and run nothing")
    options = parser.parse_args()
    chosen = options.datasets or (list(SEEDS) if options.data or options.show else ["emoji"])
    for name in chosen:
        if not options.show:
            run_all(name, options)
        show(name, stored(options.results))


def run_all(dataset, options):
    """Run what the results file lacks."""
    kg = graph_of(dataset, options.data)
    leaked = leakage_report(kg.train, kg.test).reversed
    write = Writer(options.results, dataset)
    if not options.rows or "rules" in options.rows:
        write("rules", 0, {}, {}, lambda: RuleBaseline().fit(kg.train).rank(kg.test, known=kg.valid), leaked)
    rows = rows_of(list(kg.train.modalities), SETTINGS.get(dataset, {}))
    for title, make in rows.items():
        if options.rows and title not in options.rows:
            continue
        seeds = range(options.seeds or SEEDS[dataset])
        if all(write.has(title, seed) for seed in seeds):
            continue
        classifier = dict(make(0)[0])["kge"]
        settings = {name: str(getattr(classifier, name, "")) for name in SETTINGS.get(dataset, {})}
        if write.parameters(title) is None:
            write.tuned(title, settings, tune(kg, make, leaked, dataset))
        chosen = write.parameters(title)
        for seed in seeds:
            fit = partial(ranks, kg, make, seed, chosen)
            write(title, seed, settings, chosen, fit, leaked)


def tune(kg, make, leaked, dataset):
    """Fit with each parameter of the grid and seed 0; return the line of the best filtered MRR on the valid split.

    The test figures of these fits are measured along with the valid ones, so that the chosen fit need not be repeated;
    they have no part in the choice.
    """
    steps, modalities = make(0)
    train = with_modalities(kg.train, modalities)
    both = train.with_triples(np.concatenate([kg.train.labels, kg.valid.labels]))
    split = PredefinedSplit(np.repeat([-1, 0], [len(kg.train), len(kg.valid)]))

    def figures(pipe, valid, y=None):
        return {"valid": pipe.score(valid), **summary(pipe["kge"].rank(kg.test, known=kg.valid), leaked)}

    pipe = Pipeline(steps)
    search = GridSearchCV(
        pipe, grid_of(pipe["kge"], dataset), scoring=figures, cv=split, refit=False, error_score="raise"
    )
    with quiet():
        search.fit(both, kge__X_val=kg.valid.labels)
    found = search.cv_results_
    best = int(np.argmax(found["mean_test_valid"]))
    line = {"parameters": found["params"][best], "seconds": found["mean_fit_time"][best]}
    line |= {metric: found[f"mean_test_{metric}"][best] for metric in (*METRICS, "leaked", "unleaked")}
    line["valid_mrr_of_grid"] = [round(float(value), 5) for value in found["mean_test_valid"]]
    return line


def grid_of(classifier, dataset):
    """The parameters that a row is tuned over on a data set."""
    if isinstance(classifier, TransAEBaseline | MMKRLBaseline):
        return GRID_OF_LAYERS_IN_FEW_EPOCHS if dataset == "fbimg" else GRID_OF_LAYERS
    if isinstance(classifier, TranslationBaseline) and dataset in GRIDS_OF_LARGER:
        return GRIDS_OF_LARGER[dataset]
    if getattr(classifier, "evidence", None) == "all" and dataset in GRID_OF_ALL_EVIDENCE:
        return GRID_OF_ALL_EVIDENCE[dataset]
    is_distance = isinstance(classifier, TranslationBaseline) or classifier.score_function in DISTANCES
    return GRID_OF_DISTANCES if is_distance else GRID


def summary(ranks, leaked):
    """Figures of a row; NaN for a part that is empty."""
    parts = {"leaked": ranks[leaked], "unleaked": ranks[~leaked]}
    return summarize_ranks(ranks) | {
        part: float((1 / found).mean()) if found.size else np.nan for part, found in parts.items()
    }


def ranks(kg, make, seed, parameters):
    """Ranks of the test triples by a row fitted on train."""
    steps, modalities = make(seed)
    pipe = Pipeline(steps).set_params(**parameters)
    with quiet():
        pipe.fit(with_modalities(kg.train, modalities), kge__X_val=kg.valid.labels)
    return pipe["kge"].rank(kg.test, known=kg.valid)


def with_modalities(X, names):
    """The same triples over a table with some of the modalities."""
    modalities = {name: X.modalities[name] for name in names}
    return MultimodalTriples(X.labels, modalities, entities=X.entities, relations=X.relations)


@contextmanager
def quiet():
    """Without the warning about entities and relations of the table that train lacks."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        yield


class Writer:
    """Appends one line for each fit to the results file, unless it is there."""

    def __init__(self, path, dataset):
        self._path, self._dataset = path, dataset

    def _lines(self, title):
        return [line for line in stored(self._path) if (line["dataset"], line["row"]) == (self._dataset, title)]

    def has(self, title, seed):
        return any(line["seed"] == seed for line in self._lines(title))

    def parameters(self, title):
        lines = self._lines(title)
        return lines[0]["parameters"] if lines else None

    def __call__(self, title, seed, settings, parameters, compute, leaked):
        if self.has(title, seed):
            return
        start = time.perf_counter()
        found = compute()
        seconds = time.perf_counter() - start
        self._append(title, seed, settings, {"parameters": parameters, "seconds": seconds, **summary(found, leaked)})

    def tuned(self, title, settings, line):
        """Write the line of the best fit of a grid search."""
        self._append(title, 0, settings, line)

    def _append(self, title, seed, settings, figures):
        line = {"dataset": self._dataset, "row": title, "seed": seed, "parameters": figures.pop("parameters")}
        line["seconds"] = round(figures.pop("seconds"), 1)
        for name, value in figures.items():
            line[name] = value if isinstance(value, list) else None if np.isnan(value) else round(float(value), 5)
        if settings:
            line["settings"] = settings
        line["versions"] = (
            f"skotkge {skotkge.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
        )
        line["machine"] = f"{platform.machine()}, {os.cpu_count()} cores"
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{self._dataset}, {title}, seed {seed}: MRR {line['mrr']:.4f}, {line['seconds']} s", flush=True)


def stored(path):
    """Lines of the results file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def show(dataset, lines):
    """Print the table of a data set, published numbers beside."""
    lines = [line for line in lines if line["dataset"] == dataset]
    columns = (*METRICS, "leaked", "unleaked")
    table = Table(title=f"{dataset}: test, mean ± standard deviation over the seeds; in brackets as published")
    for column in ("row", *columns, "seeds", "chosen"):
        table.add_column(column, justify="left" if column in ("row", "chosen") else "right")
    order = ["rules", *rows_of(["text", "image"], {})]
    for title in sorted({line["row"] for line in lines}, key=order.index):
        runs = [line for line in lines if line["row"] == title]
        published = PUBLISHED.get(dataset, {}).get(title, ())
        cells = [cell([run[column] for run in runs]) for column in columns]
        cells = [f"{text} ({published[i]:.3f})" if i < len(published) else text for i, text in enumerate(cells)]
        chosen = ", ".join(f"{name.removeprefix('kge__')} {value}" for name, value in runs[0]["parameters"].items())
        table.add_row(title, *cells, str(len(runs)), chosen)
    console = Console(width=190)
    console.print(table)
    if lines:
        versions = dict.fromkeys(f"{line['versions']}, {line['machine']}" for line in lines)
        console.print("; ".join(versions), highlight=False)


def cell(values):
    """Mean and standard deviation of a column."""
    if any(value is None for value in values):
        return "-"
    deviation = f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else ""
    return f"{np.mean(values):.3f}{deviation}"


if __name__ == "__main__":
    main()
