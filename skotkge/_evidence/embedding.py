"""Evidence of a trained space: a score function over its tables of entities and relations (Eq. 4-5)."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from .._embedding.score_functions import DotProduct, ScoreFunction
from .._spaces import EvidenceId
from .devices import as_float


@dataclass(frozen=True)
class EmbeddingEvidence:
    """Tables of one trained space.

    Attributes
    ----------
    id : EvidenceId
        Of kind "structure", "modalities" (with the modality) or "fused".
    score_function : ScoreFunction
    entities : ndarray of shape (n_entities, d)
    relations : ndarray of shape (2 * n_relations, d_r)
    parameters : dict of str to ndarray
        All trained parameters by name ("structure", "relations", "map of" a modality): to continue training from, and
        to embed unseen entities with.
    continuation : dict of str to ndarray
        What continued training needs beside the parameters, see `TrainedSpace`; empty in files of earlier versions.
    """

    id: EvidenceId
    score_function: ScoreFunction
    entities: np.ndarray
    relations: np.ndarray
    parameters: dict[str, np.ndarray]
    continuation: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def n_entities(self):
        """Number of rows of the entity table."""
        return len(self.entities)

    def on(self, device):
        """Return the scores of the tables on a device."""
        return EmbeddingScores(self.score_function, self.entities, self.relations, device)

    def extended(self, unseen):
        """Return the same space with rows for unseen entities, by their vectors and the trained maps."""
        rows = unseen.rows(self.id, self.parameters).astype(self.entities.dtype)
        return replace(self, entities=np.concatenate([self.entities, rows]))

    def state(self) -> dict[str, Any]:
        """Return plain values and arrays."""
        return {
            "id": tuple(self.id),
            "score_function": self.score_function,
            "entities": self.entities,
            "relations": self.relations,
            "parameters": self.parameters,
            "continuation": self.continuation,
        }

    @classmethod
    def from_state(cls, state):
        """Return the evidence that `state` was made of."""
        return cls(**state | {"id": EvidenceId(*state["id"])})


class EmbeddingScores:
    """Scores of a score function over tables on a device.

    Parameters
    ----------
    score_function : ScoreFunction
    entities : tensor or ndarray of shape (n_entities, d)
    relations : tensor or ndarray of shape (2 * n_relations, d_r)
    device : str
    """

    def __init__(self, score_function, entities, relations, device):
        self.score_function = score_function
        self.entities, self.relations = as_float(entities, device), as_float(relations, device)
        self.n_entities, self.n_columns = self.entities.shape

    def queries(self, sources, relations):
        """Query vectors ``r (x) h`` of Eq. 4."""
        return self.score_function.query(self.entities[sources], self.relations[relations])

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted scores with a slice of the entities to `out`, see `BoundEvidence`."""
        # sum_k w_k <q_k, t> = <w q, t>: the weights go to the queries, so that no second array of scores is needed.
        if isinstance(self.score_function, DotProduct):
            out.addmm_(weights * queries, self.entities[entities].T)
        else:
            out.add_(self.score_function.score_all(queries, self.entities[entities]).mul_(weights))

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer, see `BoundEvidence`."""
        return self.score_function.score_rows(queries.double(), self.entities[answers].double())
