"""The answers of a planner: an enhancement (shots with prompts), and a plan of calls to registered tools."""

from functools import lru_cache
from typing import Annotated, Any, Literal, Self, Union

from pydantic import Field, create_model, model_validator

from graph.state.bounds import MAX_SHOTS
from graph.state.channels import Call
from graph.state.tasks import AnyTool, Procedural, call_id, needs_of
from graph.state.values import Draft, Sentence, ShotNumber, ShotSeconds
from tools.arguments import described
from tools.registry import TOOLS, Tool, planned_tools


class EnhancedShot(Draft):
    """One shot. words: the user's words for it. picture: the prompt of its first picture; None: a given one is used.

    edit: the instruction for editing that picture, or the given clip. motion: the prompt of the motion; None: the given
    clip keeps its motion, or a transition is made without a prompt. seconds: its length; None: the default.
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
    """A1's answer.

    task: the task that the request is. transitions: generated transitions between the shots instead of cuts. before:
    the added part precedes the clip. notes: sentences for the user on what was chosen for them. impossible: the reason
    if the film cannot be made.
    """

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


MAX_CALLS = 4 * MAX_SHOTS
PLAN = "PlanDraft"
"""The schema name of a plan. Recorded answers are looked up by it."""


class PlannedCall(Draft):
    """A tool call for a shot, numbered from 1."""

    tool: str
    shot: ShotNumber
    arguments: Draft


class Plan(Draft):
    """The tool calls of a film."""

    model_config = described("The plan: which verb is called with which arguments, for which shot (counted from 1).")

    calls: list[PlannedCall]

    def of(self, shot: int, tool: AnyTool) -> list[PlannedCall]:
        """Return the calls of a tool for a shot."""
        return [call for call in self.calls if call.shot == shot and call.tool == tool]

    def words(self, shot: int) -> EnhancedShot:
        """Return the prompts and the instruction of a shot, collected from its calls; `words` is empty."""
        words: dict[str, str | None] = {}
        for call in (call for call in self.calls if call.shot == shot):
            arguments = call.arguments.model_dump()
            if field := TOOLS[call.tool].told:
                words[field] = arguments.get("instruction") or arguments.get("prompt")
            if arguments.get("instruction") and arguments.get("prompt"):  # an edited clip with a new motion
                words["motion"] = arguments["prompt"]
        return EnhancedShot(words="", picture=words.get("picture"), edit=words.get("edit"), motion=words.get("motion"))


def plan_schema() -> type[Plan]:
    """Return the schema of a plan with the tools that are registered for planners, in their order."""
    return _plan_of(planned_tools())


@lru_cache
def _plan_of(tools: tuple[Tool, ...]) -> type[Plan]:
    # Built at run time from an extensible table, which type checkers cannot follow.
    calls: Any = Annotated[Union[tuple(_call_of(tool) for tool in tools)], Field(discriminator="tool")]  # noqa: UP007
    listed: Any = Annotated[list[calls], Field(min_length=1, max_length=MAX_CALLS)]
    return create_model(PLAN, __base__=Plan, __module__=__name__, calls=(listed, ...))


def _call_of(tool: Tool) -> type[PlannedCall]:
    implementation = tool.implementation()
    assert implementation.planned is not None, f"no planner calls {tool.name}"
    name: Any = Literal[tool.name]
    return create_model(
        f"{''.join(word.title() for word in tool.name.split('_'))}Call",
        __base__=PlannedCall,
        __module__=__name__,
        __cls_kwargs__=dict(described(implementation.step)),
        tool=(name, ...),
        arguments=(implementation.planned, ...),
    )


PlanDraft = plan_schema()
"""The plan schema of Mora's own tools."""


def calls_of(plan: Plan, *, first: int = 1) -> list[Call]:
    """Return the calls of a plan in procedure order with their dependencies; shot numbers begin at `first`."""
    order = [tool.name for tool in planned_tools()]
    ordered = sorted(plan.calls, key=lambda call: (call.shot, order.index(call.tool)))
    shots = [call.shot + first - 1 for call in ordered]
    planned = [call_id(shot, call.tool) for shot, call in zip(shots, ordered, strict=True)]
    return [
        _call(shot, each.tool, each.arguments.model_dump(mode="json"), planned)
        for shot, each in zip(shots, ordered, strict=True)
    ]


def _call(shot: int, tool: AnyTool, arguments: dict[str, Any], planned: list[str]) -> Call:
    needs = needs_of(shot, tool, arguments, planned)
    return Call(id=call_id(shot, tool), shot=shot, tool=tool, arguments=arguments, needs=needs)
