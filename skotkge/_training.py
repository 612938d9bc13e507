"""The training loop: the only module with an optimizer and a device."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ._losses import cross_entropy, logistic, n3
from ._sampling import corrupt, head_corruption_probability

OPTIMIZERS = {"adagrad": torch.optim.Adagrad, "adam": torch.optim.Adam}

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
    regularization: float
    optimizer: str
    learning_rate: float
    batch_size: int
    max_iter: int
    learn_transport: bool
    n_iter_no_change: int
    tol: float
    device: str


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


class _EntityTable(torch.nn.Module):
    """Entity embeddings as a function of the trained structure and maps (Eq. 2-3 with Delta_k)."""

    def __init__(self, spaces, learn_transport):
        super().__init__()
        self.structure = torch.nn.Parameter(INITIAL_GAIN * _float_tensor(spaces.structure))
        self.maps = torch.nn.ParameterDict(
            {
                name: torch.nn.Parameter(INITIAL_GAIN * _float_tensor(start), requires_grad=learn_transport)
                for name, start in spaces.maps.items()
            }
        )
        self.register_buffer("structure_weight", _float_tensor(spaces.structure_weight)[:, None])
        for name, matrix in spaces.features.items():
            self.register_buffer(f"features_{name}", _float_tensor(matrix))
        order = None if spaces.order is None else torch.tensor(spaces.order)
        self.register_buffer("order", order)

    def forward(self):
        parts = [self.structure_weight * self.structure]
        parts += [getattr(self, f"features_{name}") @ weight for name, weight in self.maps.items()]
        if self.order is None:
            return sum(parts)
        return torch.cat(parts, dim=1)[:, self.order]


class _Model(torch.nn.Module):
    def __init__(self, spaces, n_relations, settings, generator):
        super().__init__()
        self.entities = _EntityTable(spaces, settings.learn_transport)
        start = settings.scorer.initial_relations(2 * n_relations, spaces.width, INITIAL_GAIN, generator)
        self.relations = torch.nn.Parameter(start)

    def trained_state(self):
        """Copies of the parameters, without the fixed matrices."""
        return {name: parameter.detach().clone() for name, parameter in self.named_parameters()}

    def load_trained(self, state):
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                parameter.copy_(torch.as_tensor(state[name]))


def _float_tensor(array):
    return torch.tensor(np.asarray(array, dtype=np.float32))


def train(spaces, ids, n_relations, settings, *, seed, start=None, validate=None, on_epoch=None):
    """Train entity and relation embeddings.

    Parameters
    ----------
    spaces : EntitySpaces
    ids : ndarray of shape (n_triples, 3)
        Positive triples.
    n_relations : int
        The trained table has twice as many rows: row ``n_relations + r`` is the reciprocal of relation r.
    settings : Settings
    seed : int
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
    model.to(settings.device)
    optimizer = _optimizer(model, settings)
    ids = torch.tensor(ids)
    objective = _Objective(model, ids, n_relations, settings, generator)
    losses, scores, best = [], [], (-np.inf, 0, None)
    stale = 0
    for epoch in range(1, settings.max_iter + 1):
        losses.append(_run_epoch(ids, objective, optimizer, settings.batch_size, generator))
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
    return Trained(entities, state["relations"], state, losses, scores, best_iter)


def _optimizer(model, settings):
    maps = [parameter for parameter in model.entities.maps.values() if parameter.requires_grad]
    groups = [{"params": [model.entities.structure, model.relations]}]
    if maps:
        groups.append({"params": maps, "lr": MAP_STEP * settings.learning_rate})
    return OPTIMIZERS[settings.optimizer](groups, lr=settings.learning_rate)


def _run_epoch(ids, objective, optimizer, batch_size, generator):
    """Visit all triples once in random order; return the mean loss per triple."""
    total = 0.0
    for rows in torch.randperm(len(ids), generator=generator).split(batch_size):
        optimizer.zero_grad(set_to_none=True)
        loss = objective(ids[rows])
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(rows)
    return float(total) / len(ids)


class _Objective:
    """Mean loss per triple of a batch, over both directions: (h, r, t), and (t, reciprocal of r, h)."""

    def __init__(self, model, ids, n_relations, settings, generator):
        self.model, self.n_relations, self.settings, self.generator = model, n_relations, settings, generator
        self.head_probability = torch.tensor(
            head_corruption_probability(ids.numpy(), n_relations, settings.negative_sampling)
        )

    def __call__(self, batch):
        scorer = self.settings.scorer
        head, relation, tail = batch.to(self.settings.device).T
        targets = torch.cat([tail, head])
        entities = self.model.entities()
        sources = functional.embedding(torch.cat([head, tail]), entities)
        relations = functional.embedding(torch.cat([relation, relation + self.n_relations]), self.model.relations)
        tails = functional.embedding(targets, entities)
        queries = scorer.query(sources, relations)
        if self.settings.loss == "cross_entropy":
            loss = cross_entropy(scorer.against_all(queries, entities), targets)
        else:
            loss = logistic(scorer.pairs(queries, tails), self._negative_scores(batch, queries, entities))
        moduli = [scorer.modulus(sources), scorer.modulus(tails)]
        if scorer.regularizes_relations:
            moduli.append(scorer.modulus(relations))
        return (loss + self.settings.regularization * n3(*moduli)) / len(batch)

    def _negative_scores(self, batch, queries, entities):
        """Scores of sampled corruptions, each in the direction that asks for the replaced side."""
        scorer, device = self.settings.scorer, self.settings.device
        drawn = corrupt(batch[:, 1], self.head_probability, self.settings.n_negatives, len(entities), self.generator)
        replacement, replaces_head = (part.to(device) for part in drawn)
        tail_queries, head_queries = queries[:, None].chunk(2)
        chosen = torch.where(replaces_head[:, :, None], head_queries, tail_queries)
        return scorer.pairs(chosen, functional.embedding(replacement, entities))
