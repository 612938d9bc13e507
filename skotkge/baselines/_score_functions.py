"""Translations of the baselines: by Manhattan distances, and the mean over views of structure and modalities."""

import torch

from .._embedding.score_functions import CrossSpaceTransE, ScoreFunction


class ManhattanTransE(ScoreFunction):
    """``-||h + r - t||_1``: `TransE` of the norm that many translations were published with.

    Examples
    --------
    >>> import torch
    >>> from skotkge.baselines import ManhattanTransE
    >>> score, (head, relation, tail) = ManhattanTransE(), torch.tensor([[1.0, 2.0], [3.0, 1.0], [1.0, 1.0]])
    >>> score.score_rows(score.query(head, relation), tail)
    tensor(-5.)
    """

    gradients_need_scores = False

    def query(self, head, relation):
        return head + relation

    def score_rows(self, query, tail):
        return -(query - tail).abs().sum(-1)

    def score_all(self, query, entities):
        return -torch.cdist(query, entities, p=1)

    def score_entities(self, entities, query, out):
        return out.copy_(torch.cdist(entities, query, p=1)).neg_()

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        with torch.enable_grad():
            leaves = [table.detach().requires_grad_() for table in (entities, query)]
            torch.cdist(*leaves, p=1).backward(-mass)
        query_gradient += leaves[1].grad
        if entity_gradient is not None:
            entity_gradient += leaves[0].grad

    def score_pairs(self, query, entities, queries, chosen):
        return self.score_rows(query.index_select(0, queries), entities.index_select(0, chosen))


class MeanCrossSpaceTransE(CrossSpaceTransE):
    """``-1/4 sum ||h_a + r - t_b||`` over the structure and the modalities a of the head and b of the tail.

    Examples
    --------
    >>> import torch
    >>> from skotkge.baselines import MeanCrossSpaceTransE
    >>> score = MeanCrossSpaceTransE()
    >>> head, relation, tail = torch.zeros(4), torch.zeros(2), torch.ones(4)
    >>> score.score_rows(score.query(head, relation), tail)
    tensor(-1.4142)
    """

    n_spaces, with_sum = 2, False

    def __init__(self) -> None:
        pass

    def score_rows(self, query, tail):
        return super().score_rows(query, tail) / len(self._terms)

    def score_all(self, query, entities):
        return super().score_all(query, entities) / len(self._terms)

    def score_entities(self, entities, query, out):
        return super().score_entities(entities, query, out).div_(len(self._terms))

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        mass.div_(len(self._terms))
        super().add_gradients(query, entities, scores, mass, query_gradient, entity_gradient)

    def score_pairs(self, query, entities, queries, chosen):
        return super().score_pairs(query, entities, queries, chosen) / len(self._terms)


# Saved models name the public place of the classes.
ManhattanTransE.__module__ = MeanCrossSpaceTransE.__module__ = "skotkge.baselines"
