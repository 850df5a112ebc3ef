"""Peers for the planners: a tiny chat model run by real llama.cpp, and a scripted server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.planning.brief import Brief
from support import conversation_model
from support.chat_model import Notebook, serving
from support.scripted_server import ScriptedServer, scripted


@pytest.fixture
def wish() -> Brief:
    """One of the wishes that the tiny model knows."""
    return Brief(prompt=conversation_model.RED)


@pytest.fixture
def notebook() -> Notebook:
    return Notebook()


@pytest.fixture(scope="session")
def conversation_gguf() -> Path:
    """A GGUF file that plans, and calls the moves of a conversation as tools; its module says what it learned."""
    pytest.importorskip("xllamacpp")
    return conversation_model.FILE


@pytest.fixture(scope="session")
def conversation_server(conversation_gguf: Path) -> Iterator[str]:
    """The base URL of a real OpenAI-compatible server, llama.cpp on the loopback, with that model behind it."""
    with serving(conversation_gguf) as url:
        yield url


@pytest.fixture
def scripted_server() -> Iterator[ScriptedServer]:
    with scripted() as server:
        yield server
