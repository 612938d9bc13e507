"""Matching the entities of two graphs, as an estimator."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._utils.autologging import autologged
from .._utils.html import FittedHtml, bar, table
from .._utils.messages import CheckedParameters, shown
from .._utils.persistence import Persistent
from .._utils.progress import plan_progress
from .._utils.sklearn_compat import Interval, StrOptions, fit_context
from .answers import MatchAnswers
from .pairs import EntityPairs
from .rounds import MatchingOptions, match_graphs
from .views import check_start, chosen_views, two_graphs

SHOWN_MATCHES = 10
# Attributes that are made of the answers, and so are not saved.
OF_ANSWERS = {
    "vocabularies_",
    "plan_",
    "similarity_",
    "matches_",
    "min_probability_",
    "view_weights_",
    "n_iter_",
}


class OTEntityMatcher(FittedHtml, CheckedParameters, Persistent, BaseEstimator):
    """Find which entities of two graphs are the same thing, by optimal transport between entities.

    The similarity of two entities is a weighted sum of cosines: of what lies around them, seen from the known pairs and
    marked by relation; of every modality that both graphs have; and of their labels. Transport moves the entities of X
    to those of Y by these similarities, so that each entity of Y is taken at most once, which decides among many near
    equals. What one round's plan says enters the evidence of the next. Weights of the evidence, the temperature of the
    plan and the probabilities are learned on a fifth of the known pairs, which the last round then uses too.

    Parameters
    ----------
    solver : {"sinkhorn", "partial", "exact"}, default="sinkhorn"
        How mass moves. "sinkhorn": entropic; all entities of the smaller graph are moved, an entity of the larger
        graph is reached at most once. "partial": entropic; entities whose match gains too little stay. "exact": an
        assignment without entropy, by POT; entities whose match gains too little stay.
    reg : float, default=None
        Weight of the entropy, in units of the similarity, which is at most 1. None: learned on held-out pairs, 0.02
        without.
    n_hops : int, default=3
        How far around an entity the structure is looked at.
    n_rounds : int, default=6
        Plans, each with what the one before has found. 1: known pairs only.
    views : "auto" or sequence of str, default="auto"
        What is compared: "structure" (the triples), names of modalities that both graphs have with equal widths,
        "across" (which known pairs are similar, in each graph by the modalities that the other lacks), and "names", the
        character n-grams of labels. "auto" is all that both graphs have. Without known pairs it starts
        from the shared modalities, or from names where there are none.
    n_candidates : int, default=100
        Most similar entities of Y that each entity of X can be moved to; beyond 1.5 * 10**8 pairs of entities they are
        found by sketches of their vectors, nearly the same ones. None: all, which takes memory and time in proportion
        to the product of the numbers of entities.
    min_probability : float or "f1", default=0.5
        Matches below are not told: `predict` gives None for them and `matches_` leaves them out. "f1": where the F1 of
        held-out pairs, of which a part has lost its counterpart, is highest; that is half of this F1, and 0.5 with
        fewer than 50 known pairs.
    random_state : int, RandomState instance or None, default=None
        Of the random vectors and the held-out pairs.
    device : str, default="cpu"
        Where similarities are computed: "cpu", or what torch knows, such as "cuda".
    verbose : int, default=0
        Above 0 matching shows a progress bar.

    Attributes
    ----------
    vocabularies_ : tuple of two objects
        Of X and of Y: ``entities``, and ``names``, ``texts`` and ``pictures`` in their order, or None.
    plan_ : csr_array of shape (n_entities_X, n_entities_Y)
        Mass moved, at most 1 in each row and column; known pairs have 1.
    similarity_ : csr_array of shape (n_entities_X, n_entities_Y)
        Similarities of the candidates, by which mass is moved; without the entities of known pairs.
    matches_ : list of tuple (label, label, probability)
        Known pairs, with probability 1, and mutual best matches of a probability of at least `min_probability`.
    min_probability_ : float
        The probability from which matches are told.
    view_weights_ : dict of str to float
        Weight of each kind of evidence, with sum 1. "by relation" and "around" mark what the neighbours of an entity
        say.
    n_iter_ : int
        Plans computed.
    n_features_in_ : int
        2.

    See Also
    --------
    EntityPairs : The known pairs and both graphs.
    merge : One graph from two and their matches.

    Notes
    -----
    Rows of evidence follow LightEA (Mao et al., EMNLP 2022); that a plan decodes better than nearest neighbours is
    also found there. The scaling of plans with sums of at most 1 is that of Chizat et al. (2018). A plan that enters
    the next round's vectors by random projections is a gradient step of a fused Gromov-Wasserstein problem.

    Examples
    --------
    >>> import numpy as np
    >>> from skotkge import EntityPairs, OTEntityMatcher
    >>> vectors = np.random.RandomState(0).standard_normal((4, 3))
    >>> X = vectors, ["ann", "bob", "cid", "dan"]
    >>> Y = vectors[::-1] + 0.1, ["w", "x", "y", "z"]
    >>> matcher = OTEntityMatcher(views=["features"], random_state=0).fit(EntityPairs([], X, Y))
    >>> matcher.predict(["ann", "bob"]).tolist()
    ['z', 'y']
    """

    _parameter_constraints = {
        "solver": [StrOptions({"sinkhorn", "partial", "exact"})],
        "reg": [Interval(Real, 0, None, closed="neither"), None],
        "n_hops": [Interval(Integral, 1, None, closed="left")],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "views": [str, "array-like"],
        "n_candidates": [Interval(Integral, 1, None, closed="left"), None],
        "min_probability": [Interval(Real, 0, 1, closed="both"), StrOptions({"f1"})],
        "random_state": ["random_state"],
        "device": [str],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        solver: str = "sinkhorn",
        *,
        reg: float | None = None,
        n_hops: int = 3,
        n_rounds: int = 6,
        views: str | Sequence[str] = "auto",
        n_candidates: int | None = 100,
        min_probability: float | str = 0.5,
        random_state: Any = None,
        device: str = "cpu",
        verbose: int = 0,
    ) -> None:
        self.solver = solver
        self.reg = reg
        self.n_hops = n_hops
        self.n_rounds = n_rounds
        self.views = views
        self.n_candidates = n_candidates
        self.min_probability = min_probability
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    @autologged
    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, pairs: EntityPairs, y: Any = None) -> "OTEntityMatcher":
        """Match the two graphs of some known pairs.

        Parameters
        ----------
        pairs : EntityPairs
            Known pairs, which may be none where modalities or names are shared. An entity has one counterpart.
        y : None, default=None
            Ignored.

        Returns
        -------
        OTEntityMatcher
            Itself.

        Raises
        ------
        TypeError
            If `pairs` is no `EntityPairs`.
        ValueError
            If an entity is in two pairs, or there is nothing to start from.
        """
        _check_pairs(pairs)
        _check_one_to_one(pairs)
        graphs = two_graphs(pairs.X, pairs.Y)
        views = chosen_views(self.views, graphs)
        check_start(views, len(pairs))
        options = MatchingOptions(
            self.solver,
            self.reg,
            self.n_hops,
            self.n_rounds,
            self.n_candidates,
            self.device,
            isinstance(self.views, str),
        )
        with plan_progress(self.verbose) as tell:
            matched = match_graphs(graphs, views, pairs.ids, options, check_random_state(self.random_state), tell)
        vocabularies = pairs.X.vocabulary, pairs.Y.vocabulary
        answers = MatchAnswers(vocabularies, pairs.ids, matched, self.solver, self.min_probability)
        vars(self).update(_fitted_attributes(answers))
        return self

    def _html_of_fit(self):
        if "_answers" not in vars(self):
            return ""
        views = [[name, float(weight), bar(weight)] for name, weight in self.view_weights_.items()]
        found = sorted(self.matches_, key=lambda match: -match[2])[:SHOWN_MATCHES]
        matches = [[str(first), str(second), float(share), bar(share)] for first, second, share in found]
        title = f"{self._caption_of_fit()}, most certain first"
        return table("what is compared", ["", "weight", ""], views) + table(
            title, ["X", "Y", "probability", ""], matches
        )

    def _caption_of_fit(self):
        if "_answers" not in vars(self):
            return ""
        sizes = " and ".join(f"{size:,}" for size in self.plan_.shape)
        return f"{len(self.matches_):,} matches between {sizes} entities"

    def _plain_state(self):
        state = super()._plain_state()
        if "_answers" not in state:
            return state
        kept = {name: value for name, value in state.items() if name not in OF_ANSWERS}
        return kept | {"_answers": state["_answers"].state()}

    def _set_plain_state(self, state):
        super()._set_plain_state(state)
        if "_answers" in state:
            vars(self).update(_fitted_attributes(MatchAnswers.from_state(state["_answers"])))

    def predict(self, labels: ArrayLike) -> NDArray[np.object_]:
        """Return the counterparts of entities of X.

        Parameters
        ----------
        labels : array-like of shape (n,) or EntityPairs
            Labels of X; of pairs their first column.

        Returns
        -------
        ndarray of shape (n,), dtype object
            Labels of Y, None where an entity is left unmatched.

        Raises
        ------
        ValueError
            If a label is no entity of X.
        """
        check_is_fitted(self)
        labels = labels.labels[:, 0] if isinstance(labels, EntityPairs) else labels
        return self._answers.counterparts(labels)

    def match_proba(self, pairs: EntityPairs | ArrayLike) -> NDArray[np.float64]:
        """Return the probability that the two entities of a pair are the same.

        Calibrated on held-out known pairs, a part of which had lost its counterpart; with fewer than 50 known pairs it
        is the plan's mass.

        Parameters
        ----------
        pairs : EntityPairs or array-like of shape (n_pairs, 2)

        Returns
        -------
        ndarray of shape (n_pairs,)

        Raises
        ------
        ValueError
            If a label is no entity of its graph.
        """
        check_is_fitted(self)
        return self._answers.probabilities(self._answers.ids_of(pairs))

    def rank(self, pairs: EntityPairs | ArrayLike) -> NDArray[np.float64]:
        """Return the rank of each pair's entity of Y for its entity of X.

        Candidates are the entities of Y outside the known pairs, in the order of the plan, where it moves nothing in
        that of the similarity; those behind the `n_candidates` best tie, and have the mean of their ranks. A known pair
        has rank 1.

        Parameters
        ----------
        pairs : EntityPairs or array-like of shape (n_pairs, 2)

        Returns
        -------
        ndarray of shape (n_pairs,)
            From 1.

        Raises
        ------
        ValueError
            If a label is no entity of its graph.
        """
        check_is_fitted(self)
        return self._answers.ranks(self._answers.ids_of(pairs))

    def score(self, pairs: EntityPairs | ArrayLike, y: Any = None) -> float:
        """Return Hits@1: the share of pairs whose entity of Y is ranked first among all outside the known pairs.

        Parameters
        ----------
        pairs : EntityPairs or array-like of shape (n_pairs, 2)
        y : None, default=None
            Ignored.

        Returns
        -------
        float
        """
        return float(np.mean(self.rank(pairs) <= 1))

    def evaluate(self, pairs: EntityPairs | ArrayLike, candidates: str = "all") -> dict[str, float]:
        """Judge the matching by known pairs that it was not fitted on.

        Parameters
        ----------
        pairs : EntityPairs or array-like of shape (n_pairs, 2)
        candidates : {"all", "pairs"}, default="all"
            "all": every entity of Y outside the known pairs of fit. "pairs": only those of `pairs`, and transport
            goes between the entities of `pairs` alone: the usual protocol of entity alignment, which knows that each
            has a counterpart.

        Returns
        -------
        dict
            "hits@1", "hits@10", "mrr", "precision" (of the entities of `pairs` matched by `predict`, how many rightly),
            "recall" (of the pairs, how many were found) and "f1", whose candidates are always all.

        Raises
        ------
        ValueError
            If `candidates` is neither, or a label is no entity of its graph.
        """
        check_is_fitted(self)
        if candidates not in ("all", "pairs"):
            raise ValueError(f"candidates is {candidates!r}, expected 'all' or 'pairs'.")
        return self._answers.evaluation(self._answers.ids_of(pairs), within_pairs=candidates == "pairs")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.target_tags.required = False
        return tags


def _fitted_attributes(answers):
    """All that a fit learns, of which the answers alone are saved."""
    return {
        "_answers": answers,
        "vocabularies_": answers.vocabularies,
        "plan_": answers.whole_plan(),
        "similarity_": answers.whole_similarity(),
        "matches_": answers.matches(),
        "min_probability_": answers.threshold,
        "view_weights_": dict(answers.matched.learned.weights),
        "n_iter_": answers.matched.n_plans,
        "n_features_in_": 2,
    }


def _check_pairs(pairs):
    if not isinstance(pairs, EntityPairs):
        raise TypeError(
            f"pairs is a {type(pairs).__name__}; pass EntityPairs(pairs, X, Y), which carries the two graphs."
        )


def _check_one_to_one(pairs):
    for side, argument in enumerate("XY"):
        ids, counts = np.unique(pairs.ids[:, side], return_counts=True)
        if (counts > 1).any():
            label = getattr(pairs, argument).entities[ids[counts.argmax()]]
            raise ValueError(
                f"pairs has the entity {shown(label)} of {argument} in {counts.max()} rows; an entity has one "
                "counterpart, keep one of them."
            )


# Saved models name the public place of the class.
OTEntityMatcher.__module__ = "skotkge"
