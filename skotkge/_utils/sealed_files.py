"""Files that end with a format number and a checksum of all bytes before, so that damage is found before it is read.

The seal is the comment of a zip archive, or follows the end of a pickle: other readers pass over it.
"""

import os
import re
import struct
import zipfile
import zlib

from . import persistence
from .archive_checksum import checksum_of_archive
from .whole_files import whole_file

SEAL = "\nskotkge file, format %04d, crc32 %08x\n"
SEAL_LENGTH = len(SEAL % (0, 0))
PATTERN = re.compile(rb"\nskotkge file, format (\d{4}), crc32 ([0-9a-f]{8})\n")
ZIP_BEGINS, ZIP_ENDS = b"PK\x03\x04", b"PK\x05\x06"
# Length of the record at the end of an archive without comment; its last two bytes are the length of the comment.
ZIP_END_LENGTH = 22
BLOCK = 2**20


def write_sealed_archive(path, write):
    """Write an archive whole, and seal it.

    Parameters
    ----------
    path : path-like
    write : callable
        Writes the archive to a binary file, of stored members without comment.
    """
    with whole_file(path, "w+b") as file:
        write(file)
        length = file.seek(0, os.SEEK_END)
        file.seek(-2, os.SEEK_END)
        file.write(SEAL_LENGTH.to_bytes(2, "little"))  # the end record tells that the seal follows as its comment
        file.write(bytes(SEAL_LENGTH))
        checksum = checksum_of_archive(file, length, _start_of_checksum(persistence.FORMAT))
        file.seek(length)
        file.write(_seal(checksum))


def write_sealed_pickle(path, write):
    """Write a pickle whole, and seal it.

    Parameters
    ----------
    path : path-like
    write : callable
        Writes the pickle, one byte after the other, to what has the methods `write` and `tell` of a binary file.
    """
    with whole_file(path) as file:
        summed = _SummedFile(file, _start_of_checksum(persistence.FORMAT))
        write(summed)
        file.write(_seal(summed.checksum))


class _SummedFile:
    """A file that is written from its start to its end, and the CRC-32 of that, so that nothing is read again."""

    def __init__(self, file, checksum):
        self._file, self.checksum = file, checksum
        self.tell = file.tell

    def write(self, content):
        self.checksum = zlib.crc32(content, self.checksum)
        return self._file.write(content)


def _seal(checksum):
    return (SEAL % (persistence.FORMAT, checksum)).encode()


def _start_of_checksum(format):
    return zlib.crc32(b"%d" % format)


def _is_archive(file):
    """Tell whether a file begins as archives do."""
    file.seek(0)
    return file.read(len(ZIP_BEGINS)) == ZIP_BEGINS


def _checksum(file, length, format):
    """CRC-32 of the format number and the first bytes of a file.

    It finds every damage within 32 bits in a row, and any other but one in 2^32; a hash against forgers, who could
    write that as well, would take three times as long. The content of archives is not read for it, as reading their
    members compares that.
    """
    checksum = _start_of_checksum(format)
    if _is_archive(file):
        return checksum_of_archive(file, length, checksum)
    file.seek(0)
    while length:
        block = file.read(min(length, BLOCK))
        if not block:
            break
        checksum = zlib.crc32(block, checksum)
        length -= len(block)
    return checksum


def check_seal(file, path):
    """Compare a file with its seal.

    Parameters
    ----------
    file : binary file
        Left at its beginning.
    path : path-like
        For messages.

    Returns
    -------
    int or None
        The format; None for a whole archive or other file without a seal, as other programs write them.

    Raises
    ------
    ValueError
        If the file is damaged or of a newer format.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - SEAL_LENGTH))
    end = file.read()
    seal = PATTERN.fullmatch(end)
    if seal is None:
        if _is_archive(file) and not _is_plain_archive(end):
            raise damaged(path)
        file.seek(0)
        return None
    format = int(seal[1])
    if format > persistence.FORMAT:
        raise ValueError(
            f"{path} is a file of skotkge in format {format}, and skotkge {persistence.__version__} reads formats up "
            f"to {persistence.FORMAT}: install a newer skotkge to load it."
        )
    try:
        whole = _checksum(file, size - SEAL_LENGTH, format) == int(seal[2], 16)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, struct.error):  # of damaged archives
        whole = False
    if not whole:
        raise damaged(path)
    file.seek(0)
    return format


def _is_plain_archive(end):
    """Tell whether the end of a file is that of an archive without comment."""
    record = end[-ZIP_END_LENGTH:]
    return record.startswith(ZIP_ENDS) and record[-2:] == b"\0\0"


def damaged(path, reason="it is cut off, or bytes of it have changed since it was written"):
    """The error for a file that cannot be what was written."""
    return ValueError(f"{path} is damaged: {reason}; take a copy of it, or make the model again.")
