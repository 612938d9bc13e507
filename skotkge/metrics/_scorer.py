"""Scorers of filtered ranks for scikit-learn's searches and validations."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._graph.arguments import SIDES, as_triple_sets, checked_sides
from .._graph.packed_labels import pack_labels, unpack_labels
from .._graph.triples import MultimodalTriples, as_triples
from .._graph.vocabulary import Vocabulary
from .._utils.messages import shown
from ._ranks import summarize_ranks
from ._report import relations_and_ranks


def make_ranking_scorer(
    metric: str | list[str] = "mrr",
    *,
    known: ArrayLike | list[ArrayLike] | None = None,
    candidates: Any = None,
    sides: Sequence[str] = ("head", "tail"),
) -> "Callable[..., float | dict[str, float]]":
    """Make a scorer of filtered ranks, to be given as ``scoring=`` to scikit-learn's searches and validations.

    Parameters
    ----------
    metric : str or list of str, default="mrr"
        A name from `summarize_ranks`: ``mrr``, ``hits@1``, ``hits@3`` or ``hits@10``, for one side with the prefix
        ``head_`` or ``tail_``. As scikit-learn takes greater scores for better, the mean rank is ``neg_mean_rank``
        (``neg_head_mean_rank``, ``neg_tail_mean_rank``). With a list the scorer gives a dict of scores, from one
        ranking for all of them.
    known : triples or list of triples, default=None
        More true triples to leave out of the ranking, as for ``rank``.
    candidates : {"all", "seen"}, array-like of labels or mapping of relation to labels, default=None
        The entities to rank, as for ``rank``.
    sides : sequence of {"head", "tail"}, default=("head","tail")
        What is ranked.

    Returns
    -------
    callable
        Called as ``scorer(estimator, X, y=None)``, it ranks the rows of X that y does not call false, and returns a
        float or a dict of floats. It can be pickled.

    Raises
    ------
    ValueError
        If there is no metric of a name.

    See Also
    --------
    ranking_report : All metrics at once, also by relation.

    Notes
    -----
    ``scoring={"mrr": make_ranking_scorer("mrr"), "hits@10": make_ranking_scorer("hits@10")}`` works too, but ranks once
    for each of the scorers.

    Examples
    --------
    >>> from sklearn.model_selection import cross_validate
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.metrics import make_ranking_scorer
    >>> from skotkge.model_selection import TransductiveKFold
    >>> kge = OTKGEClassifier(embedding_dim=8, max_iter=2, early_stopping=False, random_state=0)
    >>> folds = TransductiveKFold(3, random_state=0)
    >>> scoring = make_ranking_scorer(["mrr", "hits@10"])
    >>> scores = cross_validate(kge, load_emoji().train.labels, cv=folds, scoring=scoring)
    >>> scores["test_hits@10"].shape
    (3,)
    """
    return RankingScorer(metric, known, candidates, sides)


class RankingScorer:
    """What `make_ranking_scorer` returns.

    Parameters
    ----------
    metric : str or list of str
    known : triples or list of triples
    candidates : as for ``rank``
    sides : sequence of {"head", "tail"}

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> from skotkge.metrics import make_ranking_scorer
    >>> train = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> train += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> scorer = make_ranking_scorer("hits@1", sides=["tail"])
    >>> scorer(RuleBaseline(random_state=0).fit(train), [("joe", "husband_of", "eve")])
    1.0
    """

    def __init__(self, metric, known, candidates, sides):
        self.metric = metric if isinstance(metric, str) else list(metric)
        self.candidates, self.sides = candidates, checked_sides(sides)
        allowed = _scores(np.ones((1, len(self.sides))), self.sides)
        unknown = [name for name in self._names() if name not in allowed]
        if unknown or not self._names():
            raise ValueError(
                f"metric={shown(metric)} is not among the scores {', '.join(allowed)}; give one of them, or a list "
                "of some."
            )
        # Containers hold integer ids, which joblib can memory-map; arrays of labels it would copy.
        self.known = [as_triples(triples) for triples in as_triple_sets(known)]

    def __getstate__(self):
        """Plain values and arrays, which the files of models hold."""
        known = [
            {
                "entities": pack_labels(triples.entities),
                "relations": pack_labels(triples.relations),
                "ids": np.asarray(triples.ids),
            }
            for triples in self.known
        ]
        return vars(self) | {"known": known}

    def __setstate__(self, state):
        vars(self).update(state)
        self.known = [_triples_of(**packed) for packed in state["known"]]

    def _names(self):
        return [self.metric] if isinstance(self.metric, str) else self.metric

    def __call__(self, estimator, X, y=None, **kwargs):
        if kwargs:
            raise TypeError(f"{self!r} takes no {', '.join(kwargs)}: every rank counts the same.")
        _, ranks = relations_and_ranks(estimator, X, y, self.known, self.candidates, self.sides)
        scores = _scores(ranks, self.sides)
        if isinstance(self.metric, str):
            return scores[self.metric]
        return {name: scores[name] for name in self.metric}

    def __repr__(self):
        told = [repr(self.metric)]
        if self.known:
            told.append(f"known=[{', '.join(f'{len(triples)} triples' for triples in self.known)}]")
        if self.candidates is not None:
            told.append(f"candidates={shown(self.candidates)}")
        if self.sides != SIDES:
            told.append(f"sides={self.sides!r}")
        return f"make_ranking_scorer({', '.join(told)})"

    def _accept_sample_weight(self):
        """Answer scikit-learn's question; without this method a search with sample weights fails."""
        return False


def _triples_of(entities, relations, ids):
    vocabulary = Vocabulary(unpack_labels(entities), unpack_labels(relations))
    return MultimodalTriples(
        vocabulary.labels_of(ids), entities=vocabulary.entities, relations=vocabulary.relations, duplicates="keep"
    )


def _scores(ranks, sides):
    """Metrics by name, such that greater ones are better."""
    metrics = summarize_ranks(ranks, sides=sides)
    falling = [name for name in metrics if name.endswith("mean_rank")]
    return {name: value for name, value in metrics.items() if name not in falling} | {
        f"neg_{name}": -metrics[name] for name in falling
    }


RankingScorer.__module__ = "skotkge.metrics"
