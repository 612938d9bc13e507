"""What a page tells of a model that predicts links: known and probable ones, answers, reasons, what is alike."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._graph.queries import KnownAnswers
from .._utils.messages import shown
from .described import Described
from .tables import LabelTable, entity_tables

# Questions about an entity score at most this many candidates, and are at most so many.
MOST_SCORED = 2 * 10**7
MOST_QUESTIONS = 64
# Entities that have a link in common with another; what a fifth of them link by is asked of it as well.
MOST_PEERS = 100
SHARE_OF_PEERS = 0.2
# Of the links of a neighbour, so many are looked through for others of the neighbourhood.
LINKS_OF_NEIGHBOUR = 1000
SIDES = ("head", "both", "tail")


@dataclass(frozen=True)
class Link:
    """A triple in ids, and what the model says of it.

    Attributes
    ----------
    triple : tuple of int
    probability : float
        NaN where the model has not seen a label.
    known : bool
    side : {"head", "both", "tail"}
        Which position answers; "both" for a triple by itself and for relations.
    """

    triple: tuple
    probability: float
    known: bool
    side: str = "both"

    def other(self, entity):
        """The end that is not an entity; the tail of a link from it to itself."""
        return self.triple[2] if self.triple[0] == entity else self.triple[0]


@dataclass(frozen=True)
class Found:
    """Some links of more, and what the reader should know about how they were found."""

    links: list
    total: int
    note: str = ""


@dataclass(frozen=True)
class Reasons:
    """Why a triple is likely.

    Attributes
    ----------
    log_odds : float
    contributions : list of (str, float)
        Of each kind of evidence, the largest first.
    facts : list of (Fact, list of tuple of int)
        With the triples of each in ids.
    """

    log_odds: float
    contributions: list
    facts: list


class LinkAnswers:
    """Answers of a model over its entities and those of a folder.

    Parameters
    ----------
    model : estimator
        With the answer methods of `OTKGEClassifier`.
    folder : GraphFolder, default=None
    picture_folder : Path, default=None
        Where the pictures that the model names have to lie.
    """

    def __init__(self, model, folder=None, picture_folder=None):
        self.model = model
        vocabulary = model.predictor_.vocabulary
        self.n_entities, self.n_relations = vocabulary.shape
        triples = np.empty((0, 3), dtype=object) if folder is None else folder.triples
        if len(triples) and not (vocabulary.ids_of(triples) >= 0).all(axis=1).any():
            raise ValueError(
                f"{folder.path} holds no triple of the model; the first is {shown(triples[0].tolist())}: give the "
                "folder of the same graph"
            )
        # Shown by the first page: whoever gave a folder expects links of it.
        self.folder_without_triples = None if folder is None or len(triples) else folder.path
        entities, relations, ids = entity_tables(vocabulary, triples)
        self._known = model.predictor_.known
        self._more = KnownAnswers(self._new_triples(ids), len(relations))
        true_ids = model.predictor_.true_ids
        self.n_known = len(true_ids) + len(self._more.pairs()[0]) // 2
        degrees = np.bincount(true_ids[:, [0, 2]].ravel(), minlength=len(entities))
        degrees += np.bincount(self._more.pairs()[1], minlength=len(entities))
        frequency = np.bincount(true_ids[:, 1], minlength=len(relations))
        told = Described(entities, vocabulary.descriptions, folder, picture_folder)
        index = vocabulary.entity_index if entities is vocabulary.entities else None
        self.entities = LabelTable(entities, told, degrees, index)
        self.relations = LabelTable(relations, weights=frequency)
        self.tables = {"X": self.entities}

    def _new_triples(self, ids):
        """The distinct triples of a folder that the model does not have."""
        ids = np.unique(ids, axis=0)
        inside = self._of_model(ids)
        inside[inside] = self._known.contains(ids[inside])
        return ids[~inside]

    def _of_model(self, ids):
        """Which triples have labels of the model alone."""
        return (ids[:, [0, 2]] < self.n_entities).all(axis=1) & (ids[:, 1] < self.n_relations)

    def labels(self, triple):
        """Return the labels of a triple of ids."""
        head, relation, tail = triple
        return self.entities.labels[head], self.relations.labels[relation], self.entities.labels[tail]

    def known_ids(self, entity):
        """Return all known links of an entity as ids ``(n_links, 3)``, those from it first."""
        found = []
        for known, n_relations, in_range in (
            (self._known, self.n_relations, entity < self.n_entities),
            (self._more, len(self.relations), True),
        ):
            queries = np.arange(2 * n_relations if in_range else 0)
            rows, answers = known.answers_of(np.full(len(queries), entity), queries)
            relations, reverse = queries[rows] % max(1, n_relations), queries[rows] >= n_relations
            heads, tails = np.where(reverse, answers, entity), np.where(reverse, entity, answers)
            found.append(np.column_stack([heads, relations, tails])[~(reverse & (answers == entity))])
        ids = np.concatenate(found)
        return ids[np.argsort(ids[:, 0] != entity, kind="stable")]

    def relations_of(self, entity):
        """Return the relations of the known links of an entity, the most frequent first."""
        counts = np.bincount(self.known_ids(entity)[:, 1], minlength=len(self.relations))
        order = np.argsort(-counts, kind="stable")
        return order[counts[order] > 0].tolist()

    def known_links(self, entity, relation=None, n=20):
        """Return the known links of an entity, by all relations or one, the most probable of the first n first."""
        ids = self.known_ids(entity)
        ids = ids if relation is None else ids[ids[:, 1] == relation]
        return Found(self._judged(_spread(ids, n), known=True), len(ids))

    def known_answers(self, question, n=20):
        """Return the known answers to a question in ids, with None in its empty position."""
        asked = question.index(None)
        given = [id for place, id in enumerate(question) if place != asked and place != 1]
        ids = self.known_ids(given[0])
        fits = np.ones(len(ids), dtype=bool)
        for place, id in enumerate(question):
            fits &= True if id is None else ids[:, place] == id
        ids = ids[fits]
        return Found(self._judged(ids[:n], known=True), len(ids))

    def _judged(self, ids, known):
        """Links of triples of ids, the most probable first."""
        probabilities = np.full(len(ids), np.nan)
        inside = self._of_model(ids)
        if inside.any():
            labels = np.array([self.labels(triple) for triple in ids[inside]], dtype=object).reshape(-1, 3)
            probabilities[inside] = self.model.predict_proba(labels)[:, 1]
        order = np.argsort(-np.nan_to_num(probabilities, nan=-1.0), kind="stable")
        return [Link(tuple(ids[i].tolist()), float(probabilities[i]), known) for i in order]

    def probability(self, triple):
        """Return the probability of a triple of ids by itself, NaN where the model has not seen a label."""
        return self._judged(np.array([triple]), known=False)[0].probability

    def is_known(self, triple):
        """Tell whether a triple of ids is known."""
        ids = np.array([triple])
        return bool(self._of_model(ids)[0] and self._known.contains(ids)[0]) or bool(self._more.contains(ids)[0])

    def probable_links(self, entity, relation=None, n=20):
        """Return the most probable links of an entity that are not known, by one relation or those that fit it."""
        if entity >= self.n_entities:
            return Found([], 0, "The model has not seen this entity: it is in the folder of the graph only.")
        asked = self._roles_to_ask(entity) if relation is None else [(relation, 0), (relation, 2)]
        asked = [(relation, place) for relation, place in asked if relation < self.n_relations]
        questions = [(entity, r, None) if place == 0 else (None, r, entity) for r, place in asked]
        links = self._answers(questions, n) if questions else []
        links.sort(key=lambda link: -link.probability)
        best = {}
        for link in links:
            best.setdefault(link.triple, link)
        note = "Asked by the relations of this entity, and of those that share a link with it; filter to ask by others."
        return Found(list(best.values())[:n], len(best), note if relation is None else "")

    def _roles_to_ask(self, entity):
        """Relations with the position (0 or 2) of an entity in them: its own, then those of its peers.

        The probability of an answer holds where a question has one, which nobody knows of any relation whatever.
        """
        most = max(2, min(MOST_QUESTIONS, MOST_SCORED // self.n_entities))
        own = self._roles(entity)
        peers = self._peers(entity)
        counts = Counter(role for peer in peers for role in self._roles(peer))
        others = [role for role, count in counts.most_common() if count >= SHARE_OF_PEERS * len(peers)]
        roles = list(dict.fromkeys([*own, *others]))
        if not roles:
            roles = [(relation, place) for relation in self.relations.index.search("", most) for place in (0, 2)]
        return roles[:most]

    def _roles(self, entity):
        """Relations of known links with the position of an entity in them, the most frequent first."""
        ids = self.known_ids(entity)[:LINKS_OF_NEIGHBOUR]
        places = np.where(ids[:, 0] == entity, 0, 2)
        return [role for role, _ in Counter(zip(ids[:, 1].tolist(), places.tolist(), strict=True)).most_common()]

    def _peers(self, entity):
        """Other entities that have the same link to the same entity."""
        peers = {}
        for head, relation, tail in _spread(self.known_ids(entity), MOST_PEERS).tolist():
            place = 0 if head == entity else 2
            ids = self.known_ids(tail if place == 0 else head)[:LINKS_OF_NEIGHBOUR]
            peers |= dict.fromkeys(ids[ids[:, 1] == relation, place][:MOST_PEERS].tolist())
            if len(peers) > MOST_PEERS:
                break
        peers.pop(entity, None)
        return list(peers)[:MOST_PEERS]

    def answers(self, question, n=20):
        """Return the best answers to a question in ids that are not known; None is its empty position."""
        if any(
            id is not None and id >= (self.n_relations if place == 1 else self.n_entities)
            for place, id in enumerate(question)
        ):
            return Found([], 0, "The model has not seen all labels of this question.")
        links = self._answers([question], n)[:n]
        return Found(links, len(links))

    def _answers(self, questions, n):
        """Up to n answers to each question, without known ones."""
        labels = np.full((len(questions), 3), None, dtype=object)
        tables = self.entities.labels, self.relations.labels, self.entities.labels
        for row, question in enumerate(questions):
            for place, id in enumerate(question):
                labels[row, place] = None if id is None else tables[place][id]
        further = max(self._number_of_more(question) for question in questions)
        answers = self.model.complete(labels, k=n + further)
        links = []
        for row, question in enumerate(questions):
            found = np.isfinite(answers.probabilities[row])
            asked = question.index(None)
            ids = np.array([question] * int(found.sum()), dtype=object).reshape(-1, 3)
            ids[:, asked] = self._positions(answers.labels[row][found], asked)
            ids = ids.astype(np.int64)
            new = ~self._more.contains(ids)
            probabilities = answers.probabilities[row][found]
            links += [
                Link(tuple(ids[i].tolist()), float(probabilities[i]), known=False, side=SIDES[asked])
                for i in np.flatnonzero(new)[:n]
            ]
        return links

    def _number_of_more(self, question):
        """How many answers the folder knows that the model does not."""
        head, relation, tail = question
        if relation is None:
            return len(self.relations)
        source, query = (head, relation) if tail is None else (tail, relation + len(self.relations))
        return len(self._more.answers_of(np.array([source]), np.array([query]))[0])

    def _positions(self, labels, place):
        vocabulary = self.model.predictor_.vocabulary
        return (vocabulary.relation_index if place == 1 else vocabulary.entity_index).positions(labels)

    def reasons(self, triple, side="both"):
        """Return why a triple of ids is likely, None where the model has not seen a label."""
        ids = np.array([triple])
        if not self._of_model(ids)[0]:
            return None
        labels = np.array([self.labels(triple)], dtype=object).reshape(1, 3)
        explanation = self.model.explain(labels, side=side)
        parts = [(kind, float(values[0])) for kind, values in explanation.by_kind().items()]
        parts = sorted((part for part in parts if part[1]), key=lambda part: -abs(part[1]))
        vocabulary = self.model.predictor_.vocabulary
        facts = []
        for fact in explanation.facts[0]:
            links = np.array(fact.triples, dtype=object).reshape(-1, 3)
            facts.append((fact, [tuple(link) for link in vocabulary.ids_of(links).tolist()]))
        return Reasons(float(explanation.log_odds[0]), parts, facts)

    @cached_property
    def finds_similar(self):
        """Whether the model has embeddings to compare."""
        return bool(getattr(self.model, "space_embeddings_", None)) and hasattr(self.model, "nearest")

    def similar(self, entity, n=8):
        """Return the entities with the most similar embeddings, as (id, cosine)."""
        if entity >= self.n_entities or not self.finds_similar:
            return []
        asked = np.empty(1, dtype=object)
        asked[0] = self.entities.labels[entity]
        labels, similarities = self.model.nearest(asked, k=n)
        found = np.isfinite(similarities[0])
        ids = self._positions(labels[0][found], 0)
        return list(zip(ids.tolist(), similarities[0][found].tolist(), strict=True))

    def neighbourhood(self, entity, probable=(), n=18):
        """Return links around an entity: n known and some probable ones, and known ones between those it links to.

        Returns
        -------
        list of Link
            Without probabilities where they are known.
        """
        own = [Link(tuple(ids), np.nan, known=True) for ids in _spread(self.known_ids(entity), n).tolist()]
        around = {link.other(entity) for link in [*own, *probable]} - {entity}
        between = set()
        for other in around:
            ids = self.known_ids(other)[:LINKS_OF_NEIGHBOUR]
            between |= {ids_ for ids_ in map(tuple, ids.tolist()) if ids_[0] in around and ids_[2] in around}
        return [*own, *probable] + [Link(triple, np.nan, known=True) for triple in sorted(between)]


def _spread(ids, n):
    """Up to n triples in turn of each relation and direction, so that a frequent relation hides no other."""
    if len(ids) <= n:
        return ids
    _, group = np.unique(ids[:, 1] * 2 + (ids[:, 0] == ids[0, 0]), return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.searchsorted(group[order], np.arange(group.max() + 1))
    turn = np.empty(len(ids), dtype=np.int64)
    turn[order] = np.arange(len(ids)) - starts[group[order]]
    return ids[np.sort(np.argsort(turn, kind="stable")[:n])]
