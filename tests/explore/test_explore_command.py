"""The command: its help without the extra, what it says to wrong input, the page that it serves."""

import http.client
import re
import socket
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import joblib
import pytest
from explored import fit_and_save, write_folder
from helpers import REPOSITORY

import skotkge
from skotkge.__main__ import main

WITHOUT_EXTRA = """
import sys
sys.modules["nicegui"] = None
from skotkge.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.skops"
    fit_and_save(path)
    return path


def run_without_extra(*arguments):
    command = [sys.executable, "-c", WITHOUT_EXTRA, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY)


def test_help_does_without_the_extra():
    result = run_without_extra("explore", "--help")
    assert result.returncode == 0, result.stderr
    assert "--graph FOLDER" in result.stdout
    assert "loopback address" in result.stdout


def test_starting_without_the_extra_says_how_to_install_it(tmp_path):
    result = run_without_extra("explore", tmp_path / "model.skops")
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        'skotkge explore: error: explore needs NiceGUI; in a checkout: pip install ".[explore]"'
    ]


def test_what_needs_no_page_needs_no_extra():
    parts = "decisions, described, drawing, folders, guard, links, matches, search, site, tables"
    script = f"import sys; sys.modules['nicegui'] = None; from skotkge._explore import {parts}"
    assert subprocess.run([sys.executable, "-c", script], cwd=REPOSITORY).returncode == 0


@pytest.fixture
def refused(capsys):
    """Run the command on wrong input; return what it says."""
    pytest.importorskip("nicegui")

    def run(*arguments):
        assert main(["explore", *map(str, arguments), "--no-browser"]) == 2
        return capsys.readouterr().err.splitlines()[-1]

    return run


def test_wrong_input_is_told_in_one_line(refused, model, tmp_path):
    graph = write_folder(tmp_path / "graph")
    assert "No such file" in refused(tmp_path / "nothing.skops")
    assert "is no folder; give one with train" in refused(model, "--graph", tmp_path / "nowhere")
    assert "--graph is given 2 times; a OTKGEClassifier takes 1" in refused(model, "--graph", graph, "--graph", graph)
    assert "is no file of decisions" in refused(model, "--decisions", graph / "texts.tsv")
    assert "there is no folder" in refused(model, "--decisions", tmp_path / "nowhere" / "d.tsv")
    skotkge.save(skotkge.OTKGEClassifier(), tmp_path / "unfitted.skops")
    assert "expected a fitted OTKGEClassifier or OTEntityMatcher" in refused(tmp_path / "unfitted.skops")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_ports_are_numbers(port, capsys):
    with pytest.raises(SystemExit):
        main(["explore", "model.skops", "--port", port])
    assert f"invalid port value: '{port}'" in capsys.readouterr().err


class Code:
    """What runs when it is unpickled."""

    def __reduce__(self):
        return print, ("loaded",)


def test_no_pickle_is_loaded_without_trust(refused, tmp_path, capsys):
    joblib.dump(Code(), tmp_path / "model.joblib")
    assert "loading it runs any code that it contains" in refused(tmp_path / "model.joblib")
    assert "loaded" not in capsys.readouterr().out
    assert "holds a NoneType" in refused(tmp_path / "model.joblib", "--trust")


def test_labels_that_a_file_cannot_tell_apart_are_refused(refused, tmp_path):
    triples = [("a", "r", 7), (7, "r", "7"), ("7", "r", "a")]
    skotkge.save(skotkge.baselines.RuleBaseline(random_state=0).fit(triples), tmp_path / "model.skops")
    assert "several labels that are written '7'" in refused(tmp_path / "model.skops")


def test_a_port_that_is_taken_is_told():
    pytest.importorskip("nicegui")
    from skotkge._explore.server import open_socket

    with open_socket(0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        assert taken.getsockname()[0] == "127.0.0.1"
        with pytest.raises(ValueError, match=f"--port {port} cannot be used"):
            open_socket(port)


def get(served, path, **headers):
    address = urlsplit(served.address)
    with closing(http.client.HTTPConnection(address.hostname, address.port, timeout=60)) as connection:
        connection.putrequest("GET", path, skip_host="Host" in headers)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read(), response.headers


def test_the_page_is_there_for_its_own_address_only(served):
    status, body, headers = get(served, "/")
    assert status == 200
    assert b"Find an entity" in body
    assert "default-src 'self'" in headers["content-security-policy"]
    assert get(served, "/", Host="example.org")[0] == 400
    assert get(served, "/", Host="example.org:80")[0] == 400
    assert get(served, "/", Origin="http://example.org")[0] == 403
    assert get(served, "/_nicegui_ws/socket.io/?EIO=4&transport=polling", Origin="http://example.org")[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/picture/X/../../secret.txt",
        "/picture/X/%2e%2e%2fsecret.txt",
        "/picture/Y/0",
        "/picture/X/-1",
        "/picture/X/99999",
        "/picture/X/5",
        "/secret.txt",
        "/graph/secret.txt",
        "//etc/passwd",
        "/../../../../etc/passwd",
        "/_nicegui/../../../../etc/passwd",
        "/static/../../etc/passwd",
        "/docs",
        "/openapi.json",
    ],
)
def test_no_other_file_is_served(served, path):
    status, body, _ = get(served, path)
    assert status in (404, 422)
    assert b"nothing for a browser" not in body
    assert b"root:" not in body


def test_pictures_are_served_as_pictures(served):
    found = [get(served, f"/picture/X/{position}") for position in range(6)]
    pictures = [(body, headers) for status, body, headers in found if status == 200]
    assert len(pictures) == 1
    body, headers = pictures[0]
    assert body.startswith(b"\x89PNG")
    assert headers["content-type"] == "image/png"
    assert headers["x-content-type-options"] == "nosniff"


def test_nothing_listens_on_other_addresses(served):
    port = urlsplit(served.address).port
    with socket.socket() as other:
        other.settimeout(2)
        assert other.connect_ex(("127.0.0.2", port)) != 0


def test_only_the_pages_import_nicegui():
    found = {
        path.name
        for path in (REPOSITORY / "skotkge").rglob("*.py")
        if re.search(r"^\s*(from|import) (nicegui|fastapi|starlette|uvicorn)", path.read_text(), flags=re.MULTILINE)
    }
    assert found == {"parts.py", "link_pages.py", "match_pages.py", "decision_page.py", "server.py"}
