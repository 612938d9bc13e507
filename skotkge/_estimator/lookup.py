"""The ids of a user's triples in the table of a fitted model."""

import numpy as np

from .._graph.labels import first_occurrences, name_first, same_labels
from .._graph.triples import MultimodalTriples, as_label_triples, as_triple_sets
from .._graph.vocabulary import Vocabulary


class FittedTable:
    """Entities and relations that a fit has seen, and what becomes of labels that it has not.

    Parameters
    ----------
    entities, relations : ndarray of shape (n_entities,) and (n_relations,), dtype object
    handle_unknown : {"error", "last"}
    """

    def __init__(self, entities, relations, handle_unknown):
        self._vocabulary, self._handle_unknown = Vocabulary(entities, relations), handle_unknown

    def ids_of(self, X):
        """Ids of triples and a mask of the rows whose labels are all known; the others have ids of 0 there."""
        if (
            isinstance(X, MultimodalTriples)
            and same_labels(X.entities, self._vocabulary.entities)
            and same_labels(X.relations, self._vocabulary.relations)
        ):
            return X.ids, np.ones(len(X), dtype=bool)
        return self.ids_of_labels(as_label_triples(X))

    def ids_of_labels(self, labels, empty=False):
        """As `ids_of`, for an array of labels; places marked in `empty` are not looked up.

        Raises
        ------
        ValueError
            If a label is unknown and ``handle_unknown="error"``.
        """
        ids = np.where(empty, 0, self._vocabulary.ids_of(labels))
        if (ids < 0).any() and self._handle_unknown == "error":
            unknown = name_first(first_occurrences(labels[ids < 0]))
            raise ValueError(
                f"X has labels that fit has not seen: {unknown}; set handle_unknown='last' to rank such rows last."
            )
        known = (ids >= 0).all(axis=1)
        return np.where(known[:, None], ids, 0), known

    def ids_of_known(self, known):
        """Ids of the triples of one set or a list of sets that lie in the table.

        Returns
        -------
        list of ndarray of shape (n_triples, 3)

        Raises
        ------
        ValueError
            If no triple of a set does.
        """
        found = []
        for triples in as_triple_sets(known):
            labels = as_label_triples(triples)
            ids = self._vocabulary.ids_of(labels)
            in_table = (ids >= 0).all(axis=1)
            if len(ids) and not in_table.any():
                raise ValueError(
                    f"known holds no triple of the fitted table; the first is {labels[0].tolist()!r}: give those of "
                    "the same graph."
                )
            found.append(ids[in_table])
        return found
