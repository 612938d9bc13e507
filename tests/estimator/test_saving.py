"""Models in files: what loads without trust, what does not, and damage of every kind."""

import ast
import datetime
import os
import pickle
import zipfile
import zlib
from functools import partial

import joblib
import numpy as np
import pytest
import skops.io
from golden import models
from helpers import REPOSITORY
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skotkge
from skotkge import (
    EntityEmbedder,
    EntityPairs,
    MultimodalTriples,
    OTEntityMatcher,
    OTFusionTransformer,
    OTKGEClassifier,
)
from skotkge._estimator.saving import types_and_loaders
from skotkge._utils import archives, persistence, sealed_files
from skotkge._utils.archive_checksum import combined_checksum
from skotkge.baselines import MarginRanking, MMKRLBaseline, RuleBaseline, TransAEBaseline, TranslationBaseline
from skotkge.metrics import make_ranking_scorer

KINDS = ["model.skops", "model.joblib"]
DAMAGES = 100


@pytest.fixture
def many_large_arrays(monkeypatch):
    """Some of the small arrays of these models count as large, and take the way of such through an archive."""
    monkeypatch.setattr(archives, "SMALLEST", 1000)


@pytest.fixture(scope="module")
def pipe():
    return models.fitted()


@pytest.fixture(params=KINDS)
def saved(request, pipe, tmp_path, many_large_arrays):
    skotkge.save(pipe, tmp_path / request.param)
    return tmp_path / request.param


class Marker:
    """Unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def trust(path):
    return path.suffix != ".skops"


def test_a_saved_model_answers_as_before(saved, pipe):
    np.testing.assert_array_equal(
        models.answers(skotkge.load(saved, trusted=trust(saved))[-1]), models.answers(pipe[-1])
    )


def test_other_readers_pass_over_the_seal(saved, pipe):
    loaded = joblib.load(saved) if trust(saved) else skops.io.load(saved, trusted=persistence.TYPES)
    np.testing.assert_array_equal(models.answers(loaded[-1]), models.answers(pipe[-1]))


@pytest.mark.parametrize("write", [skops.io.dump, joblib.dump, partial(joblib.dump, compress=3)])
def test_files_of_other_writers_load(pipe, tmp_path, write):
    write(pipe, tmp_path / "model")
    loaded = skotkge.load(tmp_path / "model", trusted=write is not skops.io.dump)
    np.testing.assert_array_equal(models.answers(loaded[-1]), models.answers(pipe[-1]))


def test_an_archive_has_the_arrays_that_skops_writes(pipe, tmp_path, many_large_arrays):
    skotkge.save(pipe, tmp_path / "model.skops")
    skops.io.dump(pipe, tmp_path / "plain.skops")

    def members(path):
        with zipfile.ZipFile(path) as archive:
            arrays = [archive.read(name) for name in archive.namelist() if name.endswith(".npy")]
        assert sum(len(content) > archives.SMALLEST for content in arrays) > 0
        return sorted(arrays)

    assert members(tmp_path / "model.skops") == members(tmp_path / "plain.skops")


def test_an_array_that_occurs_twice_is_one_afterwards(tmp_path, many_large_arrays):
    model, array = OTKGEClassifier(), np.arange(1000.0)
    model.first_, model.second_ = array, {"again": [array, array[:10], np.asfortranarray(np.ones((30, 20)))]}
    skotkge.save(model, tmp_path / "model.skops")
    loaded = skotkge.load(tmp_path / "model.skops")
    assert loaded.second_["again"][0] is loaded.first_
    np.testing.assert_array_equal(loaded.first_, array)
    np.testing.assert_array_equal(loaded.second_["again"][2], np.ones((30, 20)))


@pytest.mark.parametrize("n_bytes", [0, 1, 7, 1000, 4096])
def test_checksums_are_combined_to_that_of_the_whole(n_bytes):
    first, second = np.random.RandomState(0).bytes(100), np.random.RandomState(1).bytes(n_bytes)
    assert combined_checksum(zlib.crc32(first), zlib.crc32(second), n_bytes) == zlib.crc32(first + second)


def test_the_seal_is_the_checksum_of_all_bytes(saved):
    content = saved.read_bytes()
    seal = sealed_files.PATTERN.fullmatch(content[-sealed_files.SEAL_LENGTH :])
    assert int(seal[2], 16) == zlib.crc32(content[: -sealed_files.SEAL_LENGTH], zlib.crc32(b"1"))


@pytest.mark.parametrize("kind", ["flip", "cut", "longer", "block"])
def test_damage_is_told_with_the_name_of_the_file(saved, kind):
    content, rng = saved.read_bytes(), np.random.RandomState(0)
    ends = np.arange(len(content) - sealed_files.SEAL_LENGTH - 30, len(content))
    places = np.concatenate([rng.choice(ends, DAMAGES // 2), rng.randint(1, len(content) - 1, DAMAGES // 2)])
    for place in places:
        damaged = bytearray(content)
        if kind == "flip":
            damaged[place] ^= 1 << rng.randint(8)
        elif kind == "cut":
            damaged = damaged[:place]
        elif kind == "longer":
            damaged[place:place] = b"\0"
        else:
            damaged[place : place + 512] = bytes(512)
        if bytes(damaged) == content:
            continue
        saved.write_bytes(damaged)
        if kind == "cut" and trust(saved) and place == len(content) - sealed_files.SEAL_LENGTH:
            continue  # a whole pickle
        with pytest.raises(ValueError, match=saved.name):
            skotkge.load(saved, trusted=trust(saved))


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.skops", "model"])
def test_no_pickle_runs_code_unasked(tmp_path, name):
    for write in (joblib.dump, lambda thing, path: path.write_bytes(pickle.dumps(thing))):
        write(Marker(tmp_path / "ran"), tmp_path / name)
        with pytest.raises(ValueError, match=r"no skops file.*trusted=True.*--trust.*skotkge convert"):
            skotkge.load(tmp_path / name)
        assert not (tmp_path / "ran").exists()


def calls_a_function():
    return partial(os.mkdir, "ran")


@pytest.mark.parametrize("thing", [calls_a_function(), os.getcwd, np.add, StandardScaler(), {1, 2}, slice(1)])
def test_types_that_no_model_needs_are_refused(tmp_path, thing):
    model = OTKGEClassifier()
    model.thing_ = thing
    skops.io.dump(model, tmp_path / "model.skops")
    with pytest.raises(ValueError, match="none of which a model of skotkge needs"):
        skotkge.load(tmp_path / "model.skops")


def test_types_of_others_load_by_name(tmp_path):
    skotkge.save(make_pipeline(StandardScaler(), OTKGEClassifier()), tmp_path / "model.skops")
    with pytest.raises(ValueError, match=r"trusted=\['sklearn.preprocessing._data.StandardScaler'\]"):
        skotkge.load(tmp_path / "model.skops")
    trusted = ["sklearn.preprocessing._data.StandardScaler"]
    assert isinstance(skotkge.load(tmp_path / "model.skops", trusted)[0], StandardScaler)
    assert isinstance(skotkge.load(tmp_path / "model.skops", True)[0], StandardScaler)
    with pytest.raises(TypeError, match="trusted='skotkge'"):
        skotkge.load(tmp_path / "model.skops", trusted="skotkge")


def test_labels_of_other_types_need_trust(tmp_path):
    days = [datetime.date(2000, 1, day) for day in range(1, 6)]
    rules = RuleBaseline(random_state=0).fit([(day, "before", day.replace(day=day.day + 1)) for day in days])
    skotkge.save(rules, tmp_path / "rules.skops")
    with pytest.raises(ValueError, match=r"datetime\.date"):
        skotkge.load(tmp_path / "rules.skops")
    assert skotkge.load(tmp_path / "rules.skops", trusted=["datetime.date"]).entities_.tolist() == [
        *days,
        datetime.date(2000, 1, 6),
    ]


def files_of_all_kinds(folder):
    """Saved models of every class, with parameters of every kind."""
    X, rng = models.graph(), np.random.RandomState(0)
    mixed = [("a", 1, b"x"), (("a", 2), 1, 2.5), (True, 1, "b"), ("b", 1, "a")]
    numbers = dict(learning_rate=np.float64(0.1), batch_size=np.int64(4), refit=np.bool_(True), tol=np.float32(0.1))
    quick = dict(embedding_dim=4, max_iter=np.int32(1), random_state=rng)
    vectors = rng.standard_normal((6, 3))
    pairs = EntityPairs([("0", "0")], (vectors, list("012345")), (vectors, list("012345")))
    every = [
        models.fitted(),
        RuleBaseline(random_state=0).fit(X),
        TranslationBaseline(n_components=4, max_iter=1, random_state=0).fit(X),
        TransAEBaseline(4, norm=1, objective=MarginRanking(), max_iter=1, random_state=0).fit(X),
        MMKRLBaseline(n_components=4, max_iter=1, random_state=0).fit(X),
        OTEntityMatcher(views=["features"], n_rounds=2, random_state=0).fit(pairs),
        *(OTKGEClassifier(name, **quick).fit(X.labels) for name in ("distmult", "transe", "rotate")),
        OTKGEClassifier(objective=skotkge.Logistic(), **numbers, **quick).fit(mixed),
        OTKGEClassifier(
            objective=skotkge.CrossEntropy(n_sampled=2),
            metric=make_ranking_scorer("hits@10", known=X[:3], candidates=X.entities[:4], sides=["tail"]),
        ),
        EntityEmbedder(OTKGEClassifier(**quick), X.labels).fit(X.labels[:, :1]),
    ]
    for number, model in enumerate(every):
        skotkge.save(model, folder / f"{number}.skops")
        assert type(skotkge.load(folder / f"{number}.skops")) is type(model)
        yield folder / f"{number}.skops"


@pytest.mark.parametrize("ending", ["skops", "joblib"])
def test_scorers_of_early_stopping_come_back(ending, tmp_path):
    X = models.graph()
    scorer = make_ranking_scorer(
        known=[X[:3], [*X.labels[4:6], (7, "r0", "e1")]], candidates=X.entities[:4].tolist(), sides=["tail"]
    )
    path = tmp_path / f"model.{ending}"
    skotkge.save(OTKGEClassifier(metric=scorer), path)
    loaded = skotkge.load(path, trusted=ending == "joblib").metric
    assert repr(loaded) == repr(scorer)
    assert [known.labels.tolist() for known in loaded.known] == [known.labels.tolist() for known in scorer.known]
    rules = RuleBaseline(random_state=0).fit(X[3:])
    assert loaded(rules, X[:1]) == scorer(rules, X[:1])


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_allowed_types_are_those_that_models_need(tmp_path):
    needed = set()
    for path in files_of_all_kinds(tmp_path):
        needed |= types_and_loaders(path)[0]
    bools = {"numpy.bool", "numpy.bool_"}  # the same in different versions of NumPy
    of_checkpoints = {"builtins.int"}
    assert needed | bools | of_checkpoints == {*persistence.TYPES, *persistence.PLAIN_TYPES}


def test_a_matcher_answers_as_before(tmp_path):
    rng = np.random.RandomState(0)
    vectors, labels = rng.standard_normal((60, 5)), [f"e{number}" for number in range(60)]
    moved = vectors + 0.1 * rng.standard_normal(vectors.shape)
    pairs = EntityPairs([(label, label) for label in labels[:55:4]], (vectors, labels), (moved, labels))
    matcher = OTEntityMatcher(views=["features"], n_rounds=2, random_state=0).fit(pairs)
    skotkge.save(matcher, tmp_path / "matcher.skops")
    loaded = skotkge.load(tmp_path / "matcher.skops")
    asked = [(label, label) for label in labels]
    assert vars(loaded).keys() == vars(matcher).keys()
    assert loaded.predict(labels).tolist() == matcher.predict(labels).tolist()
    assert loaded.matches_ == matcher.matches_
    np.testing.assert_array_equal(loaded.match_proba(asked), matcher.match_proba(asked))
    np.testing.assert_array_equal(loaded.rank(asked), matcher.rank(asked))
    assert loaded.evaluate(asked, candidates="pairs") == matcher.evaluate(asked, candidates="pairs")


def test_newer_format_of_the_file_is_refused_before_it_is_read(saved, monkeypatch):
    content = saved.read_bytes()
    saved.write_bytes(content.replace(b"format 0001", b"format 0042"))
    with pytest.raises(ValueError, match=r"in format 42, and skotkge .* reads formats up to 1: install a newer"):
        skotkge.load(saved, trusted=trust(saved))


def test_what_cannot_be_saved_leaves_the_earlier_file(pipe, tmp_path):
    path = tmp_path / "model.skops"
    path.write_bytes(b"earlier")
    kge = OTKGEClassifier()
    kge.made_here_ = 1 + 2j
    with pytest.raises(ValueError, match=r"model\.joblib"):
        skotkge.save(kge, path)
    assert path.read_bytes() == b"earlier"
    with pytest.raises(ValueError, match=r"expected a name that ends with \.skops"):
        skotkge.save(kge, tmp_path / "model.bin")
    with pytest.raises(ValueError, match="there is no folder"):
        skotkge.save(kge, tmp_path / "no" / "model.skops")


def test_strange_archives_are_no_models(tmp_path):
    path = tmp_path / "model.skops"
    for name, content in (("schema.json", b"{"), ("schema.json", b"[]"), ("../schema.json", b"{}"), ("a", b"")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, content)
        with pytest.raises(ValueError, match=r"model\.skops"):
            skotkge.load(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="no skops file"):
        skotkge.load(path)


def test_a_file_tells_names_versions_and_data(tmp_path):
    X = models.graph()
    named = MultimodalTriples(X.labels, dict(X.modalities), entities=X.entities, names={"e1": "the first"})
    pipe = make_pipeline(OTFusionTransformer(4, random_state=0), OTKGEClassifier(max_iter=1, random_state=0))
    records = []
    for triples in (named, named[1:], X):
        skotkge.save(pipe.fit(triples), tmp_path / "model.skops")
        kge = skotkge.load(tmp_path / "model.skops")[-1]
        records.append(kge.fit_record_)
        assert (kge.entity_names_ is None) == (triples is X)
        assert kge.fit_record_["data"]["n_triples"] == len(triples)
        assert kge.fit_record_["versions"]["skotkge"] == skotkge.__version__
        assert kge.space_training_["fused"]["n_iter"] == 1
        if triples is named:
            assert kge.entity_names_[:2].tolist() == ["e0", "the first"]
    digests = [record["data"]["digest"] for record in records]
    assert digests[0] == digests[2] != digests[1]


@pytest.mark.parametrize("labels", [["a", "\ud800", "", "é\0"], [1, -(2**63), 2**63 - 1], [2**63], [True, 1.5, "a"]])
def test_packed_labels_come_back(labels):
    from skotkge._graph.packed_labels import pack_labels, unpack_labels

    given = np.empty(len(labels), dtype=object)
    given[:] = labels
    found = unpack_labels(pack_labels(given))
    assert found.tolist() == labels
    assert list(map(type, found)) == list(map(type, labels))


def test_reading_arrays_never_unpickles():
    for path in (REPOSITORY / "skotkge").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("np.load", "numpy.load"):
                named = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert named.get("allow_pickle") == "False", path
            assert not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("extract", "extractall"))), path


def test_files_are_written_whole():
    """Nothing in the package opens a file for writing but what writes whole files."""
    for path in (REPOSITORY / "skotkge").rglob("*.py"):
        if path.name == "whole_files.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            modes = [value.value for value in ast.walk(node) if isinstance(value, ast.Constant)]
            assert not (name == "open" and any(m in ("w", "wb", "a", "ab", "x", "w+b") for m in modes)), path
            if node.args and ast.unparse(node.args[0]) == "file":  # one that is open already
                continue
            assert name.rpartition(".")[2] not in ("write_text", "write_bytes", "savefig", "to_csv", "savez"), path
