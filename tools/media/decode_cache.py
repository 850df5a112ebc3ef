"""Cache the pixels of recently encoded lossless media by their bytes, so that reading them back needs no decoding."""

import threading
from collections import OrderedDict

from models.agent import UInt8Array

MOST_BYTES = 2**26


class Fresh:
    """Thread-safe cache of the newest pixels, `most_bytes` in total."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most, self._bytes = most_bytes, 0
        self._known: OrderedDict[bytes, UInt8Array] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, data: bytes, pixels: UInt8Array) -> None:
        """Store that `data` decodes exactly to `pixels`."""
        if pixels.nbytes > self._most:
            return
        copy = pixels.copy()
        copy.flags.writeable = False
        with self._lock:
            self._forget(data)
            self._known[data] = copy
            self._bytes += copy.nbytes
            while self._bytes > self._most:
                self._forget(next(iter(self._known)))

    def forget(self, data: bytes) -> None:
        """Remove the entry of these bytes."""
        with self._lock:
            self._forget(data)

    def pixels(self, data: bytes) -> UInt8Array | None:
        """Return the read-only pixels of these bytes, compared in full and not by digest; None if not cached."""
        with self._lock:
            return self._known.get(data)

    def _forget(self, data: bytes) -> None:
        if (gone := self._known.pop(data, None)) is not None:
            self._bytes -= gone.nbytes
