"""Labels to ids, indexed once, and the table of modality matrices that slices of triples share."""

from functools import cached_property
from types import MappingProxyType

import numpy as np

from .._utils.messages import shown
from .labels import LabelIndex, counted, factorize, first_missing, name_first, same_labels
from .modalities import observed_rows
from .notices import tell


class Vocabulary:
    """Distinct labels of entities and relations; ids are positions among them.

    The indexes from labels to ids are built when first asked for, once, and are not pickled.

    Parameters
    ----------
    entities, relations : ndarray of shape (n_entities,) and (n_relations,), dtype object
    """

    def __init__(self, entities, relations):
        self.entities, self.relations = frozen(entities), frozen(relations)

    @cached_property
    def entity_index(self):
        """The `LabelIndex` of the entities."""
        return LabelIndex(self.entities, "entities")

    @cached_property
    def relation_index(self):
        """The `LabelIndex` of the relations."""
        return LabelIndex(self.relations, "relations")

    @property
    def shape(self):
        """Numbers of entities and relations."""
        return len(self.entities), len(self.relations)

    def ids_of(self, triples):
        """Return the ids of label triples ``(n, 3)``, -1 for labels that are not here."""
        columns = (self.entity_index, self.relation_index, self.entity_index)
        return np.column_stack([index.positions(triples[:, i]) for i, index in enumerate(columns)])

    def is_that_of(self, other):
        """Tell whether another vocabulary has the same labels in the same order."""
        return self is other or (
            same_labels(self.entities, other.entities) and same_labels(self.relations, other.relations)
        )

    def with_entities(self, labels):
        """Return a vocabulary that goes on with more entities."""
        return Vocabulary(np.concatenate([self.entities, labels]), self.relations)

    def __getstate__(self):
        return {"entities": self.entities, "relations": self.relations}

    def __setstate__(self, state):
        self.entities, self.relations = frozen(state["entities"]), frozen(state["relations"])


class EntityTable:
    """Vocabulary and modality matrices that all slices of a `MultimodalTriples` share by reference.

    Parameters
    ----------
    vocabulary : Vocabulary
    modalities : dict of str to ndarray of shape (n_entities, n_features)
        One row per entity; a row of NaN is a missing one.
    """

    def __init__(self, vocabulary, modalities):
        self.vocabulary = vocabulary
        self._modalities = {name: frozen(matrix) for name, matrix in modalities.items()}
        self._observed = {name: frozen(observed_rows(name, matrix)) for name, matrix in modalities.items()}

    @property
    def modalities(self):
        """Read-only mapping from name to matrix."""
        return MappingProxyType(self._modalities)

    def observed(self, name):
        """Return a boolean mask of the entities that have a vector in a modality."""
        return self._observed[name]

    def __setstate__(self, state):
        self.__dict__.update(state)
        for array in (*self._modalities.values(), *self._observed.values()):
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
                    f"triples has a missing label in row {row}: {shown(labels)}; leave the row out, or, where "
                    "a file has the label 'NA' or the like, read it as a string (dtype=str, keep_default_na=False in "
                    "pandas)."
                )

    def ids_in(self, vocabulary):
        """Return the ids of the triples in a vocabulary.

        Raises
        ------
        ValueError
            If the vocabulary lacks a label.
        """
        positions = {}
        indexes = vocabulary.entity_index, vocabulary.relation_index
        for what, distinct, index in zip(
            ("entities", "relations"), (self.entities, self.relations), indexes, strict=True
        ):
            positions[what] = index.positions(distinct)
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


def first_rows(ids, vocabulary, duplicates):
    """Return the positions at which each triple is first, in order, and tell what is left out; None means all rows."""
    if duplicates == "keep":
        return None
    if duplicates not in ("warn", "error"):
        raise ValueError(f"duplicates={shown(duplicates)}, expected 'warn', 'error' or 'keep'.")
    repetitions = repeated_rows(ids, vocabulary)
    if not len(repetitions):
        return None
    head, relation, tail = ids[repetitions[0]]
    first = [vocabulary.entities[head], vocabulary.relations[relation], vocabulary.entities[tail]]
    found = (
        f"triples has {counted(len(repetitions), 'repeated row', 'repeated rows')}; the first, at position "
        f"{repetitions[0]}, is {first!r}"
    )
    if duplicates == "error":
        raise ValueError(f"{found}; drop the repetitions, or set duplicates='warn' or 'keep'.")
    tell(
        f"{found}. Each triple is kept once, in {len(ids) - len(repetitions)} of {len(ids)} rows, and y needs one "
        "value for each row kept; drop the repetitions beforehand, or set duplicates='keep' to have all rows."
    )
    return np.delete(np.arange(len(ids)), repetitions)


def repeated_rows(ids, vocabulary):
    """Return the positions of the rows that repeat an earlier one."""
    head, relation, tail = ids.T
    keys = np.sort((head * len(vocabulary.relations) + relation) * len(vocabulary.entities) + tail)
    if (keys[1:] != keys[:-1]).all():  # also if the products overflow: equal rows always have equal keys
        return np.empty(0, dtype=np.int64)
    order = np.lexsort(ids.T)
    is_repetition = (np.diff(ids[order], axis=0) == 0).all(axis=1)
    return np.sort(order[1:][is_repetition])
