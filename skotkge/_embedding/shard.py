"""What one process of a group holds of a space, and its part in each epoch."""

from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from .._graph.queries import KnownAnswers
from .blocks import blocks_of, is_balanced, largest_parts
from .options import CrossEntropy
from .shard_files import OPTIMIZER, rows_between, with_optimizer
from .tables import ShardedTable, block_size
from .trainer import explicit_invariants, optimizers_of

# What the bytes sent are counted by: for each batch numbers of rows, rows, their gradients, and the gradients of
# relations; for each epoch what validation needs; the start, and the tables that the first process gathers.
SENT = ("counts", "ids", "rows", "gradients", "relations", "ranks", "start", "triples", "gathered")


@dataclass(frozen=True)
class ShardPlan:
    """What all processes have to know about the training of a space.

    Attributes
    ----------
    n_entities, n_relations, n_triples : int
    options : TrainingOptions
        Of the whole; `batch_size` is that of all processes together.
    seed : int
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, or None
    """

    n_entities: int
    n_relations: int
    n_triples: int
    options: Any
    seed: int
    excludes_self_loops: np.ndarray | None


class ShardedModel:
    """A structural space with its table spread over the processes; what an objective asks of an `EmbeddingModel`.

    Parameters
    ----------
    table : ShardedTable
    relations : tensor of shape (2 * n_relations, d_r)
        Trained, the same in all processes.
    """

    maps = {}

    def __init__(self, table, relations):
        self.table, self.relations = table, relations.requires_grad_()

    @property
    def structure(self):
        """Rows of this process."""
        return self.table.rows

    @property
    def n_entities(self):
        """Of all processes together."""
        return self.table.n_rows

    def entities(self, chosen=None, precision=None):
        """Return the embeddings of chosen entities, of any process; None is all."""
        if chosen is None:
            chosen = torch.arange(self.n_entities, device=self.relations.device)
        return self.table.lookup(chosen)

    def backward(self, entities, gradient):
        """Hand the gradient of what `entities` returned on to the parameters."""
        entities.backward(gradient)

    def folds_for(self, n_queries, n_entities):
        """Tell that there is no map to be folded into the queries."""
        return False


class Shard:
    """Part of one process in the training of a space.

    Each process has triples or queries of its own, see `skotkge._embedding.blocks`, and takes its part of each batch
    from them. Negatives are those of a triple, and drawn by its process; the sampled candidates of a batch are the same
    in all processes, so that a query sees as many as in one. The step of a batch is that of one process: gradients of
    the same row add up before it, and the mean is that over the triples of all.

    Parameters
    ----------
    processes : Processes
    plan : ShardPlan
    rows : tensor of shape (n_own, d)
        Start of the rows of the table that this process holds.
    weight : tensor of shape (n_own,)
    relations : tensor of shape (2 * n_relations, d_r)
    ids : ndarray of shape (n_own, 3)
        What this process trains, by the numbers that entities have among the processes: triples, or for a
        cross-entropy queries with an answer each.
    all_ids : ndarray of shape (n_triples, 3) or None
        Triples of all, where negatives must not be among them or sides are chosen by their numbers.
    """

    def __init__(self, processes, plan, rows, weight, relations, ids, all_ids=None):
        self.processes, self._seed, self._validation, self._kept = processes, plan.seed, None, {}
        table = ShardedTable(rows, weight, plan.n_entities, processes)
        # Rows of weight 0 are zero; in states of earlier versions they may be anything.
        self._has_weight = (weight != 0)[:, None]
        options, n_batches = plan.options, -(-plan.n_triples // plan.options.batch_size)
        options = replace(
            options, device=str(processes.device), batch_size=part_of_batch(options, ids, n_batches, table.edges)
        )
        self.model = ShardedModel(table, relations)
        self.optimizers = optimizers_of(self.model, options)
        self._generator, self._of_samples = (torch.Generator(processes.device) for _ in range(2))
        asks_queries = isinstance(options.objective, CrossEntropy)
        own = KnownAnswers.of_pairs(*ids.T, plan.n_relations) if asks_queries else ids
        self.loss = options.objective.of_training(
            self.model, own, plan.n_relations, options, self._generator, plan.excludes_self_loops
        )
        if asks_queries:
            self.loss.draw_samples_with(self._of_samples)
        if all_ids is not None:
            self.loss.draw_negatives_of(all_ids)
        if is_balanced(options):
            table.fix_counts(self.loss.balance(n_batches, table.edges))
        self.loss.ids = None  # batches have what they need of them

    def run_epoch(self, epoch):
        """Visit all triples once; what is drawn follows from seed and epoch, and but for samples from the process.

        Returns
        -------
        mean, start : float
            As of `run_epoch`.
        is_finite : bool
            Whether all parameters are.
        """
        self._generator.manual_seed(_seed_of(self._seed, epoch, self.processes.rank, self.processes.size))
        self._of_samples.manual_seed(_seed_of(self._seed, epoch))
        batches, sums = iter(self.loss.batches()), []
        with explicit_invariants():
            while not sums or sums[-1][1] > 0:
                sums.append(self.step(next(batches, None)))
        values, counts = np.array(sums).T
        mean, start = values.sum() / counts.sum(), values[0] * (len(sums) - 1) / counts.sum()
        return float(mean), float(start), self.is_finite()

    def step(self, batch=None):
        """Take a step with the batches of all processes; one without any left takes part with no batch.

        Returns
        -------
        value, n_triples : float
            Sum of the losses, and number of triples, of all processes.
        """
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        # The mean over all triples has the gradient sum_p n_p g_p / sum_p n_p, with g_p that of the mean over the n_p
        # triples of process p. Loss and n_p travel with the gradient of the relations, in one sum over the processes.
        value, n_triples = self._backward(batch)
        relations = self.model.relations
        gradient = torch.zeros_like(relations) if relations.grad is None else relations.grad
        figures = gradient.new_tensor([float(value), n_triples])
        total = torch.cat([n_triples * gradient.ravel(), figures])
        self.processes.sum_(total, "relations")
        value, n_triples = total[-2:].tolist()
        if n_triples:
            relations.grad = (total[:-2] / n_triples).view_as(relations)
            # Sums over the processes that asked for a row, before the step: some optimizers do not add them up.
            self.model.structure.grad = (self.model.structure.grad / n_triples).coalesce()
            for optimizer in self.optimizers:
                optimizer.step()
        return value, n_triples

    def _backward(self, batch):
        """Leave the gradients of the own part, that of the table times the number of its triples."""
        self.model.table.share = n_triples = 0 if batch is None else self.loss.n_triples(batch)
        if batch is not None:
            return self.loss.backward(batch), n_triples
        nothing = self.model.entities(torch.empty(0, dtype=torch.int64, device=self.processes.device))
        self.model.backward(nothing, torch.zeros_like(nothing))
        return 0.0, 0

    def is_finite(self):
        """Tell whether the parameters of all processes are finite."""
        parameters = self.model.structure, self.model.relations
        spoiled = torch.tensor([float(not all(torch.isfinite(table).all() for table in parameters))])
        return not self.processes.sum_(spoiled.to(self.processes.device)).item()

    def prepare(self, validation):
        """Take what judges the tables after each epoch.

        Parameters
        ----------
        validation : callable
            From the `ShardedTable` and the relations to a score; called in all processes at once.
        """
        self._validation = validation

    def validate(self):
        """Return the validation score of the tables."""
        with torch.no_grad():
            return self._validation(self.model.table, self.model.relations)

    def bytes_sent(self):
        """Return the bytes that all processes have sent since the fit began, by what they hold."""
        own = torch.tensor([self.processes.sent[what] for what in SENT], device=self.processes.device)
        return dict(zip(SENT, self.processes.gather_equal(own).sum(0).tolist(), strict=True))

    def gather(self, rows=None, name=None):
        """Bring the table together in the first process, or that of the copy of a name."""
        return self.processes.gather_rows(self.model.structure if name is None else self._kept[name][0], rows)

    def keep(self, name):
        """Keep a copy of the parameters, in place of the last of this name."""
        self._kept.pop(name, None)  # else both are there while the copy is made
        self._kept[name] = [table.detach().clone() for table in (self.model.structure, self.model.relations)]

    def restore(self, name):
        """Go back to the parameters of a copy."""
        with torch.no_grad():
            for table, kept in zip((self.model.structure, self.model.relations), self._kept[name], strict=True):
                table.copy_(kept)

    def load(self, structure=None, relations=None, rows=None):
        """Take over parameters of the first process."""
        with torch.no_grad():
            self.model.structure.copy_(self.processes.scatter_rows(structure, rows) * self._has_weight)
            self.model.relations.copy_(self.processes.broadcast(relations))

    def write(self, store, names, token, with_best):
        """Write what this process holds of the state to a file of its own.

        Parameters
        ----------
        store : object
            With `write`.
        names : list of str
            Of the files of all processes.
        token : str
            Of all these files.
        with_best : bool
            Whether the best epoch is another than the last.

        Returns
        -------
        list of str or None
            Of each process what went wrong.
        """
        rows = {"structure": self.model.structure} | ({"best": self._kept["best"][0]} if with_best else {})
        rows |= {OPTIMIZER + name: table for name, table in self._tables_of_optimizer().items()}
        rows = {name: table.detach().cpu().numpy() for name, table in rows.items()}
        try:
            store.write(names[self.processes.rank], {"token": token, "rows": rows})
        except OSError as error:
            return self.processes.gather_values(str(error))
        return self.processes.gather_values(None)

    def read(self, store, shards, relations, best_relations, optimizers):
        """Take over the rows of this process from the files of any number of processes.

        Parameters
        ----------
        store, shards
            As for `rows_between`.
        relations : tensor of shape (2 * n_relations, d_r)
        best_relations : tensor of the same shape or None
        optimizers : list of dict
            States without tables of the rows.

        Returns
        -------
        list of str or None
            Of each process what went wrong; nothing has been taken over then.
        """
        table = self.model.table
        try:
            rows = rows_between(store, shards, table.first, table.first + len(table.rows))
        except (OSError, ValueError) as error:
            return self.processes.gather_values(str(error))
        messages = self.processes.gather_values(None)
        if any(messages):
            return messages
        rows = {name: torch.as_tensor(values, device=self.processes.device) for name, values in rows.items()}
        with torch.no_grad():
            if best_relations is not None:
                self.model.structure.copy_(rows.get("best", rows["structure"]) * self._has_weight)
                self.model.relations.copy_(best_relations)
                self.keep("best")
            self.model.structure.copy_(rows["structure"] * self._has_weight)
            self.model.relations.copy_(relations)
        for optimizer, state in zip(self.optimizers, with_optimizer(optimizers, rows), strict=True):
            optimizer.load_state_dict(state)
        return messages

    def _tables_of_optimizer(self):
        """Tables with a row for each row of this process, by name."""
        state = self.optimizers[-1].state_dict()["state"].get(0, {})
        return {name: value for name, value in state.items() if np.ndim(value)}

    def states_but_rows(self):
        """States of the optimizers without their tables of rows."""
        states = [deepcopy(optimizer.state_dict()) for optimizer in self.optimizers[:-1]]
        return _without_tables([*states, self.optimizers[-1].state_dict()], self._tables_of_optimizer())

    def gather_optimizers(self, rows=None):
        """Bring the states of the optimizers together in the first process, as those of one process."""
        states = [deepcopy(optimizer.state_dict()) for optimizer in self.optimizers]
        of_rows = states[-1]["state"].get(0, {})
        for name, value in of_rows.items():
            if np.ndim(value):
                of_rows[name] = self.processes.gather_rows(value, rows)
        return states

    def load_optimizers(self, states=None, rows=None):
        """Take over states of the first process, as those of one process."""
        of_rows = None if states is None else states[-1]["state"].get(0, {})
        kept = None if states is None else [name for name, value in of_rows.items() if np.ndim(value)]
        tables = {
            name: self.processes.scatter_rows(None if states is None else of_rows[name], rows)
            for name in self.processes.broadcast(kept)
        }
        states = self.processes.broadcast(states and _without_tables(states, tables))
        if states[-1]["state"]:
            states[-1]["state"][0] |= tables
        for optimizer, state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)


def part_of_batch(options, ids, n_batches, edges):
    """The size of the batches of a process, of which there are so many for all that it trains.

    Parameters
    ----------
    options : TrainingOptions
        Of the whole.
    ids : ndarray of shape (n_own, 3)
        As of `Shard`.
    n_batches : int
    edges : list of int of length n_processes + 1
        Where the rows of each process begin, and the number of all.

    Returns
    -------
    int
    """
    if isinstance(options.objective, CrossEntropy):  # a triple has an answer in each direction
        return max(1, -(-len(ids) // (2 * n_batches)))
    if is_balanced(options):
        return max(1, sum(largest_parts(blocks_of(ids, edges), n_batches)))
    return block_size(options.batch_size, len(edges) - 1)


def _without_tables(states, tables):
    """The states without what has been sent row by row."""
    of_rows = states[-1]["state"]
    of_rows = {
        key: {name: value for name, value in part.items() if name not in tables} for key, part in of_rows.items()
    }
    return [*states[:-1], states[-1] | {"state": of_rows}]


def _seed_of(*numbers):
    """Seed of what is drawn in an epoch, by all processes or one."""
    # Hashed together, so that neighbouring seeds, epochs and ranks draw streams that have nothing in common.
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
