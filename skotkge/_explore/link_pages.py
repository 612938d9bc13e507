"""Pages about a model that predicts links: start, entity, question, reasons."""

from nicegui import ui

from .drawing import contributions_chart, neighbourhood_chart
from .parts import (
    Finder,
    asking,
    computed,
    decision_buttons,
    element,
    entity_link,
    frame,
    go,
    heading,
    note,
    picture,
    probability_bar,
    problem,
)
from .site import LONGEST_START, address, percent
from .tables import readable

SHOWN, MOST_SHOWN = 20, 500
# Probable links beside the known ones in a drawing.
MOST_DRAWN = 6
# Comparing all embeddings takes seconds where there are more entities, so that it has to be asked for.
COMPARED_UNASKED = 100_000
PLACES = ("head", "relation", "tail")


class LinkPages:
    """The pages, which `add` makes known to NiceGUI.

    Parameters
    ----------
    site : Site
        With `LinkAnswers`.
    """

    def __init__(self, site):
        self.site, self.answers = site, site.answers
        self.entities, self.relations = site.answers.entities, site.answers.relations

    def add(self):
        """Register all pages."""
        for path, page in (("/", self.start), ("/entity", self.entity), ("/ask", self.ask), ("/why", self.why)):
            ui.page(path, response_timeout=LONGEST_START)(page)

    def start(self):
        """Where one finds an entity, or asks a question."""
        with frame(self.site, "", here="/"):
            counts = len(self.entities), len(self.relations), self.answers.n_known
            heading("Find an entity", 1)
            note("{:,} entities, {:,} relations, {:,} known triples".format(*counts))
            empty = self.answers.folder_without_triples
            if empty is not None:
                note(f"{empty} holds no triple: known links are those of the model alone.")
            if not self.entities.told.has_names:
                note(
                    "The model knows no names, so that entities are shown by their labels. --graph with a file "
                    "names.tsv adds them."
                )
            with element("div", "columns"):
                with ui.element("div"):
                    Finder(self.site, self.entities, "Name or label", self._open, lists_all=True)
                with ui.element("div"):
                    heading("Or ask a question")
                    self._form({})

    def _open(self, entity):
        go(self._address(entity))

    def _address(self, entity, **more):
        return address("/entity", label=self.entities.token(entity), **more)

    def _form(self, given):
        """Three fields, of which one is left empty."""
        note("Leave the position empty that is to be answered.")
        with element("div", "ask"):
            tables = self.entities, self.relations, self.entities
            fields = {
                place: Finder(self.site, table, place.capitalize(), value=given.get(place) or "")
                for place, table in zip(PLACES, tables, strict=True)
            }
            ui.button("Ask", on_click=lambda: self._asked(fields), color=None).props("no-caps unelevated").classes(
                "main"
            )

    def _asked(self, fields):
        values = {place: field.value.strip() for place, field in fields.items()}
        if sum(map(bool, values.values())) != 2:
            ui.notify("Fill two of the three positions; leave the one empty that is to be answered.", type="warning")
            return
        go(address("/ask", **{place: value or None for place, value in values.items()}))

    def _found(self, table, token, what):
        """The id of what a part of the address means; a page that says so if it means nothing."""
        try:
            position = table.find(token)
        except ValueError as error:
            problem(str(error))
            position = None
        else:
            if position is None:
                problem(
                    f"No {what} is called “{readable(token)}”." if token else f"The address names no {what}.",
                    "It may be written differently, or not be among the data of this model.",
                )
        if position is None and table is self.entities:
            Finder(self.site, table, "Name or label", self._open, lists_all=True)
        return position

    async def entity(self, label: str = "", relation: str | None = None, n: int = SHOWN):
        """An entity with its known and its probable links, their drawing and what is like it."""
        n = min(max(n, 1), MOST_SHOWN)
        entity, chosen = None, None
        with frame(self.site, self._title_of(label)):
            entity = self._found(self.entities, label, "entity")
            if entity is not None and relation is not None:
                chosen = self._found(self.relations, relation, "relation")
            if entity is None or (relation is not None and chosen is None):
                return
            self._about(entity)
            filters = element("div", "filters", label="Filter by relation")
            with element("div", "columns"):
                known, probable = ui.element("section"), ui.element("section")
            async with asking():
                found = await self._fill_links(entity, chosen, n, filters, known, probable)
            links = await computed(self.site, self.answers.neighbourhood, entity, found[:MOST_DRAWN])
            self._drawing(entity, links)
            await self._similar(entity)

    def _title_of(self, label):
        try:
            position = self.entities.find(label)
        except ValueError:
            position = None
        return "Unknown entity" if position is None else self.entities.name(position)

    def _about(self, entity):
        with element("div", "about"):
            picture(self.entities, entity)
            with ui.element("div"):
                if self.entities.name(entity) != self.entities.labels[entity]:
                    note(readable(self.entities.labels[entity]))
                text = self.entities.text(entity)
                if text:
                    ui.label(text)

    async def _fill_links(self, entity, chosen, n, filters, known, probable):
        """Fill both lists; return the probable links."""
        found = await computed(self.site, self.answers.known_links, entity, chosen, n)
        own = await computed(self.site, self.answers.relations_of, entity)
        with filters:
            self._filters(entity, chosen, own)
        with known:
            heading(f"Known links ({found.total:,})")
            self._rows(found.links, entity)
            if not found.links:
                note("No link of this entity is known" + (" by this relation." if chosen is not None else "."))
            if found.total > len(found.links):
                more = self._address(entity, relation=self._token_of(chosen), n=min(5 * n, MOST_SHOWN))
                ui.link(f"{len(found.links)} of them are shown; show more", more)
        found = await computed(self.site, self.answers.probable_links, entity, chosen, n)
        with probable:
            heading("Most probable links")
            self._rows(found.links, entity)
            if found.note or not found.links:
                note(found.note or "The model has no further answer.")
        return found.links

    def _token_of(self, relation):
        return None if relation is None else self.relations.token(relation)

    def _filters(self, entity, chosen, own):
        links = [("all relations", None), *((self.relations.name(relation), relation) for relation in own)]
        if chosen is not None and chosen not in own:
            links.append((self.relations.name(chosen), chosen))
        for name, relation in links:
            link = ui.link(name, self._address(entity, relation=self._token_of(relation))).classes("way relation")
            if relation == chosen:
                link.props["aria-current"] = "true"
        if len(self.relations) > len(own):
            with ui.expansion("another relation").props("dense"):

                def choose(relation):
                    go(self._address(entity, relation=self.relations.token(relation)))

                Finder(self.site, self.relations, "Relation", choose, lists_all=True)

    def _rows(self, links, entity=None):
        with element("ul", "rows"):
            for link in links:
                with element("li", "row-link"):
                    probability_bar(link.probability)
                    self._sentence(link.triple, entity)
                    self._acts(link)

    def _sentence(self, triple, entity=None):
        """A triple in words; from the page of an entity only its other end."""
        head, relation, tail = triple
        with element("div", "said"):
            if entity is None or head != entity:
                entity_link(self.entities, head)
            ui.label(self.relations.name(relation) + (" →" if head == entity else "")).classes("relation")
            if entity is None or head == entity:
                entity_link(self.entities, tail)
            elif tail == entity:
                ui.label("→ this").classes("relation")

    def _told(self, triple):
        head, relation, tail = triple
        return f"{self.entities.name(head)} {self.relations.name(relation)} {self.entities.name(tail)}"

    def _acts(self, link):
        head, relation, tail = link.triple
        tokens = self.entities.token(head), self.relations.token(relation), self.entities.token(tail)
        with element("div", "acts"):
            why = address("/why", **dict(zip(PLACES, tokens, strict=True)), side=link.side)
            ui.link("why", why).props["aria-label"] = f"Why: {self._told(link.triple)}"
            if not link.known:
                decision_buttons(self.site, self.answers.labels(link.triple), link.probability, self._told(link.triple))

    def _drawing(self, entity, links):
        heading("Neighbourhood")
        if not links:
            note("There is nothing to draw.")
            return
        options = neighbourhood_chart(links, entity, self.entities.name, self.relations.name)
        chart = ui.echart(options, on_point_click=self._clicked, renderer="svg").classes("drawing")
        chart.props["role"] = "img"
        chart.props["aria-label"] = f"Drawing of {len(links)} links; those of the entity are in the lists above."
        note("Solid lines are known, dashed ones probable. A click on an entity goes there.")

    def _clicked(self, event):
        if event.data_type == "node":
            self._open(int(event.data["value"]))

    async def _similar(self, entity):
        if not self.answers.finds_similar or entity >= self.answers.n_entities:
            return
        heading("Similar entities")
        place = ui.element("div")

        async def fill():
            found = await computed(self.site, self.answers.similar, entity)
            place.clear()
            with place, element("ul", "rows"):
                for other, cosine in found:
                    with element("li", "row-link"):
                        ui.label(f"{cosine:.3f}").classes("probability")
                        entity_link(self.entities, other)

        if self.answers.n_entities <= COMPARED_UNASKED:
            await fill()
        else:
            with place:
                ui.button("Compare all embeddings", on_click=fill, color=None).props("no-caps outline")

    async def ask(self, head: str | None = None, relation: str | None = None, tail: str | None = None):
        """The known and the best answers to a question."""
        tokens = dict(zip(PLACES, (head or None, relation or None, tail or None), strict=True))
        with frame(self.site, "Question"):
            self._form(tokens)
            question = self._question(tokens)
            if question is None:
                return
            words = (None if id is None else table.name(id) for id, table in zip(question, self._tables, strict=True))
            heading(f"({', '.join('?' if word is None else word for word in words)})")
            with element("div", "columns"):
                best, known = ui.element("section"), ui.element("section")
            async with asking():
                await self._fill_answers(question, best, known)

    async def _fill_answers(self, question, best, known):
        found = await computed(self.site, self.answers.answers, question)
        with best:
            heading("Best answers")
            self._rows(found.links)
            if not found.links:
                note(found.note or "The model has no further answer.")
        found = await computed(self.site, self.answers.known_answers, question)
        with known:
            heading(f"Known answers ({found.total:,})")
            self._rows(found.links)

    @property
    def _tables(self):
        return self.entities, self.relations, self.entities

    def _question(self, tokens):
        """The ids of a question; None, with a message on the page, where it is none."""
        if sum(token is not None for token in tokens.values()) != 2:
            problem("A question has two of head, relation and tail.", "Fill two fields above.")
            return None
        ids = []
        for (place, token), table in zip(tokens.items(), self._tables, strict=True):
            id = None if token is None else self._found(table, token, place)
            if token is not None and id is None:
                return None
            ids.append(id)
        return tuple(ids)

    async def why(self, head: str = "", relation: str = "", tail: str = "", side: str = "both"):
        """What speaks for a triple and against it."""
        side = side if side in ("head", "both", "tail") else "both"
        with frame(self.site, "Why?"):
            ids = []
            for token, place, table in zip((head, relation, tail), PLACES, self._tables, strict=True):
                ids.append(self._found(table, token, place))
                if ids[-1] is None:
                    return
            async with asking():
                reasons = await computed(self.site, self.answers.reasons, tuple(ids), side)
                probability = await computed(self.site, self.answers.probability, tuple(ids))
            self._why(tuple(ids), side, reasons, probability)

    def _why(self, triple, side, reasons, probability):
        known = self.answers.is_known(triple)
        with element("div", "about"):
            self._sentence(triple)
            if not known:
                decision_buttons(self.site, self.answers.labels(triple), probability, self._told(triple))
        if reasons is None:
            problem("The model has not seen all labels of this triple, and so says nothing of it.")
            return
        note(
            ("Known to be true. " if known else "")
            + f"Probability of the triple by itself: {percent(probability)}. Log-odds as an answer"
            + ("" if side == "both" else f" for its {side}")
            + f": {reasons.log_odds:+.2f}, the sum of these parts."
        )
        self._contributions(reasons.contributions)
        heading("Facts behind it")
        if not reasons.facts:
            note("No rule and no similar entity speaks of it.")
        with element("ul", "facts"):
            for fact, links in reasons.facts[:SHOWN]:
                with ui.element("li"):
                    note(f"{fact.evidence}, {fact.side}: {fact.text} {fact.value:.3g}")
                    for link in links:
                        self._sentence(link)

    def _contributions(self, parts):
        heading("Contributions")
        chart = ui.echart(contributions_chart(parts), renderer="svg").classes("bars")
        chart.style(f"height: {30 + 30 * len(parts)}px")
        chart.props["role"] = "img"
        chart.props["aria-label"] = "; ".join(f"{name} {value:+.2f}" for name, value in parts)
