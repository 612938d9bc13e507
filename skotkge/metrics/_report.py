"""A report of ranks by relation and side."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.pipeline import Pipeline

from .._graph.arguments import SIDES, checked_sides, true_rows
from .._graph.label_columns import as_label_triples
from .._graph.labels import LabelIndex, first_occurrences
from .._graph.triples import MultimodalTriples
from .._utils.html import bar, table
from .._utils.messages import shown
from ._ranks import summarize_ranks, warn_of_trained

SHOWN_RELATIONS = 20


@dataclass(frozen=True)
class RankingReport:
    """Metrics of filtered ranks, for all triples and for each relation.

    ``report["mrr"]`` is short for ``report.metrics["mrr"]``. Printing the report shows a table, with the 20 most
    frequent relations.

    Parameters
    ----------
    metrics : dict of str to float
        As from `summarize_ranks`: over both sides, and each side with the prefix ``head_`` or ``tail_``.
    n_triples : int
        Number of triples ranked; each has two ranks.
    relation_metrics : dict of label to dict of str to float
        The same metrics for the triples of each relation, the most frequent relation first.
    relation_counts : dict of label to int
        Number of triples of each relation, in the same order; they add up to `n_triples`.
    sides : tuple of {"head", "tail"}, default=("head","tail")
        What was ranked.

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> from skotkge.metrics import ranking_report
    >>> train = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> train += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> report = ranking_report(RuleBaseline(random_state=0).fit(train), [("joe", "husband_of", "eve")])
    >>> report["mrr"], report.relation_counts
    (1.0, {'husband_of': 1})
    """

    metrics: dict
    n_triples: int
    relation_metrics: dict = field(repr=False)
    relation_counts: dict = field(repr=False)
    sides: tuple = ("head", "tail")

    def __getitem__(self, name):
        return self.metrics[name]

    @property
    def _names(self):
        return [name for name in self.metrics if not name.startswith(("head_", "tail_"))]

    @property
    def _titles(self):
        """Titles of lines, with the prefix of their metrics."""
        of_sides = {f"{side}s": f"{side}_" for side in self.sides}
        return of_sides if len(of_sides) == 1 else {"both sides": "", **of_sides}

    def _repr_html_(self):
        names = self._names
        sides = [
            [title, self.n_triples, *(self.metrics[prefix + name] for name in names)]
            for title, prefix in self._titles.items()
        ]
        relations = [
            [label, self.relation_counts[label], *(metrics[name] for name in names), bar(metrics["mrr"])]
            for label, metrics in list(self.relation_metrics.items())[:SHOWN_RELATIONS]
        ]
        left_out = len(self.relation_metrics) - len(relations)
        more = f" ({left_out} less frequent ones are in relation_metrics)" if left_out else ""
        return table("Filtered ranking", ["", "triples", *names], sides) + table(
            f"{next(iter(self._titles))}, by relation{more}", ["", "triples", *names, ""], relations
        )

    def __str__(self):
        names = self._names
        rows = [("", "triples", *names)]
        for title, prefix in self._titles.items():
            rows.append((title, self.n_triples, *(self.metrics[prefix + name] for name in names)))
        rows.append((f"{next(iter(self._titles))}, by relation",) + ("",) * (len(names) + 1))
        shown = list(self.relation_metrics.items())[:SHOWN_RELATIONS]
        for label, metrics in shown:
            rows.append((f"  {label}", self.relation_counts[label], *(metrics[name] for name in names)))
        width = max(len(row[0]) for row in rows)
        lines = [f"{row[0]:<{width}}" + "".join(f"{_cell(value):>11}" for value in row[1:]) for row in rows]
        if len(shown) < len(self.relation_metrics):
            lines.append(f"  and {len(self.relation_metrics) - len(shown)} more in relation_metrics")
        return "\n".join(line.rstrip() for line in lines)


def ranking_report(
    estimator: Any,
    X: ArrayLike,
    y: ArrayLike | None = None,
    *,
    known: ArrayLike | list[ArrayLike] | None = None,
    candidates: Any = None,
    sides: Sequence[str] = ("head", "tail"),
) -> "RankingReport":
    """Rank the heads and tails of triples and report the metrics in all, by side and by relation.

    Parameters
    ----------
    estimator : OTKGEClassifier, Pipeline or search
        Fitted; anything with a method ``rank(X, known=...)``, which takes `candidates` and `sides` where they are given
        here. Of a pipeline, the steps before the last transform X once; of a search, the best estimator is taken.
    X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        Triples to rank.
    y : array-like of shape (n_triples,), default=None
        Labels in {0, 1}; rows of 0 are known to be false and left out. None means that all rows are true.
    known : triples or list of triples, default=None
        More true triples to leave out of the ranking; those of `fit` and the ranked ones always are.
    candidates : {"all", "seen"}, array-like of labels or mapping of relation to labels, default=None
        The entities to rank, as for ``rank``.
    sides : sequence of {"head", "tail"}, default=("head","tail")
        What is ranked.

    Returns
    -------
    RankingReport

    Raises
    ------
    TypeError
        If the estimator cannot rank.
    ValueError
        If there is no true triple.

    Warns
    -----
    UserWarning
        If triples of X were trained on.

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.metrics import ranking_report
    >>> kg = load_emoji()
    >>> kge = OTKGEClassifier(embedding_dim=20, max_iter=5, early_stopping=False, random_state=0)
    >>> report = ranking_report(kge.fit(kg.train.labels), kg.test.labels, known=kg.valid)
    >>> print(report)
                               triples        mrr     hits@1     hits@3    hits@10  mean_rank
    both sides                     639 ...
    """
    sides = checked_sides(sides)
    relations, ranks = relations_and_ranks(estimator, X, y, known, candidates, sides)
    labels = first_occurrences(relations)
    codes = LabelIndex(labels, "relations").positions(relations)
    counts = np.bincount(codes)
    rows_of = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    frequent_first = np.argsort(-counts, kind="stable")
    return RankingReport(
        metrics=summarize_ranks(ranks, sides=sides),
        n_triples=len(ranks),
        relation_metrics={labels[code]: summarize_ranks(ranks[rows_of[code]], sides=sides) for code in frequent_first},
        relation_counts={labels[code]: int(counts[code]) for code in frequent_first},
        sides=sides,
    )


def relations_and_ranks(estimator, X, y, known, candidates=None, sides=SIDES):
    """Rank the true rows of X with the last step of an estimator; also return their relations."""
    if y is not None:
        X = X if isinstance(X, MultimodalTriples) else as_label_triples(X)
        X = X[true_rows(y, len(X))]
    estimator = getattr(estimator, "best_estimator_", estimator)
    while isinstance(estimator, Pipeline):
        X = estimator[:-1].transform(X) if len(estimator) > 1 else X
        estimator = estimator[-1]
    if not hasattr(estimator, "rank"):
        raise TypeError(
            f"estimator is, or ends in, {shown(estimator)}, which cannot rank; give an OTKGEClassifier or a Pipeline "
            "that ends in one."
        )
    if hasattr(estimator, "was_trained_on"):
        warn_of_trained(estimator.was_trained_on(X))
    asked = {} if candidates is None else {"candidates": candidates}
    asked |= {} if sides == SIDES else {"sides": sides}
    return as_label_triples(X)[:, 1], estimator.rank(X, known=known, **asked)


def _cell(value):
    return f"{value:.3f}" if isinstance(value, Real) and not isinstance(value, int) else str(value)
