"""RuleBaseline: link prediction from what training says about the same two entities, without any training."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from .._estimator.base import LinkPredictionEstimator
from .._estimator.calibrating import calibrate
from .._estimator.constraining import SCHEMA, closed, statements_of
from .._estimator.holdout import TrainingSplit, true_and_false
from .._estimator.record import record_of
from .._evidence.rules import FiredRules, count_rules
from .._graph.classes import read_truth
from .._graph.constraints import resolve
from .._graph.queries import both_directions, distinct_rows
from .._graph.triples import as_triples
from .._ranking.calibration import Calibration
from .._ranking.predictor import LinkPredictor, register_evidence
from .._spaces import RULES, EvidenceId
from .._utils.autologging import autologged
from .._utils.sklearn_compat import Interval, StrOptions, fit_context

LARGEST_CALIBRATION = 10_000


class RuleBaseline(LinkPredictionEstimator):
    """Answer questions by the training triples that link the same two entities.

    Nothing is embedded and nothing is optimised. `fit` counts how often two entities that a relation r' links, in
    either direction, are linked by r too: the confidence of the rule "r' implies r". A candidate for (h, r, ?) gets the
    confidence of the best rule whose premise links it with h. The frequency of a candidate among the answers of r is
    one more rule, without premise: it ranks the candidates about which training says nothing else.

    Where test triples are training triples turned around, as in WN9-IMG and FB-IMG, these rules do about as well as
    published embeddings (compare [1]_ and the rule model of [2]_). So the figures of a model say little unless they
    stand beside those of this baseline.

    Parameters
    ----------
    min_confidence : float, default=0.0
        Rules of lower confidence are dropped. 1.0 drops all of them if `smoothing` is positive, and leaves the
        frequency of the candidates.
    smoothing : float, default=1.0
        Added to the number of cases in which the premise of a rule holds, so that a rule seen once or twice counts
        less.
    constraints : mapping of relation to mapping, or "schema", default=None
        What is known of relations, as for `OTKGEClassifier`. Rules that follow have the confidence 1.
    handle_unknown : {"error", "last"}, default="error"
        What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf.
    random_state : int, RandomState instance or None, default=None
        Draws the corrupted triples that probabilities are calibrated with, where y has no known negatives. The true
        ones are those of the fit, at most 10,000 of them, so that frequencies flatter them.

    Attributes
    ----------
    rule_confidences_ : csr_array of shape (2 * n_relations, 2 * n_relations)
        Row b, column r is the confidence of "b implies r" for the same head and tail; relation ``n_relations + r`` is
        the reciprocal of r, so that row ``n_relations + r'`` stands for r' in the other direction.
    answer_frequencies_ : csr_array of shape (2 * n_relations, n_entities)
        Share of the triples of each relation that have the entity as tail (of a reciprocal relation: as head), with
        the same smoothing.
    entities_, relations_ : ndarray, dtype object
        Labels of the columns and relations.
    n_features_in_ : int
        Always 3.

    See Also
    --------
    skotkge.inspection.evaluate_by_leakage : A model and this baseline on the leaked and the other test triples.

    References
    ----------
    .. [1] Toutanova, Chen, "Observed versus latent features for knowledge base and text inference", CVSC 2015.
    .. [2] Dettmers, Minervini, Stenetorp, Riedel, "Convolutional 2D knowledge graph embeddings", AAAI 2018 (the inverse
       model).

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> married = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("eve", "wife_of", "joe")]
    >>> rules = RuleBaseline().fit([*married, ("zoe", "wife_of", "leo"), ("leo", "husband_of", "zoe")])
    >>> rules.rank([("joe", "husband_of", "eve")])
    array([[1., 1.]])
    """

    _parameter_constraints = {
        "min_confidence": [Interval(Real, 0, 1, closed="both")],
        "smoothing": [Interval(Real, 0, None, closed="left")],
        "constraints": [Mapping, StrOptions({SCHEMA}), None],
        "handle_unknown": [StrOptions({"error", "last"})],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        min_confidence: float = 0.0,
        smoothing: float = 1.0,
        constraints: Mapping[Any, Mapping[str, Any]] | str | None = None,
        handle_unknown: str = "error",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.min_confidence = min_confidence
        self.smoothing = smoothing
        self.constraints = constraints
        self.handle_unknown = handle_unknown
        self.random_state = random_state

    @autologged
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> "RuleBaseline":
        """Count the rules and the frequencies of answers in true triples.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}; rows of 0 are known to be false and left out. None means that all rows are true.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y holds other values than 0 and 1 or no 1, or `constraints` names labels that X lacks.
        """
        classes, y, _ = read_truth(y)
        X, negatives = true_and_false(as_triples(X).with_fusion(None), y, warns=False)
        statements = statements_of(self.constraints, X)
        X = closed(X, resolve(statements, X.vocabulary)) if statements else X
        predictor = self._counted(X, statements)
        random_state = check_random_state(self.random_state)
        # One line, as confidences of different relations are comparable; more triples would place it no better.
        sample = random_state.permutation(len(X))[:LARGEST_CALIBRATION]
        split = TrainingSplit(X, X.ids[sample], X, negatives, classes=classes)
        calibration = calibrate(predictor, split, random_state, by_relation=False)
        validate_data(self, X, skip_check_array=True)
        vars(self).update(
            predictor_=replace(predictor, calibration=calibration),
            handle_unknown_=self.handle_unknown,
            **record_of(split),
        )
        return self

    def _counted(self, X, statements):
        """The predictor of rules and frequencies, not yet calibrated."""
        n_relations, true_ids = len(X.relations), distinct_rows(X.ids)
        counted = dict(smoothing=float(self.smoothing), min_confidence=self.min_confidence)
        certain = resolve(statements, X.vocabulary).same if statements else None
        rules = count_rules(true_ids, X.n_entities, n_relations, **counted, certain=certain)
        frequencies = answer_frequencies(true_ids, X.n_entities, n_relations, counted["smoothing"])
        parts = frequencies.data, frequencies.indices, frequencies.indptr
        return LinkPredictor(
            vocabulary=X.vocabulary,
            true_ids=true_ids,
            evidence=(RuleOrFrequency(EvidenceId(RULES), rules, parts, X.n_entities),),
            weights=np.ones((1, 2 * n_relations)),
            calibration=Calibration.identity(n_relations),
            informed=(np.ones(X.n_entities, dtype=bool), np.ones(2 * n_relations, dtype=bool)),
            excludes_self_loops=np.zeros(2 * n_relations, dtype=bool),
            statements=statements,
        )

    @property
    def rule_confidences_(self):
        """Confidence of each rule, csr_array of shape (2 * n_relations, 2 * n_relations)."""
        return self._fitted_predictor().evidence[0].rules.confidences

    @property
    def answer_frequencies_(self):
        """Frequency of each answer of each relation, csr_array of shape (2 * n_relations, n_entities)."""
        return self._fitted_predictor().evidence[0].frequencies


def answer_frequencies(ids, n_entities, n_relations, smoothing):
    """Share of the triples of each relation and reciprocal that have an entity as answer.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_entities, n_relations : int
    smoothing : float
        Triples with no answer that are imagined for each relation.

    Returns
    -------
    csr_array of shape (2 * n_relations, n_entities)
    """
    _, relations, answers = both_directions(ids, n_relations)
    cases = np.bincount(relations, minlength=2 * n_relations) + smoothing
    shape = 2 * n_relations, n_entities
    return sparse.csr_array((1 / cases[relations], (relations, answers)), shape=shape)


@dataclass(frozen=True)
class RuleOrFrequency:
    """The confidence of the best rule for an answer, or its frequency where that is higher.

    Attributes
    ----------
    id : EvidenceId
    rules : FiredRules
    frequency_parts : tuple of ndarray
        Data, indices and index pointer of the frequencies ``(2 * n_relations, n_entities)``.
    n_entities : int
    """

    id: EvidenceId
    rules: FiredRules
    frequency_parts: tuple
    n_entities: int

    @property
    def frequencies(self):
        """The frequencies as a csr_array."""
        data, indices, starts = self.frequency_parts
        return sparse.csr_array((data, indices, starts), shape=(len(starts) - 1, self.n_entities))

    def on(self, device):
        """Return the scores of the evidence on a device."""
        return _RuleOrFrequencyScores(self, device)

    def extended(self, unseen):
        """Return the same evidence among more entities."""
        return replace(self, n_entities=self.n_entities + len(unseen))

    def facts(self, source, relation, answer):
        """The rules that fire, surest first, and the frequency of the answer; see `Evidence`."""
        frequency = float(self.frequencies[relation, answer])
        found = [("frequency of the answer", frequency, [])] if frequency else []
        return self.rules.facts(source, relation, answer) + found

    def state(self):
        """Return plain values and arrays."""
        parts = {"frequency_parts": self.frequency_parts, "n_entities": self.n_entities}
        return {"id": tuple(self.id), "rules": self.rules.state(), **parts}

    @classmethod
    def from_state(cls, state):
        """Return the evidence that `state` was made of."""
        return cls(**state | {"id": EvidenceId(*state["id"]), "rules": FiredRules.from_state(state["rules"])})


register_evidence(RuleOrFrequency)


class _RuleOrFrequencyScores:
    """`RuleOrFrequency` on a device, as `BoundEvidence`."""

    n_columns = 1

    def __init__(self, evidence, device):
        self._rules, self._frequencies = evidence.rules, evidence.frequencies.tocsc()
        self.n_entities, self._device = evidence.n_entities, device

    def queries(self, sources, relations):
        """Source entities and relations of queries as arrays."""
        return sources.cpu().numpy(), relations.cpu().numpy()

    def add_scores(self, entities, queries, weights, out):
        """Add the weighted scores with a slice of the entities to `out`."""
        sources, relations = queries
        scores = self._frequencies[:, entities].tocsr()[relations].toarray()
        rows, answers, fired = self._rules.of(sources, relations)
        first, stop, _ = entities.indices(self.n_entities)
        inside = (answers >= first) & (answers < stop)
        rows, answers = rows[inside], answers[inside] - first
        scores[rows, answers] = np.maximum(scores[rows, answers], fired[inside])
        out += weights * torch.tensor(scores, dtype=torch.float32, device=self._device)

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer, in double precision."""
        answers = answers.cpu().numpy()
        # Copies: SciPy sets flags that the memory of a tensor does not allow.
        frequencies = np.asarray(self._frequencies[queries[1].copy(), answers.copy()]).ravel()
        return torch.tensor(np.maximum(frequencies, self._rules.of_pairs(*queries, answers)), device=self._device)


# Saved models name the public place of the class.
RuleBaseline.__module__ = "skotkge.baselines"
