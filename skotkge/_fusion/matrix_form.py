"""The matrix form of `OTFusionTransformer`: matrices in place of triples, checked as scikit-learn checks its input."""

from collections.abc import Mapping

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from .._graph.modalities import check_modalities, check_modality_name
from .._graph.preparing import fill_holes, observed_rows
from .._graph.triples import COLUMNS
from .._utils.messages import reading

SINGLE_MODALITY = "features"


def check_matrices(estimator, X, *, reset):
    """Validate the matrix form: every matrix numeric, with one common number of rows.

    Parameters
    ----------
    estimator : BaseEstimator
        Told, or asked for, the number and names of the columns.
    X : array-like of shape (n_entities, d_k) or mapping of str to such
    reset : bool
        Whether this is a fit.

    Returns
    -------
    dict of str to ndarray of shape (n_entities, d_k)
    """
    if _are_labels(X):
        raise TypeError(
            f"X is a {type(X).__name__} of labels without modalities: fusion needs a MultimodalTriples. Tools that "
            "turn it into an array, such as BaggingClassifier, cannot resample triples."
        )
    if isinstance(X, Mapping) and not issparse(X):
        matrices = _named_matrices(X)
        if reset:
            estimator.n_features_in_ = sum(matrix.shape[1] for matrix in matrices.values())
    else:
        with reading("X", X, "a matrix of numbers"):
            checked = validate_data(estimator, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")
        matrices = {SINGLE_MODALITY: checked}
    if len({len(matrix) for matrix in matrices.values()}) != 1:
        rows = {name: len(matrix) for name, matrix in matrices.items()}
        raise ValueError(f"X has matrices with different or no rows ({rows}); each needs one row for each entity.")
    return matrices


def matrices_to_fit(estimator, X):
    """Validate the matrix form, and fill the holes in rows that have other values.

    Parameters
    ----------
    estimator : BaseEstimator
        Told the number and names of the columns.
    X : array-like of shape (n_entities, d_k) or mapping of str to such

    Returns
    -------
    matrices : dict of str to ndarray of shape (n_entities, d_k)
    observed : dict of str to ndarray of shape (n_entities,), dtype bool
    preparations : dict of str to Preparation
    """
    matrices, preparations = {}, {}
    for name, matrix in check_matrices(estimator, X, reset=True).items():
        matrices[name], preparations[name] = fill_holes(f"X[{name!r}]", matrix)
    return matrices, _observed(matrices), preparations


def matrices_of_fit(transformer, X):
    """Validate the matrix form against a fit.

    Parameters
    ----------
    transformer : OTFusionTransformer
        Fitted on matrices.
    X : array-like or mapping
        May hold more than the matrices of the fit, in any order.

    Returns
    -------
    matrices, observed : dict
        As from `matrices_to_fit`: the matrices of the fit, in its order, with its means in their holes.
    """
    matrices, preparations = check_matrices(transformer, X, reset=False), transformer.fusion_.preparations
    check_modalities(
        {name: matrix.shape[1] for name, matrix in matrices.items()},
        {name: preparation.n_columns for name, preparation in preparations.items()},
    )
    filled = {name: made.apply(f"X[{name!r}]", matrices[name]) for name, made in preparations.items()}
    return filled, _observed(filled)


def _observed(matrices):
    return {name: observed_rows(matrix) for name, matrix in matrices.items()}


def first_matrix(X):
    """Return X, or the first matrix of a mapping."""
    return next(iter(X.values())) if isinstance(X, Mapping) and not issparse(X) else X


def check_structural_space(y, n_entities, name):
    """Validate the structural space of the matrix form.

    Parameters
    ----------
    y : array-like of shape (n_entities, d) or (n_entities,)
    n_entities : int
    name : str
        Of the estimator, for messages.

    Returns
    -------
    ndarray of shape (n_entities, d)
    """
    if y is None:
        raise ValueError(
            f"{name} requires y to be passed, but the target y is None: in matrix form y is the "
            "structural space (n_entities, d); give a MultimodalTriples as X to learn it from triples."
        )
    with reading("y", y, "a matrix of numbers (n_entities, d)"):
        structure = check_array(y, dtype=float, ensure_2d=False, input_name="y")
    structure = structure.reshape(len(structure), -1)
    if len(structure) != n_entities:
        raise ValueError(
            f"y has {len(structure)} rows and X {n_entities}: inconsistent numbers of samples; "
            "both need one row for each entity."
        )
    return structure


def _named_matrices(X):
    for name in X:
        check_modality_name(name, "X")
    return {
        name: check_array(matrix, dtype="numeric", ensure_all_finite="allow-nan", input_name=f"X[{name!r}]")
        for name, matrix in X.items()
    }


def _are_labels(X):
    """Tell whether X is an array, list or data frame of strings, or a mapping with the columns of triples."""
    if isinstance(X, Mapping) and not issparse(X):
        return set(COLUMNS) <= set(X)
    if not (isinstance(X, list | tuple) or hasattr(X, "columns") or (isinstance(X, np.ndarray) and X.ndim)):
        return False
    first = np.asarray(X[:1], dtype=object)
    return first.size > 0 and isinstance(first.flat[0], str)
