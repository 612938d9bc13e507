"""The rule baseline against a naive count, the translation baseline against its formula; both on real graphs."""

import pickle

import numpy as np
import pytest
import sklearn
import torch
from helpers import load_external, with_newcomer
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.utils import estimator_checks

from skotkge import CrossEntropy, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge._evidence import rules as _rules
from skotkge._evidence.rules import count_rules
from skotkge._evidence.sparse_scores import SparseScores
from skotkge._spaces import concat_order
from skotkge.baselines import MMKRLBaseline, RuleBaseline, TransAEBaseline, TranslationBaseline
from skotkge.metrics import make_ranking_scorer, ranking_report, summarize_ranks
from skotkge.model_selection import TransductiveKFold, transductive_train_test_split

DATA_FREE_CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


def naive_score(train, triple, side, smoothing=1.0, min_confidence=0.0):
    """Best of the confidences of all rules that fire and of the frequency of the answer, from the definition."""
    head, relation, tail = triple
    pairs_of = {}
    for h, r, t in train:
        pairs_of.setdefault(r, set()).add((h, t))
    concluded = pairs_of.get(relation, set())
    answers = [pair[1] if side == "tail" else pair[0] for pair in concluded]
    best = answers.count(tail if side == "tail" else head) / (len(concluded) + smoothing)
    for premise, pairs in pairs_of.items():
        turned = {(t, h) for h, t in pairs}
        # A self-loop is no premise for itself.
        turned = {pair for pair in turned if premise != relation or pair[0] != pair[1]}
        for linked in [turned] if premise == relation else [pairs, turned]:
            confidence = len(linked & concluded) / (len(linked) + smoothing) if linked else 0
            if (head, tail) in linked and confidence >= min_confidence:
                best = max(best, confidence)
    return best


def naive_rank(train, entities, known, triple, side, **options):
    column = 2 if side == "tail" else 0
    own, better, equal = naive_score(train, triple, side, **options), 0, 0
    for entity in entities:
        other = list(triple)
        other[column] = entity
        if entity == triple[column] or tuple(other) in known:
            continue
        score = naive_score(train, tuple(other), side, **options)
        better, equal = better + (score > own), equal + (score == own)
    return 1 + better + equal / 2


@pytest.fixture(scope="module")
def graph():
    """Triples with an inverse, a symmetric and an implied relation, loops, duplicates and noise; split at random."""
    rng = np.random.RandomState(3)
    ids = rng.randint([15, 4, 15], size=(60, 3))
    some = ids[ids[:, 1] == 0]
    inverse = np.column_stack([some[:, 2], np.full(len(some), 1), some[:, 0]])
    some = ids[ids[:, 1] == 2]
    symmetric, implied = some[:, ::-1], np.column_stack([some[:, 0], np.full(len(some), 3), some[:, 2]])
    ids = rng.permutation(np.concatenate([ids, inverse, symmetric, implied]))
    triples = [(f"e{head}", f"r{relation}", f"e{tail}") for head, relation, tail in ids]
    X = MultimodalTriples(triples, duplicates="keep")
    return X[:90], X[90:]


@pytest.mark.parametrize("options", [{}, {"smoothing": 0.0}, {"min_confidence": 0.4}, {"min_confidence": 1.0}])
def test_ranks_and_scores_are_those_of_a_naive_count(graph, options):
    train, test = (list(map(tuple, part.labels.tolist())) for part in graph)
    valid = [("e1", "r0", "e2"), ("e1", "r3", "e2")]
    baseline = RuleBaseline(**options).fit(graph[0])
    known = {*train, *test, *valid}
    expected = [
        [naive_rank(train, graph[0].entities, known, triple, side, **options) for side in ("head", "tail")]
        for triple in test
    ]
    np.testing.assert_array_equal(baseline.rank(graph[1], known=valid), expected)
    both = [[naive_score(train, triple, side, **options) for side in ("head", "tail")] for triple in test]
    np.testing.assert_allclose(baseline.score_triples(graph[1]), np.mean(both, axis=1))


def test_confidences_are_of_premise_row_and_conclusion_column():
    parent = [("a", "parent", "b"), ("c", "parent", "d"), ("e", "parent", "f")]
    train = [*parent, ("b", "child", "a"), ("d", "child", "c"), ("a", "knows", "b")]
    baseline = RuleBaseline(smoothing=0).fit(train)
    assert baseline.relations_.tolist() == ["parent", "child", "knows"]
    confidences = baseline.rule_confidences_.toarray()
    assert confidences[3 + 1, 0] == 1  # child in reverse implies parent
    assert confidences[3 + 0, 1] == pytest.approx(2 / 3)
    assert confidences[2, 0] == 1
    assert confidences[0, 2] == pytest.approx(1 / 3)
    assert (np.diag(confidences) == 0).all()
    np.testing.assert_array_equal(confidences[:3, :3], confidences[3:, 3:])
    np.testing.assert_array_equal(confidences[:3, 3:], confidences[3:, :3])
    assert RuleBaseline().fit(train).rule_confidences_.toarray()[4, 0] == pytest.approx(2 / 3)


def test_without_rules_the_frequency_decides_and_ties_are_realistic():
    train = [("a", "r", "x"), ("b", "r", "x"), ("c", "r", "y"), ("d", "s", "z")]
    baseline = RuleBaseline(min_confidence=1.0).fit(train)
    assert baseline.rank([("d", "r", "x")])[0, 1] == 1
    assert baseline.rank([("d", "r", "y")])[0, 1] == 2
    assert baseline.rank([("d", "r", "z")])[0, 1] == 2 + (1 + 5) / 2  # a, b, c, d and z tie behind x and y
    np.testing.assert_allclose(baseline.answer_frequencies_.toarray()[0].max(), 2 / 4)


def test_memory_bound_changes_no_rank(graph):
    baseline = RuleBaseline().fit(graph[0])
    with sklearn.config_context(working_memory=1e-4):
        few = baseline.rank(graph[1])
    np.testing.assert_array_equal(few, baseline.rank(graph[1]))


def test_labels_and_containers_rank_alike_and_order_of_triples_does_not_matter(graph):
    train, test = graph
    ranks = RuleBaseline().fit(train).rank(test)
    np.testing.assert_array_equal(RuleBaseline().fit(train).rank(test.labels.tolist()), ranks)
    np.testing.assert_array_equal(RuleBaseline().fit(train[::-1]).rank(test[::-1]), ranks[::-1])


def test_rows_known_to_be_false_are_left_out(graph):
    train, test = graph
    y = np.arange(len(train)) % 3 > 0
    expected = RuleBaseline().fit(train[y])
    assert expected.score(test) == RuleBaseline().fit(train, y.astype(int)).score(test)
    truth = np.arange(len(test)) % 2
    assert expected.score(test, truth) == pytest.approx(np.mean(expected.predict(test) == truth))


def test_it_calibrates_classifies_and_completes(graph):
    train, test = graph
    baseline = RuleBaseline(random_state=0).fit(train)
    probability = baseline.predict_proba(test)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_array_equal(baseline.predict(test), (baseline.decision_function(test) >= 0).astype(int))
    np.testing.assert_array_equal(RuleBaseline(random_state=0).fit(train).predict_proba(test), probability)
    scores = baseline.score_triples(test)
    for relation in train.relations:
        rows = np.flatnonzero(test.labels[:, 1] == relation)
        assert (np.diff(probability[rows[np.argsort(scores[rows])], 1]) >= 0).all()
    head, relation, _ = test.labels[0]
    found = baseline.complete([(head, relation, None)], k=train.n_entities, known_answers="mark")
    expected = [naive_score(list(map(tuple, train.labels)), (head, relation, tail), "tail") for tail in found.labels[0]]
    log_odds = baseline.predictor_.calibration.log_odds(np.array(expected), 0)
    np.testing.assert_allclose(found.scores[0], log_odds, rtol=1e-6)
    assert (np.diff(found.scores[0]) <= 0).all()


def test_rows_known_to_be_false_calibrate_but_are_not_counted(graph):
    train, test = graph
    y = (np.arange(len(train)) % 3 > 0).astype(int)
    with_y, without = RuleBaseline(random_state=0).fit(train, y), RuleBaseline(random_state=0).fit(train[y == 1])
    np.testing.assert_array_equal(with_y.score_triples(test), without.score_triples(test))
    np.testing.assert_array_equal(with_y.rule_confidences_.toarray(), without.rule_confidences_.toarray())
    assert not np.allclose(with_y.predict_proba(test), without.predict_proba(test))


def test_a_failed_fit_leaves_the_rules_as_they_were(graph):
    train, test = graph
    baseline = RuleBaseline(random_state=0).fit(train)
    expected = baseline.predict_proba(test)
    with pytest.raises(ValueError, match="holds no true triple"):
        baseline.fit(train, np.zeros(len(train)))
    np.testing.assert_array_equal(baseline.predict_proba(test), expected)


@pytest.mark.parametrize("method", ["rank", "score_triples", "predict", "predict_proba", "decision_function"])
def test_unknown_labels_as_each_call_says(graph, method):
    asked = [*graph[1].labels.tolist(), ("e1", "r0", "nobody")]
    strict, lenient = (RuleBaseline(handle_unknown=how, random_state=0).fit(graph[0]) for how in ("error", "last"))
    expected = getattr(lenient, method)(asked)
    np.testing.assert_array_equal(getattr(strict, method)(asked, handle_unknown="last"), expected)
    for ask in (getattr(strict, method), lambda X: getattr(lenient, method)(X, handle_unknown="error")):
        with pytest.raises(ValueError, match="labels that fit has not seen: 'nobody'"):
            ask(asked)


def test_unknown_labels(graph):
    train, test = graph
    asked = [*test.labels.tolist(), ("e1", "r0", "nobody")]
    with pytest.raises(ValueError, match="labels that fit has not seen: 'nobody'; set handle_unknown='last'"):
        RuleBaseline().fit(train).rank(asked)
    lenient = RuleBaseline(handle_unknown="last").fit(train)
    ranks = lenient.rank(asked)
    assert ranks[-1].tolist() == [train.n_entities + 1] * 2
    assert lenient.score_triples(asked)[-1] == -np.inf
    np.testing.assert_array_equal(ranks[:-1], lenient.rank(test))
    with pytest.raises(ValueError, match="known holds no triple of the fitted table; the first is"):
        lenient.rank(test, known=[("x", "y", "z")])


@pytest.mark.parametrize("check", DATA_FREE_CHECKS)
@pytest.mark.parametrize(
    "baseline",
    [RuleBaseline(), TranslationBaseline(), TransAEBaseline(), MMKRLBaseline()],
    ids=["rules", "translations", "transae", "mmkrl"],
)
def test_data_free_checks(baseline, check):
    getattr(estimator_checks, check)(type(baseline).__name__, baseline)


def test_scikit_learn_composes_with_it(small):
    train, test = transductive_train_test_split(small, test_size=30, random_state=0)
    baseline = RuleBaseline()
    with pytest.raises(NotFittedError):
        baseline.rank(test)
    assert baseline.fit(train) is baseline
    assert set(vars(clone(baseline))) == {
        "min_confidence",
        "smoothing",
        "constraints",
        "handle_unknown",
        "random_state",
    }
    told = {name: value for name, value in baseline.evaluate(test).items() if not name.endswith("amri")}
    assert ranking_report(baseline, test).metrics == told == summarize_ranks(baseline.rank(test))
    folds = TransductiveKFold(3, random_state=0)
    np.testing.assert_array_equal(
        cross_val_score(baseline, small, cv=folds),
        cross_val_score(baseline, small, cv=folds, scoring=make_ranking_scorer()),
    )


def test_more_known_triples_never_worsen_a_rank(emoji):
    baseline = RuleBaseline().fit(emoji.train)
    assert (baseline.rank(emoji.test, known=emoji.valid) <= baseline.rank(emoji.test)).all()


def test_it_answers_the_leaked_part_of_wn9img():
    kg = load_external("wn9img")
    report = RuleBaseline().fit(kg.train).evaluate(kg.test, known=kg.valid)
    assert report["mrr"] == pytest.approx(0.901, abs=0.0005)


def test_it_answers_most_of_fbimg():
    kg = load_external("fbimg")
    test = kg.test[::20]
    baseline = RuleBaseline().fit(kg.train)
    rules = baseline.evaluate(test, known=[kg.valid, kg.test])
    frequencies = RuleBaseline(min_confidence=1.0).fit(kg.train).evaluate(test, known=[kg.valid, kg.test])
    assert rules["mrr"] > 0.8 > 2 * frequencies["mrr"]


def test_a_classifier_with_rules_answers_what_a_reciprocal_relation_gives_away():
    heads = [f"h{number}" for number in range(40)]
    tails = [f"t{number}" for number in np.random.RandomState(0).permutation(40)]
    parent = [(h, "parent_of", t) for h, t in zip(heads, tails, strict=True)]
    child = [(t, "child_of", h) for h, t in zip(heads, tails, strict=True)]
    train, valid, test = parent + child[:20], child[20:30], child[30:]
    found = {}
    for rules in (False, True):
        evidence = ("structure", "rules") if rules else ("structure",)
        kge = OTKGEClassifier(embedding_dim=4, max_iter=2, evidence=evidence, random_state=0).fit(train, X_val=valid)
        found[rules] = kge.score(test)
        assert kge.evidence_names_ == ["structure"] + (["rules", "rules of paths"] if rules else [])
        np.testing.assert_allclose(kge.explain(test).log_odds, kge.decision_function(test), rtol=1e-9)
    assert found[True] == 1.0 > 0.5 > found[False]


def test_a_self_loop_is_no_premise_for_itself():
    loops = [(f"e{i}", "above", f"e{i}") for i in range(20)]
    steps = [(f"e{i}", "above", f"e{i + 1}") for i in range(19)]
    baseline = RuleBaseline(random_state=0).fit(loops + steps)
    assert baseline.rule_confidences_.nnz == 0
    # Of 20 pairs besides, two are above each other: 4 of 23 links and one imagined more, whatever the loops.
    mutual = RuleBaseline(random_state=0).fit(loops + steps + [("e1", "above", "e0"), ("e3", "above", "e2")])
    assert mutual.rule_confidences_.toarray()[1, 0] == pytest.approx(4 / (21 + 1))
    told = mutual.explain([("e5", "above", "e5"), ("e0", "above", "e1")]).facts
    assert [fact.text for fact in told[0]] == ["frequency of the answer"] * 2
    assert told[1][0].text == "rule of confidence"
    assert told[1][0].triples == (("e1", "above", "e0"),)
    confidences = mutual.predictor_.evidence[0].rules.of_pairs(np.array([5, 0]), np.array([0, 0]), np.array([5, 1]))
    assert confidences.tolist() == [0, pytest.approx(4 / 22)]


def test_rules_score_the_evidence_of_the_surest_one():
    ids = np.array([(0, 0, 1), (0, 1, 1), (2, 0, 3), (2, 1, 3), (2, 2, 3), (4, 0, 5), (4, 1, 5), (6, 1, 7)])
    rules = count_rules(ids, 8, 3)
    scores = SparseScores(rules, 9, "cpu")
    query = scores.queries(torch.tensor([4, 5, 8, 7]), torch.tensor([2, 0, 0, 3]))
    wanted = np.zeros((4, 9))
    wanted[0, 5] = -np.log(1 - 1 / (3 + 1))
    wanted[3, 6] = -np.log(1 - 3 / (4 + 1))
    answers = torch.tensor([5, 4, 8, 6])
    np.testing.assert_allclose(scores.pair_scores(query, answers), wanted[np.arange(4), answers], rtol=1e-6)
    np.testing.assert_array_equal(scores.pair_scores(query, torch.full((4,), 8)), 0)
    weights = torch.tensor([[3.0], [1.0], [1.0], [2.0]])
    for entities in (slice(None), slice(0, 6), slice(6, 9)):
        total = torch.ones(wanted[:, entities].shape)
        scores.add_scores(entities, query, weights, total)
        np.testing.assert_allclose(total, 1 + weights.numpy() * wanted[:, entities], rtol=1e-6)


def test_rules_say_the_same_whatever_is_looked_at_at_once(monkeypatch, emoji):
    rules = count_rules(emoji.train.ids, emoji.train.n_entities, len(emoji.train.relations))
    sources, relations = np.unique(emoji.train.ids[:, :2], axis=0).T
    whole = rules.of(sources, relations)
    monkeypatch.setattr(_rules, "LINKS_AT_ONCE", 7)
    for found, wanted in zip(rules.of(sources, relations), whole, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert len(whole[0]) > 0


def translations(model="ikrl", **parameters):
    return TranslationBaseline(model, **dict(n_components=5, max_iter=4, random_state=0) | parameters)


@pytest.mark.parametrize("model", ["ikrl", "tbkge"])
@pytest.mark.parametrize("names", [["text"], ["text", "image"]])
def test_translation_scores_are_distances_between_structure_and_modalities(small, model, names):
    X = MultimodalTriples(small.labels, {name: small.modalities[name] for name in names}, entities=small.entities)
    fitted = translations(model).fit(X)
    n_spaces = 1 + len(names)
    spaces = fitted.entity_embeddings_[:, np.argsort(concat_order(5, n_spaces))].reshape(-1, n_spaces, 5)
    views = [spaces[:, 0], spaces[:, 1:].sum(axis=1)]
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    if model == "tbkge":
        views.append(views[0] + views[1])
        pairs.append((2, 2))

    def naive(source, relation, answer):
        step = fitted.relation_embeddings_[relation]
        return -sum(np.linalg.norm(views[a][source] + step - views[b][answer]) for a, b in pairs)

    looped = X.ids[:, 0] == X.ids[:, 2]
    asked = X[~looped][:20]
    expected = [(naive(h, r, t) + naive(t, r + 3, h)) / 2 for h, r, t in asked.ids]
    np.testing.assert_allclose(fitted.score_triples(asked), expected, rtol=1e-5)


def test_a_failed_or_unfinished_change_leaves_a_translation_model_as_it_was(small):
    fitted = translations().fit(small)
    before = fitted.score_triples(small)
    fitted.set_params(model="tbkge")
    text = MultimodalTriples(small.labels, {"text": small.modalities["text"]}, entities=small.entities)
    with pytest.raises(ValueError, match="X_val has labels that X lacks"):
        fitted.fit(text, X_val=[("e1", "r0", "nobody")])
    np.testing.assert_array_equal(fitted.score_triples(small), before)


def test_translations_repeat_bit_by_bit_and_leave_their_input_alone(small):
    first, second = (translations("tbkge").fit(small) for _ in range(2))
    np.testing.assert_array_equal(first.entity_embeddings_, second.entity_embeddings_)
    np.testing.assert_array_equal(first.predict_proba(small), clone(first).fit(small).predict_proba(small))
    assert small.fusion is None
    assert first.relation_embeddings_.shape == (6, 5)
    loaded = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(loaded.rank(small), first.rank(small))
    fused = OTFusionTransformer(5, random_state=0).fit_transform(small)
    np.testing.assert_array_equal(clone(first).fit(fused).entity_embeddings_, first.entity_embeddings_)


def test_translations_need_a_modality(small):
    with pytest.raises(
        ValueError, match=r"X has no modality, and model='ikrl' relates .* OTKGEClassifier\(score_function="
    ):
        translations().fit(small.labels)


def test_translations_place_an_entity_that_came_later_by_its_vectors(small):
    later = with_newcomer(small)
    fitted = translations().fit(small)
    scores = fitted.score_triples(later)
    assert np.isfinite(scores).all()
    assert scores[0] != scores[1]
    with pytest.raises(ValueError, match="labels that fit has not seen: 'newcomer'"):
        fitted.score_triples(later.labels)


def test_scikit_learn_searches_over_translations(small):
    search = GridSearchCV(translations(), {"model": ["ikrl", "tbkge"]}, cv=TransductiveKFold(2, random_state=0))
    search.fit(small)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.complete([("e1", "r0", None)], k=3).labels.shape == (1, 3)


def test_translations_learn_from_the_modalities_of_emoji(emoji):
    """Text and image tell more than the structure alone does to TransE."""
    options = dict(max_iter=2, random_state=0)
    structure = dict(evidence="fused", embedding_dim=60, regularization=0.0, objective=CrossEntropy(n_sampled=200))
    alone = OTKGEClassifier("transe", **structure, **options)
    alone.fit(emoji.train.labels, X_val=emoji.valid)
    with_modalities = TranslationBaseline(n_components=20, n_sampled=200, **options).fit(emoji.train, X_val=emoji.valid)
    assert with_modalities.score(emoji.test) > alone.score(emoji.test) + 0.05
