"""Completions of questions in ids, told in labels."""

import numpy as np
from scipy.special import expit

from .._ranking.answer_calibration import LISTED
from .._ranking.completion import Completions
from .candidates import entity_candidates, relation_candidates


def answer(predictor, questions, k, known, drops_known, candidates, device):
    """Answer questions, each with one empty position.

    Parameters
    ----------
    predictor : LinkPredictor
    questions : Questions
    k : int
    known : KnownUnion
        Answers that are known to be true.
    drops_known : bool
        Leave known answers out, rather than mark them.
    candidates : as for `entity_candidates`, or for relations `relation_candidates`
    device : str

    Returns
    -------
    Completions
    """
    shape = len(questions.ids), k
    labels, scores = np.full(shape, None), np.full(shape, -np.inf)
    probabilities, marks = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    left_out = known if drops_known else None
    for column, rows in questions.by_column():
        ids, vocabulary = questions.ids[rows], predictor.vocabulary
        if column == 1:
            allowed = relation_candidates(predictor, candidates, ids)
        else:
            allowed = entity_candidates(predictor, candidates)
        answers, raw = predictor.best_answers(ids, column, max(k, LISTED), left_out, allowed, device)
        log_odds = predictor.list_log_odds(raw, ids, column)[:, :k]
        answers, raw = answers[:, :k], raw[:, :k]
        names = vocabulary.relations if column == 1 else vocabulary.entities
        labels[rows] = np.where(answers >= 0, names[answers], None)
        found, place = np.nonzero(answers >= 0)
        triples = ids[found]
        triples[:, column] = answers[found, place]
        scores[rows[found], place] = predictor.answer_log_odds(raw, ids, column)[found, place]
        probabilities[rows[found], place] = expit(log_odds[found, place])
        marks[rows[found], place] = known.contains(triples)
    return Completions(labels, scores, probabilities, marks, questions, predictor.vocabulary)
