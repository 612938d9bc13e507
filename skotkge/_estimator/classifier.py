"""OTKGEClassifier: train on triples, then score, classify, rank and complete them."""

import warnings
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import validate_data

from .. import metrics
from .._embedding.objectives import PRECISIONS
from .._embedding.score_functions import SCORERS
from .._embedding.trainer import Settings, is_available, train
from .._evidence.mixture import EmbeddingScores
from .._evidence.relation_maps import fit_all_relation_maps
from .._evidence.rules import count_rules
from .._evidence.weighting import weigh_spaces
from .._fusion.structure import observed_in
from .._graph.labels import same_labels
from .._graph.queries import AnswerLists
from .._graph.triples import as_triples
from .._ranking.calibration import Calibration, Negatives, corrupted_ids, platt_scaling
from .._ranking.ranker import Ranker, rank_both_sides
from .._spaces import FUSED, RULES, STRUCTURE, EntitySpaces
from .._utils.persistence import Persistent
from .._utils.progress import training_progress
from .answers import QuestionAnswerer
from .holdout import parts_held_out, parts_of_validation, true_and_false

DEFAULT_WIDTH = 200
# Fewer known negatives do not place a threshold; corrupted triples do then.
FEWEST_NEGATIVES = 10


class OTKGEClassifier(QuestionAnswerer, ClassifierMixin, Persistent, BaseEstimator):
    """Learn to score, classify and complete the triples of a multi-modal knowledge graph.

    Trains the structural space, the relations and the transport maps of a fused space (Eq. 2-6 of [1]_) on true
    triples.

    Parameters
    ----------
    scorer : {"complex", "distmult", "transe", "rotate"}, default="complex"
        Scoring function. "complex" and "rotate" need an even number of columns.
    embedding_dim : int, default=None
        Columns of the entity embeddings. None takes the width of the fusion, or 200 without fusion.
    loss : {"cross_entropy", "logistic"}, default="cross_entropy"
        Softmax cross-entropy over all entities, or the logistic loss of Eq. 6 with sampled negatives. Both train the
        reciprocal direction of each relation too.
    negative_sampling : {"uniform", "bernoulli"}, default="uniform"
        Which side a sampled negative replaces: either with equal probability, or by the relation's mean numbers of
        tails per head and heads per tail. Used by ``loss="logistic"``.
    n_negatives : int, default=64
        Negatives for each triple. Used by ``loss="logistic"``.
    filter_negatives : bool, default=False
        Draw only negatives that are not among the triples trained on. Where all entities answer a question, the other
        side is replaced; a triple with no room on either side has no negatives. Used by ``loss="logistic"``.
    n_candidates : int, default=None
        Random draws, with repetition, of entities that the softmax of a batch goes over beside its own and that stand
        for all others; a draw that is repeated or of the batch adds none. None takes all entities. Used by
        ``loss="cross_entropy"``, for graphs so large that all entities take too long.
    regularization : float, default=5e-3
        Strength of the N3 regularisation: the cubed moduli of the factors, divided by the batch.
    optimizer : {"adagrad", "adam"}, default="adagrad"
        With ``loss="logistic"`` or `n_candidates` a batch updates the structural rows of its own entities alone,
        sampled ones included.
        This changes nothing for "adagrad"; Adam's running means of an entity's gradients advance only when it occurs.
    learning_rate : float, default=0.1
    structure_step : float, default=0.1
        Learning rate of the structural table of the fused space, as a part of `learning_rate`. With a full step the
        structure learns the training triples by heart and drowns the modalities, unless there are many triples for each
        entity.
    batch_size : int, default=512
        Triples in a batch.
    max_iter : int, default=100
        Most epochs.
    learn_transport : bool, default=True
        Train the transport maps (Delta_k of Eq. 2); otherwise they stay as the fusion gives them.
    spaces : {"all", "split", "fused"}, default="all"
        What is scored when X carries a fusion. "fused": the one fused space of the paper. "split": the structure and
        each aligned modality in spaces of their own, each trained by itself with a relation table of its own; their
        scores are added with weights learned on the validation triples. "all": both.
    relation_maps : bool, default=True
        With "split" and "all", add the scores of ridge regressions, one for each relation and direction, from the
        columns of the source to those of the answer: of each modality, and of several together.
    rules : bool, default=False
        Add the evidence of the surest rule "relation a implies relation b" for the same two entities, in the same or
        the other direction, counted in the training triples (see `skotkge.baselines.RuleBaseline`). Costs hardly any
        time and pays where relations say the same as others.
    exclude_loops : bool, default=True
        A relation that links no entity with itself in training never does: such a triple scores below all others.
    early_stopping : bool, default=True
        Keep, for each space, the epoch with the best filtered MRR on the validation triples, and stop when it has not
        risen by `tol` for `n_iter_no_change` epochs.
    validation_fraction : float, default=0.05
        Share of the triples held out for early stopping and calibration when `fit` gets no `X_val`. Each entity and
        relation keeps a triple in training.
    n_iter_no_change : int, default=3
    tol : float, default=1e-3
    refit : bool, default=True
        After holding triples out, train again from the same seed on all of them for `best_iter_` epochs.
    margin : float, default=9.0
        Distance scorers are ``margin - distance``.
    handle_unknown : {"error", "last"}, default="error"
        What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf.
    warm_start : bool, default=False
        Continue from the parameters of the previous `fit` on the same entities, relations and modalities, by the same
        scorer. Give `X_val` too: triples held out of a second fit were trained on in the first, so they flatter
        validation and calibration.
    device : str, default="auto"
        A PyTorch device; "auto" is a GPU where there is one. A fitted model answers on the CPU where there is no such
        device.
    precision : {"float32", "bfloat16"}, default="float32"
        Of the matrix products with all entities in training with the cross-entropy and a dot product ("complex",
        "distmult"), and of those with the maps of modalities; no other product is changed. "bfloat16" is faster where
        the processor has instructions for it. Tables, the sums of the softmax, and the scores and ranks of validation
        and of the fitted model stay in single precision.
    verbose : int, default=0
        Above 0 training shows a progress bar.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    entity_embeddings_ : ndarray of shape (n_entities, d)
        Columns of all trained spaces, side by side in the order of `space_embeddings_`.
    relation_embeddings_ : ndarray of shape (2 * n_relations, d_r)
        Row ``n_relations + r`` is the reciprocal of relation r. For "rotate" the rows are phases, d_r = d / 2.
    space_embeddings_, space_relations_ : dict of str to ndarray
        The tables of each trained space: "structure", the name of a modality, "fused".
    space_weights_ : dict of str to ndarray of shape (2 * n_relations,)
        Weight of the score of each trained space, of "regression of" each modality, of "regression" of all
        together and of "rules", for each relation and reciprocal. 1 without validation triples.
    space_training_ : dict of str to dict
        For each trained space ``n_iter``, ``best_iter``, ``loss_curve`` and ``validation_scores``.
    entities_, relations_ : ndarray, dtype object
        Labels of the embedding rows.
    classes_ : ndarray of shape (2,)
        0 (false) and 1 (true).
    n_iter_ : int
        Epochs run before stopping. This and the next three tell of the fused space, or of the first of
        `space_training_` where there is none.
    best_iter_ : int
        The epoch that was kept.
    loss_curve_ : list of float
        Mean loss per triple in each of the `n_iter_` epochs.
    validation_scores_ : list of float
        Filtered MRR on the validation triples after each epoch; empty without early stopping.
    n_features_in_ : int
        Always 3.

    See Also
    --------
    OTFusionTransformer : Fuses the modality matrices before this estimator.

    References
    ----------
    .. [1] Cao, Xu, Yang, He, Cao, Huang, "OTKGE: Multi-modal Knowledge Graph Embeddings via Optimal Transport",
       NeurIPS 2022.

    Examples
    --------
    >>> from skotkge import OTKGEClassifier
    >>> from skotkge.datasets import load_emoji
    >>> kg = load_emoji()
    >>> kge = OTKGEClassifier(embedding_dim=20, max_iter=5, early_stopping=False, random_state=0)
    >>> kge = kge.fit(kg.train.labels)
    >>> kge.predict_proba(kg.test.labels[:10]).shape
    (10, 2)
    """

    _parameter_constraints = {
        "scorer": [StrOptions(set(SCORERS))],
        "embedding_dim": [Interval(Integral, 1, None, closed="left"), None],
        "loss": [StrOptions({"cross_entropy", "logistic"})],
        "negative_sampling": [StrOptions({"uniform", "bernoulli"})],
        "n_negatives": [Interval(Integral, 1, None, closed="left")],
        "filter_negatives": ["boolean"],
        "n_candidates": [Interval(Integral, 1, None, closed="left"), None],
        "regularization": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions({"adagrad", "adam"})],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "structure_step": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "learn_transport": ["boolean"],
        "spaces": [StrOptions({"fused", "split", "all"})],
        "relation_maps": ["boolean"],
        "rules": ["boolean"],
        "exclude_loops": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "refit": ["boolean"],
        "margin": [Interval(Real, None, None, closed="neither")],
        "handle_unknown": [StrOptions({"error", "last"})],
        "warm_start": ["boolean"],
        "device": [str],
        "precision": [StrOptions(set(PRECISIONS))],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        scorer: str = "complex",
        *,
        embedding_dim: int | None = None,
        loss: str = "cross_entropy",
        negative_sampling: str = "uniform",
        n_negatives: int = 64,
        filter_negatives: bool = False,
        n_candidates: int | None = None,
        regularization: float = 5e-3,
        optimizer: str = "adagrad",
        learning_rate: float = 0.1,
        structure_step: float = 0.1,
        batch_size: int = 512,
        max_iter: int = 100,
        learn_transport: bool = True,
        spaces: str = "all",
        relation_maps: bool = True,
        rules: bool = False,
        exclude_loops: bool = True,
        early_stopping: bool = True,
        validation_fraction: float = 0.05,
        n_iter_no_change: int = 3,
        tol: float = 1e-3,
        refit: bool = True,
        margin: float = 9.0,
        handle_unknown: str = "error",
        warm_start: bool = False,
        device: str = "auto",
        precision: str = "float32",
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.scorer = scorer
        self.embedding_dim = embedding_dim
        self.loss = loss
        self.negative_sampling = negative_sampling
        self.n_negatives = n_negatives
        self.filter_negatives = filter_negatives
        self.n_candidates = n_candidates
        self.regularization = regularization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.structure_step = structure_step
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.learn_transport = learn_transport
        self.spaces = spaces
        self.relation_maps = relation_maps
        self.rules = rules
        self.exclude_loops = exclude_loops
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.refit = refit
        self.margin = margin
        self.handle_unknown = handle_unknown
        self.warm_start = warm_start
        self.device = device
        self.precision = precision
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> "OTKGEClassifier":
        """Train on true triples.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            With a fusion attached by `OTFusionTransformer`, or without: then the structure alone is learned.
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}; None means that all rows are true. Rows of 0 are known negatives: they shape neither the
            embeddings nor the filters. Probabilities are calibrated against them, unless `y_val` has others.
        X_val : MultimodalTriples or array-like of labels of shape (n_validation, 3), default=None
            Triples for early stopping and calibration, over entities and relations of X. Without it a part of the true
            rows of X is held out.
        y_val : array-like of shape (n_validation,), default=None
            Labels in {0, 1} of the rows of `X_val`; None means that all are true. Rows of 0 are known negatives, which
            the calibration takes in place of any others; early stopping and filters see the rows of 1 alone.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y or `y_val` holds other values than 0 and 1 or no 1, `y_val` comes without `X_val`, `X_val` is empty or
            has unknown labels, the number of columns does not suit the scorer or the fusion, or there is no such
            device.
        FloatingPointError
            If training diverges.

        Warns
        -----
        UserWarning
            If there are known negatives, but fewer than 10. Randomly corrupted triples take their place, as they do
            without any.
        """
        X = as_triples(X)
        validate_data(self, X, skip_check_array=True)
        self.classes_ = np.array([0, 1])
        X, negatives = true_and_false(X, y)
        width = self._check_width(X)
        self._check_device()
        random_state = check_random_state(self.random_state)
        seed = random_state.randint(np.iinfo(np.int32).max)
        start = self._state if self.warm_start and self._continues(X) else None
        if X_val is None and y_val is not None:
            raise ValueError("y_val labels the rows of X_val, but X_val is None; give X_val too, or neither.")
        if X_val is not None:
            parts = parts_of_validation(X, negatives, X_val, y_val)
        else:
            parts = parts_held_out(X, negatives, self.validation_fraction, random_state)
        try:
            self._fit_parts(parts, width, seed, start, random_state)
        except BaseException:  # a fit that fails or is interrupted leaves the estimator unfitted
            vars(self).pop("space_embeddings_", None)
            raise
        return self

    def _fit_parts(self, parts, width, seed, start, random_state):
        """Train on the part kept, weigh and calibrate on the part held out, train again on the whole."""
        held = parts.held
        self._describe(parts.whole, held)
        trained = self._train(parts.kept, width, seed, start, held=held)
        self._set_spaces(parts.kept, trained)
        self.space_training_ = {name: space.history() for name, space in trained.items()}
        self._learn_weights(held, random_state)
        self._calibrate(held if len(held) else parts.whole.ids, parts.negatives, random_state)
        self._describe_training()
        if len(parts.kept) < len(parts.whole) and self.refit:
            epochs = {name: space.best_iter for name, space in trained.items()}
            self._set_spaces(parts.whole, self._train(parts.whole, width, seed, start, epochs=epochs))

    def _check_width(self, X):
        """Return the number of columns of the entity embeddings."""
        width = part = self.embedding_dim or DEFAULT_WIDTH
        if X.fusion is not None:
            width, part = X.fusion.width, X.fusion.structure.shape[1]
            if self.embedding_dim not in (None, width):
                raise ValueError(
                    f"embedding_dim={self.embedding_dim} differs from the {width} columns of the fusion; leave it at "
                    "None and set n_components of OTFusionTransformer."
                )
        if SCORERS[self.scorer].needs_even_width and part % 2:
            raise ValueError(
                f"scorer={self.scorer!r} needs an even number of columns for its real and imaginary halves, "
                f"got {part}; set embedding_dim, or n_components of OTFusionTransformer, to an even number."
            )
        return width

    def _check_device(self):
        if self.device != "auto" and not is_available(self.device):
            raise ValueError(f"device={self.device!r} is not available here; use 'auto' or 'cpu'.")

    def _continues(self, X):
        """Tell whether there is a previous fit to continue from; refuse one over other labels or by another scorer."""
        if not hasattr(self, "space_embeddings_"):
            return False
        trained_scorer = getattr(self, "_trained_scorer", self.scorer)  # a saved model may lack it
        if trained_scorer != self.scorer:
            raise ValueError(
                f"scorer={self.scorer!r} differs from that of the previous fit, {trained_scorer!r}, which "
                "warm_start=True continues; set warm_start=False to start anew."
            )
        if not same_labels(self.entities_, X.entities) or not same_labels(self.relations_, X.relations):
            raise ValueError(
                "warm_start=True needs the entities and relations of the previous fit; set warm_start=False to start "
                "anew."
            )
        return True

    def _describe(self, X, held):
        """Keep the labels, the ids of all true triples seen, and what is known about each entity and relation."""
        self.entities_, self.relations_ = X.entities, X.relations
        self._true_ids = np.unique(np.concatenate([X.ids, held]), axis=0)
        informed = observed_in(X.ids, X.n_entities)
        if X.fusion is not None:
            for name in X.fusion.maps:
                informed = informed | X.observed(name)
        trained = np.isin(np.arange(len(X.relations)), X.ids[:, 1])
        self._informed_entities, self._informed_relations = informed, np.tile(trained, 2)
        with_loops = np.isin(np.arange(len(X.relations)), X.ids[X.ids[:, 0] == X.ids[:, 2], 1])
        self._excludes_loops = np.tile(trained & ~with_loops, 2) & self.exclude_loops
        without = np.count_nonzero(~observed_in(X.ids, X.n_entities)), np.count_nonzero(~trained)
        if any(without):
            warnings.warn(
                f"{without[0]} of {X.n_entities} entities and {without[1]} of {len(X.relations)} relations have "
                "no training triple: such entities are placed by their modalities alone, scores of such relations tie.",
                UserWarning,
                stacklevel=3,
            )

    def _train(self, X, width, seed, start, *, epochs=None, held=()):
        """Train each space by itself, for the numbers of epochs given or until its validation score stops rising."""
        validate = self._validation_score(held) if self.early_stopping and len(held) else None
        trained = {}
        for name, space in self._spaces(X, width, seed).items():
            settings = self._settings(self.max_iter if epochs is None else epochs[name])
            with training_progress(f"training {name}", settings.max_iter, self.verbose) as on_epoch:
                trained[name] = train(
                    space,
                    X.ids,
                    len(X.relations),
                    settings,
                    seed=seed,
                    excludes_loops=self._excludes_loops,
                    start=None if start is None else start.get(name),
                    validate=validate,
                    on_epoch=on_epoch,
                )
        return trained

    def _settings(self, max_iter):
        return Settings(
            scorer=self._scorer(),
            loss=self.loss,
            negative_sampling=self.negative_sampling,
            n_negatives=self.n_negatives,
            filter_negatives=self.filter_negatives,
            n_candidates=self.n_candidates,
            regularization=self.regularization,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            max_iter=max_iter,
            learn_transport=self.learn_transport,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            device=self._device(),
            precision=self.precision,
            structure_step=self.structure_step,
        )

    def _spaces(self, X, width, seed):
        if X.fusion is not None:
            return X.fusion.spaces(X, self.spaces)
        structure = np.random.RandomState(seed).standard_normal((X.n_entities, width))
        return {STRUCTURE: EntitySpaces(structure, observed_in(X.ids, X.n_entities).astype(float))}

    def _validation_score(self, held):
        """Return a function of the embeddings of a space that gives the filtered MRR on the held-out triples."""
        known = AnswerLists(self._true_ids, len(self.relations_))

        def validation_score(entities, relations):
            scores = self._scores_of([EmbeddingScores(self._scorer(), entities, relations, self._device())])
            return metrics.mean_reciprocal_rank(rank_both_sides(Ranker(scores), held, known, len(self.relations_)))

        return validation_score

    def _set_spaces(self, X, trained):
        """Take over the trained spaces, regress on the modalities of X, and count the rules of its triples."""
        self.space_embeddings_ = {name: space.entities for name, space in trained.items()}
        self.space_relations_ = {name: space.relations for name, space in trained.items()}
        self._state = {name: space.state for name, space in trained.items()}
        self._trained_scorer = self.scorer
        self._encoder = X.fusion.encoder if X.fusion is not None and X.fusion.maps else None
        self._maps = {}
        if X.fusion is not None and X.fusion.maps and self.relation_maps and self.spaces != FUSED:
            columns = X.fusion.scaled_columns(X)
            self._maps = fit_all_relation_maps(columns, X.ids, len(X.relations), X.fusion.structure.shape[1])
        self._rules = count_rules(X.ids, X.n_entities, len(X.relations)) if self.rules else None

    def _learn_weights(self, held, random_state):
        """Weigh the spaces by how well they tell the answers of the held-out triples."""
        names = [*self.space_embeddings_, *self._maps, *([RULES] if self.rules else [])]
        self.space_weights_ = {name: np.ones(2 * len(self.relations_)) for name in names}
        if len(names) > 1 and len(held):
            known = AnswerLists(self._true_ids, len(self.relations_))
            weights = weigh_spaces(self._scores(), held, known, len(self.relations_), random_state)
            self.space_weights_ = dict(zip(names, weights, strict=True))

    def _describe_training(self):
        """Public summary of the training of the fused space, or of the first where there is none."""
        told = self.space_training_.get(FUSED) or next(iter(self.space_training_.values()))
        self.n_iter_, self.best_iter_ = told["n_iter"], told["best_iter"]
        self.loss_curve_, self.validation_scores_ = told["loss_curve"], told["validation_scores"]

    def _calibrate(self, held, negatives, random_state):
        """Learn log-odds from held-out true triples against known negatives or corrupted triples."""
        negatives = self._enough_negatives(held, negatives, random_state)
        ids = np.concatenate([held, negatives.ids])
        truth = np.arange(len(ids)) < len(held)
        # The penalty of an excluded loop has decided about it; as a score it would outweigh all others.
        free = (ids[:, 0] != ids[:, 2]) | ~self._excludes_loops[ids[:, 1]]
        ids, truth = ids[free], truth[free]
        n_relations = len(self.relations_)
        self._calibration = Calibration.identity(n_relations)
        scores = self._score_ids(ids)
        self._calibration = platt_scaling(scores, truth, ids[:, 1], n_relations, negatives.true_share)

    def _enough_negatives(self, held, negatives, random_state):
        """Return the known negatives, or corrupted triples where these are too few."""
        if len(negatives.ids) >= FEWEST_NEGATIVES:
            return negatives
        if len(negatives.ids):
            warnings.warn(
                f"{len(negatives.ids)} known negatives are too few to calibrate with, randomly corrupted triples take "
                f"their place; give at least {FEWEST_NEGATIVES} rows of 0 in y or y_val.",
                UserWarning,
                stacklevel=5,
            )
        size = len(self.entities_), len(self.relations_)
        return Negatives(corrupted_ids(held, self._true_ids, *size, random_state), 0.5)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.target_tags.required = False
        tags.classifier_tags.multi_class = False
        return tags
