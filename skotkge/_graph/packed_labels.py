"""Labels in few arrays, for files that would write each label apart."""

import numpy as np

SMALLEST, LARGEST = -(2**63), 2**63 - 1


def pack_labels(labels):
    """Return labels, names or texts in arrays where all are strings, None among them, or all are integers.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,), dtype object, or None

    Returns
    -------
    dict of str to ndarray, ndarray or None
        Text and lengths in characters of strings, -1 for None, the array of integers, else the labels themselves.
    """
    types = set(map(type, labels)) if labels is not None else set()
    if str in types and types <= {str, type(None)}:
        text = "".join(filter(None, labels)).encode("utf-8", "surrogatepass")  # a label may hold half of a UTF-16 pair
        lengths = map(len, labels) if types == {str} else (-1 if label is None else len(label) for label in labels)
        return {
            "text": np.frombuffer(text, dtype=np.uint8),
            "lengths": np.fromiter(lengths, dtype=np.int64, count=len(labels)),
        }
    if types == {int} and min(labels) >= SMALLEST and max(labels) <= LARGEST:
        return {"integers": labels.astype(np.int64)}
    return labels


def unpack_labels(packed):
    """Return the labels that `pack_labels` has packed."""
    if not isinstance(packed, dict):
        return packed
    if "integers" in packed:
        return packed["integers"].astype(object)
    text = packed["text"].tobytes().decode("utf-8", "surrogatepass")
    lengths = packed["lengths"]
    ends = np.cumsum(np.maximum(lengths, 0))
    labels = np.empty(len(ends), dtype=object)
    labels[:] = [text[start:end] for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)]
    labels[lengths < 0] = None
    return labels
