"""The triples of an epoch in batches that are made on the device, with sizes known before anything is drawn."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils import gen_batches

from .._graph.queries import distinct_rows, slices

# A query with many answers in one batch moves its few rows too far at once, so its answers are spread over several.
ANSWERS_OF_A_PIECE = 4
# Batches whose indices are made together: a few operations for all, and no copy of the indices of the whole epoch.
BATCHES_AT_ONCE = 64


# What a score is lowered by to count for nothing, far from an overflow also where another is added to it.
LEAST_SCORE = torch.finfo(torch.float32).min / 8


@dataclass(frozen=True)
class Queries:
    """A batch of distinct queries, in tensors on the device.

    Attributes
    ----------
    entities : tensor of shape (n_queries + n_answers,)
        The source of each query, and behind them the answers.
    relations : tensor of shape (n_queries,)
    counts : tensor of shape (n_queries + n_answers + n_queries,)
        What each of the entities and of the relations counts: how many triples share it, or the sum of their weights.
    loops : tensor of shape (n_queries,)
        `LEAST_SCORE` where the source is no candidate, else 0.
    numbers : tensor of shape (n_queries,)
        0, 1, ...
    rows : tensor of shape (n_answers,)
        Position of the query of each answer.
    """

    entities: torch.Tensor
    relations: torch.Tensor
    counts: torch.Tensor
    loops: torch.Tensor
    numbers: torch.Tensor
    rows: torch.Tensor

    @property
    def sources(self):
        """Of each query."""
        return self.entities[: len(self.relations)]

    @property
    def answers(self):
        """Of all queries."""
        return self.entities[len(self.relations) :]

    @property
    def counts_of_answers(self):
        """What each of the answers counts."""
        return self.counts[len(self.relations) : len(self.entities)]


class QueryBatches:
    """Distinct queries, each with up to `ANSWERS_OF_A_PIECE` of its answers, in a new random order for each epoch.

    Queries with equally many answers are shuffled among themselves and dealt out to the batches in turn. So each batch
    has as many queries and answers in every epoch, and nobody has to ask the device where it ends. With `edges` those
    are shuffled among themselves that have equally many answers in each shard: each batch has as many of a shard in
    every epoch, and about as many as the other batches.

    Parameters
    ----------
    lists : KnownAnswers
    n_batches : int
        Fewer where there are not as many queries.
    loopless : ndarray of shape (2 * n_relations,), dtype bool
        Relations whose queries do not have their source among the candidates.
    device : str
    generator : torch.Generator
        On the device.
    weights : ndarray of shape (n_triples,), default=None
        What each triple counts; None is 1.
    edges : list of int of length n_shards + 1, default=None
        Entities where shards begin, and the number of all. None is one shard.

    Attributes
    ----------
    largest : int
        Queries of the largest batch.
    most_answers : ndarray of shape (n_shards,) or None
        With `edges`, the most answers that a batch has of each shard.
    """

    def __init__(self, lists, n_batches, loopless, device, generator, weights=None, edges=None):
        of_piece, starts, counts = lists.split(ANSWERS_OF_A_PIECE)
        if edges is None:
            alike, by_count = counts, np.argsort(counts, kind="stable")
        else:
            of_shards = _answers_by_shard(lists, starts, counts, edges)
            alike = distinct_rows(of_shards, return_inverse=True)[1].ravel()
            # Those with most answers are dealt out first.
            by_count = np.lexsort((alike, -counts))
        self._sizes = _lengths_of_runs(alike[by_count])
        of_piece, starts, counts = of_piece[by_count], starts[by_count], counts[by_count]
        relations = lists.relations[of_piece]
        self._generator = generator
        self._answers = torch.as_tensor(lists.pairs()[1]).to(device)
        weights = None if weights is None else np.tile(weights, 2)[lists.order].astype(np.float32)
        self._weights = None if weights is None else torch.as_tensor(weights).to(device)
        loops = np.where(loopless, LEAST_SCORE, 0.0).astype(np.float32)
        of_pieces = lists.sources[of_piece], relations, loops[relations], starts
        self._of_pieces = [torch.as_tensor(array).to(device) for array in of_pieces]
        del alike, of_piece, starts, of_pieces, relations  # of millions of triples each counts

        n_batches = max(1, min(n_batches, len(counts)))
        if edges is None:
            # In the order of their numbers of answers the pieces i, i + n_batches, i + 2 n_batches, ... make batch i:
            # batches differ by one query at most.
            batch_of = np.arange(len(counts)) % n_batches
        else:
            of_shards = of_shards[by_count]
            batch_of = _evenly_dealt(of_shards, self._sizes, n_batches)
        dealt = np.argsort(batch_of, kind="stable")
        self._deal(dealt, np.bincount(batch_of, minlength=n_batches), counts[dealt])
        self.most_answers = None
        if edges is not None:
            sums = np.pad(of_shards[dealt].cumsum(axis=0), ((1, 0), (0, 0)))
            self.most_answers = np.diff(sums[self._ends], axis=0).max(axis=0, initial=0)

    def _deal(self, dealt, in_batch, counts):
        """Take down the pieces of the batches, one batch after the other, how many each has, and their answers."""
        # Shuffling leaves the number of answers at each place, so that this holds for all epochs.
        device = self._answers.device
        ends = np.concatenate([[0], np.cumsum(in_batch)])
        self._ends, self.largest = ends.tolist(), int(in_batch.max(initial=0))
        self._answer_ends = np.concatenate([[0], np.cumsum(counts)])[ends].tolist()
        positions = np.arange(len(counts)) - np.repeat(ends[:-1], in_batch)
        self._dealt, self._counts, self._positions = (
            torch.as_tensor(array).to(device) for array in (dealt, counts, positions)
        )

    def __iter__(self):
        order = self._shuffled()
        for block in gen_batches(len(self._ends) - 1, BATCHES_AT_ONCE):
            yield from self._assembled(order, block.start, block.stop)

    def _shuffled(self):
        """Queries by their numbers of answers, shuffled among those alike, in the order of the batches."""
        parts, first = [], 0
        for size in self._sizes:
            parts.append(torch.randperm(size, device=self._dealt.device, generator=self._generator) + first)
            first += size
        return torch.cat(parts)[self._dealt]

    def _assembled(self, order, start, stop):
        """Yield some of the batches."""
        first, last = self._ends[start], self._ends[stop]
        first_answer, last_answer = self._answer_ends[start], self._answer_ends[stop]
        sources, relations, loops, starts = (array[order[first:last]] for array in self._of_pieces)
        counts = self._counts[first:last]
        pieces = torch.arange(last - first, device=counts.device)
        of_answers = torch.repeat_interleave(pieces, counts, output_size=last_answer - first_answer)
        # The answers of a query stand side by side in the list of all, and here from `cumsum - counts` on.
        shifts = starts - counts.cumsum(0) + counts
        places = shifts[of_answers] + torch.arange(len(of_answers), device=counts.device)
        numbers = self._positions[first:last]
        rows = numbers[of_answers]
        n_queries, n_answers = (np.diff(ends[start : stop + 1]).tolist() for ends in (self._ends, self._answer_ends))
        of_queries, of_answers = self._counted(counts, of_answers, places)
        entities = _side_by_side((sources, n_queries), (self._answers[places], n_answers))
        counts = _side_by_side((of_queries, n_queries), (of_answers, n_answers), (of_queries, n_queries))
        relations, loops, numbers = (array.split(n_queries) for array in (relations, loops, numbers))
        yield from map(Queries, entities, relations, counts, loops, numbers, rows.split(n_answers))

    def _counted(self, counts, of_answers, places):
        """What queries count with so many answers, and what each of the answers."""
        if self._weights is None:
            counts = counts.to(torch.float32)
            return counts, counts.new_ones(len(places))
        weights = self._weights[places]
        return weights.new_zeros(len(counts)).index_add_(0, of_answers, weights), weights


def _answers_by_shard(lists, starts, counts, edges):
    """How many answers of each piece lie in each shard, ``(n_pieces, n_shards)``."""
    shards = shards_of(lists.pairs()[1][slices(starts, counts)], edges)
    n_shards = len(edges) - 1
    places = np.repeat(np.arange(len(counts)), counts) * n_shards + shards
    return np.bincount(places, minlength=len(counts) * n_shards).reshape(-1, n_shards)


def shards_of(entities, edges):
    """The shard in which each of some entities lies, by where the shards begin."""
    return np.searchsorted(edges[1:-1], entities, side="right")


def _evenly_dealt(of_shards, sizes, n_batches):
    """The batch of each piece, such that all batches have about as many answers of each shard.

    Parameters
    ----------
    of_shards : ndarray of shape (n_pieces, n_shards)
        Answers of each piece, equal ones side by side.
    sizes : list of int
        How many are equal.
    n_batches : int

    Returns
    -------
    ndarray of shape (n_pieces,)
    """
    # Each batch gets as many of a kind as all others; what is left over goes to those that have least in its shards.
    load, batches, first = np.zeros((n_batches, of_shards.shape[1])), [], 0
    for size in filter(None, sizes):
        kind, (each, rest) = of_shards[first], divmod(size, n_batches)
        least = np.argsort(load @ kind, kind="stable")[:rest]
        load[least] += kind
        batches += [np.repeat(np.arange(n_batches), each), least]
        first += size
    return np.concatenate([np.empty(0, dtype=np.int64), *batches])


def _lengths_of_runs(values):
    """How many equal values stand side by side, for each run of them."""
    edges = np.flatnonzero(np.diff(values)) + 1
    return np.diff(np.concatenate([[0], edges, [len(values)]])).tolist()


def _side_by_side(*parts):
    """For each batch its rows of several tensors in one; of each tensor with the number of its rows in each batch."""
    # One concatenation for all batches, which are views of it.
    pieces = [array.split(sizes) for array, sizes in parts]
    joined = torch.cat([piece for of_batch in zip(*pieces, strict=True) for piece in of_batch])
    return joined.split([sum(sizes) for sizes in zip(*(sizes for _, sizes in parts), strict=True)])


class TripleBatches:
    """Triples, or pairs of triples and their weights, in a new random order for each epoch, in parts of `batch_size`.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    batch_size : int
    device : str
    generator : torch.Generator
        On the device.
    weights : ndarray of shape (n_triples,), default=None
        What each triple counts.
    """

    def __init__(self, ids, batch_size, device, generator, weights=None):
        self._ids = torch.tensor(ids, dtype=torch.int64).to(device)
        self._weights = None if weights is None else torch.tensor(weights, dtype=torch.float32).to(device)
        self._batch_size, self._generator = batch_size, generator

    def __iter__(self):
        order = torch.randperm(len(self._ids), device=self._ids.device, generator=self._generator)
        for batch in gen_batches(len(order), self._batch_size):
            rows = order[batch]
            triples = self._ids.index_select(0, rows)
            yield triples if self._weights is None else (triples, self._weights.index_select(0, rows))
