"""The space of MMKRL: structure and modalities reconstructed in one space, and aligned there."""

from dataclasses import dataclass

import torch
from torch.nn import functional

from .._fusion.encoder import register_encoder
from .._spaces import concat_order
from ._layered_model import LayeredModel, LayeredSpec, mean_square
from ._loss_terms import AdversarialLoss, LossWithTerms
from ._modality_columns import ModalityEncoder


@dataclass(frozen=True)
class AlignedSpec(LayeredSpec):
    """What the views of structure and modalities are made of.

    Attributes
    ----------
    alignment_weight : float
        Of the component alignment in the loss.
    epsilon : float
        Length of the adversary's step as a share of an entity's row; 0 is none.
    """

    alignment_weight: float = 1.0
    epsilon: float = 0.0

    @property
    def width(self):
        return 2 * self.structure.shape[1]

    def model_of_training(self, n_relations, options, generator):
        """Return the model that the trainer trains."""
        return AlignedModel(self, n_relations, options, generator)


class AlignedModel(LayeredModel):
    """Entity embeddings are the reconstruction of a free table and the view of the modalities, side by side.

    Parameters
    ----------
    spec : AlignedSpec
    n_relations : int
    options : TrainingOptions
    generator : torch.Generator
    """

    def __init__(self, spec, n_relations, options, generator):
        d = spec.structure.shape[1]
        shapes = {f"map of {name}": (columns.shape[1], d) for name, columns in spec.features.items()}
        shapes |= {"bias of modalities": (d,), "reconstruction of structure": (d, d), "bias of structure": (d,)}
        shapes |= {"structure to modalities": (d, d)}
        super().__init__(spec, shapes, n_relations, options, generator)
        self._has_triples = torch.tensor(spec.structure_weight, dtype=torch.float32, device=options.device)
        self._alignment_weight, self._epsilon = spec.alignment_weight, spec.epsilon

    def views(self):
        """e, s and m of the entities asked for."""
        # s = w (e W + b), with w = 0 for entities without a triple, of which e says nothing.
        sparse = self._asked is not None
        free = functional.embedding(self._asked, self.structure, sparse=True) if sparse else self.structure
        reconstructed = free @ self.maps["reconstruction of structure"] + self.maps["bias of structure"]
        return free, self._asked_weight()[:, None] * reconstructed, modality_view(*self.asked_columns(), self.maps)

    def joined(self, free, reconstructed, modalities):
        """s and m side by side."""
        return side_by_side(reconstructed, modalities)

    def _asked_weight(self):
        return self._has_triples if self._asked is None else self._has_triples.index_select(0, self._asked)

    def with_own_terms(self, loss):
        """Return the loss together with the component alignment and the adversary."""
        return AdversarialLoss(loss, self, self._epsilon) if self._epsilon else LossWithTerms(loss, self)

    def own_terms(self, free, reconstructed, modalities):
        """Component alignment: mean squared distances of e from s, and of e, mapped to the modalities, from m."""
        has_triples = self._asked_weight()
        has_both = has_triples * anywhere(self.asked_columns()[1])
        mapped = free @ self.maps["structure to modalities"]
        return {
            "alignment of structure": self._alignment_weight * mean_square(free - reconstructed, has_triples),
            "alignment of modalities": self._alignment_weight * mean_square(mapped - modalities, has_both),
        }


def modality_view(columns, observed, layers):
    """``m = sum_k x_k W_k + b``, zeros for entities without any modality; a tensor of shape (n_entities, d)."""
    view = layers["bias of modalities"] + sum(rows @ layers[f"map of {name}"] for name, rows in columns.items())
    return anywhere(observed)[:, None] * view


def anywhere(observed):
    """1 for entities with a vector in any modality, else 0."""
    return torch.stack([rows.float() for rows in observed.values()]).amax(dim=0)


def side_by_side(structure, modalities):
    """Both views in the order of columns that `CrossSpaceTransE` reads."""
    return torch.cat([structure, modalities], dim=1)[:, concat_order(structure.shape[1], 2)]


@register_encoder
class AlignedRows(ModalityEncoder):
    """Views of unseen entities: zeros for the structure, and that of the modalities."""

    def embed(self, columns, observed, parameters):
        """Both views side by side as a tensor."""
        modalities = modality_view(columns, observed, parameters)
        return side_by_side(torch.zeros_like(modalities), modalities)
