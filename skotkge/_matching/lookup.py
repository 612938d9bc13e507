"""Labels of entities and their row numbers."""

import numpy as np

from .._graph.labels import plain_labels
from .._utils.messages import shown


def label_key(label):
    """A hashable key that is equal only for labels of the same type and value: 1, 1.0 and True are three labels."""
    return label if type(label) in (str, int) else (type(label), label)


class RowNumbers:
    """Row numbers of the entities of one graph.

    Parameters
    ----------
    entities : ndarray of shape (n_entities,), dtype object
        Distinct labels.
    """

    def __init__(self, entities):
        keys = map(label_key, entities.tolist())
        self._row_of_key = {key: row for row, key in enumerate(keys)}

    def rows(self, labels, argument):
        """Return the row number of each label.

        Parameters
        ----------
        labels : sequence of length n
        argument : str
            What the labels are called in the error message.

        Returns
        -------
        ndarray of shape (n,), dtype int64

        Raises
        ------
        ValueError
            If a label is not among the entities.
        """
        labels = plain_labels(labels, argument)
        rows = np.fromiter((self._row_of_key.get(label_key(label), -1) for label in labels), np.int64, len(labels))
        unknown = [label for label, row in zip(labels, rows.tolist(), strict=True) if row < 0]
        if unknown:
            raise ValueError(
                f"{argument} has {len(unknown)} labels that are no entities of the graph, the first is "
                f"{shown(unknown[0])}; add them to the graph or leave them out."
            )
        return rows
