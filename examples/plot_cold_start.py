"""
Products with a cold start
==========================

New products arrive every day, with a name, a shelf and a picture, and nobody has bought them yet. A model that was
trained on the products before has to say at once what goes with them. The emoji of the bundled graph stand for products
here: what they are annotated with and grouped under for what is bought together.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.datasets import emoji_images, load_emoji
from skotkge.encoding import TableEncoder, encode_table

kg = load_emoji()
pictures = dict(zip(kg.train.entities, emoji_images(), strict=True))
folder = TemporaryDirectory()
for product, pixels in pictures.items():
    plt.imsave(Path(folder.name) / f"{product}.png", pixels)
table = pd.DataFrame({"name": kg.train.names, "picture": [f"{product}.png" for product in pictures]}, index=[*pictures])
table["meaning"] = list(kg.train.modalities["text"])  # of the name, by a sentence encoder
print(table.head(3)[["name", "picture"]])

# %%
# Four products are new: no triple has them. The encoder is fitted on the others.
new = ["1F96F", "1F45E", "1F528", "1F1FA-1F1FE"]
triples = [(head, relation, tail) for head, relation, tail in kg.train.labels if not {head, tail} & set(new)]
old = table[table.index.isin({entity for head, _, tail in triples for entity in (head, tail)})]
encoder = TableEncoder({"name": "drop"}, image_folder=folder.name, n_components=48, random_state=0).fit(old)
X = MultimodalTriples(triples, encode_table(old, encoder), names=table["name"])
print(X)
kge = OTKGEClassifier(max_iter=4, random_state=0)
Pipeline([("fuse", OTFusionTransformer(48, random_state=0)), ("kge", kge)]).fit(X)

# %%
# The new ones come with vectors alone. Names do for labels in questions.
arrived = X.new_entities(encode_table(table.loc[new], encoder), names=table.loc[new, "name"])
questions = [(name, "annotated_with", None) for name in ("bagel", "man’s shoe", "hammer", "flag: Uruguay")]
answers = kge.complete(questions, k=4, new_entities=arrived)
print(answers)

# %%
# What goes with each new product, the best first, with its probability.
figure, axes = plt.subplots(len(new), 5, figsize=(6, 5), layout="constrained")
for row, product in zip(axes, new, strict=True):
    found = answers.labels[new.index(product)]
    told = ["new", *(f"{p:.2f}" for p in answers.probabilities[new.index(product)])]
    for ax, shown, title in zip(row, [product, *found], told, strict=True):
        ax.imshow(pictures[shown])
        ax.set_title(title, fontsize=9)
        ax.axis("off")
folder.cleanup()
