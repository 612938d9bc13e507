"""Completions with candidates and probabilities, neighbours, contributions of spaces, and entities that are new."""

import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier, complete
from skotkge._estimator.vectors import tables_of_spaces
from skotkge.inspection import contradictions

QUESTION = ("e1", "r0", None)


@pytest.fixture(scope="module")
def pipe(small):
    fuse, kge = OTFusionTransformer(8, random_state=0), OTKGEClassifier(max_iter=8, random_state=0)
    return Pipeline([("fuse", fuse), ("kge", kge)]).fit(small)


@pytest.fixture(scope="module")
def kge(pipe):
    return pipe["kge"]


def newcomers(small, vectors, triples):
    """Triples about the old entities and new ones whose text is that of an old one."""
    text, image = small.modalities["text"], small.modalities["image"]
    entities = ["new", *small.entities]
    modalities = {"text": np.vstack([text[vectors], text]), "image": np.vstack([image[vectors], image])}
    return MultimodalTriples(triples, modalities, entities=entities, relations=small.relations)


class TestComplete:
    def test_known_answers_are_dropped_or_marked(self, kge, small):
        true = {tail for head, relation, tail in small.labels.tolist() if (head, relation) == QUESTION[:2]}
        dropped, marked = (kge.complete([QUESTION], k=30, known_answers=way) for way in ("drop", "mark"))
        assert not true & set(dropped.labels[0])
        assert not dropped.known.any()
        assert set(marked.labels[0][marked.known[0]]) == true
        rest = marked.labels[0][~marked.known[0]].tolist()
        assert rest == [label for label in dropped.labels[0] if label is not None]

    def test_scores_are_log_odds_of_the_side_asked_for(self, kge):
        questions = {"tail": QUESTION, "head": (None, "r2", "e4"), "both": ("e3", None, "e4")}
        found = kge.complete(list(questions.values()), k=2)
        for (side, question), labels, scores in zip(questions.items(), found.labels, found.scores, strict=True):
            triples = [[label if place is None else place for place in question] for label in labels]
            np.testing.assert_allclose(kge.decision_function(triples, side=side), scores, rtol=1e-4)
        with pytest.raises(ValueError, match="side='left'"):
            kge.decision_function([("e1", "r0", "e2")], side="left")

    def test_probabilities_fall_with_the_rank(self, kge, small):
        questions = np.concatenate([small.labels[:20]] * 3)
        questions[np.arange(60), np.repeat([0, 1, 2], 20)] = None
        found = kge.complete(questions, k=30)
        listed = np.isfinite(found.scores)
        assert listed.sum() > 500
        assert ((found.probabilities > 0) & (found.probabilities < 1))[listed].all()
        assert np.isnan(found.probabilities[~listed]).all()
        assert (np.diff(np.nan_to_num(found.probabilities), axis=1) <= 0).all()
        few = kge.complete(questions, k=3)
        np.testing.assert_allclose(few.probabilities, found.probabilities[:, :3])

    def test_only_candidates_answer(self, kge):
        labels, scores = kge.complete(
            [QUESTION, (None, "r1", "e3")], k=5, candidates=["e7", "e9"], known_answers="mark"
        )
        assert [set(row[:2]) for row in labels] == [{"e7", "e9"}] * 2
        assert (labels[:, 2:] == None).all()  # noqa: E711
        assert np.isneginf(scores[:, 2:]).all()
        labels, _ = kge.complete([("e1", None, "e3")], candidates=["r2"], known_answers="mark")
        assert labels[0, 0] == "r2"
        assert labels[0, 1] is None

    def test_seen_candidates_are_those_of_that_side_of_the_relation(self, kge, small):
        heads, relations, tails = small.labels.T
        found = kge.complete([QUESTION, (None, "r1", "e3")], k=30, candidates="seen", known_answers="mark").labels
        assert set(found[0]) - {None} == set(tails[relations == "r0"])
        assert set(found[1]) - {None} == set(heads[relations == "r1"])
        found = kge.complete([("e1", None, "e3")], k=3, candidates="seen", known_answers="mark").labels[0]
        assert set(found) - {None} == set(relations[heads == "e1"]) & set(relations[tails == "e3"])

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_a_frame_has_one_row_for_each_answer(self, kge, library):
        pytest.importorskip(library)
        found = kge.complete([QUESTION, (None, "r1", "e3")], k=3)
        frame = found.to_frame(library)
        assert list(frame.columns) == ["question", "rank", "head", "relation", "tail", "score", "probability", "known"]
        assert list(frame["question"]) == [0, 0, 0, 1, 1, 1]
        assert list(frame["head"])[:3] == ["e1"] * 3
        assert list(frame["tail"])[:3] == found.labels[0].tolist()
        assert list(frame["head"])[3:] == found.labels[1].tolist()

    def test_wrong_arguments_are_named(self, kge, small):
        with pytest.raises(ValueError, match="candidates='far'; give 'all', 'seen', None, labels, or a mapping"):
            kge.complete([QUESTION], candidates="far")
        with pytest.raises(ValueError, match="candidates has labels that the model does not know: 'e99'"):
            kge.complete([QUESTION], candidates=["e99"])
        with pytest.raises(ValueError, match="known_answers"):
            kge.complete([QUESTION], known_answers="hide")
        with pytest.raises(ValueError, match="library='arrow'"):
            kge.complete([QUESTION]).to_frame("arrow")

    def test_unknown_labels_as_each_call_says(self, kge, small):
        lenient = OTKGEClassifier(embedding_dim=8, max_iter=1, handle_unknown="last", random_state=0).fit(small.labels)
        asked = [("stranger", "r0", None), QUESTION]
        for found in (lenient.complete(asked, k=2), kge.complete(asked, k=2, handle_unknown="last")):
            assert found.labels[0].tolist() == [None, None]
            assert None not in found.labels[1]
        for ask in (kge.complete, lambda X: lenient.complete(X, handle_unknown="error")):
            with pytest.raises(ValueError, match="fit has not seen: 'stranger'"):
                ask(asked)
        rows = [("stranger", "r0", "e1"), ("e1", "r0", "e2")]
        methods = ("rank", "score_triples", "decision_function", "predict", "predict_proba", "evaluate")
        for method in (*methods, "explain"):
            given, fitted = getattr(kge, method)(rows, handle_unknown="last"), getattr(lenient, method)
            assert np.shape(given) == np.shape(fitted(rows)) or isinstance(given, dict)
            for refuse in (lambda X: fitted(X, handle_unknown="error"), getattr(kge, method)):  # noqa: B023
                with pytest.raises(ValueError, match="fit has not seen: 'stranger'"):
                    refuse(rows)
            with pytest.raises(ValueError, match="handle_unknown='first'"):
                fitted(rows, handle_unknown="first")
        assert np.isneginf(kge.score_triples(rows, handle_unknown="last")[0])
        assert kge.rank(rows, handle_unknown="last")[0].tolist() == [31, 31]


class TestNearest:
    @pytest.mark.parametrize("space", [None, "structure", "text"])
    def test_cosines_of_the_space(self, kge, space):
        labels, similarities = kge.nearest(["e3", "e8"], 4, space=space)
        table = kge.space_embeddings_[space or "fused"]
        unit = table / np.linalg.norm(table, axis=1, keepdims=True)
        cosines = unit @ unit[[3, 8]].T
        cosines[[3, 8], [0, 1]] = -np.inf
        order = np.argsort(-cosines, axis=0)[:4].T
        np.testing.assert_array_equal(labels, kge.entities_[order])
        np.testing.assert_allclose(similarities, np.take_along_axis(cosines.T, order, axis=1), rtol=1e-4)

    def test_more_neighbours_than_entities(self, kge):
        labels, similarities = kge.nearest(["e3"], 40)
        assert set(labels[0, :29]) == set(kge.entities_) - {"e3"}
        assert labels[0, 29] is None
        assert np.isnan(similarities[0, 29:]).all()

    def test_wrong_arguments_are_named(self, kge):
        with pytest.raises(ValueError, match="entities has labels that the model does not know: 'x'"):
            kge.nearest(["x"])
        with pytest.raises(ValueError, match="space='image2'; the model has the spaces 'structure', 'text'"):
            kge.nearest(["e1"], space="image2")


class TestContributions:
    def test_they_sum_to_the_scores(self, kge, small):
        told = kge.explain(small)
        assert told.evidence == [
            *("structure", "text", "image", "fused"),
            *("relation_maps of text", "relation_maps of image", "relation_maps", "rules", "rules of paths"),
            *(f"counts of {counted}" for counted in ("answers", "any answer", "questions", "degree")),
            *("cosines of text", "cosines of image", "cosines of structure", "neighbors", "self_loop", "offset"),
        ]
        np.testing.assert_allclose(told.log_odds, kge.decision_function(small), rtol=1e-9)
        assert np.isfinite(told.contributions).all()
        assert (np.ptp(told.contributions, axis=0) > 0).sum() > 8

    @pytest.mark.parametrize("side", ["head", "tail"])
    def test_answers_are_ordered_by_their_sum(self, kge, side):
        column = {"head": 0, "tail": 2}[side]
        question = [("e1", "r0", None), (None, "r1", "e3")][side == "head"]
        answers = kge.complete([question], k=8)
        triples = np.array([question] * 8, dtype=object)
        triples[:, column] = answers.labels[0]
        told = kge.explain(triples, side=side)
        np.testing.assert_allclose(told.log_odds, answers.scores[0], rtol=1e-4)
        np.testing.assert_allclose(told.log_odds, kge.decision_function(triples, side=side), rtol=1e-9)
        assert (np.diff(answers.scores[0]) <= 0).all()

    def test_facts_are_training_triples_and_counts(self, kge, small):
        told = kge.explain(small[:20])
        known = {tuple(triple) for triple in small.labels}
        facts = [fact for facts in told.facts for fact in facts]
        assert {fact.evidence for fact in facts} >= {"counts of answers", "neighbors"}
        assert all(triple in known for fact in facts for triple in fact.triples)
        counts = {fact.side: fact.value for fact in told.facts[0] if fact.evidence == "counts of answers"}
        triples = np.unique(small.ids, axis=0)
        same = triples[triples[:, 1] == small.ids[0, 1]]
        wanted = {"tail": np.sum(same[:, 2] == small.ids[0, 2]), "head": np.sum(same[:, 0] == small.ids[0, 0])}
        assert counts == wanted

    def test_it_is_told_as_a_frame_and_as_text(self, kge, small):
        told = kge.explain(small[:2])
        frame = told.to_frame()
        sums = frame.groupby("triple")["contribution"].sum()
        np.testing.assert_allclose(sums, kge.decision_function(small[:2]), rtol=1e-9)
        assert str(small.labels[0][0]) in repr(told)
        assert set(told.by_kind()) == set(frame["kind"])
        with pytest.raises(ValueError, match="library='arrow'"):
            told.to_frame("arrow")

    @pytest.mark.parametrize("library", ["pandas", "polars"])
    def test_weights_of_evidence_are_told_as_a_frame(self, kge, library):
        pytest.importorskip(library)
        frame = kge.evidence_to_frame(library)
        assert list(frame.columns) == ["evidence", "direction", "relation", "weight"]
        rows = zip(*(list(frame[name]) for name in frame.columns), strict=True)
        told = {(evidence, direction, relation): weight for evidence, direction, relation, weight in rows}
        assert len(told) == len(frame) == kge.evidence_weights_.size
        for kind, name in enumerate(kge.evidence_names_):
            for number, relation in enumerate(kge.relations_):
                weights = [told[name, direction, relation] for direction in ("tail", "head")]
                assert weights == kge.evidence_weights_[kind, :, number].tolist()

    def test_a_missing_library_of_frames_is_named_with_the_remedy(self, kge, small, monkeypatch):
        monkeypatch.setitem(sys.modules, "polars", None)
        told = kge.complete([QUESTION]), kge.explain(small[:1]), small
        contradicting = partial(contradictions, small, {"r0": {"functional": True}})
        functions = kge.evidence_to_frame, *(of_told.to_frame for of_told in told)
        for to_frame in (*functions, lambda library: contradicting(library=library)):
            with pytest.raises(ImportError, match="needs polars: pip install polars"):
                to_frame("polars")

    def test_a_loop_that_never_was_scores_below_all(self, small):
        loop = small.ids[:, 0] == small.ids[:, 2]
        kge = OTKGEClassifier(embedding_dim=8, max_iter=3, random_state=0).fit(small.labels[~loop])
        triples = [("e1", "r0", "e1"), ("e1", "r0", "e2")]
        told = kge.explain(triples).by_kind()["self_loop"]
        assert told[0] < 0
        assert told[1] == 0
        answers = kge.complete([QUESTION], k=40).labels[0]
        assert "e1" not in answers
        assert sum(label is not None for label in answers) == 29 - sum(
            (small.labels[~loop][:, :2] == QUESTION[:2]).all(axis=1)
        )
        free = OTKGEClassifier(embedding_dim=8, max_iter=3, exclude_self_loops=False, random_state=0)
        free = free.fit(small.labels[~loop])
        assert free.explain(triples).by_kind()["self_loop"].tolist() == [0, 0]
        assert "e1" in free.complete([QUESTION], k=40).labels[0]


class TestNewEntities:
    def test_one_with_the_vectors_of_another_takes_its_place_in_modality_spaces(self, pipe, kge, small):
        X = newcomers(small, 3, [("new", "r1", "e8"), ("e3", "r1", "e8")])
        told = kge.explain(pipe["fuse"].transform(X))
        for evidence in ("text", "image", "relation_maps", "cosines of text"):
            ours, theirs = told.contributions[:, told.evidence.index(evidence)]
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8)
        assert np.isfinite(told.contributions).all()

    def test_every_answer_takes_them_through_the_pipeline(self, pipe, small):
        X = newcomers(small, 3, [("new", "r1", "e8"), ("e5", "r0", "new")])
        assert pipe.predict_proba(X).shape == (2, 2)
        ranks = pipe["kge"].rank(X)
        assert (ranks <= 31).all()
        assert 0 < pipe.score(X) <= 1
        found = pipe["kge"].complete([("e5", "r0", None), ("new", "r0", None)], k=31, new_entities=X)
        assert "new" in found.labels[0]
        neighbors = pipe["kge"].nearest(["e3"], 1, space="text", new_entities=X)
        assert neighbors.labels[0, 0] == "new"
        np.testing.assert_allclose(neighbors.similarities, 1, rtol=1e-5)

    @pytest.mark.parametrize(
        ("vectors", "words"),
        [
            ({"txet": {"new": [1.0, 2.0]}}, "has the modalities 'txet', and the model reads .*; did you mean 'text'"),
            ({"text": {"new": [np.nan] * 5}}, "no vector for 'new': all values of .*'text'.* are missing"),
            ({}, "has the modalities none, and the model reads"),
        ],
    )
    def test_without_a_vector_that_the_model_reads_the_modalities_are_named(self, pipe, vectors, words):
        X = MultimodalTriples([("new", "r0", "e1")], vectors)
        with pytest.raises(ValueError, match=words):
            pipe["kge"].complete([("new", "r0", None)], new_entities=X)

    def test_a_vector_far_from_all_of_the_fit_is_told(self, small):
        # A column of rounding, as components beyond the rank are; standardised it counts as much as the others.
        text = small.modalities["text"].copy()
        text[:, 0] = 1e-9 * np.arange(len(text))
        X = MultimodalTriples(small.labels, {"text": text}, entities=small.entities, relations=small.relations)
        fuse, kge = OTFusionTransformer(8, random_state=0), OTKGEClassifier(max_iter=2, random_state=0)
        model = Pipeline([("fuse", fuse), ("kge", kge)]).fit(X)
        usual, asked = text[3], [("e5", "r0", None)]
        vectors = {"usual": usual, "far": usual + np.eye(len(usual))[0]}
        complete(model, asked, new_entities=X.new_entities({"text": {"usual": usual}}))
        new = X.new_entities({"text": vectors})
        with pytest.warns(UserWarning, match="1 unseen entity has a vector far .*'far' .*column 0 of 'text'") as told:
            complete(model, asked, new_entities=new)
        assert told[0].filename == __file__

    def test_the_mean_row_stands_for_the_structure_that_is_not_there(self, kge, small):
        X = newcomers(small, 3, [("e5", "r0", "new"), ("e5", "r0", "e3")])
        structure = tables_of_spaces(kge._covering(X))["structure"]
        np.testing.assert_allclose(structure[30], structure[:30].mean(axis=0), rtol=1e-5)

    def test_without_a_vector_it_is_unknown(self, pipe, small):
        image = np.array(small.modalities["image"])
        missing = int(np.flatnonzero(np.isnan(image).any(axis=1))[0])
        modalities = {"image": (np.vstack([image[missing], image]), ["new", *small.entities])}
        text = np.vstack([np.full(12, np.nan), small.modalities["text"]])
        modalities["text"] = (text, ["new", *small.entities])
        X = MultimodalTriples([("new", "r1", "e8")], modalities)
        with pytest.raises(ValueError, match="X has labels that fit has not seen: 'new'"):
            pipe.predict(X)

    def test_a_vector_in_a_modality_that_the_fit_lacks_tells_nothing(self, small):
        text, labels = small.modalities["text"], small.entities.tolist()
        train = MultimodalTriples(small.labels, {"text": text}, entities=labels)
        pipe = Pipeline([("fuse", OTFusionTransformer(4, random_state=0)), ("kge", OTKGEClassifier(max_iter=1))])
        sound = np.eye(31)
        modalities = {"text": (text, labels), "sound": (sound, ["new", *labels])}
        X = MultimodalTriples([("new", "r1", "e8")], modalities)
        with pytest.raises(ValueError, match="X has labels that fit has not seen: 'new'"):
            pipe.fit(train).predict(X)

    def test_other_modalities_than_those_of_the_fit_are_refused(self, kge, small):
        X = MultimodalTriples([("new", "r1", "e8")], {"text": pd.DataFrame(np.ones((1, 12)), index=["new"])})
        with pytest.raises(ValueError, match="but the fit saw"):
            kge.predict(X)
