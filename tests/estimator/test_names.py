"""Readable names: kept by fitted models and their files, shown with answers, taken in questions."""

import pickle

import joblib
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.__main__ import main
from skotkge._graph.names import NameIndex
from skotkge.baselines import RuleBaseline
from skotkge.datasets import load_emoji

NAMES = {"e0": "🥯 Bagel", "e1": "bread", "e2": "Bank", "e3": "Bank", "e4": "river bank", "e5": "e6"}
TRIPLES = [(f"e{i}", "r", f"e{(i + 1) % 12}") for i in range(12)]


@pytest.fixture(scope="module")
def kge():
    vectors = np.random.default_rng(0).standard_normal((12, 3))
    X = MultimodalTriples(TRIPLES, {"text": (vectors, [f"e{i}" for i in range(12)])}, names=NAMES)
    pipe = make_pipeline(
        OTFusionTransformer(4, random_state=0), OTKGEClassifier(max_iter=2, validation_fraction=0, random_state=0)
    )
    return pipe.fit(X)


def test_names_are_taken_for_labels_in_questions(kge):
    expected = kge[-1].complete([("e0", "r", None), (None, "r", "e1")], k=3)
    for bagel in ("🥯 Bagel", "bagel", " BAGEL "):
        found = skotkge.complete(kge, [(bagel, "r", None), (None, "r", "Bread")], k=3)
        assert found.labels.tolist() == expected.labels.tolist()
        assert found.questions.labels.tolist() == expected.questions.labels.tolist()
    assert kge.predict_proba([("bagel", "r", "bread")]).tolist() == kge.predict_proba([("e0", "r", "e1")]).tolist()
    assert kge[-1].rank([("bagel", "r", "bread")]).tolist() == kge[-1].rank([("e0", "r", "e1")]).tolist()
    assert kge[-1].nearest(["bagel"]).labels.tolist() == kge[-1].nearest(["e0"]).labels.tolist()
    chosen = kge[-1].complete([("e5", "r", None)], k=1, candidates=["bagel"])
    assert chosen.labels.tolist() == [["e0"]]


def test_a_label_comes_before_a_name(kge):
    assert kge[-1].complete([("e6", "r", None)]).questions.labels[0, 0] == "e6"


def test_a_name_of_several_entities_is_refused_with_their_labels(kge):
    with pytest.raises(ValueError, match="'bank' is the name of 2 entities; give one of their labels: 'e2', 'e3'"):
        kge[-1].complete([("bank", "r", None)])
    assert kge[-1].complete([("river bank", "r", None)]).questions.labels[0, 0] == "e4"


@pytest.mark.parametrize(
    ("question", "words"),
    [
        (("bagle", "r", None), r"not seen: 'bagle' \(similar to 'bagle': 'e0' \(🥯 Bagel\)\); set handle_unknown"),
        (("river", "r", None), r"similar to 'river': 'e4' \(river bank\)"),
        (("e77", "r", None), "similar to 'e77': 'e7'"),
        (("e0", "rr", None), r"not seen: 'rr' \(similar to 'rr': 'r'\)"),
        (("e0", 5, None), "not seen: 5; set"),
    ],
)
def test_unknown_ones_are_told_with_similar_ones(kge, question, words):
    with pytest.raises(ValueError, match=words):
        kge[-1].complete([question])
    assert kge[-1].complete([question], handle_unknown="last").labels[0].tolist() == [None] * 10


def test_names_are_shown(kge):
    found = kge[-1].complete([("e1", "r", None), ("e0", None, "e1")], k=12, known_answers="mark")
    for label, name in zip(found.labels[0], found.names[0], strict=True):
        assert name == NAMES.get(label)
    assert found.names[1].tolist() == [None] * 12
    frame = found.to_frame()
    assert frame["head_name"].tolist() == ["bread"] * (len(frame) - 1) + ["🥯 Bagel"]
    assert frame["tail_name"].iloc[-1] == "bread"
    text = repr(found)
    assert text.startswith("Completions(2 questions, k=12)\n('e1' (bread), 'r', ?)\n  ")
    assert "('e0' (🥯 Bagel), ?, 'e1' (bread))" in text
    neighbors = kge[-1].nearest(["e1"], 11)
    assert repr(neighbors).startswith("Neighbors(1 entity, k=11)\n'e1' (bread)\n  ")
    assert neighbors.names[0].tolist() == [NAMES.get(label) for label in neighbors.labels[0]]
    labels, similarities = neighbors
    assert labels.shape == similarities.shape


def test_explanations_show_labels_and_names():
    triples = [(f"e{i}", relation, f"e{(i + 1) % 12}") for i in range(12) for relation in ("r", "s")]
    model = OTKGEClassifier(evidence=("rules",), validation_fraction=0, random_state=0).fit(
        MultimodalTriples(triples, names=NAMES)
    )
    told = model.explain([("bagel", "r", "bread")])
    assert repr(told).startswith("('e0' (🥯 Bagel), r, 'e1' (bread)): log-odds")
    frame = told.to_frame()
    assert frame.columns[-2:].tolist() == ["head_name", "tail_name"]
    assert set(frame["head"]) == {"e0"}
    assert set(frame["head_name"]) == {"🥯 Bagel"}
    assert "(e0 (🥯 Bagel), s, e1 (bread))" in "; ".join(frame["facts"])
    assert "head_name" not in OTKGEClassifier(evidence=("rules",)).fit(triples).explain(triples[:1]).to_frame()


def test_known_triples_and_those_to_forget_may_be_told_by_names(kge):
    question = [("e0", "r", None)]
    by_label, by_name = (kge[-1].complete(question, known=[(head, "r", "e7")], k=12) for head in ("e0", "bagel"))
    assert "e7" not in by_name.labels
    assert by_name.labels.tolist() == by_label.labels.tolist()
    assert kge[-1].evaluate([("e0", "r", "e6")], known=[("bagel", "r", "e7")]) == kge[-1].evaluate(
        [("e0", "r", "e6")], known=[("e0", "r", "e7")]
    )
    with pytest.raises(ValueError, match="'bank' is the name of 2 entities"):
        kge[-1].complete(question, known=[("bank", "r", "e1")])
    model = OTKGEClassifier(max_iter=2, validation_fraction=0, random_state=0).fit(
        MultimodalTriples(TRIPLES, names=NAMES)
    )
    assert model.predictor_.known.contains(model.predictor_.vocabulary.ids_of(np.array([("e0", "r", "e1")]))).all()
    model.forget([("bagel", "r", "bread")])
    assert not model.predictor_.known.contains(model.predictor_.vocabulary.ids_of(np.array([("e0", "r", "e1")]))).any()
    with pytest.raises(ValueError, match="that the model does not know"):
        model.forget([("bagel", "r", "bread")])


def test_without_names_nothing_changes():
    model = RuleBaseline().fit(TRIPLES)
    found = model.complete([("e0", "r", None)], k=2)
    assert found.names is None
    assert "head_name" not in found.to_frame()
    assert repr(found).splitlines()[1] == "('e0', 'r', ?)"


@pytest.mark.parametrize("way", ["pickle", "joblib", "skops"])
def test_files_keep_the_names(kge, way, tmp_path):
    if way == "pickle":
        again = pickle.loads(pickle.dumps(kge))
    elif way == "joblib":
        joblib.dump(kge, tmp_path / "model.skops")
        again = joblib.load(tmp_path / "model.skops")
    else:
        io = pytest.importorskip("skops.io")
        io.dump(kge, tmp_path / "model.skops")
        again = io.load(tmp_path / "model.skops", trusted=io.get_untrusted_types(file=tmp_path / "model.skops"))
    found = again[-1].complete([("bagel", "r", None)], k=2)
    assert found.names.tolist() == kge[-1].complete([("bagel", "r", None)], k=2).names.tolist()


def test_rules_keep_the_names_too():
    model = RuleBaseline().fit(MultimodalTriples(TRIPLES, names=NAMES))
    assert model.complete([("bagel", "r", None)], k=1).questions.labels[0, 0] == "e0"


def test_new_entities_come_with_names(kge):
    X = MultimodalTriples(TRIPLES, {"text": {"e0": [1.0, 2.0, 3.0]}})
    new = X.new_entities({"text": {"n1": [0.0, 1.0, 0.0], "n2": [1.0, 0.0, 0.0]}}, names={"n1": "newcomer"})
    found = kge[-1].complete([("Newcomer", "r", None)], k=14, new_entities=new)
    assert found.questions.labels[0, 0] == "n1"
    assert "bread" in found.names[0]
    assert "newcomer" in kge[-1].complete([("e0", "r", None)], k=14, new_entities=new).names[0]


def test_bundled_names():
    kg = load_emoji()
    assert kg.test.names.tolist() == kg.entity_names.tolist()
    model = RuleBaseline().fit(kg.train)
    found = model.complete([("bagel", "annotated_with", None)], k=3)
    assert found.questions.labels[0, 0] == "1F96F"
    assert all(found.names[0] != None)  # noqa: E711


def test_names_are_found_exactly_first_and_alike_then():
    labels = np.array(["a", "b", "c", 7], dtype=object)
    index = NameIndex(labels, np.array(["Rome", "rome", "★", "7"], dtype=object))
    assert [index.position(name) for name in ("Rome", "rome", "★", "7", "", "x")] == [0, 1, 2, -1, -1, -1]
    with pytest.raises(ValueError, match="'ROME' is the name of 2 entities"):
        index.position("ROME")


def test_the_most_similar_of_many_names_are_found():
    labels = np.array([f"Q{number}" for number in range(20_000)], dtype=object)
    names = np.array([f"place {number:05}" for number in range(19_999)] + ["Zanzibar"], dtype=object)
    index = NameIndex(labels, names)
    assert index.similar("Zansibar") == [19_999]
    assert index.similar("plce 01234")[0] == 1234


def test_command_line_reads_shows_and_takes_names(tmp_path, capsys):
    (tmp_path / "graph.tsv").write_text("".join(f"{h}\t{r}\t{t}\n" for h, r, t in TRIPLES))
    (tmp_path / "names.tsv").write_text("".join(f"{label}\t{name}\n" for label, name in NAMES.items()))
    model = str(tmp_path / "model.skops")
    arguments = ["--max-iter", "2", "--n-components", "4", "--quiet", "--names", str(tmp_path / "names.tsv")]
    assert main(["fit", str(tmp_path / "graph.tsv"), *arguments, "--output", model]) == 0
    capsys.readouterr()
    assert main(["complete", model, "--head", "bagel", "--relation", "r", "-k", "11"]) == 0
    told = capsys.readouterr().out
    assert "(e0 🥯 Bagel, r, ?)" in told
    assert "river bank" in told
    questions, answers = tmp_path / "questions.tsv", tmp_path / "answers.csv"
    questions.write_text("bagel\tr\t\n")
    assert main(["complete", model, "--questions", str(questions), "-k", "1", "--output", str(answers)]) == 0
    header, row = answers.read_text().splitlines()
    assert header == "question,head,relation,tail,rank,score,probability,head_name,tail_name"
    assert row.startswith("1,e0,r,")
    assert "🥯 Bagel" in row
    capsys.readouterr()
    assert main(["complete", model, "--head", "bagle", "--relation", "r"]) == 2
    assert (
        "'bagle' is none of the 12 labels that the model has seen; similar ones: 'e0' (🥯 Bagel)"
        in capsys.readouterr().err
    )
    questions.write_text("bagle\tr\t\n")
    assert main(["complete", model, "--questions", str(questions)]) == 2
    assert "similar to 'bagle': 'e0' (🥯 Bagel)" in capsys.readouterr().err
    assert main(["complete", model, "--head", "bank", "--relation", "r"]) == 2
    assert "'bank' is the name of 2 entities" in capsys.readouterr().err
