"""The likeliest triples of which two or all three positions are empty, a tile of heads and tails at a time."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils import gen_batches

from .._graph.queries import KnownAnswers
from .answer_calibration import LISTED
from .evaluation import side_queries
from .parts import SCORES_OF_A_BLOCK, affordable_scores

# Of a tile: scores in both directions, their mean, and what is left out.
TILES_AT_ONCE = 4
# Answers kept at once where one entity is asked about in every relation.
ANSWERS_AT_ONCE = 2**20


@dataclass(frozen=True)
class Search:
    """What may answer, and on which device answers are looked for.

    Attributes
    ----------
    known : KnownAnswers or KnownUnion or None
        Triples that are left out.
    allowed : Candidates or None
        Entities that may answer.
    device : str
    """

    known: object = None
    allowed: object = None
    device: str = "cpu"


class BestTriples:
    """The k best of all triples that it has been shown.

    Parameters
    ----------
    k : int

    Attributes
    ----------
    ids : ndarray of shape (at most k, 3)
    log_odds, scores : ndarray of shape (at most k,)
        Decreasing log-odds, and raw scores, which order equal log-odds of one relation.
    """

    def __init__(self, k):
        self._k = k
        self.ids, self.log_odds, self.scores = np.empty((0, 3), dtype=np.int64), np.empty(0), np.empty(0)

    def add(self, ids, log_odds, scores):
        """Show more triples."""
        ids, log_odds, scores = (
            np.concatenate(parts) for parts in ((self.ids, ids), (self.log_odds, log_odds), (self.scores, scores))
        )
        order = np.lexsort((-scores, -log_odds))[: self._k]
        self.ids, self.log_odds, self.scores = ids[order], log_odds[order], scores[order]

    def takes(self, log_odds):
        """Tell whether a triple with these log-odds could be among the best."""
        return len(self.ids) < self._k or log_odds >= self.log_odds[-1]


def likeliest_pairs(predictor, relations, k, search):
    """The heads and tails of some relations with the greatest `LinkPredictor.log_odds`.

    Every pair is scored in both directions, as a triple by itself is.

    Parameters
    ----------
    predictor : LinkPredictor
    relations : sequence of int
    k : int
    search : Search

    Returns
    -------
    BestTriples
    """
    # n_entities^2 pairs of each relation in both directions, in square tiles, which read the fewest rows for so many
    # scores.
    best = BestTriples(k)
    affordable = affordable_scores() // TILES_AT_ONCE
    fast = min(affordable, SCORES_OF_A_BLOCK) if search.device == "cpu" else affordable
    slices = list(gen_batches(len(predictor.vocabulary.entities), max(1, math.isqrt(fast))))
    for relation in relations:
        tiles = _Tiles(predictor, int(relation), search)
        for heads in slices:
            for tails in slices:
                tiles.show(heads, tails, k, best)
    return best


class _Tiles:
    """Scores of rectangles of the pairs of one relation."""

    def __init__(self, predictor, relation, search):
        self._predictor, self._relation, self._search = predictor, relation, search
        self._ranker = predictor.ranker(search.device)
        self._mixture = self._ranker.mixture
        everyone = np.arange(len(predictor.vocabulary.entities))
        sides = relation + predictor.n_relations, relation
        if search.allowed is None:
            self._heads, self._tails = everyone, everyone
        else:
            self._heads, self._tails = (search.allowed.of(side) for side in sides)
        self._heads_count, self._tails_count = (
            ~self._ranker.is_blank(everyone, np.full(len(everyone), side)) for side in reversed(sides)
        )

    def show(self, heads, tails, k, best):
        """Show the best pairs of slices of heads and tails."""
        rows, columns = _within(self._heads, heads), _within(self._tails, tails)
        if not len(rows) or not len(columns):
            return
        scores = self._scores(heads, rows, tails, columns)
        self._leave_out(scores, rows, tails, columns)
        calibration, relation = self._predictor.calibration, self._relation
        # Log-odds never fall as scores of a relation rise: the largest score tells whether any of the tile is wanted.
        if not best.takes(calibration.log_odds(float(scores.max()), relation)):
            return
        found, places = (array.cpu().numpy() for array in scores.flatten().topk(min(k, scores.numel())))
        places, found = places[~np.isneginf(found)], found[~np.isneginf(found)].astype(float)
        row, column = np.divmod(places, len(columns))
        ids = np.column_stack([rows[row], np.full(len(row), relation), columns[column]])
        best.add(ids, calibration.log_odds(found, np.full(len(ids), relation)), found)

    def _scores(self, heads, rows, tails, columns):
        """Means over the directions of which something is known ``(n_rows, n_columns)``, -inf without any."""
        relation, reciprocal = self._relation, self._relation + self._predictor.n_relations
        mixture = self._mixture
        forward = mixture.scores(tails, rows, np.full(len(rows), relation))
        forward = forward[:, mixture.indices(columns - tails.start)[0]]
        backward = mixture.scores(heads, columns, np.full(len(columns), reciprocal))
        backward = backward[:, mixture.indices(rows - heads.start)[0]].T
        by_row, by_column = mixture.indices(self._heads_count[rows], self._tails_count[columns])
        # (f a + b c) / (a + c) of the scores f and b in both directions, with a and c 1 where the direction counts,
        # else 0.
        counts = by_row[:, None].float() + by_column[None].float()
        total = forward * by_row[:, None] + backward * by_column[None]
        return torch.where(counts > 0, total / counts.clamp(min=1), -torch.inf)

    def _leave_out(self, scores, rows, tails, columns):
        """Known triples, self-loops that the relation excludes, and what constraints rule out."""
        relations = np.full(len(rows), self._relation)
        pairs = [self._mixture.self_loops(rows, relations)]
        if self._search.known is not None:
            pairs.append(self._search.known.answers_of(rows, relations))
        place_of = np.full(self._mixture.n_entities, -1)
        place_of[columns] = np.arange(len(columns))
        row, answer = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        inside = place_of[answer] >= 0
        scores[self._mixture.indices(row[inside], place_of[answer[inside]])] = -torch.inf
        if self._ranker.checker is not None:
            concerned, mask = self._ranker.checker.ruled_out(rows, relations, tails)
            row, place = np.nonzero(mask[:, columns - tails.start])
            scores[self._mixture.indices(concerned[row], place)] = -torch.inf


def likeliest_of_entity(predictor, entity, side, k, search, relations=None):
    """The relations and answers of one entity with the greatest log-odds in the direction asked in.

    Parameters
    ----------
    predictor : LinkPredictor
    entity : int
    side : {"head", "tail"}
        What is asked for beside the relation; the entity is at the other side.
    k : int
    search : Search
    relations : ndarray of int, default=None
        None is all.

    Returns
    -------
    BestTriples
    """
    best, shift = BestTriples(k), predictor.n_relations if side == "head" else 0
    relations = np.arange(predictor.n_relations) if relations is None else relations
    ranker = predictor.ranker(search.device)
    for rows in gen_batches(len(relations), max(1, ANSWERS_AT_ONCE // k)) if len(relations) else ():
        asked = relations[rows]
        sources, directed = np.full(len(asked), entity), asked + shift
        answers, scores = ranker.best(sources, directed, k, search.known, search.allowed)
        row, place = np.nonzero(answers >= 0)
        ids = np.column_stack([np.full(len(row), entity), asked[row], answers[row, place]])
        ids = ids[:, ::-1] if side == "head" else ids
        found = scores[row, place]
        best.add(ids, predictor.calibration.log_odds(found, asked[row]), found)
    return best


def list_log_odds_of(predictor, ids, sides, search):
    """Log-odds that triples are true as answers in the lists of the questions for their sides.

    On average over the questions of which something is known.

    Parameters
    ----------
    predictor : LinkPredictor
    ids : ndarray of shape (n_triples, 3)
    sides : sequence of {"head", "tail"}
    search : Search

    Returns
    -------
    ndarray of shape (n_triples,)
    """
    ranker, line = predictor.ranker(search.device), predictor.line_of_open_questions
    nothing = KnownAnswers(np.empty((0, 3), dtype=np.int64), predictor.n_relations)
    known = nothing if search.known is None else search.known
    found = np.full((len(sides), len(ids)), np.nan)
    for of_side, side in zip(found, sides, strict=True):
        sources, relations, answers = side_queries(ids, side, predictor.n_relations)
        rows = ~ranker.is_blank(sources, relations)
        sources, relations, answers = sources[rows], relations[rows], answers[rows]
        own = ranker.pair_scores(sources, relations, answers)
        if line is None:
            of_side[rows] = predictor.calibration.log_odds(own, ids[rows, 1])
            continue
        # In the lists of all entities, as the line was learned: among fewer, answers would seem surer.
        _, listed = ranker.best(sources, relations, LISTED, known)
        ranks = ranker.ranks(sources, relations, answers, known)
        of_side[rows] = line.log_odds_at(own, ranks, listed, relations)
    return np.nanmean(found, axis=0) if len(ids) else np.empty(0)


def _within(positions, entities):
    """Those of some positions, in order, that are in a slice."""
    return positions[slice(*np.searchsorted(positions, [entities.start, entities.stop]))]
