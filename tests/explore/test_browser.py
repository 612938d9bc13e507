"""The page in a browser: find, ask, why, click through, accept, reload, hostile labels, keyboard, wrong addresses."""

import re
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
from explored import HOSTILE, RELATIONS, fit_and_save
from served import serving
from test_match_answers import fitted_matcher

import skotkge
from skotkge import read_decisions
from skotkge._explore.site import percent

READY = "() => document.querySelector('main') && !document.body.innerText.includes('Asking the model')"


class Visitor:
    """A browser at the page, from which it may reach nothing else."""

    def __init__(self, browser, served, **options):
        self.served, self.asked_elsewhere, self.errors = served, [], []
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}} | options)
        self.context.set_default_timeout(30_000)
        self.context.route("**/*", self._route)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("dialog", lambda dialog: self.errors.append(dialog.message) or dialog.dismiss())
        self.page.on("websocket", lambda socket: self._check(socket.url))

    def _check(self, address):
        own = urlsplit(address).netloc == urlsplit(self.served.address).netloc
        if not own:
            self.asked_elsewhere.append(address)
        return own

    def _route(self, route):
        if self._check(route.request.url):
            route.continue_()
        else:
            route.abort()

    def open(self, path=""):
        self.page.goto(self.served.address + path)
        return self.settle()

    def settle(self):
        """Wait until the model has answered."""
        self.page.wait_for_selector("main")
        self.page.wait_for_function(READY)
        return self.page

    def text(self):
        return self.page.inner_text("main")

    def leave(self):
        self.context.close()
        assert self.asked_elsewhere == []
        assert self.errors == []


@pytest.fixture
def visitor(browser, served):
    visitor = Visitor(browser, served)
    yield visitor
    visitor.leave()


@pytest.fixture(scope="module")
def model(served):
    return skotkge.load(served.model)


def test_typing_finds_an_entity_and_enter_goes_there(visitor):
    page = visitor.open()
    assert page.title() == "skotkge explore"
    page.get_by_label("Name or label", exact=True).fill("mull")
    page.locator(".choice", has_text="Dán Müller").wait_for()
    assert page.locator(".found .choice").count() == 1
    page.get_by_label("Name or label", exact=True).press("Enter")
    page.wait_for_url("**/entity?label=Q3")
    assert page.get_by_role("heading", name="Dán Müller", level=1).is_visible()


def test_what_is_not_there_is_told_with_what_is(visitor):
    page = visitor.open()
    page.get_by_label("Name or label", exact=True).fill("Adxyz")
    page.get_by_text("Nothing is called “Adxyz”. Something has “ad” in it.").wait_for()


def test_names_stay_on_the_server(visitor):
    page = visitor.open()
    sent = page.content()
    assert sum(f"Q{number}" in sent for number in range(31)) <= 20
    assert page.locator(".found .choice").count() == 20


def test_an_entity_shows_known_and_probable_links_side_by_side(visitor, model):
    page = visitor.open("entity?label=Q0")
    assert page.get_by_text("The <i>first</i> of all.").is_visible()
    assert page.locator("img.picture").evaluate("image => image.naturalWidth") == 8
    known = page.locator("section", has=page.get_by_role("heading", name=re.compile("Known links"))).first
    probable = page.locator("section", has=page.get_by_role("heading", name="Most probable links")).first
    boxes = known.bounding_box(), probable.bounding_box()
    assert abs(boxes[0]["y"] - boxes[1]["y"]) < 5
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    assert "newcomer" in known.inner_text()
    assert known.locator("li").count() == int(re.search(r"\((\d+)\)", known.inner_text()).group(1))
    shown = [float(text.strip(" <>%")) for text in probable.locator(".probability").all_inner_texts()]
    assert len(shown) == 20
    assert shown == sorted(shown, reverse=True)


def test_links_can_be_filtered_by_relation(visitor):
    page = visitor.open("entity?label=Q0")
    page.locator(".filters").get_by_role("link", name="likes").click()
    page.wait_for_url("**relation=likes**")
    visitor.settle()
    assert set(page.locator("section .row-link .relation:not(:text('this'))").all_inner_texts()) <= {"likes →", "likes"}
    page.locator(".filters").get_by_text("another relation").click()
    page.get_by_label("Relation", exact=True).fill("invented")
    # The list has all relations first, and is made anew by what was typed.
    page.locator(".choice", has_text="likes").first.wait_for(state="detached")
    page.locator(".choice", has_text="invented by").click()
    page.wait_for_url("**relation=invented%20by**")
    visitor.settle()
    assert "No link of this entity is known by this relation." in visitor.text()


@pytest.mark.parametrize(
    ("given", "place"),
    [
        ({"Head": "Ada", "Relation": "likes"}, 2),
        ({"Relation": "likes", "Tail": "Q9"}, 0),
        ({"Head": "Q5", "Tail": "Q6"}, 1),
    ],
)
def test_any_question_can_be_asked(visitor, model, given, place):
    page = visitor.open()
    for label, value in given.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Ask").click()
    page.wait_for_url("**/ask?**")
    visitor.settle()
    question = [given.get(label) for label in ("Head", "Relation", "Tail")]
    expected = model.complete([question], k=3)
    best = page.locator("section", has=page.get_by_role("heading", name="Best answers")).first
    first = best.locator("li").first.inner_text()
    assert str((place != 1 and expected.names[0, 0]) or expected.labels[0, 0]) in first
    assert percent(expected.probabilities[0, 0]) in first


def test_fields_are_filled_by_a_choice(visitor):
    page = visitor.open("ask?head=Q0&relation=likes")
    assert "Ada" in page.locator(".ask .finder").first.inner_text()
    page.get_by_label("Head", exact=True).fill("mull")
    page.locator(".choice", has_text="Dán Müller").click()
    page.wait_for_function("() => document.querySelector('.ask input').value === 'Q3'")
    assert page.locator(".ask .choice").count() == 0
    page.get_by_role("button", name="Ask").click()
    page.wait_for_url("**head=Q3&relation=likes")


def test_a_question_with_a_wrong_number_of_places_is_told(visitor):
    page = visitor.open()
    page.get_by_label("Head", exact=True).fill("Q1")
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("Fill two of the three positions").wait_for()
    visitor.open("ask?head=Q1")
    assert "A question has two of head, relation and tail." in visitor.text()


def test_an_answer_has_reasons(visitor, model):
    page = visitor.open("ask?head=Q1&relation=likes")
    page.locator("section", has_text="Best answers").get_by_role("link", name=re.compile("^Why")).first.click()
    page.wait_for_url("**/why?**")
    visitor.settle()
    page.get_by_role("heading", name="Contributions").wait_for()
    triple = [value for _, value in parse_qsl(urlsplit(page.url).query)[:3]]
    explanation = model.explain([triple], side="tail")
    assert f"for its tail: {explanation.log_odds[0]:+.2f}" in visitor.text()
    bars = page.locator(".bars svg").text_content()
    parts = {kind: values[0] for kind, values in explanation.by_kind().items() if values[0]}
    assert parts
    for kind, value in parts.items():
        assert kind in bars
        assert f"{value:+.2f}" in bars
    assert page.locator(".facts li").count() == len(explanation.facts[0])


def test_one_can_click_through_the_drawing(visitor):
    page = visitor.open("entity?label=Q8")
    node = page.locator(".drawing svg text", has_text="Q9").first
    node.scroll_into_view_if_needed()
    box = node.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] - 12)
    page.wait_for_url("**/entity?label=Q9")
    visitor.settle()
    page.locator("section .entity", has_text="Q8").first.click()
    page.wait_for_url("**/entity?label=Q8")
    page.go_back()
    page.wait_for_url("**/entity?label=Q9")


def test_decisions_are_written_and_there_after_a_reload(visitor, served):
    page = visitor.open("ask?head=Q6&relation=likes")
    buttons = page.locator("section", has_text="Best answers").first.locator(".decide")
    buttons.nth(0).get_by_role("button", name=re.compile("^Accept")).click()
    buttons.nth(1).get_by_role("button", name=re.compile("^Reject")).click()
    page.locator(".rejected.chosen").wait_for()
    triples, y = read_decisions(served.decisions)
    asked = (triples[:, 0] == "Q6") & (triples[:, 1] == "likes")
    assert y[asked].tolist() == [1, 0]
    page.reload()
    visitor.settle()
    assert page.locator("button[aria-pressed=true]").count() == 2
    page.get_by_role("link", name="Decisions").click()
    page.wait_for_url("**/decisions")
    assert page.locator(".row-link", has_text="Q6").count() == 2
    for row in range(2):
        page.locator(".row-link", has_text="Q6").nth(row).locator(".chosen").click()
    page.wait_for_function("() => !document.querySelector('.chosen')")
    assert "Q6" not in read_decisions(served.decisions)[0][:, 0].tolist()


def test_a_decision_that_cannot_be_written_is_told(visitor, served):
    before = served.decisions.read_bytes() if served.decisions.exists() else None
    served.decisions.unlink(missing_ok=True)
    served.decisions.mkdir()
    try:
        page = visitor.open("ask?head=Q7&relation=likes")
        page.get_by_role("button", name=re.compile("^Accept")).first.click()
        page.get_by_text("Not written:").wait_for()
        assert page.locator(".chosen").count() == 0
    finally:
        served.decisions.rmdir()
        if before is not None:
            served.decisions.write_bytes(before)


@pytest.mark.parametrize("label", HOSTILE)
def test_labels_are_texts(visitor, label):
    page = visitor.open(f"entity?label={quote(label)}")
    shown = " ".join(label.split())
    assert " ".join(page.get_by_role("heading", level=1).inner_text().split()) == shown
    assert page.title() == f"{shown} · skotkge"
    page.locator(".drawing svg text").first.wait_for()
    page.mouse.move(600, 500)
    assert (
        page.locator(
            "main script, main b, main i:not(.q-icon), main [onerror], main [onmouseover], main img:not(.thumb)"
        ).count()
        == 0
    )
    page.get_by_role("link", name=re.compile("^Why")).first.hover()
    visitor.open(f"ask?head={quote(label)}&relation={quote(RELATIONS[1])}")
    assert RELATIONS[1] in visitor.text()
    visitor.open(f"why?head={quote(label)}&relation={quote(RELATIONS[1])}&tail=Q1&side={quote(label)}")
    assert "Bob <b>bold</b>" in visitor.text()
    assert page.evaluate("window.hacked") is None


def test_hostile_labels_can_be_searched_and_decided(visitor, served):
    page = visitor.open()
    page.get_by_label("Name or label", exact=True).fill("<script>")
    page.locator(".found .choice", has_text=HOSTILE[0]).first.wait_for()
    page.get_by_label("Name or label", exact=True).fill(HOSTILE[4])
    page.locator(".found .choice", has_text=HOSTILE[4]).first.click()
    visitor.settle()
    page.get_by_role("button", name=re.compile("^Accept")).first.click()
    page.locator(".accepted.chosen").wait_for()
    assert any(HOSTILE[4] in (head, tail) for head, _, tail in read_decisions(served.decisions)[0])
    visitor.open("decisions")
    assert HOSTILE[4] in visitor.text()
    assert page.evaluate("window.hacked") is None


def test_it_can_be_used_by_keyboard_alone(visitor):
    page = visitor.open()
    focused = "() => document.activeElement.innerText || document.activeElement.getAttribute('aria-label')"
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "INPUT":
            break
    page.keyboard.type("mull")
    page.locator(".choice", has_text="Dán Müller").wait_for()
    page.keyboard.press("ArrowDown")
    assert "Dán Müller" in page.evaluate(focused)
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.tagName") == "INPUT"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/entity?label=Q3")
    visitor.settle()
    told = ""
    for _ in range(60):
        page.keyboard.press("Tab")
        told = page.evaluate("document.activeElement.getAttribute('aria-label')") or ""
        if told.startswith("Accept"):
            break
    assert told.startswith("Accept")
    assert page.evaluate("getComputedStyle(document.activeElement).boxShadow") != "none"
    page.keyboard.press("Space")
    page.locator(".accepted.chosen").wait_for()
    page.keyboard.press("Space")
    page.wait_for_function("() => !document.querySelector('.chosen')")


@pytest.mark.parametrize(
    "path", ["", "entity?label=Q0", "ask?head=Q0&relation=likes", "why?head=Q0&relation=likes&tail=Q1"]
)
def test_it_fits_a_phone(browser, served, path):
    visitor = Visitor(browser, served, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = visitor.open(path)
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for button in page.locator(".decide button").all():
        assert button.bounding_box()["height"] >= 36
    visitor.leave()


def luminance(colour):
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_in_the_light_and_in_the_dark(browser, served, scheme):
    visitor = Visitor(browser, served, color_scheme=scheme)
    page = visitor.open("entity?label=Q0")
    back = luminance(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert (back > 0.8) if scheme == "light" else (back < 0.05)
    for selector in ("h1", ".note", ".relation", "main a", ".probability", ".bar .model", ".decide button"):
        colour = luminance(page.locator(selector).first.evaluate("element => getComputedStyle(element).color"))
        contrast = (max(back, colour) + 0.05) / (min(back, colour) + 0.05)
        assert contrast >= 4.5, selector
    visitor.leave()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("entity?label=nobody", "No entity is called “nobody”."),
        ("entity", "The address names no entity."),
        ("entity?label=Cid", "2 are called “Cid”: Q2, Q4"),
        ("entity?label=Q0&relation=hates", "No relation is called “hates”."),
        ("entity?label=newcomer", "The model has not seen this entity"),
        ("ask?head=nobody&relation=likes", "No head is called “nobody”."),
        ("why?head=Q0&relation=likes&tail=nobody", "No tail is called “nobody”."),
        ("why?head=Q0&relation=likes&tail=newcomer", "The model has not seen all labels of this triple"),
    ],
)
def test_what_is_wrong_is_told_on_a_page(visitor, path, told):
    visitor.open(path)
    assert told in visitor.text()


FAILING = """
from skotkge._explore.links import LinkAnswers
def reasons(*_):
    raise RuntimeError("no <b>memory</b> left")
LinkAnswers.reasons = reasons
"""


def test_a_model_without_names_or_answers_says_so(browser, tmp_path):
    fit_and_save(tmp_path / "model.skops", [(f"e{i}", "next", f"e{(i + 1) % 30}") for i in range(30)], names=None)
    paths = tmp_path / "model.skops", tmp_path / "d.tsv"
    with serving(*paths, before=FAILING, told="A page has no answer.\nTraceback.*RuntimeError: no .* left\n") as served:
        visitor = Visitor(browser, served)
        page = visitor.open()
        assert "The model knows no names" in visitor.text()
        visitor.open("entity?label=e3")
        assert "Known links (2)" in visitor.text()
        page.goto(f"{served.address}why?head=e3&relation=next&tail=e4")
        page.get_by_text("The model could not answer. RuntimeError: no <b>memory</b> left").wait_for()
        visitor.settle()
        visitor.leave()


def test_matches_of_two_graphs_are_shown_and_decided(browser, tmp_path):
    skotkge.save(fitted_matcher(), tmp_path / "matcher.skops")
    (tmp_path / "first").mkdir()
    (tmp_path / "first" / "train.tsv").write_text("x3\tr\tx4\n")
    with serving(tmp_path / "matcher.skops", tmp_path / "d.tsv", tmp_path / "first") as served:
        visitor = Visitor(browser, served)
        page = visitor.open()
        assert "Graph X: 30 entities" in visitor.text()
        assert page.locator(".bars svg").text_content()
        page.get_by_label("Name or label in X", exact=True).fill("x4")
        page.get_by_label("Name or label in X", exact=True).press("Enter")
        page.wait_for_url("**/entity?side=X&label=x4")
        visitor.settle()
        page.locator(".row-link").first.wait_for()
        assert "y4" in page.locator(".row-link").first.inner_text()
        assert "the match" in page.locator(".row-link").first.inner_text()
        assert "Links of x4 in X (1)" in visitor.text()
        page.get_by_role("button", name="Accept: x4 is y4").click()
        page.locator(".accepted.chosen").wait_for()
        page.locator(".row-link .entity").first.click()
        page.wait_for_url("**side=Y**")
        visitor.settle()
        assert "None are known" in visitor.text()
        visitor.open(f"entity?side=X&label={quote(HOSTILE[0])}")
        assert HOSTILE[0] in visitor.text()
        visitor.open("entity?side=Y&label=nobody")
        assert "No entity of Y is called “nobody”." in visitor.text()
        visitor.leave()
    triples, y = read_decisions(tmp_path / "d.tsv")
    assert triples.tolist() == [["x4", "owl:sameAs", "y4"]]
    assert y.tolist() == [1]
