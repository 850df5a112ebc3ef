"""Nothing that others wrote runs, leads out of its place, or is believed: checkpoints, rows, archives, ids."""

import hashlib
import json
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from pathlib import Path
from typing import Any

import ormsgpack
import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from sqlalchemy import create_engine, text

from memory.archive import Archive
from memory.checkpoints.saver import plain_serializer
from memory.errors import BadParcel, DatabaseTrouble, UnknownArtifact
from memory.records import LlmCall, Run
from memory.retention.collect import collect
from memory.transfer.export_import import import_run
from memory.transfer.parcel import Bounds
from support.archive_workers import POINTS, everything, fine, recipe, shelf, stand_in_run, tells_a_story


def execute(url: str, statement: str, **values: Any) -> None:
    """Write to the database as one with access to it could."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


# Checkpoints: the bytes are the attacker's, the types they are restored to are not.


def ext(code: int, *called: Any) -> bytes:
    return ormsgpack.packb({"x": ormsgpack.Ext(code, ormsgpack.packb(called))})


def planted(trace: Path) -> dict[str, bytes]:
    """msgpack that calls os.system in each way that LangGraph's serializer has."""
    command = f"touch {trace}"
    return {
        "one argument": ext(0, "os", "system", command),
        "arguments": ext(1, "os", "system", (command,)),
        "keywords": ext(2, "os", "system", {"command": command}),
        "a method": ext(3, "os", "path", command, "system"),
        "pydantic 1": ext(4, "subprocess", "Popen", {"args": command, "shell": True}),
        "pydantic 2": ext(5, "subprocess", "Popen", {"args": command, "shell": True}, "model_validate_json"),
        "inside a snapshot": ormsgpack.packb({"x": ormsgpack.Ext(7, ext(0, "os", "system", command))}),
    }


WAYS = list(planted(Path("x")))


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_planting_a_call_runs_it(tmp_path: Path, way: str) -> None:
    trace = tmp_path / "pwned"
    plain_serializer().loads_typed(("msgpack", planted(trace)[way]))
    assert not trace.exists()


@pytest.mark.parametrize("way", ["one argument", "arguments", "keywords", "inside a snapshot"])
def test_the_planting_is_real(tmp_path: Path, way: str) -> None:
    """A serializer that is not strict runs it; otherwise the test above would pass for nothing."""
    trace = tmp_path / "pwned"
    JsonPlusSerializer(allowed_msgpack_modules=True).loads_typed(("msgpack", planted(trace)[way]))
    assert trace.exists()


LC = {"lc": 1, "type": "constructor", "id": ["langchain_core", "prompts", "prompt", "PromptTemplate"], "kwargs": {}}
ROWS: dict[str, tuple[str, bytes]] = {
    "JSON that names a class": ("json", json.dumps({"x": LC}).encode()),
    "a secret of the environment": ("json", json.dumps({"lc": 1, "type": "secret", "id": ["OPENAI_API_KEY"]}).encode()),
    "pickle": ("pickle", b"cos\nsystem\n(S'touch /nowhere'\ntR."),
    "an encoding of its own": ("x\n", b"x"),
    "half of it": ("msgpack", b"\xdf\xff\xff\xff\xff"),
    "nesting without end": ("msgpack", b"\x91" * 10_000),
}


@pytest.mark.parametrize(("encoding", "data"), ROWS.values(), ids=ROWS)
def test_a_planted_checkpoint_is_told_in_a_sentence(archive: Archive, encoding: str, data: bytes) -> None:
    run, _ = tells_a_story(archive)
    is_sqlite = archive.url.startswith("sqlite")
    table, column = ("checkpoints", "checkpoint") if is_sqlite else ("checkpoint_blobs", "blob")
    execute(archive.url, f"UPDATE {table} SET {column} = :data, type = :encoding", data=data, encoding=encoding)
    refused(archive, run)


def refused(archive: Archive, run: Run) -> None:
    thread = {"configurable": {"thread_id": run.id}}
    with archive.saver() as saver:
        for ask in (lambda: saver.get_tuple(thread), lambda: list(saver.list(thread))):
            with pytest.raises(DatabaseTrouble, match=r"not written by this program.*drop (its|the) run") as caught:
                ask()
            assert "\n" not in str(caught.value)
    # Such a run is told, spoils no other, and can be dropped.
    assert run.id in sweep(archive).notes[0]
    assert sweep(archive, drop=[run.id]).runs == [run.id]


def sweep(archive: Archive, **given: Any) -> Any:
    return collect(archive, **{"review_points": POINTS, "grace": timedelta(0), **given})


SHAPES = [[], "x", {"id": 1}, {"channel_values": []}, {"id": "x", "v": 4, "ts": "t", "channel_values": {}}]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_checkpoint_of_another_shape_is_told_in_a_sentence(tmp_path: Path, home: Path, shape: Any) -> None:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", home) as archive:
        run, _ = tells_a_story(archive)
        execute(archive.url, "UPDATE checkpoints SET checkpoint = :data", data=ormsgpack.packb(shape))
        refused(archive, run)


def test_a_checkpoint_of_another_shape_is_told_on_postgresql(postgres_url: str, home: Path) -> None:
    with Archive.open(postgres_url, home) as archive:
        run, _ = tells_a_story(archive)
        execute(archive.url, "UPDATE checkpoints SET checkpoint = '[1]'")
        refused(archive, run)


# Rows of ours.


def llm_row(archive: Archive, run: Run, response: str) -> None:
    now = datetime.now(UTC)
    with archive.hold(run.id) as lease:
        archive.remember_llm(
            lease,
            LlmCall(run=run.id, digest="a" * 64, model="m", purpose="plan", request={}, response="x", created_at=now),
        )
    execute(archive.url, "UPDATE llm_calls SET response = :response", response=response)


@pytest.mark.parametrize("response", ['{"__import__": "os"}', "12", "[]"])
def test_a_recorded_answer_of_another_shape_is_told_in_a_sentence(archive: Archive, run: Run, response: str) -> None:
    llm_row(archive, run, response)
    for ask in (lambda: archive.llm_calls(run.id), lambda: archive.recalled_llm(run.id, "a" * 64)):
        with pytest.raises(DatabaseTrouble, match=r"not written by this program \(LlmCall.response"):
            ask()
    assert sweep(archive, drop=[run.id]).runs == [run.id]


@pytest.mark.parametrize(
    "change", ["status = 'pwned'", "request = '[]'", "settings = '7'", "graph_version = -1, film = '../../etc/passwd'"]
)
def test_a_run_that_was_written_by_another_can_be_dropped(archive: Archive, run: Run, change: str) -> None:
    execute(archive.url, f"UPDATE runs SET {change}")
    if "film" not in change:
        with pytest.raises(DatabaseTrouble, match="not written by this program"):
            archive.runs()
    assert sweep(archive, drop=[run.id]).runs == [run.id]
    assert archive.runs() == []


@pytest.mark.parametrize(
    "change", ["sha256 = '../../../../../../etc/passwd'", "suffix = '/../x'", "sha256 = '/dev/zero'"]
)
def test_a_row_cannot_lead_out_of_the_store(archive: Archive, change: str) -> None:
    run = stand_in_run(archive)
    [artifact] = archive.artifacts(run.id)
    execute(archive.url, f"UPDATE artifacts SET {change}")
    for ask in (lambda: archive.path(artifact), lambda: archive.find(recipe())):
        with pytest.raises(DatabaseTrouble, match="that no product can have"):
            if "sha256" in change:
                archive.path(archive.artifact(artifact.id))
            ask()
    assert sweep(archive, drop=[run.id]).runs == [run.id]


@pytest.mark.parametrize("asked", ["../../etc/passwd", "image-0' OR '1'='1", "image-%", "", "\x00", "i" * 10_000])
def test_what_is_no_artifact_id_finds_nothing(archive: Archive, asked: str) -> None:
    stand_in_run(archive)
    with pytest.raises(UnknownArtifact):
        archive.artifact(asked)


# Archives: what comes in is somebody else's word.

SAME = object()


def tampered(file: Path, target: Path, change: Callable[[dict[str, Any], dict[str, bytes]], Any]) -> Path:
    """The parcel once more, with changed records and members; the digest of the records is made to fit."""
    with zipfile.ZipFile(file) as zipped:
        members = {name: zipped.read(name) for name in zipped.namelist()}
    records = json.loads(members["records.json"])
    change(records, members)
    data = members["records.json"] = json.dumps(records).encode()
    manifest = json.loads(members["manifest.json"])
    members["manifest.json"] = json.dumps(
        {**manifest, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    ).encode()
    with zipfile.ZipFile(target, "w") as zipped:
        for name, content in members.items():
            zipped.writestr(name, content)
    return target


RECORDS: dict[str, tuple[str, Any, str]] = {
    "a run id that is a path": ("runs.0.run.id", "../../../etc/passwd", "another run than it says"),
    "a run of another name": ("runs.0.run.id", "01m8232v1wa08z805qa7kf7fr7", "another run than it says"),
    "a suffix that is a path": ("artifacts.0.suffix", "/../../x.png", "end of a file name"),
    "a digest that is a path": ("artifacts.0.artifact.sha256", "../" * 20, "has no digest"),
    "an id of another recipe": ("artifacts.0.artifact.id", "image-0000000000000000", "is not its recipe's id"),
    "a recipe of another id": ("artifacts.0.artifact.recipe.weights", "x", "is not its recipe's id"),
    "a size that is none": ("artifacts.0.artifact.size", -1, "below nothing"),
    "another size": ("artifacts.0.artifact.size", 3, "not of the size"),
    "parents that are missing": ("artifacts.0.artifact.parents", ["image-0123456789abcdef"], "made from is missing"),
    "a film that is missing": ("runs.0.run.film", "film-0123456789abcdef", "an artifact that is missing"),
    "an upload that is missing": ("runs.0.run.request.images", ["image-0123456789abcdef"], "that is missing"),
    "a product that is missing": ("runs.0.artifacts", ["image-0123456789abcdef"], "that is missing"),
    "a status of its own": ("runs.0.run.status", "pwned", "status is not as it must be"),
    "a field of its own": ("runs.0.code", "import os", "code is not as it must be"),
    "a parent that is not there": ("runs.0.run.parent", "01m8232v1wa08z805qa7kf7fr7", "another parent"),
    "no run": ("runs", [], "runs is not as it must be"),
    "an artifact twice": ("artifacts.1", SAME, "an artifact twice"),
    "a moment before time": ("artifacts.0.artifact.created_at", "0001-01-01T00:00:00Z", "no moment in UTC"),
    "a moment without a zone": ("artifacts.0.artifact.created_at", "2026-01-01T00:00:00", "no moment in UTC"),
    "a ledger of another run": ("runs.0.ledger.0.run", "x", "its ledger is not of its run"),
    "a key with a quote": ("runs.0.ledger.0.key", "' OR 1=1 --", "its ledger is not of its run"),
    "a ledger with gaps": ("runs.0.ledger.0.id", 7, "its ledger has gaps"),
    "an answer that is no text": ("runs.0.llm_calls.0.response", {"x": 1}, "response is not as it must be"),
    "a model with control characters": ("runs.0.llm_calls.0.model", "a\x1b[2J", "language model is not"),
    "a question without a digest": ("runs.0.llm_calls.0.digest", "x", "language model is not"),
    "a turn of another run": ("runs.0.turns.0.run", "x", "a turn is not of its run"),
    "turns with gaps": ("runs.0.turns.0.number", 7, "its turns have gaps"),
    "a turn too many": ("runs.0.turns.1", SAME, "its turns have gaps"),
    "a question with a quote": ("runs.0.turns.0.question", "' OR 1=1 --", "a turn is not of its run"),
    "a question answered twice": ("runs.0.turns.1.question", "0" * 32, "two turns answer one question"),
    "words without end": ("runs.0.turns.0.words", "a" * 4001, "a turn is not of its run"),
    "moves that are no objects": ("runs.0.turns.0.moves", ["rm -rf"], "is not as it must be"),
    "a product that a turn did not make": ("runs.0.turns.0.products.0.artifact", "../x", "what a turn made is missing"),
    "a product without a number": ("runs.0.turns.0.products.0.number", 0, "number is not as it must be"),
    "a mark that there is not": ("runs.0.turns.0.products.0.mark", "\x1b[2J", "mark is not as it must be"),
    "a turn that none took back": ("runs.0.turns.0.undone_by", 9, "taken back by one that is missing"),
    "a turn that an earlier one took back": ("runs.0.turns.1.undone_by", 1, "taken back by one that is missing"),
    "a turn in no state": ("runs.0.turns.0.state", "x" * 99, "state is not as it must be"),
    "a turn before time": ("runs.0.turns.0.at", "0001-01-01T00:00:00Z", "no moment in UTC"),
    "a checkpoint that is a path": ("runs.0.steps.0.id", "../x", "id is not as it must be"),
    "a checkpoint twice": ("runs.0.steps.1", SAME, "a checkpoint twice"),
    "a channel that is a sentence": ("runs.0.steps.0.values.x'; DROP TABLE runs", 1, "is not as it must be"),
    "a mark that says nothing": ("runs.0.steps.0.values.told", {"~send": "os.system"}, "cannot mean"),
    "an interrupt with code": ("runs.0.steps.0.values.told", {"~interrupt": {"id": "1", "code": "x"}}, "cannot mean"),
    "a write that says nothing": ("runs.0.steps.0.writes.0.value", {"~plain": 1}, "cannot mean"),
    "a checkpoint of another age": ("runs.0.steps.0.v", 1, "is not as it must be"),
    "a version that is none": ("runs.0.steps.0.versions.told", "1; --", "is not as it must be"),
    "nesting without end": ("runs.0.steps.0.values.told", reduce(lambda inner, _: [inner], range(900), 1), "."),
}


def put(records: Any, path: str, value: Any) -> None:
    """Set what lies at the path; SAME is what lies before it in a list."""
    *way, last = path.split(".")
    for name in way:
        records = records[int(name) if isinstance(records, list) else name]
    if isinstance(records, list):
        records[int(last)] = records[int(last) - 1] if value is SAME else value
    else:
        records[last] = value


@pytest.mark.parametrize(("path", "value", "sentence"), RECORDS.values(), ids=RECORDS)
def test_records_that_were_tampered_with_are_refused_and_nothing_is_written(
    packed: Path, other: Archive, tmp_path: Path, path: str, value: Any, sentence: str
) -> None:
    file = tampered(packed, tmp_path / "bad.zip", lambda records, _members: put(records, path, value))
    before = {str(path) for path in tmp_path.rglob("*")}
    with pytest.raises(BadParcel, match=sentence) as caught:
        import_run(other, file, fine)
    assert "\n" not in str(caught.value)
    assert other.runs() == []
    assert {path for path in map(str, tmp_path.rglob("*")) if "other.db" not in path} <= before


def test_the_parcel_that_is_tampered_with_is_good(packed: Path, other: Archive, tmp_path: Path) -> None:
    """Otherwise the tests around this one would pass for nothing."""
    file = tampered(packed, tmp_path / "good.zip", lambda records, members: None)
    assert import_run(other, file, fine).artifacts == 2


MEMBERS: dict[str, tuple[Callable[[dict[str, bytes]], Any], str]] = {
    "a path out of it": (lambda m: m.update({"../../evil": b"x"}), "which no exported run has"),
    "an absolute path": (lambda m: m.update({"/etc/cron.d/evil": b"x"}), "which no exported run has"),
    "a path below the products": (lambda m: m.update({"artifacts/../../evil": b"x"}), "which no exported run has"),
    "a folder": (lambda m: m.update({"artifacts/": b""}), "which no exported run has"),
    "code": (lambda m: m.update({"setup.py": b"x"}), "which no exported run has"),
    "bytes of nobody": (lambda m: m.update({f"artifacts/{'a' * 64}": b"x"}), "belong to no artifact"),
    "one product less": (lambda m: m.pop(next(n for n in m if n.startswith("artifacts/"))), "is missing in it"),
    "other bytes": (
        lambda m: m.update({next(n for n in m if n.startswith("artifacts/")): b"x"}),
        "is damaged|not of the size",
    ),
}


@pytest.mark.parametrize(("change", "sentence"), MEMBERS.values(), ids=MEMBERS)
def test_members_that_no_parcel_has_are_refused(
    packed: Path, other: Archive, tmp_path: Path, change: Callable[[dict[str, bytes]], Any], sentence: str
) -> None:
    file = tampered(packed, tmp_path / "bad.zip", lambda _records, members: change(members))
    with pytest.raises(BadParcel, match=sentence):
        import_run(other, file, fine)
    assert (other.runs(), shelf(other)) == ([], [])


def rewritten(packed: Path, target: Path, **change: Any) -> Path:
    """The parcel with other attributes of one member, or one member more."""
    with zipfile.ZipFile(packed) as before, zipfile.ZipFile(target, "w") as after:
        for member in before.infolist():
            data = before.read(member)
            if member.filename == change.get("name"):
                member.external_attr = change.get("mode", 0) << 16
                member.compress_type = change.get("compression", zipfile.ZIP_STORED)
            after.writestr(member, data)
        if "twice" in change:
            with pytest.warns(UserWarning, match="Duplicate name"):
                after.writestr(change["twice"], b"{}")
    return target


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "records.json", "mode": stat.S_IFLNK | 0o777}, "is a link"),
        ({"name": "records.json", "mode": stat.S_IFIFO}, "is a link or a device"),
        ({"name": "records.json", "compression": zipfile.ZIP_LZMA}, "is encoded"),
        ({"twice": "records.json"}, "holds 'records.json' twice"),
    ],
)
def test_links_doubles_and_strange_encodings_are_refused(
    packed: Path, other: Archive, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BadParcel, match=sentence):
        import_run(other, rewritten(packed, tmp_path / "bad.zip", **change), fine)


def test_a_bomb_is_refused_before_it_goes_off(packed: Path, other: Archive, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(packed) as before, zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as after:
        after.writestr("manifest.json", before.read("manifest.json"))
        after.writestr("records.json", b" " * 2**22)
    assert bomb.stat().st_size < 2**14
    with pytest.raises(BadParcel, match=r"records\.json is larger than 1048576 bytes"):
        import_run(other, bomb, fine, bounds=Bounds(records=2**20))


def test_a_product_beyond_the_bound_is_refused(packed: Path, other: Archive) -> None:
    with pytest.raises(BadParcel, match="is not of the size it must have"):
        import_run(other, packed, fine, bounds=Bounds(artifact=0))


def test_a_member_that_is_larger_than_it_says_is_refused(packed: Path, other: Archive, tmp_path: Path) -> None:
    """The sizes in the table of contents are the file's word; what comes out is counted."""
    data = bytearray(packed.read_bytes())
    with zipfile.ZipFile(packed) as zipped:
        size = zipped.getinfo("records.json").file_size
    told = struct.pack("<L", size)
    assert data.count(told) >= 2
    bad = tmp_path / "bad.zip"
    bad.write_bytes(bytes(data).replace(told, struct.pack("<L", size - 100)))
    with pytest.raises(BadParcel):
        import_run(other, bad, fine)
    assert other.runs() == []


def test_a_table_of_contents_without_end_is_refused(
    packed: Path, other: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadParcel, match="table of contents is too long"):
        import_run(other, packed, fine, bounds=Bounds(directory=100))
    many = tmp_path / "many.zip"
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 10)  # so that it is written in the 64-bit table
    with zipfile.ZipFile(many, "w") as zipped:
        for number in range(100):
            zipped.writestr(f"{number}", b"")
    assert b"PK\x06\x07" in many.read_bytes()
    with pytest.raises(BadParcel, match="table of contents is too long"):
        import_run(other, many, fine, bounds=Bounds(directory=2**10))


@pytest.mark.parametrize(
    ("manifest", "sentence"),
    [
        ({"version": 3}, "version 3 of the format and this program knows 2; update it"),
        ({"version": "x" * 500}, "update it"),
        ({"format": "other"}, "not an exported run"),
        ({"run": "01m8232v1wa08z805qa7kf7fr7"}, "another run than it says"),
        ({"sha256": "0" * 64}, "records.json is damaged"),
        ({"extra": 1}, "extra is not as it must be"),
    ],
)
def test_a_manifest_that_says_otherwise_is_refused(
    packed: Path, other: Archive, tmp_path: Path, manifest: dict[str, Any], sentence: str
) -> None:
    file = tmp_path / "bad.zip"
    with zipfile.ZipFile(packed) as before, zipfile.ZipFile(file, "w") as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, json.dumps({**json.loads(data), **manifest}) if name == "manifest.json" else data)
    with pytest.raises(BadParcel, match=sentence):
        import_run(other, file, fine)


@pytest.mark.parametrize("data", [b"", b"x", b"PK\x05\x06" + b"\0" * 18, b"PK\x03\x04" * 100, b"{}" * 2000])
def test_what_is_no_parcel_is_refused_in_a_sentence(other: Archive, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "no.zip"
    file.write_bytes(data)
    with pytest.raises(BadParcel, match=r"no\.zip"):
        import_run(other, file, fine)


def test_a_pipe_or_a_missing_file_is_not_waited_for(other: Archive, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "missing", "."):
        with pytest.raises(BadParcel, match="there is no such file"):
            import_run(other, tmp_path / name, fine)


@pytest.mark.parametrize("position", range(0, 100, 7))
def test_a_byte_that_turned_on_the_way_is_found(packed: Path, other: Archive, tmp_path: Path, position: int) -> None:
    data = bytearray(packed.read_bytes())
    place = len(data) * position // 100
    data[place] ^= 0x10
    bad = tmp_path / "bad.zip"
    bad.write_bytes(bytes(data))
    try:
        arrived = import_run(other, bad, fine)
    except BadParcel:
        assert (other.runs(), shelf(other)) == ([], [])
    else:  # a bit that says nothing, such as one of a date
        assert everything(other, other.run(arrived.run))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"format": "mora-run", "version": NaN}', "1" * 10_000, "null", "[]"])
def test_json_that_is_meant_to_hurt_is_refused(other: Archive, tmp_path: Path, text: str) -> None:
    file = tmp_path / "bad.zip"
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr("manifest.json", text[: 2**16])
    with pytest.raises(BadParcel):
        import_run(other, file, fine)
