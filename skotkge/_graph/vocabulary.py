"""The table of entities, relations and modality matrices, and the ids of label triples in it."""

import warnings
from types import MappingProxyType

import numpy as np

from .labels import LabelIndex, counted, factorize, first_missing, name_first
from .modalities import observed_rows


class EntityTable:
    """Labels and modality matrices that all slices of a `MultimodalTriples` share by reference.

    Parameters
    ----------
    entities, relations : ndarray of shape (n_entities,) and (n_relations,), dtype object
        Distinct labels; ids are positions in these arrays.
    modalities : dict of str to ndarray of shape (n_entities, n_features)
        One row per entity; a row of NaN is a missing one.
    """

    def __init__(self, entities, relations, modalities=MappingProxyType({})):
        self.entities = frozen(entities)
        self.relations = frozen(relations)
        self._modalities = {name: frozen(matrix) for name, matrix in modalities.items()}
        self._observed = {name: frozen(observed_rows(name, matrix)) for name, matrix in modalities.items()}

    @property
    def modalities(self):
        return MappingProxyType(self._modalities)

    def observed(self, name):
        """Return a boolean mask of the entities that have a vector in a modality."""
        return self._observed[name]

    def ids_of(self, triples):
        """Return the ids of label triples, -1 for labels that the table lacks."""
        entities = LabelIndex(self.entities, "entities")
        relations = LabelIndex(self.relations, "relations")
        columns = (entities, relations, entities)
        return np.column_stack([index.positions(triples[:, i]) for i, index in enumerate(columns)])

    def __setstate__(self, state):
        self.__dict__.update(state)
        for array in (self.entities, self.relations, *self._modalities.values(), *self._observed.values()):
            array.flags.writeable = False


class DistinctLabels:
    """The distinct labels of triples, and which of them each row has.

    Parameters
    ----------
    columns : list of list
        Heads, relations and tails.

    Attributes
    ----------
    entities, relations : ndarray of shape (n_distinct,), dtype object
        In order of first appearance.

    Raises
    ------
    ValueError
        If a label is missing.
    """

    def __init__(self, columns):
        heads, relations, tails = columns
        ends = [None] * (2 * len(heads))
        ends[::2], ends[1::2] = heads, tails
        self.entities, end_codes = factorize(ends)
        self.relations, relation_codes = factorize(relations)
        self._codes = end_codes[::2], relation_codes, end_codes[1::2]
        for distinct, codes, per_row in ((self.entities, end_codes, 2), (self.relations, relation_codes, 1)):
            missing = first_missing(distinct)
            if missing is not None:
                row = int((codes == missing).argmax()) // per_row
                labels = [column[row] for column in columns]
                raise ValueError(
                    f"triples has a missing label in row {row}: {labels!r}; leave the row out, or, where "
                    "a file has the label 'NA' or the like, read it as a string (dtype=str, keep_default_na=False in "
                    "pandas)."
                )

    def ids_in(self, table):
        """Return the ids of the triples in a table.

        Raises
        ------
        ValueError
            If the table lacks a label.
        """
        positions = {}
        for what, distinct in (("entities", self.entities), ("relations", self.relations)):
            positions[what] = LabelIndex(getattr(table, what), what).positions(distinct)
            unknown = distinct[positions[what] < 0]
            if len(unknown):
                raise ValueError(
                    f"triples names {name_first(unknown)}, which {what} lacks; add every label of the triples to "
                    f"{what}."
                )
        head, relation, tail = self._codes
        return np.column_stack(
            [positions["entities"][head], positions["relations"][relation], positions["entities"][tail]]
        )


def frozen(array):
    """Return a read-only view."""
    view = array.view()
    view.flags.writeable = False
    return view


def distinct_triples(ids, table, duplicates):
    """Return the ids of the distinct triples in order of first appearance, and tell what was left out."""
    if duplicates not in ("warn", "error"):
        raise ValueError(f"duplicates={duplicates!r}, expected 'warn', 'error' or 'keep'.")
    repetitions = repeated_rows(ids, table)
    if not len(repetitions):
        return ids
    head, relation, tail = ids[repetitions[0]]
    first = [table.entities[head], table.relations[relation], table.entities[tail]]
    found = (
        f"triples has {counted(len(repetitions), 'repeated row', 'repeated rows')}; the first, at position "
        f"{repetitions[0]}, is {first!r}"
    )
    if duplicates == "error":
        raise ValueError(f"{found}; drop the repetitions, or set duplicates='warn' or 'keep'.")
    warnings.warn(
        f"{found}. Each triple is kept once, in {len(ids) - len(repetitions)} of {len(ids)} rows, and y needs one "
        "value for each row kept; drop the repetitions beforehand, or set duplicates='keep' to have all rows.",
        UserWarning,
        stacklevel=3,
    )
    return np.delete(ids, repetitions, axis=0)


def repeated_rows(ids, table):
    """Return the positions of the rows that repeat an earlier one."""
    head, relation, tail = ids.T
    keys = np.sort((head * len(table.relations) + relation) * len(table.entities) + tail)
    if (keys[1:] != keys[:-1]).all():  # also if the products overflow: equal rows always have equal keys
        return np.empty(0, dtype=np.int64)
    order = np.lexsort(ids.T)
    is_repetition = (np.diff(ids[order], axis=0) == 0).all(axis=1)
    return np.sort(order[1:][is_repetition])
