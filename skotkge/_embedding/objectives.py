"""What a batch of training costs: cross-entropy over all entities, or the logistic loss of Eq. 6."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch.nn import functional

from .._graph.queries import KnownAnswers
from .batches import LEAST_SCORE, QueryBatches, TripleBatches
from .blocks import TripleBlocks, blocks_of, largest_parts
from .distinct import Strata, distinct
from .factors import Factors, add_gradient
from .negatives import Corruption, EvenCorruption, FilteredCorruption, most_even_draws
from .precision import PRECISIONS
from .score_functions import DotProduct
from .softmax import LogPartition, Softmax, cross_entropy, fits_at_once, log_partition, log_sums, logistic


class TrainingLoss:
    """Loss of a batch of triples, read in both directions: (h, r, t), and (t, reciprocal of r, h).

    Batches, negatives and losses are tensors on the device, and nothing is asked back from it.

    Parameters
    ----------
    model : object
        Holds the trained tensors; ``entities()`` gives the entity table that they make, or rows of it.
    ids : ndarray of shape (n_triples, 3)
        Positive triples; those of cross-entropies may be `KnownAnswers`, of any directions.
    n_relations : int
    options : TrainingOptions
    generator : torch.Generator
        Draws the order of the triples and the negatives, on the device.
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        Relations whose queries do not have their source among the candidates of the cross-entropy.
    weights : ndarray of shape (n_triples,), default=None
        Positive; what each triple counts in the loss and in its regularisation. None is 1.

    Attributes
    ----------
    needs_few_rows : bool
        Whether a batch asks for the rows of some entities alone, such that the gradient of their table may be sparse.
    """

    needs_few_rows = False

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        self.model, self.n_relations, self.options, self.generator = model, n_relations, options, generator
        self.ids, self.weights = ids, weights
        self.excludes_self_loops = (
            np.zeros(2 * n_relations, dtype=bool) if excludes_self_loops is None else excludes_self_loops
        )

    def batches(self):
        """Yield all triples once, in random order, in parts of about ``batch_size``."""
        raise NotImplementedError

    def backward(self, batch):
        """Leave the gradients of the mean loss of a batch in the parameters; return the sum of its losses, a tensor."""
        raise NotImplementedError

    def n_triples(self, batch):
        """Triples of a batch, which the mean of its losses is over."""
        raise NotImplementedError


@dataclass(frozen=True)
class Candidates:
    """The entities whose rows a batch of queries needs, and those of them that the softmax goes over.

    Attributes
    ----------
    entities : tensor of shape (n_entities,) or None
        Distinct, but for repetitions of the last one that nothing refers to. None is all, in order.
    places : tensor of shape (n_queries + n_answers,)
        Positions of the sources and of the answers among `entities`.
    excluded : (tensor, tensor, tensor) or None
        Pairs of a candidate and a query, and what its score is lowered by: `LEAST_SCORE`, or 0 for nothing.
    of_softmax : tensor of shape (n_candidates,) or None
        Positions of the candidates among `entities`. None is all of them, the answers with them; otherwise each query
        has its own answers beside the candidates.
    multiplicity : tensor of shape (n_candidates,) or None
        How many entities each candidate stands for; None is 1.
    """

    entities: torch.Tensor | None
    places: torch.Tensor
    excluded: tuple | None
    of_softmax: torch.Tensor | None = None
    multiplicity: torch.Tensor | None = None


class AllEntities(TrainingLoss):
    """Cross-entropy over all entities, one row of scores for each distinct query."""

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        super().__init__(model, ids, n_relations, options, generator, excludes_self_loops, weights)
        lists = ids if isinstance(ids, KnownAnswers) else KnownAnswers(ids, n_relations)
        self.excludes_self_loops = without_answers(self.excludes_self_loops, lists)
        n_batches = -(-lists.n_answers // (2 * options.batch_size))
        self._batches = QueryBatches(lists, n_batches, self.excludes_self_loops, options.device, generator, weights)
        self._has_loops = bool(self.excludes_self_loops.any())
        linear = isinstance(options.score_function, DotProduct)
        self._fold = linear and model.folds_for(self._batches.largest, self._n_candidates())
        self._precision = PRECISIONS[options.matmul_precision] if linear else None

    def batches(self):
        return self._batches

    def n_triples(self, batch):
        return len(batch.answers) / 2

    def _n_candidates(self):
        """About how many entities the softmax of a batch goes over."""
        return self.model.n_entities

    def candidates(self, batch):
        """Return the `Candidates` of a batch of `Queries`."""
        return Candidates(None, batch.entities, self._self_loops(batch, batch.sources))

    def _self_loops(self, batch, places):
        """Pairs that leave its source out of a query, by the place of each source among the candidates."""
        return (places, batch.numbers, batch.loops) if self._has_loops else None

    def backward(self, batch):
        candidates = self.candidates(batch)
        if self._fold:
            return self._backward_folded(batch, candidates)
        entities = self.model.entities(candidates.entities, self._precision)
        table, trained = entities.detach(), entities.requires_grad
        factors = Factors(table, candidates.places, self.model.relations, batch.relations)
        n3 = self._regularize(factors, batch)
        query = self.options.score_function.query(factors.sources, factors.relation_rows)
        found, of_query = self._cross_entropy(batch, candidates, factors, query, query, table, trained)
        factors.pass_back(self.options.score_function, _sum(found.query_gradient, of_query))
        if trained:
            gradient = found.entity_gradient.index_add_(0, candidates.places, factors.of_rows)
            self.model.backward(entities, gradient)
        return self._loss(batch, found, n3)

    def _backward_folded(self, batch, candidates):
        """Score in the columns of the only modality, which are constant, with its map on the side of the queries."""
        # With M (n_entities, c) constant and W (c, d) the map, entities are M W, and <q, W' m> = <W q, m>: scores are
        # those of Q W' with M. Their gradient G (n_queries, c) by Q W' is G W by Q and G' Q by W; the rows M_b W of the
        # factors, of gradient F, add M_b' F to that of W.
        columns, weight = self.model.folded(candidates.entities)
        of_rows = columns.index_select(0, candidates.places)
        numbers = torch.arange(len(of_rows), device=of_rows.device)
        factors = Factors(of_rows @ weight.detach(), numbers, self.model.relations, batch.relations)
        n3 = self._regularize(factors, batch)
        query = self.options.score_function.query(factors.sources, factors.relation_rows)
        against = query @ weight.detach().T
        found, of_query = self._cross_entropy(batch, candidates, factors, query, against, columns, False)
        factors.pass_back(self.options.score_function, _sum(found.query_gradient @ weight.detach(), of_query))
        if weight.requires_grad:
            add_gradient(weight, (found.query_gradient.T @ query).addmm_(of_rows.T, factors.of_rows))
        return self._loss(batch, found, n3)

    def _regularize(self, factors, batch):
        return factors.regularize(
            self.options.score_function, batch.counts, self.options.regularization * _share(batch)
        )

    def _loss(self, batch, found, n3):
        """Sum of the losses of a batch."""
        # Gradients are those of the mean over the triples, n3 and value are turned into sums: an epoch adds them up,
        # and batches of different sizes count by their triples.
        return torch.add(self.options.regularization * n3, found.value, alpha=1 / _share(batch))

    def _cross_entropy(self, batch, candidates, factors, query, against, table, wants_entities):
        """Mean cross-entropy of a batch.

        Parameters
        ----------
        query : tensor of shape (n_queries, d)
        against : tensor of shape (n_queries, d_t)
            What is scored with rows of the table: the queries, or what a map that is folded makes of them.
        table : tensor of shape (n_entities, d_t)
            Rows of the entities of `candidates`.
        wants_entities : bool
            Whether the table needs a gradient.

        Returns
        -------
        found : LogPartition
            With the gradient of `against` as that of the queries.
        of_query : tensor of shape (n_queries, d) or None
            Gradient of the queries, beside that by way of `against`.
        """
        n_queries = len(query)
        softmax = Softmax(
            self.options.score_function,
            batch.counts[:n_queries],
            candidates.excluded,
            candidates.multiplicity,
            scale=_share(batch),
            wants_entities=wants_entities,
            precision=self._precision,
        )
        if candidates.of_softmax is None and fits_at_once(n_queries, len(table), table.device, table.element_size()):
            answers = candidates.places[n_queries:], batch.rows, batch.counts_of_answers
            return cross_entropy(against, table, softmax, answers), None
        return self._cross_entropy_in_parts(batch, candidates, factors, query, against, table, softmax)

    def _cross_entropy_in_parts(self, batch, candidates, factors, query, against, table, softmax):
        """`_cross_entropy` with the answers scored by themselves."""
        scale, counts, of_softmax = softmax.scale, softmax.counts, candidates.of_softmax
        rows = table if of_softmax is None else table.index_select(0, of_softmax)
        # Not query[rows]: the gradient of indexing adds up in an order that several threads change.
        query, answers = query.detach().requires_grad_(), factors.answers.detach().requires_grad_()
        scores = self.options.score_function.score_rows(query.index_select(0, batch.rows), answers)
        own, weights = scores.detach(), batch.counts_of_answers.to(scores.dtype)
        beside = None if of_softmax is None else log_sums(own, batch.rows, len(counts))
        found = log_partition(against, rows, softmax, beside=beside)
        # loss = scale (sum_q counts_q log Z_q - sum_a w_a s_a). Where the own answers are no candidates they enter Z_q
        # beside these, so that the gradient by s_a is scale (counts_q exp(s_a) / Z_q - w_a), and else -scale w_a.
        of_own, gradient = -scale * weights, found.entity_gradient
        if of_softmax is not None:
            shift = counts.to(own.dtype).log() - found.normalizer
            of_own += scale * torch.exp(own + shift.index_select(0, batch.rows))
            gradient = None if gradient is None else torch.zeros_like(table).index_add_(0, of_softmax, gradient)
        of_query, of_answers = torch.autograd.grad(scores, (query, answers), of_own)
        factors.of_rows[len(counts) :] += of_answers
        value = torch.sub(found.value, weights @ own, alpha=scale)
        return LogPartition(value, None, found.query_gradient, gradient), of_query


def without_answers(excludes_self_loops, lists):
    """Relations whose queries leave out their source, but for those of which a source is an answer itself.

    Parameters
    ----------
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool
    lists : KnownAnswers

    Returns
    -------
    ndarray of shape (2 * n_relations,), dtype bool
    """
    rows, answers = lists.pairs()
    with_loops = lists.relations[rows[lists.sources[rows] == answers]]
    excludes = excludes_self_loops.copy()
    excludes[with_loops] = False
    return excludes


def _share(batch):
    """What each answer counts in the mean over the triples of a batch, which have two answers each."""
    return 2 / len(batch.answers)


def _sum(first, second):
    """The sum of two tensors, the second of which may be None."""
    return first if second is None else first + second


class SampledEntities(AllEntities):
    """Cross-entropy over the answers of each query and a random sample that stands for all others in the batch.

    The sum of exponentials that it estimates without bias is that of `AllEntities`. A batch asks for the rows of its
    own entities and of the sample alone.
    """

    needs_few_rows = True

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        self._strata = Strata(model.n_entities, options.objective.n_sampled, options.device)
        self._generator_of_samples = generator
        super().__init__(model, ids, n_relations, options, generator, excludes_self_loops, weights)

    def _n_candidates(self):
        return len(self._strata)

    def draw_samples_with(self, generator):
        """Draw samples with a generator of their own, such that all who have one like it draw the same."""
        self._generator_of_samples = generator

    def balance(self, n_batches, edges):
        """Make batches that have equally many answers of each shard in every epoch.

        Parameters
        ----------
        n_batches : int
        edges : list of int of length n_shards + 1
            Entities where shards begin, and the number of all.

        Returns
        -------
        list of int
            The most rows that a batch asks each shard for, but for that of the sources of its queries.
        """
        options = self.options
        self._batches = QueryBatches(
            self.ids, n_batches, self.excludes_self_loops, options.device, self.generator, edges=edges
        )
        of_sample = [self._strata.most_of(*ends) if ends[0] < ends[1] else 0 for ends in pairwise(edges)]
        return (self._batches.most_answers + of_sample).tolist()

    def _with_sample(self, batch):
        """Draw a sample; return it, the entities of batch and sample, and the places of both among them."""
        sample = self._strata.draw(self._generator_of_samples)
        entities, places = distinct(torch.cat([batch.entities, sample]), self.model.n_entities)
        return sample, entities, *places.split([len(batch.entities), len(sample)])

    def candidates(self, batch):
        # With e_s drawn from part s, E sum_s m_s exp(s_q(e_s)) [e_s is no answer] is the sum of exponentials over all
        # entities but the answers, which enter exactly. So an answer that is drawn must not count among the sample,
        # too.
        sample, entities, places, of_sample = self._with_sample(batch)
        excluded = self._if_drawn(sample, batch.answers, batch.rows, LEAST_SCORE)
        if self._has_loops:
            loops = self._if_drawn(sample, batch.sources, batch.numbers, batch.loops)
            excluded = tuple(torch.cat(pair) for pair in zip(excluded, loops, strict=True))
        return Candidates(entities, places, excluded, of_sample, self._strata.sizes)

    def _if_drawn(self, sample, entities, queries, lowered):
        """Pairs of an entity, by its place in the sample, and a query, which count only where the entity is drawn."""
        parts = self._strata.part_of(entities)
        return parts, queries, (sample[parts] == entities) * lowered


class SampledAndBatchEntities(SampledEntities):
    """Cross-entropy over all entities of the batch and a random sample that stands for the others."""

    def _n_candidates(self):
        return min(self.model.n_entities, len(self._strata) + 2 * self.options.batch_size)

    def candidates(self, batch):
        _, entities, places, of_sample = self._with_sample(batch)
        # One of the sample stands for all of its part; one of the batch for itself, also where it is drawn.
        multiplicity = self._strata.sizes.new_zeros(len(entities)).index_copy_(0, of_sample, self._strata.sizes)
        multiplicity.index_fill_(0, places, 1.0)
        loops = self._self_loops(batch, places[: len(batch.sources)])
        return Candidates(entities, places, loops, multiplicity=multiplicity)


class SampledNegatives(TrainingLoss):
    """Logistic loss with sampled negatives (Eq. 6), each scored in the direction that asks for the replaced side.

    Neither the loss of a batch nor its gradient touches an entity that is not in it.
    """

    needs_few_rows = True

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        super().__init__(model, ids, n_relations, options, generator, excludes_self_loops, weights)
        self.draw_negatives_of(ids)
        self._batches = TripleBatches(ids, options.batch_size, options.device, generator, weights)
        n_drawn = min(options.batch_size, len(ids)) * options.objective.n_negatives
        # With so many draws hardly an entity is missing, and the whole table takes less time than to sort out which.
        # Adagrad, row-wise too, leaves a row without a gradient alone; Adam would go on moving it.
        self._takes_all = options.optimizer != "adam" and n_drawn >= model.n_entities
        # Of -Y, which is -1 for the true answers at both ends.
        self._signs = torch.ones(options.objective.n_negatives + 2, device=options.device)
        self._signs[[0, -1]] = -1.0
        self._numbers = torch.arange(2 * options.batch_size, device=options.device)
        self._both_directions = torch.tensor([0, n_relations], device=options.device)
        self._counted_twice = torch.tensor([2.0, 1.0], device=options.device).repeat_interleave(2 * options.batch_size)

    def draw_negatives_of(self, ids):
        """Draw negatives that suit the true triples told, all that there are."""
        options, objective = self.options, self.options.objective
        corruption = FilteredCorruption if objective.filtered else Corruption
        sizes = self.n_relations, self.model.n_entities
        self.corruption = corruption(ids, *sizes, objective.sampling, self.generator, options.device)

    def balance(self, n_batches, edges):
        """Make batches of equal parts of the triples of each shard of tails, with negatives drawn evenly from shards.

        Parameters and result are those of `SampledEntities.balance`.
        """
        options, blocks = self.options, blocks_of(self.ids, edges)
        self.corruption = EvenCorruption(self.corruption)
        self._batches = TripleBlocks(blocks, n_batches, options.device, self.generator)
        parts, sizes = largest_parts(blocks, n_batches), np.diff(edges).tolist()
        if self._takes_all:
            return sizes
        n_drawn = sum(parts) * options.objective.n_negatives
        return [
            part + most_even_draws(n_drawn, self.model.n_entities, size)
            for part, size in zip(parts, sizes, strict=True)
        ]

    def n_triples(self, batch):
        return len(batch if self.weights is None else batch[0])

    def batches(self):
        return self._batches

    def backward(self, batch):
        """Leave the gradients of the mean loss of some triples, ``(n_triples, 3)``; return the sum of their losses."""
        batch, weights = (batch, None) if self.weights is None else batch
        score_function, share = self.options.score_function, 1 / len(batch)
        queries, answers, counted = self._pairs(batch)
        chosen, places = None, answers
        if not self._takes_all:
            chosen, places = distinct(answers.view(-1), self.model.n_entities)
            places = places.view(answers.shape)
        # The answer to each of the two queries of a triple is the source of the other.
        sources = torch.stack([places[:, -1], places[:, 0]], dim=1).view(-1)
        entities = self.model.entities(chosen)
        table, trained = entities.detach(), entities.requires_grad
        relations = torch.add(batch[:, 1:2], self._both_directions).view(-1)
        factors = Factors(table, sources, self.model.relations, relations)
        n3 = factors.regularize(score_function, self._counts(batch, weights), self.options.regularization * share)
        query = score_function.query(factors.sources, factors.relation_rows).detach().requires_grad_()
        table.requires_grad_(trained)
        # Eq. (6) over pairs of a query and an entity: (2 + n_negatives) d multiplications for each triple, and as many
        # again for each of two gradients, whatever the number of entities.
        scores = score_function.score_pairs(query, table, queries, places.view(-1)).view(len(batch), -1)
        loss = self.compare(scores, queries, _times(counted, None if weights is None else weights[:, None]))
        of_query, *gradient = torch.autograd.grad(loss, [query, table][: 1 + trained], loss.new_full((), share))
        factors.pass_back(score_function, of_query)
        if trained:
            self.model.backward(entities, gradient[0].index_add_(0, sources, factors.of_rows))
        return torch.add(loss.detach(), n3, alpha=self.options.regularization)

    def _counts(self, batch, weights):
        """What the sources of the queries count, and their relations: an entity is a factor of both directions."""
        if weights is None:
            # A slice around the middle of 2, ..., 2, 1, ..., 1 serves batches of any size.
            longest, n_queries = len(self._counted_twice) // 2, 2 * len(batch)
            return self._counted_twice[longest - n_queries : longest + n_queries]
        weights = weights.repeat_interleave(2)
        return torch.cat([2 * weights, weights])

    def _pairs(self, batch):
        """Queries ``(n_pairs,)`` of each triple, with what answers them and what counts.

        Answers have a row for each triple: the tail, its negatives, and the head. So has what counts; None is all.
        """
        queries, negatives, counted = self.corruption.draw(batch, self.options.objective.n_negatives)
        of_tails, of_heads = self._numbers[: 2 * len(batch)].view(-1, 2).split(1, dim=1)
        heads, _, tails = batch.split(1, dim=1)
        queries = torch.cat([of_tails, queries.view(len(batch), -1), of_heads], dim=1)
        answers = torch.cat([tails, negatives.view(len(batch), -1), heads], dim=1)
        if counted is not None:
            counted = functional.pad(counted.view(len(batch), -1), (1, 1), value=True)
        return queries.view(-1), answers, counted

    def compare(self, scores, queries, counted):
        """Sum of the losses of triples.

        Parameters
        ----------
        scores : tensor of shape (n_triples, 2 + n_negatives)
            Of the tail, the negatives and the head of each triple.
        queries : tensor of shape (n_triples * (2 + n_negatives),)
            Even for those that ask for a tail, odd for a head.
        counted : tensor of shape (n_triples, 2 + n_negatives) or None
            What each of them counts; None is 1.
        """
        return logistic(scores, self._signs, counted)


def _times(first, second):
    """The product of two tensors, None being 1."""
    if first is None or second is None:
        return second if first is None else first
    return first * second
