"""Answers to questions with two or three empty positions, told in labels."""

import numpy as np
from scipy.special import expit
from sklearn.isotonic import isotonic_regression

from .._ranking.completion import Completions
from .._ranking.pairs import Search, likeliest_of_entity, likeliest_pairs, list_log_odds_of
from .candidates import SIDES, entity_candidates


def answer_openly(predictor, questions, k, known, drops_known, candidates, device):
    """Answer questions, each with two or three empty positions.

    Parameters
    ----------
    predictor : LinkPredictor
    questions : Questions
    k : int
    known : KnownUnion
        Answers that are known to be true.
    drops_known : bool
        Leave known answers out, rather than mark them.
    candidates : as for `entity_candidates`
    device : str

    Returns
    -------
    Completions
    """
    shape = len(questions.ids), k
    labels, scores = np.full((*shape, questions.n_empty), None), np.full(shape, -np.inf)
    probabilities, marks = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    search = Search(known if drops_known else None, entity_candidates(predictor, candidates), device)
    only_seen = isinstance(candidates, str) and candidates == "seen"
    for row in np.flatnonzero(questions.known_rows):
        empty = questions.empty[row]
        best, sides = _best_triples(predictor, questions.ids[row], empty, k, search, only_seen)
        n_found = len(best.ids)
        labels[row, :n_found] = predictor.vocabulary.labels_of(best.ids)[:, empty]
        scores[row, :n_found] = best.log_odds
        # Log-odds order the answers; where the probabilities of lists for one side would rise with the rank, neighbours
        # share their mean, the closest falling sequence.
        of_lists = expit(list_log_odds_of(predictor, best.ids, sides, search))
        probabilities[row, :n_found] = isotonic_regression(of_lists, increasing=False) if n_found else of_lists
        marks[row, :n_found] = known.contains(best.ids)
    return Completions(labels, scores, probabilities, marks, questions, predictor.vocabulary)


def _best_triples(predictor, ids, empty, k, search, only_seen):
    """The best triples that fill one question, and the sides that they are scored at."""
    head, relation, tail = ids.tolist()
    if empty[0] == empty[2]:
        relations = np.arange(predictor.n_relations) if empty[1] else [relation]
        return likeliest_pairs(predictor, relations, k, search), SIDES
    entity, side = (tail, "head") if empty[0] else (head, "tail")
    relations = None
    if only_seen:
        # Those that training has with the entity at its side.
        n_relations = predictor.n_relations
        of_side = predictor.seen[:n_relations] if side == "head" else predictor.seen[n_relations:]
        relations = np.unique(of_side[:, [entity]].tocoo().row)
    return likeliest_of_entity(predictor, entity, side, k, search, relations), (side,)
