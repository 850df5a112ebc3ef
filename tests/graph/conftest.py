"""Peers for the planners: a tiny chat model fitted to one wish and run by real llama.cpp, and a scripted server.

The tiny model is fitted on what the embedded planner answers to `WISH` (two turns), written as GGUF, and cached by the
digest of its recipe in pytest's cache folder.
"""

import hashlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from graph.planners.embedded import EmbeddedPlanner
from graph.planners.planner import Planner
from graph.planning.brief import Brief
from graph.planning.profiles import EMBEDDED
from support import conversation_model
from support.chat_model import Notebook, convert, fit, serving
from support.scripted_server import ScriptedServer, scripted

WISH = Brief(prompt="a red ball rolls right in the snow")
HEARD = 32
TEMPLATE = (
    "{%- for message in messages %}{%- if message.role == 'system' %}"
    "{{- '<|im_start|>system\\n' + message.content[:HEARD] + '<|im_end|>\\n' }}{%- else %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endif %}{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}"
).replace("HEARD", str(HEARD))
"""The tiny model's own template lets it hear only the beginning of the system message: it learned two answers, no more.
(A template without any system message would not do: llama.cpp then puts that message before the human one.)"""


@pytest.fixture
def wish() -> Brief:
    """The one wish the tiny model knows."""
    return WISH


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


def lessons() -> list[tuple[str, str, str]]:
    """What the tiny model is to learn: the system message it hears, the human one, and the answer, of both steps."""
    book, planner = Notebook(), Planner("embedded", EmbeddedPlanner(), EMBEDDED)
    planner.plan(WISH, planner.enhance(WISH, book), book)
    asked = [[message["content"] for message in call["request"]["messages"]] for call in book.kept]
    return [(told[0][:HEARD], told[1], call["response"]) for told, call in zip(asked, book.kept, strict=True)]


def prompted() -> list[tuple[str, str]]:
    """The lessons as the tiny model reads and writes them."""
    turns = "<|im_start|>system\n{}<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
    return [(turns.format(system, question), f"{answer}<|im_end|>") for system, question, answer in lessons()]


@pytest.fixture(scope="session")
def tiny_gguf(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF file that answers the two questions about WISH; fitted once for every recipe."""
    return fitted(prompted(), TEMPLATE, request, tmp_path_factory.mktemp("tiny"))


def fitted(samples: list[tuple[str, str]], template: str, request: pytest.FixtureRequest, work: Path) -> Path:
    """The file of a tiny model that has learned the samples; made in `work` once for every recipe."""
    pytest.importorskip("xllamacpp")
    recipe = json.dumps([samples, template, inspect.getsource(fit), inspect.getsource(convert)])
    folder = request.config.cache.mkdir("mora-tiny-llama")  # type: ignore[union-attr]
    target = Path(folder) / f"{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.gguf"
    with FileLock(target.with_suffix(".lock")):  # of several pytest-xdist workers one fits it
        if not target.exists():
            fit(work, samples)
            convert(work, work / "tiny.gguf", template)
            (work / "tiny.gguf").replace(target)
    return target


@pytest.fixture(scope="session")
def llama_server(tiny_gguf: Path) -> Iterator[str]:
    """The base URL of a real OpenAI-compatible server: llama.cpp, listening on the loopback."""
    with serving(tiny_gguf) as url:
        yield url


@pytest.fixture(scope="session")
def conversation_gguf() -> Path:
    """A GGUF file that calls the moves of a conversation as tools; `conversation_model.py` says what it learned."""
    pytest.importorskip("xllamacpp")
    return conversation_model.FILE


@pytest.fixture(scope="session")
def conversation_server(conversation_gguf: Path) -> Iterator[str]:
    """The base URL of a real OpenAI-compatible server with the tiny conversation model behind it."""
    with serving(conversation_gguf) as url:
        yield url


@pytest.fixture
def scripted_server() -> Iterator[ScriptedServer]:
    with scripted() as server:
        yield server
