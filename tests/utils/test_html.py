"""What notebooks show of triples, estimators, answers and reports: well-formed, escaped, with the right figures."""

from email.message import Message
from importlib import metadata
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import (
    DistMult,
    EntityPairs,
    MultimodalTriples,
    OTEntityMatcher,
    OTFusionTransformer,
    OTKGEClassifier,
    compare,
)
from skotkge._ranking.completion import SHOWN_IN_NOTEBOOK
from skotkge._utils.api_links import documentation_address
from skotkge._utils.html import Markup, bar, signed_bar, table
from skotkge.baselines import RuleBaseline
from skotkge.inspection import evaluate_by_leakage, leakage_report
from skotkge.metrics import ranking_report


def cells(markup):
    """The text of every cell, row by row; fails unless the markup is well-formed."""
    root = ElementTree.fromstring(f"<div>{markup}</div>")
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def public_estimators():
    """Every public class with scikit-learn's diagram, with the name of its API page."""
    for module in (skotkge, *(getattr(skotkge, name) for name in skotkge._SUBMODULES)):
        for name in module.__all__:
            if isinstance(thing := getattr(module, name), type) and issubclass(thing, BaseEstimator):
                yield f"{module.__name__}.{name}", thing


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


@pytest.mark.parametrize(("value", "left", "width"), [(1, 50, 25), (-1, 25, 25), (-9, 0, 50), (0, 50, 0)])
def test_signed_bars_begin_in_the_middle(value, left, width):
    assert f"margin-left:{left}%" in signed_bar(value, 2)
    assert f"width:{width}%;height" in signed_bar(value, 2)
    assert "width:0%" in signed_bar(0.0, 0.0)


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


def test_a_pipeline_shows_the_quality_of_its_last_step(fitted, small):
    kge = OTKGEClassifier(embedding_dim=4, max_iter=2, random_state=0)
    pipe = Pipeline([("fuse", OTFusionTransformer(n_components=4, random_state=0)), ("kge", kge)])
    assert "validation score" not in pipe._repr_html_()
    best = max(pipe.fit(small).named_steps["kge"].validation_scores_)
    assert f"30 entities, 3 relations, validation score {best:.3f}" in pipe._repr_html_()


def test_a_fitted_fusion_shows_its_spaces(small):
    fuse = OTFusionTransformer(n_components=4, weights={"structure": 2, "text": 1, "image": 1}, random_state=0)
    assert "W_2" not in fuse._repr_html_()
    shown = fuse.fit(small)._repr_html_()
    tables = cells(shown[shown.rindex("<table") :])
    assert tables[0] == ["", "weight", "", "W_2 to the structure"]
    assert tables[1] == ["structure", "0.500", "", ""]
    assert tables[2] == ["text", "0.250", "", format(fuse.wasserstein_distances_["text"], ".3f")]
    assert "30 entities: structure, text, image" in shown


def test_diagrams_link_to_the_api_pages_once_these_have_an_address(monkeypatch, fitted):
    def published_at(*addresses):
        told = Message()
        for address in addresses:
            told["Project-URL"] = address
        monkeypatch.setattr(metadata, "metadata", lambda name: told)

    paper = "Code of the paper, https://code.example.org"
    published_at(paper)
    assert fitted._get_doc_link() == ""
    assert "Documentation for OTKGEClassifier" not in fitted._repr_html_()
    published_at(paper, "Documentation, https://docs.example.org/skotkge/")
    assert "Documentation for OTKGEClassifier" in fitted._repr_html_()
    for name, thing in public_estimators():
        assert thing.__new__(thing)._get_doc_link() == f"https://docs.example.org/skotkge/api/generated/{name}.html"
    assert type("Own", (DistMult,), {"__module__": "own"})()._get_doc_link() == ""


def test_a_folder_that_is_not_installed_has_no_address(monkeypatch):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "metadata", absent)
    assert documentation_address() == ""


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


def test_explanations_show_what_adds_most_first_and_the_facts(fitted, small):
    explanation = fitted.explain(small.labels[20:22])
    shown, kinds = cells(explanation._repr_html_()), explanation.by_kind()
    (first,) = [kind for kind in kinds if abs(kinds[kind][0]) == max(abs(values[0]) for values in kinds.values())]
    assert shown[0] == [first, f"{kinds[first][0]:.3f}", ""]
    n_facts = sum(len(facts[:3]) for facts in explanation.facts)
    n_added = sum(value != 0 for values in kinds.values() for value in values)
    assert len(shown) == n_added + n_facts
    assert n_facts > 0
    assert "<p>and 5 more" in fitted.explain(small.labels[:15])._repr_html_()


def test_neighbours_have_a_row_each_and_many_are_cut(fitted):
    found = fitted.nearest(["e0", "e1"], k=2)
    expected = [
        [label, f"{cosine:.3f}", ""] for label, cosine in zip(found.labels[0], found.similarities[0], strict=True)
    ]
    assert cells(found._repr_html_())[:3] == [["nearest", "cosine", ""], *expected]
    many = fitted.complete([["e0", "r0", None]] * (SHOWN_IN_NOTEBOOK + 3), k=1)
    assert "<p>and 3 more</p>" in many._repr_html_()


def test_answers_show_names():
    X = MultimodalTriples([("a", "likes", "b"), ("b", "likes", "c"), ("c", "likes", "a")], names={"b": "Bob"})
    answers = RuleBaseline(random_state=0).fit(X).complete([("b", "likes", None)], k=3)._repr_html_()
    assert "b (Bob), likes, ?" in answers


def test_comparisons_show_both_values(fitted, small):
    comparison = compare(fitted, fitted, small.labels[:20], n_resamples=20, random_state=0)
    shown = cells(comparison._repr_html_())
    assert shown[1] == [*(f"{value:.3f}" for value in comparison.values), "+0.0000", "[+0.0000, +0.0000]", "20"]


def test_leakage_shows_the_baseline_below_the_model(fitted, small):
    evaluation = evaluate_by_leakage(fitted, small.labels[20:], small.labels[:20])
    shown = cells(evaluation._repr_html_())
    assert shown[1][:3] == ["all", "20", f"{evaluation['all']['mrr']:.3f}"]
    assert shown[2][:3] == ["all, rule baseline", "20", f"{evaluation.baseline_metrics['all']['mrr']:.3f}"]


def test_a_fitted_matcher_shows_its_matches():
    vectors = np.random.RandomState(0).standard_normal((4, 3))
    X, Y = (vectors, ["ann", "bob", "cid", "dan"]), (vectors[::-1], ["w", "x", "y", "z"])
    matcher = OTEntityMatcher(views=["features"], random_state=0)
    assert "what is compared" not in matcher._repr_html_()
    shown = matcher.fit(EntityPairs([("ann", "z")], X, Y))._repr_html_()
    found = cells(shown[shown.rindex("<table", 0, shown.index("what is compared")) :])
    assert found[:2] == [["", "weight", ""], ["features", "1.000", ""]]
    assert found[3] == ["ann", "z", "1.000", ""]
    assert f"{len(matcher.matches_)} matches between 4 and 4 entities" in shown
