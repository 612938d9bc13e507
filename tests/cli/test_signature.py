"""Options made of the parameters of constructors: every one is there, with its type, choices and default."""

import argparse
import inspect

import pytest

import skotkge
from skotkge import CrossEntropy, Logistic, OTEntityMatcher, OTFusionTransformer, OTKGEClassifier, TransE
from skotkge._cli import _fit, _match
from skotkge._cli._graphs import ENCODER
from skotkge._cli._signature import argument_of, component, descriptions, pairs_of
from skotkge.encoding import TableEncoder

ALL = {
    OTKGEClassifier: _fit.CLASSIFIER,
    OTFusionTransformer: _fit.FUSION,
    TableEncoder: ENCODER,
    OTEntityMatcher: _match.MATCHER,
}
# Parameters whose options are written by hand, or which have none.
BY_HAND = {
    "random_state": "--seed",
    "verbose": "--quiet",
    "embedding_dim": "--n-components",
    "checkpoint": "--checkpoint",
    "checkpoint_interval": "--checkpoint-interval",
    "constraints": "--constraints",
    "warm_start": None,
}


def parser_of(command):
    parser = argparse.ArgumentParser()
    command.add_to(parser)
    return parser


def flags_of(parser):
    return {flag for action in parser._actions for flag in action.option_strings}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_every_parameter_has_an_option(kind):
    options = ALL[kind]
    flags = flags_of(parser_of(_match if kind is OTEntityMatcher else _fit))
    for name in inspect.signature(kind).parameters:
        if name in options.parameters:
            assert options.special.get(name, {}).get("flag", options.flag(name)) in flags
        elif name in BY_HAND:
            assert BY_HAND[name] in {None, *flags}
        else:  # a value that no text stands for, such as a function
            assert argument_of(kind, name) is None, name


def test_a_choice_may_be_none(capsys):
    parser = argparse.ArgumentParser()
    _fit.CLASSIFIER.add_to(parser)
    assert "--combiner {auto,none}" in parser.format_help()
    assert _fit.CLASSIFIER.values(parser.parse_args(["--combiner", "none"])) == {"combiner": None}
    assert _fit.CLASSIFIER.values(parser.parse_args(["--combiner", "auto"])) == {"combiner": "auto"}
    with pytest.raises(SystemExit):
        parser.parse_args(["--combiner", "trees"])
    assert "invalid choice: 'trees' (choose from auto, none)" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_without_options_the_constructor_decides(kind):
    parser = argparse.ArgumentParser()
    ALL[kind].add_to(parser)
    assert ALL[kind].values(parser.parse_args([])) == {}


@pytest.mark.parametrize("kind", ALL, ids=lambda kind: kind.__name__)
def test_help_tells_meaning_and_default(kind):
    options, told = ALL[kind], descriptions(kind)
    parser = argparse.ArgumentParser()
    options.add_to(parser)
    assert set(inspect.signature(kind).parameters) - {"random_state", "verbose"} <= told.keys()
    for action in parser._actions[1:]:
        name = action.dest.rpartition("__")[2]
        assert len(action.help) > len("(default: none)") + 3, name
        default = inspect.signature(kind).parameters[name].default
        if action.help.endswith(")") and "(default: " in action.help and default is not None:
            assert action.help.endswith(f"(default: {str(default).lower() if default in (True, False) else default})")
    assert parser.format_help()


def test_the_first_sentence_of_each_parameter():
    class Shelf:
        """A shelf.

        Parameters
        ----------
        width, height : float, default=1.0
            In metres, as ``ruler`` (Eq. 2 there) has
            it: not in feet. Never both.
        wood : {"oak"}
        """

    assert descriptions(Shelf) == {
        "width": "in metres, as ruler (Eq. 2 there) has it: not in feet",
        "height": "in metres, as ruler (Eq. 2 there) has it: not in feet",
        "wood": "",
    }


GIVEN = {
    "--regularization 1e-3": ("kge", "regularization", 1e-3),
    "--no-refit": ("kge", "refit", False),
    "--early-stopping": ("kge", "early_stopping", True),
    "--batch-size 64": ("kge", "batch_size", 64),
    "--device cpu": ("kge", "device", "cpu"),
    "--evidence structure,rules": ("kge", "evidence", ("structure", "rules")),
    "--evidence embeddings": ("kge", "evidence", "embeddings"),
    "--evidence structure": ("kge", "evidence", ("structure",)),
    "--objective logistic": ("kge", "objective", "logistic"),
    "--fusion mean": ("fuse", "fusion", "mean"),
    "--fusion-weights structure=2,text=.5": ("fuse", "weights", {"structure": 2.0, "text": 0.5}),
    "--fusion-max-iter 3": ("fuse", "max_iter", 3),
    "--no-fusion-standardize": ("fuse", "standardize", False),
    "--n-components 12": ("fuse", "n_components", 12),
    "--seed 7": ("fuse", "random_state", 7),
}


@pytest.mark.parametrize("text", GIVEN)
def test_options_reach_the_estimators(text):
    step, name, value = GIVEN[text]
    model = _fit._model(parser_of(_fit).parse_args(["graph", "--modality", "text=text.npy", *text.split()]))
    assert model[step].get_params()[name] == value
    plain = OTFusionTransformer() if step == "fuse" else OTKGEClassifier()
    others = {**plain.get_params(deep=False), "random_state": 0, "verbose": 1, "checkpoint_interval": 0}
    found = model[step].get_params(deep=False)
    assert {other for other in found if found[other] != others[other]} - {name, "random_state"} == set()


def test_without_vectors_the_width_is_that_of_the_embeddings():
    model = _fit._model(parser_of(_fit).parse_args(["graph", "--n-components", "12"]))
    assert list(model.named_steps) == ["kge"]
    assert model["kge"].embedding_dim == 12


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cross_entropy:n_sampled=64", CrossEntropy(n_sampled=64)),
        ("cross_entropy:n_sampled=none", CrossEntropy()),
        ("logistic:n_negatives=8,sampling=bernoulli,filtered=true", Logistic(8, "bernoulli", True)),
    ],
)
def test_objectives_have_parameters(text, expected):
    model = _fit._model(parser_of(_fit).parse_args(["graph", "--objective", text]))
    assert repr(model["kge"].objective) == repr(expected)


def test_score_functions_have_parameters():
    model = _fit._model(parser_of(_fit).parse_args(["graph", "--score-function", "transe:margin=6"]))
    assert repr(model["kge"].score_function) == repr(TransE(margin=6.0))


WRONG = {
    "--score-function simple": "begins with none of complex, distmult, rotate, transe",
    "--score-function transe:width=3": "'width=3' is not PARAMETER=VALUE; transe has margin",
    "--score-function transe:margin=wide": "could not convert string to float: 'wide'",
    "--score-function complex:margin=3": "complex has no parameter",
    "--objective logistic:n_negatives=0": "The 'n_negatives' parameter of Logistic must be",
    "--objective logistic:sampling=often": "The 'sampling' parameter of Logistic must be",
    "--objective logistic:filtered=perhaps": "expected true or false",
    "--fusion-weights text": "is not a list such as structure=2,text=1",
    "--fusion-weights text=1,text=2": "is not a list such as structure=2,text=1",
    "--fusion-alignment ot": "invalid choice: 'ot'",
    "--batch-size 1.5": "invalid int value: '1.5'",
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_values_are_told(text, capsys):
    with pytest.raises(SystemExit, match="2"):
        parser_of(_fit).parse_args(["graph", *text.split()])
    assert WRONG[text] in capsys.readouterr().err


def test_completion_lists_the_names():
    (action,) = [action for action in parser_of(_fit)._actions if "--score-function" in action.option_strings]
    assert list(action.choices) == ["complex", "distmult", "rotate", "transe"]
    assert skotkge.TransE is component({"transe": TransE})["type"]("transe:margin=1").__class__
    assert pairs_of(int, "a=1")("a=1,b=2") == {"a": 1, "b": 2}
