"""Signed weights of all evidence on top of the weighted sum of a first part of it.

The total of the first part and every kind by itself are features f_k of a candidate; a softmax over candidates of
``sum_k w[k, r] f_k`` with ``w[k, r] = (a_k + b_kr) / sd_k`` is fitted to held-out answers, with a ridge on b, and
one on how far a is from the total alone. It starts from that, so that evidence that tells nothing changes nothing.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.optimize import minimize
from sklearn.utils import gen_batches

from .._graph.queries import both_directions
from .weighting import (
    LARGEST_SAMPLE,
    LARGEST_SEARCH,
    LEARNED,
    NEARLY_LEARNED,
    WEIGHED_AT_ONCE,
    cross_entropy,
    likeliest_strength,
    query_groups,
    scores_of_kinds,
    softmax_loss,
    weighted_sums,
)

BEST_CANDIDATES = 100
SAMPLED_CANDIDATES = 100
# So many queries weigh as much as the squared distance of a relation's weights from the shared ones; which of them is
# chosen by how likely it makes the answers to queries left out.
RIDGES = (1.0, 3.0, 10.0, 30.0)
# The same for the distance of the shared weights from the start: a few held-out answers can always be told apart from
# their candidates, and would make the weights endless.
SHARED_RIDGE = 1.0
# Truths that nobody has written down stand at the top of the list and would count as false. A query with c known
# answers, of which a share m was held out, is expected to have some c m more; twice as many of its best candidates are
# left out, in some rounds of learning and leaving out.
UNLABELLED_PER_HELD_OUT = 2.0
ROUNDS = 2


@dataclass(frozen=True)
class Candidates:
    """Features of the candidates of some queries.

    Attributes
    ----------
    features : ndarray of shape (n_queries, n_features, n_candidates)
        The first candidate is the answer.
    offsets : ndarray of shape (n_queries, n_candidates)
        Added to the weighted sum, see `skotkge._evidence.weighting.weights_of_scores`.
    sources, relations : ndarray of shape (n_queries,)
    unlabelled : ndarray of shape (n_queries,), dtype int
        How many of the best candidates are expected to be true.
    """

    features: np.ndarray
    offsets: np.ndarray
    sources: np.ndarray
    relations: np.ndarray
    unlabelled: np.ndarray

    def of(self, rows):
        """Return the candidates of some of the queries."""
        return replace(self, **{name: array[rows] for name, array in vars(self).items()})


def learn_from(told, ridge, n_relations, *, nearly=False):
    """Weights ``(n_features, n_relations)``, learned and learned again without the candidates expected to be true."""
    offsets, weights = told.offsets, None
    for _ in range(ROUNDS):
        weights = _fit(told, offsets, n_relations, ridge, weights, nearly)
        offsets = without_unlabelled(told, weights)
    return weights


def best_ridge(told, n_relations, random_state):
    """The ridge of `learn_from` whose weights make the answers to left-out queries likeliest."""

    def loss(learned, left_out, ridge):
        weights, left_out = learn_from(told.of(learned), ridge, n_relations, nearly=True), told.of(left_out)
        return cross_entropy(logits_of(left_out, weights) + without_unlabelled(left_out, weights))

    return likeliest_strength(RIDGES, query_groups(told.sources, told.relations), random_state, loss)


def candidates_of(mixture, base, ids, known, share, n_relations, random_state):
    """Features of the answer, the best candidates of the base, and a sample that stands for the rest.

    The first feature is the total of the base, the others are the scores of the kinds: with weights w of them, those
    of the kinds are ``w[0] * base + w[1:]``.

    Parameters
    ----------
    mixture : Mixture
        Of all evidence.
    base : ndarray of shape (n_kinds, 2 * n_relations)
        Weights of the first part; zero for kinds that are not in it.
    ids : ndarray of shape (n_triples, 3)
        True triples that no evidence has seen.
    known : KnownAnswers
        All true triples, `ids` among them.
    share : float
        Of the true triples that `ids` are.
    n_relations : int
    random_state : RandomState

    Returns
    -------
    Candidates
    """
    sources, relations, answers = both_directions(ids, n_relations)
    n_kinds, n_entities = len(mixture.evidence), mixture.n_entities
    sample = random_state.permutation(n_entities)[:SAMPLED_CANDIDATES]
    n_best = min(BEST_CANDIDATES, n_entities)
    n_candidates = 1 + n_best + len(sample)
    affordable = max(1, min(LARGEST_SAMPLE // ((1 + n_kinds) * n_candidates), LARGEST_SEARCH // n_entities))
    if len(sources) > affordable:
        drawn = random_state.choice(len(sources), affordable, replace=False)
        sources, relations, answers = sources[drawn], relations[drawn], answers[drawn]
    features = np.empty((len(sources), 1 + n_kinds, n_candidates), dtype=np.float32)
    offsets = np.empty((len(sources), n_candidates), dtype=np.float32)
    base = torch.tensor(base, dtype=torch.float32, device=mixture.device)
    for rows in gen_batches(len(sources), max(1, WEIGHED_AT_ONCE // ((1 + n_kinds) * n_entities))):
        of_rows, offset = _features_of(
            mixture, base, sources[rows], relations[rows], answers[rows], known, sample, n_best
        )
        features[rows], offsets[rows] = of_rows.cpu().numpy(), offset.cpu().numpy()
    n_known = np.bincount(known.answers_of(sources, relations)[0], minlength=len(sources))
    unlabelled = np.rint(UNLABELLED_PER_HELD_OUT * share * n_known).astype(np.int64)
    return Candidates(features, offsets, sources, relations, unlabelled)


def _features_of(mixture, base, sources, relations, answers, known, sample, n_best):
    """Features ``(n_queries, n_features, n_candidates)`` and offsets of the candidates of some queries."""
    asked, answered, sampled = mixture.indices(relations, answers, sample)
    of_kinds, taken = scores_of_kinds(mixture, sources, relations, known)
    # The first feature, sum_k base[k, r] s_k.
    total = torch.einsum("kq,kqe->qe", base[:, asked], of_kinds)
    best = total.masked_fill(taken, -torch.inf).topk(n_best, dim=1).indices
    # A query with fewer candidates than n_best has others there, which do not count.
    counts = [torch.ones_like(answered)[:, None].float(), (~taken.gather(1, best)).float()]
    taken.scatter_(1, answered[:, None], True).scatter_(1, best, True)
    rest = ~taken[:, sampled]
    counts.append(rest * ((~taken).sum(1, keepdim=True) / rest.sum(1, keepdim=True).clamp(min=1)))
    candidates = torch.cat([answered[:, None], best, sampled.expand(len(answered), -1)], dim=1)
    features = torch.cat([total[None], of_kinds]).gather(2, candidates.expand(1 + len(base), -1, -1))
    return features.transpose(0, 1), torch.cat(counts, dim=1).log()


def without_unlabelled(told, weights):
    """Offsets that leave out, of each query, as many of its best candidates as are expected to be true."""
    # Only candidates that stand for themselves and count; the sample is a sample.
    counting = told.offsets == 0
    counting[:, 0] = False
    logits = np.where(counting, logits_of(told, weights), -np.inf)
    best = np.argsort(-logits, axis=1, kind="stable")
    leaves = np.arange(best.shape[1]) < np.minimum(told.unlabelled, counting.sum(axis=1))[:, None]
    offsets = told.offsets.copy()
    rows, places = np.nonzero(leaves)
    offsets[rows, best[rows, places]] = -np.inf
    offsets[:, 0] = 0.0
    return offsets


def logits_of(told, weights):
    """Weighted sums of the features of each candidate ``(n_queries, n_candidates)``."""
    return weighted_sums(told.features, told.relations, weights)


def _fit(told, offsets, n_relations, ridge, start, nearly):
    """Weights ``(n_features, n_relations)`` of least loss."""
    features, relations = told.features, told.relations
    n_queries, n_features, _ = features.shape
    spread = np.array([features[:, position].std(dtype=np.float64) or 1.0 for position in range(n_features)])
    order = np.argsort(relations, kind="stable")
    found, firsts = np.unique(relations[order], return_index=True)

    # With the gradient g_qk of `softmax_loss` by the weights of a query, dloss / dw[k, r] = sum_q [r_q = r] g_qk; 1 /
    # sd_k of that is the gradient by b_kr, and summed over r by a_k.
    def objective(parameters):
        shared, own = parameters[:n_features], parameters[n_features:].reshape(n_features, n_relations)
        weights = ((shared[:, None] + own) / spread[:, None])[:, relations].T
        loss, by_query = softmax_loss(weights, features, offsets)
        by_relation = np.zeros((n_features, n_relations))
        by_relation[:, found] = np.add.reduceat(by_query[order], firsts, axis=0).T
        by_relation /= spread[:, None]
        of_shared = by_relation.sum(axis=1) + 2 * SHARED_RIDGE * (shared - prior)
        gradient = np.concatenate([of_shared, (by_relation + 2 * ridge * own).ravel()])
        penalty = ridge * np.sum(own**2) + SHARED_RIDGE * np.sum((shared - prior) ** 2)
        return (loss + penalty) / n_queries, gradient / n_queries

    total_alone = np.zeros((n_features, n_relations))
    total_alone[0] = 1.0
    prior = total_alone[:, 0] * spread
    start = total_alone if start is None else start
    first = (start * spread[:, None]).mean(axis=1)
    first = np.concatenate([first, (start * spread[:, None] - first[:, None]).ravel()])
    options = NEARLY_LEARNED if nearly else LEARNED
    found_at = minimize(objective, first, jac=True, method="L-BFGS-B", options=options).x
    shared, own = found_at[:n_features], found_at[n_features:].reshape(n_features, n_relations)
    return (shared[:, None] + own) / spread[:, None]
