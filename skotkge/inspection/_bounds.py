"""Theorem 1 of the OTKGE paper in numbers: distances between spaces, the constant of a scorer, the two bounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state, check_scalar
from sklearn.utils.validation import check_is_fitted

from .._embedding.score_functions import CrossSpaceTransE, Distance
from .._estimator.vectors import main_space, spaces_of
from .._fusion.matrix_form import matrices_of_fit
from .._graph.labels import name_first, same_labels
from .._graph.triples import MultimodalTriples
from .._spaces import STRUCTURE
from .._utils.messages import shown
from ..baselines import ManhattanTransE


@dataclass(frozen=True)
class FusionBounds:
    """Distances between the spaces of a fusion and the fused space, and what Theorem 1 makes of them.

    Parameters
    ----------
    wasserstein : dict of str to float
        For the structure and each modality: W_1 between its rows and the fused rows of the same entities, on a sample
        of those that have the space.
    identity_coupling : dict of str to float
        Mean distance between the two rows of an entity, over all entities that have the space. Never less than W_1
        between all rows.
    n_sampled : dict of str to int
        Entities that `wasserstein` was computed on.
    lipschitz : float
        K.
    slack : dict of str to float
        ``2 K W_1`` of each space.
    consistency_bound : float or None
        Upper bound on the errors in every single space, ``err_F + 2 K max_i W_1``; None without `fused_error`.
    comprehensiveness_bound : float or None
        Upper bound on the error in the fused space, ``min_i (err_i + 2 K W_1)``; None without `errors`.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge import MultimodalTriples, OTFusionTransformer
    >>> from skotkge.inspection import fusion_bounds
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> labels = [f"e{i}" for i in range(30)]
    >>> X = MultimodalTriples(triples, {"text": np.random.RandomState(0).normal(size=(30, 6))}, entities=labels)
    >>> bounds = fusion_bounds(OTFusionTransformer(n_components=4, random_state=0).fit(X), X, fused_error=0.1)
    >>> bounds.consistency_bound == 0.1 + 2 * max(bounds.wasserstein.values())
    True
    """

    wasserstein: dict
    identity_coupling: dict
    n_sampled: dict
    lipschitz: float
    slack: dict
    consistency_bound: float | None
    comprehensiveness_bound: float | None

    def __str__(self):
        width = max(map(len, self.wasserstein)) + 2
        lines = [f"{'':<{width}}{'W_1':>11}{'identity':>11}{'2 K W_1':>11}{'entities':>11}"]
        for name, distance in self.wasserstein.items():
            cells = f"{distance:>11.4g}{self.identity_coupling[name]:>11.4g}{self.slack[name]:>11.4g}"
            lines.append(f"{name:<{width}}{cells}{self.n_sampled[name]:>11}")
        lines.append(f"Lipschitz constant of the scorer: {self.lipschitz:.4g}")
        if self.consistency_bound is not None:
            lines.append(f"error in any single space at most {self.consistency_bound:.4g}")
        if self.comprehensiveness_bound is not None:
            lines.append(f"error in the fused space at most {self.comprehensiveness_bound:.4g}")
        return "\n".join(lines)


def fusion_bounds(
    transformer: Any,
    X: Any,
    *,
    lipschitz: float = 1.0,
    errors: Mapping[str, float] | None = None,
    fused_error: float | None = None,
    n_samples: int = 500,
    random_state: int | np.random.RandomState | None = None,
) -> FusionBounds:
    r"""Compute what Theorem 1 of [1]_ says about a fitted fusion.

    For scorers that are K-Lipschitz in the entity vector, with :math:`\mu_i` the distribution of the rows of space *i*
    (structure or aligned modality), :math:`\mu_F` that of the fused rows, and :math:`W_1` for Euclidean distances:

    .. math::

       \max_i \mathrm{err}_i \le \mathrm{err}_F + 2 K \max_i W_1(\mu_i, \mu_F), \qquad
       \mathrm{err}_F \le \min_i \big( \mathrm{err}_i + 2 K W_1(\mu_i, \mu_F) \big).

    The paper prints the second one without 2 K, which its own definitions require.

    Parameters
    ----------
    transformer : OTFusionTransformer
        Fitted, with a fusion that keeps the width of the structure.
    X : MultimodalTriples, array or mapping of arrays
        What it was fitted on, for the modality matrices.
    lipschitz : float, default=1.0
        K; for a fitted classifier ``lipschitz_constants(classifier).max()``, see Notes.
    errors : mapping of str to float, default=None
        Error in each single space, ``"structure"`` included. Needed for the bound on the fused error.
    fused_error : float, default=None
        Error in the fused space. Needed for the bound on the errors in single spaces.
    n_samples : int, default=500
        Number of entities, drawn at random from those that have the space, on which W_1 is solved exactly. The cost
        matrix has ``n_samples ** 2`` entries.
    random_state : int, RandomState instance or None, default=None

    Returns
    -------
    FusionBounds

    Raises
    ------
    ValueError
        If the fused space is wider than the structure, X has other entities or modalities than the fit, or the errors
        do not name exactly the spaces.

    Notes
    -----
    *An error* is here the mean absolute difference between two K-Lipschitz functions of an entity vector, the scorer
    and the truth, over the entities. It is not an MRR or Hits@k, for which the theorem says nothing. And the truth has
    to be K-Lipschitz, too, in every one of the spaces.

    **The bounds are vacuous more often than not.** Errors of probabilities are at most 1, whereas ``2 K W_1`` is that
    small only if the space is nearly the fused one already; on emoji it is about 50 for a small ComplEx. Then the
    bounds are true and say nothing. What can be used are the distances compared with one another: which space is
    furthest from the fused one.

    The distances are those of the transformer's fit. A classifier goes on to train the spaces, from a start on a
    smaller scale, so that its constant and these distances belong together only in so far as this is allowed for: scale
    K by the ratio of the norms of ``classifier.entity_embeddings_`` and ``transformer.embedding_``.

    Both distributions are over the entities that have the space. On a sample of them W_1 is on average larger than on
    all, in many dimensions much larger, and falls slowly with `n_samples`; it is exact where the sample is all of them.

    References
    ----------
    .. [1] Cao, Xu, Yang, He, Cao, Huang, "OTKGE: Multi-modal Knowledge Graph Embeddings via Optimal Transport",
       NeurIPS 2022, Theorem 1.

    Examples
    --------
    >>> from skotkge import OTFusionTransformer
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.inspection import fusion_bounds
    >>> train = load_emoji().train
    >>> fuse = OTFusionTransformer(n_components=16, random_state=0).fit(train)
    >>> bounds = fusion_bounds(fuse, train, n_samples=200, random_state=0)
    >>> sorted(bounds.wasserstein)
    ['image', 'structure', 'text']
    """
    check_is_fitted(transformer, "fusion_")
    check_scalar(lipschitz, "lipschitz", Real, min_val=0)
    check_scalar(n_samples, "n_samples", Integral, min_val=1)
    spaces, observed = _spaces(transformer, X)
    _check_errors(errors, list(spaces))
    random_state, fused = check_random_state(random_state), transformer.embedding_
    wasserstein, identity, n_sampled = {}, {}, {}
    for name, space in spaces.items():
        rows = np.flatnonzero(observed[name])
        identity[name] = float(np.linalg.norm(space[rows] - fused[rows], axis=1).mean())
        sample = rows if len(rows) <= n_samples else random_state.choice(rows, n_samples, replace=False)
        wasserstein[name], n_sampled[name] = _wasserstein(space[sample], fused[sample]), len(sample)
    slack = {name: 2 * float(lipschitz) * distance for name, distance in wasserstein.items()}
    return FusionBounds(
        wasserstein=wasserstein,
        identity_coupling=identity,
        n_sampled=n_sampled,
        lipschitz=float(lipschitz),
        slack=slack,
        consistency_bound=None if fused_error is None else fused_error + max(slack.values()),
        comprehensiveness_bound=None if errors is None else min(errors[name] + slack[name] for name in slack),
    )


def _wasserstein(first, second):
    """W_1 between rows with equal masses."""
    import ot  # here, since it imports torch

    return float(ot.emd2(ot.unif(len(first)), ot.unif(len(second)), cdist(first, second)))


def _spaces(transformer, X):
    """The structure and the aligned modalities as the fit made them, and which rows of each are there."""
    matrices, observed = _matrices(transformer, X)
    width = transformer.structural_embedding_.shape[1]
    if transformer.embedding_.shape[1] != width:
        raise ValueError(
            f"transformer has fusion={transformer.fusion_.fusion!r}, whose {transformer.embedding_.shape[1]} "
            f"dimensions cannot be compared with the {width} of a single space; use 'barycenter' or 'mean'."
        )
    spaces = {STRUCTURE: transformer.structural_embedding_} | transformer.fusion_.aligned(matrices, observed)
    observed = {STRUCTURE: transformer.fusion_.structure_observed} | observed
    empty = [name for name, rows in observed.items() if not rows.any()]
    if empty:
        raise ValueError(f"X has no entity with {name_first(empty)}; leave the modality out.")
    return spaces, observed


def _matrices(transformer, X):
    fusion = transformer.fusion_
    if not isinstance(X, MultimodalTriples):
        if fusion.entities is not None:
            raise ValueError(f"X is a {type(X).__name__}; give the MultimodalTriples that transformer was fitted on.")
        matrices, observed = matrices_of_fit(transformer, X)
    else:
        if fusion.entities is None or not same_labels(X.entities, fusion.entities):
            raise ValueError("X has other entities than the fit of transformer; give the triples it was fitted on.")
        fusion.check_modalities({name: matrix.shape[1] for name, matrix in X.modalities.items()})
        matrices = {name: X.modalities[name] for name in fusion.maps}
        observed = {name: X.observed(name) for name in matrices}
    n_rows = len(next(iter(matrices.values()), transformer.embedding_))
    if n_rows != len(transformer.embedding_):
        raise ValueError(f"X has {n_rows} rows, but transformer was fitted on {len(transformer.embedding_)} entities.")
    return matrices, observed


def _check_errors(errors, names):
    if errors is not None and set(errors) != set(names):
        raise ValueError(f"errors={shown(errors)} must name exactly the spaces {names}.")


def lipschitz_constants(classifier: Any) -> NDArray[np.float64]:
    r"""Compute how fast the score of a fitted classifier can change with an entity vector.

    For a fixed relation and the entity on the other side the score is a function of one entity vector. With DistMult
    and ComplEx it is linear with the slope :math:`\lVert r \circ t \rVert_2`; with TransE and RotatE it is a distance,
    whose slope is 1. The constant of a relation is the largest slope over all entities. Of several spaces the fused one
    is meant, or the first where there is none, at a weight of 1.

    Parameters
    ----------
    classifier : OTKGEClassifier
        Fitted.

    Returns
    -------
    ndarray of shape (2 * n_relations,)
        One constant for each relation and each reciprocal, for Euclidean distances between vectors. Their maximum is
        the K of Theorem 1.

    Raises
    ------
    ValueError
        If the classifier is a baseline whose score is a sum of distances.

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.datasets import load_emoji
    >>> from skotkge.inspection import lipschitz_constants
    >>> kge = OTKGEClassifier("transe", embedding_dim=8, max_iter=1, early_stopping=False, random_state=0)
    >>> lipschitz_constants(kge.fit(load_emoji().train.labels)).shape
    (24,)
    """
    check_is_fitted(classifier)
    spaces = spaces_of(classifier.predictor_)
    space = spaces[main_space(spaces)]
    if isinstance(space.score_function, CrossSpaceTransE | ManhattanTransE):
        raise ValueError(
            f"classifier is a {type(classifier).__name__}, whose score is a sum of distances between several spaces or "
            "of dimensions; give an OTKGEClassifier."
        )
    entities, relations = space.entities, space.relations
    if isinstance(space.score_function, Distance):
        return np.ones(len(relations))
    squared_entities, squared_relations = entities.astype(float) ** 2, relations.astype(float) ** 2
    if space.score_function.needs_even_width:
        squared_entities, squared_relations = map(_squared_modulus, (squared_entities, squared_relations))
    return np.sqrt([(squared_entities @ relation).max() for relation in squared_relations])


def _squared_modulus(squared):
    """Squared moduli from the squared columns [real | imaginary]."""
    half = squared.shape[1] // 2
    return squared[:, :half] + squared[:, half:]
