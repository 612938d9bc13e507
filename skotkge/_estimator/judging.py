"""What early stopping judges an epoch by: ranks, accuracy, or a scorer of the user's, on the held-out triples."""

from numbers import Real

import numpy as np
from sklearn.utils import check_random_state

from .._evidence.embedding import EmbeddingEvidence, EmbeddingScores
from .._graph.queries import both_directions
from .._ranking.calibration import Calibration, corrupted_ids
from .._ranking.predictor import LinkPredictor
from .._ranking.ranker import Ranker
from .._spaces import STRUCTURE, EvidenceId
from .._utils.messages import shown
from .base import LinkPredictionEstimator
from .validation import ValidationScore

RANKING_METRICS = ("mrr", "hits@1", "hits@3", "hits@10")
METRICS = (*RANKING_METRICS, "accuracy")


def validation_score(split, facts, options):
    """Return a function of the tables of a space that gives its score on the held-out triples, or None.

    Parameters
    ----------
    split : TrainingSplit
    facts : object
        With ``n_relations``, ``known`` and ``mixture(evidence, device=)``.
    options : FitOptions

    Returns
    -------
    callable or None
        Called with entity and relation tensors, returns a float; None without early stopping or held-out triples.
    """
    if not (options.early_stopping and len(split.validation_ids)):
        return None
    if callable(options.metric):
        return _by_scorer(split, facts, options)
    if options.metric == "accuracy":
        return _by_accuracy(split, facts, options)
    return _by_ranks(split, facts, options)


def _by_ranks(split, facts, options):
    queries = both_directions(split.validation_ids, facts.n_relations)
    return ValidationScore(queries, facts, options.training.score_function, options.training.device, options.metric)


def _by_accuracy(split, facts, options):
    """Share of true and false triples on the right side of the best threshold of their relation."""
    ids, truth = _with_negatives(split, facts, options)
    device, n_relations = options.training.device, facts.n_relations

    def score(entities, relations):
        scores = EmbeddingScores(options.training.score_function, entities, relations, device)
        parts = Ranker(facts.mixture([scores], device=device)).pair_parts(*both_directions(ids, n_relations))
        return accuracy_at_best_thresholds(parts.sum(axis=0).reshape(2, -1).mean(axis=0), truth, ids[:, 1])

    return score


def _with_negatives(split, facts, options):
    """Held-out triples and known negatives, or where there are none corrupted ones; and which are true."""
    negatives = split.negatives.ids
    if not len(negatives):
        random_state = check_random_state(options.seed)
        negatives = corrupted_ids(split.validation_ids, facts.known, facts.n_entities, random_state, facts.seen)
    ids = np.concatenate([split.validation_ids, negatives])
    return ids, np.arange(len(ids)) < len(split.validation_ids)


def accuracy_at_best_thresholds(scores, truth, groups):
    """Accuracy where each group has the threshold that is best for it.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
    truth : ndarray of shape (n_rows,), dtype bool
    groups : ndarray of shape (n_rows,)

    Returns
    -------
    float
    """
    order = np.lexsort((scores, groups))
    scores, truth, groups = scores[order], truth[order], groups[order]
    right = 0
    for rows in np.split(np.arange(len(groups)), np.flatnonzero(np.diff(groups)) + 1):
        # A threshold below place i of the sorted scores has false rows before it right, and true ones from it on.
        false_before = np.concatenate([[0], np.cumsum(~truth[rows])])
        true_after = truth[rows].sum() - np.concatenate([[0], np.cumsum(truth[rows])])
        possible = np.concatenate([[True], np.diff(scores[rows]) > 0, [True]])
        right += (false_before + true_after)[possible].max()
    return float(right / len(truth))


def _by_scorer(split, facts, options):
    """The scorer of the user's, called as scikit-learn calls one, with an estimator of the space alone."""
    ids, truth = split.validation_ids, None
    if len(split.negatives.ids):
        ids = np.concatenate([ids, split.negatives.ids])
        truth = split.classes[(np.arange(len(ids)) < len(split.validation_ids)).astype(int)]
    columns = split.all.entities, split.all.relations, split.all.entities
    X = np.column_stack([names[column] for names, column in zip(columns, ids.T, strict=True)])

    def score(entities, relations):
        return _value_of(options.metric, space_so_far(split, facts, options, entities, relations), X, truth)

    return score


def _value_of(scorer, estimator, X, truth):
    """What a scorer of the user's says, or an error that tells what it may have missed."""
    try:
        value = scorer(estimator, X, truth)
    except (AttributeError, TypeError, ValueError) as error:
        remedy = "give a scorer, called as scorer(estimator, X, y)"
        if truth is None:
            remedy = (
                "the validation triples have no labels for it, all of them are true: give y_val with rows of 0 for "
                "triples of X_val that are false (without X_val, y), or a metric of ranks, 'mrr' or "
                "skotkge.metrics.make_ranking_scorer()"
            )
        raise ValueError(
            f"metric={shown(scorer)} has failed on the validation triples: {type(error).__name__}: {error}; {remedy}."
        ) from error
    if not isinstance(value, Real) or np.isnan(value):
        raise ValueError(
            f"metric={shown(scorer)} says {shown(value)} of the validation triples; give a scorer that returns one "
            "number, greater where the model is better."
        )
    return float(value)


class SpaceSoFar(LinkPredictionEstimator):
    """A space in training as a fitted estimator, for scorers: it ranks and scores; its log-odds are raw scores."""

    def fit(self, X, y=None):
        """Refuse: the fit that asks for its score trains it."""
        raise NotImplementedError("a space in training is not to be fitted by the scorer that judges it.")


def space_so_far(split, facts, options, entities, relations):
    """The `SpaceSoFar` of tensors of entities and relations."""
    tables = (table.detach().cpu().numpy() for table in (entities, relations))
    space = EmbeddingEvidence(EvidenceId(STRUCTURE), options.training.score_function, *tables, {})
    estimator = SpaceSoFar()
    estimator.classes_, estimator.handle_unknown_ = split.classes, "error"
    estimator.predictor_ = LinkPredictor(
        vocabulary=split.all.vocabulary,
        true_ids=facts.true_ids,
        evidence=(space,),
        weights=np.ones((1, 2 * facts.n_relations)),
        calibration=Calibration.identity(facts.n_relations),
        informed=facts.informed,
        excludes_self_loops=facts.excludes_self_loops,
        trained=facts.are_in(split.train),
    )
    return estimator
