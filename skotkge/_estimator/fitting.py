"""One fit, values in and values out: train, weigh, calibrate, train again on all rows."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from .._embedding.options import TrainingOptions
from .._evidence.combiner import learn_combiner
from .._evidence.cosines import cosines
from .._evidence.counts import count
from .._evidence.embedding import EmbeddingEvidence
from .._evidence.likeness import likeness_of
from .._evidence.mixture import Mixture
from .._evidence.neighbors import neighbors
from .._evidence.paths import path_rules
from .._evidence.relation_maps import fit_all_relation_maps
from .._evidence.rules import RuleEvidence, count_rules
from .._evidence.signed_weights import best_ridge, candidates_of, learn_from
from .._evidence.weighting import learn_weights
from .._fusion.structure import observed_in
from .._graph.constraints import resolve
from .._graph.queries import KnownAnswers, distinct_rows
from .._ranking.answer_calibration import calibrate_lists
from .._ranking.calibration import Calibration
from .._ranking.predictor import LinkPredictor, entities_by_relation
from .._spaces import (
    COSINES,
    COUNTS,
    FUSED,
    KINDS,
    MODALITIES,
    NEIGHBORS,
    OTHER_PARTS,
    RELATION_MAPS,
    RULES,
    STRUCTURE,
    EvidenceId,
)
from .._utils.messages import shown, tell
from .._utils.progress import training_progress
from .calibrating import calibrate
from .checkpoints import Checkpoint
from .judging import validation_score
from .processes import trainer_of

# Kinds whose weights are not negative; the others are weighed on top of these, and may speak against an answer.
BASE = {STRUCTURE, MODALITIES, FUSED, RELATION_MAPS}
WITHOUT_CHECKPOINT = Checkpoint(None)


@dataclass(frozen=True)
class FitOptions:
    """What `fit_link_predictor` is asked for; names and meaning as in `OTKGEClassifier`.

    Attributes
    ----------
    training : TrainingOptions
    kinds : frozenset of str
        Kinds of evidence beside the trained spaces, values of `skotkge._spaces.KINDS`.
    builders : tuple
        Kinds of the user's: objects with ``evidence_of(X)``, which gives an `Evidence`.
    exclude_self_loops, early_stopping, refit, combines : bool
    may_sample : bool
        Whether the objective may be that of a sample of the entities, see `affordable`.
    metric : str or callable
    calibration_negatives : {"typed", "uniform"}
    verbose : int
    seed : int
        Of training.
    callbacks : sequence
    statements : tuple of Statement
        Constraints of relations.
    processes : Processes, default=None
        The process group that shares the training, the others of which `follow`.
    """

    training: TrainingOptions
    kinds: frozenset = frozenset()
    builders: tuple = ()
    exclude_self_loops: bool = True
    early_stopping: bool = True
    metric: Any = "mrr"
    refit: bool = True
    combines: bool = True
    may_sample: bool = False
    calibration_negatives: str = "typed"
    verbose: int = 0
    seed: int = 0
    callbacks: tuple = ()
    statements: tuple = ()
    processes: Any = None


def fit_link_predictor(
    split, make_spaces, options, random_state, start=None, checkpoint=WITHOUT_CHECKPOINT, continuation=None
):
    """Fit all evidence, weigh it by held-out triples, calibrate, and train again on all rows.

    Parameters
    ----------
    split : TrainingSplit
    make_spaces : callable
        From a `MultimodalTriples` to the spaces to train, dict of EvidenceId to SpaceSpec.
    options : FitOptions
    random_state : RandomState
        Draws what weighting and calibration sample.
    start : dict of EvidenceId to dict of str to ndarray, default=None
        Parameters of the spaces to continue from.
    continuation : dict of EvidenceId to dict of str to ndarray, default=None
        ``TrainedSpace.continuation`` of the spaces to continue from.
    checkpoint : Checkpoint, default=WITHOUT_CHECKPOINT
        Where the training is written to, and goes on from.

    Returns
    -------
    predictor : LinkPredictor
    history : dict of EvidenceId to dict
        Epochs and curves of each trained space.
    """
    facts = _Facts(split, options.exclude_self_loops, options.statements)
    checkpoint.begin(split, options)
    job = _Training(make_spaces, options, facts, checkpoint, start or {}, continuation or {}, split.weights)
    trained = _train_spaces(job, split.train, round="train", validate=validation_score(split, facts, options))
    evidence = _evidence_of(split.train, trained, options)
    weights, combiner = _weights_of(evidence, split, facts, options, random_state)
    predictor = LinkPredictor(
        vocabulary=split.all.vocabulary,
        true_ids=facts.true_ids,
        evidence=evidence,
        weights=weights,
        combiner=combiner,
        calibration=Calibration.identity(facts.n_relations),
        informed=facts.informed,
        excludes_self_loops=facts.excludes_self_loops,
        encoder=_encoder_of(split.train),
        trained=facts.are_in(split.train),
        fact_weights=None if split.weights is None else split.weights.of(facts.true_ids),
        statements=options.statements,
        given_ids=split.train.ids,
    )
    predictor, trained_on = _calibrated(predictor, split, options, random_state), split.train
    history = {id: space.history() for id, space in trained.items()}
    # The predictor above holds tensors of the first training; the one below starts without.
    fields = {name: getattr(predictor, name) for name in LinkPredictor.__dataclass_fields__}
    if len(split.train) < len(split.all) and options.refit:
        epochs = {id: space.best_iter for id, space in trained.items()}
        # The tables of the first training have done their part, and would be in memory beside those of the second.
        del predictor, evidence, trained, fields["evidence"]
        again = _train_spaces(job, split.all, round="refit", max_iter=epochs)
        evidence, trained_on = _evidence_of(split.all, again, options), split.all
    changed = {"evidence": evidence, "encoder": _encoder_of(split.all), "trained": facts.are_in(trained_on)}
    return LinkPredictor(**fields | changed | {"given_ids": None}), history


def _calibrated(predictor, split, options, random_state):
    """The predictor with calibrations of triples by themselves and of answers in lists."""
    device, typed = options.training.device, options.calibration_negatives == "typed"
    predictor = replace(predictor, calibration=calibrate(predictor, split, random_state, device, typed=typed))
    return replace(predictor, answer_lines=calibrate_lists(predictor, split.validation_ids, random_state, device))


class _Facts:
    """What the true triples say about entities and relations before anything is trained."""

    def __init__(self, split, exclude_self_loops, statements=()):
        X = split.all
        self.n_entities, self.n_relations = X.n_entities, len(X.relations)
        self.true_ids = split.true_ids
        if statements:
            self.true_ids = distinct_rows(resolve(statements, X.vocabulary).closed(self.true_ids))
        in_training = observed_in(X.ids, X.n_entities)
        entities = in_training
        if X.fusion is not None:
            for name in X.fusion.maps:
                entities = entities | X.observed(name)
        trained = np.isin(np.arange(self.n_relations), X.ids[:, 1])
        self.informed = entities, np.tile(trained, 2)
        with_self_loops = np.isin(np.arange(self.n_relations), X.ids[X.ids[:, 0] == X.ids[:, 2], 1])
        self.excludes_self_loops = np.tile(trained & ~with_self_loops, 2) & exclude_self_loops
        without = np.count_nonzero(~in_training), np.count_nonzero(~trained)
        if any(without):
            tell(
                f"{without[0]} of {X.n_entities} entities and {without[1]} of {self.n_relations} relations have "
                "no training triple: such entities are placed by their modalities alone, scores of such relations tie."
            )

    @cached_property
    def known(self):
        """Answers of the true triples."""
        return KnownAnswers(self.true_ids, self.n_relations)

    @cached_property
    def seen(self):
        """Which entities answer each relation, as `LinkPredictor.seen`."""
        return entities_by_relation(self.true_ids, self.n_relations, self.n_entities)

    def are_in(self, X):
        """Tell which of the true triples are rows of X."""
        return KnownAnswers(X.ids, self.n_relations).contains(self.true_ids)

    def mixture(self, evidence, weights=None, device="cpu"):
        """Return the scores of evidence on a device, with self-loops and unknown queries treated as in the end."""
        entities, relations = self.informed
        return Mixture(
            evidence,
            weights,
            excludes_self_loops=self.excludes_self_loops,
            informed_entities=entities,
            informed_relations=relations,
            device=device,
        )


@dataclass(frozen=True)
class _Training:
    """What both rounds of training have in common; see `fit_link_predictor`."""

    make_spaces: Any
    options: FitOptions
    facts: _Facts
    checkpoint: Checkpoint
    start: dict
    continuation: dict
    weights: Any


def _train_spaces(job, X, *, round, max_iter=None, validate=None):
    """Train each space by itself, for the numbers of epochs given or until its validation score stops rising."""
    options, weights, max_iter, trained = job.options, job.weights, max_iter or {}, {}
    for number, (id, spec) in enumerate(job.make_spaces(X).items()):
        stage = job.checkpoint.stage(round, number, id)
        trained[id] = stage.result()
        if trained[id] is not None:
            continue
        training = options.training.for_epochs(max_iter.get(id, options.training.max_iter))
        more = {
            "continuation": job.continuation.get(id),
            "weights": None if weights is None else weights.relative(X.ids),
        }
        more = {name: value for name, value in more.items() if value is not None}
        make_trainer = trainer_of(options.processes, id, spec, training, shares=not more, warns=round == "train")
        trainer = make_trainer(
            spec,
            X.ids,
            job.facts.n_relations,
            training,
            seed=options.seed,
            excludes_self_loops=job.facts.excludes_self_loops,
            start=job.start.get(id),
            **more,
        )
        stage.restore(trainer)
        with training_progress(id, training.max_iter, options.verbose, again=id in max_iter) as bars:
            trained[id] = trainer.run(
                validate=validate,
                callbacks=[*bars, *options.callbacks, stage],
                name=str(id),
                is_refit=round == "refit",
            )
        stage.finish(trained[id])
        del trainer  # it holds copies of the tables, which would be in memory beside those of the next space
    return trained


def _evidence_of(X, trained, options):
    """The trained spaces, the regressions on the modalities of X, and the rules of its triples."""
    evidence = [embedding_evidence(id, options.training.score_function, space) for id, space in trained.items()]
    if RELATION_MAPS in options.kinds and X.fusion is not None and X.fusion.maps:
        columns, width = X.fusion.scaled_columns(X), X.fusion.structure.shape[1]
        evidence += fit_all_relation_maps(columns, X.ids, len(X.relations), width)
    if RULES in options.kinds:
        certain = resolve(options.statements, X.vocabulary).same if options.statements else None
        rules = count_rules(X.ids, X.n_entities, len(X.relations), certain=certain)
        evidence.append(RuleEvidence(EvidenceId(RULES), rules, X.n_entities))
        evidence.append(path_rules(X.ids, X.n_entities, len(X.relations), options.seed))
    if COUNTS in options.kinds:
        evidence += count(X.ids, X.n_entities, len(X.relations))
    if {COSINES, NEIGHBORS} & options.kinds:
        structure = trained.get(EvidenceId(STRUCTURE))
        vectors = likeness_of(X, None if structure is None else structure.entities)
        evidence += cosines(vectors) if COSINES in options.kinds else []
        if NEIGHBORS in options.kinds and vectors:
            evidence.append(neighbors(vectors, X.ids, len(X.relations)))
    for builder in options.builders:
        evidence.append(_built(builder, X, {kind.id for kind in evidence}))
    return tuple(evidence)


def _built(builder, X, taken):
    """The evidence that an object of the user's makes of the training triples.

    Raises
    ------
    TypeError or ValueError
        If it lacks what `Evidence` has, is for another number of entities, or has a name that is taken.
    """
    found = builder.evidence_of(X)
    origin = f"evidence_of of {shown(builder)}"
    if not isinstance(getattr(found, "id", None), EvidenceId) or not hasattr(found, "on"):
        raise TypeError(
            f"{origin} gave {shown(found)}; return an object with id (an EvidenceId), n_entities and on(device), see "
            "skotkge.Evidence."
        )
    if found.n_entities != X.n_entities:
        raise ValueError(f"{origin} gave evidence of {found.n_entities} entities; X has {X.n_entities}.")
    if found.id.kind in (*KINDS, *OTHER_PARTS) or found.id in taken:
        raise ValueError(
            f"{origin} gave evidence with the id {shown(found.id)}, which is taken; give each kind of your own a name "
            "of its own."
        )
    return found


def embedding_evidence(id, score_function, space):
    """The evidence of a `TrainedSpace`."""
    return EmbeddingEvidence(id, score_function, space.entities, space.relations, space.parameters, space.continuation)


def of_epochs(callbacks):
    """The callbacks that want to be told of epochs."""
    if not isinstance(callbacks, list | tuple):
        raise TypeError(f"callbacks={shown(callbacks)}; give a list of objects.")
    return tuple(callback for callback in callbacks if hasattr(callback, "on_epoch_end"))


def is_builder(kind):
    """Tell whether an object makes evidence of the user's."""
    return callable(getattr(kind, "evidence_of", None)) and not isinstance(kind, type)


def _encoder_of(X):
    return X.fusion.encoder if X.fusion is not None and X.fusion.maps else None


def _weights_of(evidence, split, facts, options, random_state):
    """Weigh the evidence by how well it tells the answers of the held-out triples: weights, and a combiner or None."""
    device, held, n_sides = options.training.device, split.validation_ids, 2 * facts.n_relations
    in_base = np.array([kind.id.kind in BASE for kind in evidence])
    all_in_base = in_base.all()
    # Without any of these, a sum of the others is what signed weights change.
    in_base |= not in_base.any()
    base = np.repeat(in_base[:, None].astype(float), n_sides, axis=1)
    if len(evidence) == 1 or not len(held):
        return base, None
    bound = [kind.on(device) for kind in evidence]
    if in_base.sum() > 1:
        of_base = facts.mixture([kind for kind, wanted in zip(bound, in_base, strict=True) if wanted], device=device)
        base[in_base] = learn_weights(of_base, held, facts.known, facts.n_relations, random_state)
    if all_in_base:
        return base, None
    share = len(held) / len(facts.true_ids)
    mixture = facts.mixture(bound, device=device)
    told = candidates_of(mixture, base, held, facts.known, share, facts.n_relations, random_state)
    ridge = best_ridge(told, n_sides, random_state)
    weights = learn_from(told, ridge, n_sides)
    # Draws of its own: without a combiner, all later ones are the same.
    drawn = check_random_state(options.seed)
    combiner = learn_combiner(told, ridge, n_sides, drawn) if options.combines else None
    return weights[0] * base + weights[1:], combiner
