"""Name what a file of a person shows, in a sentence of the embedded world; nothing where the oracle is not sure."""

from models.agent import UInt8Array
from models.embedded.language import Scenery
from models.embedded.oracle import look
from models.embedded.world import DIGITAL_BLOCKS

MOST_FRAMES = 32
"""Frames of a clip that are looked at, evenly spaced."""
END_SECONDS = 2.0
"""Length of the end of a clip whose motion is taken if the whole clip has no single one."""


def scenery_seen(frames: UInt8Array, fps: float | None = None, *, first: bool = False) -> Scenery | None:
    """Return what frames, uint8 (T, H, W, 3), show; None if any of it is uncertain. A single frame stays still.

    fps: frames per second of a clip. first: if the motion changes, that of the first seconds counts, not of the last.
    """
    if frames.shape[1] != frames.shape[2] or frames.shape[1] % DIGITAL_BLOCKS:
        return None
    if (whole := _seen(frames)) is not None or fps is None:
        return whole
    count = round(END_SECONDS * fps)
    if not 1 < count < len(frames):
        return None
    return _seen(frames[:count] if first else frames[-count:])


def _seen(frames: UInt8Array) -> Scenery | None:
    step = -(-len(frames) // MOST_FRAMES)
    saw = look(frames[::step])
    motion = "stays still" if len(frames) == 1 else saw.motion
    if saw.object is None or saw.colour is None or saw.scene is None or motion is None:
        return None
    return Scenery(saw.object, saw.colour, saw.scene, motion, bool(saw.digital))
