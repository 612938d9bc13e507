"""
Entity embeddings in place of one-hot columns
=============================================

A table has a column of entities, and most of them have few rows. One-hot columns say nothing of an entity without a row
in training; embeddings of a graph that knows the entities do. Here: on which continent is a country, from rows of the
country and a language that is spoken there?
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skotkge import EntityEmbedder, OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji

kg = load_emoji()

# %%
# A table of flags: the country, the flag of the likely home of the language, and the globe that shows the country.
heads, relations, tails = kg.train.labels.T
globes = dict(zip(heads[relations == "on_globe"], tails[relations == "on_globe"], strict=True))
spoken = np.isin(relations, ["official_language_of", "spoken_language_of"]) & np.isin(heads, list(globes))
table = pd.DataFrame({"country": heads[spoken], "language": tails[spoken]})
continent = table["country"].map(globes)
print(f"{len(table)} rows, {table['country'].nunique()} countries, {table['language'].nunique()} languages")

# %%
# The graph without the triples that tell the continent. It is fitted once; all folds share it.
kge = OTKGEClassifier(evidence="fused", max_iter=5, refit=False, random_state=0)
graph = make_pipeline(OTFusionTransformer(n_components=32, random_state=0), kge)
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", ".*have no training triple")  # a few have no other one
    graph.fit(kg.train[relations != "on_globe"])

# %%
# The same classifier on either, in five folds; all rows of a country are in one.
encoders = {"one-hot columns": OneHotEncoder(handle_unknown="ignore"), "embeddings": EntityEmbedder(graph)}
scores = {}
for name, encoder in encoders.items():
    model = make_pipeline(encoder, StandardScaler(with_mean=False), LogisticRegression(C=0.1, max_iter=2000))
    scores[name] = cross_val_score(model, table, continent, cv=GroupKFold(5), groups=table["country"])
    print(f"accuracy with {name}: {scores[name].mean():.3f} ± {scores[name].std():.3f}")

figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for shift, (name, accuracies) in zip([-0.2, 0.2], scores.items(), strict=True):
    ax.bar(np.arange(5) + shift, accuracies, width=0.4, label=name)
ax.axhline(continent.value_counts(normalize=True).max(), color="k", linestyle=":", label="most frequent continent")
ax.set(xlabel="fold of countries", ylabel="accuracy", ylim=(0, 1.2))
ax.legend(loc="upper center", ncols=3)
