"""Two graphs of DBpedia in two languages, the usual benchmark of entity alignment, read from the user's folder."""

import gzip
from os import PathLike
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from .._graph.tables import Dialect, read_records
from .._graph.triples import MultimodalTriples
from .._matching.pairs import EntityPairs

OURS = ("graphs.npz", "entities_1.txt.gz", "entities_2.txt.gz")
FIELD = ("ent_ids_1", "ent_ids_2", "triples_1", "triples_2")
LINKS = ("ref_ent_ids", "sup_ent_ids", "ill_ent_ids")
DESCR = """DBP15K (Sun, Hu, Li, "Cross-lingual entity alignment via joint attribute-preserving embedding", ISWC 2017):
two graphs of DBpedia in two languages, and 15,000 pairs of entities that are the same thing. Many entities of both
graphs are in no pair. The two names of a pair are often the same string: results should say whether names were used."""


def load_dbp15k(folder: str | PathLike[str]) -> Bunch:
    """Load two graphs of DBpedia in two languages with 15,000 pairs of entities.

    Parameters
    ----------
    folder : str or path-like
        A folder with ``graphs.npz`` and ``entities_1.txt.gz``, ``entities_2.txt.gz``, or one in the layout of the
        field: ``ent_ids_1``, ``ent_ids_2``, ``triples_1``, ``triples_2`` and one or more of ``ref_ent_ids``,
        ``sup_ent_ids``, ``ill_ent_ids``.

    Returns
    -------
    Bunch
        ``pairs``, an `~skotkge.EntityPairs` of shape (n_pairs, 2) of all pairs, with the two graphs inside; ``X`` and
        ``Y``, the two graphs, with names as labels of entities and ``"1:number"``, ``"2:number"`` as those of
        relations, since the graphs share none; ``entity_names``, a tuple of two arrays in the order of ``X.entities``
        and ``Y.entities``; ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If the folder has neither layout.

    Examples
    --------
    >>> from skotkge.datasets import load_dbp15k
    >>> data = load_dbp15k("data/dbp15k_fr_en")  # doctest: +SKIP
    >>> data.pairs  # doctest: +SKIP
    EntityPairs(15000 pairs of 19661 and 19993 entities)
    """
    folder = Path(folder)
    if all((folder / name).is_file() for name in OURS):
        names, triples, pairs = _read_ours(folder)
    elif all((folder / name).is_file() for name in FIELD):
        names, triples, pairs = _read_field(folder)
    else:
        raise FileNotFoundError(
            f"The folder {folder} has neither {', '.join(OURS)} nor {', '.join(FIELD)}; download DBP15K, for example "
            "from https://github.com/nju-websoft/JAPE, and name the folder of one language pair."
        )
    labels = [_distinct(side) for side in names]
    X, Y = (_graph(labels[side], triples[side], side + 1) for side in range(2))
    known = np.column_stack([labels[0][pairs[:, 0]], labels[1][pairs[:, 1]]])
    entity_names = tuple(np.array(side, dtype=object) for side in names)
    return Bunch(pairs=EntityPairs(known, X, Y), X=X, Y=Y, entity_names=entity_names, DESCR=DESCR)


def _graph(labels, triples, number):
    triples = np.unique(triples, axis=0)
    relations = [f"{number}:{relation}" for relation in range(int(triples[:, 1].max()) + 1)]
    columns = np.empty(triples.shape, dtype=object)
    columns[:, 0], columns[:, 2] = labels[triples[:, 0]], labels[triples[:, 2]]
    columns[:, 1] = np.array(relations, dtype=object)[triples[:, 1]]
    return MultimodalTriples(columns, entities=labels, relations=relations)


def _distinct(names):
    """Labels from names; a name that occurs again gets its position behind it."""
    seen, out = set(), np.empty(len(names), dtype=object)
    for position, name in enumerate(names):
        out[position] = f"{name} [{position}]" if name in seen else name
        seen.add(name)
    return out


def _read_ours(folder):
    with np.load(folder / OURS[0], allow_pickle=False) as arrays:
        triples, pairs = [arrays["triples_1"], arrays["triples_2"]], arrays["pairs"]
    names = []
    for name in OURS[1:]:
        with gzip.open(folder / name, "rt", encoding="utf-8") as lines:
            names.append(lines.read().split("\n"))
            if names[-1][-1] == "":
                names[-1].pop()
    return names, triples, pairs


def _read_field(folder):
    """Ids of the field's files are numbers of their own; they become positions."""
    names, positions = [], []
    for file in FIELD[:2]:
        rows = _rows(folder / file)
        positions.append({row[0]: position for position, row in enumerate(rows)})
        names.append([row[1].rsplit("/resource/", 1)[-1].replace("_", " ") for row in rows])
    triples = []
    for position, file in zip(positions, FIELD[2:], strict=True):
        rows = _rows(folder / file)
        relations = {number: row for row, number in enumerate(dict.fromkeys(row[1] for row in rows))}
        triples.append(np.array([(position[row[0]], relations[row[1]], position[row[2]]) for row in rows]))
    found = dict.fromkeys(tuple(row[:2]) for name in LINKS if (folder / name).is_file() for row in _rows(folder / name))
    if not found:
        raise FileNotFoundError(f"The folder {folder} has no file of pairs: none of {', '.join(LINKS)} has a line.")
    return names, triples, np.array([(positions[0][first], positions[1][second]) for first, second in found])


def _rows(path):
    return [row for _, row in read_records(path, Dialect("\t"))]
