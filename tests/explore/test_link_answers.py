"""What the pages tell of a model, compared with the model's own answers and with plain loops over the triples."""

import math

import numpy as np
import pytest
from explored import HOSTILE, NAMES, PLAIN, fit_and_save, hostile_triples, write_folder

from skotkge import MultimodalTriples, OTKGEClassifier
from skotkge._explore import links as module
from skotkge._explore.folders import read_folder
from skotkge._explore.links import LinkAnswers
from skotkge.baselines import RuleBaseline


def tab_separated(path):
    return np.array([line.split("\t") for line in path.read_text().splitlines()], dtype=object)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return fit_and_save(tmp_path_factory.mktemp("model") / "model.skops")


@pytest.fixture(scope="module")
def answers(model):
    return LinkAnswers(model)


@pytest.fixture(scope="module")
def with_folder(model, tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("graph") / "graph")
    return LinkAnswers(model, read_folder(folder, tab_separated))


def of_entity(label, triples):
    return {triple for triple in triples if label in triple[::2]}


@pytest.mark.parametrize("label", ["Q0", "Q17", *HOSTILE[:3]])
def test_known_links_are_those_of_the_triples(answers, label):
    entity = answers.entities.find(label)
    found = answers.known_links(entity, n=1000)
    expected = of_entity(label, hostile_triples())
    assert {answers.labels(link.triple) for link in found.links} == expected
    assert found.total == len(expected) == len(found.links)
    probabilities = answers.model.predict_proba([answers.labels(link.triple) for link in found.links])[:, 1]
    assert [link.probability for link in found.links] == pytest.approx(probabilities.tolist())
    assert (np.diff(probabilities) <= 0).all()
    for relation in answers.relations_of(entity):
        filtered = answers.known_links(entity, relation, n=1000).links
        assert {link.triple for link in filtered} == {link.triple for link in found.links if link.triple[1] == relation}


def test_of_many_links_each_relation_has_its_turn():
    triples = [("hub", "frequent", f"e{i}") for i in range(50)] + [("e1", "rare", "hub"), ("hub", "once", "e2")]
    answers = LinkAnswers(RuleBaseline(random_state=0).fit(triples))
    found = answers.known_links(answers.entities.find("hub"), n=10)
    assert found.total == 52
    assert len(found.links) == 10
    assert {answers.relations.labels[link.triple[1]] for link in found.links} == {"frequent", "rare", "once"}


@pytest.mark.parametrize(
    "question", [("Q1", "likes", None), (None, "likes", "Q9"), ("Q1", None, "Q9"), (HOSTILE[0], "likes", None)]
)
def test_answers_are_those_of_complete(answers, question):
    asked = tuple(
        None if label is None else table.find(label)
        for label, table in zip(question, (answers.entities, answers.relations, answers.entities), strict=True)
    )
    found = answers.answers(asked, n=7).links
    expected = answers.model.complete([question], k=7)
    place = question.index(None)
    labels = [answers.labels(link.triple)[place] for link in found]
    assert labels == expected.labels[0][: len(found)].tolist()
    assert [link.probability for link in found] == pytest.approx(expected.probabilities[0][: len(found)].tolist())
    assert {link.side for link in found} == {("head", "both", "tail")[place]}
    known = answers.known_answers(asked, n=1000)
    matching = {t for t in hostile_triples() if all(q in (None, part) for q, part in zip(question, t, strict=True))}
    assert {answers.labels(link.triple) for link in known.links} == matching
    assert not matching & {answers.labels(link.triple) for link in found}


def test_probable_links_are_new_and_asked_by_relations_that_fit(answers):
    triples = hostile_triples()
    for label in ("Q0", "Q5", HOSTILE[1]):
        entity = answers.entities.find(label)
        found = answers.probable_links(entity, n=30).links
        told = [answers.labels(link.triple) for link in found]
        assert len(set(told)) == len(told) > 0
        assert not set(told) & set(triples)
        assert all(label in triple[::2] for triple in told)
        assert (np.diff([link.probability for link in found]) <= 0).all()
        own = {(relation, head == label) for head, relation, tail in of_entity(label, triples)}
        assert own <= set(answers_roles(answers, entity))
        (relation,) = {answers.relations.find("likes")}
        filtered = answers.probable_links(entity, relation, n=5).links
        assert {link.triple[1] for link in filtered} == {relation}
        assert {link.side for link in filtered} <= {"head", "tail"}


def answers_roles(answers, entity):
    return [(answers.relations.labels[relation], place == 0) for relation, place in answers._roles_to_ask(entity)]


def test_a_relation_that_no_peer_has_is_not_asked():
    people = [(f"p{i}", "lives in", f"c{i % 3}") for i in range(12)] + [(f"p{i}", "knows", "p0") for i in range(1, 12)]
    cities = [(f"c{i}", "capital of", "land") for i in range(3)]
    answers = LinkAnswers(RuleBaseline(random_state=0).fit([*people, *cities]))
    roles = answers_roles(answers, answers.entities.find("p5"))
    assert set(roles) == {("lives in", True), ("knows", True)}
    assert ("capital of", True) in answers_roles(answers, answers.entities.find("c1"))


def test_large_graphs_are_asked_fewer_questions(answers, monkeypatch):
    monkeypatch.setattr(module, "MOST_SCORED", 3 * answers.n_entities)
    assert len(answers._roles_to_ask(answers.entities.find("Q0"))) == 3
    monkeypatch.setattr(module, "MOST_SCORED", 1)
    assert len(answers._roles_to_ask(answers.entities.find("Q0"))) == 2


def test_reasons_sum_to_the_log_odds(answers):
    triple = tuple(answers.model.predictor_.true_ids[0].tolist())
    for side in ("head", "both", "tail"):
        reasons = answers.reasons(triple, side)
        labels = np.array([answers.labels(triple)], dtype=object)
        assert reasons.log_odds == pytest.approx(float(answers.model.decision_function(labels, side=side)[0]))
        assert sum(value for _, value in reasons.contributions) == pytest.approx(reasons.log_odds)
        sizes = [abs(value) for _, value in reasons.contributions]
        assert sizes == sorted(sizes, reverse=True)
        facts = answers.model.explain(labels, side=side).facts[0]
        assert [fact for fact, _ in reasons.facts] == list(facts)
        for fact, links in reasons.facts:
            assert [answers.labels(link) for link in links] == [tuple(link) for link in fact.triples]


def test_similar_entities_are_the_nearest(answers):
    entity = answers.entities.find("Q3")
    labels, similarities = answers.model.nearest(["Q3"], k=5)
    found = answers.similar(entity, n=5)
    assert [answers.entities.labels[other] for other, _ in found] == labels[0].tolist()
    assert [cosine for _, cosine in found] == pytest.approx(similarities[0].tolist())


def test_the_neighbourhood_is_made_of_links_around(answers):
    entity = answers.entities.find("Q0")
    probable = answers.probable_links(entity, n=6).links
    links = answers.neighbourhood(entity, probable)
    assert [link for link in links if not link.known] == probable
    around = {link.other(entity) for link in links if entity in link.triple[::2]}
    triples = set(hostile_triples())
    for link in links:
        assert link.known == (answers.labels(link.triple) in triples)
        assert {link.triple[0], link.triple[2]} <= {entity, *around}
    own = {answers.labels(link.triple) for link in links if link.known and entity in link.triple[::2]}
    assert own == of_entity("Q0", triples)


def test_the_folder_adds_links_and_entities(answers, with_folder):
    added = {("Q0", "likes", "Q9"), ("Q0", "likes", "newcomer"), ("Q5", "invented by", "Q6")} - set(hostile_triples())
    assert with_folder.n_known == answers.n_known + len(added)
    assert len(with_folder.entities) == len(answers.entities) + 1
    entity = with_folder.entities.find("Q0")
    found = with_folder.known_links(entity, n=1000).links
    told = {with_folder.labels(link.triple): link for link in found}
    assert {("Q0", "likes", "Q9"), ("Q0", "likes", "newcomer")} <= set(told)
    assert math.isnan(told["Q0", "likes", "newcomer"].probability)
    assert not math.isnan(told["Q0", "likes", "Q9"].probability)
    question = entity, with_folder.relations.find("likes"), None
    for of, there in ((answers, True), (with_folder, False)):
        assert (("Q0", "likes", "Q9") in {of.labels(link.triple) for link in of.answers(question, 50).links}) == there
    newcomer = with_folder.entities.find("newcomer")
    assert with_folder.known_links(newcomer).total == 1
    assert "has not seen this entity" in with_folder.probable_links(newcomer).note
    assert with_folder.reasons((entity, 0, newcomer)) is None
    assert "has not seen all labels" in with_folder.answers((newcomer, 0, None)).note
    assert with_folder.similar(newcomer) == []
    assert with_folder.is_known((entity, with_folder.relations.find("likes"), newcomer))
    assert with_folder.neighbourhood(newcomer)
    assert with_folder.probable_links(with_folder.entities.find("Q5"), n=5).links


def test_texts_pictures_and_names_are_told(with_folder):
    entities = with_folder.entities
    ada = entities.find("Ada")
    assert entities.labels[ada] == "Q0"
    assert entities.name(ada) == NAMES["Q0"]
    assert entities.text(ada) == "The <i>first</i> of all."
    assert entities.picture(ada).name == "ada.png"
    assert entities.picture(entities.find("Q1")) is None  # the file is gone
    assert entities.picture(entities.find("Q7")) is None
    assert entities.name(entities.find("Q7")) == "Q7"
    with pytest.raises(ValueError, match="2 are called “Cid”: Q2, Q4"):
        entities.find("Cid")


def test_the_folder_of_another_graph_is_refused(model, tmp_path):
    (tmp_path / "train.tsv").write_text("x\ty\tz\n")
    with pytest.raises(ValueError, match=r"holds no triple of the model; the first is \['x', 'y', 'z'\]"):
        LinkAnswers(model, read_folder(tmp_path, tab_separated))


def test_all_hostile_labels_are_found_by_what_they_are(answers):
    for label in [*HOSTILE, *PLAIN]:
        assert answers.entities.labels[answers.entities.find(label)] == label
        assert label in {answers.entities.labels[position] for position in answers.entities.index.search(label, 50)}


def test_labels_that_are_no_strings_are_answered_too():
    X = MultimodalTriples([(i, "next", (i + 1) % 12) for i in range(12)] + [(3, 7, 5)])
    options = dict(evidence=("structure",), embedding_dim=4, max_iter=2, validation_fraction=0)
    answers = LinkAnswers(OTKGEClassifier(**options, random_state=0).fit(X))
    entity = answers.entities.find("3")
    assert answers.entities.labels[entity] == 3
    assert answers.known_links(entity).total == 3
    assert answers.probable_links(entity).links
    assert answers.answers((entity, answers.relations.find("7"), None)).links


def test_a_folder_without_triples_is_told(model, tmp_path):
    (tmp_path / "train.tsv").write_text("")
    folder = read_folder(tmp_path, lambda path: np.empty((0, 3), dtype=object))
    assert LinkAnswers(model, folder).folder_without_triples == tmp_path.resolve()
    assert LinkAnswers(model).folder_without_triples is None
