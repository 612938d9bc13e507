"""Going on with the training of a space whose tables have grown."""

import numpy as np
import torch

from .steps import load_squares
from .trainer import Trainer


def continued_trainer(
    spec, ids, n_relations, options, *, seed, start, relation_rows, squares, excludes_self_loops, weights=None
):
    """Return a trainer that starts from the tables of an earlier one.

    Parameters
    ----------
    spec : SpaceSpec
    ids : ndarray of shape (n_triples, 3)
    n_relations : int
    options : TrainingOptions
    seed : int
    start : dict of str to ndarray
        Parameters by name. All but ``"relations"`` have a row for each entity or column.
    relation_rows : ndarray of shape (n_trained_rows,)
        Rows of the relation table that those of ``start["relations"]`` are; the others start as in a first training.
    squares : dict of str to ndarray
        As for `load_squares`, for all rows.
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool
    weights : ndarray of shape (n_triples,), default=None
        As for `Trainer`.

    Returns
    -------
    Trainer
    """
    trainer = Trainer(
        spec, ids, n_relations, options, seed=seed, excludes_self_loops=excludes_self_loops, weights=weights
    )
    tables = trainer.model.trained_state()
    relations = tables["relations"]
    rows = torch.as_tensor(relation_rows, device=relations.device)
    relations[rows] = torch.as_tensor(np.asarray(start["relations"]), dtype=relations.dtype, device=relations.device)
    trainer.model.load_trained({**start, "relations": relations})
    load_squares(trainer.model.parameters(), trainer.optimizers, squares)
    return trainer
