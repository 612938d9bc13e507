"""Arguments of several public functions: sets of known triples, a y of truth values, and sides of triples."""

from collections.abc import Mapping

import numpy as np

from .._utils.messages import reading, shown
from .classes import truth_of
from .labels import first_occurrences, name_first

SIDES = ("head", "tail")


def as_triple_sets(known):
    """Return a list of sets of triples from None, one set or a list of sets.

    Parameters
    ----------
    known : None, MultimodalTriples, data frame, mapping, array-like of shape (n_triples, 3), set, or list of these

    Returns
    -------
    list
        The sets as they were given, those without an order as lists.
    """
    if known is None:
        return []
    is_list_of_sets = isinstance(known, list | tuple) and all(map(_is_set_of_triples, known))
    sets = known if is_list_of_sets else [known]
    return [list(part) if isinstance(part, set | frozenset) else part for part in sets]


def _is_set_of_triples(part):
    if hasattr(part, "shape"):
        return len(part.shape) == 2
    if isinstance(part, Mapping):
        return True
    listed = isinstance(part, list | tuple | set | frozenset)
    return listed and all(isinstance(row, list | tuple | np.ndarray) for row in part)


def true_rows(y, n_rows, name="y", of="X"):
    """Return the mask of the rows whose value in y is 1; None means that all rows are true.

    Raises
    ------
    ValueError
        If y has not one value of 0 or 1 for each of the rows, or if no row is true.
    """
    with reading(name, y, f"values in {{0, 1}}, one for each triple of {of}"):
        y = np.ones(n_rows) if y is None else truth_of(y)
        strange = first_occurrences([value for value in y.tolist() if value not in (0, 1)])
    if len(y) != n_rows or len(strange):
        found = f", among them {name_first(strange)}" if len(strange) else ""
        raise ValueError(
            f"{name} has {len(y)} values{found}, expected {n_rows} values in {{0, 1}}: one for each triple of {of}."
        )
    if not (y == 1).any():
        raise ValueError(f"{of} holds no true triple; at least one row needs {name} = 1.")
    return y == 1


def checked_sides(sides):
    """Return the sides of triples that are asked for, "head" and "tail", as a tuple.

    Raises
    ------
    ValueError
        If they are not these, or one is given twice.
    """
    given = (sides,) if isinstance(sides, str) else sides
    given = given.tolist() if isinstance(given, np.ndarray) else given
    is_sequence = isinstance(given, tuple | list)
    if not is_sequence or not given or set(map(str, given)) - set(SIDES) or len(set(given)) < len(given):
        raise ValueError(f"sides={shown(sides)}; give ('head', 'tail'), ('head',) or ('tail',).")
    return tuple(given)
