"""
===================================
Joining two catalogues of one thing
===================================

Two editors have described emoji. Each knows three quarters of the facts, half of them in common, under labels of their
own, and three hundred emoji have been matched by hand. A plan of optimal transport between the entities finds others,
and the two catalogues become one.
"""

# %%
# Two catalogues, cut from the graph that comes with the package; the second one has other labels in another order.

import matplotlib.pyplot as plt
import numpy as np

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher, merge
from skotkge.datasets import load_emoji

kg = load_emoji()
rng = np.random.RandomState(0)
common, only_first, only_second = np.split(rng.permutation(len(kg.train)), [len(kg.train) // 2, len(kg.train) * 3 // 4])
numbers = rng.permutation(kg.train.n_entities)
renamed = {label: f"emoji {number}" for number, label in zip(numbers, kg.train.entities, strict=True)}

first, second = kg.train.labels[[*common, *only_first]], kg.train.labels[[*common, *only_second]]
X = MultimodalTriples(first)
Y = MultimodalTriples([(renamed[head], relation, renamed[tail]) for head, relation, tail in second])
print(X, Y)

# %%
# Three hundred pairs are known. The others are kept to judge the result.
both = rng.permutation([label for label in X.entities if renamed[label] in set(Y.entities)])
pairs = EntityPairs([(label, renamed[label]) for label in both], X, Y)
known, others = pairs[:300], pairs[300:]
matcher = OTEntityMatcher(views=["structure"], n_rounds=3, random_state=0).fit(known)
matcher.evaluate(others)

# %%
# The plan: rows are emoji of the first catalogue, columns those of the second, in the order of the true pairs, so that
# what is right lies on the diagonal. Mass beside it is doubt, and no column gets more than one entity's mass.
shown = others.ids[:120]
fig, ax = plt.subplots(figsize=(5.5, 5), layout="constrained")
image = ax.imshow(matcher.plan_[shown[:, 0]][:, shown[:, 1]].toarray(), cmap="magma_r", vmin=0, vmax=1)
ax.set(xlabel="second catalogue", ylabel="first catalogue", title="Mass moved between entities")
fig.colorbar(image, ax=ax, shrink=0.8)
plt.show()

# %%
# One catalogue: known pairs, and matches that are more probably right than wrong, become one entity each.
joined = merge(X, Y, matcher.matches_)
found = matcher.matches_[len(known) :]
right = np.mean([renamed[label] == other for label, other, _ in found])
expected = np.mean([probability for _, _, probability in found])
print(f"{len(found)} more joined, {right:.0%} of them rightly ({expected:.0%} expected): {joined}")
