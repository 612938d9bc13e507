"""Started once in each process of a group: ``python group.py FOLDER TASK...`` does tasks, and keeps what they give."""

import os
import signal
import sys
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from inspect import signature
from pathlib import Path

import joblib
import numpy as np
import torch
from torch import distributed

import skotkge
from skotkge import CrossEntropy, DistMult, Logistic, OTKGEClassifier, TransE
from skotkge._embedding.checkpoint import plain_state
from skotkge._embedding.distributed import FINISH, DistributedTrainer, follow
from skotkge._embedding.options import TrainingOptions
from skotkge._embedding.processes import ProcessLostError, current_processes
from skotkge._embedding.tables import ShardedTable, block_size
from skotkge._estimator.stores import SHARDS, FolderStore
from skotkge._evidence.embedding import EmbeddingScores
from skotkge._evidence.mixture import Mixture
from skotkge._graph.queries import KnownAnswers, both_directions
from skotkge._ranking.ranker import Ranker
from skotkge._ranking.sharded import ShardedScores
from skotkge._spaces import SpaceSpec

N_ENTITIES, N_RELATIONS, WIDTH, SEED = 41, 3, 6, 5
OPTIONS = TrainingOptions(DistMult(), CrossEntropy(n_sampled=8), learning_rate=0.1, batch_size=50, regularization=0.1)
PROBLEMS = {
    "cross-entropy": OPTIONS,
    "cross-entropy, adam": replace(OPTIONS, optimizer="adam"),
    "cross-entropy, row-wise": replace(OPTIONS, optimizer="rowwise_adagrad"),
    "logistic": replace(OPTIONS, objective=Logistic(n_negatives=5)),
    "logistic, filtered": replace(OPTIONS, objective=Logistic(5, "bernoulli", filtered=True)),
    "logistic, a distance": replace(OPTIONS, objective=Logistic(n_negatives=5), score_function=TransE(1.0)),
}
BALANCED = {
    f"balanced {name}": replace(PROBLEMS[name], distributed_batches="balanced")
    for name in ("cross-entropy", "cross-entropy, adam", "cross-entropy, row-wise", "logistic, a distance")
}
# So few negatives that a batch does not ask for all rows, as it does with five.
BALANCED["balanced, a few negatives"] = replace(BALANCED["balanced logistic, a distance"], objective=Logistic(1))
BALANCED["balanced, sides by numbers"] = replace(OPTIONS, objective=Logistic(1, "bernoulli"), batch_size=20)
BALANCED["balanced, sides by numbers"] = replace(
    BALANCED["balanced, sides by numbers"], distributed_batches="balanced", optimizer="adam"
)
PROBLEMS |= BALANCED


def graph():
    """A random graph whose last entity has no triple, and a space with a row of no weight."""
    rng = np.random.RandomState(0)
    ids = np.unique(rng.randint([N_ENTITIES - 1, N_RELATIONS, N_ENTITIES - 1], size=(321, 3)), axis=0)
    weight = np.ones(N_ENTITIES)
    weight[-1] = 0.0
    return ids, SpaceSpec(30 * rng.standard_normal((N_ENTITIES, WIDTH)), weight)


def loops():
    return np.tile(np.array([False, True, False]), 2)


@contextmanager
def recorded_exchanges(processes):
    """Yield what is sent to the others meanwhile: how often so many rows to each, by what they hold."""
    sent, exchange = Counter(), processes.exchange

    def recorded(tensor, counts, counts_back, what):
        sent[what, *(count for rank, count in enumerate(counts) if rank != processes.rank)] += 1
        return exchange(tensor, counts, counts_back, what)

    processes.exchange = recorded
    yield sent
    del processes.exchange


def star():
    """Triples with one head, so that only one process has any."""
    ids, _ = graph()
    return np.unique(ids * [0, 1, 1] + [3, 0, 0], axis=0)


def balanced_updates(processes):
    return {"graph": updates(processes, BALANCED), "star": updates(processes, BALANCED, star())}


def updates(processes, problems=PROBLEMS, ids=None):
    """Tables in double precision after two epochs, and what was sent."""
    whole, spec = graph()
    ids, tables = whole if ids is None else ids, {}
    for name, options in problems.items():
        if not processes.leads:
            follow(processes)
            continue
        trainer = DistributedTrainer(
            spec,
            ids,
            N_RELATIONS,
            options,
            processes=processes,
            seed=SEED,
            excludes_self_loops=loops(),
            dtype=torch.float64,
        )
        with recorded_exchanges(processes) as sent:
            epochs = [trainer._call("run_epoch", {"epoch": epoch}) for epoch in range(2)]
        trained = {key: value.numpy() for key, value in trainer.model.trained_state().items()}
        tables[name] = {"epochs": epochs, "sent": sent} | trained
        processes.broadcast((FINISH, None))
    return tables


def states(processes):
    """The state after one epoch, and the tables of one more from there, of the same trainer and of another one."""
    ids, spec = graph()
    options = replace(OPTIONS, max_iter=1)
    if not processes.leads:
        return follow(processes)

    def make():
        return DistributedTrainer(spec, ids, N_RELATIONS, options, processes=processes, seed=SEED)

    first = make()
    first.run()
    state = first.state_dict()
    first.options = replace(options, max_iter=2)
    ahead = first.run().parameters
    second = make()
    second.load_state_dict(state)
    second.options = first.options
    again = second.run().parameters
    processes.broadcast((FINISH, None))
    return {"state": state, "ahead": ahead, "again": again}


class Judge:
    """A validation score that is best in the second epoch, and a callback that keeps the last state."""

    def __init__(self):
        self.scores, self.state, self.told, self.so_far = iter([1.0, 3.0, 2.0]), None, None, None

    def __call__(self, entities, relations):
        return next(self.scores)

    def on_epoch_end(self, state):
        self.told, self.state = state.so_far(), state.state_dict()
        self.so_far = self.told.parameters


def best(processes):
    """The tables of the best of three epochs, those of a training that goes on after the last, and of two epochs."""
    ids, spec = graph()
    if not processes.leads:
        return follow(processes)

    def make(n_epochs):
        options = replace(OPTIONS, max_iter=n_epochs, n_iter_no_change=9)
        return DistributedTrainer(spec, ids, N_RELATIONS, options, processes=processes, seed=SEED)

    judge = Judge()
    kept = make(3).run(validate=judge, callbacks=[judge]).parameters
    again = make(3)
    again.load_state_dict(judge.state)
    found = {"kept": kept, "so far": judge.so_far, "told": judge.state["best"][2], "again": again.run().parameters}
    found["two epochs"] = make(2).run().parameters
    processes.broadcast((FINISH, None))
    return found


def write_state(processes, folder):
    """The state of a training whose last epoch is not the best, in the files of the processes and as it is."""
    ids, spec = graph()
    if not processes.leads:
        return follow(processes)
    judge = Judge()
    options = replace(OPTIONS, optimizer="adam", max_iter=3, n_iter_no_change=9)
    trainer = DistributedTrainer(spec, ids, N_RELATIONS, options, processes=processes, seed=SEED)
    trainer.run(validate=judge, callbacks=[judge])
    trainer.load_state_dict(judge.state)
    values = trainer.write_shards(FolderStore(folder), "state")
    processes.broadcast((FINISH, None))
    joblib.dump((values, plain_state(judge.state, judge.told)), folder / "values.joblib")
    return None


def read_state(processes, folder):
    """States of trainers that go on from the files, with rows in the same order and in another."""
    ids, spec = graph()
    if not processes.leads:
        return follow(processes)
    options, found = replace(OPTIONS, optimizer="adam", max_iter=3, n_iter_no_change=9), []
    for seed in (SEED, SEED + 1):
        trainer = DistributedTrainer(spec, ids, N_RELATIONS, options, processes=processes, seed=seed)
        trainer.load_shards(FolderStore(folder), joblib.load(folder / "values.joblib")[0])
        found.append(plain_state(trainer.state_dict(), trainer.so_far()))
    processes.broadcast((FINISH, None))
    return found


def ranks(processes):
    """Ranks and best answers over tables of which each process has some rows, and over whole ones by parts."""
    ids, spec = graph()
    rng = np.random.RandomState(1)
    entities = np.round(rng.standard_normal((N_ENTITIES, WIDTH)))  # ties
    relations = torch.tensor(np.round(rng.standard_normal((2 * N_RELATIONS, WIDTH))), dtype=torch.float32)
    queries, known = both_directions(ids[:60], N_RELATIONS), KnownAnswers(ids, N_RELATIONS)
    block = block_size(N_ENTITIES, processes.size)
    own = slice(processes.rank * block, (processes.rank + 1) * block)
    rows, weight = (torch.tensor(part[own], dtype=torch.float32) for part in (entities, spec.structure_weight))
    table = ShardedTable(rows, weight, N_ENTITIES, processes)
    whole = EmbeddingScores(DistMult(), spec.structure_weight[:, None] * entities, relations, "cpu")
    found = {}
    by_rows = ShardedScores(DistMult(), table, relations, np.unique(queries[0]))
    for name, scores in {"rows": by_rows, "parts": whole}.items():
        ranker = Ranker(Mixture([scores], excludes_self_loops=loops())).shared_by(processes)
        found[name] = ranker.ranks(*queries, known), ranker.best(*queries[:2], 7, known)
    return found


def train_labels():
    ids, _ = graph()
    return np.array([(f"e{head}", f"r{relation}", f"e{tail}") for head, relation, tail in ids])


def classifier(folder, objective, **parameters):
    kge = OTKGEClassifier(evidence=("structure", "rules"), embedding_dim=8, objective=objective, max_iter=4)
    return kge.set_params(checkpoint=folder, random_state=0, **parameters)


def fit(processes, folder):
    """Whole fits: one as it is, one that is ended and goes on, one of a space that is not shared."""
    results = {}
    kge = classifier(folder / "whole", CrossEntropy(n_sampled=10)).fit(train_labels())
    results["whole"] = learned(kge)
    results["bytes"] = kge.space_training_["structure"]["bytes_sent"]
    balanced = classifier(None, CrossEntropy(n_sampled=10), distributed_batches="balanced").fit(train_labels())
    results["balanced"] = learned(balanced)
    filtered = {"objective": Logistic(filtered=True), "distributed_batches": "balanced"}
    results["filtered"] = failed(lambda: classifier(None, **filtered))
    results["failed"] = failed(lambda: classifier(folder / "ended", CrossEntropy(n_sampled=10)), callbacks=[Ending()])
    results["resumed"] = learned(classifier(folder / "ended", CrossEntropy(n_sampled=10)).fit(train_labels()))
    results["refused"] = failed(lambda: classifier(None, Logistic(), embedding_dim=7))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        results["alone"] = learned(classifier(None, "cross_entropy").fit(train_labels()))
    with skotkge.shared_answers():
        results["answers"] = kge.rank(train_labels()), *kge.complete([("e0", "r0", None)], k=5)
    results["answers alone"] = kge.rank(train_labels()), *kge.complete([("e0", "r0", None)], k=5)
    results["warned"] = [str(warning.message) for warning in caught]
    return results


def learned(kge):
    return kge.entity_embeddings_, kge.decision_function(train_labels()), kge.evidence_weights_


class Ending:
    """Ends a fit after its second epoch, as an error of the user's would."""

    def on_epoch_end(self, state):
        if state.epoch == 2:
            raise ArithmeticError("the second epoch")


def failed(make, **arguments):
    try:
        make().fit(train_labels(), **arguments)
    except (ArithmeticError, ValueError, RuntimeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


class Killing:
    """Kills the second process after the second epoch."""

    def __init__(self, folder):
        self.folder = folder

    def on_epoch_end(self, state):
        if state.epoch == 2:
            os.kill(int((self.folder / "pid-1").read_text()), signal.SIGKILL)


def lose(processes, folder):
    """A fit of which the second process is killed."""
    (folder / f"pid-{processes.rank}").write_text(str(os.getpid()))
    distributed.barrier()
    try:
        classifier(folder / "lost", CrossEntropy(n_sampled=10)).fit(train_labels(), callbacks=[Killing(folder)])
    except ProcessLostError as error:
        return str(error)
    return None


def resume(processes, folder):
    """A fit that goes on from a checkpoint of another number of processes, and one whose second file is missing."""
    seen = Seen()
    resumed = classifier(folder / f"lost-{processes.size}", CrossEntropy(n_sampled=10))
    resumed.fit(train_labels(), callbacks=[seen])
    refused = failed(lambda: classifier(folder / f"damaged-{processes.size}", CrossEntropy(n_sampled=10)))
    return {"epochs": seen.epochs, "learned": learned(resumed), "refused": refused}


class Seen:
    """Notes the epochs of the first round that there were."""

    def __init__(self):
        self.epochs = []

    def on_epoch_end(self, state):
        if not state.is_refit:
            self.epochs.append(state.epoch)


def unwritable(processes, folder):
    """A fit whose processes cannot write their first checkpoint."""
    whole = learned(classifier(folder / "written", CrossEntropy(n_sampled=10)).fit(train_labels()))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        blocked = classifier(folder / "unwritable", CrossEntropy(n_sampled=10))
        blocked.fit(train_labels(), callbacks=[Blocking(folder / "unwritable")])
    return {"whole": whole, "blocked": learned(blocked), "warned": [str(warning.message) for warning in caught]}


class Blocking:
    """Lets no file of a process be written in the first epoch."""

    def __init__(self, folder):
        self.folder = folder

    def on_epoch_end(self, state):
        if not state.is_refit and state.epoch <= 2:
            (of_fit,) = self.folder.iterdir()
            place = of_fit / SHARDS
            if state.epoch == 1:
                place.write_text("")
            else:
                place.unlink()


def main():
    folder, tasks = Path(sys.argv[1]), sys.argv[2:]
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    distributed.init_process_group("gloo", init_method=f"file://{folder}/{'-'.join(tasks)}", rank=rank, world_size=size)
    processes = current_processes()
    for name in tasks:
        task = globals()[name]
        result = task(processes, folder) if "folder" in signature(task).parameters else task(processes)
        joblib.dump(result, folder / f"{name}-{rank}.joblib")
    os._exit(0)  # a group that has lost a process cannot be left in order


if __name__ == "__main__":
    warnings.simplefilter("error")
    warnings.filterwarnings("ignore", "held-out triples do not score higher")
    warnings.filterwarnings("ignore", ".*have no training triple")
    torch.set_num_threads(1)
    main()
