"""Training of a structural space in the processes of a group: the first one leads, the others do what it tells them."""

from copy import deepcopy
from dataclasses import dataclass, replace

import numpy as np
import torch

from .blocks import dealt_queries, dealt_triples
from .checkpoint import plain_state, trainer_state
from .model import INITIAL_GAIN, checked_state
from .objectives import without_answers
from .options import CrossEntropy, Logistic
from .shard import Shard, ShardPlan
from .shard_files import shard_names, whole_tables, with_tables
from .start import start_blocks
from .tables import RowBlocks, scattered_blocks
from .trainer import Trainer

# What the first process may tell the others to do, and how a fit ends for them.
TASKS = (
    "run_epoch",
    "gather",
    "load",
    "keep",
    "restore",
    "gather_optimizers",
    "load_optimizers",
    "prepare",
    "validate",
    "bytes_sent",
    "write",
    "read",
)
BEGIN, FINISH, FAIL = "begin", "finish", "fail"


class LeaderFailedError(RuntimeError):
    """The fit of the first process has failed, which tells why."""


def is_sharded(spec, objective):
    """Tell whether the training of a space is spread over the processes.

    It is for the structure by itself, with objectives of which a batch asks for the rows of some entities alone; not
    where all entities of a batch are candidates of each query, of which a process knows its part.
    """
    samples = type(objective) in (CrossEntropy, Logistic) and objective.needs_few_rows
    return not spec.maps and samples and not getattr(objective, "in_batch", False)


def follow(processes):
    """Do what the first process tells, until its fit has come to an end.

    Returns
    -------
    object
        What it says at the end.

    Raises
    ------
    LeaderFailedError
        If its fit has failed.
    """
    shard = None
    while True:
        task, told = processes.broadcast()
        if task == BEGIN:
            shard = _shard(processes, told)
        elif task == FINISH:
            return told
        elif task == FAIL:
            raise LeaderFailedError(f"the fit has failed in the first process of the group: {told}")
        elif task in TASKS:
            getattr(shard, task)(**told)


def _shard(processes, plan, tables=None, rows=None, ids=None, dealt=None):
    """Make the shard of a process; the first one has the tables and triples, and the others get theirs from it."""
    start, weight, relations = (None,) * 3 if tables is None else tables
    own = scattered_blocks(processes, *(start or ()))
    weight = processes.scatter_rows(weight, rows, "start")
    relations = processes.broadcast(relations).to(processes.device)
    own_ids = processes.scatter_rows(ids, dealt, "triples").cpu().numpy()
    objective = plan.options.objective
    if getattr(objective, "filtered", False) or getattr(objective, "sampling", "uniform") != "uniform":
        return Shard(processes, plan, own, weight, relations, own_ids, processes.broadcast(ids).numpy())
    return Shard(processes, plan, own, weight, relations, own_ids)


@dataclass(frozen=True)
class KeptTables:
    """A copy of the parameters of which each process keeps its rows.

    Attributes
    ----------
    name : str
        There is one copy of a name.
    relations : tensor of shape (2 * n_relations, d_r)
    """

    name: str
    relations: torch.Tensor


class GatheredModel:
    """The whole of a `ShardedModel`, brought together in the first process where it is asked for.

    Parameters
    ----------
    call : callable
        Has all processes do a task of their `Shard`, and returns the result of the first.
    relations : tensor of shape (2 * n_relations, d_r)
        Trained.
    rows : list of tensors
        Rows of each process.
    weight : tensor of shape (n_entities,)
    width : int
    """

    def __init__(self, call, relations, rows, weight, width):
        self._call, self._rows, self._weight = call, rows, weight
        self._shapes = {"structure": (len(weight), width), "relations": tuple(relations.shape)}
        self.relations = relations

    structure = None

    def parameters(self):
        """Return the parameters, brought together."""
        return self.trained_state()

    def entities(self):
        """Return all entity embeddings."""
        return self.entities_of(self._call("gather", rows=self._rows))

    def entities_of(self, structure):
        """Return the embeddings that a table makes: itself, whose rows of weight 0 are zero, or its weighted rows."""
        return structure if np.isin(self._weight, (0, 1)).all() else self._weight[:, None] * structure

    def trained_state(self):
        """Return copies of the parameters, as those of an `EmbeddingModel`."""
        return {"structure": self._call("gather", rows=self._rows), "relations": self.relations.detach().cpu().clone()}

    def keep(self, name):
        """Have each process keep a copy of its rows; return the `KeptTables`."""
        self._call("keep", {"name": name})
        return KeptTables(name, self.relations.detach().cpu().clone())

    def tables_of(self, kept):
        """Return the parameters of a copy, brought together."""
        return {"structure": self._call("gather", {"name": kept.name}, rows=self._rows), "relations": kept.relations}

    def load_trained(self, state):
        """Take over parameters of the same names and shapes, or `KeptTables`."""
        if isinstance(state, KeptTables):
            self._call("restore", {"name": state.name})
            return
        self._call("load", rows=self._rows, **checked_state(state, self._shapes))


def raise_first(kind, messages):
    """Raise an error with the first of the messages that there is."""
    for message in filter(None, messages):
        raise kind(message)


class DistributedTrainer(Trainer):
    """A `Trainer` whose table and triples are spread over the processes, in the first of them.

    Epochs, validation and the choice of the best epoch are those of `Trainer`, and so is the state, which another
    number of processes, or one alone, can go on from.

    Parameters
    ----------
    spec, ids, n_relations, options, seed, excludes_self_loops, start
        As of `Trainer`.
    processes : Processes
        The others of which `follow`.
    """

    def __init__(
        self,
        spec,
        ids,
        n_relations,
        options,
        *,
        processes,
        seed,
        excludes_self_loops=None,
        start=None,
        dtype=torch.float32,
    ):
        self.options, self._processes = options, processes
        self._generator = torch.Generator().manual_seed(seed)
        self._blocks = RowBlocks(len(spec.structure), processes.size, seed)
        function, width = options.score_function, spec.width
        relations = function.initial_relations(2 * n_relations, width, INITIAL_GAIN, self._generator).to(dtype)
        weight = torch.as_tensor(np.asarray(spec.structure_weight), dtype=dtype)
        # Rows of weight 0 are zero, as those of an `EmbeddingModel`.
        blocks = (
            (rows, values.mul_(INITIAL_GAIN).mul_((weight[rows] != 0)[:, None]))
            for rows, values in start_blocks(spec.structure, dtype)
        )
        numbered, edges = self._blocks.renumbered(ids), self._blocks.edges
        if isinstance(options.objective, CrossEntropy):
            numbered, dealt, lists = dealt_queries(numbered, n_relations, edges, options, self._generator)
            if excludes_self_loops is not None:
                excludes_self_loops = without_answers(excludes_self_loops, lists)  # of all processes
        else:
            dealt = dealt_triples(numbered, edges, options, self._generator)
        plan = ShardPlan(len(weight), n_relations, len(ids), options, seed, excludes_self_loops)
        numbered = torch.as_tensor(numbered)
        with processes.exchanging():
            processes.broadcast((BEGIN, plan))
            tables = (len(weight), self._blocks.number, blocks), weight, relations
            self._shard = _shard(processes, plan, tables, self._blocks.rows, numbered, dealt)
        self.model = GatheredModel(self._call, self._shard.model.relations, self._blocks.rows, weight, width)
        self.optimizers, self._structure_weight = [], spec.structure_weight
        self._validation = None
        if start is not None:
            self.model.load_trained(start)
        self._begin()

    def _call(self, task, told=None, **own):
        """Have all processes do a task of their `Shard`; the others do not get what is the first one's own."""
        with self._processes.exchanging():
            self._processes.broadcast((task, told or {}))
            return getattr(self._shard, task)(**(told or {}), **own)

    def _run_epoch(self):
        loss, start, self._parameters_are_finite = self._call("run_epoch", {"epoch": len(self._losses)})
        return loss, start

    def _is_finite(self):
        return np.isfinite(self._losses[-1]) and self._parameters_are_finite

    def _score(self, validate):
        if not hasattr(validate, "sharded"):
            return super()._score(validate)
        if self._validation is not validate:
            self._call("prepare", {"validation": validate.sharded(self._blocks.number)})
            self._validation = validate
        return self._call("validate")

    def _keep_result(self):
        """Do nothing: results are brought together, and are copies."""

    def _copy(self, name):
        return self.model.keep(name)

    def _tables_of(self, copy):
        return None if copy is None else self.model.tables_of(copy)

    def _copy_of_sound(self):
        """Return None: to bring all tables together after each epoch would take long."""

    def _entities(self, parameters):
        return self.model.entities_of(parameters["structure"])

    def _result_of(self, entities, parameters):
        return replace(super()._result_of(entities, parameters), bytes_sent=self._call("bytes_sent"))

    def write_shards(self, store, name):
        """Have each process write its rows to a file of its own.

        Parameters
        ----------
        store : object
            With `write`, in the same place for all processes.
        name : str
            With which the names of the files begin.

        Returns
        -------
        dict
            What `plain_state` returns, without these rows, and ``"shards"``, where they are.

        Raises
        ------
        OSError
            If a process could not write.
        """
        names, token = shard_names(name, self._processes.size)
        kept, with_best = self._best_parameters, self._best_iter not in (0, len(self._losses))
        raise_first(
            OSError, self._call("write", {"store": store, "names": names, "token": token, "with_best": with_best})
        )
        best = None if kept is None else {"relations": kept.relations}
        last = {"relations": self.model.relations.detach().cpu().clone()}
        so_far = self._result_of(None, {"relations": (best or last)["relations"].numpy()})
        state = self._state(last, self._shard.states_but_rows(), best)
        shards = {"names": names, "token": token, "edges": self._blocks.edges, "seed": self._blocks.seed}
        return plain_state(state, so_far) | {"shards": shards}

    def load_shards(self, store, values):
        """Go on from what `write_shards` has returned, in any number of processes.

        Raises
        ------
        ValueError
            With the name of a file that is missing or damaged.
        """
        if values["shards"]["seed"] != self._blocks.seed:  # rows are numbered in another order
            self.load_state_dict(trainer_state(with_tables(values, whole_tables(store, values["shards"]))))
            return
        state = trainer_state(values)
        score, best_iter, best, stale = state["best"]
        best_relations = None if best is None else best["relations"]
        told = {
            "store": store,
            "shards": values["shards"],
            "relations": state["parameters"]["relations"],
            "best_relations": best_relations,
            "optimizers": state["optimizers"],
        }
        raise_first(ValueError, self._call("read", told))
        kept = None if best is None else KeptTables("best", best_relations)
        self._load_progress(state | {"best": (score, best_iter, kept, stale)})

    def state_dict(self):
        """Return all that is needed to go on from here, in any number of processes or in one."""
        return super().state_dict() | {"optimizers": self._call("gather_optimizers", rows=self._blocks.rows)}

    def load_state_dict(self, state):
        """Go on from a state of `state_dict`, of any number of processes."""
        score, best_iter, tables, stale = state["best"]
        if tables is not None:
            self.model.load_trained(tables)
            tables = self.model.keep("best")
        super().load_state_dict(state | {"optimizers": [], "best": (score, best_iter, tables, stale)})
        self._call("load_optimizers", rows=self._blocks.rows, states=deepcopy(state["optimizers"]))
