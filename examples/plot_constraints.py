"""
What cannot be: answers that rules exclude
==========================================

Some answers are wrong whatever the scores say: a birthplace is a city, and a person has one. Without such rules a
model that has seen few facts asks a curator about nonsense. This example puts the same question with and without them.
"""

import matplotlib.pyplot as plt

from skotkge import OTKGEClassifier

# %%
# Few facts, and what is known of the relations
# ---------------------------------------------
people, cities = [f"person {number}" for number in range(12)], ["Rome", "Oslo", "Bern"]
triples = [(person, "born in", cities[number % 3]) for number, person in enumerate(people[:9])]
triples += [(person, "is a", "Person") for person in people] + [(city, "is a", "City") for city in cities]
triples += [("person 0", "spouse", "person 1"), ("person 2", "spouse", "person 3")]
constraints = {
    "born in": {"functional": True, "domain": {"is a": "Person"}, "range": {"is a": "City"}},
    "spouse": {"symmetric": True, "functional": True, "domain": {"is a": "Person"}, "range": {"is a": "Person"}},
}

# %%
# The same question
# -----------------
settings = dict(embedding_dim=16, max_iter=5, validation_fraction=0, random_state=0)
models = {
    "without constraints": OTKGEClassifier(**settings).fit(triples),
    "with constraints": OTKGEClassifier(constraints=constraints, **settings).fit(triples),
}
question = [("person 9", "born in", None)]
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", sharex=True)
for ax, (title, kge) in zip(axes, models.items(), strict=True):
    answers = kge.complete(question, k=8)
    rows = [(label, share) for label, share in zip(answers.labels[0], answers.probabilities[0], strict=True) if label]
    labels, shares = zip(*rows, strict=True)
    colors = ["C0" if label in cities else "lightgrey" for label in labels]
    ax.barh(labels, shares, color=colors, edgecolor="black", linewidth=0.5)
    ax.invert_yaxis()
    ax.set(title=title, xlabel="probability")
    ax.spines[["top", "right"]].set_visible(False)
figure.suptitle("Where was person 9 born? Cities are dark.")
