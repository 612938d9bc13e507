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
table = dict(entities=kg.train.entities, relations=kg.train.relations)
rows = [order[: int(share * len(order))] for share in (0.4, 0.6, 0.8, 1.0)]
triples = [MultimodalTriples(kg.train.labels[some], **table) for some in rows]


def all_triples(kge, number):
    kge.fit(triples[number], X_val=kg.valid)


def deliver(fit=all_triples, **parameters):
    """Seconds of each fit, and MRR on the test triples after it."""
    kge = OTKGEClassifier(embedding_dim=32, evidence=["structure"], max_iter=5, random_state=0, **parameters)
    found = []
    for number in range(len(triples)):
        start = perf_counter()
        fit(kge, number)
        found.append((perf_counter() - start, kge.evaluate(kg.test)["mrr"]))
    return zip(*found, strict=True)


def new_triples(kge, number):
    n_old = len(rows[number - 1]) if number else 0
    kge.partial_fit(triples[number][n_old:])


# %%
# The first deliveries leave some entities without any triple, which a fit warns of.
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*have no training triple")
    runs = {"anew": deliver(), "warm start": deliver(warm_start=True), "partial_fit": deliver(new_triples)}

# %%
# What each knows, and what it costs.
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for (name, (seconds, mrr)), marker in zip(runs.items(), "osd", strict=True):
    axes[0].plot([*map(len, triples)], mrr, marker=marker, label=name)
    axes[1].plot([*map(len, triples)], seconds, marker=marker, label=name)
axes[0].set(xlabel="training triples", ylabel="filtered MRR on test triples")
axes[1].set(xlabel="training triples", ylabel="seconds of the fit", ylim=(0, None))
axes[0].legend()
