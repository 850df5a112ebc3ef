"""The in-process planner: llama.cpp runs a GGUF file and constrains its answers to the schema by a grammar."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, InvalidToolCall, ToolCall, convert_to_openai_messages
from langchain_core.output_parsers.openai_tools import make_invalid_tool_call, parse_tool_call
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field, PrivateAttr

from graph.errors import PlannerError, PlannerUnset

GGUF_MAGIC = b"GGUF"


class LlamaChat(BaseChatModel):
    """llama.cpp as a LangChain chat model. context, max_tokens: in tokens.

    Sampling is greedy, so equal questions get equal answers. The weights are loaded at the first question and kept.
    threads: half the CPUs by default, because llama.cpp's threads spin while they wait and slow down on a busy machine.
    """

    path: Path
    context: int = 8192
    max_tokens: int = 2048
    threads: int = Field(default_factory=lambda: max(1, (os.cpu_count() or 1) // 2))
    _server: Any = PrivateAttr(default=None)

    @classmethod
    def of(cls, path: Path | None) -> Self:
        """Return the model of a GGUF file. Raises PlannerUnset for any other file, PlannerError without llama.cpp."""
        if path is None:
            raise PlannerUnset(
                "planner-model-unset",
                "The planner llama needs the path of a GGUF file; set MORA_GGUF, or choose another planner.",
            )
        if not path.is_file():
            raise PlannerUnset(
                "planner-model-missing",
                f"There is no file {path}; set MORA_GGUF to the path of a GGUF file.",
                path=str(path),
            )
        with path.open("rb") as file:
            if file.read(len(GGUF_MAGIC)) != GGUF_MAGIC:
                raise PlannerUnset(
                    "planner-model-damaged",
                    f"{path} is not a GGUF file; set MORA_GGUF to the path of one.",
                    path=str(path),
                )
        _llama_cpp()
        return cls(path=path)

    @property
    def _llm_type(self) -> str:
        return "llama.cpp"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the base class's signature
        **kwargs: Any,
    ) -> ChatResult:
        request: dict[str, Any] = {
            "messages": convert_to_openai_messages(messages),
            "max_tokens": self.max_tokens,
            "temperature": 0.0,
            **({"stop": stop} if stop else {}),
            **kwargs,
        }
        answer = _message(self._running().handle_chat_completions(request), self.path)
        return ChatResult(generations=[ChatGeneration(message=answer)])

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools bound; it may call any number of them at once."""
        chosen = {} if tool_choice is None else {"tool_choice": tool_choice}
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **chosen, **kwargs)

    def _running(self) -> Any:
        if self._server is None:
            self._server = _serve(self.path, self.context, self.threads)
        return self._server


def _llama_cpp() -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise PlannerError(
            "planner-library-missing", "The planner llama needs llama.cpp; install it with: pip install -e '.[llama]'"
        ) from error
    return xllamacpp


def _serve(path: Path, context: int, threads: int) -> Any:
    llama_cpp = _llama_cpp()
    params = llama_cpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel = context, 1
    params.cpuparams.n_threads = threads
    params.warmup, params.use_jinja = False, True
    params.verbosity = -1
    try:
        return llama_cpp.Server(params)
    except RuntimeError as error:
        raise PlannerError(
            "planner-model-damaged",
            f"llama.cpp cannot load {path}; it is damaged or too new, get it again.",
            path=str(path),
        ) from error


def _message(answer: Any, path: Path) -> AIMessage:
    body = json.loads(answer) if isinstance(answer, str | bytes) else answer
    if "choices" not in body:
        reason = body.get("error", body)
        told = reason.get("message", reason) if isinstance(reason, dict) else reason
        raise PlannerError(
            "planner-failed",
            f"llama.cpp cannot answer with {path.name} ({told}); say it more briefly.",
            planner=path.name,
        )
    message = body["choices"][0]["message"]
    good, broken = list[ToolCall](), list[InvalidToolCall]()
    for call in message.get("tool_calls") or []:
        try:
            if read := parse_tool_call(call, return_id=True):
                good.append(ToolCall(name=read["name"], args=read["args"], id=read["id"]))
        except OutputParserException as error:
            broken.append(make_invalid_tool_call(call, str(error)))
    return AIMessage(message.get("content") or "", tool_calls=good, invalid_tool_calls=broken)
