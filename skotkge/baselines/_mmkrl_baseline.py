"""MMKRLBaseline: translations between aligned views of structure and modalities, against an adversary."""

from numbers import Real
from os import PathLike
from typing import Any

import numpy as np

from .._fusion.structure import observed_in
from .._utils.sklearn_compat import Interval
from ._columns_baseline import OBJECTIVE_CONSTRAINTS, ColumnsBaseline
from ._component_alignment import AlignedRows, AlignedSpec
from ._modal_baseline import PARAMETER_CONSTRAINTS
from ._score_functions import MeanCrossSpaceTransE


class MMKRLBaseline(ColumnsBaseline):
    """MMKRL [1]_: one translation between a view of the structure and one of the modalities, which are aligned.

    Every entity has a free vector e, from which the view of its structure is reconstructed, and a view of all its
    modalities side by side::

        s = e W + b            m = x W_m + b_m

    The score of a triple is minus the mean of the four distances ``||h_a + r - t_b||`` between the views a of the head
    and b of the tail. The loss has three parts: that of the scores; `alignment_weight` times the component alignment,
    the mean squared distances of e from s and of e, mapped by one more matrix, from m; and the loss of the same scores
    with the views of every entity moved by the adversary, a step of length `epsilon` times their own along the gradient
    of the loss.

    Differences from the paper: relations have no reconstruction, as theirs would be a free table again; the adversary's
    step is relative to the length of a row; triples are read in both directions; and the default is the cross-entropy
    over all entities, as all models of this library are trained. With ``objective="margin"`` it is the margin loss of
    the paper. Results are in the user guide. What an entity lacks, a vector or training triples, is a view of
    zeros.

    The methods, `fit` apart, and the learned attributes are those of `OTKGEClassifier`. X comes as it is, without a
    transformer before. `entity_embeddings_` holds s and m, joined per half as by ``fusion="concat"``. Entities that
    come later have a view of their modalities alone.

    Parameters
    ----------
    n_components : int, default=100
        Width of each of the two views and of the translations.
    alignment_weight : float, default=1.0
        Of the component alignment, against the mean loss of a triple.
    epsilon : float, default=0.1
        Length of the adversary's step as a share of the length of an entity's row. 0 trains without an adversary, in
        half the time.
    objective : {"cross_entropy", "margin"} or object, default="cross_entropy"
        `CrossEntropy` over all entities, or `MarginRanking`; an object of these has parameters of its own.
    regularization : float, default=0.0
        Strength of the N3 regularisation.
    learning_rate : float, default=0.1
        Of Adagrad, for relations and the free vectors; layers take a tenth of it.
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
    TransAEBaseline : TransAE.

    References
    ----------
    .. [1] Lu, Wang, Jiang, He, Liu, "MMKRL: A robust embedding approach for multi-modal knowledge graph representation
       learning", Applied Intelligence 52, 2022.

    Examples
    --------
    >>> from skotkge.baselines import MMKRLBaseline
    >>> from skotkge.datasets import load_emoji
    >>> kg = load_emoji()
    >>> mmkrl = MMKRLBaseline(n_components=20, max_iter=2, random_state=0).fit(kg.train, X_val=kg.valid)
    >>> mmkrl.rank(kg.test[:10]).shape
    (10, 2)
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS | {
        "alignment_weight": [Interval(Real, 0, None, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "objective": OBJECTIVE_CONSTRAINTS,
    }
    _encoder_class = AlignedRows

    def __init__(
        self,
        n_components: int = 100,
        *,
        alignment_weight: float = 1.0,
        epsilon: float = 0.1,
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
        self.alignment_weight = alignment_weight
        self.epsilon = epsilon
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
        return "MMKRL aligns modalities with the structure"

    def _space(self, X, seed):
        return AlignedSpec(
            structure=np.random.RandomState(seed).standard_normal((X.n_entities, self.n_components)),
            structure_weight=observed_in(X.ids, X.n_entities).astype(float),
            features=X.fusion.columns(X),
            observed=X.fusion.observed(X),
            alignment_weight=float(self.alignment_weight),
            epsilon=float(self.epsilon),
        )

    def _score_function(self, X):
        return MeanCrossSpaceTransE()


# Saved models name the public place of the class.
MMKRLBaseline.__module__ = "skotkge.baselines"
