"""ModalBaseline: what the baselines that train one space of structure and modalities have in common."""

from collections.abc import Sequence
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from .._embedding.options import TrainingOptions
from .._estimator.checkpoints import open_checkpoint
from .._estimator.fitting import FitOptions, of_epochs
from .._estimator.holdout import make_split, true_and_false
from .._estimator.trained import TrainedEstimator
from .._graph.classes import read_truth
from .._graph.triples import as_triples
from .._utils.autologging import autologged
from .._utils.sklearn_compat import HasMethods, Interval, StrOptions, fit_context

PARAMETER_CONSTRAINTS = {
    "n_components": [Interval(Integral, 1, 2**20, closed="both")],
    "regularization": [Interval(Real, 0, None, closed="left")],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "validation_fraction": [Interval(Real, 0, 1, closed="left")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "handle_unknown": [StrOptions({"error", "last"})],
    "device": [str],
    "checkpoint": [str, PathLike, None, HasMethods(["within", "read", "write", "remove"])],
    "checkpoint_interval": [Interval(Real, 0, None, closed="left")],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}


class ModalBaseline(TrainedEstimator):
    """Trains one space of structure and modalities.

    Subclasses write `_with_fusion`, `_make_spaces`, `_score_function` and `_objective`, and `_reason_for_modality`.
    """

    @autologged
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        callbacks: Sequence[Any] = (),
    ) -> Self:
        """Train on true triples.

        Parameters
        ----------
        X : MultimodalTriples
            With at least one modality. A fusion attached to it is not used.
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}; rows of 0 are known negatives. None means that all rows are true.
        X_val : MultimodalTriples or array-like of labels of shape (n_validation, 3), default=None
            Triples for early stopping and calibration. Without it a part of the true rows of X is held out.
        y_val : array-like of shape (n_validation,), default=None
            Labels in {0, 1} of the rows of `X_val`; None means that all are true.
        callbacks : sequence of objects, default=()
            As for `OTKGEClassifier.fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X has no modality, and as `OTKGEClassifier.fit`.
        """
        classes, y, y_val = read_truth(y, y_val)
        X = as_triples(X)
        if not X.modalities:
            raise ValueError(
                f"X has no modality, and {self._reason_for_modality()}: give a MultimodalTriples with modalities, or "
                "use OTKGEClassifier(score_function='transe')."
            )
        checkpoint = open_checkpoint(self, X.with_fusion(None), y, X_val, y_val)
        given = checkpoint.random_state(self.random_state)
        X, negatives = true_and_false(self._with_fusion(X, y, given), y)
        random_state = check_random_state(given)
        options = self._fit_options(X, random_state.randint(np.iinfo(np.int32).max), callbacks)
        split = make_split(X, negatives, X_val, y_val, self.validation_fraction, random_state)
        split = replace(split, classes=classes)
        make_spaces = self._space_maker(options.seed)
        return self._fit_split(split, make_spaces, options, random_state, checkpoint, callbacks=callbacks)

    def _fit_options(self, X, seed, callbacks):
        training = TrainingOptions(
            score_function=self._score_function(X),
            objective=self._objective(),
            regularization=self.regularization,
            learning_rate=self.learning_rate,
            structure_lr_factor=1.0,
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            device=self._device_of_answers(),
        )
        return FitOptions(training, verbose=self.verbose, seed=seed, callbacks=of_epochs(callbacks))

    def _reason_for_modality(self):
        """Why X needs a modality, as a part of a sentence."""
        raise NotImplementedError

    def _with_fusion(self, X, y, random_state):
        """X with the scaled columns of its modalities."""
        raise NotImplementedError

    def _space_maker(self, seed):
        """A function from triples to the space to train, a dict of EvidenceId to SpaceSpec."""
        raise NotImplementedError

    def _score_function(self, X):
        raise NotImplementedError

    def _objective(self):
        raise NotImplementedError
