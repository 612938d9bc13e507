"""Corruption of true triples into negatives."""

import numpy as np
import torch

from .._graph.queries import KnownAnswers, both_directions


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
    triples = np.unique(ids, axis=0)
    counts = np.bincount(triples[:, 1], minlength=n_relations)
    heads, tails = (
        np.bincount(np.unique(triples[:, [1, side]], axis=0)[:, 0], minlength=n_relations) for side in (0, 2)
    )
    tails_per_head, heads_per_tail = counts / np.maximum(heads, 1), counts / np.maximum(tails, 1)
    total = tails_per_head + heads_per_tail
    return np.where(total > 0, tails_per_head / np.where(total > 0, total, 1.0), 0.5)


class Corruption:
    """Replaces the head or the tail of triples by entities drawn uniformly.

    A negative is an answer to the query that asks for the replaced side: (h, r) for tails, and (t, reciprocal of r) for
    heads.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
        All true triples.
    n_relations, n_entities : int
    method : {"uniform", "bernoulli"}
        See `head_corruption_probability`.
    generator : torch.Generator on the CPU
    """

    def __init__(self, ids, n_relations, n_entities, method, generator):
        self._n_relations, self._n_entities, self._generator = n_relations, n_entities, generator
        self.head_probability = torch.tensor(head_corruption_probability(ids, n_relations, method))

    def draw(self, triples, n_negatives):
        """Draw negatives of true triples.

        Parameters
        ----------
        triples : ndarray of shape (n_triples, 3)
        n_negatives : int

        Returns
        -------
        queries : ndarray of shape (at most n_triples * n_negatives,)
            Row of the query of each negative in `both_directions` of the triples.
        answers : ndarray of the same shape
            The entity that takes the place of the query's true answer.
        """
        replaces_head = self._replaces_head(triples, n_negatives)
        answers = torch.randint(self._n_entities, replaces_head.shape, generator=self._generator)
        return _queries(replaces_head).ravel(), answers.numpy().ravel()

    def _replaces_head(self, triples, n_negatives):
        uniform = torch.rand(len(triples), n_negatives, generator=self._generator)
        return (uniform < self.head_probability[torch.tensor(triples[:, 1]), None]).numpy()


class FilteredCorruption(Corruption):
    """Draws only entities that make no true triple.

    Where every entity answers the query, the other side is replaced. A triple with no room on either side has no
    negatives.
    """

    def __init__(self, ids, n_relations, n_entities, method, generator):
        super().__init__(ids, n_relations, n_entities, method, generator)
        self._non_answers = NonAnswers(KnownAnswers(np.unique(ids, axis=0), n_relations), n_entities)

    def draw(self, triples, n_negatives):
        """Draw negatives of true triples; parameters and results as those of `Corruption.draw`."""
        replaces_head = self._replaces_head(triples, n_negatives)
        sources, relations, _ = both_directions(triples, self._n_relations)
        lists = self._non_answers.of(sources, relations)
        room = self._non_answers.counts[lists]
        replaces_head ^= room[_queries(replaces_head)] == 0
        queries = _queries(replaces_head).ravel()
        queries = queries[room[queries] > 0]
        uniform = torch.rand(len(queries), generator=self._generator, dtype=torch.float64).numpy()
        return queries, self._non_answers.at(lists[queries], (uniform * room[queries]).astype(np.int64))


def _queries(replaces_head):
    """Row of the query in `both_directions` that each replaced side answers."""
    return np.arange(len(replaces_head))[:, None] + len(replaces_head) * replaces_head


class NonAnswers:
    """The entities that are no answer of a query, in increasing order, without a list of them.

    Parameters
    ----------
    lists : KnownAnswers
        Of distinct triples.
    n_entities : int

    Attributes
    ----------
    counts : ndarray of shape (n_queries,)
        Entities that are no answer of each query of `lists`.
    """

    def __init__(self, lists, n_entities):
        self.of = lists.positions
        self.counts = n_entities - lists.counts
        self._n_entities = n_entities
        self._firsts = np.cumsum(lists.counts) - lists.counts
        rows, answers = lists.pairs()
        non_answers_below = answers - (np.arange(len(rows)) - self._firsts[rows])
        self._keys = rows * n_entities + non_answers_below

    def at(self, rows, numbers):
        """Return the entity at place `numbers` among the non-answers of the queries `rows` of the lists."""
        passed = np.searchsorted(self._keys, rows * self._n_entities + numbers, side="right")
        return numbers + passed - self._firsts[rows]


def draw_candidates(own, n_drawn, n_entities, generator):
    """Draw entities that stand for all that a batch does not hold.

    Parameters
    ----------
    own : tensor of shape (n_own,)
        Entities of the batch, repeated or not.
    n_drawn : int
        Uniform draws among all entities; those repeated and those of the batch are dropped.
    n_entities : int
    generator : torch.Generator on the CPU

    Returns
    -------
    candidates : tensor of shape (n_candidates,)
        The distinct entities of the batch, then those drawn.
    places : tensor of shape (n_own,)
        Position of each of `own` among the candidates.
    multiplicity : tensor of shape (n_candidates,), dtype float32
        How many entities each candidate stands for: 1 in the batch, and the same share of the others for those drawn.
    """
    present, places = torch.unique(own, return_inverse=True)
    drawn = torch.unique(torch.randint(n_entities, (n_drawn,), generator=generator))
    others = drawn[present[torch.searchsorted(present, drawn).clamp_(max=len(present) - 1)] != drawn]
    multiplicity = torch.ones(len(present) + len(others))
    multiplicity[len(present) :] = (n_entities - len(present)) / max(1, len(others))
    return torch.cat([present, others]), places, multiplicity
