"""Ranks and metrics of triples in labels: among which entities, on which sides, and how they are averaged."""

from collections.abc import Mapping
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from .. import metrics
from .._graph.arguments import SIDES, checked_sides
from .._graph.queries import KnownAnswers
from .._ranking.evaluation import Ranking, rank_among_entities, rank_among_negatives, sample_negatives
from .._utils.messages import check_choice, shown
from .candidates import entity_candidates
from .lookup import entities_of, ids_of_sets

AVERAGES = ("micro", "relation", "degree")


def rank_triples(asked, known, candidates, sides, device):
    """Rank the sides of triples among the candidates.

    Parameters
    ----------
    asked : AskedTriples
    known : triples, list of triples or None
        Left out beside the triples of the fit and those asked about.
    candidates : as for `entity_candidates`
    sides : sequence of {"head", "tail"}
    device : str

    Returns
    -------
    Ranking
        Rows with an unknown label come after all entities.
    """
    sides, ids, sets = checked_sides(sides), asked.ids[asked.rows], ids_of_sets(asked.predictor.vocabulary, known)
    allowed, left_out = entity_candidates(asked.predictor, candidates), asked.predictor.known_with([ids, *sets])
    predictor = _knowing_all_but(asked.predictor, ids, sets, device)
    ranking = rank_among_entities(predictor, ids, left_out, sides, allowed, device)
    return _filled(ranking, asked.rows, len(predictor.vocabulary.entities) + 1)


def rank_triples_among_negatives(asked, known, candidates, sides, negatives, random_state, device):
    """Rank the sides of triples among given or drawn negatives.

    Parameters
    ----------
    asked, known, candidates, sides, device
        As for `rank_triples`.
    negatives : int, array-like of labels of shape (n_triples, n_negatives), or mapping of side to such arrays
    random_state : int, RandomState instance or None

    Returns
    -------
    Ranking
        Rows with an unknown label come after all negatives.

    Raises
    ------
    ValueError
        If negatives are not of these forms, or given together with candidates.
    """
    predictor, sides, ids = asked.predictor, checked_sides(sides), asked.ids[asked.rows]
    sets = ids_of_sets(predictor.vocabulary, known)
    if isinstance(negatives, Integral) and not isinstance(negatives, bool | np.bool_):
        if negatives < 1:
            raise ValueError(f"negatives={shown(negatives)}; give a number of at least 1, or labels.")
        allowed, left_out = entity_candidates(predictor, candidates), predictor.known_with([ids, *sets])
        random_state = check_random_state(random_state)
        among = sample_negatives(predictor, ids, left_out, sides, int(negatives), allowed, random_state)
    else:
        if not (candidates is None or (isinstance(candidates, str) and candidates == "all")):
            raise ValueError("negatives and candidates both say what the answers are ranked among; leave one out.")
        among = {side: found[asked.rows] for side, found in _given_negatives(asked, negatives, sides).items()}
    ranking = rank_among_negatives(_knowing_all_but(predictor, ids, sets, device), ids, among, device)
    return _filled(ranking, asked.rows, 1 + max(found.shape[1] for found in among.values()))


def summary(asked, ranking, sides, average):
    """Metrics of a ranking, averaged over triples or over groups of them.

    Parameters
    ----------
    asked : AskedTriples
    ranking : Ranking
    sides : sequence of {"head", "tail"}
    average : {"micro", "relation", "degree"}

    Returns
    -------
    dict of str to float
    """
    check_choice(average, "average", AVERAGES)
    sides = checked_sides(sides)
    if not len(asked.rows):
        raise ValueError("X is empty, so that there is nothing to average; give at least one triple.")
    groups = None
    if average == "relation":
        groups = np.where(asked.rows, asked.ids[:, 1], -1)
    elif average == "degree":
        groups = _degree_groups(asked, sides)
    return metrics.summarize_ranks(ranking.ranks, sides=sides, n_candidates=ranking.n_candidates, groups=groups)


def _degree_groups(asked, sides):
    """Of each true answer the number of bits of its degree in the fit: 0, 1, 2 to 3, 4 to 7, ...; -1 if unknown."""
    predictor = asked.predictor
    linked = predictor.true_ids[:, [0, 2]].ravel()
    degrees = np.bincount(linked, minlength=len(predictor.vocabulary.entities))
    answers = asked.ids[:, [0 if side == "head" else 2 for side in sides]]
    bits = np.frexp(degrees[answers])[1]
    return np.where(asked.rows[:, None], bits, -1)


def _knowing_all_but(predictor, asked, sets, device):
    """The predictor whose constraints take more triples for facts: none that is asked about, or follows from one."""
    if not predictor.statements:
        return predictor
    answers = KnownAnswers(np.concatenate(predictor.with_entailed([asked])), predictor.n_relations)
    return predictor.knowing([ids[~answers.contains(ids)] for ids in predictor.with_entailed(sets)], device)


def _filled(ranking, rows, last):
    """Put the ranking of the rows with known labels among the others, which are last."""
    found = [np.full((len(rows), values.shape[1]), last) for values in (ranking.ranks, ranking.n_candidates)]
    found[0] = found[0].astype(float)
    for values, of_rows in zip(found, (ranking.ranks, ranking.n_candidates), strict=True):
        values[rows] = of_rows
    return Ranking(*found)


def _given_negatives(asked, negatives, sides):
    """Positions of the entities given as negatives of each side."""
    if not isinstance(negatives, Mapping):
        positions = _positions_of(asked, negatives, "negatives")
        return dict.fromkeys(sides, positions)
    if set(negatives) - set(SIDES) or set(sides) - set(negatives):
        raise ValueError(
            f"negatives has the sides {list(negatives)}; give those of sides, {list(sides)}, each with an array of "
            "labels."
        )
    return {side: _positions_of(asked, negatives[side], f"negatives[{side!r}]") for side in sides}


def _positions_of(asked, labels, argument):
    """Positions of entities in an array with a row for each triple."""
    try:
        labels = np.asarray(labels, dtype=object)
    except ValueError as error:
        raise ValueError(f"{argument} has rows of different lengths; give as many for each triple.") from error
    if labels.ndim == 0:
        raise ValueError(
            f"{argument}={shown(labels.item())}; give a whole number of at least 1, an array of labels of shape "
            "(n_triples, n_negatives), or a mapping of 'head' and 'tail' to such arrays."
        )
    if labels.ndim != 2 or len(labels) != len(asked.rows) or not labels.shape[1]:
        lengths = " or rows of different lengths" if labels.ndim == 1 and len(labels) == len(asked.rows) else ""
        raise ValueError(
            f"{argument} has the shape {labels.shape}{lengths}, expected ({len(asked.rows)}, n_negatives): labels for "
            "each triple of X; or give a number, or a mapping of 'head' and 'tail' to such arrays."
        )
    return entities_of(labels.ravel(), asked.predictor.vocabulary, argument).reshape(labels.shape)
