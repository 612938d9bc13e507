"""Checkpoints of a fit: what is written while it trains, how the same fit goes on, and the model of what there is.

A fit has rounds, "train" with triples held out and "refit" on all, and in each round a stage for every space. In the
store are

- ``start``: the seed, where the caller gave none;
- ``fit``: all but the tables that a model needs, to make one of the best epochs so far;
- ``train-0``, ``refit-0``, ...: the tables of the stages that have ended;
- ``train-1-running``: the state of the trainer after its last epoch, and the tables of its best one. Where several
  processes train, their rows are in files of their own, see `skotkge._embedding.shard_files`; the first process then
  writes all else and where these are, after them, so that it never tells of a file that is not whole.
"""

import time
from dataclasses import fields

import joblib
import numpy as np
from sklearn.utils import check_random_state

from .._embedding.checkpoint import plain_state, trainer_state
from .._embedding.options import TrainingOptions
from .._embedding.shard_files import whole_tables, with_tables
from .._embedding.trainer import TrainedSpace
from .._graph.digest import data_digest
from .._graph.label_columns import as_label_triples
from .._graph.packed_labels import pack_labels
from .._utils.messages import tell
from .record import record_of
from .stores import remove_all_but, store_of

RUNNING = "-running"
# Parameters that change nothing of what is learned.
WITHOUT_EFFECT = ("checkpoint", "checkpoint_interval", "entity_table", "verbose")


def open_checkpoint(estimator, X, y, X_val, y_val, start=None):
    """Return the checkpoint of a fit, that of an interrupted one of the same data and parameters.

    Parameters
    ----------
    estimator : TrainedEstimator
        Not fitted yet; its parameter `checkpoint` is a folder or None.
    X : MultimodalTriples
    y, X_val, y_val
        As for its fit, not validated.
    start : dict, default=None
        Parameters that the training continues from.

    Returns
    -------
    Checkpoint

    Raises
    ------
    ValueError
        If a parameter cannot be pickled, or there is nothing to go on from but should be.
    """
    if estimator.checkpoint is None:
        return Checkpoint(None)
    parameters = {name: value for name, value in estimator.get_params().items() if name not in WITHOUT_EFFECT}
    fusion = None if X.fusion is None else {**X.fusion.state(), "seconds": None, "entities": None}
    validation = None if X_val is None else X.vocabulary.ids_of(as_label_triples(X_val))
    labels = [None if values is None else np.asarray(values) for values in (y, y_val)]
    try:
        told = joblib.hash((type(estimator).__name__, parameters, fusion, validation, labels, start), hash_name="sha1")
    except Exception as error:  # what pickling raises depends on the objects
        raise ValueError(
            f"checkpoint={estimator.checkpoint!r} needs parameters that can be pickled ({error}); define their classes "
            "in a module, or set checkpoint=None."
        ) from error
    store = store_of(estimator.checkpoint).within(joblib.hash((told, data_digest(X)), hash_name="sha1")[:16])
    store.check()
    return Checkpoint(store, estimator.checkpoint_interval, estimator)


class Checkpoint:
    """What a fit writes and finds of itself; without a store nothing.

    Parameters
    ----------
    store : object or None
        With names, write, read and remove.
    interval : float, default=0
        Seconds at least between two states of a trainer.
    estimator : TrainedEstimator, default=None
    """

    def __init__(self, store, interval=0, estimator=None):
        self._store, self._interval, self._estimator = store, interval, estimator

    def random_state(self, given):
        """What the fit draws from: of a fit without a seed, one that the fit that goes on has, too."""
        if self._store is None or given is not None:
            return given
        if "finished" in self._store.names():  # without a seed, another fit is another draw
            for name in self._store.names():
                self._store.remove(name)
        start = self._store.read("start") or {"seed": int(check_random_state(None).randint(np.iinfo(np.int32).max))}
        self._store.write("start", start)
        return start["seed"]

    def begin(self, split, options):
        """Write all but the tables that a model needs; what cannot be written is told before training."""
        if self._store is not None and "fit" not in self._store.names():
            self._store.write("fit", describe(self._estimator, split, options))

    def stage(self, round, number, id):
        """Return the checkpoint of one space in one round."""
        return Stage(self._store, f"{round}-{number}", id, self._interval)

    def finish(self):
        """Note that the fit has come to its end."""
        if self._store is not None:
            self._store.write("finished", {})


class Stage:
    """Checkpoint of the training of one space: a callback of its trainer.

    Parameters
    ----------
    store : object or None
    name : str
    id : EvidenceId
    interval : float
    """

    def __init__(self, store, name, id, interval):
        self._store, self._name, self._id, self._interval = store, name, id, interval
        self._written = time.monotonic()

    def result(self):
        """The `TrainedSpace` of a stage that has ended, or None."""
        values = None if self._store is None else self._store.read(self._name)
        return None if values is None else TrainedSpace(**values["so_far"])

    def restore(self, trainer):
        """Let a trainer go on from the last state, if there is one."""
        values = None if self._store is None else self._store.read(self._name + RUNNING)
        if values is None:
            return
        if "shards" in values and trainer.write_shards is not None:
            trainer.load_shards(self._store.shards(), values)
        else:
            trainer.load_state_dict(trainer_state(with_all_rows(self._store, values)))

    def on_epoch_end(self, state):
        """Write the state of the trainer, unless the last one is young."""
        if self._store is None or time.monotonic() - self._written < self._interval:
            return
        try:
            self._write(state)
        except OSError as error:
            tell(f"a checkpoint could not be written ({error}); training goes on, and the one before stays.")
        self._written = time.monotonic()

    def _write(self, state):
        """Write the state, and then remove what only the one before needed."""
        has_shards = state.write_shards is not None and hasattr(self._store, "shards")
        if has_shards:
            values = state.write_shards(self._store.shards(), self._name)
        else:
            values = plain_state(state.state_dict(), state.so_far())
        self._store.write(self._name + RUNNING, {"id": tuple(self._id), **values})
        self._remove_shards(values.get("shards", {}).get("names", ()))

    def _remove_shards(self, but=()):
        if hasattr(self._store, "shards"):
            remove_all_but(self._store.shards(), f"{self._name}-", but)

    def finish(self, space):
        """Write the tables in place of the state."""
        if self._store is not None:
            self._store.write(self._name, {"id": tuple(self._id), "so_far": dict(vars(space))})
            self._store.remove(self._name + RUNNING)
            self._remove_shards()


def read_state(store, name):
    """Return the values of a stage with all rows of its tables, also while a fit goes on to write newer ones."""
    values = store.read(name)
    while True:
        try:
            return with_all_rows(store, values)
        except ValueError:
            # The files may have been removed for those of a later epoch in the meantime.
            newer = store.read(name)
            if newer is None or newer.get("shards") == values["shards"]:
                raise
            values = newer


def with_all_rows(store, values):
    """Return the values of a stage with the rows that several processes have written."""
    if "shards" not in values:
        return values
    return values | with_tables(values, whole_tables(store.shards(), values["shards"]))


def describe(estimator, split, options):
    """All but the tables that a model of the spaces trained so far needs, as values that skops saves."""
    X, fusion = split.all, split.all.fusion
    names = () if fusion is None else tuple(fusion.maps)
    parameters = estimator.get_params(deep=False) | {"checkpoint": None}
    return {
        "estimator": type(estimator)(**parameters),
        "training": {field.name: getattr(options.training, field.name) for field in fields(TrainingOptions)},
        "kinds": sorted(options.kinds),
        "calibration_negatives": options.calibration_negatives,
        "exclude_self_loops": options.exclude_self_loops,
        "early_stopping": options.early_stopping,
        "statements": [(said.relation, said.property, said.type_relation, said.labels) for said in options.statements],
        "seed": options.seed,
        "entities": pack_labels(X.entities),
        "relations": pack_labels(X.relations),
        "descriptions": {what: pack_labels(told) for what, told in X.vocabulary.descriptions.items()},
        "record": record_of(split),
        "ids": X.ids,
        "train_ids": split.train.ids,
        "validation_ids": split.validation_ids,
        "negatives": (split.negatives.ids, float(split.negatives.true_share)),
        "observed": {name: X.observed(name) for name in names},
        "encoders": [encoder_state(part) for part in (split.train, X)],
    }


def encoder_state(X):
    """State of what embeds unseen entities, or None."""
    return X.fusion.encoder.state() if X.fusion is not None and X.fusion.maps else None
