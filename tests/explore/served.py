"""Pages in processes of their own."""

import os
import re
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from helpers import REPOSITORY

MAIN = "import sys; from skotkge.__main__ import main; sys.exit(main(sys.argv[1:]))"


@dataclass(frozen=True)
class Served:
    """Where a page is, and the files that it was made of."""

    address: str
    model: Path
    graph: Path
    decisions: Path


@contextmanager
def serving(model, decisions, *folders, before="pass", told=""):
    """Serve a page; at its end the process must have told what is expected on the standard error.

    Parameters
    ----------
    model, decisions : Path
    *folders : Path
    before : str, default="pass"
        Python that runs first.
    told : str, default=""
        A pattern.

    Yields
    ------
    Served
    """
    options = [part for folder in folders for part in ("--graph", folder)]
    command = [sys.executable, "-c", f"{before}\n{MAIN}", "explore", model, *options, "--decisions", decisions]
    process = subprocess.Popen(
        [*map(str, command), "--no-browser"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=model.parent,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    try:
        started = re.match(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        if started is None:
            raise RuntimeError(process.communicate(timeout=60)[1])
        yield Served(started.group(), model, folders[0] if folders else None, decisions)
    finally:
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert out.startswith("ended; ")
    assert re.fullmatch(told, err, flags=re.DOTALL), err
    assert process.returncode == 0
