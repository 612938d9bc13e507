"""The weighted sum of all evidence, with weights of their own for each relation and direction."""

from functools import cached_property

import numpy as np
import torch
from sklearn.utils import gen_batches

from .._utils.messages import NaNScoreError
from .devices import as_float

# Scores of all kinds that are held at once for a combiner, 32 MiB, and candidates above its gates, 40 MiB for 20 kinds.
SCORES_OF_KINDS_AT_ONCE = 2**23
CANDIDATES_AT_ONCE = 2**18
# Added to the score of (e, r, e) for a relation that had no self-loop in training. All other scores are far smaller.
SELF_LOOP_PENALTY = -1e3


class Mixture:
    """Weighted sum ``sum_k w[k, r] s_k(query, candidate)`` of evidence on a device, and what a combiner adds to it.

    Parameters
    ----------
    evidence : list of BoundEvidence
    weights : ndarray of shape (n_kinds, 2 * n_relations), default=None
        None is 1 everywhere.
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        Relations that do not link an entity with itself.
    informed_entities, informed_relations : ndarray of bool, default=None
        Entities and relations (reciprocals included) about which something is known. All scores of a query from any
        other are equal.
    counted : KnownAnswers, default=None
        Triples that the evidence was made of; their own rows do not count for or against them.
    combiner : Combiner, default=None
    device : str, default="cpu"
    """

    def __init__(
        self,
        evidence,
        weights=None,
        *,
        excludes_self_loops=None,
        informed_entities=None,
        informed_relations=None,
        counted=None,
        combiner=None,
        device="cpu",
    ):
        self.evidence, self.device = evidence, device
        self.n_entities = evidence[0].n_entities
        self._weights = None if weights is None else as_float(weights, device)
        self._excludes_self_loops = (
            None if excludes_self_loops is None else torch.tensor(excludes_self_loops, device=device)
        )
        self._informed_entities, self._informed_relations = informed_entities, informed_relations
        self._counting = [position for position, kind in enumerate(evidence) if hasattr(kind, "own_row")]
        self._counted = counted if self._counting else None
        self._combiner = combiner

    @cached_property
    def _table_and_others(self):
        """One table ``(2 * n_relations, n_entities)`` of the kinds that see no source, and positions of the others."""
        # sum_k w[k, r] s_k(r, candidate) over the kinds that see no source: one row for a query in place of a sum over
        # the kinds.
        total, others = None, []
        for position, evidence in enumerate(self.evidence):
            table = evidence.table() if hasattr(evidence, "table") else None
            if table is None:
                others.append(position)
                continue
            table = table if self._weights is None else table * self._weights[position][:, None]
            total = table if total is None else total + table
        return total, others

    @property
    def n_columns(self):
        """Columns of all evidence together."""
        return sum(kind.n_columns for kind in self.evidence)

    @property
    def n_parts(self):
        """Number of the parts that a score is the sum of: kinds of evidence, combiner if there is one, self-loops."""
        return len(self.evidence) + (self._combiner is not None) + 1

    def indices(self, *arrays):
        """Index arrays as tensors on the device."""
        return tuple(torch.tensor(array, device=self.device) for array in arrays)

    def self_loops(self, sources, relations):
        """Row numbers and source entities of the queries whose relation excludes self-loops."""
        if self._excludes_self_loops is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        rows = np.flatnonzero(self._excludes_self_loops.cpu().numpy()[relations])
        return rows, sources[rows]

    def is_blank(self, sources, relations):
        """Tell of which queries nothing is known."""
        blank = np.zeros(len(sources), dtype=bool)
        if self._informed_entities is not None:
            blank |= ~self._informed_entities[sources]
        if self._informed_relations is not None:
            blank |= ~self._informed_relations[relations]
        return blank

    def pair_parts(self, sources, relations, answers):
        """What each kind, then a combiner and last an excluded self-loop add to the score of queries with an answer.

        Parameters
        ----------
        sources, relations, answers : ndarray of shape (n_queries,)

        Returns
        -------
        tensor of shape (n_parts, n_queries), dtype float64
        """
        queried, asked, answered = self.indices(sources, relations, answers)
        scores = self._pair_scores(sources, relations, answers)
        parts = torch.zeros(self.n_parts, len(queried), dtype=torch.float64, device=self.device)
        parts[: len(scores)] = self._weighted(scores, asked)
        if self._combiner is not None:
            parts[-2] = self._combiner.corrections(scores, parts.sum(0), asked)
        if self._excludes_self_loops is not None:
            parts[-1] = SELF_LOOP_PENALTY * (self._excludes_self_loops[asked] & (queried == answered))
        return _without_nan(parts)

    def _pair_scores(self, sources, relations, answers):
        """Scores of each query with one answer by each kind, without its weight, ``(n_kinds, n_queries)``."""
        queried, asked, answered = self.indices(sources, relations, answers)
        scores = torch.zeros(len(self.evidence), len(queried), dtype=torch.float64, device=self.device)
        for position, evidence in enumerate(self.evidence):
            scores[position] = evidence.pair_scores(evidence.queries(queried, asked), answered)
        self._add_own_rows(scores, sources, relations, answers)
        return scores

    def scores(self, entities, sources, relations, unused=None):
        """Scores of each query with the entities of a slice.

        Parameters
        ----------
        entities : slice
        sources, relations : ndarray of shape (n_queries,)
        unused : tuple of ndarray, default=None
            Rows, and entities of the slice counted from its start, whose scores nobody looks at: they may lack what a
            combiner says.

        Returns
        -------
        tensor of shape (n_queries, n_entities_of_slice), dtype float32
        """
        # The sum (n_queries, n_entities_of_slice) in single precision: weighted kinds with the own rows of training
        # triples, what the combiner says, self-loops.
        queried, asked = self.indices(sources, relations)
        first, stop, _ = entities.indices(self.n_entities)
        if self._combiner is None:
            total = self._weighted_sums(slice(first, stop), sources, relations)
        else:
            total = self._combined_sums(slice(first, stop), sources, relations, unused)
        if self._excludes_self_loops is not None:
            # Each query adds to one column: the penalty at its source, or 0 at the nearest one where its source is in
            # another slice.
            looping = self._excludes_self_loops[asked] & (queried >= first) & (queried < stop)
            columns = (queried - first).clamp(0, total.shape[1] - 1)
            total[torch.arange(len(queried), device=self.device), columns] += SELF_LOOP_PENALTY * looping.to(
                total.dtype
            )
        blank = self.is_blank(sources, relations)
        if blank.any():
            total[torch.tensor(blank, device=self.device)] = 0.0
        return _without_nan(total)

    def _weighted_sums(self, entities, sources, relations):
        """Weighted sums in the one array that all kinds add to."""
        queried, asked = self.indices(sources, relations)
        table, others = self._table_and_others
        if table is None:
            total = torch.zeros(len(queried), entities.stop - entities.start, device=self.device)
        else:
            total = table[:, entities].index_select(0, asked)
        for position in others:
            evidence = self.evidence[position]
            weights = 1.0 if self._weights is None else self._weights[position][asked][:, None]
            evidence.add_scores(entities, evidence.queries(queried, asked), weights, total)
        for position, places, changes in self._own_rows_among(entities, sources, relations):
            changes = self._weight(position, asked[places[0]]) * changes
            total.index_put_(places, changes.to(total.dtype), accumulate=True)
        return total

    def _combined_sums(self, entities, sources, relations, unused):
        """Weighted sums and what the combiner adds to them, which takes the scores of all kinds at once."""
        n_kinds, n_queries, n_entities = len(self.evidence), len(sources), entities.stop - entities.start
        n_rows = max(1, min(n_queries, SCORES_OF_KINDS_AT_ONCE // (n_kinds * n_entities)))
        of_kinds = torch.empty(n_kinds, n_rows, n_entities, device=self.device)
        total = torch.zeros(n_queries, n_entities, device=self.device)
        waiting = []
        for some in gen_batches(n_queries, n_rows):
            scores = of_kinds[:, : some.stop - some.start].zero_()
            self._add_scores_of_kinds(scores, entities, sources[some], relations[some])
            sums, asked = total[some], self.indices(relations[some])[0]
            for of_kind, weights in zip(scores, self._weights_of(asked), strict=True):
                sums.addcmul_(of_kind, weights[:, None])
            above = self._combiner.may_be_above(sums, asked)
            if unused is not None:
                here = (unused[0] >= some.start) & (unused[0] < some.stop)
                above[self.indices(unused[0][here] - some.start, unused[1][here])] = False
            rows, columns = torch.nonzero(above, as_tuple=True)
            waiting.append((rows + some.start, columns, scores[:, rows, columns].double()))
            if some.stop == n_queries or sum(len(rows) for rows, _, _ in waiting) > CANDIDATES_AT_ONCE:
                rows, columns, scores = (torch.cat(parts, dim=-1) for parts in zip(*waiting, strict=True))
                pairs = *(of_queries[rows] for of_queries in self.indices(sources, relations)), columns + entities.start
                total[rows, columns] += self._said_by_combiner(scores, total[rows, columns].double(), *pairs)
                waiting = []
        return total

    def _add_scores_of_kinds(self, scores, entities, sources, relations):
        """Add the scores of each kind, without weights, to zeros ``(n_kinds, n_queries, n_entities_of_slice)``."""
        queried, asked = self.indices(sources, relations)
        for evidence, of_kind in zip(self.evidence, scores, strict=True):
            evidence.add_scores(entities, evidence.queries(queried, asked), 1.0, of_kind)
        for position, places, changes in self._own_rows_among(entities, sources, relations):
            scores[position].index_put_(places, changes.to(scores.dtype), accumulate=True)

    def _said_by_combiner(self, scores, sums, sources, relations, answers):
        """What the combiner adds to weighted sums of pairs of a query and an answer, in single precision.

        That serves where no rounding can change what it says; where it can, the scores are those of `pair_parts`.

        Parameters
        ----------
        scores : tensor of shape (n_kinds, n_pairs), dtype float64
            Without weights; rounded to single precision before, as `sums` are.
        sums, sources, relations, answers : tensor of shape (n_pairs,)
        """
        again = self._combiner.are_uncertain(scores, sums, relations)
        if again.any():
            told = (of_pairs[again].cpu().numpy() for of_pairs in (sources, relations, answers))
            scores[:, again] = self._pair_scores(*told)
            sums[again] = self._weighted(scores[:, again], relations[again]).sum(0)
        return self._combiner.corrections(scores, sums, relations).float()

    def _own_rows_among(self, entities, sources, relations):
        """Yield each kind that counts, places of training triples in a slice of the entities, what changes there."""
        if self._counted is None:
            return
        rows, answers = self._counted.answers_of(sources, relations)
        inside = (answers >= entities.start) & (answers < entities.stop)
        rows, answers = rows[inside], answers[inside]
        places = self.indices(rows, answers - entities.start)
        for position, changes in self._own_rows(sources[rows], relations[rows], answers):
            yield position, places, changes

    def _add_own_rows(self, scores, sources, relations, answers):
        """Let the own row of training triples not count in their scores ``(n_kinds, n_queries)``."""
        if self._counted is not None:
            rows = np.flatnonzero(self._counted.contains(np.column_stack([sources, relations, answers])))
            for position, changes in self._own_rows(sources[rows], relations[rows], answers[rows]):
                scores[position, self.indices(rows)[0]] += changes

    def _weighted(self, scores, asked):
        """Scores of kinds ``(n_kinds, n_queries)`` times their weights."""
        return torch.stack([self._weight(position, asked) * of_kind for position, of_kind in enumerate(scores)])

    def _own_rows(self, sources, relations, answers):
        """Yield each kind that counts, and what its scores of training triples change by."""
        queried, asked, answered = self.indices(sources, relations, answers)
        for position in self._counting:
            kind = self.evidence[position]
            yield position, kind.own_row(kind.queries(queried, asked), answered)

    def scores_of_kind(self, position, sources, relations):
        """Scores of each query with every entity by one kind of evidence, without its weight; takes index tensors."""
        evidence = self.evidence[position]
        total = torch.zeros(len(sources), self.n_entities, device=self.device)
        evidence.add_scores(slice(None), evidence.queries(sources, relations), 1.0, total)
        return total

    def _weights_of(self, relations):
        """Weights of all kinds ``(n_kinds, n_queries)``."""
        if self._weights is None:
            return torch.ones(len(self.evidence), len(relations), device=self.device)
        return self._weights[:, relations]

    def _weight(self, position, relations):
        return 1.0 if self._weights is None else self._weights[position][relations].double()


def _without_nan(scores):
    # A sum is NaN where an entry is, and takes no mask of the size of the scores.
    if torch.isnan(scores.sum()):
        raise NaNScoreError(
            "a score is NaN: a table of the model has NaN, which no fit leaves in it (load another copy of its file), "
            "the features of new entities are too large (scale them as those of the fit), or evidence of your own "
            "gives NaN or infinity (give finite scores)."
        )
    return scores
