"""The frames of a clip that A3 has changed so far, kept with the bookmark of the frame it is at."""

import logging

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.agent import Bookmark, UInt8Array

log = logging.getLogger(__name__)


class EditedFrames:
    """Those that an earlier try kept, then those that are added; it is the agent's bookmark for the next one.

    size: (width, height) in pixels. bookmark: None keeps nothing.
    """

    def __init__(self, bookmark: Bookmark | None, size: tuple[int, int]) -> None:
        self._bookmark, self._shape = bookmark, (size[1], size[0], 3)
        self.frames: list[UInt8Array] = []
        while (more := self._after(len(self.frames))) is not None:
            self.frames.extend(more)
        self._kept = len(self.frames)

    def add(self, pixels: UInt8Array) -> None:
        """The next frame is done: uint8 (H, W, 3)."""
        self.frames.append(pixels)
        if self.is_due():
            self._keep()

    def is_due(self) -> bool:
        """As the bookmark says."""
        return self._bookmark is not None and self._bookmark.is_due()

    def load(self, name: str = "steps") -> bytes | None:
        """The state of the next frame's call."""
        return None if self._bookmark is None else self._bookmark.load(self._of_next(name))

    def save(self, state: bytes, name: str = "steps") -> None:
        """Keeps the state of the next frame's call, and first the frames before it."""
        if self._bookmark is not None:
            self._keep()
            self._bookmark.save(state, self._of_next(name))

    def forget(self) -> None:
        """Removes what is kept of the whole clip."""
        if self._bookmark is not None:
            self._bookmark.forget()

    def _of_next(self, name: str) -> str:
        return f"{name}-of-{len(self.frames)}"

    def _keep(self) -> None:
        """Only the new ones: what was kept is not written again, however long the clip."""
        if self._bookmark is not None and len(self.frames) > self._kept:
            self._bookmark.save(save({"frames": np.stack(self.frames[self._kept :])}), f"frames-from-{self._kept}")
            self._kept = len(self.frames)

    def _after(self, index: int) -> UInt8Array | None:
        data = None if self._bookmark is None else self._bookmark.load(f"frames-from-{index}")
        if data is None:
            return None
        try:
            frames: UInt8Array = load(data)["frames"]
        except (SafetensorError, KeyError) as error:
            log.warning("Kept frames are not used: %s", error)
            return None
        fits = frames.dtype == np.uint8 and frames.shape[1:] == self._shape and len(frames) > 0
        return frames if fits else None
