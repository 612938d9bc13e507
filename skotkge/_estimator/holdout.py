"""The rows that `OTKGEClassifier.fit` trains on, judges itself by and calibrates with."""

from dataclasses import dataclass, field, replace

import numpy as np

from .._graph.arguments import true_rows
from .._graph.cover import spare_rows
from .._graph.label_columns import as_label_triples
from .._graph.labels import first_occurrences, name_first, same_labels
from .._graph.queries import KnownAnswers, distinct_rows
from .._graph.triples import MultimodalTriples
from .._ranking.calibration import FEWEST_NEGATIVES, Negatives
from .._utils.messages import tell
from .fact_weights import FactWeights


@dataclass(frozen=True)
class TrainingSplit:
    """True triples by their use, and known negatives.

    Attributes
    ----------
    train : MultimodalTriples
        Those to train on while others are held out, with a fusion of their own.
    validation_ids : ndarray of shape (n_held, 3)
        True triples for early stopping, weights and calibration.
    all : MultimodalTriples
        All true rows of X.
    negatives : Negatives
    known_ids : ndarray of shape (n_known, 3)
        Triples that are known to be true beside all of these.
    weights : FactWeights or None
        What each true triple counts in training.
    classes : ndarray of shape (2,)
        What y calls false and true.
    """

    train: MultimodalTriples
    validation_ids: np.ndarray
    all: MultimodalTriples
    negatives: Negatives
    known_ids: np.ndarray = field(default_factory=lambda: np.empty((0, 3), dtype=np.int64))
    weights: FactWeights | None = None
    classes: np.ndarray = field(default_factory=lambda: np.array([0, 1]))

    @property
    def true_ids(self):
        """Distinct ids of all true triples, those of validation included."""
        return distinct_rows(np.concatenate([self.all.ids, self.validation_ids, self.known_ids]))


def true_and_false(X, y, warns=True):
    """Return the true rows of X and its known negatives.

    Parameters
    ----------
    X : MultimodalTriples
    y : array-like of shape (n_triples,) or None
        Labels in {0, 1}; None means that all rows are true.
    warns : bool, default=True
        Whether modalities without a fusion are worth a warning.

    Raises
    ------
    ValueError
        If y has other values or no 1, or X carries the fusion of other entities.

    Warns
    -----
    UserWarning
        If X has modalities that no fusion uses.
    """
    true = true_rows(y, len(X))
    fusion = X.fusion
    if fusion is not None and not same_labels(fusion.entities, X.entities):
        raise ValueError("X has other entities than the fusion attached to it; fit OTFusionTransformer on X.")
    if warns and fusion is None and X.modalities:
        tell(
            f"the modalities {', '.join(X.modalities)} are not used: X has no fusion attached; put an "
            "OTFusionTransformer before this classifier in a Pipeline."
        )
    return X[true], Negatives(X.ids[~true], true.mean())


def make_split(X, negatives, X_val, y_val, validation_fraction, random_state):
    """Split true rows by their use: judge by `X_val` where it is given, else hold a fraction out.

    Parameters
    ----------
    X : MultimodalTriples
        True rows.
    negatives : Negatives
    X_val, y_val
        As for the estimators.
    validation_fraction : float
    random_state : RandomState

    Returns
    -------
    TrainingSplit
    """
    if X_val is not None:
        split = split_with_validation(X, negatives, X_val, y_val)
    elif y_val is not None:
        raise ValueError("y_val labels the rows of X_val, but X_val is None; give X_val too, or neither.")
    else:
        split = split_held_out(X, negatives, validation_fraction, random_state)
    return _without_contradictions(split)


def _without_contradictions(split):
    """The split without known negatives that are true in another row."""
    if not len(split.negatives.ids):
        return split
    known = KnownAnswers(split.true_ids, len(split.all.relations))
    true = known.contains(split.negatives.ids)
    if not true.any():
        return split
    first = split.all.vocabulary.labels_of(split.negatives.ids[true][:1])[0]
    tell(
        f"{np.count_nonzero(true)} triples are false in one row of y or y_val and true in another, such as "
        f"({', '.join(map(str, first))}): they count as true."
    )
    # Of a rows of 1 and b of 0, of which c are left, the share a / (a + c) has the odds a / b times b / c.
    share, n_left = split.negatives.true_share, np.count_nonzero(~true)
    odds = share / (1 - share) * len(true) / max(n_left, 1)
    return replace(split, negatives=Negatives(split.negatives.ids[~true], odds / (1 + odds)))


def split_held_out(X, negatives, fraction, random_state):
    """Hold a part of the rows of X out of training, with every entity and relation kept in it.

    Parameters
    ----------
    X : MultimodalTriples
        True rows.
    negatives : Negatives
    fraction : float
        Of the rows; 0 holds out none.
    random_state : RandomState

    Returns
    -------
    TrainingSplit

    Warns
    -----
    UserWarning
        If no row can be spared.
    """
    if fraction == 0:
        return TrainingSplit(X, X.ids[:0], X, negatives)
    spared = spare_rows(X.ids, fraction, random_state)
    if not len(spared):
        repeated = len(distinct_rows(X.ids)) < len(X)
        tell(
            "no triple can be held out for validation without taking an entity or a relation from training"
            f"{', and none is that occurs in several rows (give each row once)' if repeated else ''}: "
            "training for max_iter epochs and calibrating on the training triples."
        )
        return TrainingSplit(X, X.ids[:0], X, negatives)
    kept = X[np.setdiff1d(np.arange(len(X)), spared)]
    return TrainingSplit(kept if X.fusion is None else X.fusion.refit(kept), X.ids[spared], X, negatives)


def split_with_validation(X, negatives, X_val, y_val):
    """Keep all rows of X, and judge by the true rows of X_val.

    Parameters
    ----------
    X : MultimodalTriples
        True rows.
    negatives : Negatives
        Of X; those of `X_val` take their place if there are enough, or as many.
    X_val : MultimodalTriples or array-like of labels of shape (n_validation, 3)
    y_val : array-like of shape (n_validation,) or None
        None means that all are true.

    Returns
    -------
    TrainingSplit

    Raises
    ------
    ValueError
        If `X_val` is empty or has labels that X lacks, or `y_val` other values than 0 and 1 or no 1.
    """
    labels = as_label_triples(X_val)
    if not len(labels):
        raise ValueError(
            "X_val has no triple; leave it at None to hold out a part of X, or set validation_fraction=0 too to do "
            "without validation."
        )
    ids = X.vocabulary.ids_of(labels)
    if (ids < 0).any():
        unknown = name_first(first_occurrences(labels[ids < 0]))
        raise ValueError(f"X_val has labels that X lacks: {unknown}; validate on entities and relations of X.")
    true = true_rows(y_val, len(ids), "y_val", "X_val")
    trained = np.count_nonzero(KnownAnswers(X.ids, len(X.relations)).contains(ids[true]))
    if trained:
        tell(
            f"{trained} of the {np.count_nonzero(true)} true rows of X_val are rows of X, too: early stopping, weights "
            "and probabilities are judged by what was trained on; leave them out of X or X_val."
        )
    n_false = np.count_nonzero(~true)
    if n_false >= min(FEWEST_NEGATIVES, max(1, len(negatives.ids))):
        negatives = Negatives(ids[~true], true.mean())
    _, first_rows = distinct_rows(ids[true], return_index=True)
    return TrainingSplit(X, ids[true][np.sort(first_rows)], X, negatives)
