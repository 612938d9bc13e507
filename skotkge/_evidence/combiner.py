"""Gradient boosting on top of the weighted sum: what the kinds of evidence tell together and not one by one.

A combiner adds ``max(0, t(x) - t_0) / f`` to the score of a candidate x whose weighted sum lies above a gate of the
relation and direction: t are boosted trees of the scores of all kinds and their weighted sum, t_0 what they say of
hopeless candidates. It sees the candidate alone, not the others of its query, so that one number serves single triples,
lists and explanations alike.

Whether there is one is decided by cross-validation over queries. The weighted sums that trees learn from, and those
they are compared with, have weights of other queries, as they will have for new ones.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold

from .signed_weights import learn_from, logits_of, without_unlabelled
from .trees import MOST_LEAVES, Trees
from .weighting import query_groups

# Candidates of a query above the gate, on average: more made nothing better, and cost time.
ABOVE_THE_GATE = 15
BOOSTING = {"max_iter": 100, "learning_rate": 0.1, "max_leaf_nodes": MOST_LEAVES, "min_samples_leaf": 30}
BOOSTING |= {"max_features": 0.5, "early_stopping": False}
# The trees count for 1 / f beside the weighted sum.
FACTORS = (0.5, 1.0, 2.0, 4.0)
# Of the candidates above the gate, this share is hopeless.
HOPELESS = 0.05
N_FOLDS = 4
# With a few hundred queries, trees that help and trees that do not cannot be told apart.
FEWEST_GROUPS = 500
# The mean gain of reciprocal ranks must be so many standard errors above zero.
STANDARD_ERRORS = 1.5
# Scores in single precision are off by less: sums relative to one plus the gate, those of kinds relative to the
# largest threshold.
ROUNDING = 1e-5


@dataclass(frozen=True)
class Combiner:
    """Trees for the candidates above a gate.

    Attributes
    ----------
    gates : ndarray of shape (2 * n_relations,)
        Weighted sums above which the trees are asked.
    trees : Trees
        Of the scores of the kinds and their weighted sum.
    floor : float
        What is taken away from the sum of the trees before it counts.
    """

    gates: np.ndarray
    trees: Trees
    floor: float

    def corrections(self, scores, sums, relations):
        """What is added to the weighted sums of candidates.

        Parameters
        ----------
        scores : tensor of shape (n_kinds, n_candidates), dtype float64
        sums : tensor of shape (n_candidates,), dtype float64
        relations : tensor of shape (n_candidates,)
            Reciprocals included.

        Returns
        -------
        tensor of shape (n_candidates,), dtype float64
        """
        above = sums > self._gates_on(sums.device)[relations]
        corrections = torch.zeros_like(sums)
        if above.any():
            rows = torch.cat([scores, sums[None]])[:, above]
            corrections[above] = (self.trees.sums(rows) - self.floor).clamp(min=0)
        return corrections

    @cached_property
    def _gates_on_devices(self):
        return {}

    def _gates_on(self, device):
        if device not in self._gates_on_devices:
            self._gates_on_devices[device] = torch.tensor(self.gates, device=device)
        return self._gates_on_devices[device]

    def may_be_above(self, sums, relations):
        """Tell which candidates lie above the gate, or so little below that sums in single precision cannot tell.

        Parameters
        ----------
        sums : tensor of shape (n_queries, n_candidates), dtype float32
        relations : tensor of shape (n_queries,)

        Returns
        -------
        tensor of shape (n_queries, n_candidates), dtype bool
        """
        gates = self._gates_on(sums.device)[relations]
        return sums > (gates - ROUNDING * (1 + gates.abs()))[:, None]

    def are_uncertain(self, scores, sums, relations):
        """Tell of which candidates ``(n_candidates,)`` rounding may decide; takes what `corrections` does."""
        near = self.trees.are_near(torch.cat([scores, sums[None]]), ROUNDING)
        gates = self._gates_on(sums.device)[relations]
        return near | ((sums - gates).abs() <= 2 * ROUNDING * (1 + gates.abs()))

    def state(self):
        """Return plain values and arrays that `from_state` makes the combiner of again."""
        return self.gates, self.trees.state(), self.floor

    @classmethod
    def from_state(cls, state):
        """Return the combiner that `state` was made of."""
        gates, trees, floor = state
        return cls(gates, Trees(*trees), floor)


def learn_combiner(told, ridge, n_relations, random_state):
    """Learn a combiner, if trees rank the answers to left-out queries better than weights alone.

    Parameters
    ----------
    told : Candidates
    ridge : float
        Of the weights of relations, see `learn_from`.
    n_relations : int
        Reciprocals included.
    random_state : RandomState

    Returns
    -------
    Combiner or None
    """
    groups = query_groups(told.sources, told.relations)
    if len(np.unique(groups)) < FEWEST_GROUPS:
        return None
    folds = _folds(groups, random_state)
    judged = _judged_by_others(told, ridge, n_relations, folds)
    seed = random_state.randint(np.iinfo(np.int32).max)
    factor = _best_factor(judged, n_relations, _folds(groups, random_state), seed)
    return None if factor is None else _fit(judged, np.arange(len(groups)), n_relations, factor, seed)


@dataclass(frozen=True)
class _Judged:
    """Candidates with weighted sums by weights of other queries, and how many each stands for (0: does not count)."""

    features: np.ndarray
    relations: np.ndarray
    sums: np.ndarray
    counts: np.ndarray

    def reciprocal_ranks(self, scores, queries):
        """Reciprocal ranks of the answers of some queries among what their candidates stand for."""
        # rank = 1 + sum_c n_c ([s_c > s_a] + [s_c = s_a] / 2) over the candidates c, which stand for n_c entities each.
        own, others, counts = scores[:, :1], scores[:, 1:], self.counts[queries, 1:]
        better = (others > own).astype(float) + 0.5 * (others == own)
        return 1 / (1 + np.sum(counts * better, axis=1))

    def above(self, gates, queries):
        """Numbers of the query and of the candidate, and features of those above the gates."""
        inside = (self.sums[queries] > gates[self.relations[queries]][:, None]) & (self.counts[queries] > 0)
        rows, places = np.nonzero(inside)
        asked = queries[rows]
        return rows, places, np.column_stack([self.features[asked, :, places], self.sums[asked, places]])


def _folds(groups, random_state):
    """Pairs (queries to learn from, queries left out); those of one group are not parted."""
    folds = GroupKFold(N_FOLDS, shuffle=True, random_state=random_state.randint(np.iinfo(np.int32).max))
    return list(folds.split(groups, groups=groups))


def _judged_by_others(told, ridge, n_relations, folds):
    sums, offsets = np.empty_like(told.offsets), np.empty_like(told.offsets)
    for learned, left_out in folds:
        weights, of_left_out = learn_from(told.of(learned), ridge, n_relations), told.of(left_out)
        sums[left_out] = logits_of(of_left_out, weights)
        offsets[left_out] = without_unlabelled(of_left_out, weights)
    # The first feature is the weighted sum of a part of the evidence, which the others tell.
    return _Judged(told.features[:, 1:], told.relations, sums, np.exp(offsets))


def _best_factor(judged, n_relations, folds, seed):
    """The factor of the largest gain on queries left out, None where no gain is certain."""
    # One fit serves all factors: max(0, t - t_0) / f, the trees and t_0 scaled alike. A gain is certain where its mean
    # over the queries exceeds STANDARD_ERRORS times sd / sqrt(n_queries), of the differences of the same queries with
    # and without trees.
    n_queries = len(judged.relations)
    gains = {factor: np.empty(n_queries) for factor in FACTORS}
    for learned, left_out in folds:
        combiner = _fit(judged, learned, n_relations, 1.0, seed)
        rows, places, features = judged.above(combiner.gates, left_out)
        told, sums = torch.tensor(features.T, dtype=torch.float64), judged.sums[left_out]
        asked = torch.tensor(judged.relations[left_out][rows])
        corrections = combiner.corrections(told[:-1], told[-1], asked).numpy()
        before = judged.reciprocal_ranks(sums, left_out)
        for factor, gain in gains.items():
            combined = sums.astype(float)
            combined[rows, places] += corrections / factor
            gain[left_out] = judged.reciprocal_ranks(combined, left_out) - before
    certain = {
        factor: gain.mean()
        for factor, gain in gains.items()
        if gain.mean() > STANDARD_ERRORS * gain.std() / np.sqrt(n_queries)
    }
    return max(certain, key=certain.get, default=None)


def _fit(judged, queries, n_relations, factor, seed):
    """The combiner of some queries."""
    gates = _gates(judged, queries, n_relations)
    _, places, features = judged.above(gates, queries)
    boosting = HistGradientBoostingClassifier(**BOOSTING, random_state=seed)
    # Without weights for the few that stand for several: they made nothing better, and scikit-learn then looks for the
    # bounds of its bins by weight, which took four fifths of the time.
    boosting.fit(features, places == 0)
    trees = Trees.of(boosting, features).scaled(1 / factor)
    said = trees.sums(torch.tensor(features.T, dtype=torch.float64)).numpy()
    return Combiner(gates, trees, float(np.quantile(said, HOPELESS)))


def _gates(judged, queries, n_relations):
    """Weighted sums that `ABOVE_THE_GATE` candidates of a query exceed on average; a new relation has the median."""
    # Of the sums of a relation in decreasing order, the one at which the entities that candidates stand for add up to
    # ABOVE_THE_GATE for each query.
    gates, relations = np.full(n_relations, np.nan), judged.relations[queries]
    for relation in np.unique(relations):
        asked = queries[relations == relation]
        sums, counts = judged.sums[asked, 1:].ravel(), judged.counts[asked, 1:].ravel()
        order = np.argsort(-sums)
        exceeded = np.searchsorted(np.cumsum(counts[order]), ABOVE_THE_GATE * len(asked))
        gates[relation] = sums[order[min(exceeded, len(order) - 1)]]
    return np.where(np.isnan(gates), np.nanmedian(gates), gates)
