"""Training objectives: softmax cross-entropy over all entities, the logistic loss of Eq. 6, N3 regularisation."""

from dataclasses import dataclass

import torch
from sklearn import get_config
from sklearn.utils import gen_batches
from torch.nn import functional

# A probability below this is under the resolution of a float32 sum of probabilities. Left in, those that underflow to
# denormal numbers slow the matrix products of the backward pass several times over.
NEGLIGIBLE_PROBABILITY = 1e-12
# Scores that a CPU works on at once, few enough for its cache, and the fewest entities for which products are fast. A
# GPU takes all entities together; it then holds copies of all scores, the most for a distance.
SCORES_IN_CACHE = 2**18
FEWEST_ENTITIES = 64
COPIES_ON_GPU = 4


@dataclass(frozen=True)
class LogPartition:
    """Value and gradients of `log_partition`.

    Attributes
    ----------
    value : tensor of shape ()
    query_gradient : tensor of shape (n_queries, d)
    entity_gradient : tensor of shape (n_entities, d) or None
    """

    value: torch.Tensor
    query_gradient: torch.Tensor
    entity_gradient: torch.Tensor | None


def log_partition(query, entities, scorer, counts, excluded, *, scale=1.0, wants_entities=True, precision=None):
    """``scale * sum_q counts[q] log sum_e exp(score(q, e))``; less the scores of the answers, it is a cross-entropy.

    Scores are held once, as ``(n_entities, n_queries)``, for as many queries at a time as fit into scikit-learn's
    working memory. Forward and backward pass go through them with one matrix product forward and two backward, on a CPU
    in chunks of entities that stay in the cache.

    Parameters
    ----------
    query : tensor of shape (n_queries, d)
    entities : tensor of shape (n_entities, d)
    scorer : Scorer
    counts : tensor of shape (n_queries,)
        Answers of each query, positive.
    excluded : tensor of shape (n_queries,), dtype int64
        An entity that each query leaves out of the sum, or -1.
    scale : float, default=1.0
    wants_entities : bool, default=True
        False leaves out the gradient of the entities.
    precision : torch.dtype, default=None
        Of the factors and results of the matrix products, for a dot product only; exponentials and sums keep that of
        `query`.

    Returns
    -------
    LogPartition
    """
    gradients = torch.zeros_like(query), torch.zeros_like(entities) if wants_entities else None
    value = query.new_zeros(())
    precision = query.dtype if precision is None else precision
    factors = entities.to(precision)
    for block in _blocks(query, len(entities)):
        asked = query[block].to(precision)
        weights = scale * counts[block].to(query.dtype)
        scores = query.new_empty(len(entities), len(asked))
        chunks = list(_chunks(len(entities), len(asked), query.device))
        normalizers = [_normalizer(scorer, asked, factors, scores, chunk, excluded[block]) for chunk in chunks]
        normalizer = torch.logsumexp(torch.stack(normalizers), dim=0)
        value += weights @ normalizer
        shift = normalizer - weights.log()
        for chunk in chunks:
            mass = torch.exp_(scores[chunk] - shift)
            functional.threshold_(mass, scale * NEGLIGIBLE_PROBABILITY, 0.0)
            of_chunk = gradients[0][block], None if gradients[1] is None else gradients[1][chunk]
            scorer.add_gradients(asked, factors[chunk], scores[chunk], mass, *of_chunk)
    return LogPartition(value, *gradients)


def _blocks(query, n_entities):
    copies = 1 if query.device.type == "cpu" else COPIES_ON_GPU
    bytes_per_query = copies * query.element_size() * n_entities
    return gen_batches(len(query), max(1, int(get_config()["working_memory"] * 2**20 // bytes_per_query)))


def _chunks(n_entities, n_queries, device):
    size = max(FEWEST_ENTITIES, SCORES_IN_CACHE // n_queries) if device.type == "cpu" else n_entities
    return gen_batches(n_entities, size)


def _normalizer(scorer, query, entities, scores, chunk, excluded):
    """Fill in the scores of a chunk of entities; return their log partition function for each query."""
    part = scorer.of_entities(entities[chunk], query, out=scores[chunk])
    inside = (excluded >= chunk.start) & (excluded < chunk.stop)
    place = torch.where(inside, excluded - chunk.start, 0), torch.arange(len(query), device=query.device)
    part[place] = torch.where(inside, torch.finfo(part.dtype).min / 4, part[place])
    largest = part.amax(dim=0)
    return torch.exp_(part - largest).sum(dim=0).log_().add_(largest)


def logistic(positive_scores, negative_scores):
    """Sum of ``log(1 + exp(-Y f))`` over positives (Y = 1) and sampled negatives (Y = -1), Eq. 6."""
    return functional.softplus(-positive_scores).sum() + functional.softplus(negative_scores).sum()


def n3(modulus, counts=None):
    """Sum of cubed moduli (Lacroix et al., 2018), each row counted as often as told."""
    cubed = (modulus**3).sum(-1)
    return cubed.sum() if counts is None else (counts * cubed).sum()
