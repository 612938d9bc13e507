"""Rows that can be held out of training without taking any entity or relation away from it."""

import math

import numpy as np

from .queries import distinct_rows


def first_of_each(places, rows, priority):
    """For each place (an entity or a relation), the one of its rows that comes first.

    Parameters
    ----------
    places, rows : ndarray of int, of shape (n_pairs,)
        Which place occurs in which row.
    priority : ndarray of shape (n_rows,)
        The row with the lowest value comes first.

    Returns
    -------
    ndarray of int
        Sorted row numbers, without repetition.
    """
    order = np.lexsort((priority[rows], places))
    _, first = np.unique(places[order], return_index=True)
    return np.unique(rows[order[first]])


def spare_rows(ids, fraction, random_state):
    """Choose rows to hold out so that each entity and relation keeps a row in training.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    fraction : float
        Share of the distinct triples to hold out, rounded up; fewer where not enough can be spared. A triple that
        occurs in several rows is never held out.
    random_state : RandomState

    Returns
    -------
    ndarray of int
        Sorted row numbers.
    """
    ids, first_row, occurrences = distinct_rows(ids, return_index=True, return_counts=True)
    order = random_state.permutation(len(ids))
    head, relation, tail = ids.T
    places = np.concatenate([head, tail, relation + ids[:, [0, 2]].max(initial=-1) + 1])
    needed = np.zeros(len(ids), dtype=bool)
    needed[first_of_each(places, np.tile(np.arange(len(ids)), 3), np.argsort(order))] = True
    needed |= occurrences > 1
    spare = order[~needed[order]]
    return np.sort(first_row[spare[: math.ceil(fraction * len(ids))]])
