"""The model of what a fit has trained so far, from its checkpoints alone."""

import warnings
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .._embedding.options import TrainingOptions
from .._embedding.trainer import TrainedSpace, is_available
from .._fusion.encoder import RowEncoder, encoder_from_state
from .._graph.constraints import Statement
from .._graph.packed_labels import unpack_labels
from .._graph.triples import MultimodalTriples
from .._ranking.calibration import Negatives
from .._spaces import COSINES, NEIGHBORS, RELATION_MAPS, EvidenceId
from .checkpoints import RUNNING, read_state
from .fitting import FitOptions
from .holdout import TrainingSplit
from .saving import check_path
from .stores import FolderStore

# Kinds that need the matrices of modalities, which a checkpoint does not hold; without a fusion the last two do not.
OF_MATRICES = {RELATION_MAPS, COSINES, NEIGHBORS}


def load_checkpoint(folder: str | PathLike[str], trusted: bool | list[str] = False) -> Any:
    """Return the model of the best epochs so far of a fit that has not ended.

    Parameters
    ----------
    folder : path-like
        What the fit was given as ``checkpoint``, or the subfolder of one fit in it.
    trusted : bool or sequence of str, default=False
        As for `load`: types of others that parameters have.

    Returns
    -------
    estimator
        Fitted: each space that has an epoch behind it, at its best one, weighed and calibrated on the triples held out.
        Relation maps, cosines and neighbors, which need the matrices of the modalities, are not in it, nor evidence of
        your own; where all has been trained, the spaces are those of the fit.

    Raises
    ------
    ValueError
        If there is no checkpoint with an epoch, there are those of several fits, or a file is damaged.

    See Also
    --------
    load : Models that were saved.

    Examples
    --------
    >>> import tempfile
    >>> import skotkge
    >>> triples = [(f"e{number}", "next", f"e{(number + 1) % 30}") for number in range(30)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     kge = skotkge.OTKGEClassifier(embedding_dim=8, max_iter=2, checkpoint=folder, random_state=0)
    ...     kge = kge.set_params(validation_fraction=0).fit(triples)
    ...     skotkge.load_checkpoint(folder).rank(triples[:1]).shape
    (1, 2)
    """
    check_path(folder, "folder")
    folder = Path(folder)
    fits = [folder] if (folder / "fit.skops").exists() else sorted(path.parent for path in folder.glob("*/fit.skops"))
    if not fits:
        raise ValueError(f"{folder} has no checkpoint; give the folder that the fit has as its checkpoint.")
    if len(fits) > 1:
        names = ", ".join(path.name for path in fits[:3])
        raise ValueError(f"{folder} has checkpoints of {len(fits)} fits; give the subfolder of one of them: {names}.")
    return model_so_far(FolderStore(fits[0]), trusted)


def model_so_far(store, trusted=False):
    """Return the estimator of the best epochs so far.

    Parameters
    ----------
    store : FolderStore or MemoryStore
        Of one fit.
    trusted : bool or sequence of str, default=False

    Raises
    ------
    ValueError
        If no epoch has ended.
    """
    values = store.read("fit", trusted)
    spaces = {round: _spaces_of(store, round) for round in ("train", "refit")}
    if values is None or not spaces["train"]:
        raise ValueError("no epoch has ended yet, so that there is no model.")
    spaces["refit"] = {id: space for id, (space, has_ended) in spaces["refit"].items() if has_ended}
    spaces["train"] = {id: space for id, (space, _) in spaces["train"].items()}
    split, options = _split_of(values), _options_of(values, refit=spaces["refit"].keys() == spaces["train"].keys())
    with warnings.catch_warnings():  # the fit itself has told them
        warnings.simplefilter("ignore", UserWarning)
        return values["estimator"]._fit_so_far(
            split, lambda X: dict.fromkeys(spaces["train"]), options, _AllTrained(spaces), values["record"]
        )


def _spaces_of(store, round):
    """Tables by space, and whether its training has ended."""
    found = {}
    for name in store.names():
        if name.startswith(f"{round}-"):
            values, has_ended = read_state(store, name), not name.endswith(RUNNING)
            id = EvidenceId(*values["id"])
            if has_ended or id not in found:
                found[id] = TrainedSpace(**values["so_far"]), has_ended
    return found


def _options_of(values, refit):
    training = TrainingOptions(**values["training"])
    device = training.device if is_available(training.device) else "cpu"
    return FitOptions(
        TrainingOptions(**vars(training) | {"device": device}),
        kinds=frozenset(values["kinds"]) - (OF_MATRICES if values["encoders"][0] is not None else {RELATION_MAPS}),
        calibration_negatives=values["calibration_negatives"],
        exclude_self_loops=values["exclude_self_loops"],
        early_stopping=False,
        refit=refit,
        seed=values["seed"],
        statements=tuple(Statement(*said) for said in values.get("statements", ())),
    )


@dataclass(frozen=True)
class _StoredFusion:
    """Of the fusion of a fit what a fitted model keeps: names of the modalities, and what embeds unseen entities."""

    maps: tuple
    encoder: RowEncoder | None


def _split_of(values):
    """The triples of the fit, over a table whose matrices tell only which vectors were there."""
    observed = {name: np.where(rows, 1.0, np.nan)[:, None] for name, rows in values["observed"].items()}
    entities, relations = unpack_labels(values["entities"]), unpack_labels(values["relations"])
    told = {what: unpack_labels(packed) for what, packed in values.get("descriptions", {}).items()}
    none = np.empty((0, 3), dtype=object)
    table = MultimodalTriples(none, observed, entities=entities, relations=relations, **told)
    train, every = (
        _triples(table, values[name], encoder)
        for name, encoder in zip(("train_ids", "ids"), values["encoders"], strict=True)
    )
    return TrainingSplit(train, values["validation_ids"], every, Negatives(*values["negatives"]))


def _triples(table, ids, encoder):
    columns = (table.entities, table.relations, table.entities)
    labels = np.column_stack([names[column] for names, column in zip(columns, ids.T, strict=True)])
    fusion = None if encoder is None else _StoredFusion(tuple(table.modalities), encoder_from_state(encoder))
    return table.with_triples(labels).with_fusion(fusion)


@dataclass(frozen=True)
class _AllTrained:
    """In the place of a `Checkpoint`: every stage that a fit asks for has ended."""

    spaces: dict

    def begin(self, split, options):
        """Do nothing."""

    def stage(self, round, number, id):
        """Return the stage of a space."""
        return _Ended(self.spaces[round][id])


@dataclass(frozen=True)
class _Ended:
    space: TrainedSpace

    def result(self):
        """The tables."""
        return self.space
