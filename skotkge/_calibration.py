"""Log-odds from raw scores, learned on true triples against corrupted ones."""

import warnings

import numpy as np
from sklearn.linear_model import LogisticRegression

from ._queries import AnswerLists


def corrupted_ids(ids, known_ids, n_entities, n_relations, random_state):
    """Corrupt each triple once at its head and once at its tail, leaving out loops and what is known to be true.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    known_ids : ndarray of shape (n_known, 3)
        All true triples, `ids` among them.
    n_entities, n_relations : int
    random_state : RandomState

    Returns
    -------
    ndarray of shape (at most 2 * n_triples, 3)
    """
    corrupted = np.concatenate([ids, ids])
    half = len(ids)
    corrupted[:half, 0] = random_state.randint(n_entities, size=half)
    corrupted[half:, 2] = random_state.randint(n_entities, size=half)
    known = AnswerLists(known_ids, n_relations)
    rows, answers = known.of(corrupted[:, 0], corrupted[:, 1])
    unfit = corrupted[:, 0] == corrupted[:, 2]
    unfit[rows[answers == corrupted[rows, 2]]] = True
    return corrupted[~unfit]


def platt_scaling(positive_scores, negative_scores):
    """Slope and intercept of the log-odds as a linear function of the score, classes weighted equally.

    Parameters
    ----------
    positive_scores, negative_scores : ndarray

    Returns
    -------
    slope, intercept : float
        Both 0 where higher scores do not go with truth.

    Warns
    -----
    UserWarning
        In that case.
    """
    if not len(positive_scores) or not len(negative_scores):
        return 1.0, 0.0
    scores = np.concatenate([positive_scores, negative_scores])
    truth = np.repeat([1, 0], [len(positive_scores), len(negative_scores)])
    centre, scale = scores.mean(), scores.std() or 1.0
    model = LogisticRegression(C=1e3, class_weight="balanced").fit((scores[:, None] - centre) / scale, truth)
    slope = model.coef_[0, 0] / scale
    if slope <= 0:
        warnings.warn(
            "held-out triples do not score higher than corrupted ones, so all probabilities are equal: the model "
            "has not learned to tell them apart.",
            UserWarning,
            stacklevel=4,
        )
        return 0.0, 0.0
    return float(slope), float(model.intercept_[0] - slope * centre)
