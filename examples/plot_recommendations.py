"""
Recommendations with a cold start
=================================

Customers buy what suits their taste, and every week there are products that nobody has bought yet. A graph of purchases
and a vector of each product, from its description say, place the new ones: who will buy them? The shop is made up here,
so that the truth is known.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier

# %%
# A shop
# ------
# A customer buys what suits her taste well enough, some many things, some few; descriptions tell of the products, with
# noise. The last thirty products are new.
rng = np.random.default_rng(0)
tastes, products = rng.normal(size=(300, 6)), rng.normal(size=(180, 6))
suits = tastes @ products.T + rng.normal(size=(300, 180))
customers, names = [f"customer {i}" for i in range(300)], [f"product {i}" for i in range(180)]
descriptions = products @ rng.normal(size=(6, 40)) + rng.normal(size=(180, 40))
purchases = [(customers[row], "bought", names[column]) for row, column in np.argwhere(suits > 4)]
shelves = [(names[i], "is_on", f"shelf {np.argmax(products[i])}") for i in range(180)]
old, new = set(names[:150]), names[150:]
triples = [triple for triple in purchases if triple[2] in old] + [triple for triple in shelves if triple[0] in old]
X = MultimodalTriples(triples, {"description": (descriptions[:150], names[:150])})
print(X)

# %%
# The model
# ---------
kge = OTKGEClassifier(max_iter=15, random_state=0)
pipe = Pipeline([("fuse", OTFusionTransformer(n_components=32, random_state=0)), ("kge", kge)]).fit(X)

# %%
# New products
# ------------
# They come with descriptions alone, and whoever has bought something may answer. Beside the model: whoever buys most
# often anyway.
arrived = X.new_entities({"description": (descriptions[150:], new)})
answers = kge.complete([(None, "bought", name) for name in new], k=300, candidates="seen", new_entities=arrived)
heads, counts = np.unique([head for head, relation, _ in triples if relation == "bought"], return_counts=True)
frequent = heads[np.argsort(-counts, kind="stable")]
buyers = [{head for head, _, product in purchases if product == name} for name in new]

# %%
# Of the buyers of a new product, how many are among the first k customers that are asked?
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
for label, ranking in (("embeddings", answers.labels), ("most frequent buyers", [frequent] * 30)):
    asked = zip(ranking, buyers, strict=True)
    hits = np.array([np.cumsum([customer in wanted for customer in row]) / len(wanted) for row, wanted in asked])
    ax.plot(np.arange(1, hits.shape[1] + 1), hits.mean(axis=0), label=label)
    print(f"{label}: {hits[:, 29].mean():.0%} of the buyers among the first 30 of 300 customers")
ax.set(xlabel="customers asked", ylabel="share of the buyers found", title="New products, mean of 30")
ax.legend()
