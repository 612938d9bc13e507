"""Whether the probabilities of triples by themselves hold, against both kinds of wrong triples.

    python benchmarks/triple_probabilities.py emoji --seeds 3
    python benchmarks/triple_probabilities.py emoji hanzi wn9img codex_s --data ../shared/data

Models are fitted on train with the valid split by default parameters, their probabilities learned against wrong
triples of one kind (``calibration_negatives``). They judge the test triples and wrong ones, each with another head or
tail: for typed ones an entity that the relation has on that side in train, for uniform ones any. None is known to be
true or a self-loop; a test triple of which none is found goes without, at most one in a hundred of typed ones. The
expected calibration error (ECE) has 15 bins.
"""

import argparse
import platform
import warnings

import numpy as np
import torch
from _measuring import graph_of
from _trained_once import NEVER, TrainedOnce
from sklearn.metrics import accuracy_score, brier_score_loss
from sklearn.pipeline import make_pipeline

import skotkge
from skotkge import OTFusionTransformer, OTKGEClassifier
from skotkge.metrics import expected_calibration_error

KINDS = ("typed", "uniform")
METRICS = ("accuracy", "false yes", "ECE", "Brier")
# A draw that is true by chance is drawn again, so many times.
DRAWS = 20
HEAD, RELATION, TAIL = 0, 1, 2


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", nargs="+", choices=["emoji", "hanzi", "wn9img", "codex_s"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"skotkge {skotkge.__version__}, torch {torch.__version__}, {platform.machine()}, {options.seeds} seeds")
    print(f"{'':<10}{'learned against':<18}{'judged against':<16}{''.join(f'{name:>18}' for name in METRICS)}")
    for name in options.datasets:
        kg = graph_of(name, options.data)
        spaces = TrainedOnce(n_kept=1)
        found = {}
        for seed in range(options.seeds):
            judged = {kind: judged_triples(kg, kind == "typed", np.random.RandomState(seed)) for kind in KINDS}
            for learned in KINDS:
                model = fit(kg, learned, seed, spaces)
                for kind, (X, y) in judged.items():
                    found.setdefault((learned, kind), []).append(measure(y, model.predict_proba(X)[:, 1]))
        for (learned, kind), runs in found.items():
            cells = (f"{mean:.3f} ± {std:.3f}" for mean, std in zip(np.mean(runs, 0), np.std(runs, 0), strict=True))
            print(f"{name:<10}{learned:<18}{kind:<16}{''.join(f'{cell:>18}' for cell in cells)}", flush=True)


def fit(kg, negatives, seed, spaces):
    """A model whose probabilities were learned against one kind of wrong triples."""
    classifier = OTKGEClassifier(
        calibration_negatives=negatives, checkpoint=spaces, checkpoint_interval=NEVER, random_state=seed
    )
    steps = [OTFusionTransformer(random_state=seed), classifier] if kg.train.modalities else [classifier]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return make_pipeline(*steps).fit(kg.train, otkgeclassifier__X_val=kg.valid)


def judged_triples(kg, typed, rng):
    """The test triples and a wrong one of nearly each, and which are true."""
    known = np.concatenate([kg.train.ids, kg.valid.ids, kg.test.ids])
    wrong = wrong_triples(kg.test.ids, kg.train, set(map(tuple, known.tolist())), typed, rng)
    ids = np.concatenate([kg.test.ids, wrong])
    entities, relations = kg.train.entities, kg.train.relations
    labels = np.column_stack([entities[ids[:, HEAD]], relations[ids[:, RELATION]], entities[ids[:, TAIL]]])
    return kg.train.with_triples(labels), np.repeat([1, 0], [len(kg.test), len(wrong)])


def wrong_triples(ids, train, known, typed, rng):
    """Each triple with another head or another tail; those of which no draw was false are left out."""
    changed = rng.choice([HEAD, TAIL], size=len(ids))
    of_relation = [train.ids[train.ids[:, RELATION] == relation] for relation in range(len(train.relations))]
    typed_ones = {side: [np.unique(rows[:, side]) for rows in of_relation] for side in (HEAD, TAIL)}
    found = []
    for triple, side in zip(ids, changed, strict=True):
        pool = typed_ones[side][triple[RELATION]] if typed else train.n_entities
        for entity in rng.choice(pool, size=DRAWS):
            wrong = triple.copy()
            wrong[side] = entity
            if wrong[HEAD] != wrong[TAIL] and tuple(wrong.tolist()) not in known:
                found.append(wrong)
                break
    return np.array(found)


def measure(y, probabilities):
    yes = probabilities >= 0.5
    calibration = expected_calibration_error(y, probabilities), brier_score_loss(y, probabilities)
    return accuracy_score(y, yes), yes[y == 0].mean(), *calibration


if __name__ == "__main__":
    main()
