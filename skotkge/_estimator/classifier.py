"""OTKGEClassifier: train on triples, then score, classify, rank and complete them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import check_random_state

from .._embedding.disk import ENTITY_TABLES
from .._embedding.options import OBJECTIVES, TrainingOptions, objective_of
from .._embedding.precision import PRECISIONS
from .._embedding.score_functions import SCORE_FUNCTIONS, ScoreFunction
from .._embedding.start import NormalRows
from .._embedding.trainer import OPTIMIZERS, is_available
from .._fusion.structure import observed_in
from .._graph.classes import read_truth
from .._graph.triples import as_triples
from .._spaces import (
    COSINES,
    FUSED,
    KINDS,
    MODALITIES,
    NEIGHBORS,
    RELATION_MAPS,
    STRUCTURE,
    EvidenceId,
    SpaceSpec,
)
from .._utils.autologging import autologged, unlogged
from .._utils.messages import shown
from .._utils.sklearn_compat import HasMethods, Interval, StrOptions, fit_context
from .checkpoints import open_checkpoint
from .constraining import SCHEMA, closed_split, statements_of, without_repetitions
from .entity_table import check_entity_table
from .fact_weights import weighted_rows
from .fitting import FitOptions, is_builder, of_epochs
from .growing import grow, shrink
from .holdout import make_split, true_and_false
from .judging import METRICS
from .memory_plan import number_of_spaces, plan_memory
from .processes import led_processes, shared_by_processes
from .sampling_plan import affordable
from .trained import TrainedEstimator
from .vectors import spaces_of
from .warm_start import from_nothing, from_the_last_fit

DEFAULT_WIDTH = 200
# Kinds that need modalities, and kinds that take the structure where there are none.
OF_MODALITIES, OF_VECTORS = {MODALITIES, RELATION_MAPS}, {COSINES, NEIGHBORS}
SPACES = (STRUCTURE, MODALITIES, FUSED)
EVIDENCE = {
    "all": KINDS,
    "embeddings": SPACES,
    "fused": (FUSED,),
}


class OTKGEClassifier(TrainedEstimator):
    """Learn to score, classify and complete the triples of a multi-modal knowledge graph.

    Trains the structural space, the relations and the transport maps of a fused space (Eq. 2-6 of [1]_) on true
    triples.

    Parameters
    ----------
    score_function : {"complex", "distmult", "transe", "rotate"} or ScoreFunction, default="complex"
        How a query and a candidate are compared; an object such as ``TransE(margin=6.0)`` has parameters of its own.
        "complex" and "rotate" need an even number of dimensions.
    evidence : {"all", "embeddings", "fused"} or tuple of str, default="all"
        What is scored; the scores are added with weights learned on the validation triples. A tuple of

        - "structure": a space of the triples alone;
        - "modalities": a space for each aligned modality, trained by itself with a relation table of its own;
        - "fused": the one fused space of the paper;
        - "relation_maps": ridge regressions, one for each relation and direction, from the vector of the source to
          that of the answer: of each modality, and of several together;
        - "rules": the most confident rule "relation a implies relation b" for the same two entities, in the same or the
          other direction, counted in the training triples (see `skotkge.baselines.RuleBaseline`); and rules of two
          premises, "a from x to z and b from z to y imply c from x to y";
        - "counts": how often the candidate answers the relation and direction in training, whether at all, how often it
          asks, and its degree; a child has one parent, so a candidate that has one is no answer;
        - "cosines": the likeness of the query entity and the candidate in each modality and in the structure;
        - "neighbors": what entities like the query entity answer, weighted by how like it they are.

        Objects with ``evidence_of(X)`` are kinds of your own, see the development guide. "all" is all of these;
        "embeddings" the first three; "fused" the third alone. Without modalities in X, "fused" is the structure, and
        kinds that need modalities are left out. The weights of the last four and of your own may be negative.
    combiner : {"auto"} or None, default="auto"
        "auto" adds boosted trees of the scores of all kinds to their weighted sum, for the candidates of a query with
        the highest sums, if there are at least 500 validation queries and cross-validation over them says that answers
        rank better; "combiner" is then a part of `explain`. None does without: the sum alone is faster to rank by. Only
        where one of the last four kinds is, or one of your own.
    exclude_self_loops : bool, default=True
        A relation that links no entity with itself in training never does: such a triple scores below all others.
    constraints : mapping of relation to mapping, or "schema", default=None
        What is known of relations: ``{"born_in": {"functional": True, "range": {"instance_of": "City"}}}``, see the
        user guide. Of a relation there may be "functional", "inverse_functional" and "symmetric" (True), "inverse_of"
        and "disjoint_with" (a relation or a list of some), "domain" and "range": a list of entities, or a mapping from
        the relation that tells types to a type or a list of types; an entity of no known type may stand anywhere.
        "schema" reads the statements of RDFS and OWL among the triples, see `read_constraints`. Triples that follow
        from the others, by "symmetric" and "inverse_of", are trained on and known as these are. Answers that contradict
        what is known are not offered by `complete`, score below all others in `rank`, and have a low probability.
        Triples given are never dropped: `skotkge.inspection.contradictions` lists those that contradict each other.
    embedding_dim : int, default=None
        Dimensions of the entity embeddings. None takes the width of the fusion, or 200 without fusion.
    objective : {"cross_entropy", "logistic"} or object, default="cross_entropy"
        Softmax cross-entropy over all entities, or the logistic loss of Eq. 6 with sampled negatives; with parameters
        as ``CrossEntropy(n_sampled=1024)``, ``Logistic(n_negatives=16)``. Both train the reciprocal direction of each
        relation too. Where all entities would take over an hour of two cores, or of a GPU, by a count of products, the
        name "cross_entropy" takes samples of as many as an hour is enough for, at least 1,024, and a warning says so;
        ``CrossEntropy()`` always takes all.
    regularization : float, default=2e-2
        Strength of the N3 regularisation: the cubed moduli of the factors, divided by the batch.
    optimizer : {"adagrad", "adam", "rowwise_adagrad"}, default="adagrad"
        "rowwise_adagrad" keeps one number for each row of a table in place of one for each of its dimensions, which
        halves the memory of large tables. With sampled negatives or entities a batch updates the structural rows of its
        own entities alone, sampled ones included. This changes nothing for the two kinds of Adagrad; Adam's running
        means of an entity's gradients advance only when it occurs.
    learning_rate : float, default=0.1
        Step of the optimizer.
    structure_lr_factor : float, default=0.1
        Learning rate of the structural table of the fused space, as a part of `learning_rate`; 0 freezes it. With a
        full step the structure learns the training triples by heart and drowns the modalities, unless there are many
        triples for each entity.
    transport_lr_factor : float, default=0.1
        Learning rate of the transport maps (Delta_k of Eq. 2), as a part of `learning_rate`; 0 leaves them as the
        fusion gives them.
    batch_size : int, default=512
        Triples in a batch.
    max_iter : int, default=100
        Largest number of epochs for each space.
    early_stopping : bool, default=True
        Keep, for each space, the epoch with the best `metric` on the validation triples, and stop when it has not
        risen by `tol` for `n_iter_no_change` epochs.
    metric : {"mrr", "hits@1", "hits@3", "hits@10", "accuracy"} or callable, default="mrr"
        What early stopping judges by: a filtered ranking metric; the accuracy of the validation triples and known, or
        else corrupted, false ones, each relation with its best threshold; or a scorer of scikit-learn's form,
        ``scorer(estimator, X, y)``, greater being better. Its estimator ranks and scores by the one space that is
        trained, without calibration; y is None without known negatives.
    validation_fraction : float, default=0.05
        Share of the triples held out for early stopping and calibration when `fit` gets no `X_val`. Each entity and
        relation keeps a triple in training.
    n_iter_no_change : int, default=3
        Epochs without a better score after which training stops.
    tol : float, default=1e-3
        The least rise of the score that counts.
    calibration_negatives : {"typed", "uniform"}, default="typed"
        False triples that probabilities are calibrated against where there are no known negatives: true ones with
        another head or tail, one of those that the relation has on that side ("typed"), or any entity ("uniform").
        Against entities of any kind a model learns to tell kinds apart, and says yes to every answer of the right kind.
    refit : bool, default=True
        After holding triples out, train again from the same seed on all of them for `best_iter_` epochs.
    warm_start : bool, default=False
        Continue from the previous `fit`: from its parameters, with steps as small as its last ones, and with its
        triples, which stay known and are trained on together with those of X. The score function and, where there are
        modalities, the entities and relations have to be the same; without modalities X may bring new ones. Give
        `X_val` too: triples held out of a second fit were trained on in the first, so they flatter validation and
        calibration. `partial_fit` is faster, `forget` takes triples back.
    handle_unknown : {"error", "last"}, default="error"
        What happens to labels that `fit` has not seen: a `ValueError`, or the last rank and a score of -inf. The
        methods take it too.
    device : str, default="auto"
        A PyTorch device; "auto" is a GPU where there is one. A fitted model answers on the CPU where there is no such
        device.
    matmul_precision : {"float32", "bfloat16"}, default="float32"
        Of the matrix products with all entities in training with the cross-entropy and a dot product ("complex",
        "distmult"), and of those with the maps of modalities; no other product is changed. "bfloat16" is faster where
        the processor has instructions for it, at a cost in MRR below the difference of two seeds: on emoji the default
        fit had a test MRR of .659 and .657 in place of .658 and .659. Tables, the sums of the softmax, and the scores
        and ranks of validation and of the fitted model stay in single precision.
    entity_table : {"memory", "disk"}, default="memory"
        Where the table of the entities is trained. "disk" maps it into memory from a temporary file without a name, in
        the folder of `tempfile.gettempdir`, which the environment variable ``TMPDIR`` sets: a table larger than memory
        is trained, to the same result, in the time that reading and writing its rows takes. The table of the fitted
        model stays there until the model is gone; a loaded one is in memory. For the structure by itself, on a CPU, in
        one process, with sampled entities or negatives and ``optimizer="rowwise_adagrad"``, whose state is one number a
        row. `partial_fit` and `forget` train in memory.
    distributed_batches : {"random", "balanced"}, default="random"
        How the processes of a group make a batch; it has no effect in one process. "random" deals the triples at
        random, for a cross-entropy its queries in both directions, and a process asks the others for the distinct rows
        that it lacks. "balanced" gives each process what begins among its own rows: triples with their heads there, or
        queries with their source. Each batch has about as many of them that end with each process, the same number in
        every epoch, and negatives are drawn evenly from all: all messages have a size that is known beforehand. Not for
        ``Logistic(filtered=True)``.
    checkpoint : path-like, default=None
        A folder, created if absent, in which the fit keeps its state after every epoch: the same call again goes on
        from there, to the same result. It may be shared by the clones of a search, each of which has a subfolder of its
        own. See `load_checkpoint`.
    checkpoint_interval : float, default=0
        Seconds at least between two checkpoints of a space. 0 makes one after every epoch.
    verbose : int, default=0
        Above 0 the memory that the fit will take is said before it begins, and training shows a progress bar.
    random_state : int, RandomState instance or None, default=None

    Attributes
    ----------
    entity_embeddings_ : ndarray of shape (n_entities, d)
        Dimensions of all trained spaces, side by side in the order of `space_embeddings_`.
    relation_embeddings_ : ndarray of shape (2 * n_relations, d_r)
        Row ``n_relations + r`` is the reciprocal of relation r. For "rotate" the rows are phases, d_r = d / 2.
    space_embeddings_, space_relations_ : dict of str to ndarray
        The tables of each trained space: "structure", the name of a modality, "fused".
    evidence_names_ : list of str
        The trained spaces, "relation_maps of" each modality, "relation_maps" of all together, "rules", "rules of
        paths", "counts of" four things, "cosines of" each modality and "structure", "neighbors".
    evidence_weights_ : ndarray of shape (n_kinds, 2, n_relations)
        Weight of each kind of evidence for queries for tails and for heads of each relation. Without validation
        triples 1 for "structure", "modalities", "fused" and "relation_maps", 0 for the others beside any of these.
    space_training_ : dict of str to dict
        For each trained space ``n_iter``, ``best_iter``, ``loss_curve`` and ``validation_scores``.
    predictor_ : object
        The fitted model itself, frozen; no method that answers reads a constructor parameter but `device`.
    entities_, relations_ : ndarray, dtype object
        Labels of the embedding rows.
    classes_ : ndarray of shape (2,)
        What y calls false and true: 0 and 1, truth values, or two strings in their order.
    n_iter_ : int
        Epochs run before stopping. This and the next three tell of the fused space, or of the first of
        `space_training_` where there is none.
    best_iter_ : int
        The epoch that was kept.
    loss_curve_ : list of float
        Mean loss per triple in each of the `n_iter_` epochs.
    validation_scores_ : list of float
        `metric` on the validation triples after each epoch; empty without early stopping.
    entity_names_, entity_texts_, entity_pictures_ : ndarray of shape (n_entities,), dtype object, or None
        Readable names, texts and paths of pictures, where the triples of the fit have them.
    fit_record_ : dict
        ``"data"``: a digest of the triples, labels and vectors of the fit, and their numbers; ``"versions"`` of
        skotkge, Python and the libraries.
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
        "score_function": [StrOptions(set(SCORE_FUNCTIONS)), ScoreFunction],
        "evidence": [StrOptions(set(EVIDENCE)), tuple, list],
        "combiner": [StrOptions({"auto"}), None],
        "exclude_self_loops": ["boolean"],
        "constraints": [Mapping, StrOptions({SCHEMA}), None],
        "embedding_dim": [Interval(Integral, 1, 2**31 - 1, closed="both"), None],
        "objective": [StrOptions(set(OBJECTIVES)), HasMethods("of_training")],
        "regularization": [Interval(Real, 0, None, closed="left")],
        "optimizer": [StrOptions(set(OPTIMIZERS))],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "structure_lr_factor": [Interval(Real, 0, None, closed="left")],
        "transport_lr_factor": [Interval(Real, 0, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "metric": [StrOptions(set(METRICS)), callable],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "calibration_negatives": [StrOptions({"typed", "uniform"})],
        "refit": ["boolean"],
        "warm_start": ["boolean"],
        "handle_unknown": [StrOptions({"error", "last"})],
        "device": [str],
        "matmul_precision": [StrOptions(set(PRECISIONS))],
        "entity_table": [StrOptions(set(ENTITY_TABLES))],
        "distributed_batches": [StrOptions({"random", "balanced"})],
        "checkpoint": [str, PathLike, None, HasMethods(["within", "read", "write", "remove"])],
        "checkpoint_interval": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        score_function: str | ScoreFunction = "complex",
        *,
        evidence: str | Sequence[str] = "all",
        combiner: str | None = "auto",
        exclude_self_loops: bool = True,
        constraints: Mapping[Any, Mapping[str, Any]] | str | None = None,
        embedding_dim: int | None = None,
        objective: Any = "cross_entropy",
        regularization: float = 2e-2,
        optimizer: str = "adagrad",
        learning_rate: float = 0.1,
        structure_lr_factor: float = 0.1,
        transport_lr_factor: float = 0.1,
        batch_size: int = 512,
        max_iter: int = 100,
        early_stopping: bool = True,
        metric: str | Callable[..., float] = "mrr",
        validation_fraction: float = 0.05,
        n_iter_no_change: int = 3,
        tol: float = 1e-3,
        calibration_negatives: str = "typed",
        refit: bool = True,
        warm_start: bool = False,
        handle_unknown: str = "error",
        device: str = "auto",
        matmul_precision: str = "float32",
        entity_table: str = "memory",
        distributed_batches: str = "random",
        checkpoint: str | PathLike[str] | None = None,
        checkpoint_interval: float = 0,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.score_function = score_function
        self.evidence = evidence
        self.combiner = combiner
        self.exclude_self_loops = exclude_self_loops
        self.constraints = constraints
        self.embedding_dim = embedding_dim
        self.objective = objective
        self.regularization = regularization
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.structure_lr_factor = structure_lr_factor
        self.transport_lr_factor = transport_lr_factor
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.metric = metric
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.calibration_negatives = calibration_negatives
        self.refit = refit
        self.warm_start = warm_start
        self.handle_unknown = handle_unknown
        self.device = device
        self.matmul_precision = matmul_precision
        self.entity_table = entity_table
        self.distributed_batches = distributed_batches
        self.checkpoint = checkpoint
        self.checkpoint_interval = checkpoint_interval
        self.verbose = verbose
        self.random_state = random_state

    @shared_by_processes
    @autologged
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        callbacks: Sequence[Any] = (),
    ) -> "OTKGEClassifier":
        """Train on true triples.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            With a fusion attached by `OTFusionTransformer`, or without: then the structure alone is learned.
        y : array-like of shape (n_triples,), default=None
            Labels in {0, 1}, or truth values; of two strings the second in their order means true ("no", "yes"), as
            everywhere in scikit-learn. None means that all rows are true. Rows of 0 are known negatives: they shape
            neither the embeddings nor the filters. Probabilities are calibrated against them, unless `y_val` has
            others.
        sample_weight : array-like of shape (n_triples,), default=None
            How much each row counts in the loss of the embeddings, such as the confidence of a fact; only ratios
            matter. A row of 0 is left out. Other evidence, validation and calibration count each row that is left
            once.
        X_val : MultimodalTriples or array-like of labels of shape (n_validation, 3), default=None
            Triples for early stopping and calibration, over entities and relations of X, none of them rows of X; of
            several equal rows one counts. Without it a part of the true rows of X is held out.
        y_val : array-like of shape (n_validation,), default=None
            Labels in {0, 1} of the rows of `X_val`; None means that all are true. Rows of 0 are known negatives, which
            the calibration takes in place of those of y, unless they are fewer than 10 and than these; early stopping
            and filters see the rows of 1 alone.
        callbacks : sequence of objects, default=()
            Each with any of ``on_fit_begin(estimator)``, ``on_epoch_end(state)`` and ``on_fit_end(estimator)``; `state`
            has space, epoch, max_iter, loss, validation_score, is_refit, state_dict() and stop(), which ends the
            training of the space. Those of `skotkge.callbacks` report to Optuna, MLflow and TensorBoard. `on_fit_end`
            is not called where the fit fails.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y or `y_val` holds other values than 0 and 1 or no 1, `y_val` comes without `X_val`, `X_val` is empty or
            has unknown labels, the number of dimensions does not suit the score function or the fusion, there is no
            such device, or ``entity_table="disk"`` has no meaning with other parameters or X.
        FloatingPointError
            If training diverges in its first epoch, with no finite embeddings to keep.
        MemoryError
            If the tables, the optimizer and the sorted triples need more memory than is available, or tables on disk
            more than the folder of temporary files has left.

        Warns
        -----
        ConvergenceWarning
            If training diverges: an epoch has a loss above ten times that of the start, or one that is not finite. The
            best epoch before is kept.
        UserWarning
            If rows of `X_val` are rows of X, too, or triples are both true and false. If there are known negatives, but
            fewer than 10, or none of some relations: randomly corrupted triples take their place, as they do without
            any.
        """
        classes, y, y_val = read_truth(y, y_val)
        X, y, row_weights = weighted_rows(as_triples(X), y, sample_weight)
        X, negatives = true_and_false(X, y)
        evidence = self._evidence_kinds()
        width = self._check_width(X)
        if X.fusion is not None and X.fusion.is_idle:
            X = X.with_fusion(None)
        self._check_modalities_of(evidence, X.fusion)
        self._check_device()
        begin = self._begin(X, negatives, row_weights, evidence)
        X, negatives, start = begin.X, begin.negatives, begin.start
        told = start if begin.weights is None else (start, begin.weights)
        checkpoint = open_checkpoint(self, X, negatives.ids, X_val, y_val, told)
        random_state = check_random_state(checkpoint.random_state(self.random_state))
        statements = statements_of(self.constraints, X)
        options = self._fit_options(evidence, random_state.randint(np.iinfo(np.int32).max), callbacks, statements)
        options = affordable(options, X.ids, (X.n_entities, width, number_of_spaces(X, evidence)))
        check_entity_table(X, options)
        plan_memory(X, width, evidence, options, self.verbose)
        X = without_repetitions(X, statements)
        split = make_split(X, negatives, X_val, y_val, self.validation_fraction, random_state)
        split = replace(split, known_ids=begin.known_ids, weights=begin.weights, classes=classes)
        split = closed_split(split, statements)
        make_spaces = _SpaceMaker(evidence, width, options.seed)
        return self._fit_split(
            split, make_spaces, options, random_state, checkpoint, start, callbacks, begin.continuation
        )

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike | None = None, *, callbacks: Sequence[Any] = ()
    ) -> "OTKGEClassifier":
        """Go on with new true triples, which may bring new entities and relations.

        Much faster than a fit on all triples: each space is trained for a few epochs on old and new ones, with steps of
        old rows as small as the last ones of the fit; counts, rules, regressions and neighbours are made anew of all.
        The maps of modalities, the weights of the evidence and the calibrations stay as they are: a new entity is moved
        from where the map of a modality puts it by its facts alone, and a new relation has the mean weights and
        calibration of the others. After many new triples a new fit is better. Without a fit
        before it is one.

        Parameters
        ----------
        X : MultimodalTriples or array-like of labels of shape (n_triples, 3)
            New triples, over any table: old ones need not be in it. New entities of its table that have a vector, in
            the modalities of the fit, are known afterwards, with or without a triple. Entities that the model knows
            keep their vectors.
        y : array-like of shape (n_triples,), default=None
            1 for every row: facts that have turned out false are for `forget`.
        callbacks : sequence of objects, default=()
            As for `fit`.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If y has another value, X some of the modalities of the fit but not all, or the score function is not that
            of the fit.
        """
        if "predictor_" not in vars(self):
            return self.fit(X, y, callbacks=callbacks)
        with unlogged():
            return grow(self, X, y, callbacks)

    def forget(self, triples: ArrayLike) -> "OTKGEClassifier":
        """Take facts back that have turned out false, or that must no longer be known.

        They are no known answers any more, and counts, rules, regressions and neighbours are made without them. The
        embeddings of their entities are moved back by the share of their facts that has gone, and trained for a few
        epochs on the facts that remain. Maps of modalities, weights and calibrations still were learned with them, and
        what `partial_fit` has moved in the space of a modality stays; a new fit alone has seen none of them.

        Parameters
        ----------
        triples : array-like of labels of shape (n_triples, 3)
            Known true triples.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If a triple is not known, or none would be left.
        """
        with unlogged():
            return shrink(self, triples)

    def _evidence_kinds(self):
        """The kinds of evidence asked for, as a tuple."""
        kinds = EVIDENCE[self.evidence] if isinstance(self.evidence, str) else tuple(self.evidence)
        unknown = [kind for kind in kinds if not (kind in KINDS if isinstance(kind, str) else is_builder(kind))]
        if unknown or not kinds:
            found = f"has {shown(unknown[0])}" if unknown else "is empty"
            raise ValueError(
                f"evidence={shown(self.evidence)} {found}; give 'all', 'embeddings', 'fused' or some of "
                f"{', '.join(map(repr, KINDS))}, and objects with evidence_of(X)."
            )
        return kinds

    def _fit_options(self, evidence, seed, callbacks, statements):
        score_function = self.score_function
        training = TrainingOptions(
            score_function=SCORE_FUNCTIONS[score_function]()
            if isinstance(score_function, str)
            else clone(score_function),
            objective=objective_of(self.objective),
            regularization=self.regularization,
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            transport_lr_factor=self.transport_lr_factor,
            structure_lr_factor=self.structure_lr_factor,
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            n_iter_no_change=self.n_iter_no_change,
            tol=self.tol,
            device=self._device_of_answers(),
            matmul_precision=self.matmul_precision,
            entity_table=self.entity_table,
            distributed_batches=self.distributed_batches,
        )
        return FitOptions(
            training,
            kinds=frozenset(kind for kind in evidence if isinstance(kind, str)) - set(SPACES),
            builders=tuple(kind for kind in evidence if not isinstance(kind, str)),
            exclude_self_loops=self.exclude_self_loops,
            early_stopping=self.early_stopping,
            metric=self.metric,
            refit=self.refit,
            combines=self.combiner == "auto",
            calibration_negatives=self.calibration_negatives,
            verbose=self.verbose,
            seed=seed,
            callbacks=of_epochs(callbacks),
            statements=statements,
            may_sample=isinstance(self.objective, str) and self.objective == "cross_entropy",
            processes=led_processes(),
        )

    def _check_width(self, X):
        """Return the number of dimensions of the entity embeddings."""
        width = part = self.embedding_dim or DEFAULT_WIDTH
        if X.fusion is not None:
            width, part = X.fusion.width, X.fusion.structure.shape[1]
            if self.embedding_dim not in (None, width):
                raise ValueError(
                    f"embedding_dim={self.embedding_dim} differs from the {width} dimensions of the fusion; leave it "
                    "at None and set n_components of OTFusionTransformer (in a pipeline fuse__n_components)."
                )
        named = isinstance(self.score_function, str)
        function = SCORE_FUNCTIONS[self.score_function] if named else self.score_function
        if function.needs_even_width and part % 2:
            raise ValueError(
                f"score_function={self.score_function!r} needs an even number of dimensions for its real and imaginary "
                f"halves, got {part}; set embedding_dim, or n_components of OTFusionTransformer, to an even number."
            )
        return width

    def _check_modalities_of(self, evidence, fusion):
        """Refuse kinds of evidence that find nothing without modalities, if there are no others."""
        without = OF_MODALITIES if fusion is not None else OF_MODALITIES | OF_VECTORS
        if (fusion is None or not fusion.maps) and all(isinstance(kind, str) and kind in without for kind in evidence):
            raise ValueError(
                f"evidence={shown(self.evidence)} finds nothing in X, which has no modality that counts; put "
                "'structure' in, or give X modalities and an OTFusionTransformer before this classifier."
            )

    def _check_device(self):
        if self.device != "auto" and not is_available(self.device):
            raise ValueError(f"device={shown(self.device)} is not available here; use 'auto' or 'cpu'.")

    def _check_score_function(self):
        """Refuse to go on from spaces that were trained by another score function."""
        for space in spaces_of(self.predictor_).values():
            before, now = space.score_function, self.score_function
            now = SCORE_FUNCTIONS[now] if isinstance(now, str) else type(now)
            if type(before) is not now:
                raise ValueError(
                    f"score_function={self.score_function!r} differs from that of the previous fit, {before!r}, which "
                    "warm_start=True, partial_fit and forget continue; set it back, or fit with warm_start=False to "
                    "start anew."
                )

    def _begin(self, X, negatives, row_weights, evidence):
        """What the fit begins with: nothing, or with a warm start what the fit before has left."""
        if not self.warm_start or "predictor_" not in vars(self):
            return from_nothing(X, negatives, row_weights)
        self._check_score_function()
        statements = self.predictor_.statements
        options = self._fit_options(evidence, check_random_state(self.random_state).randint(2**31 - 1), (), statements)
        return from_the_last_fit(self.predictor_, X, negatives, row_weights, options, self.space_training_)


class _SpaceMaker:
    """From triples to the spaces to train, by the kinds of evidence asked for."""

    def __init__(self, evidence, width, seed):
        self._evidence, self._width, self._seed = evidence, width, seed

    def __call__(self, X):
        if X.fusion is None:
            if not {STRUCTURE, FUSED} & set(self._evidence):
                return {}
            structure = NormalRows(self._seed, (X.n_entities, self._width))
            weight = observed_in(X.ids, X.n_entities).astype(float)
            return {EvidenceId(STRUCTURE): SpaceSpec(structure, weight)}
        return X.fusion.spaces(X, self._evidence)


# Saved models name the public place of the class.
OTKGEClassifier.__module__ = "skotkge"
