"""A fitted model that goes on: partial_fit, warm starts and forget."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import skotkge
from skotkge import EvidenceId, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._estimator.grown_spaces import folded_in
from skotkge._evidence.rules import RuleEvidence, count_rules
from skotkge._spaces import concat_order

N = 30
OLD = [(f"e{i}", "old", f"e{(i + 1) % N}") for i in range(N)] + [(f"e{i}", "both", f"e{(i + 2) % N}") for i in range(N)]
NEW = [(f"e{i}", "both", f"e{(i + 5) % N}") for i in range(N)]


def ring(**parameters):
    defaults = dict(embedding_dim=32, max_iter=60, early_stopping=False, refit=False, validation_fraction=0)
    return OTKGEClassifier(**defaults | dict(random_state=0) | parameters)


def quick(**parameters):
    return OTKGEClassifier(**dict(max_iter=4, batch_size=64, random_state=0) | parameters)


@pytest.fixture
def with_modalities(small):
    fuse = OTFusionTransformer(8, random_state=0)
    return fuse, quick().fit(fuse.fit_transform(small))


def answer(model, head, relation, **options):
    return model.complete([[head, relation, None]], k=1, **options).labels[0, 0]


@pytest.mark.parametrize("table", ["that of the fit", "of the new triples"])
def test_warm_start_forgets_nothing(table):
    X = MultimodalTriples(OLD)
    model = ring(warm_start=True, validation_fraction=0.05).fit(X)
    later = X.with_triples(NEW) if table == "that of the fit" else [*NEW, ("e0", "fresh", "newcomer")]
    model.set_params(max_iter=1).fit(later)
    assert answer(model, "e3", "old", known_answers="mark") == "e4"
    offered = model.complete([["e3", "both", None]], k=N, known_answers="drop").labels[0]
    assert not {"e5", "e8"} & set(offered)
    assert set(map(tuple, model.predictor_.vocabulary.ids_of(np.array(NEW, dtype=object)))) <= set(
        map(tuple, model.predictor_.true_ids)
    )
    assert ("newcomer" in model.entities_) == ("fresh" in model.relations_) == (table != "that of the fit")


def test_warm_start_with_modalities_trains_on_the_rows_of_both_fits(small):
    fuse = OTFusionTransformer(8, random_state=0)
    X = fuse.fit_transform(small)
    model = quick(warm_start=True, validation_fraction=0).fit(X[:100])
    model.fit(X[100:])
    assert model.was_trained_on(small).all()
    with pytest.raises(
        ValueError, match=r"with modalities needs the entities and relations of the previous fit.*partial"
    ):
        model.fit([("other", "r0", "graph")])


def test_steps_of_a_warm_start_are_as_small_as_the_last_ones():
    model = ring(warm_start=True, evidence=("structure",)).fit(OLD)
    before = model.space_embeddings_["structure"].copy()
    anew = clone(model).fit(OLD)
    anew.predictor_.evidence[0].continuation.clear()
    moved = []
    for kge in (model, anew):
        kge.set_params(max_iter=1).fit(OLD)
        moved.append(np.abs(kge.space_embeddings_["structure"] - before).mean())
    assert moved[0] < moved[1] / 3


def test_partial_fit_brings_triples_entities_and_relations():
    model = ring().fit(OLD)
    before = model.score(OLD)
    more = [("e3", "fresh", "a"), ("e4", "fresh", "a"), ("e5", "fresh", "b"), ("b", "both", "e9"), ("a", "old", "e9")]
    assert model.partial_fit(more) is model
    assert model.entities_.tolist() == [f"e{i}" for i in range(N)] + ["a", "b"]
    assert model.relations_.tolist() == ["old", "both", "fresh"]
    assert model.was_trained_on(OLD + more).all()
    assert answer(model, "e3", "old", known_answers="mark") == "e4"
    assert answer(model, "b", "both", known_answers="mark") == "e9"
    assert "a" not in model.complete([["e3", "fresh", None]], k=N).labels[0]
    assert np.isfinite(model.predict_proba([("e6", "fresh", "b")])).all()
    assert model.score(OLD) >= 0.95 * before
    assert model.explain(more[:1]).contributions.shape[0] == 1
    data = model.fit_record_["data"]
    assert (data["n_entities"], data["n_relations"], data["n_triples"], data["n_changes"]) == (32, 3, 65, 1)


def test_partial_fit_counts_as_a_fit_of_all_would(small):
    counted = ("structure", "rules", "counts")
    model, whole = quick(evidence=counted, validation_fraction=0), quick(evidence=counted, validation_fraction=0)
    model.fit(small.labels[:80]).partial_fit(small.labels[80:])
    whole.fit(MultimodalTriples(small.labels, entities=model.entities_, relations=model.relations_))
    ids = [kind.id for kind in whole.predictor_.evidence]
    for position in range(1, len(ids)):
        weights = np.zeros_like(whole.predictor_.weights)
        weights[position] = 1
        found = [
            replace(kge.predictor_, weights=weights).scores(kge.predictor_.vocabulary.ids_of(small.labels))
            for kge in (model, whole)
        ]
        np.testing.assert_allclose(*found, err_msg=str(ids[position]))


def test_new_entities_with_vectors(with_modalities, small):
    _, model = with_modalities
    text, image = small.modalities["text"], small.modalities["image"]
    assert np.isfinite(image[1]).all()
    before = model.space_embeddings_
    vectors = {
        "text": {"twin": text[0]},
        "image": {"twin": np.full(image.shape[1], np.nan), "alone": image[1]},
    }
    X = MultimodalTriples([("twin", "r0", "e5"), ("plain", "r1", "e6")], vectors)
    model.partial_fit(X)
    assert model.entities_[-3:].tolist() == ["twin", "plain", "alone"]
    places = {label: place for place, label in enumerate(model.entities_)}
    tables = model.space_embeddings_
    for name in ("text", "image"):
        np.testing.assert_array_equal(tables[name][:30], before[name])
    np.testing.assert_allclose(tables["image"][places["alone"]], tables["image"][1], rtol=1e-5, atol=1e-6)
    # The same vector as that of the first entity, and a fact of its own.
    assert np.linalg.norm(tables["text"][places["twin"]] - tables["text"][0]) > 0.1
    for name, place in (("text", "alone"), ("text", "plain"), ("image", "plain"), ("image", "twin")):
        np.testing.assert_array_equal(tables[name][places[place]], 0)
    np.testing.assert_array_equal(tables["structure"][places["alone"]], 0)
    assert tables["structure"][places["plain"]].any()
    assert model.predictor_.informed[0].all()
    again = model.partial_fit([("alone", "r2", "twin")])
    assert again.space_embeddings_["structure"][places["alone"]].any()
    with pytest.raises(ValueError, match="image"):
        model.partial_fit(MultimodalTriples([("x", "r0", "e5")], {"text": {"x": text[0]}}))


@pytest.mark.parametrize("fusion", ["mean", "concat", "barycenter"])
def test_the_parts_of_modalities_stay(small, fusion):
    fuse = OTFusionTransformer(8, fusion=fusion, random_state=0)
    X = fuse.fit_transform(small)
    model = quick(validation_fraction=0).fit(X)
    before = model.space_embeddings_
    kind = next(k for k in model.predictor_.evidence if str(k.id) == "fused")
    model.partial_fit([("e0", "r0", "stranger")])
    now = next(k for k in model.predictor_.evidence if str(k.id) == "fused")
    n_old = len(before["fused"])
    weight = now.continuation["structure_weight"][:n_old]
    np.testing.assert_allclose(weight, kind.continuation["structure_weight"], rtol=1e-6)
    np.testing.assert_array_equal(model.space_embeddings_["text"][:n_old], before["text"])
    moved = weight[:, None] * (now.parameters["structure"][:n_old] - kind.parameters["structure"])
    changed = now.entities[:n_old] - kind.entities
    assert np.abs(changed).max() > 0
    if fusion == "concat":
        order = np.argsort(concat_order(8, 3))
        np.testing.assert_allclose(changed[:, order][:, 8:], 0, atol=1e-6)
        changed = changed[:, order][:, :8]
    np.testing.assert_allclose(changed, moved, atol=1e-5)


def test_partial_fit_without_a_fit_is_one_and_a_failed_one_changes_nothing(small):
    first, plain = quick(embedding_dim=8).partial_fit(small.labels), quick(embedding_dim=8).fit(small.labels)
    np.testing.assert_array_equal(first.entity_embeddings_, plain.entity_embeddings_)
    predictor = first.predictor_
    with pytest.raises(ValueError, match=r"y has rows of 0, and partial_fit takes true triples alone.*forget"):
        first.partial_fit(small.labels[:2], [1, 0])
    with pytest.raises(ValueError, match="score_function='distmult' differs from that of the previous fit"):
        first.set_params(score_function="distmult").partial_fit(small.labels)
    assert first.predictor_ is predictor


def test_forget_takes_facts_back():
    gone = [("e3", "old", "e4"), ("e3", "both", "e5")]
    model = ring().fit(OLD)
    before = model.decision_function(gone)
    assert model.forget(gone) is model
    assert not model.was_trained_on(gone).any()
    assert model.was_trained_on([triple for triple in OLD if triple not in gone]).all()
    assert not model.complete([["e3", "old", None]], k=N, known_answers="mark").known.any()
    assert (model.decision_function(gone) < before).all()
    assert answer(model, "e10", "old", known_answers="mark") == "e11"


def test_an_entity_without_any_fact_left_is_blank(with_modalities, small):
    structural = ring().fit([*OLD, ("lonely", "old", "e3")]).forget([("lonely", "old", "e3")])
    np.testing.assert_array_equal(structural.entity_embeddings_[structural.entities_ == "lonely"], 0)
    assert not structural.predictor_.informed[0][structural.entities_ == "lonely"].any()
    _, model = with_modalities
    of_e0 = small.labels[(small.ids[:, [0, 2]] == 0).any(axis=1)]
    model.forget(of_e0)
    np.testing.assert_array_equal(model.space_embeddings_["structure"][0], 0)
    assert model.space_embeddings_["fused"][0].any()  # its vectors remain
    assert model.predictor_.informed[0][0]


def test_what_forget_refuses(small):
    with pytest.raises(NotFittedError):
        ring().forget(OLD)
    model = ring(max_iter=1).fit(OLD)
    with pytest.raises(ValueError, match=r"2 rows that the model does not know, the first is \['e3', 'old', 'e9'\]"):
        model.forget([("e3", "old", "e9"), OLD[0], ("who", "old", "e1")])
    with pytest.raises(ValueError, match="at least one triple has to be left"):
        model.forget(OLD)


def test_new_rows_start_at_those_with_the_same_facts():
    rows = np.array([[1.0, 0], [0, 1], [5, 5], [0, 0]])
    ids = np.array([[0, 0, 2], [1, 0, 2], [3, 0, 2]])
    found = folded_in(rows, ids, np.array([True, True, True, False]), 1)
    np.testing.assert_allclose(found[3], [0.5, 0.5])
    np.testing.assert_allclose(found[0], [0, 1])  # the other one with (0, 2); its own row does not count
    np.testing.assert_allclose(found[2], rows[:3].mean(axis=0))  # nobody else is answered by 0, 1 or 3


def test_kinds_of_the_users_are_made_anew(small):
    class Rules:
        def evidence_of(self, X):
            self.n_triples = len(X)
            return Own(EvidenceId("own"), count_rules(X.ids, X.n_entities, len(X.relations)), X.n_entities)

    class Own(RuleEvidence):
        pass

    maker = Rules()
    model = quick(evidence=("structure", maker), embedding_dim=8, validation_fraction=0).fit(small.labels[:100])
    model.partial_fit([*small.labels[100:], ("new", "r0", "e1")])
    assert maker.n_triples == len(small) + 1


@pytest.mark.parametrize(
    ("id", "n_more", "error", "words"),
    [
        (None, 0, TypeError, "evidence_of of .* gave None; return an object with id .* see skotkge.Evidence"),
        (EvidenceId("own"), 1, ValueError, "gave evidence of 31 entities; X has 30"),
        (EvidenceId("structure"), 0, ValueError, "which is taken; give each kind of your own a name"),
        (EvidenceId("offset"), 0, ValueError, "which is taken"),
    ],
)
def test_kinds_of_the_users_are_checked(small, id, n_more, error, words):
    class Maker:
        def evidence_of(self, X):
            rules = count_rules(X.ids, X.n_entities, len(X.relations))
            return None if id is None else RuleEvidence(id, rules, X.n_entities + n_more)

    with pytest.raises(error, match=words):
        quick(evidence=("structure", Maker()), embedding_dim=4).fit(small.labels)
    with pytest.raises(ValueError, match=r"evidence=.*has <class.*objects with evidence_of"):
        quick(evidence=("structure", Maker), embedding_dim=4).fit(small.labels)


def test_two_kinds_of_the_users_have_two_names(small):
    class Maker:
        def evidence_of(self, X):
            return RuleEvidence(EvidenceId("own"), count_rules(X.ids, X.n_entities, len(X.relations)), X.n_entities)

    with pytest.raises(ValueError, match="which is taken"):
        quick(evidence=("structure", Maker(), Maker()), embedding_dim=4).fit(small.labels)


def test_grown_models_can_be_saved(tmp_path, with_modalities):
    _, model = with_modalities
    model.partial_fit([("e0", "fresh", "stranger")])
    skotkge.save(model, tmp_path / "model.skops")
    loaded = skotkge.load(tmp_path / "model.skops")
    asked = [("e1", "fresh", "stranger"), ("e0", "r0", "e4")]
    np.testing.assert_array_equal(loaded.decision_function(asked), model.decision_function(asked))
    for kge in (loaded, model):
        kge.partial_fit([("e1", "fresh", "stranger")])
    np.testing.assert_array_equal(loaded.decision_function(asked), model.decision_function(asked))
