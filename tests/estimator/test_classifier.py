"""OTKGEClassifier on a small random graph: every option, every method, every error."""

import pickle
import pickletools
from dataclasses import replace

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.pipeline import Pipeline

from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier, RotatE, TransE
from skotkge._estimator.holdout import make_split, true_and_false
from skotkge._estimator.vectors import spaces_of

QUICK = dict(embedding_dim=8, max_iter=4, batch_size=64, random_state=0)


def quick(**parameters):
    return OTKGEClassifier(**QUICK | parameters)


def parameters_of(kge, space):
    """All trained parameters of a space by name."""
    return spaces_of(kge.predictor_)[space].parameters


def pipeline(fuse=None, kge=None):
    fuse = OTFusionTransformer(**dict(n_components=8, random_state=0) | (fuse or {}))
    return Pipeline([("fuse", fuse), ("kge", quick(**dict(embedding_dim=None) | (kge or {})))])


@pytest.fixture(scope="module")
def fitted(small):
    return quick().fit(small.labels)


@pytest.fixture(scope="module")
def fused(small):
    return pipeline().fit(small)


@pytest.mark.parametrize("objective", ["cross_entropy", "logistic"])
@pytest.mark.parametrize("score_function", ["transe", "distmult", "complex", "rotate"])
@pytest.mark.parametrize("fusion", ["barycenter", "concat"])
def test_every_score_function_learns_a_fused_space_with_either_objective(small, score_function, objective, fusion):
    options = dict(score_function=score_function, objective=objective, max_iter=40)
    if objective == "logistic":
        near = {"transe": TransE(margin=0.5), "rotate": RotatE(margin=0.5)}.get(score_function, score_function)
        options = dict(score_function=near, objective=Logistic(n_negatives=4), max_iter=60)
    options |= dict(validation_fraction=0, evidence="fused")
    pipe = pipeline({"fusion": fusion}, options).fit(small)
    kge = pipe["kge"]
    width = 24 if fusion == "concat" else 8
    assert kge.entity_embeddings_.shape == (30, width)
    assert kge.relation_embeddings_.shape == (6, width // 2 if score_function == "rotate" else width)
    assert kge.loss_curve_[-1] < kge.loss_curve_[0]
    ranks = pipe["kge"].rank(small)
    assert ranks.shape == (len(small), 2)
    assert ranks.mean() < 12


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
@pytest.mark.parametrize("sampling", ["uniform", "bernoulli"])
def test_same_seed_gives_identical_fits(small, optimizer, sampling):
    options = dict(optimizer=optimizer, objective=Logistic(sampling=sampling), learning_rate=0.01)
    first, second = (quick(**options).fit(small.labels) for _ in range(2))
    np.testing.assert_array_equal(first.entity_embeddings_, second.entity_embeddings_)
    np.testing.assert_array_equal(first.decision_function(small.labels), second.decision_function(small.labels))
    other = quick(**options | dict(random_state=1)).fit(small.labels)
    assert not np.allclose(first.entity_embeddings_, other.entity_embeddings_)


def test_filtered_negatives_are_drawn_from_the_rest(small):
    plain, filtered, again = (
        quick(objective=Logistic(n_negatives=8, filtered=on), learning_rate=0.01).fit(small.labels)
        for on in (False, True, True)
    )
    assert not np.allclose(plain.entity_embeddings_, filtered.entity_embeddings_)
    np.testing.assert_array_equal(filtered.entity_embeddings_, again.entity_embeddings_)


def test_global_state_of_numpy_and_torch_is_untouched(small):
    np.random.seed(3)
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), torch.get_num_threads()
    pipeline().fit(small).score(small)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
    assert torch.get_num_threads() == before[2]


def test_attributes_are_numpy_and_named_as_documented(fused, small):
    kge = fused["kge"]
    assert is_classifier(kge)
    assert kge.classes_.tolist() == [0, 1]
    assert kge.n_features_in_ == 3
    assert kge.entities_.tolist() == small.entities.tolist()
    assert kge.relations_.tolist() == small.relations.tolist()
    assert len(kge.loss_curve_) == kge.n_iter_ == len(kge.validation_scores_) <= 4
    assert kge.validation_scores_[kge.best_iter_ - 1] == max(kge.validation_scores_)
    for name, value in vars(kge).items():
        assert not isinstance(value, torch.Tensor), name


def test_pickle_holds_nothing_of_torch_and_no_modality_matrix(fused, small):
    dumped = pickle.dumps(fused)
    modules = {str(argument).split()[0] for _, argument, _ in pickletools.genops(dumped) if isinstance(argument, str)}
    assert not any(module.split(".")[0] == "torch" for module in modules)
    for matrix in small.modalities.values():
        assert matrix.tobytes() not in dumped
    np.testing.assert_array_equal(pickle.loads(dumped)["kge"].rank(small), fused["kge"].rank(small))


def test_joblib_round_trip_gives_equal_predictions(fused, small, tmp_path):
    joblib.dump(fused, tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(small), fused.predict_proba(small))
    np.testing.assert_array_equal(loaded.predict(small.labels), fused.predict(small))


def test_one_value_for_each_row_whatever_the_order(fused, small):
    kge, order = fused["kge"], np.random.RandomState(0).permutation(len(small))[:50]
    for method in (kge.score_triples, kge.decision_function, kge.predict_proba, kge.predict, kge.rank):
        np.testing.assert_allclose(method(small)[order], method(small[order]), rtol=1e-5)
        np.testing.assert_allclose(method(small[order].labels), method(small[order]), rtol=1e-12)
        assert len(method(small[:0])) == 0


def test_probabilities_are_the_logistic_function_of_the_log_odds(fitted, small):
    odds, probability = fitted.decision_function(small.labels), fitted.predict_proba(small.labels)
    np.testing.assert_allclose(probability.sum(axis=1), 1)
    np.testing.assert_allclose(probability[:, 1], 1 / (1 + np.exp(-odds)))
    np.testing.assert_array_equal(fitted.predict(small.labels), (odds >= 0).astype(int))
    scores = fitted.score_triples(small.labels)
    for relation in small.relations:
        rows = np.flatnonzero(small.labels[:, 1] == relation)
        assert (np.diff(odds[rows[np.argsort(scores[rows])]]) >= 0).all()


def test_score_is_the_mrr_without_y_and_the_accuracy_with_y(fitted, small):
    ranks = fitted.rank(small.labels)
    assert fitted.score(small.labels) == pytest.approx(np.mean(1 / ranks))
    y = np.arange(len(small)) % 2
    assert fitted.score(small.labels, y) == pytest.approx(np.mean(fitted.predict(small.labels) == y))
    with pytest.warns(UserWarning, match="one class only"):
        fitted.score(small.labels, np.ones(len(small)))


def test_evaluate_reports_both_sides_and_each(fitted, small):
    with pytest.warns(UserWarning, match="176 of the 176 triples in X were trained on"):
        report = fitted.evaluate(small.labels)
    ranks = fitted.rank(small.labels)
    assert report["head_mean_rank"] == pytest.approx(ranks[:, 0].mean())
    assert report["tail_hits@3"] == pytest.approx(np.mean(ranks[:, 1] <= 3))
    assert report["mrr"] == pytest.approx((report["head_mrr"] + report["tail_mrr"]) / 2)


def test_known_triples_leave_the_ranking(small):
    train, rest = small[:120], small[120:]
    kge = quick(validation_fraction=0).fit(small.with_triples(train.labels).labels)
    known_labels = set(kge.entities_)
    rest = [row for row in rest.labels.tolist() if {row[0], row[2]} <= known_labels]
    asked, known = rest[:10], rest[10:]
    plain, filtered = kge.rank(asked), kge.rank(asked, known=known)
    assert (filtered <= plain).all()
    assert (filtered < plain).any()
    np.testing.assert_array_equal(filtered, kge.rank(asked, known=[np.array(known[:5]), np.array(known[5:])]))
    np.testing.assert_array_equal(filtered, kge.rank(asked, known=pd.DataFrame(known)))
    np.testing.assert_array_equal(kge.rank(rest)[:10], filtered)


def test_complete_fills_the_empty_place_with_the_best_new_labels(fitted, small):
    head, relation, tail = small.labels[0]
    true = set(map(tuple, small.labels))
    labels, scores = fitted.complete([(head, relation, None), (None, relation, tail), (head, None, tail)], k=5)
    assert labels.shape == scores.shape == (3, 5)
    assert (np.diff(scores[:2], axis=1) <= 0).all()
    assert not {(head, relation, label) for label in labels[0]} & true
    assert not {(label, relation, tail) for label in labels[1]} & true
    left = [label for label in labels[2] if label is not None]
    assert sorted(left) == sorted(r for r in small.relations if (head, r, tail) not in true)
    assert np.isneginf(scores[2, len(left) :]).all()
    np.testing.assert_allclose(scores[2, : len(left)], fitted.decision_function([(head, r, tail) for r in left]))


def test_complete_finds_what_rank_says_is_first(small):
    kge = quick(evidence="fused").fit(small.labels)
    ranks = kge.rank(small.labels)
    row = int(np.argmin(ranks[:, 1]))
    head, relation, tail = small.labels[row]
    others = [triple for triple in small.labels.tolist() if triple != [head, relation, tail]]
    true_ids = kge.predictor_.vocabulary.ids_of(np.array(others, dtype=object))
    kge.predictor_ = replace(kge.predictor_, true_ids=true_ids)
    labels, _ = kge.complete([(head, relation, None)], k=30)
    assert labels[0].tolist().index(tail) == ranks[row, 1] - 1


@pytest.mark.parametrize("k", [0, -1, 2.5])
def test_complete_refuses_a_strange_number_of_answers(fitted, k):
    with pytest.raises((ValueError, TypeError), match="k"):
        fitted.complete([("e1", "r0", None)], k=k)


def test_known_takes_every_kind_of_sets(fitted, small):
    extra = [["e0", "r0", "e0"], ["e1", "r1", "e1"], ["e2", "r2", "e2"], ["e3", "r0", "e3"]]
    expected = fitted.rank(small.labels[:9], known=extra)
    for known in (
        extra[:3] + extra[3:],
        [extra[:3], extra[3:]],
        [np.array(extra), small],
        list(np.array(extra)),
        (extra,),
        set(map(tuple, extra)),
        [set(map(tuple, extra[:3])), dict(zip(("head", "relation", "tail"), zip(extra[3], strict=True), strict=True))],
    ):
        np.testing.assert_array_equal(fitted.rank(small.labels[:9], known=known), expected)
    with pytest.raises(ValueError, match="known holds no triple of the fitted table"):
        fitted.rank(small.labels[:9], known=[("x", "y", "z")])


def test_scores_that_are_nan_are_an_error_in_every_answer(small):
    kge = quick(evidence="fused").fit(small.labels)
    (space,) = kge.predictor_.evidence
    space = replace(space, entities=np.full_like(kge.entity_embeddings_, np.nan))
    kge.predictor_ = replace(kge.predictor_, evidence=(space,))
    for ask in (kge.score_triples, kge.predict, kge.rank, lambda X: kge.complete([("e1", None, "e2")])):
        with pytest.raises(FloatingPointError, match="a score is NaN"):
            ask(small.labels)


def test_training_that_diverges_is_an_error_and_leaves_the_estimator_as_it_was(small):
    kge = quick(learning_rate=1e30, early_stopping=False)
    with pytest.raises(FloatingPointError, match="diverged"):
        kge.fit(small.labels)
    with pytest.raises(NotFittedError):
        kge.predict(small.labels)
    expected = kge.set_params(learning_rate=0.1).fit(small.labels).decision_function(small.labels)
    with pytest.raises(FloatingPointError, match="diverged"):
        kge.set_params(learning_rate=1e30).fit(small.labels)
    np.testing.assert_array_equal(kge.decision_function(small.labels), expected)


def test_memory_mapped_model_answers_without_a_warning(fused, small, tmp_path):
    joblib.dump(fused, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    np.testing.assert_array_equal(mapped["kge"].rank(small), fused["kge"].rank(small))


def test_device_that_is_not_there(small, fitted):
    with pytest.raises(ValueError, match="device='tpu' is not available here"):
        quick(device="tpu").fit(small.labels)
    elsewhere = clone(fitted).fit(small.labels).set_params(device="tpu")
    np.testing.assert_array_equal(elsewhere.rank(small.labels), fitted.rank(small.labels))


def test_complete_needs_an_empty_place(fitted):
    with pytest.raises(ValueError, match="put None in"):
        fitted.complete([("a", "b", "c")])


def test_held_out_rows_do_not_shape_the_space_that_is_judged_on_them(small):
    fused = OTFusionTransformer(8, random_state=0).fit_transform(small)
    kge = quick(embedding_dim=None, refit=False)
    split = split_of(fused, kge.validation_fraction, np.random.RandomState(0))
    kept, held = split.train, split.validation_ids
    assert len(kept) + len(held) == len(small)
    again = OTFusionTransformer(8, random_state=0).fit_transform(
        small[np.isin(np.arange(len(small)), rows_of(kept, small))]
    )
    np.testing.assert_array_equal(kept.fusion.structure, again.fusion.structure)
    assert not np.allclose(kept.fusion.structure, fused.fusion.structure)


def split_of(X, validation_fraction, random_state):
    return make_split(*true_and_false(X, None), None, None, validation_fraction, random_state)


def rows_of(part, whole):
    position = {tuple(ids): row for row, ids in enumerate(whole.ids.tolist())}
    return [position[tuple(ids)] for ids in part.ids.tolist()]


def test_refit_trains_on_all_rows_for_the_best_number_of_epochs(small):
    refitted = quick(max_iter=12).fit(small.labels)
    plain = quick(max_iter=refitted.best_iter_, validation_fraction=0, early_stopping=False).fit(small.labels)
    np.testing.assert_array_equal(refitted.entity_embeddings_, plain.entity_embeddings_)
    assert not np.allclose(
        quick(max_iter=12, refit=False).fit(small.labels).entity_embeddings_, plain.entity_embeddings_
    )


def test_early_stopping_restores_the_best_epoch(small):
    train, valid = small[:-20].labels, small[-20:]
    X = small.with_triples(train)
    with pytest.warns(UserWarning, match="the modalities text, image are not used"):
        kge = quick(evidence="fused", max_iter=60, n_iter_no_change=3).fit(X, X_val=valid)
    assert kge.n_iter_ < 60
    assert kge.best_iter_ <= kge.n_iter_ - 3
    assert kge.evaluate(valid)["mrr"] == pytest.approx(max(kge.validation_scores_))


def test_validation_triples_count_as_known(small):
    X, valid = small.with_triples(small[:-20].labels), small[-20:].labels
    kge = OTKGEClassifier(**QUICK).fit(
        MultimodalTriples(X.labels, entities=X.entities, relations=X.relations), X_val=valid
    )
    assert kge.predictor_.true_ids.shape == (len(small), 3)


def test_no_row_to_spare_warns_and_trains_on(small):
    path = [(f"n{i}", "r", f"n{i + 1}") for i in range(12)]
    with pytest.warns(UserWarning, match="no triple can be held out"):
        kge = quick().fit([(a, f"{r}{i}", b) for i, (a, r, b) in enumerate(path)])
    assert kge.n_iter_ == 4
    assert kge.validation_scores_ == []


def test_weights_of_evidence_do_not_depend_on_the_working_memory(small):
    fused = OTFusionTransformer(6, random_state=0).fit_transform(small)
    found = []
    for working_memory in (1024, 0.01):
        with config_context(working_memory=working_memory):
            found.append(quick(embedding_dim=None, evidence="all").fit(fused))
    assert found[0].evidence_names_ == found[1].evidence_names_
    assert found[0].evidence_weights_.shape == (len(found[0].evidence_names_), 2, 3)
    np.testing.assert_allclose(found[1].evidence_weights_, found[0].evidence_weights_, rtol=0.01)


def test_structure_lr_factor_moves_the_structure_of_the_fused_space_alone(small):
    fused = OTFusionTransformer(6, random_state=0).fit_transform(small)
    found = {}
    for step in (0, 0.1, 1.0):
        kge = quick(embedding_dim=None, evidence="all", structure_lr_factor=step, max_iter=3, refit=False)
        found[step] = kge.fit(fused)
    start = parameters_of(found[0], "fused")["structure"]
    moved = {step: np.abs(parameters_of(kge, "fused")["structure"] - start).mean() for step, kge in found.items()}
    assert moved[1.0] > 2 * moved[0.1] > 0
    for space in ("structure", "text"):
        tables = [kge.space_embeddings_[space] for kge in found.values()]
        np.testing.assert_array_equal(tables[0], tables[1])
        np.testing.assert_array_equal(tables[0], tables[2])


@pytest.mark.parametrize("options", [dict(objective="logistic"), dict(objective=CrossEntropy(n_sampled=5)), dict()])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
def test_a_structure_lr_factor_of_zero_keeps_the_structure(small, options, optimizer):
    fused = OTFusionTransformer(6, random_state=0).fit_transform(small)
    options |= dict(
        embedding_dim=None, optimizer=optimizer, evidence="fused", structure_lr_factor=0, early_stopping=False
    )
    one, two = (parameters_of(quick(**options, max_iter=epochs).fit(fused), "fused") for epochs in (1, 2))
    np.testing.assert_array_equal(one["structure"], two["structure"])
    assert not np.array_equal(one["map of text"], two["map of text"])


def test_a_transport_lr_factor_of_zero_keeps_the_maps(small):
    fused = OTFusionTransformer(8, random_state=0).fit_transform(small)
    kept = quick(embedding_dim=None, transport_lr_factor=0, refit=False).fit(fused)
    learned = quick(embedding_dim=None, refit=False).fit(fused)
    for name in small.modalities:
        key = f"map of {name}"
        start = 1e-2 * kept_maps(kept, fused)[name]
        for space in (name, "fused"):
            np.testing.assert_allclose(parameters_of(kept, space)[key], start, rtol=1e-5)
            assert not np.allclose(parameters_of(learned, space)[key], start, rtol=1e-2)


def kept_maps(kge, fused):
    return split_of(fused, kge.validation_fraction, _random_state_of_fit()).train.fusion.maps


def _random_state_of_fit():
    random_state = np.random.RandomState(QUICK["random_state"])
    random_state.randint(np.iinfo(np.int32).max)
    return random_state


def test_entity_without_triples_is_placed_by_its_vectors_and_ties_without(small):
    text = np.array(small.modalities["text"])
    text[3] = np.nan
    rows = (small.ids[:, [0, 2]] != 3).all(axis=1) & (small.ids[:, [0, 2]] != 4).all(axis=1)
    X = MultimodalTriples(
        small[rows].labels, {"text": text}, entities=small.entities, relations=[*small.relations, "new"]
    )
    with pytest.warns(UserWarning, match="2 of 30 entities and 1 of 4 relations have no training triple"):
        pipe = pipeline(kge=dict(score_function="transe")).fit(X)
    np.testing.assert_array_equal(pipe["kge"].entity_embeddings_[3], 0)
    assert np.abs(pipe["kge"].entity_embeddings_[4]).sum() > 0
    unknown_head, unknown_relation = pipe["kge"].rank([("e3", "r0", "e1"), ("e5", "new", "e6")])
    assert unknown_head[1] == 15.5
    assert pipe["kge"].predict_proba([("e5", "new", "e6")])[0, 1] == pytest.approx(0.5)
    np.testing.assert_array_equal(unknown_relation, 15.5)
    assert pipe["kge"].rank([("e4", "r0", "e1")])[0, 1] != 15.5


def test_labels_outside_the_table(small, fitted):
    rows = [("e1", "r0", "e2"), ("stranger", "r0", "e2"), ("e1", "unheard", "e2")]
    with pytest.raises(ValueError, match="fit has not seen: 'stranger', 'unheard'; set handle_unknown='last'"):
        fitted.rank(rows)
    last = quick(handle_unknown="last").fit(small.labels)
    np.testing.assert_array_equal(last.rank(rows)[1:], 31)
    assert last.rank(rows)[0].max() <= 30
    assert np.isneginf(last.decision_function(rows)[1:]).all()
    np.testing.assert_array_equal(last.predict(rows)[1:], 0)
    np.testing.assert_array_equal(last.predict_proba(rows)[1:, 1], 0)
    assert last.complete([("stranger", "r0", None)], k=2).labels.tolist() == [[None, None]]


def test_ids_are_matched_by_label_across_containers(fused, small):
    entities = small.entities[::-1]
    other = MultimodalTriples(small.labels, entities=entities, relations=small.relations[::-1])
    np.testing.assert_array_equal(fused["kge"].rank(other), fused["kge"].rank(small))


def test_warm_start_continues(small):
    kge = quick(warm_start=True, validation_fraction=0, max_iter=3).fit(small.labels)
    first = kge.loss_curve_
    kge.fit(small.labels)
    assert kge.loss_curve_[0] < first[0]
    for change, told in (
        (dict(embedding_dim=6), "warm_start=True needs the score function"),
        (dict(score_function="rotate"), "score_function='rotate' differs from that of the previous fit, ComplEx\\(\\)"),
        (
            dict(score_function="distmult"),
            "score_function='distmult' differs from that of the previous fit, ComplEx\\(\\)",
        ),
    ):
        with pytest.raises(ValueError, match=told):
            clone(kge).fit(small.labels).set_params(**change).fit(small.labels)


@pytest.mark.parametrize(
    ("parameters", "y", "message"),
    [
        (dict(embedding_dim=7), None, "score_function='complex' needs an even number of dimensions"),
        (
            dict(score_function="rotate", embedding_dim=7),
            None,
            "score_function='rotate' needs an even number of dimensions",
        ),
        (dict(score_function="best"), None, "'score_function' parameter"),
        (dict(learning_rate=0), None, "'learning_rate' parameter"),
        ({}, "twos", r"values in \{0, 1\}"),
        ({}, "zeros", "holds no true triple"),
        ({}, "short", "expected 176 values"),
    ],
)
def test_wrong_input_is_named(small, parameters, y, message):
    values = {None: None, "twos": np.full(176, 2), "zeros": np.zeros(176), "short": np.ones(3)}[y]
    with pytest.raises(ValueError, match=message):
        quick(**parameters).fit(small.labels, values)


def test_width_that_contradicts_the_fusion_and_strange_validation_triples(small):
    fused = OTFusionTransformer(8, random_state=0).fit_transform(small)
    with pytest.raises(ValueError, match="embedding_dim=6 differs from the 8 dimensions of the fusion"):
        quick(embedding_dim=6).fit(fused)
    with pytest.raises(ValueError, match="X_val has labels that X lacks: 'stranger'"):
        quick().fit(small.labels, X_val=[("stranger", "r0", "e1")])
    with pytest.raises(ValueError, match="X_val has no triple; leave it at None"):
        quick().fit(small.labels, X_val=[])


def test_odd_halves_of_a_concatenation_are_refused(small):
    with pytest.raises(ValueError, match=r"needs an even number of dimensions .*got 3"):
        pipeline({"n_components": 3, "fusion": "concat"}).fit(small.with_triples(small.labels))


def test_odd_width_suits_score_functions_without_halves(small):
    assert quick(score_function="transe", embedding_dim=7).fit(small.labels).entity_embeddings_.shape == (30, 7)


def test_grid_search_over_both_steps(small):
    folds = PredefinedSplit(np.where(np.arange(len(small)) < 150, -1, 0))
    X = small[np.random.RandomState(0).permutation(len(small))]
    grid = {"fuse__p": [1, 2], "kge__learning_rate": [0.05, 0.1]}
    search = GridSearchCV(pipeline(kge=dict(early_stopping=False)), grid, cv=folds).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert 0 < search.best_score_ <= 1
    assert search.predict(X).shape == (len(small),)


def test_modalities_reach_workers_and_predictions_agree(small, n_workers):
    grid = {"kge__learning_rate": [0.05, 0.1]}
    folds = PredefinedSplit(np.where(np.arange(len(small)) < 150, -1, 0))
    serial, parallel = (
        GridSearchCV(pipeline(), grid, cv=folds, n_jobs=n_jobs, refit=False).fit(small).cv_results_["mean_test_score"]
        for n_jobs in (1, n_workers)
    )
    np.testing.assert_allclose(serial, parallel, atol=1e-3)


@pytest.mark.parametrize("score_function", ["complex", "distmult", "transe", "rotate"])
def test_half_precision_changes_the_training_of_dot_products_alone(small, score_function):
    options = {"embedding_dim": 8, "max_iter": 5, "early_stopping": False, "random_state": 0}
    full, half = (
        OTKGEClassifier(score_function, matmul_precision=precision, **options).fit(small.labels)
        for precision in ("float32", "bfloat16")
    )
    assert half.entity_embeddings_.dtype == np.float32
    same = np.array_equal(half.entity_embeddings_, full.entity_embeddings_)
    assert same == (score_function in ("transe", "rotate"))
    np.testing.assert_allclose(half.loss_curve_, full.loss_curve_, rtol=0.01)
