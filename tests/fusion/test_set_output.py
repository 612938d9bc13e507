"""Containers of what the matrix form gives."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skotkge import OTFusionTransformer


@pytest.fixture
def matrices(rng):
    X = pd.DataFrame(rng.standard_normal((20, 5)), columns=[*"abcde"], index=[f"row {i}" for i in range(20)])
    return X, rng.standard_normal((20, 4))


NAMES = [f"otfusiontransformer{i}" for i in range(4)]


@pytest.mark.parametrize("mapping", [False, True])
def test_frames_have_names_and_the_index_of_x(matrices, mapping):
    X, y = matrices
    X = {"text": X.iloc[:, :3], "image": X.iloc[:, 3:]} if mapping else X
    fuse = OTFusionTransformer(random_state=0).fit(X, y)
    expected = fuse.transform(X)
    assert isinstance(expected, np.ndarray)
    found = fuse.set_output(transform="pandas").transform(X)
    assert found.columns.tolist() == NAMES == fuse.get_feature_names_out().tolist()
    assert found.index.tolist() == matrices[0].index.tolist()
    np.testing.assert_array_equal(found.to_numpy(), expected)
    polars = clone(fuse).set_output(transform="polars").fit_transform(X, y)
    assert isinstance(polars, pl.DataFrame)
    assert polars.columns == NAMES
    np.testing.assert_array_equal(polars.to_numpy(), expected)
    np.testing.assert_array_equal(fuse.set_output(transform="default").transform(X), expected)


def test_the_choice_is_cloned_and_the_global_one_holds_without(matrices):
    X, y = matrices
    fuse = clone(OTFusionTransformer(random_state=0).set_output(transform="pandas"))
    assert isinstance(fuse.set_output().fit_transform(X, y), pd.DataFrame)
    with sklearn.config_context(transform_output="polars"):
        assert isinstance(fuse.transform(X), pd.DataFrame)
        assert isinstance(OTFusionTransformer(random_state=0).fit_transform(X, y), pl.DataFrame)


def test_in_pipelines_and_beside_other_columns(matrices):
    X, y = matrices
    pipe = make_pipeline(StandardScaler(), OTFusionTransformer(random_state=0)).set_output(transform="pandas")
    assert pipe.fit_transform(X, y).columns.tolist() == NAMES
    parts = ColumnTransformer([("fuse", OTFusionTransformer(random_state=0), [*"abc"])], remainder="passthrough")
    found = parts.set_output(transform="pandas").fit_transform(X, y)
    assert found.columns.tolist() == [*(f"fuse__{name}" for name in NAMES), "remainder__d", "remainder__e"]
    assert found.index.tolist() == X.index.tolist()


def test_other_containers_are_refused():
    with pytest.raises(ValueError, match="transform='arrow'; give one of 'default', 'pandas', 'polars'"):
        OTFusionTransformer().set_output(transform="arrow")
