"""Finding entities by what somebody types: exact names first, then beginnings, words and parts of names."""

import unicodedata
from functools import cached_property

import numpy as np

from .._graph.names import BEFORE_LETTERS

# Around every field, so that beginnings and ends of names can be looked for.
BEGIN, END = "\x1e", "\x1f"
SEPARATORS = str.maketrans({BEGIN: " ", END: " ", "\n": " ", "\t": " ", "_": " "})
# Of so many found in the same way, the best are taken.
MOST_COMPARED = 2000


class SearchIndex:
    """Names and labels in one string of bytes, which is searched faster than a million small ones.

    Parameters
    ----------
    labels : sequence of length n
        Each is found as it is written.
    names : sequence of str or None of length n, default=None
    weights : ndarray of shape (n,), default=None
        Of what is found in the same way, larger ones come first.
    """

    def __init__(self, labels, names=None, weights=None):
        self._weights = np.zeros(len(labels)) if weights is None else weights
        entries, starts, place = [], np.empty(len(labels) + 1, dtype=np.int64), 0
        for position, label in enumerate(labels):
            entry = _entry(str(label), None if names is None else names[position])
            starts[position] = place
            place += len(entry)
            entries.append(entry)
        starts[-1] = place
        self._starts, self._text = starts, b"".join(entries)

    @cached_property
    def _heaviest(self):
        return np.argsort(-self._weights, kind="stable")

    def search(self, typed, limit=20):
        """Return the positions of the best found, at most `limit`; of all, by weight, if nothing is typed."""
        key = _folded(typed).strip()
        if not key:
            return self._heaviest[:limit].tolist()
        found = {}
        for pattern in (BEGIN + key + END, BEGIN + key, " " + key, key):
            here = [position for position in self._containing(pattern) if position not in found]
            here.sort(key=lambda position: (-self._weights[position], position))
            found |= dict.fromkeys(here)
            if len(found) >= limit:
                break
        if len(found) < limit and " " in key:
            found |= dict.fromkeys(self._with_all_words(key.split()))
        return list(found)[:limit]

    def exact(self, typed):
        """Return the positions of those whose name or label is what is typed, but for upper and lower case."""
        return self._containing(BEGIN + _folded(typed).strip() + END)

    def beginning_of(self, typed):
        """Return the longest beginning of what is typed that something contains."""
        key = _folded(typed).strip()
        while key and not self._containing(key, most=1):
            key = key[:-1]
        return key.strip()

    def _containing(self, pattern, most=MOST_COMPARED):
        wanted, found, place = _bytes(pattern), [], 0
        while len(found) < most:
            place = self._text.find(wanted, place)
            if place < 0:
                break
            position = int(np.searchsorted(self._starts, place, side="right")) - 1
            found.append(position)
            place = int(self._starts[position + 1])
        return found

    def _with_all_words(self, words):
        longest, *others = sorted(map(_bytes, words), key=len, reverse=True)
        found = []
        for position in self._containing(longest.decode("utf-8", "surrogatepass")):
            entry = self._text[self._starts[position] : self._starts[position + 1]]
            if all(word in entry for word in others):
                found.append(position)
        return sorted(found, key=lambda position: (-self._weights[position], position))


def _entry(label, name):
    """The fields of one entity: its name, the name without what stands before its first letter, and its label."""
    fields = [_folded(label)]
    if name is not None and name != label:
        folded = _folded(name)
        fields += [folded, BEFORE_LETTERS.sub("", folded)]
    return _bytes("".join(f"{BEGIN}{field}{END}" for field in dict.fromkeys(fields) if field))


def _folded(text):
    """Lower case without accents, with blanks between words."""
    text = text.translate(SEPARATORS).casefold()
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFKD", text)
    return "".join(part for part in parts if not unicodedata.combining(part))


def _bytes(text):
    return text.encode("utf-8", "surrogatepass")
