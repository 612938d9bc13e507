"""Scores of triples in one or several spaces, added with weights of their own for each relation."""

import numpy as np
import torch

from .._embedding.score_functions import DotProduct

# Added to the score of (e, r, e) for a relation that had no such loop in training. Any scorer's scores are far smaller.
LOOP_PENALTY = -1e3
# A regression's scores are cosines up to the fit; times this they are of the size of logits.
REGRESSION_SCALE = 10.0
# A confidence of 1 would be endless evidence.
SUREST_RULE = 0.999


class EmbeddingScores:
    """Scores of a scorer over an entity table and a relation table.

    Parameters
    ----------
    scorer : Scorer
    entities : tensor or ndarray of shape (n_entities, d)
    relations : tensor or ndarray of shape (2 * n_relations, d_r)
    device : str
    """

    def __init__(self, scorer, entities, relations, device):
        self.scorer = scorer
        self.entities, self.relations = as_float(entities, device), as_float(relations, device)
        self.n_entities, self.width = self.entities.shape

    def query(self, sources, relations):
        """Query vectors of source entities and relations given as index tensors."""
        return self.scorer.query(self.entities[sources], self.relations[relations])

    def add_against(self, entities, query, weights, total):
        """Add the scores of each query with a slice of the entities, times the query's weight, to `total`."""
        if isinstance(self.scorer, DotProduct):
            total.addmm_(weights * query, self.entities[entities].T)
        else:
            total.add_(self.scorer.against_all(query, self.entities[entities]).mul_(weights))

    def pairs(self, query, answers):
        """Scores in double precision of each query with one answer."""
        return self.scorer.pairs(query.double(), self.entities[answers].double())


class RegressionScores:
    """Scores of `RelationMaps`: the cosine-like product of a mapped source and a candidate.

    Parameters
    ----------
    maps : RelationMaps
    device : str
    """

    def __init__(self, maps, device):
        self.entities = as_float(maps.entities, device)
        self.n_entities, self.width = self.entities.shape
        self._sources = as_float(maps.sources, device)
        self._slot = torch.tensor(maps.slot, device=device)
        self._coefficients = as_float(maps.coefficients, device)
        self._intercepts = as_float(maps.intercepts, device)

    def query(self, sources, relations):
        """Mapped rows of source entities; zero for a relation without a map."""
        slots = self._slot[relations]
        rows = self._sources[sources]
        query = torch.zeros_like(rows)
        for slot in torch.unique(slots[slots >= 0]).tolist():
            asked = torch.nonzero(slots == slot).squeeze(1)
            query[asked] = torch.addmm(self._intercepts[slot], rows[asked], self._coefficients[slot])
        return REGRESSION_SCALE * query

    def add_against(self, entities, query, weights, total):
        """Add the scores of each query with a slice of the entities, times the query's weight, to `total`."""
        total.addmm_(weights * query, self.entities[entities].T)

    def pairs(self, query, answers):
        """Scores in double precision of each query with one answer."""
        return (query.double() * self.entities[answers].double()).sum(-1)


class RuleScores:
    """Scores of `FiredRules`: the evidence ``-log(1 - confidence)`` of the surest rule that speaks for an answer.

    Parameters
    ----------
    rules : FiredRules
    n_entities : int
    device : str
    """

    width = 1

    def __init__(self, rules, n_entities, device):
        self._rules, self.n_entities, self._device = rules, n_entities, device

    def query(self, sources, relations):
        """Source entities and relations of queries as arrays."""
        return sources.cpu().numpy(), relations.cpu().numpy()

    def add_against(self, entities, query, weights, total):
        """Add the scores of each query with a slice of the entities, times the query's weight, to `total`."""
        rows, answers, confidences = self._rules.of(*query)
        first, stop, _ = entities.indices(self.n_entities)
        inside = (answers >= first) & (answers < stop)
        rows, answers, confidences = rows[inside], answers[inside] - first, confidences[inside]
        rows, answers = (torch.tensor(array, device=self._device) for array in (rows, answers))
        of_rows = weights[rows, 0] if isinstance(weights, torch.Tensor) else weights
        total[rows, answers] += of_rows * torch.tensor(evidence(confidences), device=self._device).float()

    def pairs(self, query, answers):
        """Scores in double precision of each query with one answer."""
        return torch.tensor(evidence(self._rules.of_pairs(*query, answers.cpu().numpy())), device=self._device)


def evidence(confidences):
    """Return ``-log(1 - confidence)`` of rules, so that a rule twice as likely to fail says log 2 less."""
    return -np.log1p(-np.minimum(confidences, SUREST_RULE))


class TripleScores:
    """Weighted sum of the scores of several spaces.

    Parameters
    ----------
    spaces : list of EmbeddingScores, RegressionScores and RuleScores
    weights : ndarray of shape (n_spaces, 2 * n_relations), default=None
        Row of each space; None is 1 everywhere.
    excludes_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        Relations that do not link an entity with itself.
    informed_entities, informed_relations : ndarray of bool, default=None
        Entities and relations (reciprocals included) about which something is known. All scores of a query from any
        other are equal.
    device : str, default="cpu"
    """

    def __init__(
        self,
        spaces,
        weights=None,
        *,
        excludes_loops=None,
        informed_entities=None,
        informed_relations=None,
        device="cpu",
    ):
        self.spaces, self.device = spaces, device
        self.n_entities = spaces[0].n_entities
        self._weights = None if weights is None else as_float(weights, device)
        self._excludes_loops = None if excludes_loops is None else torch.tensor(excludes_loops, device=device)
        self._informed_entities, self._informed_relations = informed_entities, informed_relations

    @property
    def width(self):
        """Columns of all spaces together."""
        return sum(space.width for space in self.spaces)

    def indices(self, *arrays):
        """Index arrays as tensors on the device."""
        return tuple(torch.tensor(array, device=self.device) for array in arrays)

    def loops(self, sources, relations):
        """Row numbers and source entities of the queries whose relation excludes loops."""
        if self._excludes_loops is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        rows = np.flatnonzero(self._excludes_loops.cpu().numpy()[relations])
        return rows, sources[rows]

    def is_blank(self, sources, relations):
        """Tell of which queries nothing is known."""
        blank = np.zeros(len(sources), dtype=bool)
        if self._informed_entities is not None:
            blank |= ~self._informed_entities[sources]
        if self._informed_relations is not None:
            blank |= ~self._informed_relations[relations]
        return blank

    def pair_parts(self, sources, relations, answers):
        """What each space adds to the score of each query with one answer, and last what an excluded loop takes away.

        Parameters
        ----------
        sources, relations, answers : ndarray of shape (n_queries,)

        Returns
        -------
        tensor of shape (n_spaces + 1, n_queries), dtype float64
        """
        asked, kinds, answered = self.indices(sources, relations, answers)
        parts = torch.zeros(len(self.spaces) + 1, len(asked), dtype=torch.float64, device=self.device)
        for position, space in enumerate(self.spaces):
            parts[position] = self._weight(position, kinds) * space.pairs(space.query(asked, kinds), answered)
        if self._excludes_loops is not None:
            parts[-1] = LOOP_PENALTY * (self._excludes_loops[kinds] & (asked == answered))
        return _without_nan(parts)

    def against(self, entities, sources, relations):
        """Scores of each query with the entities of a slice.

        Parameters
        ----------
        entities : slice
        sources, relations : ndarray of shape (n_queries,)

        Returns
        -------
        tensor of shape (n_queries, n_entities_of_slice), dtype float32
        """
        asked, kinds = self.indices(sources, relations)
        first, stop, _ = entities.indices(self.n_entities)
        total = torch.zeros(len(asked), stop - first, device=self.device)
        for position, space in enumerate(self.spaces):
            weights = 1.0 if self._weights is None else self._weights[position][kinds][:, None]
            space.add_against(entities, space.query(asked, kinds), weights, total)
        if self._excludes_loops is not None:
            looping = self._excludes_loops[kinds] & (asked >= first) & (asked < stop)
            columns = (asked - first).clamp(0, total.shape[1] - 1)
            total[torch.arange(len(asked), device=self.device), columns] += LOOP_PENALTY * looping.to(total.dtype)
        blank = self.is_blank(sources, relations)
        if blank.any():
            total[torch.tensor(blank, device=self.device)] = 0.0
        return _without_nan(total)

    def space_against_all(self, position, sources, relations):
        """Scores of each query with every entity in one space, without its weight; takes index tensors."""
        space = self.spaces[position]
        total = torch.zeros(len(sources), self.n_entities, device=self.device)
        space.add_against(slice(None), space.query(sources, relations), 1.0, total)
        return total

    def _weight(self, position, relations):
        return 1.0 if self._weights is None else self._weights[position][relations].double()


def as_float(table, device):
    """Return a table as a float32 tensor on a device, without a copy where it is one."""
    table = table if isinstance(table, torch.Tensor) else torch.tensor(np.asarray(table))
    return table.to(device=device, dtype=torch.float32)


def _without_nan(scores):
    if torch.isnan(scores.sum()):
        raise FloatingPointError("a score is NaN; training diverged: lower learning_rate or the scale of the features.")
    return scores
