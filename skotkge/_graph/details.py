"""What a graph tells of its entities for people to read: names, texts and pictures; and further columns of triples."""

import importlib
from collections.abc import Mapping
from os import PathLike

import numpy as np

from .._utils.messages import reading
from .label_columns import as_array, is_tensor
from .labels import LabelIndex, as_labels, is_missing, name_first
from .tables import Dialect, read_table


def described(vocabulary, attributes=None, **given):
    """Return a vocabulary with names, texts and pictures, brought into the order of the entities.

    Parameters
    ----------
    vocabulary : Vocabulary
    attributes : tuple of ndarray, default=None
        Entities, names of attributes and values.
    **given : mapping, array-like of shape (n_entities,), path, name of an attribute or None
        ``names``, ``texts``, ``pictures``.

    Returns
    -------
    Vocabulary
    """
    if all(values is None for values in given.values()):
        return vocabulary
    told = {what: _as_strings(_in_order(values, vocabulary, what, attributes)) for what, values in given.items()}
    names = told.get("names")
    if names is not None:
        empty = np.equal(names, None)
        names[empty] = [str(label) for label in vocabulary.entities[empty]]
    return vocabulary.with_descriptions(**told)


def _as_strings(values):
    """Numbers and paths as they are written."""
    return values if values is None else as_labels([None if value is None else str(value) for value in values])


def _in_order(values, vocabulary, what, attributes):
    entities = vocabulary.entities
    if values is None:
        return None
    if isinstance(values, str) and attributes is not None and values in attributes[1].tolist():
        values = _of_attribute(values, *attributes)
    elif isinstance(values, str | PathLike):
        values = _from_file(values, what)
    elif hasattr(values, "index") and hasattr(values, "to_numpy"):  # a Series of pandas
        values = dict(zip(values.index.tolist(), values.to_numpy().tolist(), strict=True))
    if not isinstance(values, Mapping):
        values = as_labels(values, what)
        if len(values) != len(entities):
            raise ValueError(
                f"{what} has {len(values)} values, expected {len(entities)}: one for each of the entities, in their "
                "order; a mapping from label to value may have fewer."
            )
        return _without_holes(values)
    labels = as_labels(list(values))
    positions = vocabulary.entity_index.positions(labels)
    if len(labels) and (positions < 0).all():
        raise ValueError(
            f"{what} has none of the {len(entities)} entities among its labels ({name_first(labels)}); the first "
            f"entity is {entities[0] if len(entities) else None!r}."
        )
    out = np.full(len(entities), None, dtype=object)
    out[positions[positions >= 0]] = _without_holes(as_labels(list(values.values())))[positions >= 0]
    return out


def _of_attribute(wanted, entities, names, values):
    """Return the first value of an attribute that each entity has."""
    found = {}
    for entity, name, value in zip(entities.tolist(), names.tolist(), values.tolist(), strict=True):
        if name == wanted:
            found.setdefault(entity, value)
    return found


def _without_holes(values):
    values = values.copy()
    values[[is_missing(value) for value in values]] = None
    return values


def _from_file(path, what):
    """Read labels and values; a name may have been given twice, and then the first counts for nothing but an error."""
    with reading(what, path, "a mapping, an array in the order of entities, or the path of a file"):
        labels, values = read_table(path, Dialect("\t"), n_fields=2).columns
    LabelIndex(labels, f"{what}={str(path)[-60:]!r}")
    return dict(zip(labels, values, strict=True))


def as_data(name, column, n_rows):
    """Return a further column of triples as an array; strings and what else is no number are objects."""
    if is_tensor(column):
        column = as_array(column)
    elif hasattr(column, "to_pylist"):
        column = column.to_pylist()
    elif hasattr(column, "to_numpy"):
        column = column.to_numpy()
    if isinstance(column, np.ndarray) and column.dtype.kind in "biufmM":
        out = column
    else:
        out = np.fromiter(list(column), dtype=object, count=len(column))
    if out.ndim != 1 or len(out) != n_rows:
        raise ValueError(f"triples has the column {name!r} of the shape {out.shape}, expected one value for each row.")
    return out


def data_frame(library, columns, what):
    """Make a data frame of pandas or polars."""
    try:
        frames = importlib.import_module(library)
    except ImportError as error:
        raise ImportError(f"{what} needs {library}: pip install {library}.") from error
    return frames.DataFrame(columns)
