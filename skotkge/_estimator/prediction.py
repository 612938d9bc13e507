"""What a fitted classifier answers: scores, probabilities, ranks and completions of triples."""

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.metrics import accuracy_score
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_is_fitted

from .. import metrics
from .._embedding.score_functions import SCORERS
from .._embedding.trainer import is_available
from .._evidence.mixture import EmbeddingScores, RegressionScores, RuleScores, TripleScores
from .._fusion.encoder import newcomers_of, with_newcomers
from .._graph.labels import same_labels
from .._graph.queries import AnswerLists, both_directions
from .._graph.triples import MultimodalTriples
from .._ranking.ranker import Ranker, rank_both_sides
from .lookup import FittedTable


class TriplePredictor:
    """Prediction methods over the learned attributes of `OTKGEClassifier`."""

    def _scorer(self):
        return SCORERS[self.scorer](self.margin)

    def _device(self):
        wanted = "cuda" if self.device == "auto" else self.device
        return wanted if is_available(wanted) else "cpu"

    @property
    def entity_embeddings_(self):
        """Columns of all trained spaces, side by side."""
        return _side_by_side(self.space_embeddings_)

    @property
    def relation_embeddings_(self):
        """Relation rows of all trained spaces, side by side."""
        return _side_by_side(self.space_relations_)

    def _scores(self):
        """Scores of all spaces with their weights."""
        device = self._device()
        spaces = [
            EmbeddingScores(self._scorer(), table, self.space_relations_[name], device)
            for name, table in self.space_embeddings_.items()
        ]
        spaces += [RegressionScores(maps, device) for maps in self._maps.values()]
        if self._rules is not None:
            spaces.append(RuleScores(self._rules, len(self.entities_), device))
        return self._scores_of(spaces, np.array(list(self.space_weights_.values())) if len(spaces) > 1 else None)

    def _scores_of(self, spaces, weights=None):
        return TripleScores(
            spaces,
            weights,
            excludes_loops=self._excludes_loops,
            informed_entities=self._informed_entities,
            informed_relations=self._informed_relations,
            device=self._device(),
        )

    def _ranker(self):
        return Ranker(self._scores())

    def _score_parts(self, ids):
        """What each space adds to the scores of triples, and which triples anything is known about.

        Means of the directions whose source and relation something is known about.
        """
        ranker = self._ranker()
        sources, relations, answers = both_directions(ids, len(self.relations_))
        parts = ranker.pair_parts(sources, relations, answers)
        parts = parts.reshape(len(parts), 2, len(ids))
        informed = ~ranker.is_blank(sources, relations).reshape(2, len(ids))
        return (parts * informed).sum(axis=1) / np.maximum(informed.sum(axis=0), 1), informed.any(axis=0)

    def _score_ids(self, ids):
        """Scores of triples; of those about which nothing is known the score of even odds."""
        parts, informed = self._score_parts(ids)
        return np.where(informed, parts.sum(axis=0), self._calibration.even_odds(ids[:, 1]))

    def _log_odds_of_ids(self, ids):
        """Calibrated log-odds of triples."""
        return self._calibration.log_odds(self._score_ids(ids), ids[:, 1])

    def _covering(self, X, asked_only=True):
        """This model, or a copy that goes on with entities that are new but have a vector in X."""
        check_is_fitted(self, "space_embeddings_")
        if not isinstance(X, MultimodalTriples) or self._encoder is None or same_labels(X.entities, self.entities_):
            return self
        rows = newcomers_of(X, self, asked_only)
        return with_newcomers(self, X, rows) if len(rows) else self

    def _fitted_table(self):
        check_is_fitted(self, "space_embeddings_")
        return FittedTable(self.entities_, self.relations_, self.handle_unknown)

    def _known_triples(self, asked, known):
        """Ids of all triples to filter: those that fit saw, the rows asked about and those given as known."""
        return np.concatenate([self._true_ids, asked, *self._fitted_table().ids_of_known(known)])

    def score_triples(self, X: ArrayLike) -> NDArray[np.float64]:
        """Raw scores, larger for more plausible triples.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)

        Returns
        -------
        ndarray of shape (n_triples,)
            Mean of the scores of both directions; a direction whose source or relation has neither a training triple
            nor a vector does not count, and without any the score is that of even odds. With ``handle_unknown="last"``
            -inf for rows with an unknown label.
        """
        model = self._covering(X)
        ids, known = model._fitted_table().ids_of(X)
        return np.where(known, model._score_ids(ids), -np.inf)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Calibrated log-odds that triples are true.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)

        Returns
        -------
        ndarray of shape (n_triples,)
            Natural logarithm of the odds, at the share of true triples among the labels that `fit` calibrated with; at
            equal numbers of true and corrupted triples where it had no known negatives. Within a relation they rise
            with the score.
        """
        model = self._covering(X)
        ids, known = model._fitted_table().ids_of(X)
        return np.where(known, model._log_odds_of_ids(ids), -np.inf)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Calibrated probabilities that triples are false and true.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)

        Returns
        -------
        ndarray of shape (n_triples, 2)
            In the order of `classes_`.
        """
        true = expit(self.decision_function(X))
        return np.column_stack([1 - true, true])

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Classify triples as true (1) or false (0).

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)

        Returns
        -------
        ndarray of shape (n_triples,)
        """
        return (self.decision_function(X) >= 0).astype(self.classes_.dtype)

    def score(self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> float:
        """Filtered mean reciprocal rank, or accuracy where y is given.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}. None means that all rows are true and are to be ranked.
        sample_weight : array-like of shape (n_triples,), default=None
            Weights of the rows in the accuracy.

        Returns
        -------
        float
        """
        if y is None:
            return metrics.mean_reciprocal_rank(self.rank(X))
        y = column_or_1d(y)
        if len(np.unique(y)) < 2:
            warnings.warn(
                "y has one class only, so that accuracy says little; leave y out to get the filtered MRR.",
                UserWarning,
                stacklevel=2,
            )
        return accuracy_score(y, self.predict(X), sample_weight=sample_weight)

    def rank(self, X: ArrayLike, *, known: ArrayLike | list[ArrayLike] | None = None) -> NDArray[np.float64]:
        """Filtered ranks of heads and tails among all entities.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            True triples.
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking. Those of `fit` (`X_val` included) and of X always are.

        Returns
        -------
        ndarray of shape (n_triples, 2)
            Rank of the head and of the tail, from 1; the mean of best and worst rank on ties. With
            ``handle_unknown="last"`` ``n_entities + 1`` for rows with an unknown label.
        """
        model = self._covering(X)
        ids, known_rows = model._fitted_table().ids_of(X)
        filtered = AnswerLists(model._known_triples(ids[known_rows], known), len(self.relations_))
        ranks = np.full((len(ids), 2), len(model.entities_) + 1.0)
        ranks[known_rows] = rank_both_sides(model._ranker(), ids[known_rows], filtered, len(self.relations_))
        return ranks

    def evaluate(self, X: ArrayLike, *, known: ArrayLike | list[ArrayLike] | None = None) -> dict[str, float]:
        """Filtered ranking metrics.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            True triples.
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking.

        Returns
        -------
        dict of str to float
            ``mrr``, ``hits@1``, ``hits@3``, ``hits@10`` and ``mean_rank`` over both sides, and each with the prefix
            ``head_`` or ``tail_`` for one side.
        """
        return metrics.summarize_ranks(self.rank(X, known=known))


def _side_by_side(tables):
    return next(iter(tables.values())) if len(tables) == 1 else np.hstack(list(tables.values()))
