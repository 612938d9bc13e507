"""How well entities are ranked and answered for that came after the fit, known by their vectors alone.

A tenth of the entities is held out together with all of their triples. The test triples are those between a held-out
entity and one that training knows, ranked on both sides among all entities, filtered by all triples: one side asks for
the new entity, the other asks with it. The frequency baseline knows how often each answer occurs in training.

    python benchmarks/new_entities.py hanzi wn9img --data ../shared/data --seeds 3
"""

import argparse
import platform
import warnings

import numpy as np
import torch
from _measuring import graph_of
from sklearn.pipeline import Pipeline

import skotkge
from skotkge import MultimodalTriples, OTFusionTransformer, OTKGEClassifier
from skotkge.baselines import RuleBaseline

SHARE = 0.1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("datasets", nargs="+", choices=["emoji", "hanzi", "wn9img", "fbimg"])
    parser.add_argument("--data", help="folder of the data sets that are not bundled")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    print(f"{'MRR, mean ± standard deviation':<34}{'both sides':>16}{'the new one':>16}{'with the new one':>18}")
    for name in options.datasets:
        kg = graph_of(name, options.data)
        runs = [run(kg, seed) for seed in range(options.seeds)]
        for model in runs[0]:
            values = np.array([found[model] for found in runs])
            cells = [f"{mean:.3f} ± {std:.3f}" for mean, std in zip(values.mean(0), values.std(0, ddof=1), strict=True)]
            print(f"{f'{name}, {model}':<34}{cells[0]:>16}{cells[1]:>16}{cells[2]:>18}")
    versions = f"skotkge {skotkge.__version__}, torch {torch.__version__}, Python {platform.python_version()}"
    print(f"{versions}, {torch.get_num_threads()} threads")


def run(kg, seed):
    """MRR of both sides, asking for the new entity and asking with it, of the model and of the baseline."""
    entities, relations = kg.train.entities, kg.train.relations
    labels = np.concatenate([kg.train.labels, kg.valid.labels, kg.test.labels])
    whole = kg.train.with_triples(labels)
    new = np.zeros(len(entities), dtype=bool)
    new[np.random.RandomState(seed).permutation(len(entities))[: int(SHARE * len(entities))]] = True
    head_is_new, tail_is_new = new[whole.ids[:, 0]], new[whole.ids[:, 2]]
    modalities = {name: (matrix[~new], entities[~new]) for name, matrix in kg.train.modalities.items()}
    known = whole[~head_is_new & ~tail_is_new]
    train = MultimodalTriples(known.labels, modalities, entities=entities[~new], relations=relations)
    test = whole[head_is_new ^ tail_is_new]
    pipe = Pipeline([("fuse", OTFusionTransformer(random_state=seed)), ("kge", OTKGEClassifier(random_state=seed))])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        pipe.fit(train)
    every = MultimodalTriples(known.labels, entities=entities, relations=relations)
    found = {"model": pipe["kge"].rank(pipe["fuse"].transform(test))}
    found["frequencies"] = RuleBaseline(min_confidence=1.0).fit(every).rank(test.labels)
    column = np.where(new[test.ids[:, 0]], 0, 1)
    rows = np.arange(len(test))
    return {
        name: [np.mean(1 / ranks), np.mean(1 / ranks[rows, column]), np.mean(1 / ranks[rows, 1 - column])]
        for name, ranks in found.items()
    }


if __name__ == "__main__":
    main()
