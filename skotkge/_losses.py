"""Training objectives: softmax cross-entropy over all entities, the logistic loss of Eq. 6, N3 regularisation."""

import torch
from torch.nn import functional

# A probability below this is under the resolution of a float32 sum of probabilities. Left in, those that underflow to
# denormal numbers slow the matrix products of the backward pass several times over.
NEGLIGIBLE_PROBABILITY = 1e-12


class _SoftmaxCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, rows, answers):
        counts = torch.bincount(rows, minlength=len(logits)).to(logits.dtype)
        largest = logits.amax(dim=1, keepdim=True)
        gradient = (logits - largest).exp_()
        normalizer = gradient.sum(dim=1, keepdim=True)
        loss = (counts * (normalizer.log() + largest).squeeze(1)).sum() - logits[rows, answers].sum()
        functional.threshold_(gradient.div_(normalizer), NEGLIGIBLE_PROBABILITY, 0.0)
        gradient.mul_(counts[:, None])
        gradient.index_put_((rows, answers), -torch.ones_like(rows, dtype=logits.dtype), accumulate=True)
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    def backward(ctx, grad_output):
        (gradient,) = ctx.saved_tensors
        return gradient * grad_output, None, None


def cross_entropy(logits, rows, answers):
    """Sum over answers of the cross-entropy between the softmax of their query's logits and the answer.

    Queries with several answers share one row of logits.

    Parameters
    ----------
    logits : tensor of shape (n_queries, n_entities)
    rows, answers : tensor of shape (n_answers,), dtype int64
        Row of the query and column of the answer.
    """
    return _SoftmaxCrossEntropy.apply(logits, rows, answers)


def logistic(positive_scores, negative_scores):
    """Sum of ``log(1 + exp(-Y f))`` over positives (Y = 1) and sampled negatives (Y = -1), Eq. 6."""
    return functional.softplus(-positive_scores).sum() + functional.softplus(negative_scores).sum()


def n3(modulus, counts=None):
    """Sum of cubed moduli (Lacroix et al., 2018), each row counted as often as told."""
    cubed = (modulus**3).sum(-1)
    return cubed.sum() if counts is None else (counts * cubed).sum()
