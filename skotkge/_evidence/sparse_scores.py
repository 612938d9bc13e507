"""Evidence that speaks for few answers of each query and says nothing of the others: stored, and its scores."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch

from .._spaces import EvidenceId


@dataclass(frozen=True)
class SparseEvidence:
    """What rules that were counted in training triples say.

    Attributes
    ----------
    id : EvidenceId
    rules : object
        With ``scored(sources, relations)``, which gives rows, answers and scores of the answers that are spoken for,
        each pair once, and ``scored_pairs(sources, relations, answers)``.
    n_entities : int
        At least as many as the rules were counted for; they say nothing of the others.
    """

    id: EvidenceId
    rules: Any
    n_entities: int

    def on(self, device):
        """Return the scores of the rules on a device."""
        return SparseScores(self.rules, self.n_entities, device)

    def extended(self, unseen):
        """Return the same rules among more entities."""
        return replace(self, n_entities=self.n_entities + len(unseen))


class SparseScores:
    """Scores on a device, as `BoundEvidence`.

    Parameters
    ----------
    rules : object
        As of `SparseEvidence`.
    n_entities : int
    device : str
    """

    n_columns = 1

    def __init__(self, rules, n_entities, device):
        self._rules, self.n_entities, self._device = rules, n_entities, device

    def queries(self, sources, relations):
        """The queries, whose answers are found when first asked for."""
        return _Queries(self._rules, sources.cpu().numpy(), relations.cpu().numpy())

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted scores with a slice of the entities to `out`, see `BoundEvidence`."""
        rows, answers, scores = queries.scored
        first, stop, _ = entities.indices(self.n_entities)
        inside = (answers >= first) & (answers < stop)
        rows, answers = (torch.tensor(array[inside], device=self._device) for array in (rows, answers - first))
        of_rows = weights[rows, 0] if isinstance(weights, torch.Tensor) else weights
        out[rows, answers] += of_rows * torch.tensor(scores[inside], device=self._device).float()

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer, see `BoundEvidence`."""
        scores = self._rules.scored_pairs(queries.sources, queries.relations, answers.cpu().numpy())
        return torch.tensor(scores, device=self._device)


@dataclass(frozen=True)
class _Queries:
    rules: Any
    sources: np.ndarray
    relations: np.ndarray

    @cached_property
    def scored(self):
        """Rows, answers and scores of all queries."""
        return self.rules.scored(self.sources, self.relations)
