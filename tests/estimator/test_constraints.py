"""Constraints of relations: what follows, what is ruled out, and answers that obey, against plain loops over sets."""

import numpy as np
import pytest
from sklearn import config_context

import skotkge
from skotkge import MultimodalTriples, OTKGEClassifier
from skotkge._graph.constraints import as_statements, resolve
from skotkge._ranking.constraint_checks import ConstraintChecker
from skotkge.inspection import contradictions

ENTITIES = [f"e{number}" for number in range(12)]
RELATIONS = ["knows", "parent", "child", "born_in", "boss", "rival", "is_a"]
CONSTRAINTS = {
    "knows": {"symmetric": True, "disjoint_with": "rival"},
    "parent": {"inverse_of": ["child"], "domain": ENTITIES[:9], "disjoint_with": ["boss", "rival"]},
    "born_in": {"functional": True, "range": {"is_a": ["City", "Town"]}, "domain": [{"is_a": "Person"}]},
    "boss": {"inverse_functional": True},
    "rival": {"symmetric": True, "functional": True},
}
TYPES = {"e0": "Person", "e1": "Person", "e2": "City", "e3": "Town", "e4": "City", "e5": "River", "e6": "Person"}


def graph(seed=3, n_triples=60):
    rng = np.random.RandomState(seed)
    ids = np.unique(rng.randint([12, 6, 12], size=(n_triples, 3)), axis=0)
    ids = ids[ids[:, 0] != ids[:, 2]]
    triples = [(ENTITIES[h], RELATIONS[r], ENTITIES[t]) for h, r, t in rng.permutation(ids)]
    return [*triples, *((entity, "is_a", kind) for entity, kind in TYPES.items())]


def following(facts, constraints=CONSTRAINTS):
    """Everything that follows from facts, by applying the rules until nothing is new."""
    facts = set(facts)
    while True:
        new = set()
        for head, relation, tail in facts:
            for name, said in constraints.items():
                inverses = said.get("inverse_of", [])
                if relation == name and said.get("symmetric"):
                    new.add((tail, relation, head))
                if relation == name:
                    new |= {(tail, other, head) for other in inverses}
                if relation in inverses:
                    new.add((tail, name, head))
        if new <= facts:
            return facts
        facts |= new


def may_stand(entity, side, facts):
    """Whether an entity is in what "domain" or "range" says."""
    for part in [side] if isinstance(side, dict) else side if isinstance(side[0], dict) else [{None: side}]:
        for kind, wanted in part.items():
            own = {tail for head, relation, tail in facts if (head, relation) == (entity, kind)}
            wanted = wanted if isinstance(wanted, list) else [wanted]
            if (kind is None and entity not in wanted) or (kind is not None and own and not own & set(wanted)):
                return False
    return True


def contradicts(triple, facts, constraints=CONSTRAINTS):
    """Whether one of the consequences of a triple breaks what is said of its relation, given facts that are closed."""
    if triple in facts:
        return False
    for head, relation, tail in following({triple}, constraints):
        said = constraints.get(relation, {})
        tails = {t for h, r, t in facts if (h, r) == (head, relation)}
        heads = {h for h, r, t in facts if (r, t) == (relation, tail)}
        disjoint = said.get("disjoint_with", [])
        disjoint = {disjoint} if isinstance(disjoint, str) else set(disjoint)
        for name, others in constraints.items():
            others = others.get("disjoint_with", [])
            if relation in ([others] if isinstance(others, str) else others):
                disjoint.add(name)
        if (
            (said.get("functional") and tails - {tail})
            or (said.get("inverse_functional") and heads - {head})
            or any((head, other, tail) in facts for other in disjoint)
            or ("domain" in said and not may_stand(head, said["domain"], facts))
            or ("range" in said and not may_stand(tail, said["range"], facts))
        ):
            return True
    return False


@pytest.fixture(scope="module")
def triples():
    return graph()


@pytest.fixture(scope="module")
def closed(triples):
    return following(triples)


@pytest.fixture(scope="module")
def kge(triples):
    return OTKGEClassifier(embedding_dim=6, max_iter=4, constraints=CONSTRAINTS, random_state=0).fit(triples)


@pytest.fixture(scope="module")
def every(kge):
    grid = np.meshgrid(kge.entities_, kge.relations_, kge.entities_, indexing="ij")
    return np.array(grid, dtype=object).reshape(3, -1).T


@pytest.fixture(scope="module")
def wrong(every, closed):
    return np.array([contradicts(tuple(triple), closed) for triple in every])


def test_what_follows_is_known_and_trained_on(kge, triples, closed):
    known = kge.predictor_.vocabulary.labels_of(kge.predictor_.true_ids)
    assert set(map(tuple, known)) == closed
    assert len(closed) > len(set(triples))
    assert kge.was_trained_on(list(closed)).all()
    names = kge.evidence_names_
    rules = kge.predictor_.evidence[names.index("rules")].rules.confidences
    knows, parent, child = (kge.relations_.tolist().index(name) for name in ("knows", "parent", "child"))
    n_relations = len(kge.relations_)
    assert rules[knows + n_relations, knows] == rules[parent + n_relations, child] == 1
    assert rules.data.max() == 1


def test_each_triple_that_contradicts_is_improbable_and_no_other(kge, every, wrong):
    assert 100 < wrong.sum() < len(every) - 100
    np.testing.assert_array_equal(kge.predictor_.are_ruled_out(kge.predictor_.vocabulary.ids_of(every)), wrong)
    probabilities = kge.predict_proba(every)[:, 1]
    assert probabilities[wrong].max() < 1e-6
    assert probabilities[~wrong].max() > 0.5


@pytest.mark.parametrize("working_memory", [0.003, 1024])
def test_complete_offers_what_is_left(kge, every, wrong, closed, working_memory):
    allowed = {tuple(triple) for triple in every[~wrong]}
    excluded = dict(zip(kge.relations_, kge.predictor_.excludes_self_loops, strict=False))
    allowed = {triple for triple in allowed - closed if not (triple[0] == triple[2] and excluded[triple[1]])}
    with config_context(working_memory=working_memory):
        for column in range(3):
            questions = np.array(sorted({tuple(np.delete(triple, column)) for triple in every}), dtype=object)
            questions = np.insert(questions, column, None, axis=1)[:: 1 if working_memory > 1 else 9]
            asked = {tuple(np.delete(question, column)) for question in questions}
            found = kge.complete(questions, k=20)
            wanted = {triple for triple in allowed if triple[:column] + triple[column + 1 :] in asked}
            assert {tuple(triple) for triple in found.triples[np.isfinite(found.scores)]} == wanted
        for question in ((None, None, None), (None, "born_in", None), ("e1", None, None), (None, None, "e2")):
            found = kge.complete([question], k=2000)
            wanted = {
                triple
                for triple in allowed
                if all(label is None or label == own for label, own in zip(question, triple, strict=True))
            }
            assert {tuple(triple) for triple in found.triples[0][np.isfinite(found.scores[0])]} == wanted


@pytest.mark.parametrize("working_memory", [0.003, 1024])
def test_what_is_ruled_out_ranks_below_all_others(kge, every, wrong, closed, working_memory):
    is_wrong = dict(zip(map(tuple, every), wrong, strict=True))
    rows = every[::7]
    rows = rows[[tuple(triple) not in closed for triple in rows]]
    with config_context(working_memory=working_memory):
        ranks = np.array([kge.rank([triple])[0] for triple in rows])
    for triple, of_triple in zip(rows.tolist(), ranks, strict=True):
        for column, rank in zip((0, 2), of_triple, strict=True):
            others = [(*triple[:column], entity, *triple[column + 1 :]) for entity in kge.entities_]
            others = [other for other in others if other not in closed and other != tuple(triple)]
            n_right = sum(not is_wrong[other] for other in others)
            assert rank > n_right - 1e-9 if is_wrong[tuple(triple)] else rank <= n_right + 1


def test_a_known_triple_and_what_follows_from_it_are_filtered(kge, every, closed):
    new = next(tuple(t) for t in every if t[1] == "parent" and tuple(t) not in closed and t[0] != t[2])
    mirrored = (new[2], "child", new[0])
    found = kge.complete([(mirrored[0], "child", None)], k=20, known=[new], known_answers="mark")
    place = found.labels[0].tolist()
    if mirrored[2] in place:
        assert found.known[0, place.index(mirrored[2])]
    assert kge.predictor_.known_with([kge.predictor_.vocabulary.ids_of(np.array([new], dtype=object))]).contains(
        kge.predictor_.vocabulary.ids_of(np.array([mirrored], dtype=object))
    )[0]


@pytest.fixture(scope="module")
def more(every, wrong, closed):
    """Facts that the fit has not seen and that contradict none, as they are written and as sets with what follows."""
    rng, found, facts = np.random.RandomState(1), [], set(closed)
    for triple in map(tuple, rng.permutation(every[~wrong])):
        if triple not in facts and triple[0] != triple[2] and not contradicts(triple, facts):
            found.append(triple)
            facts = following({*facts, triple})
        if len(found) == 25:
            return found, facts
    raise AssertionError("too few")


def test_complete_obeys_what_follows_from_known_triples(kge, every, more):
    known, facts = more
    excluded = dict(zip(kge.relations_, kge.predictor_.excludes_self_loops, strict=False))
    allowed = {tuple(t) for t in every if not contradicts(tuple(t), facts)} - facts
    allowed = {triple for triple in allowed if not (triple[0] == triple[2] and excluded[triple[1]])}
    half = len(known) // 2
    for question in ((None, None, None), (None, "rival", None), ("e1", None, None)):
        found = kge.complete([question], k=2000, known=[known[:half], known[half:]])
        wanted = {t for t in allowed if all(label in (None, own) for label, own in zip(question, t, strict=True))}
        assert {tuple(triple) for triple in found.triples[0][np.isfinite(found.scores[0])]} == wanted
    for column in range(3):
        rows = every[::11].copy()
        rows[:, column] = None
        found = kge.complete(rows, k=20, known=known)
        asked = {tuple(np.delete(question, column)) for question in rows}
        wanted = {triple for triple in allowed if triple[:column] + triple[column + 1 :] in asked}
        assert {tuple(triple) for triple in found.triples[np.isfinite(found.scores)]} == wanted
    again = kge.complete([[None] * 3], k=2000)
    assert np.isfinite(again.scores).sum() > len(allowed)


def test_ranks_obey_known_triples_other_than_those_asked_about(kge, every, more, closed):
    known, facts = more
    rows = [t for t in map(tuple, every[::13]) if t not in facts]
    of_asked = dict.fromkeys(range(2), 0)
    for triple in rows + known:
        told = following({*closed, *known} - following({triple})) - following({triple})
        ranks = kge.rank([triple], known=known)[0]
        drawn = kge.evaluate([triple], known=known, negatives=len(kge.entities_))
        for place, (column, rank) in enumerate(zip((0, 2), ranks, strict=True)):
            others = [(*triple[:column], entity, *triple[column + 1 :]) for entity in kge.entities_]
            others = [t for t in others if t not in facts and t != triple]
            n_right = sum(not contradicts(other, told) for other in others)
            is_wrong = contradicts(triple, told)
            assert rank > n_right - 1e-9 if is_wrong else rank <= n_right + 1
            of_asked[place] += n_right < len(others)
            of_drawn = drawn["head_mean_rank" if place == 0 else "tail_mean_rank"]
            assert of_drawn > n_right - 1e-9 if is_wrong else of_drawn <= n_right + 1
    assert min(of_asked.values()) > 10


def test_known_triples_that_are_asked_about_give_no_answer_away(kge, more):
    known, _ = more
    of_one = [triple for triple in known if triple[1] in ("born_in", "boss", "rival")]
    assert of_one
    np.testing.assert_array_equal(kge.rank(of_one, known=of_one), kge.rank(of_one))
    mirrored = [triple[::-1] for triple in of_one if triple[1] == "rival"]
    asked = [triple for triple in of_one if triple[1] == "rival"]
    if asked:
        np.testing.assert_array_equal(kge.rank(asked, known=mirrored), kge.rank(asked))


def test_explain_says_which_constraint(kge, closed):
    head, _, tail = next(triple for triple in sorted(closed) if triple[1] == "born_in")
    other = next(city for city in ("e2", "e3", "e4") if city != tail)
    told = kge.explain([(head, "born_in", other), (head, "born_in", "e5"), (head, "born_in", tail)])
    assert told.by_kind()["constraints"][0] < -100
    assert told.by_kind()["constraints"][2] == 0
    np.testing.assert_allclose(told.log_odds, kge.decision_function(told.triples))
    functional = [fact for fact in told.facts[0] if fact.text == "ruled out by functional"]
    assert (head, "born_in", tail) in functional[0].triples
    assert len(functional) == 1
    assert any(fact.text == "ruled out by range" for fact in told.facts[1])
    assert not any(fact.evidence == "constraints" for fact in told.facts[2])
    # What decides is told first.
    assert told.facts[0][0].evidence == "constraints"
    assert "ruled out by" in str(told).split("\n(")[0]


def test_one_row_stands_for_all_that_follow_from_it():
    rows = [("a", "knows", "b"), ("b", "knows", "a"), ("a", "likes", "b"), ("a", "likes", "b"), ("c", "parent", "a")]
    rows += [("a", "child", "c"), ("b", "child", "c"), ("b", "knows", "b")]
    X = MultimodalTriples(rows, duplicates="keep")
    said = resolve(as_statements({"knows": {"symmetric": True}, "parent": {"inverse_of": "child"}}), X.vocabulary)
    assert said.representatives(X.ids).tolist() == [0, 2, 3, 4, 6, 7]
    entailed, origins = said.entailed(X.ids)
    assert X.vocabulary.labels_of(entailed).tolist() == [["c", "parent", "b"]]
    assert origins.tolist() == [6]


def test_nothing_that_follows_from_training_is_held_out(triples):
    both = list(following([t for t in triples if t[1] in ("knows", "parent", "is_a")]))
    X = MultimodalTriples(sorted(both))
    seen = []

    class Spy:
        def evidence_of(self, X):
            seen.append(set(map(tuple, X.labels)))
            raise KeyboardInterrupt

    said = {"knows": {"symmetric": True}, "parent": {"inverse_of": "child"}}
    options = dict(embedding_dim=4, max_iter=1, validation_fraction=0.3, random_state=0, constraints=said)
    with pytest.raises(KeyboardInterrupt):
        OTKGEClassifier(evidence=("structure", Spy()), **options).fit(X)
    trained = seen[0]
    assert following(trained) == trained
    assert 0 < len(trained) < len(X)


def test_constraints_are_saved_and_cloned(kge, every, tmp_path):
    skotkge.save(kge, tmp_path / "model.skops")
    loaded = skotkge.load(tmp_path / "model.skops")
    assert loaded.constraints == CONSTRAINTS
    np.testing.assert_array_equal(loaded.decision_function(every), kge.decision_function(every))
    asked = [("e1", "born_in", None)]
    np.testing.assert_array_equal(loaded.complete(asked).labels, kge.complete(asked).labels)


def test_a_model_of_the_epochs_so_far_obeys_too(triples, every, wrong, tmp_path):
    options = dict(embedding_dim=6, max_iter=2, constraints=CONSTRAINTS, random_state=0)
    OTKGEClassifier(checkpoint=tmp_path, **options).fit(triples)
    so_far = skotkge.load_checkpoint(tmp_path)
    probabilities = so_far.predict_proba(every)[:, 1]
    np.testing.assert_array_equal(so_far.predictor_.are_ruled_out(so_far.predictor_.vocabulary.ids_of(every)), wrong)
    assert probabilities[wrong].max() < 1e-6


def test_entities_without_a_known_type_may_join_and_others_not(triples, kge):
    """Those that a predictor learns of later are treated as any other."""
    more = kge.predictor_.vocabulary.with_entities(np.array(["new"], dtype=object))
    constraints = resolve(kge.predictor_.statements, more)
    checker = ConstraintChecker(constraints, kge.predictor_.true_ids, kge.predictor_.known, len(more.entities))
    rows = [("e0", "parent", "new"), ("new", "parent", "e0"), ("e0", "boss", "new"), ("new", "born_in", "e2")]
    assert checker.are_ruled_out(more.ids_of(np.array(rows, dtype=object))).tolist() == [False, True, False, False]


def test_statements_of_a_relation_hold_for_all_that_are_the_same(triples):
    """Those of a symmetric relation for both sides, those of an inverse for the sides changed."""
    said = {"parent": {"inverse_of": "child", "functional": True, "domain": ["e1"]}, "boss": {"inverse_of": "parent"}}
    X = MultimodalTriples(triples)
    found = resolve(as_statements(said), X.vocabulary)
    parent, child, boss = (X.relations.tolist().index(name) for name in ("parent", "child", "boss"))
    n_relations = len(X.relations)
    assert np.flatnonzero(found.functional).tolist() == sorted([parent, child + n_relations, boss + n_relations])
    assert set(found.members) == {parent + n_relations, child, boss}


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (3, "constraints"),
        ("owl", "constraints"),
        ({"knows": True}, r"constraints\['knows'\]=True; give a mapping of some of functional"),
        ({"knows": {"transitive": True}}, "has 'transitive'; give some of functional"),
        ({"knows": {"symmetric": "yes"}}, "give True or False"),
        ({"knwos": {"symmetric": True}}, r"names 'knwos', which is no relation of the triples \(similar.*'knows'"),
        ({"knows": {"range": "City"}}, "give a list of entities, or the type"),
        ({"knows": {"range": ["e99"]}}, "names 'e99', which is no entity"),
        ({"knows": {"range": {"isa": "City"}}}, "names 'isa', which is no relation"),
        (
            {"knows": {"range": {"is_a": "Citty"}}},
            r"names 'Citty', which is no entity of the triples \(similar.*City",
        ),
        ({"knows": {"inverse_of": ["nobody"]}}, "names 'nobody', which is no relation"),
    ],
)
def test_other_forms_and_labels_are_refused(triples, constraints, message):
    with pytest.raises((ValueError, TypeError), match=message):
        OTKGEClassifier(embedding_dim=4, max_iter=1, constraints=constraints).fit(triples)


class TestContradictions:
    def test_they_are_those_of_a_loop_over_pairs(self, triples):
        frame = contradictions(triples, CONSTRAINTS)
        found = {
            (row.constraint, (row.head, row.relation, row.tail), (row.other_head, row.other_relation, row.other_tail))
            for row in frame.itertuples()
        }
        assert len(found) == len(frame)
        assert len({row.constraint for row in frame.itertuples()}) >= 4
        facts, distinct = following(triples), list(dict.fromkeys(triples))
        types = {fact for fact in facts if fact[1] == "is_a"}
        involved = set()
        for _, triple, other in found:
            involved.add(triple)
            if isinstance(other[0], str):
                involved.add(other)
                # Each excludes the other, whatever else is known.
                assert contradicts(triple, following({other}) | types)
                assert distinct.index(other) < distinct.index(triple)
            else:
                assert contradicts(triple, types)
        wanted = {triple for triple in distinct if contradicts(triple, types)}
        for row, triple in enumerate(distinct):
            for other in distinct[:row]:
                if triple not in following({other}) and contradicts(triple, following({other}) | types):
                    wanted |= {triple, other} if not contradicts(triple, types) else set()
        assert wanted <= involved

    def test_a_graph_without_has_none(self, triples):
        assert len(contradictions(triples, {})) == 0
        pytest.importorskip("polars")
        frame = contradictions([("a", "r", "b"), ("a", "r", "c")], {"r": {"functional": True}}, library="polars")
        assert frame.rows() == [("functional", "a", "r", "c", "a", "r", "b")]
        with pytest.raises(ValueError, match="library='arrow'"):
            contradictions(triples, {}, library="arrow")


SCHEMA = """
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix : <http://e.org/> .
:born_in a owl:ObjectProperty, owl:FunctionalProperty ; rdfs:domain :Person ; rdfs:range :Place .
:City rdfs:subClassOf :Town . :Town rdfs:subClassOf :Place .
:spouse a owl:SymmetricProperty ; rdfs:domain owl:Thing ; rdfs:domain [ owl:unionOf ( :Person :Robot ) ] .
:parent owl:inverseOf :child ; owl:propertyDisjointWith :spouse .
:ssn a owl:InverseFunctionalProperty .
[] a owl:AllDisjointProperties ; owl:members ( :likes :hates :knows ) .
"""
FACTS = """
:ann a :Person ; :born_in :rome ; :spouse :bob ; :parent :eve .
:rome a :City . :bob a :Robot . :eve a :Person ; :likes :ann .
"""


class TestSchema:
    @pytest.fixture
    def path(self, tmp_path):
        pytest.importorskip("pyoxigraph")
        (tmp_path / "schema.ttl").write_text(SCHEMA, encoding="utf-8")
        (tmp_path / "all.ttl").write_text(SCHEMA + FACTS, encoding="utf-8")
        return tmp_path

    def test_a_file_says_what_is_written(self, path):
        of, kind = "http://e.org/{}".format, "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
        found = skotkge.read_constraints(path / "schema.ttl")
        spouse = found[of("spouse")]
        assert spouse["symmetric"] is True
        (types,) = (part[kind] for part in spouse["domain"])
        assert {of("Person"), of("Robot")} <= set(types)
        assert found[of("born_in")]["functional"] is True
        assert found[of("born_in")]["domain"] == [{kind: [of("Person")]}]
        (types,) = (part[kind] for part in found[of("born_in")]["range"])
        assert set(types) == {of("Place"), of("Town"), of("City")}
        assert found[of("parent")] == {"inverse_of": [of("child")], "disjoint_with": [of("spouse")]}
        assert found[of("ssn")] == {"inverse_functional": True}
        assert found[of("likes")] == {"disjoint_with": [of("hates"), of("knows")]}

    def test_of_triples_only_what_they_have_is_kept(self, path):
        X = MultimodalTriples.from_rdf(path / "all.ttl")
        found = skotkge.read_constraints(path / "schema.ttl", X)
        of = "http://e.org/{}".format
        assert set(found) == {of("born_in"), of("spouse"), of("parent")}
        assert found[of("parent")] == {"disjoint_with": [of("spouse")]}
        assert found == skotkge.read_constraints(X, X)
        kge = OTKGEClassifier(embedding_dim=4, max_iter=1, validation_fraction=0, constraints="schema", random_state=0)
        kge.fit(X)
        assert kge.was_trained_on([(of("bob"), of("spouse"), of("ann"))]).all()
        false = [(of("ann"), of("born_in"), of("eve")), (of("ann"), of("spouse"), of("eve"))]
        false += [(of("rome"), of("spouse"), of("ann")), (of("bob"), of("born_in"), of("rome"))]
        probabilities = kge.predict_proba(false)[:, 1]
        assert (probabilities[[0, 1, 2, 3]] < 1e-6).tolist() == [True, True, True, True]
        assert len(contradictions(X)) == 0

    def test_sides_without_types_are_told(self, path):
        X = MultimodalTriples([("http://e.org/ann", "http://e.org/born_in", "http://e.org/rome")])
        with pytest.warns(UserWarning, match="2 statements of rdfs:domain and rdfs:range are left out"):
            found = skotkge.read_constraints(path / "schema.ttl", X)
        assert found == {"http://e.org/born_in": {"functional": True}}


def test_the_rule_baseline_obeys_too(kge, triples, every, wrong, closed, tmp_path):
    X = MultimodalTriples(triples, entities=kge.entities_, relations=kge.relations_)
    rules = skotkge.baselines.RuleBaseline(constraints=CONSTRAINTS, random_state=0).fit(X)
    assert rules.was_trained_on(sorted(closed)).all()
    np.testing.assert_array_equal(rules.predictor_.are_ruled_out(rules.predictor_.vocabulary.ids_of(every)), wrong)
    assert rules.predict_proba(every)[wrong, 1].max() < 1e-6
    parent, child = (rules.relations_.tolist().index(name) for name in ("parent", "child"))
    assert rules.rule_confidences_[parent + len(rules.relations_), child] == 1
    skotkge.save(rules, tmp_path / "rules.skops")
    loaded = skotkge.load(tmp_path / "rules.skops")
    np.testing.assert_array_equal(loaded.predict_proba(every), rules.predict_proba(every))
    with pytest.raises(ValueError, match="'disjoint'"):
        rules.set_params(constraints={"knows": {"disjoint": "rival"}}).fit(X)


def test_several_labels_may_be_a_list_a_set_or_an_array():
    said = [as_statements({"parent": {"domain": {"e1"}, "inverse_of": labels}}) for labels in (["child"], {"child"})]
    assert said[0] == said[1] == as_statements({"parent": {"domain": np.array(["e1"]), "inverse_of": "child"}})
