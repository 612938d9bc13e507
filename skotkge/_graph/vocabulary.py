"""Labels to ids, indexed once, and the table of modality matrices that slices of triples share."""

from functools import cached_property
from types import MappingProxyType

import numpy as np

from .._utils.messages import shown, tell
from .coded import CodedColumn, joined_in_order
from .labels import LabelIndex, counted, factorize, first_missing, name_first, same_labels
from .names import NameIndex, similar_labels
from .preparing import Preparation, observed_rows

# What is told of entities beside their labels.
DESCRIPTIONS = ("names", "texts", "pictures")


class Vocabulary:
    """Distinct labels of entities and relations; ids are positions among them.

    The indexes from labels to ids are built when first asked for, once, and are not pickled.

    Parameters
    ----------
    entities, relations : ndarray of shape (n_entities,) and (n_relations,), dtype object
    names : ndarray of shape (n_entities,), dtype object, default=None
        Readable names of the entities, the label as a string where there is none; None without any.
    texts, pictures : ndarray of shape (n_entities,), dtype object, default=None
        Texts and paths of pictures for display, None where there is none; None without any.
    """

    def __init__(self, entities, relations, names=None, texts=None, pictures=None):
        self.entities, self.relations = frozen(entities), frozen(relations)
        self.names, self.texts, self.pictures = (
            None if values is None else frozen(values) for values in (names, texts, pictures)
        )

    @property
    def descriptions(self):
        """`names`, `texts` and `pictures` by these words."""
        return {what: getattr(self, what) for what in DESCRIPTIONS}

    def descriptions_of(self, rows):
        """Return the `descriptions` of some of the entities."""
        return {what: None if values is None else values[rows] for what, values in self.descriptions.items()}

    @cached_property
    def entity_index(self):
        """The `LabelIndex` of the entities."""
        return LabelIndex(self.entities, "entities")

    @cached_property
    def relation_index(self):
        """The `LabelIndex` of the relations."""
        return LabelIndex(self.relations, "relations")

    @cached_property
    def name_index(self):
        """The `NameIndex` of the entities, or None."""
        return None if self.names is None else NameIndex(self.entities, self.names)

    @property
    def shape(self):
        """Numbers of entities and relations."""
        return len(self.entities), len(self.relations)

    def ids_of(self, triples):
        """Return the ids of label triples ``(n, 3)``, -1 for labels that are not here."""
        columns = (self.entity_index, self.relation_index, self.entity_index)
        return np.column_stack([index.positions(triples[:, i]) for i, index in enumerate(columns)])

    def labels_of(self, ids):
        """Return the labels of triples of ids ``(n, 3)``."""
        labels = np.empty(ids.shape, dtype=object)
        for column, known in enumerate((self.entities, self.relations, self.entities)):
            labels[:, column] = known[ids[:, column]]
        return labels

    def ids_of_asked(self, triples):
        """As `ids_of`, with the name of an entity in place of its label where no label is written so.

        Raises
        ------
        ValueError
            If several entities have the name.
        """
        ids = self.ids_of(triples)
        for column in (0, 2):
            ids[:, column] = self._by_name(triples[:, column], ids[:, column])
        return ids

    def entities_asked(self, labels):
        """Return the positions of entities by label or name, -1 where there is none; errors as for `ids_of_asked`."""
        return self._by_name(labels, self.entity_index.positions(labels))

    def _by_name(self, labels, positions):
        if self.names is not None:
            for row in np.flatnonzero(positions < 0).tolist():
                positions[row] = self.name_index.position(labels[row])
        return positions

    def similar(self, label, of_relations=False):
        """Write the labels, and the names, that are like one that is not here; "" without any."""
        if not isinstance(label, str):
            return ""
        labels = similar_labels(label, (self.relations if of_relations else self.entities).tolist())
        found = [self.shown(known) for known in labels]
        if self.names is not None and not of_relations:
            found += [self.shown(self.entities[position]) for position in self.name_index.similar(label)]
        return ", ".join(dict.fromkeys(found))

    def shown(self, label):
        """Write a label for a message, with the name of the entity."""
        (name,) = self.names_of([label])
        return repr(label) if name is None else f"{label!r} ({name})"

    def with_name(self, label):
        """Write a label for a table, with the name of the entity."""
        (name,) = self.names_of([label])
        return str(label) if name is None else f"{label} ({name})"

    def names_of(self, labels):
        """Return the name of each entity in an array of object dtype; None for those without, and for other labels."""
        found = np.full(len(labels), None, dtype=object)
        if self.names is not None:
            positions = self.entity_index.positions(labels)
            known = np.flatnonzero(positions >= 0)
            names = self.names[positions[known]]
            named = [name != str(labels[row]) for name, row in zip(names, known.tolist(), strict=True)]
            found[known[named]] = names[named]
        return found

    def is_that_of(self, other):
        """Tell whether another vocabulary has the same labels in the same order."""
        return self is other or (
            same_labels(self.entities, other.entities) and same_labels(self.relations, other.relations)
        )

    def with_entities(self, labels, descriptions=MappingProxyType({})):
        """Return a vocabulary that goes on with more entities, and `descriptions` of them."""
        joined = {}
        for what, before in self.descriptions.items():
            parts = ((self.entities, before), (labels, descriptions.get(what)))
            if any(given is not None for _, given in parts):
                joined[what] = np.concatenate([_or_empty(what, given, of) for of, given in parts])
        return Vocabulary(np.concatenate([self.entities, labels]), self.relations, **joined)

    def with_relations(self, labels):
        """Return a vocabulary that goes on with more relations."""
        return Vocabulary(self.entities, np.concatenate([self.relations, labels]), **self.descriptions)

    def with_descriptions(self, **descriptions):
        """Return the same labels with `descriptions`."""
        return Vocabulary(self.entities, self.relations, **descriptions)

    def __getstate__(self):
        return {"entities": self.entities, "relations": self.relations} | self.descriptions

    def __setstate__(self, state):
        vars(self).update(vars(Vocabulary(**state)))


class EntityTable:
    """Vocabulary and modality matrices that all slices of a `MultimodalTriples` share by reference.

    Parameters
    ----------
    vocabulary : Vocabulary
    modalities : dict of str to ndarray of shape (n_entities, n_features)
        One row per entity; a row of NaN is a missing one.
    preparations : dict of str to Preparation
        How rows of further entities are made.
    """

    def __init__(self, vocabulary, modalities, preparations):
        self.vocabulary, self.preparations = vocabulary, preparations
        self._modalities = {name: frozen(matrix) for name, matrix in modalities.items()}
        self._observed = {name: frozen(observed_rows(matrix)) for name, matrix in modalities.items()}

    @property
    def modalities(self):
        """Read-only mapping from name to matrix."""
        return MappingProxyType(self._modalities)

    def observed(self, name):
        """Return a boolean mask of the entities that have a vector in a modality."""
        return self._observed[name]

    def __setstate__(self, state):
        self.__dict__.update(state)
        if "preparations" not in state:  # files of earlier versions
            self.preparations = {name: Preparation(matrix.shape[1]) for name, matrix in self._modalities.items()}
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
        self.entities, (head_codes, tail_codes) = _distinct([heads, tails])
        self.relations, (relation_codes,) = _distinct([relations])
        self._codes = head_codes, relation_codes, tail_codes
        for distinct, parts in ((self.entities, (head_codes, tail_codes)), (self.relations, (relation_codes,))):
            missing = first_missing(distinct)
            if missing is not None:
                row = min(int((codes == missing).argmax()) for codes in parts if (codes == missing).any())
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


def _distinct(columns):
    """Return the distinct labels of some columns, in order of first appearance row by row, and the codes of each."""
    if all(isinstance(column, CodedColumn) for column in columns):
        return joined_in_order(columns)
    labels = [None] * sum(map(len, columns))
    for start, column in enumerate(columns):
        labels[start :: len(columns)] = column
    distinct, codes = factorize(labels)
    return distinct, [codes[start :: len(columns)] for start in range(len(columns))]


def _or_empty(what, values, labels):
    """What is told of some entities; where nothing is, labels as names, and None as texts and pictures."""
    if values is not None:
        return values
    return np.array([str(label) if what == "names" else None for label in labels], dtype=object)


def frozen(array):
    """Return a read-only view."""
    view = array.view()
    view.flags.writeable = False
    return view


def first_rows(ids, vocabulary, duplicates):
    """Return the positions at which each triple is first, in order, and tell what is left out; None means all rows."""
    if not (isinstance(duplicates, str) and duplicates in ("warn", "error", "keep")):
        raise ValueError(f"duplicates={shown(duplicates)}, expected 'warn', 'error' or 'keep'.")
    if duplicates == "keep":
        return None
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
