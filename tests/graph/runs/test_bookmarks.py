"""The dial of the step checkpoints reaches the verbs, and the home is where they lie."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from graph.configure import services_for
from graph.runs.driver import context_of
from graph.runs.runner import new_run
from graph.settings import Settings
from memory.archive import Archive
from memory.products.bookmarks import BookmarkFolder
from memory.records import Request


def test_the_dial_and_the_home_reach_the_verbs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MORA_STEP_CHECKPOINT_SECONDS", "5")
    settings, request = Settings(home=tmp_path, planner="embedded", device="cpu"), Request(prompt="a red ball")
    with Archive.open(settings.database, tmp_path) as archive:
        services = services_for(settings, archive)
        planner = services.planner(request)
        run = new_run(services, request, planner, {})
        with archive.hold(run.id) as lease:
            bookmarks = context_of(services, run, planner, lease).tool_context.bookmarks
    assert bookmarks is not None
    bookmark = bookmarks("5" * 64)
    assert isinstance(bookmark, BookmarkFolder)
    assert (bookmark.folder, bookmark.seconds) == (tmp_path / "unfinished" / ("5" * 64), 5)


def test_the_dial_has_bounds(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).step_checkpoint_seconds == 30
    with pytest.raises(ValidationError):
        Settings(home=tmp_path, step_checkpoint_seconds=-1)
