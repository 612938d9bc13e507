"""Random bad input to everything public: each is taken, or refused by an error that somebody wrote for it.

An error is clear if a statement of ours, or of scikit-learn's checks, has raised it, names the argument, and is short.
The tests try a thousand; ``python tests/test_bad_input.py 100000`` as many as it is told, and counts what is unclear.
"""

import contextlib
import io
import re
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache, partial
from itertools import islice, product
from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.exceptions import NotFittedError

import skotkge
from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher, OTFusionTransformer, OTKGEClassifier
from skotkge.__main__ import main
from skotkge.baselines import MMKRLBaseline, RuleBaseline, TransAEBaseline, TranslationBaseline
from skotkge.metrics import expected_calibration_error, hits_at_k, mean_reciprocal_rank, summarize_ranks
from skotkge.model_selection import TransductiveKFold, transductive_train_test_split

EXAMPLES, LONGEST, MEMORY = 1000, 500, 10 * 2**30
# Errors, and files in which they are raised on purpose: ours, and scikit-learn's checks of parameters and arrays.
CLEAR = (ValueError, TypeError, NotFittedError, OSError, ImportError, FloatingPointError)
# What errors call an argument, where that is not its name.
NAMES = {
    **dict.fromkeys(["X", "X_val", "known", "questions"], ("X", "X_val", "known", "questions", "triples", "labels")),
}
OWN = ("/skotkge/", "sklearn/utils/_param_validation.py", "sklearn/utils/validation.py", "sklearn/utils/_set_output.py")


class Odd:
    """An object of the user's."""


class NoTruth:
    """An object without a truth value, as arrays have none."""

    def __bool__(self):
        raise ValueError("no truth value")

    def __repr__(self):
        return "x" * 2000


SCALARS = [
    *(None, True, False, 0, 1, -1, 2, 10**30, -(10**30), 0.0, 0.5, -0.5, 1e-300, 1e300, np.nan, np.inf, -np.inf, 1j),
    *("", "a", "e1", "auto", "cuda:99", "fused", "all", "\ud800", "x" * 5000, "nan", b"", b"e1", bytearray(b"a")),
    *(Decimal("0.1"), Fraction(1, 3), date(2000, 1, 1), np.datetime64("2000"), np.timedelta64(1, "D"), np.float64(0.5)),
    *(np.int8(3), np.bool_(True), np.str_("a"), np.void(b"ab"), np.ma.masked, pd.NA, pd.NaT, Ellipsis, NotImplemented),
    *(np.int8(100), np.float16(0.5), 2**40),
    *(int, Odd, Odd(), NoTruth(), len, lambda x: x, object(), range(3), slice(None), Path("nowhere")),
]
ARRAYS = [
    *(np.zeros(0), np.zeros((0, 3)), np.zeros((2, 3)), np.full((3, 3), np.nan), np.zeros((2, 3, 4)), np.arange(3)),
    *(
        np.array(["a", "b"]),
        np.array([["e0", "r0", "e1"]]),
        np.array([["e0", "r0", None]], dtype=object),
        np.array(3.0),
    ),
    *(np.zeros(2, dtype=[("a", int), ("b", float)]), np.zeros(3, dtype="M8[s]"), np.zeros((2, 2), dtype=complex)),
    *(np.ma.masked_all((2, 3)), np.array([1, [2]], dtype=object), memoryview(b"abc"), memoryview(np.zeros((2, 3)))),
    *(sparse.eye_array(3, format="csr"), sparse.eye_array(3, format="coo")),
    *(pd.DataFrame({"head": ["e0"], "relation": ["r0"], "tail": ["e1"]}), pd.Series([1, 2]), pd.DataFrame()),
    *(
        [],
        (),
        {},
        set(),
        [[]],
        [None],
        [1, "a"],
        [("e0", "r0", "e1")],
        [("e0", "r0", None)],
        [("e0", "r0")],
        [["a"], 1],
    ),
    *(
        {"text": np.zeros((24, 3))},
        {"text": "a"},
        {1: 2},
        {"a"},
        frozenset("ab"),
        ("structure",),
        ["fused", 3],
        iter([1]),
    ),
    *([{}], [set()], [[1, 2, 3], [4, 5, 6]], [float("nan")] * 3, [("e0", "r0", ["e1"])], [(None, None, None)]),
    *([np.array(3.0)], [b"abc"], [{"e0", "r0", "e1"}], [[np.array(3.0)] * 3], {"head": 3, "relation": 3, "tail": 3}),
    *(
        dict.fromkeys(["head", "relation", "tail"], np.array(3.0)),
        dict.fromkeys(["head", "relation", "tail"], frozenset(["e0"])),
    ),
    {"head": ["e0"], "relation": ["r0"], "tail": ["e1"], "more": np.array(3.0)},
]


@cache
def graph():
    """A small graph with a modality."""
    rng = np.random.RandomState(0)
    entities = [f"e{number}" for number in range(24)]
    ids = np.unique(rng.randint([24, 2, 24], size=(60, 3)), axis=0)
    triples = [(entities[head], f"r{relation}", entities[tail]) for head, relation, tail in ids]
    return MultimodalTriples(triples, {"text": rng.standard_normal((24, 4))}, entities=entities)


@cache
def fused():
    """The graph after a transformer."""
    return OTFusionTransformer(4, random_state=0).fit(graph()).transform(graph())


def classifier(**parameters):
    """A classifier that is fitted in a moment."""
    return OTKGEClassifier(**dict(max_iter=1, device="cpu", validation_fraction=0.1, random_state=0) | parameters)


@cache
def fitted():
    """A fitted classifier."""
    return classifier().fit(fused())


@cache
def matcher():
    """A fitted matcher."""
    names = graph().entities[:6].tolist()
    return OTEntityMatcher(views=["features"], n_rounds=1, random_state=0).fit(
        EntityPairs([("e0", "e0")], (np.eye(6), names), (np.eye(6), names))
    )


def parameter_of(estimator, X):
    """Calls that fit an estimator with one odd parameter."""
    for name in estimator.get_params(deep=False):
        if name in ("verbose", "checkpoint"):  # what prints, and what makes folders
            continue

        def fit(value, name=name):
            if name == "alignment" and hasattr(value, "align"):
                return  # of pandas: what an aligner raises is its own
            type(estimator)(**estimator.get_params(deep=False) | {name: value}).fit(X())

        yield f"{type(estimator).__name__}({name}=)", name, fit


def argument_of(label, call, *names, **others):
    """Calls of a function with one odd argument."""
    for name in names:
        yield f"{label}({name}=)", name, lambda value, name=name: call()(**others | {name: value})


TARGETS = [
    *parameter_of(classifier(), fused),
    *parameter_of(OTFusionTransformer(4, random_state=0), graph),
    *parameter_of(RuleBaseline(random_state=0), graph),
    *parameter_of(TranslationBaseline(n_components=4, max_iter=1, random_state=0), graph),
    *parameter_of(TransAEBaseline(n_components=4, n_hidden=4, max_iter=1, random_state=0), graph),
    *parameter_of(MMKRLBaseline(n_components=4, max_iter=1, random_state=0), graph),
    *argument_of("MultimodalTriples", lambda: MultimodalTriples, "triples"),
    *argument_of(
        "MultimodalTriples",
        lambda: MultimodalTriples,
        "modalities",
        "entities",
        "relations",
        "duplicates",
        "names",
        "texts",
        "pictures",
        triples=[("e0", "r0", "e1")],
    ),
    *argument_of(
        "EntityPairs",
        lambda: EntityPairs,
        "pairs",
        "X",
        "Y",
        pairs=[],
        X=(np.eye(2), ["a", "b"]),
        Y=(np.eye(2), ["a", "b"]),
    ),
    *argument_of("fit", lambda: classifier().fit, "X"),
    *argument_of(
        "fit", lambda: classifier().fit, "y", "X_val", "y_val", "callbacks", X=[("a", "r", "b"), ("b", "r", "a")]
    ),
    *argument_of("fuse.fit", lambda: OTFusionTransformer(2).fit, "X", "y", X=np.eye(4), y=np.eye(4)),
    *argument_of("transform", lambda: OTFusionTransformer(2).fit(np.eye(4), np.eye(4)[:, :2]).transform, "X"),
    *argument_of("rules.fit", lambda: RuleBaseline().fit, "X", "y", X=[("a", "r", "b"), ("b", "r", "a")]),
    *(
        target
        for method in ("predict", "predict_proba", "decision_function", "score_triples", "explain")
        for target in argument_of(
            method, lambda method=method: getattr(fitted(), method), "X", "handle_unknown", X=[("e0", "r0", "e1")]
        )
    ),
    *(
        target
        for method in ("rank", "evaluate")
        for target in argument_of(
            method,
            lambda method=method: getattr(fitted(), method),
            "X",
            "known",
            "handle_unknown",
            X=[("e0", "r0", "e1")],
        )
    ),
    *argument_of("score", lambda: fitted().score, "X", "y", "sample_weight", X=[("e0", "r0", "e1")], y=[1]),
    *argument_of(
        "complete",
        lambda: fitted().complete,
        "X",
        "k",
        "known",
        "known_answers",
        "candidates",
        "new_entities",
        "handle_unknown",
        X=[("e0", "r0", None)],
    ),
    *argument_of("nearest", lambda: fitted().nearest, "entities", "k", "space", "new_entities", entities=["e0"]),
    *argument_of("skotkge.complete", lambda: skotkge.complete, "model", questions=[("e0", "r0", None)]),
    *argument_of("skotkge.complete", lambda: partial(skotkge.complete, fitted()), "questions"),
    *(
        target
        for name in ("predict", "match_proba", "rank", "score", "evaluate")
        for target in argument_of(
            f"matcher.{name}", lambda name=name: getattr(matcher(), name), "labels" if name == "predict" else "pairs"
        )
    ),
    *argument_of("mean_reciprocal_rank", lambda: mean_reciprocal_rank, "ranks"),
    *argument_of("hits_at_k", lambda: hits_at_k, "ranks", "k", ranks=[[1.0, 2.0]]),
    *argument_of("summarize_ranks", lambda: summarize_ranks, "ranks"),
    *argument_of(
        "expected_calibration_error",
        lambda: expected_calibration_error,
        "y_true",
        "y_prob",
        y_true=[0, 1],
        y_prob=[0.1, 0.9],
    ),
    *argument_of(
        "transductive_train_test_split",
        lambda: transductive_train_test_split,
        "X",
        "test_size",
        "random_state",
        X=graph().labels,
    ),
    *argument_of(
        "TransductiveKFold", lambda: lambda n_splits: list(TransductiveKFold(n_splits).split(graph())), "n_splits"
    ),
    *argument_of("with_triples", lambda: graph().with_triples, "triples"),
    *argument_of("new_entities", lambda: graph().new_entities, "vectors"),
    *argument_of("load", lambda: skotkge.load, "path", "trusted", path="nowhere.skops"),
    *argument_of("load_checkpoint", lambda: skotkge.load_checkpoint, "folder"),
]
READERS = {
    **dict.fromkeys([".tsv", ".tsv.gz", ".tsv.zip"], MultimodalTriples.from_tsv),
    **dict.fromkeys([".csv", ".csv.xz", ".csv.zst"], MultimodalTriples.from_csv),
    **dict.fromkeys([".nt", ".ttl", ".rdf", ".jsonld"], MultimodalTriples.from_rdf),
    ".graphml": MultimodalTriples.from_graphml,
    **dict.fromkeys([".skops", ".pkl"], skotkge.load),
}
PIECES = [
    b"a",
    b"\t",
    b"\n",
    b",",
    b'"',
    b"<urn:a>",
    b" .",
    b"{",
    b"}",
    b"<",
    b">",
    b"\0",
    b"\xff",
    b"PK\x03\x04",
    b"\x80",
]
WORDS = [
    *(
        "fit",
        "evaluate",
        "complete",
        "convert",
        "demo",
        "GRAPH",
        "MODEL",
        "nowhere",
        "TMP",
        "--format",
        "--columns",
        "--header",
    ),
    *(
        "--sep",
        "--empty",
        "--literals",
        "--known",
        "--head",
        "--relation",
        "--tail",
        "-k",
        "--output",
        "--questions",
        "--unknown",
    ),
    *(
        "--json",
        "--trust",
        "--entities",
        "--modality",
        "--n-components",
        "--evidence",
        "--learning-rate",
        "--max-iter",
        "--seed",
    ),
    *(
        "--resume",
        "--checkpoint",
        "--quiet",
        "--valid",
        "text=GRAPH",
        "x",
        "0",
        "1",
        "-1",
        "1e99",
        "nan",
        "tsv",
        "a,b,c",
        "0,1,2",
        "",
    ),
    *("e0", "r0", "OUT.csv", "OUT.skops", "yes", "drop", "fused", "--score-function", "rotate"),
]


def attempt(call, argument, value):
    """Return what is unclear about the error that a call raises, or None."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call(value)
    except OSError as error:
        return None if len(str(error)) <= LONGEST else f"{type(error).__name__} of {len(str(error))} characters"
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__} in {place.filename[-60:]}:{place.lineno}: {str(error)[:150]}"
        is_written = place.line.startswith("raise ") and any(part in place.filename for part in OWN)
        if not isinstance(error, CLEAR) or not (is_written or isinstance(error, ImportError)):
            return told
        if isinstance(error, FloatingPointError) and "diverged" in str(error):
            return None  # what is named is what helps
        names = NAMES.get(argument, (argument,))
        is_named = any(re.search(rf"\b{name}\b", str(error)) for name in names) or "sklearn" in place.filename
        return None if is_named and len(str(error)) <= LONGEST else f"unnamed or long: {told}"
    return None


def read(suffix, content):
    """Read a file of random bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_bytes(content)
        READERS[suffix](path)


@cache
def folder_of_files():
    """A graph, a model, and room for outputs."""
    folder = Path(tempfile.mkdtemp())
    lines = ["\t".join(triple) for triple in graph().labels]
    (folder / "graph.tsv").write_text("\n".join(lines) + "\n")
    skotkge.save(fitted(), folder / "model.skops")
    return folder


def command(words):
    """Run a command line; its status is 0 or 2, and an error one line."""
    folder = folder_of_files()
    places = {"GRAPH": "graph.tsv", "MODEL": "model.skops", "TMP": "", "nowhere": "nowhere", "OUT.csv": "a.csv"}
    places |= {"OUT.skops": "a.skops"}
    words = [str(folder / places[word]) if word in places else word for word in words]
    words = [word.replace("GRAPH", str(folder / "graph.tsv")) for word in words]
    if words[:1] == ["demo"]:
        words = [*words, "--output", "/nowhere/model.skops"]
    if words[:1] == ["fit"]:
        words = [*words, "--quiet", "--max-iter", "1", "--n-components", "4", "--output", str(folder / "b.skops")]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(words)
        except SystemExit as ended:
            status = ended.code or 0
    told = [line for line in err.getvalue().splitlines() if ": warning: " not in line]
    if status not in (0, 2) or len(told) != (status == 2) or any(len(line) > 2 * LONGEST for line in told):
        raise AssertionError(f"status {status} of {words}: {told[:3]}")


def one_of(values):
    """One of some values, which need not be hashable."""
    return st.integers(0, len(values) - 1).map(values.__getitem__)


odd_values = one_of(SCALARS + ARRAYS) | st.lists(one_of(SCALARS), max_size=3)
calls = st.tuples(one_of(TARGETS), odd_values)
files = st.tuples(st.sampled_from(sorted(READERS)), st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
commands = st.lists(st.sampled_from(WORDS), min_size=1, max_size=8)
inputs = st.one_of(*[calls] * 6, files, commands)


def fault_of(drawn):
    """Try one input; return where and what is unclear, or None."""
    if isinstance(drawn, list):
        return _named("command line", attempt(command, "", drawn))
    first, second = drawn
    if isinstance(first, str):
        return _named(f"file{first}", attempt(lambda content: read(first, content), "file", second))
    label, argument, call = first
    return _named(label, attempt(call, argument, second))


def _named(label, fault):
    return None if fault is None else f"{label}: {fault}"


def campaign(n_examples, check):
    """Call `check` with so many random inputs."""
    options = dict(deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    settings(max_examples=n_examples, **options)(seed(0)(given(inputs)(check)))()


def test_bad_input_is_refused_clearly():
    faults = Counter()

    def check(drawn):
        fault = fault_of(drawn)
        if fault is not None:
            faults[fault] += 1

    campaign(EXAMPLES, check)
    assert faults == Counter()


LARGE = "x" * 5000
# What a hundred thousand inputs have found, as the value of every parameter and argument of these names.
FOUND = {
    "X": [[("e0", "r0", ["e1"])], pd.DataFrame(), [np.array(3.0)]],
    "known": [[("e0", "r0", ["e1"])]],
    "y": [[{}], pd.DataFrame()],
    "k": [10**30, 2**40, np.timedelta64(1, "D")],
    "labels": [3, [set()], memoryview(np.zeros((2, 3)))],
    "n_splits": [10**30],
    "learning_rate": [1e30],
    "vectors": [3],
    "path": ["\ud800"],
    "y_true": [[LARGE, LARGE]],
    "entities": [LARGE, [set()], np.array(3.0), sparse.eye_array(3, format="csr")],
    "relations": [LARGE, [LARGE, LARGE], memoryview(np.zeros((2, 3))), [set()]],
    "candidates": [memoryview(np.zeros((2, 3))), [set()], np.array(3.0)],
    "callbacks": [memoryview(np.zeros((2, 3)))],
    "pairs": [memoryview(np.zeros((2, 3))), None, [["a"], 1], [np.array(3.0)]],
    "reg": [np.int8(100)],
    "random_state": [np.timedelta64(1, "D")],
    "n_components": [np.timedelta64(1, "D"), 10**30, 2**40, True],
    "n_hidden": [10**30, 2**40],
    "regularization": [10**30],
    "reconstruction_weight": [10**30],
    "alignment_weight": [10**30],
    "epsilon": [10**30],
    "device": [LARGE],
    "folder": [LARGE],
    "weights": [{"text": np.zeros((24, 3))}],
}


def test_what_was_unclear_once_is_clear():
    tried = [(target, value) for target in TARGETS for value in FOUND.get(target[1], ())]
    assert len({target[1] for target, _ in tried}) == len(FOUND)
    assert [fault for fault in map(fault_of, tried) if fault is not None] == []


def try_many(n_examples):
    """Return how often so many inputs had which fault: every odd value everywhere, then random ones."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # too much is then an error, which can be told
    drawn = list(islice(product(TARGETS, SCALARS + ARRAYS), n_examples))
    found = Counter(map(fault_of, drawn))
    if len(drawn) < n_examples:
        campaign(n_examples - len(drawn), lambda drawn: found.update([fault_of(drawn)]))
    return found


if __name__ == "__main__":
    found = try_many(int(sys.argv[1]))
    n_inputs, n_clear = sum(found.values()), found.pop(None, 0)
    print(f"{n_inputs} inputs, {n_inputs - n_clear} of them with an unclear error")
    for fault, count in found.most_common():
        print(f"{count:6} {fault}")
    sys.exit(bool(found))
