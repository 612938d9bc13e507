"""Rows that can be held out of training without taking any entity or relation away from it."""

import numpy as np


def spare_rows(ids, fraction, random_state):
    """Choose rows to hold out so that each entity and relation keeps a row in training.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    fraction : float
        Share of the rows to hold out; fewer where not enough can be spared.
    random_state : RandomState

    Returns
    -------
    ndarray of int
        Sorted row numbers.
    """
    order = random_state.permutation(len(ids))
    head, relation, tail = ids[order].T
    _, first_of_entity = np.unique(np.column_stack([head, tail]), return_index=True)
    _, first_of_relation = np.unique(relation, return_index=True)
    needed = np.zeros(len(ids), dtype=bool)
    needed[first_of_entity // 2] = True
    needed[first_of_relation] = True
    return np.sort(order[~needed][: round(fraction * len(ids))])
