"""Readable names of entities: which entity a name is of, and which are like one that nobody has."""

import re
from difflib import SequenceMatcher, get_close_matches
from heapq import nlargest

# A name may be asked for without what stands before its first letter or figure, such as the character of an emoji.
BEFORE_LETTERS = re.compile(r"^[\W_]+")
# Comparing whole names is slow; of more than this, those with the most pairs of letters in common are compared.
MOST_COMPARED = 500


def name_key(name):
    """Return what two ways of writing a name have in common: lower case, and nothing before the first letter."""
    name = name.strip().casefold()
    return BEFORE_LETTERS.sub("", name) or name


class NameIndex:
    """Entities by their names.

    Parameters
    ----------
    labels : ndarray of shape (n_entities,), dtype object
    names : ndarray of shape (n_entities,), dtype object
        The label itself, as a string, where an entity has no name.
    """

    def __init__(self, labels, names):
        self._labels, self._exact, self._alike = labels, {}, {}
        for position, (label, name) in enumerate(zip(labels.tolist(), names.tolist(), strict=True)):
            if isinstance(name, str) and name != str(label):
                self._exact.setdefault(name, []).append(position)
                self._alike.setdefault(name_key(name), []).append(position)

    def positions(self, name):
        """Return the entities of a name as it is written; if there is none, of one written alike."""
        if not isinstance(name, str):
            return []
        return self._exact.get(name) or self._alike.get(name_key(name), [])

    def position(self, name):
        """Return the one entity of a name, -1 for none.

        Raises
        ------
        ValueError
            If several entities have the name.
        """
        found = self.positions(name)
        if len(found) > 1:
            labels = ", ".join(repr(self._labels[position]) for position in found[:5])
            raise ValueError(f"{name!r} is the name of {len(found)} entities; give one of their labels: {labels}.")
        return found[0] if found else -1

    def similar(self, name, limit=3):
        """Return the entities of names that are like one, the most similar first."""
        key = name_key(name)
        keys = _to_compare(key, list(self._alike))
        found = get_close_matches(key, keys, limit)
        within = [other for other in keys if key in other.split() and other not in found] if len(key) > 2 else []
        within.sort(key=lambda other: -SequenceMatcher(None, key, other).ratio())
        return [position for other in [*found, *within][:limit] for position in self._alike[other]][:limit]


def similar_labels(label, labels, limit=3):
    """Return the labels that are like one."""
    return get_close_matches(label, _to_compare(label, [known for known in labels if isinstance(known, str)]), limit)


def _to_compare(key, keys):
    if len(keys) <= MOST_COMPARED:
        return keys
    pairs = {key[start : start + 2] for start in range(max(1, len(key) - 1))}
    return nlargest(MOST_COMPARED, keys, key=lambda other: sum(pair in other for pair in pairs) - len(other) / 1000)
