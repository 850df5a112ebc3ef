"""The planner on an OpenAI-compatible server: retry transient failures, and turn the others into messages."""

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import httpx2
import openai
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_before_delay

from graph.errors import PlannerError, PlannerUnset
from graph.planners.ports import ToolsRefused

if TYPE_CHECKING:
    from graph.planners.ports import PlannerSettings

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = SecretStr("no-key")
"""Sent to servers that need no key, since the client requires one."""
LONGEST_WAIT = 30.0
"""The maximum number of seconds between two tries if the server sends no Retry-After."""
MAX_REASON_CHARS = 200
_MISSING_KEY = (
    "The planner openai needs an API key, or the base URL of an OpenAI-compatible server; "
    "set OPENAI_API_KEY or OPENAI_BASE_URL, or choose the planner embedded."
)
_TOOLS = re.compile(r"\btools?\b|\bfunction[ _-]call", re.IGNORECASE)
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""Raised by the client if a server answers 200 with something other than a chat completion."""
_FAILURES = (openai.OpenAIError, httpx2.HTTPError, *_UNREADABLE)


def chat_model(settings: "PlannerSettings") -> ChatOpenAI:
    """Return the client of the configured server. It does not retry by itself, since `ServerPatience` does."""
    if settings.api_key is None and settings.base_url is None:
        raise PlannerUnset("planner-key-unset", _MISSING_KEY)
    return ChatOpenAI(
        model=settings.model,
        base_url=settings.base_url or OPENAI_URL,
        api_key=settings.api_key or NO_KEY,
        timeout=settings.timeout,
        max_retries=0,
        use_responses_api=False,
        stream_usage=True,
    )


@dataclass(frozen=True)
class ServerPatience:
    """Retry transient failures for at most `budget` seconds; raise other failures at once, as a sentence."""

    model: str
    base_url: str | None
    budget: float
    api_key: SecretStr | None = field(default=None, repr=False)

    def __call__(self, call: Callable[[], AIMessage]) -> AIMessage:
        """Return the result of `call`. Raises PlannerError with advice, ToolsRefused if the server rejects tools."""
        tries = Retrying(
            retry=retry_if_exception(may_pass), stop=stop_before_delay(self.budget), wait=_wait, reraise=True
        )
        try:
            return tries(call)
        except _FAILURES as error:
            # Not chained: the client's own error repeats the server's message, which may contain the key.
            if refuses_tools(error):
                raise ToolsRefused("planner-without-tools", self.sentence(error), planner=self.model) from None
            raise PlannerError("planner-failed", self.sentence(error), planner=self.model) from None

    def sentence(self, error: Exception) -> str:
        """Return the failure and the remedy in one sentence, without the key."""
        server = _without_user(self.base_url or OPENAI_URL)
        if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
            return f"The planner at {server} did not answer in time; try again, or raise the planner's timeout."
        if isinstance(error, openai.APIStatusError):
            return self._status_sentence(error, server)
        if isinstance(error, openai.APIConnectionError | httpx2.TransportError):
            return f"The planner at {server} cannot be reached or hung up; check the base URL and that it is running."
        if isinstance(error, openai.LengthFinishReasonError):
            return f"The planner {self.model} ran out of room for its answer; wish for fewer shots, or choose another."
        if isinstance(error, openai.ContentFilterFinishReasonError):
            return f"The planner {self.model} refuses this wish by its content filter; say it differently."
        return f"What answers at {server} speaks no OpenAI protocol; check the base URL (it often ends in /v1)."

    def _status_sentence(self, error: openai.APIStatusError, server: str) -> str:
        status = error.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            return f"The planner at {server} does not accept the API key; set the right one."
        if status == HTTPStatus.FORBIDDEN:
            return f"The API key may not use {self.model} at {server}; choose another model or another key."
        if status == HTTPStatus.NOT_FOUND:
            return f"The planner at {server} knows no model {self.model!r}; check the model name and the base URL."
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return f"The planner at {server} is over its rate limit or quota; wait a while, or raise the quota."
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return f"The planner at {server} keeps failing (HTTP {status}); try again later, or choose another planner."
        reason = self._without_key(error.message)[:MAX_REASON_CHARS]
        return f"The planner at {server} refused the request (HTTP {status}: {reason}); choose another model."

    def _without_key(self, text: str) -> str:
        secret = self.api_key.get_secret_value() if self.api_key is not None else ""
        return " ".join(text.replace(secret, "***").split()) if secret else " ".join(text.split())


def may_pass(error: BaseException) -> bool:
    """Return whether a failure may be transient: 408, 409, 429 (unless out of quota), 5xx, no connection, no answer."""
    if isinstance(error, openai.APIStatusError):
        if refuses_tools(error):
            return False
        passing = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS}
        if error.code == "insufficient_quota":
            return False
        return error.status_code in passing or error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    # A truncated body surfaces as a JSON error and may be complete the next time.
    return isinstance(error, openai.APIConnectionError | httpx2.TransportError | json.JSONDecodeError)


def refuses_tools(error: BaseException) -> bool:
    """Return whether the server reports, with any status, that it or the model does not support tools."""
    client = isinstance(error, openai.APIStatusError) and error.status_code not in (
        HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS,
    )  # fmt: skip
    return client and _TOOLS.search(str(error)) is not None


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome is not None else None
    seconds = retry_after(error) if isinstance(error, openai.APIStatusError) else None
    if seconds is not None:
        return seconds
    return float(min(LONGEST_WAIT, 0.5 * 2.0 ** (state.attempt_number - 1)) * random.uniform(0.75, 1.0))


def retry_after(error: openai.APIStatusError) -> float | None:
    """Return the seconds to wait by the Retry-After header (a number or a date); None if there is no valid one."""
    header = error.response.headers.get("retry-after")
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        return _seconds_until(header)


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
