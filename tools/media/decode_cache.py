"""The pixels of what was encoded without loss a moment ago, by its bytes: who reads it back need not decode it."""

import threading
from collections import OrderedDict

from models.agent import UInt8Array

MOST_BYTES = 2**26


class Fresh:
    """The newest pixels, `most_bytes` of them together; for any number of threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._known: OrderedDict[bytes, UInt8Array] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, data: bytes, pixels: UInt8Array) -> None:
        """These bytes decode to these pixels, bit for bit."""
        if pixels.nbytes > self._most:
            return
        mine = pixels.copy()
        mine.flags.writeable = False
        with self._lock:
            self._forget(data)
            self._known[data] = mine
            self._bytes += mine.nbytes
            while self._bytes > self._most:
                self._forget(next(iter(self._known)))

    def forget(self, data: bytes) -> None:
        """These bytes are to be decoded again."""
        with self._lock:
            self._forget(data)

    def pixels(self, data: bytes) -> UInt8Array | None:
        """What the bytes decode to, not to be written to; None: to be decoded. Compared whole, not by a digest."""
        with self._lock:
            return self._known.get(data)

    def _forget(self, data: bytes) -> None:
        if (gone := self._known.pop(data, None)) is not None:
            self._bytes -= gone.nbytes
