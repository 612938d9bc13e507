"""Training objectives: softmax cross-entropy over all entities, the logistic loss of Eq. 6, N3 regularisation."""

import itertools

import torch
from torch.nn import functional

# A probability below this is under the resolution of a float32 sum of probabilities. Left in, those that underflow to
# denormal numbers slow the matrix products of the backward pass several times over.
NEGLIGIBLE_PROBABILITY = 1e-12


# Logits held at once; blocks of queries are made as large as this allows.
LOGITS_AT_ONCE = 2**23


class _SoftmaxCrossEntropy(torch.autograd.Function):
    """Loss and both gradients in one pass over blocks of queries; each block of logits becomes its own gradient."""

    @staticmethod
    def forward(ctx, query, entities, against_all, counts, answers, source_bias):
        wanted = ctx.needs_input_grad[:2]
        sources, bias = source_bias
        loss = query.new_zeros(())
        gradients = torch.empty_like(query), torch.zeros_like(entities) if wanted[1] else None
        ends = [0, *itertools.accumulate(counts.tolist())]
        multiplicity = counts.to(device=query.device, dtype=query.dtype)
        size = max(1, LOGITS_AT_ONCE // len(entities))
        for first in range(0, len(query), size):
            block = slice(first, min(first + size, len(query)))
            told = answers[ends[block.start] : ends[block.stop]]
            rows = torch.repeat_interleave(counts[block]).to(query.device)
            with torch.enable_grad():
                inputs = [query[block].detach().requires_grad_(), entities.detach().requires_grad_(wanted[1])]
                logits = against_all(*inputs)
            probabilities = logits.detach()
            own = probabilities[rows, told]
            row_numbers = torch.arange(len(probabilities), device=query.device)
            probabilities[row_numbers, sources[block]] += bias[block]
            largest = probabilities.amax(dim=1, keepdim=True)
            normalizer = probabilities.sub_(largest).exp_().sum(dim=1, keepdim=True)
            loss += (multiplicity[block] * (normalizer.log() + largest).squeeze(1)).sum() - own.sum()
            functional.threshold_(probabilities, NEGLIGIBLE_PROBABILITY, 0.0)
            gradient = probabilities.mul_(multiplicity[block][:, None] / normalizer)
            gradient.index_put_((rows, told), -torch.ones_like(own), accumulate=True)
            parts = torch.autograd.grad(logits, [part for part in inputs if part.requires_grad], gradient)
            gradients[0][block] = parts[0]
            if wanted[1]:
                gradients[1].add_(parts[1])
        ctx.save_for_backward(*gradients)
        return loss

    @staticmethod
    def backward(ctx, grad_output):
        return *(part if part is None else part * grad_output for part in ctx.saved_tensors), None, None, None, None


def cross_entropy(query, entities, against_all, counts, answers, source_bias):
    """Sum over answers of the cross-entropy between the softmax over all entities and the answer.

    Queries with several answers share one row of logits. Loss and gradients are computed together, block by block of
    queries, so that no more than `LOGITS_AT_ONCE` logits exist at a time.

    Parameters
    ----------
    query : tensor of shape (n_queries, d)
    entities : tensor of shape (n_entities, d)
    against_all : callable
        From queries and entities to logits ``(n_queries, n_entities)``.
    counts : tensor of shape (n_queries,), dtype int64, on the CPU
        Answers of each query.
    answers : tensor of shape (n_answers,), dtype int64
        Entities, those of the first query first.
    source_bias : (sources, bias), tensors of shape (n_queries,)
        `bias` is added to the logit of entity `sources` of each query; an answer with a bias is not allowed.

    Returns
    -------
    tensor of shape ()
    """
    return _SoftmaxCrossEntropy.apply(query, entities, against_all, counts, answers, source_bias)


def logistic(positive_scores, negative_scores):
    """Sum of ``log(1 + exp(-Y f))`` over positives (Y = 1) and sampled negatives (Y = -1), Eq. 6."""
    return functional.softplus(-positive_scores).sum() + functional.softplus(negative_scores).sum()


def n3(modulus, counts=None):
    """Sum of cubed moduli (Lacroix et al., 2018), each row counted as often as told."""
    cubed = (modulus**3).sum(-1)
    return cubed.sum() if counts is None else (counts * cubed).sum()
