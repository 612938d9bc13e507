"""MarginRanking: the objective that translations were published with."""

from numbers import Integral, Real

import torch
from sklearn.base import BaseEstimator

from .._embedding.objectives import SampledNegatives
from .._utils.api_links import LinksToApi
from .._utils.sklearn_compat import Interval, StrOptions


class MarginRanking(LinksToApi, BaseEstimator):
    """Margin ranking loss with sampled negatives: ``[margin + f(negative) - f(positive)]_+`` for scores f.

    An objective for `TransAEBaseline` and `MMKRLBaseline`, in place of the cross-entropy over all entities.

    Parameters
    ----------
    margin : float, default=1.0
        By how much the score of a positive has to be above that of a negative to cost nothing.
    n_negatives : int, default=64
        Negatives for each triple, over which the loss is a mean.
    sampling : {"uniform", "bernoulli"}, default="uniform"
        Which side a negative replaces: either with equal probability, or by the relation's mean numbers of tails per
        head and heads per tail.
    filtered : bool, default=False
        Draw only negatives that are not among the triples trained on.

    References
    ----------
    Bordes, Usunier, Garcia-Duran, Weston, Yakhnenko, "Translating embeddings for modeling multi-relational data", NIPS
    2013 (Eq. 1).

    Examples
    --------
    >>> from skotkge.baselines import MarginRanking, TransAEBaseline
    >>> TransAEBaseline(objective=MarginRanking(margin=2.0)).get_params()["objective__margin"]
    2.0
    """

    _parameter_constraints = {
        "margin": [Interval(Real, 0, None, closed="left")],
        "n_negatives": [Interval(Integral, 1, None, closed="left")],
        "sampling": [StrOptions({"uniform", "bernoulli"})],
        "filtered": ["boolean"],
    }
    needs_few_rows = True

    def __init__(
        self, margin: float = 1.0, n_negatives: int = 64, sampling: str = "uniform", filtered: bool = False
    ) -> None:
        self.margin = margin
        self.n_negatives = n_negatives
        self.sampling = sampling
        self.filtered = filtered

    def of_training(self, model, ids, n_relations, options, generator, excludes_self_loops=None, weights=None):
        """Return the loss of one training run.

        Parameters
        ----------
        model : EmbeddingModel
        ids : ndarray of shape (n_triples, 3)
        n_relations : int
        options : TrainingOptions
        generator : torch.Generator
        excludes_self_loops : ndarray of shape (2 * n_relations,), dtype bool, default=None
        weights : ndarray of shape (n_triples,), default=None
            What each triple counts; None is 1.

        Returns
        -------
        TrainingLoss
        """
        return SampledRanking(model, ids, n_relations, options, generator, excludes_self_loops, weights)


class SampledRanking(SampledNegatives):
    """Margin ranking loss with sampled negatives, each scored in the direction that asks for the replaced side."""

    def compare(self, scores, queries, counted):
        """Sum over the triples of the mean hinge of their negatives."""
        objective = self.options.objective
        asks_for_head = queries.view_as(scores)[:, 1:-1] % 2 == 1
        of_answers = scores[:, -1:].where(asks_for_head, scores[:, :1])
        hinges = torch.relu(objective.margin + scores[:, 1:-1] - of_answers)
        hinges = hinges if counted is None else counted[:, 1:-1] * hinges
        return hinges.sum() / objective.n_negatives


# Saved models name the public place of the class.
MarginRanking.__module__ = "skotkge.baselines"
