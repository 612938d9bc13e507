"""Does a graph that is merged from two answer questions better than either alone?

Two graphs are cuts of the training triples of one: half of them are in both, a quarter in one of both only, the
entities of the second renamed and shuffled, without modalities. `OTEntityMatcher` gets a part of the pairs,
`skotkge.merge` makes one graph, and the default `OTKGEClassifier` is fitted on each graph. All rank the test triples
between entities of both graphs, among all entities of their graph and filtered by the same triples.

- X alone, Y alone: the cuts by themselves, the test triples under the names of each.
- known pairs: merged by the pairs that the matcher is given.
- matches: merged by these and by what the matcher found, with a probability of at least one half.
- all pairs: merged by the truth, which nobody has; the bound.

A merged graph has more candidates: entities of Y without a match stand beside their counterparts. A wrong match can
turn a triple of Y into a test triple; those are taken out before the fit, and "leaked" says how many they were.

    python benchmarks/merging.py --data emoji --cuts 3
"""

import argparse
import sys
import warnings

import numpy as np
from matching import SHARES, cut, table

from skotkge import OTEntityMatcher, OTKGEClassifier, datasets, merge


def figures(name, seed, share, modality, noise):
    """Test MRR of each graph, and how many matches there are and how many are right."""
    kg = getattr(datasets, f"load_{name}")()
    pairs = cut(name, seed, sides=(modality, modality), noise=noise, splits=("train",))
    known, mate = pairs[: int(share * len(pairs))], dict(pairs.labels.tolist())
    matcher = OTEntityMatcher(random_state=seed).fit(known)
    matches = {
        "known pairs": known.labels.tolist(),
        "matches": matcher.matches_,
        "all pairs": pairs.labels.tolist(),
    }
    test = between(kg.test.labels, mate, [pairs.X, pairs.Y])
    out = {("test MRR", "X alone"): mrr(pairs.X.labels, test, kg.valid.labels)}
    renamed = [rename(labels, mate) for labels in (test, kg.valid.labels)]
    out["test MRR", "Y alone"] = mrr(pairs.Y.labels, *renamed)
    for told, chosen in matches.items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*different vectors")
            merged = merge(pairs.X, pairs.Y, chosen).labels
        train = without(merged, test)
        out["test MRR", told] = mrr(train, test, kg.valid.labels)
        out["leaked", told] = float(len(merged) - len(train))
        out["number", told] = float(len(chosen))
        out["right", told] = float(np.mean([mate.get(match[0]) == match[1] for match in chosen]))
    return out


def between(labels, mate, graphs):
    """Triples whose entities are in both graphs and whose relations both use."""
    relations = set.intersection(*({row[1] for row in graph.labels.tolist()} for graph in graphs))
    kept = [row for row in labels.tolist() if row[0] in mate and row[2] in mate and row[1] in relations]
    return np.array(kept, dtype=object)


def rename(labels, mate):
    """Triples under the names of the second graph, of those that it has names for."""
    kept = [(mate[h], r, mate[t]) for h, r, t in labels.tolist() if h in mate and t in mate]
    return np.array(kept, dtype=object)


def without(triples, test):
    """The triples that are none of the test triples."""
    tested = set(map(tuple, test.tolist()))
    return np.array([row for row in triples.tolist() if tuple(row) not in tested], dtype=object)


def mrr(train, test, valid):
    """Of the default classifier fitted on some triples."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*have no training triple")
        kge = OTKGEClassifier(random_state=0).fit(train)
    known = [row for row in valid.tolist() if row[0] in kge.entities_ and row[2] in kge.entities_]
    value = float((1 / kge.rank(test, known=known)).mean())
    print(f"  {len(kge.entities_)} entities, {len(train)} triples: {value:.3f}", file=sys.stderr, flush=True)
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="emoji", choices=tuple(SHARES))
    parser.add_argument("--share", type=float, help="of the pairs that are known")
    parser.add_argument("--cuts", type=int, default=3)
    parser.add_argument("--first", type=int, default=0, help="number of the first cut")
    parser.add_argument("--modality", help="that both sides have, on one with noise, for the matcher alone")
    parser.add_argument("--noise", type=float, default=1.0, help="in standard deviations of each column")
    arguments = parser.parse_args()
    share = SHARES[arguments.data] if arguments.share is None else arguments.share
    runs = []
    for seed in range(arguments.first, arguments.first + arguments.cuts):
        print(f"cut {seed}", file=sys.stderr, flush=True)
        runs.append(figures(arguments.data, seed, share, arguments.modality, arguments.noise))
    views = "structure" if arguments.modality is None else f"structure and {arguments.modality}"
    cuts = f"cuts from {arguments.first} on"
    table(f"{arguments.data}, {share:.0%} known, matched by {views}, {cuts}", runs)


if __name__ == "__main__":
    main()
