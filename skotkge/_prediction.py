"""What a fitted classifier answers: scores, probabilities, ranks and completions of triples."""

import warnings
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.metrics import accuracy_score
from sklearn.utils import check_scalar, column_or_1d
from sklearn.utils.validation import check_is_fitted

from . import metrics
from ._completion import Completions, asked_columns, best_entities, best_relations
from ._labels import first_occurrences, name_first, same_labels
from ._queries import AnswerLists, both_directions
from ._ranking import Ranker, rank_both_sides
from ._scorers import SCORERS
from ._scoring import EmbeddingScores, RegressionScores, TripleScores
from ._training import is_available
from ._triples import EntityTable, MultimodalTriples, as_label_triples, as_triple_sets


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
        if self._maps is not None:
            spaces.append(RegressionScores(self._maps, device))
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

    def _score_ids(self, ids):
        """Mean of the scores of the directions about which something is known, else the score of even odds."""
        ranker = self._ranker()
        sources, relations, answers = both_directions(ids, len(self.relations_))
        scores = ranker.pair_scores(sources, relations, answers).reshape(2, len(ids))
        informed = ~ranker.is_blank(sources, relations).reshape(2, len(ids))
        mean = (scores * informed).sum(axis=0) / np.maximum(informed.sum(axis=0), 1)
        return np.where(informed.any(axis=0), mean, self._calibration.even_odds(ids[:, 1]))

    def _ids_of(self, X):
        """Ids of the rows of X in the fitted table, and a mask of the rows whose labels are all known.

        Rows with an unknown label have ids of 0 there.
        """
        check_is_fitted(self, "space_embeddings_")
        if (
            isinstance(X, MultimodalTriples)
            and same_labels(X.entities, self.entities_)
            and same_labels(X.relations, self.relations_)
        ):
            return X.ids, np.ones(len(X), dtype=bool)
        return self._look_up(as_label_triples(X))

    def _look_up(self, labels, empty=False):
        """Ids of label triples; places marked in `empty` are not looked up."""
        ids = np.where(empty, 0, EntityTable(self.entities_, self.relations_).ids_of(labels))
        if (ids < 0).any() and self.handle_unknown == "error":
            unknown = name_first(first_occurrences(labels[ids < 0]))
            raise ValueError(
                f"X has labels that fit has not seen: {unknown}; set handle_unknown='last' to rank such rows last."
            )
        known = (ids >= 0).all(axis=1)
        return np.where(known[:, None], ids, 0), known

    def _known_triples(self, asked, known):
        """Ids of all triples to filter: those that fit saw, the rows asked about and those given as known."""
        parts = [self._true_ids, asked]
        for triples in as_triple_sets(known):
            labels = as_label_triples(triples)
            ids = EntityTable(self.entities_, self.relations_).ids_of(labels)
            in_table = (ids >= 0).all(axis=1)
            if len(ids) and not in_table.any():
                raise ValueError(f"known holds no triple of the fitted table; the first is {labels[0].tolist()!r}.")
            parts.append(ids[in_table])
        return np.concatenate(parts)

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
        ids, known = self._ids_of(X)
        return np.where(known, self._score_ids(ids), -np.inf)

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
        ids, known = self._ids_of(X)
        return np.where(known, self._calibration.log_odds(self._score_ids(ids), ids[:, 1]), -np.inf)

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
        ids, known_rows = self._ids_of(X)
        filtered = AnswerLists(self._known_triples(ids[known_rows], known), len(self.relations_))
        ranks = np.full((len(ids), 2), len(self.entities_) + 1.0)
        ranks[known_rows] = rank_both_sides(self._ranker(), ids[known_rows], filtered, len(self.relations_))
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

    def complete(self, X: ArrayLike, *, k: int = 10, known: ArrayLike | list[ArrayLike] | None = None) -> Completions:
        """Fill the empty place of each triple with the k best labels.

        Parameters
        ----------
        X : array-like of labels of shape (n_questions, 3)
            Each row has exactly one None: its head, relation or tail.
        k : int, default=10
        known : triples or list of triples, default=None
            More true triples, whose answers are left out as those of training are.

        Returns
        -------
        Completions
            ``labels`` and ``scores``, both of shape ``(n_questions, k)``, the best first. The score of an entity is
            that of the direction asked in, the score of a relation the mean of both.
        """
        check_is_fitted(self, "space_embeddings_")
        k = check_scalar(k, "k", Integral, min_val=1)
        questions = as_label_triples(X)
        asked = asked_columns(questions)
        empty = np.arange(3) == asked[:, None]
        ids, known_rows = self._look_up(questions, empty)
        filtered, n_relations = self._known_triples(ids[:0], known), len(self.relations_)
        labels, scores = np.full((len(ids), k), None), np.full((len(ids), k), -np.inf)
        for column in np.unique(asked[known_rows]):
            rows = np.flatnonzero(known_rows & (asked == column))
            if column == 1:
                answers, scores[rows] = best_relations(self._score_ids, ids[rows], k, filtered, n_relations)
            else:
                answers, scores[rows] = best_entities(self._ranker(), ids[rows], column, k, filtered, n_relations)
            names = self.relations_ if column == 1 else self.entities_
            labels[rows] = np.where(answers >= 0, names[answers], None)
        return Completions(labels, scores)


def _side_by_side(tables):
    return next(iter(tables.values())) if len(tables) == 1 else np.hstack(list(tables.values()))
