"""``fit`` started by torchrun: the first process alone reads, prints and writes."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.utils.fixes import parse_version

import skotkge

pytestmark = pytest.mark.skipif(
    parse_version(torch.__version__) < parse_version("2.6"),
    reason="with PyTorch 2.4 and 2.5 a process does not always come back from leaving its group",
)

# The command, and then the threads that are left in each process.
TELLING_OF_THREADS = """
import os, sys
from pathlib import Path
from skotkge.__main__ import main
status = main()
names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
Path(__file__).with_name("threads-" + os.environ["RANK"]).write_text(" ".join(names))
sys.exit(status)
"""


def torchrun(*arguments, program=("-m", "skotkge")):
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", *program, *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, timeout=300)


@pytest.fixture
def triples(tmp_path):
    labels = [(f"e{number}", f"r{number % 2}", f"e{(number + step) % 20}") for number in range(20) for step in (1, 3)]
    np.savetxt(tmp_path / "triples.tsv", np.array(labels), fmt="%s", delimiter="\t")
    return tmp_path / "triples.tsv"


def test_one_process_prints_and_writes(triples, tmp_path):
    model = tmp_path / "model.skops"
    options = ["--evidence", "structure", "--n-components", "8", "--max-iter", "2", "--quiet"]
    done = torchrun("fit", str(triples), "--output", str(model), *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("saved to") == 1
    assert done.stderr.count("by the first of the 2 processes alone") == 1  # of the default objective
    assert skotkge.load(model)["kge"].entity_embeddings_.shape == (20, 8)


def test_an_error_is_told_once(tmp_path):
    done = torchrun("fit", str(tmp_path / "nothing.tsv"), "--output", str(tmp_path / "model.skops"))
    assert done.returncode != 0
    assert done.stderr.count("skotkge fit: error:") == 1


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="threads are listed on Linux alone")
def test_no_thread_outlives_the_group(triples, tmp_path):
    # One that does may abort a process that has done its work, just before it ends.
    program = tmp_path / "program.py"
    program.write_text(TELLING_OF_THREADS)
    options = ["--evidence", "structure", "--n-components", "8", "--max-iter", "1", "--quiet"]
    done = torchrun("fit", str(triples), "--output", str(tmp_path / "model.skops"), *options, program=[str(program)])
    assert done.returncode == 0, done.stderr
    for rank in range(2):
        assert "gloo" not in (tmp_path / f"threads-{rank}").read_text()
