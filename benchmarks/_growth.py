"""How seconds and memory grow with the size of a synthetic graph. Each point has a process of its own."""

from time import perf_counter

import numpy as np
from _measuring import in_fresh_process, peak_memory
from _peers import quiet

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier

BASE = {"n_entities": 3000, "n_triples": 3000, "dimension": 64, "n_modalities": 0}
# What grows, and what is smaller than in BASE meanwhile.
AXES = {
    "n_entities": ((10**3, 10**4, 10**5, 10**6), {"n_triples": 1000}),
    "n_triples": ((10**3, 10**4, 10**5), {}),
    "dimension": ((64, 128, 256, 512), {}),
    "n_modalities": ((0, 1, 2, 4), {}),
}
N_RELATIONS, N_RANKED, N_COLUMNS, BATCH_SIZE = 10, 500, 64, 512
MEASURED = ("fusion s", "fit s", "fit MiB", "rank s", "rank MiB")


def curve(axis):
    """Yield (value, measurements) along an axis."""
    values, others = AXES[axis]
    for value in values:
        yield value, in_fresh_process(measure, BASE | others | {axis: value})


def measure(size):
    """Seconds and peak memory of a fit of one epoch and of ranking."""
    with quiet():  # what torch loads at its first backward pass is no part of the measurement
        OTKGEClassifier(embedding_dim=2, max_iter=1).fit(synthetic(BASE))
    X = synthetic(size)
    kge = OTKGEClassifier(
        embedding_dim=None if X.modalities else size["dimension"],
        batch_size=BATCH_SIZE,
        max_iter=1,
        early_stopping=False,
        validation_fraction=0,
        device="cpu",
        random_state=0,
    )
    told = {}
    with quiet():
        if X.modalities:
            fuse = OTFusionTransformer(size["dimension"], random_state=0)
            X, told["fusion s"] = timed(lambda: fuse.fit_transform(X))
        (_, told["fit s"]), told["fit MiB"] = peak_memory(lambda: timed(lambda: kge.fit(X)))
        test = X.labels[:N_RANKED]
        (_, told["rank s"]), told["rank MiB"] = peak_memory(lambda: timed(lambda: kge.rank(test)))
    told["tables MiB"] = sum(table.nbytes for table in kge.space_embeddings_.values()) / 2**20
    return told


def timed(function):
    start = perf_counter()
    result = function()
    return result, perf_counter() - start


def synthetic(size):
    """Random triples of evenly frequent entities, and modalities of random columns."""
    rng = np.random.default_rng(0)
    n_entities, n_triples = size["n_entities"], size["n_triples"]
    head, tail = rng.integers(n_entities, size=(2, n_triples))
    triples = np.column_stack([head, rng.integers(N_RELATIONS, size=n_triples), tail])
    names = [f"modality {number}" for number in range(size["n_modalities"])]
    modalities = {name: rng.standard_normal((n_entities, N_COLUMNS), dtype=np.float32) for name in names}
    return MultimodalTriples(triples, modalities, entities=range(n_entities), duplicates="keep")
