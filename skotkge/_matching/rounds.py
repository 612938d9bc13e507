"""Rounds of matching: evidence, plan, and what the plan says as evidence of the next round."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csr_array

from .across import ACROSS, across_parts, read_own_modalities
from .calibration import MatchCalibration, calibrate_matches, match_features
from .candidates import best_candidates
from .evidence import N_SKETCH_COLUMNS, STRUCTURE, around_parts, label_starts
from .plans import transport_plan
from .views import starting_parts, static_parts
from .weights import part_weights, weighted

# Known pairs held out to learn weights, threshold and probabilities: a fifth, at most 500, and none below 10.
HELD_OUT_SHARE, MOST_HELD_OUT, LEAST_HELD_OUT = 0.2, 500, 10
# Without known pairs: plan above which mutual matches serve to learn weights; temperature of cosines before learning.
SURE_PLAN, REG = 0.8, 0.02
# The temperature of the plan is that of the likelihood times this: transport tells pairs apart by itself.
SHARPENING = 0.5
# Parts of less weight are left out, since each costs time.
SMALLEST_SHARE = 0.02
# Squared masses below do not enter the next round.
SMALLEST_WEIGHT = 1e-3


@dataclass(frozen=True)
class MatchingOptions:
    """Parameters of the rounds; see `OTEntityMatcher`."""

    solver: str
    reg: float | None
    n_hops: int
    n_rounds: int
    n_candidates: int | None
    device: str
    automatic: bool


@dataclass(frozen=True)
class Learned:
    """What held-out pairs teach.

    Parameters
    ----------
    weights : dict of str to float
        Weight of each part, with sum 1.
    reg : float
    unmatched : float
        Similarity that a match has to beat.
    calibration : MatchCalibration or None
    """

    weights: dict
    reg: float
    unmatched: float = 0.0
    calibration: MatchCalibration | None = None


@dataclass(frozen=True)
class Matched:
    """Result of the rounds over free entities, those that no known pair contains.

    Parameters
    ----------
    rows, columns : ndarray
        Free entities of X and Y.
    similarity, plan : csr_array of shape (n_rows, n_columns)
        Of the candidates.
    learned : Learned
    n_plans : int
    """

    rows: np.ndarray
    columns: np.ndarray
    similarity: csr_array
    plan: csr_array
    learned: Learned
    n_plans: int = 1


def match_graphs(graphs, views, pairs, options, random_state, tell=lambda done, total: None):
    """Match the entities of two graphs.

    All rounds but the last leave some known pairs out and learn from them; the last one uses all. Where there are too
    few known pairs, the surest ones of each plan take their place when weights are learned.

    Parameters
    ----------
    graphs : TwoGraphs
    views : list of str
    pairs : ndarray of shape (n_pairs, 2)
        Known pairs.
    options : MatchingOptions
    random_state : RandomState
    tell : callable
        Called with the number of plans that are done and of all.

    Returns
    -------
    Matched
    """
    static = static_parts(graphs, views, options.n_hops, random_state)
    own = read_own_modalities(graphs.modalities, graphs.own_modalities, random_state) if ACROSS in views else None
    held, known = split_pairs(pairs, random_state)
    enough_known = len(held) > 0
    found, learned, n_plans = None, None, 1
    n_learning = max(options.n_rounds - 1, int(enough_known))
    for number in range(n_learning):
        tell(number, n_learning + 1)
        first_parts = starting_parts(static, graphs) if options.automatic and not len(pairs) and not number else static
        parts = _with_pairs(graphs, views, first_parts, own, known, found, options, random_state)
        matched = _round(graphs, parts, known, held, options, learned, random_state, calibrate=enough_known)
        learned, n_plans = matched.learned, n_plans + 1
        if not enough_known:
            held, _ = split_pairs(_sure_pairs(matched), random_state)
        if options.n_rounds > 1:
            found = _found(matched, held)
    if options.n_rounds == 1 and options.automatic and not len(pairs):
        static = starting_parts(static, graphs)
    tell(n_learning, n_learning + 1)
    parts = _with_pairs(graphs, views, static, own, pairs, found, options, random_state)
    matched = _round(graphs, parts, pairs, pairs[:0], options, learned, random_state, calibrate=False)
    tell(n_learning + 1, n_learning + 1)
    return replace(matched, n_plans=n_plans, learned=_adapted(matched))


def _adapted(matched):
    """What was learned, with probabilities for the entities that are left to match."""
    calibration = matched.learned.calibration
    if calibration is None:
        return matched.learned
    columns, _ = _row_best(matched.plan)
    rows = np.flatnonzero(columns >= 0)
    features = match_features(matched.plan, matched.similarity, rows, columns[rows])
    return replace(matched.learned, calibration=calibration.adapted(features))


def split_pairs(pairs, random_state):
    """Choose the pairs to be held out; none where that would be too few to learn from.

    Parameters
    ----------
    pairs : ndarray of shape (n_pairs, 2)
    random_state : RandomState

    Returns
    -------
    held, others : ndarray of shape (n, 2)
    """
    n_held = min(int(HELD_OUT_SHARE * len(pairs)), MOST_HELD_OUT)
    if n_held < LEAST_HELD_OUT:
        return pairs[:0], pairs
    order = random_state.permutation(len(pairs))
    return pairs[order[:n_held]], pairs[order[n_held:]]


def _with_pairs(graphs, views, static, own, known, found, options, random_state):
    """Evidence of the views that need pairs, beside that of those that do not."""
    if not (len(known) or found is not None):
        return static
    parts, starts = list(static), label_starts(graphs.sizes, known, found, random_state)
    if STRUCTURE in views:
        parts += around_parts(
            STRUCTURE, graphs.links, graphs.shared_types, starts, options.n_hops, N_SKETCH_COLUMNS, random_state
        )
    if own is not None:
        parts += across_parts(own, graphs.links, starts, known, found, options.n_hops)
    return parts


def _round(graphs, parts, known, held, options, before, random_state, calibrate):
    """One plan between the entities that no known pair contains."""
    rows, columns = (np.setdiff1d(np.arange(n), known[:, side]) for side, n in enumerate(graphs.sizes))
    learned = _learned_weights(parts, held, rows, columns, options, before)
    weights = [learned.weights.get(part.name, 0.0) for part in parts]
    similarity = best_candidates(
        *weighted(parts, weights, rows, columns), options.n_candidates, random_state, options.device
    )
    if calibrate and len(held):
        places = np.column_stack([np.searchsorted(rows, held[:, 0]), np.searchsorted(columns, held[:, 1])])
        unmatched, calibration = calibrate_matches(similarity, places, options.solver, learned.reg)
        learned = replace(learned, unmatched=unmatched, calibration=calibration)
    plan = transport_plan(similarity.copy(), options.solver, learned.reg, learned.unmatched)
    return Matched(rows, columns, similarity, plan, learned)


def _learned_weights(parts, held, rows, columns, options, before):
    """Weights learned on the held-out pairs, kept from the round before, or equal."""
    # exp(sum_k w_k c_k) = exp(S / t) with S = sum_k (w_k / W) c_k, W = sum_k w_k and the temperature t = 1 / W:
    # similarities stay between -1 and 1, and what was learned of their sharpness becomes reg.
    names = [part.name for part in parts]
    if len(held):
        weights = part_weights(parts, held, rows, columns)
        weights[weights < SMALLEST_SHARE * weights.sum()] = 0
        temperature = SHARPENING / weights.sum()
    elif before is not None and set(names) <= set(before.weights):
        return before
    else:
        weights, temperature = np.ones(len(parts)), REG
    shares = dict(zip(names, (weights / weights.sum()).tolist(), strict=True))
    return Learned(
        weights=shares,
        reg=temperature if options.reg is None else options.reg,
        unmatched=before.unmatched if before else 0.0,
        calibration=before.calibration if before else None,
    )


def mutual_best(plan):
    """Pairs of a row and a column that have their largest entry in each other.

    Parameters
    ----------
    plan : csr_array of shape (n_rows, n_columns)

    Returns
    -------
    rows, columns : ndarray of shape (n_pairs,)
    values : ndarray of shape (n_pairs,)
    """
    best, values = _row_best(plan)
    best_of_column, _ = _row_best(plan.T.tocsr())
    rows = np.flatnonzero(best >= 0)
    rows = rows[best_of_column[best[rows]] == rows]
    return rows, best[rows], values[rows]


def _row_best(matrix):
    """Column and value of the largest positive entry of each row, -1 and 0 where there is none."""
    # Sorted by row and then by value, the last entry of a row is its largest.
    entries = matrix.tocoo()
    order = np.lexsort((entries.data, entries.row))
    rows = entries.row[order]
    last = np.flatnonzero(np.diff(rows, append=-1)) if len(rows) else np.empty(0, dtype=int)
    columns, values = np.full(matrix.shape[0], -1), np.zeros(matrix.shape[0])
    positive = last[entries.data[order[last]] > 0]
    columns[rows[positive]], values[rows[positive]] = entries.col[order[positive]], entries.data[order[positive]]
    return columns, values


def _sure_pairs(matched):
    rows, columns, values = mutual_best(matched.plan)
    return np.column_stack([matched.rows[rows], matched.columns[columns]])[values > SURE_PLAN]


def _found(matched, held):
    """What the plan says about free entities, for the next round: entities of X and Y, and weights.

    Weights are squared masses: a mass of a half is worth a quarter, one spread over many is worth little. On DBP15K and
    on emoji this is better than to take the mutual best matches above a threshold for certain.
    """
    plan = matched.plan.tocoo()
    rows, columns, weights = matched.rows[plan.row], matched.columns[plan.col], plan.data**2
    # Held-out entities stay out, or the next round would be judged on what it was told.
    keep = ~np.isin(rows, held[:, 0]) & ~np.isin(columns, held[:, 1]) & (weights > SMALLEST_WEIGHT)
    return rows[keep], columns[keep], weights[keep]
