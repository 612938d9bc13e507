"""LinkPredictor: all that answering needs, frozen, in ids and arrays, without an estimator's parameter."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils import gen_batches

from .._evidence.combiner import Combiner
from .._evidence.cosines import Cosines
from .._evidence.counts import Counts
from .._evidence.embedding import EmbeddingEvidence
from .._evidence.mixture import Mixture
from .._evidence.neighbors import Neighbors
from .._evidence.paths import PathEvidence
from .._evidence.relation_maps import RelationMaps
from .._evidence.rules import RuleEvidence
from .._evidence.unseen import UnseenEntities
from .._fusion.encoder import RowEncoder, encoder_from_state
from .._graph.constraints import Statement, resolve
from .._graph.packed_labels import pack_labels, unpack_labels
from .._graph.queries import KnownAnswers, KnownUnion, both_directions
from .._graph.vocabulary import DESCRIPTIONS, Vocabulary
from .._utils.forks import survive_forks
from .answer_calibration import AnswerCalibration
from .answering_processes import answering_processes
from .calibration import Calibration
from .completion import best_relations
from .constraint_checks import PENALTY, ConstraintChecker
from .ranker import Ranker

# Triples scored at once where each question is asked of every relation.
CANDIDATES_AT_ONCE = 2**20
EVIDENCE_CLASSES = {
    kind.__name__: kind
    for kind in (EmbeddingEvidence, RelationMaps, RuleEvidence, PathEvidence, Counts, Cosines, Neighbors)
}


def register_evidence(kind):
    """Let predictors with a class of evidence be saved as plain values."""
    EVIDENCE_CLASSES[kind.__name__] = kind


@dataclass(frozen=True)
class LinkPredictor:
    """A fitted model: evidence with weights, what is known, and the line from scores to log-odds.

    What answering derives from these, such as sorted answers and tensors on a device, is made when first needed, kept,
    and never pickled.

    Attributes
    ----------
    vocabulary : Vocabulary
    true_ids : ndarray of shape (n_known, 3)
        Distinct true triples that the fit has seen.
    evidence : tuple of Evidence
    weights : ndarray of shape (n_kinds, 2 * n_relations)
    calibration : Calibration
    informed : tuple of (ndarray of shape (n_entities,), ndarray of shape (2 * n_relations,)), dtype bool
        Entities, and relations with reciprocals, of which something is known; all scores of other queries are 0.
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool
    encoder : RowEncoder or None
        Embeds entities that the fit has not seen.
    trained : ndarray of shape (n_known,), dtype bool
        Which of the true triples the evidence was learned from; the others were held out.
    fact_weights : ndarray of shape (n_known,) or None
        What each true triple counted in training; None is 1.
    answer_lines : tuple of three AnswerCalibration or None
        Of lists of entities, with a group for each relation and reciprocal, and of lists of relations, for questions
        of which an answer is missing; and of lists of entities for questions that may have none. Files of before lack
        the last.
    statements : tuple of Statement
        What the user has said of relations; answers obey it.
    given_ids : ndarray of shape (n_given, 3) or None
        What these are applied to, while calibration takes held-out triples for unknown; None is the true triples.
    combiner : Combiner or None
        Adds to the weighted sums.
    """

    vocabulary: Vocabulary
    true_ids: np.ndarray
    evidence: tuple
    weights: np.ndarray
    calibration: Calibration
    informed: tuple
    excludes_self_loops: np.ndarray
    encoder: RowEncoder | None = None
    trained: np.ndarray | None = None
    answer_lines: tuple | None = None
    fact_weights: np.ndarray | None = None
    statements: tuple = ()
    given_ids: np.ndarray | None = None
    combiner: Combiner | None = None

    @property
    def n_relations(self):
        """Number of relations, reciprocal ones not counted."""
        return len(self.vocabulary.relations)

    @cached_property
    def known(self):
        """Answers of the true triples, sorted once."""
        return KnownAnswers(self.true_ids, self.n_relations)

    @cached_property
    def seen(self):
        """Which entities answer each relation in the true triples, csr_array of (2 * n_relations, n_entities)."""
        return entities_by_relation(self.true_ids, self.n_relations, len(self.vocabulary.entities))

    @cached_property
    def counted(self):
        """The triples that the evidence was made of."""
        if self.trained is None or self.trained.all():
            return self.known
        return KnownAnswers(self.true_ids[self.trained], self.n_relations)

    @cached_property
    def constraints(self):
        """The statements in ids."""
        return resolve(self.statements, self.vocabulary)

    @cached_property
    def checker(self):
        """The `ConstraintChecker` of the statements, or None."""
        if not self.statements:
            return None
        known = self.known if self.given_ids is None else KnownAnswers(self.given_ids, self.n_relations)
        ids = self.true_ids if self.given_ids is None else self.given_ids
        return ConstraintChecker(self.constraints, ids, known, len(self.vocabulary.entities))

    def are_ruled_out(self, ids):
        """Tell which triples the constraints rule out."""
        return np.zeros(len(ids), dtype=bool) if self.checker is None else self.checker.are_ruled_out(ids)

    @cached_property
    def _rankers(self):
        return {}

    def ranker(self, device="cpu"):
        """Return the `Ranker` on a device; its tensors are kept."""
        processes = answering_processes()
        ranker = self._own_ranker(device)
        return ranker if processes is None else ranker.shared_by(processes)

    def _own_ranker(self, device):
        """The ranker of this process alone."""
        survive_forks()
        if device not in self._rankers:
            mixture = Mixture(
                [kind.on(device) for kind in self.evidence],
                self.weights,
                excludes_self_loops=self.excludes_self_loops,
                informed_entities=self.informed[0],
                informed_relations=self.informed[1],
                counted=self.counted,
                combiner=self.combiner,
                device=device,
            )
            self._rankers[device] = Ranker(mixture, self.checker)
        return self._rankers[device]

    def contributions(self, ids, device="cpu", side="both"):
        """What each kind of evidence adds to the scores of triples.

        Parameters
        ----------
        ids : ndarray of shape (n_triples, 3)
        device : str, default="cpu"
        side : {"both", "head", "tail"}, default="both"
            Score triples as answers to a question for their heads or tails, or by the mean of both.

        Returns
        -------
        ndarray of shape (n_parts, n_triples)
            Means over the directions that count, of the parts of `Mixture.pair_parts`. A direction counts if
            something is known of its source and relation.
        ndarray of shape (n_triples,), dtype bool
            Triples of which no direction counts; their parts are 0.
        """
        directions = {"both": slice(None), "tail": slice(len(ids)), "head": slice(len(ids), None)}[side]
        sources, relations, answers = (array[directions] for array in both_directions(ids, self.n_relations))
        ranker = self.ranker(device)
        n_directions = 2 if side == "both" else 1
        counts = ~ranker.is_blank(sources, relations).reshape(n_directions, len(ids))
        # (n_parts, n_directions n_triples), directions one after the other; the score is the sum over the parts of
        # their mean over the directions that count.
        parts = ranker.pair_parts(sources, relations, answers)
        parts = parts.reshape(len(parts), n_directions, len(ids))
        return (parts * counts).sum(axis=1) / np.maximum(counts.sum(axis=0), 1), ~counts.any(axis=0)

    def scores(self, ids, device="cpu", side="both"):
        """Raw scores of triples of ids ``(n, 3)``; where nothing is known, the score of even odds."""
        parts, unknown = self.contributions(ids, device, side)
        return np.where(unknown, self.calibration.even_odds(ids[:, 1]), parts.sum(axis=0))

    def log_odds(self, ids, device="cpu", side="both"):
        """Calibrated log-odds of triples of ids ``(n, 3)``; constraints rule triples out whatever their scores."""
        parts, offset, _ = self.log_odds_of_parts(ids, device, side)
        return parts.sum(axis=0) + offset + PENALTY * self.are_ruled_out(ids)

    def log_odds_of_parts(self, ids, device="cpu", side="both"):
        """What log-odds of triples of ids ``(n, 3)`` are the sum of, but for constraints.

        Returns
        -------
        parts : ndarray of shape (n_parts, n_triples)
            Those of `contributions` in log-odds.
        offset : ndarray of shape (n_triples,)
            Log-odds of a triple of which no evidence speaks.
        unknown : ndarray of shape (n_triples,), dtype bool
            Triples of which nothing is known; all of theirs is 0.
        """
        parts, unknown = self.contributions(ids, device, side)
        # The last part, the penalty of an excluded self-loop, holds whatever the slope, which may be 0.
        parts[:-1] *= self.calibration.slope[ids[:, 1]]
        return parts, np.where(unknown, 0.0, self.calibration.intercept[ids[:, 1]]), unknown

    def was_trained_on(self, ids):
        """Tell which triples the evidence was learned from."""
        return self.counted.contains(ids)

    def known_with(self, sets):
        """Known answers of the fit together with those of more sets of triples, and what follows from these."""
        more = [KnownAnswers(ids, self.n_relations) for ids in self.with_entailed(sets) if len(ids)]
        return KnownUnion([self.known, *more])

    def with_entailed(self, sets):
        """Return sets of triples with what follows from them by the constraints."""
        return [self.constraints.closed(ids) for ids in sets] if self.statements else sets

    def knowing(self, sets, device="cpu"):
        """Return a predictor whose constraints also take more sets of triples for facts.

        Parameters
        ----------
        sets : list of ndarray of shape (n_triples, 3)
            With what follows from them.
        device : str, default="cpu"
            The one to be asked on, whose tensors both share.

        Returns
        -------
        LinkPredictor
            Itself where there are no constraints, or no triples.
        """
        sets = [ids for ids in sets if len(ids)]
        if not self.statements or not sets:
            return self
        given = self.true_ids if self.given_ids is None else self.given_ids
        more = replace(self, given_ids=np.concatenate([given, *sets]))
        more._rankers[device] = self._own_ranker(device).checked_by(more.checker)
        return more

    def best_answers(self, ids, column, k, known=None, allowed=None, device="cpu"):
        """The k best answers to questions of one form, best first.

        Parameters
        ----------
        ids : ndarray of shape (n_questions, 3)
        column : int
            Asked for: 0 heads, 1 relations, 2 tails.
        k : int
        known : KnownAnswers or KnownUnion, default=None
            Answers to leave out.
        allowed : callable or ndarray, default=None
            See `Ranker.best` and `best_relations`.
        device : str, default="cpu"

        Returns
        -------
        answers : ndarray of shape (n_questions, k)
            -1 where fewer answers are left.
        scores : ndarray of shape (n_questions, k)
            Raw scores of entities, log-odds of relations, whose scores do not compare; -inf where fewer are left.
        """
        if column == 1:
            return self._best_relations(ids, k, known, allowed, device)
        shift = self.n_relations if column == 0 else 0
        sources, relations = ids[:, 2 - column], ids[:, 1] + shift
        return self.ranker(device).best(sources, relations, k, known, allowed)

    def _best_relations(self, ids, k, known, allowed, device):
        log_odds = np.empty((len(ids), self.n_relations))
        left_out = np.zeros(log_odds.shape, dtype=bool)
        for rows in gen_batches(len(ids), max(1, CANDIDATES_AT_ONCE // self.n_relations)):
            # Relations are compared by log-odds, (n_questions, n_relations), since each has a line of its own; every
            # one is a triple that is scored by itself.
            triples = np.repeat(ids[rows], self.n_relations, axis=0)
            triples[:, 1] = np.tile(np.arange(self.n_relations), len(triples) // self.n_relations)
            parts, offset, unknown = self.log_odds_of_parts(triples, device)
            log_odds[rows] = (parts.sum(axis=0) + offset).reshape(-1, self.n_relations)
            loops = (triples[:, 0] == triples[:, 2]) & self.excludes_self_loops[triples[:, 1]]
            out = unknown | loops | self.are_ruled_out(triples)
            out = out if known is None else out | known.contains(triples)
            left_out[rows] = out.reshape(-1, self.n_relations)
        return best_relations(log_odds, k, left_out, allowed)

    @property
    def line_of_open_questions(self):
        """The one of `answer_lines` for answers to questions that nobody has asked, or None."""
        return self.answer_lines and self.answer_lines[2 if len(self.answer_lines) > 2 else 0]

    def answer_groups(self, ids, column):
        """Which line of `answer_lines` belongs to each question: that of the relation and direction, or the one."""
        if column == 1:
            return np.zeros(len(ids), dtype=np.int64)
        return ids[:, 1] + (self.n_relations if column == 0 else 0)

    def list_log_odds(self, scores, ids, column):
        """Log-odds that the answers of lists from `best_answers` are true.

        Parameters
        ----------
        scores : ndarray of shape (n_questions, k)
            With k at least `LISTED`, whatever is shown of them.
        ids : ndarray of shape (n_questions, 3)
        column : int

        Returns
        -------
        ndarray of shape (n_questions, k)
            They never rise down a list. NaN where the list has ended. Where no triples were held out to learn from,
            those of triples by themselves.
        """
        if self.answer_lines is not None:
            log_odds = self.answer_lines[int(column == 1)].log_odds(scores, self.answer_groups(ids, column))
        else:
            log_odds = self.answer_log_odds(scores, ids, column)
        return np.where(np.isneginf(scores), np.nan, log_odds)

    def answer_log_odds(self, scores, ids, column):
        """`log_odds` of the triples that answers from `best_answers` complete, in the direction asked in."""
        return scores if column == 1 else self.calibration.log_odds(scores, ids[:, [1]])

    def with_entities(self, labels, matrices, observed, descriptions):
        """Return a predictor that also knows unseen entities by their vectors.

        Parameters
        ----------
        labels : ndarray of shape (n_unseen,), dtype object
        matrices : dict of str to ndarray of shape (n_unseen, d_k)
            The modalities of the encoder.
        observed : dict of str to ndarray of shape (n_unseen,), dtype bool
            Which vectors are there.
        descriptions : dict of str to ndarray of shape (n_unseen,), dtype object, or None
            As those of a `Vocabulary`.

        Returns
        -------
        LinkPredictor
        """
        unseen = UnseenEntities(self.encoder, self.encoder.columns(matrices, observed), observed)
        entities, relations = self.informed
        return replace(
            self,
            vocabulary=self.vocabulary.with_entities(labels, descriptions),
            evidence=tuple(kind.extended(unseen) for kind in self.evidence),
            informed=(np.append(entities, np.ones(len(labels), dtype=bool)), relations),
        )

    def state(self) -> dict[str, Any]:
        """Return plain values and arrays that `from_state` makes the predictor of again."""
        return {
            "entities": pack_labels(self.vocabulary.entities),
            "relations": pack_labels(self.vocabulary.relations),
            **{what: pack_labels(told) for what, told in self.vocabulary.descriptions.items()},
            "true_ids": self.true_ids,
            "evidence": [_state_of(kind) for kind in self.evidence],
            "weights": self.weights,
            "combiner": self.combiner and self.combiner.state(),
            "calibration": (self.calibration.slope, self.calibration.intercept),
            "informed": self.informed,
            "excludes_self_loops": self.excludes_self_loops,
            "encoder": None if self.encoder is None else self.encoder.state(),
            "trained": self.trained,
            "fact_weights": self.fact_weights,
            "statements": [(said.relation, said.property, said.type_relation, said.labels) for said in self.statements],
            "answer_lines": self.answer_lines and [(line.slopes, line.intercepts) for line in self.answer_lines],
        }

    @classmethod
    def from_state(cls, state):
        """Return the predictor that `state` was made of."""
        state = dict(state)
        columns = ("entities", "relations", *DESCRIPTIONS)
        vocabulary = Vocabulary(**{name: unpack_labels(state.pop(name, None)) for name in columns})
        evidence = tuple(
            kind if name is None else EVIDENCE_CLASSES[name].from_state(kind) for name, kind in state.pop("evidence")
        )
        statements = tuple(Statement(*said) for said in state.pop("statements", ()))
        encoder, lines = state.pop("encoder"), state.pop("answer_lines")
        combiner = state.pop("combiner", None)
        return cls(
            vocabulary,
            evidence=evidence,
            calibration=Calibration(*state.pop("calibration")),
            encoder=None if encoder is None else encoder_from_state(encoder),
            answer_lines=lines and tuple(AnswerCalibration(*line) for line in lines),
            statements=statements,
            combiner=combiner and Combiner.from_state(combiner),
            **state,
        )

    def __getstate__(self):
        return self.state()

    def __setstate__(self, state):
        vars(self).update(vars(self.from_state(state)))


def entities_by_relation(ids, n_relations, n_entities):
    """Which entities answer each relation and reciprocal, csr_array of (2 * n_relations, n_entities)."""
    _, relations, answers = both_directions(ids, n_relations)
    shape = 2 * n_relations, n_entities
    return csr_array((np.ones(len(answers), dtype=bool), (relations, answers)), shape=shape)


def _state_of(kind):
    """Class name and state of evidence of ours; None and the object itself for a kind of the user's."""
    name = type(kind).__name__
    return (name, kind.state()) if EVIDENCE_CLASSES.get(name) is type(kind) else (None, kind)
