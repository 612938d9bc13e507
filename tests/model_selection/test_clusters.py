"""Searches by joblib's Dask and Ray back ends: the same results, and the graph sent once and not with each task."""

import joblib
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*have no training triple:UserWarning"),
    # What the clusters themselves warn of: ports that are in use, and ways of Python that go out of use.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Port .* is already in use:UserWarning"),
]


@pytest.fixture
def sent(monkeypatch):
    """How many times a graph has been pickled in this process."""
    pickled = []
    whole = MultimodalTriples.__reduce_ex__

    def counting(self, protocol):
        pickled.append(self)
        return whole(self, protocol)

    monkeypatch.setattr(MultimodalTriples, "__reduce_ex__", counting)
    return pickled


def search():
    kge = OTKGEClassifier(evidence=("fused",), max_iter=2, validation_fraction=0, early_stopping=False, random_state=0)
    pipe = Pipeline([("fuse", OTFusionTransformer(4, random_state=0)), ("kge", kge)])
    return GridSearchCV(pipe, {"kge__learning_rate": [0.01, 0.1, 0.3]}, cv=2, refit=False, error_score="raise")


def scores(X):
    return search().fit(X).cv_results_["mean_test_score"]


def test_dask_sends_the_graph_once_to_each_worker(small, sent):
    distributed = pytest.importorskip("distributed")
    expected = scores(small)
    cluster = distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    with cluster, distributed.Client(cluster), joblib.parallel_config("dask", scatter=[small]):
        found = scores(small)
    np.testing.assert_allclose(found, expected)
    assert 1 <= len(sent) <= 3  # once for its name, which is a hash, and once for each worker; there are six tasks


def test_ray_sends_the_graph_once(small, sent, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # a cluster of this machine alone
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")
    ray = pytest.importorskip("ray")
    from ray.util.joblib import register_ray

    from skotkge.model_selection import register_with_ray

    expected = scores(small)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        register_ray()
        register_with_ray()
        with joblib.parallel_config("ray", n_jobs=2):
            found = scores(small)
    finally:
        ray.shutdown()
    np.testing.assert_allclose(found, expected)
    assert len(sent) == 1
