"""
Choosing parameters on a validation set
=======================================

Knowledge graph benchmarks come with a fixed validation set. This example lets `GridSearchCV` use it, to choose
between the two costs of the transport (``p``) and two learning rates, and reports the chosen model on the test
triples.

The embeddings are small and the training is short, to keep the run short.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji

# %%
# One fixed fold
# --------------
# scikit-learn's searches take one set of rows and a rule that splits it. ``with_triples`` puts the training and
# validation triples together, over the same table of entities. `PredefinedSplit` then trains on the rows marked -1
# and validates on those marked 0.
kg = load_emoji()
both = kg.train.with_triples(np.concatenate([kg.train.labels, kg.valid.labels]))
fold = PredefinedSplit(np.repeat([-1, 0], [len(kg.train), len(kg.valid)]))
print(both)

# %%
# The search
# ----------
# Without ``scoring`` the search calls the pipeline's ``score``, which is the filtered mean reciprocal rank as long as
# no y is given. Each fit holds some of its own rows out to choose the number of epochs, and by default trains again
# on all rows afterwards. The search goes without this second training, which halves its time.
#
# ``refit=False`` of the search keeps it from training the best setting on validation triples too, as a benchmark
# demands.
pipe = Pipeline(
    [
        ("fuse", OTFusionTransformer(n_components=64, random_state=0)),
        ("kge", OTKGEClassifier(max_iter=8, refit=False, random_state=0)),
    ]
)
grid = {"fuse__p": [1, 2], "kge__learning_rate": [0.05, 0.1]}
search = GridSearchCV(pipe, grid, cv=fold, refit=False).fit(both)
print(search.best_params_)

# %%
results = search.cv_results_
labels = [f"p = {setting['fuse__p']}\nlearning rate {setting['kge__learning_rate']}" for setting in results["params"]]
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
bars = ax.bar(labels, results["mean_test_score"], width=0.5)
ax.bar_label(bars, fmt="%.3f")
ax.set(ylim=(0, 0.6), ylabel="filtered MRR", title="Validation triples")
ax.spines[["top", "right"]].set_visible(False)

# %%
# Differences as small as those between the two costs come from chance as easily as from the parameter: repeat a
# search with several seeds before trusting them.
#
# The chosen model
# ----------------
# The best setting is trained on the training triples. This time the validation triples choose the number of epochs,
# so none of the training triples has to be held out.
best = pipe.set_params(**search.best_params_).fit(kg.train, kge__X_val=kg.valid)
report = best["kge"].evaluate(kg.test)
for metric in ["mrr", "hits@1", "hits@3", "hits@10"]:
    print(f"{metric:8}{report[metric]:.3f}")

# %%
# `evaluate` filters the triples of ``fit``, those of ``X_val`` included, and the test triples themselves; so there is
# no need for ``known`` here. In the search nothing was known of the test triples, so they counted as wrong answers. The
# two figures are therefore not comparable: the scores of a search rank its settings, no more.
