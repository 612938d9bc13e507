"""Rows of unseen entities in the trained spaces, by the maps that training has made of their vectors."""

from dataclasses import dataclass

import numpy as np

from .._spaces import FUSED, STRUCTURE, join, row_weights
from .scaling import standardize_rows


@dataclass(frozen=True)
class RowEncoder:
    """From modality vectors to rows of the trained spaces.

    Attributes
    ----------
    scalings : dict of str to (mean, scale)
        Of the columns of each modality.
    weights : dict of str to float
        lambda of the structure and of each modality.
    fusion : str
        As the parameter of `OTFusionTransformer`.
    """

    scalings: dict
    weights: dict
    fusion: str

    def state(self):
        """Return plain values and arrays."""
        return {"scalings": self.scalings, "weights": self.weights, "fusion": self.fusion}

    @classmethod
    def from_state(cls, state):
        """Return the encoder that `state` was made of."""
        return cls(**state)

    def columns(self, matrices, observed):
        """Scaled columns of each modality in single precision, with rows of zeros for missing vectors."""
        return scaled_columns(self.scalings, matrices, observed)

    def rows(self, space, columns, observed, state):
        """Rows of a trained space for entities without structure of their own.

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
            In the structural space every row is the mean row, so that its scores are the mean scores.
        """
        if space == STRUCTURE:
            n_rows = len(next(iter(columns.values())))
            return np.tile(state["structure"].mean(axis=0), (n_rows, 1))
        # e_F = sum_k w_k(e) M_k[e] W_k over the modalities that e has, the weights of the others shared out among them;
        # W_k (d_k, d) as trained.
        moved = {name: columns[name] @ state[f"map of {name}"] for name in columns if f"map of {name}" in state}
        if space != FUSED:
            return moved[space]
        # An entity without triples has no structure: its lambda is shared out among the modalities.
        absent = np.zeros_like(next(iter(moved.values())))
        seen = {STRUCTURE: np.zeros(len(absent), dtype=bool)} | observed
        return join({STRUCTURE: absent} | moved, row_weights(self.weights, seen, self.fusion), self.fusion)


def scaled_columns(scalings, matrices, observed):
    """Columns of each modality, standardised by the means and scales of the fit.

    Parameters
    ----------
    scalings : dict of str to (mean, scale)
    matrices : dict of str to ndarray of shape (n_rows, d_k)
    observed : dict of str to ndarray of shape (n_rows,), dtype bool

    Returns
    -------
    dict of str to ndarray of shape (n_rows, d_k), dtype float32
        Rows of zeros for missing vectors.
    """
    return {
        name: standardize_rows(matrices[name], observed[name], *scaling, dtype=np.float32)
        for name, scaling in scalings.items()
    }


ENCODER_CLASSES = {"RowEncoder": RowEncoder}


def register_encoder(kind):
    """Let predictors with another class of encoder be saved: its state has the name of the class as ``kind``."""
    ENCODER_CLASSES[kind.__name__] = kind
    return kind


def encoder_from_state(state):
    """Return the encoder that a state was made of; one that tells no ``kind`` is of a `RowEncoder`."""
    values = dict(state)
    return ENCODER_CLASSES[values.pop("kind", "RowEncoder")].from_state(values)
