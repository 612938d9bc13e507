"""
A map of the entities
=====================

Before embeddings go into another system, somebody wants to see them. This example draws the same entities twice: by
the triples alone, and by triples, names and pictures together.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji
from skotkge.inspection import EmbeddingMapDisplay

kg = load_emoji()
fuse = OTFusionTransformer(n_components=32, random_state=0)
pipe = make_pipeline(fuse, OTKGEClassifier(max_iter=5, refit=False, random_state=0)).fit(kg.train)

# %%
# Which entities
# --------------
# Groups are told by the name; any labels will do.
names = np.array([name.split(" ", 1)[1] for name in kg.entity_names])
words = {"flag": "flag:", "face": "face", "person": "person", "clock": "o’clock", "heart": "heart"}
groups = np.full(len(names), None)
for group, word in words.items():
    groups[[word in name and kept is None for name, kept in zip(names, groups, strict=True)]] = group
shown = groups != None  # noqa: E711
print({group: int((groups == group).sum()) for group in words})

# %%
# Two maps
# --------
figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
for ax, (space, title) in zip(
    axes, {"structure": "triples alone", "fused": "triples, text and image"}.items(), strict=True
):
    options = dict(space=space, groups=groups[shown], projection="tsne", random_state=0)
    EmbeddingMapDisplay.from_estimator(pipe, kg.train.entities[shown], ax=ax, **options)
    ax.set_title(title)

# %%
# t-SNE keeps near points near and nothing else: neither the size of a cluster nor the distance between two counts.
