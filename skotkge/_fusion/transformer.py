"""OTFusionTransformer: modality matrices moved into the structural space of a graph and fused there."""

from collections.abc import Mapping
from dataclasses import fields, replace
from numbers import Integral, Real
from operator import attrgetter
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._graph.label_columns import as_label_triples
from .._graph.triples import MultimodalTriples
from .._spaces import STRUCTURE, joined_width
from .._utils.autologging import unlogged
from .._utils.html import FittedHtml
from .._utils.messages import CheckedParameters, shown
from .._utils.persistence import Persistent
from .._utils.sklearn_compat import HasMethods, Interval, StrOptions, check_output, fit_context, wrap_output
from .column_alignment import ColumnAligner
from .fitted import FittedFusion, FusionOptions, fit_fusion, true_part
from .html import caption_of_fusion, html_of_fusion
from .information import informative
from .matrix_form import check_structural_space, first_matrix, matrices_of_fit, matrices_to_fit
from .screening import telling
from .structure import StructuralSpace, learn_structure

SEEN_BY_VALIDATION = {"n_features_in_", "feature_names_in_"}
# Attributes that show parts of the fitted fusion.
PARTS = {
    "transport_plans_": attrgetter("plans"),
    "transport_maps_": attrgetter("maps"),
    "wasserstein_distances_": attrgetter("distances"),
    "plan_times_": attrgetter("seconds"),
    "structural_embedding_": attrgetter("structural_space.columns"),
    "weights_": attrgetter("weights"),
    "n_iter_": attrgetter("n_iter"),
    "modality_names_": lambda fusion: list(fusion.maps),
}


class OTFusionTransformer(
    FittedHtml,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    CheckedParameters,
    Persistent,
    BaseEstimator,
    auto_wrap_output_keys=None,
):
    """Align modality matrices with a structural space by optimal transport and fuse them in a Wasserstein barycenter.

    The points that are transported are the dimensions of features, seen as vectors over entities (Eq. 1-3 of [1]_).

    Parameters
    ----------
    n_components : int, default=200
        Dimensions of the structural space, and of the fused one but for ``fusion="concat"``. Complex scorers need an
        even number. Ignored in matrix form.
    alignment : {"transport", "linear", "pca"} or ColumnAligner, default="transport"
        How a modality reaches the structural space: by the barycentric map of an optimal plan; by a random linear
        projection for the classifier to train; by its leading principal components; or as an object with a method
        ``align(modality, structure, random_state)`` finds it, see `ColumnAligner`.
    p : {1, 2}, default=2
        Power of the cost between dimensions and of the barycenter: OTKGE_1 or OTKGE_2.
    fusion : {"barycenter", "mean", "concat", "none"}, default="barycenter"
        What the aligned spaces become: their Wasserstein barycenter, weighted mean or concatenation, or the structure
        alone.
    weights : mapping of str to float, default=None
        lambda of each modality and of ``"structure"``; scaled to sum to 1. None is uniform.
    reg : float, default=0.0
        Entropic regularisation of the plans of Eq. 1; 0 is exact. Of ``alignment="transport"`` alone.
    structure : {"spectral", "random"} or estimator, default="spectral"
        Structural space from the triples: about the leading singular vectors of the degree-normalised relation-aware
        adjacency, by a randomised SVD; Gaussian noise; or the `entity_embeddings_` of an estimator fitted on the same
        triples.
    standardize : bool, default=True
        Scale the dimensions of every space to zero mean and unit variance over the entities that have them.
    screening : bool, default=True
        Whether a modality counts as missing if its vectors say no more about the links of entities in the triples of
        the fit than shuffled ones, by a permutation test. From 100 entities on, and in triples form alone.
    max_iter : int, default=20
        Most iterations of the barycenter.
    tol : float, default=1e-4
        The barycenter stops when its objective falls by less than this share.
    random_state : int, RandomState instance or None, default=None
        Draws the start of the randomised SVD, on which its vectors depend where singular values lie close together;
        random structures and projections; and dimensions beyond the rank of the structure.

    Attributes
    ----------
    transport_plans_ : dict of str to ndarray of shape (d_k, d)
        Plan of each modality (Eq. 1); zeros for the alignments without transport, and where an aligner tells none.
    transport_maps_ : dict of str to ndarray of shape (d_k, d)
        Map of each modality's scaled dimensions into the fused space, barycenter plans included.
    wasserstein_distances_ : dict of str to float
        W_p between the dimensions of each modality and of the structure, over the entities that have both; NaN for the
        alignments without transport.
    plan_times_ : dict of str to float
        Seconds that the plan of each modality took to solve (Eq. 1), the cost matrix not included; NaN where no plan
        is solved. The one attribute in which two fits with the same seed differ.
    structural_embedding_ : ndarray of shape (n_entities, d)
        Scaled; zero for entities without a training triple.
    embedding_ : ndarray of shape (n_entities, d)
        The fusion. In a concatenation it has d dimensions for each space.
    weights_ : dict of str to float
    n_iter_ : int
        Iterations of the barycenter; 0 without one.
    fusion_ : FittedFusion
        All that `transform` uses, and what it attaches to triples.
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
    ``(n_entities, d)``, and ``transform`` maps each row of X alone, the structure dropped and the weights rescaled. A
    row of NaN is missing; a hole in a row with other values is the mean of its column in the fit, and for each column
    with such holes in the fit another one tells of them, as in `MultimodalTriples`.

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
        "n_components": [Interval(Integral, 1, 2**31 - 1, closed="both")],
        "alignment": [StrOptions({"transport", "linear", "pca"}), HasMethods("align")],
        "p": [Interval(Integral, 1, 2, closed="both")],
        "fusion": [StrOptions({"barycenter", "mean", "concat", "none"})],
        "weights": [dict, None],
        "reg": [Interval(Real, 0, None, closed="left")],
        "structure": [StrOptions({"spectral", "random"}), HasMethods("fit")],
        "standardize": ["boolean"],
        "screening": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_components: int = 200,
        *,
        alignment: str | ColumnAligner = "transport",
        p: int = 2,
        fusion: str = "barycenter",
        weights: Mapping[str, float] | None = None,
        reg: float = 0.0,
        structure: Any = "spectral",
        standardize: bool = True,
        screening: bool = True,
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
        self.screening = screening
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def _html_of_fit(self):
        return html_of_fusion(self.fusion_) if "fusion_" in vars(self) else ""

    def _caption_of_fit(self):
        return caption_of_fusion(self.fusion_) if "fusion_" in vars(self) else ""

    @unlogged()
    @fit_context(prefer_skip_nested_validation=False)
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

        Warns
        -----
        UserWarning
            If the vectors of a modality tell no entities apart, repeat those of another, or say nothing about the
            links of entities, so that it counts as missing.
        """
        checked = clone(self)  # takes what validation learns, so that a fit that fails leaves an earlier one as it was
        form = self._fuse_triples if isinstance(X, MultimodalTriples) else self._fuse_matrices
        fusion, embedding = form(X, y, checked)
        learned = {name: value for name, value in vars(checked).items() if name in SEEN_BY_VALIDATION}
        for name in SEEN_BY_VALIDATION - learned.keys():
            vars(self).pop(name, None)
        vars(self).update(learned | _fitted_attributes(fusion, embedding))
        return self

    def _fuse_triples(self, X, y, checked):
        validate_data(checked, X, skip_check_array=True)
        matrices = {} if self.fusion == "none" else X.modalities
        observed = {name: X.observed(name) for name in matrices}
        self._check_weights(matrices)
        kept, options, true = informative(matrices, observed, self.standardize), self._options(), true_part(X, y)
        if self.screening:
            kept = telling(kept, observed, true.ids, self.standardize, options.seed)
        weights = self._normalized_weights(kept)
        matrices, observed = kept, {name: observed[name] for name in kept}
        structure = learn_structure(true, options)
        fusion = fit_fusion(structure, matrices, observed, weights, options, X.entities)
        return fusion, fusion.embedding(matrices, observed)

    def _fuse_matrices(self, X, y, checked):
        matrices, observed, preparations = matrices_to_fit(checked, X)
        space = check_structural_space(y, len(next(iter(matrices.values()))), type(self).__name__)
        if self.fusion == "none":
            raise ValueError("fusion='none' keeps the structure alone, which transform drops in matrix form.")
        self._check_weights(matrices)
        kept = informative(matrices, observed, self.standardize)
        if not kept:
            raise ValueError(
                f"X has no modality that tells entities apart, of {', '.join(matrices)}: give other columns."
            )
        weights, options = self._normalized_weights(kept), self._options()
        matrices, observed = kept, {name: observed[name] for name in kept}
        everywhere, random_state = np.ones(len(space), dtype=bool), np.random.RandomState(options.seed)
        structure = StructuralSpace.scaled(space, everywhere, options.standardize, random_state)
        fusion = fit_fusion(structure, matrices, observed, weights, options)
        fusion = replace(fusion, preparations={name: preparations[name] for name in fusion.maps})
        return fusion, fusion.embedding(matrices, observed)

    def _options(self):
        """The parameters by value, so that nothing that happens to them later changes a fitted fusion."""
        names = [field.name for field in fields(FusionOptions) if field.name != "seed"]
        values = {name: clone(getattr(self, name), safe=False) for name in names}
        return FusionOptions(**values, seed=self._seed())

    def _seed(self):
        """An integer that repeats this fit."""
        if isinstance(self.random_state, Integral):
            return int(self.random_state)
        return check_random_state(self.random_state).randint(np.iinfo(np.int32).max)

    def _check_weights(self, modalities):
        if self.weights is None:
            return
        names = [STRUCTURE, *modalities]
        if set(self.weights) != set(names):
            raise ValueError(f"weights={shown(self.weights)} must name exactly the spaces {names}.")
        if not all(isinstance(weight, Real) for weight in self.weights.values()):
            raise ValueError(f"weights={shown(self.weights)} must be numbers.")
        total = sum(self.weights.values())
        if not np.isfinite(total) or total <= 0 or min(self.weights.values()) < 0:
            raise ValueError(f"weights={shown(self.weights)} must be non-negative numbers with a positive sum.")

    def _normalized_weights(self, kept):
        """Weights of the structure and of the modalities that are kept."""
        names = [STRUCTURE, *kept]
        if self.weights is None:
            return dict.fromkeys(names, 1.0 / len(names))
        total = sum(self.weights[name] for name in names)
        if total <= 0:
            raise ValueError(
                f"weights={shown(self.weights)} are 0 for all that counts, {', '.join(names)}: other modalities count "
                "as missing, as the warnings say; give one of these spaces a weight."
            )
        return {name: self.weights[name] / total for name in names}

    @overload
    def transform(self, X: MultimodalTriples) -> MultimodalTriples: ...

    @overload
    def transform(self, X: Any) -> Any: ...

    def transform(self, X: Any) -> Any:
        """Attach the fusion to triples, or map the rows of matrices into the fused space.

        Parameters
        ----------
        X : MultimodalTriples, array-like of labels or matrix form
            The form that `fit` was given. After a fit on triples, bare ``(n_triples, 3)`` labels and triples without
            modalities are handed on as they are, so that a pipeline can predict for them.

        Returns
        -------
        MultimodalTriples, array-like, or ndarray or data frame of shape (n_entities, d)
            In matrix form an entity without any modality has a row of zeros, and `set_output` chooses the container.

        Raises
        ------
        ValueError
            If the modalities or their widths are not those of the fit.
        """
        check_is_fitted(self, "fusion_")
        is_fitted_on_triples = self.fusion_.entities is not None
        if isinstance(X, MultimodalTriples):
            if not is_fitted_on_triples:
                raise ValueError("X is a MultimodalTriples, but this transformer was fitted on matrices.")
            if not X.modalities and self.fusion_.maps:
                return X
            self.fusion_.check_modalities({name: matrix.shape[1] for name, matrix in X.modalities.items()})
            return X.with_fusion(self.fusion_)
        if is_fitted_on_triples:
            as_label_triples(X)
            return X
        return wrap_output(self, self.fusion_.fused_rows(*matrices_of_fit(self, X)), first_matrix(X))

    @overload
    def fit_transform(self, X: MultimodalTriples, y: ArrayLike | None = None) -> MultimodalTriples: ...

    @overload
    def fit_transform(self, X: Any, y: ArrayLike | None = None) -> Any: ...

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
        MultimodalTriples, or ndarray or data frame of shape (n_entities, d)
            As from `transform`.
        """
        return self.fit(X, y).transform(X)

    def set_output(self, *, transform: str | None = None) -> "OTFusionTransformer":
        """Choose the container of what `transform` gives in matrix form; triples stay triples.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"}, default=None
            An array, or a data frame with the columns of `get_feature_names_out`, and the index of X where X, or the
            first of its matrices, is a data frame of pandas. None changes nothing.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no such container.
        """
        if transform is not None:
            check_output(transform)
            # The name under which scikit-learn's clone looks for the choice.
            self._sklearn_output_config = {"transform": transform}
        return self

    def _plain_state(self):
        # joblib writes an array once for each attribute that holds it, so none is told twice.
        state = super()._plain_state()
        if "fusion_" not in state:
            return state
        told_twice = {*PARTS, "embedding_"} if state["embedding_"] is state["fusion_"].barycenter else PARTS
        kept = {name: value for name, value in state.items() if name not in told_twice}
        return kept | {"fusion_": state["fusion_"].state()}

    def _set_plain_state(self, state):
        if "fusion_" in state:
            state = state | {"fusion_": FittedFusion.from_state(state["fusion_"])}
        super()._set_plain_state(state)
        if "fusion_" in state:
            vars(self).update(_fitted_attributes(self.fusion_, state.get("embedding_", self.fusion_.barycenter)))

    @property
    def _n_features_out(self):
        n_spaces = len(self.fusion_.maps) + (self.fusion_.entities is not None)
        return joined_width(self.fusion_.structure.shape[1], n_spaces, self.fusion_.fusion)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.allow_nan = True
        return tags


def _fitted_attributes(fusion, embedding):
    parts = {name: part_of(fusion) for name, part_of in PARTS.items()}
    return {"fusion_": fusion, "embedding_": embedding, **parts}


# Saved models name the public place of the class.
OTFusionTransformer.__module__ = "skotkge"
