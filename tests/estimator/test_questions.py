"""Ranks and metrics among candidates and negatives, of one side or both, against plain loops over all triples."""

from copy import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context

from skotkge import OTKGEClassifier
from skotkge.baselines import RuleBaseline
from skotkge.metrics import adjusted_mean_rank_index, mean_reciprocal_rank, summarize_ranks

COLUMN = {"head": 0, "tail": 2}
CANDIDATES = {
    "none": None,
    "all": "all",
    "seen": "seen",
    "labels": [f"e{number}" for number in range(0, 30, 3)],
    "mapping": {"r0": ["e1", "e2", "e3"], "r1": {"head": ["e4", "e5"], "tail": ["e6"]}},
}


@pytest.fixture(scope="module", params=["trained", "rules"])
def model(request, small):
    train = small.labels[:-14]
    if request.param == "rules":
        return RuleBaseline(random_state=0).fit(train)
    return OTKGEClassifier(embedding_dim=6, max_iter=8, random_state=0).fit(train)


@pytest.fixture(scope="module")
def test(small, model):
    rows = small.labels[-14:]
    return rows[np.isin(rows[:, [0, 2]], model.entities_).all(axis=1)]


def allowed_labels(candidates, triple, side, train):
    """The labels that may answer, by reading what the user gave."""
    _, relation, _ = triple
    everyone = {f"e{number}" for number in range(30)}
    if candidates is None or candidates == "all":
        return everyone
    if candidates == "seen":
        return set(train[train[:, 1] == relation][:, COLUMN[side]])
    if isinstance(candidates, dict):
        of_relation = candidates.get(relation, everyone)
        return set(of_relation.get(side, everyone) if isinstance(of_relation, dict) else of_relation)
    return set(candidates)


def corrupted(triple, side, labels):
    rows = np.repeat(triple[None], len(labels), axis=0)
    rows[:, COLUMN[side]] = labels
    return rows


def rank_bounds(model, triple, side, labels):
    """Least and greatest rank of a triple among those with other labels, if scores that nearly tie may change."""
    own = model.decision_function(triple[None], side=side)
    others = model.decision_function(corrupted(triple, side, labels), side=side) if labels else np.empty(0)
    near = np.isclose(others, own, rtol=1e-4, atol=1e-5)
    better = np.count_nonzero((others > own) & ~near)
    return 1 + better, 1 + better + np.count_nonzero(near)


@pytest.mark.parametrize("form", CANDIDATES)
@pytest.mark.parametrize("working_memory", [0.001, 1024])
def test_ranks_are_those_among_the_candidates(model, small, test, form, working_memory):
    train, candidates = small.labels[:-14], CANDIDATES[form]
    known = set(map(tuple, np.concatenate([train, test])))
    with config_context(working_memory=working_memory):
        ranks = model.rank(test, candidates=candidates)
    n_candidates = np.empty(ranks.shape)
    for row, triple in enumerate(test):
        for column, side in enumerate(COLUMN):
            labels = sorted(allowed_labels(candidates, triple, side, train))
            labels = [a for a in labels if tuple(corrupted(triple, side, [a])[0]) not in known]
            least, greatest = rank_bounds(model, triple, side, labels)
            assert least <= ranks[row, column] <= greatest, (triple, side)
            n_candidates[row, column] = len(labels) + 1
    told = model.evaluate(test, candidates=candidates)
    assert told == pytest.approx(summarize_ranks(ranks) | {key: told[key] for key in told if key.endswith("amri")})
    assert told["amri"] == pytest.approx(adjusted_mean_rank_index(ranks, n_candidates))
    assert told["tail_amri"] == pytest.approx(adjusted_mean_rank_index(ranks[:, 1], n_candidates[:, 1]))


def test_one_side_or_both_in_any_order(model, test):
    both = model.rank(test)
    np.testing.assert_array_equal(model.rank(test, sides=("tail",)), both[:, [1]])
    np.testing.assert_array_equal(model.rank(test, sides="head"), both[:, [0]])
    np.testing.assert_array_equal(model.rank(test, sides=np.array(["head"])), both[:, [0]])
    np.testing.assert_array_equal(model.rank(test, sides=("tail", "head")), both[:, ::-1])
    tails = model.evaluate(test, sides=["tail"])
    assert not any(name.startswith("head_") for name in tails)
    assert tails["mrr"] == tails["tail_mrr"] == model.evaluate(test)["tail_mrr"]


@pytest.mark.parametrize("sides", [(), "both", ("head", "head"), ("head", "middle"), 3])
def test_other_sides_are_refused(model, test, sides):
    with pytest.raises(ValueError, match="sides="):
        model.rank(test, sides=sides)


class TestNegatives:
    def test_given_negatives_are_ranked_as_they_are(self, model, test):
        negatives = {
            side: np.array([[f"e{(row + 7 * k) % 30}" for k in range(6)] for row in range(len(test))], object)
            for side in COLUMN
        }
        told = model.evaluate(test, negatives=negatives)
        bounds = [
            [
                rank_bounds(model, triple, side, [a for a in negatives[side][row] if a != triple[COLUMN[side]]])
                for side in COLUMN
            ]
            for row, triple in enumerate(test)
        ]
        least, greatest = np.moveaxis(np.array(bounds), 2, 0)
        assert mean_reciprocal_rank(greatest) <= told["mrr"] <= mean_reciprocal_rank(least)
        assert least.mean() <= told["mean_rank"] <= greatest.mean()
        tails = model.evaluate(test, sides=("tail",), negatives=negatives["tail"])
        assert tails["tail_mean_rank"] == told["tail_mean_rank"]
        assert model.evaluate(test, sides=("tail",), negatives=negatives) == tails

    def test_one_array_of_negatives_is_for_each_side(self, model, test):
        negatives = np.array([[f"e{(row + 7 * k) % 30}" for k in range(6)] for row in range(len(test))], object)
        told = model.evaluate(test, negatives=negatives)
        assert told == model.evaluate(test, negatives={"head": negatives, "tail": negatives})
        assert told != model.evaluate(test, negatives={"head": negatives, "tail": negatives[::-1]})
        assert told == model.evaluate(test, negatives=pd.DataFrame(negatives))

    def test_as_many_negatives_as_there_are_give_the_filtered_ranks(self, model, test):
        all_of_them = model.evaluate(test, candidates="seen")
        drawn = model.evaluate(test, candidates="seen", negatives=29, random_state=0)
        # The one is in single precision, the other in double.
        assert drawn == pytest.approx(all_of_them, abs=0.05)
        assert drawn["amri"] == pytest.approx(all_of_them["amri"], abs=0.01)
        assert model.evaluate(test, candidates="seen", negatives=10**15, random_state=0) == pytest.approx(drawn)

    def test_drawn_negatives_are_false_distinct_and_of_the_candidates(self, model, small, test):
        from skotkge._estimator.candidates import entity_candidates
        from skotkge._ranking.evaluation import sample_negatives

        predictor = model.predictor_
        ids = predictor.vocabulary.ids_of(test)
        known = predictor.known_with([ids])
        allowed = entity_candidates(predictor, "seen")
        drawn = sample_negatives(predictor, ids, known, ("head", "tail"), 5, allowed, np.random.RandomState(0))
        true = set(map(tuple, np.concatenate([small.labels[:-14], test])))
        for side, entities in drawn.items():
            for triple, row in zip(test, entities, strict=True):
                labels = [model.entities_[entity] for entity in row if entity >= 0]
                assert len(set(labels)) == len(labels)
                assert set(labels) <= allowed_labels("seen", triple, side, small.labels[:-14])
                assert not {tuple(corrupted(triple, side, [label])[0]) for label in labels} & true
        counts = np.bincount(np.concatenate([found.ravel() for found in drawn.values()]) + 1, minlength=31)[1:]
        assert np.count_nonzero(counts) > 20

    def test_the_generator_decides(self, model, test):
        first, again, other = (model.evaluate(test, negatives=3, random_state=seed) for seed in (0, 0, 1))
        assert first == again
        assert first != other

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"negatives": 0}, "negatives=0; give a number of at least 1"),
            ({"negatives": [["e1"]]}, "give a number, or a mapping of 'head' and 'tail'"),
            ({"negatives": "e1"}, r"negatives='e1'; give a whole number"),
            ({"negatives": 10.0}, r"negatives=10.0; give a whole number"),
            ({"negatives": True}, r"negatives=True; give a whole number"),
            ({"negatives": [["e1"]], "sides": ("tail",)}, r"expected \(\d+, n_negatives\)"),
            (
                {"negatives": {"head": [["e1"]], "tail": [["e1"]]}},
                r"negatives\['head'\] has the shape \(1, 1\), expected",
            ),
            ({"negatives": {"tail": [["e1"]]}}, r"negatives has the sides \['tail'\]"),
            ({"negatives": {"tail": [["e1"]], "top": [["e1"]]}, "sides": ("tail",)}, r"negatives has the sides"),
            ({"negatives": {"tail": [["e1"]]}, "candidates": "seen", "sides": ("tail",)}, "leave one out"),
            ({"average": "macro"}, "average='macro'"),
        ],
    )
    def test_other_forms_are_refused(self, model, test, options, message):
        with pytest.raises(ValueError, match=message):
            model.evaluate(test, **options)
        with pytest.raises(ValueError, match="X is empty"):
            model.evaluate(test[:0])
        with pytest.raises(ValueError, match="negatives has labels that the model does not know: 'e99'"):
            model.evaluate(test, negatives=[["e99"]] * len(test), sides=("tail",))


class TestAverages:
    def test_by_relation(self, model, test):
        ranks = model.rank(test)
        told = model.evaluate(test, average="relation")
        of_relations = [ranks[test[:, 1] == relation] for relation in np.unique(test[:, 1])]
        assert told["mrr"] == pytest.approx(np.mean([mean_reciprocal_rank(part) for part in of_relations]))
        assert told["head_mean_rank"] == pytest.approx(np.mean([part[:, 0].mean() for part in of_relations]))

    def test_by_degree(self, model, small, test):
        ranks = model.rank(test)
        told = model.evaluate(test, average="degree")
        linked = small.labels[:-14][:, [0, 2]].ravel().tolist()
        groups = np.array([[int(linked.count(label)).bit_length() for label in row] for row in test[:, [0, 2]]])
        wanted = np.mean([(1 / ranks[groups == group]).mean() for group in np.unique(groups)])
        assert told["mrr"] == pytest.approx(wanted)
        tails = [ranks[:, 1][groups[:, 1] == group].mean() for group in np.unique(groups[:, 1])]
        assert told["tail_mean_rank"] == pytest.approx(np.mean(tails))


def test_unknown_labels_come_last_however_one_ranks(model, test):
    rows = np.concatenate([test[:3], [["stranger", "r0", "e1"]]])
    assert model.rank(rows, candidates="seen", sides="head", handle_unknown="last")[-1].tolist() == [31]
    told = model.evaluate(rows, negatives=4, random_state=0, average="relation", handle_unknown="last")
    assert all(np.isfinite(list(told.values())))


def test_candidates_may_be_sets(model, test):
    labels = CANDIDATES["labels"]
    np.testing.assert_array_equal(model.rank(test, candidates=set(labels)), model.rank(test, candidates=labels))
    by_side = {"r1": {"tail": frozenset(labels)}}
    np.testing.assert_array_equal(
        model.rank(test, candidates=by_side), model.rank(test, candidates={"r1": {"tail": labels}})
    )
    question = [(test[0][0], None, test[0][2])]
    (found,) = model.complete(question, candidates={"r0", "r1"}, known_answers="mark").labels
    assert {label for label in found if label is not None} <= {"r0", "r1"}


def test_candidates_that_name_nothing_are_refused(model, test):
    for candidates in ("far", {"r9": ["e1"]}, {"r0": {"middle": ["e1"]}}, {"r0": ["e99"]}, ["e99"]):
        with pytest.raises(ValueError, match="candidates"):
            model.rank(test, candidates=candidates)
    with pytest.raises(ValueError, match="maps relations to entities, but a question asks for the relation"):
        model.complete([("e1", None, "e2")], candidates={"r0": ["e1"]})


def test_a_mapping_is_of_relations_and_sides(model):
    candidates = {"r0": {"head": ["e1"], "tail": ["e2", "e3"]}}
    questions = [(None, "r0", "e5"), ("e5", "r0", None), ("e5", "r1", None)]
    found = model.complete(questions, k=30, candidates=candidates, known_answers="mark").labels
    assert set(found[0]) - {None} == {"e1"}
    assert set(found[1]) - {None} == {"e2", "e3"}
    assert len(set(found[2]) - {None}) > 20


def every_triple(model, **places):
    """All triples with given labels in some places."""
    head = [places["head"]] if "head" in places else model.entities_
    relation = [places["relation"]] if "relation" in places else model.relations_
    tail = [places["tail"]] if "tail" in places else model.entities_
    return np.array(np.meshgrid(head, relation, tail, indexing="ij"), dtype=object).reshape(3, -1).T


def best_by_loop(model, triples, side, known, may_answer=lambda triple: True):
    """Log-odds of the triples that may answer, in decreasing order, with the triples."""
    excluded = model.predictor_.excludes_self_loops
    loops = dict(zip(model.relations_, excluded, strict=False))
    kept = [
        triple
        for triple in triples
        if tuple(triple) not in known and not (triple[0] == triple[2] and loops[triple[1]]) and may_answer(triple)
    ]
    scores = model.decision_function(np.array(kept, dtype=object), side=side)
    order = np.argsort(-scores, kind="stable")
    return [tuple(kept[row]) for row in order], scores[order]


OPEN = {
    "pairs": ((None, "r1", None), "both", {"relation": "r1"}),
    "tails": (("e3", None, None), "tail", {"head": "e3"}),
    "heads": ((None, None, "e3"), "head", {"tail": "e3"}),
    "graph": ((None, None, None), "both", {}),
}


class TestOpenQuestions:
    @pytest.mark.parametrize("working_memory", [0.01, 1024])
    @pytest.mark.parametrize("form", OPEN)
    @pytest.mark.parametrize("k", [1, 7, 200])
    def test_the_best_are_those_of_a_loop_over_all(self, model, small, form, working_memory, k):
        question, side, places = OPEN[form]
        known = set(map(tuple, small.labels[:-14]))
        triples, scores = best_by_loop(model, every_triple(model, **places), side, known)
        with config_context(working_memory=working_memory):
            found = model.complete([question], k=k)
        n_found = min(k, len(triples))
        assert np.isfinite(found.scores[0]).sum() == n_found
        np.testing.assert_allclose(found.scores[0, :n_found], scores[:n_found], rtol=1e-4, atol=1e-5)
        own = model.decision_function(found.triples[0, :n_found], side=side)
        np.testing.assert_allclose(own, found.scores[0, :n_found], rtol=1e-4, atol=1e-5)
        given = set(map(tuple, found.triples[0, :n_found]))
        assert len(given) == n_found
        assert given <= set(triples)
        assert not found.known.any()

    @pytest.mark.parametrize("candidates", ["seen", "labels", "mapping"])
    @pytest.mark.parametrize("form", OPEN)
    def test_candidates_are_those_of_both_sides(self, model, small, form, candidates):
        question, side, places = OPEN[form]
        train, given = small.labels[:-14], CANDIDATES[candidates]
        sides = [name for name in COLUMN if name not in places]
        of_heads, of_tails = (set(zip(train[:, 1], train[:, column], strict=True)) for column in (0, 2))

        def may_answer(triple):
            if candidates == "seen" and "head" in places and (triple[1], triple[0]) not in of_heads:
                return False
            if candidates == "seen" and "tail" in places and (triple[1], triple[2]) not in of_tails:
                return False
            return all(triple[COLUMN[name]] in allowed_labels(given, triple, name, train) for name in sides)

        triples, scores = best_by_loop(model, every_triple(model, **places), side, set(), may_answer)
        found = model.complete([question], k=len(triples) + 3, candidates=given, known_answers="mark")
        assert set(map(tuple, found.triples[0, : len(triples)])) == set(triples)
        np.testing.assert_allclose(found.scores[0, : len(triples)], scores, rtol=1e-4, atol=1e-5)
        assert found.labels[0, len(triples) :].tolist() == [[None] * found.labels.shape[2]] * 3
        marks = [tuple(triple) in set(map(tuple, train)) for triple in found.triples[0, : len(triples)]]
        np.testing.assert_array_equal(found.known[0, : len(triples)], marks)

    def test_likeliest_missing_is_the_question_without_any_label(self, model, test):
        missing, asked = model.likeliest_missing(5, known=test), model.complete([[None] * 3], k=5, known=test)
        np.testing.assert_array_equal(missing.triples, asked.triples)
        assert not set(map(tuple, missing.triples[0])) & set(map(tuple, test))
        frame = missing.to_frame()
        assert frame["rank"].tolist() == [1, 2, 3, 4, 5]
        assert frame[["head", "relation", "tail"]].to_numpy().tolist() == missing.triples[0].tolist()
        assert "(?, ?, ?)" in repr(missing)
        assert ">relation<" in missing._repr_html_()

    @pytest.mark.parametrize("form", OPEN)
    def test_probabilities_are_those_of_the_questions_for_each_side(self, model, form):
        question, side, _ = OPEN[form]
        found = model.complete([question], k=12)
        # As if the questions for one side were open, too.
        lines, asking = model.predictor_.answer_lines, copy(model)
        asking.predictor_ = replace(model.predictor_, answer_lines=lines and (lines[2], *lines[1:]))
        own = []
        for triple in found.triples[0]:
            log_odds = []
            for place in [COLUMN[name] for name in ("head", "tail") if side in (name, "both")]:
                asked = triple.copy()
                asked[place] = None
                one = asking.complete([asked], k=30)
                share = one.probabilities[0][one.labels[0] == triple[place]][0]
                log_odds.append(np.log(share / (1 - share)))
            own.append(1 / (1 + np.exp(-np.mean(log_odds))))
        # Any run of answers of one probability has the mean of theirs, and none rises.
        assert (np.diff(found.probabilities[0]) <= 0).all()
        for shared in np.unique(found.probabilities[0]):
            together = found.probabilities[0] == shared
            assert shared == pytest.approx(np.mean(np.array(own)[together]), rel=1e-3)

    def test_questions_of_one_call_have_equally_many_empty_positions(self, model):
        with pytest.raises(ValueError, match="X has 2 empty positions in row 1"):
            model.complete([("e1", "r0", None), (None, "r0", None)])
        with pytest.raises(ValueError, match="X has 0 empty positions in row 0"):
            model.complete([("e1", "r0", "e2")])

    def test_unknown_labels_have_no_answer(self, model):
        found = model.complete([("stranger", None, None), ("e3", None, None)], k=2, handle_unknown="last")
        assert found.labels[0].tolist() == [[None, None]] * 2
        assert np.isfinite(found.scores[1]).all()
