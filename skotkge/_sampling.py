"""Corruption of true triples into negatives."""

import numpy as np
import torch


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


def corrupt(relations, head_probability, n_negatives, n_entities, generator):
    """Draw replacements for the heads or tails of a batch of triples.

    Parameters
    ----------
    relations : tensor of shape (n_triples,), on the CPU
    head_probability : tensor of shape (n_relations,), on the CPU
    n_negatives, n_entities : int
    generator : torch.Generator on the CPU

    Returns
    -------
    replacement : tensor of shape (n_triples, n_negatives), dtype int64
        Entity ids, drawn uniformly.
    replaces_head : tensor of shape (n_triples, n_negatives), dtype bool
    """
    shape = (len(relations), n_negatives)
    replacement = torch.randint(n_entities, shape, generator=generator)
    replaces_head = torch.rand(shape, generator=generator) < head_probability[relations, None]
    return replacement, replaces_head
