"""The entities and relations that a page shows: found by what is typed, told by name, text and picture."""

from functools import cached_property

import numpy as np

from .search import SearchIndex

# Before the number of an entity whose label is no string, in addresses.
NUMBER = "id:"


class LabelTable:
    """Labels, and what is found and told of them; ids are positions among them.

    Parameters
    ----------
    labels : ndarray of shape (n,), dtype object
    names : sequence of str or None of length n, default=None
    weights : ndarray of shape (n,), default=None
        Numbers of links: what is found comes in their order.
    folder : GraphFolder, default=None
    """

    def __init__(self, labels, names=None, weights=None, folder=None):
        self.labels, self._names, self._folder = labels, names, folder
        self._weights = weights

    def __len__(self):
        return len(self.labels)

    @cached_property
    def index(self):
        """The `SearchIndex` of labels and names."""
        names = self._names
        if self._folder is not None and self._folder.names:
            own = self._folder.names
            names = [own.get(label, None if names is None else names[i]) for i, label in enumerate(self.labels)]
        return SearchIndex(self.labels, names, self._weights)

    @cached_property
    def _ids(self):
        return {label: position for position, label in enumerate(self.labels) if isinstance(label, str)}

    @cached_property
    def _others(self):
        others = {}
        for position, label in enumerate(self.labels):
            if not isinstance(label, str):
                others.setdefault(str(label), position)
        return others

    @property
    def written_alike(self):
        """A label that is written like another one, or None."""
        return next((text for text in self._others if text in self._ids), None)

    @property
    def has_names(self):
        """Whether any has a name."""
        return self._names is not None or bool(self._folder is not None and self._folder.names)

    def token(self, position):
        """Write which one is meant, in an address or a field: its label if that is a string."""
        label = self.labels[position]
        return label if isinstance(label, str) and not label.startswith(NUMBER) else f"{NUMBER}{position}"

    def find(self, token):
        """Return the position of what is meant by a label, by a token, or by the name of one alone; None if nothing is.

        Raises
        ------
        ValueError
            If several have the name.
        """
        if token in self._ids:
            return self._ids[token]
        number = token.removeprefix(NUMBER)
        if number != token and number.isdecimal() and int(number) < len(self):
            return int(number)
        if token in self._others:
            return self._others[token]
        found = self.index.exact(token) if token.strip() else []
        if len(found) > 1:
            labels = ", ".join(str(self.labels[position]) for position in found[:5])
            raise ValueError(f"{len(found)} are called “{token}”: {labels}. Choose one of them.")
        return found[0] if found else None

    def name(self, position):
        """Return the readable name of one, or its label as it is written."""
        label = self.labels[position]
        if self._folder is not None and label in self._folder.names:
            return self._folder.names[label]
        return str(label) if self._names is None else self._names[position]

    def text(self, position):
        """Return the text about one, or None."""
        return None if self._folder is None else self._folder.texts.get(self.labels[position])

    def picture(self, position):
        """Return the path of the picture of one below the folder, or None."""
        return None if self._folder is None else self._folder.pictures.get(self.labels[position])

    @property
    def root(self):
        """The folder that pictures lie in, or None."""
        return None if self._folder is None else self._folder.path


def entity_tables(vocabulary, triples, folder):
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
