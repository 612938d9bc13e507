"""The training loop: the only module with an optimizer and a device."""

from dataclasses import dataclass
from functools import reduce

import numpy as np
import torch
from torch.nn import functional

from .objectives import objective_of

OPTIMIZERS = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam}
# The same for a table of whose rows a batch has a gradient for a few.
ROW_OPTIMIZERS = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.SparseAdam}

# Scaled columns give fused rows of unit variance, a scale at which training does not take off.
INITIAL_GAIN = 1e-2
# The maps act on hundreds of columns at once, so a step of the tables' size would throw the fused space about.
MAP_STEP = 0.1


@dataclass(frozen=True)
class Settings:
    """Hyper-parameters of training; names and meaning as in `OTKGEClassifier`."""

    scorer: object
    loss: str
    negative_sampling: str
    n_negatives: int
    filter_negatives: bool
    regularization: float
    optimizer: str
    learning_rate: float
    batch_size: int
    max_iter: int
    learn_transport: bool
    n_iter_no_change: int
    tol: float
    device: str
    precision: str = "float32"
    n_candidates: int | None = None
    structure_step: float = 0.1


@dataclass(frozen=True)
class Trained:
    """Result of `train`, in NumPy arrays.

    `state` holds the trained parameters by name, for a later warm start.
    """

    entities: np.ndarray
    relations: np.ndarray
    state: dict
    losses: list
    validation_scores: list
    best_iter: int

    def history(self):
        """What happened, for `OTKGEClassifier.space_training_`."""
        return {
            "n_iter": len(self.losses),
            "best_iter": self.best_iter,
            "loss_curve": self.losses,
            "validation_scores": self.validation_scores,
        }


class _Model:
    """The trained parameters and the entity embeddings that they make (Eq. 2-3 with Delta_k)."""

    def __init__(self, spaces, n_relations, settings, generator, dtype=torch.float32):
        def on_device(array):
            return torch.tensor(np.asarray(array), dtype=dtype, device=settings.device)

        relations = settings.scorer.initial_relations(2 * n_relations, spaces.width, INITIAL_GAIN, generator)
        self.relations = relations.to(settings.device, dtype).requires_grad_()
        self.structure = None
        if spaces.structure is not None:
            is_trained = settings.structure_step > 0 or not spaces.maps
            self.structure = (INITIAL_GAIN * on_device(spaces.structure)).requires_grad_(is_trained)
            weight = np.asarray(spaces.structure_weight)
            self._structure_weight = None if (weight == 1).all() else on_device(weight)[:, None]
        self.maps = {
            name: (INITIAL_GAIN * on_device(start)).requires_grad_(settings.learn_transport)
            for name, start in spaces.maps.items()
        }
        self._features = {
            name: torch.as_tensor(matrix, dtype=dtype, device=settings.device)
            for name, matrix in spaces.features.items()
        }
        self._rounded = {}
        self._order = None if spaces.order is None else torch.tensor(spaces.order, device=settings.device)

    @property
    def n_entities(self):
        table = next(iter(self._features.values())) if self.structure is None else self.structure
        return len(table)

    def entities(self, chosen=None, precision=None):
        """Return entity embeddings.

        Parameters
        ----------
        chosen : tensor of distinct entities, default=None
            None is all. The gradient that the structural table gets for chosen ones is sparse.
        precision : torch.dtype, default=None
            Of the factors of the products with the maps; None is that of the maps.

        Returns
        -------
        tensor of shape (n_entities, d)
        """
        parts = [] if self.structure is None else [self._weighted_structure(chosen)]
        for name, weight in self.maps.items():
            columns = _rows(self._columns(name, precision), chosen)
            parts.append((columns @ weight.to(columns.dtype)).to(weight.dtype))
        return reduce(torch.add, parts) if self._order is None else torch.cat(parts, dim=1)[:, self._order]

    def _columns(self, name, precision):
        """Columns of a modality; once rounded they are kept, because every batch asks for them."""
        if precision is None:
            return self._features[name]
        if name not in self._rounded:
            self._rounded[name] = self._features[name].to(precision)
        return self._rounded[name]

    def _weighted_structure(self, chosen):
        table = self.structure if chosen is None else functional.embedding(chosen, self.structure, sparse=True)
        return table if self._structure_weight is None else _rows(self._structure_weight, chosen) * table

    def backward(self, entities, gradient):
        """Hand the gradient of what `entities` returned on to the parameters."""
        if entities is self.structure:
            self.structure.grad = gradient
        else:
            entities.backward(gradient)

    def folds_for(self, n_queries, n_entities):
        """Tell whether scoring in the modality's own columns, with the map on the side of the queries, takes less work.

        Counted in multiplications of forward and backward pass; unfolded, the gradient of the entity table is one more
        product, folded, the entities are constant.
        """
        if self.structure is not None or len(self._features) != 1 or self._order is not None:
            return False
        n_columns, width = next(iter(self._features.values())).shape[1], self.relations.shape[1]
        folded = 2 * n_queries * n_entities * n_columns + 9 * n_queries * n_columns * width
        return folded < 3 * n_queries * n_entities * width + 2 * n_entities * n_columns * width

    def folded(self, chosen=None):
        """Return the columns of the chosen entities, None being all, and the map of the only modality."""
        return _rows(next(iter(self._features.values())), chosen), next(iter(self.maps.values()))

    def parameters(self):
        """Return all parameters by name."""
        structure = {} if self.structure is None else {"structure": self.structure}
        maps = {f"map of {name}": weight for name, weight in self.maps.items()}
        return structure | {"relations": self.relations} | maps

    def trained_state(self):
        """Return copies of the parameters."""
        return {name: parameter.detach().clone() for name, parameter in self.parameters().items()}

    def load_trained(self, state):
        """Take over parameters of the same names and shapes."""
        parameters = self.parameters()
        shapes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
        state = {
            name: value if isinstance(value, torch.Tensor) else torch.tensor(value) for name, value in state.items()
        }
        if shapes != {name: tuple(value.shape) for name, value in state.items()}:
            raise ValueError(
                "warm_start=True needs the scorer, the modalities and the number of columns of the previous fit; set "
                "warm_start=False to start anew."
            )
        with torch.no_grad():
            for name, parameter in parameters.items():
                parameter.copy_(state[name])


def _rows(table, chosen):
    return table if chosen is None else functional.embedding(chosen, table)


def is_available(device):
    """Tell whether tensors can be put on a device."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        return False
    return True


def train(spaces, ids, n_relations, settings, *, seed, excludes_loops=None, start=None, validate=None, on_epoch=None):
    """Train entity and relation embeddings.

    Parameters
    ----------
    spaces : EntitySpaces
        Of one space.
    ids : ndarray of shape (n_triples, 3)
        Positive triples.
    n_relations : int
        The trained table has twice as many rows: row ``n_relations + r`` is the reciprocal of relation r.
    settings : Settings
    seed : int
    excludes_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        Relations whose queries do not have their source among the candidates of the cross-entropy.
    start : dict of str to ndarray, default=None
        ``Trained.state`` to continue from.
    validate : callable, default=None
        Called with the entity and relation tensors after every epoch; returns a score. The best epoch is kept, and
        training ends when the score has not risen by ``tol`` for ``n_iter_no_change`` epochs.
    on_epoch : callable, default=None
        Called with the epoch number, the mean loss and the validation score or None.

    Returns
    -------
    Trained
    """
    generator = torch.Generator().manual_seed(seed)
    model = _Model(spaces, n_relations, settings, generator)
    if start is not None:
        model.load_trained(start)
    optimizers = _optimizers(model, settings)
    objective = objective_of(settings)(model, ids, n_relations, settings, generator, excludes_loops)
    losses, scores, best = [], [], (-np.inf, 0, None)
    stale = 0
    for epoch in range(1, settings.max_iter + 1):
        losses.append(_run_epoch(objective, optimizers))
        if validate is not None:
            with torch.no_grad():
                scores.append(validate(model.entities(), model.relations))
            stale = stale + 1 if scores[-1] < best[0] + settings.tol else 0
            if scores[-1] > best[0]:
                best = (scores[-1], epoch, model.trained_state())
        if on_epoch is not None:
            on_epoch(epoch, losses[-1], scores[-1] if scores else None)
        if stale >= settings.n_iter_no_change:
            break
    if best[2] is not None:
        model.load_trained(best[2])
    return _to_numpy(model, losses, scores, best[1] or len(losses))


def _to_numpy(model, losses, scores, best_iter):
    with torch.no_grad():
        entities = model.entities().cpu().numpy()
    state = {name: value.cpu().numpy() for name, value in model.trained_state().items()}
    if not all(np.isfinite(table).all() for table in (entities, *state.values())):
        raise FloatingPointError("training diverged: an embedding is not finite; lower learning_rate.")
    return Trained(entities, state["relations"], state, losses, scores, best_iter)


def _optimizers(model, settings):
    """Optimizers that step together: that of the structural table, and that of all other parameters."""
    groups = [{"params": [model.relations]}]
    if settings.learn_transport and model.maps:
        groups.append({"params": list(model.maps.values()), "lr": MAP_STEP * settings.learning_rate})
    fused = {"fused": True} if torch.device(settings.device).type == "cpu" else {}
    optimizers = [OPTIMIZERS[settings.optimizer](groups, lr=settings.learning_rate, **fused)]
    if model.structure is not None and model.structure.requires_grad:
        step = settings.learning_rate * (settings.structure_step if model.maps else 1.0)
        if objective_of(settings).needs_few_rows:
            optimizers.append(ROW_OPTIMIZERS[settings.optimizer]([model.structure], lr=step))
        else:
            optimizers.append(OPTIMIZERS[settings.optimizer]([model.structure], lr=step, **fused))
    return optimizers


def _run_epoch(objective, optimizers):
    """Visit all triples once; return the mean loss per triple."""
    total = 0.0
    with _explicit_invariants():
        for batch in objective.batches():
            for optimizer in optimizers:
                optimizer.zero_grad(set_to_none=True)
            total += objective.backward(batch)
            for optimizer in optimizers:
                optimizer.step()
    return float(total) / len(objective.ids)


def _explicit_invariants():
    """Keep the user's choice about checks of sparse tensors, made explicit: PyTorch warns where it is implicit."""
    checks = torch.sparse.check_sparse_tensor_invariants
    return checks(checks.is_enabled())
