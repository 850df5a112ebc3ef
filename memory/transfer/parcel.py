"""A run in one file, for another machine: a zip of plain JSON and the bytes of its products, no code, no path.

    manifest.json       format, version, and the digest of
    records.json        runs, ledger, calls of language models, checkpoints, and what each product is
    artifacts/<sha256>  the bytes of a product

What comes in is somebody else's word: names in the file never become paths, sizes are bounded before and while they are
read, and everything is checked before anything is used. Knows no database.
"""

import hashlib
import json
import os
import re
import stat
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Literal, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from pydantic import Field, ValidationError

from memory.checkpoints.plain import Step, values_of
from memory.errors import BadParcel
from memory.products.files import SHA256, SUFFIX, disk_words
from memory.products.recipes import artifact_id
from memory.records import AgentCall, Artifact, LlmCall, Record, Run, TurnRecord
from memory.transfer.parcel_file import unreadable
from memory.whole_files import whole

FORMAT, VERSION = "mora-run", 1
WITH_TURNS = 2
"""The version of a parcel with turns of a conversation in it: a program that knows none says that it is too old."""
MANIFEST, RECORDS, ARTIFACTS = "manifest.json", "records.json", "artifacts/"
RUN_ID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
WORD = re.compile(r"[A-Za-z0-9_.:/-]{1,64}")
LONGEST_WORDS = 4000
"""Characters that a person says in a turn."""
WORDS = re.compile(r"[^\x00-\x1f\ud800-\udfff]{0,256}")


@dataclass(frozen=True)
class Bounds:
    """The most that is taken in, in bytes: of a JSON file, of one product, of the table of contents of the zip."""

    manifest: int = 2**16
    records: int = 2**28
    artifact: int = 2**33
    directory: int = 2**22


class Manifest(Record):
    """What the file is, and what its records must be."""

    format: Literal["mora-run"] = "mora-run"
    version: int
    run: str
    sha256: str
    size: int = Field(ge=0)


class Story(Record):
    """One run with all that is known of it; `artifacts` are ids in the order the run got them.

    turns are left out where there are none, so that older programs take the run in.
    """

    run: Run
    artifacts: list[str]
    ledger: list[AgentCall]
    llm_calls: list[LlmCall]
    steps: list[Step]
    turns: list[TurnRecord] = Field(default=[], exclude_if=lambda turns: not turns)


class Packed(Record):
    """A product and the end of its file's name."""

    artifact: Artifact
    suffix: str


class Contents(Record):
    """What a parcel holds: the run, its forebears before it, and every product that one of them needs."""

    runs: list[Story] = Field(min_length=1)
    artifacts: list[Packed]


@dataclass(frozen=True)
class Parcel:
    """A parcel that was opened and found good. `bytes_of` gives those of a product, checked once more."""

    contents: Contents
    bytes_of: Callable[[Artifact], bytes]


def write(path: Path, contents: Contents, bytes_of: Callable[[Artifact], bytes]) -> int:
    """Pack into a file that is there whole or not at all; its size in bytes. DiskTrouble; what `bytes_of` raises."""
    records = _json(contents)
    version = WITH_TURNS if any(story.turns for story in contents.runs) else VERSION
    told = Manifest(
        version=version, run=contents.runs[-1].run.id, sha256=hashlib.sha256(records).hexdigest(), size=len(records)
    )
    with disk_words(path):
        with whole(path) as file, ZipFile(file, "w") as zipped:
            _add(zipped, MANIFEST, _json(told), ZIP_DEFLATED)
            _add(zipped, RECORDS, records, ZIP_DEFLATED)
            for sha256, artifact in {one.artifact.sha256: one.artifact for one in contents.artifacts}.items():
                _add(zipped, f"{ARTIFACTS}{sha256}", bytes_of(artifact), ZIP_STORED)
        return path.stat().st_size


def _add(zipped: ZipFile, name: str, data: bytes, compression: int) -> None:
    # One date for all: the same run gives the same file.
    zipped.writestr(ZipInfo(name), data, compress_type=compression)


def _json(record: Record) -> bytes:
    # Python's own JSON, because pydantic's refuses half a surrogate pair, which a person's words may have.
    told = json.dumps(record.model_dump(mode="python"), ensure_ascii=True, allow_nan=False, default=_moment)
    return told.encode()


def _moment(value: object) -> str:
    assert isinstance(value, datetime), f"{type(value).__name__} is no JSON"
    return value.astimezone(UTC).isoformat()


@contextmanager
def opened(path: Path, bounds: Bounds | None = None) -> Iterator[Parcel]:
    """Lend the parcel in the file, every digest and every id in it checked; BadParcel with one sentence."""
    limits = bounds or Bounds()
    with ExitStack() as stack:
        with _plain_words(path):
            file = stack.enter_context(_ordinary(path))
            _refuse_long_directory(file, limits.directory)
            zipped = stack.enter_context(ZipFile(file))
            members = _members(zipped)
            manifest = _manifest(_read(zipped, members, MANIFEST, limits.manifest))
            contents = _contents(_read(zipped, members, RECORDS, limits.records), manifest)
            _check(contents, manifest)
            _check_artifacts(zipped, members, contents, limits.artifact)

        def bytes_of(artifact: Artifact) -> bytes:
            with _plain_words(path):
                data = _read(zipped, members, f"{ARTIFACTS}{artifact.sha256}", limits.artifact)
                # Looked at again: somebody may have written to the file since.
                _require(hashlib.sha256(data).hexdigest() == artifact.sha256, f"{artifact.id} has changed meanwhile")
                return data

        yield Parcel(contents, bytes_of)


class _Fault(Exception):
    """What is wrong with the parcel, as the end of a sentence."""


BROKEN = (
    BadZipFile, EOFError, NotImplementedError, OverflowError, RecursionError, RuntimeError, ValueError, struct.error,
    zlib.error,
)  # fmt: skip
"""What zipfile and json raise for a file that was tampered with."""


@contextmanager
def _plain_words(path: Path) -> Iterator[None]:
    try:
        yield
    except _Fault as fault:
        raise BadParcel("parcel-unusable", f"{path} cannot be imported: {fault}.", path=str(path)) from fault
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise BadParcel(
            "parcel-unusable",
            f"{path} cannot be imported: {where} is not as it must be ({first['msg']}).",
            path=str(path),
        ) from error
    except OSError as error:
        raise unreadable(path, error) from error
    except BROKEN as error:
        raise BadParcel(
            "parcel-damaged",
            f"{path} is not an exported run, or is damaged ({str(error)[:200]}); export it again.",
            path=str(path),
        ) from error


def _require(good: bool, fault: str) -> None:
    if not good:
        raise _Fault(fault)


def _ordinary(path: Path) -> IO[bytes]:
    # A pipe or a device would be waited for without an end.
    _require(path.is_file(), "there is no such file")
    return path.open("rb")


END, END_64, LOCATOR_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q"), struct.Struct("<4sLQL")


def _refuse_long_directory(file: IO[bytes], most: int) -> None:
    """zipfile reads the whole table of contents at once, whatever it says of its size."""
    size = file.seek(0, os.SEEK_END)
    _require(size >= END.size, "it is no zip file")
    file.seek(size - END.size)
    signature, *_, directory, _offset, comment = END.unpack(file.read(END.size))
    _require(signature == b"PK\x05\x06" and comment == 0, "it is no zip file of ours")
    before = size - END.size - LOCATOR_64.size - END_64.size
    if before >= 0:
        file.seek(before)
        end, locator = END_64.unpack(file.read(END_64.size)), LOCATOR_64.unpack(file.read(LOCATOR_64.size))
        if locator[0] == b"PK\x06\x07":
            _require(end[0] == b"PK\x06\x06", "its table of contents is damaged")
            directory = end[8]
    _require(directory <= most, "its table of contents is too long")
    file.seek(0)


def _members(zipped: ZipFile) -> dict[str, ZipInfo]:
    """The members by name: each an ordinary file, once, under a name that a parcel has."""
    found: dict[str, ZipInfo] = {}
    for member in zipped.infolist():
        name, mode = member.orig_filename, member.external_attr >> 16
        _require(name not in found, f"it holds {name[:100]!r} twice")
        known = name in (MANIFEST, RECORDS) or (name.startswith(ARTIFACTS) and SHA256.fullmatch(name[len(ARTIFACTS) :]))
        _require(bool(known), f"it holds {name[:100]!r}, which no exported run has")
        _require(stat.S_IFMT(mode) in (0, stat.S_IFREG), f"{name} is a link or a device")
        _require(member.compress_type in (ZIP_STORED, ZIP_DEFLATED) and not member.flag_bits & 1, f"{name} is encoded")
        found[name] = member
    return found


def _read(zipped: ZipFile, members: dict[str, ZipInfo], name: str, most: int) -> bytes:
    _require(name in members, f"{name} is missing in it")
    size = members[name].file_size
    _require(size <= most, f"{name} is larger than {most} bytes")
    with zipped.open(members[name]) as file:
        data = file.read(size + 1)
    _require(len(data) == size, f"{name} is not as large as it says")
    return data


def _plain_json(data: bytes) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise _Fault(f"{constant} is no number")

    return json.loads(data, parse_constant=refuse)


def _manifest(data: bytes) -> Manifest:
    told = _plain_json(data)
    is_ours = isinstance(told, dict) and told.get("format") == FORMAT
    _require(is_ours, "it is not an exported run")
    version = told.get("version")
    newer = f"it has version {str(version)[:20]} of the format and this program knows {WITH_TURNS}; update it"
    _require(version in (VERSION, WITH_TURNS), newer)
    return Manifest.model_validate(told)


def _contents(data: bytes, manifest: Manifest) -> Contents:
    _require(
        len(data) == manifest.size and hashlib.sha256(data).hexdigest() == manifest.sha256, f"{RECORDS} is damaged"
    )
    return Contents.model_validate(_plain_json(data))


def _check(contents: Contents, manifest: Manifest) -> None:
    """Every id, key and moment, and that everything that is named is there."""
    known = {one.artifact.id: one.artifact for one in contents.artifacts}
    _require(len(known) == len(contents.artifacts), "it holds an artifact twice")
    for packed in contents.artifacts:
        _check_artifact(packed, known)
    runs = [story.run for story in contents.runs]
    _require(len({run.id for run in runs}) == len(runs), "it holds a run twice")
    _require(runs[-1].id == manifest.run, "it holds another run than it says")
    parents = [None, *(run.id for run in runs)]
    for parent, story in zip(parents, contents.runs, strict=False):
        _require(story.run.parent == parent, f"run {story.run.id[:26]!r} has another parent than the one before it")
        _check_story(story, known)


def _check_artifact(packed: Packed, known: dict[str, Artifact]) -> None:
    artifact = packed.artifact
    # The key is made again from the recipe, so that an id cannot be claimed.
    _require(
        artifact.id == artifact_id(artifact.media.kind, artifact.recipe), f"{artifact.id[:40]!r} is not its recipe's id"
    )
    _require(SHA256.fullmatch(artifact.sha256) is not None, f"{artifact.id} has no digest")
    _require(SUFFIX.fullmatch(packed.suffix) is not None, f"{artifact.id} has no usable end of a file name")
    _require(artifact.size >= 0 and artifact.seconds >= 0, f"{artifact.id} has a size or a time below nothing")
    _require(set(artifact.parents) <= set(known), f"what {artifact.id} was made from is missing")
    _check_moments(artifact.created_at)


def _check_story(story: Story, known: dict[str, Artifact]) -> None:
    run = story.run
    _require(RUN_ID.fullmatch(run.id) is not None, f"{run.id[:40]!r} is not a run id")
    film = () if run.film is None else (run.film,)
    named = {*story.artifacts, *run.request.images, *run.request.clips, *film}
    named |= {line.artifact for line in story.ledger if line.artifact is not None}
    _require(named <= set(known), f"run {run.id} names an artifact that is missing")
    _check_moments(run.created_at, run.updated_at)
    _require([line.id for line in story.ledger] == list(range(1, len(story.ledger) + 1)), "its ledger has gaps")
    for line in story.ledger:
        _require(
            line.run == run.id and bool(SHA256.fullmatch(line.key) and WORD.fullmatch(line.agent)),
            "its ledger is not of its run",
        )
        _check_moments(line.started_at, *([] if line.ended_at is None else [line.ended_at]))
    for call in story.llm_calls:
        good = (
            call.run == run.id
            and SHA256.fullmatch(call.digest)
            and WORDS.fullmatch(call.model)
            and WORD.fullmatch(call.purpose)
        )
        _require(bool(good), "a call of its language model is not of its run")
        _check_moments(call.created_at)
    _check_turns(story, known)
    for step in story.steps:
        values_of(step)  # what has no meaning is found now, and not when half of it is written
    ids = [step.id for step in story.steps]
    _require(len(set(ids)) == len(ids), "it holds a checkpoint twice")


def _check_turns(story: Story, known: dict[str, Artifact]) -> None:
    _require([turn.number for turn in story.turns] == list(range(1, len(story.turns) + 1)), "its turns have gaps")
    answered = [turn.question for turn in story.turns if turn.question is not None]
    _require(len(set(answered)) == len(answered), "two turns answer one question")
    for turn in story.turns:
        told = turn.words is None or len(turn.words) <= LONGEST_WORDS
        good = turn.run == story.run.id and told and (turn.question is None or WORD.fullmatch(turn.question))
        _require(bool(good), "a turn is not of its run")
        undone_later = turn.undone_by is None or turn.number < turn.undone_by <= len(story.turns)
        _require(undone_later, "a turn was taken back by one that is missing")
        _require({product.artifact for product in turn.products} <= set(known), "what a turn made is missing")
        _check_moments(turn.at, *([] if turn.ended_at is None else [turn.ended_at]))


def _check_moments(*moments: datetime) -> None:
    for moment in moments:
        _require(moment.tzinfo is not None and 1970 <= moment.year < 9999, f"{moment} is no moment in UTC")


def _check_artifacts(zipped: ZipFile, members: dict[str, ZipInfo], contents: Contents, most: int) -> None:
    """Every product is there with its digest, and nothing else; read in small pieces."""
    expected = {f"{ARTIFACTS}{one.artifact.sha256}" for one in contents.artifacts}
    surplus = set(members) - expected - {MANIFEST, RECORDS}
    _require(not surplus, "it holds bytes that belong to no artifact")
    sizes = {one.artifact.sha256: one.artifact.size for one in contents.artifacts}
    _require(
        all(sizes[one.artifact.sha256] == one.artifact.size for one in contents.artifacts), "two sizes for one digest"
    )
    for sha256, size in sizes.items():
        name = f"{ARTIFACTS}{sha256}"
        _require(name in members, f"{name} is missing in it")
        _require(members[name].file_size == size <= most, f"{name} is not of the size it must have")
        _require(_digest(zipped, members[name]) == sha256, f"{name} is damaged")


def _digest(zipped: ZipFile, member: ZipInfo) -> str:
    digest, read = hashlib.sha256(), 0
    with zipped.open(member) as file:
        for piece in _pieces(file):
            digest.update(piece)
            read += len(piece)
            _require(read <= member.file_size, f"{member.filename} is larger than it says")
    return digest.hexdigest()


def _pieces(file: IO[bytes]) -> Iterable[bytes]:
    return iter(lambda: file.read(2**20), b"")
