"""Parts of pages: the frame, fields to find something, links with probabilities, buttons to decide.

Whatever comes from a graph is given to the browser as text or as a property, never as HTML.
"""

import asyncio
import logging
import math
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from nicegui import ui

from .decisions import ACCEPTED, REJECTED
from .site import address, percent

STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
# What is in the field now: the server hears of it only when the last key is some time ago.
TYPED = "event => emit(event.target.value)"
# The arrow keys go through what was found.
NEXT = "event => event.target.closest('.finder').querySelector('.found .choice')?.focus()"
STEP = """event => {
    const choices = [...event.target.closest('.found').querySelectorAll('.choice')];
    const place = choices.indexOf(event.target) + (event.key === 'ArrowDown' ? 1 : -1);
    (choices[place] ?? event.target.closest('.finder').querySelector('input')).focus();
    event.preventDefault();
}"""


@contextmanager
def frame(site, title, *, here=""):
    """The page around its content: ways to the others, a heading."""
    ui.page_title(f"{title} · skotkge" if title else "skotkge explore")
    ui.add_css(STYLE)
    with element("nav", "bar", label="Pages"):
        for name, path in (("Explore", "/"), ("Decisions", "/decisions")):
            link = ui.link(name, path).classes("way")
            if here == path:
                link.props["aria-current"] = "page"
        ui.label(site.title).classes("model")
    with element("main", "content"):
        if title:
            heading(title, 1)
        yield


def element(tag, classes="", *, label=None, text=None):
    """An element of HTML with a text and a label for those who do not see it."""
    made = ui.element(tag).classes(classes)
    if label is not None:
        made.props["aria-label"] = label
    if text is not None:
        with made:
            ui.label(text)
    return made


def heading(text, level=2):
    """A heading."""
    with ui.element(f"h{level}"):
        ui.label(text)


def note(text):
    """A remark in small print."""
    return ui.label(text).classes("note")


def problem(text, *remedies):
    """Say what is wrong, and what helps."""
    with element("div", "problem") as box:
        box.props["role"] = "alert"
        ui.label(text)
        for remedy in remedies:
            note(remedy)


@asynccontextmanager
async def asking():
    """A remark that the model is asked, on a page that the browser has, until the block ends."""
    client, waiting = ui.context.client, note("Asking the model …")
    try:
        await client.connected()
        yield
    finally:
        if not client.is_deleted:
            waiting.delete()


async def computed(site, function, *arguments):
    """Wait for what a function of the answers returns; the page ends here if it fails, or if its visitor has left.

    Whatever a model raises is told on the page, which would wait for ever, and on the terminal.
    """
    client = ui.context.client
    try:
        result = await site.compute(function, *arguments)
    except Exception as error:
        logging.getLogger("skotkge").exception("A page has no answer.")
        if not client.is_deleted:
            problem(f"The model could not answer. {type(error).__name__}: {error}")
        raise asyncio.CancelledError from error
    if client.is_deleted:
        raise asyncio.CancelledError
    return result


def entity_link(table, position, path="/entity", **more):
    """The name of an entity as a link to its page, with its picture."""
    with ui.link(target=address(path, label=table.token(position), **more)).classes("entity"):
        picture(table, position, small=True, side=more.get("side"))
        ui.label(table.name(position))


def picture(table, position, *, small=False, side=None):
    """The picture of an entity, if it has one."""
    if table.picture(position) is None:
        return
    image = element("img", "thumb" if small else "picture", label="" if small else table.name(position))
    image.props["src"] = address(f"/picture/{side or 'X'}/{position}")
    image.props["alt"] = "" if small else f"Picture of {table.name(position)}"
    image.props["loading"] = "lazy"


class Finder:
    """A field and what the server finds for it, the best 20.

    Parameters
    ----------
    site : Site
    table : LabelTable
    label : str
    choose : callable, default=None
        What to do with the id of a choice; None puts it into the field.
    value : str, default=""
    lists_all : bool, default=False
        Whether something is listed before anything is typed.
    """

    def __init__(self, site, table, label, choose=None, value="", lists_all=False):
        self._site, self._table, self._choose, self._lists_all = site, table, choose, lists_all
        # What was put into the field by a choice is not looked for again.
        self._settled = value
        with element("div", "finder"):
            self.field = ui.input(label, value=value, on_change=self._changed).classes("field")
            self.field.props("debounce=150 clearable outlined autocomplete=off spellcheck=false")
            self.field.on("keydown.enter", self._enter, js_handler=TYPED)
            self.field.on("keydown.down", js_handler=NEXT)
            self._told = note("")
            self._told.props["role"] = "status"
            self._found = element("ul", "found", label=f"Found for {label}")
        if value:
            self._tell_name(value)
        elif lists_all:
            self._show(table.index.search(""), "")

    @property
    def value(self):
        """What is in the field."""
        return self.field.value or ""

    async def _changed(self):
        typed = self.value
        if typed == self._settled:
            return
        self._settled = None
        if not (typed.strip() or self._lists_all):
            self._show([], typed)
            return
        ids = await self._site.search(self._table, typed)
        if not self.field.is_deleted and typed == self.value and self._settled is None:
            self._show(ids, typed)

    def _show(self, ids, typed):
        self._found.clear()
        self._told.set_text("" if ids or not typed.strip() else self._nothing(typed))
        with self._found:
            for position in ids:
                with ui.element("li"):
                    self._choice(position)

    def _tell_name(self, token):
        position = self._table.of_written(token)
        name = "" if position is None else self._table.name(position)
        self._told.set_text(name if name != token else "")

    def _nothing(self, typed):
        beginning = self._table.index.beginning_of(typed)
        return f"Nothing is called “{typed}”." + (f" Something has “{beginning}” in it." if beginning else "")

    def _choice(self, position):
        name, label = self._table.name(position), self._table.labels[position]
        button = ui.button(on_click=lambda: self._chosen(position), color=None).props("flat no-caps align=left")
        button.classes("choice").on("keydown.down", js_handler=STEP).on("keydown.up", js_handler=STEP)
        with button:
            picture(self._table, position, small=True)
            ui.label(name)
            if name != label:
                note(self._table.token(position))

    def _chosen(self, position):
        if self._choose is not None:
            self._choose(position)
            return
        token = self._settled = self._table.token(position)
        self.field.set_value(token)
        self._found.clear()
        self._tell_name(token)
        self.field.run_method("focus")

    async def _enter(self, event):
        typed = event.args
        if self._choose is None or not typed.strip():
            return
        try:
            position = self._table.find(typed)
        except ValueError:
            position = None
        found = [position] if position is not None else await self._site.search(self._table, typed)
        if found and not self.field.is_deleted:
            self._choose(found[0])


def go(target):
    """Go to another page."""
    ui.navigate.to(target)


def decision_buttons(site, triple, probability, told):
    """Buttons that accept or reject a triple of labels; what is chosen again is taken back.

    Parameters
    ----------
    site : Site
    triple : tuple of labels
    probability : float
    told : str
        The triple in words, for those who do not see the page.
    """
    buttons = {}

    def show():
        decided = site.decisions.of(triple)
        for decision, button in buttons.items():
            button.props["aria-pressed"] = "true" if decided == decision else "false"
            button.classes(add="chosen") if decided == decision else button.classes(remove="chosen")

    def decide(decision):
        wanted = None if site.decisions.of(triple) == decision else decision
        try:
            site.decisions.decide(triple, wanted, probability)
        except (OSError, ValueError) as error:
            ui.notify(f"Not written: {error}", type="negative", timeout=0, close_button="Close")
            return
        show()

    with element("div", "decide"):
        for decision, icon, verb in ((ACCEPTED, "check", "Accept"), (REJECTED, "close", "Reject")):
            button = ui.button(icon=icon, on_click=lambda decision=decision: decide(decision), color=None)
            button.props("flat round dense").classes(decision)
            button.props["aria-label"] = f"{verb}: {told}"
            button.props["title"] = verb
            buttons[decision] = button
    show()


def probability_bar(probability):
    """A probability as a number over a bar."""
    with element("div", "probability"):
        ui.label(percent(probability))
        if not math.isnan(probability):
            with element("div", "scale"):
                element("div", "level").style(f"width: {100 * probability:.1f}%")
