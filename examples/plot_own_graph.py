"""
A graph of your own: from a CSV file to answers
===============================================

A table of triples in a CSV file, a readable name for each entity, and a question: what is missing, and how sure is the
model? This example reads the file, makes vectors of the names by scikit-learn's TF-IDF, trains, asks, and looks at what
the answers rest on. In the end an entity arrives that the model has never seen.

The file is written from the emoji graph that comes with the package; only the first cell knows.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import load_emoji

kg = load_emoji()
names = {code: name.split(" ", 1)[1] for code, name in zip(kg.train.entities, kg.entity_names, strict=True)}
folder = TemporaryDirectory()
path = Path(folder.name) / "triples.csv"
rows = [f'{relation},"{names[head]}","{names[tail]}"\n' for head, relation, tail in kg.train.labels]
path.write_text("relation,subject,object\n" + "".join(rows), encoding="utf-8")

# %%
# Reading
# -------
# The columns are named, so their order does not matter. Labels are kept exactly as they stand in the file.
print(path.read_text(encoding="utf-8").splitlines()[:3])
triples = MultimodalTriples.from_csv(path, columns=("subject", "relation", "object"))
print(triples)

# %%
# Vectors
# -------
# Any matrix with one row for each entity is a modality. Here it is a sparse TF-IDF of the names, letter by letter, so
# that "flag: Japan" and "flag: Jordan" have much in common. Its rows are in the order of ``triples.entities``.
vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=600)
vectors = vectorizer.fit_transform(triples.entities)
X = MultimodalTriples(triples, {"name": vectors}, entities=triples.entities, relations=triples.relations)
print(X)

# %%
# Training
# --------
pipe = Pipeline(
    [
        ("fuse", OTFusionTransformer(n_components=64, random_state=0)),
        ("kge", OTKGEClassifier(max_iter=8, random_state=0)),
    ]
)
pipe.fit(X)
kge = pipe["kge"]

# %%
# What is missing, and how sure are you?
# --------------------------------------
# None marks the place to fill. With ``candidates="seen"`` only entities that the relation already has on that side may
# answer. The probability says how often an answer with such a score and place in a list was true.
questions = [("croissant", "annotated_with", None), (None, "spoken_language_of", "flag: France")]
answers = kge.complete(questions, k=4, candidates="seen")
print(answers.to_frame().round(2).to_string(index=False))

# %%
# Why?
# ----
# Each space was trained by itself: the structure, the vectors, and the fusion of both. The regressions from the vectors
# of heads to those of tails, counts, likenesses and neighbours come on top. Answers are ordered by their sum.
head, relation, _ = questions[0]
told = kge.explain([(head, relation, tail) for tail in answers.labels[0]], side="tail")
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
places = np.arange(4)
shown = {kind: part for kind, part in told.by_kind().items() if kind not in ("self_loop", "offset")}
for shift, (kind, part) in enumerate(shown.items()):
    ax.barh(places + 0.1 * shift - 0.3, part, height=0.1, label=kind)
ax.set_yticks(places, answers.labels[0])
ax.invert_yaxis()
ax.set(xlabel="part of the log-odds", title=f"{head}, {relation}, ...")
ax.legend()
ax.spines[["top", "right"]].set_visible(False)

# %%
# Who is like whom?
# -----------------
neighbors = kge.nearest(["croissant", "flag: France"], k=4)
print(neighbors.labels)

# %%
# A new entity
# ------------
# Next week there is an entity that no training triple has. Its vector is enough: the fitted maps place it in every
# space but the structure, where the mean stands in.
new = MultimodalTriples(
    [("flag: Atlantis", "same_category_as", "flag: France")],
    {"name": (vectorizer.transform(["flag: Atlantis"]), ["flag: Atlantis"])},
)
answers = kge.complete([("flag: Atlantis", "same_category_as", None)], k=3, new_entities=new)
print(answers.to_frame().round(2).to_string(index=False))
print(pipe.predict_proba(new).round(2))
folder.cleanup()
