"""Scoring functions of triples (Eq. 4-5): a head transformed by a relation, compared with tails."""

import torch
from sklearn.base import BaseEstimator

from .._utils.api_links import LinksToApi
from .pair_products import pair_products
from .softmax import complex_n3, n3


class ScoreFunction(LinksToApi, BaseEstimator):
    """A query vector for (head, relation), compared with tails; larger scores are more plausible.

    Subclasses write `query`, `score_rows`, `score_all`, `score_entities`, `add_gradients` and `score_pairs`;
    `DotProduct` and `Distance` have all but `query`. Gradients of `query` and of the cubed moduli come from autograd,
    unless `add_query_gradients` and `n3` are written, too, to take fewer operations.

    Attributes
    ----------
    needs_even_width : bool
        Whether dimensions are [real | imaginary] halves.
    regularizes_relations : bool
        Whether N3 holds for the relation rows too.
    gradients_need_scores : bool
        Whether `add_gradients` reads the scores of `score_entities`.

    Examples
    --------
    >>> import torch
    >>> from skotkge import DistMult
    >>> score = DistMult()
    >>> queries = score.query(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 1.0]]))
    >>> score.score_all(queries, torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    tensor([[3., 2.]])
    """

    needs_even_width = False
    regularizes_relations = True
    gradients_need_scores = True

    def relation_width(self, width):
        """Dimensions of a relation's row for entity rows of this width."""
        return width

    def initial_relations(self, n_relations, width, scale, generator):
        """Draw the rows of the relation table."""
        return scale * torch.randn(n_relations, self.relation_width(width), generator=generator)

    def query(self, head, relation):
        """Transform heads by relations, row by row: ``r (x) h`` of Eq. 4-5."""
        raise NotImplementedError

    def score_rows(self, query, tail):
        """Scores of queries ``(..., d)`` and tails ``(..., d)``, compared entry by entry."""
        raise NotImplementedError

    def score_all(self, query, entities):
        """Scores ``(n_queries, n_entities)`` of every query with every entity."""
        raise NotImplementedError

    def score_entities(self, entities, query, out):
        """Write the scores ``(n_entities, n_queries)`` of every entity with every query into `out`; return it."""
        raise NotImplementedError

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        """Add the gradients of ``sum(mass * scores)`` for constant `mass`, in place.

        Parameters
        ----------
        query : tensor of shape (n_queries, d)
        entities : tensor of shape (n_entities, d)
        scores : tensor of shape (n_entities, n_queries)
            From `score_entities`; without meaning unless `gradients_need_scores`. Overwritten.
        mass : tensor of shape (n_entities, n_queries)
            Overwritten.
        query_gradient : tensor of shape (n_queries, d)
        entity_gradient : tensor of shape (n_entities, d) or None
            None is left out.
        """
        raise NotImplementedError

    def gradients(self, query, entities, scores, mass, scale, wants_entities):
        """Return the gradients of ``scale * sum(mass * scores)`` for constant `mass`.

        Parameters
        ----------
        query, entities, scores, mass : tensors
            As for `add_gradients`.
        scale : float
        wants_entities : bool
            False leaves out the gradient of the entities.

        Returns
        -------
        query_gradient : tensor of shape (n_queries, d)
        entity_gradient : tensor of shape (n_entities, d) or None
            None unless `wants_entities`.
        """
        found = torch.zeros_like(query, dtype=mass.dtype), None
        if wants_entities:
            found = found[0], torch.zeros_like(entities, dtype=mass.dtype)
        self.add_gradients(query, entities, scores, mass.mul_(scale), *found)
        return found

    def add_query_gradients(self, head, relation, gradient, head_gradient, relation_gradient):
        """Add the gradients of ``sum(gradient * query(head, relation))`` for a constant `gradient`, in place.

        Parameters
        ----------
        head : tensor of shape (n_queries, d)
        relation : tensor of shape (n_queries, d_r)
        gradient : tensor of shape (n_queries, d_q)
        head_gradient, relation_gradient : tensors
            Of the shapes of `head` and `relation`.
        """
        # The vector-Jacobian products gradient' dq/dh and gradient' dq/dr, row by row; zeros where a query does not
        # depend on one of the two.
        with torch.enable_grad():
            rows = head.detach().requires_grad_(), relation.detach().requires_grad_()
            query = self.query(*rows)
        of_head, of_relation = torch.autograd.grad(query, rows, gradient, materialize_grads=True)
        head_gradient += of_head
        relation_gradient += of_relation

    def score_pairs(self, query, entities, queries, chosen):
        """Scores ``(n_pairs,)`` of rows `queries` of `query`, in increasing order, with rows `chosen` of `entities`."""
        raise NotImplementedError

    def modulus(self, rows):
        """Absolute value of each real or complex coordinate, for N3 regularisation."""
        return rows.abs()

    def n3(self, rows, counts, strength):
        """Sum of the cubed moduli of constant rows, and its gradient times `strength`.

        Parameters
        ----------
        rows : tensor of shape (n_rows, d)
        counts : tensor of shape (n_rows,)
            How often each row counts.
        strength : float

        Returns
        -------
        value : tensor of shape ()
        gradient : tensor of shape (n_rows, d)
        """
        with torch.enable_grad():
            rows = rows.detach().requires_grad_()
            value = n3(self.modulus(rows), counts)
        return value.detach(), strength * torch.autograd.grad(value, rows)[0]


class DotProduct(ScoreFunction):
    """``<query, tail>``, linear in the tail.

    Examples
    --------
    A score function of one's own, SimplE, and a model that is trained with it:

    >>> from skotkge import DotProduct, OTKGEClassifier
    >>> class SimplE(DotProduct):
    ...     needs_even_width = True
    ...
    ...     def query(self, head, relation):
    ...         return (head * relation).roll(head.shape[-1] // 2, dims=-1)
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = OTKGEClassifier(SimplE(), embedding_dim=4, max_iter=2, early_stopping=False, random_state=0)
    >>> kge.fit(triples).embed(["e3"]).shape
    (1, 4)
    """

    gradients_need_scores = False

    def score_rows(self, query, tail):
        return (query * tail).sum(-1)

    def score_all(self, query, entities):
        return query @ entities.T

    def score_entities(self, entities, query, out):
        if entities.dtype == out.dtype:
            return torch.mm(entities, query.T, out=out)
        return out.copy_(entities @ query.T)

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        # sum_eq m[e, q] <q, t_e> has the gradients sum_e m[e, q] t_e of a query and sum_q m[e, q] q of an entity: two
        # products of n_queries n_entities d multiplications, for which nobody needs the scores. Factors in bfloat16
        # round each product, but not the sum over the chunks of entities.
        mass = mass.to(query.dtype)
        _add_product(query_gradient, mass.T, entities)
        if entity_gradient is not None:
            _add_product(entity_gradient, mass, query)

    def gradients(self, query, entities, scores, mass, scale, wants_entities):
        if type(self).add_gradients is not DotProduct.add_gradients:  # a subclass has other scores
            return super().gradients(query, entities, scores, mass, scale, wants_entities)
        # With a beta of 0 what is in the place of the result is not looked at.
        total, mass = mass.dtype, mass.to(query.dtype)
        of_query = torch.addmm(query, mass.T, entities, beta=0, alpha=scale).to(total)
        of_entities = torch.addmm(entities, mass, query, beta=0, alpha=scale).to(total) if wants_entities else None
        return of_query, of_entities

    def score_pairs(self, query, entities, queries, chosen):
        return pair_products(query, entities, queries, chosen)


class Distance(ScoreFunction):
    """``margin - ||query - tail||_2``.

    Parameters
    ----------
    margin : float, default=9.0
        The score at distance zero; Eq. 6 could not fit positives without it.

    Examples
    --------
    Relations that stretch what they are about, in place of moving it:

    >>> import torch
    >>> from skotkge import Distance
    >>> class Stretched(Distance):
    ...     def query(self, head, relation):
    ...         return head * relation
    >>> score = Stretched(margin=2.0)
    >>> score.score_rows(score.query(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 4.0])), torch.tensor([0.0, 0.0]))
    tensor(-3.)
    """

    def __init__(self, margin: float = 9.0) -> None:
        self.margin = margin

    def score_rows(self, query, tail):
        return self.margin - _safe_sqrt(((query - tail) ** 2).sum(-1))

    def score_all(self, query, entities):
        # ||q - t||^2 = ||q||^2 + ||t||^2 - 2 <q, t>: one matrix product and no differences (n_queries, n_entities, d).
        squared = (query**2).sum(1, keepdim=True) + (entities**2).sum(1) - 2 * query @ entities.T
        return self.margin - _safe_sqrt(squared)

    def score_entities(self, entities, query, out):
        return _distances(entities, query, out).neg_().add_(self.margin)

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        # The distance comes back from the score as margin - score, with the rounding errors of numbers as large as the
        # margin.
        distances = scores.neg_().add_(self.margin)
        _add_distance_gradients(query, entities, distances, mass, query_gradient, entity_gradient, 1 + abs(self.margin))

    def score_pairs(self, query, entities, queries, chosen):
        # The squared lengths are computed once a row and not once a pair.
        squared = (query**2).sum(1).index_select(0, queries) + (entities**2).sum(1).index_select(0, chosen)
        return self.margin - _safe_sqrt(squared - 2 * pair_products(query, entities, queries, chosen))


class _Complex(ScoreFunction):
    """Dimensions are [real | imaginary] halves."""

    needs_even_width = True

    def modulus(self, rows):
        # |z_j| = sqrt(Re(z_j)^2 + Im(z_j)^2), (..., d / 2).
        real, imaginary = rows.chunk(2, dim=-1)
        return _safe_sqrt(real**2 + imaginary**2)

    def n3(self, rows, counts, strength):
        return complex_n3(rows, counts, strength)


class TransE(Distance):
    """``margin - ||h + r - t||`` (Bordes et al., 2013).

    Parameters
    ----------
    margin : float, default=9.0
        The score at distance zero.

    Examples
    --------
    >>> from skotkge import OTKGEClassifier, TransE
    >>> OTKGEClassifier(TransE(margin=6.0)).get_params()["score_function__margin"]
    6.0
    """

    def query(self, head, relation):
        return head + relation


class DistMult(DotProduct):
    """``<h * r, t>`` (Yang et al., 2015).

    Examples
    --------
    >>> import torch
    >>> from skotkge import DistMult
    >>> score, (head, relation, tail) = DistMult(), torch.tensor([[1.0, 2.0], [3.0, 1.0], [1.0, 1.0]])
    >>> score.score_rows(score.query(head, relation), tail)
    tensor(5.)
    """

    def query(self, head, relation):
        return head * relation


class ComplEx(_Complex, DotProduct):
    """``Re <h * r, conj(t)>`` over complex coordinates (Trouillon et al., 2016).

    Examples
    --------
    Unlike those of `DistMult`, scores change when head and tail change places. Of i * i * conj(1) and 1 * i * conj(i),
    in rows of real and imaginary parts:

    >>> import torch
    >>> from skotkge import ComplEx
    >>> score, one, i = ComplEx(), torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    >>> score.score_rows(score.query(i, i), one), score.score_rows(score.query(one, i), i)
    (tensor(-1.), tensor(1.))
    """

    def query(self, head, relation):
        # Re <z, conj(t)> = <Re z, Re t> + <Im z, Im t>: in halves the score of z = h * r is a plain dot product with
        # the row of t.
        return _ComplexProduct.apply(head, relation)

    def add_query_gradients(self, head, relation, gradient, head_gradient, relation_gradient):
        if type(self).query is not ComplEx.query:  # a subclass has another one
            return super().add_query_gradients(head, relation, gradient, head_gradient, relation_gradient)
        # Of h * r by h: the gradient times conj(r).
        _add_multiplied(head_gradient, gradient, relation, -1)
        _add_multiplied(relation_gradient, gradient, head, -1)
        return None


class RotatE(_Complex, Distance):
    """``margin - ||h * exp(i phase) - t||`` over complex coordinates (Sun et al., 2019).

    A relation's row holds one phase for each complex coordinate.

    Parameters
    ----------
    margin : float, default=9.0
        The score at distance zero.

    Examples
    --------
    A relation of a quarter of a turn makes i of 1, in rows of real and imaginary parts:

    >>> import torch
    >>> from skotkge import RotatE
    >>> score, one, i = RotatE(margin=6.0), torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    >>> quarter = torch.tensor([torch.pi / 2])
    >>> round(float(score.score_rows(score.query(one, quarter), i)), 3)
    6.0
    """

    regularizes_relations = False

    def relation_width(self, width):
        return width // 2

    def initial_relations(self, n_relations, width, scale, generator):
        # Uniform on the whole circle, [-pi, pi); angles have no scale.
        return torch.pi * (2 * torch.rand(n_relations, width // 2, generator=generator) - 1)

    def query(self, head, relation):
        # exp(i phase) = cos(phase) + i sin(phase) has modulus 1, so that a query is as long as its head.
        return _ComplexProduct.apply(head, torch.cat([torch.cos(relation), torch.sin(relation)], dim=-1))


class CrossSpaceTransE(Distance):
    """``-sum ||h_a + r - t_b||`` over the views a of the head and b of the tail, with one r for all.

    An entity's row holds the dimensions of its structure and its modalities, joined per half as a concatenation is. The
    views are the structure and the sum of the modalities.

    Parameters
    ----------
    n_spaces : int
        The structure and the modalities.
    with_sum : bool
        Adds a term for the sum of both views, of the head and of the tail.

    Examples
    --------
    Four distances between views of two dimensions, each of them the square root of 2:

    >>> import torch
    >>> from skotkge.baselines import CrossSpaceTransE
    >>> score = CrossSpaceTransE(n_spaces=2, with_sum=False)
    >>> head, relation, tail = torch.zeros(4), torch.zeros(2), torch.ones(4)
    >>> score.score_rows(score.query(head, relation), tail)
    tensor(-5.6569)
    """

    gradients_need_scores = False  # they hold the sum; the distance of each term is computed again

    margin = 0.0

    def __init__(self, n_spaces: int, with_sum: bool) -> None:
        self.n_spaces = n_spaces
        self.with_sum = with_sum

    @property
    def _terms(self):
        """View of the head and of the tail that each distance compares."""
        return [(0, 0), (0, 1), (1, 0), (1, 1), *([(2, 2)] if self.with_sum else [])]

    def relation_width(self, width):
        return width // self.n_spaces

    def _views(self, rows):
        """Views of entity rows, ``(..., n_views, d)``."""
        half = self.relation_width(rows.shape[-1]) // 2 * self.n_spaces
        halves = rows[..., :half], rows[..., half:]
        spaces = torch.cat([columns.unflatten(-1, (self.n_spaces, -1)) for columns in halves], dim=-1)
        structure, modalities = spaces[..., 0, :], spaces[..., 1:, :].sum(-2)
        return torch.stack([structure, modalities, *([structure + modalities] if self.with_sum else [])], dim=-2)

    def _of_rows(self, of_views):
        """Gradient of entity rows from that of their views, ``(n_entities, n_views, d)``."""
        # The transpose of `_views`. With v_0 = s_0, v_1 = s_1 + s_2 + ... and v_2 = v_0 + v_1 the gradient of s_0 is
        # dv_0 + dv_2, and that of each other s_k is dv_1 + dv_2.
        if self.with_sum:
            of_views = of_views[:, :2] + of_views[:, 2:]
        spaces = of_views[:, [0] + [1] * (self.n_spaces - 1)]
        half = spaces.shape[-1] // 2
        return torch.cat([spaces[..., :half].flatten(1), spaces[..., half:].flatten(1)], dim=1)

    def _asked(self, query):
        return query.unflatten(-1, (2 + self.with_sum, -1))

    def _paired(self, query, entities):
        """What is compared in each term: a view of the queries and one of the entities."""
        asked, views = self._asked(query), self._views(entities)
        return [(asked[..., source, :], views[..., answer, :]) for source, answer in self._terms]

    def query(self, head, relation):
        return (self._views(head) + relation.unsqueeze(-2)).flatten(-2)

    def score_rows(self, query, tail):
        of_pair = super().score_rows
        return sum(of_pair(*pair) for pair in self._paired(query, tail))

    def score_all(self, query, entities):
        of_all = super().score_all
        return sum(of_all(*pair) for pair in self._paired(query, entities))

    def score_pairs(self, query, entities, queries, chosen):
        of_chosen = super().score_pairs
        return sum(of_chosen(*pair, queries, chosen) for pair in self._paired(query, entities))

    def score_entities(self, entities, query, out):
        term = torch.empty_like(out)
        out.zero_()
        for asked, view in self._paired(query, entities):
            out -= _distances(view, asked, term)
        return out

    def add_gradients(self, query, entities, scores, mass, query_gradient, entity_gradient):
        # Each distance sends its gradient to one view of the queries and one of the entities, both slices of the whole.
        # `_add_distance_gradients` overwrites the mass, and gets a copy of it.
        of_asked, term = self._asked(query_gradient), torch.empty_like(mass)
        of_views = None
        if entity_gradient is not None:
            of_views = entities.new_zeros(len(entities), 2 + self.with_sum, self.relation_width(entities.shape[1]))
        for (source, answer), (asked, view) in zip(self._terms, self._paired(query, entities), strict=True):
            of_view = None if of_views is None else of_views[:, answer]
            _add_distance_gradients(
                asked, view, _distances(view, asked, term), mass.clone(), of_asked[:, source], of_view
            )
        if of_views is not None:
            entity_gradient += self._of_rows(of_views)


# Saved models name the public place of the classes.
for _public in (TransE, DistMult, ComplEx, RotatE):
    _public.__module__ = "skotkge"
CrossSpaceTransE.__module__ = "skotkge.baselines"

SCORE_FUNCTIONS = {"transe": TransE, "distmult": DistMult, "complex": ComplEx, "rotate": RotatE}


def _distances(entities, query, out):
    """Write the distances ``(n_entities, n_queries)`` of every entity from every query into `out`; return it."""
    # ||t_e - q||^2 = ||t_e||^2 + ||q||^2 - 2 <t_e, q>, written into the one array of the size of the scores.
    torch.mm(entities, query.T, out=out).mul_(-2).add_((entities**2).sum(1, keepdim=True)).add_((query**2).sum(1))
    return out.clamp_min_(_least_square(out)).sqrt_()


def _add_distance_gradients(query, entities, distances, mass, query_gradient, entity_gradient, size=1.0):
    """Add the gradients of ``-sum(mass * distances)``; `size` is that of the numbers that rounded the distances."""
    # With D = ||q - t|| the gradient of -m D is m (t - q) / D by q and m (q - t) / D by t. With M = m / D, as large as
    # the scores, that is M' T - diag(M' 1) Q for all queries Q and M Q - diag(M 1) T for all entities T. A distance
    # that is nothing but rounding has no direction, and no gradient.
    rounding = 4 * torch.finfo(distances.dtype).eps * size
    mass.mul_(distances > rounding).div_(distances.clamp_min_(rounding))
    query_gradient.addmm_(mass.T, entities).sub_(mass.sum(0)[:, None] * query)
    if entity_gradient is not None:
        entity_gradient.addmm_(mass, query).sub_(mass.sum(1, keepdim=True) * entities)


class _ComplexProduct(torch.autograd.Function):
    """Product of rows of the same shape whose columns are [real | imaginary] halves."""

    @staticmethod
    def forward(ctx, left, right):
        ctx.save_for_backward(left, right)
        return _multiplied(left, right, 1)

    @staticmethod
    def backward(ctx, gradient):
        left, right = ctx.saved_tensors
        wants_left, wants_right = ctx.needs_input_grad
        return (
            _multiplied(gradient, right, -1) if wants_left else None,
            _multiplied(gradient, left, -1) if wants_right else None,
        )


def _multiplied(left, right, sign):
    """``left * right``, or with a sign of -1 ``left * conj(right)``, in halves."""
    halves, (real, _) = left.unflatten(-1, (2, -1)), right.chunk(2, dim=-1)
    return _add_turned((halves * real[..., None, :]).flatten(-2), left, right, sign)


def _add_multiplied(total, left, right, sign):
    """Add `_multiplied` in place."""
    real, _ = right.chunk(2, dim=-1)
    total.unflatten(-1, (2, -1)).addcmul_(left.unflatten(-1, (2, -1)), real[..., None, :])
    _add_turned(total, left, right, sign)


def _add_turned(total, left, right, sign):
    """Add ``left`` times the imaginary half of ``right``, or of its conjugate, in place; return the sum."""
    # (a + ib) (c + id) = (ac - bd) + i (ad + bc). The products with c are in the total already, and here follow those
    # with d, whose sign is the other one for the conjugate.
    (a, b), (_, d), (real, imaginary) = (rows.chunk(2, dim=-1) for rows in (left, right, total))
    real.addcmul_(b, d, value=-sign)
    imaginary.addcmul_(a, d, value=sign)
    return total


def _add_product(total, left, right):
    if left.dtype == total.dtype:
        total.addmm_(left, right)
    else:
        total.add_(left @ right)


def _least_square(tensor):
    # Some 1e-19 in single precision: the slope 1 / (2 sqrt(x)) of the root is at most some 1e9 above it, and 0 where x
    # is clamped.
    return torch.finfo(tensor.dtype).tiny ** 0.5


def _safe_sqrt(squared):
    """Square root whose gradient stays finite at zero."""
    return torch.sqrt(squared.clamp_min(_least_square(squared)))
