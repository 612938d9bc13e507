"""A small fitted pipeline in the file formats of saved models, and its answers; part of what ``record.py`` writes.

Files of a format are written once, when it is new, and load for ever: ``record.py`` leaves those that exist alone.
"""

from pathlib import Path
from unittest import mock

import numpy as np
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._utils.persistence import FORMAT

FOLDER = Path(__file__).resolve().parent
PICKLE, SKOPS = FOLDER / f"model-format-{FORMAT}.pkl", FOLDER / f"model-format-{FORMAT}.skops"
NEWER = FOLDER / "model-format-newer.skops"


def graph():
    """A random graph of 24 entities, 2 relations and one modality with missing rows."""
    rng = np.random.RandomState(11)
    entities = [f"e{number}" for number in range(24)]
    ids = np.unique(rng.randint([24, 2, 24], size=(90, 3)), axis=0)
    text = rng.standard_normal((24, 6))
    text[rng.permutation(24)[:5]] = np.nan
    triples = [(entities[head], f"r{relation}", entities[tail]) for head, relation, tail in ids if head != tail]
    return MultimodalTriples(triples, {"text": text}, entities=entities, relations=["r0", "r1"])


def fitted():
    """The pipeline of the files."""
    classifier = OTKGEClassifier(max_iter=2, device="cpu", random_state=0)
    return make_pipeline(OTFusionTransformer(4, random_state=0), classifier).fit(graph())


def loaded():
    """The pipelines of the files, by the name of the file."""
    return {
        PICKLE.name: skotkge.load(PICKLE, trusted=True),
        SKOPS.name: skotkge.load(SKOPS),
    }


def answers(pipe):
    """Ranks, scores and probabilities of all triples of the graph."""
    kge = pipe[-1]
    X = graph()
    return np.column_stack([kge.rank(X), kge.score_triples(X), kge.predict_proba(X)[:, 1]])


def record():
    """Write the files of a new format and, beside them, the answers."""
    if SKOPS.exists():
        return
    pipe = fitted()
    skotkge.save(pipe, PICKLE)
    skotkge.save(pipe, SKOPS)
    np.save(FOLDER / f"model-format-{FORMAT}.npy", answers(pipe))
    with mock.patch("skotkge._utils.persistence.FORMAT", 9999):
        skotkge.save(OTKGEClassifier(), NEWER)
