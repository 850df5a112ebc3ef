"""the film without its manifest box"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple


def unsigned_sha256(copy: bytes) -> str | None:
    """The digest of the film that a signed copy was made of, 64 hex digits; None if it is no such copy."""
    try:
        return hashlib.sha256(unsigned(copy)).hexdigest()
    except (struct.error, ValueError):
        return None


def unsigned(copy: bytes) -> bytes:
    """The film without its manifest, byte for byte as it was before it was signed.

    Signing puts one box in front of the index and adds its size to the places of the chunks there; this is the way
    back. Raises ValueError, struct.error for what is no MP4, or has no such box.
    """
    box = next((box for box in _boxes(copy, 0, len(copy)) if copy[box.begin + 4 :][:20] == C2PA_BOX), None)
    if box is None:
        raise ValueError("there is no box of a manifest")
    film, size = bytearray(copy[: box.begin] + copy[box.end :]), box.end - box.begin
    for table in _tables(film, 0, len(film), INDEX):
        layout = ">I" if table.name == b"stco" else ">Q"
        first, width = table.body + 8, struct.calcsize(layout)
        (count,) = struct.unpack_from(">I", film, table.body + 4)
        if count * width > table.end - first:
            raise ValueError("the table of chunks is longer than its box")
        for place in range(first, first + count * width, width):
            (offset,) = struct.unpack_from(layout, film, place)
            if offset >= box.begin + size:
                struct.pack_into(layout, film, place, offset - size)
    return bytes(film)


C2PA_BOX = b"uuid" + bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


INDEX = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
"""The way to the tables of chunks, box in box."""


class _Box(NamedTuple):
    """A box of ISO 14496-12: where it begins, its content begins, and it ends, in bytes."""

    name: bytes
    begin: int
    body: int
    end: int


def _boxes(data: bytes | bytearray, begin: int, end: int) -> Iterator[_Box]:
    while begin < end:
        size, name = struct.unpack_from(">I4s", data, begin)
        body = begin + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        size = size or end - begin
        if not body - begin <= size <= end - begin:
            raise ValueError(f"the box {name!r} does not fit where it is")
        yield _Box(name, begin, body, begin + size)
        begin += size


def _tables(data: bytearray, begin: int, end: int, way: Sequence[bytes]) -> Iterator[_Box]:
    for box in _boxes(data, begin, end):
        if way and box.name == way[0]:
            yield from _tables(data, box.body, box.end, way[1:])
        elif not way and box.name in (b"stco", b"co64"):
            yield box
