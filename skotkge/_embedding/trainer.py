"""The training loop of one space: epochs, validation, the best epoch, callbacks. The only module with an optimizer."""

from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from .._utils.messages import NaNScoreError, tell
from .disk import all_finite
from .model import EmbeddingModel
from .row_optimizers import RowAdagrad, RowAdam
from .rowwise_adagrad import RowwiseAdagrad
from .steps import load_squares, row_squares

OPTIMIZERS = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam, "rowwise_adagrad": RowwiseAdagrad}
# The same for a table of whose rows a batch has a gradient for a few.
ROW_OPTIMIZERS = OPTIMIZERS | {"adagrad": RowAdagrad, "adam": RowAdam}

# A loss above so many times that before training has lost all, as equal scores for everything cost about the latter; of
# a start below 1, such as that of parameters trained before, above so much.
DIVERGENCE = 10.0
# Bytes of parameters of which a copy of the last sound epoch is kept where none is judged.
LARGEST_COPY = 2**30


@dataclass(frozen=True)
class TrainedSpace:
    """Result of a training run, in NumPy arrays.

    Attributes
    ----------
    entities : ndarray of shape (n_entities, d)
    relations : ndarray of shape (2 * n_relations, d_r)
    parameters : dict of str to ndarray
        All trained parameters by name, to continue from.
    losses : list of float
        Mean loss per triple of each epoch.
    validation_scores : list of float
    best_iter : int
    continuation : dict of str to ndarray
        What a later training goes on with beside the parameters: ``"squares of"`` each table, see
        `skotkge._embedding.steps`, and ``"structure_weight"`` of the space.
    bytes_sent : dict of str to int or None
        Between the processes of a group, by what they hold, where several have trained.
    """

    entities: np.ndarray
    relations: np.ndarray
    parameters: dict
    losses: list
    validation_scores: list
    best_iter: int
    continuation: dict = field(default_factory=dict)
    bytes_sent: dict | None = None

    def history(self):
        """What happened, for `OTKGEClassifier.space_training_`."""
        history = {
            "n_iter": len(self.losses),
            "best_iter": self.best_iter,
            "loss_curve": self.losses,
            "validation_scores": self.validation_scores,
        }
        return history if self.bytes_sent is None else history | {"bytes_sent": self.bytes_sent}


@dataclass
class EpochState:
    """What a callback is told after each epoch.

    Attributes
    ----------
    space : str
        Name of the space that is trained.
    epoch : int
        From 1.
    max_iter : int
    loss : float
        Mean loss per triple.
    validation_score : float or None
        Filtered MRR on the validation triples, with early stopping.
    state_dict : callable
        Returns all that is needed to go on from here: parameters, optimizers, generator, curves, best epoch.
    so_far : callable
        Returns the `TrainedSpace` of the best epoch so far, of the last one without early stopping.
    is_refit : bool
        Whether this is the training on all triples that follows the one with some held out.
    write_shards : callable or None
        Where several processes train, has each write its rows, and returns the rest of the state.
    """

    space: str
    epoch: int
    max_iter: int
    loss: float
    validation_score: float | None
    state_dict: object
    so_far: object = None
    is_refit: bool = False
    write_shards: object = field(default=None, repr=False)
    stopped: bool = field(default=False, repr=False)

    def stop(self):
        """End the training of this space after this epoch."""
        self.stopped = True


def is_available(device):
    """Tell whether tensors can be put on a device."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        return False
    return True


class Trainer:
    """Trains the entity and relation embeddings of one space.

    Parameters
    ----------
    spec : SpaceSpec
        One with ``model_of_training(n_relations, options, generator)`` makes the model itself.
    ids : ndarray of shape (n_triples, 3)
        Positive triples.
    n_relations : int
        The trained table has twice as many rows: row ``n_relations + r`` is the reciprocal of relation r.
    options : TrainingOptions
    seed : int
    excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        Relations whose queries do not have their source among the candidates of the cross-entropy.
    start : dict of str to ndarray, default=None
        ``TrainedSpace.parameters`` to continue from.
    continuation : dict of str to ndarray, default=None
        ``TrainedSpace.continuation`` to continue with.
    weights : ndarray of shape (n_triples,), default=None
        Positive; what each triple counts, on average 1. None is 1.
    """

    # Where the tables are in several processes, a method that has each write its rows.
    write_shards = None

    def __init__(
        self,
        spec,
        ids,
        n_relations,
        options,
        *,
        seed,
        excludes_self_loops=None,
        start=None,
        continuation=None,
        weights=None,
    ):
        self.options, self._structure_weight = options, spec.structure_weight
        on_cpu = torch.Generator().manual_seed(seed)
        make_model = getattr(spec, "model_of_training", None) or partial(EmbeddingModel, spec)
        self.model = make_model(n_relations, options, on_cpu)
        self._generator = _generator_on(options.device, seed, on_cpu)
        if start is not None:
            self.model.start_from(start, (continuation or {}).get("structure_weight"))
        self.optimizers = optimizers_of(self.model, options)
        load_squares(self.model.parameters(), self.optimizers, continuation or {})
        weighted = {} if weights is None else {"weights": weights}
        loss = options.objective.of_training(
            self.model, ids, n_relations, options, self._generator, excludes_self_loops, **weighted
        )
        self._loss = self.model.with_own_terms(loss)
        self._begin()

    def _begin(self):
        """Start the record of epochs."""
        self._losses, self._scores, self._stopped = [], [], False
        self._is_handed_over = False
        self._start, self._sound = None, None  # loss before training; last epoch, where none is judged
        self._best_score, self._best_iter, self._best_parameters, self._stale = -np.inf, 0, None, 0

    def run(self, *, validate=None, callbacks=(), name="", is_refit=False):
        """Train for `max_iter` epochs, or until the validation score stops rising or a callback ends it.

        Parameters
        ----------
        validate : callable, default=None
            Called with the entity and relation tensors after every epoch; returns a score. The best epoch is kept, and
            training ends when the score has not risen by ``tol`` for ``n_iter_no_change`` epochs.
        callbacks : sequence, default=()
            Objects with ``on_epoch_end(state)``, called with an `EpochState`.
        name : str, default=""
            Of the space, for the callbacks.
        is_refit : bool, default=False
            For the callbacks.

        Returns
        -------
        TrainedSpace

        Raises
        ------
        FloatingPointError
            If the embeddings of no epoch are finite.

        Warns
        -----
        ConvergenceWarning
            If training diverges: the loss of an epoch is not finite, or above 10 times that of the start.
            The best epoch before is kept.
        """
        self._keep_result()
        patience = self.options.n_iter_no_change
        while len(self._losses) < self.options.max_iter and self._stale < patience and not self._stopped:
            loss, start = self._run_epoch()
            self._start = start if self._start is None else self._start
            self._losses.append(loss)
            if not (self._is_finite() and loss <= DIVERGENCE * max(abs(self._start), 1.0)):
                self._leave_diverged(name)
                break
            if validate is not None:
                try:
                    self._judge(validate)
                except NaNScoreError:  # finite embeddings so large that their scores are not
                    self._leave_diverged(name, is_usable=False)
                    break
            else:
                self._sound = None
                self._sound = self._copy_of_sound()
            self._tell(callbacks, name, is_refit)
        self._stopped = False
        if self._best_parameters is not None:
            self.model.load_trained(self._best_parameters)
        self._is_handed_over = True
        return self._result(self.model.parameters())

    def _keep_result(self):
        """Go on with copies, where the parameters are those of a result."""
        if self._is_handed_over:
            for parameter in self.model.parameters().values():
                parameter.data = self.model.copy_of(parameter)
            self._is_handed_over = False

    def _copy_of_sound(self):
        """The number and the parameters of the epoch, unless they are too large to be kept twice."""
        n_bytes = sum(parameter.nbytes for parameter in self.model.parameters().values())
        return (len(self._losses), self.model.trained_state()) if n_bytes <= LARGEST_COPY else None

    def _run_epoch(self):
        return run_epoch(self._loss, self.optimizers)

    def _is_finite(self):
        return np.isfinite(self._losses[-1]) and all(
            all_finite(parameter) for parameter in self.model.parameters().values()
        )

    def _leave_diverged(self, name, is_usable=True):
        """Go back to the best epoch, or the last before; the first one is kept as it is, if it is finite."""
        n_epochs, loss = len(self._losses), self._losses[-1]
        if self._best_parameters is None and self._sound is not None:
            self._best_iter, self._best_parameters = self._sound
        if self._best_parameters is None and not (is_usable and self._is_finite()):
            raise FloatingPointError(
                f"training of {name or 'the space'} diverged in epoch {n_epochs}: the loss, an embedding or a "
                f"score is not finite; lower learning_rate={self.options.learning_rate!r}, or scale the modalities "
                "(standardize=True)."
            )
        tell(
            f"training of {name or 'the space'} diverged: in epoch {n_epochs} the loss is {loss:.3g} after "
            f"{self._start:.3g} at the start; epoch {self._best_iter or n_epochs} is kept. Lower "
            f"learning_rate={self.options.learning_rate!r}, or scale the modalities (standardize=True).",
            ConvergenceWarning,
        )

    def so_far(self):
        """Return the `TrainedSpace` of the best epoch so far, and go on from the last one."""
        if self._best_parameters is None:
            return self._result(self.model.trained_state())
        last = self._copy("last")
        self.model.load_trained(self._best_parameters)
        result = self._result(self.model.trained_state())
        self.model.load_trained(last)
        return result

    def _judge(self, validate):
        """Keep the parameters of the best epoch, and count the epochs without a gain."""
        score = self._score(validate)
        self._scores.append(score)
        self._stale = self._stale + 1 if score < self._best_score + self.options.tol else 0
        if score > self._best_score:
            self._best_score, self._best_iter = score, len(self._losses)
            self._best_parameters = None  # else both copies are there while the second is made
            self._best_parameters = self._copy("best")

    def _copy(self, name):
        """Return what `load_trained` of the model takes to go back to the parameters as they are now.

        There is one copy of a name: the next one may take its place.
        """
        return self.model.trained_state()

    def _tables_of(self, copy):
        """The parameters of a copy."""
        return copy

    def _score(self, validate):
        with torch.no_grad():
            return validate(self.model.entities(), self.model.relations)

    def _tell(self, callbacks, name, is_refit):
        """Call the callbacks, one of which may end the training; those that follow find that in the state, too."""
        score = self._scores[-1] if self._scores else None
        figures = len(self._losses), self.options.max_iter, self._losses[-1], score
        state = EpochState(name, *figures, self.state_dict, self.so_far, is_refit, self.write_shards)
        for callback in callbacks:
            callback.on_epoch_end(state)
            self._stopped = state.stopped

    def state_dict(self):
        """Return all that `load_state_dict` of a trainer of the same data and options needs to go on from here."""
        optimizers = [deepcopy(optimizer.state_dict()) for optimizer in self.optimizers]
        return self._state(self.model.trained_state(), optimizers, self._tables_of(self._best_parameters))

    def _state(self, parameters, optimizers, best):
        """The state with tables of the last and of the best epoch."""
        return {
            "parameters": parameters,
            "optimizers": optimizers,
            "generator": self._generator.get_state(),
            "losses": list(self._losses),
            "validation_scores": list(self._scores),
            "best": (self._best_score, self._best_iter, best, self._stale),
            "stopped": self._stopped,
            "start": self._start,
        }

    def load_state_dict(self, state):
        """Go on from a state of `state_dict`: the next epoch is the one that would have followed."""
        self.model.load_trained(state["parameters"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(deepcopy(kept))  # else its next steps would write into the state
        self._load_progress(state)
        self._sound = (len(self._losses), state["parameters"]) if self._losses and not self._scores else None

    def _load_progress(self, state):
        """Go on from all of a state but the tables of the last epoch."""
        self._generator.set_state(state["generator"])
        self._losses, self._scores = list(state["losses"]), list(state["validation_scores"])
        self._best_score, self._best_iter, self._best_parameters, self._stale = state["best"]
        self._stopped, self._start = state["stopped"], state["start"]

    def _entities(self, parameters):
        """All entity embeddings, by the parameters as they are."""
        with torch.no_grad():
            entities = self.model.entities()
        return parameters["structure"] if entities is self.model.structure else entities

    def _result(self, parameters):
        """The `TrainedSpace` of the parameters as they are, which it takes over."""
        entities, structure = self._entities(parameters), parameters.get("structure")
        parameters = {name: value.detach().cpu().numpy() for name, value in parameters.items()}
        # One array, which is saved once.
        is_structure = structure is not None and entities is structure
        entities = parameters["structure"] if is_structure else entities.detach().cpu().numpy()
        tables = [*parameters.values()] if is_structure else [entities, *parameters.values()]
        if not all(all_finite(torch.from_numpy(table)) for table in tables):
            raise FloatingPointError(
                "the entity embeddings are not finite, though their parameters are: scale the modalities "
                "(standardize=True)."
            )
        return self._result_of(entities, parameters)

    def _result_of(self, entities, parameters):
        best_iter = self._best_iter or len(self._losses)
        curves = list(self._losses), list(self._scores)
        continuation = row_squares(self.model.parameters(), self.optimizers) if self.optimizers else {}
        if self._structure_weight is not None:
            continuation["structure_weight"] = np.asarray(self._structure_weight, dtype=np.float32)
        return TrainedSpace(entities, parameters["relations"], parameters, *curves, best_iter, continuation)


def _generator_on(device, seed, on_cpu):
    """The generator of all that is drawn in training; None on a device whose tensors have no values."""
    kind = torch.device(device).type
    if kind == "meta":
        return None
    return on_cpu if kind == "cpu" else torch.Generator(device).manual_seed(seed)


def optimizers_of(model, options):
    """Optimizers that step together: that of all parameters, or of all but a structural table with few rows in a batch.

    Tables of one learning rate are in one group, whose steps are few operations for all of them.

    The maps act on hundreds of columns at once, so that a step of the tables' size would throw the fused space about:
    their learning rate is ``transport_lr_factor`` of the others'.
    """
    groups = [{"params": [model.relations]}]
    if options.transport_lr_factor > 0 and model.maps:
        groups.append({"params": list(model.maps.values()), "lr": options.transport_lr_factor * options.learning_rate})
    of_rows = []
    if model.structure is not None and model.structure.requires_grad:
        step = options.learning_rate * (options.structure_lr_factor if model.maps else 1.0)
        if options.objective.needs_few_rows:
            # Adam takes sparse gradients in a way of its own.
            how = _in_few_operations(options, 1) if options.optimizer == "adagrad" else {}
            of_rows = [ROW_OPTIMIZERS[options.optimizer]([model.structure], lr=step, **how)]
        elif step == options.learning_rate:
            groups[0]["params"].append(model.structure)
        else:
            groups.append({"params": [model.structure], "lr": step})
    how = _in_few_operations(options, max(len(group["params"]) for group in groups))
    return [OPTIMIZERS[options.optimizer](groups, lr=options.learning_rate, **how), *of_rows]


def _in_few_operations(options, n_tables):
    """What lets PyTorch's optimizers step so many tables of a group in few operations."""
    if options.optimizer == "rowwise_adagrad":
        return {}
    return {"fused": True} if torch.device(options.device).type == "cpu" else {"foreach": n_tables > 1}


def run_epoch(loss, optimizers):
    """Visit all triples once. The device is not asked for anything before the end.

    Returns
    -------
    mean : float
        Mean loss per triple.
    start : float
        About the same before the first step, from the first batch.
    """
    total, first, n_batches = 0.0, None, 0
    with explicit_invariants():
        for batch in loss.batches():
            value = take_step(loss, batch, optimizers)
            first, n_batches = (value if first is None else first), n_batches + 1
            total = total + value
    # The first wait for the device, for both numbers together.
    total, first = torch.stack([total, first]).tolist()
    return total / len(loss.ids), first * n_batches / len(loss.ids)


def take_step(loss, batch, optimizers):
    """Move the parameters against the gradient of a batch; return the sum of its losses, a tensor."""
    for optimizer in optimizers:
        optimizer.zero_grad(set_to_none=True)
    value = loss.backward(batch)
    for optimizer in optimizers:
        optimizer.step()
    return value


def explicit_invariants():
    """Keep the user's choice about checks of sparse tensors, made explicit: PyTorch warns where it is implicit."""
    checks = torch.sparse.check_sparse_tensor_invariants
    return checks(checks.is_enabled())
