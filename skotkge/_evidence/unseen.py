"""Entities that came after the fit, as every kind of evidence needs them."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class UnseenEntities:
    """Vectors of unseen entities, scaled as those of the fit.

    Attributes
    ----------
    encoder : RowEncoder
    columns : dict of str to ndarray of shape (n_unseen, d_k)
        Scaled columns of each modality; rows of zeros for missing vectors.
    observed : dict of str to ndarray of shape (n_unseen,), dtype bool
    """

    encoder: Any
    columns: dict[str, np.ndarray]
    observed: dict[str, np.ndarray]

    def __len__(self):
        return len(next(iter(self.columns.values())))

    def rows(self, id, parameters):
        """Rows of a trained space, by the maps among its parameters.

        Parameters
        ----------
        id : EvidenceId
        parameters : dict of str to ndarray

        Returns
        -------
        ndarray of shape (n_unseen, d)
        """
        return self.encoder.rows(str(id), self.columns, self.observed, parameters)
