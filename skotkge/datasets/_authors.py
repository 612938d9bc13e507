"""The layout in which the authors of OTKGE publish their two benchmarks.

Their script ``process_datasets.py`` strips each line of the three files without extension, splits it at the tabs, and
numbers the entities of all three files in the sorted order of their labels. Their model maps the matrices and adds them
to the table of entity embeddings, whose rows are those numbers; so row i belongs to the i-th label in sorted order.
"""

from ._folder import read_features
from ._graph import SPLITS, graph_bunch, read_triples, relations_of

FILES = (*SPLITS, "matrix_*_ling.npy", "matrix_*_visual.npy")


def is_authors_layout(folder):
    """Tell whether a folder has this layout: only here the training triples are in a file without extension."""
    return (folder / "train").is_file()


def load_authors_layout(source, folder):
    """Read a data set in this layout.

    Parameters
    ----------
    source : Source
    folder : Path

    Returns
    -------
    GraphBunch
        The names of the entities are their labels, because the layout has no others.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    ValueError
        If a line does not have three fields or a matrix does not have one row for each entity.
    """
    paths = source.require(folder, SPLITS)
    text, image = (source.match(folder, pattern) for pattern in FILES[len(SPLITS) :])
    parts = {split: _read_stripped(path) for split, path in paths.items()}
    entities = sorted({entity for triples in parts.values() for head, _, tail in triples for entity in (head, tail)})
    modalities = {"text": read_features(text, len(entities)), "image": read_features(image, len(entities))}
    return graph_bunch(
        source.name, parts, modalities, entities=entities, entity_names=entities, relations=relations_of(parts)
    )


def _read_stripped(path):
    return [(head.lstrip(), relation, tail.rstrip()) for head, relation, tail in read_triples(path)]
