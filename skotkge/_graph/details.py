"""What a graph tells of its entities for people to read: names, texts and pictures; and further columns of triples."""

from collections.abc import Mapping
from os import PathLike

import numpy as np

from .._utils.messages import reading, shown
from .files import read_text, suffix_of
from .label_columns import as_array, is_tensor
from .labels import LabelIndex, as_labels, is_missing, name_first, plain_labels, plain_values
from .modalities import LABEL_COLUMN
from .tables import Dialect, read_table

FORMS = (
    f"give a mapping, pairs or a Series from label to value, a data frame with the columns {LABEL_COLUMN!r} and one "
    "more, or one column in the order of entities"
)
LINES_LOOKED_AT = 100


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
    told = {what: _as_strings(_in_order(values, vocabulary, what, attributes), what) for what, values in given.items()}
    names = told.get("names")
    if names is not None:
        empty = np.equal(names, None)
        names[empty] = [str(label) for label in vocabulary.entities[empty]]
    return vocabulary.with_descriptions(**told)


def _as_strings(values, what):
    """Numbers and paths as they are written."""
    if values is None:
        return None
    several = next((value for value in values if isinstance(value, list | tuple | set | Mapping | np.ndarray)), None)
    if several is not None:
        raise ValueError(f"{what} has {shown(several)} in place of one string; {FORMS}.")
    return as_labels([None if value is None else str(value) for value in values])


def _by_label_or_in_order(values, vocabulary, what):
    """Return a mapping from label to value, or a list in the order of the entities."""
    if hasattr(values, "columns") or hasattr(values, "column_names"):
        names = list(getattr(values, "column_names", None) or values.columns)
        if LABEL_COLUMN in names and len(names) == 2:
            names.remove(LABEL_COLUMN)
            return _of_pairs(
                plain_labels(_column(values, LABEL_COLUMN)), plain_values(_column(values, names[0]), what), what
            )
        if len(names) != 1:
            raise ValueError(f"{what} is a data frame with the columns {name_first(names)}; {FORMS}.")
        values = values[names[0]]
    if hasattr(values, "index") and hasattr(values, "to_numpy"):  # a Series of pandas
        labels, told = values.index.tolist(), plain_values(values.to_numpy(), what)
        numbered = labels == list(range(len(vocabulary.entities)))
        if numbered and (vocabulary.entity_index.positions(as_labels(labels)) < 0).all():
            return told
        return _of_pairs(labels, told, what)
    if is_tensor(values) or isinstance(values, np.ndarray):
        values = as_array(values).tolist() if is_tensor(values) else values.tolist()
    if not isinstance(values, list | tuple) or not all(isinstance(value, list | tuple) for value in values):
        return values
    lengths = set(map(len, values))
    if lengths == {1}:
        return [value for (value,) in values]
    return _of_pairs(*map(list, zip(*values, strict=True)), what) if lengths == {2} else values


def _column(table, name):
    column = table[name]
    return column.to_pylist() if hasattr(column, "to_pylist") else column


def _of_pairs(labels, values, what):
    LabelIndex(labels, what)
    return dict(zip(labels, values, strict=True))


def _in_order(values, vocabulary, what, attributes):
    entities = vocabulary.entities
    if values is None:
        return None
    if isinstance(values, str) and attributes is not None and values in attributes[1].tolist():
        values = _of_attribute(values, *attributes)
    elif isinstance(values, str | PathLike):
        values = _from_file(values, what)
    elif not isinstance(values, Mapping):
        values = _by_label_or_in_order(values, vocabulary, what)
    if not isinstance(values, Mapping):
        values = _as_array(values, what)
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
    out[positions[positions >= 0]] = _without_holes(_as_array(list(values.values()), what))[positions >= 0]
    return out


def _of_attribute(wanted, entities, names, values):
    """Return the first value of an attribute that each entity has."""
    found = {}
    for entity, name, value in zip(entities.tolist(), names.tolist(), values.tolist(), strict=True):
        if name == wanted:
            found.setdefault(entity, value)
    return found


def _as_array(values, what):
    values = plain_values(values, what)
    return np.fromiter(values, dtype=object, count=len(values))


def _without_holes(values):
    values = values.copy()
    values[[is_missing(value) for value in values]] = None
    return values


def _from_file(path, what):
    """Read labels and values; a name may have been given twice, and then the first counts for nothing but an error."""
    with reading(what, path, "a mapping, an array in the order of entities, or the path of a file"):
        labels, values = read_table(path, _dialect(path), n_fields=2).columns
    return _of_pairs(labels, values, f"{what}={str(path)[-60:]!r}")


def _dialect(path):
    """Return how a file of two columns is written: tabs, or in a CSV file what stands once in most lines."""
    if suffix_of(path) != ".csv":
        return Dialect("\t")
    lines = read_text(path).splitlines()[:LINES_LOOKED_AT]
    return Dialect(max(",;\t", key=lambda sep: sum(line.count(sep) == 1 for line in lines)), quoting=True)


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
