"""Why a triple is likely: what each kind of evidence adds to its log-odds, and the facts behind it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._graph.triples import COLUMNS
from .._graph.vocabulary import Vocabulary
from .._utils.frames import data_frame
from .._utils.html import signed_bar, table

SHOWN_TRIPLES = 10
SHOWN_FACTS = 3


@dataclass(frozen=True)
class Fact:
    """Something in the training triples that evidence rests on.

    Parameters
    ----------
    evidence : str
        Name of the evidence.
    side : {"head", "tail"}
        The side of the triple that it speaks for as an answer.
    text : str
        What the number is.
    value : float
    triples : tuple of (head, relation, tail), default=()
        Training triples, in labels.

    Examples
    --------
    >>> from skotkge import Fact
    >>> print(Fact("rules", "tail", "confidence of wife_of reversed", 0.8, (("ann", "wife_of", "bob"),)))
    tail: confidence of wife_of reversed 0.8, (ann, wife_of, bob)
    """

    evidence: str
    side: str
    text: str
    value: float
    triples: tuple = ()

    def __str__(self):
        return self.told(lambda triple: f"({', '.join(map(str, triple))})")

    def told(self, shown):
        """Write the fact, with a function that writes a triple."""
        return ", ".join([f"{self.side}: {self.text} {self.value:.3g}", *map(shown, self.triples)])


@dataclass(frozen=True)
class Explanation:
    """Contributions to the log-odds of triples.

    Attributes
    ----------
    triples : ndarray of shape (n_triples, 3), dtype object
    kinds : list of str
        Kind of evidence of each column: "structure", "modalities", ..., then "combiner", if the model has one,
        "self_loop" and "offset", the log-odds of a triple of which no evidence speaks; last "constraints", if the
        model has any.
    evidence : list of str
        Name of each column: `evidence_names_` of the model, and these.
    contributions : ndarray of shape (n_triples, n_columns)
        They sum to `decision_function`. NaN for a triple with an unknown label.
    facts : list of tuple of Fact
        For each triple, those of the evidence that contributes most first.
    vocabulary : Vocabulary
        That of the model, with names of entities if there are any.

    Examples
    --------
    >>> from skotkge.baselines import RuleBaseline
    >>> triples = [("ann", "wife_of", "bob"), ("bob", "husband_of", "ann"), ("zoe", "wife_of", "leo")]
    >>> triples += [("leo", "husband_of", "zoe"), ("eve", "wife_of", "joe")]
    >>> explanation = RuleBaseline(random_state=0).fit(triples).explain([("joe", "husband_of", "eve")])
    >>> explanation.kinds
    ['rules', 'self_loop', 'offset']
    >>> bool(explanation.by_kind()["rules"][0] > 0)
    True
    """

    triples: np.ndarray
    kinds: list
    evidence: list
    contributions: np.ndarray
    facts: list
    vocabulary: Vocabulary

    def __len__(self):
        return len(self.triples)

    @property
    def log_odds(self) -> np.ndarray:
        """Sums of the contributions, of shape (n_triples,)."""
        return self.contributions.sum(axis=1)

    def by_kind(self) -> dict[str, np.ndarray]:
        """Contributions ``(n_triples,)`` of each kind of evidence."""
        columns = np.array(self.kinds)
        return {kind: self.contributions[:, columns == kind].sum(axis=1) for kind in dict.fromkeys(self.kinds)}

    def to_frame(self, library: str = "pandas") -> Any:
        """Return a data frame with one row for each triple and column of contributions.

        Parameters
        ----------
        library : {"pandas", "polars"}, default="pandas"

        Returns
        -------
        DataFrame
            Columns triple (row number), head, relation, tail, kind, evidence, contribution, facts (text); and last
            head_name and tail_name, if the model knows names.

        Raises
        ------
        ImportError
            If the library is not installed.
        """
        return data_frame(library, self.columns(), "to_frame")

    def columns(self) -> dict[str, Any]:
        """Return the columns of `to_frame`, one value for each triple and column of contributions.

        Returns
        -------
        dict of str to list or ndarray
        """
        n_triples, n_columns = self.contributions.shape
        rows = np.repeat(np.arange(n_triples), n_columns)
        columns = {"triple": rows}
        columns |= {name: self.triples[rows, position].tolist() for position, name in enumerate(COLUMNS)}
        columns |= {"kind": self.kinds * n_triples, "evidence": self.evidence * n_triples}
        columns["contribution"] = self.contributions.ravel()
        columns["facts"] = [
            "; ".join(fact.told(self._named) for fact in facts if fact.evidence == name)
            for facts in self.facts
            for name in self.evidence
        ]
        if self.vocabulary.names is not None:
            for position in (0, 2):
                columns[f"{COLUMNS[position]}_name"] = self.vocabulary.names_of(self.triples[rows, position]).tolist()
        return columns

    def __str__(self):
        lines = []
        for row in range(min(len(self), SHOWN_TRIPLES)):
            lines.append(f"{self._shown(self.triples[row])}: log-odds {self.log_odds[row]:.2f}")
            parts = {kind: values[row] for kind, values in self.by_kind().items()}
            for kind in sorted(parts, key=lambda kind: -abs(parts[kind])):
                if parts[kind]:
                    lines.append(f"  {parts[kind]:+7.2f}  {kind}")
            for fact in self._shown_facts(row):
                lines.append(f"           {fact.told(self._shown)}")
        if len(self) > SHOWN_TRIPLES:
            lines.append(f"and {len(self) - SHOWN_TRIPLES} more; see to_frame()")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        parts = []
        for row in range(min(len(self), SHOWN_TRIPLES)):
            added = {kind: float(values[row]) for kind, values in self.by_kind().items() if abs(values[row]) > 0}
            largest = max(map(abs, added.values()), default=0.0)
            kinds = sorted(added, key=lambda kind: -abs(added[kind]))
            title = f"{self._shown(self.triples[row])}: log-odds {self.log_odds[row]:.2f}"
            parts.append(table(title, [], [[kind, added[kind], signed_bar(added[kind], largest)] for kind in kinds]))
            facts = [
                [fact.side, fact.text, float(fact.value), ", ".join(map(self._shown, fact.triples))]
                for fact in self._shown_facts(row)
            ]
            parts.append(table("facts", [], facts) if facts else "")
        left_out = len(self) - SHOWN_TRIPLES
        return "".join(parts) + (f"<p>and {left_out} more; see to_frame()</p>" if left_out > 0 else "")

    def _shown_facts(self, row):
        """The first few facts of what says something of a triple."""
        told = dict(zip(self.evidence, self.contributions[row], strict=True))
        return [fact for fact in self.facts[row] if told[fact.evidence]][:SHOWN_FACTS]

    def _named(self, triple):
        head, relation, tail = triple
        return f"({self.vocabulary.with_name(head)}, {relation}, {self.vocabulary.with_name(tail)})"

    def _shown(self, triple):
        head, relation, tail = triple
        return f"({self.vocabulary.shown(head)}, {relation}, {self.vocabulary.shown(tail)})"
