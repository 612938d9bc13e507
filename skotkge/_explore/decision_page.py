"""The page of all decisions, the last first."""

from nicegui import ui

from .parts import decision_buttons, element, frame, heading, note
from .site import percent
from .tables import readable

SHOWN = 200


def add_decision_page(site):
    """Register the page."""

    @ui.page("/decisions")
    def decisions():
        with frame(site, "Decisions", here="/decisions"):
            made = list(site.decisions)[::-1]
            note(f"In {readable(site.decisions.path)}; a second click on a button takes the decision back.")
            if not made:
                note("Nothing has been accepted or rejected so far.")
            with element("ul", "rows"):
                for decision in made[:SHOWN]:
                    with element("li", "row-link"):
                        element("div", "probability", text=percent(decision.probability))
                        _told(site, decision)
                        told = " ".join(map(readable, decision.triple))
                        decision_buttons(site, decision.triple, decision.probability, told)
            if len(made) > SHOWN:
                heading("Earlier ones")
                note(f"{len(made) - SHOWN} more are in the file.")


def _told(site, decision):
    with element("div", "said"):
        for text, classes in zip(site.in_words(decision.triple), ("entity", "relation", "entity"), strict=True):
            ui.label(text).classes(classes)
        note(f"{decision.decision} {decision.time[:16].replace('T', ' ')}")
