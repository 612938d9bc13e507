"""Completions of questions in ids, told in labels."""

import numpy as np
from scipy.special import expit

from .._ranking.answer_calibration import LISTED
from .._ranking.completion import Completions
from .lookup import entities_of, relations_of


def answer(predictor, questions, k, known, drops_known, candidates, device):
    """Answer questions, each with one empty place.

    Parameters
    ----------
    predictor : LinkPredictor
    questions : Questions
    k : int
    known : KnownUnion
        Answers that are known to be true.
    drops_known : bool
        Leave known answers out, rather than mark them.
    candidates : None, "seen" or array-like of labels
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
        allowed = allowed_answers(predictor, candidates, column, ids)
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


def allowed_answers(predictor, candidates, column, ids):
    """Which answers are allowed: a function from relations to masks of entities, or a mask of relations; None is all.

    Raises
    ------
    ValueError
        If candidates is another string than "seen", or has unknown labels.
    """
    if candidates is None:
        return None
    vocabulary = predictor.vocabulary
    if not isinstance(candidates, str):
        chosen = np.zeros((1, vocabulary.shape[int(column == 1)]), dtype=bool)
        chosen[0, (relations_of if column == 1 else entities_of)(candidates, vocabulary, "candidates")] = True
        return chosen if column == 1 else lambda relations: chosen
    if candidates != "seen":
        raise ValueError(f"candidates={candidates!r}; give 'seen', None or an array of labels.")
    if column != 1:
        return lambda relations: predictor.seen[relations].toarray()
    n_relations = predictor.n_relations
    tails, heads = predictor.seen[:n_relations].T.tocsr(), predictor.seen[n_relations:].T.tocsr()
    return tails[ids[:, 2]].toarray() & heads[ids[:, 0]].toarray()
