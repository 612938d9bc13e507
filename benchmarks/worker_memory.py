"""Do the workers of a parallel search copy the modality matrices? 64 MiB of them, two workers.

Each worker tells whether its matrix is memory-mapped and how much memory it holds for itself. The second run has the
same graph with a tiny matrix: the difference is what the large matrix costs a worker.

    python benchmarks/worker_memory.py
"""

import pickle
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skotkge import Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier

N_ENTITIES = 2**13
RING = [(entity, "next", (entity + 1) % N_ENTITIES) for entity in range(N_ENTITIES)] * 2


def main():
    table = Table(title="Workers of GridSearchCV(n_jobs=2)")
    for column in ("modality", "memory-mapped", "private memory of a worker", "pickled search"):
        table.add_column(column)
    for n_columns in (1, 2**20 // N_ENTITIES * 8):
        matrix = np.ones((N_ENTITIES, n_columns))
        matrix[:] = np.arange(n_columns)
        X = MultimodalTriples(RING, {"text": matrix}, entities=range(N_ENTITIES), duplicates="keep")
        search = search_over(X)
        mapped, private = (search.cv_results_[f"mean_test_{name}"] for name in ("mapped", "private_mib"))
        size = len(pickle.dumps(search)) / 2**20
        table.add_row(
            f"{matrix.nbytes / 2**20:.1f} MiB", str(mapped.all()), f"{private.max():.0f} MiB", f"{size:.2f} MiB"
        )
    Console().print(table)


def search_over(X):
    """Search over a pipeline that reads the triples alone, so that a worker's memory is that of its input."""
    pipe = Pipeline(
        [
            ("fuse", OTFusionTransformer(2, fusion="none", structure="random")),
            ("kge", OTKGEClassifier(max_iter=1, validation_fraction=0, objective=Logistic(n_negatives=1))),
        ]
    )
    rows = np.arange(len(X))
    folds = [(rows[:N_ENTITIES], rows[N_ENTITIES : N_ENTITIES + 10])] * 2
    grid = {"kge__learning_rate": [0.05, 0.1]}
    return GridSearchCV(pipe, grid, cv=folds, scoring=memory_of_worker, refit=False, n_jobs=2).fit(X)


def memory_of_worker(estimator, X, y=None):
    rollup = Path("/proc/self/smaps_rollup").read_text()
    private = sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Private_"))
    matrix = X.modalities["text"]
    while not isinstance(matrix, np.memmap) and isinstance(matrix.base, np.ndarray):
        matrix = matrix.base
    return {"mapped": isinstance(matrix, np.memmap), "private_mib": private / 1024}


if __name__ == "__main__":
    main()
