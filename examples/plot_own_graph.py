"""
A graph of your own: from a CSV file to answers
===============================================

Triples in a CSV file, vectors of the names by TF-IDF, and a question: what is missing, how sure is the model, and why?
In the end an entity arrives that it has never seen. The file is written from the emoji graph that comes along.
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
names = dict(zip(kg.train.entities, (name.split(" ", 1)[1] for name in kg.entity_names), strict=True))
lines = [f'{relation},"{names[head]}","{names[tail]}"\n' for head, relation, tail in kg.train.labels]

# %%
# The columns have names, so their order does not matter. Labels are kept exactly as they stand in the file. Any matrix
# with one row for each entity is a modality: here letters of the names, so that "flag: Japan" is like "flag: Jordan".
with TemporaryDirectory() as folder:
    path = Path(folder) / "triples.csv"
    path.write_text("relation,subject,object\n" + "".join(lines), encoding="utf-8")
    triples = MultimodalTriples.from_csv(path, columns=("subject", "relation", "object"))
vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=600)
X = MultimodalTriples(triples, {"name": (vectorizer.fit_transform(triples.entities), triples.entities)})
kge = OTKGEClassifier(max_iter=8, random_state=0)
pipe = Pipeline([("fuse", OTFusionTransformer(n_components=64, random_state=0)), ("kge", kge)]).fit(X)
print(X)

# %%
# None is the position to fill, and only what the relation has on that side may answer. A probability tells how often an
# answer with such a score and position was true.
questions = [("croissant", "annotated_with", None), (None, "spoken_language_of", "flag: France")]
answers = kge.complete(questions, k=4, candidates="seen")
print(answers.to_frame().round(2).to_string(index=False))
print("like a croissant:", *kge.nearest(["croissant"], k=4).labels[0], sep=", ")

# %%
# Why? Answers are ordered by the sum of what each kind of evidence says.
told = kge.explain([("croissant", "annotated_with", tail) for tail in answers.labels[0]], side="tail")
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
shown = {kind: part for kind, part in told.by_kind().items() if kind not in ("self_loop", "offset")}
for shift, (kind, part) in enumerate(shown.items()):
    ax.barh(np.arange(4) + 0.1 * shift - 0.3, part, height=0.1, label=kind)
ax.set_yticks(np.arange(4), answers.labels[0])
ax.invert_yaxis()
ax.set(xlabel="part of the log-odds", title="croissant, annotated_with, ...")
ax.legend()

# %%
# A new entity has no triple, but its vector is enough: the fitted maps place it.
new = X.new_entities({"name": (vectorizer.transform(["flag: Atlantis"]), ["flag: Atlantis"])})
print(kge.complete([("flag: Atlantis", "same_category_as", None)], k=3, new_entities=new))
