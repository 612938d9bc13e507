"""What a user writes, for mypy and pyright in their strict modes (``make types``): nothing may come out as Any."""

from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import skotkge
from skotkge import (
    Comparison,
    Completions,
    ComplEx,
    EntityEmbedder,
    EntityPairs,
    Logistic,
    MultimodalTriples,
    Neighbors,
    OTEntityMatcher,
    OTFusionTransformer,
    OTKGEClassifier,
)
from skotkge.datasets import GraphBunch, load_codex_s, load_emoji
from skotkge.metrics import RankingReport, ranking_report
from skotkge.model_selection import TransductiveKFold, transductive_train_test_split

kg = load_emoji()
assert_type(kg, GraphBunch)
assert_type(kg.train, MultimodalTriples)
assert_type(load_codex_s("folder").test, MultimodalTriples)
assert_type(kg.train[:10], MultimodalTriples)
assert_type(kg.train[np.arange(3)], MultimodalTriples)
assert_type(kg.train.labels, NDArray[np.object_])
assert_type(MultimodalTriples.from_csv("graph.csv"), MultimodalTriples)
assert_type(MultimodalTriples({"head": ["a"], "relation": ["r"], "tail": ["b"]}), MultimodalTriples)

X_train, X_test = transductive_train_test_split(kg.train, test_size=0.1)
assert_type(X_train, MultimodalTriples)
folds = TransductiveKFold(3, random_state=0)

fuse = OTFusionTransformer(n_components=64, random_state=0).fit(X_train)
assert_type(fuse, OTFusionTransformer)
assert_type(fuse.transform(X_train), MultimodalTriples)
assert_type(OTFusionTransformer().fit_transform(X_train), MultimodalTriples)

kge = OTKGEClassifier(ComplEx(), objective=Logistic(n_negatives=8)).fit(fuse.transform(X_train), X_val=kg.valid)
assert_type(kge, OTKGEClassifier)
assert_type(kge.score(X_test), float)
assert_type(kge.predict_proba(X_test), NDArray[np.float64])
assert_type(kge.rank(X_test, known=[kg.valid, kg.test]), NDArray[np.float64])
assert_type(kge.evaluate(X_test), dict[str, float])
assert_type(kge.complete([["1F9F9", "annotated_with", None]], k=3), Completions)
assert_type(skotkge.complete(kge, [["1F9F9", "annotated_with", None]]), Completions)
assert_type(kge.nearest(["1F9F9"]), Neighbors)
assert_type(kge.embed(["1F9F9"], "fused"), NDArray[np.floating[Any]])
embedder = EntityEmbedder(kge, handle_unknown="nan").fit([["1F9F9"]])
assert_type(embedder, EntityEmbedder)
skotkge.export_embeddings(kge, "emoji.npz", entities=["1F9F9"])
assert_type(kge.evidence_weights_, NDArray[np.float64])
assert_type(kge.rank(X_test, candidates={"r": ["a"]}, sides=("tail",)), NDArray[np.float64])
assert_type(kge.evaluate(X_test, candidates="seen", negatives=10, average="degree"), dict[str, float])
assert_type(kge.complete([[None, "annotated_with", None]]).triples, np.ndarray)
assert_type(kge.likeliest_missing(3, candidates="seen"), Completions)
assert_type(OTKGEClassifier(constraints=skotkge.read_constraints("ontology.ttl", X_train)), OTKGEClassifier)
assert_type(skotkge.compare(kge, kge, X_test), Comparison)
assert_type(skotkge.score_file(kge, "triples.tsv", "scores.tsv"), int)
assert_type(ranking_report(kge, X_test), RankingReport)
triples, y = skotkge.read_decisions("model.decisions.tsv")
assert_type(y, NDArray[np.int64])

pairs = EntityPairs([("a", "b")], X_train, kg.test)
assert_type(pairs[:1], EntityPairs)
matcher = OTEntityMatcher(n_rounds=2).fit(pairs)
assert_type(matcher, OTEntityMatcher)
assert_type(matcher.match_proba(pairs), NDArray[np.float64])
answers: dict[str, Any] = {"hits@1": matcher.evaluate(pairs)["hits@1"]}
