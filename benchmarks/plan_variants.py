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

import numpy as np
import ot
import torch
from _measuring import graph_of
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import ColumnAlignment, OTFusionTransformer, OTKGEClassifier

RIDGE_DEVIATION = 0.3


class Shuffled:
    """Control: the plan of a modality whose rows are shuffled, applied to the rows in their right order."""

    def align(self, modality, structure, random_state):
        order = np.random.RandomState(0).permutation(modality.shape[0])
        both = modality.observed[order] & structure.observed
        plan = exact_plan(cost_between(modality.rows(order[both]), structure.rows(both)))
        return ColumnAlignment(barycentric_map(plan), plan)


class PlanAligner:
    """A plan from the columns of a modality, or from them and their negatives: the sign of a column is arbitrary."""

    def __init__(self, solve, negatives):
        self.solve, self.negatives = solve, negatives

    def align(self, modality, structure, random_state):
        columns, target = rows_of_both(modality, structure)
        points = np.hstack([columns, -columns]) if self.negatives else columns
        plan = self.solve(cost_between(points, target))
        own, negated = np.split(plan, 2) if self.negatives else (plan, np.zeros_like(plan))
        return ColumnAlignment(barycentric_map(own - negated), own + negated)


class RidgeMap:
    """No plan: the ridge regression of the structure on the modality, made as small as plans make their result."""

    def align(self, modality, structure, random_state):
        columns, target = rows_of_both(modality, structure)
        found = Ridge(alpha=float(len(columns)), fit_intercept=False).fit(columns, target).coef_.T
        return ColumnAlignment(found * RIDGE_DEVIATION / (columns @ found).std())


class Gromov:
    """A fused Gromov-Wasserstein plan: columns that lie far from each other go to such ones too."""

    def align(self, modality, structure, random_state):
        source, target = rows_of_both(modality, structure)
        costs = [cost_between(*points) for points in ((source, target), (source, source), (target, target))]
        between, within_source, within_target = (cost / cost.max() for cost in costs)
        plan = ot.gromov.fused_gromov_wasserstein(between, within_source, within_target, alpha=0.5)
        return ColumnAlignment(barycentric_map(plan), plan)


class Supports:
    """The mean of the plans of several support sets: five random halves of the entities."""

    def align(self, modality, structure, random_state):
        columns, target = rows_of_both(modality, structure)
        rng = np.random.RandomState(0)
        halves = [rng.choice(len(columns), len(columns) // 2, replace=False) for _ in range(5)]
        plan = np.mean([exact_plan(cost_between(columns[half], target[half])) for half in halves], axis=0)
        return ColumnAlignment(barycentric_map(plan), plan)


def rows_of_both(modality, structure):
    """Scaled rows of the entities that have both spaces."""
    both = modality.observed & structure.observed
    return modality.rows(both), structure.rows(both)


def cost_between(source, target):
    """Mean squared differences between columns, the cost of Eq. 1 with p = 2."""
    return ot.dist(source.T, target.T) / len(source)


def exact_plan(cost):
    return ot.emd([], [], cost, numItermax=10_000_000)


def unbalanced_plan(cost):
    """An unbalanced plan with a Kullback-Leibler penalty of 0.1 on its marginals."""
    masses = (np.full(n, 1 / n) for n in cost.shape)
    return ot.unbalanced.mm_unbalanced(*masses, cost, reg_m=0.1, div="kl")


def barycentric_map(plan):
    """Eq. 2 with uniform masses."""
    return plan * plan.shape[1]


class FusedSpace(BaseEstimator):
    """Structural space of `refreshed`: the fused space after some epochs."""

    def __init__(self, train, random_state=None):
        self.train, self.random_state = train, random_state

    def fit(self, X, y=None):
        fuse = OTFusionTransformer(random_state=self.random_state)
        kge = OTKGEClassifier(evidence="fused", max_iter=10, early_stopping=False, random_state=self.random_state)
        self.entity_embeddings_ = kge.fit(fuse.fit_transform(self.train)).space_embeddings_["fused"]
        return self


# Parameters of the transformer.
VARIANTS = {
    "plan": {},
    "shuffled": {"alignment": Shuffled()},
    "linear": {"alignment": "linear"},
    "pca": {"alignment": "pca"},
    "entropic": {"reg": 0.1},
    "signed": {"alignment": PlanAligner(exact_plan, negatives=True)},
    "unbalanced": {"alignment": PlanAligner(unbalanced_plan, negatives=False)},
    "signed_unbalanced": {"alignment": PlanAligner(unbalanced_plan, negatives=True)},
    "ridge": {"alignment": RidgeMap()},
    "gromov": {"alignment": Gromov()},
    "supports": {"alignment": Supports()},
    "refreshed": {},  # a second plan, to the fused space that the first one led to: see `FusedSpace`
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
        kg = graph_of(name, options.data)
        for variant in options.variants:
            found = np.array([run(kg, seed, options.fixed, variant) for seed in range(options.seeds)])
            cells = [f"{mean:.3f} ± {std:.3f}" for mean, std in zip(found.mean(0), found.std(0, ddof=1), strict=True)]
            print(f"{f'{name}, {variant}':<34}{cells[0]:>16}{cells[1]:>16}", flush=True)
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {torch.get_num_threads()} threads")


def run(kg, seed, fixed, variant):
    """Best valid MRR and test MRR."""
    structure = FusedSpace(kg.train, seed) if variant == "refreshed" else "spectral"
    fuse = OTFusionTransformer(structure=structure, random_state=seed, **VARIANTS[variant])
    kge = OTKGEClassifier(
        evidence="fused", transport_lr_factor=0 if fixed else 0.1, n_iter_no_change=6, tol=1e-4, random_state=seed
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        Pipeline([("fuse", fuse), ("kge", kge)]).fit(kg.train, kge__X_val=kg.valid.labels)
    return max(kge.validation_scores_), kge.evaluate(kg.test.labels, known=kg.valid.labels)["mrr"]


if __name__ == "__main__":
    main()
