"""Save the frames of a clip that A3 has edited so far, along with the bookmark of the frame in progress."""

import logging

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.agent import Bookmark, UInt8Array

log = logging.getLogger(__name__)


class EditedFrames:
    """Frames saved by an earlier attempt followed by those added now; also the agent's bookmark for the next frame.

    size: (width, height) in pixels. bookmark: None saves nothing.
    """

    def __init__(self, bookmark: Bookmark | None, size: tuple[int, int]) -> None:
        self._bookmark, self._shape = bookmark, (size[1], size[0], 3)
        self.frames: list[UInt8Array] = []
        while (more := self._after(len(self.frames))) is not None:
            self.frames.extend(more)
        self._kept = len(self.frames)

    def add(self, pixels: UInt8Array) -> None:
        """Append the next finished frame, uint8 (H, W, 3)."""
        self.frames.append(pixels)
        if self.is_due():
            self._keep()

    def is_due(self) -> bool:
        """Return whether the bookmark is due to be saved."""
        return self._bookmark is not None and self._bookmark.is_due()

    def load(self, name: str = "steps") -> bytes | None:
        """Return the saved state of the agent's call for the next frame."""
        return None if self._bookmark is None else self._bookmark.load(self._of_next(name))

    def save(self, state: bytes, name: str = "steps") -> None:
        """Save the state of the agent's call for the next frame, after saving the frames before it."""
        if self._bookmark is not None:
            self._keep()
            self._bookmark.save(state, self._of_next(name))

    def forget(self) -> None:
        """Remove everything saved for the clip."""
        if self._bookmark is not None:
            self._bookmark.forget()

    def _of_next(self, name: str) -> str:
        return f"{name}-of-{len(self.frames)}"

    def _keep(self) -> None:
        """Save only the new frames, so that long clips are not rewritten each time."""
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
            log.warning("Saved frames cannot be read and are ignored: %s", error)
            return None
        fits = frames.dtype == np.uint8 and frames.shape[1:] == self._shape and len(frames) > 0
        return frames if fits else None
