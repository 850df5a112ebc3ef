"""What a recorder believes of what is on record."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.planners.recorder import MOST_ANSWERED, ArchiveRecorder
from memory.archive import Archive
from memory.records import Request

DIGEST = "a" * 64


@pytest.fixture
def record(tmp_path: Path) -> Iterator[ArchiveRecorder]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path / "home") as archive:
        run = archive.create_run(Request(prompt="x"), settings={}, graph_version=1)
        with archive.hold(run.id) as lease:
            yield ArchiveRecorder(archive, lease)


def test_an_answer_is_recalled_as_it_was_given(record: ArchiveRecorder) -> None:
    record.remember(DIGEST, "m", "plan", {"asked": 1}, "an answer")
    assert record.recall(DIGEST) == "an answer"
    assert record.recall("b" * 64) is None


@pytest.mark.parametrize(("length", "believed"), [(MOST_ANSWERED, True), (MOST_ANSWERED + 1, False)])
def test_an_answer_without_end_was_never_given(record: ArchiveRecorder, length: int, believed: bool) -> None:
    record.remember(DIGEST, "m", "plan", {}, "x" * length)
    assert (record.recall(DIGEST) is not None) == believed
