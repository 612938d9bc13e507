"""Entities that came after the fit, embedded through the maps that training has made of their vectors."""

import copy
from dataclasses import dataclass

import numpy as np

from .._graph.labels import LabelIndex
from .._graph.modalities import check_modalities
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

    def columns(self, matrices, observed):
        """Scaled columns of each modality in single precision, with rows of zeros for missing vectors."""
        return {
            name: standardize_rows(matrices[name], observed[name], *self.scalings[name], dtype=np.float32)
            for name in self.scalings
        }

    def rows(self, space, columns, observed, state):
        """Rows of a trained space for entities without structure of their own.

        Parameters
        ----------
        space : str
        columns : dict of str to ndarray of shape (n_rows, d_k)
            From `columns`.
        observed : dict of str to ndarray of shape (n_rows,), dtype bool
        state : dict of str to ndarray
            ``Trained.state`` of the space.

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
        absent = np.zeros_like(next(iter(moved.values())))
        seen = {STRUCTURE: np.zeros(len(absent), dtype=bool)} | observed
        return join({STRUCTURE: absent} | moved, row_weights(self.weights, seen, self.fusion), self.fusion)


def newcomers_of(X, classifier, asked_only):
    """Rows of the entity table of X with labels that are new to a classifier and a vector that it can use.

    Parameters
    ----------
    X : MultimodalTriples
    classifier : OTKGEClassifier
        Fitted on modalities.
    asked_only : bool
        Leave out those that are in no triple of X.

    Returns
    -------
    ndarray of int
        In increasing order.
    """
    rows = np.unique(X.ids[:, [0, 2]]) if asked_only else np.arange(X.n_entities)
    has_vector = np.zeros(X.n_entities, dtype=bool)
    for name in classifier._encoder.scalings.keys() & X.modalities.keys():
        has_vector |= X.observed(name)
    rows = rows[has_vector[rows]]
    return rows[LabelIndex(classifier.entities_, "entities").positions(X.entities[rows]) < 0]


def with_newcomers(classifier, X, rows):
    """Copy of a fitted classifier whose tables go on with new entities.

    Parameters
    ----------
    classifier : OTKGEClassifier
        Fitted on modalities.
    X : MultimodalTriples
    rows : ndarray of int
        Rows of the entity table of X.

    Returns
    -------
    OTKGEClassifier

    Raises
    ------
    ValueError
        If X lacks a modality of the fit, or one has another number of columns.
    """
    encoder, extended = classifier._encoder, copy.copy(classifier)
    wanted = {name: len(mean) for name, (mean, _) in encoder.scalings.items()}
    check_modalities({name: matrix.shape[1] for name, matrix in X.modalities.items()}, wanted)
    observed = {name: X.observed(name)[rows] for name in wanted}
    columns = encoder.columns({name: X.modalities[name][rows] for name in wanted}, observed)
    extended.entities_ = np.concatenate([classifier.entities_, X.entities[rows]])
    extended.space_embeddings_ = {
        name: np.concatenate(
            [table, encoder.rows(name, columns, observed, classifier._state[name]).astype(table.dtype)]
        )
        for name, table in classifier.space_embeddings_.items()
    }
    extended._maps = {name: maps.extended(columns) for name, maps in classifier._maps.items()}
    extended._informed_entities = np.append(classifier._informed_entities, np.ones(len(rows), dtype=bool))
    return extended
