"""The bytes of files, whole or piece by piece, whatever compresses them."""

import bz2
import gzip
import lzma
import zipfile
import zlib
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path

from .._utils.messages import brief, cut

COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".zip": "zip", ".zst": "zstd", ".zstd": "zstd"}
# A compressed file is known by its first bytes, whatever its name is.
BEGINNINGS = {
    "gzip": b"\x1f\x8b",
    "bz2": b"BZh",
    "xz": b"\xfd7zXZ\x00",
    "zip": b"PK\x03\x04",
    "zstd": b"\x28\xb5\x2f\xfd",
}
BZ2_BLOCK = b"1AY&SY"  # after "BZh" and a digit; three letters alone could begin a label
LOOKED_AT = 512
EVERYTHING = -1


def byte_chunks(path, size=EVERYTHING):
    """Yield what a file holds once it is decompressed.

    Parameters
    ----------
    path : path-like
    size : int, default=EVERYTHING
        Bytes that are read at once; a single chunk by default.

    Yields
    ------
    bytes
        The first of them is long enough to tell the encoding of a text by.

    Raises
    ------
    ImportError
        If zstandard is needed and missing.
    ValueError
        If the file is damaged, not compressed as its name says, or a tar archive.
    """
    path = Path(path)
    with open(path, "rb") as file:
        kind = COMPRESSIONS.get(path.suffix.lower()) or _compression_of(file.read(LOOKED_AT))
        file.seek(0)
        if kind is None:
            chunks = _read_on(file, size)
        else:
            chunks = _told_when_damaged(DECOMPRESSORS[kind](file, path, size), kind, path)
        beginning = b""
        while len(beginning) < LOOKED_AT and (chunk := next(chunks, b"")):
            beginning += chunk
        if kind is not None and beginning[257:262] == b"ustar":
            raise ValueError(f"{brief(path)} is a tar archive; unpack it and pass the files or their folder.")
        yield from chain([beginning], chunks)


def read_bytes(path):
    """Return what a file holds once it is decompressed, or raise as `byte_chunks` does."""
    return b"".join(byte_chunks(path))


def _compression_of(beginning):
    kind = next((kind for kind, first in BEGINNINGS.items() if beginning.startswith(first)), None)
    return None if kind == "bz2" and beginning[4:10] != BZ2_BLOCK else kind


def _read_on(file, size):
    return iter(lambda: file.read(size), b"")


def _told_when_damaged(chunks, kind, path):
    """Yield chunks; what is wrong with the file that they come from becomes a message."""
    try:
        yield from chunks
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError) as error:
        named = " as its name says" if path.suffix.lower() in COMPRESSIONS else ", though it begins like one"
        raise ValueError(cut(f"{brief(path)} is no complete {kind} file{named}: {error}.")) from error


def _unzipped(file, path, size):
    with ExitStack() as opened:
        archive = opened.enter_context(zipfile.ZipFile(file))
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if len(names) != 1:
            raise ValueError(
                cut(
                    f"{brief(path)} holds {len(names)} files, expected one: {', '.join(names[:5])}; unpack it and pass "
                    "the files or their folder."
                )
            )
        if archive.getinfo(names[0]).flag_bits & 1:
            raise ValueError(f"{brief(path)} is encrypted; unpack it and pass the file that it holds.")
        yield from _read_on(opened.enter_context(archive.open(names[0])), size)


def _zstd_decompressed(file, path, size):
    """Yield one frame after another, since a stream reader does not tell when the last one is cut off."""
    try:
        from zstandard import ZstdDecompressor, ZstdError
    except ImportError as error:
        raise ImportError(f'{brief(path)} needs zstandard to be decompressed: pip install ".[zstd]".') from error
    frame = None
    try:
        for data in _read_on(file, size):
            while data:
                frame = ZstdDecompressor().decompressobj() if frame is None or frame.eof else frame
                if piece := frame.decompress(data):
                    yield piece
                data = frame.unused_data if frame.eof else b""
    except ZstdError as error:
        raise EOFError(error) from error
    if frame is None or not frame.eof:
        raise EOFError("compressed data ended before the end of a frame")


def _by_standard_library(opener, file, _, size):
    with opener(file) as opened:
        yield from _read_on(opened, size)


DECOMPRESSORS = {
    "gzip": partial(_by_standard_library, gzip.open),
    "bz2": partial(_by_standard_library, bz2.open),
    "xz": partial(_by_standard_library, lzma.open),
    "zip": _unzipped,
    "zstd": _zstd_decompressed,
}
