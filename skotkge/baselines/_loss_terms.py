"""A training loss together with the terms that a model adds to it."""

from functools import partial

from torch.nn import functional


class LossWithTerms:
    """The loss of an objective and a model's own terms.

    Parameters
    ----------
    loss : TrainingLoss
    model : EmbeddingModel
        With ``own_terms()``: scalar tensors by name, means over the entities that the loss has asked for last.
    """

    def __init__(self, loss, model):
        self.loss, self.model, self.ids = loss, model, loss.ids
        # What the batches of an epoch add up to is divided by the number of triples.
        self._n_triples = len(loss.ids) / -(-len(loss.ids) // loss.options.batch_size)

    def batches(self):
        """Yield the batches of the loss."""
        return self.loss.batches()

    def backward(self, batch):
        """Leave the gradients of all terms in the parameters; return their sum over the triples of the batch."""
        return sum(self.terms(batch).values())

    def terms(self, batch):
        """Leave the gradients of all terms in the parameters; return each by name, summed over the triples."""
        found = {"translation": self.loss.backward(batch)}
        own = self.model.own_terms()
        sum(own.values()).backward()
        return found | {name: self._n_triples * value.detach() for name, value in own.items()}


class AdversarialLoss(LossWithTerms):
    """Adds the loss of the same batch with every entity row moved by a small step that raises the loss.

    The step of row i is ``epsilon |row_i| g_i / |g_i|``, with g the gradient of the loss (Goodfellow, Shlens, Szegedy,
    2015; Miyato, Dai, Goodfellow, 2017).

    Parameters
    ----------
    loss : TrainingLoss
    model : EmbeddingModel
        With ``own_terms()``, and with ``entities()`` that adds ``perturbation`` to its rows and calls
        ``watch_entities`` with them.
    epsilon : float
        Length of a step as a share of the row's.
    """

    def __init__(self, loss, model, epsilon):
        super().__init__(loss, model)
        self.epsilon = epsilon

    def terms(self, batch):
        """Leave the gradients of all terms in the parameters; return each by name, summed over the triples."""
        drawn, watched = self.loss.generator.get_state(), []
        self.model.watch_entities = partial(_watch, watched)
        found = super().terms(batch)
        rows, gradient = watched
        step = self.epsilon * rows.norm(dim=1, keepdim=True) * functional.normalize(gradient, dim=1)
        self.model.watch_entities, self.model.perturbation = None, step
        self.loss.generator.set_state(drawn)  # the same negatives
        found["adversary"] = self.loss.backward(batch)
        self.model.perturbation = None
        return found


def _watch(watched, rows):
    """Collect the rows of entities, and their gradient once it is known."""
    watched.append(rows.detach())
    rows.register_hook(watched.append)
