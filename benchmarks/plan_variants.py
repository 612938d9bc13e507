"""Whether the start that the transport plan gives to the maps of the fused space matters, and other starts beside it.

The one fused space of the paper alone (``evidence="fused"``), its maps started in different ways; all are trained
afterwards, or with ``--fixed`` kept. Early stopping on the valid split; test MRR of both sides, filtered by all three
splits.

    python benchmarks/plan_variants.py emoji --seeds 3
    python benchmarks/plan_variants.py emoji --seeds 3 --variants plan shuffled linear pca --fixed
    python benchmarks/plan_variants.py hanzi --data ../shared/data --seeds 2 --variants plan shuffled signed ridge
"""

import argparse
import platform
import warnings
from dataclasses import replace

import numpy as np
import ot
import torch
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import OTFusionTransformer, OTKGEClassifier, datasets
from skotkge._fusion import transformer as _fusion
from skotkge._fusion.column_alignment import Alignment, align
from skotkge._fusion.transport import barycentric_map, feature_cost, transport_plan

RIDGE_DEVIATION = 0.3


def plan(modality, structure, observed, **options):
    """The exact plan of Eq. 1, as in the paper."""
    return align(modality, structure, observed, **options)


def shuffled(modality, structure, observed, **options):
    """Control: the plan of a modality whose rows are shuffled, applied to the rows in their right order."""
    order = np.random.RandomState(0).permutation(len(modality.matrix))
    mixed = replace(modality, matrix=modality.matrix[order], observed=modality.observed[order])
    return align(mixed, structure, observed, **options)


def linear(modality, structure, observed, **options):
    """A random map."""
    return align(modality, structure, observed, **options | {"alignment": "linear"})


def pca(modality, structure, observed, **options):
    """The leading principal components."""
    return align(modality, structure, observed, **options | {"alignment": "pca"})


def entropic(modality, structure, observed, **options):
    """An entropic plan, reg = 0.1."""
    return align(modality, structure, observed, **options | {"reg": 0.1})


def signed(modality, structure, observed, **options):
    """A plan from the columns and their negatives: the sign of a column is arbitrary."""
    return _from_columns(modality, structure, observed, transport_plan, negatives=True)


def unbalanced(modality, structure, observed, **options):
    """An unbalanced plan with a Kullback-Leibler penalty of 0.1 on its marginals."""
    return _from_columns(modality, structure, observed, _unbalanced_plan, negatives=False)


def signed_unbalanced(modality, structure, observed, **options):
    """Both."""
    return _from_columns(modality, structure, observed, _unbalanced_plan, negatives=True)


def ridge(modality, structure, observed, **options):
    """No plan: the ridge regression of the structure on the modality, made as small as plans make their result."""
    columns, both = modality.scaled(), modality.observed & observed
    found = Ridge(alpha=float(both.sum()), fit_intercept=False).fit(columns[both], structure[both]).coef_.T
    return Alignment(np.zeros(found.shape), found * RIDGE_DEVIATION / (columns[both] @ found).std(), np.nan)


def gromov(modality, structure, observed, **options):
    """A fused Gromov-Wasserstein plan: columns that lie far from each other go to such ones too."""
    columns, both = modality.scaled(), modality.observed & observed
    source, target = columns[both], structure[both]
    costs = [feature_cost(*points) for points in ((source, target), (source, source), (target, target))]
    between, within_source, within_target = (cost / cost.max() for cost in costs)
    found = ot.gromov.fused_gromov_wasserstein(between, within_source, within_target, alpha=0.5)
    return Alignment(found, barycentric_map(found), np.nan)


def supports(modality, structure, observed, **options):
    """The mean of the plans of several support sets: five random halves of the entities."""
    columns, both = modality.scaled(), np.flatnonzero(modality.observed & observed)
    rng = np.random.RandomState(0)
    halves = [rng.choice(both, len(both) // 2, replace=False) for _ in range(5)]
    found = np.mean([transport_plan(feature_cost(columns[half], structure[half])) for half in halves], axis=0)
    return Alignment(found, barycentric_map(found), np.nan)


def refreshed(modality, structure, observed, **options):
    """A second plan, to the fused space that the first one led to (see `FusedSpace`)."""
    return align(modality, structure, observed, **options)


class FusedSpace(BaseEstimator):
    """Structural space of `refreshed`: the fused space after some epochs."""

    def __init__(self, train, random_state=None):
        self.train, self.random_state = train, random_state

    def fit(self, X, y=None):
        fuse = OTFusionTransformer(random_state=self.random_state)
        kge = OTKGEClassifier(evidence="fused", max_iter=10, early_stopping=False, random_state=self.random_state)
        self.entity_embeddings_ = kge.fit(fuse.fit_transform(self.train)).space_embeddings_["fused"]
        return self


def _unbalanced_plan(cost):
    masses = (np.full(n, 1 / n) for n in cost.shape)
    return ot.unbalanced.mm_unbalanced(*masses, cost, reg_m=0.1, div="kl")


def _from_columns(modality, structure, observed, solve, negatives):
    columns, both = modality.scaled(), modality.observed & observed
    points = np.hstack([columns, -columns]) if negatives else columns
    found = solve(feature_cost(points[both], structure[both]))
    parts = np.split(found, 2) if negatives else [found, np.zeros_like(found)]
    return Alignment(parts[0] + parts[1], barycentric_map(parts[0] - parts[1]), np.nan)


VARIANTS = {
    start.__name__: start
    for start in (
        *(plan, shuffled, linear, pca, entropic, signed, unbalanced, signed_unbalanced, ridge),
        *(gromov, supports, refreshed),
    )
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", nargs="+", choices=["emoji", "hanzi", "wn9img", "fbimg"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS))
    parser.add_argument("--fixed", action="store_true", help="do not train the maps")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'MRR, mean ± standard deviation':<34}{'valid':>16}{'test':>16}")
    for name in options.datasets:
        kg = datasets.load_emoji() if name == "emoji" else getattr(datasets, f"load_{name}")(options.data)
        for variant in options.variants:
            _fusion.align = VARIANTS[variant]
            found = np.array([run(kg, seed, options.fixed, variant == "refreshed") for seed in range(options.seeds)])
            cells = [f"{mean:.3f} ± {std:.3f}" for mean, std in zip(found.mean(0), found.std(0, ddof=1), strict=True)]
            print(f"{f'{name}, {variant}':<34}{cells[0]:>16}{cells[1]:>16}", flush=True)
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {torch.get_num_threads()} threads")


def run(kg, seed, fixed, refresh):
    """Best valid MRR and test MRR."""
    fuse = OTFusionTransformer(structure=FusedSpace(kg.train, seed) if refresh else "spectral", random_state=seed)
    kge = OTKGEClassifier(
        evidence="fused", transport_lr_factor=0 if fixed else 0.1, n_iter_no_change=6, tol=1e-4, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        Pipeline([("fuse", fuse), ("kge", kge)]).fit(kg.train, kge__X_val=kg.valid.labels)
    return max(kge.validation_scores_), kge.evaluate(kg.test.labels, known=kg.valid.labels)["mrr"]


if __name__ == "__main__":
    main()
