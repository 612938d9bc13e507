"""MLflow's autologging of scikit-learn, which logs fits of scikit-learn's own classes and of no others.

Nothing here imports MLflow: where nobody has imported it, nobody has switched autologging on. With training sessions
MLflow itself keeps the fits of estimators inside of others out of the log, also for LightGBM and XGBoost.
"""

import functools
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from .messages import tell

Method = TypeVar("Method", bound=Callable[..., Any])
# The largest batch that MLflow takes.
LARGEST_BATCH = 1000


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep fits of scikit-learn's estimators out of autologging, which would take a part of ours for the model."""
    session = _training_session()
    if session is None:
        yield
    else:
        with session(estimator=None, allow_children=False):
            yield


def autologged(fit: Method) -> Method:
    """Let autologging take a method ``fit`` of ours as it takes those of scikit-learn's estimators.

    A fit by itself has its parameters and metrics logged, to the active run or to one of its own; one in a `Pipeline`
    has its metrics logged to the run of the pipeline, which has the parameters. One in another estimator, such as a
    search, is not logged, nor are the fits within.
    """

    @functools.wraps(fit)
    def logged_fit(estimator, *args, **kwargs):
        session = _training_session()
        if session is None:
            return fit(estimator, *args, **kwargs)
        outer = session.get_current_session()
        with unlogged(), _log_of_fit(estimator, outer):
            return fit(estimator, *args, **kwargs)

    return cast(Method, logged_fit)


def _training_session():
    """The class of MLflow's training sessions if autologging of scikit-learn is on, else None."""
    flavor, tools = sys.modules.get("mlflow.sklearn"), sys.modules.get("mlflow.utils.autologging_utils")
    session = getattr(flavor, "_SklearnTrainingSession", None)
    if session is None or tools is None or tools.autologging_is_disabled("sklearn"):
        return None
    # Set within cross_val_score and the like.
    return None if getattr(tools, "_AUTOLOGGING_GLOBALLY_DISABLED", False) else session


def _log_of_fit(estimator, outer):
    """The context in which a fit is logged, given the training session around it or None."""
    if outer is None:
        return _run_of(estimator)
    from sklearn.pipeline import Pipeline

    is_step = isinstance(outer.estimator, Pipeline) and outer.should_log()
    return _metrics_of(estimator) if is_step else _nothing()


@contextmanager
def _nothing():
    yield


@contextmanager
def _metrics_of(estimator):
    yield
    _attempt(_log_metrics, estimator)


@contextmanager
def _run_of(estimator):
    """Log parameters and metrics to the active run, or to one that begins and ends with the fit."""
    import mlflow
    from mlflow.utils.autologging_utils import get_autologging_config

    if mlflow.active_run() is not None and get_autologging_config("sklearn", "exclusive", False):
        yield
        return
    owns_run = mlflow.active_run() is None
    if owns_run:
        tags = {"mlflow.autologging": "sklearn", **(get_autologging_config("sklearn", "extra_tags", None) or {})}
        _attempt(mlflow.start_run, tags=tags)
    if mlflow.active_run() is None:
        yield
        return
    _attempt(_log_parameters, estimator)
    try:
        yield
    except BaseException:
        if owns_run:
            _attempt(mlflow.end_run, "FAILED")
        raise
    _attempt(_log_metrics, estimator)
    if owns_run:
        _attempt(mlflow.end_run)


def _attempt(log, *args, **kwargs):
    """Trouble with MLflow is none of the fit, which goes on."""
    try:
        log(*args, **kwargs)
    except Exception as error:
        tell(f"MLflow has not logged this fit: {type(error).__name__}: {error}")


def _log_parameters(estimator):
    import mlflow

    kind = type(estimator)
    mlflow.set_tags({"estimator_name": kind.__name__, "estimator_class": f"{kind.__module__}.{kind.__name__}"})
    log_missing(estimator.get_params())


def log_missing(parameters: dict[str, Any]) -> None:
    """Log parameters that the active run does not have yet, which MLflow does not let anyone change.

    Raises
    ------
    MlflowException
        If another program goes on writing some of them.
    """
    import mlflow

    for is_last in (False, True):
        there = _active_data().params
        try:
            mlflow.log_params({name: value for name, value in parameters.items() if name not in there})
            return
        except mlflow.exceptions.MlflowException:  # some may have come between the look and the writing
            if is_last:
                raise


def _log_metrics(estimator):
    """Log what training was like, under names that the run does not have: those of `MLflowLogger` stay as they are."""
    import mlflow
    from mlflow.entities import Metric

    there, now = _active_data().metrics, int(1000 * time.time())
    metrics = [Metric(name, value, now, step) for name, value, step in training_metrics(estimator) if name not in there]
    run_id = mlflow.active_run().info.run_id
    for first in range(0, len(metrics), LARGEST_BATCH):
        mlflow.MlflowClient().log_batch(run_id, metrics=metrics[first : first + LARGEST_BATCH])


def _active_data():
    import mlflow

    return mlflow.get_run(mlflow.active_run().info.run_id).data


def training_metrics(estimator: Any) -> list[tuple[str, float, int]]:
    """Metrics of a fit, of each epoch and as a whole.

    Parameters
    ----------
    estimator : estimator
        Fitted. One without trained spaces has no metrics.

    Returns
    -------
    list of tuple (name, value, step)
        Steps are epochs, from 1, and 0 for what is of the fit as a whole.
    """
    found = []
    for space, history in getattr(estimator, "space_training_", {}).items():
        for name, key in (("loss", "loss_curve"), ("validation_score", "validation_scores")):
            named = mlflow_name(f"{space}/{name}")
            found += [(named, float(value), epoch) for epoch, value in enumerate(history[key], start=1)]
    if found:
        found += [("n_iter", float(estimator.n_iter_), 0), ("best_iter", float(estimator.best_iter_), 0)]
        if len(estimator.validation_scores_):
            found.append(("best_validation_score", float(estimator.validation_scores_[estimator.best_iter_ - 1]), 0))
    return found


def mlflow_name(name: str) -> str:
    """Return a name without characters that MLflow refuses.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    return re.sub(r"[^\w\-./ ]", "_", name)
