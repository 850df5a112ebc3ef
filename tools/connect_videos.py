"""A5, video connection: make the transition between two clips and measure how smooth its joints are."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from pydantic import JsonValue

from memory.products.files import Made, Produced
from memory.records import Artifact
from models.agent import Bookmark, ConnectSpec, UInt8Array
from models.presets import MAX_SEED
from tools.arguments import Arguments, ArtifactId, Draft, RecipeSpec, Seconds, ShotSeconds, described
from tools.context import (
    Implementation,
    Remake,
    Report,
    ToolContext,
    at_once,
    clip_product,
    made_on,
    one_by_one,
    progress_of,
    recipe_of,
    stored_picture,
)
from tools.image_to_video import num_frames_of
from tools.media.codecs import clip_writer, decode_clip, exact_rate
from tools.media.continuity import MOST_JUMP, jump
from tools.products.conform import Part, edge_picture, shown, stored_clip

TRIES = 3
"""Maximum number of seeds tried until both joints are smooth."""

NEAR_FRAMES = 16
"""Frames of each clip next to its joint from which its usual change between frames is estimated."""


DESCRIPTION = (
    "Makes the transition between two stored clips: it begins as the one ends and ends as the other begins.\n\n"
    "Both clips stay as they are; the transition repeats their joint frames."
)


class ConnectVideos(Arguments):
    """Makes the transition between two stored clips: it begins as the one ends and ends as the other begins.

    Both clips stay as they are; the transition repeats their joint frames.
    """

    model_config = described(DESCRIPTION)

    before: ArtifactId
    after: ArtifactId
    seconds: Seconds | None = None


class ConnectVideosArguments(Draft):
    """Arguments of a planned call: ids of given clips, or None for the clips of this shot and of the next one."""

    model_config = described(
        "Between which clips A5 finds the way: ids of given ones; None: the clip of this shot, and of the next one."
    )

    before: str | None = None
    after: str | None = None
    seconds: ShotSeconds | None = None


@dataclass(frozen=True)
class Connected:
    """The chosen transition, the larger jump of its joints (`tools.media.continuity`), and the number of tries."""

    made: Made
    jump: float
    tries: int

    @property
    def note(self) -> str | None:
        """A sentence for the person if no try was smooth, else None."""
        if self.jump <= MOST_JUMP:
            return None
        return (
            f"The transition jumps by {self.jump:.1f} times the usual step between frames, and up to {MOST_JUMP:g} is"
            f" smooth; this is the best of {self.tries} tries."
        )


@dataclass(frozen=True)
class _Gap:
    """The gap to bridge: the two joint frames as stored pictures, and the frames on either side as shown."""

    start: Artifact
    end: Artifact
    before: UInt8Array
    after: UInt8Array
    num_frames: int

    def jump(self, frames_THWC: UInt8Array) -> float:
        """Return the larger jump at the two joints of a transition, whose own end frames are not shown."""
        return max(jump(self.before, frames_THWC[1:]), jump(frames_THWC[:-1], self.after))


def connect_videos(
    context: ToolContext, arguments: ConnectVideos, *, seed: int, report: Report | None = None
) -> Connected:
    """Make transitions with up to TRIES seeds, stop at the first smooth one, and return the smoothest.

    It has the profile's size and rate, whatever those of the clips, and at least one frame between its ends. Every try
    is stored as its own artifact, so none is made twice. Raises AgentError, and BadInput for products that are not
    clips.
    """
    gap = _gap(context, arguments)
    notify = report or context.report
    tried: list[tuple[float, Made]] = []
    while len(tried) < TRIES:
        next_seed = (seed + len(tried)) % (MAX_SEED + 1)
        made = transition(context, gap.start, gap.end, gap.num_frames, seed=next_seed, report=report)
        tried.append((gap.jump(decode_clip(context.archive.read(made.artifact)).frames), made))
        notify({"stage": "connect_videos", "try": len(tried), "jump": tried[-1][0]})
        if tried[-1][0] <= MOST_JUMP:
            break
    least, smoothest = min(tried, key=lambda one: one[0])
    called = any(made.called for _, made in tried)
    best = Connected(Made(smoothest.artifact, called), least, len(tried))
    if best.note is not None:
        notify({"stage": "connect_videos", "note": best.note})
    return best


def _gap(context: ToolContext, arguments: ConnectVideos) -> _Gap:
    before, after = stored_clip(context, arguments.before), stored_clip(context, arguments.after)
    start, end = edge_picture(context, before, "last"), edge_picture(context, after, "first")
    # Resampling to the profile's rate may drop the very last or first frame, but the joint must use the true one.
    arriving = [*deque(_harmonised(context, before), NEAR_FRAMES)][:-1]
    leaving = [*islice(_harmonised(context, after), NEAR_FRAMES)][1:]
    return _Gap(
        start,
        end,
        np.stack([*arriving, stored_picture(context, start).pixels]),
        np.stack([stored_picture(context, end).pixels, *leaving]),
        max(3, num_frames_of(context, arguments.seconds)),
    )


def _harmonised(context: ToolContext, clip: Artifact) -> Iterator[UInt8Array]:
    return shown(context.archive, Part(clip), context.size, exact_rate(context.fps))


def transition(
    context: ToolContext, start: Artifact, end: Artifact, num_frames: int, *, seed: int, report: Report | None = None
) -> Made:
    """Make a transition of num_frames frames, including both stored pictures. Raises AgentError, BadInput."""
    spec = ConnectSpec(
        before=stored_picture(context, start),
        after=stored_picture(context, end),
        num_frames=num_frames,
        seed=seed,
        num_inference_steps=context.connect_sampling.num_inference_steps,
        frames_at_once=context.frames_at_once,
    )

    def produce(bookmark: Bookmark | None) -> Produced:
        progress = progress_of(report or context.report, "connect_videos", spec.num_frames)
        with context.lender.lend("connect_videos") as agent:
            return clip_product(agent(spec, progress=progress, bookmark=bookmark))

    asked: dict[str, JsonValue] = {
        "seed": spec.seed,
        "num_frames": spec.num_frames,
        "num_inference_steps": spec.num_inference_steps,
        **at_once(context),
    }
    ends = (start, end)
    recipe = recipe_of(context, "connect_videos", "connect_videos", asked, writer=clip_writer(), parents=ends)
    return made_on(context, recipe, produce, parents=ends)


def _smoothest(context: ToolContext, arguments: ConnectVideos, *, seed: int, report: Report | None = None) -> Made:
    return connect_videos(context, arguments, seed=seed, report=report).made


def _remade(context: ToolContext, spec: RecipeSpec, parents: Sequence[Artifact], report: Report | None) -> Artifact:
    start, end = parents
    return transition(context, start, end, spec.num_frames, seed=spec.seed, report=report).artifact


IMPLEMENTATION = Implementation(
    ConnectVideos,
    DESCRIPTION,
    one_by_one(_smoothest),
    {"connect_videos": Remake(_remade, starts=2, role="connect_videos", sampling="connect_sampling")},
    ConnectVideosArguments,
    "The way from one clip to the next.",
)
