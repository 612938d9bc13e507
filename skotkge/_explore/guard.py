"""Who may talk to the page: a browser on this machine that was given its address, and no other site in it."""

from urllib.parse import urlsplit

HOSTS = ["127.0.0.1", "localhost"]
# Vue compiles templates in the browser, which needs "unsafe-eval"; nothing comes from elsewhere.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


class SameOriginOnly:
    """ASGI middleware: refuses what pages of other origins send, web sockets too, and forbids them to embed answers.

    A check of the Host header alone does not stop a page of another site from opening a socket to this address. And a
    browser that has gone on to another page before it was answered is no error.

    Parameters
    ----------
    app : ASGI application
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        """Handle a request, or answer it with 403."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif is_foreign(dict(scope["headers"])):
            await _refuse(scope, send)
        else:
            await self._answer(scope, Listening(receive), send)

    async def _answer(self, scope, receive, send):
        try:
            await self._app(scope, receive, _with_headers(send))
        except RuntimeError:  # "No response returned." of Starlette's middleware
            if not receive.has_left:
                raise


class Listening:
    """Receives what a browser sends, and knows whether it has left."""

    def __init__(self, receive):
        self._receive, self.has_left = receive, False

    async def __call__(self):
        """Return the next message."""
        message = await self._receive()
        self.has_left |= message["type"] == "http.disconnect"
        return message


def is_foreign(headers):
    """Tell from its headers, bytes by name, whether another origin has sent a request."""
    origin = headers.get(b"origin")
    return origin is not None and urlsplit(origin.decode("latin-1")).netloc != headers.get(b"host", b"").decode(
        "latin-1"
    )


async def _refuse(scope, send):
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"Only this page's own origin may ask."})


def _with_headers(send):
    async def send_with_headers(message):
        if message["type"] == "http.response.start":
            added = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return send_with_headers
