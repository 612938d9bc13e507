"""A training loss together with the terms that a model adds to it."""

from torch.nn import functional


class LossWithTerms:
    """The loss of an objective and a model's own terms.

    Parameters
    ----------
    loss : TrainingLoss
    model : LayeredModel
        Its own terms are means over the entities that the loss has asked for last.
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
        found = self.of_scores(batch)
        return found | {name: self._n_triples * value for name, value in self.model.propagate().items()}

    def of_scores(self, batch):
        """Hand the gradients of the terms that go by scores to the model; return each by name."""
        return {"translation": self.loss.backward(batch)}


class AdversarialLoss(LossWithTerms):
    """Adds the loss of the same batch with every entity row moved by a small step that raises the loss.

    The step of row i is ``epsilon |row_i| g_i / |g_i|``, with g the gradient of the loss (Goodfellow, Shlens, Szegedy,
    2015; Miyato, Dai, Goodfellow, 2017).

    Parameters
    ----------
    loss : TrainingLoss
    model : LayeredModel
    epsilon : float
        Length of a step as a share of the row's.
    """

    def __init__(self, loss, model, epsilon):
        super().__init__(loss, model)
        self.epsilon = epsilon

    def of_scores(self, batch):
        """Hand the gradients of the terms that go by scores to the model; return each by name."""
        drawn = self.loss.generator.get_state()
        found = super().of_scores(batch)
        rows, direction = self.model.rows.detach(), functional.normalize(self.model.row_gradient, dim=1)
        self.model.perturbation = self.epsilon * rows.norm(dim=1, keepdim=True) * direction
        self.loss.generator.set_state(drawn)  # the same negatives
        found["adversary"] = self.loss.backward(batch)
        self.model.perturbation = None
        return found
