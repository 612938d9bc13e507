"""EntityEmbedder: columns of entities as embeddings, in pipelines of scikit-learn."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.utils import estimator_checks

import skotkge
from skotkge import EntityEmbedder, MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.baselines import RuleBaseline


def model(**parameters):
    return OTKGEClassifier(**dict(embedding_dim=6, max_iter=3, random_state=0) | parameters)


@pytest.fixture(scope="module")
def fitted(small):
    return model().fit(small.labels)


def as_polars(frame):
    return pl.DataFrame(frame.to_dict("list"))


@pytest.fixture
def frame():
    return pd.DataFrame({"who": ["e1", "e7", "e1", "e29"], "whom": ["e2", "e1", "e3", "e0"]}, index=[5, 3, 2, 9])


@pytest.mark.parametrize(
    "form", [lambda X: X, as_polars, lambda X: X.to_numpy(), lambda X: X.to_numpy(object).tolist()]
)
def test_every_form_of_a_table_gives_the_rows_of_embed(fitted, frame, form):
    X = form(frame)
    expected = np.hstack([fitted.embed(frame["who"].tolist()), fitted.embed(frame["whom"].tolist())])
    np.testing.assert_array_equal(EntityEmbedder(fitted).fit_transform(X), expected)


def test_names_and_containers(fitted, frame):
    embedder = EntityEmbedder(fitted).fit(frame)
    names = [f"{column}_structure{i}" for column in ("who", "whom") for i in range(6)]
    assert embedder.get_feature_names_out().tolist() == names
    assert embedder.space_ == "structure"
    found = clone(embedder.set_output(transform="pandas")).fit(frame).transform(frame)
    assert found.columns.tolist() == names
    assert found.index.tolist() == [5, 3, 2, 9]
    assert embedder.set_output(transform="polars").transform(frame).columns == names
    assert EntityEmbedder(fitted).fit([["e1"]]).get_feature_names_out()[0] == "x0_structure0"


def test_a_graph_is_fitted_with_the_rest(small, frame):
    pipe = Pipeline([("fuse", OTFusionTransformer(4, random_state=0)), ("kge", model(embedding_dim=None))])
    embedder = EntityEmbedder(pipe, small, space="text").fit(frame)
    assert "predictor_" not in vars(pipe["kge"])
    expected = clone(pipe).fit(small)["kge"].embed(frame["who"].tolist(), "text")
    np.testing.assert_array_equal(embedder.transform(frame)[:, :4], expected)


@pytest.mark.parametrize("graph", ["fitted before", "fitted with the rest"])
def test_in_a_pipeline_with_other_columns_and_folds(fitted, small, graph):
    X = pd.DataFrame({"who": small.labels[:80, 0], "size": np.arange(80.0)})
    y = np.arange(80) % 2
    embedder = EntityEmbedder(fitted) if graph == "fitted before" else EntityEmbedder(model(max_iter=1), small.labels)
    columns = ColumnTransformer([("graph", embedder, ["who"])], remainder="passthrough")
    pipe = make_pipeline(columns, LogisticRegression(max_iter=1000))
    assert np.isfinite(cross_val_score(pipe, X, y, cv=3)).all()
    search = GridSearchCV(pipe, {"columntransformer__graph__space": ["structure"]}, cv=2).fit(X, y)
    assert search.best_estimator_[0].named_transformers_["graph"].transform(X[["who"]]).shape == (80, 6)


def test_clones_share_a_fitted_model_and_a_graph(fitted, small):
    assert clone(EntityEmbedder(fitted)).estimator is fitted
    graph = EntityEmbedder(fitted, small)
    assert clone(graph).triples is small
    assert clone(graph).estimator is not fitted
    assert "predictor_" not in vars(clone(graph).estimator)
    assert not hasattr(clone(EntityEmbedder(fitted).fit([["e1"]])), "estimator_")


def test_unknown_and_missing_entities(fitted, frame):
    embedder = EntityEmbedder(fitted).fit(frame)
    with pytest.raises(ValueError, match=r"'e100', which the graph does not have in the column 'whom', row 1.*similar"):
        embedder.transform(frame.assign(whom=["e2", "e100", "e3", "e100"]))
    holes = frame.assign(who=["e1", None, np.nan, "e100"])
    with pytest.raises(ValueError, match=r"X has a missing value in the column 'who', row 1; set handle_unknown='nan'"):
        embedder.transform(holes)
    found = clone(embedder).set_params(handle_unknown="nan").fit(frame).transform(holes)
    assert np.isnan(found[1:, :6]).all()
    np.testing.assert_array_equal(found[0, :6], fitted.embed(["e1"])[0])
    assert np.isfinite(found[:, 6:]).all()
    np.testing.assert_array_equal(fitted.embed(["e1"]), found[:1, :6])  # no NaN has come into the table
    HistGradientBoostingClassifier(max_iter=1).fit(found, [0, 1, 0, 1])


def test_no_parameter_changes_an_answer_after_fit(small, fitted, frame):
    embedder = EntityEmbedder(model(max_iter=1), small.labels).fit(frame)
    expected = embedder.transform(frame)
    embedder.set_params(estimator=fitted, triples=None, space="text", handle_unknown="nan")
    np.testing.assert_array_equal(embedder.transform(frame), expected)
    with pytest.raises(ValueError, match="'stranger'"):
        embedder.transform(frame.assign(who="stranger"))


def test_integers_and_names(small):
    X = MultimodalTriples([(i, "next", (i + 1) % 20) for i in range(20)], names={3: "three"})
    kge = model().fit(X)
    found = EntityEmbedder(kge).fit_transform(pd.DataFrame({"n": [3, 7]}))
    np.testing.assert_array_equal(found, kge.embed([3, 7]))
    np.testing.assert_array_equal(EntityEmbedder(kge).fit_transform(np.array([[3], [7]])), found)
    np.testing.assert_array_equal(EntityEmbedder(kge).fit_transform([["three"]]), found[:1])


def test_bad_input_is_named(fitted, small, frame):
    with pytest.raises(NotFittedError, match="is not fitted; fit it, or pass the graph as triples"):
        EntityEmbedder(model()).fit(frame)
    with pytest.raises(NotFittedError):
        EntityEmbedder(fitted).transform(frame)
    with pytest.raises(TypeError, match="makes no embeddings"):
        EntityEmbedder(OTFusionTransformer(4).fit(small)).fit(frame)
    with pytest.raises(ValueError, match="no trained space"):
        EntityEmbedder(RuleBaseline().fit(small)).fit(frame)
    with pytest.raises(ValueError, match="the model has the spaces 'structure'"):
        EntityEmbedder(fitted, space="text").fit(frame)
    with pytest.raises(ValueError, match=r"got 1D.*as \['city'\]"):
        EntityEmbedder(fitted).fit(frame["who"])
    with pytest.raises(TypeError, match="lazy data frame"):
        EntityEmbedder(fitted).fit(as_polars(frame).lazy())
    with pytest.raises(ValueError, match="feature names"):
        EntityEmbedder(fitted).fit(frame).transform(frame[["who"]])
    with pytest.raises(ValueError, match="'handle_unknown' parameter of EntityEmbedder"):
        EntityEmbedder(fitted, handle_unknown="zero").fit(frame)


@pytest.mark.parametrize("suffix", [".skops", ".joblib"])
def test_saved_with_the_model_and_without_the_graph(small, frame, tmp_path, suffix):
    triples = MultimodalTriples(small.labels)
    embedder = EntityEmbedder(model(max_iter=1), triples).fit(frame)
    skotkge.save(embedder, tmp_path / f"a{suffix}")
    loaded = skotkge.load(tmp_path / f"a{suffix}", trusted=suffix == ".joblib")
    np.testing.assert_array_equal(loaded.transform(frame), embedder.transform(frame))
    assert loaded.triples is None
    np.testing.assert_array_equal(clone(loaded).fit_transform(frame), embedder.transform(frame))
    assert embedder.triples is triples


CHECKS = [
    "check_do_not_raise_errors_in_init_or_set_params",
    "check_estimator_repr",
    "check_estimator_tags_renamed",
    "check_get_params_invariance",
    "check_mixin_order",
    "check_no_attributes_set_in_init",
    "check_param_validation",
    "check_parameters_default_constructible",
    "check_set_params",
    "check_valid_tag_types",
]


@pytest.mark.parametrize("check", CHECKS)
def test_data_free_checks_of_scikit_learn(check):
    getattr(estimator_checks, check)("EntityEmbedder", EntityEmbedder(model()))
