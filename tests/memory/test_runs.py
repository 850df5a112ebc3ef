import os
from datetime import UTC, datetime, timedelta, timezone

import pytest

from memory.archive import Archive
from memory.errors import UnknownRun
from memory.records import LlmCall, Request, Run


def another(archive: Archive, prompt: str = "another", parent: str | None = None) -> Run:
    return archive.create_run(Request(prompt=prompt), settings={}, graph_version=1, parent=parent)


def test_a_run_comes_back_as_it_was_stored(archive: Archive) -> None:
    request = Request(prompt='a "fox"\x00 🦊\n', images=("image-0123456789abcdef",), shots=2, seconds=1.5, review="ask")
    settings = {"big": 1e22, "tiny": 1e-310, "int": 2**60, "none": None, "list": [1, 1.0, {"b": 1, "a": 2}]}
    run = archive.create_run(request, settings=settings, graph_version=3)
    assert archive.run(run.id) == run
    assert (run.request, run.settings, run.graph_version, run.status) == (request, settings, 3, "running")
    assert [type(value) for value in archive.run(run.id).settings.values()] == [float, float, int, type(None), list]
    assert run.created_at.tzinfo is UTC
    assert abs(run.created_at - datetime.now(UTC)) < timedelta(minutes=10)


def test_runs_are_newest_first_and_their_ids_sort_by_time(archive: Archive) -> None:
    made = [another(archive) for _ in range(4)]
    assert archive.runs() == made[::-1]
    assert [run.id[:10] for run in made] == sorted(run.id[:10] for run in made)


def test_the_beginning_of_an_id_is_enough(archive: Archive, run: Run) -> None:
    assert archive.run(run.id[:4]) == run
    assert archive.run(run.id.upper()) == run


def test_a_beginning_that_fits_two_runs_is_refused(archive: Archive, run: Run) -> None:
    second = another(archive)
    with pytest.raises(UnknownRun, match="More than one run begins with"):
        archive.run(run.id[:4])
    assert archive.run(second.id) == second


@pytest.mark.parametrize("asked", ["", "01m", "01m%", "____", "a" * 27, "../../etc", "01m8'--", "01m8 "])
def test_what_cannot_be_an_id_is_refused(archive: Archive, run: Run, asked: str) -> None:
    with pytest.raises(UnknownRun, match="is not a run id"):
        archive.run(asked)


def test_an_unknown_run_is_refused_everywhere(archive: Archive, run: Run) -> None:
    for ask in (archive.run, archive.artifacts, archive.ledger, archive.llm_calls):
        with pytest.raises(UnknownRun, match="There is no run 'zzzz'"):
            ask("zzzz")
    with pytest.raises(UnknownRun), archive.hold("zzzz"):
        pass
    with pytest.raises(UnknownRun):
        another(archive, parent="zzzz")


def test_a_fork_knows_its_parent(archive: Archive, run: Run) -> None:
    assert another(archive, parent=run.id).parent == run.id


def test_a_status_is_kept_with_its_film_and_error(archive: Archive, run: Run) -> None:
    with archive.hold(run.id) as lease:
        failed = archive.set_status(lease, "failed", film="film-0", error="out of \x00 memory")
        assert (failed.status, failed.film, failed.error) == ("failed", "film-0", "out of \x00 memory")
        assert archive.run(run.id) == failed
        done = archive.set_status(lease, "done")
    assert (done.status, done.film, done.error) == ("done", "film-0", None)
    assert done.updated_at > run.updated_at
    assert done.created_at == run.created_at


def call(run: Run, digest: str, response: str) -> LlmCall:
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    return LlmCall(
        run=run.id, digest=digest, model="m", purpose="plan", request=None, response=response, created_at=moment
    )


def test_calls_of_language_models_are_recalled(archive: Archive, run: Run) -> None:
    calls = [call(run, "a" * 64, "bad"), call(run, "a" * 64, "good \x00 \ud800"), call(run, "b" * 64, "other")]
    with archive.hold(run.id) as lease:
        for one in calls:
            archive.remember_llm(lease, one)
    assert archive.llm_calls(run.id) == calls
    assert archive.recalled_llm(run.id, "a" * 64) == calls[1]
    assert archive.recalled_llm(run.id, "c" * 64) is None
    assert archive.recalled_llm(another(archive).id, "a" * 64) is None


def test_the_size_of_the_database_is_told(archive: Archive, run: Run) -> None:
    before = archive.size()
    with archive.hold(run.id) as lease:
        # Text that cannot be compressed, much more than a vacuum may give back meanwhile.
        archive.remember_llm(lease, call(run, "a" * 64, os.urandom(2**20).hex()))
    assert before > 0
    assert archive.size() > before
