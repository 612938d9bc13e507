"""The CRC-32 of an archive from those of its members, without reading these."""

import zipfile
import zlib

# Of CRC-32; bits are in reverse, so that the highest one is the coefficient of x^0.
POLYNOMIAL = 0xEDB88320
ONE, X_TO_THE_8 = 1 << 31, 1 << 23


def checksum_of_archive(file, length, checksum):
    """CRC-32 of the first bytes of an archive, from those of its members that its directory holds.

    The members are read at another time, which compares them with their checksums.

    Parameters
    ----------
    file : binary file
    length : int
        How many bytes count; the archive may have a comment behind.
    checksum : int
        Of what is thought to be before the file.

    Returns
    -------
    int

    Raises
    ------
    zipfile.BadZipFile
        If it is no archive of members that are stored as they are, one behind the other.
    """
    with zipfile.ZipFile(file) as archive:
        members = sorted(archive.infolist(), key=lambda member: member.header_offset)
    position = 0
    for member in members:
        start = _start_of_content(file, member) if member.header_offset >= position else length
        if member.compress_type != zipfile.ZIP_STORED or start > length - member.file_size:
            raise zipfile.BadZipFile(f"{member.filename} is not stored as it is, or not where it should be")
        file.seek(position)
        checksum = zlib.crc32(file.read(start - position), checksum)
        checksum = combined_checksum(checksum, member.CRC, member.file_size)
        position = start + member.file_size
    file.seek(position)
    return zlib.crc32(file.read(length - position), checksum)


def _start_of_content(file, member):
    """Where the bytes of a member begin: behind its header, its name and further fields."""
    file.seek(member.header_offset)
    header = file.read(zipfile.sizeFileHeader)
    name_and_fields = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return member.header_offset + zipfile.sizeFileHeader + name_and_fields


def combined_checksum(first, second, second_length):
    """CRC-32 of two pieces of bytes one behind the other, from those of each.

    A CRC is the remainder of the bytes, as a polynomial over the field of two elements, so that the first one only has
    to be shifted by the second piece: multiplied by x^8 for each of its bytes.

    Parameters
    ----------
    first, second : int
        Checksums.
    second_length : int
        Bytes of the second piece.

    Returns
    -------
    int
    """
    factor, power = ONE, X_TO_THE_8
    while second_length:
        if second_length & 1:
            factor = _product(factor, power)
        power = _product(power, power)
        second_length >>= 1
    return _product(factor, first) ^ second


def _product(first, second):
    """Product of two polynomials modulo that of CRC-32."""
    product = 0
    for bit in range(31, -1, -1):
        if first >> bit & 1:
            product ^= second
        second = second >> 1 ^ (POLYNOMIAL if second & 1 else 0)
    return product
