"""What everything that scores an answer offers: stored as arrays, and bound to a device to answer with.

Sources, relations and answers are ids. Relation ``n_relations + r`` is the reciprocal of relation r, so that a query
for heads is one for tails of the reciprocal.
"""

from typing import Any, Protocol, runtime_checkable

from .._spaces import EvidenceId


@runtime_checkable
class Evidence(Protocol):
    """One kind of evidence about answers, in NumPy arrays.

    Attributes
    ----------
    id : EvidenceId
    n_entities : int

    Examples
    --------
    >>> from skotkge import Evidence
    >>> from skotkge.baselines import RuleBaseline
    >>> rules = RuleBaseline(random_state=0).fit([("ann", "likes", "bob"), ("bob", "likes", "ann")])
    >>> (evidence,) = rules.predictor_.evidence
    >>> isinstance(evidence, Evidence), str(evidence.id), evidence.n_entities
    (True, 'rules', 2)
    """

    id: EvidenceId
    n_entities: int

    def on(self, device: str) -> "BoundEvidence":
        """Return the same evidence with its tables on a device."""

    def extended(self, unseen: Any) -> "Evidence":
        """Return the same evidence with unseen entities (`UnseenEntities`) at the end."""

    def state(self) -> dict[str, Any]:
        """Return plain values and arrays that `from_state` of the class makes the evidence of again."""

    # Evidence may also have ``facts(source, relation, answer)``, for explanations: what it rests on for one answer to
    # one query, as a list of (text, value, links); a link is (source, relation or reciprocal, answer) of a training
    # triple.


class BoundEvidence(Protocol):
    """Evidence on a device, in tensors.

    Attributes
    ----------
    n_entities : int
    n_columns : int
        Numbers held for each query or entity while scores are computed, to plan memory by.

    Examples
    --------
    Of the rule "who is liked likes in return", which holds in two of two cases and has one more added to smooth it:

    >>> import torch
    >>> from skotkge.baselines import RuleBaseline
    >>> triples = [("ann", "likes", "bob"), ("bob", "likes", "ann"), ("bob", "likes", "eve")]
    >>> rules = RuleBaseline(random_state=0).fit(triples)
    >>> bound = rules.predictor_.evidence[0].on("cpu")
    >>> sources, relations, answers = (torch.tensor([number]) for number in (2, 0, 1))  # eve likes bob
    >>> bound.pair_scores(bound.queries(sources, relations), answers)
    tensor([0.5000], dtype=torch.float64)
    """

    n_entities: int
    n_columns: int

    def queries(self, sources, relations):
        """Whatever the evidence derives from queries, given as index tensors of shape (n_queries,)."""

    def add_scores(self, entities, queries, weights, out):
        """Add ``weights * score`` of each query with the entities of a slice to `out`.

        Parameters
        ----------
        entities : slice
        queries : from `queries`
        weights : float or tensor of shape (n_queries, 1)
        out : tensor of shape (n_queries, n_entities_of_slice)
        """

    def pair_scores(self, queries, answers):
        """Scores of each query with one answer each, ``(n_queries,)`` in double precision."""

    # Evidence that counts training triples has ``own_row(queries, answers)`` too: what the scores of training triples
    # change by where their own row is not counted, in double precision.
    #
    # Evidence that looks at relation and answer alone may also have ``table()``: its scores as a tensor of shape
    # (2 * n_relations, n_entities), or None where that would be too large. Such tables are added up once.
