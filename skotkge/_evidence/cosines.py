"""Evidence of likeness: the cosine between the source of a query and a candidate."""

from dataclasses import dataclass, replace

from .._spaces import COSINES, EvidenceId
from .devices import as_float
from .likeness import Likeness


@dataclass(frozen=True)
class Cosines:
    """Cosines of one modality, or of the structure; 0 for an entity without a vector.

    Attributes
    ----------
    id : EvidenceId
    likeness : Likeness
    """

    id: EvidenceId
    likeness: Likeness

    @property
    def n_entities(self):
        """Number of rows."""
        return len(self.likeness.rows)

    def on(self, device):
        """Return the scores on a device."""
        return CosineScores(self.likeness.rows, device)

    def extended(self, unseen):
        """Return the same evidence with rows for unseen entities."""
        return replace(self, likeness=self.likeness.extended(unseen))

    def state(self):
        """Return plain values and arrays."""
        return {"id": tuple(self.id), "likeness": self.likeness.state()}

    @classmethod
    def from_state(cls, state):
        """Return the evidence that `state` was made of."""
        return cls(EvidenceId(*state["id"]), Likeness(**state["likeness"]))


class CosineScores:
    """`Cosines` on a device, as `BoundEvidence`."""

    def __init__(self, rows, device):
        self._rows = as_float(rows, device)
        self.n_entities, self.n_columns = self._rows.shape

    def queries(self, sources, relations):
        """Rows of the sources."""
        return self._rows[sources]

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted cosines with a slice of the entities to `out`, see `BoundEvidence`."""
        # w <u_s, u_e> = <w u_s, u_e>: the weights (n_queries, 1) go to the queries (n_queries, d).
        out.addmm_(weights * queries, self._rows[entities].T)

    def pair_scores(self, queries, answers):
        """Cosines of each query with one answer, see `BoundEvidence`."""
        return (queries.double() * self._rows[answers].double()).sum(-1)


def cosines(vectors):
    """Return the cosines of each `Likeness`."""
    return [Cosines(EvidenceId(COSINES, likeness.part), likeness) for likeness in vectors]
