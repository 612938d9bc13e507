"""Filtered ranks and best answers in bounded memory."""

from copy import copy

import numpy as np
import torch

from .._graph.queries import as_triples_of, both_directions
from .constraint_checks import LOWEST
from .parts import AllEntities, PartOfEntities, best_of, query_batches


class Ranker:
    """Ranks and best answers by a `Mixture`.

    Parameters
    ----------
    mixture : Mixture
    checker : ConstraintChecker, default=None
        Answers that it rules out rank below all others, and are not among the best.
    """

    # Of the entities, those that this process scores.
    _part = AllEntities()

    def __init__(self, mixture, checker=None):
        self._mixture, self.checker = mixture, checker

    @property
    def mixture(self):
        """The scores behind the ranks."""
        return self._mixture

    def shared_by(self, processes):
        """Return a ranker of which each process scores a part of the entities; all have to ask it the same at once."""
        shared = copy(self)
        shared._part = PartOfEntities(processes)
        return shared

    def checked_by(self, checker):
        """Return a ranker of the same scores that asks another `ConstraintChecker`."""
        checked = copy(self)
        checked.checker = checker
        return checked

    def is_blank(self, sources, relations):
        """Tell of which queries nothing is known."""
        return self._mixture.is_blank(sources, relations)

    def pair_parts(self, sources, relations, answers):
        """What each kind of evidence adds to the score of each query with one answer, see `Mixture.pair_parts`.

        Returns
        -------
        ndarray of shape (n_parts, n_queries)

        Raises
        ------
        FloatingPointError
            If a score is NaN.
        """
        parts = np.empty((self._mixture.n_parts, len(sources)))
        order = _by_relation(relations)
        # Rows of queries and answers in double precision: as much as four in single.
        for batch in query_batches(len(sources), 4 * self._mixture.n_columns):
            rows = order[batch]
            parts[:, rows] = self._mixture.pair_parts(sources[rows], relations[rows], answers[rows]).cpu().numpy()
        return parts

    def _blocks(self, sources, relations, left_out_of, penalty=LOWEST, answers=None):
        """Yield (positions of queries, their `_Pieces`, which entities are left out).

        Parameters
        ----------
        sources, relations : ndarray of shape (n_queries,)
        left_out_of : callable
            From positions of queries to numbers of these and entities, whose scores nobody looks at.
        penalty : float
            On what constraints rule out.
        answers : ndarray of shape (n_queries,), default=None
            Entities whose scores are looked at although they are left out.
        """
        order = _by_relation(relations)
        for batch, entities in self._part.slices(len(sources), self._mixture):
            positions = order[batch]
            left_out = rows, excluded = left_out_of(positions)
            if answers is not None:
                others = excluded != answers[positions][rows]
                rows, excluded = rows[others], excluded[others]
            queries = sources[positions], relations[positions]
            pieces = _Pieces(self._mixture, entities, queries, (rows, excluded), self.checker, penalty)
            yield positions, pieces, left_out

    def pair_scores(self, sources, relations, answers):
        """Scores ``(n_queries,)`` of each query with one answer in double precision, to rank by.

        They are 0 where nothing is known, and lowest where constraints rule the answer out.
        """
        scores = self.pair_parts(sources, relations, answers).sum(axis=0)
        scores = np.where(self.is_blank(sources, relations), 0.0, scores)
        if self.checker is None:
            return scores
        ids = as_triples_of(sources, relations, answers, self.checker.n_relations)
        return np.where(self.checker.are_ruled_out(ids), LOWEST, scores)

    def ranks(self, sources, relations, answers, known, allowed=None):
        """Filtered rank of the answer of each query, the mean of best and worst rank on ties.

        Parameters
        ----------
        sources, relations, answers : ndarray of shape (n_queries,)
        known : KnownAnswers or KnownUnion
            Left out of the ranking, the answer itself excepted.
        allowed : callable, default=None
            As for `best`; the answer itself is always ranked.

        Returns
        -------
        ndarray of shape (n_queries,)

        Raises
        ------
        FloatingPointError
            If a score is NaN.
        """
        ranks = np.empty(len(sources))

        def left_out_of(rows):
            return known.answers_of(sources[rows], relations[rows])

        for rows, blocks, left_out in self._blocks(sources, relations, left_out_of, answers=answers):
            own = self._part.total(blocks.of_pairs(answers[rows]))[:, None]
            answer = np.arange(len(own)), answers[rows]
            mask = None if allowed is None else allowed(relations[rows])
            # Of N entities B are better than the answer, W worse, T equal and G left out, the answer itself among
            # these: its rank is 1 + B + T / 2 = 1 + (N + B - W - G) / 2, the mean of best and worst. At -inf those left
            # out are worse, so that one sum of signs over all slices and processes is B - W - G.
            better_less_worse = torch.zeros(len(own), dtype=torch.float64, device=self._mixture.device)
            for entities, scores in blocks:
                if mask is not None:
                    scores.masked_fill_(~self._mixture.indices(mask[:, entities])[0], -torch.inf)
                scores[self._mixture.indices(*_inside(entities, *left_out))] = -torch.inf
                scores[self._mixture.indices(*_inside(entities, *answer))] = -torch.inf
                better_less_worse += scores.sub_(own).sign_().sum(1)
            ranks[rows] = 1 + (self._mixture.n_entities + self._part.total(better_less_worse).cpu().numpy()) / 2
        return ranks

    def best(self, sources, relations, k, known=None, allowed=None):
        """The k best answers of each query.

        Parameters
        ----------
        sources, relations : ndarray of shape (n_queries,)
        k : int
        known : KnownAnswers or KnownUnion, default=None
            Answers to leave out.
        allowed : callable, default=None
            From relations ``(n,)`` to a mask of the entities that may answer them, ``(n, n_entities)`` or
            ``(1, n_entities)``.

        Returns
        -------
        answers : ndarray of shape (n_queries, k)
            -1 where fewer answers are left. A query of which nothing is known has none.
        scores : ndarray of shape (n_queries, k)
            Decreasing; -inf where fewer answers are left. A self-loop of a relation that excludes them is no answer.

        Raises
        ------
        FloatingPointError
            If a score is NaN.
        """
        answers = np.full((len(sources), k), -1)
        best = np.full((len(sources), k), -np.inf)

        def left_out_of(rows):
            self_loops = self._mixture.self_loops(sources[rows], relations[rows])
            if known is None:
                return self_loops
            of_known = known.answers_of(sources[rows], relations[rows])
            return tuple(np.concatenate(arrays) for arrays in zip(self_loops, of_known, strict=True))

        for rows, blocks, left_out in self._blocks(sources, relations, left_out_of, penalty=-np.inf):
            mask = None if allowed is None else allowed(relations[rows])
            for entities, scores in blocks:
                scores[self._mixture.indices(*_inside(entities, *left_out))] = -torch.inf
                if allowed is not None:
                    scores.masked_fill_(~self._mixture.indices(mask[:, entities])[0], -torch.inf)
                # The k best of all are among the k best of the slices: O(n_entities) for each query, and 2 k scores
                # kept.
                values, positions = scores.topk(min(k, scores.shape[1]), dim=1)
                found = np.hstack([best[rows], values.cpu().numpy()])
                names = np.hstack([answers[rows], positions.cpu().numpy() + entities.start])
                answers[rows], best[rows] = best_of(names, found, k)
        answers, best = self._part.merged(answers, best)
        best[self.is_blank(sources, relations)] = -np.inf
        answers[np.isneginf(best)] = -1
        return answers, best


class _Pieces:
    """Scores of some queries with all entities, a slice of the entities at a time.

    Iterating yields (slice of entities, scores ``(n_queries, n_entities_of_slice)``), the scores to be written to. They
    are computed anew each time unless one slice holds all entities.
    """

    def __init__(self, mixture, slices, queries, unused, checker=None, penalty=LOWEST):
        self._mixture, self._slices, self._queries, self._unused = mixture, slices, queries, unused
        self._checker, self._penalty = checker, penalty
        self._whole = self._scores(slices[0]) if len(slices) == 1 else None

    def __iter__(self):
        for entities in self._slices:
            yield entities, self._scores(entities) if self._whole is None else self._whole

    def _scores(self, entities):
        scores = self._mixture.scores(entities, *self._queries, _inside(entities, *self._unused))
        if self._checker is not None:
            rows, ruled_out = self._checker.ruled_out(*self._queries, entities)
            row, place = np.nonzero(ruled_out)
            scores[self._mixture.indices(rows[row], place)] += self._penalty
        return scores

    def of_pairs(self, answers):
        """Scores of each query with one answer, to the last digit those that iterating yields."""
        # Read from the same products as the others: another order of summation would break ties by rounding.
        own = torch.zeros(len(answers), device=self._mixture.device)
        for entities, scores in self:
            pairs = self._mixture.indices(*_inside(entities, np.arange(len(answers)), answers))
            own[pairs[0]] = scores[pairs]
        return own


def _by_relation(relations):
    """Return an order in which queries of a relation are neighbours; some evidence prepares itself for a relation."""
    return np.argsort(relations, kind="stable")


def _inside(entities, rows, columns):
    """Of the places (row, entity) those in a slice of the entities, counted from its start."""
    inside = (columns >= entities.start) & (columns < entities.stop)
    return rows[inside], columns[inside] - entities.start


def rank_both_sides(ranker, ids, known, n_relations):
    """Filtered ranks of the heads and tails of triples.

    Returns
    -------
    ndarray of shape (n_triples, 2)
        Rank of the head, rank of the tail.
    """
    ranks = ranker.ranks(*both_directions(ids, n_relations), known)
    tails, heads = ranks.reshape(2, len(ids))
    return np.column_stack([heads, tails])
