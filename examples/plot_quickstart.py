"""
Quickstart: emoji by structure, text and image
==============================================

Small embeddings of the emoji graph: of its triples alone, and with names and pictures fused in by optimal transport.
"""

import tempfile

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import emoji_images, load_emoji

kg = load_emoji()  # three sets of triples over one table of entities, with sentence embeddings and picture features
print(kg.train)

# %%
# Two models: `~skotkge.OTFusionTransformer` moves the modalities into a space of the triples and fuses them, or keeps
# the structure alone. Of the training triples 5 % are held out to stop and to calibrate.
kge = OTKGEClassifier(max_iter=8, random_state=0)
otkge = Pipeline([("fuse", OTFusionTransformer(n_components=100, random_state=0)), ("kge", kge)])
structure_only = clone(otkge).set_params(fuse__fusion="none").fit(kg.train)
otkge.fit(kg.train)

# %%
# Each test triple asks for its head and for its tail. All entities are ranked as answers but for other true ones.
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for shift, name, model in ((-0.2, "structure only", structure_only), (0.2, "structure, text and image", otkge)):
    report = model["kge"].evaluate(kg.test, known=kg.valid)
    shown = [report[metric] for metric in ("mrr", "hits@1", "hits@3", "hits@10")]
    ax.bar_label(ax.bar(np.arange(4) + shift, shown, width=0.4, label=name), fmt="%.2f")
ax.set_xticks(range(4), ["MRR", "Hits@1", "Hits@3", "Hits@10"])
ax.set(ylim=(0, 1), title="Filtered ranking of the emoji test triples, both sides")
ax.legend(loc="upper left")

# %%
# What is missing? The best tails for a head and relation of the test, whose own tail is framed; others may be true.
questions = kg.test.labels[np.unique(kg.test.ids[:, 1], return_index=True)[1]]
answers = skotkge.complete(otkge, [(*question[:2], None) for question in questions], k=5, known=kg.valid)
pictures = dict(zip(kg.train.entities, emoji_images(), strict=True))
figure, axes = plt.subplots(12, 7, figsize=(7, 8), layout="constrained", width_ratios=[1, 3, 1, 1, 1, 1, 1])
for row, (head, relation, true_tail), tails in zip(axes, questions, answers.labels, strict=True):
    row[1].text(0.5, 0.5, relation, ha="center", va="center", transform=row[1].transAxes)
    for ax, entity in zip(row[[0, 2, 3, 4, 5, 6]], [head, *tails], strict=True):
        ax.imshow(pictures[entity])
        ax.spines[:].set(color="tab:green" if entity == true_tail else "none", linewidth=3)
    row[1].spines[:].set_visible(False)
    plt.setp(row, xticks=[], yticks=[])

# %%
# Probabilities say yes to most true triples and to few with a random tail. A saved model gives the same answers.
corrupted = np.column_stack([kg.test.labels[:, :2], np.random.default_rng(0).permutation(kg.test.labels[:, 2])])
skotkge.save(otkge, path := f"{tempfile.mkdtemp()}/emoji.skops")
yes = otkge.predict(kg.test).mean(), skotkge.load(path).predict(corrupted).mean()
print("called true: {:.0%} of the true, {:.0%} of the others".format(*yes))
