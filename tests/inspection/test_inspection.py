"""Leakage masks against a naive count, the quantities of Theorem 1 against their definitions, and the plots."""

import sys

import numpy as np
import ot
import pytest
from helpers import load_external
from numpy.linalg import norm
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier, RotatE, TransE
from skotkge.baselines import RuleBaseline, TransAEBaseline, TranslationBaseline
from skotkge.inspection import (
    RanksDisplay,
    TrainingDisplay,
    TransportPlanDisplay,
    evaluate_by_leakage,
    fusion_bounds,
    leakage_report,
    lipschitz_constants,
)
from skotkge.metrics import hits_at_k, ranking_report, summarize_ranks
from skotkge.model_selection import TransductiveKFold, transductive_train_test_split

KINDS = ("linked", "reversed", "inverse", "same_direction", "repeated")


def naive_kinds(train, triple, min_confidence):
    head, relation, tail = triple
    pairs_of = {}
    for h, r, t in train:
        pairs_of.setdefault(r, set()).add((h, t))
    backwards = [r for r, pairs in pairs_of.items() if (tail, head) in pairs]
    forwards = any((head, tail) in pairs for pairs in pairs_of.values())
    inverse = False
    for r in backwards:
        # A self-loop is no reverse of itself.
        pairs = [(h, t) for h, t in pairs_of[r] if r != relation or h != t]
        inverse |= sum((t, h) in pairs_of.get(relation, ()) for h, t in pairs) >= max(min_confidence * len(pairs), 1e-9)
    repeated = (head, tail) in pairs_of.get(relation, ())
    return bool(backwards) or forwards, bool(backwards), inverse, forwards, repeated


@pytest.fixture(scope="module")
def dense():
    """A graph in which many pairs are linked in several ways, split at random."""
    rng = np.random.RandomState(5)
    ids = rng.randint([12, 4, 12], size=(110, 3))
    ids = np.concatenate([ids, ids[ids[:, 1] == 0][:, ::-1] * [1, 0, 1] + [0, 1, 0]])
    labels = [(f"e{head}", f"r{relation}", f"e{tail}") for head, relation, tail in rng.permutation(ids)]
    X = MultimodalTriples(labels, duplicates="keep")
    return X[:90], X[90:]


def quick_pipeline():
    kge = OTKGEClassifier(max_iter=3, random_state=0)
    return Pipeline([("fuse", OTFusionTransformer(n_components=8, random_state=0)), ("kge", kge)])


@pytest.fixture(scope="module")
def parts(small):
    return transductive_train_test_split(small, test_size=40, random_state=0)


@pytest.fixture(scope="module")
def fitted(parts):
    return quick_pipeline().fit(parts[0])


class TestLeakage:
    @pytest.mark.parametrize("min_confidence", [0.2, 0.4, 0.5])
    def test_masks_are_those_of_a_naive_count(self, dense, min_confidence):
        train, test = dense
        report = leakage_report(train, test, min_confidence=min_confidence)
        rows = train.labels.tolist()
        expected = np.array([naive_kinds(rows, triple, min_confidence) for triple in test.labels.tolist()])
        assert expected.any(axis=0).all()
        assert not expected.all(axis=0).any()
        for kind, mask in zip(KINDS, expected.T, strict=True):
            np.testing.assert_array_equal(getattr(report, kind), mask)
        assert report.leaked is report.linked

    def test_counts_by_relation_add_up(self, dense):
        report = leakage_report(*dense)
        for kind in ("triples", *KINDS):
            assert sum(counts[kind] for counts in report.relation_counts.values()) == report.counts[kind]
        for label, counts in report.relation_counts.items():
            rows = dense[1].labels[:, 1] == label
            assert counts["triples"] == rows.sum()
            assert counts["inverse"] == report.inverse[rows].sum()
        sizes = [counts["triples"] for counts in report.relation_counts.values()]
        assert sizes == sorted(sizes, reverse=True)
        assert report.shares["linked"] == report.counts["linked"] / len(dense[1])

    def test_it_prints_a_table_of_all_and_of_each_relation(self, dense):
        report = leakage_report(*dense)
        lines = str(report).splitlines()
        assert lines[0].split() == ["triples", *KINDS]
        assert [line.split()[0] for line in lines[1:]] == ["all", *report.relation_counts]
        assert len({len(line) for line in lines}) == 1
        assert repr(report).startswith(f"LeakageReport(triples={len(dense[1])}, linked={report.linked.sum()}, ")

    def test_many_relations_are_cut(self):
        train = [("a", f"r{number}", "b") for number in range(30)]
        assert str(leakage_report(train, train)).endswith("and 10 more in relation_counts")

    def test_triples_are_matched_by_label(self, dense):
        train, test = dense
        labels = np.append(test.labels, [["e1", "r0", "new"], ["e0", "new", "e1"]], axis=0)
        elsewhere = MultimodalTriples(labels, duplicates="keep")
        report = leakage_report(train.labels.tolist(), elsewhere)
        for kind in KINDS:
            np.testing.assert_array_equal(getattr(report, kind)[:-2], getattr(leakage_report(train, test), kind))
        assert not any(getattr(report, kind)[-2] for kind in KINDS)
        assert not report.inverse[-1]  # nothing is known of the relation, though the pair may be linked

    def test_wrong_arguments_are_named(self, dense):
        with pytest.raises(ValueError, match="test has no triple"):
            leakage_report(dense[0], dense[1][:0])
        with pytest.raises(ValueError, match="train has no triple"):
            leakage_report(dense[0][:0], dense[1])
        with pytest.raises(ValueError, match="min_confidence == 2"):
            leakage_report(*dense, min_confidence=2)
        with pytest.raises(ValueError, match="kind='leaky' is not among linked, reversed"):
            evaluate_by_leakage(RuleBaseline().fit(dense[0]), *dense, kind="leaky")

    def test_pairs_kept_together_do_not_leak(self, emoji, small):
        assert not leakage_report(emoji.train, emoji.test).leaked.any()
        train, test = transductive_train_test_split(small, test_size=30, keep_pairs=True, random_state=0)
        assert not leakage_report(train, test).leaked.any()

    def test_wn9img(self):
        kg = load_external("wn9img")
        counts = leakage_report(kg.train, kg.test).counts
        assert counts["reversed"] == counts["inverse"] == counts["linked"] == 1186
        assert counts["same_direction"] == 0

    def test_fbimg(self):
        kg = load_external("fbimg")
        shares = leakage_report(kg.train, kg.test).shares
        assert shares["inverse"] == pytest.approx(0.743, abs=0.005)
        assert shares["inverse"] < shares["reversed"] < shares["linked"]


class TestEvaluateByLeakage:
    def test_parts_are_the_metrics_of_their_ranks(self, fitted, parts):
        train, test = parts
        known = test.with_triples([("e0", "r0", "e9")])
        found = evaluate_by_leakage(fitted, train, test, known=known)
        leaked = leakage_report(train, test).leaked
        assert 0 < leaked.sum() < len(test)
        np.testing.assert_array_equal(found.leaked, leaked)
        np.testing.assert_array_equal(found.ranks, fitted["kge"].rank(test, known=known))
        np.testing.assert_array_equal(found.baseline_ranks, RuleBaseline().fit(train).rank(test, known=known))
        for part, mask in {"all": leaked | True, "leaked": leaked, "unleaked": ~leaked}.items():
            assert found[part] == summarize_ranks(found.ranks[mask])
            assert found.baseline_metrics[part] == summarize_ranks(found.baseline_ranks[mask])
        assert found["all"] == ranking_report(fitted, test, known=known).metrics

    def test_kind_and_baseline_can_be_chosen(self, fitted, parts):
        train, test = parts
        found = evaluate_by_leakage(fitted, train, test, kind="same_direction", baseline=False)
        np.testing.assert_array_equal(found.leaked, leakage_report(train, test).same_direction)
        assert found.baseline_metrics is None
        assert [line.split()[0] for line in str(found).splitlines()[1:]] == ["all", "leaked", "unleaked"]

    def test_it_prints_the_baseline_beside(self, fitted, parts):
        lines = str(evaluate_by_leakage(fitted, *parts)).splitlines()
        assert [line[:26].strip() for line in lines[1:3]] == ["all", "all, rule baseline"]
        assert len(lines) == 7
        assert len({len(line) for line in lines}) == 1

    def test_a_part_without_triples_is_absent(self, emoji):
        found = evaluate_by_leakage(RuleBaseline().fit(emoji.train), emoji.train, emoji.test, known=emoji.valid)
        assert list(found.metrics) == list(found.baseline_metrics) == ["all", "unleaked"]
        assert found["all"] == found["unleaked"] == found.baseline_metrics["all"]

    def test_labels_outside_of_training(self, parts):
        train, test = parts
        asked = [*test.labels.tolist(), ("e0", "r0", "nobody")]
        kge = OTKGEClassifier(embedding_dim=8, max_iter=1, early_stopping=False, handle_unknown="last", random_state=0)
        found = evaluate_by_leakage(kge.fit(train.labels), train.labels, asked)
        assert not found.leaked[-1]
        assert found.ranks[-1].tolist() == found.baseline_ranks[-1].tolist() == [train.n_entities + 1] * 2


class TestFusionBounds:
    def test_distances_are_between_the_rows_of_entities_that_have_the_space(self, small):
        fuse = OTFusionTransformer(n_components=8, fusion="mean", random_state=0).fit(small)
        found = fusion_bounds(fuse, small)
        there = ~np.isnan(small.modalities["image"]).any(axis=1)
        image = small.modalities["image"][there]
        aligned = (image - image.mean(axis=0)) / image.std(axis=0) @ fuse.transport_maps_["image"]
        fused = fuse.embedding_[there]
        cost = norm(aligned[:, None] - fused[None], axis=2)
        assert found.wasserstein["image"] == pytest.approx(ot.emd2([], [], cost))
        assert found.identity_coupling["image"] == pytest.approx(np.diag(cost).mean())
        assert found.n_sampled == {"structure": 30, "text": 30, "image": 20}

    @pytest.mark.parametrize("options", [{}, {"p": 1}, {"alignment": "linear"}, {"fusion": "mean"}])
    def test_w1_is_at_most_the_identity_coupling(self, small, options):
        fuse = OTFusionTransformer(n_components=8, random_state=0, **options).fit(small)
        found = fusion_bounds(fuse, small)
        for name, distance in found.wasserstein.items():
            assert 0 < distance <= found.identity_coupling[name] + 1e-9

    def test_a_structure_alone_is_the_fused_space(self, small):
        fuse = OTFusionTransformer(n_components=8, fusion="none", random_state=0).fit(small)
        found = fusion_bounds(fuse, small, errors={"structure": 0.3}, fused_error=0.3)
        assert found.wasserstein == found.identity_coupling == {"structure": 0}
        assert found.consistency_bound == found.comprehensiveness_bound == 0.3

    def test_the_matrix_form(self, small):
        text, structure = small.modalities["text"], np.random.RandomState(0).standard_normal((30, 8))
        fuse = OTFusionTransformer(random_state=0).fit({"text": text}, structure)
        assert list(fusion_bounds(fuse, {"text": text}).wasserstein) == ["structure", "text"]
        single = OTFusionTransformer(random_state=0).fit(text, structure)
        named, unnamed = fusion_bounds(fuse, {"text": text}), fusion_bounds(single, text)
        assert unnamed.wasserstein["features"] == named.wasserstein["text"]
        with pytest.raises(ValueError, match="X has 29 rows, but transformer was fitted on 30 entities"):
            fusion_bounds(single, text[1:])

    def test_samples_are_drawn_from_the_entities_with_the_space_and_repeat(self, emoji):
        fuse = OTFusionTransformer(n_components=16, random_state=0).fit(emoji.train)
        found = fusion_bounds(fuse, emoji.train, n_samples=100, random_state=1)
        assert set(found.n_sampled.values()) == {100}
        assert found == fusion_bounds(fuse, emoji.train, n_samples=100, random_state=1)
        more = fusion_bounds(fuse, emoji.train, n_samples=1000, random_state=1)
        assert more.wasserstein != found.wasserstein
        assert more.identity_coupling == found.identity_coupling

    def test_bounds_hold_for_lipschitz_functions_of_the_rows(self, small, rng):
        fuse = OTFusionTransformer(n_components=8, random_state=0).fit(small)
        fused, structure = fuse.embedding_, fuse.structural_embedding_
        for _ in range(20):
            slopes = rng.standard_normal((2, 8))
            slopes *= 0.7 / norm(slopes, axis=1, keepdims=True)
            error = {
                name: np.abs(np.diff(space @ slopes.T, axis=1)).mean()
                for name, space in {"fused": fused, "structure": structure}.items()
            }
            found = fusion_bounds(fuse, small, lipschitz=0.7, fused_error=error["fused"])
            assert error["structure"] <= found.consistency_bound
            assert error["fused"] <= error["structure"] + found.slack["structure"]

    def test_bounds_follow_from_slack_and_errors(self, small):
        fuse = OTFusionTransformer(n_components=8, random_state=0).fit(small)
        errors = {"structure": 0.5, "text": 0.1, "image": 0.2}
        found = fusion_bounds(fuse, small, lipschitz=0.01, errors=errors, fused_error=0.25)
        for name, distance in found.wasserstein.items():
            assert found.slack[name] == pytest.approx(0.02 * distance)
            assert found.consistency_bound >= 0.25 + found.slack[name]
            assert found.comprehensiveness_bound <= errors[name] + found.slack[name]
        text = str(found)
        assert f"at most {found.consistency_bound:.4g}" in text
        assert f"at most {found.comprehensiveness_bound:.4g}" in text
        assert "at most" not in str(fusion_bounds(fuse, small))

    def test_wrong_arguments_are_named(self, small):
        fuse = OTFusionTransformer(n_components=8, random_state=0).fit(small)
        with pytest.raises(
            ValueError, match=r"errors=.* must name exactly the spaces \['structure', 'text', 'image'\]"
        ):
            fusion_bounds(fuse, small, errors={"text": 0.1})
        with pytest.raises(ValueError, match="X has other entities than the fit of transformer"):
            fusion_bounds(fuse, MultimodalTriples(small.labels))
        with pytest.raises(ValueError, match="X is a ndarray; give the MultimodalTriples"):
            fusion_bounds(fuse, small.labels)
        with pytest.raises(ValueError, match=r"X has the modalities \{\}"):
            fusion_bounds(fuse, MultimodalTriples(small.labels, entities=small.entities))
        wide = OTFusionTransformer(n_components=8, fusion="concat", random_state=0).fit(small)
        with pytest.raises(ValueError, match="fusion='concat', whose 24 dimensions cannot be compared with the 8"):
            fusion_bounds(wide, small)


@pytest.mark.parametrize("score_function", ["complex", "distmult", "transe", "rotate"])
def test_scores_change_no_faster_than_the_constants_say(parts, score_function, rng):
    kge = OTKGEClassifier(score_function, embedding_dim=8, max_iter=5, early_stopping=False, random_state=0)
    kge.fit(parts[0].labels)
    constants = lipschitz_constants(kge)
    assert constants.shape == (6,)
    sources, relations = kge.entity_embeddings_[rng.randint(30, size=200)], rng.randint(6, size=200)
    first, second = kge.entity_embeddings_[rng.randint(30, size=(2, 200))]
    rise = np.abs(score(kge, sources, relations, first) - score(kge, sources, relations, second))
    assert (rise <= constants[relations] * norm(first - second, axis=1) + 1e-6).all()
    if score_function in ("complex", "distmult"):
        # Linear: along the slope it rises just as fast for the entity that has most.
        rows, steps = np.repeat(kge.entity_embeddings_, 8, axis=0), np.tile(np.eye(8), (30, 1))
        for relation, constant in enumerate(constants):
            slopes = score(kge, rows, np.full(240, relation), steps).reshape(30, 8)
            assert norm(slopes, axis=1).max() == pytest.approx(constant, rel=1e-5)


def test_a_sum_of_distances_has_no_constant_of_one_space(small):
    with pytest.raises(ValueError, match="classifier is a TranslationBaseline"):
        lipschitz_constants(TranslationBaseline(n_components=4, max_iter=1).fit(small))
    with pytest.raises(ValueError, match="classifier is a TransAEBaseline"):
        lipschitz_constants(TransAEBaseline(n_components=4, norm=1, max_iter=1).fit(small))


def score(kge, sources, relations, answers):
    rows = kge.relation_embeddings_[relations]
    if kge.score_function == "distmult":
        return np.sum(sources * rows * answers, axis=1)
    if kge.score_function == "transe":
        return TransE().margin - norm(sources + rows - answers, axis=1)
    sources, answers = (part[:, :4] + 1j * part[:, 4:] for part in (sources, answers))
    if kge.score_function == "rotate":
        return RotatE().margin - norm(sources * np.exp(1j * rows) - answers, axis=1)
    return np.sum(sources * (rows[:, :4] + 1j * rows[:, 4:]) * answers.conj(), axis=1).real


@pytest.fixture
def pyplot():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    yield pyplot
    pyplot.close("all")


class TestRanksDisplay:
    def test_the_curve_is_hits_at_k(self, pyplot):
        ranks = np.array([[1, 2.5], [4, 4], [30, 1]])
        display = RanksDisplay.from_predictions(ranks, name="model")
        (line,) = display.lines_
        for k, hits in zip(*line.get_data(), strict=True):
            assert hits == pytest.approx(hits_at_k(ranks, k))
        assert line.get_xdata()[0] == 1
        assert line.get_label().startswith("model (MRR 0.489")
        assert display.ax_.get_xscale() == "log"
        assert display.figure_ is display.ax_.figure

    def test_it_starts_at_zero_where_no_rank_is_one(self, pyplot):
        (line,) = RanksDisplay.from_predictions([2, 3]).lines_
        assert line.get_xydata().tolist() == [[1, 0], [2, 0.5], [3, 1]]

    def test_from_an_estimator_by_parts_on_given_axes(self, pyplot, fitted, parts):
        train, test = parts
        report = leakage_report(train, test)
        _, ax = pyplot.subplots()
        masks = {"leaked": report.leaked, "unleaked": ~report.leaked, "nothing": np.zeros(len(test), dtype=bool)}
        display = RanksDisplay.from_estimator(fitted, test, known=train, parts=masks, ax=ax, linestyle="--")
        assert display.ax_ is ax
        ranks = fitted["kge"].rank(test)
        np.testing.assert_array_equal(display.ranks["OTKGEClassifier, leaked"], ranks[report.leaked])
        np.testing.assert_array_equal(display.ranks["OTKGEClassifier, unleaked"], ranks[~report.leaked])
        assert len(display.lines_) == 2
        assert {line.get_linestyle() for line in display.lines_} == {"--"}
        RanksDisplay.from_estimator(RuleBaseline().fit(train), test, name="rules", ax=ax)
        assert [text.get_text()[:5] for text in ax.get_legend().get_texts()] == ["OTKGE", "OTKGE", "rules"]

    def test_wrong_arguments_are_named(self, pyplot):
        with pytest.raises(ValueError, match=r"parts\['some'\] has the shape \(2,\); give a mask of the 3 rows"):
            RanksDisplay.from_predictions([1, 2, 3], parts={"some": [True, False]})
        with pytest.raises(ValueError, match="ranks has the value 0"):
            RanksDisplay.from_predictions([0, 2])


class TestTransportPlanDisplay:
    @pytest.mark.parametrize("unwrap", [False, True])
    def test_the_image_is_the_plan(self, pyplot, fitted, unwrap):
        display = TransportPlanDisplay.from_estimator(fitted["fuse"] if unwrap else fitted, "text", cmap="magma")
        np.testing.assert_array_equal(display.im_.get_array(), fitted["fuse"].transport_plans_["text"])
        assert display.im_.get_cmap().name == "magma"
        assert len(display.figure_.axes) == 2
        _, ax = pyplot.subplots()
        assert display.plot(ax=ax, colorbar=False).ax_ is ax
        assert len(ax.figure.axes) == 1

    def test_wrong_arguments_are_named(self, pyplot, fitted):
        with pytest.raises(ValueError, match=r"modality='sound' has no transport plan; those with one are \['text'"):
            TransportPlanDisplay.from_estimator(fitted, "sound")
        with pytest.raises(TypeError, match="which has no transport plans; give a fitted OTFusionTransformer"):
            TransportPlanDisplay.from_estimator(fitted["kge"], "text")
        with pytest.raises(ValueError, match=r"plan has the shape \(2,\); give a matrix of masses"):
            TransportPlanDisplay.from_predictions([0.5, 0.5])

    def test_a_plan_of_ones_own(self, pyplot):
        display = TransportPlanDisplay.from_predictions([[0.5, 0.0, 0.0], [0.0, 0.2, 0.3]], "text", colorbar=False)
        np.testing.assert_array_equal(display.im_.get_array(), [[0.5, 0.0, 0.0], [0.0, 0.2, 0.3]])
        assert display.ax_.get_ylabel() == "dimension of text"
        assert display.ax_.get_xlabel() == "dimension of the structure"
        assert len(display.figure_.axes) == 1

    @pytest.mark.parametrize("alignment", ["linear", "pca"])
    def test_alignments_without_a_plan_have_nothing_to_show(self, pyplot, small, alignment):
        fuse = OTFusionTransformer(8, alignment=alignment, random_state=0).fit(small)
        with pytest.raises(ValueError, match=r"modality='text' has no transport plan; those with one are \[\]"):
            TransportPlanDisplay.from_estimator(fuse, "text")


class TestTrainingDisplay:
    def test_the_lines_are_those_of_the_fit(self, pyplot, fitted):
        display, kge = TrainingDisplay.from_estimator(fitted, color="C3"), fitted["kge"]
        np.testing.assert_array_equal(display.line_.get_ydata(), kge.loss_curve_)
        np.testing.assert_array_equal(display.validation_line_.get_ydata(), kge.validation_scores_)
        assert display.line_.get_xdata()[[0, -1]].tolist() == [1, kge.n_iter_]
        assert display.best_line_.get_xdata()[0] == kge.best_iter_
        assert display.line_.get_color() == "C3"
        assert len(display.ax_.get_legend().get_texts()) == 3

    def test_without_validation_and_from_a_search(self, pyplot, parts):
        kge = OTKGEClassifier(embedding_dim=8, max_iter=2, early_stopping=False, random_state=0)
        search = GridSearchCV(kge, {"learning_rate": [0.1]}, cv=TransductiveKFold(2, random_state=0))
        _, ax = pyplot.subplots()
        display = TrainingDisplay.from_estimator(search.fit(parts[0].labels), ax=ax)
        assert display.ax_ is ax
        assert display.validation_ax_ is display.validation_line_ is display.best_line_ is None
        assert len(display.line_.get_ydata()) == 2

    def test_curves_of_ones_own(self, pyplot):
        display = TrainingDisplay.from_predictions([3.0, 2.0, 1.0], [0.1, 0.4, 0.2], color="C3")
        assert display.line_.get_xydata().tolist() == [[1, 3.0], [2, 2.0], [3, 1.0]]
        assert display.validation_line_.get_xydata().tolist() == [[1, 0.1], [2, 0.4], [3, 0.2]]
        assert display.best_line_.get_xdata()[0] == 2
        assert TrainingDisplay.from_predictions([3.0, 2.0], [0.1, 0.4], best_iter=1).best_line_.get_xdata()[0] == 1
        without = TrainingDisplay.from_predictions([3.0, 2.0])
        assert without.validation_line_ is None
        assert without.best_iter == 2

    def test_both_axes_have_room_for_their_labels(self, pyplot):
        display = TrainingDisplay.from_predictions([12.0, 7.0, 5.0], [0.29, 0.436, 0.468])
        display.figure_.canvas.draw()
        for ax in (display.ax_, display.validation_ax_):
            label = ax.yaxis.label.get_window_extent()
            assert 0 <= label.x0 < label.x1 <= display.figure_.bbox.x1

    def test_scores_of_other_epochs_are_named(self, pyplot):
        with pytest.raises(ValueError, match="validation_scores has 1 values; give one for each of the 2 epochs"):
            TrainingDisplay.from_predictions([3.0, 2.0], [0.1])


def test_without_matplotlib_the_message_is_that_of_scikit_learn(monkeypatch, fitted, parts):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for plot in (
        lambda: RanksDisplay.from_estimator(fitted, parts[1]),
        lambda: RanksDisplay({"all": [1, 2]}).plot(),
        lambda: TransportPlanDisplay.from_estimator(fitted, "text"),
        lambda: TrainingDisplay.from_estimator(fitted),
    ):
        with pytest.raises(ImportError, match=r"Display\.\w+ requires matplotlib"):
            plot()
