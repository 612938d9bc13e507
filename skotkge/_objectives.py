"""What a batch of training costs: cross-entropy over all entities, or the logistic loss of Eq. 6."""

import numpy as np
import torch
from torch.nn import functional

from ._losses import cross_entropy, logistic, n3
from ._queries import AnswerLists, both_directions, slices
from ._sampling import Corruption, FilteredCorruption
from ._scorers import DotProduct
from ._scoring import LOOP_PENALTY

# A query with many answers in one batch moves its few rows too far at once, so its answers are spread over several.
ANSWERS_OF_A_PIECE = 4


class Objective:
    """Loss of a batch of triples, read in both directions: (h, r, t), and (t, reciprocal of r, h).

    Parameters
    ----------
    model : object
        Holds the trained tensors; ``entities()`` gives the entity table that they make, ``rows(entities)`` rows of it.
    ids : ndarray of shape (n_triples, 3)
        Positive triples.
    n_relations : int
    settings : Settings
    generator : torch.Generator
        Draws the order of the triples and the negatives.
    excludes_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        Relations whose queries do not have their source among the candidates of the cross-entropy.

    Attributes
    ----------
    needs_few_rows : bool
        Whether a batch asks for the rows of some entities alone, such that the gradient of their table is sparse.
    """

    needs_few_rows = False

    def __init__(self, model, ids, n_relations, settings, generator, excludes_loops=None):
        self.model, self.n_relations, self.settings, self.generator = model, n_relations, settings, generator
        self.ids = ids
        self.excludes_loops = np.zeros(2 * n_relations, dtype=bool) if excludes_loops is None else excludes_loops

    def batches(self):
        """Yield all triples once, in random order, in parts of ``batch_size``."""
        raise NotImplementedError

    def loss(self, batch):
        """Sum of the losses of the triples of a batch, and their number."""
        raise NotImplementedError

    def regularizer(self, sources, relations, answers, counts=None):
        """N3 of all factors of the triples; `counts` tells how many triples share a source and relation."""
        scorer = self.settings.scorer
        total = n3(scorer.modulus(sources), counts) + n3(scorer.modulus(answers))
        if scorer.regularizes_relations:
            total = total + n3(scorer.modulus(relations), counts)
        return self.settings.regularization * total

    def tensor(self, array):
        return torch.as_tensor(array, device=self.settings.device)


class AllEntities(Objective):
    """Cross-entropy over all entities, one row of logits for each distinct query."""

    def __init__(self, model, ids, n_relations, settings, generator, excludes_loops=None):
        super().__init__(model, ids, n_relations, settings, generator, excludes_loops)
        lists = AnswerLists(ids, n_relations)
        of_piece, self._starts, self._counts = lists.pieces(ANSWERS_OF_A_PIECE)
        self._sources, self._relations = lists.sources[of_piece], lists.relations[of_piece]
        self._answers = lists.pairs()[1]
        self._bias = self.tensor(np.where(self.excludes_loops, LOOP_PENALTY, 0.0)).to(model.relations.dtype)
        n_batches = -(-len(ids) // settings.batch_size)
        self._batch = -(-len(of_piece) // n_batches)
        self._fold = isinstance(settings.scorer, DotProduct) and model.folds_for(self._batch)

    def batches(self):
        order = torch.randperm(len(self._sources), generator=self.generator).numpy()
        for first in range(0, len(order), self._batch):
            yield order[first : first + self._batch]

    def loss(self, batch):
        counts = self._counts[batch]
        answers = self._answers[slices(self._starts[batch], counts)]
        sources, relations, answers = map(self.tensor, (self._sources[batch], self._relations[batch], answers))
        counts = torch.from_numpy(counts)
        scorer = self.settings.scorer
        relation_rows = functional.embedding(relations, self.model.relations)
        both = torch.cat([sources, answers])
        if self._fold:
            columns, weight = self.model.folded()
            source_rows, answer_rows = (columns[both] @ weight).split([len(sources), len(answers)])
            query, candidates = scorer.query(source_rows, relation_rows) @ weight.T, columns
        else:
            candidates = self.model.entities()
            source_rows, answer_rows = functional.embedding(both, candidates).split([len(sources), len(answers)])
            query = scorer.query(source_rows, relation_rows)
        bias = sources, self._bias[relations]
        data = cross_entropy(query, candidates, scorer.against_all, counts, answers, bias)
        return data + self.regularizer(source_rows, relation_rows, answer_rows, self.tensor(counts)), len(answers) / 2


class SampledNegatives(Objective):
    """Logistic loss with sampled negatives (Eq. 6), each scored in the direction that asks for the replaced side.

    Neither the loss of a batch nor its gradient touches an entity that is not in it.
    """

    needs_few_rows = True

    def __init__(self, model, ids, n_relations, settings, generator, excludes_loops=None):
        super().__init__(model, ids, n_relations, settings, generator, excludes_loops)
        corruption = FilteredCorruption if settings.filter_negatives else Corruption
        self.corruption = corruption(ids, n_relations, model.n_entities, settings.negative_sampling, generator)

    def batches(self):
        order = torch.randperm(len(self.ids), generator=self.generator).numpy()
        for first in range(0, len(order), self.settings.batch_size):
            yield self.ids[order[first : first + self.settings.batch_size]]

    def loss(self, batch):
        scorer = self.settings.scorer
        sources, relations, answers = map(self.tensor, both_directions(batch, self.n_relations))
        queries, replacements = map(self.tensor, self.corruption.draw(batch, self.settings.n_negatives))
        present, positions = torch.unique(torch.cat([sources, answers, replacements]), return_inverse=True)
        entities = self.model.rows(present)
        positives, negatives = positions.tensor_split([2 * len(sources)])
        source_rows, answer_rows = functional.embedding(positives, entities).chunk(2)
        relation_rows = functional.embedding(relations, self.model.relations)
        query = scorer.query(source_rows, relation_rows)
        positive_scores = scorer.pairs(query, answer_rows)
        loss = logistic(positive_scores, scorer.against_chosen(query, entities, queries, negatives))
        return loss + self.regularizer(source_rows, relation_rows, answer_rows), len(batch)


OBJECTIVES = {"cross_entropy": AllEntities, "logistic": SampledNegatives}
