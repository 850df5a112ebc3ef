"""Bookmarks on disk: whole or not there, and never in the way of the work."""

import os
from pathlib import Path

import pytest

from memory.products import bookmarks
from memory.products.bookmarks import BookmarkFolder, Bookmarks

KEY = "5" * 64


@pytest.fixture
def bookmark(tmp_path: Path) -> BookmarkFolder:
    return Bookmarks(tmp_path / "unfinished", 0).of(KEY)


def files(bookmark: BookmarkFolder) -> list[str]:
    return sorted(path.name for path in bookmark.folder.iterdir())


def test_the_last_state_of_a_name_is_kept_across_processes(bookmark: BookmarkFolder, tmp_path: Path) -> None:
    assert bookmark.load() is None
    for state in (b"one", b"two", b"two"):
        bookmark.save(state)
    bookmark.save(b"frames", "frames-from-0")
    again = Bookmarks(tmp_path / "unfinished", 0).of(KEY)
    assert (again.load(), again.load("frames-from-0"), again.load("frames")) == (b"two", b"frames", None)
    assert len(files(bookmark)) == 2
    assert all(name.endswith(".safetensors") for name in files(bookmark))


def test_nothing_is_left_of_work_that_is_done(bookmark: BookmarkFolder) -> None:
    bookmark.forget()
    bookmark.save(b"state")
    bookmark.forget()
    assert not bookmark.folder.exists()
    assert bookmark.load() is None


def test_a_state_is_due_when_its_time_has_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(bookmarks.time, "monotonic", lambda: now[0])
    bookmark = BookmarkFolder(tmp_path / KEY, 30, now[0])
    assert not bookmark.is_due()
    now[0] += 30
    assert bookmark.is_due()
    bookmark.save(b"state")
    assert not bookmark.is_due()


def test_a_damaged_state_is_told_and_an_older_whole_one_taken(
    bookmark: BookmarkFolder, caplog: pytest.LogCaptureFixture
) -> None:
    bookmark.save(b"old")
    kept = bookmark.folder / files(bookmark)[0]
    bookmark.save(b"new")
    newest = bookmark.folder / files(bookmark)[0]
    newest.write_bytes(b"ne")
    kept.write_bytes(b"old")  # as a crash leaves it between the writing of the new and the removal of the old
    os.utime(kept, (1, 1))
    assert bookmark.load() == b"old"
    assert "damaged" in caplog.text
    kept.unlink()
    assert bookmark.load() is None


def test_a_disk_that_refuses_is_told_and_the_work_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "unfinished").write_text("a file where a folder should be")
    bookmark = Bookmarks(tmp_path / "unfinished", 0).of(KEY)
    bookmark.save(b"state")
    assert "cannot be written" in caplog.text
    assert bookmark.load() is None
    bookmark.forget()


def test_only_recipe_keys_name_bookmarks(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no recipe key"):
        Bookmarks(tmp_path, 0).of("../elsewhere")
