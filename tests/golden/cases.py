"""Graphs and settings whose answers are recorded, and how a fitted model is asked for all of them.

Everything that names parameters, methods or attributes of the package stands in the two parts "Settings" and "Answers",
so that a renaming is translated there without recording the answers again. The keys of answers are names of this file.
"""

import contextlib
import io
import os
import re
import warnings
from dataclasses import dataclass
from unittest import mock

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from skotkge import CrossEntropy, Logistic, MultimodalTriples, OTFusionTransformer, OTKGEClassifier, TransE
from skotkge.__main__ import main
from skotkge.datasets import load_emoji

# Settings. Each is one plain dict, with the parameters of the two estimators by their names in "fusion" and
# "classifier". When a parameter is renamed, rename it here, and leave the names of the settings and the values as they
# are: the recorded answers stay valid.
#
# "fusion": None fits without a fusion, on the structure alone. Further keys choose the input:
# "bare": fit on an array of labels; "negatives": add known negatives and y; "unknown": ask about unknown labels too.
SETTINGS = {
    "default": {"fusion": {}, "classifier": {}},
    "distmult": {"fusion": {}, "classifier": {"score_function": "distmult", "exclude_self_loops": False}},
    "transe": {
        "fusion": {},
        "classifier": {"score_function": TransE(margin=6.0), "objective": Logistic(n_negatives=4)},
    },
    "rotate": {"fusion": {}, "classifier": {"score_function": "rotate", "refit": False}},
    "logistic": {
        "fusion": {},
        "classifier": {
            "objective": Logistic(n_negatives=8, sampling="bernoulli", filtered=True),
            "optimizer": "adam",
            "learning_rate": 0.01,
        },
    },
    "candidates": {"fusion": {}, "classifier": {"objective": CrossEntropy(n_sampled=20), "batch_size": 128}},
    "fused": {"fusion": {}, "classifier": {"evidence": "fused", "structure_lr_factor": 1.0}},
    "split": {"fusion": {}, "classifier": {"evidence": ("structure", "modalities", "relation_maps")}},
    "rules": {"fusion": {}, "classifier": {"evidence": ("structure", "modalities", "fused", "relation_maps", "rules")}},
    "no relation maps": {"fusion": {}, "classifier": {"evidence": "embeddings"}},
    "fixed transport": {"fusion": {"reg": 0.05}, "classifier": {"transport_lr_factor": 0}},
    "no early stopping": {"fusion": {}, "classifier": {"early_stopping": False, "max_iter": 2}},
    "unknown last": {"fusion": {"fusion": "mean"}, "classifier": {"handle_unknown": "last"}, "unknown": True},
    "structure only": {"fusion": None, "classifier": {"embedding_dim": 16}},
    "no modality": {"fusion": {"fusion": "none", "structure": "random"}, "classifier": {}},
    "concat linear": {"fusion": {"fusion": "concat", "alignment": "linear", "n_components": 8}, "classifier": {}},
    "pca": {"fusion": {"alignment": "pca", "standardize": False}, "classifier": {}},
    "power one": {"fusion": {"p": 1}, "classifier": {"regularization": 0.0}},
    "known negatives": {"fusion": {}, "classifier": {}, "negatives": True},
    "bare labels": {
        "fusion": None,
        "classifier": {"embedding_dim": 16, "handle_unknown": "last"},
        "bare": True,
        "unknown": True,
    },
}
FUSION = {"n_components": 16, "random_state": 0}
CLASSIFIER = {"max_iter": 4, "device": "cpu", "random_state": 0}

# Beginnings of the warnings that these graphs and settings are expected to cause, as regular expressions.
EXPECTED_WARNINGS = [
    r"\d+ of \d+ entities and \d+ of \d+ relations have no training triple",
    "no entity has both a training triple and a vector",
    "held-out triples do not score higher",
    "the modalities .* are not used: X has no fusion attached",
]

COMMANDS = {
    "fit": "fit FOLDER/graph --modality text=FOLDER/text.csv --n-components 8 --max-iter 3 --quiet "
    "--output FOLDER/model.skops",
    "fit without vectors": "fit FOLDER/graph/train.tsv --score-function distmult --n-components 8 --max-iter 3 --quiet "
    "--output FOLDER/other.skops",
    "evaluate": "evaluate FOLDER/model.skops FOLDER/graph",
    "evaluate as JSON": "evaluate FOLDER/other.skops FOLDER/graph/test.tsv --unknown last --json",
    "complete tails": "complete FOLDER/model.skops --head e1 --relation r0 -k 5",
    "complete heads": "complete FOLDER/model.skops --relation r1 --tail e2 -k 5",
    "complete relations": "complete FOLDER/model.skops --head e1 --tail e2 -k 5",
    "unknown label": "complete FOLDER/model.skops --head stranger --relation r0",
}


@contextlib.contextmanager
def one_thread():
    """Keep to one thread: the order of sums depends on their number, and training magnifies the rounding."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


# Graphs
@dataclass(frozen=True)
class Graph:
    """Triples to fit on and to ask about.

    Attributes
    ----------
    train : MultimodalTriples
    valid : ndarray of shape (n, 3) or None
        None has a part of `train` held out.
    test : MultimodalTriples
        Over the table of `train`.
    later : MultimodalTriples
        Over a table that goes on with entities that have vectors, but are not in the table of `train`.
    negatives : ndarray of shape (n, 3)
        Triples that are known to be false.
    """

    train: MultimodalTriples
    valid: np.ndarray | None
    test: MultimodalTriples
    later: MultimodalTriples
    negatives: np.ndarray


def emoji_graph():
    """The first 1,200 training triples of the bundled emoji, their entities, 20 idle and 6 new ones."""
    kg = load_emoji()
    train = kg.train.ids[:1200]
    used = np.unique(train[:, [0, 2]])
    others = np.setdiff1d(np.arange(kg.train.n_entities), used)
    idle, new = others[:20], others[20:26]
    known = np.concatenate([used, idle])
    valid, test = _over(kg.valid.ids, used), _over(kg.test.ids, used)
    about_new = np.concatenate([_touching(part.ids, new, used) for part in (kg.train, kg.valid, kg.test)])
    about_idle = np.concatenate([_touching(part.ids, idle, used) for part in (kg.train, kg.valid, kg.test)])
    names = kg.train.entities, kg.train.relations, kg.train.entities
    labels = [
        _labels(ids, names)
        for ids in (train, valid[:60], np.concatenate([test[:10], about_idle[:6]]), about_new[:7], _corrupted(train))
    ]
    return _graph(*labels, kg.train.modalities, kg.train.entities, kg.train.relations, known, new)


def random_graph():
    """40 entities labelled by numbers and strings, idle entities and an idle relation, missing vectors, 3 new ones."""
    rng = np.random.RandomState(5)
    entities = np.empty(43, dtype=object)
    entities[:] = [*range(20), *(f"{number:03d}" for number in range(20)), "new", 100, "100"]
    relations = np.array(["r0", "r1", "r2", "r3"], dtype=object)
    ids = np.unique(rng.randint([36, 3, 36], size=(240, 3)), axis=0)
    ids = rng.permutation(ids[(ids[:, 0] != ids[:, 2]) | (ids[:, 1] == 2)])
    text, image = rng.standard_normal((43, 24)), rng.standard_normal((43, 10)).astype(np.float32)
    text[rng.permutation(36)[:10]] = np.nan
    image[rng.permutation(36)[:18]] = np.nan
    text[38:40], image[[37, 39, 41]] = np.nan, np.nan
    modalities = {"text": text, "image": image, "sound": np.full((43, 3), np.nan)}
    idle = np.array([[36, 0, 2], [3, 1, 37], [38, 2, 4], [39, 0, 39], [1, 3, 2], [39, 3, 38], [5, 0, 5], [5, 2, 5]])
    new = np.array([[40, 0, 3], [4, 1, 40], [41, 2, 5], [6, 0, 42], [42, 1, 41], [40, 3, 42], [41, 0, 41]])
    names = entities, relations, entities
    test, train = np.concatenate([ids[:10], idle]), ids[10:]
    train, test, new, wrong = (_labels(part, names) for part in (train, test, new, _corrupted(train)))
    return _graph(train, None, test, new, wrong, modalities, entities, relations, np.arange(40), np.arange(40, 43))


GRAPHS = {"emoji": emoji_graph, "random": random_graph}


def _graph(train, valid, test, later, negatives, modalities, entities, relations, known, new):
    """Put the triples over the tables of the known entities and of all."""
    every = np.concatenate([known, new])
    table, later_table = (
        ({name: matrix[rows] for name, matrix in modalities.items()}, {"entities": entities[rows]})
        for rows in (known, every)
    )
    train = MultimodalTriples(train, table[0], **table[1], relations=relations)
    later = MultimodalTriples(later, later_table[0], **later_table[1], relations=relations)
    return Graph(train, valid, train.with_triples(test), later, negatives)


def _labels(ids, names):
    return np.column_stack([labels[column] for labels, column in zip(names, ids.T, strict=True)])


def _over(ids, entities):
    """The triples whose two entities are among those given."""
    return ids[np.isin(ids[:, 0], entities) & np.isin(ids[:, 2], entities)]


def _touching(ids, some, others):
    """The triples of one of some entities with one of those or of the others."""
    ids = _over(ids, np.concatenate([some, others]))
    return ids[np.isin(ids[:, 0], some) | np.isin(ids[:, 2], some)]


def _corrupted(ids):
    """Triples that are not among those given: every fifth with the tail of another."""
    wrong = ids[::5].copy()
    wrong[:, 2] = np.roll(wrong[:, 2], 1)
    true = set(map(tuple, ids.tolist()))
    return np.array([triple for triple in wrong.tolist() if tuple(triple) not in true])


# Answers
def fitted_model(graph, setting):
    """Fit the model of a setting on a graph."""
    X, y = _training_input(graph, setting)
    with expected_warnings():
        if setting["fusion"] is not None:
            X = OTFusionTransformer(**FUSION | setting["fusion"]).fit_transform(X, y)
        return OTKGEClassifier(**CLASSIFIER | setting["classifier"]).fit(X, y, X_val=graph.valid)


@one_thread()
def answers_of(graph, setting):
    """Fit the model of a setting and collect its answers.

    Returns
    -------
    dict of str to ndarray
        Numbers in single precision, and labels as their representations in strings.
    """
    model = fitted_model(graph, setting)
    takes_new = setting["fusion"] is not None and setting["fusion"].get("fusion") != "none"
    asked = {"test": graph.test.labels if setting.get("bare") else graph.test}
    if takes_new:
        asked["later"] = graph.later
    if setting.get("unknown"):
        asked["unknown"] = _with_unknown_labels(graph.test.labels[:4])
    with expected_warnings():
        answers = _answers_about_training(model)
        for name, X in asked.items():
            answers |= {f"{name}: {key}": values for key, values in _answers_about_triples(model, X).items()}
            labels = X.labels if isinstance(X, MultimodalTriples) else X
            new = graph.later if name == "later" else None
            answers |= {
                f"{name}: {key}": values for key, values in _completions(model, labels[[0, 1, -2, -1]], new).items()
            }
        answers |= _neighbours(model, graph, takes_new)
    return {key: _storable(values) for key, values in answers.items()}


@contextlib.contextmanager
def expected_warnings():
    """Let the expected warnings pass, and raise any other."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for message in EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message=message, category=UserWarning)
        yield


def _training_input(graph, setting):
    """Return X and y of a setting."""
    if setting.get("bare"):
        return graph.train.labels, None
    if not setting.get("negatives"):
        return graph.train, None
    X = graph.train.with_triples(np.concatenate([graph.train.labels, graph.negatives]))
    return X, (np.arange(len(X)) < len(graph.train)).astype(int)


def _with_unknown_labels(triples):
    """Triples, and some of them with a label that no graph has."""
    strange = triples[:3].copy()
    strange[0, 0], strange[1, 1], strange[2, 2] = "stranger", "stranger", ("stranger", 1)
    return np.concatenate([triples, strange])


def _answers_about_training(model):
    weights = zip(model.evidence_names_, model.evidence_weights_, strict=True)
    answers = {f"weights of {recorded_name(name)}": of_kind.ravel() for name, of_kind in weights}
    for space, told in model.space_training_.items():
        answers[f"training of {space}"] = np.array([told["n_iter"], told["best_iter"], *told["validation_scores"]])
        answers[f"loss of {space}"] = np.array(told["loss_curve"])
    return answers


def _answers_about_triples(model, X):
    answers = {
        "scores": model.score_triples(X),
        "log-odds": model.decision_function(X),
        "probabilities": model.predict_proba(X),
        "classes": model.predict(X),
        "ranks": model.rank(X),
    }
    told = model.explain(X)
    names = zip(told.evidence, told.contributions.T, strict=True)
    return answers | {f"contribution of {recorded_name(name)}": part for name, part in names}


def recorded_name(name):
    """Name of a kind of evidence when the answers were recorded."""
    return name.replace("relation_maps", "regression").replace("self_loop", "loop")


def _completions(model, triples, new):
    """Complete each triple in each of its places."""
    answers = {}
    for column, name in enumerate(("heads", "relations", "tails")):
        questions = triples.copy()
        questions[:, column] = None
        told = model.complete(questions, k=5, new_entities=new)
        answers |= _ranked(f"{name} completed", told.labels, told.scores, told.probabilities)
        told = model.complete(questions, k=5, known_answers="mark", candidates="seen", new_entities=new)
        answers |= _ranked(f"{name} seen", told.labels, told.scores, told.probabilities)
        answers[f"{name} seen: known"] = told.known.sum(axis=1)
    return answers


def _neighbours(model, graph, takes_new):
    entities = model.entities_[[0, 7, 27, -3]]
    answers = _ranked("neighbours", *model.nearest(entities, k=5))
    if takes_new:
        told = model.nearest(graph.later.entities[-3:], k=5, new_entities=graph.later)
        answers |= _ranked("neighbours of new", *told)
    return answers


def _ranked(name, labels, scores, probabilities=None):
    """Best answers as labels, scores and probabilities; the first two belong together by their keys."""
    answers = {f"{name}: labels": labels, f"{name}: scores": scores}
    return answers if probabilities is None else answers | {f"{name}: probabilities": probabilities}


def _storable(values):
    if values.dtype == object:
        return np.array([repr(label) for label in values.flat]).reshape(values.shape)
    return values.astype(np.float32)


# Command line
@one_thread()
def command_line_text(folder):
    """Run the commands on small files in a folder and return what they print, with the path of the folder left out."""
    _write_files(folder)
    told = []
    for name, command in COMMANDS.items():
        arguments = [argument.replace("FOLDER", str(folder)) for argument in command.split()]
        out, environment = io.StringIO(), {"COLUMNS": "120", "NO_COLOR": "1"}
        with (
            mock.patch.dict(os.environ, environment),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(out),
        ):
            status = main(arguments)
        told.append(f"## {name}: {status}\n{_without_changing_parts(out.getvalue(), folder)}")
    return "\n".join(told)


def _write_files(folder):
    """Write a small graph with one modality."""
    rng = np.random.RandomState(3)
    ids = rng.permutation(np.unique(rng.randint([20, 3, 20], size=(120, 3)), axis=0))
    lines = [f"e{head}\tr{relation}\te{tail}\n" for head, relation, tail in ids]
    (folder / "graph").mkdir()
    for name, rows in (("train", lines[20:]), ("valid", lines[10:20]), ("test", lines[:10])):
        (folder / "graph" / f"{name}.tsv").write_text("".join(rows), encoding="utf-8")
    vectors = [",".join([f"e{number}", *(f"{value:.3f}" for value in rng.standard_normal(12))]) for number in range(18)]
    (folder / "text.csv").write_text("\n".join(vectors) + "\n", encoding="utf-8")


def _without_changing_parts(text, folder):
    """Leave out the folder, durations and spaces at the ends of lines."""
    text = re.sub(r"\d+(\.\d+)? ?s\b", "TIME", text.replace(str(folder), "FOLDER"))
    return "".join(line.rstrip() + "\n" for line in text.splitlines())
