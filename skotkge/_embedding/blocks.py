"""Batches of which every block of triples gives an equal part: those from the shard of the head to that of the tail.

A process trains the triples whose heads lie in its own shard, so that it lacks the tails and the negatives alone. As
each batch has as large a part of each block, it never asks a shard for more rows than is known beforehand.
"""

from itertools import zip_longest

import numpy as np
import torch

from .batches import Queries, QueryBatches


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
    """Deal triples to the processes, at random or by the shard of the head.

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
    shards = _shards_of(ids[order.numpy(), 0], edges)
    return [order[torch.as_tensor(shards == rank)] for rank in range(n_processes)]


def blocks_of(ids, edges):
    """Triples by the shard of the tail, a list of arrays."""
    shards = _shards_of(ids[:, 2], edges)
    return [ids[shards == rank] for rank in range(len(edges) - 1)]


def _shards_of(entities, edges):
    return np.searchsorted(edges[1:-1], entities, side="right")


class QueryBlocks:
    """Batches of `Queries`, each joined of one batch of every block.

    Parameters
    ----------
    blocks : list of ndarray of shape (n_triples, 3)
        Some may be empty.
    n_relations, n_batches, loopless, device, generator
        As of `QueryBatches`.

    Attributes
    ----------
    most_answers : list of int
        Of each block, the most answers that a batch has of it: at least as many as entities at the tails of its part.
    """

    def __init__(self, blocks, n_relations, n_batches, loopless, device, generator):
        of_all = n_relations, n_batches, loopless, device, generator
        batches = [QueryBatches(ids, *of_all) if len(ids) else None for ids in blocks]
        self._batches = [of_block for of_block in batches if of_block is not None]
        self.most_answers = [0 if of_block is None else of_block.most_answers for of_block in batches]

    def __iter__(self):
        for parts in zip_longest(*self._batches):
            yield joined([part for part in parts if part is not None])


def joined(parts):
    """Join several batches of `Queries` into one."""
    n_queries = [len(part.relations) for part in parts]
    firsts = np.cumsum([0, *n_queries[:-1]]).tolist()
    sources, answers, relations, loops = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("sources", "answers", "relations", "loops")
    )
    of_queries = torch.cat([part.counts[:number] for part, number in zip(parts, n_queries, strict=True)])
    of_answers = torch.cat([part.counts_of_answers for part in parts])
    rows = torch.cat([part.rows + first for part, first in zip(parts, firsts, strict=True)])
    counts = torch.cat([of_queries, of_answers, of_queries])
    numbers = torch.arange(len(relations), device=relations.device)
    return Queries(torch.cat([sources, answers]), relations, counts, loops, numbers, rows)


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
