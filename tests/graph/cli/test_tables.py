"""What a person is told: notes and counts of a run, bars, tables, stories; words that look like markup stay words."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from graph.cli import progress
from graph.cli import tables as telling
from graph.cli.progress import Lines, ProgressObserver, result_of
from graph.planning.turn import Answer
from graph.runs.observer import Event, RunBegan, StageBegan, ToolProgress, unobserved
from graph.runs.runner import answer, question_of_run, start
from graph.views import run_as_json, runs_as_json
from memory.archive import Archive
from memory.records import Request, Run
from support.tiny_agents import SENTENCES, TinyLender, rooms_with

ODD = f"{SENTENCES[0]} [bold]"
UNDO = Answer(moves=[{"do": "undo"}])


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.open(f"sqlite:///{tmp_path / 'mora.db'}", tmp_path) as opened:
        yield opened


def console(width: int = 200) -> Console:
    return Console(file=io.StringIO(), force_terminal=False, width=width)


def said(by: Console) -> str:
    assert isinstance(by.file, io.StringIO)
    return by.file.getvalue()


def told(what: Any) -> str:
    by = console()
    by.print(what)
    return said(by)


def made(archive: Archive, lender: TinyLender, prompt: str = SENTENCES[0]) -> tuple[Run, ProgressObserver]:
    with ProgressObserver(console(), quiet=True) as observer:
        return start(rooms_with(archive, lender), Request(prompt=prompt, seed=4), {}, observer), observer


def test_an_observer_counts_what_really_ran_and_keeps_the_notes(archive: Archive) -> None:
    _, first = made(archive, TinyLender(blanks=1))
    assert (first.calls[True], first.calls[False]) == (3, 0)
    assert any("made again with a new seed" in note for note in first.notes)
    run, second = made(archive, TinyLender())
    assert (second.calls[True], second.calls[False]) == (0, 3)
    assert second.wall_seconds > 0
    result = result_of(archive, run, second)
    assert (result["agent_calls"], result["cache_hits"], result["notes"]) == (0, 3, second.notes)
    assert json.loads(json.dumps(result)) == result


SEEN: list[Event] = [
    StageBegan("plan"),
    ToolProgress("text_to_image", 3, 4, frames_per_second=0.5, seconds_left=95.0, shot=2, attempt=1),
    ToolProgress("text_to_image", 4, 4, frames_per_second=0.5, seconds_left=75.0, shot=2, attempt=1),
]


def test_without_a_terminal_every_call_is_one_line() -> None:
    by = console()
    with ProgressObserver(by) as observer:
        for event in SEEN:
            observer(event)
    assert said(by) == "drawing shot 2, take 2\n"


def test_of_a_long_stage_a_log_says_from_time_to_time_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    now, by = 0.0, console()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now))
    lines = Lines(by, every_seconds=60.0)
    for step in range(1, 4):
        lines.report("locator", step, 1000, 75.0, "loss 0.1000")
    assert said(by) == "locator\n"
    now = 61.0
    lines.report("locator", 500, 1000, 75.0, "loss 0.0500")
    lines.report("locator", 501, 1000, 74.0, "loss 0.0400")
    assert said(by) == "locator\nlocator: 500 of 1000, loss 0.0500, 1 min 15 s left\n"


def test_an_observer_says_once_that_a_run_stops_and_how_it_goes_on() -> None:
    by = console()
    with ProgressObserver(by) as observer:
        observer.stopping()
        assert said(by) == "stopping after this step, press Ctrl-C again to stop at once\n"
        observer.stopping()
    begun: list[str] = []
    by = console()
    with ProgressObserver(by, begun=begun.append) as observer:
        observer(RunBegan("01abc"))
        observer.stopping()
        observer.stopping()
    assert said(by).count("`python main.py resume 01abc` resumes it") == 1
    assert begun == ["01abc"]


def test_bars_name_the_stage_the_shot_and_the_take() -> None:
    by = Console(file=io.StringIO(), force_terminal=True, width=200, color_system=None)
    with ProgressObserver(by) as observer:
        for event in SEEN:
            observer(event)
    for words in ("planning", "drawing shot 2, take 2", "0.5 frames/s", "1 min 15 s left"):
        assert words in said(by)


def test_a_story_tells_wish_plan_lineage_and_film(archive: Archive) -> None:
    run, _ = made(archive, TinyLender())
    story = told(telling.run_story(archive, run))
    for artifact in archive.artifacts(run.id):
        assert artifact.id in story
    for words in (run.id, "done", SENTENCES[0], "seed", "1.text_to_image", "2 agent calls made", "checkpoints"):
        assert words in story
    assert str(archive.path(archive.artifact(str(run.film)))) in story.replace("\n", "")


def test_words_that_look_like_markup_are_told_as_they_are(archive: Archive) -> None:
    run = archive.create_run(Request(prompt=ODD), settings={}, graph_version=1)
    with archive.hold(run.id) as lease:
        run = archive.set_status(lease, "failed", error="no [red]dragon[/red]")
    for text in (told(telling.runs_table(archive)), told(telling.run_story(archive, run))):
        assert ODD in text
        assert "no [red]dragon[/red]" in text


def test_everything_about_a_run_is_json_also_when_it_has_done_nothing(archive: Archive) -> None:
    run = archive.create_run(Request(prompt=ODD), settings={}, graph_version=1)
    whole = json.loads(json.dumps(run_as_json(archive, run)))
    assert (whole["plan"], whole["artifacts"], whole["checkpoints"]) == ([], [], [])
    assert whole["request"]["prompt"] == ODD
    assert runs_as_json(archive)[0]["prompt"] == ODD


def test_the_turns_of_a_conversation_are_shown_a_line_each(archive: Archive) -> None:
    services = rooms_with(archive, TinyLender())
    run = start(services, Request(prompt="", review="chat", seed=4), {}, unobserved)
    assert "turns" not in told(telling.run_story(archive, run))
    for answered in (Answer(said=f"{SENTENCES[0]} [bold] \x1b[2J"), Answer(said=SENTENCES[0]), UNDO, Answer(said="x")):
        question = question_of_run(services, archive.run(run.id))
        assert question is not None
        answer(services, run.id, question, answered, unobserved)
    story = told(telling.run_story(archive, archive.run(run.id)))
    lines = [" ".join(line.split()) for line in story[story.index("turns") :].splitlines()]
    assert lines[1] == "products became of it said"
    assert lines[2].startswith(f"1 {SENTENCES[0]} [bold]")
    assert "\x1b" not in story
    assert lines[3] == f"2 1 taken back {SENTENCES[0]}"
    assert lines[4] == "3 (undo)"
    assert lines[5].startswith("4 x; I did not understand `x`")
