"""Answers of a finished matching: counterparts, probabilities, ranks and figures, from arrays only."""

import numpy as np
from scipy.sparse import csr_array

from .._graph.packed_labels import pack_labels, unpack_labels
from .._graph.vocabulary import Vocabulary
from .calibration import MatchCalibration, entries, match_features
from .lookup import RowNumbers
from .pairs import pair_columns
from .plans import transport_plan
from .rounds import Learned, Matched, mutual_best

# Probability from which a match is told, where nothing better is known.
TOLD = 0.5


class MatchAnswers:
    """All that a fitted matcher needs to answer.

    Parameters
    ----------
    vocabularies : tuple of Vocabulary
        Labels of the entities of X and of Y, and what is told of them.
    known : ndarray of shape (n_pairs, 2)
        Known pairs of fit.
    matched : Matched
    solver : str
    min_probability : float or "f1", default=0.5
        From which a match is told.
    """

    def __init__(self, vocabularies, known, matched, solver, min_probability=TOLD):
        self.vocabularies = vocabularies
        self.entities = first, second = tuple(vocabulary.entities for vocabulary in vocabularies)
        self.known = known
        self.matched = matched
        self.solver = solver
        self.min_probability = min_probability
        self._mate = np.full(len(first), -1)
        self._mate[known[:, 0]] = known[:, 1]
        self._place = [_places(matched.rows, len(first)), _places(matched.columns, len(second))]
        rows, columns, _ = mutual_best(matched.plan)
        probabilities = self._free_probabilities(rows, columns)
        self.threshold = self._threshold()
        told = probabilities >= self.threshold
        self._told = np.column_stack([matched.rows[rows], matched.columns[columns]])[told]
        self._told_probabilities = probabilities[told]

    def _threshold(self):
        if self.min_probability != "f1":
            return float(self.min_probability)
        calibration = self.matched.learned.calibration
        return TOLD if calibration is None else calibration.threshold_of_best_f1

    def state(self):
        """Return plain values and arrays that `from_state` makes the answers of again."""
        matched, learned = self.matched, self.matched.learned
        calibration = learned.calibration
        return {
            "first": pack_labels(self.entities[0]),
            "second": pack_labels(self.entities[1]),
            "descriptions": [
                {what: pack_labels(told) for what, told in vocabulary.descriptions.items()}
                for vocabulary in self.vocabularies
            ],
            "known": self.known,
            "solver": self.solver,
            "min_probability": self.min_probability,
            "matched": {
                "rows": matched.rows,
                "columns": matched.columns,
                "similarity": _sparse_state(matched.similarity),
                "plan": _sparse_state(matched.plan),
                "n_plans": matched.n_plans,
            },
            "learned": {"weights": dict(learned.weights), "reg": learned.reg, "unmatched": learned.unmatched},
            "calibration": None if calibration is None else vars(calibration),
        }

    @classmethod
    def from_state(cls, state):
        """Return the answers that `state` was made of."""
        calibration = None if state["calibration"] is None else MatchCalibration(**state["calibration"])
        matched = dict(state["matched"])
        for name in ("similarity", "plan"):
            data, indices, starts, shape = matched[name]
            matched[name] = csr_array((data, indices, starts), shape=tuple(shape))
        matched = Matched(**matched, learned=Learned(**state["learned"], calibration=calibration))
        vocabularies = []
        for side, descriptions in zip(("first", "second"), state.get("descriptions", [{}, {}]), strict=True):
            told = {what: unpack_labels(packed) for what, packed in descriptions.items()}
            vocabularies.append(Vocabulary(unpack_labels(state[side]), np.empty(0, dtype=object), **told))
        return cls(tuple(vocabularies), state["known"], matched, state["solver"], state.get("min_probability", TOLD))

    def whole_plan(self):
        """The plan over all entities, with 1 for known pairs, as csr_array."""
        plan = self.matched.plan.tocoo()
        keep = plan.data > 0
        rows = np.concatenate([self.known[:, 0], self.matched.rows[plan.row[keep]]])
        columns = np.concatenate([self.known[:, 1], self.matched.columns[plan.col[keep]]])
        values = np.concatenate([np.ones(len(self.known)), plan.data[keep]])
        return csr_array((values, (rows, columns)), shape=tuple(map(len, self.entities)))

    def whole_similarity(self):
        """Similarities over all entities, as csr_array."""
        similarity = self.matched.similarity.tocoo()
        places = self.matched.rows[similarity.row], self.matched.columns[similarity.col]
        return csr_array((similarity.data, places), shape=tuple(map(len, self.entities)))

    def matches(self):
        """List of label of X, label of Y and probability: known pairs first, then those found, the surest first."""
        order = np.argsort(-self._told_probabilities, kind="stable")
        ids = np.concatenate([self.known, self._told[order]])
        probabilities = np.concatenate([np.ones(len(self.known)), self._told_probabilities[order]])
        first, second = self.entities
        return list(zip(first[ids[:, 0]], second[ids[:, 1]], probabilities.tolist(), strict=True))

    def counterparts(self, labels):
        """Labels of Y for labels of X, None where unmatched."""
        rows = RowNumbers(self.entities[0]).rows(labels, "labels")
        found = self._mate.copy()
        found[self._told[:, 0]] = self._told[:, 1]
        out = np.full(len(rows), None, dtype=object)
        matched = found[rows] >= 0
        out[matched] = self.entities[1][found[rows[matched]]]
        return out

    def ids_of(self, pairs):
        """Positions of the labels of pairs, by label, whatever container they come in."""
        sides = zip(self.entities, pair_columns(pairs), ("first", "second"), strict=True)
        return np.column_stack(
            [RowNumbers(entities).rows(column, f"The {which} column of pairs") for entities, column, which in sides]
        )

    def probabilities(self, ids):
        """Probability of each pair; 1 for known pairs, 0 where one of the two has another known counterpart."""
        out = (self._mate[ids[:, 0]] == ids[:, 1]).astype(np.float64)
        rows, columns = self._places_of(ids)
        free = (rows >= 0) & (columns >= 0)
        out[free] = self._free_probabilities(rows[free], columns[free])
        return out

    def _places_of(self, ids):
        return self._place[0][ids[:, 0]], self._place[1][ids[:, 1]]

    def _free_probabilities(self, rows, columns):
        plan, similarity = self.matched.plan, self.matched.similarity
        mass = entries(plan, rows, columns)
        calibration = self.matched.learned.calibration
        if calibration is None or not len(rows):
            return np.clip(mass, 0, 1)
        # A pair that is no candidate has no similarity to judge by; it gets nothing.
        return np.where(mass > 0, calibration.probabilities(match_features(plan, similarity, rows, columns)), 0.0)

    def ranks(self, ids):
        """Rank of each pair among the free entities of Y."""
        out = np.where(self._mate[ids[:, 0]] == ids[:, 1], 1.0, float(len(self.matched.columns)) + 1)
        rows, columns = self._places_of(ids)
        free = (rows >= 0) & (columns >= 0)
        out[free] = plan_ranks(self.matched.plan, self.matched.similarity, rows[free], columns[free])
        return out

    def evaluation(self, ids, within_pairs):
        """Figures of `OTEntityMatcher.evaluate`."""
        ranks = self._ranks_within(ids) if within_pairs else self.ranks(ids)
        found = self._mate.copy()
        found[self._told[:, 0]] = self._told[:, 1]
        told = found[ids[:, 0]] >= 0
        right = int(np.count_nonzero(found[ids[:, 0]] == ids[:, 1]))
        precision, recall = right / max(int(np.count_nonzero(told)), 1), right / max(len(ids), 1)
        return {
            "hits@1": float(np.mean(ranks <= 1)),
            "hits@10": float(np.mean(ranks <= 10)),
            "mrr": float(np.mean(1 / ranks)),
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * recall / max(precision + recall, 1e-12),
        }

    def _ranks_within(self, ids):
        """Ranks where only the entities of these pairs are moved, to each other."""
        rows, columns = self._places_of(ids)
        out = np.where(self._mate[ids[:, 0]] == ids[:, 1], 1.0, float(len(ids)) + 1)
        free = (rows >= 0) & (columns >= 0)
        own_rows, row_of = np.unique(rows[free], return_inverse=True)
        own_columns, column_of = np.unique(columns[free], return_inverse=True)
        similarity = csr_array(self.matched.similarity[own_rows][:, own_columns])
        similarity.sort_indices()
        learned = self.matched.learned
        plan = transport_plan(similarity.copy(), self.solver, learned.reg, learned.unmatched)
        out[free] = plan_ranks(plan, similarity, row_of, column_of)
        return out


def _places(chosen, size):
    """Position of each entity among the chosen ones, -1 for the others."""
    out = np.full(size, -1)
    out[chosen] = np.arange(len(chosen))
    return out


def plan_ranks(plan, similarity, rows, columns):
    """Ranks by the plan, where it is equal by the similarity; entries that are not stored share the mean of the rest.

    Parameters
    ----------
    plan, similarity : csr_array of shape (n_rows, n_columns)
        All entries of the plan are among those of the similarity.
    rows, columns : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
    """
    # Rank = 1 + better + (ties - 1) / 2 = better + (ties + 1) / 2, ties with the entry itself. Those not stored share
    # the places n_stored + 1, ..., n_columns, whose mean is (n_stored + 1 + n_columns) / 2.
    ranks = np.empty(len(rows))
    n_columns = plan.shape[1]
    for position, (row, column) in enumerate(zip(rows.tolist(), columns.tolist(), strict=True)):
        stored = similarity.indices[similarity.indptr[row] : similarity.indptr[row + 1]]
        gain = similarity.data[similarity.indptr[row] : similarity.indptr[row + 1]]
        here = np.flatnonzero(stored == column)
        if not len(here):
            ranks[position] = (len(stored) + 1 + n_columns) / 2
            continue
        mass = np.zeros(len(stored))
        own = slice(plan.indptr[row], plan.indptr[row + 1])
        mass[np.searchsorted(stored, plan.indices[own])] = plan.data[own]
        own_mass, own_gain = mass[here[0]], gain[here[0]]
        equal = mass == own_mass
        better = np.count_nonzero((mass > own_mass) | (equal & (gain > own_gain)))
        ranks[position] = better + (np.count_nonzero(equal & (gain == own_gain)) + 1) / 2
    return ranks


def _sparse_state(matrix):
    return matrix.data, matrix.indices, matrix.indptr, matrix.shape
