"""Checkpoints compressed: the state of a conversation repeats itself, and every step stores all of it."""

import zlib

MARK = b"\xc1z"
"""Begins what is squeezed; no msgpack begins with its first byte, which stands for nothing."""
WORTH = 1024
"""Bytes; less is left as it is."""
LARGEST = 64 * 2**20
"""Bytes of a value that is opened: more was not written by this program."""


def squeezed(data: bytes) -> bytes:
    """Compress the bytes if they are large enough for that to be worth it."""
    return data if len(data) < WORTH else MARK + zlib.compress(data, 1)


def opened(data: bytes) -> bytes:
    """Return the bytes as they were; ValueError for what is damaged, cut off, or larger than `LARGEST`."""
    if not data.startswith(MARK):
        return data
    opener = zlib.decompressobj()
    try:
        plain = opener.decompress(data[len(MARK) :], LARGEST)
    except zlib.error as error:
        raise ValueError(f"its compressed bytes are damaged: {error}") from error
    if not opener.eof or opener.unused_data:
        raise ValueError("its compressed bytes do not end where they should")
    return plain
