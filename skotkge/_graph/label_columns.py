"""Triples in any form that users hold them in, brought to three columns of labels.

Foreign objects are known by what they offer, never by their class, so that no library but NumPy and SciPy is imported.
"""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

import numpy as np
from scipy.sparse import issparse

from .._utils.messages import shown
from .coded import CodedColumn
from .headers import COLUMNS, find_named
from .labels import as_labels, length_of, name_first, plain_labels
from .networks import has_edges, network_rows
from .terms import is_rdf_graph, plain_term, rdf_graph_columns


@dataclass(frozen=True)
class TripleRows:
    """Triples, and what else their rows tell.

    Attributes
    ----------
    columns : list of list or CodedColumn
        Heads, relations and tails.
    data : mapping of str or int to sequence
        Further columns, with one value for each row.
    attributes : tuple of list, or None
        Entities, names of attributes and values: a long table of what are no triples.
    """

    columns: list
    data: Mapping = field(default_factory=dict)
    attributes: tuple | None = None

    def __len__(self):
        return len(self.columns[0])


def as_label_triples(triples):
    """Return triples of labels as an ``(n_triples, 3)`` object array.

    Parameters
    ----------
    triples : MultimodalTriples, array-like of shape (n_triples, 3), data frame, mapping or graph
        As for `MultimodalTriples`.

    Raises
    ------
    ValueError
        If there are not three labels in each row.
    """
    if _is_container(triples):
        return triples.labels
    columns = label_columns(triples)
    out = np.empty((len(columns[0]), 3), dtype=object)
    for position, column in enumerate(columns):
        out[:, position] = as_labels(column, "triples")
    return out


def label_columns(triples):
    """Return the columns of triples as three lists of labels; triples are as for `as_label_triples`."""
    return as_rows(triples).columns


def as_rows(triples):
    """Return triples in any of the forms of `MultimodalTriples` as `TripleRows`."""
    if isinstance(triples, TripleRows):
        return triples
    if issparse(triples):
        raise TypeError("triples is a sparse matrix, expected (n_triples, 3) labels in an array, list or data frame.")
    for is_of_form, rows_of in FORMS:
        if is_of_form(triples):
            rows = rows_of(triples)
            break
    else:
        rows = _sequence_columns(triples)
    rows = rows if isinstance(rows, TripleRows) else TripleRows(rows)
    return TripleRows([_plain(column) for column in rows.columns], rows.data, rows.attributes)


def _plain(column):
    """Return a column as a list of labels, or coded, without anything of the library that it comes from."""
    if isinstance(column, CodedColumn):
        return column
    if hasattr(column, "factorize") and str(column.dtype) in ("str", "string"):  # of pandas, without other objects
        codes, distinct = column.factorize()
        if (codes >= 0).all():
            return CodedColumn(distinct.tolist(), codes)
    if hasattr(column, "to_pylist"):
        column = column.to_pylist()
    elif is_tensor(column):
        column = as_array(column)
    elif hasattr(column, "to_numpy"):
        column = _of_own_numbers(column)
    if isinstance(column, np.ndarray) and column.dtype.kind in "iu":
        return CodedColumn.of_integers(column)
    if isinstance(column, np.ndarray) and column.dtype.kind in "bSUf":
        return column.tolist()  # no foreign object can be in here
    values = plain_labels(column, "triples")
    foreign = {kind for kind in set(map(type, values)) if hasattr(kind, "n3") or _is_scalar_array(kind)}
    if foreign:
        values = [plain_object(value) if type(value) in foreign else value for value in values]
    return values


def _of_own_numbers(column):
    """Return a column of a data frame as an array, or a list where NumPy would make floats of integers with holes."""
    array = column.to_numpy()
    of_integers = array.dtype.kind == "f" and "int" in str(getattr(column, "dtype", "")).lower()
    return column.to_list() if of_integers and hasattr(column, "to_list") else array


def _is_scalar_array(kind):
    return hasattr(kind, "item") and hasattr(kind, "ndim") and not issubclass(kind, np.generic)


def plain_object(value):
    """Return a term of rdflib as a string, and a tensor of one number as the number."""
    return plain_term(value) if hasattr(value, "n3") else value.item()


def is_tensor(thing):
    """Tell whether something is an array of another library, of torch or JAX for instance."""
    if isinstance(thing, np.ndarray) or hasattr(thing, "columns") or not hasattr(thing, "shape"):
        return False
    return hasattr(thing, "detach") or (hasattr(thing, "__dlpack__") and hasattr(thing, "ndim"))


def as_array(tensor):
    """Return a tensor as a NumPy array, from whatever device it is on."""
    return tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else np.asarray(tensor)


def _is_container(triples):
    return hasattr(triples, "vocabulary") and hasattr(triples, "triple_data")


def _container_rows(triples):
    return TripleRows(list(triples.labels.T), triples.triple_data, triples.attribute_columns)


def _is_lazy(triples):
    return hasattr(triples, "collect")


def _refuse_lazy(_):
    raise TypeError("triples is a lazy data frame; pass what its collect() returns.")


def _is_group_of_splits(triples):
    return isinstance(triples, Mapping) and bool(triples) and all(hasattr(t, "column_names") for t in triples.values())


def _refuse_group_of_splits(triples):
    raise TypeError(
        f"triples is a {type(triples).__name__} of the splits {name_first(list(triples))}; pass one of them, such as "
        f"triples[{next(iter(triples))!r}]."
    )


def _named_rows(table, names):
    """Pick head, relation and tail from a data frame or a mapping, and keep its other columns."""
    if set(COLUMNS) <= set(names):
        chosen = COLUMNS
    elif list(names) == [0, 1, 2]:
        chosen = names
    else:
        chosen = find_named(names)
    if chosen is None:
        raise ValueError(
            f"triples has the columns {name_first(names)}; rename them so that 'head', 'relation' and 'tail' are among "
            "them."
        )
    if len(names) != len(set(names)):
        raise ValueError(f"triples has the columns {name_first(names)}; give each a name of its own.")
    columns = [table[name] for name in chosen]
    lengths = list(map(length_of, columns))
    if None in lengths:
        name = chosen[lengths.index(None)]
        raise TypeError(
            f"triples has {shown(table[name], 40)} as column {name!r}; give a list with a label for each row."
        )
    if len(set(lengths)) != 1:
        raise ValueError(f"triples has columns of the lengths {lengths}; they need one common length.")
    others = {name: table[name] for name in names if name not in chosen}
    for name, column in others.items():
        if length_of(column) != lengths[0]:
            raise ValueError(
                f"triples has in the column {name!r} {shown(column, 40)}, expected {lengths[0]} values, one for "
                "each row; leave the column out or fill it."
            )
    return TripleRows(columns, others)


def _sequence_columns(triples):
    if isinstance(triples, np.ndarray):
        return _array_columns(triples)
    if isinstance(triples, str | bytes | bytearray | memoryview) or not hasattr(triples, "__len__"):
        remedy = "; pass the path of the file to from_tsv, from_csv or from_rdf" if hasattr(triples, "read") else ""
        raise TypeError(f"triples is a {type(triples).__name__}, expected (n_triples, 3) labels{remedy}.")
    if isinstance(triples, set | frozenset):
        raise TypeError(f"triples is a {type(triples).__name__}, which has no order; pass a list.")
    kinds = set(map(type, triples))
    if kinds and all(issubclass(kind, Mapping) for kind in kinds):
        return _record_rows(triples)
    if not (kinds <= {list, tuple} and set(map(len, triples)) <= {3}):
        _check_rows(triples)
    return [list(map(itemgetter(position), triples)) for position in range(3)]


def _array_columns(triples):
    if triples.ndim == 2 and triples.shape[1] > 3 and triples.shape[1] % 3 == 0:
        raise TypeError(
            f"triples has {triples.shape[1]} columns, several triples side by side as FeatureUnion makes them; it "
            "cannot join triples: give each branch a Pipeline of its own."
        )
    if triples.ndim != 2 or triples.shape[1] != 3:
        remedy = "; transpose it" if triples.ndim == 2 and triples.shape[0] == 3 else ""
        raise ValueError(
            f"triples has the shape {triples.shape}, expected (n_triples, 3): head, relation, tail{remedy}."
        )
    return [triples[:, position] for position in range(3)]


def _check_rows(triples):
    for number, row in enumerate(triples):
        if length_of(row) != 3:
            raise ValueError(
                f"triples has the row {reprlib.repr(row)} at position {number}, expected head, relation, tail."
            )


def _record_rows(records):
    """Turn a list of mappings, as JSON gives it, into columns."""
    names = list(dict.fromkeys(name for record in records for name in record))
    chosen = COLUMNS if set(COLUMNS) <= set(names) else find_named(names)
    for number, record in enumerate(records):
        if chosen is None or not set(chosen) <= set(record):
            raise ValueError(
                f"triples has the record {reprlib.repr(dict(record))} at position {number}, expected the keys "
                f"{', '.join(map(repr, chosen or COLUMNS))}."
            )
    data = {name: [record.get(name) for record in records] for name in names if name not in chosen}
    return TripleRows([[record[name] for record in records] for name in chosen], data)


def _factory_columns(factory):
    """Labels of the triples of a PyKEEN factory; the ids themselves where it has no labels."""
    columns = as_array(factory.mapped_triples).T
    entities, relations = (_labels_by_id(factory, kind) for kind in ("entity", "relation"))
    if entities is None or relations is None:
        return list(columns)
    return [
        list(map(names.__getitem__, column.tolist()))
        for names, column in zip((entities, relations, entities), columns, strict=True)
    ]


def _labels_by_id(factory, kind):
    """Labels of the entities or relations of a factory by their ids, which some tell by label alone; None for none."""
    labels, ids = getattr(factory, f"{kind}_id_to_label", None), getattr(factory, f"{kind}_to_id", None)
    if labels is None and ids is not None:
        return {number: label for label, number in ids.items()}
    return labels


def _edge_columns(data):
    """Nodes and types of the edges of a PyG Data, which are numbers."""
    if getattr(data, "edge_type", None) is None:
        raise ValueError(
            f"triples is a {type(data).__name__} with edge_index and no edge_type; set edge_type to the number of the "
            "relation of each edge."
        )
    sources, targets = as_array(data.edge_index)
    return [sources, as_array(data.edge_type), targets]


def _typed_edge_columns(data):
    """Name each node of a PyG HeteroData by its type and number, as ``"author:0"``, since numbers repeat by type.

    A relation is called as in the middle of its edge type, unless several edge types share the word.
    """
    words = [relation for _, relation, _ in data.edge_types]
    columns = [], [], []
    for edge_type in data.edge_types:
        source, relation, target = edge_type
        if getattr(data[edge_type], "edge_index", None) is None:
            raise ValueError(
                f"triples is a {type(data).__name__} whose edge type {edge_type!r} has no edge_index; set it, or "
                "delete the edge type."
            )
        heads, tails = as_array(data[edge_type].edge_index).tolist()
        columns[0].extend(f"{source}:{number}" for number in heads)
        columns[1].extend([relation if words.count(relation) == 1 else " ".join(edge_type)] * len(heads))
        columns[2].extend(f"{target}:{number}" for number in tails)
    return list(columns)


def _has(*names):
    return lambda thing: all(hasattr(thing, name) for name in names)


# How a form is known, and how it is read; the first that fits. A PyG graph comes before the lazy frames, because it has
# a method `collect` as well.
FORMS: list[tuple[Any, Any]] = [
    (_is_container, _container_rows),
    (_has("mapped_triples"), _factory_columns),
    (_has("edge_types", "node_types"), _typed_edge_columns),
    (_has("edge_index"), _edge_columns),
    (has_edges, lambda graph: TripleRows(*network_rows(graph))),
    (is_rdf_graph, lambda graph: TripleRows(*rdf_graph_columns(graph))),
    (_is_lazy, _refuse_lazy),
    (_is_group_of_splits, _refuse_group_of_splits),
    (lambda thing: isinstance(thing, Mapping), lambda table: _named_rows(table, list(table))),
    (
        lambda thing: isinstance(thing, np.ndarray) and thing.dtype.names is not None,
        lambda table: _named_rows(table, list(table.dtype.names)),
    ),
    (_has("column_names"), lambda table: _named_rows(table, list(table.column_names))),
    (_has("columns"), lambda table: _named_rows(table, list(table.columns))),
    (is_tensor, lambda tensor: _array_columns(as_array(tensor))),
]
