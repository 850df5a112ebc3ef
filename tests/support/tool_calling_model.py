"""A chat model that calls tools as it is written down, answer by answer."""

from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from graph.planners.embedded import EmbeddedPlanner

Call = tuple[str, dict[str, Any]]


class ToolCallingModel(BaseChatModel):
    """Enhances as the embedded planner does; plans by what is written in `script`, one item an answer.

    An item is a list of calls, or what is said without any. `{image}` and `{clip}` in an argument is the id of that
    kind that was told last. `asked` are the messages of each question with tools, `given` the tools of the last one.
    """

    script: list[Any]
    _asked: list[list[BaseMessage]] = PrivateAttr(default_factory=list)
    _given: list[dict[str, Any]] = PrivateAttr(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    @property
    def asked(self) -> list[list[BaseMessage]]:
        return self._asked

    @property
    def given(self) -> list[dict[str, Any]]:
        return self._given

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **asked: Any
    ) -> ChatResult:
        if "tools" not in asked:
            return EmbeddedPlanner()._generate(messages, **asked)
        self._asked.append(messages)
        self._given[:] = asked["tools"]
        item = self.script[len(self._asked) - 1]
        said = AIMessage(item) if isinstance(item, str) else AIMessage("", tool_calls=self._calls(item, messages))
        return ChatResult(generations=[ChatGeneration(message=said)])

    def _calls(self, item: list[Call], messages: list[BaseMessage]) -> list[Any]:
        told = " ".join(str(message.text) for message in messages if isinstance(message, ToolMessage))
        ids = {word.split("-")[0]: word for word in told.split() if word.startswith(("image-", "clip-"))}
        return [
            {"id": f"c{place}", "name": name, "args": {key: self._named(value, ids) for key, value in given.items()}}
            for place, (name, given) in enumerate(item)
        ]

    def _named(self, value: Any, ids: dict[str, str]) -> Any:
        return value.format(**ids) if isinstance(value, str) else value

    def results(self, question: int) -> list[str]:
        """What the tools answered, as a question told it."""
        return [str(message.text) for message in self._asked[question] if isinstance(message, ToolMessage)]
