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


@dataclass(frozen=True)
class Softmax:
    """How queries are compared with entities, and what each of both counts.

    Attributes
    ----------
    score_function : ScoreFunction
    counts : tensor of shape (n_queries,)
        Answers of each query, or the sum of their weights, positive.
    excluded : (tensor, tensor, tensor) of shape (n_pairs,) or None
        Distinct pairs of an entity and a query, and what its score is lowered by: `LEAST_SCORE`, or 0 for nothing.
    multiplicity : tensor of shape (n_entities,) or None
        m_e, how many entities each of them stands for; None is 1.
    scale : float
    wants_entities : bool
        False leaves out the gradient of the entities.
    precision : torch.dtype or None
        Of the factors and results of the matrix products, for a dot product only; exponentials and sums keep that of
        the queries.
    """

    score_function: object
    counts: torch.Tensor
    excluded: tuple | None = None
    multiplicity: torch.Tensor | None = None
    scale: float = 1.0
    wants_entities: bool = True
    precision: torch.dtype | None = None

    def factors(self, query, entities):
        """Queries and entities in the precision of the products."""
        precision = query.dtype if self.precision is None else self.precision
        return query.to(precision), entities.to(precision)


def log_partition(query, entities, softmax, *, beside=None):
    """``scale * sum_q counts[q] log sum_e m_e exp(score(q, e))``; less the scores of the answers, a cross-entropy.

    Scores are held once, as ``(n_entities, n_queries)``, for as many queries at a time as fit into scikit-learn's
    working memory. Forward and backward pass go through them with one matrix product forward and two backward, on a CPU
    in chunks of entities that stay in the cache.

    Parameters
    ----------
    query : tensor of shape (n_queries, d)
    entities : tensor of shape (n_entities, d)
    softmax : Softmax
    beside : tensor of shape (n_queries,), default=None
        Logarithm of a constant that each query has in its sum beside the entities.

    Returns
    -------
    LogPartition
    """
    gradients = torch.zeros_like(query), torch.zeros_like(entities) if softmax.wants_entities else None
    value, normalizers = query.new_zeros(()), []
    score_function, excluded, multiplicity = softmax.score_function, softmax.excluded, softmax.multiplicity
    queries, factors = softmax.factors(query, entities)
    # The sum of a query, Z_q = sum_e m_e exp(s_eq), comes together from those of chunks of entities, as the logsumexp
    # of their log Z_qc. The gradient of scale counts_q log Z_q by s_eq is w_q p(e | q) with w_q = scale counts_q and
    # p(e | q) = m_e exp(s_eq - log Z_q); the factor goes into the exponent, as log Z_q - log w_q.
    for block in _blocks(query, len(entities)):
        asked = queries[block]
        weights = softmax.scale * softmax.counts[block].to(query.dtype)
        scores = query.new_empty(len(entities), len(asked))
        chunks = list(_chunks(len(entities), len(asked), query.device))
        parts = []
        for chunk in chunks:
            part = score_function.score_entities(factors[chunk], asked, out=scores[chunk])
            if excluded is not None:
                _leave_out(part, excluded[0] - chunk.start, excluded[1] - block.start, excluded[2])
            number = None if multiplicity is None else multiplicity[chunk].to(query.dtype)
            parts.append(_Exponentials(part, number, score_function.gradients_need_scores))
        terms = [part.log_sum for part in parts] + ([] if beside is None else [beside[block]])
        normalizer = torch.logsumexp(torch.stack(terms), dim=0)
        value += weights @ normalizer
        normalizers.append(normalizer)
        for chunk, part in zip(chunks, parts, strict=True):
            mass = part.divided_by(normalizer - weights.log())
            functional.threshold_(mass, softmax.scale * NEGLIGIBLE_PROBABILITY, 0.0)
            of_chunk = gradients[0][block], None if gradients[1] is None else gradients[1][chunk]
            score_function.add_gradients(asked, factors[chunk], scores[chunk], mass, *of_chunk)
    return LogPartition(value, torch.cat(normalizers), *gradients)


def fits_at_once(n_queries, n_entities, device, element_size=4):
    """Tell whether a GPU holds all scores of a batch within scikit-learn's working memory; a CPU goes by the chunk."""
    n_bytes = COPIES_ON_GPU * element_size * n_queries * n_entities
    return torch.device(device).type != "cpu" and n_bytes <= get_config()["working_memory"] * 2**20


def cross_entropy(query, entities, softmax, answers):
    """`log_partition` less ``scale`` times the scores of the answers, with all scores at once and few operations.

    Its gradient by the scores is that of the sum of exponentials, ``scale * counts[q]`` times the probabilities, less
    `scale` at each answer.

    Parameters
    ----------
    query, entities, softmax
        As for `log_partition`.
    answers : (tensor, tensor, tensor) of shape (n_answers,)
        Entities that each stand for themselves, the queries that they answer, and what they count: in sum over the
        answers of a query its `counts`.

    Returns
    -------
    LogPartition
        Its normalizer is None.
    """
    # Scores lie as (n_entities, n_queries), so that the softmax is over dim 0, and entity e with query q stands at
    # place `e * n_queries + q` of the flat array.
    n_queries = len(query)
    score_function, multiplicity, scale = softmax.score_function, softmax.multiplicity, softmax.scale
    asked, factors = softmax.factors(query, entities)
    scores = score_function.score_entities(factors, asked, out=query.new_empty(len(entities), n_queries))
    if softmax.excluded is not None:
        left_out, rows, penalties = softmax.excluded
        places = torch.add(rows, left_out, alpha=n_queries)
        scores.view(-1).scatter_add_(0, places, penalties.to(scores.dtype))
    logs = torch.log_softmax(scores if multiplicity is None else scores + multiplicity.log()[:, None], dim=0)
    found, rows, weights = answers
    places, weights = torch.add(rows, found, alpha=n_queries), weights.to(scores.dtype)
    value = torch.dot(logs.view(-1).index_select(0, places), weights)
    mass = logs.exp_().mul_(softmax.counts.to(scores.dtype))
    mass.view(-1).index_add_(0, places, weights, alpha=-1)
    gradients = score_function.gradients(asked, factors, scores, mass, scale, softmax.wants_entities)
    return LogPartition(-scale * value, None, *gradients)


def _blocks(query, n_entities):
    copies = 1 if query.device.type == "cpu" else COPIES_ON_GPU
    bytes_per_query = copies * query.element_size() * n_entities
    return gen_batches(len(query), max(1, int(get_config()["working_memory"] * 2**20 // bytes_per_query)))


def _chunks(n_entities, n_queries, device):
    size = max(FEWEST_ENTITIES, SCORES_IN_CACHE // n_queries) if device.type == "cpu" else n_entities
    return gen_batches(n_entities, size)


def _leave_out(scores, entities, queries, penalties):
    """Lower the scores of pairs; those that lie outside are left alone."""
    n_entities, n_queries = scores.shape
    inside = (entities >= 0) & (entities < n_entities) & (queries >= 0) & (queries < n_queries)
    places = torch.where(inside, entities * n_queries + queries, 0)
    scores.view(-1).scatter_add_(0, places, (inside * penalties).to(scores.dtype))


class _Exponentials:
    """Exponentials of the scores ``(n_entities, n_queries)`` of a chunk, relative to the largest of each query.

    They take the place of the scores, unless these are kept; then they are computed twice.
    """

    def __init__(self, scores, multiplicity, keeps_scores):
        # log sum_e m_e exp(s_e) = M + log sum_e m_e exp(s_e - M) with M = max_e s_e: no exponential overflows, and the
        # largest is 1.
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
            # exp(s - M) exp(M - n) = exp(s - n): one exponential for each query in place of one for each score.
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
    # The shift by the maximum as above, for groups of any sizes: O(n_members), without an array (n_groups, largest
    # group).
    largest = values.new_full((n_groups,), -torch.inf).scatter_reduce_(0, groups, values, "amax")
    sums = values.new_zeros(n_groups).index_add_(0, groups, torch.exp(values - largest[groups]))
    return sums.log_().add_(largest)


def logistic(scores, signs, counted=None):
    """Sum of ``log(1 + exp(-Y f))`` over positives and sampled negatives that count, Eq. 6; signs are those of -Y."""
    # softplus(x) = log(1 + exp(x)), without the overflow of exp(x).
    losses = functional.softplus(scores * signs)
    return losses.sum() if counted is None else (losses * counted).sum()


def n3(modulus, counts=None):
    """Sum of cubed moduli (Lacroix et al., 2018), each row counted as often as told."""
    cubed = (modulus**3).sum(-1)
    return cubed.sum() if counts is None else (counts * cubed).sum()


def complex_n3(rows, counts, strength):
    """Sum of the cubed moduli of complex rows, each counted as often as told, and `strength` times its gradient.

    Columns are [real | imaginary] halves.
    """
    # The count c of a row goes into its moduli: c |z|, (n_rows, d / 2).
    real, imaginary = rows.chunk(2, dim=-1)
    modulus = (real * real).addcmul_(imaginary, imaginary).sqrt_().mul_(counts[:, None])
    direction = rows.unflatten(-1, (2, -1)) * modulus[..., None, :]
    # |z|^3 is the product of |z| z and z, and its gradient 3 |z| z.
    return torch.dot(direction.view(-1), rows.reshape(-1)), direction.flatten(-2).mul_(3 * strength)
