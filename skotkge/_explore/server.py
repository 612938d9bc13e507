"""The server of the pages: on the loopback address, for this machine's browser alone."""

import logging
import socket
import warnings
import webbrowser
from contextlib import closing

import uvicorn
from fastapi import FastAPI, HTTPException
from nicegui import ui
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse

from .decision_page import add_decision_page
from .folders import PICTURE_TYPES
from .guard import HOSTS, SameOriginOnly
from .link_pages import LinkPages
from .links import LinkAnswers
from .match_pages import MatchPages

LOOPBACK = "127.0.0.1"
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g stroke="#2f7d8c" stroke-width="2.5">'
    '<path d="M8 9 24 8 17 24z" fill="none"/></g><g fill="#c2611f"><circle cx="8" cy="9" r="4"/>'
    '<circle cx="24" cy="8" r="4"/><circle cx="17" cy="24" r="4"/></g></svg>'
)


def open_socket(port):
    """Return a listening socket on the loopback address.

    Raises
    ------
    ValueError
        If the port is taken.
    """
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((LOOPBACK, port))
    except OSError as error:
        made.close()
        raise ValueError(
            f"--port {port} cannot be used: {error.strerror}; leave it out, any free one is taken"
        ) from error
    return made


def serve(site, port, opens_browser, say):
    """Serve the pages until the process is told to end.

    Parameters
    ----------
    site : Site
    port : int
        0 takes a free one.
    opens_browser : bool
    say : callable
        What is called with the address once the socket listens.
    """
    with closing(open_socket(port)) as listening:
        listening.listen(128)
        address = f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
        # It warns of every address that is not there.
        logging.getLogger("nicegui").setLevel(logging.ERROR)
        server = uvicorn.Server(uvicorn.Config(application(site), log_level="warning", access_log=False))
        say(address)
        if opens_browser:
            webbrowser.open(address)
        with warnings.catch_warnings():
            # NiceGUI looks through all objects for its server, and torch warns of one that is looked at.
            warnings.filterwarnings("ignore", "`torch.distributed.reduce_op` is deprecated", FutureWarning)
            server.run(sockets=[listening])


def application(site):
    """Return the ASGI application of all pages."""
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS), Middleware(SameOriginOnly)]
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, middleware=guards)
    app.get("/picture/{side}/{position}")(picture_route(site))
    pages = LinkPages(site) if isinstance(site.answers, LinkAnswers) else MatchPages(site)
    pages.add()
    add_decision_page(site)
    ui.run_with(app, title="skotkge explore", favicon=FAVICON, dark=None, tailwind=False, show_welcome_message=False)
    return app


def picture_route(site):
    """Return what answers with the picture of an entity, and with nothing else."""
    tables = site.answers.tables

    async def picture(side: str, position: int):
        table = tables.get(side)
        path = table.picture(position) if table is not None and 0 <= position < len(table) else None
        if path is None:
            raise HTTPException(404)
        return FileResponse(path, media_type=PICTURE_TYPES[path.suffix.lower()])

    return picture
