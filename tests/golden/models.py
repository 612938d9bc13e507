"""A small fitted pipeline in the file formats of saved models, and its answers; part of what ``record.py`` writes.

Files of a format are written once, when it is new, and load for ever: ``record.py`` leaves those that exist alone.
"""

import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._utils.persistence import FORMAT

FOLDER = Path(__file__).resolve().parent
PICKLE, SKOPS = FOLDER / f"model-format-{FORMAT}.pkl", FOLDER / f"model-format-{FORMAT}.skops"
CHECKPOINT = FOLDER / f"checkpoint-format-{FORMAT}"
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


class Stopped(Exception):
    """Ends a fit as a kill would."""


class StopAfter:
    """Stops a fit after some epochs."""

    def __init__(self, epochs):
        self._left = epochs

    def on_epoch_end(self, state):
        self._left -= 1
        if self._left == 0:
            raise Stopped


def write_checkpoint(folder):
    """Write what a fit that is stopped in its second space leaves."""
    fit = {"max_iter": 2, "device": "cpu", "random_state": 0, "validation_fraction": 0.2}
    X = OTFusionTransformer(4, random_state=0).fit_transform(graph())
    with tempfile.TemporaryDirectory() as place:
        try:
            OTKGEClassifier(**fit, checkpoint=place).fit(X, callbacks=[StopAfter(4)])
        except Stopped:
            (written,) = Path(place).iterdir()
            folder.mkdir()
            for path in written.iterdir():
                (folder / path.name).write_bytes(path.read_bytes())


def answers(kge):
    """Ranks, scores and probabilities of all triples of the graph."""
    X = graph()
    return np.column_stack([kge.rank(X), kge.score_triples(X), kge.predict_proba(X)[:, 1]])


def tables(kge):
    """The embeddings of all spaces in a row; what a checkpoint does not hold is learned anew from them."""
    return np.concatenate([table.ravel() for table in kge.space_embeddings_.values()])


def record():
    """Write the files of a new format and, beside them, the answers."""
    if not CHECKPOINT.exists():
        write_checkpoint(CHECKPOINT)
        np.save(CHECKPOINT.with_suffix(".npy"), tables(skotkge.load_checkpoint(CHECKPOINT)))
    if SKOPS.exists():
        return
    pipe = fitted()
    skotkge.save(pipe, PICKLE)
    skotkge.save(pipe, SKOPS)
    np.save(FOLDER / f"model-format-{FORMAT}.npy", answers(pipe[-1]))
    with mock.patch("skotkge._utils.persistence.FORMAT", 9999):
        skotkge.save(OTKGEClassifier(), NEWER)
