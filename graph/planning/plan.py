"""Enhancement and PlanDraft, what it answers; plan -> calls"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from graph.state.bounds import MAX_SHOTS
from graph.state.channels import Call
from graph.state.tasks import STEPS, Procedural, Tool, call_id, needs_of
from graph.state.values import Draft, Sentence, ShotNumber, ShotSeconds
from tools.arguments import described


class EnhancedShot(Draft):
    """One clip. words: the person's, for it. picture: the prompt of its first picture; None: something given.

    edit: what is to be changed in that picture, or in the given clip. motion: the prompt of what moves; None: the
    motion of the given clip is kept, or the way between two clips is found without words.
    """

    model_config = described(
        "One clip. words: the person's, for it. picture: the prompt of its first picture; None: something given.\n\n"
        "edit: what is to be changed in that picture, or in the given clip. "
        "motion: the prompt of what moves; None: the\n"
        "motion of the given clip is kept, or the way between two clips is found without words."
    )

    words: str
    picture: Sentence | None = None
    edit: Sentence | None = None
    motion: Sentence | None = None
    seconds: ShotSeconds | None = None


class Enhancement(Draft):
    """A1's answer. task: what the wish is. transitions: generated ways between the shots instead of cuts. before: what
    is added goes before the clip. `notes` tell the person what was chosen for them; `impossible` is why there is no
    film."""

    model_config = described(
        "A1's answer. task: what the wish is. transitions: generated ways between the shots instead of cuts. "
        "before: what\n"
        "is added goes before the clip. `notes` tell the person what was chosen for them; "
        "`impossible` is why there is no\n"
        "film."
    )

    task: Procedural = "text-to-video"
    shots: Annotated[list[EnhancedShot], Field(max_length=MAX_SHOTS)] = Field(default=[])
    transitions: bool = False
    before: bool = False
    notes: list[str] = Field(default=[])
    impossible: str | None = None

    @model_validator(mode="after")
    def _shots_or_reason(self) -> Self:
        if not self.shots and not self.impossible:
            raise ValueError("`shots` needs 1 to 8 shots, unless `impossible` says why there are none")
        return self


class TextToImageArguments(Draft):
    """What A2 is told."""

    model_config = described("What A2 is told.")

    prompt: Sentence


class EditImageArguments(Draft):
    """What A3 is told. `image` is the artifact id of a given picture; None: the picture painted for this shot."""

    model_config = described(
        "What A3 is told. `image` is the artifact id of a given picture; None: the picture painted for this shot."
    )

    instruction: Sentence
    image: str | None = None


class ImageToVideoArguments(Draft):
    """What A4 is told. `image` is the artifact id of a given picture; None: the picture made for this shot."""

    model_config = described(
        "What A4 is told. `image` is the artifact id of a given picture; None: the picture made for this shot."
    )

    prompt: Sentence
    seconds: ShotSeconds | None = None
    image: str | None = None


class ExtendVideoArguments(Draft):
    """What A4 is told of a clip that goes on. `clip` is a given one's id; None: what the shot before added."""

    model_config = described(
        "What A4 is told of a clip that goes on. `clip` is a given one's id; None: what the shot before added."
    )

    prompt: Sentence
    seconds: ShotSeconds | None = None
    clip: str | None = None
    before: bool = False


class EditVideoArguments(Draft):
    """What A3 is told of a clip. `prompt` is that of its motion, if it is a new one."""

    model_config = described("What A3 is told of a clip. `prompt` is that of its motion, if it is a new one.")

    instruction: Sentence
    clip: str
    motion: Literal["kept", "new"] = "kept"
    prompt: Sentence | None = None


class ConnectVideosArguments(Draft):
    """Between which clips A5 finds the way: ids of given ones; None: the clip of this shot, and of the next one."""

    model_config = described(
        "Between which clips A5 finds the way: ids of given ones; None: the clip of this shot, and of the next one."
    )

    before: str | None = None
    after: str | None = None
    seconds: ShotSeconds | None = None


class TextToImageCall(Draft):
    """The first picture of a shot."""

    model_config = described("The first picture of a shot.")

    tool: Literal["text_to_image"]
    shot: ShotNumber
    arguments: TextToImageArguments


class EditImageCall(Draft):
    """A change of the first picture of a shot."""

    model_config = described("A change of the first picture of a shot.")

    tool: Literal["edit_image"]
    shot: ShotNumber
    arguments: EditImageArguments


class ImageToVideoCall(Draft):
    """The motion of a shot."""

    model_config = described("The motion of a shot.")

    tool: Literal["image_to_video"]
    shot: ShotNumber
    arguments: ImageToVideoArguments


class ExtendVideoCall(Draft):
    """More of a clip."""

    model_config = described("More of a clip.")

    tool: Literal["extend_video"]
    shot: ShotNumber
    arguments: ExtendVideoArguments


class EditVideoCall(Draft):
    """A clip, changed."""

    model_config = described("A clip, changed.")

    tool: Literal["edit_video"]
    shot: ShotNumber
    arguments: EditVideoArguments


class ConnectVideosCall(Draft):
    """The way from one clip to the next."""

    model_config = described("The way from one clip to the next.")

    tool: Literal["connect_videos"]
    shot: ShotNumber
    arguments: ConnectVideosArguments


AnyCall = TextToImageCall | EditImageCall | ImageToVideoCall | ExtendVideoCall | EditVideoCall | ConnectVideosCall


MAX_CALLS = 4 * MAX_SHOTS


class PlanDraft(Draft):
    """The plan: which verb is called with which arguments, for which shot (counted from 1)."""

    model_config = described("The plan: which verb is called with which arguments, for which shot (counted from 1).")

    calls: Annotated[list[Annotated[AnyCall, Field(discriminator="tool")]], Field(min_length=1, max_length=MAX_CALLS)]

    def of(self, shot: int, tool: Tool) -> list[AnyCall]:
        """The calls of a tool for a shot."""
        return [call for call in self.calls if call.shot == shot and call.tool == tool]

    def words(self, shot: int) -> EnhancedShot:
        """What the agents are told for a shot, as the plan says it."""
        told = {call.tool: call.arguments.model_dump() for call in self.calls if call.shot == shot}
        words = {STEPS[tool].told: each.get("instruction") or each.get("prompt") for tool, each in told.items()}
        motion = told.get("edit_video", {}).get("prompt") or words.get("motion")
        return EnhancedShot(words="", picture=words.get("picture"), edit=words.get("edit"), motion=motion)


def calls_of(draft: PlanDraft, *, first: int = 1) -> list[Call]:
    """The calls of a plan, shots counted from `first`, each with what it needs, in the order of the procedures."""
    order = list(STEPS)
    drafted = sorted(draft.calls, key=lambda call: (call.shot, order.index(call.tool)))
    shots = [call.shot + first - 1 for call in drafted]
    planned = [call_id(shot, call.tool) for shot, call in zip(shots, drafted, strict=True)]
    return [
        _call(shot, each.tool, each.arguments.model_dump(mode="json"), planned)
        for shot, each in zip(shots, drafted, strict=True)
    ]


def _call(shot: int, tool: Tool, arguments: dict[str, Any], planned: list[str]) -> Call:
    needs = needs_of(shot, tool, arguments, planned)
    return Call(id=call_id(shot, tool), shot=shot, tool=tool, arguments=arguments, needs=needs)
