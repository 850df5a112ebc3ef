"""The contract of a generation agent; how it may fail is in `errors`. Knows no weights and no library but numpy."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Role = Literal["text_to_image", "edit_image", "image_to_video", "connect_videos"]
AnyRole = Role | Literal["text_to_video"]
"""Mora's agents A2 to A5, and what whole systems do that Mora is held against."""

UInt8Array = NDArray[np.uint8]
"""Pixels: RGB, 0 to 255, (H, W, 3) or (T, H, W, 3)."""
Spec = TypeVar("Spec", contravariant=True)
Media = TypeVar("Media", covariant=True)


@dataclass(frozen=True)
class Picture:
    """RGB pixels, uint8 (H, W, 3)."""

    pixels: UInt8Array


@dataclass(frozen=True)
class Clip:
    """RGB frames, uint8 (T, H, W, 3), shown at `fps` frames a second."""

    frames: UInt8Array
    fps: float


@dataclass(frozen=True)
class ImageSpec:
    """What A2 needs: a prompt its text encoder reads, and the seed of its noise. None means the preset's value."""

    prompt: str
    seed: int
    num_inference_steps: int | None = None
    guidance_scale: float | None = None


@dataclass(frozen=True)
class EditSpec:
    """What A3 needs: an instruction and the picture it changes. The same seed gives every picture the same noise."""

    instruction: str
    image: Picture
    seed: int
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    image_guidance_scale: float | None = None


@dataclass(frozen=True)
class VideoSpec:
    """What A4 needs. num_frames counts the first frame, which is `image`.

    frames_at_once: most that are worked on together, to save memory; other values give other last bits.
    """

    prompt: str
    image: Picture
    num_frames: int
    seed: int
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    frames_at_once: int | None = None


@dataclass(frozen=True)
class ConnectSpec:
    """What A5 needs. num_frames counts both ends: the clip begins with `before` and ends with `after`.

    frames_at_once: as A4's.
    """

    before: Picture
    after: Picture
    num_frames: int
    seed: int
    num_inference_steps: int | None = None
    frames_at_once: int | None = None


@dataclass(frozen=True)
class TextToVideoSpec:
    """What a system needs that makes a clip of words alone. None means the preset's value."""

    prompt: str
    num_frames: int
    seed: int
    num_inference_steps: int | None = None
    guidance_scale: float | None = None


Progress = Callable[[int, int], None]
"""(steps done, steps in all) of the denoising loop; raises to cancel."""


class Bookmark(Protocol):
    """How far the work on one recipe has come, in named states, kept where it outlives the process."""

    def is_due(self) -> bool:
        """True when there is again enough to lose to be worth keeping."""

    def load(self, name: str = "steps") -> bytes | None:
        """What was kept last under a name, whole; None: nothing."""

    def save(self, state: bytes, name: str = "steps") -> None:
        """Keeps `state` in the place of what was kept before under that name."""

    def forget(self) -> None:
        """Removes all states: the work is done."""


class Agent(Protocol[Spec, Media]):
    """An agent that is loaded and lent: one call, deterministic in (spec, weights, numerics)."""

    @property
    def weights(self) -> str:
        """sha256 over the weights and configuration, 64 hex digits."""

    @property
    def numerics(self) -> str:
        """What else the bytes depend on: device kind, dtype, library versions, threads, code version."""

    def __call__(self, spec: Spec, *, progress: Progress, bookmark: Bookmark | None = None) -> Media:
        """Generates, from where `bookmark` says to the same bytes as from the beginning. Raises AgentError."""


class Painter(Agent[ImageSpec, Picture], Protocol):
    """A2, who can also draw several candidates at once."""

    def many(
        self, specs: Sequence[ImageSpec], *, progress: Progress, bookmark: Bookmark | None = None
    ) -> list[Picture]:
        """A picture of each spec, drawn in one batched forward; they differ in nothing but the seed. Raises AgentError.

        The last bits of a picture depend on the batch it is drawn in: what `many` draws is deterministic in all the
        specs and their order, and is not what a call for one of them draws.
        """


class Lender(Protocol):
    """Who has the agents. Raises AgentError."""

    @overload
    def lend(self, role: Literal["text_to_image"], /) -> AbstractContextManager[Painter]: ...
    @overload
    def lend(self, role: Literal["edit_image"], /) -> AbstractContextManager[Agent[EditSpec, Picture]]: ...
    @overload
    def lend(self, role: Literal["image_to_video"], /) -> AbstractContextManager[Agent[VideoSpec, Clip]]: ...
    @overload
    def lend(self, role: Literal["connect_videos"], /) -> AbstractContextManager[Agent[ConnectSpec, Clip]]: ...
    @overload
    def lend(self, role: Literal["text_to_video"], /) -> AbstractContextManager[Agent[TextToVideoSpec, Clip]]: ...
