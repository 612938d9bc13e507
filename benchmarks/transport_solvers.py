"""Which solver finds the plan of Eq. 1 in what time, and how far from the optimum?

The cost is that of `OTFusionTransformer` with p = 2, between standardised columns. Synthetic columns share a low-rank
signal; the real ones are the text and the images of the emoji graph against its spectral structure. Each solver runs
once, in a process of its own that is ended after a time limit.

- time: of the processor for the solver alone, so that other work on the machine counts little; the title of a problem
  tells that of the cost matrix.
- cost: of the plan, divided by that of the exact plan, less 1. A plan that misses its marginals may cost less.
- marginals: mass that is missing or too much in the rows and columns, in per cent of all mass.

    python benchmarks/transport_solvers.py
"""

import argparse
import multiprocessing
import os
import platform
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from time import process_time

import numpy as np
import ot
from sklearn.preprocessing import scale

from skotkge import OTFusionTransformer
from skotkge.datasets import load_emoji

SHAPES = ((384, 200), (384, 1000), (4096, 400), (4096, 1000))
N_ENTITIES, N_SIGNALS, SEED = 5000, 50, 0
REG = 0.1


@dataclass(frozen=True)
class Problem:
    """Columns as points, such that the squared distances between them are the cost."""

    source: np.ndarray
    target: np.ndarray
    cost: np.ndarray

    @property
    def masses(self):
        return tuple(np.full(size, 1 / size) for size in self.cost.shape)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=float, default=20, help="elapsed seconds for each solver and problem")
    options = parser.parse_args()
    for title, columns, structure in problems():
        start = process_time()
        source, target = (points.T / np.sqrt(len(columns)) for points in (scale(columns.astype(float)), structure))
        problem = Problem(source, target, ot.dist(source, target))
        print(f"\n{title}: cost of {len(columns)} entities in {process_time() - start:.2f} s", flush=True)
        compare(problem, options.limit)
    versions = ", ".join(f"{name} {version(name)}" for name in ("skotkge", "pot", "numpy", "scipy"))
    threads = os.environ.get("OMP_NUM_THREADS", "all")
    print(f"\n{versions}, Python {platform.python_version()}, {platform.machine()}, OMP_NUM_THREADS {threads}")


def problems():
    """Yield a title, the columns of a modality and the scaled ones of a structure."""
    for n_columns, n_components in SHAPES:
        rng = np.random.default_rng(SEED)
        signal = rng.standard_normal((N_ENTITIES, N_SIGNALS), dtype=np.float32)
        columns, structure = (
            signal @ rng.standard_normal((N_SIGNALS, width), dtype=np.float32) / np.sqrt(N_SIGNALS)
            + rng.standard_normal((N_ENTITIES, width), dtype=np.float32)
            for width in (n_columns, n_components)
        )
        yield f"synthetic, {n_columns} x {n_components}", columns, scale(structure.astype(float))
    kg = load_emoji()
    structure = OTFusionTransformer(200, fusion="none", random_state=SEED).fit(kg.train).structural_embedding_
    for name, columns in kg.train.modalities.items():
        yield f"emoji {name}, {columns.shape[1]} x 200", columns, structure


def compare(problem, limit):
    best = None
    print(f"{'':<42}{'time':>10}{'cost':>12}{'marginals':>12}")
    for name, solve in SOLVERS.items():
        told = in_time(measured, solve, problem, limit=limit)
        if isinstance(told, str):
            print(f"{name:<42}{told:>34}", flush=True)
            continue
        seconds, value, violation = told
        best = best or value
        print(f"{name:<42}{seconds:>8.3f} s{value / best - 1:>+12.2%}{violation:>12.4%}", flush=True)


def in_time(function, *arguments, limit):
    """Return what the function returns in another process, or in a word why it does not."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=send, args=(sender, function, arguments))
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(limit) else f"over {limit:g} s"
    except EOFError:
        return "crashed"
    finally:
        process.kill()
        process.join()


def send(sender, function, arguments):
    try:
        sender.send(function(*arguments))
    except Exception as error:
        sender.send(type(error).__name__)


def measured(solve, problem):
    """Seconds of the processor, cost of the plan, and share of the mass that misses the marginals."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = process_time()
        plan = solve(problem)
        seconds = process_time() - start
    source_mass, target_mass = problem.masses
    violation = np.abs(plan.sum(axis=1) - source_mass).sum() + np.abs(plan.sum(axis=0) - target_mass).sum()
    value = float(np.sum(plan * problem.cost))
    return (seconds, value, float(violation)) if np.isfinite(value) else "not finite"


def exact(problem):
    return ot.emd(*problem.masses, problem.cost, numItermax=10_000_000)


def exact_from_entropic_potentials(problem):
    """Network simplex started from the dual potentials of a few entropic iterations."""
    _, log = ot.bregman.sinkhorn_log(*problem.masses, problem.cost, REG, numItermax=30, log=True)
    start = REG * log["log_u"], REG * log["log_v"]
    return ot.emd(*problem.masses, problem.cost, numItermax=10_000_000, potentials_init=start)


def sinkhorn(method, reg=REG):
    return lambda problem: ot.sinkhorn(*problem.masses, problem.cost, reg, method=method, numItermax=10_000)


def greenkhorn(problem):
    return ot.bregman.greenkhorn(*problem.masses, problem.cost, REG, numItermax=100_000)


def screenkhorn(problem):
    return ot.bregman.screenkhorn(*problem.masses, problem.cost, REG)


def quadratic(problem):
    return ot.smooth.smooth_ot_dual(*problem.masses, problem.cost, REG, reg_type="l2", numItermax=1000)


def low_rank(problem):
    left, right, masses = ot.lowrank_sinkhorn(problem.source, problem.target, *problem.masses, rank=50)
    return left / masses @ right.T


def sliced(problem):
    plan, _ = ot.sliced.min_sliced_transport_plan(problem.source, problem.target, n_projections=100, seed=SEED)
    return np.asarray(plan)


def majorisation(problem):
    """Unbalanced transport with heavily weighted marginals."""
    return ot.unbalanced.mm_unbalanced(*problem.masses, problem.cost, reg_m=100.0, div="kl")


def stochastic(problem):
    return ot.stochastic.solve_semi_dual_entropic(*problem.masses, problem.cost, REG, "ASGD", numItermax=100_000)


def independent(problem):
    return np.outer(*problem.masses)


SOLVERS = {
    "exact: ot.emd (reg=0)": exact,
    "exact, started from entropic potentials": exact_from_entropic_potentials,
    "entropic: sinkhorn_log (reg=1)": sinkhorn("sinkhorn_log", 1.0),
    "entropic: sinkhorn_log (reg=0.1)": sinkhorn("sinkhorn_log", 0.1),
    "entropic: sinkhorn_log (reg=0.01)": sinkhorn("sinkhorn_log", 0.01),
    "sinkhorn, plain (reg=0.1)": sinkhorn("sinkhorn", 0.1),
    "sinkhorn, plain (reg=0.01)": sinkhorn("sinkhorn", 0.01),
    f"sinkhorn_stabilized (reg={REG})": sinkhorn("sinkhorn_stabilized"),
    f"sinkhorn_epsilon_scaling (reg={REG})": sinkhorn("sinkhorn_epsilon_scaling"),
    f"greenkhorn (reg={REG})": greenkhorn,
    f"screenkhorn (reg={REG})": screenkhorn,
    f"smooth_ot_dual, quadratic (reg={REG})": quadratic,
    "lowrank_sinkhorn (rank 50)": low_rank,
    "min_sliced_transport_plan (100 lines)": sliced,
    "mm_unbalanced (reg_m=100)": majorisation,
    f"solve_semi_dual_entropic, ASGD (reg={REG})": stochastic,
    "no solver: every column to all others": independent,
}

if __name__ == "__main__":
    main()
