"""What a batch of training costs: cross-entropy over all entities, or the logistic loss of Eq. 6."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from .batches import QueryBatches, TripleBatches
from .distinct import Strata, distinct
from .negatives import Corruption, FilteredCorruption
from .precision import PRECISIONS
from .score_functions import DotProduct
from .softmax import cross_entropy, fits_at_once, log_partition, log_sums, logistic


class TrainingLoss:
    """Loss of a batch of triples, read in both directions: (h, r, t), and (t, reciprocal of r, h).

    Batches, negatives and losses are tensors on the device, and nothing is asked back from it.

    Parameters
    ----------
    model : object
        Holds the trained tensors; ``entities()`` gives the entity table that they make, or rows of it.
    ids : ndarray of shape (n_triples, 3)
        Positive triples.
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

    def regularizer(self, rows, relations, counts_of_rows=None, counts=None):
        """N3 of all factors of the triples: rows of sources and answers, and relations.

        `counts` tells how many triples, or what weight of them, share a source and relation, `counts_of_rows` the same
        of all rows.
        """
        score_function = self.options.score_function
        total = score_function.n3(rows, counts_of_rows)
        if score_function.regularizes_relations:
            total = total + score_function.n3(relations, counts)
        return self.options.regularization * total


@dataclass(frozen=True)
class Candidates:
    """The entities whose rows a batch of queries needs, and those of them that the softmax goes over.

    Attributes
    ----------
    entities : tensor of shape (n_entities,) or None
        Distinct, but for repetitions of the last one that nothing refers to. None is all, in order.
    places : tensor of shape (n_queries + n_answers,)
        Positions of the sources and of the answers among `entities`.
    excluded : (tensor, tensor) or None
        Pairs of a candidate, -1 for none, and a query that it does not count for.
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
        # No relation leaves out what is an answer in these triples.
        with_loops = ids[ids[:, 0] == ids[:, 2], 1]
        self.excludes_self_loops = self.excludes_self_loops.copy()
        self.excludes_self_loops[np.concatenate([with_loops, with_loops + n_relations])] = False
        n_batches = -(-len(ids) // options.batch_size)
        of_ids = ids, n_relations, n_batches, self.excludes_self_loops
        self._batches = QueryBatches(*of_ids, options.device, generator, weights)
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
        return Candidates(None, torch.cat([batch.sources, batch.answers]), self._self_loops(batch, batch.sources))

    def _self_loops(self, batch, places):
        """Pairs that leave its source out of a query, by the place of each source among the candidates."""
        if not self.excludes_self_loops.any():
            return None
        return places.where(batch.loopless, -1), torch.arange(len(places), device=places.device)

    def backward(self, batch):
        candidates = self.candidates(batch)
        if self._fold:
            columns, weight = self.model.folded(candidates.entities)
            rows = functional.embedding(candidates.places, columns) @ weight
            return self._backward(batch, candidates, rows, columns, weight)[0]
        table = self.model.entities(candidates.entities, self._precision)
        rows = table.detach().index_select(0, candidates.places).requires_grad_(table.requires_grad)
        loss, gradient = self._backward(batch, candidates, rows, table.detach())
        if table.requires_grad:
            self.model.backward(table, gradient.index_add_(0, candidates.places, rows.grad))
        return loss

    def _backward(self, batch, candidates, rows, table, folded_map=None):
        """Backward pass to the rows of sources and answers; return the loss and the gradient of the table.

        The table holds entity embeddings, or with a folded map the constant columns that it maps to them. A constant
        table has no gradient.
        """
        score_function, scale = self.options.score_function, 2 / len(batch.answers)
        counts, of_softmax, weights = batch.counts, candidates.of_softmax, batch.weights
        if weights is not None:
            counts = weights.new_zeros(len(counts)).index_add_(0, batch.rows, weights)
        sources, answers = rows.split([len(counts), len(batch.answers)])
        relations = functional.embedding(batch.relations, self.model.relations)
        query = score_function.query(sources, relations)
        counts_of_rows = torch.cat([counts, torch.ones_like(batch.rows) if weights is None else weights])
        regularizer = self.regularizer(rows, relations, counts_of_rows, counts)
        against = query if folded_map is None else query @ folded_map.T
        told = {
            "multiplicity": candidates.multiplicity,
            "scale": scale,
            "wants_entities": folded_map is None and rows.requires_grad,
            "precision": self._precision,
        }
        against_rows = table if of_softmax is None else table.index_select(0, of_softmax)
        asked = against.detach(), against_rows, score_function, counts
        if (
            weights is None
            and of_softmax is None
            and fits_at_once(len(counts), len(table), table.device, table.element_size())
        ):
            pairs = candidates.places[len(counts) :], batch.rows
            found = cross_entropy(*asked, pairs, candidates.excluded, **told)
            torch.autograd.backward([against, regularizer], [found.query_gradient, torch.full_like(regularizer, scale)])
            return found.value / scale + regularizer.detach(), found.entity_gradient
        # Not query[rows]: the gradient of indexing adds up in an order that several threads change.
        own_scores = score_function.score_rows(query.index_select(0, batch.rows), answers)
        beside = None if of_softmax is None else log_sums(own_scores.detach(), batch.rows, len(counts))
        found = log_partition(*asked, candidates.excluded, beside=beside, **told)
        of_own = torch.full_like(own_scores, -scale) if weights is None else -scale * weights
        gradient = found.entity_gradient
        if of_softmax is not None:
            shift = counts.to(own_scores.dtype).log() - found.normalizer
            of_own += scale * torch.exp(own_scores.detach() + shift.index_select(0, batch.rows))
            gradient = None if gradient is None else torch.zeros_like(table).index_add_(0, of_softmax, gradient)
        torch.autograd.backward(
            [against, own_scores, regularizer], [found.query_gradient, of_own, torch.full_like(regularizer, scale)]
        )
        own = own_scores.detach() if weights is None else weights * own_scores.detach()
        return found.value / scale - own.sum() + regularizer.detach(), gradient


class SampledEntities(AllEntities):
    """Cross-entropy over the answers of each query and a random sample that stands for all others in the batch.

    The sum of exponentials that it estimates without bias is that of `AllEntities`. A batch asks for the rows of its
    own entities and of the sample alone.
    """

    needs_few_rows = True

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        self._strata = Strata(model.n_entities, options.objective.n_sampled, options.device)
        super().__init__(model, ids, n_relations, options, generator, excludes_self_loops, weights)

    def _n_candidates(self):
        return len(self._strata)

    def candidates(self, batch):
        sample = self._strata.draw(self.generator)
        own = torch.cat([batch.sources, batch.answers])
        entities, places = distinct(torch.cat([own, sample]), self.model.n_entities)
        places, of_sample = places.split([len(own), len(sample)])
        excluded = self._in_sample(sample, batch.answers), batch.rows
        loops = self._self_loops(batch, self._in_sample(sample, batch.sources))
        if loops is not None:
            excluded = tuple(torch.cat(pair) for pair in zip(excluded, loops, strict=True))
        return Candidates(entities, places, excluded, of_sample, self._strata.sizes)

    def _in_sample(self, sample, entities):
        """Position of each entity in the sample, -1 where it has none."""
        parts = self._strata.part_of(entities)
        return parts.where(sample[parts] == entities, -1)


class SampledAndBatchEntities(SampledEntities):
    """Cross-entropy over all entities of the batch and a random sample that stands for the others."""

    def _n_candidates(self):
        return min(self.model.n_entities, len(self._strata) + 2 * self.options.batch_size)

    def candidates(self, batch):
        sample = self._strata.draw(self.generator)
        own = torch.cat([batch.sources, batch.answers])
        entities, places = distinct(torch.cat([own, sample]), self.model.n_entities)
        of_sample, places = places[len(own) :], places[: len(own)]
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
        # Adagrad leaves a row without a gradient alone; Adam would go on moving it.
        self._takes_all = options.optimizer == "adagrad" and n_drawn >= model.n_entities
        self._labels = torch.full((options.objective.n_negatives + 2,), -1.0, device=options.device)
        self._labels[[0, -1]] = 1.0

    def draw_negatives_of(self, ids):
        """Draw negatives that suit the true triples told, all that there are."""
        options, objective = self.options, self.options.objective
        corruption = FilteredCorruption if objective.filtered else Corruption
        sizes = self.n_relations, self.model.n_entities
        self.corruption = corruption(ids, *sizes, objective.sampling, self.generator, options.device)

    def n_triples(self, batch):
        return len(batch if self.weights is None else batch[0])

    def batches(self):
        return self._batches

    def backward(self, batch):
        """Leave the gradients of the mean loss of some triples, ``(n_triples, 3)``; return the sum of their losses."""
        batch, weights = (batch, None) if self.weights is None else batch
        queries, answers, counted = self._pairs(batch)
        entities, places = None, answers
        if not self._takes_all:
            entities, places = distinct(answers.view(-1), self.model.n_entities)
            places = places.view(answers.shape)
        # The answer to each of the two queries of a triple is the source of the other.
        sources = torch.stack([places[:, -1], places[:, 0]], dim=1).view(-1)
        table = self.model.entities(entities)
        against = table.detach().requires_grad_(table.requires_grad)
        rows = table.detach().index_select(0, sources).requires_grad_(table.requires_grad)
        counted = _times(counted, None if weights is None else weights[:, None])
        loss = self._loss(batch, rows, against, (queries, places.view(-1), counted), weights)
        (loss / len(batch)).backward()
        if table.requires_grad:
            self.model.backward(table, against.grad.index_add_(0, sources, rows.grad))
        return loss.detach()

    def _pairs(self, batch):
        """Queries ``(n_pairs,)`` of each triple, with what answers them and what counts.

        Answers have a row for each triple: the tail, its negatives, and the head. So has what counts; None is all.
        """
        queries, negatives, counted = self.corruption.draw(batch, self.options.objective.n_negatives)
        of_tails, of_heads = torch.arange(2 * len(batch), device=batch.device).view(-1, 2).split(1, dim=1)
        heads, _, tails = batch.split(1, dim=1)
        queries = torch.cat([of_tails, queries.view(len(batch), -1), of_heads], dim=1)
        answers = torch.cat([tails, negatives.view(len(batch), -1), heads], dim=1)
        if counted is not None:
            counted = functional.pad(counted.view(len(batch), -1), (1, 1), value=True)
        return queries.view(-1), answers, counted

    def _loss(self, batch, rows, entities, pairs, weights):
        """Sum of the losses of a batch, whose queries have these rows as sources, with entities at some places."""
        queries, places, counted = pairs
        score_function = self.options.score_function
        relations = torch.stack([batch[:, 1], batch[:, 1] + self.n_relations], dim=1).view(-1)
        relations = functional.embedding(relations, self.model.relations)
        query = score_function.query(rows, relations)
        scores = score_function.score_pairs(query, entities, queries, places).view(len(batch), -1)
        # Both entities of a triple are factors of both its directions.
        twice = torch.full((len(rows),), 2.0, device=rows.device)
        if weights is not None:
            weights = weights.repeat_interleave(2)
            twice = twice * weights
        return self.compare(scores, queries, counted) + self.regularizer(rows, relations, twice, weights)

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
        return logistic(scores, self._labels, counted)


def _times(first, second):
    """The product of two tensors, None being 1."""
    if first is None or second is None:
        return second if first is None else first
    return first * second
