"""Scoring functions of triples (Eq. 4-5): a head transformed by a relation, compared with tails."""

import torch

from ._products import pair_products


class Scorer:
    """A query vector for (head, relation), compared with tails; larger scores are more plausible."""

    needs_even_width = False
    regularizes_relations = True

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

    def against_chosen(self, query, entities, queries, chosen):
        """Scores ``(n_pairs,)`` of the rows `queries` of `query` with the rows `chosen` of `entities`."""
        raise NotImplementedError

    def modulus(self, rows):
        """Absolute value of each real or complex coordinate, for N3 regularisation."""
        return rows.abs()


class DotProduct(Scorer):
    """``<query, tail>``, linear in the tail."""

    def pairs(self, query, tail):
        return (query * tail).sum(-1)

    def against_all(self, query, entities):
        return query @ entities.T

    def against_chosen(self, query, entities, queries, chosen):
        return pair_products(query, entities, queries, chosen)


class _Distance(Scorer):
    """``margin - ||query - tail||_2``."""

    def pairs(self, query, tail):
        return self.margin - _safe_sqrt(((query - tail) ** 2).sum(-1))

    def against_all(self, query, entities):
        squared = (query**2).sum(1, keepdim=True) + (entities**2).sum(1) - 2 * query @ entities.T
        return self.margin - _safe_sqrt(squared)

    def against_chosen(self, query, entities, queries, chosen):
        squared = (query**2).sum(1)[queries] + (entities**2).sum(1)[chosen]
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


SCORERS = {"transe": TransE, "distmult": DistMult, "complex": ComplEx, "rotate": RotatE}


def _complex_product(rows, real, imaginary):
    rows_real, rows_imaginary = rows.chunk(2, dim=-1)
    return torch.cat(
        [rows_real * real - rows_imaginary * imaginary, rows_real * imaginary + rows_imaginary * real], dim=-1
    )


def _safe_sqrt(squared):
    """Square root whose gradient stays finite at zero."""
    return torch.sqrt(squared.clamp_min(torch.finfo(squared.dtype).tiny ** 0.5))
