"""How well are the entities of two graphs matched, by which decoder, from which evidence?

Pairs of graphs are cuts of one (half of the triples in common, a quarter in one of both only, entities of the second
renamed and shuffled), and DBP15K French-English. Columns are Hits@1 in the two protocols, "pairs": candidates are the
entities of the test pairs, "all": every entity of the second graph outside the known pairs.

- first: one plan from the known pairs. Nearest neighbour, CSLS (10 neighbours), Sinkhorn, exact and partial plans
  of the same similarities.
- rounds: the default, in which plans enter the next round's evidence.
- alone: 30 % of the entities are taken out of the second graph. F1 of all entities of the first: nearest neighbour with
  the threshold that is best on the test pairs, against `predict` of each solver, which never sees them, with the
  threshold of one half and with that which it has learned.
- modalities: a modality on both sides, on one disturbed by Gaussian noise of each column's standard deviation; without
  known pairs; text on one side and image on the other.
- gromov: the last plan of the rounds against its refinement by fused Gromov-Wasserstein (POT, proximal points), which
  compares the edges of both graphs as well, at several weights of the edges.
- gromov-start: no known pair and no modality. A plan between what entities ask and answer, counts of each relation and
  direction, and fused Gromov-Wasserstein from it; how many of their mutual best pairs with half of the mass or more
  are right, and what the rounds of the matcher make of them.
- scale: a pair of cuts of a synthetic graph with the law of degrees of benchmarks/scale.py, structure alone: seconds,
  memory and Hits@1. With `--dense` every pair of entities is a candidate, which holds the whole plan.

    python benchmarks/matching.py cuts --data emoji --cuts 5
    python benchmarks/matching.py alone --data codex_s --cuts 5
    python benchmarks/matching.py modalities --data emoji --cuts 5
    python benchmarks/matching.py gromov --data emoji --cuts 3
    python benchmarks/matching.py gromov-start --data emoji --cuts 3
    python benchmarks/matching.py dbp15k --folder data/dbp15k_fr_en
    python benchmarks/matching.py dbp15k --folder data/dbp15k_fr_en --views structure --share 0.3 --rounds 1
    python benchmarks/matching.py scale --entities 100000 --rounds 3
"""

import argparse
import resource
import statistics
import sys
from collections import defaultdict
from time import perf_counter, process_time

import numpy as np
import ot
from scale import synthetic

from skotkge import EntityPairs, MultimodalTriples, OTEntityMatcher, datasets

SHARES = {"emoji": 0.2, "hanzi": 0.2, "codex_s": 0.1, "wn9img": 0.2}
CHOICES = ("cuts", "alone", "modalities", "gromov", "gromov-start", "dbp15k", "scale")
SOLVERS = ("sinkhorn", "exact", "partial")
N_NEIGHBORS = 10
# Of the edges in fused Gromov-Wasserstein; regularisation of a proximal step; steps, and those without known pairs.
GROMOV_WEIGHTS, GROMOV_EPSILON, GROMOV_STEPS, STEPS_WITHOUT_PAIRS = (0.0, 0.5, 0.95), 0.05, 10, 40
# Share of the mass of an entity above which a pair is taken for known.
SURE = 0.5
# Modality of each side, and noise on the second.
SIDES = {"text": ("text", "text", 1.0), "image": ("image", "image", 1.0), "across": ("text", "image", 0.0)}


def cut(name, seed, alone=0.0, sides=(None, None), noise=0.0, splits=("train", "valid", "test")):
    """All pairs of two cuts of one graph.

    Parameters
    ----------
    name : str
    seed : int
    alone : float, default=0.0
        Share of the entities that the second graph lacks.
    sides : tuple of two str or None, default=(None, None)
        The modality of each side.
    noise : float, default=0.0
        Gaussian noise on the second side, in standard deviations of each column.
    splits : tuple of str, default=("train", "valid", "test")
        The triples that are cut.

    Returns
    -------
    EntityPairs
        Of the entities with a triple in both.
    """
    kg = getattr(datasets, f"load_{name}")()
    ids = np.concatenate([getattr(kg, split).ids for split in splits])
    rng, n = np.random.RandomState(seed), kg.train.n_entities
    order = rng.permutation(len(ids))
    common, first, second = np.split(order, [len(ids) // 2, len(ids) * 3 // 4])
    new_row, lacking = rng.permutation(n), np.zeros(n, dtype=bool)
    lacking[rng.permutation(n)[: int(alone * n)]] = True
    ids_x, ids_y = ids[np.concatenate([common, first])], ids[np.concatenate([common, second])]
    ids_y = ids_y[~lacking[ids_y[:, [0, 2]]].any(axis=1)]
    labels = np.array([f"y{row}" for row in range(n)], dtype=object)
    X = graph(kg.train, ids_x, kg.train.entities, np.arange(n), matrix(kg.train, sides[0], 0.0, rng), sides[0])
    rows = np.argsort(new_row)[~lacking[np.argsort(new_row)]]
    Y = graph(kg.train, ids_y, labels[new_row], rows, matrix(kg.train, sides[1], noise, rng), sides[1])
    there = [np.isin(np.arange(n), side[:, [0, 2]]) for side in (ids_x, ids_y)]
    both = rng.permutation(np.flatnonzero(there[0] & there[1]))
    return EntityPairs(np.column_stack([kg.train.entities[both], labels[new_row][both]]), X, Y)


def graph(kg, ids, labels, rows, vectors, modality):
    triples = np.column_stack([labels[ids[:, 0]], kg.relations[ids[:, 1]], labels[ids[:, 2]]])
    modalities = None if vectors is None else {modality: vectors[rows]}
    return MultimodalTriples(triples, modalities, entities=labels[rows], relations=kg.relations)


def matrix(kg, modality, noise, rng):
    if modality is None:
        return None
    vectors = kg.modalities[modality].astype(np.float32)
    return vectors + noise * np.nanstd(vectors, axis=0) * rng.standard_normal(vectors.shape).astype(np.float32)


def simple_decoders(matcher, test, within_pairs):
    """Hits@1 of nearest neighbour and CSLS on the similarities of a matcher."""
    scores = matcher.similarity_[test.ids[:, 0]]
    scores = scores[:, test.ids[:, 1]] if within_pairs else scores
    truth = np.arange(len(test)) if within_pairs else test.ids[:, 1]
    of_rows, of_columns = neighborhood(scores), neighborhood(scores.T.tocsr())
    csls = scores.tocoo()
    csls.data = 2 * csls.data - of_rows[csls.row] - of_columns[csls.col]
    return hits(scores, truth), hits(csls.tocsr(), truth)


def neighborhood(scores):
    """Mean of the largest entries of each row."""
    pieces = np.split(scores.data, scores.indptr[1:-1])
    return np.array([np.sort(piece)[-N_NEIGHBORS:].mean() if len(piece) else 0.0 for piece in pieces])


def best(scores):
    """Column and value of the largest stored entry of each row, -1 where there is none."""
    columns, values = np.full(scores.shape[0], -1), np.full(scores.shape[0], -np.inf)
    for row in np.flatnonzero(np.diff(scores.indptr)):
        piece = slice(scores.indptr[row], scores.indptr[row + 1])
        place = scores.data[piece].argmax()
        columns[row], values[row] = scores.indices[piece][place], scores.data[piece][place]
    return columns, values


def hits(scores, truth):
    """Share of the rows whose true column alone has the largest entry, which is what a rank of 1 means in `score`."""
    own = np.asarray(scores[np.arange(len(truth)), truth]).ravel()
    rows = np.repeat(np.arange(len(truth)), np.diff(scores.indptr))
    not_below = np.bincount(rows[scores.data >= own[rows]], minlength=len(truth))
    return float((not_below == 1)[own != 0].sum() / len(truth))


def cut_figures(pairs, share, seed, n_rounds):
    """Hits@1 by protocol and decoder on one cut."""
    n_known = int(share * len(pairs))
    known, test = pairs[:n_known], pairs[n_known:]
    out = {}
    for solver in SOLVERS:
        matcher = OTEntityMatcher(solver, n_rounds=1, views=["structure"], random_state=seed).fit(known)
        for protocol in ("pairs", "all"):
            if solver == SOLVERS[0]:
                nearest, csls = simple_decoders(matcher, test, protocol == "pairs")
                out[protocol, "nearest"], out[protocol, "csls"] = nearest, csls
            out[protocol, solver] = matcher.evaluate(test, protocol)["hits@1"]
    matcher = OTEntityMatcher(n_rounds=n_rounds, views=["structure"], random_state=seed).fit(known)
    for protocol in ("pairs", "all"):
        out[protocol, "rounds"] = matcher.evaluate(test, protocol)["hits@1"]
    return out


def scale(n_entities, share, n_rounds, n_candidates):
    """Seconds, memory and Hits@1 on two cuts of a synthetic graph."""
    rng = np.random.RandomState(0)
    ids = rng.permutation(synthetic(n_entities, exponent=0.8))
    common, first, second = np.split(ids, [len(ids) // 2, len(ids) * 3 // 4])
    ids_x, ids_y = np.concatenate([common, first]), np.concatenate([common, second])
    number = rng.permutation(n_entities)
    both = rng.permutation(np.intersect1d(ids_x[:, [0, 2]], ids_y[:, [0, 2]]))
    X = MultimodalTriples(ids_x, entities=range(n_entities), duplicates="keep")
    ids_y[:, [0, 2]] = number[ids_y[:, [0, 2]]]
    Y = MultimodalTriples(ids_y, entities=range(n_entities), duplicates="keep")
    pairs = EntityPairs(np.column_stack([both, number[both]]), X, Y)
    known, test = pairs[: int(share * len(pairs))], pairs[int(share * len(pairs)) :]
    wall, cpu = perf_counter(), process_time()
    matcher = OTEntityMatcher(n_rounds=n_rounds, views=["structure"], n_candidates=n_candidates, random_state=0)
    matcher.fit(known)
    wall, cpu = perf_counter() - wall, process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"scale {n_entities} entities, {len(X) + len(Y)} triples, {share:.0%} known, {n_rounds} rounds, candidates "
        f"{n_candidates}: Hits@1 among all {matcher.score(test):.3f}; {wall:.0f} s, "
        f"{cpu:.0f} s of CPU, {memory:.1f} GiB",
        flush=True,
    )


def f1(told, right, n_true):
    return 2 * right / max(told + n_true, 1)


def alone_figures(pairs, share, seed, n_rounds):
    """F1 over all free entities of the first graph, a part of which have no counterpart."""
    n_known = int(share * len(pairs))
    known, test = pairs[:n_known], pairs[n_known:]
    mate = dict(test.labels.tolist())
    free = [label for label in pairs.X.entities.tolist() if label not in set(known.labels[:, 0])]
    out = {}
    for solver in SOLVERS:
        matcher = OTEntityMatcher(
            solver, n_rounds=n_rounds, views=["structure"], min_probability="f1", random_state=seed
        ).fit(known)
        for told, threshold in (("one half", 0.5), ("learned", matcher.min_probability_)):
            # The learned threshold is never above one half. Known pairs stand first.
            matches = [match for match in matcher.matches_[len(known) :] if match[2] >= threshold]
            right = sum(mate.get(first) == second for first, second, _ in matches)
            out["f1", f"{solver}, threshold {told}"] = f1(len(matches), right, len(mate))
        out["f1", f"nearest of the similarities of {solver}, best threshold"] = nearest_f1(matcher, pairs, free, mate)
    return out


def nearest_f1(matcher, pairs, free, mate):
    columns, values = best(matcher.similarity_)
    position = {label: row for row, label in enumerate(pairs.X.entities.tolist())}
    rows = np.array([position[label] for label in free])
    order = rows[np.argsort(-values[rows])]
    labels, names = pairs.Y.entities, pairs.X.entities
    right = np.cumsum([columns[row] >= 0 and mate.get(names[row]) == labels[columns[row]] for row in order])
    return max(f1(count, hit, len(mate)) for count, hit in enumerate(right.tolist(), start=1))


def modality_figures(name, share, seed, n_rounds, chosen_sides):
    """Hits@1 with the structure alone, with modalities, and without known pairs, for some of SIDES."""
    out, modalities = {}, getattr(datasets, f"load_{name}")().train.modalities
    for *sides, noise in (SIDES[chosen] for chosen in chosen_sides):
        if not set(sides) <= set(modalities):
            continue
        pairs = cut(name, seed, sides=sides, noise=noise)
        n_known = int(share * len(pairs))
        known, test = pairs[:n_known], pairs[n_known:]
        title = " and ".join(sides)
        settings = {"structure": ["structure"], "auto": None}
        views = ["structure", sides[0]] if sides[0] == sides[1] else ["structure", "across"]
        for told, chosen in settings.items():
            matcher = OTEntityMatcher(views=chosen or views, n_rounds=n_rounds, random_state=seed).fit(known)
            out[title, told] = matcher.score(test)
        if sides[0] == sides[1]:
            matcher = OTEntityMatcher(views=views, n_rounds=n_rounds, random_state=seed)
            out[title, "no known pairs"] = matcher.fit(EntityPairs([], pairs.X, pairs.Y)).score(test)
    return out


def gromov_figures(pairs, share, seed, n_rounds):
    """Hits@1 among all of the last plan, and of that by which fused Gromov-Wasserstein goes on from it."""
    n_known = int(share * len(pairs))
    known, test = pairs[:n_known], pairs[n_known:]
    matcher = OTEntityMatcher(views=["structure"], n_rounds=n_rounds, n_candidates=None, random_state=seed).fit(known)
    out = {("all", "plan of the rounds"): matcher.evaluate(test, "all")["hits@1"]}
    # A known pair has no cost, all else of its entities the largest; the others have what their similarity lacks.
    cost = 1 - np.asarray(matcher.similarity_.toarray(), dtype=np.float64)
    rows, columns = known.ids.T
    cost[rows], cost[:, columns] = 2.0, 2.0
    cost[rows, columns] = 0.0
    start = np.asarray(matcher.plan_.toarray(), dtype=np.float64) + 1e-6
    start[rows], start[:, columns] = 1e-9, 1e-9
    start[rows, columns] = 1.0
    masses = [np.full(n, 1 / n) for n in cost.shape]
    start = ot.sinkhorn(*masses, -np.log(start), reg=1.0, numItermax=200, warn=False)
    edges = [normalized_adjacency(graph) for graph in (pairs.X, pairs.Y)]
    for weight in GROMOV_WEIGHTS:
        plan = fused_gromov(cost, edges, masses, weight, start, GROMOV_STEPS)
        plan[:, columns] = 0.0
        truth = plan[test.ids[:, 0], test.ids[:, 1]]
        right = (plan[test.ids[:, 0]] >= truth[:, None]).sum(axis=1) == 1
        out["all", f"fused Gromov-Wasserstein, weight {weight:g} of the edges"] = float(right.mean())
    return out


def gromov_start_figures(pairs):
    """Hits@1 of plans without known pairs and modalities, and of rounds that take their mutual best pairs for known."""
    out, counts = {}, [np.log1p(counts_of_relations(graph)) for graph in (pairs.X, pairs.Y)]
    scale = np.concatenate(counts).std(axis=0) + 1e-9
    cost = ot.dist(*(of_graph / scale for of_graph in counts))
    cost /= cost.mean()
    masses = [np.full(n, 1 / n) for n in cost.shape]
    start = ot.sinkhorn(*masses, cost, reg=GROMOV_EPSILON, numItermax=200, warn=False, method="sinkhorn_log")
    edges = [normalized_adjacency(graph) for graph in (pairs.X, pairs.Y)]
    mates = np.full(len(cost), -1)
    mates[pairs.ids[:, 0]] = pairs.ids[:, 1]
    for weight in (None, *GROMOV_WEIGHTS[1:]):
        plan = start if weight is None else fused_gromov(cost, edges, masses, weight, start, STEPS_WITHOUT_PAIRS)
        found = plan.argmax(axis=1)
        right = found == mates
        is_mutual = plan.argmax(axis=0)[found] == np.arange(len(plan))
        sure = np.flatnonzero(is_mutual & (plan.max(axis=1) >= SURE * plan.sum(axis=1)))
        title = "counts" if weight is None else f"fused Gromov-Wasserstein, weight {weight:g} of the edges"
        out[title, "Hits@1"] = float(right[pairs.ids[:, 0]].mean())
        out[title, "pairs taken for known"] = float(len(sure))
        out[title, "of them right"] = float(right[sure].mean())
        labels = np.column_stack([pairs.X.entities[sure], pairs.Y.entities[found[sure]]])
        known = EntityPairs(labels, pairs.X, pairs.Y)
        is_other = ~(np.isin(pairs.ids[:, 0], sure) | np.isin(pairs.ids[:, 1], found[sure]))
        matcher = OTEntityMatcher(views=["structure"], random_state=0).fit(known)
        out[title, "Hits@1 of the others after rounds"] = matcher.score(pairs[is_other])
    return out


def counts_of_relations(graph):
    """Triples of each relation that entities are head of, and tail of ``(n_entities, 2 n_relations)``."""
    heads, relations, tails = graph.ids.T
    n_relations = len(graph.relations)
    counts = np.zeros((graph.n_entities, 2 * n_relations))
    np.add.at(counts, (heads, relations), 1)
    np.add.at(counts, (tails, n_relations + relations), 1)
    return counts


def fused_gromov(cost, edges, masses, weight, start, n_steps):
    """A fused Gromov-Wasserstein plan by proximal points; weight is that of the edges."""
    return ot.gromov.entropic_fused_gromov_wasserstein(
        cost,
        *edges,
        *masses,
        epsilon=GROMOV_EPSILON,
        symmetric=True,
        alpha=weight,
        G0=start,
        max_iter=n_steps,
        solver="PPA",
        numItermax=100,
        warn=False,
    )


def normalized_adjacency(graph):
    """Edges in both directions, divided by the square roots of both degrees."""
    n = graph.n_entities
    adjacency = np.zeros((n, n))
    heads, tails = graph.ids[:, [0, 2]].T
    adjacency[heads, tails] = adjacency[tails, heads] = 1.0
    roots = np.sqrt(np.maximum(adjacency.sum(axis=1), 1.0))
    return adjacency / roots[:, None] / roots


def dbp15k(options):
    """Rows of DBP15K: views, number of known pairs, both protocols, seconds and peak memory so far."""
    data = datasets.load_dbp15k(options.folder)
    order = np.random.RandomState(0).permutation(len(data.pairs))
    test = data.pairs[order[int(0.3 * len(order)) :]]
    for views in options.views:
        for share in (0.3, 0.05, 0.01, 0.0) if options.share is None else (options.share,):
            if not share and views == "structure":
                continue
            known = data.pairs[order[: int(share * len(order))]]
            wall, cpu = perf_counter(), process_time()
            matcher = OTEntityMatcher(
                views=views.split("+"), n_hops=options.hops, n_rounds=options.rounds, random_state=0
            ).fit(known)
            wall, cpu = perf_counter() - wall, process_time() - cpu
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            title = f"dbp15k {views}, {share:.0%} known, {options.hops} hops, {options.rounds} rounds"
            for protocol in ("pairs", "all"):
                found = matcher.evaluate(test, protocol)
                nearest, csls = simple_decoders(matcher, test, protocol == "pairs")
                figures = f"{found['hits@1']:.3f} {found['hits@10']:.3f} {found['mrr']:.3f}"
                told = f"H@1 H@10 MRR {figures}; H@1 at the last similarities: nearest {nearest:.3f}, CSLS {csls:.3f}"
                print(f"{title}, {protocol}: {told}", flush=True)
            print(
                f"{title}: precision {found['precision']:.3f}, {wall:.0f} s, {cpu:.0f} s of CPU, {memory:.1f} GiB",
                flush=True,
            )


def table(title, runs):
    """Print mean and standard deviation over the cuts."""
    gathered = defaultdict(list)
    for run in runs:
        for key, value in run.items():
            gathered[key].append(value)
    for (group, told), values in gathered.items():
        spread = f" +- {statistics.stdev(values):.3f}" if len(values) > 1 else ""
        print(f"{title}, {group}, {told}: {statistics.mean(values):.3f}{spread} ({len(values)} cuts)", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=CHOICES)
    parser.add_argument("--data", default="emoji", choices=tuple(SHARES))
    parser.add_argument("--share", type=float, help="of the pairs that are known")
    parser.add_argument("--cuts", type=int, default=5)
    parser.add_argument("--sides", nargs="+", choices=tuple(SIDES), default=tuple(SIDES), help="of modalities")
    parser.add_argument("--rounds", type=int, default=OTEntityMatcher().n_rounds)
    parser.add_argument("--folder", help="of DBP15K")
    parser.add_argument("--views", nargs="+", default=["structure", "structure+names"], help="of each row of DBP15K")
    parser.add_argument("--hops", type=int, default=OTEntityMatcher().n_hops, help="of DBP15K")
    parser.add_argument("--entities", type=int, default=10**4, help="of the synthetic graph")
    parser.add_argument("--dense", action="store_true", help="all entities are candidates")
    arguments = parser.parse_args()
    if arguments.what == "scale":
        n_candidates = None if arguments.dense else OTEntityMatcher().n_candidates
        scale(arguments.entities, arguments.share or 0.2, arguments.rounds, n_candidates)
        return
    if arguments.what == "dbp15k":
        dbp15k(arguments)
        return
    share = SHARES[arguments.data] if arguments.share is None else arguments.share
    runs = []
    for seed in range(arguments.cuts):
        print(f"cut {seed}", file=sys.stderr, flush=True)
        if arguments.what == "modalities":
            runs.append(modality_figures(arguments.data, share, seed, arguments.rounds, arguments.sides))
        elif arguments.what == "gromov":
            runs.append(gromov_figures(cut(arguments.data, seed), share, seed, arguments.rounds))
        elif arguments.what == "gromov-start":
            runs.append(gromov_start_figures(cut(arguments.data, seed)))
        elif arguments.what == "alone":
            runs.append(alone_figures(cut(arguments.data, seed, alone=0.3), share, seed, arguments.rounds))
        else:
            runs.append(cut_figures(cut(arguments.data, seed), share, seed, arguments.rounds))
    settings = "" if arguments.what == "gromov-start" else f", {share:.0%} known, {arguments.rounds} rounds"
    table(f"{arguments.what} {arguments.data}{settings}", runs)


if __name__ == "__main__":
    main()
