"""
Embeddings as features of a tabular model
=========================================

There is a table with a column to predict, and a graph that knows the things in its rows. Embeddings of the graph
become features beside the columns that the table has. Here: how many keywords an emoji has been annotated with, from
the length of its name, its picture's features, and the other relations of the graph.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji

kg = load_emoji()

# %%
# The column to predict
# ---------------------
# Counted in the graph; its triples are then taken out, so that the embeddings cannot know it.
annotated = kg.train.labels[:, 1] == "annotated_with"
target = np.log1p(np.bincount(kg.train.ids[annotated, 0], minlength=kg.train.n_entities))
X = kg.train[~annotated]
print(f"{annotated.sum()} triples counted, {len(X)} left to learn from")

# %%
# Features
# --------
# Emoji that have no other triple are placed by name and picture, which the fit warns of.
kge = OTKGEClassifier(max_iter=5, refit=False, random_state=0)
pipe = make_pipeline(OTFusionTransformer(n_components=32, random_state=0), kge)
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*have no training triple")
    embeddings = pipe.fit(X)[-1].entity_embeddings_
columns = np.array([[len(name), name.count(" ")] for name in kg.entity_names])
both = np.hstack([columns, embeddings])
features = {"columns of the table": columns, "embeddings": embeddings, "both": both}

# %%
# Quality by cross-validation
# ---------------------------
model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 5, 12)))
scores = {name: cross_val_score(model, matrix, target, cv=5, scoring="r2") for name, matrix in features.items()}
figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
bars = axes[0].bar(
    list(scores), [found.mean() for found in scores.values()], yerr=[found.std() for found in scores.values()]
)
axes[0].bar_label(bars, fmt="%.2f")
axes[0].set(ylabel="R², mean of 5 folds")
predicted = cross_val_predict(model, features["both"], target, cv=5)
axes[1].scatter(predicted, target, s=4, color="k", alpha=0.3)
axes[1].set(xlabel="predicted logarithm of keywords", ylabel="counted")
