"""The space of TransAE: an autoencoder of all modalities whose code is the entity embedding."""

from dataclasses import dataclass

import torch

from .._fusion.encoder import register_encoder
from ._layered_model import LayeredModel, LayeredSpec, mean_square
from ._loss_terms import LossWithTerms
from ._modality_columns import ModalityEncoder


@dataclass(frozen=True)
class AutoencoderSpec(LayeredSpec):
    """What the codes are made of.

    Attributes
    ----------
    n_components : int
        Width of the code.
    n_hidden : int
        Width of the hidden layers of each modality.
    reconstruction_weight : float
        Of the reconstruction in the loss.
    """

    n_components: int = 100
    n_hidden: int = 100
    reconstruction_weight: float = 1.0

    @property
    def width(self):
        return self.n_components

    def model_of_training(self, n_relations, options, generator):
        """Return the model that the trainer trains."""
        return AutoencoderModel(self, n_relations, options, generator)


class AutoencoderModel(LayeredModel):
    """Entity embeddings are the codes of the autoencoder.

    Parameters
    ----------
    spec : AutoencoderSpec
    n_relations : int
    options : TrainingOptions
    generator : torch.Generator
    """

    def __init__(self, spec, n_relations, options, generator):
        widths = {name: columns.shape[1] for name, columns in spec.features.items()}
        shapes = layer_shapes(widths, spec.n_hidden, spec.n_components)
        super().__init__(spec, shapes, n_relations, options, generator)
        self._reconstruction_weight = spec.reconstruction_weight

    def views(self):
        """Codes of the entities asked for."""
        return (encode(*self.asked_columns(), self.maps),)

    def joined(self, codes):
        """The codes."""
        return codes

    def with_own_terms(self, loss):
        """Return the loss together with the reconstruction."""
        return LossWithTerms(loss, self)

    def own_terms(self, codes):
        """Mean squared error of the columns of each modality, over the entities that have it, summed."""
        columns, observed = self.asked_columns()
        errors = [mean_square(decode(codes, name, self.maps) - columns[name], observed[name]) for name in columns]
        return {"reconstruction": self._reconstruction_weight * sum(errors)}


def layer_shapes(widths, n_hidden, n_components):
    """Shape of each layer's weights and bias by name, for modalities of these widths."""
    shapes = {"bias of code": (n_components,)}
    for name, width in widths.items():
        shapes |= {
            f"input of {name}": (width, n_hidden),
            f"input bias of {name}": (n_hidden,),
            f"code of {name}": (n_hidden, n_components),
            f"decoder of {name}": (n_components, n_hidden),
            f"decoder bias of {name}": (n_hidden,),
            f"output of {name}": (n_hidden, width),
            f"output bias of {name}": (width,),
        }
    return shapes


def encode(columns, observed, layers):
    """Codes of entities, a tensor of shape (n_entities, n_components).

    Parameters
    ----------
    columns : dict of str to tensor of shape (n_entities, d_k)
    observed : dict of str to tensor of shape (n_entities,)
    layers : dict of str to tensor
        Weights and biases by name.
    """
    # v_2k = sigmoid(x_k A_k + a_k), zero where the modality is missing; v_3 = sum_k v_2k B_k + b: one layer on all
    # v_2k side by side. It is linear, as distances between codes in (0, 1) are too short to tell answers apart by.
    codes = layers["bias of code"]
    for name, rows in columns.items():
        hidden = torch.sigmoid(rows @ layers[f"input of {name}"] + layers[f"input bias of {name}"])
        codes = codes + (observed[name][:, None] * hidden) @ layers[f"code of {name}"]
    return codes


def decode(codes, name, layers):
    """Columns of a modality from codes, a tensor of shape (n_entities, d_k)."""
    # v_4k = sigmoid(v_3 C_k + c_k); v_5k = v_4k D_k + d_k is linear, as standardised columns lie outside (0, 1).
    hidden = torch.sigmoid(codes @ layers[f"decoder of {name}"] + layers[f"decoder bias of {name}"])
    return hidden @ layers[f"output of {name}"] + layers[f"output bias of {name}"]


@register_encoder
class AutoencoderRows(ModalityEncoder):
    """Codes of unseen entities."""

    def embed(self, columns, observed, parameters):
        """Codes as a tensor."""
        return encode(columns, observed, parameters)
