"""Files are whole or not there: killed writers, full disks, places that take no file."""

import os
import re
import resource
import signal
import stat
import subprocess
import sys
import time

import pytest
from helpers import REPOSITORY

from skotkge._utils.whole_files import PART, check_writable, whole_file

WRITE_FOR_EVER = """
import sys
from skotkge._utils.whole_files import whole_file
number = 0
while True:
    number += 1
    with whole_file(sys.argv[1]) as file:
        for _ in range(50):
            file.write(str(number % 10).encode() * 10_000)
    print(number, flush=True)
"""
MOMENTS = 15


def leftovers(folder):
    return [path for path in folder.iterdir() if path.name.endswith(PART)]


def test_a_killed_writer_leaves_a_whole_file(tmp_path):
    path = tmp_path / "table.bin"
    path.write_bytes(b"0" * 500_000)
    for moment in range(MOMENTS):
        command = [sys.executable, "-c", WRITE_FOR_EVER, str(path)]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY)
        writer.stdout.readline()
        time.sleep(0.0037 * moment % 0.03)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        content = path.read_bytes()
        assert re.fullmatch(rb"(\d)\1{499999}", content)


def test_an_error_leaves_the_earlier_file_and_no_part(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("earlier")

    def interrupted():
        with whole_file(path, "w", encoding="utf-8") as file:
            file.write("later")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "earlier"
    assert not leftovers(tmp_path)


def write_100_000_bytes(path):
    with whole_file(path) as file:
        for _ in range(100):
            file.write(b"x" * 1000)


def test_a_full_disk_leaves_the_earlier_file_and_is_told_with_its_name(tmp_path):
    path = tmp_path / "table.bin"
    path.write_bytes(b"earlier")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        with pytest.raises(OSError, match=r"table\.bin") as error:
            write_100_000_bytes(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert error.value.filename == str(path)
    assert path.read_bytes() == b"earlier"
    assert not leftovers(tmp_path)


def test_links_and_permissions_stay(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "table.txt", tmp_path / "link.txt"
    target.write_text("earlier")
    target.chmod(0o640)
    link.symlink_to(target)
    with whole_file(link, "w") as file:
        file.write("later")
    assert link.is_symlink()
    assert target.read_text() == "later"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for write in (lambda path: whole_file(path).__enter__(), check_writable):
        with pytest.raises(ValueError, match="no regular file"):
            write(tmp_path / "pipe")


def test_places_that_take_no_file_are_told_before(tmp_path):
    check_writable(tmp_path / "table.txt")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="there is no folder"):
        check_writable(tmp_path / "no" / "table.txt")
    with pytest.raises(ValueError, match="is a folder"):
        check_writable(tmp_path)
    if os.path.isdir("/proc"):
        with pytest.raises(ValueError, match=r"/proc/table\.txt cannot be written"):
            check_writable("/proc/table.txt")
