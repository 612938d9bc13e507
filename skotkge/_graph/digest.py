"""Which data something was made of, in one number: equal for equal triples, labels and vectors, on every machine."""

import hashlib

import numpy as np

from .._utils.memory import row_blocks
from .packed_labels import pack_labels


def data_digest(X, *more, modalities=None):
    """Digest of triples over their table.

    Parameters
    ----------
    X : MultimodalTriples
    *more : ndarray
        Further arrays of numbers that tell what was done, such as the ids of validation triples.
    modalities : collection of str, default=None
        Those that count; None is all.

    Returns
    -------
    str
        SHA-256, in hexadecimal digits.
    """
    digest = hashlib.sha256()
    for labels in (X.entities, X.relations):
        _add_labels(digest, labels)
    for array in (X.ids, *more):
        _add_array(digest, np.asarray(array))
    for name in X.modalities if modalities is None else modalities:
        digest.update(name.encode("utf-8", "surrogatepass"))
        _add_array(digest, X.modalities[name])
    return digest.hexdigest()


def _add_labels(digest, labels):
    packed = pack_labels(labels)
    if isinstance(packed, dict):
        for name, array in packed.items():
            digest.update(name.encode())
            _add_array(digest, array)
        return
    for label in labels:
        text = f"{type(label).__name__} {label!r}".encode("utf-8", "surrogatepass")
        digest.update(b"%d " % len(text) + text)


def _add_array(digest, array):
    """Shape, kind and values of an array, the values in little-endian order and by blocks of rows."""
    kind = array.dtype.newbyteorder("<")
    digest.update(f"{array.shape} {kind.str}".encode())
    rows = array.reshape(len(array), -1) if array.ndim != 2 else array
    for block in row_blocks(rows.shape):
        digest.update(np.ascontiguousarray(rows[block], dtype=kind))
