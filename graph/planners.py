"""The planner: two questions to a chat model (A1's enhancement, then the plan), asked the same way of every model."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from pydantic import BaseModel, JsonValue, SecretStr, ValidationError

from graph.drafts import Brief, Enhancement, GivenClip, GivenPicture, PlanDraft, enhancement_fault, plan_fault
from graph.errors import PlannerError, RequestError
from graph.profiles import Profile
from graph.prompts import prompts_digest, read_prompt
from memory.records import Artifact, Media, Request

if TYPE_CHECKING:
    from graph.conversation import Heard
    from graph.state import Limits, RunState

__all__ = [
    "Brief",
    "Enhancement",
    "PlanDraft",
    "Planner",
    "PlannerSettings",
    "Recorder",
    "ask",
    "brief_of",
    "default_planner",
    "make_planner",
    "prompts_digest",
]

ATTEMPTS = 3
"""The first answer, and two more after the planner was told what was wrong."""
MAX_FAULTS_TOLD = 5
PLANNERS = ("openai", "llama", "embedded")

Answer = TypeVar("Answer", bound=BaseModel)
Check = Callable[[Answer], str | None]
Call = Callable[[], AIMessage]
Patience = Callable[[Call], AIMessage]
"""Makes a call, again if it may pass the second time; raises PlannerError with a sentence if it does not."""


class Recorder(Protocol):
    """Remembers answers by the digest of what was asked, so that a run can be told again without its model."""

    def recall(self, digest: str) -> str | None:
        """The answer once given to the question of this digest, or None."""

    def remember(self, digest: str, model: str, purpose: str, request: JsonValue, response: str) -> None:
        """Keep an answer; called once for every answer that came from the model."""


class Shelf(Protocol):
    """Where the person's pictures and clips are known by their ids."""

    def artifact(self, artifact_id: str) -> Artifact:
        """The artifact of an id."""


def brief_of(request: Request, shelf: Shelf) -> Brief:
    """What the planner hears of a request: the wish, and the size of every given picture and clip."""
    return Brief(
        prompt=request.prompt,
        images=tuple(_picture(id, shelf.artifact(id).media) for id in request.images),
        clips=tuple(_clip(id, shelf.artifact(id).media) for id in request.clips),
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


@dataclass(frozen=True)
class PlannerSettings:
    """Dials of the planner. `name` None chooses (see `default_planner`); `timeout` of one call and `retry_budget` of
    all its repeats are in seconds; `gguf` is the weights file of the `llama` planner."""

    name: str | None = None
    model: str = "gpt-4o"
    base_url: str | None = None
    api_key: SecretStr | None = None
    gguf: Path | None = None
    timeout: float = 60.0
    retry_budget: float = 120.0


def once(call: Call) -> AIMessage:
    """The patience of a model that runs in this process: what failed fails again."""
    return call()


@dataclass(frozen=True)
class Planner:
    """A chat model that plans for the models of a profile. `name` tells it apart in the records.

    instant: it answers before anybody could want to stop it.
    """

    name: str
    model: BaseChatModel
    profile: Profile
    patience: Patience = field(default=once, repr=False)
    instant: bool = False

    def enhance(self, brief: Brief, record: Recorder) -> Enhancement:
        """A1: the task, and shots with the prompts that its models need.

        Raises RequestError if the wish cannot be filmed, PlannerError if the model cannot be used.
        """

        def check(answer: Enhancement) -> str | None:
            if answer.impossible:
                return None
            faults = (self.profile.shot_fault(shot.picture, shot.motion, shot.edit) for shot in answer.shots)
            return enhancement_fault(answer, brief) or next((fault for fault in faults if fault), None)

        messages = self._messages("enhance", brief.model_dump(mode="json"))
        answer = self._ask(Enhancement, messages, check, "enhance", record)
        if answer.impossible:
            raise RequestError(answer.impossible)
        return answer

    def plan(self, brief: Brief, enhancement: Enhancement, record: Recorder) -> PlanDraft:
        """The tool calls that make the shots of an enhancement. Raises PlannerError if the model cannot be used."""

        def check(answer: PlanDraft) -> str | None:
            return plan_fault(answer, enhancement, brief) or self._prompts_fault(answer, len(enhancement.shots))

        told = {**brief.model_dump(mode="json"), "enhancement": enhancement.model_dump(mode="json")}
        return self._ask(PlanDraft, self._messages("plan", told), check, "plan", record)

    def hear(self, state: "RunState", limits: "Limits", record: Recorder, shelf: Shelf) -> "Heard":
        """What the words of a turn mean on the board of `state`. Raises RequestError, PlannerError."""
        from graph.talk_loop import hear

        return hear(self, state, limits, record, shelf)

    def _prompts_fault(self, plan: PlanDraft, shots: int) -> str | None:
        for shot in range(1, shots + 1):
            told = plan.words(shot)
            if fault := self.profile.shot_fault(told.picture, told.motion, told.edit):
                return fault
        return None

    def _messages(self, step: str, told: dict[str, Any]) -> list[BaseMessage]:
        system = f"{read_prompt(step)}\n\n{self.profile.paragraph}"
        return [SystemMessage(system), HumanMessage(json.dumps(told, ensure_ascii=False))]

    def _ask(
        self, schema: type[Answer], messages: list[BaseMessage], check: Check[Answer], purpose: str, record: Recorder
    ) -> Answer:
        return ask(
            self.model, schema, messages, check=check, name=self.name, purpose=purpose, record=record,
            patience=self.patience,
        )  # fmt: skip


def ask(
    model: BaseChatModel,
    schema: type[Answer],
    messages: list[BaseMessage],
    *,
    check: Check[Answer],
    name: str,
    purpose: str,
    record: Recorder,
    patience: Patience = once,
) -> Answer:
    """An answer of the schema that passes `check`.

    What is wrong with an answer is told back, twice at most; then PlannerError. The last bad answer is not
    remembered, so that a run that failed on it may ask again.
    """
    fault = ""
    for attempt in range(1, ATTEMPTS + 1):
        request = _request(name, schema, messages)
        digest = digest_of(request)
        known = record.recall(digest)
        text = known if known is not None else _text(model, schema, messages, purpose, patience)
        answer, fault = _read(text, schema, check)
        if known is None and (answer is not None or attempt < ATTEMPTS):
            record.remember(digest, name, purpose, request, text)
        if answer is not None:
            return answer
        messages = [*messages, AIMessage(text), HumanMessage(_told_back(fault))]
    raise PlannerError(
        f"The planner {name} gave no usable answer in {ATTEMPTS} attempts ({fault}); "
        "say the wish more simply, or choose another planner model."
    )


def _told_back(fault: str) -> str:
    return f"Your answer could not be used: {fault}. Answer again with the whole JSON object, corrected."


def _text(
    model: BaseChatModel, schema: type[BaseModel], messages: list[BaseMessage], purpose: str, patience: Patience
) -> str:
    bound = model.bind(response_format=response_format(schema))

    def call() -> AIMessage:
        return bound.invoke(messages, config={"run_name": purpose})

    return str(patience(call).text)


@lru_cache
def response_format(schema: type[BaseModel]) -> dict[str, Any]:
    """The schema as an OpenAI-compatible server takes it; not to be changed."""
    inner = {"name": schema.__name__, "schema": schema.model_json_schema(mode="serialization"), "strict": False}
    return {"type": "json_schema", "json_schema": inner}


_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL)


def _read(text: str, schema: type[Answer], check: Check[Answer]) -> tuple[Answer | None, str]:
    fenced = _FENCE.fullmatch(text)
    try:
        answer = schema.model_validate_json(fenced[1] if fenced else text)
    except ValidationError as error:
        return None, _faults(error)
    fault = check(answer)
    return (None, fault) if fault else (answer, "")


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_FAULTS_TOLD]
    return "; ".join(f"{'.'.join(map(str, fault['loc'])) or 'the answer'}: {fault['msg']}" for fault in faults)


def _request(name: str, schema: type[BaseModel], messages: list[BaseMessage]) -> dict[str, JsonValue]:
    told: list[JsonValue] = [{"role": message.type, "content": str(message.text)} for message in messages]
    return {"model": name, "schema": response_format(schema)["json_schema"], "messages": told}


def digest_of(request: dict[str, Any]) -> str:
    """sha256 over the canonical JSON of a question, 64 hex digits."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def default_planner(settings: PlannerSettings) -> str:
    """The planner's name when none was chosen: `openai` if a key or a server is set, else `embedded`."""
    if settings.name is not None:
        return settings.name
    return "openai" if settings.api_key is not None or settings.base_url is not None else "embedded"


def make_planner(settings: PlannerSettings, profile: Profile) -> Planner:
    """The planner of the settings. Raises PlannerUnset with what is missing; asks no server yet."""
    name = default_planner(settings)
    if name == "openai":
        from graph.remote import ServerPatience, chat_model

        patience = ServerPatience(settings.model, settings.base_url, settings.retry_budget, settings.api_key)
        return Planner(f"openai:{settings.model}", chat_model(settings), profile, patience)
    if name == "llama":
        from graph.llama import LlamaChat

        chat = LlamaChat.of(settings.gguf)
        return Planner(f"llama:{chat.path.name}", chat, profile)
    if name != "embedded":
        raise RequestError(f"There is no planner {name!r}; choose one of {', '.join(PLANNERS)}.")
    return _embedded(profile)


def _embedded(profile: Profile) -> Planner:
    from graph.embedded import EmbeddedPlanner

    if profile.name != "embedded":
        raise RequestError(
            f"The embedded planner speaks for the embedded profile only; for {profile.name} choose the planner "
            "openai (OPENAI_API_KEY or OPENAI_BASE_URL) or llama (MORA_GGUF)."
        )
    return Planner("embedded", EmbeddedPlanner(), profile, instant=True)
