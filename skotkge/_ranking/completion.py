"""Questions with one to three empty positions, such as (head, relation, ?) or (?, relation, ?), and their answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .._graph.labels import counted, is_missing
from .._graph.triples import COLUMNS
from .._graph.vocabulary import Vocabulary
from .._utils.frames import data_frame
from .._utils.html import bar, table
from .._utils.messages import shown

# What a repr has of many questions and answers.
SHOWN = 5
SHOWN_IN_NOTEBOOK = 20


@dataclass(frozen=True)
class Completions:
    """Best answers to each question. Unpacks to labels and scores.

    Attributes
    ----------
    labels : ndarray of shape (n_questions, k), dtype object
        None where fewer than k answers are left, and where nothing is known of an entity or relation asked about. Of
        shape (n_questions, k, n_empty), from head to tail, where the questions have two or three empty positions.
    scores : ndarray of shape (n_questions, k)
        Log-odds in decreasing order, the numbers that the answers are ordered by: `decision_function` of the completed
        triples with ``side="head"`` or ``"tail"`` where the empty positions are a head or a tail, alone or with the
        relation, and else ``"both"``; -inf where fewer than k are left.
    probabilities : ndarray of shape (n_questions, k)
        How often an answer with such a score and rank was true in lists for held-out questions, where answers that no
        list of facts has count as false. Such questions have an answer that is missing; of questions of which all
        answers may be known already far fewer are true. With candidates an answer is compared with these alone, as if
        one of them were right. They fall with the rank. With more empty positions, how often such
        an answer was true in lists for all questions that training triples answer, most of which have none missing, one
        side at a time, joined by the mean of their log-odds; where they would rise with the rank, neighbours share
        their mean. NaN where fewer than k answers are left.
    known : ndarray of shape (n_questions, k), dtype bool
        Whether the completed triple was known to be true.
    names : ndarray of shape (n_questions, k), dtype object, or None
        Names of the answers, None where an answer has none; None if the model knows no names.
    questions : Questions
    vocabulary : Vocabulary
        That of the model.

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> triples = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> triples += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> answers = RuleBaseline(random_state=0).fit(triples).complete([("joe", "husband_of", None)], k=1)
    >>> answers.labels
    array([['eve']], dtype=object)
    >>> answers.to_frame()[["question", "rank", "head", "relation", "tail", "known"]]
       question  rank head    relation tail  known
    0         0     1  joe  husband_of  eve  False
    """

    labels: np.ndarray
    scores: np.ndarray
    probabilities: np.ndarray
    known: np.ndarray
    questions: "Questions"
    vocabulary: Vocabulary

    @cached_property
    def names(self) -> np.ndarray | None:
        """Names of the answers; relations have none."""
        names = _names(self.labels, self.vocabulary)
        if names is not None:
            columns = np.nonzero(self.questions.empty)[1].reshape(len(names), 1, self.questions.n_empty)
            is_relation = np.broadcast_to(columns == 1, (*self.scores.shape, self.questions.n_empty))
            names[is_relation.reshape(names.shape)] = None
        return names

    @property
    def triples(self) -> np.ndarray:
        """The questions filled in, of shape (n_questions, k, 3); None where there is no answer."""
        found = np.repeat(self.questions.labels[:, None], self.scores.shape[1], axis=1)
        found[np.broadcast_to(self.questions.empty[:, None], found.shape)] = self.labels.ravel()
        return found

    def _shown_answer(self, row, place):
        labels = self.labels[row, place] if self.labels.ndim == 3 else [self.labels[row, place]]
        return ", ".join(self.vocabulary.shown(label) for label in labels)

    def __repr__(self):
        lines = [
            f"{type(self).__name__}({counted(len(self.labels), 'question', 'questions')}, k={self.labels.shape[1]})"
        ]
        shown = self.vocabulary.shown
        for row, question in enumerate(self.questions.labels[:SHOWN]):
            lines.append(f"({', '.join('?' if is_missing(label) else shown(label) for label in question)})")
            places = np.flatnonzero(np.isfinite(self.probabilities[row]))
            lines += [f"  {self.probabilities[row, k]:.3f} {self._shown_answer(row, k)}" for k in places[:SHOWN]]
            lines += ["  ..."] if len(places) > SHOWN else []
        return "\n".join([*lines, "..."] if len(self.labels) > SHOWN else lines)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.labels, self.scores))

    def _repr_html_(self):
        parts, with_name = [], self.vocabulary.with_name
        for row, question in enumerate(self.questions.labels[:SHOWN_IN_NOTEBOOK]):
            shown = np.flatnonzero(np.isfinite(self.probabilities[row]))
            title = ", ".join("?" if is_missing(label) else with_name(label) for label in question)
            empty = [name for name, is_empty in zip(COLUMNS, self.questions.empty[row], strict=True) if is_empty]
            answers = [
                [
                    int(rank + 1),
                    *map(with_name, self.labels[row, rank] if len(empty) > 1 else [self.labels[row, rank]]),
                    float(self.scores[row, rank]),
                    float(self.probabilities[row, rank]),
                    bar(self.probabilities[row, rank]),
                ]
                for rank in shown
            ]
            parts.append(table(title, ["rank", *empty, "score", "probability", ""], answers))
        return "".join(parts) + _left_out(len(self.labels))

    def to_frame(self, library: str = "pandas") -> Any:
        """Return the completed triples as a data frame with one row for each answer.

        Parameters
        ----------
        library : {"pandas", "polars"}, default="pandas"

        Returns
        -------
        DataFrame
            Columns question (row number in X), rank (from 1), head, relation, tail, score, probability, known; and last
            head_name and tail_name, if the model knows names.

        Raises
        ------
        ImportError
            If the library is not installed.
        """
        found, place = np.nonzero(np.isfinite(self.probabilities))
        triples = self.triples[found, place]
        columns = {"question": found, "rank": place + 1}
        columns |= {name: triples[:, position].tolist() for position, name in enumerate(COLUMNS)}
        columns |= {"score": self.scores[found, place], "probability": self.probabilities[found, place]}
        columns["known"] = self.known[found, place]
        if self.vocabulary.names is not None:
            for position in (0, 2):
                columns[f"{COLUMNS[position]}_name"] = self.vocabulary.names_of(triples[:, position]).tolist()
        return data_frame(library, columns, "to_frame")


@dataclass(frozen=True)
class Neighbors:
    """Nearest entities of each entity asked about. Unpacks to labels and similarities.

    Attributes
    ----------
    labels : ndarray of shape (n_asked, k), dtype object
    similarities : ndarray of shape (n_asked, k)
        Cosines in decreasing order.
    names : ndarray of shape (n_asked, k), dtype object, or None
        Names of the neighbours, None where one has none; None if the model knows no names.
    asked : ndarray of shape (n_asked,), dtype object
        The entities asked about.
    vocabulary : Vocabulary
        That of the model.

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = OTKGEClassifier(embedding_dim=4, max_iter=1, random_state=0).fit(triples)
    >>> labels, cosines = kge.nearest(["e7", "e3"], k=5)
    >>> labels.shape, bool((abs(cosines) <= 1).all())
    ((2, 5), True)
    """

    labels: np.ndarray
    similarities: np.ndarray
    asked: np.ndarray
    vocabulary: Vocabulary

    @cached_property
    def names(self) -> np.ndarray | None:
        """Names of the neighbours."""
        return _names(self.labels, self.vocabulary)

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.labels, self.similarities))

    def __repr__(self):
        lines = [f"{type(self).__name__}({counted(len(self.labels), 'entity', 'entities')}, k={self.labels.shape[1]})"]
        shown = self.vocabulary.shown
        for entity, labels, similarities in zip(self.asked[:SHOWN], self.labels, self.similarities, strict=False):
            lines.append(shown(entity))
            places = np.flatnonzero(np.isfinite(similarities))
            lines += [f"  {similarities[k]:.3f} {shown(labels[k])}" for k in places[:SHOWN]]
            lines += ["  ..."] if len(places) > SHOWN else []
        return "\n".join([*lines, "..."] if len(self.labels) > SHOWN else lines)

    def _repr_html_(self):
        parts, with_name = [], self.vocabulary.with_name
        for entity, labels, similarities in zip(
            self.asked[:SHOWN_IN_NOTEBOOK], self.labels, self.similarities, strict=False
        ):
            found = np.flatnonzero(np.isfinite(similarities))
            rows = [[with_name(labels[k]), float(similarities[k]), bar(similarities[k])] for k in found]
            parts.append(table(with_name(entity), ["nearest", "cosine", ""], rows))
        return "".join(parts) + _left_out(len(self.labels))


def _left_out(n_rows):
    n_more = n_rows - SHOWN_IN_NOTEBOOK
    return f"<p>and {n_more} more</p>" if n_more > 0 else ""


def _names(labels, vocabulary):
    return None if vocabulary.names is None else vocabulary.names_of(labels.ravel()).reshape(labels.shape)


@dataclass(frozen=True)
class Questions:
    """Triples with empty positions, equally many in each, as labels and as ids.

    Attributes
    ----------
    labels : ndarray of shape (n_questions, 3), dtype object
    empty : ndarray of shape (n_questions, 3), dtype bool
        The positions to be filled.
    ids : ndarray of shape (n_questions, 3)
        Zero in the empty positions and in rows with an unknown label.
    known_rows : ndarray of shape (n_questions,), dtype bool
        Rows whose labels are all known.
    """

    labels: np.ndarray
    empty: np.ndarray
    ids: np.ndarray
    known_rows: np.ndarray

    @classmethod
    def of(cls, vocabulary, labels, empty, ids, known_rows):
        """Return questions with the labels of entities that were asked about by name."""
        labels = labels.copy()
        for column, known in enumerate((vocabulary.entities, vocabulary.relations, vocabulary.entities)):
            rows = known_rows & ~empty[:, column]
            labels[rows, column] = known[ids[rows, column]]
        return cls(labels, empty, ids, known_rows)

    @property
    def n_empty(self):
        """Number of the empty positions of each question; 1 without questions."""
        return int(self.empty[0].sum()) if len(self.empty) else 1

    @property
    def asked(self):
        """The first empty position of each question."""
        return self.empty.argmax(axis=1)

    def by_column(self):
        """Yield the first empty positions, and the rows of each that can be answered."""
        for column in np.unique(self.asked[self.known_rows]):
            yield column, np.flatnonzero(self.known_rows & (self.asked == column))


def empty_positions(questions):
    """Return a mask of the positions that are to be filled in each question.

    Parameters
    ----------
    questions : ndarray of shape (n_questions, 3), dtype object

    Returns
    -------
    ndarray of shape (n_questions, 3), dtype bool

    Raises
    ------
    ValueError
        If a row has no None, or another number than the first.
    """
    empty = np.array([[is_missing(label) for label in row] for row in questions], dtype=bool).reshape(-1, 3)
    numbers = empty.sum(axis=1)
    wrong = np.flatnonzero((numbers == 0) | (numbers != numbers[:1]))
    if len(wrong):
        row = wrong[0]
        remedy = "put None in exactly one position of each row, the one to be filled"
        if numbers[0]:
            remedy = f"row 0 has {numbers[0]}, and those of one call have equally many; {remedy}, or in two of each"
        told = f"X has {numbers[row]} empty positions in row {row}: {shown(questions[row].tolist())}"
        raise ValueError(f"{told}; {remedy}.")
    return empty


def best_relations(scores, k, left_out=None, allowed=None):
    """The k best relations between given heads and tails.

    Parameters
    ----------
    scores : ndarray of shape (n_questions, n_relations)
        Overwritten.
    k : int
    left_out : ndarray of shape (n_questions, n_relations), dtype bool, default=None
        Relations that are no answers, because they are known.
    allowed : ndarray of shape (n_questions or 1, n_relations), dtype bool, default=None
        Relations that may answer.

    Returns
    -------
    answers, scores : ndarray of shape (n_questions, k)
        -1 and -inf where fewer answers are left.
    """
    if left_out is not None:
        scores[left_out] = -np.inf
    if allowed is not None:
        scores[~np.broadcast_to(allowed, scores.shape)] = -np.inf
    # Stable, so that of equal relations the first is the better; there are few of them.
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    answers, best = np.full((len(scores), k), -1), np.full((len(scores), k), -np.inf)
    best[:, : order.shape[1]] = np.take_along_axis(scores, order, axis=1)
    answers[:, : order.shape[1]] = order
    answers[np.isneginf(best)] = -1
    return answers, best
