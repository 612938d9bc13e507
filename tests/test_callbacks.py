"""Callbacks that report to other libraries, tried with these."""

import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from sklearn import model_selection
from sklearn.decomposition import TruncatedSVD
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skotkge import EntityPairs, Logistic, OTEntityMatcher, OTFusionTransformer, OTKGEClassifier
from skotkge.baselines import RuleBaseline, TranslationBaseline
from skotkge.callbacks import MLflowLogger, OptunaPruner, TensorBoardLogger
from skotkge.encoding import encode_table
from skotkge.inspection import evaluate_by_leakage
from skotkge.model_selection import TransductiveKFold


def quick(**parameters):
    defaults = dict(embedding_dim=8, max_iter=3, n_iter_no_change=3, evidence=("structure",), random_state=0)
    return OTKGEClassifier(**defaults | parameters)


def test_optuna_prunes(small):
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    models = []

    def objective(trial):
        rate = [0.1, 1e-9][trial.number]
        models.append(quick(learning_rate=rate, evidence=("structure",), max_iter=6, n_iter_no_change=6))
        models[-1].fit(small.labels[60:], X_val=small.labels[:60], callbacks=[OptunaPruner(trial)])
        return max(models[-1].validation_scores_)

    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner(n_startup_trials=1))
    study.optimize(objective, n_trials=2)
    first, second = study.trials
    assert first.intermediate_values == dict(enumerate(models[0].validation_scores_, start=1))
    assert second.state.name == "PRUNED"
    assert not hasattr(models[1], "predictor_")
    with pytest.raises(ValueError, match="OptunaPruner needs a validation score"):
        quick(early_stopping=False).fit(small.labels, callbacks=[OptunaPruner(first)])


@pytest.fixture
def mlflow(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "runs").as_uri())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("mlflow.sklearn")
        mlflow = pytest.importorskip("mlflow")
        mlflow.set_tracking_uri((tmp_path / "runs").as_uri())
        yield mlflow
        mlflow.sklearn.autolog(disable=True)
        if mlflow.active_run() is not None:
            mlflow.end_run()


def metric_of(mlflow, run, name):
    """Values of a metric in the order of their steps, which count from 1."""
    history = sorted(mlflow.MlflowClient().get_metric_history(run.info.run_id, name), key=lambda metric: metric.step)
    assert [metric.step for metric in history] == list(range(1, len(history) + 1))
    return [metric.value for metric in history]


def runs_of(mlflow):
    return list(mlflow.MlflowClient().search_runs(["0"]))


@pytest.mark.filterwarnings("ignore")
def test_mlflow_logger(mlflow, small):
    kge = quick().fit(small.labels, callbacks=[MLflowLogger()])
    (run,) = runs_of(mlflow)
    assert run.info.status == "FINISHED"
    assert run.data.params["embedding_dim"] == "8"
    assert run.data.params["estimator"] == "OTKGEClassifier"
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "structure/validation_score")
    np.testing.assert_allclose([metric.value for metric in history], kge.validation_scores_)
    assert "structure/refit_loss" in run.data.metrics


@pytest.mark.filterwarnings("ignore")
def test_autologging_takes_no_regression_within_for_the_model(mlflow, small):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    kge = OTKGEClassifier(max_iter=1, random_state=0)
    with mlflow.start_run() as run:
        make_pipeline(OTFusionTransformer(8, random_state=0), kge).fit(small)
    told = mlflow.get_run(run.info.run_id).data
    assert told.params["otkgeclassifier__max_iter"] == "1"
    assert not {"C", "alpha", "solver"} & told.params.keys()
    assert told.tags["estimator_name"] == "Pipeline"
    fused = kge.space_training_["fused"]
    assert metric_of(mlflow, run, "fused/validation_score") == fused["validation_scores"]
    assert told.metrics["best_iter"] == kge.best_iter_


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("within_run", [False, True])
def test_autologging_takes_an_estimator_by_itself(mlflow, small, within_run):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True, extra_tags={"team": "graphs"})
    kge = quick(objective=Logistic(n_negatives=4))
    with mlflow.start_run() if within_run else nullcontext():
        kge.fit(small.labels)
    (run,) = runs_of(mlflow)
    assert run.info.status == "FINISHED"
    assert mlflow.active_run() is None
    assert run.data.params["objective__n_negatives"] == "4"
    assert run.data.params["max_iter"] == "3"
    assert run.data.tags["estimator_name"] == "OTKGEClassifier"
    assert run.data.tags["estimator_class"] == "skotkge.OTKGEClassifier"
    assert within_run or run.data.tags["team"] == "graphs"
    assert metric_of(mlflow, run, "structure/validation_score") == kge.validation_scores_
    assert metric_of(mlflow, run, "structure/loss") == kge.loss_curve_
    assert run.data.metrics["best_validation_score"] == max(kge.validation_scores_)


@pytest.mark.filterwarnings("ignore")
def test_autologging_takes_baselines_and_matchers(mlflow, small):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    RuleBaseline().fit(small.labels)
    TranslationBaseline(n_components=4, max_iter=2, random_state=0).fit(small)
    OTEntityMatcher(n_rounds=1).fit(EntityPairs([("e0", "e0"), ("e1", "e1")], small, small))
    runs = {run.data.tags["estimator_name"]: run.data for run in runs_of(mlflow)}
    assert runs["RuleBaseline"].params["smoothing"] == str(RuleBaseline().smoothing)
    assert "max_iter" in runs["TranslationBaseline"].params
    assert runs["TranslationBaseline"].metrics["n_iter"] >= 1
    assert runs["OTEntityMatcher"].params["n_rounds"] == "1"
    assert len(runs_of(mlflow)) == 3


@pytest.mark.filterwarnings("ignore")
def test_autologging_takes_nothing_that_is_fitted_inside(mlflow, small):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    inner = {"fits": 0}

    class Structure(TruncatedSVD):
        def fit(self, X, y=None):
            rows = np.random.RandomState(0).standard_normal((X.n_entities, 8))
            inner["fits"] += 1
            self.entity_embeddings_ = TruncatedSVD(8).fit(rows).transform(rows)
            return self

    class Calibrator:
        def on_epoch_end(self, state):
            inner["fits"] += 1
            LogisticRegression().fit(np.eye(2), [0, 1])

    fusion = OTFusionTransformer(8, structure=Structure()).fit(small)
    kge = quick(max_iter=1, embedding_dim=None, early_stopping=False, validation_fraction=0)
    kge.fit(fusion.transform(small), callbacks=[Calibrator()])
    before = len(runs_of(mlflow))
    kge.nearest(small.entities[:2])
    encode_table({"entity": ["a", "b", "c"], "text": ["x y", "y z", "z"]})
    leakage = evaluate_by_leakage(kge, small.labels, small.labels[:20])
    kge.partial_fit([("e0", small.relations[0], "someone new")])
    kge.forget([("e0", small.relations[0], "someone new")])
    assert inner["fits"] >= 2
    assert leakage.baseline_metrics is not None
    assert len(runs_of(mlflow)) == before == 1


@pytest.mark.filterwarnings("ignore")
def test_autologging_leaves_searches_and_cross_validation_to_mlflow(mlflow, small):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    model_selection.cross_validate(quick(max_iter=1), small.labels, cv=TransductiveKFold(2))
    assert not runs_of(mlflow)
    GridSearchCV(quick(), {"max_iter": [1, 2]}, cv=TransductiveKFold(2)).fit(small.labels)
    names = sorted(run.data.tags["estimator_name"] for run in runs_of(mlflow))
    assert names == ["GridSearchCV", "OTKGEClassifier", "OTKGEClassifier"]
    assert not any("structure/loss" in run.data.metrics for run in runs_of(mlflow))


@pytest.mark.filterwarnings("ignore")
def test_autologging_that_is_off_or_exclusive_takes_nothing(mlflow, small):
    quick(max_iter=1).fit(small.labels)
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True, exclusive=True)
    with mlflow.start_run() as run:
        quick(max_iter=1).fit(small.labels)
    assert not mlflow.get_run(run.info.run_id).data.params
    mlflow.sklearn.autolog(disable=True)
    quick(max_iter=1).fit(small.labels)
    assert len(runs_of(mlflow)) == 1


@pytest.mark.filterwarnings("ignore")
def test_autologging_tells_a_fit_that_fails_and_fails_none(mlflow, small, monkeypatch):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)

    class Stop:
        def on_epoch_end(self, state):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        quick().fit(small.labels, callbacks=[Stop()])
    (run,) = runs_of(mlflow)
    assert run.info.status == "FAILED"
    assert run.data.params["max_iter"] == "3"

    def unreachable(*args, **kwargs):
        raise ConnectionError("no server")

    monkeypatch.setattr(mlflow, "start_run", unreachable)
    with pytest.warns(UserWarning, match="MLflow has not logged this fit: ConnectionError: no server"):
        kge = quick(max_iter=1).fit(small.labels)
    assert kge.n_iter_ == 1


@pytest.mark.filterwarnings("ignore")
def test_autologging_and_the_logger_share_a_run(mlflow, small):
    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    pipe = make_pipeline(OTFusionTransformer(8, random_state=0), OTKGEClassifier(max_iter=1, random_state=0))
    pipe.fit(small, otkgeclassifier__callbacks=[MLflowLogger()])
    (run,) = runs_of(mlflow)
    assert run.info.status == "FINISHED"
    assert run.data.params["otkgeclassifier__max_iter"] == run.data.params["max_iter"] == "1"
    assert run.data.params["verbose"] == "False"
    assert "fused/validation_score" in run.data.metrics


def test_parameters_that_come_in_between_stay_as_they_are(mlflow, small, monkeypatch):
    log_params = mlflow.log_params

    def written_by_another_first(parameters):
        monkeypatch.setattr(mlflow, "log_params", log_params)
        mlflow.log_param("max_iter", "of another")
        log_params(parameters)

    monkeypatch.setattr(mlflow, "log_params", written_by_another_first)
    quick().fit(small.labels, callbacks=[MLflowLogger()])
    (run,) = runs_of(mlflow)
    assert run.data.params["max_iter"] == "of another"
    assert run.data.params["optimizer"] == "adagrad"


@pytest.mark.filterwarnings("ignore")
def test_tensorboard(tmp_path, small):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    kge = quick().fit(small.labels, callbacks=[TensorBoardLogger(tmp_path)])
    events = accumulator.EventAccumulator(str(tmp_path)).Reload()
    told = [event.value for event in events.Scalars("structure/validation_score")]
    np.testing.assert_allclose(told, kge.validation_scores_, rtol=1e-6)


def test_translation_baseline_takes_callbacks(small):
    class Count:
        calls = 0

        def on_fit_begin(self, estimator):
            self.calls += 100

        def on_epoch_end(self, state):
            self.calls += 1

        def on_fit_end(self, estimator):
            self.calls += 1000

    count = Count()
    baseline = TranslationBaseline(n_components=4, max_iter=2, random_state=0).fit(small, callbacks=[count])
    assert count.calls == 1100 + baseline.n_iter_ + baseline.best_iter_
