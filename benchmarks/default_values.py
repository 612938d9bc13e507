"""Validation and test MRR of default fits by the value of one parameter, to choose its default by.

    python benchmarks/default_values.py emoji hanzi wn9img codex_s --data ../shared/data --values 5e-3 2e-2 5e-2
    python benchmarks/default_values.py nations umls kinships --pykeen FOLDER --values 5e-3 2e-2 5e-2 --seeds 5
    python benchmarks/default_values.py emoji --parameter n_iter_no_change --values 3 5

FOLDER has PyKEEN's small graphs, as for ``never_a_loss.py``. Fitted on train, with the valid split for early stopping
and weights, and not again on both; ranked on both sides, filtered by all splits. Defaults are chosen by the valid split
of all sets together; its MRR flatters all values alike, as the weights are learned by it.
"""

import argparse
import platform
import time
import warnings
from pathlib import Path

import torch
from never_a_loss import OF_PYKEEN, fused, splits_of

import skotkge
from skotkge import OTKGEClassifier


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", nargs="+", choices=[*OF_PYKEEN, "emoji", "hanzi", "wn9img", "codex_s"])
    parser.add_argument("--pykeen", type=Path, help="folder of PyKEEN's small graphs")
    parser.add_argument("--data", help="folder of the other data sets that are not bundled")
    parser.add_argument("--parameter", default="regularization", help="one that is a number")
    parser.add_argument("--values", nargs="+", type=float, required=True)
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    print(f"skotkge {skotkge.__version__}, torch {torch.__version__}, {platform.machine()}, {options.parameter}")
    kind = type(OTKGEClassifier().get_params()[options.parameter])
    for name in options.datasets:
        splits = splits_of(name, options.pykeen, options.data)
        for seed in range(options.seeds):
            parts = fused(splits, dict(splits[0].modalities), seed)
            for value in map(kind, options.values):
                print(f"{name:<9} seed {seed}  {value:<6} {told(parts, seed, {options.parameter: value})}", flush=True)


def told(splits, seed, parameters):
    """MRR of both splits, epochs of the longest space and seconds of the processor of a fit."""
    train, *held = splits
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        start = time.process_time()
        classifier = OTKGEClassifier(refit=False, random_state=seed, **parameters).fit(train, X_val=held[0])
        seconds = time.process_time() - start
        valid, test = (float((1 / classifier.rank(split, known=held)).mean()) for split in held)
    trees = "trees" if classifier.predictor_.combiner is not None else "no trees"
    return f"valid {valid:.4f}  test {test:.4f}  {trees:<8}  {classifier.n_iter_} epochs, {seconds:.1f} s of CPU"


if __name__ == "__main__":
    main()
