"""Checkpoints made small: a conversation's state says the same things again and again, and every step stores it all."""

import zlib

MARK = b"\xc1z"
"""Begins what is squeezed; no msgpack begins with its first byte, which stands for nothing."""
WORTH = 1024
"""Bytes; less is left as it is."""
LARGEST = 64 * 2**20
"""Bytes of a value that is opened: more was not written by this program."""


def squeezed(data: bytes) -> bytes:
    """The bytes, smaller if that is worth it."""
    return data if len(data) < WORTH else MARK + zlib.compress(data, 1)


def opened(data: bytes) -> bytes:
    """The bytes as they were. Raises ValueError for what is damaged, cut off, or would grow beyond all measure."""
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
