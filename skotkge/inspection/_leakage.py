"""Test triples that training triples between the same two entities give away, and evaluation apart from them."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_scalar

from .. import metrics
from .._evidence.rules import PairLinks, at_least, rule_confidences
from .._graph.label_columns import as_label_triples
from .._graph.labels import LabelIndex, first_occurrences
from .._graph.queries import KnownAnswers
from .._graph.triples import as_triples
from .._utils.autologging import unlogged
from .._utils.html import bar, table
from .._utils.messages import shown
from ..baselines import RuleBaseline
from ..metrics._report import SHOWN_RELATIONS, relations_and_ranks

KINDS = ("linked", "reversed", "inverse", "same_direction", "repeated")
SHOWN_METRICS = ("mrr", "hits@1", "hits@3", "hits@10")


@dataclass(frozen=True)
class LeakageReport:
    """Which test triples have their two entities linked in training.

    Printing the report shows a table of all triples and of the 20 most frequent relations.

    Parameters
    ----------
    linked : ndarray of shape (n_triples,), dtype bool
        Head and tail are linked in training, by any relation in either direction.
    reversed : ndarray of shape (n_triples,), dtype bool
        (t, r', h) is in training for some relation r'.
    inverse : ndarray of shape (n_triples,), dtype bool
        (t, r', h) is in training for an inverse r' of the relation of the triple.
    same_direction : ndarray of shape (n_triples,), dtype bool
        (h, r', t) is in training for some relation r', perhaps the very relation of the triple.
    repeated : ndarray of shape (n_triples,), dtype bool
        The very triple is in training.
    relations : ndarray of shape (n_triples,), dtype object
        Labels of the relations of the triples.

    Examples
    --------
    >>> from skotkge.inspection import leakage_report
    >>> train = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("eve", "wife_of", "joe")]
    >>> report = leakage_report(train, [("joe", "husband_of", "eve"), ("bob", "husband_of", "eve")])
    >>> report.counts["inverse"], report.shares["linked"]
    (1, 0.5)
    """

    linked: NDArray[np.bool_] = field(repr=False)
    reversed: NDArray[np.bool_] = field(repr=False)
    inverse: NDArray[np.bool_] = field(repr=False)
    same_direction: NDArray[np.bool_] = field(repr=False)
    repeated: NDArray[np.bool_] = field(repr=False)
    relations: NDArray[np.object_] = field(repr=False)

    @property
    def leaked(self) -> NDArray[np.bool_]:
        """Mask of the triples that count as leaked: those that are `linked`."""
        return self.linked

    @property
    def counts(self) -> dict[str, int]:
        """Number of all triples (``triples``) and of those of each kind."""
        return self._counts_of(slice(None))

    @property
    def shares(self) -> dict[str, float]:
        """Share of all triples that is of each kind."""
        return {kind: float(np.mean(getattr(self, kind))) for kind in KINDS}

    @property
    def relation_counts(self) -> dict[Any, dict[str, int]]:
        """The `counts` of the triples of each relation, the most frequent relation first."""
        labels = first_occurrences(self.relations)
        codes = LabelIndex(labels, "relations").positions(self.relations)
        counts = np.bincount(codes)
        rows_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
        return {labels[code]: self._counts_of(rows_of[code]) for code in np.argsort(-counts, kind="stable")}

    def _counts_of(self, rows):
        masks = {kind: getattr(self, kind)[rows] for kind in KINDS}
        return {"triples": len(masks["linked"])} | {kind: int(mask.sum()) for kind, mask in masks.items()}

    def __repr__(self):
        counts = ", ".join(f"{name}={count}" for name, count in self.counts.items())
        return f"{type(self).__name__}({counts})"

    def _repr_html_(self):
        rows = []
        for label, counts in [("all", self.counts), *list(self.relation_counts.items())[:SHOWN_RELATIONS]]:
            n_triples = counts["triples"]
            kinds = [f"{counts[kind]} ({counts[kind] / n_triples:.1%})" for kind in KINDS]
            rows.append([label, n_triples, *kinds, bar(counts["linked"] / n_triples)])
        return table("Test triples whose entities are linked in training", ["", "triples", *KINDS, ""], rows)

    def __str__(self):
        by_relation = self.relation_counts
        shown = list(by_relation.items())[:SHOWN_RELATIONS]
        rows = [("all", self.counts), *((str(label), counts) for label, counts in shown)]
        width = max(len(title) for title, _ in rows) + 2
        lines = [f"{'':<{width}}{'triples':>9}" + "".join(f"{kind:>18}" for kind in KINDS)]
        for title, counts in rows:
            cells = (f"{counts[kind]} ({100 * counts[kind] / counts['triples']:5.1f} %)" for kind in KINDS)
            lines.append(f"{title:<{width}}{counts['triples']:>9}" + "".join(f"{cell:>18}" for cell in cells))
        if len(shown) < len(by_relation):
            lines.append(f"and {len(by_relation) - len(shown)} more in relation_counts")
        return "\n".join(lines)


def leakage_report(train: ArrayLike, test: ArrayLike, *, min_confidence: float = 0.5) -> LeakageReport:
    """Find the test triples whose head and tail are linked in training.

    Such a triple may be answered by turning a training triple around or by changing its relation, without knowing
    anything else about the two entities. FB15k-237 was made from FB15k by removing them [1]_.

    Parameters
    ----------
    train, test : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        Matched by label; a test triple with a label that training lacks is linked to nothing.
    min_confidence : float, default=0.5
        A relation r' counts as an inverse of r if at least this share of the training pairs that r' links are linked by
        r in the other direction. A symmetric relation is an inverse of itself.

    Returns
    -------
    LeakageReport

    Raises
    ------
    ValueError
        If there is no test triple or no training triple, or `min_confidence` is not between 0 and 1.

    References
    ----------
    .. [1] Toutanova, Chen, "Observed versus latent features for knowledge base and text inference", CVSC 2015.

    Examples
    --------
    >>> from skotkge.inspection import leakage_report
    >>> train = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("eve", "wife_of", "joe")]
    >>> train += [("joe", "knows", "bob")]
    >>> report = leakage_report(train, [("joe", "husband_of", "eve"), ("bob", "knows", "eve")])
    >>> report
    LeakageReport(triples=2, linked=1, reversed=1, inverse=1, same_direction=0, repeated=0)
    >>> report.leaked
    array([ True, False])
    """
    check_scalar(min_confidence, "min_confidence", (int, float), min_val=0, max_val=1)
    train, labels = as_triples(train), as_label_triples(test)
    for name, part in (("train", train), ("test", labels)):
        if not len(part):
            raise ValueError(f"{name} has no triple; give at least one.")
    ids = train.vocabulary.ids_of(labels)
    heads, relations, tails = ids.T
    n_relations = len(train.relations)
    links = PairLinks(train.ids, train.n_entities, n_relations)
    found = links.of(heads, tails)
    inverses = at_least(rule_confidences(links, smoothing=0.0), max(min_confidence, np.finfo(float).tiny))
    premises = inverses.T.tocsr()[np.maximum(relations, 0), n_relations:]
    backwards = found[:, n_relations:]
    reversed_ = _filled(backwards)
    same_direction = _filled(found[:, :n_relations])
    return LeakageReport(
        linked=reversed_ | same_direction,
        reversed=reversed_,
        inverse=_filled(backwards.multiply(premises).tocsr()) & (relations >= 0),
        same_direction=same_direction,
        repeated=KnownAnswers(train.ids, n_relations).contains(ids),
        relations=labels[:, 1],
    )


def _filled(matrix):
    """Tell which rows of a sparse matrix have an entry."""
    return np.diff(matrix.indptr) > 0


@dataclass(frozen=True)
class LeakageEvaluation:
    """Metrics of filtered ranks on the leaked and on the other test triples.

    ``evaluation["unleaked"]["mrr"]`` is short for ``evaluation.metrics["unleaked"]["mrr"]``. Printing shows a table.

    Parameters
    ----------
    metrics : dict of str to dict of str to float
        As from `skotkge.metrics.summarize_ranks`, for the parts ``all``, ``leaked`` and ``unleaked``; a part without
        triples is absent.
    baseline_metrics : dict of str to dict of str to float or None
        The same for `skotkge.baselines.RuleBaseline`; None if it was not asked for.
    leaked : ndarray of shape (n_triples,), dtype bool
    ranks : ndarray of shape (n_triples, 2)
        Filtered ranks of heads and tails.
    baseline_ranks : ndarray of shape (n_triples, 2) or None

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> from skotkge.inspection import evaluate_by_leakage
    >>> train = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> train += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> evaluation = evaluate_by_leakage(RuleBaseline().fit(train), train, [("joe", "husband_of", "eve")])
    >>> evaluation["leaked"]["mrr"], evaluation.baseline_metrics["leaked"]["mrr"]
    (1.0, 1.0)
    """

    metrics: dict
    baseline_metrics: dict | None
    leaked: NDArray[np.bool_] = field(repr=False)
    ranks: NDArray[np.float64] = field(repr=False)
    baseline_ranks: NDArray[np.float64] | None = field(repr=False)

    def __getitem__(self, part):
        return self.metrics[part]

    def __str__(self):
        sizes = {part: int(mask.sum()) for part, mask in _parts(self.leaked).items()}
        lines = [f"{'':<26}{'triples':>9}" + "".join(f"{name:>9}" for name in SHOWN_METRICS)]
        for part, found in self.metrics.items():
            lines.append(_line(part, sizes[part], found))
            if self.baseline_metrics is not None:
                lines.append(_line(f"{part}, rule baseline", sizes[part], self.baseline_metrics[part]))
        return "\n".join(lines)

    def _repr_html_(self):
        sizes = {part: int(mask.sum()) for part, mask in _parts(self.leaked).items()}
        rows = []
        for part, found in self.metrics.items():
            models = {part: found}
            if self.baseline_metrics is not None:
                models[f"{part}, rule baseline"] = self.baseline_metrics[part]
            for title, metrics_of in models.items():
                values = [float(metrics_of[name]) for name in SHOWN_METRICS]
                rows.append([title, sizes[part], *values, bar(metrics_of["mrr"])])
        return table("Filtered ranking, by leakage", ["", "triples", *SHOWN_METRICS, ""], rows)


def evaluate_by_leakage(
    estimator: Any,
    train: ArrayLike,
    test: ArrayLike,
    *,
    known: ArrayLike | list[ArrayLike] | None = None,
    kind: str = "linked",
    baseline: bool = True,
) -> LeakageEvaluation:
    """Evaluate a model apart on the test triples that training gives away and on the others.

    Parameters
    ----------
    estimator : OTKGEClassifier, RuleBaseline, Pipeline or search
        Fitted on `train`; as for `skotkge.metrics.ranking_report`.
    train, test : MultimodalTriples or array-like of labels of shape (n_triples, 3)
    known : triples or list of triples, default=None
        More true triples to leave out of the ranking. Give the validation triples, also where the estimator saw them in
        `fit`, so that the model and the baseline are held to the same filter.
    kind : {"linked", "reversed", "inverse", "same_direction", "repeated"}, default="linked"
        Which mask of `LeakageReport` tells the leaked triples.
    baseline : bool, default=True
        Evaluate a `skotkge.baselines.RuleBaseline` fitted on `train`, too.

    Returns
    -------
    LeakageEvaluation

    Raises
    ------
    TypeError
        If the estimator cannot rank.
    ValueError
        If `kind` is none of these.

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> from skotkge.inspection import evaluate_by_leakage
    >>> train = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("eve", "wife_of", "joe")]
    >>> train += [("zoe", "wife_of", "leo"), ("leo", "husband_of", "zoe")]
    >>> test = [("joe", "husband_of", "eve")]
    >>> print(evaluate_by_leakage(RuleBaseline().fit(train), train, test, baseline=False))
                                triples      mrr   hits@1   hits@3  hits@10
    all                               1    1.000    1.000    1.000    1.000
    leaked                            1    1.000    1.000    1.000    1.000
    """
    if kind not in KINDS:
        raise ValueError(f"kind={shown(kind)} is not among {', '.join(KINDS)}; give one of them.")
    leaked = getattr(leakage_report(train, test), kind)
    ranks = relations_and_ranks(estimator, test, None, known)[1]
    with unlogged():
        baseline_ranks = RuleBaseline(handle_unknown="last").fit(train).rank(test, known=known) if baseline else None
    return LeakageEvaluation(
        metrics=_summaries(ranks, leaked),
        baseline_metrics=_summaries(baseline_ranks, leaked) if baseline else None,
        leaked=leaked,
        ranks=ranks,
        baseline_ranks=baseline_ranks,
    )


def _parts(leaked):
    return {"all": np.ones(len(leaked), dtype=bool), "leaked": leaked, "unleaked": ~leaked}


def _summaries(ranks, leaked):
    return {part: metrics.summarize_ranks(ranks[mask]) for part, mask in _parts(leaked).items() if mask.any()}


def _line(title, size, found):
    return f"{title:<26}{size:>9}" + "".join(f"{found[name]:>9.3f}" for name in SHOWN_METRICS)
