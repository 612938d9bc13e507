"""Scoring functions of triples (Eq. 4-5): a head transformed by a relation, compared with tails."""

from itertools import product

import torch

from ._products import pair_products
from ._spaces import concat_order


class Scorer:
    """A query vector for (head, relation), compared with tails; larger scores are more plausible."""

    needs_even_width = False
    regularizes_relations = True
    gradients_need_scores = True

    def __init__(self, margin):
        self.margin = margin

    def relation_width(self, width):
        """Columns of a relation's row for entity rows of this width."""
        return width

    def initial_relations(self, n_relations, width, scale, generator):
        """Draw the rows of the relation table."""
        return scale * torch.randn(n_relations, self.relation_width(width), generator=generator)

    def query(self, head, relation):
        """Transform heads by relations, row by row: ``r (x) h`` of Eq. 4-5."""
        raise NotImplementedError

    def pairs(self, query, tail):
        """Scores of queries ``(..., d)`` and tails ``(..., d)``, compared entry by entry."""
        raise NotImplementedError

    def against_all(self, query, entities):
        """Scores ``(n_queries, n_entities)`` of every query with every entity."""
        raise NotImplementedError

    def of_entities(self, entities, query, out):
        """Write the scores ``(n_entities, n_queries)`` of every entity with every query into `out`; return it."""
        raise NotImplementedError

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        """Add the gradients of ``sum(mass * scores)`` for constant `mass`, in place.

        Parameters
        ----------
        query : tensor of shape (n_queries, d)
        entities : tensor of shape (n_entities, d)
        scores : tensor of shape (n_entities, n_queries)
            From `of_entities`; without meaning unless `gradients_need_scores`.
        mass : tensor of shape (n_entities, n_queries)
            Overwritten.
        query_gradient : tensor of shape (n_queries, d)
        entity_gradient : tensor of shape (n_entities, d) or None
            None is left out.
        """
        raise NotImplementedError

    def against_chosen(self, query, entities, queries, chosen):
        """Scores ``(n_pairs,)`` of the rows `queries` of `query` with the rows `chosen` of `entities`."""
        raise NotImplementedError

    def modulus(self, rows):
        """Absolute value of each real or complex coordinate, for N3 regularisation."""
        return rows.abs()


class DotProduct(Scorer):
    """``<query, tail>``, linear in the tail."""

    gradients_need_scores = False

    def pairs(self, query, tail):
        return (query * tail).sum(-1)

    def against_all(self, query, entities):
        return query @ entities.T

    def of_entities(self, entities, query, out):
        if entities.dtype == out.dtype:
            return torch.mm(entities, query.T, out=out)
        return out.copy_(entities @ query.T)

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        mass = mass.to(query.dtype)
        _add_product(query_gradient, mass.T, entities)
        if entity_gradient is not None:
            _add_product(entity_gradient, mass, query)

    def against_chosen(self, query, entities, queries, chosen):
        return pair_products(query, entities, queries, chosen)


class _Distance(Scorer):
    """``margin - ||query - tail||_2``."""

    def pairs(self, query, tail):
        return self.margin - _safe_sqrt(((query - tail) ** 2).sum(-1))

    def against_all(self, query, entities):
        squared = (query**2).sum(1, keepdim=True) + (entities**2).sum(1) - 2 * query @ entities.T
        return self.margin - _safe_sqrt(squared)

    def of_entities(self, entities, query, out):
        torch.mm(entities, query.T, out=out).mul_(-2).add_((entities**2).sum(1, keepdim=True)).add_((query**2).sum(1))
        return out.clamp_min_(_least_square(out)).sqrt_().neg_().add_(self.margin)

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        distances = self.margin - scores
        rounding = 4 * torch.finfo(scores.dtype).eps * (1 + abs(self.margin))
        mass.mul_(distances > rounding).div_(distances.clamp_min_(rounding))
        query_gradient.addmm_(mass.T, entities).sub_(mass.sum(0)[:, None] * query)
        if entity_gradient is not None:
            entity_gradient.addmm_(mass, query).sub_(mass.sum(1, keepdim=True) * entities)

    def against_chosen(self, query, entities, queries, chosen):
        squared = (query**2).sum(1).index_select(0, queries) + (entities**2).sum(1).index_select(0, chosen)
        return self.margin - _safe_sqrt(squared - 2 * pair_products(query, entities, queries, chosen))


class _Complex(Scorer):
    """Columns are [real | imaginary] halves."""

    needs_even_width = True

    def modulus(self, rows):
        real, imaginary = rows.chunk(2, dim=-1)
        return _safe_sqrt(real**2 + imaginary**2)


class TransE(_Distance):
    """``margin - ||h + r - t||`` (Bordes et al., 2013)."""

    def query(self, head, relation):
        return head + relation


class DistMult(DotProduct):
    """``<h * r, t>`` (Yang et al., 2015)."""

    def query(self, head, relation):
        return head * relation


class ComplEx(_Complex, DotProduct):
    """``Re <h * r, conj(t)>`` over complex coordinates (Trouillon et al., 2016)."""

    def query(self, head, relation):
        return _complex_product(head, *relation.chunk(2, dim=-1))


class RotatE(_Complex, _Distance):
    """``margin - ||h * exp(i phase) - t||`` over complex coordinates (Sun et al., 2019).

    A relation's row holds one phase for each complex coordinate.
    """

    regularizes_relations = False

    def relation_width(self, width):
        return width // 2

    def initial_relations(self, n_relations, width, scale, generator):
        return torch.pi * (2 * torch.rand(n_relations, width // 2, generator=generator) - 1)

    def query(self, head, relation):
        return _complex_product(head, torch.cos(relation), torch.sin(relation))


class CrossSpaceTransE(_Distance):
    """``sum of margin - ||h_a + r - t_b||`` over the spaces a of the head and b of the tail, one r for all.

    Rows of entities are spaces of equal width joined by `concat_order`.

    Parameters
    ----------
    margin : float
        Of each term.
    n_spaces : int
    with_sum : bool
        Adds the term of the sums over all spaces, ``||sum_a h_a + r - sum_b t_b||``.
    """

    gradients_need_scores = False

    def __init__(self, margin, n_spaces, with_sum):
        super().__init__(margin)
        self._n_spaces, self._with_sum = n_spaces, with_sum
        self._terms = [*product(range(n_spaces), repeat=2), *([(n_spaces, n_spaces)] if with_sum else [])]

    def relation_width(self, width):
        return width // self._n_spaces

    def _views(self, rows):
        """Spaces of entity rows ``(..., n_views, d)``, and their sum as one more view if it is asked for."""
        width = self.relation_width(rows.shape[-1])
        place = torch.argsort(self._order(width, rows.device))
        views = rows[..., place].unflatten(-1, (self._n_spaces, width))
        return torch.cat([views, views.sum(-2, keepdim=True)], dim=-2) if self._with_sum else views

    def _order(self, width, device):
        return torch.as_tensor(concat_order(width, self._n_spaces), device=device)

    def _asked(self, query):
        n_views = self._n_spaces + self._with_sum
        return query.unflatten(-1, (n_views, query.shape[-1] // n_views))

    def query(self, head, relation):
        return (self._views(head) + relation.unsqueeze(-2)).flatten(-2)

    def _sum_of_terms(self, score, query, entities):
        asked, views = self._asked(query), self._views(entities)
        return sum(score(asked[..., source, :], views[..., answer, :]) for source, answer in self._terms)

    def pairs(self, query, tail):
        return self._sum_of_terms(super().pairs, query, tail)

    def against_all(self, query, entities):
        return self._sum_of_terms(super().against_all, query, entities)

    def of_entities(self, entities, query, out):
        term = torch.empty_like(out)
        of_entities = super().of_entities
        return out.copy_(
            self._sum_of_terms(lambda asked, view: of_entities(view, asked, term).clone(), query, entities)
        )

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        asked, views = self._asked(query), self._views(entities)
        of_asked = self._asked(query_gradient)
        of_views = [None] * views.shape[-2] if entity_gradient is None else torch.zeros_like(views).unbind(-2)
        for source, answer in self._terms:
            term = asked[:, source], views[:, answer]
            own = super().of_entities(term[1], term[0], torch.empty_like(scores))
            super().add_gradients(*term, own, mass.clone(), of_asked[:, source], of_views[answer])
        if entity_gradient is not None:
            of_spaces = torch.stack(of_views[: self._n_spaces], dim=-2)
            if self._with_sum:
                of_spaces += of_views[-1].unsqueeze(-2)
            entity_gradient += of_spaces.flatten(-2)[:, self._order(views.shape[-1], views.device)]

    def against_chosen(self, query, entities, queries, chosen):
        against_chosen = super().against_chosen
        return self._sum_of_terms(lambda asked, view: against_chosen(asked, view, queries, chosen), query, entities)


SCORERS = {"transe": TransE, "distmult": DistMult, "complex": ComplEx, "rotate": RotatE}


def _complex_product(rows, real, imaginary):
    rows_real, rows_imaginary = rows.chunk(2, dim=-1)
    return torch.cat(
        [rows_real * real - rows_imaginary * imaginary, rows_real * imaginary + rows_imaginary * real], dim=-1
    )


def _add_product(total, left, right):
    if left.dtype == total.dtype:
        total.addmm_(left, right)
    else:
        total.add_(left @ right)


def _least_square(tensor):
    return torch.finfo(tensor.dtype).tiny ** 0.5


def _safe_sqrt(squared):
    """Square root whose gradient stays finite at zero."""
    return torch.sqrt(squared.clamp_min(_least_square(squared)))
