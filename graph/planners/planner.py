"""The planner of a run: asks any chat model for A1's enhancement and then for the plan."""

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from graph.errors import RequestError
from graph.planners.plan_by_tools import Drafted, Drafter
from graph.planners.ports import Patience, Recorder, ToolsRefused, once
from graph.planners.structured import Answer, Check, ask, recorded_with_schema
from graph.planning.brief import Brief
from graph.planning.checks import enhancement_fault, plan_fault
from graph.planning.plan import Enhancement, Plan, plan_schema
from graph.planning.profiles import Profile
from graph.planning.prompts import read_prompt

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Planner:
    """A chat model that plans for the models of a profile. name: identifies it in the records.

    instant: it answers at once, so its calls need not be interruptible. tools: it plans by calling the tools.
    """

    name: str
    model: BaseChatModel
    profile: Profile
    patience: Patience = field(default=once, repr=False)
    instant: bool = False
    tools: bool = False

    def enhance(self, brief: Brief, record: Recorder) -> Enhancement:
        """Ask A1 for the task, and for shots with the prompts that the models need.

        Raises RequestError if the request cannot be filmed, PlannerError if the model cannot be used.
        """

        def check(answer: Enhancement) -> str | None:
            if answer.impossible:
                return None
            faults = (self.profile.shot_fault(shot.picture, shot.motion, shot.edit) for shot in answer.shots)
            return enhancement_fault(answer, brief) or next((fault for fault in faults if fault), None)

        messages = self._messages("enhance", brief.model_dump(mode="json"))
        answer = self._ask(Enhancement, messages, check, "enhance", record)
        if answer.impossible:
            raise RequestError("wish-impossible", answer.impossible)
        return answer

    def plan(self, brief: Brief, enhancement: Enhancement, record: Recorder) -> Plan:
        """Return the complete plan for an enhancement. Raises PlannerError if the model cannot be used."""
        drafted = Drafted()
        while not drafted.complete:
            drafted = self.plan_on(brief, enhancement, record, drafted)
        assert drafted.plan is not None, "a complete plan has calls"
        return drafted.plan

    def plan_on(self, brief: Brief, enhancement: Enhancement, record: Recorder, drafted: Drafted) -> Drafted:
        """Return the plan extended by one more answer; without tools the first answer completes it.

        Raises PlannerError if the model cannot be used.
        """
        question = {**brief.model_dump(mode="json"), "enhancement": enhancement.model_dump(mode="json")}
        messages = self._messages("plan", question)
        known = recorded_with_schema(plan_schema(), messages, name=self.name, record=record)
        if self.tools and not known:  # a run from before planning by tools keeps its recorded answer
            drafter = Drafter(self.model, self.name, self.profile, self.patience, brief, enhancement, record)
            try:
                return drafter.next(drafted, self._messages("tools/plan", question))
            except ToolsRefused as refused:
                log.warning("%s takes no tools, and plans by a schema: %s", self.name, refused)

        def check(answer: Plan) -> str | None:
            return plan_fault(answer, enhancement, brief) or self._prompts_fault(answer, len(enhancement.shots))

        return Drafted(self._ask(plan_schema(), messages, check, "plan", record), complete=True)

    def _prompts_fault(self, plan: Plan, shots: int) -> str | None:
        for shot in range(1, shots + 1):
            words = plan.words(shot)
            if fault := self.profile.shot_fault(words.picture, words.motion, words.edit):
                return fault
        return None

    def _messages(self, step: str, question: dict[str, Any]) -> list[BaseMessage]:
        system = f"{read_prompt(step)}\n\n{self.profile.paragraph}"
        return [SystemMessage(system), HumanMessage(json.dumps(question, ensure_ascii=False))]

    def _ask(
        self, schema: type[Answer], messages: list[BaseMessage], check: Check[Answer], purpose: str, record: Recorder
    ) -> Answer:
        return ask(
            self.model, schema, messages, check=check, name=self.name, purpose=purpose, record=record,
            patience=self.patience,
        )  # fmt: skip
