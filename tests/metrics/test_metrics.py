"""Metrics, the ranking report and the scorers, on a small graph and with scikit-learn's own tools."""

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import LinearRegression
from sklearn.metrics import check_scoring, make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.metrics import (
    adjusted_mean_rank_index,
    hits_at_k,
    make_ranking_scorer,
    mean_reciprocal_rank,
    ranking_report,
    summarize_ranks,
)
from skotkge.model_selection import TransductiveKFold, transductive_train_test_split

SEVERAL = ["mrr", "tail_hits@3", "neg_mean_rank"]


class CountingTransformer(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.n_calls_ = 0
        return self

    def transform(self, X):
        self.n_calls_ += 1
        return X


class PresetRanks(BaseEstimator):
    """Gives each triple the ranks written in its head and tail labels."""

    def rank(self, X, *, known=None):
        return np.asarray(X)[:, [0, 2]].astype(float)


def quick_pipeline():
    kge = OTKGEClassifier(max_iter=4, early_stopping=False, validation_fraction=0, random_state=0)
    return Pipeline([("fuse", OTFusionTransformer(n_components=8, random_state=0)), ("kge", kge)])


@pytest.fixture(scope="module")
def parts(small):
    train, rest = transductive_train_test_split(small, test_size=40, random_state=0)
    return train, rest[:20], rest[20:]


@pytest.fixture(scope="module")
def fitted(parts):
    return quick_pipeline().fit(parts[0])


rank_lists = st.lists(st.integers(1, 50), min_size=1, max_size=40)


@given(rank_lists)
def test_amri_is_one_for_perfect_ranks_zero_for_the_expected_and_minus_one_for_the_worst(sizes):
    n_candidates = np.array(sizes) + 1
    assert adjusted_mean_rank_index(np.ones(len(sizes)), n_candidates) == 1
    np.testing.assert_allclose(adjusted_mean_rank_index((n_candidates + 1) / 2, n_candidates), 0, atol=1e-12)
    np.testing.assert_allclose(adjusted_mean_rank_index(n_candidates, n_candidates), -1)


def test_amri_of_random_ranks_is_near_zero_and_takes_one_number_for_all(rng):
    ranks = rng.randint(1, 31, size=(20_000, 2))
    np.testing.assert_allclose(adjusted_mean_rank_index(ranks, 30), 0, atol=0.02)
    assert adjusted_mean_rank_index(ranks, 30) == adjusted_mean_rank_index(ranks, np.full(ranks.shape, 30))


def test_impossible_numbers_of_candidates_are_named():
    with pytest.raises(ValueError, match="n_candidates has the value 4 for a rank of 5; count the true answer"):
        adjusted_mean_rank_index([1, 5], [7, 4])
    with pytest.raises(ValueError, match="n_candidates is 1 everywhere"):
        adjusted_mean_rank_index([1, 1], 1)


def test_ranks_of_one_side_and_strange_k_are_named():
    for ranks in ([1, 2], [[1, 2, 3]]):
        with pytest.raises(ValueError, match=r"ranks has the shape .*, expected \(n_triples, 2\)"):
            summarize_ranks(ranks)
    with pytest.raises(ValueError, match="k == 0, must be >= 1"):
        hits_at_k([1, 2], 0)
    with pytest.raises(TypeError, match="k must be an instance of float"):
        hits_at_k([1, 2], "a")


@given(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), min_size=1, max_size=30))
def test_metrics_lie_within_their_bounds_and_both_sides_is_the_mean_of_each(ranks):
    report = summarize_ranks(ranks)
    for side in ("", "head_", "tail_"):
        hits = [report[f"{side}hits@{k}"] for k in (1, 3, 10)]
        assert 0 <= hits[0] <= hits[1] <= hits[2] <= 1
        assert hits[0] <= report[f"{side}mrr"] <= 1
        assert 1 / report[f"{side}mrr"] <= report[f"{side}mean_rank"] + 1e-9  # harmonic and arithmetic mean
    for name in ("mrr", "hits@1", "hits@3", "hits@10", "mean_rank"):
        np.testing.assert_allclose(report[name], (report[f"head_{name}"] + report[f"tail_{name}"]) / 2)


def test_report_is_that_of_the_last_step_and_counts_add_up(fitted, parts):
    _, valid, test = parts
    report = ranking_report(fitted, test, known=valid)
    ranks = fitted["kge"].rank(test, known=valid)
    assert report.metrics == summarize_ranks(ranks)
    told = fitted["kge"].evaluate(test, known=valid)
    assert report.metrics == {name: value for name, value in told.items() if not name.endswith("amri")}
    assert report["mrr"] == report.metrics["mrr"]
    assert report.n_triples == len(test) == sum(report.relation_counts.values())
    assert list(report.relation_counts) == list(report.relation_metrics)
    for label, metrics in report.relation_metrics.items():
        of_relation = test.labels[:, 1] == label
        assert metrics == summarize_ranks(ranks[of_relation])
        assert report.relation_counts[label] == of_relation.sum()
    weighted = [report.relation_counts[label] * m["mrr"] for label, m in report.relation_metrics.items()]
    np.testing.assert_allclose(sum(weighted) / len(test), report["mrr"])
    assert sorted(report.relation_counts.values(), reverse=True) == list(report.relation_counts.values())


def test_report_takes_bare_labels_searches_and_more_known_triples(fitted, parts):
    train, valid, test = parts
    report = ranking_report(fitted, test)
    assert ranking_report(fitted, test.labels) == ranking_report(fitted, test.labels.tolist()) == report
    assert ranking_report(fitted, test, known=[train, valid])["mean_rank"] <= report["mean_rank"]
    search = GridSearchCV(quick_pipeline(), {"kge__learning_rate": [0.1]}, cv=TransductiveKFold(2, random_state=0))
    assert ranking_report(search.fit(train), test) == report


def test_report_prints_a_table(fitted, parts):
    lines = str(ranking_report(fitted, parts[2])).splitlines()
    assert lines[0].split() == ["triples", "mrr", "hits@1", "hits@3", "hits@10", "mean_rank"]
    assert [line[:10] for line in lines[1:4]] == ["both sides", "heads     ", "tails     "]
    assert len({len(line) for line in lines if line[-1].isdigit()}) == 1
    assert sum(int(line.split()[1]) for line in lines[5:]) == len(parts[2])
    assert "n_triples=20" in repr(ranking_report(fitted, parts[2]))


@pytest.mark.parametrize("sides", [("head", "tail"), ("tail",), ["tail", "head"]])
def test_reports_and_scorers_rank_the_sides_and_candidates_that_are_asked_for(fitted, parts, sides):
    test = parts[2]
    few = test.entities[:30].tolist()
    ranks = fitted["kge"].rank(test, candidates=few, sides=sides)
    expected = summarize_ranks(ranks, sides=sides)
    report = ranking_report(fitted, test, candidates=few, sides=sides)
    assert report.metrics == expected
    assert ranks.max() <= 31
    assert sum(report.relation_counts.values()) == len(test)
    scores = make_ranking_scorer(["mrr", "neg_tail_mean_rank"], candidates=few, sides=sides)(fitted, test)
    assert scores == {"mrr": expected["mrr"], "neg_tail_mean_rank": -expected["tail_mean_rank"]}
    for shown in (str(report), report._repr_html_()):
        assert ("heads" in shown) == (len(sides) == 2)
        assert ("both sides" in shown) == (len(sides) == 2)
        assert "by relation" in shown


def test_what_was_not_ranked_is_no_score():
    with pytest.raises(ValueError, match="metric='head_mrr' is not among the scores mrr"):
        make_ranking_scorer("head_mrr", sides=["tail"])
    with pytest.raises(ValueError, match="sides='middle'; give"):
        ranking_report(PresetRanks(), [("1", "r", "4")], sides="middle")
    told = repr(make_ranking_scorer("mrr", candidates="seen", sides=["tail"]))
    assert told == "make_ranking_scorer('mrr', candidates='seen', sides=('tail',))"


def test_report_of_many_relations_is_cut():
    X = [("1", f"r{number}", "4") for number in range(30)]
    report = ranking_report(PresetRanks(), X)
    assert (report["mrr"], report["tail_mean_rank"]) == (5 / 8, 4)
    assert str(report).endswith("and 10 more in relation_metrics")


def test_rows_known_to_be_false_are_left_out(fitted, parts):
    test = parts[2]
    y = np.arange(len(test)) % 2
    expected = fitted["kge"].rank(test[y == 1])
    assert ranking_report(fitted, test, y).metrics == summarize_ranks(expected)
    assert make_ranking_scorer()(fitted, test.labels.tolist(), y.tolist()) == mean_reciprocal_rank(expected)
    too_long = np.ones(len(test) + 1)
    for wrong, told in (
        (0 * y, "no true triple"),
        (y + 1, r"expected 20 values in \{0, 1\}"),
        ([1], "has 1 values"),
        (too_long, "has 21"),
    ):
        with pytest.raises(ValueError, match=told):
            ranking_report(fitted, test, wrong)
        with pytest.raises(ValueError, match=told):
            make_ranking_scorer()(fitted, test.labels, wrong)


def test_steps_before_the_last_transform_once(parts):
    counting = CountingTransformer()
    inner = Pipeline([("kge", OTKGEClassifier(embedding_dim=4, max_iter=1, early_stopping=False, random_state=0))])
    pipe = Pipeline([("count", counting), ("inner", inner)]).fit(parts[0].labels)
    before = counting.n_calls_
    scores = make_ranking_scorer(SEVERAL)(pipe, parts[2].labels)
    assert counting.n_calls_ == before + 1
    assert list(scores) == SEVERAL


@pytest.mark.parametrize("estimator", [LinearRegression(), Pipeline([("last", "passthrough")])])
def test_estimators_that_cannot_rank_are_named(estimator):
    with pytest.raises(TypeError, match="which cannot rank; give an OTKGEClassifier"):
        ranking_report(estimator, [("a", "r", "b")])


@pytest.mark.parametrize("metric", ["mean_rank", "auc", [], ["mrr", "hits@7"]])
def test_metrics_that_are_no_scores_are_named(metric):
    with pytest.raises(ValueError, match=r"metric=.* is not among the scores mrr, .*neg_mean_rank"):
        make_ranking_scorer(metric)


def test_scorer_gives_what_evaluate_gives_and_greater_is_better(fitted, parts):
    _, valid, test = parts
    expected = fitted["kge"].evaluate(test, known=valid)
    for name in [name for name in expected if not name.endswith("amri")]:
        sign, name = (-1, f"neg_{name}") if name.endswith("mean_rank") else (1, name)
        assert make_ranking_scorer(name, known=valid)(fitted, test) == sign * expected[name.removeprefix("neg_")]
    assert make_ranking_scorer(known=valid)(fitted, test) == expected["mrr"]
    with pytest.raises(TypeError, match="takes no sample_weight"):
        make_ranking_scorer()(fitted, test, sample_weight=np.ones(len(test)))


def test_scorers_are_picklable_and_tell_what_they_are(fitted, parts):
    _, valid, test = parts
    assert repr(make_ranking_scorer()) == "make_ranking_scorer('mrr')"
    as_rows = valid.labels.tolist()
    for known in (valid, valid.labels, as_rows, [valid, valid.labels[:3]]):
        scorer = make_ranking_scorer(SEVERAL, known=known)
        loaded = pickle.loads(pickle.dumps(scorer))
        assert loaded(fitted, test) == scorer(fitted, test) == make_ranking_scorer(SEVERAL, known=valid)(fitted, test)
        assert repr(loaded) == repr(scorer)
        assert all(isinstance(part, MultimodalTriples | np.ndarray) for part in scorer.known)
    assert repr(make_ranking_scorer(known=valid)) == "make_ranking_scorer('mrr', known=[20 triples])"
    assert check_scoring(fitted, scorer) is scorer


@pytest.mark.parametrize("with_y", [False, True])
@pytest.mark.parametrize("routing", [False, True])
def test_several_metrics_in_cross_validate(small, with_y, routing):
    y = (np.arange(len(small)) % 5 > 0).astype(int) if with_y else None
    folds = TransductiveKFold(3, random_state=0)
    with config_context(enable_metadata_routing=routing):
        both = [
            cross_validate(quick_pipeline(), small, y, cv=folds, scoring=scoring, params={})
            for scoring in (make_ranking_scorer(SEVERAL), {name: make_ranking_scorer(name) for name in SEVERAL})
        ]
    for name in SEVERAL:
        np.testing.assert_array_equal(both[0][f"test_{name}"], both[1][f"test_{name}"])
        assert len(both[0][f"test_{name}"]) == 3
    assert (both[0]["test_neg_mean_rank"] < -1).all()


@pytest.mark.parametrize("as_dict", [False, True])
def test_several_metrics_in_a_grid_search_with_workers(parts, as_dict, n_workers):
    known = parts[2]
    names = ["mrr", "hits@10"]
    scoring = make_ranking_scorer(names, known=known)
    if as_dict:
        scoring = {name: make_ranking_scorer(name, known=known) for name in names}
    search = GridSearchCV(
        quick_pipeline(),
        {"kge__learning_rate": [0.01, 0.1]},
        cv=TransductiveKFold(3, random_state=0),
        scoring=scoring,
        refit="mrr",
        n_jobs=n_workers,
    ).fit(parts[0])
    assert search.best_score_ == search.cv_results_["mean_test_mrr"].max()
    assert (search.cv_results_["mean_test_hits@10"] <= 1).all()


def test_one_scorer_beside_one_of_scikit_learn(small):
    y = (np.arange(len(small)) % 5 > 0).astype(int)
    scoring = {
        "mrr": make_ranking_scorer(),
        "accuracy": make_scorer(lambda true, predicted: np.mean(true == predicted)),
    }
    scores = cross_validate(quick_pipeline(), small, y, cv=TransductiveKFold(2, random_state=0), scoring=scoring)
    assert ((scores["test_accuracy"] > 0) & (scores["test_accuracy"] <= 1)).all()
    assert ((scores["test_mrr"] > 0) & (scores["test_mrr"] <= 1)).all()


def test_macro_averages_are_means_over_groups(rng):
    ranks, groups = rng.geometric(0.2, size=(40, 2)).astype(float), rng.randint(4, size=40)
    counts = ranks + rng.randint(0, 20, size=ranks.shape)
    labels = np.array([f"r{group}" for group in groups], dtype=object)
    told = summarize_ranks(ranks, n_candidates=counts, groups=labels)
    parts = [summarize_ranks(ranks[groups == group], n_candidates=counts[groups == group]) for group in range(4)]
    assert told == pytest.approx({name: np.mean([part[name] for part in parts]) for name in told})
    by_rank = summarize_ranks(ranks, groups=np.column_stack([groups, groups]))
    assert by_rank["mrr"] == pytest.approx(told["mrr"])
    one = summarize_ranks(ranks[:, [1]], sides=("tail",), groups=groups)
    assert one["tail_mrr"] == one["mrr"] == pytest.approx(told["tail_mrr"])


def test_an_index_of_answers_without_rivals_is_nan():
    told = summarize_ranks([[1, 2]], n_candidates=[[1, 3]])
    assert np.isnan(told["head_amri"])
    assert told["tail_amri"] == 0
    with pytest.raises(ValueError, match="groups has 2 rows for 1 of ranks"):
        summarize_ranks([[1, 2]], groups=[0, 1])
    with pytest.raises(ValueError, match=r"expected \(n_triples, 1\): tail ranks"):
        summarize_ranks([[1, 2]], sides=["tail"])
