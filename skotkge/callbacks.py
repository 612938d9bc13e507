"""Callbacks of `fit` that report to Optuna, MLflow and TensorBoard; each needs its library only where it is used."""

from os import PathLike
from typing import Any

from ._utils.autologging import log_missing, mlflow_name

__all__ = ["MLflowLogger", "OptunaPruner", "TensorBoardLogger"]


class OptunaPruner:
    """Report the validation score of each epoch to an Optuna trial, and end the fit where the trial is pruned.

    Parameters
    ----------
    trial : optuna.trial.Trial
    space : str, default=None
        The space whose epochs are reported, such as "fused"; all trials have to train it. None takes the space that is
        trained first, which saves most time where a trial is pruned.

    Raises
    ------
    optuna.TrialPruned
        By `fit`, where the pruner of the study says so. The estimator stays as it was.
    ValueError
        By `fit`, if an epoch has no validation score: with ``early_stopping=False`` or without held-out triples.

    Examples
    --------
    >>> import optuna
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.callbacks import OptunaPruner
    >>> from skotkge.datasets import load_emoji
    >>> kg = load_emoji()
    >>> def objective(trial):
    ...     rate = trial.suggest_float("learning_rate", 0.01, 0.3, log=True)
    ...     kge = OTKGEClassifier(embedding_dim=8, max_iter=2, evidence=("structure",), learning_rate=rate)
    ...     kge.fit(kg.train.labels, X_val=kg.valid, callbacks=[OptunaPruner(trial)])
    ...     return max(kge.validation_scores_)
    >>> optuna.logging.disable_default_handler()
    >>> study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner())
    >>> study.optimize(objective, n_trials=2)
    >>> [sorted(trial.intermediate_values) for trial in study.trials][0]
    [1, 2]
    """

    def __init__(self, trial: Any, space: str | None = None) -> None:
        self.trial = trial
        self.space = space
        self._reported: str | None = None

    def on_fit_begin(self, estimator: Any) -> None:
        """Begin with no space.

        Parameters
        ----------
        estimator : OTKGEClassifier
        """
        self._reported = self.space

    def on_epoch_end(self, state: Any) -> None:
        """Report the epoch.

        Parameters
        ----------
        state : object
            As `OTKGEClassifier.fit` gives it to callbacks.
        """
        from optuna import TrialPruned

        self._reported = self._reported or state.space
        # The training on all triples, after that with some held out, has no validation score and the same epochs.
        if state.space != self._reported or state.is_refit:
            return
        if state.validation_score is None:
            raise ValueError(
                "OptunaPruner needs a validation score after each epoch; set early_stopping=True and give X_val, or a "
                "validation_fraction above 0."
            )
        self.trial.report(state.validation_score, state.epoch)
        if self.trial.should_prune():
            raise TrialPruned(f"pruned after epoch {state.epoch} of {state.space}")


class MLflowLogger:
    """Log the parameters of the estimator, and the loss and validation score of each epoch, to the active MLflow run.

    Without an active run one is started, and ended with the fit. ``mlflow.sklearn.autolog`` logs our estimators at the
    end of a fit, and needs no callback; this one tells of each epoch while the fit runs, and of the training on all
    triples.

    Parameters
    ----------
    log_params : bool, default=True
        Whether to log the parameters. Those of a name that the run has already stay as they are, since MLflow changes
        none: in a pipeline under autologging, ``verbose`` is that of the pipeline.

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.callbacks import MLflowLogger
    >>> kge = OTKGEClassifier(max_iter=2)
    >>> logger = MLflowLogger()  # kge.fit(X, callbacks=[logger])
    """

    def __init__(self, log_params: bool = True) -> None:
        self.log_params = log_params
        self._owns_run = False

    def on_fit_begin(self, estimator: Any) -> None:
        """Log the parameters.

        Parameters
        ----------
        estimator : OTKGEClassifier
        """
        import mlflow

        if self._owns_run and mlflow.active_run() is not None:  # of a fit that has failed
            mlflow.end_run("FAILED")
        self._owns_run = mlflow.active_run() is None
        if self._owns_run:
            mlflow.start_run()
        if self.log_params:
            log_missing({"estimator": type(estimator).__name__, **estimator.get_params()})

    def on_epoch_end(self, state: Any) -> None:
        """Log the loss and the validation score.

        Parameters
        ----------
        state : object
            As `OTKGEClassifier.fit` gives it to callbacks.
        """
        import mlflow

        figures = {mlflow_name(name): value for name, value in figures_of(state).items()}
        mlflow.log_metrics(figures, step=state.epoch)

    def on_fit_end(self, estimator: Any) -> None:
        """End the run that was started.

        Parameters
        ----------
        estimator : OTKGEClassifier
        """
        import mlflow

        if self._owns_run:
            mlflow.end_run()
            self._owns_run = False


class TensorBoardLogger:
    """Write the loss and the validation score of each epoch to event files of TensorBoard.

    Parameters
    ----------
    log_dir : path-like
        Folder of the run; ``tensorboard --logdir`` takes it or the one above it.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.callbacks import TensorBoardLogger
    >>> from skotkge.datasets import load_emoji
    >>> with TemporaryDirectory() as folder:
    ...     kge = OTKGEClassifier(embedding_dim=8, max_iter=2, evidence=("structure",), random_state=0)
    ...     kge = kge.fit(load_emoji().train.labels, callbacks=[TensorBoardLogger(folder)])
    """

    def __init__(self, log_dir: str | PathLike[str]) -> None:
        self.log_dir = log_dir
        self._writer: Any = None

    def on_fit_begin(self, estimator: Any) -> None:
        """Open the files.

        Parameters
        ----------
        estimator : OTKGEClassifier
        """
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(self.log_dir)

    def on_epoch_end(self, state: Any) -> None:
        """Write the loss and the validation score.

        Parameters
        ----------
        state : object
            As `OTKGEClassifier.fit` gives it to callbacks.
        """
        for name, value in figures_of(state).items():
            self._writer.add_scalar(name, value, state.epoch)
        self._writer.flush()

    def on_fit_end(self, estimator: Any) -> None:
        """Close the files.

        Parameters
        ----------
        estimator : OTKGEClassifier
        """
        self._writer.close()


def figures_of(state: Any) -> dict[str, float]:
    """What an epoch is reported as: the loss, apart for the training on all triples, and the validation score.

    Parameters
    ----------
    state : object

    Returns
    -------
    dict of str to float
        Names are ``"space/loss"`` and the like.
    """
    figures = {f"{state.space}/{'refit_loss' if state.is_refit else 'loss'}": float(state.loss)}
    if state.validation_score is not None:
        figures[f"{state.space}/validation_score"] = float(state.validation_score)
    return figures
