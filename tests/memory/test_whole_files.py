"""A file is written whole or not at all, also on systems that lack a call for it."""

import errno
import os
import stat
from pathlib import Path

import pytest

from memory.whole_files import whole, write_whole


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_its_owner_reads_what_is_written(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"older")
    with pytest.raises(ZeroDivisionError), whole(tmp_path / "a") as file:
        file.write(b"half of")
        raise ZeroDivisionError
    assert (tmp_path / "a").read_bytes() == b"older"
    assert names(tmp_path) == ["a"]


def test_the_file_is_closed_before_it_gets_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows renames no open file."""
    replace, lent = Path.replace, []

    def replaced(draft: Path, target: Path) -> Path:
        assert lent[0].closed
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", replaced)
    with whole(tmp_path / "a") as file:
        lent.append(file)
    assert names(tmp_path) == ["a"]


def test_a_system_that_opens_no_folders_writes_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def no_folder(path: str, *flags: int, **more: int) -> int:
        if Path(path).is_dir():
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return opened(path, *flags, **more)

    monkeypatch.setattr(os, "open", no_folder)
    monkeypatch.delattr(os, "O_DIRECTORY")
    write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize(("said", "is_fatal"), [(errno.EINVAL, False), (errno.EIO, True)])
def test_a_folder_that_cannot_be_flushed_is_no_failing_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: int, is_fatal: bool
) -> None:
    fsync = os.fsync

    def flushed(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(said, os.strerror(said))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", flushed)
    try:
        write_whole(tmp_path / "a", b"new")
    except OSError as error:
        assert is_fatal
        assert error.errno == said
    else:
        assert not is_fatal
        assert names(tmp_path) == ["a"]


@pytest.mark.parametrize("links", ["as usual", "refused", "unknown"])
def test_a_name_that_is_taken_stays_with_who_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: str
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    if links == "refused":
        monkeypatch.setattr(os, "link", refused)
    elif links == "unknown":
        monkeypatch.delattr(os, "link")
    with whole(tmp_path / "a", replace=False) as file:
        file.write(b"first")
    with pytest.raises(FileExistsError), whole(tmp_path / "a", replace=False) as file:
        file.write(b"second")
    assert (tmp_path / "a").read_bytes() == b"first"
    assert names(tmp_path) == ["a"]
