"""What a batch of training costs: cross-entropy over all entities, or the logistic loss of Eq. 6."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils import gen_batches
from torch.nn import functional

from .._graph.queries import KnownAnswers, both_directions, slices
from .negatives import Corruption, FilteredCorruption, draw_candidates
from .precision import PRECISIONS
from .score_functions import DotProduct
from .softmax import log_partition, logistic, n3

# A query with many answers in one batch moves its few rows too far at once, so its answers are spread over several.
ANSWERS_OF_A_PIECE = 4


class TrainingLoss:
    """Loss of a batch of triples, read in both directions: (h, r, t), and (t, reciprocal of r, h).

    Parameters
    ----------
    model : object
        Holds the trained tensors; ``entities()`` gives the entity table that they make, or rows of it.
    ids : ndarray of shape (n_triples, 3)
        Positive triples.
    n_relations : int
    options : TrainingOptions
    generator : torch.Generator
        Draws the order of the triples and the negatives.
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        Relations whose queries do not have their source among the candidates of the cross-entropy.

    Attributes
    ----------
    needs_few_rows : bool
        Whether a batch asks for the rows of some entities alone, such that the gradient of their table is sparse.
    """

    needs_few_rows = False

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None):
        self.model, self.n_relations, self.options, self.generator = model, n_relations, options, generator
        self.ids = ids
        self.excludes_self_loops = (
            np.zeros(2 * n_relations, dtype=bool) if excludes_self_loops is None else excludes_self_loops
        )

    def batches(self):
        """Yield all triples once, in random order, in parts of ``batch_size``."""
        raise NotImplementedError

    def backward(self, batch):
        """Leave the gradients of the mean loss of a batch in the parameters; return the sum of its losses."""
        raise NotImplementedError

    def n_triples(self, batch):
        """Triples of a batch, which the mean of its losses is over."""
        raise NotImplementedError

    def regularizer(self, sources, relations, answers, counts=None):
        """N3 of all factors of the triples; `counts` tells how many triples share a source and relation."""
        score_function = self.options.score_function
        total = n3(score_function.modulus(sources), counts) + n3(score_function.modulus(answers))
        if score_function.regularizes_relations:
            total = total + n3(score_function.modulus(relations), counts)
        return self.options.regularization * total

    def on_device(self, *arrays):
        """Arrays as tensors on the device, which a GPU fetches without waiting for what it still computes."""
        tensors = [torch.as_tensor(array) for array in arrays]
        if torch.device(self.options.device).type == "cuda":
            tensors = [tensor.pin_memory() for tensor in tensors]
        return tuple(tensor.to(self.options.device, non_blocking=True) for tensor in tensors)


@dataclass(frozen=True)
class Queries:
    """A batch of distinct queries, in tensors on the CPU.

    `loopless` tells whose source is no candidate; `rows` is the position of the query of each answer.
    """

    sources: torch.Tensor
    relations: torch.Tensor
    loopless: torch.Tensor
    counts: torch.Tensor
    answers: torch.Tensor
    rows: torch.Tensor


class AllEntities(TrainingLoss):
    """Cross-entropy over all entities, one row of scores for each distinct query."""

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None):
        super().__init__(model, ids, n_relations, options, generator, excludes_self_loops)
        lists = KnownAnswers(ids, n_relations)
        of_piece, self._starts, self._counts = lists.split(ANSWERS_OF_A_PIECE)
        self._sources, self._relations = lists.sources[of_piece], lists.relations[of_piece]
        self._answers = lists.pairs()[1]
        n_batches = -(-len(ids) // options.batch_size)
        self._batch = -(-len(of_piece) // n_batches)
        linear = isinstance(options.score_function, DotProduct)
        self._fold = linear and model.folds_for(self._batch, self._n_candidates())
        self._precision = PRECISIONS[options.matmul_precision] if linear else None

    def batches(self):
        order = torch.randperm(len(self._sources), generator=self.generator).numpy()
        counts = self._counts[order]
        ends = np.concatenate([[0], np.cumsum(counts)])
        sources, relations = self._sources[order], self._relations[order]
        rows = np.repeat(np.arange(len(order)) % self._batch, counts)
        of_queries = map(torch.as_tensor, (sources, relations, self.excludes_self_loops[relations], counts))
        of_answers = map(torch.as_tensor, (self._answers[slices(self._starts[order], counts)], rows))
        of_queries, of_answers = list(of_queries), list(of_answers)
        for queries in gen_batches(len(order), self._batch):
            answers = slice(ends[queries.start], ends[queries.stop])
            yield Queries(*(part[queries] for part in of_queries), *(part[answers] for part in of_answers))

    def n_triples(self, batch):
        return len(batch.answers) / 2

    def _n_candidates(self):
        """About how many entities the softmax of a batch goes over."""
        return self.model.n_entities

    def candidates(self, batch):
        """The entities that the softmax of a batch goes over.

        Returns
        -------
        entities : tensor of shape (n_candidates,) or None
            None is all, in order.
        places : tensor of shape (n_queries + n_answers,)
            Positions of the sources and of the answers among the candidates.
        multiplicity : tensor of shape (n_candidates,) or None
            How many entities each stands for; None is 1.
        """
        return None, torch.cat([batch.sources, batch.answers]), None

    def backward(self, batch):
        entities, places, multiplicity = self.candidates(batch)
        excluded = torch.where(batch.loopless, places[: len(batch.sources)], -1)
        if entities is not None:
            entities, multiplicity = self.on_device(entities, multiplicity)
        places, *asked = self.on_device(places, batch.relations, batch.counts, excluded, batch.rows)
        if self._fold:
            columns, weight = self.model.folded(entities)
            return self._backward(asked, columns[places] @ weight, columns, multiplicity, weight)[0]
        table = self.model.entities(entities, self._precision)
        rows = table.detach()[places].requires_grad_(table.requires_grad)
        loss, gradient = self._backward(asked, rows, table.detach(), multiplicity)
        if table.requires_grad:
            self.model.backward(table, gradient.index_add_(0, places, rows.grad))
        return loss

    def _backward(self, asked, rows, candidates, multiplicity, folded_map=None):
        """Backward pass to the rows of sources and answers; return the loss and the gradient of the candidates.

        Candidates are entity embeddings, or with a folded map the constant columns that it maps to them. Constant
        candidates have no gradient.
        """
        relations, counts, excluded, of_answers = asked
        score_function, scale = self.options.score_function, 2 / len(of_answers)
        sources, answers = rows.split([len(relations), len(of_answers)])
        relations = functional.embedding(relations, self.model.relations)
        query = score_function.query(sources, relations)
        rest = self.regularizer(sources, relations, answers, counts)
        # Not query[of_answers]: the gradient of indexing adds up in an order that several threads change.
        rest = rest - score_function.score_rows(query.index_select(0, of_answers), answers).sum()
        against = query if folded_map is None else query @ folded_map.T
        partition = log_partition(
            against.detach(),
            candidates,
            score_function,
            counts,
            excluded,
            multiplicity=multiplicity,
            scale=scale,
            wants_entities=folded_map is None and rows.requires_grad,
            precision=self._precision,
        )
        torch.autograd.backward([against, rest], [partition.query_gradient, torch.full_like(rest, scale)])
        return partition.value / scale + rest.detach(), partition.entity_gradient


class SampledEntities(AllEntities):
    """Cross-entropy over the entities of the batch and a random sample that stands for all others.

    The sum of exponentials that it estimates without bias is that of `AllEntities`. A batch asks for the rows of its
    candidates alone.
    """

    needs_few_rows = True

    def _n_candidates(self):
        return min(self.model.n_entities, self.options.objective.n_sampled + 2 * self.options.batch_size)

    def candidates(self, batch):
        own = torch.cat([batch.sources, batch.answers])
        return draw_candidates(own, self.options.objective.n_sampled, self.model.n_entities, self.generator)


class SampledNegatives(TrainingLoss):
    """Logistic loss with sampled negatives (Eq. 6), each scored in the direction that asks for the replaced side.

    Neither the loss of a batch nor its gradient touches an entity that is not in it.
    """

    needs_few_rows = True

    def __init__(self, model, ids, n_relations, options, generator, excludes_self_loops=None):
        super().__init__(model, ids, n_relations, options, generator, excludes_self_loops)
        self.draw_negatives_of(ids)

    def draw_negatives_of(self, ids):
        """Draw negatives that suit the true triples told, all that there are."""
        objective = self.options.objective
        corruption = FilteredCorruption if objective.filtered else Corruption
        self.corruption = corruption(ids, self.n_relations, self.model.n_entities, objective.sampling, self.generator)

    def n_triples(self, batch):
        return len(batch)

    def batches(self):
        order = torch.randperm(len(self.ids), generator=self.generator).numpy()
        for first in range(0, len(order), self.options.batch_size):
            yield self.ids[order[first : first + self.options.batch_size]]

    def backward(self, batch):
        loss = self.loss(batch)
        (loss / len(batch)).backward()
        return loss.detach()

    def loss(self, batch):
        """Sum of the losses of a batch of triples."""
        score_function = self.options.score_function
        sources, relations, answers = both_directions(batch, self.n_relations)
        queries, replacements = self.corruption.draw(batch, self.options.objective.n_negatives)
        present, positions = torch.unique(
            torch.as_tensor(np.concatenate([sources, answers, replacements])), return_inverse=True
        )
        present, positions, relations, queries = self.on_device(present, positions, relations, queries)
        entities = self.model.entities(present)
        positives, negatives = positions.tensor_split([2 * len(sources)])
        source_rows, answer_rows = functional.embedding(positives, entities).chunk(2)
        relation_rows = functional.embedding(relations, self.model.relations)
        query = score_function.query(source_rows, relation_rows)
        positive_scores = score_function.score_rows(query, answer_rows)
        loss = logistic(positive_scores, score_function.score_pairs(query, entities, queries, negatives))
        return loss + self.regularizer(source_rows, relation_rows, answer_rows)
