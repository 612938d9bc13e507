"""The names of files of a graph, and their text in whatever encoding."""

import codecs
from itertools import chain
from pathlib import Path

from .._utils.messages import brief
from .decompression import COMPRESSIONS, EVERYTHING, byte_chunks, read_bytes

SPLITS = {
    "train": ("train", "training"),
    "valid": ("valid", "validation", "val", "dev"),
    "test": ("test", "testing"),
}


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


def text_chunks(path, size=EVERYTHING):
    """Yield the text of a file in UTF-8, or in UTF-16 with a byte order mark.

    Parameters
    ----------
    path : path-like
    size : int, default=EVERYTHING
        Bytes that are read at once.

    Yields
    ------
    str

    Raises
    ------
    ValueError
        If it is in another encoding; the message names the line.
    """
    chunks = byte_chunks(path, size)
    beginning = next(chunks)
    decoder = codecs.getincrementaldecoder(_encoding_of(beginning, path))()
    # Lines that have ended, and bytes after the last of them, before the bytes that the decoder looks at.
    n_lines, n_bytes = 0, 0
    for chunk in chain([beginning], chunks, [b""]):
        unread = decoder.getstate()[0] + chunk
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            before = unread[: error.start]
            line, column = n_lines + before.count(b"\n") + 1, error.start - before.rfind(b"\n")
            column += 0 if b"\n" in before else n_bytes
            raise ValueError(
                f"{brief(path)}, line {line}: {error} (byte {column} of the line); convert the file to UTF-8."
            ) from error
        read = unread[: len(unread) - len(decoder.getstate()[0])]
        n_lines += read.count(b"\n")
        n_bytes = len(read) - read.rfind(b"\n") - 1 + (0 if b"\n" in read else n_bytes)
        yield text


def read_text(path):
    """Return the text of a file, or raise as `text_chunks` does."""
    return "".join(text_chunks(path))


def read_utf8(path):
    """Return the bytes of a file, recoded in UTF-8 without byte order mark if they begin with one of UTF-16.

    Raises
    ------
    ValueError
        As for `text_chunks`, of files that are in UTF-16 or UTF-32.
    """
    data = read_bytes(path)
    if _encoding_of(data, path) == "utf-16":
        data = read_text(path).encode()
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
