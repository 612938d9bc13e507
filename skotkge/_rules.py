"""Which relations imply which: rules of one premise between the same two entities. Arrays in, arrays out."""

import numpy as np
from scipy import sparse

from ._queries import both_directions


class PairLinks:
    """The relations that link each ordered pair of entities, reciprocal ones included.

    A triple (h, r, t) links (h, t) by r and (t, h) by the reciprocal relation ``n_relations + r``.

    Parameters
    ----------
    ids : ndarray of shape (n_triples, 3)
    n_entities, n_relations : int

    Attributes
    ----------
    matrix : csr_array of shape (n_pairs, 2 * n_relations)
        1 where a relation links the pair; the pairs in lexicographic order.
    """

    def __init__(self, ids, n_entities, n_relations):
        self._n_entities = n_entities
        sources, relations, answers = both_directions(np.unique(ids, axis=0), n_relations)
        self._keys, pairs = np.unique(sources * n_entities + answers, return_inverse=True)
        shape = len(self._keys), 2 * n_relations
        self.matrix = sparse.csr_array((np.ones(len(pairs)), (pairs, relations)), shape=shape)

    def of(self, sources, answers):
        """Return the rows of the matrix for any pairs, empty where nothing links the two."""
        keys = sources * self._n_entities + answers
        places = np.minimum(np.searchsorted(self._keys, keys), len(self._keys) - 1)
        rows = np.flatnonzero((self._keys[places] == keys) & (sources >= 0) & (answers >= 0))
        pick = sparse.csr_array((np.ones(len(rows)), (rows, places[rows])), shape=(len(keys), len(self._keys)))
        return (pick @ self.matrix).tocsr()


def rule_confidences(links, smoothing):
    """How often two entities that one relation links are linked by another one too.

    Parameters
    ----------
    links : PairLinks
    smoothing : float
        Pairs without the conclusion that are imagined for each premise, so that rules seen once or twice count less.

    Returns
    -------
    csr_array of shape (2 * n_relations, 2 * n_relations)
        Row b, column r: pairs linked by b and by r, divided by those linked by b and `smoothing`. With r below
        ``n_relations``, b from there on is a relation in the other direction. The diagonal is empty.
    """
    together = (links.matrix.T @ links.matrix).tocoo()
    support = np.bincount(links.matrix.indices, minlength=links.matrix.shape[1])
    rules = together.row != together.col
    premises, conclusions = together.row[rules], together.col[rules]
    confidences = together.data[rules] / (support[premises] + smoothing)
    return sparse.csr_array((confidences, (premises, conclusions)), shape=together.shape)


def at_least(confidences, threshold):
    """Return the rules of at least this confidence."""
    rules = confidences.tocoo()
    kept = rules.data >= threshold
    return sparse.csr_array((rules.data[kept], (rules.row[kept], rules.col[kept])), shape=rules.shape)
