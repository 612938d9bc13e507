"""How much each fact counts: the weights of `fit`, looked up by triple, so that they follow every split of the rows."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils import column_or_1d

from .._graph.arguments import true_rows
from .._graph.queries import distinct_rows
from .._utils.messages import reading, shown


@dataclass(frozen=True)
class FactWeights:
    """Weights of triples.

    Attributes
    ----------
    ids : ndarray of shape (n_triples, 3)
        Distinct.
    values : ndarray of shape (n_triples,)
        Positive.
    """

    ids: np.ndarray
    values: np.ndarray

    @classmethod
    def of_rows(cls, ids, values):
        """Return the weights of rows; a triple of several rows has their mean in each."""
        distinct, places, counts = distinct_rows(ids, return_inverse=True, return_counts=True)
        return cls(distinct, np.bincount(places.ravel(), weights=values) / counts)

    def of(self, ids):
        """Weights of triples ``(n, 3)``, 1 for others."""
        _, places = distinct_rows(np.concatenate([self.ids, ids]), return_inverse=True)
        known, asked = np.split(places.ravel(), [len(self.ids)])
        table = np.ones(places.max(initial=-1) + 1)
        table[known] = self.values
        return table[asked]

    def relative(self, ids):
        """Weights of triples ``(n, 3)``, divided by their mean."""
        found = self.of(ids)
        return found / found.mean()


def weighted_rows(X, y, sample_weight):
    """Return the rows of X and y that count, and the weights of the true ones among them, or None.

    Parameters
    ----------
    X : MultimodalTriples
    y : array-like of shape (n_triples,) or None
    sample_weight : array-like of shape (n_triples,) or None

    Raises
    ------
    ValueError
        If there is not one weight for each row, one is negative or not finite, or no true row has one above 0.
    """
    if sample_weight is None:
        return X, y, None
    true = true_rows(y, len(X))
    with reading("sample_weight", sample_weight, "a weight for each triple of X"):
        weights = np.asarray(sample_weight, dtype=float)
    if weights.shape not in ((len(X),), (len(X), 1)):
        raise ValueError(
            f"sample_weight={shown(sample_weight)} has the shape {weights.shape}, expected ({len(X)},): a weight for "
            "each triple of X."
        )
    weights = weights.ravel()
    wrong = ~np.isfinite(weights) | (weights < 0)
    if wrong.any():
        row = int(wrong.argmax())
        raise ValueError(f"sample_weight has {weights[row]} in row {row}, expected a finite number of at least 0.")
    counts = weights > 0
    if not (counts & true).any():
        raise ValueError("sample_weight is 0 in all true rows; at least one true triple has to count.")
    return X[counts], None if y is None else column_or_1d(y)[counts], weights[counts & true]
