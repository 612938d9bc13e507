"""The file of decisions: whole at any moment, taken up again, read as triples and labels."""

import numpy as np
import pandas as pd
import pytest

from skotkge import MultimodalTriples, read_decisions
from skotkge._explore import decisions as module
from skotkge._explore.decisions import ACCEPTED, REJECTED, DecisionFile
from skotkge.baselines import RuleBaseline

TRIPLES = [("ann\rlee", "likes", "bob"), ("a\tb", 'says "no"', "line\nend\r"), ("\ud800", "", "é "), ("7", "r", "x")]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "decisions.tsv"


def test_what_was_decided_is_there_at_the_next_start(path):
    first = DecisionFile(path, "f00d")
    for number, triple in enumerate(TRIPLES):
        first.decide(triple, (ACCEPTED, REJECTED)[number % 2], 0.25 + number / 10)
    second = DecisionFile(path, "cafe")
    assert list(second) == list(first)
    assert [second.of(triple) for triple in TRIPLES] == [ACCEPTED, REJECTED] * 2
    assert {decision.model for decision in second} == {"f00d"}
    assert second.of(("ann", "likes", "cid")) is None


def test_the_last_decision_about_a_triple_counts_and_can_be_taken_back(path):
    decisions = DecisionFile(path, "f00d")
    for decision in (ACCEPTED, REJECTED):
        decisions.decide(TRIPLES[0], decision, 0.5)
    decisions.decide(TRIPLES[1], ACCEPTED)
    assert [told.decision for told in decisions] == [REJECTED, ACCEPTED]
    decisions.decide(TRIPLES[0], None)
    assert [told.triple for told in DecisionFile(path, "")] == [TRIPLES[1]]


def test_two_programs_heed_each_other(path):
    first, second = DecisionFile(path, "a"), DecisionFile(path, "b")
    first.decide(TRIPLES[0], ACCEPTED)
    second.decide(TRIPLES[1], REJECTED)
    first.decide(TRIPLES[3], ACCEPTED)
    assert {told.triple for told in DecisionFile(path, "")} == {TRIPLES[0], TRIPLES[1], TRIPLES[3]}


def test_a_write_that_fails_leaves_the_file_and_the_decisions_as_they_were(path, monkeypatch):
    decisions = DecisionFile(path, "a")
    decisions.decide(TRIPLES[0], ACCEPTED)
    before = path.read_bytes()

    class Row(tuple):
        def __iter__(self):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "astuple", lambda decision: Row())
    with pytest.raises(OSError, match="No space left"):
        decisions.decide(TRIPLES[1], REJECTED)
    assert path.read_bytes() == before
    assert decisions.of(TRIPLES[1]) is None
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_they_are_triples_with_labels_to_fit_on_and_known_ones(path):
    ring = [(f"e{i}", "next", f"e{(i + 1) % 12}") for i in range(12)]
    rejected = [(f"e{i}", "next", f"e{(i + 4) % 12}") for i in range(12)]
    decisions = DecisionFile(path, "a")
    decisions.decide(("e0", "next", "e5"), ACCEPTED)
    for triple in rejected:
        decisions.decide(triple, REJECTED)
    triples, y = read_decisions(path)
    assert list(map(tuple, triples)) == [("e0", "next", "e5"), *rejected]
    assert y.tolist() == [1] + [0] * 12
    model = RuleBaseline(random_state=0).fit([*ring, *triples.tolist()], np.concatenate([np.ones(12, int), y]))
    known = model.predictor_.known.contains(model.predictor_.vocabulary.ids_of(triples))
    assert known.tolist() == (y == 1).tolist()
    model = RuleBaseline(random_state=0).fit(ring)
    for known, there in ((None, True), (triples[y == 1], False)):
        assert ("e5" in model.complete([("e0", "next", None)], k=12, known=known).labels) == there


def test_pandas_reads_the_same(path):
    decisions = DecisionFile(path, "a")
    decisions.decide(TRIPLES[1], REJECTED, 0.125)
    frame = pd.read_csv(path, sep="\t", keep_default_na=False, lineterminator="\n")
    assert frame["probability"].tolist() == [0.125]
    assert frame["decision"].tolist() == [REJECTED]
    assert frame["head"].tolist() == [TRIPLES[1][0]]


def test_labels_that_are_no_strings_are_found_in_the_data(path):
    X = MultimodalTriples([(7, "likes", 8), (8, "likes", "x")])
    decisions = DecisionFile(path, "a")
    decisions.decide((7, "likes", "x"), ACCEPTED)
    assert read_decisions(path)[0].tolist() == [["7", "likes", "x"]]
    assert read_decisions(path, labels_of=X)[0].tolist() == [[7, "likes", "x"]]
    with pytest.raises(ValueError, match="names '7'; labels_of has no such label"):
        read_decisions(path, labels_of=MultimodalTriples([("a", "likes", "x")]))
    with pytest.raises(ValueError, match="written alike"):
        read_decisions(path, labels_of=MultimodalTriples([(7, "likes", "x"), ("7", "likes", "x")]))
    with pytest.raises(TypeError, match="labels_of=3 is a int; give MultimodalTriples"):
        read_decisions(path, labels_of=3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\tb\tc\n", "first line is not head relation tail decision"),
        ("{header}\na\tb\tc\tmaybe\t0.5\tm\tt\n", "line 2 is .*maybe.*expected three labels"),
        ("{header}\na\tb\tc\n", "line 2 is"),
        ("{header}\na\tb\tc\taccepted\thigh\tm\tt\n", "line 2 has the probability 'high'"),
        ('{header}\n"a\tb', "is no file of decisions"),
    ],
)
def test_another_file_is_refused_and_never_overwritten(path, text, told):
    path.write_text(text.format(header="\t".join(module.HEADER)))
    with pytest.raises(ValueError, match=told):
        read_decisions(path)
    with pytest.raises(ValueError, match="name another file"):
        DecisionFile(path, "a")


def test_what_editors_leave_in_the_file_is_passed_over(path):
    path.write_bytes(b"")
    assert list(DecisionFile(path, "a")) == []
    DecisionFile(path, "a").decide(TRIPLES[0], ACCEPTED)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes() + b"\n")
    assert [told.triple for told in DecisionFile(path, "")] == [TRIPLES[0]]


def test_no_decisions_are_an_empty_array(path):
    path.write_text("\t".join(module.HEADER) + "\n")
    triples, y = read_decisions(path)
    assert triples.shape == (0, 3)
    assert y.shape == (0,)
    with pytest.raises(FileNotFoundError):
        read_decisions(path.with_name("nowhere.tsv"))
