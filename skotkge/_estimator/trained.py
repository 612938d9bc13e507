"""TrainedEstimator: an estimator of trained spaces, around `fit_link_predictor`."""

import os

import numpy as np
from sklearn.utils.validation import validate_data

from .base import LinkPredictionEstimator
from .fitting import fit_link_predictor
from .record import record_of
from .vectors import main_space, spaces_of, tables_of_spaces


class TrainedEstimator(LinkPredictionEstimator):
    """Fits trained spaces, and shows their tables and how training went."""

    def _fit_split(
        self, split, make_spaces, options, random_state, checkpoint, start=None, callbacks=(), continuation=None
    ):
        """Fit, and assign all that was learned at once: a fit that fails leaves the estimator as it was."""
        for callback in callbacks:
            if hasattr(callback, "on_fit_begin"):
                callback.on_fit_begin(self)
        predictor, history = fit_link_predictor(
            split, make_spaces, options, random_state, start, checkpoint, continuation
        )
        checkpoint.finish()
        self._assign(split.all, predictor, history, record_of(split))
        for callback in callbacks:
            if hasattr(callback, "on_fit_end"):
                callback.on_fit_end(self)
        return self

    def _assign(self, X, predictor, history, record):
        validate_data(self, X, skip_check_array=True)
        vars(self).update(
            predictor_=predictor,
            handle_unknown_=self.handle_unknown,
            space_training_={str(id): of_space for id, of_space in history.items()},
            **record,
        )

    def _fit_so_far(self, split, make_spaces, options, checkpoint, record):
        """Take the place of a fit of which all that there is has been trained before."""
        random_state = np.random.RandomState(options.seed)
        predictor, history = fit_link_predictor(split, make_spaces, options, random_state, checkpoint=checkpoint)
        self._assign(split.all, predictor, history, record)
        return self

    def _plain_state(self):
        # The name of a folder is a plain value; a store of another kind is of the fit alone.
        state, place = super()._plain_state(), self.checkpoint
        return state | {"checkpoint": os.fspath(place) if isinstance(place, str | os.PathLike) else None}

    @property
    def space_embeddings_(self):
        """Entity tables of the trained spaces by name."""
        return tables_of_spaces(self._fitted_predictor())

    @property
    def space_relations_(self):
        """Relation tables of the trained spaces by name."""
        return {name: space.relations for name, space in spaces_of(self._fitted_predictor()).items()}

    @property
    def entity_embeddings_(self):
        """Dimensions of all trained spaces, side by side."""
        return _side_by_side(self.space_embeddings_)

    @property
    def relation_embeddings_(self):
        """Relation rows of all trained spaces, side by side."""
        return _side_by_side(self.space_relations_)

    @property
    def n_iter_(self):
        """Epochs run of the fused space, or of the first."""
        return self._main_training()["n_iter"]

    @property
    def best_iter_(self):
        """The epoch kept of the fused space, or of the first."""
        return self._main_training()["best_iter"]

    @property
    def loss_curve_(self):
        """Mean losses of the fused space, or of the first."""
        return self._main_training()["loss_curve"]

    @property
    def validation_scores_(self):
        """Validation scores of the fused space, or of the first."""
        return self._main_training()["validation_scores"]

    def _main_training(self):
        self._fitted_predictor()
        if not self.space_training_:
            return {"n_iter": 0, "best_iter": 0, "loss_curve": [], "validation_scores": []}
        return self.space_training_[main_space(self.space_training_)]


def _side_by_side(tables):
    if len(tables) == 1:
        return next(iter(tables.values()))
    return np.hstack(list(tables.values()))
