"""How many test triples training gives away, and how far the rule baseline gets without any training of its own.

Ranks are of both sides and filtered by all three splits. A pair is linked if any training triple is between its two
entities; its relation has an inverse there if at least half of the training pairs of the other relation have it.

    python benchmarks/leakage.py --data ../shared/data
"""

import argparse
import platform
import time

import numpy as np
import scipy
import sklearn

import skotkge
from skotkge import datasets
from skotkge.baselines import RuleBaseline
from skotkge.inspection import evaluate_by_leakage, leakage_report


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", help="folder of the data sets that are not bundled; without it, emoji alone")
    options = parser.parse_args()
    names = ("wn9img", "fbimg", "emoji", "hanzi") if options.data else ("emoji",)
    for name in names:
        load = getattr(datasets, f"load_{name}")
        show(name, load() if name == "emoji" else load(options.data))
    versions = f"skotkge {skotkge.__version__}, scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}"
    print(f"{versions}, NumPy {np.__version__}, Python {platform.python_version()}, {platform.machine()}")


def show(name, kg):
    report = leakage_report(kg.train, kg.test)
    shares = ", ".join(f"{kind} {report.counts[kind]} ({100 * share:.1f} %)" for kind, share in report.shares.items())
    print(f"{name}: of {len(kg.test)} test triples {shares}")
    for title, baseline in (("rules", RuleBaseline()), ("frequencies", RuleBaseline(min_confidence=1.0))):
        start = time.perf_counter()
        baseline.fit(kg.train)
        for kind in ("linked", "inverse") if report.inverse.any() else ("linked",):
            found = evaluate_by_leakage(baseline, kg.train, kg.test, known=kg.valid, kind=kind, baseline=False)
            print(f"{f'{title}, {kind} apart':<26}{str(found)[26:]}")
        print(f"{time.perf_counter() - start:.1f} s")
    print()


if __name__ == "__main__":
    main()
