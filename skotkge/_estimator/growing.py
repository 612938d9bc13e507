"""Fitted models that go on with more triples, or without some: a short training, and all that counts made anew."""

from dataclasses import replace

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._evidence.cosines import Cosines
from .._evidence.counts import Counts, count
from .._evidence.embedding import EmbeddingEvidence
from .._evidence.neighbors import Neighbors, neighbors
from .._evidence.paths import PathEvidence, path_rules
from .._evidence.relation_maps import RelationMaps, regressions, unit_rows
from .._evidence.rules import RuleEvidence, count_rules
from .._graph.arguments import true_rows
from .._graph.classes import truth_of
from .._graph.constraints import resolve
from .._graph.label_columns import as_label_triples
from .._graph.labels import counted
from .._graph.triples import as_triples
from .._ranking.answer_calibration import AnswerCalibration
from .._ranking.calibration import Calibration
from .._spaces import FUSED, MODALITIES, STRUCTURE
from .._utils.messages import shown
from .grown_graph import with_triples, without_triples
from .grown_spaces import folded_in, train_further
from .record import grown_record
from .sampling_plan import affordable
from .vectors import spaces_of

# Of the epochs that a space was trained for in the fit, at least one. Each goes over all triples: going more often over
# the new ones and a sample of the old ones, at the same cost, forgot more of the others. What the structure alone knows
# by heart needs more of them.
SHARE_OF_EPOCHS, SHARE_OF_STRUCTURE = 0.15, 0.3
KINDS_OF_OURS = (EmbeddingEvidence, Counts, RuleEvidence, PathEvidence, RelationMaps, Cosines, Neighbors)


def grow(estimator, X, y, callbacks=()):
    """What `OTKGEClassifier.partial_fit` does to a fitted estimator."""
    X = as_triples(X)
    if not true_rows(None if y is None else truth_of(y, estimator.classes_), len(X)).all():
        raise ValueError(
            "y has rows of 0, and partial_fit takes true triples alone; leave these rows out, and call forget for "
            "facts that the model knows and that have turned out false."
        )
    return _assign(estimator, with_triples(estimator.predictor_, X), callbacks)


def shrink(estimator, triples):
    """What `OTKGEClassifier.forget` does to a fitted estimator."""
    check_is_fitted(estimator)
    predictor, labels = estimator.predictor_, as_label_triples(triples)
    ids = predictor.vocabulary.ids_of_asked(labels)
    known = (ids >= 0).all(axis=1)
    known[known] = predictor.known.contains(ids[known])
    if not known.all():
        raise ValueError(
            f"triples has {counted((~known).sum(), 'row', 'rows')} that the model does not know, the first is "
            f"{shown(labels[~known][0].tolist())}; give triples of fit or partial_fit."
        )
    graph = without_triples(predictor, ids)
    if not len(graph.ids):
        raise ValueError("triples has all that the model was trained on; at least one triple has to be left.")
    return _assign(estimator, graph)


def _assign(estimator, graph, callbacks=()):
    estimator._check_score_function()
    random_state = check_random_state(estimator.random_state)
    options = estimator._fit_options(
        estimator._evidence_kinds(),
        random_state.randint(np.iinfo(np.int32).max),
        callbacks,
        estimator.predictor_.statements,
    )
    for callback in callbacks:
        if hasattr(callback, "on_fit_begin"):
            callback.on_fit_begin(estimator)
    predictor = continue_with(estimator.predictor_, graph, options, estimator.space_training_)
    record = grown_record(estimator.fit_record_, graph)
    vars(estimator).update(predictor_=predictor, fit_record_=record)
    for callback in callbacks:
        if hasattr(callback, "on_fit_end"):
            callback.on_fit_end(estimator)
    return estimator


def continue_with(predictor, graph, options, history):
    """Return the predictor of a graph that has changed.

    Parameters
    ----------
    predictor : LinkPredictor
    graph : GrownGraph
        Of this predictor.
    options : FitOptions
    history : dict of str to dict
        Epochs of each space in the fit, as in `OTKGEClassifier.space_training_`.

    Returns
    -------
    LinkPredictor
    """
    spaces = spaces_of(predictor).values()
    widths = [space.entities.shape[1] for space in spaces]
    options = affordable(options, graph.ids, (len(graph.vocabulary.entities), max(widths, default=0), len(widths)))
    # Starts and further arrays of the whole table are in memory here.
    options = replace(options, training=replace(options.training, entity_table="memory"))
    loops = _excluded_loops(predictor, graph, options)
    trained = {}
    for kind in predictor.evidence:
        if isinstance(kind, EmbeddingEvidence):
            share = SHARE_OF_STRUCTURE if kind.id.kind == STRUCTURE else SHARE_OF_EPOCHS
            epochs = max(1, round(share * history[str(kind.id)]["n_iter"]))
            trained[kind.id] = train_further(
                kind.extended(graph.unseen),
                graph,
                graph.relative_weights,
                _further(options.training, epochs),
                options.seed,
                loops,
                options.callbacks,
            )
    evidence = _evidence_of(predictor, graph, options, trained)
    of_relations = _by_relation(predictor, graph)
    return replace(
        predictor,
        vocabulary=graph.vocabulary,
        true_ids=graph.true_ids,
        evidence=evidence,
        informed=_informed(predictor, graph),
        excludes_self_loops=loops,
        trained=graph.trained,
        fact_weights=graph.fact_weights,
        **of_relations,
    )


def _further(training, epochs):
    """Options of the further training: the maps stay as they are, so that the structure takes the steps of both."""
    structure_lr_factor = 1.0 if training.structure_lr_factor > 0 else 0.0
    return replace(training.for_epochs(epochs), transport_lr_factor=0.0, structure_lr_factor=structure_lr_factor)


def _excluded_loops(predictor, graph, options):
    """Relations and reciprocals that link no entity with itself."""
    relations = np.arange(graph.n_relations)
    with_loops = np.isin(relations, graph.ids[graph.ids[:, 0] == graph.ids[:, 2], 1])
    return np.tile(np.isin(relations, graph.ids[:, 1]) & ~with_loops, 2) & options.exclude_self_loops


def _informed(predictor, graph):
    """Entities with a triple or a vector, and relations with a triple."""
    has_vector = np.zeros(graph.n_entities, dtype=bool)
    for rows in _rows_of_vectors(predictor):
        has_vector[: len(rows)] |= rows
    for observed in graph.unseen.observed.values():
        has_vector[graph.n_before[0] :] |= observed
    return graph.placed | has_vector, np.tile(np.isin(np.arange(graph.n_relations), graph.ids[:, 1]), 2)


def _rows_of_vectors(predictor):
    """Masks of the entities that some kind of evidence has a vector of."""
    for kind in predictor.evidence:
        if kind.id.kind == MODALITIES:
            yield kind.entities.any(axis=1)
        elif kind.id.kind == FUSED and "structure_weight" in kind.continuation:
            yield kind.continuation["structure_weight"] < 1
        elif isinstance(kind, RelationMaps):
            yield kind.sources.any(axis=1)
        elif isinstance(kind, Cosines) and kind.likeness.part != STRUCTURE:
            yield kind.likeness.rows.any(axis=1)


def _evidence_of(predictor, graph, options, trained):
    """All kinds over the graph, in their order: trained spaces as given, the others counted or fitted anew."""
    ids, sizes = graph.ids, (graph.n_entities, graph.n_relations)
    counts = {kind.id: kind for kind in count(ids, *sizes)}
    likeness, own = _grown_likeness(graph), _made_by(predictor, graph, options)
    certain = resolve(predictor.statements, graph.vocabulary).same if predictor.statements else None
    evidence = []
    for kind in predictor.evidence:
        if type(kind) not in KINDS_OF_OURS:
            kind = next(own)
        elif kind.id in trained:
            kind = trained[kind.id]
        elif isinstance(kind, Counts):
            kind = counts[kind.id]
        elif isinstance(kind, RuleEvidence):
            kind = RuleEvidence(kind.id, count_rules(ids, *sizes, certain=certain), graph.n_entities)
        elif isinstance(kind, PathEvidence):
            kind = path_rules(ids, *sizes, options.seed)
        elif isinstance(kind, RelationMaps):
            kind = kind.extended(graph.unseen)
            kind = regressions(kind.sources, kind.projections, ids, graph.n_relations, kind.id)
        elif isinstance(kind, Cosines):
            kind = Cosines(kind.id, likeness(kind.likeness))
        elif isinstance(kind, Neighbors):
            kind = neighbors([likeness(part) for part in kind.vectors], ids, graph.n_relations)
        evidence.append(kind)
    return tuple(evidence)


def _made_by(predictor, graph, options):
    """The kinds of the user's, made of the triples alone, in order."""
    own = [kind for kind in predictor.evidence if type(kind) not in KINDS_OF_OURS]
    if len(own) != len(options.builders):
        raise ValueError(
            f"the model has {len(own)} kinds of evidence of your own, and evidence has {len(options.builders)} objects "
            "that make them; set evidence as it was when the model was fitted."
        )
    return iter([builder.evidence_of(graph.triples) for builder in options.builders])


def _grown_likeness(graph):
    """Return a function that extends a `Likeness`: by vectors, and in the structure by the company entities keep."""

    def grown(likeness):
        likeness = likeness.extended(graph.unseen)
        if likeness.part != STRUCTURE:
            return likeness
        rows = likeness.rows * graph.placed[:, None]
        has_row = rows.any(axis=1)
        new = graph.placed & ~has_row
        rows[new] = unit_rows(folded_in(rows, graph.ids, has_row, graph.n_relations)[new])
        return replace(likeness, rows=rows)

    return grown


def _by_relation(predictor, graph):
    """Weights and calibrations; a new relation has the mean of the old ones, weighted by their triples."""
    n_old = predictor.n_relations
    shares = np.bincount(predictor.true_ids[:, 1], minlength=n_old) / len(predictor.true_ids)

    def both(values):
        halves = np.reshape(values, (*np.shape(values)[:-1], 2, n_old))
        new = np.repeat((halves @ shares)[..., None], graph.n_relations - n_old, axis=-1)
        return np.concatenate([halves, new], axis=-1).reshape(*np.shape(values)[:-1], 2 * graph.n_relations)

    def single(values):
        return np.append(values, np.full(graph.n_relations - n_old, values @ shares))

    calibration, lines = predictor.calibration, predictor.answer_lines
    of_entities = lines and [AnswerCalibration(line.slopes, both(line.intercepts)) for line in (lines[0], *lines[2:])]
    return {
        "weights": both(predictor.weights),
        "combiner": predictor.combiner and replace(predictor.combiner, gates=both(predictor.combiner.gates)),
        "calibration": Calibration(single(calibration.slope), single(calibration.intercept)),
        "answer_lines": lines and (of_entities[0], lines[1], *of_entities[1:]),
    }
