"""The context of a tool call: agent lender, artifact store, the profile's sizes. Knows no particular tool."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from pydantic import JsonValue

from memory.products.files import Made, Produced
from memory.records import Artifact, Media, Recipe
from models import agent
from models.agent import AnyRole, Bookmark, Clip, Picture, Progress, Role, UInt8Array
from tools.arguments import Arguments, Draft, RecipeSpec
from tools.errors import BadInput
from tools.media.codecs import MATROSKA, PNG, chosen_frames, decode_image, encode_clip, encode_image, evenly, exact_rate

Told = Mapping[str, JsonValue]
Report = Callable[[Told], None]
"""Receives a tool's progress. `stage` is always present; `step`, `of`, `frames_per_second` and `seconds_left` are while
an agent works."""


def no_report(told: Told) -> None:
    """Ignore a progress report."""


class Identity(Protocol):
    """What an agent contributes to the recipes of its products, known before the agent is loaded."""

    @property
    def weights(self) -> str:
        """The sha256 of the weights and configuration."""

    @property
    def numerics(self) -> str:
        """The device kind, dtype, library versions, threads and code version."""


class Lender(agent.Lender, Protocol):
    """Lends agents and knows what their products depend on. Raises AgentError."""

    def identity(self, role: AnyRole, /) -> Identity:
        """Return the identity of the agent that `lend` would give, without loading it."""


class Archive(Protocol):
    """The store of products, which makes each recipe once."""

    def make(
        self, lease: Any, recipe: Recipe, produce: Callable[[], Produced], *, parents: tuple[str, ...] = ()
    ) -> Made:
        """Return the product of `recipe`, from the store or from `produce`. parents: artifact ids."""

    def artifact(self, id: str, /) -> Artifact:
        """Return the record of an artifact id."""

    def read(self, artifact: Artifact, /) -> bytes:
        """Return its bytes after verifying the digest."""

    def path(self, artifact: Artifact, /) -> Path:
        """Return the path of its bytes, which must not be written to."""


@dataclass(frozen=True)
class Sampling:
    """Settings of an agent's sampler; None means the preset's value. image_guidance_scale: A3 only."""

    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    image_guidance_scale: float | None = None


@dataclass(frozen=True)
class ToolContext:
    """Everything a tool call needs. size: (width, height) in pixels.

    lease: the right to publish for one run, passed through to the archive. num_frames: frames that the profile's A4
    makes in one segment. frames_at_once: how many of them are processed together, to save memory; None: all.
    bookmarks: returns the saved progress of a recipe key; None: long calls start over after a crash.
    """

    lender: Lender
    archive: Archive
    lease: Any
    size: tuple[int, int]
    fps: float
    num_frames: int
    image_sampling: Sampling = field(default_factory=Sampling)
    edit_sampling: Sampling = field(default_factory=Sampling)
    video_sampling: Sampling = field(default_factory=Sampling)
    connect_sampling: Sampling = field(default_factory=Sampling)
    frames_at_once: int | None = None
    report: Report = no_report
    bookmarks: Callable[[str], Bookmark] | None = None


@dataclass(frozen=True)
class Remake:
    """How to make a product again from its recipe.

    make: takes the spec and the products it starts from. starts: the number of those products; None: any number.
    role: the agent whose weights are used. sampling: the field of `ToolContext` with that agent's sampler settings.
    """

    make: Callable[[ToolContext, RecipeSpec, Sequence[Artifact], Report | None], Artifact]
    starts: int | None
    role: Role | None = None
    sampling: str | None = None


@dataclass(frozen=True)
class Implementation:
    """The implementation of a tool, defined in the tool's own file; metadata that needs no code is in `tools.registry`.

    arguments: the arguments of the function. description: the description shown to a model. run: takes `(context,
    arguments, *, seeds, report)` and returns a product for each seed; raises AgentError, BadInput. remakes: how to make
    its products again, by the agent's name in the recipe. planned: the arguments of a planned call, None if planners
    do not call it. step: describes such a call in one sentence.
    """

    arguments: type[Arguments]
    description: str
    run: Callable[..., list[Made]]
    remakes: Mapping[str, Remake]
    planned: type[Draft] | None = None
    step: str = ""


def one_by_one(function: Callable[..., Made]) -> Callable[..., list[Made]]:
    """Return a `run` that calls a single-seed function once for each seed."""

    def run(context: ToolContext, arguments: Arguments, *, seeds: Sequence[int], report: Report | None) -> list[Made]:
        return [function(context, arguments, seed=seed, report=report) for seed in seeds]

    return run


def at_once(context: ToolContext) -> dict[str, JsonValue]:
    """Return the recipe field for `frames_at_once`; empty if all frames are processed together."""
    return {} if context.frames_at_once is None else {"frames_at_once": context.frames_at_once}


def made_on(
    context: ToolContext,
    recipe: Recipe,
    produce: Callable[[Bookmark | None], Produced],
    *,
    parents: tuple[Artifact, ...] = (),
) -> Made:
    """Return the product of `recipe`, from the store or from `produce`, which resumes from an earlier bookmark."""
    bookmark = bookmark_of(context, recipe)
    ids = tuple(parent.id for parent in parents)
    made = context.archive.make(context.lease, recipe, lambda: produce(bookmark), parents=ids)
    if bookmark is not None:
        bookmark.forget()
    return made


def bookmark_of(context: ToolContext, recipe: Recipe) -> Bookmark | None:
    """Return the bookmark that saves progress on `recipe`; None if bookmarks are disabled."""
    return None if context.bookmarks is None else context.bookmarks(recipe.key)


def stored_picture(context: ToolContext, artifact: Artifact) -> Picture:
    """Decode a stored picture. Agents get this, never pixels from memory. Raises BadInput if it is not an image."""
    if artifact.media.kind != "image":
        raise BadInput(
            "not-an-image",
            f"{artifact.id} is a {artifact.media.kind}, not an image; name an image.",
            artifact=artifact.id,
        )
    return Picture(decode_image(context.archive.read(artifact)))


def recipe_of(
    context: ToolContext,
    made_by: str,
    role: AnyRole,
    asked: dict[str, JsonValue],
    *,
    writer: str,
    parents: tuple[Artifact, ...] = (),
) -> Recipe:
    """Return the recipe of a product by the agent in `role`. made_by: its name in the recipe; writer: the encoder."""
    identity = context.lender.identity(role)
    return Recipe(
        agent=made_by,
        weights=identity.weights,
        spec=asked,
        parents=tuple(parent.sha256 for parent in parents),
        numerics=f"{identity.numerics};{writer}",
    )


def picture_product(pixels: UInt8Array) -> Produced:
    """Encode a picture, uint8 (H, W, 3), for the store."""
    height, width = pixels.shape[:2]
    return Produced(encode_image(pixels), Media(kind="image", media_type=PNG, width=width, height=height), ".png")


def clip_product(clip: Clip) -> Produced:
    """Encode a clip for the store, losslessly."""
    count, height, width = clip.frames.shape[:3]
    rate = float(exact_rate(clip.fps))
    media = Media(kind="clip", media_type=MATROSKA, width=width, height=height, num_frames=count, fps=rate)
    return Produced(encode_clip(clip.frames, clip.fps), media, ".mkv")


def sheet_frames(archive: Archive, artifact: Artifact, most: int = 16) -> tuple[UInt8Array, list[int]]:
    """Return at most `most` frames of a product, uint8 (T, H, W, 3), and their indices.

    The frames are evenly spaced and include the first and the last; an image is one frame.
    """
    data = archive.read(artifact)
    if artifact.media.kind == "image":
        return decode_image(data)[None], [0]
    indices = evenly(artifact.media.num_frames, most)
    return np.stack(list(chosen_frames(data, indices))), indices


def progress_of(report: Report, stage: str, num_frames: int) -> Progress:
    """Return a progress callback that reports the step, the frames per second so far, and the seconds left.

    Steps before the first one reported were done by another process and do not count towards either figure.
    """
    started, skipped = time.monotonic(), None

    def progress(step: int, of: int) -> None:
        nonlocal skipped
        skipped = max(0, step - 1) if skipped is None else skipped
        elapsed, taken = max(time.monotonic() - started, 1e-9), step - skipped
        report(
            {
                "stage": stage,
                "step": step,
                "of": of,
                "frames_per_second": num_frames * taken / of / elapsed,
                "seconds_left": elapsed / taken * (of - step) if taken else None,
            }
        )

    return progress
