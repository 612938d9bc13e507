"""What a page tells of a matcher: candidates of entities of two graphs, with probabilities, and their known links."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .described import Described
from .tables import LabelTable

# The relation of decisions about matches, as OWL calls it.
SAME_AS = "owl:sameAs"
SIDES = ("X", "Y")


@dataclass(frozen=True)
class Match:
    """An entity of each graph.

    Attributes
    ----------
    pair : tuple of int
    probability : float
    told : bool
        Whether the matcher says that they are the same.
    """

    pair: tuple
    probability: float
    told: bool


class MatchAnswers:
    """Answers of a fitted `OTEntityMatcher`.

    Parameters
    ----------
    matcher : OTEntityMatcher
    folders : sequence of GraphFolder
        Of X and of Y, or fewer.
    picture_folder : Path, default=None
        Where the pictures that the matcher names have to lie.
    """

    def __init__(self, matcher, folders=(), picture_folder=None):
        self.matcher = matcher
        folders = [*folders, *[None] * (2 - len(folders))]
        sides = zip(matcher.vocabularies_, folders, strict=True)
        self.graphs = [SideGraph(*side, picture_folder) for side in sides]
        self.tables = {side: graph.entities for side, graph in zip(SIDES, self.graphs, strict=True)}

    @cached_property
    def _by_side(self):
        """Plan and similarity by entity of X and by entity of Y."""
        matrices = self.matcher.plan_.tocsr(), self.matcher.similarity_.tocsr()
        return matrices, tuple(matrix.T.tocsr() for matrix in matrices)

    @cached_property
    def _told(self):
        """Pairs of labels that the matcher tells."""
        return {(first, second) for first, second, _ in self.matcher.matches_}

    @cached_property
    def found(self):
        """All matches that the matcher tells, as `Match`, in its order."""
        tables = [graph.entities for graph in self.graphs]
        return [
            Match(
                tuple(table.id_of(label) for table, label in zip(tables, labels, strict=True)), probability, told=True
            )
            for *labels, probability in self.matcher.matches_
        ]

    def labels(self, pair):
        """Return the two labels of a pair of ids."""
        return tuple(table.labels[id] for table, id in zip(self.tables.values(), pair, strict=True))

    def candidates(self, side, entity, n=20):
        """Return the best candidates of an entity of X (side 0) or Y (side 1), in the order of plan and similarity."""
        mass, gain = {}, {}
        for matrix, values in zip(self._by_side[side], (mass, gain), strict=True):
            row = slice(*matrix.indptr[entity : entity + 2])
            values.update(zip(matrix.indices[row].tolist(), matrix.data[row].tolist(), strict=True))
        order = sorted({*mass, *gain}, key=lambda id: (-mass.get(id, 0), -gain.get(id, -np.inf), id))[:n]
        pairs = [(entity, id) if side == 0 else (id, entity) for id in order]
        if not pairs:
            return []
        labels = np.empty((len(pairs), 2), dtype=object)
        labels[:] = [self.labels(pair) for pair in pairs]
        probabilities = self.matcher.match_proba(labels).tolist()
        return [
            Match(pair, probability, self.labels(pair) in self._told)
            for pair, probability in zip(pairs, probabilities, strict=True)
        ]


class SideGraph:
    """One of the two graphs: its entities, and the triples of its folder.

    Parameters
    ----------
    vocabulary : Vocabulary
    folder : GraphFolder or None
    picture_folder : Path or None
    """

    def __init__(self, vocabulary, folder, picture_folder):
        entities = vocabulary.entities
        triples = np.empty((0, 3), dtype=object) if folder is None else folder.triples
        self._triples = triples
        ends = [vocabulary.entity_index.positions(triples[:, column]) for column in (0, 2)]
        known = [end[end >= 0] for end in ends]
        degrees = np.bincount(np.concatenate(known), minlength=len(entities))
        told = Described(entities, vocabulary.descriptions, folder, picture_folder)
        self.entities = LabelTable(entities, told, degrees, vocabulary.entity_index)
        rows = np.tile(np.arange(len(triples)), 2)
        both = np.concatenate(ends)
        order = np.argsort(both, kind="stable")
        self._rows, self._starts = rows[order], np.searchsorted(both[order], np.arange(len(entities) + 1))

    def links(self, entity, n=10):
        """Return up to n triples of labels that name an entity, and how many there are."""
        rows = np.unique(self._rows[slice(*self._starts[entity : entity + 2])])
        return [tuple(triple) for triple in self._triples[rows[:n]]], len(rows)
