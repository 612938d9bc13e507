"""What tests of several rooms share: where things are, and the data sets that are not bundled."""

import os
from pathlib import Path

import numpy as np
import pytest

from skotkge import MultimodalTriples
from skotkge.datasets import load_codex_s, load_fbimg, load_hanzi, load_wn9img

REPOSITORY = Path(__file__).resolve().parents[1]
DATA_HOME = Path(os.environ.get("SKOTKGE_DATA") or REPOSITORY.parent / "shared" / "data")
LOADERS = {"hanzi": load_hanzi, "wn9img": load_wn9img, "fbimg": load_fbimg, "codex_s": load_codex_s}


def load_external(name):
    """Load a data set that is not bundled, or skip the test where it is absent."""
    if not (DATA_HOME / name).is_dir():
        pytest.skip(f"no folder {name} in the data folder")
    return LOADERS[name](DATA_HOME)


def false_triples(X):
    """For each triple another one with the same head and relation, no two the same, as labels."""
    taken, draw = set(map(tuple, X.labels.tolist())), np.random.RandomState(0).choice
    false = X.labels.copy()
    for row, (head, relation, _) in enumerate(false):
        false[row, 2] = draw([tail for tail in X.entities if (head, relation, tail) not in taken])
        taken.add(tuple(false[row]))
    return false


def with_newcomer(X):
    """Two triples of an entity that X lacks, over its table with vectors for the newcomer."""
    rng = np.random.RandomState(1)
    modalities = {
        name: np.vstack([matrix, rng.standard_normal((1, matrix.shape[1]))]) for name, matrix in X.modalities.items()
    }
    asked = [("newcomer", "r0", "e1"), ("newcomer", "r0", "e2")]
    return MultimodalTriples(asked, modalities, entities=[*X.entities, "newcomer"], relations=X.relations)
