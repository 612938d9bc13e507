"""The training loop: the only module with an optimizer and a device."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ._losses import cross_entropy, logistic, n3
from ._queries import AnswerLists, both_directions
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


class _Model:
    """The trained parameters and the entity embeddings that they make (Eq. 2-3 with Delta_k)."""

    def __init__(self, spaces, n_relations, settings, generator):
        def on_device(array):
            return torch.tensor(np.asarray(array, dtype=np.float32), device=settings.device)

        relations = settings.scorer.initial_relations(2 * n_relations, spaces.width, INITIAL_GAIN, generator)
        self.relations = relations.to(settings.device).requires_grad_()
        self.structure = (INITIAL_GAIN * on_device(spaces.structure)).requires_grad_()
        self.maps = {
            name: (INITIAL_GAIN * on_device(start)).requires_grad_(settings.learn_transport)
            for name, start in spaces.maps.items()
        }
        self._structure_weight = on_device(spaces.structure_weight)[:, None]
        self._features = {name: on_device(matrix) for name, matrix in spaces.features.items()}
        self._order = None if spaces.order is None else torch.tensor(spaces.order, device=settings.device)

    def entities(self):
        """Return the entity embeddings of shape (n_entities, d)."""
        parts = [self._structure_weight * self.structure]
        parts += [self._features[name] @ weight for name, weight in self.maps.items()]
        return sum(parts) if self._order is None else torch.cat(parts, dim=1)[:, self._order]

    def parameters(self):
        """Return all parameters by name."""
        maps = {f"map of {name}": weight for name, weight in self.maps.items()}
        return {"structure": self.structure, "relations": self.relations} | maps

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


def is_available(device):
    """Tell whether tensors can be put on a device."""
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError):
        return False
    return True


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
    optimizer = _optimizer(model, settings)
    objective = OBJECTIVES[settings.loss](model, ids, n_relations, settings, generator)
    losses, scores, best = [], [], (-np.inf, 0, None)
    stale = 0
    for epoch in range(1, settings.max_iter + 1):
        losses.append(_run_epoch(objective, optimizer))
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


def _optimizer(model, settings):
    groups = [{"params": [model.structure, model.relations]}]
    if settings.learn_transport and model.maps:
        groups.append({"params": list(model.maps.values()), "lr": MAP_STEP * settings.learning_rate})
    return OPTIMIZERS[settings.optimizer](groups, lr=settings.learning_rate)


class _Objective:
    """Loss of a batch of triples, read in both directions: (h, r, t), and (t, reciprocal of r, h)."""

    def __init__(self, model, ids, n_relations, settings, generator):
        self.model, self.n_relations, self.settings, self.generator = model, n_relations, settings, generator
        self.ids = ids

    def batches(self):
        """Yield all triples once, in random order."""
        order = torch.randperm(len(self.ids), generator=self.generator).numpy()
        for first in range(0, len(order), self.settings.batch_size):
            yield self.ids[order[first : first + self.settings.batch_size]]

    def loss(self, batch):
        """Mean loss per triple."""
        raise NotImplementedError

    def embed(self, sources, relations):
        """Rows of the source entities and relations, their queries, and the whole entity table."""
        entities = self.model.entities()
        sources = functional.embedding(self.tensor(sources), entities)
        relations = functional.embedding(self.tensor(relations), self.model.relations)
        return sources, relations, self.settings.scorer.query(sources, relations), entities

    def regularizer(self, sources, relations, answers, counts=None):
        """N3 of all factors of the triples; `counts` tells how many triples share a source and relation."""
        scorer = self.settings.scorer
        total = n3(scorer.modulus(sources), counts) + n3(scorer.modulus(answers))
        if scorer.regularizes_relations:
            total = total + n3(scorer.modulus(relations), counts)
        return self.settings.regularization * total

    def tensor(self, array):
        return torch.as_tensor(array, device=self.settings.device)


class _AllEntities(_Objective):
    """Cross-entropy over all entities, one row of logits for each distinct query of the batch."""

    def loss(self, batch):
        queries = AnswerLists(batch, self.n_relations)
        rows, answers = (self.tensor(index) for index in queries.pairs())
        sources, relations, query, entities = self.embed(queries.sources, queries.relations)
        loss = cross_entropy(self.settings.scorer.against_all(query, entities), rows, answers)
        tails = functional.embedding(answers, entities)
        return (loss + self.regularizer(sources, relations, tails, self.tensor(queries.counts))) / len(batch)


class _SampledNegatives(_Objective):
    """Logistic loss with sampled negatives (Eq. 6), each scored in the direction that asks for the replaced side."""

    def __init__(self, model, ids, n_relations, settings, generator):
        super().__init__(model, ids, n_relations, settings, generator)
        probability = head_corruption_probability(ids, n_relations, settings.negative_sampling)
        self.head_probability = torch.tensor(probability)

    def loss(self, batch):
        scorer = self.settings.scorer
        sources, relations, answers = both_directions(batch, self.n_relations)
        sources, relations, query, entities = self.embed(sources, relations)
        answers = functional.embedding(self.tensor(answers), entities)
        negatives = corrupt(
            torch.tensor(batch[:, 1]), self.head_probability, self.settings.n_negatives, len(entities), self.generator
        )
        replacement, replaces_head = (self.tensor(drawn) for drawn in negatives)
        tail_query, head_query = query[:, None].chunk(2)
        chosen = torch.where(replaces_head[:, :, None], head_query, tail_query)
        negative_scores = scorer.pairs(chosen, functional.embedding(replacement, entities))
        loss = logistic(scorer.pairs(query, answers), negative_scores)
        return (loss + self.regularizer(sources, relations, answers)) / len(batch)


OBJECTIVES = {"cross_entropy": _AllEntities, "logistic": _SampledNegatives}


def _run_epoch(objective, optimizer):
    """Visit all triples once; return the mean loss per triple."""
    total = 0.0
    for batch in objective.batches():
        optimizer.zero_grad(set_to_none=True)
        loss = objective.loss(batch)
        loss.backward()
        optimizer.step()
        total += loss.detach() * len(batch)
    return float(total) / len(objective.ids)
