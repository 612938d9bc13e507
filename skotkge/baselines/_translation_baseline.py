"""TranslationBaseline: IKRL and TBKGE, translations between the structure and the modalities."""

from numbers import Integral
from os import PathLike

import numpy as np

from .._embedding.options import CrossEntropy
from .._embedding.score_functions import CrossSpaceTransE
from .._fusion.transformer import OTFusionTransformer
from .._spaces import FUSED
from .._utils.sklearn_compat import Interval, StrOptions
from ._modal_baseline import PARAMETER_CONSTRAINTS, ModalBaseline


class TranslationBaseline(ModalBaseline):
    """IKRL and TBKGE: one translation for each relation, between the structure and the modalities.

    Every entity has two vectors of equal width: a free one for the structure, and one for the modalities, all of them
    side by side mapped by one trained matrix. With r between each of the head's and each of the tail's, the score of a
    triple is minus the sum of four Euclidean distances, ``||h_a + r - t_b||``. That is IKRL [1]_ with any modalities in
    place of images alone. TBKGE [2]_ adds the distance between the sums of both vectors.

    Both are trained as all models of this library are, so that their figures can be compared: with the cross-entropy
    over all entities and reciprocal relations in place of a ranking loss with sampled negatives, on standardised
    dimensions of the modalities, from a random start. The attention of [1]_ over several images of an entity, and the
    pretrained structure and tanh layers in the code of [2]_, are left out. What an entity lacks, a vector or training
    triples, is a row of zeros.

    The methods, `fit` apart, and the learned attributes are those of `OTKGEClassifier`. X comes as it is, without a
    transformer before. Loops are excluded and a model that gave up rows trains again on all of them, as there by
    default. `entity_embeddings_` holds the dimensions of the structure and of each mapped modality, not yet added up,
    joined per half as by ``fusion="concat"``.

    Parameters
    ----------
    model : {"ikrl", "tbkge"}, default="ikrl"
    n_components : int, default=100
        Width of each of the two vectors and of the translations.
    n_sampled : int, default=None
        Random draws of entities that stand for all others in the softmax. None takes all entities.
    regularization : float, default=0.0
        Strength of the N3 regularisation. It is made for products: it holds the vectors together, and with them the
        distances that tell answers apart.
    learning_rate : float, default=0.1
        Of Adagrad. Where training ends after few epochs, try larger ones.
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
        Seconds at least between two checkpoints of a space. 0 makes one after every epoch.
    verbose : int, default=0
        Above 0 training shows a progress bar.
    random_state : int, RandomState instance or None, default=None

    See Also
    --------
    RuleBaseline : Answers without embeddings.

    References
    ----------
    .. [1] Xie, Liu, Luan, Sun, "Image-embodied Knowledge Representation Learning", IJCAI 2017.
    .. [2] Mousselly-Sergieh, Botschen, Gurevych, Roth, "A Multimodal Translation-Based Approach for Knowledge Graph
       Representation Learning", StarSEM 2018.

    Examples
    --------
    >>> from skotkge.baselines import TranslationBaseline
    >>> from skotkge.datasets import load_emoji
    >>> kg = load_emoji()
    >>> ikrl = TranslationBaseline("ikrl", n_components=20, max_iter=2, random_state=0).fit(kg.train, X_val=kg.valid)
    >>> ikrl.rank(kg.test[:10]).shape
    (10, 2)
    """

    _parameter_constraints = PARAMETER_CONSTRAINTS | {
        "model": [StrOptions({"ikrl", "tbkge"})],
        "n_sampled": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        model: str = "ikrl",
        *,
        n_components: int = 100,
        n_sampled: int | None = None,
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
        self.model = model
        self.n_components = n_components
        self.n_sampled = n_sampled
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
        return f"model={self.model!r} relates modalities to the structure"

    def _with_fusion(self, X, y, random_state):
        side_by_side = OTFusionTransformer(
            self.n_components,
            alignment="linear",
            structure="random",
            fusion="concat",
            screening=False,
            random_state=random_state,
        )
        return side_by_side.fit_transform(X, y)

    def _space_maker(self, seed):
        return _joined_space

    def _score_function(self, X):
        return CrossSpaceTransE(1 + len(X.fusion.maps), with_sum=self.model == "tbkge")

    def _objective(self):
        return CrossEntropy(n_sampled=self.n_sampled)


def _joined_space(X):
    """The concatenation of all spaces, the only one that is trained."""
    return X.fusion.spaces(X, (FUSED,))


# Saved models name the public place of the class.
TranslationBaseline.__module__ = "skotkge.baselines"
