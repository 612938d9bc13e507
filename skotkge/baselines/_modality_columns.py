"""Scaled columns of the modalities as they travel with triples to a baseline that maps them itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from .._fusion.encoder import scaled_columns
from .._fusion.information import informative
from .._fusion.scaling import column_scaling


@dataclass(frozen=True, eq=False)
class ModalityColumns:
    """In the place of a fitted fusion: means and scales of columns, and nothing of the triples.

    Attributes
    ----------
    entities : ndarray of shape (n_entities,)
        Labels of the rows.
    scalings : dict of str to (mean, scale)
        Of the columns of each modality.
    encoder : ModalityEncoder
        Embeds rows of unseen entities.
    """

    entities: np.ndarray
    scalings: dict
    encoder: Any

    @classmethod
    def fit(cls, X, encoder_class):
        """Scale the modalities of X that tell entities apart."""
        observed = {name: X.observed(name) for name in X.modalities}
        kept = informative(X.modalities, observed, standardize=True)
        scalings = {name: column_scaling(matrix, observed[name]) for name, matrix in kept.items()}
        return cls(X.entities, scalings, encoder_class(scalings))

    @property
    def maps(self):
        """Names of the modalities, which a fusion has maps for."""
        return tuple(self.scalings)

    def refit(self, X, y=None):
        """Return other rows of the same entities with this; it depends on no triple."""
        return X.with_fusion(self)

    def columns(self, X):
        """Scaled columns of each modality in single precision, with rows of zeros for missing vectors."""
        return self.encoder.columns(X.modalities, self.observed(X))

    def observed(self, X):
        """Which entities have a vector in each modality."""
        return {name: X.observed(name) for name in self.scalings}


@dataclass(frozen=True)
class ModalityEncoder:
    """From modality vectors to rows of the trained space; subclasses write `embed`.

    Attributes
    ----------
    scalings : dict of str to (mean, scale)
    """

    scalings: dict

    def state(self):
        """Return plain values and arrays."""
        return {"kind": type(self).__name__, "scalings": self.scalings}

    @classmethod
    def from_state(cls, state):
        """Return the encoder that `state` was made of."""
        return cls(**state)

    def columns(self, matrices, observed):
        """Scaled columns of each modality in single precision, with rows of zeros for missing vectors."""
        return scaled_columns(self.scalings, matrices, observed)

    def rows(self, space, columns, observed, state):
        """Rows of the trained space for entities without triples.

        Parameters
        ----------
        space : str
        columns : dict of str to ndarray of shape (n_rows, d_k)
            From `columns`.
        observed : dict of str to ndarray of shape (n_rows,), dtype bool
        state : dict of str to ndarray
            ``TrainedSpace.parameters`` of the space.

        Returns
        -------
        ndarray of shape (n_rows, d)
        """
        tensors = ({name: torch.tensor(array) for name, array in part.items()} for part in (columns, observed, state))
        return self.embed(*tensors).numpy()

    def embed(self, columns, observed, parameters):
        """Rows of the trained space as a tensor; all arguments are dicts of tensors."""
        raise NotImplementedError
