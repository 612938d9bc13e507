"""Corruption of true triples into negatives."""

import numpy as np
import torch

from .._graph.queries import KnownAnswers, distinct_rows


def head_corruption_probability(ids, n_relations, method):
    """Probability, for each relation, that a negative replaces the head rather than the tail.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_relations : int
    method : {"uniform", "bernoulli"}
        One half, or ``tph / (tph + hpt)`` with tph the mean number of tails for a head of the relation and hpt the mean
        number of heads for a tail (Wang et al., 2014).

    Returns
    -------
    ndarray of shape (n_relations,)
    """
    if method == "uniform":
        return np.full(n_relations, 0.5)
    # tph = (triples of r) / (distinct heads of r), and hpt the same with tails.
    triples = distinct_rows(ids)
    counts = np.bincount(triples[:, 1], minlength=n_relations)
    heads, tails = (np.bincount(distinct_rows(triples[:, [1, side]])[:, 0], minlength=n_relations) for side in (0, 2))
    tails_per_head, heads_per_tail = counts / np.maximum(heads, 1), counts / np.maximum(tails, 1)
    total = tails_per_head + heads_per_tail
    return np.where(total > 0, tails_per_head / np.where(total > 0, total, 1.0), 0.5)


class Corruption:
    """Replaces the head or the tail of triples by entities drawn uniformly, on the device.

    A negative is an answer to the query that asks for the replaced side: (h, r) for tails, and (t, reciprocal of r) for
    heads.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
        All true triples.
    n_relations, n_entities : int
    method : {"uniform", "bernoulli"}
        See `head_corruption_probability`.
    generator : torch.Generator
        On the device.
    device : str, default="cpu"
    """

    def __init__(self, ids, n_relations, n_entities, method, generator, device="cpu"):
        self._n_relations, self._n_entities, self._generator = n_relations, n_entities, generator
        self._is_uniform = method == "uniform"
        self.head_probability = torch.tensor(head_corruption_probability(ids, n_relations, method)).to(device)

    def draw(self, triples, n_negatives):
        """Draw negatives of true triples.

        Parameters
        ----------
        triples : tensor of shape (n_triples, 3)
        n_negatives : int

        Returns
        -------
        queries : tensor of shape (n_triples * n_negatives,)
            Row of the query of each negative in `queries_of` the triples, in increasing order.
        answers : tensor of the same shape
            The entity that takes the place of the query's true answer.
        counted : tensor of the same shape, dtype bool, or None
            Which of them count; None is all.
        """
        queries = _rows_of_queries(self._n_heads(triples, n_negatives), n_negatives)
        return queries, self._entities(len(queries), triples.device), None

    def _entities(self, number, device):
        """Draw entities."""
        return torch.randint(self._n_entities, (number,), device=device, generator=self._generator)

    def _n_heads(self, triples, n_negatives):
        """How many negatives of each triple replace its head."""
        of_triples = 0.5 if self._is_uniform else self.head_probability[triples[:, 1], None]
        shape = len(triples), n_negatives
        return (torch.rand(shape, device=triples.device, generator=self._generator) < of_triples).sum(1)


class EvenCorruption(Corruption):
    """Draws one entity of each of as many equal parts of the entities as there are negatives, in random order.

    Each negative is uniform, and all of a batch together come evenly from all shards.

    Parameters
    ----------
    corruption : Corruption
        Whose sides are replaced.
    """

    def __init__(self, corruption):
        vars(self).update(vars(corruption))

    def _entities(self, number, device):
        # Part p of N is [p n / N, (p + 1) n / N), of real numbers: an entity may have several parts, or one several
        # entities. In double precision the largest product may be rounded up to n.
        parts = torch.randperm(number, device=device, generator=self._generator)
        uniform = torch.rand(number, dtype=torch.float64, device=device, generator=self._generator)
        drawn = ((parts + uniform) * (self._n_entities / max(1, number))).long()
        return drawn.clamp_(max=self._n_entities - 1)


def most_even_draws(number, n_entities, n_rows):
    """Return how many of an `EvenCorruption` lie at most among so many entities side by side."""
    # A part at each end reaches in; one more where a product is rounded.
    return -(-number * n_rows // n_entities) + 2


class FilteredCorruption(Corruption):
    """Draws only entities that make no true triple.

    Where every entity answers the query, the other side is replaced. A triple with no room on either side has no
    negatives: none of those drawn for it counts.
    """

    def __init__(self, ids, n_relations, n_entities, method, generator, device="cpu"):
        super().__init__(ids, n_relations, n_entities, method, generator, device)
        self._non_answers = NonAnswers(ids, n_relations, n_entities, device)

    def draw(self, triples, n_negatives):
        """Draw negatives of true triples; parameters and results as those of `Corruption.draw`."""
        sources, relations, _ = queries_of(triples, self._n_relations)
        lists = self._non_answers.of(sources, relations)
        room = self._non_answers.counts[lists]
        of_tails, of_heads = room.view(-1, 2).unbind(1)
        n_heads = self._n_heads(triples, n_negatives).where(of_heads > 0, 0).where(of_tails > 0, n_negatives)
        queries = _rows_of_queries(n_heads, n_negatives)
        room = room[queries]
        # Single precision has 2^24 numbers in [0, 1), too few to reach each entity of a larger graph.
        uniform = torch.rand(len(queries), device=room.device, generator=self._generator, dtype=torch.float64)
        answers = self._non_answers.at(lists[queries], (uniform * room).long())
        return queries, answers, room > 0 if self._non_answers.has_full_lists else None


def queries_of(triples, n_relations):
    """Triples as queries, those of a triple side by side: (h, r) asks for t, and (t, reciprocal of r) for h.

    Parameters
    ----------
    triples : tensor of shape (n_triples, 3)
    n_relations : int

    Returns
    -------
    sources, relations, answers : tensors of shape (2 * n_triples,)
    """
    heads, relations, tails = triples.unbind(1)
    return (
        torch.stack([heads, tails], dim=1).view(-1),
        torch.stack([relations, relations + n_relations], dim=1).view(-1),
        torch.stack([tails, heads], dim=1).view(-1),
    )


def _rows_of_queries(n_heads, n_negatives):
    """Rows in `queries_of` of the triples, with so many negatives of the heads after those of the tails."""
    # Queries 2 i and 2 i + 1 ask for the tail and the head of triple i. The last n_heads[i] of its negatives are heads,
    # so that the rows increase, as products of pairs need.
    left = torch.arange(n_negatives, 0, -1, device=n_heads.device)
    firsts = torch.arange(0, 2 * len(n_heads), 2, device=n_heads.device)
    return torch.add(firsts[:, None], left <= n_heads[:, None]).view(-1)


class NonAnswers:
    """The entities that are no answer of a query, in increasing order, without a list of them.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_relations, n_entities : int
    device : str, default="cpu"

    Attributes
    ----------
    counts : tensor of shape (n_queries,)
        Entities that are no answer of each distinct query of the triples.
    has_full_lists : bool
        Whether a query has all entities as answers.
    """

    def __init__(self, ids, n_relations, n_entities, device="cpu"):
        lists = KnownAnswers(distinct_rows(ids), n_relations)
        # Of the answers a_0 < a_1 < ... of a query, a_i has a_i - i non-answers below it. So non-answer number k is the
        # entity k + #{i : a_i - i <= k}. One bisection counts them for any query, in keys `row * n_entities + a_i - i`,
        # which never fall.
        rows, answers = lists.pairs()
        firsts = np.cumsum(lists.counts) - lists.counts
        non_answers_below = answers - (np.arange(len(rows)) - firsts[rows])
        arrays = (
            lists.sources * 2 * n_relations + lists.relations,
            n_entities - lists.counts,
            firsts,
            rows * n_entities + non_answers_below,
        )
        self._queries, self.counts, self._firsts, self._keys = (torch.as_tensor(array).to(device) for array in arrays)
        self._n_entities, self._base = n_entities, 2 * n_relations
        self.has_full_lists = bool((lists.counts == n_entities).any())

    def of(self, sources, relations):
        """Return the position of each of some queries, which have to be among those of the triples."""
        return torch.searchsorted(self._queries, sources * self._base + relations)

    def at(self, rows, numbers):
        """Return the entity at place `numbers` among the non-answers of queries; where there are none, any."""
        passed = torch.searchsorted(self._keys, rows * self._n_entities + numbers, right=True)
        return (numbers + passed - self._firsts[rows]).clamp_(max=self._n_entities - 1)
