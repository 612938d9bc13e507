"""Ablation of the kinds of evidence, and whether the probabilities of answers hold, by default parameters.

    python benchmarks/evidence.py emoji --seeds 3
    python benchmarks/evidence.py hanzi codex_s --data ../shared/data --seeds 3 --rows all

Fitted on train with the valid split; test triples ranked on both sides and filtered by all splits. "leaked" are test
triples whose two entities are linked the other way round in train. The last table asks each distinct question of the
test split for its ten best answers and compares what they say with the share that is a test triple, in ten bins of
equal count and by rank; the last line does so with the likeliest missing triples of the right kinds, of all seeds.
"""

import argparse
import platform
import time
import warnings

import numpy as np
import torch
from _measuring import graph_of
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.inspection import leakage_report
from skotkge.metrics import summarize_ranks

KINDS = ("structure", "modalities", "fused", "relation_maps", "rules", "counts", "cosines", "neighbors")
ALONE = ("counts", "neighbors", "rules")
ROWS = {"all": {}, "without combiner": {"combiner": None}}
ROWS |= {f"without {kind}": {"evidence": tuple(other for other in KINDS if other != kind)} for kind in KINDS[3:]}
ROWS |= {"spaces and relation_maps": {"evidence": KINDS[:4]}}
ROWS |= {f"{kind} alone": {"evidence": (kind,)} for kind in ALONE}
MISSING = (10, 50, 200)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", nargs="+", choices=["emoji", "hanzi", "wn9img", "codex_s"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    options = parser.parse_args()
    print(f"skotkge {skotkge.__version__}, torch {torch.__version__}, {platform.machine()}")
    titles = "".join(f"{title:>18}" for title in ("MRR", "Hits@1", "Hits@10", "unleaked MRR", "leaked MRR"))
    for name in options.datasets:
        kg = graph_of(name, options.data)
        print(f"\n{name}, {options.seeds} seeds\n{'':<26}{titles}{'s a fit':>9}")
        calibrated = []
        for row in options.rows:
            found = [run(kg, ROWS[row], seed) for seed in range(options.seeds)]
            figures, seconds = np.array([figures for figures, _, _ in found]), np.mean([s for _, s, _ in found])
            cells = (f"{mean:.4f} ± {std:.4f}" for mean, std in zip(figures.mean(0), figures.std(0), strict=True))
            print(f"{row:<26}{''.join(f'{cell:>18}' for cell in cells)}{seconds:>9.0f}", flush=True)
            if row == "all":
                calibrated = [model for _, _, model in found]
        if calibrated:
            print_calibration(calibrated[0], kg)
            print_missing(calibrated, kg)


def run(kg, parameters, seed):
    """MRR, Hits@1, Hits@10, MRR of the unleaked and the leaked part; seconds of the fit; the model."""
    start = time.perf_counter()
    classifier = OTKGEClassifier(**parameters, random_state=seed)
    steps = [OTFusionTransformer(random_state=seed), classifier] if kg.train.modalities else [classifier]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        model = make_pipeline(*steps).fit(kg.train, otkgeclassifier__X_val=kg.valid)
    seconds = time.perf_counter() - start
    ranks = skotkge.rank(model, kg.test, known=kg.valid)
    leaked = leakage_report(kg.train, kg.test).reversed
    told = summarize_ranks(ranks)
    parts = [np.mean(1 / ranks[part]) if part.any() else np.nan for part in (~leaked, leaked)]
    return [told["mrr"], told["hits@1"], told["hits@10"], *parts], seconds, model


def print_calibration(model, kg):
    """What the ten best answers to the questions of the test split say, and the share that is true."""
    triples = kg.test.labels
    questions = np.concatenate([triples, triples])
    questions[: len(triples), 0] = questions[len(triples) :, 2] = None
    questions = np.array(list(dict.fromkeys(map(tuple, questions))), dtype=object)
    answers = skotkge.complete(model, questions, k=10)
    completed = np.repeat(questions[:, None], 10, axis=1)
    rows, columns = np.nonzero(np.equal(questions, None))
    completed[rows, :, columns] = answers.labels
    true = set(map(tuple, triples))
    truth = np.array([[tuple(triple) in true for triple in of_question] for of_question in completed])
    listed = np.isfinite(answers.probabilities)
    said, is_true = answers.probabilities[listed], truth[listed]
    print(f"answers: mean said {said.mean():.3f}, true {is_true.mean():.3f}")
    for title, parts in (
        ("by bin", np.array_split(np.argsort(said), 10)),
        ("by rank", [np.flatnonzero(np.nonzero(listed)[1] == place) for place in range(10)]),
    ):
        print(f"{title:<8}" + " ".join(f"{said[part].mean():.3f}/{is_true[part].mean():.3f}" for part in parts))


def print_missing(models, kg):
    """What the likeliest missing triples say and the share of test triples among them, in the mean of all seeds."""
    true, said, is_true = set(map(tuple, kg.test.labels)), [], []
    for model in models:
        likeliest = skotkge.complete(model, [[None] * 3], k=MISSING[-1], candidates="seen")
        said.append(likeliest.probabilities[0])
        is_true.append([tuple(triple) in true for triple in likeliest.triples[0]])
    shares = (f"{k}: {np.mean(said, 0)[:k].mean():.3f}/{np.mean(is_true, 0)[:k].mean():.3f}" for k in MISSING)
    print(f"likeliest missing triples, {', '.join(shares)}")


if __name__ == "__main__":
    main()
