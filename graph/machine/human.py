"""The human in the loop: a run is interrupted with a question and resumed with the answer.

Nothing expensive may happen before an interrupt, because a resumed node runs again from its first line.
"""

from dataclasses import dataclass
from typing import Any, cast

from langgraph.runtime import Runtime
from langgraph.types import interrupt

from graph.machine.context import Context
from graph.machine.turn import ConversationPlanner, play_turn, question_of, turn_of
from graph.planners.ports import Recorder
from graph.planners.recorder import ArchiveRecorder
from graph.planners.tool_calling import interpret_message
from graph.planning.brief import brief_of
from graph.planning.plan import calls_of
from graph.planning.turn import Answer, Heard
from graph.state import read
from graph.state.channels import MOVE_RULES, Call, Limits, RunState
from memory.records import Media, Request


def ask(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Interrupt the run with what awaits a decision, and return the turn that the answer begins."""
    question = question_of(state, runtime.context.limits)
    answer: Answer = interrupt(question, response_schema=cast(Any, Answer))
    # Older runs find their recorded answers by briefs without the moves of the turn before.
    before = read.turn(state) if runtime.context.rules >= MOVE_RULES else None
    return {"turn": turn_of(answer, before)}


def think(state: RunState, runtime: Runtime[Context]) -> RunState:
    """Have the planner interpret the message as moves, and apply them to the board."""
    context = runtime.context
    runtime.stream_writer({"stage": "think"})
    record = ArchiveRecorder(context.archive, context.lease)
    planner: ConversationPlanner = _RunPlanner(context, read.request(state))
    return play_turn(state, planner, context.limits, record)


@dataclass(frozen=True)
class _RunPlanner:
    """The planner of a run. request: supplies the settings for new wishes."""

    context: Context
    request: Request

    @property
    def rules(self) -> int:
        return self.context.rules

    def interpret(self, state: RunState, limits: Limits, record: Recorder) -> Heard:
        return interpret_message(self.context.planner, state, limits, record, self.context.archive)

    def media_of(self, artifact_id: str) -> Media:
        return self.context.archive.artifact(artifact_id).media

    def plan_shots(self, words: str, first: int, record: Recorder) -> tuple[list[Call], list[str]]:
        asked = self.request.model_copy(update={"prompt": words, "images": (), "clips": (), "task": "text-to-video"})
        brief, planner = brief_of(asked, self.context.archive), self.context.planner
        enhancement = planner.enhance(brief, record)
        return calls_of(planner.plan(brief, enhancement, record), first=first), enhancement.notes
