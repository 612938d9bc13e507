"""``demo``: train on the bundled emoji graph, with and without modalities, and answer questions."""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.pipeline import Pipeline

from .._estimator.classifier import OTKGEClassifier
from .._estimator.saving import check_model_path, save
from .._fusion.transformer import OTFusionTransformer
from ..datasets import load_emoji

METRICS = ("mrr", "hits@1", "hits@3", "hits@10")

RANK_IN_NEW_PROCESS = """
import sys, skotkge, numpy as np
kg = skotkge.datasets.load_emoji()
trusted = sys.argv[1].endswith((".joblib", ".pkl", ".pickle"))
np.save(sys.argv[2], skotkge.load(sys.argv[1], trusted=trusted)["kge"].rank(kg.test, known=kg.valid))
"""


def add_to(parser):
    """Add the options of the command to its parser."""
    parser.description = "Train on the bundled emoji graph, with and without modalities, and answer questions."
    parser.set_defaults(run=run)
    parser.add_argument(
        "--seed", type=int, metavar="N", default=0, help="random_state of both models (default: %(default)s)"
    )
    parser.add_argument(
        "--max-iter", type=int, metavar="N", default=15, help="most epochs of each model (default: %(default)s)"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("emoji.skops"), help="where the model is saved (default: %(default)s)"
    )


def run(options):
    """Run the demonstration; return the exit status."""
    check_model_path(options.output, "--output")
    console = Console()
    kg = load_emoji()
    console.print(repr(kg.train), highlight=False)
    alone, fused = train_both(kg, options, console)
    console.print(results_table(kg, {"structure only": alone, "OTKGE, with text and image": fused["kge"]}))
    console.print(answers_table(kg, fused["kge"]))
    save(fused, options.output)
    if not np.array_equal(ranks_in_new_process(options.output), fused["kge"].rank(kg.test, known=kg.valid)):
        console.print(f"{options.output} gives other ranks in a new process")
        return 1
    console.print(f"saved to {options.output}; loaded in a new process it gives the same ranks", highlight=False)
    return 0


def train_both(kg, options, console):
    """Fit the structure alone, then the pipeline with text and image."""
    training = dict(max_iter=options.max_iter, random_state=options.seed, verbose=1)
    console.print("\nstructure only")
    alone = OTKGEClassifier(**training).fit(kg.train.labels, X_val=kg.valid)
    console.print("OTKGE: text and image aligned by optimal transport, fused in a Wasserstein barycenter")
    fused = Pipeline([("fuse", OTFusionTransformer(random_state=options.seed)), ("kge", OTKGEClassifier(**training))])
    return alone, fused.fit(kg.train, kge__X_val=kg.valid)


def results_table(kg, models):
    """Filtered ranking of the test triples by each model."""
    table = Table(title="\nTest triples, filtered ranking on both sides", title_justify="left")
    table.add_column("model")
    for metric in METRICS:
        table.add_column(metric, justify="right")
    for name, model in models.items():
        report = model.evaluate(kg.test, known=kg.valid)
        table.add_row(name, *(f"{report[metric]:.3f}" for metric in METRICS))
    return table


def answers_table(kg, model, n_questions=6, k=3):
    """The best new tails for one test triple of each of the most frequent relations."""
    readable = dict(zip(kg.test.entities, kg.entity_names, strict=True))
    relations, counts = np.unique(kg.test.ids[:, 1], return_counts=True)
    frequent = relations[np.argsort(-counts, kind="stable")[:n_questions]]
    triples = kg.test.labels[[int(np.argmax(kg.test.ids[:, 1] == relation)) for relation in frequent]]
    questions = triples.copy()
    questions[:, 2] = None
    answers = model.complete(questions, k=k).labels
    table = Table(title="\nWhat is missing? (✓ is in the test triples)", title_justify="left")
    for column in ("head", "relation", "best tails"):
        table.add_column(column)
    true = set(map(tuple, kg.test.labels))
    for (head, relation, _), tails in zip(triples, answers, strict=True):
        shown = [readable[tail] + (" ✓" if (head, relation, tail) in true else "") for tail in tails]
        table.add_row(readable[head], relation, "\n".join(shown))
    return table


def ranks_in_new_process(path):
    """Load a saved pipeline in a fresh interpreter and rank the test triples there."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "ranks.npy"
        subprocess.run([sys.executable, "-c", RANK_IN_NEW_PROCESS, str(path), str(result)], check=True)
        return np.load(result, allow_pickle=False)
