"""Displays of quality and of fitted models, by what they draw."""

import inspect
import itertools

import matplotlib
import numpy as np
import pandas as pd
import pytest
from sklearn.calibration import calibration_curve
from sklearn.pipeline import Pipeline

from skotkge import EntityPairs, OTEntityMatcher, OTFusionTransformer, OTKGEClassifier, inspection
from skotkge.inspection import (
    CalibrationDisplay,
    ContributionsDisplay,
    EmbeddingMapDisplay,
    EntityPlanDisplay,
    EvidenceWeightsDisplay,
    RelationRanksDisplay,
)
from skotkge.metrics import expected_calibration_error, ranking_report


@pytest.fixture(autouse=True)
def pyplot():
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


@pytest.fixture(scope="module")
def fitted(small):
    kge = OTKGEClassifier(max_iter=3, random_state=0)
    return Pipeline([("fuse", OTFusionTransformer(n_components=8, random_state=0)), ("kge", kge)]).fit(small)


@pytest.mark.filterwarnings("ignore:.*were trained on")
class TestRelationRanks:
    def test_bars_are_the_metrics_of_the_report(self, fitted, small):
        report = ranking_report(fitted, small[:60])
        display = RelationRanksDisplay.from_estimator(fitted, small[:60], metric="hits@10")
        for side, prefix in (("heads", "head_"), ("tails", "tail_")):
            widths = [bar.get_width() for bar in display.bars_[side]]
            assert widths == [metrics[f"{prefix}hits@10"] for metrics in report.relation_metrics.values()]
        assert [text.get_text() for text in display.ax_.get_yticklabels()] == [
            f"{label} ({count})" for label, count in report.relation_counts.items()
        ]

    def test_relations_left_out_are_told(self, fitted, small, pyplot):
        _, ax = pyplot.subplots()
        display = RelationRanksDisplay.from_estimator(fitted, small[:60], max_relations=1, ax=ax)
        assert display.ax_ is ax
        assert len(display.bars_["heads"]) == 1
        assert ax.get_title() == "2 less frequent relations are not shown"

    def test_an_unknown_metric_is_named(self, fitted, small):
        with pytest.raises(ValueError, match="metric='auc' is none of the report's: mrr"):
            RelationRanksDisplay.from_estimator(fitted, small[:9], metric="auc")


class TestCalibration:
    def test_the_curve_is_that_of_scikit_learn(self, fitted, small):
        X = small.with_triples(np.concatenate([small.labels, small.labels[:, [2, 1, 0]]]))
        y = np.repeat([1, 0], len(small))
        display = CalibrationDisplay.from_estimator(fitted, X, y, n_bins=5)
        probabilities = fitted.predict_proba(X)[:, 1]
        true, predicted = calibration_curve(y, probabilities, n_bins=5, strategy="quantile")
        np.testing.assert_array_equal(display.line_.get_xydata(), np.column_stack([predicted, true]))
        assert display.error == expected_calibration_error(y, probabilities, n_bins=5)
        assert display.line_.get_label() == f"OTKGEClassifier (ECE {display.error:.3f})"


class TestEvidenceWeights:
    @pytest.mark.parametrize(("direction", "row"), [("tail", 0), ("head", 1)])
    def test_the_image_and_its_figures_are_the_weights(self, fitted, direction, row):
        display = EvidenceWeightsDisplay.from_estimator(fitted, direction=direction)
        weights = fitted["kge"].evidence_weights_[:, row]
        np.testing.assert_array_equal(display.im_.get_array(), weights)
        assert [text.get_text() for text in display.texts_] == [f"{weight:.2f}" for weight in weights.ravel()]
        assert [text.get_text() for text in display.ax_.get_yticklabels()] == fitted["kge"].evidence_names_

    def test_some_relations_in_an_order(self, fitted):
        kge = fitted["kge"]
        chosen = kge.relations_[[2, 0]]
        display = EvidenceWeightsDisplay.from_estimator(kge, relations=chosen)
        np.testing.assert_array_equal(display.im_.get_array(), kge.evidence_weights_[:, 0][:, [2, 0]])

    def test_wrong_arguments_are_named(self, fitted):
        with pytest.raises(ValueError, match="direction='up'; give 'tail' or 'head'"):
            EvidenceWeightsDisplay.from_estimator(fitted, direction="up")
        with pytest.raises(ValueError, match="relations has 'r9', which the model has not seen"):
            EvidenceWeightsDisplay.from_estimator(fitted, relations=["r9"])
        with pytest.raises(ValueError, match="direction='up'; give 'tail' or 'head'"):
            EvidenceWeightsDisplay.from_predictions([[1.0]], direction="up")
        with pytest.raises(ValueError, match=r"weights has the shape \(1, 2\); there are 1 kinds and 1 relations"):
            EvidenceWeightsDisplay.from_predictions([[1.0, 2.0]], relations=["likes"])
        with pytest.raises(ValueError, match=r"weights has the shape \(2,\); give a matrix \(n_kinds, n_relations\)"):
            EvidenceWeightsDisplay.from_predictions([1.0, 2.0])

    def test_weights_of_ones_own_have_the_names_of_their_frame(self):
        means = pd.DataFrame({"likes": [0.9, 0.1], "by": [0.2, 1.3]}, index=["structure", "rules"])
        display = EvidenceWeightsDisplay.from_predictions(means, direction="head", cmap="viridis")
        np.testing.assert_array_equal(display.im_.get_array(), [[0.9, 0.2], [0.1, 1.3]])
        assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["structure", "rules"]
        assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["likes", "by"]
        assert display.ax_.get_title() == "Weights of evidence for a missing head"
        assert display.im_.get_cmap().name == "viridis"
        unnamed = EvidenceWeightsDisplay.from_predictions(means.to_numpy(), relations=["a", "b"])
        assert [text.get_text() for text in unnamed.ax_.get_yticklabels()] == ["0", "1"]
        assert [text.get_text() for text in unnamed.ax_.get_xticklabels()] == ["a", "b"]


class TestContributions:
    def test_bars_add_up_to_the_scores(self, fitted, small):
        X = small[:5]
        display = ContributionsDisplay.from_estimator(fitted, X, names={small.labels[0, 0]: "the first"})
        kge = fitted["kge"]
        totals = sum(np.array([bar.get_width() for bar in bars]) for bars in display.bars_.values())
        np.testing.assert_allclose(totals, kge.decision_function(X), rtol=1e-5)
        np.testing.assert_allclose(display.totals_.get_offsets()[:, 0], kge.decision_function(X), rtol=1e-5)
        assert display.labels[0].startswith("the first, ")
        assert "self_loop" not in display.bars_

    def test_stacks_do_not_overlap(self, fitted, small):
        display = ContributionsDisplay.from_estimator(fitted, small.labels[:4])
        for row in range(4):
            spans = [
                sorted([bars[row].get_x(), bars[row].get_x() + bars[row].get_width()])
                for bars in display.bars_.values()
            ]
            spans.sort()
            assert all(first[1] <= second[0] + 1e-6 for first, second in itertools.pairwise(spans))

    def test_explanations_that_are_made_already(self, fitted, small):
        explanation = fitted["kge"].explain(small[:3])
        display = ContributionsDisplay.from_predictions(explanation, names={small.labels[0, 0]: "the first"})
        np.testing.assert_allclose(display.totals_.get_offsets()[:, 0], explanation.log_odds, rtol=1e-6)
        assert (
            display.labels
            == ContributionsDisplay.from_estimator(fitted, small[:3], names={small.labels[0, 0]: "the first"}).labels
        )
        renamed = ContributionsDisplay.from_predictions(explanation, labels="abc")
        assert [text.get_text() for text in renamed.ax_.get_yticklabels()] == ["a", "b", "c"]

    @pytest.mark.parametrize("make", [dict, lambda parts: pd.DataFrame(parts, index=["x", "y"])])
    def test_parts_of_ones_own(self, make):
        display = ContributionsDisplay.from_predictions(make({"rules": [2.0, -1.0], "offset": [-3.0, -3.0]}))
        assert [bar.get_width() for bar in display.bars_["rules"]] == [2.0, -1.0]
        assert [bar.get_x() for bar in display.bars_["offset"]] == [0.0, -1.0]
        assert display.totals_.get_offsets()[:, 0].tolist() == [-1.0, -4.0]
        assert display.labels == (["0", "1"] if make is dict else ["x", "y"])

    def test_parts_of_different_lengths_are_named(self):
        with pytest.raises(
            ValueError, match=r"contributions\['rules'\] has the shape \(1,\); give one value for each of the 2"
        ):
            ContributionsDisplay.from_predictions({"rules": [1.0], "offset": [0.0, 0.0]})


class TestEmbeddingMap:
    def test_distances_of_a_plane_are_kept(self, rng):
        plane = rng.standard_normal((15, 2)) @ np.linalg.qr(rng.standard_normal((6, 6)))[0][:2]
        display = EmbeddingMapDisplay.from_predictions(plane)
        (points,) = display.points_.values()
        drawn = np.asarray(points.get_offsets())
        distances = np.linalg.norm(plane[:, None] - plane, axis=2)
        np.testing.assert_allclose(np.linalg.norm(drawn[:, None] - drawn, axis=2), distances, atol=1e-9)

    def test_groups_have_markers_of_their_own(self, fitted, small):
        groups = np.repeat(["a", "b", "c"], 10)
        display = EmbeddingMapDisplay.from_estimator(fitted, small.entities, space="fused", groups=groups)
        assert {group: len(points.get_offsets()) for group, points in display.points_.items()} == {
            "a": 10,
            "b": 10,
            "c": 10,
        }
        paths = [points.get_paths()[0].vertices.tobytes() for points in display.points_.values()]
        assert len(set(paths)) == 3

    def test_names_stand_beside_the_points_of_the_entities_asked_for(self, fitted, small):
        display = EmbeddingMapDisplay.from_estimator(
            fitted, ["e3", "e1", "e2", "e9"], names=list("wxyz"), projection="tsne", random_state=0
        )
        assert [text.get_text() for text in display.ax_.texts] == list("wxyz")

    def test_wrong_arguments_are_named(self, fitted, rng):
        with pytest.raises(ValueError, match="space='sound'; the model has the spaces"):
            EmbeddingMapDisplay.from_estimator(fitted, space="sound")
        with pytest.raises(ValueError, match="entities has 'e99', which the model has not seen"):
            EmbeddingMapDisplay.from_estimator(fitted, ["e99"])
        with pytest.raises(ValueError, match="groups has 1 values; give one for each of the 5 rows"):
            EmbeddingMapDisplay.from_predictions(rng.standard_normal((5, 3)), groups=["a"])
        with pytest.raises(ValueError, match="projection='umap'; give 'pca' or 'tsne'"):
            EmbeddingMapDisplay.from_predictions(rng.standard_normal((5, 3)), projection="umap")


class TestEntityPlan:
    def test_the_image_is_the_plan_of_the_pairs(self, rng):
        vectors = rng.standard_normal((6, 4))
        labels = [f"a{i}" for i in range(6)], [f"b{i}" for i in range(6)]
        pairs = EntityPairs(list(zip(*labels, strict=True)), (vectors, labels[0]), (vectors + 0.01, labels[1]))
        matcher = OTEntityMatcher(views=["features"], n_rounds=1, random_state=0).fit(pairs[:0])
        shown = pairs[[4, 1]]
        display = EntityPlanDisplay.from_estimator(matcher, shown)
        expected = matcher.plan_.toarray()[np.ix_([4, 1], [4, 1])]
        np.testing.assert_array_equal(display.im_.get_array(), expected)
        assert [text.get_text() for text in display.ax_.get_yticklabels()] == ["a4", "a1"]
        assert [text.get_text() for text in display.ax_.get_xticklabels()] == ["b4", "b1"]

    def test_labels_that_do_not_fit_are_named(self):
        with pytest.raises(ValueError, match=r"plan has the shape \(2, 2\), labels are 1 and 2"):
            EntityPlanDisplay.from_predictions(np.eye(2), (["a"], ["b", "c"]))


def test_colour_maps_are_monotone_in_grey():
    luminance = matplotlib.colormaps["Greys"](np.linspace(0, 1, 50))[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0).all()


@pytest.mark.parametrize("name", [name for name in inspection.__all__ if name.endswith("Display")])
def test_displays_are_made_from_a_model_or_from_what_it_gave(name):
    display = getattr(inspection, name)
    for method in ("from_estimator", "from_predictions"):
        assert inspect.ismethod(getattr(display, method))
        assert {"ax", "kwargs"} <= set(inspect.signature(getattr(display, method)).parameters)
