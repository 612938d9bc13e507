"""Ranks of the heads and tails of triples: among all entities, among candidates, and among negatives."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import gen_batches
from sklearn.utils.random import sample_without_replacement

from .candidates import count_candidates

# Answers scored at once where each question has negatives of its own.
PAIRS_AT_ONCE = 2**20


@dataclass(frozen=True)
class Ranking:
    """Ranks of the true answers of triples, one column for each side.

    Attributes
    ----------
    ranks : ndarray of shape (n_triples, n_sides)
        The mean of best and worst rank on ties.
    n_candidates : ndarray of shape (n_triples, n_sides)
        How many entities were ranked, the true answer among them.
    """

    ranks: np.ndarray
    n_candidates: np.ndarray


def side_queries(ids, side, n_relations):
    """Sources, relations or reciprocals, and answers, where the "head" or the "tail" of each triple is asked for."""
    head, relation, tail = ids.T
    return (head, relation, tail) if side == "tail" else (tail, relation + n_relations, head)


def rank_among_entities(predictor, ids, known, sides, allowed=None, device="cpu"):
    """Filtered ranks among all entities or the candidates; the true answer is always one.

    Parameters
    ----------
    predictor : LinkPredictor
    ids : ndarray of shape (n_triples, 3)
    known : KnownUnion
        Left out of the ranking.
    sides : sequence of {"head", "tail"}
    allowed : Candidates, default=None
        None allows all.
    device : str, default="cpu"

    Returns
    -------
    Ranking
    """
    ranker, n_entities = predictor.ranker(device), len(predictor.vocabulary.entities)
    queries = [side_queries(ids, side, predictor.n_relations) for side in sides]
    joined = tuple(np.concatenate(parts) for parts in zip(*queries, strict=True))
    shape = len(sides), len(ids)
    ranks = ranker.ranks(*joined, known, allowed).reshape(shape).T
    return Ranking(ranks, count_candidates(joined, known, n_entities, allowed).reshape(shape).T)


def rank_among_negatives(predictor, ids, negatives, device="cpu"):
    """Ranks of true answers among negatives, which are not filtered.

    Parameters
    ----------
    predictor : LinkPredictor
    ids : ndarray of shape (n_triples, 3)
    negatives : dict of str to ndarray of shape (n_triples, n_negatives)
        Positions of entities for each side; -1, and the true answer itself, are left out.
    device : str, default="cpu"

    Returns
    -------
    Ranking
    """
    columns = [_rank_one_side(predictor, ids, side, among, device) for side, among in negatives.items()]
    ranks, counts = zip(*columns, strict=True)
    return Ranking(np.column_stack(ranks), np.column_stack(counts))


def _rank_one_side(predictor, ids, side, negatives, device):
    queries = side_queries(ids, side, predictor.n_relations)
    ranker, width = predictor.ranker(device), negatives.shape[1] + 1
    ranks, counts = np.empty(len(ids)), np.empty(len(ids), dtype=np.int64)
    for rows in gen_batches(len(ids), max(1, PAIRS_AT_ONCE // width)):
        sources, relations, answers = (array[rows] for array in queries)
        others = negatives[rows]
        counts_as = (others >= 0) & (others != answers[:, None])
        asked = np.column_stack([answers, np.where(counts_as, others, answers[:, None])])
        repeated = (np.repeat(array, width) for array in (sources, relations))
        scores = ranker.pair_scores(*repeated, asked.ravel()).reshape(asked.shape)
        # rank = 1 + sum_j ([s_j > s_0] + [s_j = s_0] / 2) over the negatives j that count, s_0 the score of the answer.
        ahead = (scores[:, 1:] > scores[:, :1]) + (scores[:, 1:] == scores[:, :1]) / 2
        ranks[rows] = 1 + (ahead * counts_as).sum(axis=1)
        counts[rows] = 1 + counts_as.sum(axis=1)
    return ranks, counts


def sample_negatives(predictor, ids, known, sides, number, allowed, random_state):
    """Draw entities that answer no triple known to be true, without replacement, for each side of each triple.

    Parameters
    ----------
    predictor : LinkPredictor
    ids : ndarray of shape (n_triples, 3)
    known : KnownUnion
    sides : sequence of {"head", "tail"}
    number : int
    allowed : Candidates or None
    random_state : RandomState

    Returns
    -------
    dict of str to ndarray of shape (n_triples, number), or (n_triples, n_entities) if these are fewer
        -1 at the end of rows for which there are fewer.
    """
    everyone, drawn = np.arange(len(predictor.vocabulary.entities)), {}
    number = min(number, len(everyone))
    for side in sides:
        sources, relations, answers = side_queries(ids, side, predictor.n_relations)
        rows, others = known.answers_of(sources, relations)
        order = np.argsort(rows, kind="stable")
        true = np.split(others[order], np.searchsorted(rows[order], np.arange(1, len(ids))))
        drawn[side] = np.full((len(ids), number), -1)
        for row, relation in enumerate(relations):
            pool = everyone if allowed is None else allowed.of(relation)
            found = _draw(pool, np.unique(np.append(true[row], answers[row])), number, random_state)
            drawn[side][row, : len(found)] = found
    return drawn


def _draw(pool, left_out, number, random_state):
    """Up to `number` entities of a pool, in random order: so many more are drawn as may have to be left out."""
    n_drawn = min(len(pool), number + len(left_out))
    picks = pool[sample_without_replacement(len(pool), n_drawn, random_state=random_state)]
    return random_state.permutation(picks[~np.isin(picks, left_out)])[:number]
