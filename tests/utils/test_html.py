"""What notebooks show of triples, estimators, answers and reports: well-formed, escaped, with the right figures."""

from xml.etree import ElementTree

import numpy as np
import pytest

from skotkge import MultimodalTriples, OTKGEClassifier
from skotkge._utils.html import Markup, bar, table
from skotkge.baselines import RuleBaseline
from skotkge.inspection import leakage_report
from skotkge.metrics import ranking_report


def cells(markup):
    """The text of every cell, row by row; fails unless the markup is well-formed."""
    root = ElementTree.fromstring(f"<div>{markup}</div>")
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


@pytest.fixture(scope="module")
def fitted(small):
    return OTKGEClassifier(embedding_dim=4, max_iter=2, random_state=0).fit(small.labels[20:])


def test_text_is_escaped_and_markup_is_not():
    assert cells(table("a < b", ["<i>", ""], [["x & y", 7], [0.5, Markup("<b>z</b>")]])) == [
        ["<i>", ""],
        ["x & y", "7"],
        ["0.500", "z"],
    ]


@pytest.mark.parametrize(("share", "width"), [(0.25, "25%"), (-1, "0%"), (2, "100%")])
def test_bars_stay_within_their_cell(share, width):
    assert f"width:{width};height" in bar(share)


def test_triples_show_names_and_coverage():
    text = {"a": [1.0, 2.0], "<b>": [0.0, 1.0]}
    X = MultimodalTriples([("a", "likes", "<b>"), ("a", "likes", "c")], {"text": text}, names={"a": "Ann & co."})
    shown = cells(X._repr_html_())
    assert ["2 triples", "3 entities", "1 relations"] in shown
    assert ["Ann & co.", "likes", "<b>"] in shown
    assert ["text", "2", "2 entities (67%)", ""] in shown


def test_no_triples_and_no_modalities():
    X = MultimodalTriples(np.empty((0, 3), dtype=object), entities=["a"])
    assert cells(X._repr_html_()) == [["0 triples", "1 entities", "0 relations"]]


def test_a_fitted_estimator_shows_quality_and_evidence(fitted, small):
    for shown in (fitted._repr_html_(), fitted._repr_mimebundle_()["text/html"]):
        tables = shown[shown.rindex("</style>") if "</style>" in shown else 0 :]
        assert "fitted on" in tables
        assert f"{len(small) - 20:,} true triples" in tables
        assert format(max(fitted.validation_scores_), ".3f") in tables
        assert ">structure<" in tables
    assert "fitted on" not in OTKGEClassifier()._repr_html_()
    assert "text/html" in OTKGEClassifier()._repr_mimebundle_()


def test_a_baseline_without_training_has_no_epochs(small):
    shown = RuleBaseline().fit(small.labels)._repr_html_()
    assert "fitted on" in shown
    assert "epochs" not in shown


def test_answers_have_a_row_each(fitted):
    answers = fitted.complete([["e0", "r0", None], ["e1", None, "e2"]], k=3)
    shown = cells(answers._repr_html_())
    assert shown[0] == ["rank", "tail", "score", "probability", ""]
    expected = zip(answers.labels[0], answers.scores[0], answers.probabilities[0], strict=True)
    assert shown[1:4] == [
        [str(rank), label, f"{score:.3f}", f"{probability:.3f}", ""]
        for rank, (label, score, probability) in enumerate(expected, 1)
    ]
    assert shown[4] == ["rank", "relation", "score", "probability", ""]


def test_reports_show_their_figures(fitted, small):
    report = ranking_report(fitted, small.labels[:20])
    shown = cells(report._repr_html_())
    assert shown[1][:3] == ["both sides", "20", f"{report['mrr']:.3f}"]
    assert [row[0] for row in shown[5:]] == list(report.relation_metrics)
    leaked = leakage_report(small.labels[20:], small.labels[:20])
    assert cells(leaked._repr_html_())[1][:3] == [
        "all",
        "20",
        f"{leaked.counts['linked']} ({leaked.shares['linked']:.1%})",
    ]
