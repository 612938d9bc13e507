"""The entities and relations that a page shows: found by what is typed, told by name, text and picture."""

from functools import cached_property

import numpy as np

from .._graph.labels import LabelIndex
from .described import Described
from .search import SearchIndex

# Before the number of an entity whose label is no string, in addresses.
NUMBER = "id:"


class LabelTable:
    """Labels, and what is found and told of them; ids are positions among them.

    Parameters
    ----------
    labels : ndarray of shape (n,), dtype object
    told : Described, default=None
    weights : ndarray of shape (n,), default=None
        Numbers of links: what is found comes in their order.
    label_index : LabelIndex, default=None
        That of the labels, where there is one.
    """

    def __init__(self, labels, told=None, weights=None, label_index=None):
        self.labels, self._weights = labels, weights
        self.told = Described(labels) if told is None else told
        self._positions = LabelIndex(labels, "labels") if label_index is None else label_index

    def __len__(self):
        return len(self.labels)

    def prepare(self):
        """Build the index before somebody waits for it."""
        return self.index

    @cached_property
    def index(self):
        """The `SearchIndex` of labels and names."""
        return SearchIndex(self.labels, self.told.names, self._weights)

    @cached_property
    def _others(self):
        others = {}
        for position, label in enumerate(self.labels):
            if not isinstance(label, str):
                others.setdefault(str(label), []).append(position)
        return others

    @property
    def written_alike(self):
        """How several labels are written, such as 7 and "7", or None."""
        return next((text for text, found in self._others.items() if len(found) > 1 or self.id_of(text) >= 0), None)

    def id_of(self, label):
        """Return the position of a label, -1 where there is none."""
        one = np.empty(1, dtype=object)
        one[0] = label
        return int(self._positions.positions(one)[0])

    def of_written(self, text):
        """Return the position of the label that is written so, None where there is none."""
        position = self.id_of(text)
        return position if position >= 0 else self._others.get(text, [None])[0]

    def token(self, position):
        """Write which one is meant, in an address or a field: its label if that is a string of characters."""
        label = self.labels[position]
        plain = isinstance(label, str) and label == readable(label) and not label.startswith(NUMBER)
        return label if plain else f"{NUMBER}{position}"

    def find(self, token):
        """Return the position of what is meant by a label, a token, or the name of one alone; None if nothing is.

        Raises
        ------
        ValueError
            If several have the name.
        """
        position = self.of_written(token)
        if position is not None:
            return position
        number = token.removeprefix(NUMBER)
        if number != token and number.isdecimal() and int(number) < len(self):
            return int(number)
        found = self.index.exact(token)
        if len(found) > 1:
            labels = ", ".join(readable(self.labels[position]) for position in found[:5])
            raise ValueError(f"{len(found)} are called “{readable(token)}”: {labels}. Choose one of them.")
        return found[0] if found else None

    def name(self, position):
        """Return the readable name of one, or its label as it is written."""
        name = self.told.name(position)
        return readable(self.labels[position] if name is None else name)

    def text(self, position):
        """Return the text about one, or None."""
        text = self.told.text(position)
        return None if text is None else readable(text)

    def picture(self, position):
        """Return the path of the picture of one, or None."""
        return self.told.picture(position)


def readable(label):
    """Write a label; what is no character, as in a damaged file, becomes a question mark."""
    text = str(label).encode("utf-8", "replace").decode("utf-8")
    return text if text.strip() else f"(empty label {text!r})"


def entity_tables(vocabulary, triples):
    """Labels of the model, followed by those that only further triples have.

    Returns
    -------
    entities, relations : ndarray, dtype object
    ids : ndarray of shape (n_triples, 3)
        The triples among them.
    """
    ids = vocabulary.ids_of(triples)
    entities, ids[:, [0, 2]] = _extended(vocabulary.entities, triples[:, [0, 2]], ids[:, [0, 2]])
    relations, ids[:, 1] = _extended(vocabulary.relations, triples[:, 1], ids[:, 1])
    return entities, relations, ids


def _extended(labels, asked, ids):
    new = list(dict.fromkeys(asked[ids < 0].tolist()))
    places = {label: len(labels) + number for number, label in enumerate(new)}
    ids = ids.copy()
    ids[ids < 0] = [places[label] for label in asked[ids < 0].tolist()]
    if not new:
        return labels, ids
    added = np.empty(len(new), dtype=object)
    added[:] = new
    return np.concatenate([labels, added]), ids
