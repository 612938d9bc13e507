"""
How sure is it? Calibrated probabilities
========================================

Only answers above a threshold are to go into the graph without being looked at. Then a probability of .9 has to mean
that nine in ten are true. This example checks it on triples that training has not seen, by relation and in all.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.pipeline import make_pipeline

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji
from skotkge.inspection import CalibrationDisplay, RelationRanksDisplay

kg = load_emoji()
rng = np.random.default_rng(0)


def with_corruptions(X):
    """The triples, and each with another tail that is not known to be true."""
    true = set(map(tuple, np.concatenate([kg.train.labels, kg.valid.labels, kg.test.labels])))
    false = [(head, relation, rng.choice(X.entities)) for head, relation, _ in X.labels]
    false = [triple for triple in false if triple not in true]
    return X.with_triples([*X.labels.tolist(), *false]), np.repeat([1, 0], [len(X), len(false)])


# %%
# The validation triples calibrate, the test triples judge.
X_val, y_val = with_corruptions(kg.valid)
X_test, y_test = with_corruptions(kg.test)
kge = OTKGEClassifier(max_iter=5, refit=False, random_state=0)
pipe = make_pipeline(OTFusionTransformer(n_components=32, random_state=0), kge)
pipe.fit(kg.train, otkgeclassifier__X_val=X_val, otkgeclassifier__y_val=y_val)

# %%
# Points on the dotted line are exact. ECE is the mean distance from it.
CalibrationDisplay.from_estimator(pipe, X_test, y_test)

# %%
# What a threshold costs
# ----------------------
probabilities = pipe.predict_proba(X_test)[:, 1]
for threshold in [0.5, 0.9]:
    kept = probabilities >= threshold
    print(
        f"above {threshold}: {y_test[kept].mean():.1%} true, {y_test[kept].sum() / y_test.sum():.0%} of the true kept"
    )

# %%
# Which relations can be trusted
# ------------------------------
RelationRanksDisplay.from_estimator(pipe, kg.test)
plt.show()
