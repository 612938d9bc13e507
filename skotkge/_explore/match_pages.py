"""Pages about a matcher: the matches it tells, and the candidates of an entity of either graph."""

from nicegui import ui

from .drawing import contributions_chart
from .matches import SAME_AS, SIDES
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
from .site import LONGEST_START, address
from .tables import readable

SHOWN = 50


class MatchPages:
    """The pages, which `add` makes known to NiceGUI.

    Parameters
    ----------
    site : Site
        With `MatchAnswers`.
    """

    def __init__(self, site):
        self.site, self.answers = site, site.answers

    def add(self):
        """Register all pages."""
        ui.page("/", response_timeout=LONGEST_START)(self.start)
        ui.page("/entity", response_timeout=LONGEST_START)(self.entity)

    def start(self, n: int = SHOWN):
        """Where one finds an entity of either graph, and sees the matches."""
        with frame(self.site, "", here="/"):
            heading("Find an entity of one graph and its match in the other", 1)
            with element("div", "columns"):
                for side in SIDES:
                    with ui.element("section"):
                        table = self.answers.tables[side]
                        heading(f"Graph {side}: {len(table):,} entities")
                        Finder(self.site, table, f"Name or label in {side}", self._opener(side))
            self._weights()
            found = self.answers.found
            heading(f"Matches ({len(found):,})")
            if not found:
                note("The matcher tells no match.")
            with element("ul", "rows"):
                for match in found[:n]:
                    self._row(match)
            if len(found) > n:
                ui.link(f"{n} of them are shown; show more", address("/", n=5 * n))

    def _opener(self, side):
        table = self.answers.tables[side]
        return lambda entity: go(address("/entity", side=side, label=table.token(entity)))

    def _weights(self):
        parts = sorted(self.answers.matcher.view_weights_.items(), key=lambda part: -part[1])
        heading("What the matcher goes by")
        chart = ui.echart(contributions_chart(parts), renderer="svg").classes("bars")
        chart.style(f"height: {30 + 30 * len(parts)}px")
        chart.props["role"] = "img"
        chart.props["aria-label"] = "; ".join(f"{name} {weight:.2f}" for name, weight in parts)

    def _row(self, match, side=None):
        """A match; from the page of an entity only the other one."""
        tables = [self.answers.tables[other] for other in SIDES]
        told = " is ".join(table.name(id) for table, id in zip(tables, match.pair, strict=True))
        with element("li", "row-link"):
            probability_bar(match.probability)
            with element("div", "said"):
                for other, table, id in zip(SIDES, tables, match.pair, strict=True):
                    if other != side:
                        entity_link(table, id, side=other)
                if match.told and side is not None:
                    note("the match")
            first, second = self.answers.labels(match.pair)
            decision_buttons(self.site, (first, SAME_AS, second), match.probability, told)

    async def entity(self, label: str = "", side: str = "X"):
        """An entity of one graph, its candidates in the other, and the known links of both."""
        side = side if side in SIDES else "X"
        table, other = self.answers.tables[side], self.answers.tables["Y" if side == "X" else "X"]
        try:
            entity, said = table.find(label), f"No entity of {side} is called “{readable(label)}”."
        except ValueError as error:
            entity, said = None, str(error)
        with frame(self.site, "Unknown entity" if entity is None else table.name(entity)):
            if entity is None:
                problem(said, "It may be of the other graph, or written differently.")
                Finder(self.site, table, f"Name or label in {side}", self._opener(side), lists_all=True)
                return
            self._about(table, entity, side)
            with element("div", "columns"):
                left, right = ui.element("section"), ui.element("section")
            async with asking():
                found = await computed(self.site, self.answers.candidates, SIDES.index(side), entity)
            with left:
                self._candidates(found, side)
            with right:
                self._links(side, entity, table)
                for match in found[:1]:
                    self._links("Y" if side == "X" else "X", match.pair[side == "X"], other)

    def _candidates(self, found, side):
        heading("Candidates in the other graph")
        if not found:
            note("It has no candidate.")
        with element("ul", "rows"):
            for match in found:
                self._row(match, side)

    def _about(self, table, entity, side):
        with element("div", "about"):
            picture(table, entity, side=side)
            with ui.element("div"):
                note(f"of graph {side}")
                if table.name(entity) != table.labels[entity]:
                    note(readable(table.labels[entity]))
                if table.text(entity):
                    ui.label(table.text(entity))

    def _links(self, side, entity, table):
        links, total = self.answers.graphs[SIDES.index(side)].links(entity)
        heading(f"Links of {table.name(entity)} in {side} ({total:,})")
        if not links:
            note("None are known: give the folder of each graph, --graph X --graph Y.")
        with element("ul", "rows"):
            for triple in links:
                with element("li", "said"):
                    for place, text in enumerate(triple):
                        id = -1 if place == 1 else table.id_of(text)
                        if id >= 0:
                            entity_link(table, id, side=side)
                        else:
                            ui.label(readable(text)).classes("relation")
