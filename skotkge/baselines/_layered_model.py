"""The trained parameters of a space whose entity rows come out of layers over the modalities."""

from dataclasses import dataclass, field

import torch

from .._embedding.model import EmbeddingModel
from .._spaces import SpaceSpec


@dataclass(frozen=True)
class LayeredSpec(SpaceSpec):
    """A space whose model is of a class of its own.

    Attributes
    ----------
    observed : dict of str to ndarray of shape (n_entities,), dtype bool
        Which entities have a vector in each modality.
    """

    observed: dict = field(default_factory=dict)


class LayeredModel(EmbeddingModel):
    """Relation table, layers and, where the spec has one, a free table.

    Subclasses write `views`, `joined` and `own_terms`. A batch computes its views once: gradients of the rows that they
    make wait until `propagate` sends them through the layers together with those of the own terms.

    Parameters
    ----------
    spec : LayeredSpec
        With features and without maps.
    shapes : dict of str to tuple of int
        Of the weights and biases of the layers.
    n_relations : int
    options : TrainingOptions
    generator : torch.Generator

    Attributes
    ----------
    perturbation : tensor or None
        Added to the rows of the last call of `entities`, which the next one then returns anew.
    rows, row_gradient : tensors of shape (n_asked, d)
        What `entities` returned last, unperturbed, and the gradients by it so far.
    """

    def __init__(self, spec, shapes, n_relations, options, generator):
        super().__init__(spec, n_relations, options, generator)
        self._observed = {
            name: torch.tensor(rows, dtype=torch.float32, device=options.device) for name, rows in spec.observed.items()
        }
        self._asked = self.perturbation = self.rows = self.row_gradient = None
        self._views = ()
        self.maps = {
            name: start_of_layer(shape, generator).to(options.device).requires_grad_() for name, shape in shapes.items()
        }

    def entities(self, chosen=None, precision=None):
        """Return entity embeddings, those of all for None; own terms are then about the same entities."""
        if self.perturbation is not None:
            return (self.rows.detach() + self.perturbation).requires_grad_()
        self._asked, self.row_gradient = chosen, None
        views = self.views()
        rows = self.joined(*views)
        if torch.is_grad_enabled():  # else they are asked for an answer, and would stay until the next batch
            self._views, self.rows = views, rows
        return rows

    def views(self):
        """What the layers make of the entities asked for, a tuple of tensors of shape (n_asked, .)."""
        raise NotImplementedError

    def joined(self, *views):
        """Embeddings of the entities asked for."""
        raise NotImplementedError

    def own_terms(self, *views):
        """Scalar terms of the loss by name, means over the entities asked for."""
        raise NotImplementedError

    def asked_columns(self):
        """Scaled columns of the entities asked for, and where there are any, as dicts by modality."""
        return self._of_asked(self._features), self._of_asked(self._observed)

    def _of_asked(self, tables):
        if self._asked is None:
            return tables
        return {name: table.index_select(0, self._asked) for name, table in tables.items()}

    def backward(self, entities, gradient):
        """Keep the gradient of what `entities` returned for `propagate`."""
        # A perturbation is constant: by rows + perturbation and by rows it is the same.
        self.row_gradient = gradient if self.row_gradient is None else self.row_gradient + gradient

    def propagate(self):
        """Leave the gradients of rows and own terms in the parameters; return the values of the terms by name."""
        terms = self.own_terms(*self._views)
        torch.autograd.backward([self.rows, sum(terms.values())], [self.row_gradient, None])
        self.rows, self.row_gradient, self._views = None, None, ()
        return {name: value.detach() for name, value in terms.items()}

    def parameters(self):
        """Return all parameters by name."""
        structure = {} if self.structure is None else {"structure": self.structure}
        return structure | {"relations": self.relations} | self.maps


def start_of_layer(shape, generator):
    """Weights of variance ``2 / (inputs + outputs)`` (Glorot, Bengio, 2010), biases of zero."""
    if len(shape) == 1:
        return torch.zeros(shape)
    return torch.randn(shape, generator=generator) * (2 / sum(shape)) ** 0.5


def mean_square(difference, weight):
    """Mean of squares over the columns, and over the rows of weight 1; 0 where there are none."""
    return (weight * (difference**2).mean(dim=1)).sum() / weight.sum().clamp_min(1)
