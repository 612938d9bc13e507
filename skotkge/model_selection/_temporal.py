"""One split by time: trained on what was known before, tested on what came later."""

import warnings
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._graph.arguments import true_rows
from .._graph.labels import is_missing
from .._graph.triples import as_triples
from .._utils.messages import check_parameters, shown, tell
from ._parts import TEST_SIZE, number_of_tested, parts

CONSTRAINTS = {"y": ["array-like", None], "test_size": TEST_SIZE}


def temporal_train_test_split(
    X: Any,
    times: ArrayLike,
    y: ArrayLike | None = None,
    *,
    test_size: float | int = 0.1,
    since: Any = None,
) -> tuple[Any, ...]:
    """Split triples so that all of the test part came later than all of the training part.

    Parameters
    ----------
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
    times : array-like of shape (n_triples,)
        When each row came: numbers, dates, or strings that are all numbers or all dates as ISO 8601 writes them
        (``"2024-05-31"``, ``"2024-05-31T12:00"``); such as a column of `MultimodalTriples.triple_data`.
    y : array-like of shape (n_triples,), default=None
        Labels in {0, 1}; None means that all rows are true.
    test_size : float or int, default=0.1
        Share of the rows to test, rounded up, or their number: the latest. Rows of equal time stay together, so that
        fewer rows are tested where the earliest of these times has too many.
    since : number, date or str, default=None
        Test all rows of this time or later, whatever `test_size` says.

    Returns
    -------
    X_train, X_test : of the type of X
        A slice of a `MultimodalTriples` shares its entity table.
    y_train, y_test : of the type of y
        Only where y is given.

    Raises
    ------
    ValueError
        If a time is missing or none that can be compared with the others, or a part would be empty.

    Warns
    -----
    UserWarning
        If rows of the test part repeat triples of the training part.

    See Also
    --------
    transductive_train_test_split : At random.
    inductive_train_test_split : By entities.

    Notes
    -----
    Entities and relations of the test part may be new: a model ranks their triples last with ``handle_unknown="last"``,
    or places entities by their vectors. Both parts keep the order of X.

    Examples
    --------
    >>> from skotkge.model_selection import temporal_train_test_split
    >>> triples = [("ann", "likes", "bob"), ("bob", "likes", "cid"), ("cid", "likes", "ann"), ("ann", "likes", "cid")]
    >>> X_train, X_test = temporal_train_test_split(triples, ["2023", "2024", "2022", "2023"], test_size=1)
    >>> X_test
    [('bob', 'likes', 'cid')]
    """
    check_parameters(CONSTRAINTS, {"y": y, "test_size": test_size}, "temporal_train_test_split")
    triples = as_triples(X)
    true_rows(y, len(triples))
    moments = _comparable(times, since)
    if len(moments) - 1 != len(triples):
        raise ValueError(f"times has {len(moments) - 1} values, X {len(triples)} rows; give one for each row.")
    moments, since = moments[:-1], (None if since is None else moments[-1])
    is_test = moments >= (_first_tested(moments, number_of_tested(test_size, len(triples))) if since is None else since)
    if is_test.all() or not is_test.any():
        which = "none" if not is_test.any() else "all"
        raise ValueError(f"since tests {which} of the {len(triples)} rows of X; give a time between those of the rows.")
    _tell_of_repeated(triples.ids, is_test)
    return parts(X, y, is_test)


def _comparable(times, since):
    """Times, and last the time `since` or one of them, as an array of floats or of datetime64."""
    values = np.asarray(times)
    if values.ndim != 1:
        raise ValueError(f"times has the shape {values.shape}, expected one value for each row of X.")
    values = [*values.tolist()] if values.dtype.kind != "M" else [*values.astype("datetime64[us]").tolist()]
    values.append(values[0] if since is None and values else since)
    for row, value in enumerate(values):
        if is_missing(value):
            raise ValueError(f"times has a missing value ({value!r}) in row {row}; leave such rows out.")
    if all(isinstance(value, str) for value in values):
        return _of_strings(values)
    if all(isinstance(value, date) for value in values):
        return np.array(values, dtype="datetime64[us]")
    try:
        return np.array(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"times and since are not all numbers, all dates or all strings, such as {shown(values[0])} and "
            f"{shown(values[-1])}; make them of one kind."
        ) from error


def _of_strings(values):
    try:
        return np.array(values, dtype=float)
    except ValueError:
        pass
    if all(value.endswith("Z") for value in values):  # all of one time zone, which NumPy knows none of
        values = [value[:-1] for value in values]
    moments = {value: _moment(value) for value in set(values)}
    return np.array([moments[value] for value in values])


def _moment(text):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # of time zones
            moment = np.datetime64(text, "us")
    except (ValueError, UserWarning, DeprecationWarning):
        moment = np.datetime64("NaT")
    if np.isnat(moment):
        raise ValueError(
            f"times has {shown(text)}, which is neither a number nor a date such as '2024-05-31' or "
            "'2024-05-31T12:00' (without a time zone, or all with Z)."
        )
    return moment


def _first_tested(moments, n_test):
    """The earliest time that is tested: as many rows as can be, without parting rows of equal time."""
    ordered = np.sort(moments)
    cut = ordered[-n_test]
    if ordered[-n_test - 1] < cut:
        return cut
    later = ordered[ordered > cut]
    if not len(later):
        n_latest = np.count_nonzero(ordered == cut)
        raise ValueError(
            f"test_size asks for {n_test} rows, but {n_latest} have the latest time and stay together; set "
            f"test_size={n_latest} or more, or since."
        )
    return later[0]


def _tell_of_repeated(ids, is_test):
    known = set(map(tuple, ids[~is_test].tolist()))
    n_repeated = sum(tuple(row) in known for row in ids[is_test].tolist())
    if n_repeated:
        tell(
            f"{n_repeated} of the {np.count_nonzero(is_test)} rows of the test part repeat a triple of the training "
            "part, at another time; leave them out of the test: their figures flatter."
        )
