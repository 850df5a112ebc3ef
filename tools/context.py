"""What every verb works with: whom it borrows from, where it stores, which sizes the profile has. No verb in here."""

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
"""Hears how far a verb is: `stage` always; `step`, `of`, `frames_per_second`, `seconds_left` while an agent works."""


def unheard(told: Told) -> None:
    """The report of somebody who does not listen."""


class Identity(Protocol):
    """What the recipe of an agent's product needs, known before the agent is loaded."""

    @property
    def weights(self) -> str:
        """sha256 over the weights and configuration."""

    @property
    def numerics(self) -> str:
        """Device kind, dtype, library versions, threads, code version."""


class Lender(agent.Lender, Protocol):
    """Who has the agents and knows what their products depend on. Raises AgentError."""

    def identity(self, role: AnyRole, /) -> Identity:
        """Of the agent that `lend` would give; loads nothing."""


class Archive(Protocol):
    """Where products are kept; a recipe is made once."""

    def make(
        self, lease: Any, recipe: Recipe, produce: Callable[[], Produced], *, parents: tuple[str, ...] = ()
    ) -> Made:
        """The product of `recipe`, from the store or from `produce`. parents: artifact ids."""

    def artifact(self, id: str, /) -> Artifact:
        """The row of an id."""

    def read(self, artifact: Artifact, /) -> bytes:
        """Its bytes, digest verified."""

    def path(self, artifact: Artifact, /) -> Path:
        """Where its bytes are, to be read only."""


@dataclass(frozen=True)
class Sampling:
    """Dials of an agent's sampler; None means the preset's value. image_guidance_scale: A3's alone."""

    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    image_guidance_scale: float | None = None


@dataclass(frozen=True)
class ToolContext:
    """What a verb works with. size: (width, height) in pixels; num_frames: what the profile's A4 makes in one segment.

    frames_at_once: how many of them are worked on together, to save memory; None: all.

    lease: the right to publish for one run, handed through to the archive. bookmarks: of a recipe key, how far the work
    on it has come; None: long calls begin anew after a crash.
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
    report: Report = unheard
    bookmarks: Callable[[str], Bookmark] | None = None


@dataclass(frozen=True)
class Remake:
    """How what a recipe's agent made is made again.

    make: from the spec and the products that it starts from. starts: how many those are; None: any number. role: whose
    weights it is made with. sampling: the field of `ToolContext` with that agent's dials.
    """

    make: Callable[[ToolContext, RecipeSpec, Sequence[Artifact], Report | None], Artifact]
    starts: int | None
    role: Role | None = None
    sampling: str | None = None


@dataclass(frozen=True)
class Implementation:
    """A tool as its own file has it; what is known of it without its code is a row of `tools.registry`.

    arguments: all that the function takes. description: what a model is told of it. run: `(context, arguments, *,
    seeds, report)` in, a product of each seed out; raises AgentError, BadInput. remakes: by the name of the agent in
    the recipe, what the tool makes. planned: what a planner says of a call, None if no planner calls it; step: what
    such a call is, in one sentence.
    """

    arguments: type[Arguments]
    description: str
    run: Callable[..., list[Made]]
    remakes: Mapping[str, Remake]
    planned: type[Draft] | None = None
    step: str = ""


def one_by_one(function: Callable[..., Made]) -> Callable[..., list[Made]]:
    """Return a `run` that calls a function of one seed for each seed."""

    def run(context: ToolContext, arguments: Arguments, *, seeds: Sequence[int], report: Report | None) -> list[Made]:
        return [function(context, arguments, seed=seed, report=report) for seed in seeds]

    return run


def at_once(context: ToolContext) -> dict[str, JsonValue]:
    """What a recipe says of how many frames were worked on together: nothing, unless it was to save memory."""
    return {} if context.frames_at_once is None else {"frames_at_once": context.frames_at_once}


def made_on(
    context: ToolContext,
    recipe: Recipe,
    produce: Callable[[Bookmark | None], Produced],
    *,
    parents: tuple[Artifact, ...] = (),
) -> Made:
    """The product of `recipe`, from the store or from `produce`, which goes on from the bookmark of an earlier try."""
    bookmark = bookmark_of(context, recipe)
    ids = tuple(parent.id for parent in parents)
    made = context.archive.make(context.lease, recipe, lambda: produce(bookmark), parents=ids)
    if bookmark is not None:
        bookmark.forget()
    return made


def bookmark_of(context: ToolContext, recipe: Recipe) -> Bookmark | None:
    """Where the work on `recipe` keeps how far it is."""
    return None if context.bookmarks is None else context.bookmarks(recipe.key)


def stored_picture(context: ToolContext, artifact: Artifact) -> Picture:
    """The stored picture, decoded; an agent receives this and never pixels that were still around."""
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
    """The recipe of what the agent in `role` makes. made_by: the name it is known by; writer: what encodes it."""
    identity = context.lender.identity(role)
    return Recipe(
        agent=made_by,
        weights=identity.weights,
        spec=asked,
        parents=tuple(parent.sha256 for parent in parents),
        numerics=f"{identity.numerics};{writer}",
    )


def picture_product(pixels: UInt8Array) -> Produced:
    """uint8 (H, W, 3) as it is stored."""
    height, width = pixels.shape[:2]
    return Produced(encode_image(pixels), Media(kind="image", media_type=PNG, width=width, height=height), ".png")


def clip_product(clip: Clip) -> Produced:
    """A clip as it is stored: without loss."""
    count, height, width = clip.frames.shape[:3]
    rate = float(exact_rate(clip.fps))
    media = Media(kind="clip", media_type=MATROSKA, width=width, height=height, num_frames=count, fps=rate)
    return Produced(encode_clip(clip.frames, clip.fps), media, ".mkv")


def sheet_frames(archive: Archive, artifact: Artifact, most: int = 16) -> tuple[UInt8Array, list[int]]:
    """What is looked at of any product: at most `most` frames, uint8 (T, H, W, 3), and their indices.

    They are evenly spread, the first and the last among them; an image is one frame.
    """
    data = archive.read(artifact)
    if artifact.media.kind == "image":
        return decode_image(data)[None], [0]
    indices = evenly(artifact.media.num_frames, most)
    return np.stack(list(chosen_frames(data, indices))), indices


def progress_of(report: Report, stage: str, num_frames: int) -> Progress:
    """A progress callback that tells `report` the step, the frames a second so far, and the seconds left.

    Steps before the first that it hears were taken in another process, and count for neither.
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
