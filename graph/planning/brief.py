"""Turn a request into the brief that a planner receives."""

from typing import Any, Literal, Protocol

from pydantic import SerializerFunctionWrapHandler, model_serializer

from graph.state.values import Draft, ShotNumber
from memory.records import Artifact, Media, Request, Task


class GivenPicture(Draft):
    """A picture given by the user: its artifact id, and its width and height in pixels."""

    id: str
    width: int
    height: int


class GivenClip(Draft):
    """A clip given by the user: its artifact id, its width and height in pixels, and its length in seconds.

    shows: a sentence of what is seen in it; not written if None, so that recorded questions keep their digest.
    """

    id: str
    width: int
    height: int
    seconds: float
    shows: str | None = None

    @model_serializer(mode="wrap")
    def _known(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in write(self).items() if name != "shows" or value is not None}


class Brief(Draft):
    """The request as a planner receives it.

    shots: their exact number. seconds: the length of the whole film, of the part added to a clip, or of each transition
    between two clips. before: the added part precedes the clip. motion: whether an edited clip keeps its own.
    transitions: None leaves the decision to the planner. None in the others: not specified.
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
    """A store that finds artifacts by id."""

    def artifact(self, artifact_id: str) -> Artifact:
        """Return the artifact with this id. Raises UnknownArtifact if there is none."""


def brief_of(request: Request, lookup: ArtifactLookup) -> Brief:
    """Return the brief of a request, with the size of every given picture and clip."""
    return Brief(
        prompt=request.prompt,
        images=tuple(_picture(id, lookup.artifact(id).media) for id in request.images),
        clips=tuple(
            _clip(id, lookup.artifact(id).media, shows)
            for id, shows in zip(request.clips, [*request.shows, *[None] * len(request.clips)], strict=False)
        ),
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


def _clip(id: str, media: Media, shows: str | None) -> GivenClip:
    assert media.fps is not None, f"{id} is a {media.kind} and has no frame rate"
    seconds = round(media.num_frames / media.fps, 3)
    return GivenClip(id=id, width=media.width, height=media.height, seconds=seconds, shows=shows)
