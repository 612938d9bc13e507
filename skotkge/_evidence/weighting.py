"""Weights of evidence for each relation, learned from queries whose answer is known."""

import numpy as np
import torch
from scipy.optimize import minimize
from scipy.special import expit, logsumexp
from sklearn.model_selection import GroupKFold
from sklearn.utils import gen_batches

from .._graph.queries import both_directions, distinct_rows

# Candidates of each kind, of the sample for the rest, and scores computed at once.
BEST_CANDIDATES = 50
SAMPLED_CANDIDATES = 250
WEIGHED_AT_ONCE = 2**24
# Scores of candidates that the weights are learned from, half a GiB. The user's working memory has no say in it, or
# it would change the weights.
LARGEST_SAMPLE = 2**27
# Scores of one kind with all entities that are computed for it: on large graphs fewer queries have to do.
LARGEST_SEARCH = 2**30
# Pull the weights of a relation towards those that all relations share; the one is chosen whose weights make answers
# to queries left out likeliest, of so many queries at most.
SHRINKAGES = (0.3, 3.0, 30.0)
N_FOLDS = 2
QUERIES_THAT_CHOOSE = 2000
# Weights are learned until they stand still: stopped before, they would depend on how a processor rounds, by
# hundredths. Strengths are compared by weights that are nearly learned.
LEARNED = {"maxiter": 1000, "maxcor": 100, "ftol": 1e-12, "gtol": 1e-7}
NEARLY_LEARNED = {"maxiter": 50, "ftol": 1e-7}
# Scores of candidates that are taken together, few enough for a CPU's cache.
SCORES_AT_ONCE = 2**18


def learn_weights(mixture, ids, known, n_relations, random_state):
    """Learn the weights of evidence, none negative, from true triples that it was not trained on.

    The softmax goes over the answer, the best candidates of each kind, and a random sample that stands for the rest.

    Parameters
    ----------
    mixture : Mixture
    ids : ndarray of shape (n_triples, 3)
        Where their candidates have more than `LARGEST_SAMPLE` scores, only a random part is taken.
    known : KnownAnswers
        All true triples.
    n_relations : int
    random_state : RandomState

    Returns
    -------
    ndarray of shape (n_kinds, 2 * n_relations)
    """
    sources, relations, answers = both_directions(ids, n_relations)
    sample = random_state.permutation(mixture.n_entities)[:SAMPLED_CANDIDATES]
    n_kinds, n_best = len(mixture.evidence), min(BEST_CANDIDATES, mixture.n_entities)
    n_candidates = 1 + n_kinds * n_best + len(sample)
    affordable = max(1, min(LARGEST_SAMPLE // (n_kinds * n_candidates), LARGEST_SEARCH // mixture.n_entities))
    if len(sources) > affordable:
        drawn = random_state.choice(len(sources), affordable, replace=False)
        sources, relations, answers = sources[drawn], relations[drawn], answers[drawn]
    sampled = np.empty((len(sources), n_kinds, n_candidates), dtype=np.float32)
    offsets = np.empty((len(sources), n_candidates), dtype=np.float32)
    for rows in gen_batches(len(sources), max(1, WEIGHED_AT_ONCE // (n_kinds * mixture.n_entities))):
        answered = mixture.indices(answers[rows])[0]
        of_kinds, left_out = scores_of_kinds(mixture, sources[rows], relations[rows], known)
        candidates, offset = _candidates(of_kinds, left_out, answered, mixture.indices(sample)[0], n_best)
        picked = of_kinds.gather(2, candidates.expand(n_kinds, -1, -1))
        sampled[rows], offsets[rows] = picked.transpose(0, 1).cpu().numpy(), offset.cpu().numpy()
    shrinkage = best_shrinkage(sampled, offsets, sources, relations, 2 * n_relations, random_state)
    return weights_of_scores(sampled, offsets, relations, 2 * n_relations, shrinkage)


def query_groups(sources, relations):
    """Number the distinct queries ``(n_queries,)``: all triples of one are one group."""
    return distinct_rows(np.column_stack([sources, relations]), return_inverse=True)[1].ravel()


def likeliest_strength(strengths, groups, random_state, loss):
    """Return the strength of a penalty that makes the answers to queries left out likeliest.

    Parameters
    ----------
    strengths : sequence of float
        In increasing order; the last where there are too few groups to tell by.
    groups : ndarray of shape (n_queries,)
        Queries of one group are learned from or left out together.
    random_state : RandomState
        Chooses from more than `QUERIES_THAT_CHOOSE` queries: in their order, the first would all ask for tails.
    loss : callable
        From positions of queries to learn from, of those left out, and a strength, to the loss of the latter.

    Returns
    -------
    float
    """
    chosen = np.arange(len(groups))
    if len(groups) > QUERIES_THAT_CHOOSE:
        chosen = random_state.choice(len(groups), QUERIES_THAT_CHOOSE, replace=False)
    groups = groups[chosen]
    if len(np.unique(groups)) < N_FOLDS:
        return strengths[-1]
    losses = np.zeros(len(strengths))
    for learned, left_out in GroupKFold(N_FOLDS).split(groups, groups=groups):
        losses += [loss(chosen[learned], chosen[left_out], strength) for strength in strengths]
    return strengths[np.argmin(losses)]


def best_shrinkage(scores, offsets, sources, relations, n_relations, random_state):
    """Return the shrinkage whose weights make the answers to left-out queries likeliest; see `weights_of_scores`."""

    def loss(learned, left_out, shrinkage):
        of_learned = scores[learned], offsets[learned], relations[learned]
        weights = weights_of_scores(*of_learned, n_relations, shrinkage, nearly=True)
        return cross_entropy(weighted_sums(scores[left_out], relations[left_out], weights) + offsets[left_out])

    return likeliest_strength(SHRINKAGES, query_groups(sources, relations), random_state, loss)


def weighted_sums(scores, relations, weights):
    """Sums ``(n_queries, n_candidates)`` of scores ``(n_queries, n_kinds, n_candidates)`` by weights of relations."""
    return np.matmul(weights.astype(scores.dtype).T[relations][:, None], scores)[:, 0]


def cross_entropy(logits):
    """Sum over queries of minus the logarithm of the probability of the answer, the first candidate."""
    return np.sum(logsumexp(logits, axis=1) - logits[:, 0])


def scores_of_kinds(mixture, sources, relations, known):
    """Scores by each kind ``(n_kinds, n_queries, n_entities)``, and who is no candidate: known answers, self-loops."""
    queried, asked = mixture.indices(sources, relations)
    of_kinds = torch.stack([mixture.scores_of_kind(kind, queried, asked) for kind in range(len(mixture.evidence))])
    left_out = torch.zeros(of_kinds.shape[1:], dtype=torch.bool, device=mixture.device)
    left_out[mixture.indices(*known.answers_of(sources, relations))] = True
    left_out[mixture.indices(*mixture.self_loops(sources, relations))] = True
    return of_kinds, left_out


def _candidates(scores, left_out, answers, sample, n_best):
    """Answer, best candidates of each kind and the sample for each query, and what each of them counts for.

    Parameters
    ----------
    scores : tensor of shape (n_kinds, n_queries, n_entities)
    left_out : tensor of shape (n_queries, n_entities), dtype bool
    answers : tensor of shape (n_queries,)
    sample : tensor of shape (n_sampled,)
    n_best : int

    Returns
    -------
    candidates : tensor of shape (n_queries, n_candidates)
    offsets : tensor of shape (n_queries, n_candidates)
        As for `weights_of_scores`.
    """
    taken = left_out.clone()
    taken.scatter_(1, answers[:, None], True)
    columns, counts = [answers[:, None]], [torch.ones(len(answers), 1, device=scores.device)]
    for of_kind in scores:
        best = of_kind.masked_fill(left_out, -torch.inf).topk(n_best, dim=1).indices
        columns.append(best)
        counts.append((~taken.gather(1, best)).float())
        taken.scatter_(1, best, True)
    # Entities that are neither left out nor in the list yet, over those of the sample that are neither: what each of
    # these stands for.
    rest = ~taken[:, sample]
    columns.append(sample.expand(len(answers), -1))
    share = (~taken).sum(1, keepdim=True) / rest.sum(1, keepdim=True).clamp(min=1)
    counts.append(rest * share)
    return torch.cat(columns, dim=1), torch.cat(counts, dim=1).log()


def softmax_loss(weights, scores, offsets):
    """Minus the logarithm of the likelihood of the answers under the softmax of weighted sums, and its gradient.

    Parameters
    ----------
    weights : ndarray of shape (n_queries, n_kinds)
    scores : ndarray of shape (n_queries, n_kinds, n_candidates)
        The first candidate is the answer.
    offsets : ndarray of shape (n_queries, n_candidates)
        Added to the weighted sums.

    Returns
    -------
    loss : float
    gradient : ndarray of shape (n_queries, n_kinds)
        By the weights of each query.
    """
    # loss = sum_q (log sum_c exp(l_qc) - l_q0) with l_qc = sum_k w_qk s_qkc + offset_qc, shifted by max_c l_qc before
    # exp. With p the softmax, dloss / dw_qk = sum_c p_qc s_qkc - s_qk0.
    loss, gradient = 0.0, np.empty(weights.shape)
    for rows in gen_batches(len(scores), max(1, SCORES_AT_ONCE // scores[0].size)):
        of_rows = scores[rows].astype(float)
        logits = np.matmul(weights[rows, None], of_rows)[:, 0] + offsets[rows]
        largest = logits.max(axis=1, keepdims=True)
        answered = logits[:, 0] - largest[:, 0]
        probabilities = np.exp(logits - largest, out=logits)
        normalizer = probabilities.sum(axis=1)
        probabilities /= normalizer[:, None]
        loss += np.sum(np.log(normalizer) - answered)
        gradient[rows] = np.matmul(of_rows, probabilities[:, :, None])[:, :, 0] - of_rows[:, :, 0]
    return loss, gradient


def weights_of_scores(scores, offsets, relations, n_relations, shrinkage=SHRINKAGES[0], *, nearly=False):
    """Weights that maximise the likelihood of the answers under the softmax of the weighted sum of scores.

    ``w[k, r] = softplus(a_k + b_kr) / s_k`` with the standard deviation s_k of the scores of kind k, and a quadratic
    penalty on b: a relation with few queries keeps close to the shared weights.

    Parameters
    ----------
    scores : ndarray of shape (n_queries, n_kinds, n_candidates)
        The first candidate is the answer.
    offsets : ndarray of shape (n_queries, n_candidates)
        Added to the weighted sum: 0 for a candidate that stands for itself, the logarithm of a number for one that
        stands for so many, -inf for one that does not count.
    relations : ndarray of shape (n_queries,)
        In ``[0, n_relations)``.
    n_relations : int
        Reciprocals included.
    shrinkage : float, default=SHRINKAGES[0]
        Factor of the penalty: so many queries weigh as much as a squared distance of one.
    nearly : bool, default=False
        Whether nearly learned weights will do.

    Returns
    -------
    ndarray of shape (n_kinds, n_relations)
        Not negative.
    """
    n_queries, n_kinds, _ = scores.shape
    spread = np.array([scores[:, position].std(dtype=np.float64) or 1.0 for position in range(n_kinds)])

    # With the gradient g_qk of `softmax_loss` by the weights of a query, dloss / dw[k, r] = sum_q [r_q = r] g_qk, and
    # dw / d(a_k + b_kr) is the logistic function of a_k + b_kr over s_k.
    def objective(parameters):
        shared, own = parameters[:n_kinds], parameters[n_kinds:].reshape(n_kinds, n_relations)
        logits_of_weights = shared[:, None] + own
        weights = (np.logaddexp(0, logits_of_weights) / spread[:, None])[:, relations].T
        loss, by_query = softmax_loss(weights, scores, offsets)
        by_relation = np.zeros((n_kinds, n_relations))
        np.add.at(by_relation.T, relations, by_query)
        by_relation *= expit(logits_of_weights) / spread[:, None]
        gradient = np.concatenate([by_relation.sum(axis=1), (by_relation + 2 * shrinkage * own).ravel()])
        return (loss + shrinkage * np.sum(own**2)) / n_queries, gradient / n_queries

    start = np.zeros(n_kinds * (1 + n_relations))
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=NEARLY_LEARNED if nearly else LEARNED)
    shared, own = found.x[:n_kinds], found.x[n_kinds:].reshape(n_kinds, n_relations)
    return np.logaddexp(0, shared[:, None] + own) / spread[:, None]
