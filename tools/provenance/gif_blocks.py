"""Recover the unsigned GIF from a signed copy by removing its C2PA manifest block. Knows GIF blocks only."""

from collections.abc import Iterator
from typing import NamedTuple

SIGNATURES = (b"GIF87a", b"GIF89a")
MANIFEST = b"\x21\xff\x0bC2PA_GIF\x01\x00\x00"
"""The beginning of the application extension that holds a manifest."""
EXTENSION, IMAGE, TRAILER = 0x21, 0x2C, 0x3B
TABLE_FLAG, TABLE_SIZE = 0x80, 0x07


class _Block(NamedTuple):
    begin: int
    end: int


def unsigned(copy: bytes) -> bytes:
    """Return the GIF without its manifest, byte for byte as it was before signing.

    Raises ValueError or IndexError for a file that is not GIF or has no such block.
    """
    if copy[:6] not in SIGNATURES:
        raise ValueError("that is no GIF")
    block = next((block for block in _blocks(copy) if copy.startswith(MANIFEST, block.begin)), None)
    if block is None:
        raise ValueError("there is no block of a manifest")
    return copy[: block.begin] + copy[block.end :]


def _blocks(data: bytes) -> Iterator[_Block]:
    at = 13 + _table(data[10])
    while data[at] != TRAILER:
        begin = at
        if data[at] == EXTENSION:
            at += 2
        elif data[at] == IMAGE:
            at += 10 + _table(data[at + 9]) + 1
        else:
            raise ValueError("a block is of no known kind")
        while data[at]:
            at += 1 + data[at]
        at += 1
        yield _Block(begin, at)


def _table(packed: int) -> int:
    """Return the bytes of the colour table that a packed field announces."""
    return 3 * 2 ** (1 + (packed & TABLE_SIZE)) if packed & TABLE_FLAG else 0
