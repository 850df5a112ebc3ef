"""A run that is killed at any moment is resumed to the same film, and no agent call that was finished happens again."""

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from memory.archive import Archive
from memory.records import AgentCall
from support.graph_workers import ForkServer, Worker
from support.tiny_agents import TWO_SHOTS

pytestmark = pytest.mark.slow

KILLED = -9
NODES = 10
"""Finished nodes of the run: enhance, plan, twice (two acts and a review), assemble, finish."""
STEPS_END = (0, 1, 2, 4, 5, 7, 8, 9)
"""Finished nodes at the end of each super-step but the last."""
FILES = 5
"""Artifacts of the run: two pictures, two clips, the film."""
CHECKPOINTS = 9
"""The input's, and one for each super-step."""
AGENTS = {"text_to_image", "image_to_video"}
PAUSE = 0.01


@dataclass(frozen=True)
class Crash:
    """Where crashed runs live, and how the run ends that nobody disturbs."""

    workers: ForkServer
    film: str
    seconds: float


@pytest.fixture(scope="module")
def crash(workers: ForkServer, tmp_path_factory: pytest.TempPathFactory) -> Crash:
    for home in (tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")):  # the second is warm
        start = time.monotonic()
        told = begun(workers, home).result()
        seconds = time.monotonic() - start
    assert (told["status"], told["events"], told["calls"]) == ("done", NODES, 4)
    return Crash(workers, told["film"], seconds)


def begun(server: ForkServer, home: Path, **order: Any) -> Worker:
    home.mkdir(exist_ok=True)
    return server.start(home=str(home), prompt=TWO_SHOTS, seed=3, pause=PAUSE, **order)


def ledger(home: Path) -> list[AgentCall]:
    with Archive.open(f"sqlite:///{home / 'mora.db'}", home) as archive:
        return archive.ledger((home / "run").read_text())


def assert_resumed(crash: Crash, home: Path) -> dict[str, Any]:
    """Resumes in a new process and gives its report."""
    before = ledger(home)
    told = crash.workers.start(home=str(home), run=(home / "run").read_text()).result()
    assert (told["status"], told["film"]) == ("done", crash.film)
    after = ledger(home)
    made = {line.key for line in before if line.outcome == "made"}
    again = [line for line in after[len(before) :] if line.key in made]
    assert not again, "a call that was finished began again"
    assert Counter(line.key for line in after if line.outcome == "made") == Counter({line.key: 1 for line in after}), (
        "not every recipe was made exactly once"
    )
    assert len({line.key for line in after}) == FILES
    finished = sum(line.agent in AGENTS and line.outcome == "made" for line in before)
    assert told["calls"] == 4 - finished
    return told


DEATHS: dict[str, dict[str, Any]] = {
    **{f"after {events} nodes": {"event": events} for events in (0, 1, 3, 5, 8, 10)},
    **{
        f"in {role} of the {words}": {"role": role, "words": words}
        for role, words in (("text_to_image", "ball"), ("image_to_video", "star"))
    },
    "while assembling": {"told": "assemble_film"},
    **{f"before file {n} is in place": {"rename": n} for n in (1, FILES)},
    **{f"after file {n} is in place": {"renamed": n} for n in (2, FILES)},
    **{f"in checkpoint {n}": {"sql": "INSERT OR REPLACE INTO checkpoints", "nth": n} for n in (1, 4, CHECKPOINTS)},
    **{f"in pending write {n}": {"sql": "INSERT OR", "nth": n} for n in (3, 13)},
}


@pytest.mark.parametrize("death", DEATHS.values(), ids=DEATHS)
def test_a_killed_run_is_resumed_to_the_same_film(crash: Crash, death: dict[str, Any], tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert begun(crash.workers, home, die=death).wait() == KILLED
    told = assert_resumed(crash, home)
    if "event" in death:
        # The step whose end was just heard may have to be taken again; those before it are in the checkpoint.
        kept = max((done for done in STEPS_END if done < death["event"]), default=0)
        assert told["events"] <= NODES - kept


def test_a_run_killed_from_outside_is_resumed_to_the_same_film(crash: Crash, tmp_path: Path) -> None:
    """At one moment; `evaluate crash` kills at many, of all tasks."""
    home = tmp_path / "home"
    worker = begun(crash.workers, home)
    time.sleep(0.5 * crash.seconds)
    worker.kill()
    assert worker.wait() in {KILLED, 0}
    if not (home / "run").exists():
        assert begun(crash.workers, home).result()["film"] == crash.film  # there was no run yet to lose
        return
    assert_resumed(crash, home)


def test_a_run_that_dies_again_and_again_gets_there(crash: Crash, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert begun(crash.workers, home, die={"event": 1}).wait() == KILLED
    run = (home / "run").read_text()
    for death in ({"event": 1}, {"renamed": 1}, {"event": 2}, {"rename": 2}):
        assert crash.workers.start(home=str(home), run=run, die=death).wait() == KILLED
    assert_resumed(crash, home)


def test_the_order_of_deaths_is_real(crash: Crash, tmp_path: Path) -> None:
    """A death that never comes would make the tests above pass for nothing."""
    told = begun(crash.workers, tmp_path / "home", die={"event": NODES + 1}).result()
    assert told["status"] == "done"
