"""What training is asked for: the objectives as users give them, and the options of one run. No tensors here."""

from dataclasses import dataclass, fields, replace
from numbers import Integral
from typing import Any

from sklearn.base import BaseEstimator, clone

from .._utils.api_links import LinksToApi
from .._utils.messages import check_parameters
from .._utils.sklearn_compat import Interval, StrOptions


class CrossEntropy(LinksToApi, BaseEstimator):
    """Softmax cross-entropy over the entities, in both directions of each triple.

    Parameters
    ----------
    n_sampled : int, default=None
        Random entities that the softmax of a batch goes over and that stand for all others: one of each of so many
        parts of the entities. None takes all entities. For graphs so large that all entities take too long. The
        processes of a group share one sample for a batch.
    in_batch : bool, default=False
        With `n_sampled`, whether all entities of the batch are candidates of each of its queries beside the sample. The
        sum over the candidates then varies less, and takes as much longer as the batch has more entities than the
        sample. Otherwise a query has its own answers beside the sample. Without `n_sampled` it has no effect.

    Examples
    --------
    >>> from skotkge import CrossEntropy, OTKGEClassifier
    >>> kge = OTKGEClassifier(objective=CrossEntropy(n_sampled=1024))
    >>> kge.set_params(objective__n_sampled=512).objective
    CrossEntropy(n_sampled=512)
    """

    _parameter_constraints = {
        "n_sampled": [Interval(Integral, 1, None, closed="left"), None],
        "in_batch": ["boolean"],
    }

    def __init__(self, n_sampled: int | None = None, in_batch: bool = False) -> None:
        self.n_sampled = n_sampled
        self.in_batch = in_batch

    @property
    def needs_few_rows(self):
        """Whether a batch asks for the rows of some entities alone."""
        return self.n_sampled is not None

    def of_training(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        """Return the loss of one training run; what an objective of one's own has to offer beside `needs_few_rows`.

        Parameters
        ----------
        model : EmbeddingModel
            Holds the trained tensors; ``entities()`` gives the entity table that they make.
        ids : ndarray of shape (n_triples, 3)
        n_relations : int
        options : TrainingOptions
        generator : torch.Generator
        excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
            Relations whose queries do not have their source among the candidates; None excludes nothing.
        weights : ndarray of shape (n_triples,), default=None
            What each triple counts; None is 1. Given only where triples have weights.

        Returns
        -------
        TrainingLoss
            With ``ids``, ``batches()`` and ``backward(batch)``.
        """
        from .objectives import AllEntities, SampledAndBatchEntities, SampledEntities

        sampled = SampledAndBatchEntities if self.in_batch else SampledEntities
        kind = AllEntities if self.n_sampled is None else sampled
        return kind(model, ids, n_relations, options, generator, excludes_self_loops, weights)


class Logistic(LinksToApi, BaseEstimator):
    """The logistic loss of Eq. 6 with sampled negatives, in both directions of each triple.

    Parameters
    ----------
    n_negatives : int, default=64
        Negatives for each triple.
    sampling : {"uniform", "bernoulli"}, default="uniform"
        Which side a negative replaces: either with equal probability, or by the relation's mean numbers of tails per
        head and heads per tail.
    filtered : bool, default=False
        Draw only negatives that are not among the triples trained on. Where all entities answer a query, the other side
        is replaced; a triple with no room on either side has no negatives.

    Examples
    --------
    >>> from skotkge import Logistic, OTKGEClassifier
    >>> OTKGEClassifier(objective=Logistic(n_negatives=16)).get_params()["objective__sampling"]
    'uniform'
    """

    _parameter_constraints = {
        "n_negatives": [Interval(Integral, 1, None, closed="left")],
        "sampling": [StrOptions({"uniform", "bernoulli"})],
        "filtered": ["boolean"],
    }
    needs_few_rows = True

    def __init__(self, n_negatives: int = 64, sampling: str = "uniform", filtered: bool = False) -> None:
        self.n_negatives = n_negatives
        self.sampling = sampling
        self.filtered = filtered

    def of_training(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        """Return the loss of one training run; what an objective of one's own has to offer beside `needs_few_rows`.

        Parameters
        ----------
        model : EmbeddingModel
            Holds the trained tensors; ``entities()`` gives the entity table that they make.
        ids : ndarray of shape (n_triples, 3)
        n_relations : int
        options : TrainingOptions
        generator : torch.Generator
        excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
            Relations whose queries do not have their source among the candidates; None excludes nothing.
        weights : ndarray of shape (n_triples,), default=None
            What each triple counts; None is 1. Given only where triples have weights.

        Returns
        -------
        TrainingLoss
            With ``ids``, ``batches()`` and ``backward(batch)``.
        """
        from .objectives import SampledNegatives

        return SampledNegatives(model, ids, n_relations, options, generator, excludes_self_loops, weights)


# Saved models name the public place of the classes.
CrossEntropy.__module__ = Logistic.__module__ = "skotkge"

OBJECTIVES = {"cross_entropy": CrossEntropy, "logistic": Logistic}


def objective_of(objective, classes=None):
    """Return the objective of a name, or a copy of an object.

    Parameters
    ----------
    objective : str or object
    classes : dict of str to type, default=None
        By name; None is `OBJECTIVES`.

    Raises
    ------
    InvalidParameterError
        A `ValueError` that names the parameter of an object that is not in the range it declares.
    """
    if isinstance(objective, str):
        return (classes or OBJECTIVES)[objective]()
    constraints = getattr(objective, "_parameter_constraints", {})
    if constraints:
        check_parameters(constraints, objective.get_params(deep=False), type(objective).__name__)
    return clone(objective, safe=False)


@dataclass(frozen=True)
class TrainingOptions:
    """Hyper-parameters of training a space; names and meaning as in `OTKGEClassifier`.

    `score_function` and `objective` are objects.
    """

    score_function: Any
    objective: Any
    regularization: float = 2e-2
    optimizer: str = "adagrad"
    learning_rate: float = 0.1
    transport_lr_factor: float = 0.1
    structure_lr_factor: float = 0.1
    batch_size: int = 512
    max_iter: int = 100
    n_iter_no_change: int = 3
    tol: float = 1e-3
    device: str = "cpu"
    matmul_precision: str = "float32"
    entity_table: str = "memory"
    distributed_batches: str = "random"

    def __post_init__(self):
        # Integers of any size and short floats of NumPy are numbers for a user, but not for torch.
        for field in fields(self):
            if field.type in (float, "float"):
                object.__setattr__(self, field.name, float(getattr(self, field.name)))

    def for_epochs(self, max_iter):
        """Return the same options for another number of epochs."""
        return replace(self, max_iter=max_iter)
