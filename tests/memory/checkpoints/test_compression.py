"""Checkpoints are squeezed, opened as they were, and what would burst is not opened."""

import zlib

import pytest
from langgraph.checkpoint.base import empty_checkpoint

from memory.checkpoints import compression as squeezed
from memory.checkpoints.compression import MARK, opened
from memory.checkpoints.saver import plain_serializer


def test_what_repeats_itself_gets_small_and_comes_back() -> None:
    state = {"talk": [{"who": "person", "text": "a red ball in the snow"}] * 500}
    encoding, packed = plain_serializer().dumps_typed(state)
    assert encoding == "msgpack"
    assert len(packed) < 2000
    assert plain_serializer().loads_typed((encoding, packed)) == state


def test_what_is_small_lies_as_it_is_and_what_was_written_before_is_read() -> None:
    _, packed = plain_serializer().dumps_typed({"a": 1})
    assert not packed.startswith(MARK)
    assert opened(b"plain") == b"plain"
    assert plain_serializer().loads_typed(plain_serializer().dumps_typed(empty_checkpoint()))["channel_values"] == {}


@pytest.mark.parametrize(
    "data",
    [MARK + b"no zlib", MARK + zlib.compress(b"x" * 5000)[:-9], MARK + zlib.compress(b"x" * 5000) + b"more", MARK],
)
def test_what_is_damaged_is_told(data: bytes) -> None:
    with pytest.raises(ValueError, match="compressed bytes"):
        opened(data)


def test_a_bomb_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squeezed, "LARGEST", 10_000)
    with pytest.raises(ValueError, match="do not end"):
        opened(MARK + zlib.compress(b"x" * 20_000))
