"""
Choosing parameters on a validation set
=======================================

Knowledge graph benchmarks come with a fixed validation set. `GridSearchCV` uses it to choose the cost of the transport
(``p``) and the learning rate; the chosen model is judged on the test triples. Training is short, to keep the run short.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji
from skotkge.inspection import TrainingDisplay

# %%
# One fixed fold
# --------------
# ``with_triples`` puts the training and validation triples together, over the same table of entities; `PredefinedSplit`
# trains on the rows marked -1 and validates on those marked 0.
kg = load_emoji()
both = kg.train.with_triples(np.concatenate([kg.train.labels, kg.valid.labels]))
fold = PredefinedSplit(np.repeat([-1, 0], [len(kg.train), len(kg.valid)]))
print(both)

# %%
# The search
# ----------
# The costs differ in the fused space, so that it alone is trained: a search takes a fraction of the time, and its best
# setting goes into a model with all evidence. Without ``scoring`` and without y the score is the filtered mean
# reciprocal rank. Each fit holds some of its rows out to choose the number of epochs; the search does without the
# second training on all of them. ``refit=False`` of the search keeps the best setting from being trained on validation
# triples too, as a benchmark demands.
kge = OTKGEClassifier(evidence="fused", max_iter=8, refit=False, random_state=0)
pipe = Pipeline([("fuse", OTFusionTransformer(n_components=64, random_state=0)), ("kge", kge)])
grid = {"fuse__p": [1, 2], "kge__learning_rate": [0.05, 0.1]}
search = GridSearchCV(pipe, grid, cv=fold, refit=False).fit(both)

results = search.cv_results_
labels = [f"p = {setting['fuse__p']}\nlearning rate {setting['kge__learning_rate']}" for setting in results["params"]]
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.bar_label(ax.bar(labels, results["mean_test_score"], width=0.5), fmt="%.3f")
ax.set(ylim=(0, 0.6), ylabel="filtered MRR", title="Validation triples")
ax.spines[["top", "right"]].set_visible(False)

# %%
# Differences as small as those between the two costs come from chance as easily: repeat a search with several seeds.
#
# The chosen model
# ----------------
# It is trained on the training triples, and the validation triples choose the number of epochs. `evaluate` filters
# both, and the test triples. In the search nothing was known of the test triples, so they counted as wrong answers: the
# scores of a search rank its settings, no more. The curves are those of its training, with a mark at the epoch kept.
best = pipe.set_params(kge__evidence="all", **search.best_params_).fit(kg.train, kge__X_val=kg.valid)
report = best["kge"].evaluate(kg.test)
print(search.best_params_, {metric: round(report[metric], 3) for metric in ("mrr", "hits@1", "hits@3", "hits@10")})
display = TrainingDisplay.from_estimator(best)
