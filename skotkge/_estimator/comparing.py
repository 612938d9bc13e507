"""compare: two models on the same questions, with an interval for the difference."""

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import bootstrap
from sklearn import get_config
from sklearn.utils import check_random_state, check_scalar

from .._graph.arguments import as_triple_sets
from .._graph.labels import label_keys
from .._utils.html import table
from .._utils.messages import shown
from ..metrics._ranks import warn_of_trained
from .functions import last_step, transformed


@dataclass(frozen=True)
class Comparison:
    """A metric of two models on the same questions, and how sure the difference is.

    Attributes
    ----------
    metric : str
    values : tuple of two float
        Of the first and the second model.
    interval : tuple of two float
        Ends of the bootstrap interval of the difference.
    confidence : float
        Of the interval.
    ranks : tuple of two ndarray of shape (n_triples, n_sides)
        Filtered ranks by the first and the second model.

    Examples
    --------
    >>> import skotkge
    >>> from skotkge.baselines import RuleBaseline
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> models = [RuleBaseline(random_state=0).fit(triples) for _ in range(2)]
    >>> comparison = skotkge.compare(*models, [("e0", "next", "e2"), ("e3", "next", "e1")], metric="hits@1")
    >>> comparison.difference, comparison.is_certain
    (0.0, False)
    >>> print(comparison)
    hits@1 0.0000 and 0.0000, difference +0.0000, 95 % interval [+0.0000, +0.0000], 2 triples
    """

    metric: str
    values: tuple[float, float]
    interval: tuple[float, float]
    confidence: float
    ranks: tuple[NDArray[np.float64], NDArray[np.float64]] = field(repr=False)

    @property
    def difference(self) -> float:
        """Metric of the first model less that of the second."""
        return self.values[0] - self.values[1]

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves out a difference of zero."""
        return self.interval[0] > 0 or self.interval[1] < 0

    def __str__(self):
        first, second = self.values
        low, high = self.interval
        return (
            f"{self.metric} {first:.4f} and {second:.4f}, difference {self.difference:+.4f}, "
            f"{100 * self.confidence:g} % interval [{low:+.4f}, {high:+.4f}], {len(self.ranks[0])} triples"
        )

    def _repr_html_(self):
        first, second = map(float, self.values)
        low, high = self.interval
        header = ["first model", "second model", "difference", f"{100 * self.confidence:g} % interval", "triples"]
        row = [first, second, f"{self.difference:+.4f}", f"[{low:+.4f}, {high:+.4f}]", len(self.ranks[0])]
        return table(self.metric, header, [row])


def compare(
    a: Any,
    b: Any,
    X: ArrayLike,
    *,
    metric: str = "mrr",
    known: ArrayLike | list[ArrayLike] | None = None,
    confidence: float = 0.95,
    n_resamples: int = 2000,
    random_state: int | np.random.RandomState | None = None,
    **options: Any,
) -> Comparison:
    """Compare the ranks that two models give the same triples, by a paired bootstrap.

    Triples are drawn with replacement, each with the ranks of its sides by both models, so that what is hard for both
    does not count as a difference. The interval has the quantiles of the differences [1]_. It tells of the choice of
    the test triples alone: how much a model changes with its seed, only further fits tell.

    Parameters
    ----------
    a, b : estimator or Pipeline
        Fitted, on the same entities. What either has been fitted on is left out of the rankings of both.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        True triples; a pipeline transforms them.
    metric : str, default="mrr"
        "mrr", "mean_rank" or "hits@k" with any k, such as "hits@10".
    known : triples or list of triples, default=None
        More true triples to leave out of the ranking.
    confidence : float, default=0.95
        That the interval holds the difference, between 0 and 1.
    n_resamples : int, default=2000
    random_state : int, RandomState instance or None, default=None
        Draws the samples.
    **options : keyword arguments
        Of `OTKGEClassifier.rank`: candidates, sides, handle_unknown.

    Returns
    -------
    Comparison

    Raises
    ------
    ValueError
        If there is no such metric, or the models rank different entities and no candidates are given.

    Warns
    -----
    UserWarning
        If either was trained on triples of X.

    References
    ----------
    .. [1] Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Examples
    --------
    >>> import skotkge
    >>> from skotkge.baselines import RuleBaseline
    >>> kg = skotkge.datasets.load_emoji()
    >>> rules, popular = (
    ...     RuleBaseline(min_confidence=least, random_state=0).fit(kg.train) for least in (0.0, 1.0)
    ... )
    >>> comparison = skotkge.compare(rules, popular, kg.test, sides=("tail",), random_state=0)
    >>> comparison.interval[0] <= comparison.difference <= comparison.interval[1]
    True
    """
    value_of = _value_of(metric)
    check_scalar(confidence, "confidence", (int, float), min_val=0, max_val=1, include_boundaries="neither")
    check_scalar(n_resamples, "n_resamples", int, min_val=1)
    models = a, b
    steps = [last_step(model, "rank") for model in models]
    if options.get("candidates") is None:
        _check_entities(steps)
    ranks = []
    for model, step, other in zip(models, steps, reversed(steps), strict=True):
        of_model = transformed(model, X)
        if hasattr(step, "was_trained_on"):
            warn_of_trained(step.was_trained_on(of_model, handle_unknown=options.get("handle_unknown")))
        ranks.append(step.rank(of_model, known=_with_facts_of(known, step, other), **options))
    per_triple = [value_of(of_model).mean(axis=1) for of_model in ranks]
    interval = _interval(per_triple[0] - per_triple[1], confidence, n_resamples, random_state)
    values = tuple(float(of_model.mean()) for of_model in per_triple)
    return Comparison(metric, values, interval, float(confidence), tuple(ranks))


def _value_of(metric):
    """The function from ranks to what a metric is the mean of."""
    if metric == "mrr":
        return np.reciprocal
    if metric == "mean_rank":
        return np.asarray
    found = re.fullmatch(r"hits@([1-9]\d*)", metric) if isinstance(metric, str) else None
    if found is None:
        raise ValueError(f"metric={shown(metric)}; give 'mrr', 'mean_rank' or 'hits@10', with any number.")
    return lambda ranks: (ranks <= int(found[1])).astype(float)


def _interval(differences, confidence, n_resamples, random_state):
    """Quantiles of the means of samples of differences."""
    if len(differences) < 2 or not np.ptp(differences):
        return (float(differences.mean()),) * 2
    affordable = int(get_config()["working_memory"] * 2**20 // (16 * len(differences)))
    found = bootstrap(
        (differences,),
        np.mean,
        n_resamples=n_resamples,
        batch=max(1, min(n_resamples, affordable)),
        confidence_level=confidence,
        method="percentile",
        random_state=check_random_state(random_state),
    ).confidence_interval
    return float(found.low), float(found.high)


def _with_facts_of(known, step, other):
    """More known triples: those that the other model was fitted on, where they are not those of this one."""
    own, more = getattr(step, "predictor_", None), getattr(other, "predictor_", None)
    if own is None or more is None:
        return known
    same = own.vocabulary.is_that_of(more.vocabulary) and np.array_equal(own.true_ids, more.true_ids)
    return known if same else [*as_triple_sets(known), more.vocabulary.labels_of(more.true_ids)]


def _check_entities(steps):
    first, second = (set(label_keys(step.entities_)) if hasattr(step, "entities_") else None for step in steps)
    if first is not None and second is not None and first != second:
        raise ValueError(
            f"the models rank different entities ({len(first - second)} are those of a alone, {len(second - first)} "
            "those of b alone); fit both over the same entities, or give candidates that both know."
        )
