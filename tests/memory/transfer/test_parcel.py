"""A run leaves one archive in a file and comes into another, whole, or not at all."""

import json
import re
import stat
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from memory.archive import Archive
from memory.checkpoints.plain import plain, restored
from memory.errors import ArchiveError, BadParcel, DamagedArtifact, DiskTrouble, RunIsHeld, UnknownRun
from memory.records import Request, Run
from memory.retention.collect import collect
from memory.transfer import export_import as moving
from memory.transfer.export_import import Arrived, export_run, import_run
from memory.turns import turns_of
from support.archive_workers import (
    dies_again_and_again,
    everything,
    fine,
    imports,
    packs_beside,
    picture,
    recipe,
    sent,
    shelf,
    stand_in_run,
    tells_a_story,
    travelled,
)
from support.processes import until


def test_a_run_comes_as_it_left_from_either_database_into_the_other(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    run = travelled(archive)
    file = sent(archive, run, tmp_path)
    arrived = import_run(other, file, fine)
    assert arrived == Arrived(run=run.id, runs=[run.id], artifacts=2, mended=0)
    assert everything(other, run) == everything(archive, run)
    # And back again: the same bytes, so nothing was lost or turned on the way.
    assert sent(other, run, tmp_path, "again.zip").read_bytes() == file.read_bytes()


def test_a_parcel_of_a_run_without_turns_is_as_older_programs_wrote_it(archive: Archive, tmp_path: Path) -> None:
    file = sent(archive, stand_in_run(archive, seeds=(1,)), tmp_path)
    with zipfile.ZipFile(file) as zipped:
        assert json.loads(zipped.read("manifest.json"))["version"] == 1
        assert "turns" not in json.loads(zipped.read("records.json"))["runs"][0]


def test_a_parcel_of_the_older_form_is_taken_in(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = stand_in_run(archive, seeds=(1,))
    import_run(other, sent(archive, run, tmp_path), fine)
    assert (everything(other, run), turns_of(other, run.id)) == (everything(archive, run), [])


def test_turns_go_with_their_run(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = travelled(archive)
    file = sent(archive, run, tmp_path)
    with zipfile.ZipFile(file) as zipped:
        assert json.loads(zipped.read("manifest.json"))["version"] == 2
    import_run(other, file, fine)
    first, second = turns_of(other, run.id)
    assert [first, second] == turns_of(archive, run.id)
    assert (first.words, first.undone_by, second.products[0].artifact) == (
        "a fox \x00 \ud800 0",
        2,
        archive.artifacts(run.id)[1].id,
    )
    collect(other, review_points=(), grace=timedelta(0), drop=[run.id])
    assert turns_of(other, run.id) == []


def test_a_run_comes_into_either_database(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = travelled(other)
    import_run(archive, sent(other, run, tmp_path), fine)
    assert everything(archive, run) == everything(other, run)


def test_a_waiting_run_is_answered_where_it_came_to(archive: Archive, other: Archive, tmp_path: Path) -> None:
    from langgraph.types import Command

    run, graph = tells_a_story(other, asks=True, answer=False)
    import_run(archive, sent(other, run, tmp_path), fine)
    thread = {"configurable": {"thread_id": run.id}}
    with archive.saver() as saver, archive.hold(run.id):
        drawn = graph(saver)
        [question] = drawn.get_state(thread).interrupts
        assert question.value == "well?"
        assert drawn.invoke(Command(resume={question.id: "yes"}), thread)["told"][-2:] == ["ask yes", "assemble"]


def test_a_run_that_was_stopped_within_a_step_goes_on_where_it_came_to(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    """What one of two parallel tasks had done is among what travels: it is not done again."""
    run, graph, calls = stand_in_stopped(other)
    assert sorted(calls) == ["bad", "good"]
    import_run(archive, sent(other, run, tmp_path), fine)
    calls.clear()
    with archive.saver() as saver:
        graph(saver).invoke(None, {"configurable": {"thread_id": run.id}})
    assert calls == ["bad"]


def stand_in_stopped(archive: Archive) -> tuple[Run, Callable[[Any], Any], list[str]]:
    from langgraph.graph import START, StateGraph

    calls: list[str] = []
    failed: list[bool] = []

    def bad(_state: Any) -> None:
        calls.append("bad")
        if not failed:
            failed.append(True)
            wait_until_something_is_pending(archive, run)
            raise ValueError("stopped")

    run = archive.create_run(Request(prompt="s"), settings={}, graph_version=1)
    builder = StateGraph(dict)
    builder.add_node("good", lambda _state: calls.append("good"))
    builder.add_node("bad", bad)
    builder.add_edge(START, "good")
    builder.add_edge(START, "bad")
    with archive.saver() as saver, pytest.raises(ValueError, match="stopped"):
        builder.compile(checkpointer=saver).invoke({}, {"configurable": {"thread_id": run.id}}, durability="sync")
    return run, lambda saver: builder.compile(checkpointer=saver), calls


def wait_until_something_is_pending(archive: Archive, run: Run) -> None:
    with archive.saver() as saver:

        def pending() -> bool:
            found = saver.get_tuple({"configurable": {"thread_id": run.id}})
            return found is not None and bool(found.pending_writes)

        until(pending)


def test_importing_twice_is_harmless_and_makes_lost_files_whole(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    run = travelled(archive)
    file = sent(archive, run, tmp_path)
    import_run(other, file, fine)
    before = everything(other, run)
    assert import_run(other, file, fine) == Arrived(run=run.id, runs=[], artifacts=0, mended=0)
    first, second = other.artifacts(run.id)
    other.path(first).unlink()
    other.path(second).write_bytes(b"damaged")
    assert import_run(other, file, fine).mended == 2
    assert everything(other, run) == before


def test_two_products_with_equal_bytes_are_two_though_they_share_a_file(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    run = archive.create_run(Request(prompt="twins"), settings={}, graph_version=1)
    with archive.hold(run.id) as lease:
        for seed in (1, 2):
            archive.make(lease, recipe(seed), picture)
    file = sent(archive, run, tmp_path)
    arrived = import_run(other, file, fine)
    assert (arrived.artifacts, arrived.mended) == (2, 0)
    [shared] = shelf(other)
    shared.unlink()
    arrived = import_run(other, file, fine)
    assert (arrived.artifacts, arrived.mended) == (0, 2)
    assert import_run(other, file, fine).mended == 0


def test_a_fork_comes_with_what_it_was_forked_from(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = travelled(archive)
    fork = archive.create_run(Request(prompt="f"), settings={}, graph_version=1, parent=run.id)
    file = sent(archive, fork, tmp_path)
    assert import_run(other, file, fine).runs == [run.id, fork.id]
    assert other.run(fork.id).parent == run.id
    assert everything(other, run) == everything(archive, run)


def test_a_forebear_that_is_here_is_left_as_it_is(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = travelled(archive)
    import_run(other, sent(archive, run, tmp_path), fine)
    with other.hold(run.id) as lease:
        here = other.set_status(lease, "failed", error="elsewhere")
    fork = archive.create_run(Request(prompt="f"), settings={}, graph_version=1, parent=run.id)
    assert import_run(other, sent(archive, fork, tmp_path), fine).runs == [fork.id]
    assert other.run(run.id) == here


def test_a_run_that_is_here_and_stands_otherwise_is_refused(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = travelled(archive)
    file = sent(archive, run, tmp_path)
    import_run(other, file, fine)
    with other.hold(run.id) as lease:
        other.set_status(lease, "failed")
    with pytest.raises(
        BadParcel, match=rf"Run {run.id} is here already and stands otherwise \(here failed.*drop the one here first"
    ):
        import_run(other, file, fine)
    assert other.run(run.id).status == "failed"


def test_a_run_that_somebody_works_on_is_not_exported(archive: Archive, run: Run, tmp_path: Path) -> None:
    with archive.hold(run.id), pytest.raises(RunIsHeld, match="is held by process"):
        export_run(archive, run.id, tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


def test_an_unknown_run_is_not_exported(archive: Archive, tmp_path: Path) -> None:
    with pytest.raises(UnknownRun):
        export_run(archive, "zzzz", tmp_path / "run.zip")


def test_a_run_with_a_lost_file_is_not_exported_and_leaves_no_draft(archive: Archive, tmp_path: Path) -> None:
    run = stand_in_run(archive)
    archive.path(archive.artifacts(run.id)[0]).unlink()
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(DamagedArtifact):
        export_run(archive, run.id, out / "run.zip")
    assert list(out.iterdir()) == []


def test_what_is_given_or_was_the_beginning_travels_too(archive: Archive, other: Archive, tmp_path: Path) -> None:
    maker = stand_in_run(archive, seeds=(1,))
    [given] = archive.artifacts(maker.id)
    run = archive.create_run(Request(prompt="x", images=(given.id,)), settings={}, graph_version=1)
    import_run(other, sent(archive, run, tmp_path), fine)
    assert other.read(other.artifact(given.id)) == picture(b"1").data
    assert [one.id for one in other.runs()] == [run.id]


def test_an_imported_product_is_believed_by_its_own_run_only(archive: Archive, other: Archive, tmp_path: Path) -> None:
    """What a file says came of a recipe is nobody's cache: whoever else wants the product makes it."""
    run = stand_in_run(archive, seeds=(1,))
    import_run(other, sent(archive, run, tmp_path), fine)
    with other.hold(run.id) as lease:
        assert not other.make(lease, recipe(1), picture).called
    another = other.create_run(Request(prompt="a"), settings={}, graph_version=1)
    with other.hold(another.id) as lease:
        assert other.make(lease, recipe(1), lambda: picture(b"1")).called
    third = other.create_run(Request(prompt="a"), settings={}, graph_version=1)
    with other.hold(third.id) as lease:  # it was made here meanwhile, to the same bytes
        assert not other.make(lease, recipe(1), picture).called


def test_an_imported_product_with_a_false_recipe_is_found_out(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = stand_in_run(archive, seeds=(1,))
    import_run(other, sent(archive, run, tmp_path), fine)
    another = other.create_run(Request(prompt="a"), settings={}, graph_version=1)
    with other.hold(another.id) as lease, pytest.raises(ArchiveError, match="came out different"):
        other.make(lease, recipe(1), lambda: picture(b"what the agent really draws"))


def test_a_product_that_is_here_with_other_bytes_is_not_overwritten(
    archive: Archive, other: Archive, tmp_path: Path
) -> None:
    run = stand_in_run(archive, seeds=(1,))
    here = other.create_run(Request(prompt="h"), settings={}, graph_version=1)
    with other.hold(here.id) as lease:
        other.make(lease, recipe(1), lambda: picture(b"other bytes"))
    before = shelf(other)
    with pytest.raises(BadParcel, match="other bytes for image-"):
        import_run(other, sent(archive, run, tmp_path), fine)
    assert shelf(other) == before
    assert [one.id for one in other.runs()] == [here.id]


def test_a_fault_that_the_graph_finds_is_told(archive: Archive, other: Archive, tmp_path: Path) -> None:
    run = travelled(archive)
    with pytest.raises(BadParcel, match=f"run {run.id} has eleven legs"):
        import_run(other, sent(archive, run, tmp_path), lambda story: "has eleven legs")
    assert (other.runs(), shelf(other)) == ([], [])


def test_the_file_is_for_its_owner_and_is_the_same_each_time(archive: Archive, tmp_path: Path) -> None:
    run = travelled(archive)
    first, second = sent(archive, run, tmp_path, "a.zip"), sent(archive, run, tmp_path, "b.zip")
    assert first.read_bytes() == second.read_bytes()
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    with zipfile.ZipFile(first) as zipped:
        assert zipped.testzip() is None
        assert json.loads(zipped.read("manifest.json"))["run"] == run.id


@pytest.mark.slow
def test_whoever_dies_while_it_imports_leaves_all_or_nothing(tmp_path: Path, start) -> None:
    _, line = start(dies_again_and_again, packs_beside, imports, tmp_path)
    moments, code = line.recv()
    assert code == 0
    assert moments > 10
    whole = set()
    for moment in range(moments + 1):
        home = tmp_path / str(moment)
        with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
            for run in archive.runs():
                assert all(archive.read(artifact) for artifact in archive.artifacts(run.id))
                assert len(everything(archive, run)[4]) > 3
            whole.add(len(archive.runs()))
            imports(archive)
            [run] = archive.runs()
            assert (len(archive.artifacts(run.id)), len(everything(archive, run)[4])) == (2, 7)
    assert whole == {0, 1}


def test_a_full_disk_leaves_nothing_of_an_import(archive: Archive, other: Archive, tmp_path: Path, monkeypatch) -> None:
    file = sent(archive, travelled(archive), tmp_path)
    usage = type("Usage", (), {"free": 1})
    monkeypatch.setattr(moving.shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(DiskTrouble, match="make room, then import"):
        import_run(other, file, fine)
    assert (other.runs(), shelf(other)) == ([], [])


def test_nothing_in_a_parcel_names_code(packed: Path) -> None:
    with zipfile.ZipFile(packed) as zipped:
        told = zipped.read("records.json").decode()
    assert re.findall(r"langgraph|langchain|builtins|__reduce__|memory\.|graph\.", told) == []


@pytest.mark.parametrize(
    "value", [{"~send": ["x"]}, {"~plain": {"a": [1]}}, {"~interrupt": None}, {"a": {"~send": 1, "b": 2}}]
)
def test_what_looks_like_a_mark_and_is_plain_comes_back_as_it_was(value: Any) -> None:
    assert restored(json.loads(json.dumps(plain(value)))) == value


def test_what_a_state_must_not_hold_is_a_bug() -> None:
    for value in (b"x", {1: 2}, {"a": object()}):
        with pytest.raises(TypeError, match="which is no plain data"):
            plain(value)
