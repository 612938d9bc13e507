"""TransAEBaseline: translations between the codes of an autoencoder over all modalities."""

from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np

from .._embedding.score_functions import TransE
from .._utils.sklearn_compat import Interval
from ._autoencoder import AutoencoderRows, AutoencoderSpec
from ._columns_baseline import OBJECTIVE_CONSTRAINTS, ColumnsBaseline
from ._modal_baseline import PARAMETER_CONSTRAINTS
from ._score_functions import ManhattanTransE


class TransAEBaseline(ColumnsBaseline):
    """TransAE [1]_: translations between the codes of an autoencoder over all modalities.

    An entity has no vector but what its modalities say. Each is encoded by a layer of its own, and all together by one
    more to the code, which is the vector of the entity; two layers decode it::

        v2_k = sigmoid(x_k A_k + a_k)        v4_k = sigmoid(v3 C_k + c_k)
        v3 = [v2_1 v2_2 ...] B + b           v5_k = v4_k D_k + d_k

    With ``f(h, r, t) = -||v3(h) + r - v3(t)||`` for the score of a triple, the loss is that of the scores plus
    `reconstruction_weight` times the mean squared error of v5 against x.

    Differences from the paper: the layers of v3 and v5 are linear, because distances between codes in (0, 1) are too
    short to tell answers apart by, and a sigmoid cannot give back standardised dimensions; what an entity lacks is left
    out of code and error; triples are read in both directions; and the default is the cross-entropy over all entities
    with Euclidean distances, as all models of this library are trained. With ``objective="margin", norm=1`` it is the
    margin loss of the paper with Manhattan distances. Results of both are in the user guide.

    The methods, `fit` apart, and the learned attributes are those of `OTKGEClassifier`. X comes as it is, without a
    transformer before. `entity_embeddings_` holds the codes. Entities that come later are embedded by their vectors.

    Parameters
    ----------
    n_components : int, default=100
        Width of the code and of the translations.
    n_hidden : int, default=100
        Width of the hidden layers of each modality.
    reconstruction_weight : float, default=1.0
        Of the reconstruction error, against the mean loss of a triple.
    norm : {1, 2}, default=2
        Of the distances: Manhattan or Euclidean.
    objective : {"cross_entropy", "margin"} or object, default="cross_entropy"
        `CrossEntropy` over all entities, or `MarginRanking`; an object of these has parameters of its own.
    regularization : float, default=0.0
        Strength of the N3 regularisation.
    learning_rate : float, default=0.1
        Of Adagrad, for relations; layers take a tenth of it.
    batch_size : int, default=512
        Triples in a batch.
    max_iter : int, default=100
        Largest number of epochs.
    validation_fraction : float, default=0.05
        Share of the triples held out for early stopping and calibration when `fit` gets no `X_val`.
    n_iter_no_change : int, default=3
    tol : float, default=1e-3
        Training stops when the filtered MRR on the validation triples has not risen by `tol` for `n_iter_no_change`
        epochs.
    handle_unknown : {"error", "last"}, default="error"
        What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf.
    device : str, default="auto"
        A PyTorch device; "auto" is a GPU where there is one.
    checkpoint : path-like, default=None
        A folder, created if absent, in which the fit keeps its state after every epoch: the same call again goes on
        from there, to the same result. It may be shared by the clones of a search, each of which has a subfolder of its
        own. See `load_checkpoint`.
    checkpoint_interval : float, default=0
        Seconds at least between two checkpoints. 0 makes one after every epoch.
    verbose : int, default=0
        Above 0 training shows a progress bar.
    random_state : int, RandomState instance or None, default=None

    See Also
    --------
    TranslationBaseline : IKRL and TBKGE.
    MMKRLBaseline : MMKRL.

    References
    ----------
    .. [1] Wang, Li, Li, Zeng, "Multimodal Data Enhanced Representation Learning for Knowledge Graphs", IJCNN 2019.

    Examples
    --------
    >>> from skotkge.baselines import TransAEBaseline
    >>> from skotkge.datasets import load_emoji
    >>> kg = load_emoji()
    >>> transae = TransAEBaseline(20, n_hidden=20, max_iter=2, random_state=0).fit(kg.train, X_val=kg.valid)
    >>> transae.rank(kg.test[:10]).shape
    (10, 2)
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS | {
        "n_hidden": [Interval(Integral, 1, 2**20, closed="both")],
        "reconstruction_weight": [Interval(Real, 0, None, closed="left")],
        "norm": [Interval(Integral, 1, 2, closed="both")],
        "objective": OBJECTIVE_CONSTRAINTS,
    }
    _encoder_class = AutoencoderRows

    def __init__(
        self,
        n_components: int = 100,
        *,
        n_hidden: int = 100,
        reconstruction_weight: float = 1.0,
        norm: int = 2,
        objective: Any = "cross_entropy",
        regularization: float = 0.0,
        learning_rate: float = 0.1,
        batch_size: int = 512,
        max_iter: int = 100,
        validation_fraction: float = 0.05,
        n_iter_no_change: int = 3,
        tol: float = 1e-3,
        handle_unknown: str = "error",
        device: str = "auto",
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_interval: float = 0,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_hidden = n_hidden
        self.reconstruction_weight = reconstruction_weight
        self.norm = norm
        self.objective = objective
        self.regularization = regularization
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.handle_unknown = handle_unknown
        self.device = device
        self.checkpoint = checkpoint
        self.checkpoint_interval = checkpoint_interval
        self.verbose = verbose
        self.random_state = random_state

    def _reason_for_modality(self):
        return "an entity of TransAE has no vector but the code of its modalities"

    def _space(self, X, seed):
        return AutoencoderSpec(
            structure=None,
            structure_weight=None,
            features=X.fusion.columns(X),
            observed=X.fusion.observed(X),
            n_components=self.n_components,
            n_hidden=self.n_hidden,
            reconstruction_weight=float(self.reconstruction_weight),
        )

    def _score_function(self, X):
        return ManhattanTransE() if self.norm == 1 else TransE(margin=0.0)


# Saved models name the public place of the class.
TransAEBaseline.__module__ = "skotkge.baselines"
