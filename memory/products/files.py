"""Bytes by sha256 on disk: a file is there whole or not at all. Knows no database."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from memory.errors import DamagedArtifact, DatabaseTrouble, DiskTrouble
from memory.records import Artifact, Media
from memory.whole_files import flush_folder, write_whole

SHA256 = re.compile(r"[0-9a-f]{64}")
SUFFIX = re.compile(r"\.[a-z0-9]{1,15}")


@dataclass(frozen=True)
class Produced:
    """What an agent made: the bytes of a file, what they are, and the end of the file's name (".png")."""

    data: bytes
    media: Media
    suffix: str

    def __post_init__(self) -> None:
        assert SUFFIX.fullmatch(self.suffix), f"{self.suffix!r} is no end of a file name like '.png'"

    @cached_property
    def sha256(self) -> str:
        """The digest of the bytes, 64 hex digits."""
        return hashlib.sha256(self.data).hexdigest()


@dataclass(frozen=True)
class Made:
    """An artifact, and whether making it called the agent in this process."""

    artifact: Artifact
    called: bool


def place(home: Path, sha256: str, suffix: str) -> Path:
    """Return where bytes of that digest lie, or would lie; DatabaseTrouble for what is no digest."""
    if SHA256.fullmatch(sha256) is None or SUFFIX.fullmatch(suffix) is None:
        raise DatabaseTrouble(
            "database-row-foreign",
            f"The database names a file {sha256[:100]!r} that no product can have; restore the database from a copy.",
        )
    return home / "artifacts" / sha256[:2] / f"{sha256[2:]}{suffix}"


def keep(home: Path, product: Produced) -> Path:
    """Store the bytes so that they outlive a power cut; DiskTrouble, and no trace, if the disk does not take them."""
    target = place(home, product.sha256, product.suffix)
    with disk_words(target):
        if not target.parent.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            flush_folder(target.parent.parent)
        write_whole(target, product.data)
    return target


def is_sound(path: Path, sha256: str) -> bool:
    """Return whether the file is there with exactly those bytes."""
    with disk_words(path):
        try:
            with path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False


def fetch(path: Path, artifact: Artifact) -> bytes:
    """Return the bytes of the artifact; DamagedArtifact if they are missing, or others."""
    with disk_words(path):
        try:
            data = path.read_bytes()
        except FileNotFoundError as error:
            raise _damaged(artifact, "missing", path) from error
    if hashlib.sha256(data).hexdigest() != artifact.sha256:
        raise _damaged(artifact, "damaged", path)
    return data


def _damaged(artifact: Artifact, how: str, path: Path) -> DamagedArtifact:
    if artifact.recipe.agent == "upload":
        return DamagedArtifact(
            "upload-damaged",
            f"What you gave as {artifact.id} is {how} in the store ({path}) and nobody can make it again; "
            "put its file back from a copy, or begin again with your own file.",
            artifact=artifact.id,
        )
    return DamagedArtifact(
        "artifact-damaged",
        f"The file of {artifact.id} is {how} ({path}); go on with its run to make it again.",
        artifact=artifact.id,
    )


@contextmanager
def disk_words(path: Path) -> Iterator[None]:
    """Raise errors of the disk at `path` as DiskTrouble."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise DiskTrouble(
            "disk-refused", f"The disk refused {path} ({reason}); make room or check the rights.", path=str(path)
        ) from error
