"""A fit that goes on from the one before: its triples, and the parameters that training starts from."""

from dataclasses import dataclass

import numpy as np

from .._graph.queries import KnownAnswers
from .._ranking.calibration import Negatives
from .._utils.messages import shown
from .fact_weights import FactWeights
from .growing import continue_with
from .grown_graph import with_triples
from .vectors import spaces_of


@dataclass(frozen=True)
class Continuation:
    """What a fit begins with.

    Attributes
    ----------
    X : MultimodalTriples
        The rows to train on: those given, and those that the fit before has trained on.
    negatives : Negatives
    known_ids : ndarray of shape (n_known, 3)
        Triples that are known to be true beside them.
    weights : FactWeights or None
    start, continuation : dict of EvidenceId to dict of str to ndarray, or None
        ``TrainedSpace.parameters`` and ``TrainedSpace.continuation`` of each space.
    """

    X: object
    negatives: Negatives
    known_ids: np.ndarray
    weights: FactWeights | None = None
    start: dict | None = None
    continuation: dict | None = None


def from_nothing(X, negatives, row_weights):
    """A fit that goes on from nothing."""
    weights = None if row_weights is None else FactWeights.of_rows(X.ids, row_weights)
    return Continuation(X, negatives, np.empty((0, 3), dtype=np.int64), weights)


def from_the_last_fit(predictor, X, negatives, row_weights, options, history):
    """A fit that goes on from a predictor, and forgets nothing that it knows.

    Parameters
    ----------
    predictor : LinkPredictor
    X : MultimodalTriples
        True rows.
    negatives : Negatives
    row_weights : ndarray of shape (n_triples,) or None
        What the rows of X count.
    options : FitOptions
    history : dict of str to dict
        As for `continue_with`.

    Returns
    -------
    Continuation

    Raises
    ------
    ValueError
        If there are modalities, and X is over another table.
    """
    given = X.ids
    if not predictor.vocabulary.is_that_of(X.vocabulary):
        if X.fusion is not None or predictor.encoder is not None:
            raise ValueError(
                "warm_start=True with modalities needs the entities and relations of the previous fit, in the same "
                "order; give partial_fit new ones, or set warm_start=False to start anew."
            )
        graph = with_triples(predictor, X)
        predictor = continue_with(predictor, graph, options, history)
        negatives = Negatives(_ids_in(graph.vocabulary, X, negatives.ids), negatives.true_share)
        given, X = _ids_in(graph.vocabulary, X, X.ids), graph.triples
    trained = predictor.counted
    earlier = predictor.true_ids[trained.contains(predictor.true_ids)]
    missing = earlier[~KnownAnswers(X.ids, predictor.n_relations).contains(earlier)]
    if len(missing):
        X = X.with_triples(np.concatenate([_labels_of(X, missing), X.labels]))
        X = X if X.fusion is None else X.fusion.refit(X)
    spaces = spaces_of(predictor).values()
    return Continuation(
        X,
        negatives,
        predictor.true_ids,
        _joined_weights(predictor, given, row_weights),
        {space.id: space.parameters for space in spaces},
        {space.id: space.continuation for space in spaces},
    )


def _joined_weights(predictor, ids, row_weights):
    """Weights of the rows given and of those before, which count 1 where they had none."""
    if row_weights is None and predictor.fact_weights is None:
        return None
    others = ~KnownAnswers(ids, predictor.n_relations).contains(predictor.true_ids)
    before = np.ones(len(others)) if predictor.fact_weights is None else predictor.fact_weights
    now = np.ones(len(ids)) if row_weights is None else row_weights
    return FactWeights.of_rows(np.concatenate([predictor.true_ids[others], ids]), np.concatenate([before[others], now]))


def _ids_in(vocabulary, X, ids):
    labels = _labels_of(X, ids)
    found = vocabulary.ids_of(labels)
    if (found < 0).any():
        row = labels[(found < 0).any(axis=1)][0].tolist()
        raise ValueError(
            f"X has the false triple {shown(row)}, with a label of no true triple of this fit or the one before; "
            "leave it out."
        )
    return found


def _labels_of(X, ids):
    columns = (X.entities, X.relations, X.entities)
    return np.column_stack([names[column] for names, column in zip(columns, ids.T, strict=True)])
