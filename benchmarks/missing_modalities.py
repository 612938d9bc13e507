"""What remains of the results when a share of the rows of a modality is missing.

Rows of the modality are removed at random, the same for training and test; everything else is as given. Default
parameters, early stopping and weights on the valid split; test MRR of both sides, filtered by all three splits.

    python benchmarks/missing_modalities.py emoji hanzi --data ../shared/data --seeds 3
"""

import argparse
import platform
import warnings

import numpy as np
import torch
from _measuring import graph_of
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", nargs="+", choices=["emoji", "hanzi", "wn9img", "fbimg"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--modality", default="image")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'MRR':<34}{'mean ± standard deviation':>28}")
    for name in options.datasets:
        kg = graph_of(name, options.data)
        others = {other: matrix for other, matrix in kg.train.modalities.items() if other != options.modality}
        show(f"{name}, structure alone", kg, lambda seed: {}, options.seeds)
        show(f"{name}, no {options.modality} modality", kg, lambda seed, others=others: others, options.seeds)
        for share in reversed(SHARES):
            title = f"{name}, {share:.0%} of {options.modality} rows missing"
            show(title, kg, lambda seed, kg=kg, share=share: without(kg, options.modality, share, seed), options.seeds)
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {torch.get_num_threads()} threads")


def without(kg, modality, share, seed):
    """The modalities with NaN in a share of the rows of one."""
    matrix = np.array(kg.train.modalities[modality], dtype=np.float32)
    order = np.random.RandomState(seed).permutation(len(matrix))
    matrix[order[: round(share * len(matrix))]] = np.nan
    return dict(kg.train.modalities) | {modality: matrix}


def show(title, kg, modalities_of, n_seeds):
    values = [mrr(kg, modalities_of(seed), seed) for seed in range(n_seeds)]
    print(f"{title:<34}{f'{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}':>28}", flush=True)


def mrr(kg, modalities, seed):
    """Fit on train with these modalities; return the test MRR."""
    train = MultimodalTriples(
        kg.train.labels, modalities, entities=kg.train.entities, relations=kg.train.relations, duplicates="keep"
    )
    steps = [("kge", OTKGEClassifier(random_state=seed))]
    if modalities:
        steps.insert(0, ("fuse", OTFusionTransformer(random_state=seed)))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        pipe = Pipeline(steps).fit(train, kge__X_val=kg.valid.labels)
    return pipe["kge"].evaluate(kg.test.labels, known=kg.valid.labels)["mrr"]


if __name__ == "__main__":
    main()
