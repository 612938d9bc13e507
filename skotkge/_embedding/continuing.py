"""Going on with the training of a space whose tables have grown."""

import numpy as np
import torch

from .steps import load_squares


def start_from(trainer, tables, relation_rows, squares):
    """Let a trainer that has not trained yet start from the tables of an earlier one.

    Parameters
    ----------
    trainer : Trainer
    tables : dict of str to ndarray
        Parameters by name. All but ``"relations"`` have a row for each entity or column.
    relation_rows : ndarray of shape (n_trained_rows,)
        Rows of the relation table that those of ``tables["relations"]`` are; the others start as in a first training.
    squares : dict of str to ndarray
        As for `load_squares`, for all rows.
    """
    relations = trainer.model.trained_state()["relations"]
    rows = torch.as_tensor(relation_rows, device=relations.device)
    relations[rows] = torch.as_tensor(np.asarray(tables["relations"]), dtype=relations.dtype, device=relations.device)
    trainer.model.load_trained({**tables, "relations": relations})
    load_squares(trainer.model.parameters(), trainer.optimizers, squares)
