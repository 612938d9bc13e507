"""What a fitted estimator tells of its fit, for whoever serves it later."""

import platform
from importlib.metadata import version

from .._graph.digest import data_digest
from .._version import __version__

LIBRARIES = {"NumPy": "numpy", "SciPy": "scipy", "scikit-learn": "scikit-learn", "PyTorch": "torch", "POT": "pot"}


def record_of(split):
    """Attributes of a fitted estimator about its data and what it was fitted with.

    Parameters
    ----------
    split : TrainingSplit

    Returns
    -------
    dict
        ``classes_`` and ``fit_record_``.
    """
    X, fusion = split.all, split.all.fusion
    modalities = () if fusion is None else tuple(fusion.maps)
    data = {
        "digest": data_digest(X, split.validation_ids, split.negatives.ids, modalities=modalities),
        "n_entities": X.n_entities,
        "n_relations": len(X.relations),
        "n_triples": len(X),
        "n_validation_triples": len(split.validation_ids),
        "modalities": {name: X.modalities[name].shape[1] for name in modalities},
    }
    versions = {"skotkge": __version__, "Python": platform.python_version()}
    versions |= {name: version(package) for name, package in LIBRARIES.items()}
    return {"classes_": split.classes, "fit_record_": {"data": data, "versions": versions}}


def grown_record(record, graph):
    """The record of a model whose graph has changed: the digest is that of the triples and labels alone.

    Parameters
    ----------
    record : dict
        ``fit_record_`` before.
    graph : GrownGraph

    Returns
    -------
    dict
    """
    data = {
        "digest": data_digest(graph.triples, modalities=()),
        "n_entities": graph.n_entities,
        "n_relations": graph.n_relations,
        "n_triples": len(graph.ids),
        "n_validation_triples": int((~graph.trained).sum()),
        "n_changes": record["data"].get("n_changes", 0) + 1,
    }
    return record | {"data": record["data"] | data}
