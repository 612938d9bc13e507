"""Files that are whole or not there: written beside their place, flushed to the disk, then renamed."""

import os
import secrets
import stat
from contextlib import contextmanager, suppress
from pathlib import Path

PART = ".part"


@contextmanager
def whole_file(path, mode="wb", **options):
    """Open a new file that takes its place, and that of an earlier file, when the block ends without an error.

    Parameters
    ----------
    path : path-like
        A link is followed.
    mode : {"wb", "w"}, default="wb"
    **options
        For `open`: encoding, newline.

    Yields
    ------
    file

    Raises
    ------
    OSError
        With the name of the file, where it cannot be written; an earlier file is then as it was.
    ValueError
        If there is something else than a file at the path.
    """
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():
        raise ValueError(f"{path} is {'a folder' if place.is_dir() else 'no regular file'}; name a file.")
    part = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}{PART}")
    try:
        with open(part, mode, **options) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if place.exists():
            os.chmod(part, stat.S_IMODE(place.stat().st_mode))
        os.replace(part, place)
        _flush_folder(place.parent)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, OSError) and error.errno is not None:  # that of a full disk names no file
            raise type(error)(error.errno, error.strerror, str(path)) from error
        raise


def check_writable(path, argument="path"):
    """Make sure that a file can be written, before anything long starts: a first byte is written beside it.

    Raises
    ------
    ValueError
        If its folder does not exist or takes no new file, or there is something else than a file.
    """
    place = Path(os.path.realpath(path))
    if not place.parent.is_dir():
        raise ValueError(f"{argument} {path}: there is no folder {place.parent}")
    if place.is_dir():
        raise ValueError(f"{argument} {path} is a folder; name a file in it")
    if place.exists() and not place.is_file():
        raise ValueError(f"{argument} {path} is no regular file; name another")
    trial = place.with_name(f".{place.name[:200]}.{secrets.token_hex(4)}{PART}")
    try:
        trial.write_bytes(b"\n")
    except OSError as error:
        raise ValueError(f"{argument} {path} cannot be written: {error.strerror}; name a file elsewhere") from error
    finally:
        with suppress(OSError):
            trial.unlink()


def _flush_folder(folder):
    """Bring the new name itself to the disk, where a folder can be opened for that (not on Windows)."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
