"""Answers agree with one another: one number orders a list, and probabilities say how often its answers are right."""

from copy import copy
from dataclasses import replace

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.inspection import leakage_report
from skotkge.metrics import mean_reciprocal_rank, ranking_report


@pytest.fixture(scope="module")
def emoji_model(emoji):
    pipe = make_pipeline(OTFusionTransformer(32, random_state=0), OTKGEClassifier(max_iter=5, random_state=0))
    return pipe.fit(emoji.train, otkgeclassifier__X_val=emoji.valid)


@pytest.fixture(scope="module")
def lists(emoji, emoji_model):
    """The ten best answers to each question of the test split, and which of them are test triples."""
    triples = emoji.test.labels
    questions = np.concatenate([triples, triples])
    questions[: len(triples), 0] = questions[len(triples) :, 2] = None
    questions = np.array(list(dict.fromkeys(map(tuple, questions))), dtype=object)
    answers = skotkge.complete(emoji_model, questions, k=10)
    completed = np.repeat(questions[:, None], 10, axis=1)
    rows, columns = np.nonzero(np.equal(questions, None))
    completed[rows, :, columns] = answers.labels
    true = set(map(tuple, triples))
    truth = np.array([[tuple(triple) in true for triple in of_question] for of_question in completed])
    return questions, answers, truth


def test_one_number_orders_a_list_and_the_probability_falls_with_it(lists):
    _, answers, _ = lists
    assert (np.diff(answers.scores, axis=1) <= 0).all()
    assert (np.diff(answers.probabilities, axis=1) <= 0).all()
    assert len(np.unique(answers.probabilities)) > 1000


def test_probabilities_of_answers_are_shares_of_truths(lists):
    _, answers, truth = lists
    said = answers.probabilities.ravel()
    for part in np.array_split(np.argsort(said), 10):
        share = truth.ravel()[part].mean()
        error = np.sqrt(share * (1 - share) / len(part))
        assert abs(said[part].mean() - share) < max(0.08, 3 * error)
    np.testing.assert_allclose(answers.probabilities.mean(axis=0), truth.mean(axis=0), atol=0.08)


def test_probabilities_of_what_nobody_has_asked_are_shares_of_truths(emoji, emoji_model):
    true, model = set(map(tuple, emoji.test.labels)), emoji_model[-1]
    # As if an answer to each question were missing.
    lines = model.predictor_.answer_lines[:2]
    of_missing = copy(model)
    of_missing.predictor_ = replace(model.predictor_, answer_lines=lines)
    questions = [[[None] * 3], [[None, relation, None] for relation in emoji.train.relations]]
    questions.append([[head, None, None] for head in emoji.train.entities[::5]])
    for asked, k in zip(questions, (200, 10, 3), strict=True):
        answers, others = (kge.complete(asked, k=k, candidates="seen") for kge in (model, of_missing))
        listed = np.isfinite(answers.scores)
        truth = np.array([[tuple(triple) in true for triple in row] for row in answers.triples])[listed]
        said, wrong = (found.probabilities[listed].mean() for found in (answers, others))
        assert truth.mean() - 0.05 < said < truth.mean() + 0.16
        assert wrong - truth.mean() > 2.5 * abs(said - truth.mean())
    assert listed.sum() < listed.size  # some entities are the head of nothing


def test_answers_and_ranks_agree(lists, emoji, emoji_model):
    questions, answers, truth = lists
    ranks = skotkge.rank(emoji_model, emoji.test)
    rank_of = {}
    for triple, (head_rank, tail_rank) in zip(emoji.test.labels.tolist(), ranks, strict=True):
        rank_of[None, triple[1], triple[2], triple[0]] = head_rank
        rank_of[triple[0], triple[1], None, triple[2]] = tail_rank
    for question, labels, true in zip(questions.tolist(), answers.labels, truth, strict=True):
        places = np.flatnonzero(true)
        # Ranks leave the other true answers out.
        expected = places - np.arange(len(places)) + 1
        assert [rank_of[(*question, label)] for label in labels[places]] == pytest.approx(expected.tolist(), abs=0.51)


def test_relations_are_ordered_by_log_odds(emoji, emoji_model):
    triples = emoji.test.labels
    questions = triples.copy()
    questions[:, 1] = None
    answers = skotkge.complete(emoji_model, questions, k=12, known=emoji.test, known_answers="mark")
    scores = np.where(answers.known & (answers.labels != triples[:, [1]]), -np.inf, answers.scores)
    own = scores[answers.labels == triples[:, [1]]]
    assert mean_reciprocal_rank(1 + (scores > own[:, None]).sum(axis=1)) > 0.88
    assert (np.diff(answers.probabilities, axis=1) <= 0).all()


def test_a_wrong_answer_of_the_right_kind_is_false():
    rng = np.random.default_rng(0)
    triples = [(f"p{product}", "in_category", f"c{rng.integers(8)}") for product in range(300)]
    triples += [(f"o{o}", "contains", f"p{p}") for o in range(600) for p in rng.choice(300, 3, replace=False)]
    true = set(triples)
    false = [(f"p{p}", "in_category", f"c{c}") for p in range(300) for c in range(8)]
    false = [triple for triple in false if triple not in true]
    options = dict(embedding_dim=32, max_iter=8, random_state=0)
    said = {}
    for negatives in ("typed", "uniform"):
        kge = OTKGEClassifier(evidence="embeddings", calibration_negatives=negatives, **options)
        said[negatives] = kge.fit(triples).predict_proba(false)[:, 1].mean()
    assert said["typed"] < said["uniform"]
    everything = OTKGEClassifier(**options).fit(MultimodalTriples(triples))
    assert everything.predict(false).mean() <= 0.1
    assert everything.predict(triples[:300]).mean() >= 0.9


def test_a_loop_is_no_answer_however_few_are_left():
    triples = [(f"e{i}", "type", "Thing") for i in range(30)]
    triples += [(f"e{i}", "knows", f"e{(i + 1) % 30}") for i in range(30)]
    kge = OTKGEClassifier(embedding_dim=8, max_iter=3, random_state=0).fit(triples)
    answers = kge.complete([(None, "type", "Thing"), ("Thing", None, "Thing")], k=3)
    assert (answers.labels == None).all()  # noqa: E711
    assert np.isneginf(answers.scores).all()
    assert np.isnan(answers.probabilities).all()


def test_evaluating_trained_triples_warns(emoji):
    part = emoji.train[:2500]
    kge = OTKGEClassifier(embedding_dim=8, max_iter=1, random_state=0).fit(part.labels)
    unseen = emoji.test[np.isin(emoji.test.labels, kge.entities_)[:, [0, 2]].all(axis=1)]
    trained = part.labels[kge.was_trained_on(part.labels)]
    mixed = [*unseen.labels[:7].tolist(), *trained[:3].tolist()]
    assert kge.was_trained_on(mixed).tolist() == [False] * 7 + [True] * 3
    for evaluate in (kge.evaluate, lambda X: ranking_report(kge, X)):
        with pytest.warns(UserWarning, match="3 of the 10 triples in X were trained on"):
            evaluate(mixed)
        evaluate(mixed[:7])
    assert leakage_report(part, mixed).counts["repeated"] == 3


def test_held_out_triples_were_not_trained_on(small):
    kge = OTKGEClassifier(embedding_dim=8, max_iter=2, random_state=0)
    assert kge.fit(small[:-20].labels, X_val=small[-20:].labels).was_trained_on(small[-20:].labels).sum() == 0
    assert kge.set_params(refit=True).fit(small.labels).was_trained_on(small.labels).all()
    assert 0 < (~kge.set_params(refit=False).fit(small.labels).was_trained_on(small.labels)).sum() < 20
