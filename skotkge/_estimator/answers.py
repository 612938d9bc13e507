"""What a fitted classifier tells beyond scores: completions, neighbours, and what a score is made of."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_scalar
from sklearn.utils._param_validation import StrOptions, validate_params
from sklearn.utils.validation import check_is_fitted

from .._graph.labels import LabelIndex, as_labels, first_occurrences, name_first
from .._graph.queries import AnswerLists, both_directions
from .._graph.triples import MultimodalTriples, as_label_triples
from .._ranking.completion import Completions, Neighbors, Questions, asked_columns, best_entities, best_relations
from .._spaces import FUSED
from .prediction import TriplePredictor


class QuestionAnswerer(TriplePredictor):
    """Methods of `OTKGEClassifier` that answer questions in labels."""

    @validate_params(
        {"known_answers": [StrOptions({"drop", "mark"})], "new_entities": [MultimodalTriples, None]},
        prefer_skip_nested_validation=True,
    )
    def complete(
        self,
        X: ArrayLike,
        *,
        k: int = 10,
        known: ArrayLike | list[ArrayLike] | None = None,
        known_answers: str = "drop",
        candidates: ArrayLike | str | None = None,
        new_entities: MultimodalTriples | None = None,
    ) -> Completions:
        """Fill the empty place of each triple with the k best labels.

        Parameters
        ----------
        X : array-like of labels of shape (n_questions, 3)
            Each row has exactly one None: its head, relation or tail.
        k : int, default=10
        known : triples or list of triples, default=None
            More true triples, whose answers are known as those of training are.
        known_answers : {"drop", "mark"}, default="drop"
            Leave known answers out, or list them with a mark.
        candidates : {"seen"} or array-like of labels, default=None
            The only labels that may answer. "seen" are those that training has on that side of the relation, or for a
            relation asked for, the relations that training has with the head as a head and with the tail as a tail.
            None allows all.
        new_entities : MultimodalTriples, default=None
            The entities of its table that `fit` has not seen and that have a vector may be asked about and may answer.

        Returns
        -------
        Completions
            ``labels`` and ``scores`` of shape ``(n_questions, k)``, the best first, which is also what unpacking gives;
            ``probabilities`` and ``known`` of the same shape, and ``to_frame()``. The score of an entity is that of the
            direction asked in, the score of a relation the mean of both; probabilities are those of `predict_proba`.

        Raises
        ------
        ValueError
            If a row does not have exactly one None, or a label is not known.
        """
        check_is_fitted(self, "space_embeddings_")
        k = check_scalar(k, "k", Integral, min_val=1)
        model = self if new_entities is None else self._covering(new_entities, asked_only=False)
        labels = as_label_triples(X)
        asked = asked_columns(labels)
        ids, known_rows = model._fitted_table().ids_of_labels(labels, np.arange(3) == asked[:, None])
        questions = Questions(labels, asked, ids, known_rows)
        return model._answer(questions, k, model._known_triples(ids[:0], known), known_answers == "drop", candidates)

    def _answer(self, questions, k, true_ids, drops_known, candidates):
        n_relations, shape = len(self.relations_), (len(questions.ids), k)
        labels, scores = np.full(shape, None), np.full(shape, -np.inf)
        probabilities, marks = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
        left_out = true_ids if drops_known else true_ids[:0]
        for column, rows in questions.by_column():
            ids = questions.ids[rows]
            allowed = self._allowed(candidates, column, ids)
            if column == 1:
                answers, scores[rows] = best_relations(self._score_ids, ids, k, left_out, n_relations, allowed)
            else:
                answers, scores[rows] = best_entities(self._ranker(), ids, column, k, left_out, n_relations, allowed)
            names = self.relations_ if column == 1 else self.entities_
            labels[rows] = np.where(answers >= 0, names[answers], None)
            found, place = np.nonzero(answers >= 0)
            triples = ids[found]
            triples[:, column] = answers[found, place]
            probabilities[rows[found], place] = expit(self._log_odds_of_ids(triples))
            marks[rows[found], place] = AnswerLists(true_ids, n_relations).holds(triples)
        return Completions(labels, scores, probabilities, marks, questions)

    def _allowed(self, candidates, column, ids):
        """Which answers are allowed: a function from relations to masks of entities, or a mask of relations."""
        if candidates is None:
            return None
        names = self.relations_ if column == 1 else self.entities_
        if not isinstance(candidates, str):
            chosen = np.zeros((1, len(names)), dtype=bool)
            chosen[0, self._positions_of(candidates, names, "candidates")] = True
            return chosen if column == 1 else lambda relations: chosen
        if candidates != "seen":
            raise ValueError(f"candidates={candidates!r}; give 'seen', None or an array of labels.")
        n_relations = len(self.relations_)
        _, relations, answers = both_directions(self._true_ids, n_relations)
        shape = 2 * n_relations, len(self.entities_)
        seen = csr_array((np.ones(len(answers), dtype=bool), (relations, answers)), shape=shape)
        if column != 1:
            return lambda relations: seen[relations].toarray()
        tails, heads = seen[:n_relations].T.tocsr(), seen[n_relations:].T.tocsr()
        return tails[ids[:, 2]].toarray() & heads[ids[:, 0]].toarray()

    @staticmethod
    def _positions_of(labels, names, argument):
        labels = as_labels(labels)
        positions = LabelIndex(names, argument).positions(labels)
        if (positions < 0).any():
            unknown = name_first(first_occurrences(labels[positions < 0]))
            raise ValueError(f"{argument} has labels that the model does not know: {unknown}.")
        return positions

    def nearest(
        self,
        entities: ArrayLike,
        k: int = 10,
        *,
        space: str | None = None,
        new_entities: MultimodalTriples | None = None,
    ) -> Neighbors:
        """Find the entities with the most similar embeddings.

        Parameters
        ----------
        entities : array-like of labels of shape (n_asked,)
        k : int, default=10
            Neighbours of each; an entity is not its own neighbour.
        space : str, default=None
            A key of `space_embeddings_`. None is "fused", or the first where there is no fused space.
        new_entities : MultimodalTriples, default=None
            The entities of its table that `fit` has not seen and that have a vector may be asked about and may answer.

        Returns
        -------
        Neighbors
            ``labels`` of shape ``(n_asked, k)``, the most similar first, and ``similarities``, the cosines between the
            embeddings, in [-1, 1]; None and NaN where there are fewer than k others.

        Raises
        ------
        ValueError
            If an entity or the space is not known.
        """
        check_is_fitted(self, "space_embeddings_")
        k = check_scalar(k, "k", Integral, min_val=1)
        model = self if new_entities is None else self._covering(new_entities, asked_only=False)
        space = space or (FUSED if FUSED in model.space_embeddings_ else next(iter(model.space_embeddings_)))
        if space not in model.space_embeddings_:
            raise ValueError(f"space={space!r}; the model has the spaces {name_first(list(model.space_embeddings_))}.")
        asked = model._positions_of(entities, model.entities_, "entities")
        table = model.space_embeddings_[space]
        n_found = min(k + 1, len(table))
        distances, found = NearestNeighbors(n_neighbors=n_found, metric="cosine").fit(table).kneighbors(table[asked])
        others = np.argsort(found == asked[:, None], axis=1, kind="stable")[:, : n_found - 1]
        labels, similarities = np.full((len(asked), k), None), np.full((len(asked), k), np.nan)
        labels[:, : n_found - 1] = model.entities_[np.take_along_axis(found, others, axis=1)]
        similarities[:, : n_found - 1] = 1 - np.take_along_axis(distances, others, axis=1)
        return Neighbors(labels, similarities)

    def score_contributions(self, X: ArrayLike) -> dict[str, NDArray[Any]]:
        """Tell what each space adds to the raw scores of triples.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)

        Returns
        -------
        dict of str to ndarray of shape (n_triples,)
            The weighted score of each key of `space_weights_`, and of "loop", which is below zero for a triple that
            links an entity with itself by a relation that never does. They sum to `score_triples`, but for triples
            about which nothing is known: there they are zero. NaN for rows with an unknown label.
        """
        model = self._covering(X)
        ids, known = model._fitted_table().ids_of(X)
        parts, _ = model._score_parts(ids)
        return {
            name: np.where(known, part, np.nan)
            for name, part in zip([*self.space_weights_, "loop"], parts, strict=True)
        }
