"""Evidence of plain counts: how often a candidate answers a relation, how often it asks it, and its degree.

A child has one parent: a candidate that is somebody's child already is no answer. Signed weights say so.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy import sparse

from .._graph.queries import both_directions, distinct_rows
from .._spaces import COUNTS, EvidenceId
from .devices import as_float

ANY_ANSWER = "any answer"

# A table of all relations and candidates of at most so many numbers is kept dense on the device.
LARGEST_TABLE = 2**24


@dataclass(frozen=True)
class Counts:
    """Scores that depend on the relation and the candidate alone.

    Attributes
    ----------
    id : EvidenceId
    row_of : ndarray of shape (2 * n_relations,)
        Row of the table for each relation and reciprocal.
    table : tuple of ndarray
        Data, indices and index pointer of a csr_array of shape (n_rows, n_entities).
    own_row : tuple of ndarray
        What leaving out one of the triples that answer changes, in the same form: a training triple does not speak for
        or against itself.
    n_entities : int
    """

    id: EvidenceId
    row_of: np.ndarray
    table: tuple
    own_row: tuple
    n_entities: int

    def matrix(self, parts=None):
        """Return the table, or another one in its form, as a csr_array."""
        data, indices, starts = self.table if parts is None else parts
        return sparse.csr_array((data, indices, starts), shape=(len(starts) - 1, self.n_entities))

    def on(self, device):
        """Return the scores on a device."""
        return CountScores(self, device)

    def extended(self, unseen):
        """Return the same counts with unseen entities, which are counted nowhere."""
        return replace(self, n_entities=self.n_entities + len(unseen))

    def facts(self, source, relation, answer):
        """The number that was counted, see `Evidence`."""
        score = float(self.matrix()[self.row_of[relation], answer])
        return [(self.id.part, score if self.id.part == ANY_ANSWER else float(np.rint(np.expm1(score))), [])]

    def state(self):
        """Return plain values and arrays."""
        names = ("row_of", "table", "own_row", "n_entities")
        return {"id": tuple(self.id)} | {name: getattr(self, name) for name in names}

    @classmethod
    def from_state(cls, state):
        """Return the evidence that `state` was made of."""
        return cls(**state | {"id": EvidenceId(*state["id"])})


class CountScores:
    """`Counts` on a device, as `BoundEvidence`."""

    n_columns = 1

    def __init__(self, counts, device):
        self.n_entities, self._device = counts.n_entities, device
        # Copies: SciPy takes no index arrays that a frozen predictor was loaded or mapped with.
        self._row_of, self._matrix = counts.row_of.copy(), counts.matrix()
        self._own_row = counts.matrix(counts.own_row)

    def queries(self, sources, relations):
        """Rows of the table."""
        return self._row_of[relations.cpu().numpy()]

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted scores with a slice of the entities to `out`, see `BoundEvidence`."""
        rows, places = np.unique(queries, return_inverse=True)
        dense = as_float(self._matrix[rows][:, entities].toarray(), self._device)
        out.addcmul_(dense[torch.tensor(places, device=self._device)], torch.as_tensor(weights, dtype=out.dtype))

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer, see `BoundEvidence`."""
        return self._looked_up(self._matrix, queries, answers)

    def own_row(self, queries, answers):
        """What the scores of training triples change by where their own row is not counted, see `BoundEvidence`."""
        return self._looked_up(self._own_row, queries, answers)

    def _looked_up(self, matrix, rows, columns):
        """Entries of a matrix whose indices are sorted, by bisection: SciPy walks along the rows for a few of them."""
        columns, values = columns.cpu().numpy(), np.zeros(len(rows))
        order = np.argsort(rows, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(rows[order])) + 1):
            of_row = slice(*matrix.indptr[rows[places[0]] :][:2]) if len(places) else slice(0)
            stored = matrix.indices[of_row]
            found = np.searchsorted(stored, columns[places])
            hits = np.append(stored, -1)[found] == columns[places]
            values[places[hits]] = matrix.data[of_row][found[hits]]
        return torch.tensor(values, dtype=torch.float64, device=self._device)

    def table(self):
        """Scores of each relation with every candidate ``(2 * n_relations, n_entities)``; None where it is large."""
        if len(self._row_of) * self.n_entities > LARGEST_TABLE:
            return None
        return as_float(self._matrix[self._row_of].toarray(), self._device)


def count(ids, n_entities, n_relations):
    """Count what distinct true triples tell of candidates.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_entities, n_relations : int

    Returns
    -------
    list of Counts
        For a query of relation r (a reciprocal one for heads) and a candidate c: ``log(1 + n)`` with n the triples in
        which c answers r; whether n > 0; ``log(1 + n)`` with n those in which c asks r; ``log(1 + degree of c)``.
    """
    # Sparse tables of at most 2 n_triples numbers: of relations by entities, and one row of degrees.
    _, relations, answers = both_directions(distinct_rows(ids), n_relations)
    shape, each = (2 * n_relations, n_entities), np.arange(2 * n_relations)
    answered = sparse.csr_array((np.ones(len(answers)), (relations, answers)), shape=shape)
    answered.sum_duplicates()
    degrees = sparse.csr_array(answered.sum(axis=0)[None])
    # Who asks r answers its reciprocal.
    asked = (each + n_relations) % (2 * n_relations)
    nothing = sparse.csr_array(shape)
    tables = {
        "answers": (each, answered.log1p(), _without_one(answered)),
        ANY_ANSWER: (each, answered > 0, -(answered == 1).astype(float)),
        "questions": (asked, answered.log1p(), nothing),
        "degree": (np.zeros(2 * n_relations, dtype=np.int64), degrees.log1p(), _without_one(degrees)),
    }
    return [
        Counts(EvidenceId(COUNTS, name), row_of, _parts(table), _parts(own_row), n_entities)
        for name, (row_of, table, own_row) in tables.items()
    ]


def _without_one(counts):
    """How ``log(1 + n)`` changes where n becomes n - 1."""
    # log(1 + (n - 1)) - log(1 + n) = log n - log(1 + n), at the stored n > 0.
    changes = counts.copy()
    changes.data = np.log(counts.data) - np.log1p(counts.data)
    return changes


def _parts(table):
    return table.data.astype(np.float32), table.indices, table.indptr
