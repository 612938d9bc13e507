"""EntityEmbedder: columns of entities in a table become the embeddings of a knowledge graph."""

from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted, validate_data

from .._graph.labels import as_labels, factorize, is_missing
from .._graph.triples import MultimodalTriples
from .._utils.api_links import LinksToApi
from .._utils.messages import CheckedParameters, shown
from .._utils.persistence import Persistent
from .._utils.sklearn_compat import HasMethods, StrOptions, check_feature_names_in, fit_context, safe_indexing
from .lookup import similar_ones
from .vectors import chosen_table

# What scikit-learn keeps beside the parameters when it clones an estimator.
CONFIGURATION = ("_sklearn_output_config", "_metadata_request")


class EntityEmbedder(LinksToApi, TransformerMixin, CheckedParameters, Persistent, BaseEstimator):
    """Replace columns of entities by their embeddings, where `OneHotEncoder` would make a column of each entity.

    Every column of X holds labels of entities of one graph; `ColumnTransformer` picks them from a table with others.

    Parameters
    ----------
    estimator : OTKGEClassifier, or Pipeline that ends with one
        The model of the graph: fitted on `triples` by `fit`, or fitted already.
    triples : MultimodalTriples or array-like of labels of shape (n_triples, 3), default=None
        The graph, on which a clone of `estimator` is fitted. None: `estimator` is fitted already and is used as it is;
        clones of this transformer, as cross-validation makes them, share it.
    space : str, default=None
        A key of `space_embeddings_` of the model. None is "fused", or the first where there is no fused space.
    handle_unknown : {"error", "nan"}, default="error"
        What happens to missing values, and to entities that the graph does not have: a `ValueError`, or a row of NaN,
        for an imputer or a model that takes them.

    Attributes
    ----------
    estimator_ : estimator or Pipeline
        The fitted model.
    space_ : str
        The space that embeddings are taken from.
    handle_unknown_ : str
        `handle_unknown` of the fit.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_columns,), dtype object
        Where X is a data frame.

    See Also
    --------
    OTKGEClassifier.embed : Embeddings of a list of entities.

    Notes
    -----
    The graph may be larger than the table, and rows that share an entity share what the graph tells of it: a model of
    the embeddings says something of entities without a row in training, which one-hot columns cannot.

    Where the graph has triples that tell the target, leave them out of `triples`: the embeddings would know the answer.

    A fitted transformer is saved with the fitted model, and without `triples`.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from skotkge import EntityEmbedder, OTKGEClassifier
    >>> graph = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> embedder = EntityEmbedder(OTKGEClassifier(embedding_dim=4, max_iter=3, random_state=0), graph)
    >>> X = pd.DataFrame({"entity": ["e1", "e2", "e15", "e16"]})
    >>> model = make_pipeline(embedder, LogisticRegression()).fit(X, [0, 0, 1, 1])
    >>> model[:1].get_feature_names_out().tolist()
    ['entity_structure0', 'entity_structure1', 'entity_structure2', 'entity_structure3']
    """

    _parameter_constraints = {
        "estimator": [HasMethods("fit")],
        "triples": [MultimodalTriples, "array-like", None],
        "space": [str, None],
        "handle_unknown": [StrOptions({"error", "nan"})],
    }

    def __init__(
        self,
        estimator: Any,
        triples: Any = None,
        *,
        space: str | None = None,
        handle_unknown: str = "error",
    ) -> None:
        self.estimator = estimator
        self.triples = triples
        self.space = space
        self.handle_unknown = handle_unknown

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: Any = None) -> "EntityEmbedder":
        """Fit the model of the graph, or take the one that is fitted.

        Parameters
        ----------
        X : data frame or array-like of shape (n_rows, n_columns)
            Labels of entities, or names, as for `OTKGEClassifier.complete`. Nothing but the columns is learned of it.
        y : array-like, default=None
            Not used.

        Returns
        -------
        self

        Raises
        ------
        NotFittedError
            If `estimator` is not fitted and there are no `triples`.
        TypeError
            If `estimator` makes no embeddings.
        ValueError
            If the model has no such space, or X is no table.
        """
        _check_table(X)
        model = self._fitted_model()
        space, _ = chosen_table(_predictor_of(model), self.space)
        validate_data(self, X, skip_check_array=True)
        self.estimator_, self.space_, self.handle_unknown_ = model, space, self.handle_unknown
        return self

    def _fitted_model(self):
        if self.triples is not None:
            return clone(self.estimator).fit(self.triples)
        try:
            check_is_fitted(self.estimator)
        except NotFittedError as error:
            raise NotFittedError(
                f"estimator={shown(self.estimator)} is not fitted; fit it, or pass the graph as triples."
            ) from error
        return self.estimator

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the embeddings of the entities.

        Parameters
        ----------
        X : data frame or array-like of shape (n_rows, n_columns)
            With the columns of `fit`.

        Returns
        -------
        ndarray of shape (n_rows, n_columns * d)
            The columns of the space for the first column of X, then for the second, and so on.

        Raises
        ------
        ValueError
            If X has other columns than in `fit`, or an entity is missing or unknown and `fit` was told to refuse it.
        """
        check_is_fitted(self, "estimator_")
        _check_table(X)
        validate_data(self, X, skip_check_array=True, reset=False)
        predictor = _predictor_of(self.estimator_)
        _, table = chosen_table(predictor, self.space_)
        names = check_feature_names_in(self)
        columns = _label_columns(X, self.n_features_in_)
        return np.hstack([self._rows(predictor, table, *column) for column in zip(columns, names, strict=True)])

    def _rows(self, predictor, table, labels, column):
        """The rows of the table for a column of labels; each distinct label is looked up once."""
        distinct, codes = factorize([None if is_missing(label) else label for label in labels.tolist()])
        positions = predictor.vocabulary.entities_asked(distinct)
        unknown = positions < 0
        if unknown.any() and self.handle_unknown_ == "error":
            label = distinct[unknown][0]
            what = "a missing value" if label is None else f"{shown(label)}, which the graph does not have"
            similar = "" if label is None else similar_ones(predictor.vocabulary, label)
            raise ValueError(
                f"X has {what} in the column {column!r}, row {int((codes == unknown.argmax()).argmax())}{similar}; set "
                "handle_unknown='nan' for rows of NaN."
            )
        rows = table[np.where(unknown, 0, positions)]
        rows[unknown] = np.nan
        return rows[codes]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns that `transform` gives.

        Parameters
        ----------
        input_features : array-like of str, default=None
            None, or the names of the columns of X.

        Returns
        -------
        ndarray of shape (n_columns * d,), dtype object
            The name of the column, the space and a number: ``"city_fused0"``.
        """
        check_is_fitted(self, "estimator_")
        _, table = chosen_table(_predictor_of(self.estimator_), self.space_)
        names = check_feature_names_in(self, input_features)
        return np.array([f"{name}_{self.space_}{i}" for name in names for i in range(table.shape[1])], dtype=object)

    def __sklearn_clone__(self):
        # A fitted model in the place of a parameter would be lost in a clone, and a graph would be copied.
        twin = type(self)(**self.get_params(deep=False))
        if self.triples is not None:
            twin.estimator = clone(self.estimator)
        vars(twin).update({name: deepcopy(vars(self)[name]) for name in CONFIGURATION if name in vars(self)})
        return twin

    def _plain_state(self):
        state = super()._plain_state()
        if "estimator_" not in state:
            return state
        return state | {"triples": None, "estimator": state["estimator_"], "estimator_": None}

    def _set_plain_state(self, state):
        if "estimator_" in state:
            state = state | {"estimator_": state["estimator"]}
        super()._set_plain_state(state)

    def __sklearn_is_fitted__(self):
        return "estimator_" in vars(self)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags.string = tags.input_tags.categorical = True
        tags.input_tags.allow_nan = self.handle_unknown == "nan"
        return tags


def _predictor_of(model):
    step = model[-1] if isinstance(model, Pipeline) else model
    if not hasattr(step, "predictor_"):
        raise TypeError(
            f"estimator={shown(model)} makes no embeddings; give an OTKGEClassifier, or a Pipeline that ends with one."
        )
    return step.predictor_


def _check_table(X):
    if hasattr(X, "collect"):
        raise TypeError("X is a lazy data frame; pass what its collect() returns.")
    if np.ndim(X) != 2:
        raise ValueError(
            f"Expected 2D array, got {np.ndim(X)}D: X holds a column of entities or several; give one as X[['city']], "
            "to ColumnTransformer as ['city'], or reshape your data by array.reshape(-1, 1)."
        )


def _label_columns(X, n_columns):
    """The columns of a table as arrays of labels."""
    table = X if hasattr(X, "columns") else np.asarray(X, dtype=object)
    columns = [safe_indexing(table, position, axis=1) for position in range(n_columns)]
    return [as_labels(column.to_list() if hasattr(column, "to_list") else column) for column in columns]


# Saved models name the public place of the class.
EntityEmbedder.__module__ = "skotkge"
