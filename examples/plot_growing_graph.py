"""
A graph that grows
==================

Facts arrive every week. Fitting anew each time is safe; going on from the model of last week (``warm_start=True``)
takes fewer epochs; ``partial_fit`` takes the new facts alone, which may bring new entities, in a fraction of the time.
How much does each know after each delivery, and how long does it take?
"""

import warnings
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np

from skotkge import MultimodalTriples, OTKGEClassifier
from skotkge.datasets import load_emoji

kg = load_emoji()
order = np.random.RandomState(0).permutation(len(kg.train))
# Each delivery has the same table of entities and relations; only the rows are learned from.
table = dict(entities=kg.train.entities, relations=kg.train.relations)
rows = [order[: int(share * len(order))] for share in (0.4, 0.6, 0.8, 1.0)]
triples = [MultimodalTriples(kg.train.labels[some], **table) for some in rows]


def fit_all(**parameters):
    """MRR on the test triples and seconds after each delivery."""
    kge = OTKGEClassifier(embedding_dim=32, evidence=["structure"], max_iter=5, random_state=0, **parameters)
    mrr, seconds = [], []
    for X in triples:
        start = perf_counter()
        kge.fit(X, X_val=kg.valid)
        seconds.append(perf_counter() - start)
        mrr.append(kge.evaluate(kg.test)["mrr"])
    return mrr, seconds


def fit_parts():
    """The same, where each delivery has only what is new."""
    kge = OTKGEClassifier(embedding_dim=32, evidence=["structure"], max_iter=5, random_state=0)
    mrr, seconds, told = [], [], set()
    for X in triples:
        start = perf_counter()
        new = [triple for triple in map(tuple, X.labels) if triple not in told]
        kge.partial_fit(MultimodalTriples(new, **table) if not told else new)
        told.update(new)
        seconds.append(perf_counter() - start)
        mrr.append(kge.evaluate(kg.test)["mrr"])
    return mrr, seconds


# %%
# The first deliveries leave some entities without any triple, which a fit warns of.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*have no training triple")
    runs = {"anew": fit_all(), "warm start": fit_all(warm_start=True), "partial_fit": fit_parts()}

# %%
# Quality and time
# ----------------
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
counts = [len(X) for X in triples]
for (name, (mrr, seconds)), marker in zip(runs.items(), "osd", strict=True):
    axes[0].plot(counts, mrr, marker=marker, label=name)
    axes[1].plot(counts, seconds, marker=marker, label=name)
axes[0].set(xlabel="training triples", ylabel="filtered MRR on test triples")
axes[1].set(xlabel="training triples", ylabel="seconds of the fit", ylim=(0, None))
axes[0].legend()
