"""
Quickstart: emoji by structure, text and image
==============================================

This example trains knowledge graph embeddings on the emoji graph that comes with the package, once on the triples
alone and once with the names and the pictures of the emoji fused in by optimal transport. It compares the two on test
triples, asks the second model for the missing ends of triples, and saves it.

The embeddings are small and the training is short, to keep the run short. The defaults train 200 columns for up to
100 epochs.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import emoji_images, load_emoji

# %%
# The data
# --------
# `~skotkge.datasets.load_emoji` returns three sets of triples over one table of entities. The table also holds two
# modality matrices: sentence embeddings of the names ("text") and features of the pictures ("image"). Entities are
# labelled by their code points; ``entity_names`` holds readable names in the same order.
kg = load_emoji()
print(kg.train)
for head, relation, tail in kg.train.ids[:4]:
    print(f"{kg.entity_names[head]}  --{kg.train.relations[relation]}->  {kg.entity_names[tail]}")

# %%
# Two models
# ----------
# `~skotkge.OTFusionTransformer` makes a structural space from the training triples, moves each modality into it, and
# fuses them all. `~skotkge.OTKGEClassifier` trains on the fused space. With ``fusion="none"`` the same pipeline uses
# the structure alone.
otkge = Pipeline(
    [
        ("fuse", OTFusionTransformer(n_components=100, random_state=0)),
        ("kge", OTKGEClassifier(max_iter=8, random_state=0)),
    ]
)
structure_only = clone(otkge).set_params(fuse__fusion="none")
otkge.fit(kg.train)
structure_only.fit(kg.train)

# %%
# Neither fit saw the validation triples: 5 % of the training triples were held out to choose the number of epochs and
# to calibrate the probabilities, and then the models were trained again on all of them.
#
# Evaluation
# ----------
# Each test triple asks two questions, for its head and for its tail, and the model ranks all entities as answers.
# True answers other than the one asked for are left out of the ranking. Those of ``fit`` and of the test set always
# are; ``known`` adds the validation triples. The last step needs the labels only, so the test triples go to it
# directly.
reports = {
    "structure only": structure_only["kge"].evaluate(kg.test, known=kg.valid),
    "structure, text and image": otkge["kge"].evaluate(kg.test, known=kg.valid),
}
metrics = ["mrr", "hits@1", "hits@3", "hits@10"]
figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
for shift, (model, report) in zip([-0.2, 0.2], reports.items(), strict=True):
    bars = ax.bar(np.arange(len(metrics)) + shift, [report[metric] for metric in metrics], width=0.4, label=model)
    ax.bar_label(bars, fmt="%.2f")
ax.set_xticks(range(len(metrics)), ["MRR", "Hits@1", "Hits@3", "Hits@10"])
ax.set(ylim=(0, 1), title="Filtered ranking of the emoji test triples, both sides")
ax.legend(loc="upper left")
ax.spines[["top", "right"]].set_visible(False)

# %%
# Completing triples
# ------------------
# `~skotkge.OTKGEClassifier.complete` fills the one place of each row that is None. Here it is asked for the tails of
# test triples, one of each relation. Triples known to be true are left out of the answers.
_, rows = np.unique(kg.test.ids[:, 1], return_index=True)
questions = kg.test.labels[rows]
true_tails = questions[:, 2].copy()
questions[:, 2] = None
answers = otkge["kge"].complete(questions, k=5, known=kg.valid)

names = dict(zip(kg.train.entities, kg.entity_names, strict=True))
for (head, relation, _), tails in zip(questions[:3], answers.labels[:3], strict=True):
    print(f"{names[head]}  --{relation}->  {', '.join(names[tail] for tail in tails)}")

# %%
# Few fonts have the emoji, but the package has their pictures. The heads are on the left, the answers on the right
# with the best first, and the test triple's tail has a frame. An unframed answer need not be wrong, only absent from
# the graph. A head is never its own tail here: no training triple of these relations links an entity with itself, so
# the model excludes it.
pictures = dict(zip(kg.train.entities, emoji_images(), strict=True))
figure, axes = plt.subplots(len(questions), 7, figsize=(7, 8), layout="constrained", width_ratios=[1, 3, 1, 1, 1, 1, 1])
for row, (head, relation, _), tails, true_tail in zip(axes, questions, answers.labels, true_tails, strict=True):
    row[0].imshow(pictures[head])
    row[1].text(0.5, 0.5, relation, ha="center", va="center", transform=row[1].transAxes)
    for ax, tail in zip(row[2:], tails, strict=True):
        ax.imshow(pictures[tail])
        ax.patch.set(edgecolor="tab:green", linewidth=4 if tail == true_tail else 0)
    for ax in row:
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)

# %%
# Probabilities
# -------------
# `predict_proba` is calibrated on held-out triples against triples with a random head or tail, at equal numbers of
# both. The pipeline takes bare labels too.
rng = np.random.default_rng(0)
corrupted = kg.test.labels
corrupted[:, 2] = rng.choice(kg.test.entities, size=len(corrupted))
print(f"true triples called true:         {otkge.predict(kg.test).mean():.2f}")
print(f"corrupted triples called true:    {otkge.predict(corrupted).mean():.2f}")
print(f"probability of the first triples: {otkge.predict_proba(kg.test.labels[:3])[:, 1].round(2)}")

# %%
# Saving and loading
# ------------------
# A fitted pipeline holds NumPy arrays only, and neither the modality matrices nor the triples' container.
with TemporaryDirectory() as folder:
    path = Path(folder) / "emoji.skops"
    skotkge.save(otkge, path)
    print(f"{path.stat().st_size / 2**20:.1f} MiB")
    loaded = skotkge.load(path)

print("same scores after loading:", np.array_equal(loaded.decision_function(kg.test), otkge.decision_function(kg.test)))
