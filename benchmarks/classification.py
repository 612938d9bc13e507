"""Triple classification on CoDEx-S with its hard negatives.

Models are fitted on the training triples, with the valid split and its negatives for early stopping and calibration.
Width and regularisation are those of the best accuracy on the valid split, with the calibration learned on one half of
it and judged on the other. Then true and false test triples are classified, and for comparison

- defaults: the same with the default width and regularisation;
- relation alone: the share of true triples of the relation in the valid split, without any score;
- one line: a logistic regression on the score alone, on the same labelled triples;
- corruptions: for each relation, but with random corruptions of the valid triples in place of the hard negatives.

The expected calibration error has 15 bins of equally many triples. Exact probabilities have one too, by chance: that of
labels drawn from the probabilities is given beside.

    python benchmarks/classification.py --data ../shared/data --seeds 3
"""

import argparse
import platform
import time
from itertools import product

import numpy as np
import sklearn
import torch
from rich.console import Console
from rich.table import Table
from scipy.sparse import csr_array, hstack
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

import skotkge
from skotkge import OTKGEClassifier
from skotkge.datasets import load_codex_s
from skotkge.metrics import expected_calibration_error

GRID = {"embedding_dim": [200, 400], "regularization": [5e-3, 2e-2, 5e-2, 1e-1]}
METRICS = ("accuracy", "F1", "ROC AUC", "ECE")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    kg = load_codex_s(options.data)
    valid, test = labelled(kg, "valid"), labelled(kg, "test")
    parameters = best_parameters(kg, valid)
    runs = [judge(kg, fit(kg, valid, seed, parameters), valid, test, seed) for seed in range(options.seeds)]
    for seed, (metrics, _) in enumerate(runs):
        metrics["test, defaults"] = measure(test[1], fit(kg, valid, seed, {}).predict_proba(test[0])[:, 1])
    console = Console(width=110)
    title = f"{len(test[1])} triples, half of them false, mean ± standard deviation over {options.seeds} seeds"
    console.print(summary(title, [metrics for metrics, _ in runs]))
    console.print(reliability([probabilities for _, probabilities in runs], test[1]))
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, scikit-learn {sklearn.__version__}"
    console.print(f"{versions}, Python {platform.python_version()}, {torch.get_num_threads()} threads", highlight=False)


def labelled(kg, split):
    """True and false triples of a split, and y."""
    true, false = kg[split], kg[f"{split}_negatives"]
    return kg.train.with_triples(np.concatenate([true.labels, false.labels])), np.repeat(
        [1, 0], [len(true), len(false)]
    )


def fit(kg, valid, seed, parameters):
    kge = OTKGEClassifier(random_state=seed, **parameters)
    return kge.fit(kg.train, X_val=valid[0], y_val=valid[1])


def best_parameters(kg, valid):
    """Width and regularisation of the best accuracy on halves of the valid split, with the first seed."""
    found = []
    for values in product(*GRID.values()):
        parameters = dict(zip(GRID, values, strict=True))
        start = time.perf_counter()
        kge = fit(kg, valid, 0, parameters)
        seconds = time.perf_counter() - start
        accuracy = measure(valid[1], half_by_half(kge, *valid, seed=0))[0]
        found.append((accuracy, parameters))
        print(f"{parameters}: valid {accuracy:.4f}, {kge.best_iter_} epochs, {seconds:.0f} s", flush=True)
    return max(found, key=lambda pair: pair[0])[1]


def half_by_half(kge, X, y, seed):
    """Probabilities of labelled triples, those of each half by a calibration learned on the other half."""
    scores, relations = kge.score_triples(X), X.ids[:, 1]
    probabilities = np.empty(len(y))
    for one, other in StratifiedKFold(2, shuffle=True, random_state=seed).split(relations, y):
        line = lines_by_relation(scores[one], y[one] == 1, relations[one])
        probabilities[other] = line(scores[other], relations[other])
    return probabilities


def measure(y, probabilities):
    predicted = probabilities >= 0.5
    return (
        accuracy_score(y, predicted),
        f1_score(y, predicted),
        roc_auc_score(y, probabilities),
        expected_calibration_error(y, probabilities),
    )


def judge(kg, kge, valid, test, seed):
    """Metrics by the way of calibration, and the probabilities of the test triples."""
    random_state = np.random.RandomState(seed)
    scores = {name: kge.score_triples(X)[:, None] for name, (X, _) in {"valid": valid, "test": test}.items()}
    one_line = LogisticRegression(C=1e3).fit(scores["valid"], valid[1]).predict_proba(scores["test"])[:, 1]
    probabilities = kge.predict_proba(test[0])[:, 1]
    encoder = TargetEncoder(target_type="binary").fit(valid[0].ids[:, 1:2], valid[1])
    relation_alone = encoder.transform(test[0].ids[:, 1:2])[:, 0]
    drawn = random_state.uniform(size=len(probabilities)) < probabilities
    metrics = {
        "test": measure(test[1], probabilities),
        "test, labels drawn": measure(drawn, probabilities),
        "test, relation alone": measure(test[1], relation_alone),
        "test, one line": measure(test[1], one_line),
        "test, corruptions": measure(test[1], against_corruptions(kg, kge, test[0], random_state)),
        "valid, half by half": measure(valid[1], half_by_half(kge, *valid, seed)),
    }
    print(f"seed {seed}: accuracy {metrics['test'][0]:.4f}, {kge.best_iter_} epochs", flush=True)
    return metrics, probabilities


def against_corruptions(kg, kge, X, random_state):
    false = corrupted(kg.valid.ids, np.concatenate([kg.train.ids, kg.valid.ids]), X.n_entities, random_state)
    ids = np.concatenate([kg.valid.ids, false])
    both = kg.train.with_triples(
        np.column_stack([X.entities[ids[:, 0]], X.relations[ids[:, 1]], X.entities[ids[:, 2]]])
    )
    truth = np.arange(len(ids)) < len(kg.valid)
    line = lines_by_relation(kge.score_triples(both), truth, ids[:, 1])
    return line(kge.score_triples(X), X.ids[:, 1])


def lines_by_relation(scores, truth, relations):
    """A function from scores and relations to probabilities: a line for each relation, shrunk towards a shared one.

    Spreads as those of the calibration of the library: 2 for intercepts, 1 for slopes of standardised scores.
    """
    center, scale, encoder = scores.mean(), scores.std(), OneHotEncoder(handle_unknown="ignore")
    encoder.fit(relations[:, None])

    def columns(scores, relations):
        standardized = ((scores - center) / scale)[:, None]
        own = encoder.transform(relations[:, None])
        return hstack([csr_array(30.0 * standardized), 2.0 * own, own.multiply(standardized)], format="csr")

    model = LogisticRegression(tol=1e-6, max_iter=1000).fit(columns(scores, relations), truth)
    return lambda scores, relations: model.predict_proba(columns(scores, relations))[:, 1]


def corrupted(ids, known, n_entities, random_state):
    """Each triple with another head and with another tail, without self-loops and true triples."""
    false = np.concatenate([ids, ids])
    false[: len(ids), 0] = random_state.randint(n_entities, size=len(ids))
    false[len(ids) :, 2] = random_state.randint(n_entities, size=len(ids))
    true = set(map(tuple, known.tolist()))
    kept = [head != tail and (head, relation, tail) not in true for head, relation, tail in false.tolist()]
    return false[kept]


def summary(title, runs):
    table = Table(title=title)
    for column in ("", *METRICS):
        table.add_column(column, justify="right" if column else "left")
    for name in runs[0]:
        values = np.array([metrics[name] for metrics in runs])
        deviations = values.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(len(METRICS))
        table.add_row(
            name, *(f"{mean:.3f} ± {std:.3f}" for mean, std in zip(values.mean(axis=0), deviations, strict=True))
        )
    return table


def reliability(probabilities, y):
    """Reliability curve of the test triples: bins of equally many, all seeds together."""
    table = Table(title="reliability of the test probabilities, all seeds together")
    true, predicted = calibration_curve(
        np.tile(y, len(probabilities)), np.concatenate(probabilities), n_bins=10, strategy="quantile"
    )
    for name, values in {"mean probability": predicted, "share true": true}.items():
        table.add_row(name, *(f"{value:.2f}" for value in values))
    table.show_header = False
    return table


if __name__ == "__main__":
    main()
