"""Training objectives: softmax cross-entropy over all entities, the logistic loss of Eq. 6, N3 regularisation."""

import torch
from torch.nn import functional

# A probability below this is under the resolution of a float32 sum of probabilities. Left in, those that underflow to
# denormal numbers slow the matrix products of the backward pass several times over.
NEGLIGIBLE_PROBABILITY = 1e-12


class _SoftmaxCrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        log_normalizer = torch.logsumexp(logits, dim=1)
        rows = torch.arange(len(logits), device=logits.device)
        target_logits = logits[rows, targets]
        gradient = torch.exp(logits - log_normalizer[:, None])
        functional.threshold_(gradient, NEGLIGIBLE_PROBABILITY, 0.0)
        gradient[rows, targets] -= 1.0
        ctx.save_for_backward(gradient)
        return (log_normalizer - target_logits).sum()

    @staticmethod
    def backward(ctx, grad_output):
        (gradient,) = ctx.saved_tensors
        return gradient * grad_output, None


def cross_entropy(logits, targets):
    """Sum over rows of the cross-entropy between the softmax of the logits and one target column each.

    Parameters
    ----------
    logits : tensor of shape (n_queries, n_entities)
    targets : tensor of shape (n_queries,), dtype int64
    """
    return _SoftmaxCrossEntropy.apply(logits, targets)


def logistic(positive_scores, negative_scores):
    """Sum of ``log(1 + exp(-Y f))`` over positives (Y = 1) and sampled negatives (Y = -1), Eq. 6."""
    return functional.softplus(-positive_scores).sum() + functional.softplus(negative_scores).sum()


def n3(*moduli):
    """Sum of the cubed moduli of all factors (Lacroix et al., 2018)."""
    return sum((modulus**3).sum() for modulus in moduli)
