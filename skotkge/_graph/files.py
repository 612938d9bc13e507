"""The bytes and the text of files: whatever compresses them, whatever way their lines end."""

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path

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
SPLITS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev"),
    "test": ("test", "testing"),
}
LONGEST = 500


def brief(path, limit=120):
    """Write a path for a message; of a long one the end, which tells the file."""
    path = str(path)
    return path if len(path) <= limit else f"...{path[-limit:]}"


def shortened(message, limit=LONGEST):
    """Cut a message in its middle, so that both the place and the remedy stay."""
    half = (limit - 5) // 2
    return message if len(message) <= limit else f"{message[:half]} ... {message[-half:]}"


def suffix_of(path):
    """Return the last part of a file's name, in lower case and without that of its compression."""
    path = Path(path)
    while path.suffix.lower() in COMPRESSIONS:
        path = path.with_suffix("")
    return path.suffix.lower()


def find_split(folder, split, suffixes):
    """Return the file of triples called after a split in a folder, or None.

    Raises
    ------
    ValueError
        If there are several.
    """
    files = sorted(path for path in Path(folder).iterdir() if path.is_file() and suffix_of(path) in suffixes)
    found = [path for path in files if path.name.partition(".")[0].lower() in SPLITS[split]]
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise ValueError(f"{brief(folder)} has several files of the split: {names}; keep one")
    return found[0] if found else None


def read_bytes(path):
    """Return what a file holds once it is decompressed.

    Raises
    ------
    ImportError
        If zstandard is needed and missing.
    ValueError
        If the file is damaged, or not compressed as its name says.
    """
    path = Path(path)
    data = path.read_bytes()
    kind = COMPRESSIONS.get(path.suffix.lower()) or _compression_of(data)
    if kind is None:
        return data
    try:
        data = OPENERS[kind](data, path)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError) as error:
        named = " as its name says" if path.suffix.lower() in COMPRESSIONS else ", though it begins like one"
        raise ValueError(shortened(f"{brief(path)} is no complete {kind} file{named}: {error}.")) from error
    if data[257:262] == b"ustar":
        raise ValueError(f"{brief(path)} is a tar archive; unpack it and pass the files or their folder.")
    return data


def _compression_of(data):
    kind = next((kind for kind, beginning in BEGINNINGS.items() if data.startswith(beginning)), None)
    return None if kind == "bz2" and data[4:10] != BZ2_BLOCK else kind


def _unzip(data, path):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if len(names) != 1:
            raise ValueError(
                shortened(
                    f"{brief(path)} holds {len(names)} files, expected one: {', '.join(names[:5])}; unpack it and pass "
                    "the files or their folder."
                )
            )
        if archive.getinfo(names[0]).flag_bits & 1:
            raise ValueError(f"{brief(path)} is encrypted; unpack it and pass the file that it holds.")
        return archive.read(names[0])


def _unzstd(data, path):
    try:
        from zstandard import ZstdDecompressor, ZstdError
    except ImportError as error:
        raise ImportError(f'{brief(path)} needs zstandard to be decompressed: pip install ".[zstd]".') from error
    parts = []
    try:
        while data:  # one frame after another, since a stream reader does not tell when the last one is cut off
            frame = ZstdDecompressor().decompressobj()
            parts.append(frame.decompress(data))
            if not frame.eof:
                raise EOFError("compressed data ended before the end of a frame")
            data = frame.unused_data
    except ZstdError as error:
        raise EOFError(error) from error
    return b"".join(parts)


def _unbz2(data, _):
    try:
        return bz2.decompress(data)
    except ValueError as error:  # as bz2 calls a file that is cut off
        raise EOFError(error) from error


OPENERS = {
    "gzip": lambda data, _: gzip.decompress(data),
    "bz2": _unbz2,
    "xz": lambda data, _: lzma.decompress(data),
    "zip": _unzip,
    "zstd": _unzstd,
}


def read_text(path):
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark.

    Raises
    ------
    ValueError
        If it is in another encoding; the message names the line.
    """
    return _decoded(read_bytes(path), path)


def read_utf8(path):
    """Return the bytes of a file, recoded in UTF-8 without byte order mark if they begin with one of UTF-16.

    Raises
    ------
    ValueError
        As for `read_text`, of files that are in UTF-16 or UTF-32.
    """
    data = read_bytes(path)
    if _encoding_of(data, path) == "utf-16":
        data = _decoded(data, path).encode()
    return data.removeprefix(codecs.BOM_UTF8)


def _encoding_of(data, path):
    """Tell the encoding of a text from its first bytes, and refuse what cannot be read."""
    beginning = data[:400]
    is_marked = data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    zeros = [beginning[start::4].count(0) for start in range(4)]
    if data[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        looks = "UTF-32"
    elif is_marked or sum(zeros) * 4 <= len(beginning):
        return "utf-16" if is_marked else "utf-8-sig"
    elif sum(zeros) * 2 > len(beginning) + 4:
        looks = "UTF-32LE" if zeros[0] < zeros[3] else "UTF-32BE"
    else:  # of each two bytes the second is zero in little-endian Latin text, else the first
        looks = "UTF-16LE" if zeros[0] + zeros[2] < zeros[1] + zeros[3] else "UTF-16BE"
    raise ValueError(
        f"{brief(path)}, line 1: looks like {looks}{'' if looks == 'UTF-32' else ' without byte order mark'}; convert "
        f"the file to UTF-8 (iconv -f {looks} -t UTF-8)."
    )


def _decoded(data, path):
    try:
        return data.decode(_encoding_of(data, path))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ValueError(
            f"{brief(path)}, line {line}: {error} (byte {column} of the line); convert the file to UTF-8."
        ) from error
