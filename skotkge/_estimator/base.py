"""LinkPredictionEstimator: labels in and out around a fitted `LinkPredictor`; what every estimator answers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from numbers import Integral
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted

from .. import metrics
from .._embedding.trainer import is_available
from .._graph.classes import truth_of
from .._graph.label_columns import as_label_triples
from .._graph.modalities import check_modalities
from .._graph.queries import DIRECTIONS
from .._graph.triples import MultimodalTriples
from .._ranking.completion import Completions, Neighbors, Questions, empty_positions
from .._ranking.explanation import Explanation
from .._ranking.predictor import LinkPredictor
from .._utils.autologging import unlogged
from .._utils.frames import data_frame
from .._utils.html import FittedHtml
from .._utils.messages import CheckedParameters, check_choice, reading, shown, tell
from .._utils.persistence import Persistent
from ..metrics._ranks import warn_of_trained
from .answering import answer
from .evaluating import rank_triples, rank_triples_among_negatives, summary
from .explaining import explain
from .html import caption_of_fitted, html_of_fitted
from .lookup import check_new_entities, entities_of, ids_of, ids_of_labels, ids_of_sets, tell_of_far_vectors
from .open_questions import answer_openly
from .vectors import chosen_table, embed

SIDES = ("both", "head", "tail")
# Of a list of answers; places past the last answer are filled.
MOST_PLACES = 2**20
# What may answer, as users say it.
Candidates: TypeAlias = ArrayLike | str | Mapping[Any, Any] | None


@dataclass(frozen=True)
class AskedTriples:
    """Triples that somebody asks about, in the ids of a predictor.

    Attributes
    ----------
    predictor : LinkPredictor
        With the unseen entities that the triples bring.
    ids : ndarray of shape (n_triples, 3)
        0 in rows with an unknown label.
    rows : ndarray of shape (n_triples,), dtype bool
        Rows whose labels are all known.
    """

    predictor: LinkPredictor
    ids: np.ndarray
    rows: np.ndarray

    def filled(self, values, unknown):
        """Values of the triples, and another one where a label is unknown."""
        return np.where(self.rows, values, unknown)


class LinkPredictionEstimator(FittedHtml, ClassifierMixin, CheckedParameters, Persistent, BaseEstimator):
    """Answers of an estimator whose fit assigns `predictor_`, `handle_unknown_` and `classes_`.

    No method reads a constructor parameter but `device`.
    """

    @property
    def entities_(self) -> NDArray[np.object_]:
        """Labels of the entities of the fit."""
        return self._fitted_predictor().vocabulary.entities

    @property
    def relations_(self) -> NDArray[np.object_]:
        """Labels of the relations of the fit."""
        return self._fitted_predictor().vocabulary.relations

    @property
    def entity_names_(self) -> NDArray[np.object_] | None:
        """Readable names in the order of `entities_`, the label itself where none was given; None without `names`."""
        return self._fitted_predictor().vocabulary.names

    @property
    def entity_texts_(self) -> NDArray[np.object_] | None:
        """Texts in the order of `entities_`, None where none was given; None without `texts`."""
        return self._fitted_predictor().vocabulary.texts

    @property
    def entity_pictures_(self) -> NDArray[np.object_] | None:
        """Paths of pictures in the order of `entities_`, None where none was given; None without `pictures`."""
        return self._fitted_predictor().vocabulary.pictures

    @property
    def evidence_names_(self) -> list[str]:
        """Names of the kinds of evidence, in the order of `evidence_weights_`."""
        return [str(kind.id) for kind in self._fitted_predictor().evidence]

    @property
    def evidence_weights_(self) -> NDArray[np.float64]:
        """Weights of shape (n_kinds, 2, n_relations), directions tail and head."""
        weights = self._fitted_predictor().weights
        return weights.reshape(len(weights), 2, -1)

    def evidence_to_frame(self, library: str = "pandas") -> Any:
        """Return the weights of the evidence as a data frame, with one row for each kind, direction and relation.

        Parameters
        ----------
        library : {"pandas", "polars"}, default="pandas"

        Returns
        -------
        DataFrame
            Columns evidence (as `evidence_names_`), direction ("tail" or "head": what is asked for), relation, weight.

        Raises
        ------
        ImportError
            If the library is not installed.
        """
        # In the order in which the weights lie.
        rows = product(self.evidence_names_, DIRECTIONS, self.relations_.tolist())
        kinds, directions, relations = zip(*rows, strict=True)
        columns = {"evidence": kinds, "direction": directions, "relation": relations}
        return data_frame(library, columns | {"weight": self.evidence_weights_.ravel()}, "evidence_to_frame")

    def __sklearn_is_fitted__(self):
        return "predictor_" in vars(self)

    def _html_of_fit(self):
        return html_of_fitted(self) if self.__sklearn_is_fitted__() else ""

    def _caption_of_fit(self):
        return caption_of_fitted(self) if self.__sklearn_is_fitted__() else ""

    def _plain_state(self):
        state = super()._plain_state()
        if "predictor_" not in state:
            return state
        return state | {"predictor_": state["predictor_"].state()}

    def _set_plain_state(self, state):
        if "predictor_" in state:
            predictor = dict(state["predictor_"])
            # Files of earlier versions have the names here, and the oldest of them nowhere else.
            predictor.setdefault("names", state.get("entity_names_"))
            state = {name: value for name, value in state.items() if name != "entity_names_"}
            state["predictor_"] = LinkPredictor.from_state(predictor)
        super()._set_plain_state(state)

    def _fitted_predictor(self):
        check_is_fitted(self)
        return self.predictor_

    def _device_of_answers(self):
        wanted = getattr(self, "device", "cpu")
        wanted = "cuda" if wanted == "auto" else wanted
        return wanted if is_available(wanted) else "cpu"

    def _asked(self, X, handle_unknown):
        check_choice(handle_unknown, "handle_unknown", ("error", "last", None))
        predictor = self._covering(X)
        return AskedTriples(predictor, *ids_of(predictor.vocabulary, X, handle_unknown or self.handle_unknown_))

    def _covering(self, X, asked_only=True):
        """The predictor, or one that goes on with entities that the fit has not seen but that have a vector in X."""
        predictor = self._fitted_predictor()
        encoder = predictor.encoder
        if not isinstance(X, MultimodalTriples) or encoder is None or predictor.vocabulary.is_that_of(X.vocabulary):
            return predictor
        rows = np.unique(X.ids[:, [0, 2]]) if asked_only else np.arange(X.n_entities)
        has_vector = np.zeros(X.n_entities, dtype=bool)
        for name in encoder.scalings.keys() & X.modalities.keys():
            has_vector |= X.observed(name)
        rows = rows[has_vector[rows]]
        rows = rows[predictor.vocabulary.entity_index.positions(X.entities[rows]) < 0]
        if not len(rows):
            return predictor
        wanted = {name: len(mean) for name, (mean, _) in encoder.scalings.items()}
        check_modalities({name: matrix.shape[1] for name, matrix in X.modalities.items()}, wanted)
        matrices = {name: X.modalities[name][rows] for name in wanted}
        observed = {name: X.observed(name)[rows] for name in wanted}
        tell_of_far_vectors(X.entities[rows], matrices, observed, encoder.scalings)
        return predictor.with_entities(X.entities[rows], matrices, observed, X.vocabulary.descriptions_of(rows))

    def _answering_for(self, new_entities):
        """The predictor, with new entities if there are any."""
        if new_entities is None:
            return self._fitted_predictor()
        if not isinstance(new_entities, MultimodalTriples):
            raise TypeError(
                f"new_entities={shown(new_entities)} is a {type(new_entities).__name__}; give what "
                "MultimodalTriples.new_entities returns."
            )
        predictor = self._fitted_predictor()
        fitted = {} if predictor.encoder is None else predictor.encoder.scalings
        check_new_entities(predictor.vocabulary, new_entities, fitted)
        return self._covering(new_entities, asked_only=False)

    def score_triples(self, X: ArrayLike, *, handle_unknown: str | None = None) -> NDArray[np.float64]:
        """Raw scores, larger for more plausible triples.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        ndarray of shape (n_triples,)
            Mean of the scores of both directions; a direction whose source or relation has neither a training triple
            nor a vector does not count, and without any the score is that of even odds. Constraints do not count, as
            they do in `decision_function`. With ``handle_unknown="last"`` -inf for rows with an unknown label.
        """
        asked = self._asked(X, handle_unknown)
        return asked.filled(asked.predictor.scores(asked.ids, self._device_of_answers()), -np.inf)

    def decision_function(
        self, X: ArrayLike, *, side: str = "both", handle_unknown: str | None = None
    ) -> NDArray[np.float64]:
        """Calibrated log-odds that triples are true.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        side : {"both", "head", "tail"}, default="both"
            "head" and "tail" are the numbers by which `rank` and `complete` order the candidates for that side of a
            triple; "both" is their mean, which tells triples of all kinds apart, or the one of the two whose question
            something is known about.
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        ndarray of shape (n_triples,)
            Natural logarithm of the odds, at the share of true triples among the labels that `fit` calibrated with; at
            equal numbers of true and corrupted triples where it had no known negatives. Within a relation they rise
            with the score. 0 where nothing is known.
        """
        check_choice(side, "side", SIDES)
        asked = self._asked(X, handle_unknown)
        return asked.filled(asked.predictor.log_odds(asked.ids, self._device_of_answers(), side), -np.inf)

    def predict_proba(self, X: ArrayLike, *, handle_unknown: str | None = None) -> NDArray[np.float64]:
        """Calibrated probabilities that triples are false and true.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        ndarray of shape (n_triples, 2)
            In the order of `classes_`.
        """
        true = expit(self.decision_function(X, handle_unknown=handle_unknown))
        return np.column_stack([1 - true, true])

    def predict(self, X: ArrayLike, *, handle_unknown: str | None = None) -> NDArray[Any]:
        """Classify triples as true or false.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        ndarray of shape (n_triples,)
            Of `classes_`.
        """
        is_true = self.decision_function(X, handle_unknown=handle_unknown) >= 0
        return self.classes_[is_true.astype(int)]

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
        with reading("y", y, "labels in {0, 1}, one for each row"):
            # By way of a list: numbers and truth values in an array of objects become an array of their own type.
            truth = np.array(truth_of(y, self.classes_).tolist())
            n_classes = len(np.unique(truth))
        if n_classes < 2:
            tell("y has one class only, so that accuracy says little; leave y out to get the filtered MRR.")
        predicted = (self.predict(X) == self.classes_[1]).astype(int)
        told = ("y", y) if sample_weight is None else ("sample_weight", sample_weight)
        with reading(*told, "a value for each row"):
            return accuracy_score(truth, predicted, sample_weight=sample_weight)

    def rank(
        self,
        X: ArrayLike,
        *,
        known: ArrayLike | list[ArrayLike] | None = None,
        candidates: Candidates = None,
        sides: Sequence[str] = ("head", "tail"),
        handle_unknown: str | None = None,
    ) -> NDArray[np.float64]:
        """Filtered ranks of heads and tails among all entities or some.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            True triples.
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking. Those of `fit` (`X_val` included) and of X always are.
            Constraints take them for facts, as they take those of `fit`, but not the rows of X.
        candidates : {"all", "seen"}, array-like of labels or mapping of relation to labels, default=None
            The entities to rank, as for `complete`; the true answer is always among them. None is "all".
        sides : sequence of {"head", "tail"}, default=("head","tail")
            What is asked for, and in which order.
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        ndarray of shape (n_triples, n_sides)
            Rank of the head and of the tail, from 1; the mean of best and worst rank on ties. With
            ``handle_unknown="last"`` ``n_entities + 1`` for rows with an unknown label.
        """
        asked = self._asked(X, handle_unknown)
        return rank_triples(asked, known, candidates, sides, self._device_of_answers()).ranks

    def evaluate(
        self,
        X: ArrayLike,
        *,
        known: ArrayLike | list[ArrayLike] | None = None,
        candidates: Candidates = None,
        sides: Sequence[str] = ("head", "tail"),
        negatives: Any = None,
        average: str = "micro",
        random_state: int | np.random.RandomState | None = None,
        handle_unknown: str | None = None,
    ) -> dict[str, float]:
        """Filtered ranking metrics.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            True triples.
        known : triples or list of triples, default=None
            More true triples to leave out of the ranking, facts for constraints as for `rank`.
        candidates : {"all", "seen"}, array-like of labels or mapping of relation to labels, default=None
            The entities to rank, as for `complete`; the true answer is always among them. None is "all".
        sides : sequence of {"head", "tail"}, default=("head","tail")
            What is asked for.
        negatives : int, array-like of labels of shape (n_triples, n_negatives) or mapping of side to such, default=None
            Rank each true answer among these alone. A number draws so many of the candidates that answer no known
            triple, for each side of each triple, without replacement. Given ones, as the leaderboards of OGB [1]_ have
            them, are not filtered: one array is for each of the sides, ``{"head": ..., "tail": ...}`` has one for each.
        average : {"micro", "relation", "degree"}, default="micro"
            Each rank counts the same; or each metric is the mean of what it is for each relation, or for answers of
            each degree in `fit`: 0, 1, 2 to 3, 4 to 7, and so on.
        random_state : int, RandomState instance or None, default=None
            Draws the negatives.
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        dict of str to float
            ``mrr``, ``hits@1``, ``hits@3``, ``hits@10``, ``mean_rank`` and ``amri``
            (`skotkge.metrics.adjusted_mean_rank_index`) over all sides, and each with the prefix ``head_`` or ``tail_``
            for one side.

        Warns
        -----
        UserWarning
            If rows of X were trained on.

        References
        ----------
        .. [1] Hu, Fey, Zitnik, Dong, Ren, Liu, Catasta, Leskovec, "Open Graph Benchmark: Datasets for Machine Learning
           on Graphs", NeurIPS 2020.
        """
        warn_of_trained(self.was_trained_on(X, handle_unknown=handle_unknown))
        asked, device = self._asked(X, handle_unknown), self._device_of_answers()
        if negatives is None:
            ranking = rank_triples(asked, known, candidates, sides, device)
        else:
            among = negatives, random_state
            ranking = rank_triples_among_negatives(asked, known, candidates, sides, *among, device)
        return summary(asked, ranking, sides, average)

    def was_trained_on(self, X: ArrayLike, *, handle_unknown: str | None = None) -> NDArray[np.bool_]:
        """Tell which triples the model was trained on; figures of these flatter.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        ndarray of shape (n_triples,)
            False for triples that were held out for validation, and for rows with an unknown label.
        """
        asked = self._asked(X, handle_unknown)
        return asked.filled(asked.predictor.was_trained_on(asked.ids), False)

    def complete(
        self,
        X: ArrayLike | Sequence[Sequence[Any]],
        *,
        k: int = 10,
        known: ArrayLike | list[ArrayLike] | None = None,
        known_answers: str = "drop",
        candidates: Candidates = None,
        new_entities: MultimodalTriples | None = None,
        handle_unknown: str | None = None,
    ) -> Completions:
        """Fill the empty positions of each triple with the k best labels.

        Parameters
        ----------
        X : array-like of labels of shape (n_questions, 3)
            Each row has one None: its head, relation or tail. Or each has two: ``[None, r, None]`` asks for the
            likeliest pairs of a relation, ``[h, None, None]`` for the likeliest facts with a head, ``[None, None, t]``
            with a tail. With three see `likeliest_missing`. Where the triples of `fit` had names, the name
            of an entity is taken for its label if no other has it; upper and lower case, and what stands before its
            first letter, make no difference.
        k : int, default=10
        known : triples or list of triples, default=None
            More true triples, whose answers are known as those of training are; constraints take them for facts.
        known_answers : {"drop", "mark"}, default="drop"
            Leave known answers out, or list them with a mark.
        candidates : {"all", "seen"}, array-like of labels or mapping of relation to labels, default=None
            The only labels that may answer; None is "all". "seen" are those that training has on that side of the
            relation, or for a relation asked for, the relations that training has with the head as a head and with the
            tail as a tail. A mapping has labels of entities for some relations, or for the sides of a relation, as in
            ``{"born_in": {"tail": ["Berlin", "Rome"]}}``; the others may be answered by all.
        new_entities : MultimodalTriples, default=None
            The entities of its table that `fit` has not seen and that have a vector may be asked about and may answer.
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        Completions
            ``labels`` and ``scores`` of shape ``(n_questions, k)``, the best first, which is also what unpacking gives;
            ``probabilities`` and ``known`` of the same shape, and ``to_frame()``. With two empty positions labels have
            the shape ``(n_questions, k, 2)``. Scores are log-odds, those of `decision_function` with the side asked for
            ("both" for a relation, and for a pair). Probabilities are those of answers in
            such a list: an answer is the best of many candidates, so that it is true less often than a triple drawn at
            random with the same score, which is what `predict_proba` tells of. They hold for questions of which an
            answer is missing, and among the candidates: see `Completions`. A question about an entity or relation of
            which nothing is known, neither a training triple nor a vector, has no answers.
            ``names`` are those of the answers, where the triples of `fit` had names.

        Raises
        ------
        ValueError
            If a row has no None, rows have different numbers of them, or a label is not known.
        """
        predictor = self._answering_for(new_entities)
        check_choice(known_answers, "known_answers", ("drop", "mark"))
        check_choice(handle_unknown, "handle_unknown", ("error", "last", None))
        labels = as_label_triples(X)
        empty = empty_positions(labels)
        k = _checked_number(k, _n_answers(predictor, empty))
        unknown = handle_unknown or self.handle_unknown_
        ids, known_rows = ids_of_labels(predictor.vocabulary, labels, unknown, empty)
        questions = Questions.of(predictor.vocabulary, labels, empty, ids, known_rows)
        sets, device = ids_of_sets(predictor.vocabulary, known), self._device_of_answers()
        known = predictor.known_with(sets)
        predictor = predictor.knowing(predictor.with_entailed(sets), device)
        answers = answer if questions.n_empty == 1 else answer_openly
        return answers(predictor, questions, k, known, known_answers == "drop", candidates, device)

    def likeliest_missing(
        self,
        k: int = 10,
        *,
        known: ArrayLike | list[ArrayLike] | None = None,
        candidates: Candidates = None,
    ) -> Completions:
        """Find the triples of all entities and relations that are likeliest to be true and not known to be.

        Every pair of entities is scored for every relation, a tile at a time, within scikit-learn's working memory;
        ``candidates="seen"`` leaves out the pairs of the wrong kinds, which makes the search shorter.

        Parameters
        ----------
        k : int, default=10
        known : triples or list of triples, default=None
            More true triples to leave out.
        candidates : {"all", "seen"}, array-like of labels or mapping of relation to labels, default=None
            The only entities that heads and tails may be, as for `complete`.

        Returns
        -------
        Completions
            Of the one question ``[None, None, None]``: ``triples[0]`` are the triples, the likeliest first, ``scores``
            their `decision_function`.
        """
        return self.complete([[None] * 3], k=k, known=known, candidates=candidates)

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
            Or names, as for `complete`.
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
        predictor = self._answering_for(new_entities)
        _, table = chosen_table(predictor, space)
        k = _checked_number(k, len(table))
        asked = entities_of(entities, predictor.vocabulary, "entities")
        n_found = min(k + 1, len(table))
        with unlogged():
            neighbors = NearestNeighbors(n_neighbors=n_found, metric="cosine").fit(table)
        distances, found = neighbors.kneighbors(table[asked])
        others = np.argsort(found == asked[:, None], axis=1, kind="stable")[:, : n_found - 1]
        labels, similarities = np.full((len(asked), k), None), np.full((len(asked), k), np.nan)
        labels[:, : n_found - 1] = predictor.vocabulary.entities[np.take_along_axis(found, others, axis=1)]
        similarities[:, : n_found - 1] = 1 - np.take_along_axis(distances, others, axis=1)
        return Neighbors(labels, similarities, predictor.vocabulary.entities[asked], predictor.vocabulary)

    def embed(
        self, labels: ArrayLike, space: str | None = None, *, new_entities: MultimodalTriples | None = None
    ) -> NDArray[np.floating[Any]]:
        """Return the embeddings of entities.

        Parameters
        ----------
        labels : array-like of labels of shape (n_asked,)
            Or names, as for `complete`; one may be asked for several times.
        space : str, default=None
            A key of `space_embeddings_`. None is "fused", or the first where there is no fused space.
        new_entities : MultimodalTriples, default=None
            The entities of its table that `fit` has not seen and that have a vector may be asked about: the trained
            maps place them in every space.

        Returns
        -------
        ndarray of shape (n_asked, d)
            A copy of the rows of the space, in the order of `labels`.

        Raises
        ------
        ValueError
            If an entity or the space is not known.

        See Also
        --------
        EntityEmbedder : The same as a transformer, for pipelines of scikit-learn.
        export_embeddings : All of them to a file.
        """
        return embed(self._answering_for(new_entities), labels, space)

    def explain(self, X: ArrayLike, *, side: str = "both", handle_unknown: str | None = None) -> Explanation:
        """Tell what each kind of evidence adds to the log-odds of triples, and the facts behind it.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
        side : {"both", "head", "tail"}, default="both"
            Explain `decision_function` with the same `side`. To explain an answer of `complete` give the side that was
            asked for.
        handle_unknown : {"error", "last"}, default=None
            What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. None
            is as `fit` was told.

        Returns
        -------
        Explanation
            Its contributions sum to `decision_function`. "self_loop" is below zero for a triple that links an entity
            with itself by a relation that never does; "offset" is what is left without any evidence. NaN for rows with
            an unknown label.
        """
        check_choice(side, "side", SIDES)
        asked = self._asked(X, handle_unknown)
        labels = X.labels if isinstance(X, MultimodalTriples) else as_label_triples(X)
        return explain(asked.predictor, labels, asked.ids, asked.rows, side, self._device_of_answers())

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.target_tags.required = False
        tags.classifier_tags.multi_class = False
        return tags


def _checked_number(k, n_answers):
    """Return the number of answers asked for; far more than there can be would fill the memory with places for them."""
    if isinstance(k, bool | np.timedelta64) or not isinstance(k, Integral) or k < 1:
        raise (ValueError if isinstance(k, Integral) else TypeError)(f"k == {shown(k)}, must be >= 1 and an integer.")
    if k > max(n_answers, MOST_PLACES):
        raise ValueError(f"k == {shown(k)}, and there are {n_answers} answers at most; give k={n_answers} for all.")
    return int(k)


def _n_answers(predictor, empty):
    """How many answers a question with such empty positions can have."""
    n_entities, n_relations = len(predictor.vocabulary.entities), predictor.n_relations
    numbers = np.array([n_entities, n_relations, n_entities], dtype=object)
    return max((math.prod(numbers[row]) for row in np.unique(empty, axis=0)), default=1)
