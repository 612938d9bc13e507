"""Samples of the entities where all of them would take over an hour."""

import warnings

import pytest

from skotkge import CrossEntropy, OTKGEClassifier
from skotkge._estimator import sampling_plan

TRIPLES = [(f"e{number}", "next", f"e{(number + 1) % 30}") for number in range(30)]
TOLD = r"2 epochs over all 30 entities may take 1\.7 hours, so .* takes samples of 16 of them"


@pytest.fixture
def little_time(monkeypatch):
    monkeypatch.setattr(sampling_plan, "FEWEST_SAMPLED", 10)
    monkeypatch.setitem(sampling_plan.PRODUCTS_OF_AN_HOUR, "cpu", 5e4)


def fitted(objective="cross_entropy", max_iter=2):
    kge = OTKGEClassifier(
        objective=objective,
        evidence=("structure",),
        embedding_dim=8,
        max_iter=max_iter,
        validation_fraction=0,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "held-out triples do not score higher")
        return kge.fit(TRIPLES)


def test_a_sample_is_taken_and_told(little_time):
    # 3 products * 30 entities * 8 columns * 2 epochs * 60 queries = 86,400.
    with pytest.warns(UserWarning, match=TOLD):
        kge = fitted()
    expected = fitted(CrossEntropy(n_sampled=16))  # the largest power of two that is no more than 30 / 1.7
    assert kge.score_triples(TRIPLES).tolist() == expected.score_triples(TRIPLES).tolist()
    with pytest.warns(UserWarning, match=r"over all 31 entities .* takes samples of 16"):
        kge.partial_fit([("e1", "next", "new")])


@pytest.mark.parametrize("how", ["object", "one epoch", "few entities"])
def test_all_are_taken_where_asked_for_or_affordable(little_time, monkeypatch, how):
    if how == "few entities":
        monkeypatch.setattr(sampling_plan, "FEWEST_SAMPLED", 30)
    asked = {"object": {"objective": CrossEntropy()}, "one epoch": {"max_iter": 1}}.get(how, {})
    kge = fitted(**asked)
    monkeypatch.undo()
    assert kge.score_triples(TRIPLES).tolist() == fitted(**asked).score_triples(TRIPLES).tolist()


def test_a_sample_is_not_smaller_than_serves(little_time, monkeypatch):
    monkeypatch.setitem(sampling_plan.PRODUCTS_OF_AN_HOUR, "cpu", 1e4)
    with pytest.warns(UserWarning, match="may take 8.6 hours, so .* takes samples of 10 of them"):
        fitted()
