"""Scores of triples in one or several spaces, added with weights of their own for each relation."""

import numpy as np
import torch
from sklearn import get_config
from sklearn.utils import gen_batches

from ._queries import both_directions
from ._scorers import DotProduct
from ._weighting import learn_space_weights

# Added to the score of (e, r, e) for a relation that had no such loop in training. Any scorer's scores are far smaller.
LOOP_PENALTY = -1e3
# A regression's scores are cosines up to the fit; times this they are of the size of logits.
REGRESSION_SCALE = 10.0
# A confidence of 1 would be endless evidence.
SUREST_RULE = 0.999
# When spaces are weighed: candidates of each space, of the sample for the rest, and scores computed at once.
BEST_CANDIDATES = 50
SAMPLED_CANDIDATES = 250
WEIGHED_AT_ONCE = 2**24


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

    def against_all(self, query):
        """Scores ``(n_queries, n_entities)``."""
        return self.scorer.against_all(query, self.entities)

    def add_against_all(self, query, weights, total):
        """Add the scores of each query, times its weight, to `total` ``(n_queries, n_entities)``."""
        if isinstance(self.scorer, DotProduct):
            total.addmm_(weights * query, self.entities.T)
        else:
            total.add_(self.against_all(query).mul_(weights))

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

    def against_all(self, query):
        """Scores ``(n_queries, n_entities)``."""
        return query @ self.entities.T

    def add_against_all(self, query, weights, total):
        """Add the scores of each query, times its weight, to `total` ``(n_queries, n_entities)``."""
        total.addmm_(weights * query, self.entities.T)

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

    def against_all(self, query):
        """Scores ``(n_queries, n_entities)``."""
        total = torch.zeros(len(query[0]), self.n_entities, device=self._device)
        self.add_against_all(query, 1.0, total)
        return total

    def add_against_all(self, query, weights, total):
        """Add the scores of each query, times its weight, to `total` ``(n_queries, n_entities)``."""
        *fired, confidences = self._rules.of(*query)
        rows, answers = (torch.tensor(array, device=self._device) for array in fired)
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
    spaces : list of EmbeddingScores and RegressionScores
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

    def against_all(self, sources, relations):
        """Scores of each query with every entity.

        Parameters
        ----------
        sources, relations : ndarray of shape (n_queries,)

        Returns
        -------
        tensor of shape (n_queries, n_entities), dtype float32
        """
        asked, kinds = self.indices(sources, relations)
        total = torch.zeros(len(asked), self.n_entities, device=self.device)
        for position, space in enumerate(self.spaces):
            weights = 1.0 if self._weights is None else self._weights[position][kinds][:, None]
            space.add_against_all(space.query(asked, kinds), weights, total)
        if self._excludes_loops is not None:
            loops = LOOP_PENALTY * self._excludes_loops[kinds].to(total.dtype)
            total[torch.arange(len(asked), device=self.device), asked] += loops
        blank = self.is_blank(sources, relations)
        if blank.any():
            total[torch.tensor(blank, device=self.device)] = 0.0
        return _without_nan(total)

    def space_against_all(self, position, sources, relations):
        """Scores of each query with every entity in one space, without its weight; takes index tensors."""
        space = self.spaces[position]
        return space.against_all(space.query(sources, relations))

    def _weight(self, position, relations):
        return 1.0 if self._weights is None else self._weights[position][relations].double()


def weigh_spaces(scores, ids, known, n_relations, random_state):
    """Learn the weights of spaces from true triples that the spaces were not trained on.

    The softmax goes over the answer, the best candidates of each space, and a random sample that stands for the rest.

    Parameters
    ----------
    scores : TripleScores
    ids : ndarray of shape (n_triples, 3)
        Of which as many are drawn as fit into scikit-learn's working memory.
    known : AnswerLists
        All true triples.
    n_relations : int
    random_state : RandomState

    Returns
    -------
    ndarray of shape (n_spaces, 2 * n_relations)
    """
    sources, relations, answers = both_directions(ids, n_relations)
    sample = random_state.permutation(scores.n_entities)[:SAMPLED_CANDIDATES]
    n_spaces, n_best = len(scores.spaces), min(BEST_CANDIDATES, scores.n_entities)
    n_candidates = 1 + n_spaces * n_best + len(sample)
    affordable = max(1, int(get_config()["working_memory"] * 2**20 // (2 * 4 * n_spaces * n_candidates)))
    if len(sources) > affordable:
        drawn = random_state.choice(len(sources), affordable, replace=False)
        sources, relations, answers = sources[drawn], relations[drawn], answers[drawn]
    told = np.empty((len(sources), n_spaces, n_candidates), dtype=np.float32)
    offsets = np.empty((len(sources), n_candidates), dtype=np.float32)
    for rows in gen_batches(len(sources), max(1, WEIGHED_AT_ONCE // (n_spaces * scores.n_entities))):
        asked, kinds, answered = scores.indices(sources[rows], relations[rows], answers[rows])
        of_spaces = torch.stack([scores.space_against_all(position, asked, kinds) for position in range(n_spaces)])
        left_out = torch.zeros(of_spaces.shape[1:], dtype=torch.bool, device=scores.device)
        left_out[scores.indices(*known.of(sources[rows], relations[rows]))] = True
        left_out[scores.indices(*scores.loops(sources[rows], relations[rows]))] = True
        candidates, offset = _candidates(of_spaces, left_out, answered, scores.indices(sample)[0], n_best)
        picked = of_spaces.gather(2, candidates.expand(n_spaces, -1, -1))
        told[rows], offsets[rows] = picked.transpose(0, 1).cpu().numpy(), offset.cpu().numpy()
    return learn_space_weights(told, offsets, relations, 2 * n_relations)


def _candidates(scores, left_out, answers, sample, n_best):
    """Answer, best candidates of each space and the sample for each query, and what each of them counts for.

    Parameters
    ----------
    scores : tensor of shape (n_spaces, n_queries, n_entities)
    left_out : tensor of shape (n_queries, n_entities), dtype bool
    answers : tensor of shape (n_queries,)
    sample : tensor of shape (n_sampled,)
    n_best : int

    Returns
    -------
    candidates : tensor of shape (n_queries, n_candidates)
    offsets : tensor of shape (n_queries, n_candidates)
        As for `learn_space_weights`.
    """
    taken = left_out.clone()
    taken.scatter_(1, answers[:, None], True)
    columns, counts = [answers[:, None]], [torch.ones(len(answers), 1, device=scores.device)]
    for of_space in scores:
        best = of_space.masked_fill(left_out, -torch.inf).topk(n_best, dim=1).indices
        columns.append(best)
        counts.append((~taken.gather(1, best)).float())
        taken.scatter_(1, best, True)
    rest = ~taken[:, sample]
    columns.append(sample.expand(len(answers), -1))
    share = (~taken).sum(1, keepdim=True) / rest.sum(1, keepdim=True).clamp(min=1)
    counts.append(rest * share)
    return torch.cat(columns, dim=1), torch.cat(counts, dim=1).log()


def as_float(table, device):
    """Return a table as a float32 tensor on a device, without a copy where it is one."""
    table = table if isinstance(table, torch.Tensor) else torch.tensor(np.asarray(table))
    return table.to(device=device, dtype=torch.float32)


def _without_nan(scores):
    if torch.isnan(scores.sum()):
        raise FloatingPointError("a score is NaN; training diverged: lower learning_rate or the scale of the features.")
    return scores
