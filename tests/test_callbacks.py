"""Callbacks that report to other libraries, tried with these."""

import warnings

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.baselines import TranslationBaseline
from skotkge.callbacks import MLflowLogger, OptunaPruner, TensorBoardLogger


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
        models[-1].fit(small.labels, X_val=small.labels[:60], callbacks=[OptunaPruner(trial)])
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
    quick(evidence="all").fit(small.labels)
    assert len(runs_of(mlflow)) == 1


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
