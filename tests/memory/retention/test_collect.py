"""What may go, goes; what a kept run needs, stays, whoever dies or works meanwhile."""

import os
import secrets
import sqlite3
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from memory.archive import Archive
from memory.database.tables import Base
from memory.errors import RunIsHeld, RunIsNeeded, UnknownRun
from memory.products import making
from memory.records import Request, Run
from memory.retention.collect import Swept, collect
from support.archive_workers import (
    POINTS,
    dies_again_and_again,
    furnishes,
    picture,
    recipe,
    shelf,
    stand_in_run,
    sweeps,
    tells_a_story,
)

NOW = timedelta(0)
WEEK = timedelta(days=7)


def gc(archive: Archive, **given: Any) -> Swept:
    return collect(archive, **{"review_points": POINTS, "grace": NOW, **given})


def age(path: Path, days: float = 30) -> Path:
    then = time.time() - days * 86400
    os.utime(path, (then, then))
    return path


def steps(archive: Archive, run: Run) -> list[Any]:
    with archive.saver() as saver:
        return list(saver.list({"configurable": {"thread_id": run.id}}))[::-1]


def test_checkpoints_are_pruned_to_the_review_points(archive: Archive) -> None:
    run, graph = tells_a_story(archive)
    before = steps(archive, run)
    swept = gc(archive)
    after = steps(archive, run)
    assert swept.checkpoints == len(before) - len(after) > 0
    assert swept.checkpoint_bytes > 0
    with archive.saver() as saver:
        snapshots = list(graph(saver).get_state_history({"configurable": {"thread_id": run.id}}))
    assert [snapshot.next for snapshot in snapshots][::-1] == [("act", "act"), ("assemble",), ()]
    # Each knows the nearest forebear that is left.
    ids = [one.config["configurable"]["checkpoint_id"] for one in after]
    parents = [one.parent_config and one.parent_config["configurable"]["checkpoint_id"] for one in after]
    assert parents == [None, *ids[:-1]]
    assert snapshots[0].values == {"told": ["plan", "act", "act", "review", "assemble"]}
    assert gc(archive).checkpoints == 0


def test_a_run_goes_on_from_a_review_point_that_was_left(archive: Archive) -> None:
    run, graph = tells_a_story(archive)
    gc(archive)
    with archive.saver() as saver:
        drawn = graph(saver)
        history = list(drawn.get_state_history({"configurable": {"thread_id": run.id}}))
        [point] = [one for one in history if one.next == ("assemble",)]
        assert drawn.invoke(None, point.config)["told"][-1] == "assemble"


def test_a_question_and_its_answer_stay(archive: Archive) -> None:
    run, _ = tells_a_story(archive, asks=True)
    kept = [one for one in steps(archive, run) if any(write[1] == "__resume__" for write in one.pending_writes)]
    gc(archive)
    assert kept
    left = {one.config["configurable"]["checkpoint_id"] for one in steps(archive, run)}
    assert {one.config["configurable"]["checkpoint_id"] for one in kept} <= left


def test_a_run_that_waits_is_answered_after_a_sweep(archive: Archive) -> None:
    from langgraph.types import Command

    run, graph = tells_a_story(archive, asks=True, answer=False)
    thread = {"configurable": {"thread_id": run.id}}
    gc(archive)
    with archive.saver() as saver:
        drawn = graph(saver)
        [question] = drawn.get_state(thread).interrupts
        assert drawn.invoke(Command(resume={question.id: "yes"}), thread)["told"][-1] == "assemble"


def test_nothing_younger_than_the_grace_goes(archive: Archive) -> None:
    run, _ = tells_a_story(archive)
    (archive.home / "artifacts" / "ab").mkdir()
    young = archive.home / "artifacts" / "ab" / f"{'c' * 62}.png"
    young.write_bytes(b"x")
    before = steps(archive, run)
    swept = gc(archive, grace=WEEK)
    assert (swept.checkpoints, swept.files, swept.artifacts) == (0, 0, 0)
    assert young.exists()
    assert steps(archive, run) == before


def test_where_a_fork_begins_stays(archive: Archive) -> None:
    run, _ = tells_a_story(archive)
    begun = steps(archive, run)[1].config["configurable"]["checkpoint_id"]
    archive.create_run(Request(prompt="f"), settings={"origin": {"checkpoint": begun}}, graph_version=1, parent=run.id)
    gc(archive)
    assert begun in {one.config["configurable"]["checkpoint_id"] for one in steps(archive, run)}


def test_a_run_that_somebody_works_on_keeps_its_checkpoints_and_that_is_told(archive: Archive) -> None:
    run, _ = tells_a_story(archive)
    before = steps(archive, run)
    with archive.hold(run.id):
        swept = gc(archive)
        with pytest.raises(RunIsHeld, match="is held by process"):
            gc(archive, drop=[run.id])
    assert swept.checkpoints == 0
    assert [note for note in swept.notes if run.id in note and "kept" in note]
    assert steps(archive, run) == before


STRAYS = {
    "a product that nobody knows": f"artifacts/ab/{'c' * 62}.png",
    "a draft of a product": "artifacts/ab/.x1.part",
    "a bookmark": f"unfinished/{'d' * 64}/steps-{'e' * 64}.safetensors",
    "a draft of a bookmark": f"unfinished/{'d' * 64}/.x2.part",
}


@pytest.mark.parametrize("where", STRAYS.values(), ids=STRAYS)
def test_files_that_nobody_knows_go_after_the_grace(archive: Archive, where: str) -> None:
    stray = archive.home / where
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"12345")
    assert gc(archive, grace=WEEK).files == 0
    age(stray)
    told = gc(archive, grace=WEEK, dry_run=True)
    assert (told.files, told.file_bytes, stray.exists()) == (1, 5, True)
    swept = gc(archive, grace=WEEK)
    assert (swept.files, swept.file_bytes, stray.exists()) == (1, 5, False)
    assert not (archive.home / "unfinished" / ("d" * 64)).exists()


def test_a_draft_of_the_last_hour_may_be_somebodys_whatever_the_grace(archive: Archive) -> None:
    draft = archive.home / "artifacts" / "ab" / ".x1.part"
    draft.parent.mkdir()
    draft.write_bytes(b"half a pict")
    gc(archive)
    assert draft.exists()


def test_after_the_clock_went_back_what_is_from_the_future_is_young(archive: Archive) -> None:
    stray = archive.home / STRAYS["a product that nobody knows"]
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")
    age(stray, days=-30)
    assert gc(archive).files == 0


def test_what_is_not_ours_is_left_alone(archive: Archive, tmp_path: Path) -> None:
    outside = tmp_path / "letter"
    outside.write_text("dear")
    (archive.home / "artifacts" / "ab").mkdir()
    link = archive.home / "artifacts" / "ab" / f"{'c' * 62}.png"
    link.symlink_to(outside)
    others = [archive.home / "artifacts" / "ab" / "notes.txt", archive.home / "mine.part", archive.home / "prefs.json"]
    for other in others:
        other.write_text("mine")
        age(other)
    age(outside)
    assert gc(archive).files == 0
    assert link.is_symlink()
    assert outside.exists()
    assert all(other.exists() for other in others)


def test_a_dropped_run_goes_with_what_only_it_needs(archive: Archive) -> None:
    gone, kept = stand_in_run(archive, seeds=(1, 2)), stand_in_run(archive, seeds=(2, 3))
    told = gc(archive, grace=WEEK, drop=[gone.id], dry_run=True)
    assert len(archive.runs()) == 2
    assert len(shelf(archive)) == 3
    swept = gc(archive, grace=WEEK, drop=[gone.id[:20] if gone.id[:20] != kept.id[:20] else gone.id])
    assert (told.runs, told.artifacts, told.files, told.file_bytes) == (
        swept.runs, swept.artifacts, swept.files, swept.file_bytes,
    ) == ([gone.id], 1, 1, len(picture(b"1").data))  # fmt: skip
    assert [run.id for run in archive.runs()] == [kept.id]
    assert len(shelf(archive)) == 2
    assert all(archive.read(artifact) for artifact in archive.artifacts(kept.id))
    with pytest.raises(UnknownRun):
        archive.ledger(gone.id)
    assert steps(archive, gone) == []


def test_no_table_that_names_runs_or_artifacts_is_forgotten() -> None:
    """A table that is new here must be told to `retention` (and to `needs`, if what it names is needed)."""
    named = {"runs", "artifacts"}
    naming = {table.name for table in Base.metadata.tables.values() for key in table.foreign_keys
              if key.column.table.name in named}  # fmt: skip
    assert naming == {"runs", "run_artifacts", "recipes", "agent_calls", "llm_calls", "leases", "turns"}


def test_what_was_made_stays_known_to_others_after_its_maker_went(archive: Archive) -> None:
    maker, user = stand_in_run(archive, seeds=(1,)), stand_in_run(archive, seeds=(1,))
    assert [line.outcome for line in archive.ledger(user.id)] == []
    gc(archive, drop=[maker.id])
    third = stand_in_run(archive, seeds=(1,))
    assert [line.outcome for line in archive.ledger(third.id)] == []


@pytest.mark.parametrize("how", ["given", "named in a checkpoint", "made from it", "in its settings"])
def test_a_product_of_a_dropped_run_that_another_needs_stays(archive: Archive, how: str) -> None:
    maker = stand_in_run(archive, seeds=(1,))
    [needed] = archive.artifacts(maker.id)
    request = Request(prompt="x", images=(needed.id,) if how == "given" else ())
    settings = {"origin": {"state": {"film": needed.id}}} if how == "in its settings" else {}
    user = archive.create_run(request, settings=settings, graph_version=1)
    if how == "named in a checkpoint":
        tells_a_story(archive, user, says=needed.id)
    if how == "made from it":
        with archive.hold(user.id) as lease:
            archive.make(lease, recipe(9), lambda: picture(b"child"), parents=(needed.id,))
    assert gc(archive, drop=[maker.id]).artifacts == 0
    assert archive.read(needed) == picture(b"1").data


def test_a_run_with_a_fork_goes_only_with_it(archive: Archive) -> None:
    run = stand_in_run(archive)
    fork = archive.create_run(Request(prompt="f"), settings={}, graph_version=1, parent=run.id)
    with pytest.raises(RunIsNeeded, match=rf"has forks that are kept \({fork.id}\); drop them too"):
        gc(archive, drop=[run.id])
    assert gc(archive, drop=[run.id, fork.id]).runs == [fork.id, run.id]
    assert archive.runs() == []


def test_all_that_failed_go_but_those_whose_forks_stay(archive: Archive) -> None:
    failed, needed, done = (stand_in_run(archive, status=status) for status in ("failed", "failed", "done"))
    archive.create_run(Request(prompt="f"), settings={}, graph_version=1, parent=needed.id)
    swept = gc(archive, failed=True)
    assert swept.runs == [failed.id]
    assert [note for note in swept.notes if needed.id in note]
    assert {run.id for run in archive.runs()} >= {needed.id, done.id}


def test_a_dry_run_changes_not_a_byte(tmp_path: Path, home: Path) -> None:
    database = tmp_path / "mora.db"
    with Archive.open(f"sqlite:///{database}", home) as archive:
        tells_a_story(archive)
        run = stand_in_run(archive)
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = list(connection.iterdump())
    connection.close()
    with Archive.open(f"sqlite:///{database}", home) as archive:
        swept = gc(archive, drop=[run.id], dry_run=True)
        assert swept.checkpoints and swept.runs and swept.database[1] is None
        assert len(shelf(archive)) == 1
    with sqlite3.connect(database) as connection:
        assert list(connection.iterdump()) == before
    connection.close()


def test_the_database_gets_smaller(tmp_path: Path, home: Path) -> None:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", home) as archive:
        run, _ = tells_a_story(archive, says=secrets.token_hex(2**20))
        swept = gc(archive, drop=[run.id])
    before, after = swept.database
    assert after is not None and after < before - 2**20
    assert (tmp_path / "mora.db").stat().st_size == after


def test_a_database_that_is_in_use_is_swept_and_not_vacuumed(tmp_path: Path, home: Path, monkeypatch) -> None:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", home, busy_seconds=0.2) as archive:
        run = stand_in_run(archive)
        other = sqlite3.connect(tmp_path / "mora.db", isolation_level=None)
        whole = archive.compact
        monkeypatch.setattr(archive, "compact", lambda: [other.execute("BEGIN IMMEDIATE"), whole()])
        swept = gc(archive, drop=[run.id])
        other.close()
    assert swept.runs == [run.id]
    assert "was not made smaller" in swept.notes[0]


def test_a_product_that_is_published_while_files_go_is_whole(archive: Archive, run: Run, monkeypatch) -> None:
    """Its bytes are on the disk and its row is not there yet: to a sweep it looks like nobody's."""
    publish = archive._maker._publish

    def swept_before(*arguments: Any) -> Any:
        assert len(shelf(archive)) == 1
        assert gc(archive).files == 1
        assert shelf(archive) == []
        return publish(*arguments)

    monkeypatch.setattr(archive._maker, "_publish", swept_before)
    monkeypatch.setattr(making, "BESIDE", 0)  # it is so large that it is written before
    with archive.hold(run.id) as lease:
        made = archive.make(lease, recipe(), picture)
    assert archive.read(made.artifact) == picture().data


def test_a_product_that_goes_while_it_is_reused_is_made_again(archive: Archive, monkeypatch) -> None:
    maker, user = (
        stand_in_run(archive, seeds=(1,)),
        archive.create_run(Request(prompt="u"), settings={}, graph_version=1),
    )
    sound, swept = archive._maker.is_sound, []

    def swept_after(row: Any) -> bool:
        found = sound(row)
        if not swept:
            swept.append(gc(archive, drop=[maker.id]))
        return found

    monkeypatch.setattr(archive._maker, "is_sound", swept_after)
    with archive.hold(user.id) as lease:
        made = archive.make(lease, recipe(1), lambda: picture(b"1"))
    assert swept[0].artifacts == 1
    assert made.called
    assert archive.read(made.artifact) == picture(b"1").data


def test_a_claim_in_progress_survives(archive: Archive, run: Run) -> None:
    def produce() -> Any:
        swept = gc(archive, grace=NOW)
        assert swept.artifacts == swept.files == 0
        return picture()

    with archive.hold(run.id) as lease:
        assert archive.make(lease, recipe(), produce).called
    assert [line.outcome for line in archive.ledger(run.id)] == ["made"]


def test_a_run_that_was_dropped_since_it_was_looked_at_is_unknown(archive: Archive, run: Run, monkeypatch) -> None:
    look = archive.run

    def dropped_after(run_id: str) -> Run:
        found = look(run_id)
        monkeypatch.setattr(archive, "run", look)
        gc(archive, drop=[found.id])
        return found

    monkeypatch.setattr(archive, "run", dropped_after)
    with pytest.raises(UnknownRun, match="any more"), archive.hold(run.id[:20]):
        pass


def test_the_remains_of_an_import_that_was_cut_off_go(archive: Archive) -> None:
    tells_a_story(archive)
    engine = create_engine(archive.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE checkpoints SET thread_id = 'import-00000000000000000000000000'"))
        connection.execute(text("DELETE FROM runs"))
        gone = "import-00000000000000000000000000"
    gc(archive)
    with engine.connect() as connection:
        left = connection.scalar(text("SELECT count(*) FROM checkpoints WHERE thread_id = :gone"), {"gone": gone})
    engine.dispose()
    assert left == 0


@pytest.mark.slow
def test_whoever_dies_while_it_sweeps_loses_nothing(tmp_path: Path, start) -> None:
    """A process is killed before every change and every removal; what is kept is whole, and the next sweep ends it."""
    _, line = start(dies_again_and_again, furnishes, sweeps, tmp_path)
    moments, code = line.recv()
    assert code == 0
    assert moments > 20
    for moment in range(moments + 1):
        home = tmp_path / str(moment)
        with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
            prompts = [run.request.prompt for run in archive.runs()]
            assert prompts in (["gone", "told", "kept"], ["told", "kept"])
            assert all(archive.read(artifact) for run in archive.runs() for artifact in archive.artifacts(run.id))
            sweeps(archive)
            [told, _kept] = archive.runs()
            left = steps(archive, told)
            assert len(shelf(archive)) == 2
        assert (len(left), left[-1].checkpoint["channel_values"]["told"][-1]) == (3, "assemble")
