"""Files of the user's: triples, entities, vectors and models."""

import json
from pathlib import Path

import numpy as np
from sklearn.pipeline import Pipeline

from .._estimator.constraining import statements_of
from .._estimator.lookup import similar_ones
from .._estimator.saving import load
from .._graph import files
from .._graph.constraint_statements import read_constraints
from .._graph.files import suffix_of
from .._graph.label_columns import as_label_triples
from .._graph.labels import name_first
from .._graph.readers import FORMATS, ReadingOptions, read_rows
from .._graph.tables import Dialect, read_records
from .._graph.triples import MultimodalTriples
from .._utils.messages import tell

HEADER = {"guess": None, "yes": True, "no": False}
VECTOR_DIALECTS = {
    ".tsv": Dialect("\t"),
    ".txt": Dialect("\t"),
    ".csv": Dialect(",", quoting=True),
}

# What `match` writes in the first line.
MATCH_COLUMNS = ("x", "y", "probability", "known")


def read_triples(path, options, empty=None, some=True):
    """Read a file of triples as the options of the command line tell.

    Parameters
    ----------
    path : Path
    options : Namespace
        With the options of `add_reading_options`.
    empty : {"error", "drop", "keep"}, default=None
        In place of the option.
    some : bool, default=True
        Refuse a file without triples.

    Returns
    -------
    ndarray of shape (n_triples, 3), dtype object

    Raises
    ------
    ValueError
        If the format is not told, the file is empty, or not in this format.
    """
    triples = as_label_triples(read_rows(path, _reading_options(options, empty)))
    if some:
        _check_some(triples, path)
    return triples


def read_with_data(path, options, data):
    """Read a file of triples, every row of it, and some of its other columns.

    Parameters
    ----------
    path : Path
    options : Namespace
        With the options of `add_reading_options`.
    data : sequence of str or int
        The other columns.

    Returns
    -------
    MultimodalTriples
        With `triple_data`.

    Raises
    ------
    ValueError
        As for `read_triples`; also if there is no such column.
    """
    X = MultimodalTriples(read_rows(path, _reading_options(options, data=data)), duplicates="keep")
    for column in data:
        if column not in X.triple_data:
            raise ValueError(f"{path} has no further column {column!r}")
    _check_some(X, path)
    return X


def _reading_options(options, empty=None, data=()):
    return ReadingOptions(
        options.format,
        columns=options.columns,
        sep=options.sep,
        header=HEADER[options.header],
        data=data,
        empty=empty or options.empty,
        literals=options.literals,
    )


def _check_some(triples, path):
    if not len(triples):
        raise ValueError(f"{path} holds no triple")


def find_split(folder, split):
    """Return the file of triples called after a split in a folder, or None."""
    return files.find_split(folder, split, set(FORMATS))


def read_entities(path):
    """Read the entity labels of a tab-separated or CSV file without header: the first field of each line."""
    return [row[0] for _, row in _rows(path)]


def read_pairs(path):
    """Read the pairs of labels of a tab-separated or CSV file without header, or one that `match` has written.

    Raises
    ------
    ValueError
        If a line has not two fields; the message names it.
    """
    rows = list(_rows(path))
    was_written = bool(rows) and tuple(rows[0][1]) == MATCH_COLUMNS
    n_fields, pairs = len(MATCH_COLUMNS) if was_written else 2, []
    for line, row in rows[was_written:]:
        if len(row) != n_fields or "" in row[:2]:
            raise ValueError(f"{path}, line {line}: expected two labels, got {name_first(row)}")
        pairs.append(tuple(row[:2]))
    return pairs


def read_columns(path):
    """Read a tab-separated or CSV file with names of columns in its first line, all values as strings.

    Returns
    -------
    dict of str to list of str

    Raises
    ------
    ValueError
        If a line has not a field for each name, or a name is not of one column alone.
    """
    lines = list(_rows(path))
    names = lines[0][1] if lines else []
    if len(lines) < 2 or len(set(names)) != len(names) or "" in names:
        raise ValueError(f"{path}: expected a first line with a name for each column, and values below it, got {names}")
    for line, row in lines[1:]:
        if len(row) != len(names):
            raise ValueError(f"{path}, line {line}: {len(row)} fields in place of {len(names)}, got {name_first(row)}")
    return {name: [row[place] for _, row in lines[1:]] for place, name in enumerate(names)}


def read_candidates(given):
    """Return the candidates that an option names, as methods take them.

    Parameters
    ----------
    given : str
        "all", "seen", or the name of a file with a label in each line, or a relation and a label.

    Raises
    ------
    ValueError
        If a line of the file has more fields, or another number than the first.
    """
    if given in ("all", "seen"):
        return given
    rows, found = list(_rows(Path(given))), {}
    width = len(rows[0][1]) if rows else 0
    for line, row in rows:
        if len(row) != width or width > 2:
            raise ValueError(f"{given}, line {line}: {len(row)} fields, expected a label, or a relation and a label")
        found.setdefault(row[0] if width == 2 else None, []).append(row[-1])
    return found if width == 2 else found.get(None, [])


def constraints_for(given, X):
    """Return the constraints that an option names for triples.

    Parameters
    ----------
    given : str or None
        "schema", or the name of a file: of JSON with a mapping as the parameter takes it, or with statements of RDFS
        and OWL.
    X : MultimodalTriples

    Raises
    ------
    ValueError
        If the file is neither, or names what the triples do not have.
    """
    if given is None or given == "schema":
        return given
    if suffix_of(given) != ".json":
        return read_constraints(given, X)
    try:
        constraints = json.loads(Path(given).read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{given} is no JSON file: {error}") from error
    statements_of(constraints, X)
    return constraints


def read_vectors(path):
    """Read a modality.

    Parameters
    ----------
    path : Path
        A NumPy file with one row for each entity, or a CSV or tab-separated file with the label of an entity and the
        numbers of its vector in each line. Its first line is a header if it has no label or no numbers.

    Returns
    -------
    ndarray of shape (n_entities, n_features), or tuple of ndarray of shape (n_labels, n_features) and list of str

    Raises
    ------
    ValueError
        If the file is neither, or has a line without label or with a field that is no number.

    Warns
    -----
    UserWarning
        If the first vector counts 0, 1, 2, ... as the names of columns do.
    """
    if path.suffix == ".npy":
        try:
            return np.load(path, allow_pickle=False)
        except (ValueError, EOFError) as error:
            raise ValueError(f"{path} is no NumPy file of plain numbers: {error}") from error
    labels, vectors = [], []
    for line, row in _rows(path):
        vector = _numbers(row[1:])
        if line == 1 and _is_header(row):
            continue
        width = len(vectors[0]) if vectors else len(row) - 1
        if not row[0] or vector is None or len(vector) != width or not width:
            raise ValueError(
                f"{path}, line {line}: expected a label and {width or 'some'} numbers, got {name_first(row)}"
            )
        if line == 1 and width > 2 and row[1:] == list(map(str, range(width))):
            tell(
                f"{path} begins with {','.join(row[:4])}, ..., read as the vector of {row[0]!r}; if it is a header "
                "leave it out."
            )
        labels.append(row[0])
        vectors.append(vector)
    if not vectors:
        raise ValueError(f"{path} holds no vector")
    return np.array(vectors), labels


def _rows(path):
    """Yield the number and the fields of each line that is not empty."""
    dialect = VECTOR_DIALECTS.get(suffix_of(path))
    if dialect is None:
        raise ValueError(f"{path}: expected a name that ends with {', '.join(VECTOR_DIALECTS)}, or .npy for vectors")
    return read_records(path, dialect)


def _is_header(row):
    return len(row) > 1 and (not row[0] or all(_numbers([field]) is None for field in row[1:]))


def _numbers(fields):
    try:
        return np.array(fields, dtype=float)
    except ValueError:
        return None


def load_model(path, method, trust=False):
    """Load a model that can answer.

    Parameters
    ----------
    path : Path
    method : str
        What the model is needed for.
    trust : bool, default=False
        Whether code in the file may run.

    Returns
    -------
    estimator
        The last step where a pipeline was saved: what answers for bare labels.

    Raises
    ------
    ValueError
        If the file holds no such model, is damaged, of a newer format, or needs trust.
    """
    model = load(path, trusted=trust)
    model = model[-1] if isinstance(model, Pipeline) else model
    if not (hasattr(model, method) and hasattr(model, "predictor_")):
        raise ValueError(f"{path} holds a {type(model).__name__}, expected a fitted OTKGEClassifier")
    return model


def check_labels(model, triples, path, remedy):
    """Make sure that a model knows the labels of triples; None stands for a position to be filled.

    Raises
    ------
    ValueError
        If not; it names the first few.
    """
    empty = np.equal(triples, None)
    vocabulary = model.predictor_.vocabulary
    unknown = (vocabulary.ids_of_asked(triples) < 0) & ~empty
    if unknown.any():
        labels = list(dict.fromkeys(triples[unknown]))
        similar = similar_ones(vocabulary, labels[0], is_relation=unknown[:, 1].any() and labels[0] in triples[:, 1])
        raise ValueError(f"{path} names {name_first(labels)}, which the model has not seen{similar}; {remedy}")
