import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from memory.archive import Archive
from memory.errors import ArchiveError, DamagedArtifact, DiskTrouble, UnknownArtifact
from memory.products import files, making, recipes
from memory.products.files import Produced
from memory.products.recipes import artifact_id
from memory.records import Request, Run
from support import archive_workers
from support.archive_workers import notes, picture, recipe


def never() -> Produced:
    raise AssertionError("the agent was called for what is known")


def expire_leases(url: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE leases SET expires = 1"))
    engine.dispose()


def stored(home: Path) -> list[str]:
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_a_product_is_made_once_and_then_known(archive: Archive, run: Run) -> None:
    with archive.hold(run.id) as lease:
        made = archive.make(lease, recipe(), picture, parents=("image-1",))
        assert archive.make(lease, recipe(), never) == type(made)(made.artifact, called=False)
    artifact = made.artifact
    assert made.called
    assert artifact.id == artifact_id("image", recipe()) == f"image-{recipe().key[:16]}"
    assert (artifact.recipe, artifact.media, artifact.parents) == (recipe(), archive_workers.PICTURE, ("image-1",))
    assert archive.artifact(artifact.id) == archive.find(recipe()) == artifact
    assert archive.read(artifact) == picture().data
    assert stored(archive.home) == [f"artifacts/{artifact.sha256[:2]}/{artifact.sha256[2:]}.png"]
    assert archive.path(artifact) == archive.home / stored(archive.home)[0]
    assert [(line.outcome, line.artifact) for line in archive.ledger(run.id)] == [("made", artifact.id)]


def test_a_run_knows_what_it_made_and_reused_in_order(archive: Archive, run: Run) -> None:
    second = archive.create_run(Request(prompt="y"), settings={}, graph_version=1)
    with archive.hold(run.id) as lease:
        first = archive.make(lease, recipe(1), picture).artifact
    with archive.hold(second.id) as lease:
        other = archive.make(lease, recipe(2), lambda: picture(b"other")).artifact
        archive.make(lease, recipe(1), never)
        archive.make(lease, recipe(2), never)
    assert archive.artifacts(run.id) == [first]
    assert archive.artifacts(second.id) == [other, first]
    assert [line.key for line in archive.ledger(second.id)] == [recipe(2).key]


def test_equal_bytes_of_two_recipes_are_one_file_and_two_artifacts(archive: Archive, run: Run) -> None:
    with archive.hold(run.id) as lease:
        made = [archive.make(lease, recipe(seed), picture).artifact for seed in (1, 2)]
    assert made[0].id != made[1].id
    assert len(stored(archive.home)) == 1


def test_an_unknown_artifact_is_named(archive: Archive) -> None:
    with pytest.raises(UnknownArtifact, match="There is no artifact 'image-0'"):
        archive.artifact("image-0")


def test_an_agent_that_fails_leaves_a_line_and_no_claim(archive: Archive, run: Run) -> None:
    def fail() -> Produced:
        raise ZeroDivisionError

    with archive.hold(run.id) as lease:
        with pytest.raises(ZeroDivisionError):
            archive.make(lease, recipe(), fail)
        assert archive.find(recipe()) is None
        assert archive.make(lease, recipe(), picture).called
    lines = archive.ledger(run.id)
    assert [line.outcome for line in lines] == ["failed", "made"]
    assert all(line.ended_at is not None and line.ended_at >= line.started_at for line in lines)


def test_threads_of_one_run_make_each_recipe_once(archive: Archive, run: Run) -> None:
    calls: list[int] = []

    def produce(seed: int) -> Produced:
        calls.append(seed)
        time.sleep(0.05)
        return picture(bytes([seed]))

    with archive.hold(run.id) as lease, ThreadPoolExecutor(9) as pool:
        jobs = [pool.submit(archive.make, lease, recipe(n % 3), lambda n=n: produce(n % 3)) for n in range(9)]
        made = [job.result() for job in jobs]
    assert sorted(calls) == [0, 1, 2]
    assert [one.called for one in made].count(True) == 3
    assert len({one.artifact.id for one in made}) == 3


def test_two_processes_make_a_recipe_once(archive: Archive, tmp_path: Path, start) -> None:
    runs = [archive.create_run(Request(prompt=name), settings={}, graph_version=1) for name in "ab"]
    lines = [start(archive_workers.makes, archive.url, archive.home, run.id, tmp_path / "calls")[1] for run in runs]
    assert [line.recv() for line in lines] == ["ready", "ready"]
    for line in lines:
        line.send("go")
    while not any(busy := [line.poll(0.05) for line in lines]):
        pass
    first, second = (lines[busy.index(True)], lines[1 - busy.index(True)])
    assert first.recv() == "producing"
    assert not second.poll(0.5)
    first.send("go on")
    assert (first.recv(), second.recv()) == (True, False)
    assert notes(tmp_path / "calls") == 1
    assert archive.artifacts(runs[0].id) == archive.artifacts(runs[1].id) != []


@pytest.mark.parametrize(("when", "left"), [("producing", {0}), ("renamed", {1}), ("committing", {0, 1})])
def test_what_a_killed_process_left_is_made_again_once(
    archive: Archive, run: Run, tmp_path: Path, start, when: str, left: set[int]
) -> None:
    process, _ = start(archive_workers.dies, archive.url, archive.home, run.id, tmp_path / "calls", when)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert len([file for file in stored(archive.home) if not file.endswith(".part")]) in left
    assert archive.find(recipe()) is None
    with archive.hold(run.id) as lease:
        made = archive.make(lease, recipe(), lambda: archive_workers.note(tmp_path / "calls") or picture())
        assert made.called
        assert not archive.make(lease, recipe(), never).called
    assert notes(tmp_path / "calls") == 2
    assert archive.read(made.artifact) == picture().data
    assert archive.artifacts(run.id) == [made.artifact]
    assert [line.outcome for line in archive.ledger(run.id)] == [None, "made"]


def test_another_run_takes_over_the_claim_of_the_dead(archive: Archive, run: Run, tmp_path: Path, start) -> None:
    process, _ = start(archive_workers.dies, archive.url, archive.home, run.id, tmp_path / "calls", "producing")
    process.join()
    second = archive.create_run(Request(prompt="y"), settings={}, graph_version=1)
    with archive.hold(second.id) as lease:
        assert archive.make(lease, recipe(), picture).called


def test_one_taken_for_dead_by_another_run_gets_the_artifact_that_is_there(database_url: str, home: Path) -> None:
    # A long lease, so that no heartbeat falls between the expiry and the taking.
    with Archive.open(database_url, home, lease_seconds=9000) as archive:
        slow, quick = (archive.create_run(Request(prompt=name), settings={}, graph_version=1) for name in "ab")

        def produce() -> Produced:
            expire_leases(database_url)
            with archive.hold(quick.id) as lease:
                assert archive.make(lease, recipe(), picture).called
            return picture()

        with archive.hold(slow.id) as lease:
            made = archive.make(lease, recipe(), produce)
        assert [archive.artifacts(run.id) for run in (slow, quick)] == [[made.artifact]] * 2


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"not muc")])
def test_a_lost_or_damaged_file_is_noticed_and_made_again(archive: Archive, run: Run, damage) -> None:
    with archive.hold(run.id) as lease:
        artifact = archive.make(lease, recipe(), picture).artifact
        damage(archive.path(artifact))
        with pytest.raises(DamagedArtifact, match=re.escape(artifact.id)):
            archive.read(artifact)
        assert archive.find(recipe()) is None
        again = archive.make(lease, recipe(), picture)
    assert again.called
    assert again.artifact == artifact
    assert archive.read(artifact) == picture().data


def test_other_bytes_from_the_same_recipe_are_refused(archive: Archive, run: Run) -> None:
    with archive.hold(run.id) as lease:
        artifact = archive.make(lease, recipe(), picture).artifact
        archive.path(artifact).unlink()
        with pytest.raises(ArchiveError, match="came out different"):
            archive.make(lease, recipe(), lambda: picture(b"something else"))
    assert stored(archive.home) == []
    assert archive.artifact(artifact.id) == artifact


def test_a_full_disk_leaves_nothing_half_written(archive: Archive, run: Run, start) -> None:
    _, line = start(archive_workers.fills_the_disk, archive.url, archive.home, run.id)
    name, sentence = line.recv()
    assert name == "DiskTrouble"
    assert "make room" in sentence
    assert line.recv() == []
    assert line.recv() is True
    assert [line.outcome for line in archive.ledger(run.id)] == ["failed", "made"]


@pytest.mark.parametrize("beside", [0, 2**22])
def test_nobody_knows_of_a_product_before_its_file_is_there(archive: Archive, run: Run, monkeypatch, beside) -> None:
    keep = files.keep

    def kept_slowly(*arguments: Any) -> Path:
        time.sleep(0.1)
        with archive.reading() as session:
            assert recipes.known(session, recipe().key) is None
        return keep(*arguments)

    monkeypatch.setattr(making, "BESIDE", beside)
    monkeypatch.setattr(files, "keep", kept_slowly)
    with archive.hold(run.id) as lease:
        made = archive.make(lease, recipe(), picture)
    assert archive.read(made.artifact) == picture().data


def test_a_product_whose_file_cannot_be_written_is_not_known(archive: Archive, run: Run, monkeypatch) -> None:
    def refused(*_: Any) -> Path:
        raise DiskTrouble("disk-full", "full")

    monkeypatch.setattr(files, "keep", refused)
    with archive.hold(run.id) as lease, pytest.raises(DiskTrouble, match="full"):
        archive.make(lease, recipe(), picture)
    assert archive.find(recipe()) is None
    assert [call.outcome for call in archive.ledger(run.id)] == ["failed"]


def test_what_an_agent_made_last(archive: Archive, run: Run) -> None:
    with archive.hold(run.id) as lease:
        made = [archive.make(lease, recipe(seed), lambda seed=seed: picture(bytes([seed]))) for seed in (1, 2)]
    first, second = (each.artifact for each in made)
    assert archive.last_made(run.id, recipe().agent) == second
    assert archive.last_made(run.id, recipe().agent, beside=[second.id]) == first
    assert archive.last_made(run.id, "nobody") is None
