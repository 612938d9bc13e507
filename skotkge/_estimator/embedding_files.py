"""Embeddings in files of other programs: word2vec text, Parquet, NumPy archives, tables of text."""

import csv
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .._graph.labels import name_first
from .._utils.frames import data_frame
from .._utils.messages import shown
from .._utils.whole_files import check_writable, whole_file
from .functions import embed, last_step
from .lookup import entities_of
from .saving import check_path
from .vectors import chosen_table

# Nine digits give every float32 back.
NUMBER = "%.9g"


@dataclass(frozen=True)
class NamedVectors:
    """Embeddings as they are written.

    Attributes
    ----------
    labels : ndarray of shape (n,), dtype str or int64
    names : ndarray of shape (n,), dtype str, or None
    vectors : ndarray of shape (n, d)
    space : str
    """

    labels: np.ndarray
    names: np.ndarray | None
    vectors: np.ndarray
    space: str


def export_embeddings(
    model: Any,
    path: str | PathLike[str],
    *,
    space: str | None = None,
    entities: ArrayLike | None = None,
    blanks: str | None = None,
) -> None:
    """Write the embeddings of entities to a file, of the format that its name tells.

    Parameters
    ----------
    model : estimator or Pipeline
        Fitted; of a pipeline the last step has the embeddings.
    path : path-like
        The name ends with

        - ``.txt`` or ``.vec`` for word2vec text, as gensim's ``KeyedVectors.load_word2vec_format`` reads it: a line
          with the numbers of entities and dimensions, then a label and its vector in each line, separated by blanks;
        - ``.parquet``: the columns "entity", "name" if the model knows names, and one for each number, called by the
          space: "fused0", "fused1", ... It needs polars: ``pip install ".[export]"``;
        - ``.npz``: the arrays "labels", "vectors", "space", and "names" if the model knows any, none of them pickled;
        - ``.tsv`` or ``.csv``: a label and its numbers in each line, below a header; what ``skotkge fit --modality``
          reads.
    space : str, default=None
        A key of `space_embeddings_`. None is "fused", or the first where there is no fused space.
    entities : array-like of labels of shape (n_entities,), default=None
        Which, and in which order; None: all, in the order of `entities_`.
    blanks : str, default=None
        What stands for each white space of a label in word2vec text, such as ``"_"``. None: such a label is an error.

    Returns
    -------
    None

    Raises
    ------
    ValueError
        If the name ends otherwise, an entity or the space is not known, the labels are not all strings or all integers,
        or a label cannot be written in this format.
    ImportError
        If polars is not installed, for Parquet.

    See Also
    --------
    to_networkx, to_pyg : Embeddings at the nodes of a graph.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import skotkge
    >>> triples = [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)]
    >>> kge = skotkge.OTKGEClassifier(embedding_dim=4, max_iter=1, random_state=0).fit(triples)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     skotkge.export_embeddings(kge, Path(folder) / "graph.npz")
    ...     arrays = dict(np.load(Path(folder) / "graph.npz"))
    >>> arrays["labels"][:3], arrays["vectors"].shape
    (array(['e0', 'e1', 'e2'], dtype='<U3'), (30, 4))
    """
    check_embedding_path(path, "path")
    if blanks is not None and (not isinstance(blanks, str) or len(blanks.split()) != 1 or blanks != blanks.strip()):
        raise ValueError(f"blanks={shown(blanks)}; give a string without white space, such as '_', or None.")
    WRITERS[Path(path).suffix.lower()](_named_vectors(model, space, entities), path, blanks)


def check_embedding_path(path, argument):
    """Make sure that embeddings can be written under a name; errors as for `export_embeddings`."""
    check_path(path, argument)
    if Path(path).suffix.lower() not in WRITERS:
        raise ValueError(f"{argument} {path}: expected a name that ends with {', '.join(WRITERS)}")
    check_writable(path, argument)


def _named_vectors(model, space, entities):
    predictor = last_step(model, "embed").predictor_
    vocabulary = predictor.vocabulary
    chosen = vocabulary.entities
    if entities is not None:
        chosen = chosen[entities_of(entities, vocabulary, "entities")]
    space, _ = chosen_table(predictor, space)
    names = None
    if vocabulary.names is not None:
        names = np.array([name or str(label) for name, label in zip(vocabulary.names_of(chosen), chosen, strict=True)])
    return NamedVectors(_plain_array(chosen), names, embed(model, chosen, space), space)


def _plain_array(labels):
    """Labels as an array of strings or of integers, which hold them without pickling."""
    kinds = {type(label) for label in labels.tolist()}
    out = np.array(labels.tolist()) if kinds in ({int}, {str}) else labels
    if out.dtype.kind not in "iU" or out.tolist() != labels.tolist():
        found = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ValueError(
            f"the entities have labels of the type {found} that a file cannot hold, such as {shown(labels[0])}; fit "
            "the model on labels that are all strings, without NUL at their ends, or all integers of 64 bits."
        )
    return out


def _write_word2vec(table, path, blanks):
    labels = ["".join((blanks or c) if c.isspace() else c for c in str(label)) for label in table.labels.tolist()]
    spaced = [label for label in labels if any(map(str.isspace, label))]
    if spaced:
        raise ValueError(
            f"{path}: word2vec text separates by blanks, and labels have some: {name_first(spaced)}; set blanks='_' "
            "(--blanks _), or write .parquet or .npz."
        )
    if len(set(labels)) != len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ValueError(f"{path}: with blanks={blanks!r} several labels become {twice!r}; set another.")
    line = f"%s{f' {NUMBER}' * table.vectors.shape[1]}\n"
    with whole_file(path, "w", encoding="utf-8", newline="") as file:
        file.write(f"{table.vectors.shape[0]} {table.vectors.shape[1]}\n")
        for label, vector in zip(labels, table.vectors, strict=True):
            file.write(line % (label, *vector.tolist()))


def _write_parquet(table, path, _):
    columns = {"entity": table.labels} | ({} if table.names is None else {"name": table.names})
    columns |= {f"{table.space}{number}": column for number, column in enumerate(table.vectors.T)}
    frame = data_frame("polars", columns, "a Parquet file")
    with whole_file(path) as file:
        frame.write_parquet(file)


def _write_npz(table, path, _):
    arrays = dict(labels=table.labels, vectors=table.vectors, space=np.array(table.space))
    with whole_file(path) as file:
        np.savez(file, **arrays, **({} if table.names is None else {"names": table.names}))


def _write_csv(table, path, _):
    with whole_file(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(_lines(table))


def _write_tsv(table, path, _):
    for label in table.labels.tolist():
        if set(str(label)) & set("\t\r\n"):
            raise ValueError(f"{path}: a label has a tab or a line end, {shown(label)}; write a .csv file.")
    with whole_file(path, "w", encoding="utf-8", newline="") as file:
        file.writelines("\t".join(map(str, line)) + "\n" for line in _lines(table))


def _lines(table):
    yield ["entity", *(f"{table.space}{number}" for number in range(table.vectors.shape[1]))]
    for label, vector in zip(table.labels.tolist(), table.vectors, strict=True):
        yield [label, *(NUMBER % value for value in vector.tolist())]


WRITERS = {
    ".txt": _write_word2vec,
    ".vec": _write_word2vec,
    ".parquet": _write_parquet,
    ".npz": _write_npz,
    ".tsv": _write_tsv,
    ".csv": _write_csv,
}
