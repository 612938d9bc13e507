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
    normalizer : tensor of shape (n_queries,) or None
        The logarithm of each sum.
    query_gradient : tensor of shape (n_queries, d)
    entity_gradient : tensor of shape (n_entities, d) or None
    """

    value: torch.Tensor
    normalizer: torch.Tensor | None
    query_gradient: torch.Tensor
    entity_gradient: torch.Tensor | None


def log_partition(
    query,
    entities,
    score_function,
    counts,
    excluded,
    *,
    multiplicity=None,
    beside=None,
    scale=1.0,
    wants_entities=True,
    precision=None,
):
    """``scale * sum_q counts[q] log sum_e m_e exp(score(q, e))``; less the scores of the answers, a cross-entropy.

    Scores are held once, as ``(n_entities, n_queries)``, for as many queries at a time as fit into scikit-learn's
    working memory. Forward and backward pass go through them with one matrix product forward and two backward, on a CPU
    in chunks of entities that stay in the cache.

    Parameters
    ----------
    query : tensor of shape (n_queries, d)
    entities : tensor of shape (n_entities, d)
    score_function : ScoreFunction
    counts : tensor of shape (n_queries,)
        Answers of each query, or the sum of their weights, positive.
    excluded : (tensor, tensor) of shape (n_pairs,), dtype int64, or None
        Distinct pairs of an entity, or -1, and a query that leaves it out of the sum.
    multiplicity : tensor of shape (n_entities,), default=None
        m_e, how many entities each of them stands for; None is 1.
    beside : tensor of shape (n_queries,), default=None
        Logarithm of a constant that each query has in its sum beside the entities.
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
    value, normalizers = query.new_zeros(()), []
    precision = query.dtype if precision is None else precision
    factors = entities.to(precision)
    for block in _blocks(query, len(entities)):
        asked = query[block].to(precision)
        weights = scale * counts[block].to(query.dtype)
        scores = query.new_empty(len(entities), len(asked))
        chunks = list(_chunks(len(entities), len(asked), query.device))
        parts = []
        for chunk in chunks:
            part = score_function.score_entities(factors[chunk], asked, out=scores[chunk])
            if excluded is not None:
                _leave_out(part, excluded[0] - chunk.start, excluded[1] - block.start)
            number = None if multiplicity is None else multiplicity[chunk].to(query.dtype)
            parts.append(_Exponentials(part, number, score_function.gradients_need_scores))
        terms = [part.log_sum for part in parts] + ([] if beside is None else [beside[block]])
        normalizer = torch.logsumexp(torch.stack(terms), dim=0)
        value += weights @ normalizer
        normalizers.append(normalizer)
        for chunk, part in zip(chunks, parts, strict=True):
            mass = part.divided_by(normalizer - weights.log())
            functional.threshold_(mass, scale * NEGLIGIBLE_PROBABILITY, 0.0)
            of_chunk = gradients[0][block], None if gradients[1] is None else gradients[1][chunk]
            score_function.add_gradients(asked, factors[chunk], scores[chunk], mass, *of_chunk)
    return LogPartition(value, torch.cat(normalizers), *gradients)


def fits_at_once(n_queries, n_entities, device, element_size=4):
    """Tell whether a GPU holds all scores of a batch within scikit-learn's working memory; a CPU goes by the chunk."""
    n_bytes = COPIES_ON_GPU * element_size * n_queries * n_entities
    return torch.device(device).type != "cpu" and n_bytes <= get_config()["working_memory"] * 2**20


def cross_entropy(
    query,
    entities,
    score_function,
    counts,
    answers,
    excluded,
    *,
    multiplicity=None,
    scale=1.0,
    wants_entities=True,
    precision=None,
):
    """`log_partition` less ``scale`` times the scores of the answers, with all scores at once and few operations.

    Its gradient by the scores is that of the sum of exponentials, ``scale * counts[q]`` times the probabilities, less
    `scale` at each answer.

    Parameters
    ----------
    query, entities, score_function, counts, excluded, multiplicity, scale, wants_entities, precision
        As for `log_partition`.
    answers : (tensor, tensor) of shape (n_answers,)
        Pairs of an entity, one that stands for itself, and the query that it answers, `counts` of each query.

    Returns
    -------
    LogPartition
        Its normalizer is None.
    """
    n_queries = len(query)
    precision = query.dtype if precision is None else precision
    factors, asked = entities.to(precision), query.to(precision)
    scores = score_function.score_entities(factors, asked, out=query.new_empty(len(entities), n_queries))
    if excluded is not None:
        left_out, rows = excluded
        penalties = (left_out >= 0).to(scores.dtype) * _least_score(scores.dtype)
        scores.view(-1).scatter_add_(0, torch.add(rows, left_out.clamp_min(0), alpha=n_queries), penalties)
    logs = torch.log_softmax(scores if multiplicity is None else scores + multiplicity.log()[:, None], dim=0)
    places = torch.add(answers[1], answers[0], alpha=n_queries)
    value = logs.view(-1).index_select(0, places).sum() * -scale
    mass = logs.exp_().mul_(counts * scale)
    mass.view(-1).index_add_(0, places, mass.new_full((1,), -scale).expand(len(places)))
    gradients = torch.zeros_like(query), torch.zeros_like(entities) if wants_entities else None
    score_function.add_gradients(asked, factors, scores, mass, *gradients)
    return LogPartition(value, None, *gradients)


def _blocks(query, n_entities):
    copies = 1 if query.device.type == "cpu" else COPIES_ON_GPU
    bytes_per_query = copies * query.element_size() * n_entities
    return gen_batches(len(query), max(1, int(get_config()["working_memory"] * 2**20 // bytes_per_query)))


def _chunks(n_entities, n_queries, device):
    size = max(FEWEST_ENTITIES, SCORES_IN_CACHE // n_queries) if device.type == "cpu" else n_entities
    return gen_batches(n_entities, size)


def _leave_out(scores, entities, queries):
    """Lower the scores of pairs so far that they count for nothing; pairs that lie outside are left alone."""
    n_entities, n_queries = scores.shape
    inside = (entities >= 0) & (entities < n_entities) & (queries >= 0) & (queries < n_queries)
    places = torch.where(inside, entities * n_queries + queries, 0)
    scores.view(-1).scatter_add_(0, places, inside.to(scores.dtype) * _least_score(scores.dtype))


def _least_score(dtype):
    """What a score is lowered by to count for nothing, far from an overflow also where another is added to it."""
    return torch.finfo(dtype).min / 8


class _Exponentials:
    """Exponentials of the scores ``(n_entities, n_queries)`` of a chunk, relative to the largest of each query.

    They take the place of the scores, unless these are kept; then they are computed twice.
    """

    def __init__(self, scores, multiplicity, keeps_scores):
        self._scores, self._multiplicity, self._keeps_scores = scores, multiplicity, keeps_scores
        self._largest = scores.amax(dim=0)
        exponentials = scores - self._largest if keeps_scores else scores.sub_(self._largest)
        exponentials.exp_()
        total = exponentials.sum(dim=0) if multiplicity is None else multiplicity @ exponentials
        self.log_sum = total.log_().add_(self._largest)

    def divided_by(self, normalizer):
        """Return ``exp(scores - normalizer)``, times the multiplicity; `normalizer` is not far below any score."""
        if self._keeps_scores:
            mass = torch.exp_(self._scores - normalizer)
        else:
            mass = self._scores.mul_(torch.exp(self._largest - normalizer))
        return mass if self._multiplicity is None else mass.mul_(self._multiplicity[:, None])


def log_sums(values, groups, n_groups):
    """Logarithm of the sum of exponentials of the members of each group, of which it has one or more.

    Parameters
    ----------
    values, groups : tensors of shape (n_members,)
    n_groups : int

    Returns
    -------
    tensor of shape (n_groups,)
    """
    largest = values.new_full((n_groups,), -torch.inf).scatter_reduce_(0, groups, values, "amax")
    sums = values.new_zeros(n_groups).index_add_(0, groups, torch.exp(values - largest[groups]))
    return sums.log_().add_(largest)


def logistic(scores, labels, counted=None):
    """Sum of ``log(1 + exp(-Y f))`` over positives (Y = 1) and sampled negatives (Y = -1) that count, Eq. 6."""
    losses = functional.softplus(scores * -labels)
    return losses.sum() if counted is None else (losses * counted).sum()


def n3(modulus, counts=None):
    """Sum of cubed moduli (Lacroix et al., 2018), each row counted as often as told."""
    cubed = (modulus**3).sum(-1)
    return cubed.sum() if counts is None else (counts * cubed).sum()


class _ComplexN3(torch.autograd.Function):
    """`n3` of rows [real | imaginary], whose gradient is ``3 |z| z``, without a tensor for each step of the modulus."""

    @staticmethod
    def forward(ctx, rows, counts):
        real, imaginary = rows.chunk(2, dim=-1)
        modulus = (real * real).addcmul_(imaginary, imaginary).sqrt_()
        cubed = modulus.pow(3).sum(-1)
        if counts is not None:
            cubed = cubed * counts
            modulus *= counts[:, None]
        ctx.save_for_backward(rows.unflatten(-1, (2, -1)) * modulus[..., None, :])
        return cubed.sum()

    @staticmethod
    def backward(ctx, gradient):
        (direction,) = ctx.saved_tensors
        return direction.flatten(-2) * (3 * gradient), None


def complex_n3(rows, counts=None):
    """`n3` of the moduli of complex rows, whose columns are [real | imaginary] halves."""
    return _ComplexN3.apply(rows, counts)
