"""What Mora costs beside the models: ratios measured in one run, alternating, the median of several rounds."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel
from rich.table import Table

from evals.bench.speed.bare import bare_film
from evals.bench.speed.chat import TURNS, Talked, talk
from evals.bench.speed.many import MANY, Resumed, resume_many
from graph.configure import services_for
from graph.runs.driver import context_of
from graph.runs.history import checkpoints_of
from graph.runs.runner import new_run, start
from graph.runs.services import Services
from graph.settings import Settings
from memory.archive import Archive
from memory.records import Request
from models.lenders.local import LocalLender
from tools.text_to_image import TextToImage, text_to_image, text_to_images

ROOT = Path(__file__).parents[3]
WISH = "a red ball moves right in the snow"
NOTHING_SET: Mapping[str, str] = {}
Report = Callable[[str, int, int, float | None, str], None]


class Ratio(BaseModel):
    """One comparison: the median of ours and of the other in `unit`, the ratio (or the value) and its bound."""

    name: str
    ours: float
    other: float | None
    unit: str
    value: float
    bound: float

    @property
    def holds(self) -> bool:
        """True when the value is within its bound."""
        return self.value <= self.bound


def measure_speed(*, rounds: int, report: Report) -> list[Ratio]:
    """All comparisons, `rounds` times each. Takes about a minute a round on two cores."""
    measures = (_help, _mistake, _cold, _warm, _candidates, _growth, _late_turn, _long_chat, _many, _many_memory)
    found = []
    for number, measure in enumerate(measures, 1):
        found.append(measure(rounds))
        report("measuring", number, len(measures), None, found[-1].name)
    return found


def table_of(ratios: list[Ratio]) -> Table:
    """The ratios as a person reads them."""
    table = Table("what", "ours", "other", "value", "bound", "")
    for ratio in ratios:
        other = "" if ratio.other is None else f"{ratio.other:.3g} {ratio.unit}"
        mark = "[green]holds[/green]" if ratio.holds else "[red]broken[/red]"
        table.add_row(
            ratio.name, f"{ratio.ours:.3g} {ratio.unit}", other, f"{ratio.value:.3g}", f"{ratio.bound:g}", mark
        )
    return table


def _help(rounds: int) -> Ratio:
    ours, torch = _alternating(
        rounds,
        lambda _n: _run([sys.executable, "main.py", "--help"]),
        lambda _n: _run([sys.executable, "-c", "import torch"]),
    )
    return _ratio("--help against `import torch`", ours, torch, 0.13)


def _mistake(rounds: int) -> Ratio:
    """A picture that is not there: a command that is refused loads no more than its words need."""
    with TemporaryDirectory() as folder:
        words = ["generate", WISH, "--image", str(Path(folder) / "none.png")]
        ours, helped = _alternating(
            rounds,
            lambda _n: _run([sys.executable, "main.py", *words], environment={"MORA_HOME": folder}, code=2),
            lambda _n: _run([sys.executable, "main.py", "--help"]),
        )
    return _ratio("a mistake against --help", ours, helped, 2.0)


def _cold(rounds: int) -> Ratio:
    with TemporaryDirectory() as folder:
        film = [sys.executable, "main.py", "generate", WISH, "--planner", "embedded", "--seed"]
        bare = [sys.executable, "-m", "evals.bench.speed.bare", WISH, str(Path(folder) / "bare.mp4")]
        home = {"MORA_HOME": folder, "MORA_DEVICE": "cpu"}
        _run([sys.executable, "main.py", "runs"], environment=home)
        ours, other = _alternating(
            rounds,
            lambda n: _run([*film, str(n)], environment=home),
            lambda _n: _run(bare),
        )
    return _ratio("generate against a bare script, whole commands", ours, other, 1.25)


def _warm(rounds: int) -> Ratio:
    with TemporaryDirectory() as folder, _house(Path(folder)) as archive:
        settings = Settings(home=Path(folder), planner="embedded", profile="embedded", device="cpu")
        lender = LocalLender("embedded", device="cpu")
        services = _with_lender(services_for(settings, archive), lender)
        _film(services, 10**6)
        ours, other = _alternating(
            3 * rounds,
            lambda n: _film(services, n),
            lambda n: bare_film(lender, WISH, (2 * n, 2 * n + 1), Path(folder) / "bare.mp4"),
        )
    return _ratio("generate against a bare script, in one process", ours, other, 1.05)


def _candidates(rounds: int) -> Ratio:
    """A candidate of four drawn in one call against one drawn in a call of its own, stored both."""
    asked = TextToImage(prompt=WISH)
    with TemporaryDirectory() as folder, _house(Path(folder)) as archive:
        settings = Settings(home=Path(folder), planner="embedded", profile="embedded", device="cpu")
        services = _with_lender(services_for(settings, archive), LocalLender("embedded", device="cpu"))
        request = Request(prompt=WISH)
        planner = services.planner(request)
        run = new_run(services, request, planner, {})
        with archive.hold(run.id) as lease:
            tool_context = context_of(services, run, planner, lease).tool_context
            text_to_images(tool_context, asked, seeds=(10**6, 10**6 + 1))
            together, alone = _alternating(
                3 * rounds,
                lambda n: text_to_images(tool_context, asked, seeds=range(4 * n, 4 * n + 4)),
                lambda n: [text_to_image(tool_context, asked, seed=seed) for seed in range(4 * n, 4 * n + 4)],
            )
    each = [seconds / 4 for seconds in together], [seconds / 4 for seconds in alone]
    return _ratio("a candidate of four in one call against a call each", *each, 0.75)


def _growth(_rounds: int) -> Ratio:
    with TemporaryDirectory() as folder, _house(Path(folder)) as archive:
        settings = Settings(home=Path(folder), planner="embedded", profile="embedded", device="cpu")
        services = _with_lender(services_for(settings, archive), LocalLender("embedded", device="cpu"))
        before = archive.size()
        steps = 0
        for seed in range(3):
            steps += len(checkpoints_of(archive, archive.run(_film(services, seed))))
        grown = (archive.size() - before) / steps / 1000
    return Ratio(name="database growth a graph step", ours=grown, other=None, unit="kB", value=grown, bound=30)


@lru_cache
def _talked() -> Talked:
    with TemporaryDirectory() as folder:
        return talk(Path(folder))


def _late_turn(_rounds: int) -> Ratio:
    talked = _talked()
    return _ratio(f"turn {TURNS} of a chat against turn 2, agents left out", talked.late, talked.early, 1.5)


def _long_chat(_rounds: int) -> Ratio:
    size = _talked().size / 1e6
    return Ratio(name=f"database of a chat of {TURNS} turns", ours=size, other=None, unit="MB", value=size, bound=10)


@lru_cache
def _resumed() -> Resumed:
    with TemporaryDirectory() as folder:
        return resume_many(Path(folder))


def _many(_rounds: int) -> Ratio:
    found = _resumed()
    name = f"a run of {MANY} resumed at once against one after the other, agents left out"
    return _ratio(name, [found.at_once], [found.in_turn], 1.5)


def _many_memory(_rounds: int) -> Ratio:
    grown = _resumed().megabytes
    return Ratio(name=f"memory for {MANY} runs at once", ours=grown, other=None, unit="MB", value=grown, bound=200)


def _house(folder: Path) -> Archive:
    return Archive.open(f"sqlite:///{folder / 'mora.db'}", folder)


def _with_lender(services: Services, lender: LocalLender) -> Services:
    from dataclasses import replace

    return replace(services, lender=lambda _stored: lender)


def _film(services: Services, seed: int) -> str:
    return start(services, Request(prompt=WISH, seed=seed), {}, lambda _heard: None).id


def _alternating(
    rounds: int, ours: Callable[[int], object], other: Callable[[int], object]
) -> tuple[list[float], list[float]]:
    """Seconds of both, measured in turn, so that a busy minute of the machine falls on both."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds):
        for seconds, work in zip(times, (ours, other), strict=True):
            started = time.perf_counter()
            work(number)
            seconds.append(time.perf_counter() - started)
    return times


def _run(command: list[str], *, environment: Mapping[str, str] = NOTHING_SET, code: int = 0) -> None:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False, capture_output=True)
    assert done.returncode == code, f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')}"


def _ratio(name: str, ours: list[float], other: list[float], bound: float) -> Ratio:
    value = statistics.median(a / b for a, b in zip(ours, other, strict=True))
    medians = statistics.median(ours), statistics.median(other)
    return Ratio(name=name, ours=medians[0], other=medians[1], unit="s", value=value, bound=bound)
