"""
Countries: from a Turtle file to a map of likely borders
========================================================

A Turtle file has facts about the countries of Europe: borders, languages, membership, and besides literals: areas,
populations, places of capitals, a few words, names. The literals become modalities, and the model is asked for borders
that it was not told.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.encoding import encode_table

path = Path(__file__).with_name("countries.ttl") if "__file__" in globals() else "countries.ttl"
label = "http://www.w3.org/2000/01/rdf-schema#label@en"
graph = MultimodalTriples.from_rdf(path, literals="attributes", names=label)
print(graph.attributes.head(6).to_string(index=False))

# %%
# Numbers and words as modalities: the label is a name, and the rest is encoded by its kind.
modalities = encode_table(graph.attributes, {label: "drop"}, n_components=16, random_state=0)
print({name: frame.columns.tolist()[:4] for name, frame in modalities.items()})
X = MultimodalTriples(graph, modalities, entities=graph.entities, relations=graph.relations, names=graph.names)
print(X)

# %%
# Twelve borders are hidden, each from both of its sides.
borders = "http://example.org/borders"
pairs = {(h, t) for h, r, t in X.labels if r == borders and h < t}
hidden = set(map(tuple, np.random.default_rng(1).permutation(sorted(pairs))[:12]))
known = X[[r != borders or tuple(sorted((h, t))) not in hidden for h, r, t in X.labels]]
kge = OTKGEClassifier(max_iter=40, random_state=0)
pipe = Pipeline([("fuse", OTFusionTransformer(16, random_state=0)), ("kge", kge)]).fit(known)
print(kge.complete([("czechia", borders, None), (None, "http://example.org/member_of", "http://example.org/EU")], k=3))

# %%
# The map: grey lines are known borders, green ones were hidden and are among the three best guesses of one of the two
# countries, red ones were missed.
places = graph.attributes.pivot_table(index="entity", columns="attribute", values="value", aggfunc="first")
places = places[["http://example.org/longitude", "http://example.org/latitude"]].astype(float)
guesses = kge.complete([(country, borders, None) for country in places.index], k=3, candidates="seen").labels
found = {tuple(sorted((h, t))) for h, row in zip(places.index, guesses, strict=True) for t in row}
figure, ax = plt.subplots(figsize=(8, 7), layout="constrained")
for pair in pairs:
    colour = "lightgrey" if pair not in hidden else "tab:green" if pair in found else "tab:red"
    ax.plot(*places.loc[list(pair)].T.to_numpy(), color=colour, linewidth=1 if pair not in hidden else 3, zorder=0)
for country, place in places.iterrows():
    ax.annotate(country.rsplit("/")[-1], place, ha="center", va="center", fontsize=8)
ax.set(xlabel="longitude", ylabel="latitude", title=f"{len(hidden & found)} of {len(hidden)} hidden borders found")
