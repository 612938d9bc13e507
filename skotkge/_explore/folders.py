"""What a folder tells of a graph beside its model: triples, and names, texts and pictures of entities."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .._graph.files import find_split
from .._graph.labels import name_first
from .._graph.readers import FORMATS
from .._graph.tables import Dialect, read_records, read_table
from .._utils.messages import brief

SPLITS = ("train", "valid", "test")
# An SVG may hold a script.
PICTURE_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".bmp": "image/bmp",
}
EXPECTED = "train, valid or test (.tsv, .csv, .nt, ...), names.tsv, texts.tsv, pictures.tsv, entities.tsv"


@dataclass(frozen=True)
class GraphFolder:
    """The files of a folder, read.

    Attributes
    ----------
    path : Path
        Real, without links.
    triples : ndarray of shape (n_triples, 3), dtype object
        Of all splits.
    names, texts, pictures : dict of str to str
        By entity; pictures are paths below the folder.
    """

    path: Path
    triples: np.ndarray
    names: dict
    texts: dict
    pictures: dict


def read_folder(folder, read_triples):
    """Read what a folder has of the files that are expected.

    Parameters
    ----------
    folder : Path
        With files train, valid and test, and names.tsv, texts.tsv and pictures.tsv, an entity and its value in each
        line; any may be missing. Without texts.tsv the further columns of entities.tsv are the texts.
    read_triples : callable
        From a path to label triples.

    Returns
    -------
    GraphFolder

    Raises
    ------
    ValueError
        If it is no folder, has none of the files, or a picture is none or lies outside.
    """
    if not folder.is_dir():
        raise ValueError(f"--graph {folder} is no folder; give one with {EXPECTED}")
    files = [find_split(folder, split, set(FORMATS)) for split in SPLITS]
    parts = [read_triples(file) for file in files if file is not None]
    tables = {name: _values(folder / f"{name}.tsv") for name in ("names", "texts", "pictures")}
    if not tables["texts"]:
        tables["texts"] = _further_columns(folder / "entities.tsv")
    if not parts and not any(tables.values()):
        raise ValueError(f"--graph {folder} has none of the files {EXPECTED}; give the folder of the graph")
    root = folder.resolve()
    for label, picture in tables["pictures"].items():
        check_picture(root, picture, f"{folder / 'pictures.tsv'}: the picture of {label!r}")
    return GraphFolder(root, np.concatenate(parts) if parts else np.empty((0, 3), dtype=object), **tables)


def check_picture(root, picture, what="picture"):
    """Return the path of a picture below a folder, with all links followed.

    Raises
    ------
    ValueError
        If it is no kind of picture, or lies outside of the folder.
    """
    path = (root / picture).resolve()
    if not path.is_relative_to(root):
        raise ValueError(f"{what} is {brief(picture)}, outside of the folder; put it inside")
    if path.suffix.lower() not in PICTURE_TYPES:
        raise ValueError(f"{what} is {brief(picture)}, expected a name that ends with {', '.join(PICTURE_TYPES)}")
    return path


def _values(path):
    """The second field of each line by the first."""
    if not path.is_file():
        return {}
    labels, values = read_table(path, Dialect("\t"), n_fields=2).columns
    found = dict(zip(labels, values, strict=True))
    if len(found) < len(labels):
        twice = sorted({label for label in labels if list(labels).count(label) > 1})
        raise ValueError(f"{path} names {name_first(twice)} more than once; keep one line for each entity")
    return found


def _further_columns(path):
    if not path.is_file():
        return {}
    told = {row[0]: " · ".join(filter(None, row[1:])) for _, row in read_records(path, Dialect("\t")) if row}
    return {label: text for label, text in told.items() if text}
