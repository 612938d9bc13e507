"""Who may talk to the page."""

import asyncio

import pytest

from skotkge._explore.guard import POLICY, SameOriginOnly, is_foreign

HOST = (b"host", b"127.0.0.1:8000")


@pytest.mark.parametrize(
    ("origin", "foreign"),
    [
        (None, False),
        (b"http://127.0.0.1:8000", False),
        (b"http://127.0.0.1:9000", True),
        (b"http://localhost:8000", True),
        (b"https://example.org", True),
        (b"null", True),
        (b"", True),
        (b"http://127.0.0.1:8000.example.org", True),
        (b"http://example.org@127.0.0.1:9000", True),
    ],
)
def test_another_origin_is_foreign(origin, foreign):
    headers = dict([HOST] + ([] if origin is None else [(b"origin", origin)]))
    assert is_foreign(headers) == foreign


def talk(kind, headers):
    """What comes back for a request, and whether the application was asked."""
    asked, sent = [], []

    async def app(scope, receive, send):
        asked.append(scope["type"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]})

    async def send(message):
        sent.append(message)

    asyncio.run(SameOriginOnly(app)({"type": kind, "headers": headers}, None, send))
    return sent, asked


def test_foreign_requests_do_not_reach_the_application():
    foreign = [HOST, (b"origin", b"https://example.org")]
    sent, asked = talk("http", foreign)
    assert (sent[0]["status"], asked) == (403, [])
    sent, asked = talk("websocket", foreign)
    assert (sent, asked) == ([{"type": "websocket.close", "code": 1008}], [])


def test_answers_forbid_what_comes_from_elsewhere():
    sent, asked = talk("http", [HOST])
    assert asked == ["http"]
    headers = dict(sent[0]["headers"])
    assert headers[b"content-security-policy"].decode() == POLICY
    assert headers[b"x-content-type-options"] == b"nosniff"
    assert headers[b"content-type"] == b"text/html"
    assert "http" not in POLICY
    assert talk("lifespan", [])[1] == ["lifespan"]


@pytest.mark.parametrize("kind", ["http.disconnect", "http.request"])
def test_a_browser_that_has_left_needs_no_answer(kind):
    async def app(scope, receive, send):
        await receive()
        raise RuntimeError("No response returned.")

    async def receive():
        return {"type": kind}

    answer = SameOriginOnly(app)({"type": "http", "headers": [HOST]}, receive, None)
    if kind == "http.disconnect":
        asyncio.run(answer)
        return
    with pytest.raises(RuntimeError, match="No response"):
        asyncio.run(answer)
