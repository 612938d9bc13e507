"""What each process trains of a graph, and batches that have an equal part of every block of triples.

A block is from the shard of one entity to that of another. With balanced batches a process trains what begins in its
own shard, so that it lacks the other ends and the negatives alone. As each batch has about as large a part of each
block, the same in every epoch, it never asks a shard for more rows than is known beforehand.
"""

import numpy as np
import torch

from .._graph.queries import KnownAnswers, slices
from .batches import ANSWERS_OF_A_PIECE, shards_of


def is_balanced(options):
    """Tell whether batches are made of blocks of shards; refuse negatives that cannot be drawn evenly from shards."""
    if options.distributed_batches != "balanced":
        return False
    if getattr(options.objective, "filtered", False):
        raise ValueError(
            f"distributed_batches='balanced' draws negatives evenly from all processes, which objective="
            f"{options.objective!r} does not: set filtered=False, or distributed_batches='random'."
        )
    return True


def dealt_triples(ids, edges, options, generator):
    """Deal triples to the processes, for negatives of each: at random or by the shard of the head.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
        By the numbers that entities have among the processes.
    edges : list of int of length n_processes + 1
        Where the rows of each process begin, and the number of all.
    options : TrainingOptions
    generator : torch.Generator

    Returns
    -------
    list of tensors
        Rows of each process.
    """
    order, n_processes = torch.randperm(len(ids), generator=generator), len(edges) - 1
    if not is_balanced(options):
        return [order[rank::n_processes] for rank in range(n_processes)]
    shards = shards_of(ids[order.numpy(), 0], edges)
    return [order[torch.as_tensor(shards == rank)] for rank in range(n_processes)]


def blocks_of(ids, edges):
    """Triples by the shard of the tail, a list of arrays."""
    shards = shards_of(ids[:, 2], edges)
    return [ids[shards == rank] for rank in range(len(edges) - 1)]


def dealt_queries(ids, n_relations, edges, options, generator):
    """Deal the queries of triples in both directions to the processes, at random or by the shard of the source.

    The answers of a query that training in one process keeps in one piece stay together: what is an answer in a batch
    is no negative in it.

    Parameters
    ----------
    ids, edges, options, generator
        As of `dealt_triples`.
    n_relations : int

    Returns
    -------
    pairs : tensor of shape (2 * n_triples, 3)
        Source, relation or its reciprocal, answer.
    rows : list of tensors
        Of `pairs`, for each process.
    lists : KnownAnswers
        What `pairs` are of.
    """
    lists, n_processes = KnownAnswers(ids, n_relations), len(edges) - 1
    of_query, answers = lists.pairs()
    sources, relations = lists.sources[of_query], lists.relations[of_query]
    pairs = torch.as_tensor(np.column_stack([sources, relations, answers]))
    if is_balanced(options):
        shards = shards_of(sources, edges)
        return pairs, [torch.as_tensor(np.flatnonzero(shards == rank)) for rank in range(n_processes)], lists
    _, starts, counts = lists.split(ANSWERS_OF_A_PIECE)
    order = torch.randperm(len(counts), generator=generator).numpy()
    # By the number of answers, so that each process gets equally many.
    order = order[np.argsort(counts[order], kind="stable")]
    dealt = [order[rank::n_processes] for rank in range(n_processes)]
    return pairs, [torch.as_tensor(slices(starts[pieces], counts[pieces])) for pieces in dealt], lists


class TripleBlocks:
    """Batches of triples with an equal part of every block, each block in a new random order for each epoch.

    Parameters
    ----------
    blocks : list of ndarray of shape (n_triples, 3)
        Some may be empty.
    n_batches : int
    device : str
    generator : torch.Generator
        On the device.
    """

    def __init__(self, blocks, n_batches, device, generator):
        self._blocks = [torch.tensor(ids, dtype=torch.int64).to(device) for ids in blocks]
        self._n_batches, self._generator = n_batches, generator

    def __iter__(self):
        device = self._blocks[0].device
        shuffled = [ids[torch.randperm(len(ids), device=device, generator=self._generator)] for ids in self._blocks]
        parts = [torch.tensor_split(ids, self._n_batches) for ids in shuffled]
        for of_blocks in zip(*parts, strict=True):
            batch = torch.cat(of_blocks)
            if len(batch):
                yield batch


def largest_parts(blocks, n_batches):
    """Return how many triples of each block a batch of `TripleBlocks` has at most."""
    return [-(-len(ids) // n_batches) for ids in blocks]
