"""`evaluate videos`, `runs`, `suite`, `compare`, `report`, `list` and `baselines`. Light to import."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from graph.cli.app import Json, error_boundary, fail, say
from graph.cli.exit_codes import BUG
from graph.cli.session import listening, planner_name, progress_bars, services_in, settings_to_make_with, settings_with

if TYPE_CHECKING:
    from evals.evaluations.evaluate import Judgement
    from evals.evaluations.generators import Maker
    from evals.evaluations.workers import Bench
    from evals.networks.weights.catalogue import Places
    from graph.settings import Settings
    from memory.archive import Archive

Metrics = Annotated[
    str | None,
    typer.Option("--metrics", help="Names with commas between, all by default; NAME_clipwise for long ones."),
]
Prompts = Annotated[
    Path | None, typer.Option("--prompts", help="JSON: prompts by file name, or a suite such as VBench's full info.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=256, help="Processes that judge; the numbers are the same.")]
Weights = Annotated[
    list[str] | None,
    typer.Option("--metric-weights", help="[NAME=]WHERE: a folder, a file or a hub id that is here; may be repeated."),
]
Fetch = Annotated[bool, typer.Option("--fetch", help="Fetch the weight files that are missing; never done unasked.")]
GateFile = Annotated[
    Path | None, typer.Option("--gate", help="JSON: the least value by metric; exit code 1 when an interval breaks it.")
]


class Scale(StrEnum):
    """What a published Video Quality is."""

    MORA = "mora"
    VBENCH = "vbench"


def evaluate_videos(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, or JSON lists of videos and their prompts.")],
    metrics: Metrics = None,
    prompts: Prompts = None,
    system: Annotated[str | None, typer.Option(help="Who made them; by default the first path.")] = None,
    gate: GateFile = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Score videos by VBench's metrics and Mora's; what was scored before is not scored again."""
    with error_boundary():
        from evals.evaluations.videos import check_any_there, gather

        names = _named(metrics, gate, prompts)
        given, notes = gather(paths, prompts)
        check_any_there(given)

        from evals.evaluations.evaluate import Origin, evaluate

        asked = _asked(gate)
        with _bench(_Means(jobs, metric_weights, fetch), metrics) as bench, progress_bars() as report:
            found = evaluate(bench, given, names, Origin(system or str(paths[0])), report)
        _tell(found, asked, as_json, notes)


def evaluate_runs(
    runs: Annotated[list[str] | None, typer.Argument(help="Runs by their ids; all that are done by default.")] = None,
    metrics: Metrics = None,
    gate: GateFile = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Score the films of runs, against the words that were asked for."""
    with error_boundary():
        from graph.cli.early import check_run

        names = _named(metrics, gate)
        for named in runs or ():
            check_run(named)

        from evals.evaluations.evaluate import evaluate
        from evals.evaluations.generators import films_of

        asked = _asked(gate)
        with _bench(_Means(jobs, metric_weights, fetch), metrics) as bench, progress_bars() as report:
            given, origin = films_of(bench.archive, runs or [])
            found = evaluate(bench, given, names, origin, report)
        _tell(found, asked, as_json)


def evaluate_suite(
    name: Annotated[str, typer.Argument(help="A suite that ships (embedded), or a JSON file: VBench's full info too.")],
    metrics: Metrics = None,
    samples: Annotated[int, typer.Option(min=1, max=100, help="Films of a prompt, one seed each.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many prompts.")] = None,
    profile: Annotated[str | None, typer.Option(help="Which models: embedded or paper.")] = None,
    planner: Annotated[str | None, typer.Option(help="Who plans: embedded, openai or llama.")] = None,
    system: Annotated[
        str | None, typer.Option(help="Another system in place of Mora: modelscope, cogvideox or svd.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="Of that system: a folder, or a hub id that is here.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Of that system's sampler.")] = None,
    frames: Annotated[int | None, typer.Option(min=2, max=1000, help="Of that system's clips.")] = None,
    size: Annotated[str | None, typer.Option(help="Of that system's clips: WIDTHxHEIGHT.")] = None,
    gate: GateFile = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Make a film of every prompt, and score them. Interrupt at will: the same command goes on."""
    with error_boundary():
        from evals.evaluations.suites import Suite, read_suite
        from graph.runs.requests.options import RequestOptions, check

        check(RequestOptions(seed=seed, profile=profile, planner=planner))
        names, whole = _named(metrics, gate), read_suite(name)

        from evals.evaluations.evaluate import evaluate

        asked = _asked(gate)
        suite = Suite(whole.name, whole.prompts[:limit])
        seeds = range(seed, seed + samples)
        settings = settings_to_make_with(profile=profile, planner=planner)
        means = _Means(jobs, metric_weights, fetch)
        means.places(settings)  # what is wrong with them is told before any film is made
        maker = _maker(system, settings, weights=weights, steps=steps, frames=frames, size=size)
        with services_in(settings) as services, progress_bars() as report:
            with listening() as observer:
                given, failed = maker.films(services, suite, seeds, observer, report)
            bench = _bench_on(services.archive, settings, means, metrics)
            found = evaluate(bench, given, names, maker.origin(suite.name, seeds), report)
        found.bad[:0] = failed
        _tell(found, asked, as_json)


def evaluate_compare(
    first: Annotated[str, typer.Argument(help="A folder, file or list of videos, or an evaluation's digest.")],
    second: Annotated[str, typer.Argument(help="The same, of the system that is held against it.")],
    metrics: Metrics = None,
    prompts: Prompts = None,
    gate: Annotated[
        Path | None, typer.Option("--gate", help="JSON: the least difference by metric; exit code 1 when broken.")
    ] = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Two systems on the same prompts: differences with intervals, paired tests, effects, Holm's correction."""
    with error_boundary():
        names = _named(metrics, gate, prompts)

        from evals.evaluations.generators import side
        from evals.evaluations.statistics import compare
        from evals.evaluations.statistics import gate as check
        from evals.evaluations.tables import compared, gated

        asked = _asked(gate)
        with _bench(_Means(jobs, metric_weights, fetch), metrics) as bench, progress_bars() as report:
            sides = [side(bench, named, names, prompts, report) for named in (first, second)]
            comparison = compare(*sides)
        verdicts = check(asked, {one.metric: (one.difference, 0) for one in comparison.differences}) if asked else []
        if as_json:
            gates = [one.model_dump() for one in verdicts]
            print(json.dumps({**comparison.model_dump(mode="json"), "gate": gates}))
        else:
            say(compared(comparison))
            say(gated(verdicts))
        if not all(one.holds for one in verdicts):
            raise typer.Exit(BUG)


def evaluate_report(
    names: Annotated[
        list[str] | None, typer.Argument(help="Evaluations or folders; two are compared. The newest by default.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Where the report goes; its pictures lie beside it.")] = Path("report.html"),
    metrics: Metrics = None,
    prompts: Prompts = None,
    as_json: Json = False,
) -> None:
    """One HTML file: radar, bars, two systems prompt by prompt, and the worst ten clips."""
    with error_boundary():
        from tools.delivery.export import check_destination

        check_destination(out, suffix=".html")
        chosen = _named(metrics, prompts)

        from evals.evaluations.generators import newest, side
        from evals.evaluations.report import write_report
        from evals.evaluations.statistics import counted

        with _bench(_Means(), metrics) as bench, progress_bars() as report:
            asked = names or [newest(bench.archive)]
            sides = [side(bench, named, chosen, prompts, report) for named in asked]
            written = write_report(sides, out)
        files = [str(path) for path in written]
        print(json.dumps({"report": files[0], "pictures": files[1:]})) if as_json else say(
            f"The report is in {out}, its {counted(len(files) - 1, 'picture')} beside it"
        )


def evaluate_list(as_json: Json = False) -> None:
    """All evaluations, newest first."""
    with error_boundary():
        from evals.evaluations.tables import listed, listed_as_json
        from memory.scores import evaluations

        with settings_with().open_archive() as archive:
            found = evaluations(archive)
        print(json.dumps(listed_as_json(found))) if as_json else say(listed(found))


def evaluate_baselines(
    names: Annotated[list[str] | None, typer.Argument(help="Systems; all of one scale by default.")] = None,
    scale: Annotated[Scale, typer.Option(help="Which Video Quality: the plain mean of six, or VBench's.")] = Scale.MORA,
    as_json: Json = False,
) -> None:
    """What the paper prints of other systems, with its source and scale."""
    with error_boundary():
        from dataclasses import asdict

        from evals.evaluations.published import baselines
        from evals.evaluations.tables import published

        rows = baselines(names or (), scale.value)
        print(json.dumps([{**asdict(row), "source": row.where} for row in rows])) if as_json else say(published(rows))


def _tell(found: "Judgement", asked: dict[str, Any], as_json: bool, notes: Sequence[str] = ()) -> None:
    """The table or the object, then the gate's exit code. Raises BadInput where nothing could be judged."""
    from evals.evaluations.statistics import figures, gate
    from evals.evaluations.tables import as_json as told_as_json
    from evals.evaluations.tables import gated, told
    from tools.errors import BadInput

    verdicts = []
    if asked:
        verdicts = gate(asked, {one.metric: (one.mean, one.undefined) for one in figures(found)})
    if as_json:
        gates = [one.model_dump() for one in verdicts]
        print(json.dumps({**told_as_json(found), "notes": list(notes), "gate": gates}))
    elif found.evaluation.videos:
        for line in (*notes, told(found), gated(verdicts)):
            say(line)
    if not found.evaluation.videos:
        raise BadInput(" ".join(one.why for one in found.bad[:3]))
    if asked and found.bad:
        fail(f"the gate does not hold: {len(found.bad)} of the files could not be judged", BUG)
    if not all(one.holds for one in verdicts):
        raise typer.Exit(BUG)


@dataclass(frozen=True)
class _Means:
    """What a person says of how it is judged."""

    jobs: int = 1
    weights: Sequence[str] | None = None
    fetch: bool = False

    def places(self, settings: "Settings") -> "Places":
        """Where weight files are looked for. Raises BadInput."""
        from evals.networks.weights.catalogue import places_of

        return places_of(self.weights or (), settings.metric_weights)


@contextmanager
def _bench(means: _Means, metrics: str | None) -> "Iterator[Bench]":
    settings = settings_with()
    with settings.open_archive() as archive:
        yield _bench_on(archive, settings, means, metrics)


def _bench_on(archive: "Archive", settings: "Settings", means: _Means, metrics: str | None) -> "Bench":
    from evals.evaluations.scorer_identity import device_of, missing_files
    from evals.evaluations.workers import Bench
    from evals.metrics.names import NAMES

    places = means.places(settings)
    if means.fetch:
        from evals.networks.weights.download import fetch

        folder = places.folders[0] if places.folders else settings.home.expanduser() / "metric_weights"
        fetch(missing_files(archive, _named(metrics) or NAMES, places), folder, partial(print, file=sys.stderr))
        places = replace(places, folders=(*places.folders, folder))
    return Bench(archive, places, device_of(settings.device), settings.threads, means.jobs)


def _maker(system: str | None, settings: "Settings", *, size: str | None, **said: Any) -> "Maker":
    """Who makes a suite's films: Mora, or a system by its name. Raises BadInput."""
    from evals.evaluations.contenders import Contender, dials_of, system_of
    from evals.evaluations.generators import Mora
    from tools.errors import BadInput

    if system is None:
        if named := [name for name, value in {"size": size, **said}.items() if value is not None]:
            raise BadInput(f"--{named[0]} is of another system's clips; name the system with --system.")
        return Mora(settings, planner_name(settings))
    return Contender(system_of(system, dials_of(size=size, **said), settings.profile), settings)


def _named(metrics: str | None, *files: Path | None) -> list[str]:
    """Return the metrics that a person names, [] for none; files: JSON that is to be read later.

    Raises BadInput for a metric that there is not and a file that is no JSON, before anything heavy is loaded.
    """
    from evals.evaluations.videos import read_json
    from evals.metrics.names import check_names

    for file in files:
        if file is not None and (file.is_file() or not file.exists()):  # what is no file may be read once only
            read_json(file)
    named = [] if metrics is None else [name.strip() for name in metrics.split(",") if name.strip()]
    check_names(named)
    return named


def _asked(gate: Path | None) -> dict[str, Any]:
    """What a gate's file asks; {} without one. Raises BadInput before any work is spent."""
    from evals.evaluations.statistics import gate as check
    from evals.evaluations.videos import read_json
    from evals.metrics.names import check_names

    if gate is None:
        return {}
    asked: dict[str, Any] = read_json(gate)
    check(asked, {})
    check_names(asked)
    return asked


def mount(app: typer.Typer) -> None:
    """Adds the commands to `evaluate`."""
    for name, command in (
        ("videos", evaluate_videos),
        ("runs", evaluate_runs),
        ("suite", evaluate_suite),
        ("compare", evaluate_compare),
        ("report", evaluate_report),
        ("list", evaluate_list),
        ("baselines", evaluate_baselines),
    ):
        app.command(name)(command)
