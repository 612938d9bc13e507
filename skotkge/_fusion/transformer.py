"""OTFusionTransformer: modality matrices moved into the structural space of a graph and fused there."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context, clone
from sklearn.utils import check_array, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from .._graph.labels import name_first
from .._graph.modalities import check_modalities
from .._graph.triples import COLUMNS, MultimodalTriples, as_label_triples, true_rows
from .._spaces import FUSED, STRUCTURE, EntitySpaces, concat_order, join, joined_width, row_weights
from .._utils.memory import row_blocks
from .._utils.persistence import Persistent
from .barycenter import wasserstein_barycenter
from .column_alignment import Modality, align
from .encoder import RowEncoder
from .scaling import apply_column_map
from .structure import estimated_structure, observed_in, random_structure, spectral_structure
from .transport import barycentric_map

SINGLE_MODALITY = "features"


@dataclass(frozen=True)
class Fusion:
    """A fitted fusion as it travels with `MultimodalTriples` to the classifier.

    Attributes
    ----------
    structure : ndarray of shape (n_entities, d)
    structure_observed : ndarray of shape (n_entities,), dtype bool
        Entities with at least one training triple.
    scalings : dict of str to (mean, scale)
        Of the columns of each modality.
    maps : dict of str to ndarray of shape (d_k, d)
        From scaled columns to the fused space.
    weights : dict of str to float
        lambda of the structure and of each modality; sums to 1.
    fusion : str
        As the parameter of `OTFusionTransformer`.
    entities : ndarray of shape (n_entities,)
        Labels of the rows of `structure`.
    recipe : OTFusionTransformer
        Unfitted and seeded, so that the fusion can be fitted again on fewer triples.
    """

    structure: np.ndarray
    structure_observed: np.ndarray
    scalings: dict
    maps: dict
    weights: dict
    fusion: str
    entities: np.ndarray
    recipe: "OTFusionTransformer"

    @property
    def width(self):
        return joined_width(self.structure.shape[1], len(self.maps) + 1, self.fusion)

    def spaces(self, X, choice=FUSED):
        """Return what the entity embeddings of X are made of, for the classifier to train.

        Parameters
        ----------
        X : MultimodalTriples
            Over the entities of the fit.
        choice : {"fused", "split", "all"}, default="fused"
            The fusion; the structure and each modality apart; both.

        Returns
        -------
        dict of str to EntitySpaces
        """
        observed = {STRUCTURE: self.structure_observed} | {name: X.observed(name) for name in self.maps}
        if not self.maps:
            return {STRUCTURE: EntitySpaces(self.structure, self.structure_observed.astype(float))}
        spaces, columns = {}, self.scaled_columns(X)
        if choice != FUSED:
            spaces[STRUCTURE] = EntitySpaces(self.structure, self.structure_observed.astype(float))
            for name, matrix in columns.items():
                spaces[name] = EntitySpaces(None, None, {name: matrix}, {name: self.maps[name]})
        if choice != "split":
            weights = row_weights(self.weights, observed, self.fusion)
            features = {name: weights[name][:, None].astype(matrix.dtype) * matrix for name, matrix in columns.items()}
            order = concat_order(self.structure.shape[1], len(self.maps) + 1) if self.fusion == "concat" else None
            spaces[FUSED] = EntitySpaces(self.structure, weights[STRUCTURE], features, self.maps, order)
        return spaces

    @property
    def encoder(self):
        """The part that embeds rows of modality matrices."""
        return RowEncoder(self.scalings, self.weights, self.fusion)

    def scaled_columns(self, X):
        """Scaled columns of each modality of X in single precision, with rows of zeros for missing vectors."""
        return self.encoder.columns(X.modalities, {name: X.observed(name) for name in self.maps})

    def refit(self, X, y=None):
        """Return X with a fusion fitted on the rows of X alone."""
        return clone(self.recipe).fit_transform(X, y)


class OTFusionTransformer(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, Persistent, BaseEstimator, auto_wrap_output_keys=None
):
    """Align modality matrices with a structural space by optimal transport and fuse them in a Wasserstein barycenter.

    The points that are transported are feature columns, seen as vectors over entities (Eq. 1-3 of [1]_).

    Parameters
    ----------
    n_components : int, default=200
        Columns of the structural space, and of the fused one but for ``fusion="concat"``. Complex scorers need an even
        number. Ignored in matrix form.
    alignment : {"transport", "linear", "pca"}, default="transport"
        How a modality reaches the structural space: by the barycentric map of an optimal plan; by a random linear
        projection for the classifier to train; by its leading principal components.
    p : {1, 2}, default=2
        Power of the cost between columns and of the barycenter: OTKGE_1 or OTKGE_2.
    fusion : {"barycenter", "mean", "concat", "none"}, default="barycenter"
        Wasserstein barycenter, weighted mean, concatenation of the aligned spaces, or the structure alone.
    weights : mapping of str to float, default=None
        lambda of each modality and of ``"structure"``; scaled to sum to 1. None is uniform.
    reg : float, default=0.0
        Entropic regularisation of the plans of Eq. 1; 0 is exact.
    structure : {"spectral", "random"} or estimator, default="spectral"
        Structural space from the triples: about the leading singular vectors of the degree-normalised relation-aware
        adjacency, by a randomised SVD; Gaussian noise; or the `entity_embeddings_` of an estimator fitted on the same
        triples.
    standardize : bool, default=True
        Scale the columns of every space to zero mean and unit variance over the entities that have them.
    max_iter : int, default=20
        Most iterations of the barycenter.
    tol : float, default=1e-4
        The barycenter stops when its objective falls by less than this share.
    random_state : int, RandomState instance or None, default=None
        Draws the start of the randomised SVD, on which its vectors depend where singular values lie close together;
        random structures and projections; and columns beyond the rank of the structure.

    Attributes
    ----------
    transport_plans_ : dict of str to ndarray of shape (d_k, d)
        Plan of each modality (Eq. 1); zeros for the alignments without transport.
    transport_maps_ : dict of str to ndarray of shape (d_k, d)
        Map of each modality's scaled columns into the fused space, barycenter plans included.
    wasserstein_distances_ : dict of str to float
        W_p between the columns of each modality and of the structure, over the entities that have both; NaN for the
        alignments without transport.
    plan_times_ : dict of str to float
        Seconds that the plan of each modality took to solve (Eq. 1), the cost matrix not included; NaN where no plan
        is solved. The one attribute in which two fits with the same seed differ.
    structural_embedding_ : ndarray of shape (n_entities, d)
        Scaled; zero for entities without a training triple.
    embedding_ : ndarray of shape (n_entities, d)
        The fusion. In a concatenation it has d columns for each space.
    weights_ : dict of str to float
    n_iter_ : int
        Iterations of the barycenter.
    modality_names_ : list of str
    n_features_in_ : int

    See Also
    --------
    OTKGEClassifier : Trains on the fused space.

    Notes
    -----
    Two forms share one code path. A `MultimodalTriples` selects the **triples form**: the structure is learned from its
    rows (without those of y = 0) and ``transform`` returns the same rows with the fusion attached. Anything else is the
    **matrix form**: X is an array ``(n_entities, d_k)`` or a mapping of such arrays, y the structural space
    ``(n_entities, d)``, and ``transform`` maps each row of X alone, the structure dropped and the weights rescaled.

    With exact plans, p = 2 and one modality the barycenter is the weighted mean of the aligned spaces.

    References
    ----------
    .. [1] Cao, Xu, Yang, He, Cao, Huang, "OTKGE: Multi-modal Knowledge Graph Embeddings via Optimal Transport",
       NeurIPS 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge import OTFusionTransformer
    >>> rng = np.random.default_rng(0)
    >>> structure = rng.normal(size=(50, 4))
    >>> shuffled = structure[:, [2, 0, 3, 1]]
    >>> fuse = OTFusionTransformer().fit(shuffled, structure)
    >>> fuse.transport_plans_["features"] * 4
    array([[0., 0., 1., 0.],
           [1., 0., 0., 0.],
           [0., 0., 0., 1.],
           [0., 1., 0., 0.]])
    """

    _parameter_constraints = {
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "alignment": [StrOptions({"transport", "linear", "pca"})],
        "p": [Interval(Integral, 1, 2, closed="both")],
        "fusion": [StrOptions({"barycenter", "mean", "concat", "none"})],
        "weights": [dict, None],
        "reg": [Interval(Real, 0, None, closed="left")],
        "structure": [StrOptions({"spectral", "random"}), HasMethods("fit")],
        "standardize": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 200,
        *,
        alignment: str = "transport",
        p: int = 2,
        fusion: str = "barycenter",
        weights: Mapping[str, float] | None = None,
        reg: float = 0.0,
        structure: Any = "spectral",
        standardize: bool = True,
        max_iter: int = 20,
        tol: float = 1e-4,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.alignment = alignment
        self.p = p
        self.fusion = fusion
        self.weights = weights
        self.reg = reg
        self.structure = structure
        self.standardize = standardize
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike | None = None) -> "OTFusionTransformer":
        """Learn the structural space, the transport plans and the fusion.

        Parameters
        ----------
        X : MultimodalTriples, array of shape (n_entities, d_k) or mapping of str to such arrays
            Triples form or matrix form, see Notes.
        y : array-like, default=None
            Triples form: optional labels in {0, 1} of the rows; rows of 0 are left out of the structure. Matrix form:
            the structural space of shape ``(n_entities, d)`` or ``(n_entities,)``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the matrix form lacks y, numbers of rows differ, or weights name other spaces than there are.
        """
        vars(self).pop("embedding_", None)  # an interrupted fit leaves the estimator unfitted
        seed = self._seed()
        random_state = np.random.RandomState(seed)
        if isinstance(X, MultimodalTriples):
            validate_data(self, X, skip_check_array=True)
            self._recipe = clone(self).set_params(random_state=seed)
            self._entities = X.entities
            structure, structure_observed = self._structure_of(X, y, random_state)
            matrices = {} if self.fusion == "none" else X.modalities
            observed = {name: X.observed(name) for name in matrices}
        else:
            self._entities = None
            matrices, observed = self._check_matrices(X, reset=True)
            structure, structure_observed = self._check_structure(y, matrices)
        self._fit_spaces(structure, structure_observed, matrices, observed, random_state)
        return self

    def _seed(self):
        """An integer that repeats this fit, also in a clone that gets it as random_state."""
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return check_random_state(self.random_state).randint(np.iinfo(np.int32).max)

    def _structure_of(self, X, y, random_state):
        """Structural space of the true triples among the rows of X."""
        if y is not None:
            X = X[true_rows(y, len(X))]
        n_components = self.n_components
        if self.structure == "spectral":
            space = spectral_structure(X.ids, X.n_entities, len(X.relations), n_components, random_state)
        elif self.structure == "random":
            space = random_structure(X.n_entities, n_components, random_state)
        else:
            space = estimated_structure(self.structure, X, n_components, random_state)
        return space, observed_in(X.ids, X.n_entities)

    def _check_matrices(self, X, *, reset):
        """Validate the matrix form: every matrix numeric, with one common number of rows, NaN only in whole rows."""
        if _are_labels(X):
            raise TypeError(
                f"X is a {type(X).__name__} of labels without modalities: fusion needs a MultimodalTriples. Tools that "
                "turn it into an array, such as BaggingClassifier, cannot resample triples."
            )
        if isinstance(X, Mapping) and not issparse(X):
            strange = [name for name in X if not isinstance(name, str) or name == STRUCTURE]
            if strange:
                raise ValueError(f"X has the name {strange[0]!r}; names are strings other than {STRUCTURE!r}.")
            matrices = {
                name: check_array(matrix, dtype="numeric", ensure_all_finite="allow-nan", input_name=f"X[{name!r}]")
                for name, matrix in X.items()
            }
            if reset:
                self.n_features_in_ = sum(matrix.shape[1] for matrix in matrices.values())
        else:
            checked = validate_data(self, X, reset=reset, dtype="numeric", ensure_all_finite="allow-nan")
            matrices = {SINGLE_MODALITY: checked}
        if len({len(matrix) for matrix in matrices.values()}) != 1:
            rows = {name: len(matrix) for name, matrix in matrices.items()}
            raise ValueError(f"X has matrices with different or no rows ({rows}); each needs one row for each entity.")
        return matrices, {name: _whole_rows(name, matrix) for name, matrix in matrices.items()}

    def _fitted_matrices(self, X):
        """Validate the matrix form against the fit; return the matrices of the fit in its order, and what is there."""
        matrices, observed = self._check_matrices(X, reset=False)
        self._check_modalities({name: matrix.shape[1] for name, matrix in matrices.items()})
        return tuple({name: given[name] for name in self.modality_names_} for given in (matrices, observed))

    def _check_structure(self, y, matrices):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: in matrix form y is the "
                "structural space (n_entities, d); give a MultimodalTriples as X to learn it from triples."
            )
        if self.fusion == "none":
            raise ValueError("fusion='none' keeps the structure alone, which transform drops in matrix form.")
        structure = check_array(y, dtype=float, ensure_2d=False, input_name="y")
        structure = structure.reshape(len(structure), -1)
        n_entities = len(next(iter(matrices.values())))
        if len(structure) != n_entities:
            raise ValueError(
                f"y has {len(structure)} rows and X {n_entities}: inconsistent numbers of samples; "
                "both need one row for each entity."
            )
        return structure, np.ones(n_entities, dtype=bool)

    def _fit_spaces(self, structure, structure_observed, matrices, observed, random_state):
        """Eq. 1-3 on arrays: what both forms share."""
        self.modality_names_ = list(matrices)
        self.weights_ = self._normalized_weights()
        structure = Modality.fit(structure, structure_observed, self.standardize).scaled()
        modalities = {name: Modality.fit(matrix, observed[name], self.standardize) for name, matrix in matrices.items()}
        apart = [name for name in matrices if not (observed[name] & structure_observed).any()]
        if apart:
            warnings.warn(
                f"no entity has both a training triple and a vector in {name_first(apart)}: there is no plan to learn.",
                UserWarning,
                stacklevel=3,
            )
        options = dict(alignment=self.alignment, p=self.p, reg=self.reg, random_state=random_state)
        alignments = {
            name: align(modality, structure, structure_observed, **options) for name, modality in modalities.items()
        }
        self.transport_plans_ = {name: alignment.plan for name, alignment in alignments.items()}
        self.wasserstein_distances_ = {name: alignment.distance for name, alignment in alignments.items()}
        self.plan_times_ = {name: alignment.seconds for name, alignment in alignments.items()}
        self._scalings = {name: (modality.mean, modality.scale) for name, modality in modalities.items()}
        self.structural_embedding_, self._structure_observed = structure, structure_observed
        spaces = {STRUCTURE: structure}
        spaces |= {name: modality.moved(alignments[name].map) for name, modality in modalities.items()}
        maps = {name: alignment.map for name, alignment in alignments.items()}
        self._fuse(spaces, {STRUCTURE: structure_observed} | observed, maps)

    def _fuse(self, spaces, observed, maps):
        weights = row_weights(self.weights_, observed, self.fusion)
        if self.fusion != "barycenter":
            self.n_iter_, self._start, self.transport_maps_ = 0, spaces[STRUCTURE], maps
            self.embedding_ = join(spaces, weights, self.fusion)
            return
        barycenter = wasserstein_barycenter(  # Eq. (3)
            list(spaces.values()),
            np.array(list(weights.values())),
            start=spaces[STRUCTURE],
            p=self.p,
            max_iter=self.max_iter,
            tol=self.tol,
        )
        moves = {name: barycentric_map(plan) for name, plan in zip(spaces, barycenter.plans, strict=True)}
        self.n_iter_, self._start = barycenter.n_iter, spaces[STRUCTURE] @ moves[STRUCTURE]
        self.transport_maps_ = {name: maps[name] @ moves[name] for name in maps}
        self.embedding_ = barycenter.points

    def _normalized_weights(self):
        names = [STRUCTURE, *self.modality_names_]
        if self.weights is None:
            return dict.fromkeys(names, 1.0 / len(names))
        if set(self.weights) != set(names):
            raise ValueError(f"weights={self.weights!r} must name exactly the spaces {names}.")
        if not all(isinstance(weight, Real) for weight in self.weights.values()):
            raise ValueError(f"weights={self.weights!r} must be numbers.")
        total = sum(self.weights.values())
        if not np.isfinite(total) or total <= 0 or min(self.weights.values()) < 0:
            raise ValueError(f"weights={self.weights!r} must be non-negative numbers with a positive sum.")
        return {name: self.weights[name] / total for name in names}

    def transform(self, X: Any) -> Any:
        """Attach the fusion to triples, or map the rows of matrices into the fused space.

        Parameters
        ----------
        X : MultimodalTriples, array-like of labels or matrix form
            The form that `fit` was given. After a fit on triples, bare ``(n_triples, 3)`` labels and triples without
            modalities are handed on as they are, so that a pipeline can predict for them.

        Returns
        -------
        MultimodalTriples, array-like or ndarray of shape (n_entities, d)
            In matrix form an entity without any modality has a row of zeros.

        Raises
        ------
        ValueError
            If the modalities or their widths are not those of the fit.
        """
        check_is_fitted(self, "embedding_")
        if isinstance(X, MultimodalTriples):
            if self._entities is None:
                raise ValueError("X is a MultimodalTriples, but this transformer was fitted on matrices.")
            if not X.modalities:
                return X if self.modality_names_ else X.with_fusion(self._fusion())
            self._check_modalities({name: matrix.shape[1] for name, matrix in X.modalities.items()})
            return X.with_fusion(self._fusion())
        if self._entities is not None:
            as_label_triples(X)
            return X
        matrices, observed = self._fitted_matrices(X)
        spaces = {
            name: apply_column_map(matrix, observed[name], *self._scalings[name], self.transport_maps_[name])
            for name, matrix in matrices.items()
        }
        return join(spaces, row_weights(self.weights_, observed, self.fusion), self.fusion)

    def fit_transform(self, X: Any, y: ArrayLike | None = None) -> Any:
        """Fit, then transform the same data.

        Parameters
        ----------
        X : MultimodalTriples, array or mapping of arrays
            As for `fit`.
        y : array-like, default=None
            As for `fit`.

        Returns
        -------
        MultimodalTriples or ndarray of shape (n_entities, d)
            As from `transform`.
        """
        return self.fit(X, y).transform(X)

    def _check_modalities(self, widths):
        check_modalities(widths, {name: len(transport_map) for name, transport_map in self.transport_maps_.items()})

    def _fusion(self):
        return Fusion(
            structure=self._start,
            structure_observed=self._structure_observed,
            scalings=self._scalings,
            maps=self.transport_maps_,
            weights=self.weights_,
            fusion=self.fusion,
            entities=self._entities,
            recipe=self._recipe,
        )

    def set_output(self, *, transform: str | None = None) -> "OTFusionTransformer":
        """Do nothing: triples stay triples, and the columns of a fused space have no names of their own.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            Accepted so that a pipeline can configure its other steps.

        Returns
        -------
        self
        """
        return self

    @property
    def _n_features_out(self):
        n_spaces = len(self.modality_names_) + (self._entities is not None)
        return joined_width(self.structural_embedding_.shape[1], n_spaces, self.fusion)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags


def _are_labels(X):
    """Tell whether X is an array, list or data frame of strings, or a mapping with the columns of triples."""
    if isinstance(X, Mapping) and not issparse(X):
        return set(COLUMNS) <= set(X)
    if not (isinstance(X, list | tuple) or hasattr(X, "columns") or (isinstance(X, np.ndarray) and X.ndim)):
        return False
    first = np.asarray(X[:1], dtype=object)
    return first.size > 0 and isinstance(first.flat[0], str)


def _whole_rows(name, matrix):
    """Mask of the rows that are there; NaN in some columns of a row only is an error."""
    observed = np.ones(len(matrix), dtype=bool)
    if matrix.dtype.kind != "f":
        return observed
    for rows in row_blocks(matrix.shape):
        missing = np.isnan(matrix[rows])
        observed[rows] = ~missing.any(axis=1)
        partly = ~observed[rows] & ~missing.all(axis=1)
        if partly.any():
            raise ValueError(
                f"X[{name!r}] has NaN in some columns of row {rows.start + int(partly.argmax())}; a missing modality "
                "is a whole row of NaN: impute the single values or drop the row's vector altogether."
            )
    return observed
