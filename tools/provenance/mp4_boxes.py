"""Recover the unsigned film from a signed copy by removing its C2PA manifest box. Knows MP4 boxes only."""

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple


def unsigned(copy: bytes) -> bytes:
    """Return the film without its manifest, byte for byte as it was before signing.

    Signing inserts one box before the index and adds its size to the chunk offsets in the index; this undoes both.
    Raises ValueError or struct.error for a file that is not MP4 or has no such box.
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
"""Path of nested boxes to the chunk offset tables."""


class _Box(NamedTuple):
    """A box of ISO 14496-12. begin, body, end: byte offsets of the box, its content and its end."""

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
