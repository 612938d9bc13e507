"""What this library relies on in scikit-learn's private interface, and that it is used in one module alone."""

import ast
import sys
from numbers import Integral
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline

from skotkge import OTFusionTransformer
from skotkge._utils import sklearn_compat
from skotkge._utils.sklearn_compat import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    check_estimator_parameters,
    check_matplotlib_support,
    diagram_block,
    fit_context,
    safe_indexing,
    validate_parameter_constraints,
)

COMPAT = Path(sklearn_compat.__file__)
PACKAGE = COMPAT.parents[1]
MODULES = sorted(PACKAGE.rglob("*.py"))


class Shelf(BaseEstimator):
    _parameter_constraints = {
        "width": [Interval(Integral, 1, None, closed="left"), None],
        "share": [Interval(RealNotInt, 0, 1, closed="neither")],
        "wood": [StrOptions({"oak", "pine"}), HasMethods("saw")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(self, width=1, share=0.5, wood="oak", random_state=None, verbose=0):
        self.width, self.share, self.wood = width, share, wood
        self.random_state, self.verbose = random_state, verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Fit."""
        return self


class Oak:
    def saw(self):
        return "dust"


BAD = [("width", 0), ("width", 1.5), ("share", 1), ("share", 1.0), ("wood", "elm"), ("wood", 3), ("random_state", "x")]


@pytest.mark.parametrize(("name", "value"), BAD)
@pytest.mark.parametrize("check", [check_estimator_parameters, lambda shelf: shelf.fit(None)], ids=["check", "fit"])
def test_a_bad_parameter_is_named_with_its_value(check, name, value):
    with pytest.raises(ValueError, match=rf"The '{name}' parameter of Shelf must be .*\. Got {value!r} instead\."):
        check(Shelf(**{name: value}))


@pytest.mark.parametrize("check", [check_estimator_parameters, lambda shelf: shelf.fit(None)], ids=["check", "fit"])
def test_good_parameters_pass(check):
    check(Shelf(width=None, share=0.25, wood=Oak(), random_state=np.random.RandomState(0), verbose=2))


def test_decorated_functions_keep_their_names_and_docstrings():
    assert (Shelf.fit.__name__, Shelf.fit.__doc__) == ("fit", "Fit.")


def test_constraints_are_checked_without_an_estimator():
    with pytest.raises(ValueError, match=r"The 'k' parameter of cut must be an instance of"):
        validate_parameter_constraints({"k": [Integral]}, {"k": "two"}, caller_name="cut")


@pytest.mark.parametrize("data", [np.arange(6), list(range(6)), np.arange(12).reshape(6, 2)])
def test_rows_of_arrays_and_lists(data):
    np.testing.assert_array_equal(safe_indexing(data, np.array([4, 1])), [data[4], data[1]])


def test_a_missing_matplotlib_is_told_with_who_needs_it(monkeypatch):
    check_matplotlib_support("ShelfDisplay.plot")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"ShelfDisplay\.plot requires matplotlib"):
        check_matplotlib_support("ShelfDisplay.plot")


def test_a_block_of_the_diagram_has_its_caption():
    class Labelled(Shelf):
        def _sk_visual_block_(self):
            return diagram_block(self, "two < three")

    assert "two &lt; three" in Labelled()._repr_html_()
    assert "two &lt; three" in make_pipeline(Labelled())._repr_html_()
    assert diagram_block(Shelf(), "").name_caption is None


def test_estimators_among_the_parameters_have_boxes_of_their_own():
    (inner,) = diagram_block(Shelf(wood=Shelf(width=7)), "").estimators
    assert inner.width == 7
    assert "structure: Shelf" in OTFusionTransformer(structure=Shelf(width=7))._repr_html_()


def test_links_of_the_diagram_are_made_of_module_and_name():
    class Linked(Shelf):
        _doc_link_module = "shelves"
        _doc_link_template = "https://docs.example.org/{estimator_module}.{estimator_name}"

    Linked.__module__ = "shelves.oak._private"
    assert Linked()._get_doc_link() == "https://docs.example.org/shelves.oak.Linked"
    assert "https://docs.example.org/shelves.oak.Linked" in Linked()._repr_html_()


def test_nested_parameters_of_our_estimators_are_checked_at_fit():
    with pytest.raises(ValueError, match="The 'n_components' parameter of OTFusionTransformer"):
        OTFusionTransformer(n_components=0).fit(np.eye(3), np.eye(3))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_other_module_uses_private_names_of_scikit_learn(path):
    private = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "sklearn" and not node.level:
            private += [name for name in [*node.module.split("."), *(a.name for a in node.names)] if name[0] == "_"]
        if isinstance(node, ast.Attribute) and node.attr in ("_validate_params", "_fit_context", "_check_n_features"):
            private.append(node.attr)
    assert not private or path == COMPAT, private


def test_all_that_the_module_offers_is_used():
    used = "\n".join(path.read_text(encoding="utf-8") for path in MODULES if path != COMPAT)
    assert [name for name in sklearn_compat.__all__ if name not in used] == []
