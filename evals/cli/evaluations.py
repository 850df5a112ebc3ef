"""The commands `evaluate videos`, `runs`, `suite`, `compare`, `report`, `list` and `baselines`.

Imports torch and the metrics inside the commands only, so that `--help` stays fast.
"""

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
    from evals.evaluations.workers import ScoringContext
    from evals.networks.weights.catalogue import Places
    from graph.settings import Settings
    from memory.archive import Archive

Metrics = Annotated[
    str | None,
    typer.Option("--metrics", help="Comma-separated names, all by default; NAME_clipwise for long videos."),
]
Prompts = Annotated[
    Path | None, typer.Option("--prompts", help="JSON: prompts by file name, or a suite such as VBench's full info.")
]
Jobs = Annotated[int, typer.Option("--jobs", min=1, max=256, help="Worker processes; the scores do not depend on it.")]
Weights = Annotated[
    list[str] | None,
    typer.Option("--metric-weights", help="[NAME=]WHERE: a folder, a file or a cached hub id; may be repeated."),
]
Fetch = Annotated[bool, typer.Option("--fetch", help="Download missing weight files; never done by default.")]
GateFile = Annotated[
    Path | None, typer.Option("--gate", help="JSON: the least value by metric; exit code 1 if an interval violates it.")
]


class Scale(StrEnum):
    """How a published Video Quality was computed."""

    MORA = "mora"
    VBENCH = "vbench"


def evaluate_videos(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders, or JSON lists of videos and their prompts.")],
    metrics: Metrics = None,
    prompts: Prompts = None,
    system: Annotated[str | None, typer.Option(help="The system that made them; the first path by default.")] = None,
    gate: GateFile = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Score videos with VBench's metrics and Mora's. Stored scores are reused."""
    with error_boundary():
        from evals.evaluations.videos import check_any_there, gather

        names = _metric_names(metrics, gate, prompts)
        given, notes = gather(paths, prompts)
        check_any_there(given)

        from evals.evaluations.evaluate import Origin, evaluate

        thresholds = _read_gate(gate)
        with (
            _scoring_context(_ScoringOptions(jobs, metric_weights, fetch), metrics) as context,
            progress_bars() as report,
        ):
            found = evaluate(context, given, names, Origin(system or str(paths[0])), report)
        _print_judgement(found, thresholds, as_json, notes)


def evaluate_runs(
    runs: Annotated[list[str] | None, typer.Argument(help="Run ids; all finished runs by default.")] = None,
    metrics: Metrics = None,
    gate: GateFile = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Score the films of runs against their prompts."""
    with error_boundary():
        from graph.cli.early import check_run

        names = _metric_names(metrics, gate)
        for named in runs or ():
            check_run(named)

        from evals.evaluations.evaluate import evaluate
        from evals.evaluations.generators import films_of

        thresholds = _read_gate(gate)
        with (
            _scoring_context(_ScoringOptions(jobs, metric_weights, fetch), metrics) as context,
            progress_bars() as report,
        ):
            given, origin = films_of(context.archive, runs or [])
            found = evaluate(context, given, names, origin, report)
        _print_judgement(found, thresholds, as_json)


def evaluate_suite(
    name: Annotated[
        str, typer.Argument(help="A shipped suite (embedded), or a JSON file, such as VBench's full info.")
    ],
    metrics: Metrics = None,
    samples: Annotated[int, typer.Option(min=1, max=100, help="Films per prompt, one seed each.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Use only this many prompts, the first ones.")] = None,
    profile: Annotated[str | None, typer.Option(help="Which models: embedded or paper.")] = None,
    planner: Annotated[str | None, typer.Option(help="Planner: embedded, openai or llama.")] = None,
    system: Annotated[
        str | None, typer.Option(help="Another system instead of Mora: modelscope, cogvideox or svd.")
    ] = None,
    weights: Annotated[str | None, typer.Option(help="That system's weights: a folder or a cached hub id.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=1000, help="Steps of that system's sampler.")] = None,
    frames: Annotated[int | None, typer.Option(min=2, max=1000, help="Frames of that system's clips.")] = None,
    size: Annotated[str | None, typer.Option(help="Size of that system's clips: WIDTHxHEIGHT.")] = None,
    gate: GateFile = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Make a film of every prompt of a suite and score it. After an interruption, the same command continues."""
    with error_boundary():
        from evals.evaluations.suites import Suite, read_suite
        from graph.runs.requests.options import RequestOptions, check

        check(RequestOptions(seed=seed, profile=profile, planner=planner))
        names, whole = _metric_names(metrics, gate), read_suite(name)

        from evals.evaluations.evaluate import evaluate

        thresholds = _read_gate(gate)
        suite = Suite(whole.name, whole.prompts[:limit])
        seeds = range(seed, seed + samples)
        settings = settings_to_make_with(profile=profile, planner=planner)
        options = _ScoringOptions(jobs, metric_weights, fetch)
        options.places(settings)  # report bad weight locations before any film is made
        maker = _maker_of(system, settings, weights=weights, steps=steps, frames=frames, size=size)
        with services_in(settings) as services, progress_bars() as report:
            with listening() as observer:
                given, failed = maker.films(services, suite, seeds, observer, report)
            context = _scoring_context_in(services.archive, settings, options, metrics)
            found = evaluate(context, given, names, maker.origin(suite.name, seeds), report)
        found.bad[:0] = failed
        _print_judgement(found, thresholds, as_json)


def evaluate_compare(
    first: Annotated[str, typer.Argument(help="A folder, file or list of videos, or an evaluation's digest.")],
    second: Annotated[str, typer.Argument(help="The same, of the system to compare with it.")],
    metrics: Metrics = None,
    prompts: Prompts = None,
    gate: Annotated[
        Path | None, typer.Option("--gate", help="JSON: the least difference by metric; exit code 1 if broken.")
    ] = None,
    metric_weights: Weights = None,
    fetch: Fetch = False,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Compare two systems on the same prompts: differences with intervals, paired tests, effects, Holm's correction."""
    with error_boundary():
        names = _metric_names(metrics, gate, prompts)

        from evals.evaluations.generators import side
        from evals.evaluations.statistics import compare
        from evals.evaluations.statistics import gate as check
        from evals.evaluations.tables import comparison_table, verdict_lines

        thresholds = _read_gate(gate)
        with (
            _scoring_context(_ScoringOptions(jobs, metric_weights, fetch), metrics) as context,
            progress_bars() as report,
        ):
            sides = [side(context, named, names, prompts, report) for named in (first, second)]
            comparison = compare(*sides)
        verdicts = (
            check(thresholds, {one.metric: (one.difference, 0) for one in comparison.differences}) if thresholds else []
        )
        if as_json:
            gates = [one.model_dump() for one in verdicts]
            print(json.dumps({**comparison.model_dump(mode="json"), "gate": gates}))
        else:
            say(comparison_table(comparison))
            say(verdict_lines(verdicts))
        if not all(one.holds for one in verdicts):
            raise typer.Exit(BUG)


def evaluate_report(
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Evaluations or folders, the newest evaluation by default; two are compared."),
    ] = None,
    out: Annotated[Path, typer.Option(help="The report's file; its pictures are written beside it.")] = Path(
        "report.html"
    ),
    metrics: Metrics = None,
    prompts: Prompts = None,
    as_json: Json = False,
) -> None:
    """Write an HTML report: radar chart, bars, two systems by prompt, and the ten worst clips."""
    with error_boundary():
        from tools.delivery.export import check_destination

        check_destination(out, suffix=".html")
        chosen = _metric_names(metrics, prompts)

        from evals.evaluations.generators import newest, side
        from evals.evaluations.report import write_report
        from evals.evaluations.statistics import counted

        with _scoring_context(_ScoringOptions(), metrics) as context, progress_bars() as report:
            sources = names or [newest(context.archive)]
            sides = [side(context, named, chosen, prompts, report) for named in sources]
            written = write_report(sides, out)
        files = [str(path) for path in written]
        print(json.dumps({"report": files[0], "pictures": files[1:]})) if as_json else say(
            f"The report is in {out}, its {counted(len(files) - 1, 'picture')} beside it"
        )


def evaluate_list(as_json: Json = False) -> None:
    """List all evaluations, newest first."""
    with error_boundary():
        from evals.evaluations.tables import evaluations_as_json, evaluations_table
        from memory.scores import evaluations

        with settings_with().open_archive() as archive:
            found = evaluations(archive)
        print(json.dumps(evaluations_as_json(found))) if as_json else say(evaluations_table(found))


def evaluate_baselines(
    names: Annotated[list[str] | None, typer.Argument(help="Systems; by default all of one scale.")] = None,
    scale: Annotated[Scale, typer.Option(help="Which Video Quality: the plain mean of six, or VBench's.")] = Scale.MORA,
    as_json: Json = False,
) -> None:
    """Show the paper's scores of other systems, with source and scale."""
    with error_boundary():
        from dataclasses import asdict

        from evals.evaluations.published import baselines
        from evals.evaluations.tables import baselines_table

        rows = baselines(names or (), scale.value)
        print(json.dumps([{**asdict(row), "source": row.where} for row in rows])) if as_json else say(
            baselines_table(rows)
        )


def _print_judgement(found: "Judgement", thresholds: dict[str, Any], as_json: bool, notes: Sequence[str] = ()) -> None:
    """Print the table or the JSON object, then exit as the gate says. Raises BadInput if no video could be scored."""
    from evals.evaluations.statistics import figures, gate
    from evals.evaluations.tables import as_json as judgement_as_json
    from evals.evaluations.tables import judgement_table, verdict_lines
    from tools.errors import BadInput

    verdicts = []
    if thresholds:
        verdicts = gate(thresholds, {one.metric: (one.mean, one.undefined) for one in figures(found)})
    if as_json:
        gates = [one.model_dump() for one in verdicts]
        print(json.dumps({**judgement_as_json(found), "notes": list(notes), "gate": gates}))
    elif found.evaluation.videos:
        for line in (*notes, judgement_table(found), verdict_lines(verdicts)):
            say(line)
    if not found.evaluation.videos:
        raise BadInput("videos-unusable", " ".join(one.why for one in found.bad[:3]))
    if thresholds and found.bad:
        fail(f"the gate does not hold: {len(found.bad)} of the files could not be judged", BUG)
    if not all(one.holds for one in verdicts):
        raise typer.Exit(BUG)


@dataclass(frozen=True)
class _ScoringOptions:
    """The command-line options that say how to score."""

    jobs: int = 1
    weights: Sequence[str] | None = None
    fetch: bool = False

    def places(self, settings: "Settings") -> "Places":
        """Return the locations to search for weight files. Raises BadInput."""
        from evals.networks.weights.catalogue import places_of

        return places_of(self.weights or (), settings.metric_weights)


@contextmanager
def _scoring_context(options: _ScoringOptions, metrics: str | None) -> "Iterator[ScoringContext]":
    settings = settings_with()
    with settings.open_archive() as archive:
        yield _scoring_context_in(archive, settings, options, metrics)


def _scoring_context_in(
    archive: "Archive", settings: "Settings", options: _ScoringOptions, metrics: str | None
) -> "ScoringContext":
    from evals.evaluations.scorer_identity import device_of, missing_files
    from evals.evaluations.workers import ScoringContext
    from evals.metrics.names import NAMES

    places = options.places(settings)
    if options.fetch:
        from evals.networks.weights.download import fetch

        folder = places.folders[0] if places.folders else settings.home.expanduser() / "metric_weights"
        fetch(missing_files(archive, _metric_names(metrics) or NAMES, places), folder, partial(print, file=sys.stderr))
        places = replace(places, folders=(*places.folders, folder))
    return ScoringContext(archive, places, device_of(settings.device), settings.threads, options.jobs)


def _maker_of(system: str | None, settings: "Settings", *, size: str | None, **said: Any) -> "Maker":
    """Return the maker of a suite's films: Mora, or another system by name. Raises BadInput."""
    from evals.evaluations.contenders import Contender, options_from, system_of
    from evals.evaluations.generators import Mora
    from tools.errors import BadInput

    if system is None:
        if named := [name for name, value in {"size": size, **said}.items() if value is not None]:
            raise BadInput(
                "option-of-other-system",
                f"--{named[0]} is of another system's clips; name the system with --system.",
                option=named[0],
            )
        return Mora(settings, planner_name(settings))
    return Contender(system_of(system, options_from(size=size, **said), settings.profile), settings)


def _metric_names(metrics: str | None, *files: Path | None) -> list[str]:
    """Split the value of --metrics into names, [] without one, and check that `files` are JSON.

    Raises BadInput for an unknown metric and for a file that is not JSON, before any heavy import.
    """
    from evals.evaluations.videos import read_json
    from evals.metrics.names import check_names

    for file in files:
        if file is not None and (file.is_file() or not file.exists()):  # a pipe can be read only once
            read_json(file)
    named = [] if metrics is None else [name.strip() for name in metrics.split(",") if name.strip()]
    check_names(named)
    return named


def _read_gate(gate: Path | None) -> dict[str, Any]:
    """Read and check a gate file; {} without one. Raises BadInput, before any scoring."""
    from evals.evaluations.statistics import gate as check
    from evals.evaluations.videos import read_json
    from evals.metrics.names import check_names

    if gate is None:
        return {}
    thresholds: dict[str, Any] = read_json(gate)
    check(thresholds, {})
    check_names(thresholds)
    return thresholds


def mount(app: typer.Typer) -> None:
    """Add the commands to `evaluate`."""
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
