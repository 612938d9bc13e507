"""
Why this answer?
================

A colleague doubts an answer. The score of a triple is a weighted sum over kinds of evidence, so it can be taken apart:
which of them speaks for it, how far each is trusted for this relation, and which entities are alike.
"""

from sklearn.pipeline import make_pipeline

from skotkge import OTFusionTransformer, OTKGEClassifier, complete, nearest
from skotkge.datasets import load_emoji
from skotkge.inspection import ContributionsDisplay, EvidenceWeightsDisplay

kg = load_emoji()
names = {label: name.split(" ", 1)[1] for label, name in zip(kg.train.entities, kg.entity_names, strict=True)}
codes = {name: label for label, name in names.items()}
kge = OTKGEClassifier(max_iter=5, refit=False, random_state=0)
pipe = make_pipeline(OTFusionTransformer(n_components=32, random_state=0), kge).fit(kg.train)

# %%
# The answers in question
# -----------------------
question = [codes["croissant"], "annotated_with", None]
answers = complete(pipe, [question], k=5, known=kg.valid)
print([names[label] for label in answers.labels[0]], answers.probabilities[0].round(2))

# %%
# What speaks for them
# --------------------
# Each bar is what one kind of evidence adds to the log-odds; the diamond is their sum, by which answers are ordered.
triples = [[question[0], question[1], label] for label in answers.labels[0]]
ContributionsDisplay.from_estimator(pipe, triples, side="tail", names=names)

# %%
# How far each kind is trusted
# ----------------------------
# The weights were learned for each relation on triples that training had not seen.
EvidenceWeightsDisplay.from_estimator(pipe)

# %%
# Who is like the croissant
# -------------------------
for space in ["structure", "text", "image"]:
    labels = nearest(pipe, [question[0]], k=4, space=space).labels[0]
    print(f"{space:10}", ", ".join(names[label] for label in labels))
