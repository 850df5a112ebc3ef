"""Request -> Brief, what a planner is told"""

from typing import Literal, Protocol

from graph.state.values import Draft, ShotNumber
from memory.records import Artifact, Media, Request, Task


class GivenPicture(Draft):
    """A picture of the person: its artifact id, and its sides in pixels."""

    id: str
    width: int
    height: int


class GivenClip(Draft):
    """A clip of the person: its artifact id, its sides in pixels, and its length."""

    id: str
    width: int
    height: int
    seconds: float


class Brief(Draft):
    """The wish as a planner hears it. `shots` is the exact number of them.

    seconds: the length of the whole film, of what is added to a clip, or of each way between two clips. before: what
    is added goes before the clip. motion: whether an edited clip keeps its own. transitions: None leaves it to the
    words.
    """

    prompt: str
    images: tuple[GivenPicture, ...] = ()
    clips: tuple[GivenClip, ...] = ()
    shots: ShotNumber | None = None
    seconds: float | None = None
    task: Task = "auto"
    before: bool = False
    motion: Literal["kept", "new"] = "kept"
    transitions: bool | None = None
    seed: int = 0


class ArtifactLookup(Protocol):
    """Where the person's pictures and clips are known by their ids."""

    def artifact(self, artifact_id: str) -> Artifact:
        """The artifact of an id."""


def brief_of(request: Request, lookup: ArtifactLookup) -> Brief:
    """What the planner hears of a request: the wish, and the size of every given picture and clip."""
    return Brief(
        prompt=request.prompt,
        images=tuple(_picture(id, lookup.artifact(id).media) for id in request.images),
        clips=tuple(_clip(id, lookup.artifact(id).media) for id in request.clips),
        shots=request.shots,
        seconds=request.seconds,
        task=request.task,
        before=request.before,
        motion=request.motion,
        transitions=request.transitions,
        seed=request.seed,
    )


def _picture(id: str, media: Media) -> GivenPicture:
    return GivenPicture(id=id, width=media.width, height=media.height)


def _clip(id: str, media: Media) -> GivenClip:
    assert media.fps is not None, f"{id} is a {media.kind} and has no frame rate"
    return GivenClip(id=id, width=media.width, height=media.height, seconds=round(media.num_frames / media.fps, 3))
