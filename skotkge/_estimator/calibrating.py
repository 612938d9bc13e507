"""Log-odds of triples by themselves: which true and false ones they are learned from."""

from dataclasses import replace
from functools import partial

import numpy as np

from .._graph.labels import name_first
from .._ranking.calibration import FEWEST_NEGATIVES, Calibration, Negatives, corrupted_ids, platt_scaling
from .._utils.messages import tell

# True triples to calibrate with; more would take more memory than the training of a narrow table.
MOST_CALIBRATED = 20_000


def calibrate(predictor, split, random_state, device="cpu", by_relation=True, typed=True):
    """Learn log-odds from held-out true triples against known negatives or corrupted triples.

    Parameters
    ----------
    predictor : LinkPredictor
    split : TrainingSplit
        Without held-out triples those of training take their place; of many, a sample.
    random_state : RandomState
        Draws the sample and the corrupted triples.
    device : str, default="cpu"
    by_relation : bool, default=True
        Whether each relation has a line of its own, or all share one because their scores are comparable.
    typed : bool, default=True
        Corrupt with entities of that side of the relation, or with any.

    Returns
    -------
    Calibration
    """
    true = split.validation_ids if len(split.validation_ids) else split.all.ids
    if len(true) > MOST_CALIBRATED:
        true = true[np.sort(random_state.choice(len(true), MOST_CALIBRATED, replace=False))]
    negatives = _enough_negatives(predictor, true, split.negatives, random_state, typed)
    ids = np.concatenate([true, negatives.ids])
    truth = np.arange(len(ids)) < len(true)
    free = _are_undecided(predictor, ids)
    ids, truth = ids[free], truth[free]
    scores, n_relations = predictor.scores(ids, device), predictor.n_relations
    if by_relation:
        return platt_scaling(scores, truth, ids[:, 1], n_relations, negatives.true_share)
    line = platt_scaling(scores, truth, np.zeros(len(ids), dtype=np.int64), 1, negatives.true_share)
    return Calibration(np.repeat(line.slope, n_relations), np.repeat(line.intercept, n_relations))


def _are_undecided(predictor, ids):
    """Tell which triples neither an excluded self-loop nor a constraint decides about.

    As a score their penalty would outweigh all others.
    """
    free = (ids[:, 0] != ids[:, 2]) | ~predictor.excludes_self_loops[ids[:, 1]]
    return free & ~predictor.are_ruled_out(ids)


def _enough_negatives(predictor, true, negatives, random_state, typed):
    """Return the known negatives, with corrupted triples of relations that have none; or only these if too few."""
    corrupted = partial(
        corrupted_ids,
        known=predictor.known,
        n_entities=len(predictor.vocabulary.entities),
        random_state=random_state,
        pools=predictor.seen if typed else None,
    )
    given, ids = len(negatives.ids), negatives.ids[_are_undecided(predictor, negatives.ids)]
    if len(ids) >= FEWEST_NEGATIVES:
        return _with_other_relations(predictor, true, replace(negatives, ids=ids), corrupted)
    if given:
        decided = f", beside {given - len(ids)} that self-loops or constraints rule out," if given > len(ids) else ""
        tell(
            f"{len(ids)} known negatives{decided} are too few to calibrate with, randomly corrupted triples take "
            f"their place; give at least {FEWEST_NEGATIVES} rows of 0 in y or y_val."
        )
    return Negatives(corrupted(true), 0.5)


def _with_other_relations(predictor, true, negatives, corrupted):
    """Known negatives, with corrupted triples of the relations that have none.

    All true and no false ones there would say that whatever has such a relation is true.
    """
    alone = true[~np.isin(true[:, 1], negatives.ids[:, 1])]
    if not len(alone):
        return negatives
    names = predictor.vocabulary.relations[np.unique(alone[:, 1])]
    tell(
        f"the relations {name_first(names)} have no known negatives, randomly corrupted triples take their place; give "
        "rows of 0 for them in y or y_val."
    )
    # As many beside each true triple as the known ones are: (1 - share) / share of them.
    false, odds = corrupted(alone), (1 - negatives.true_share) / negatives.true_share
    wanted = min(len(false), max(1, round(odds * len(alone))))
    kept = np.linspace(0, len(false) - 1, wanted).round().astype(int)
    return replace(negatives, ids=np.concatenate([negatives.ids, false[kept]]))
