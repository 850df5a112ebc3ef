"""The commands `evaluate ...` that measure the agents and Mora itself.

Imports what they measure with inside the commands, so that `--help` stays fast.
"""

import json
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.cli.evaluations import mount
from graph.cli.app import Json, error_boundary, say
from graph.cli.exit_codes import BUG
from graph.cli.session import lender_in, progress_bars, settings_with

evaluate_app = typer.Typer(help="Measure how good the agents are.", no_args_is_help=True)
mount(evaluate_app)


class Split(StrEnum):
    """The combinations of the embedded world to try."""

    HELD_OUT = "held-out"
    SEEN = "seen"
    BOTH = "both"


class Tried(StrEnum):
    """The task of the embedded agents to try."""

    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"
    EDIT = "edit"
    EDIT_VIDEO = "edit-video"
    EXTEND = "extend"
    CONNECT = "connect"
    SIMULATE = "simulate"
    WISHES = "wishes"
    ALL = "all"


@evaluate_app.command("world")
def evaluate_world(
    n: Annotated[int, typer.Option(min=1, help="Combinations per split.")] = 300,
    split: Annotated[
        Split, typer.Option(help="Combinations held out of training, seen in it, or both.")
    ] = Split.HELD_OUT,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    task: Annotated[Tried, typer.Option(help="The task to try.")] = Tried.TEXT_TO_VIDEO,
    sheet: Annotated[
        Path | None, typer.Option(help="Write rows of frames as a PNG to this file; with all tasks, a file for each.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Measure how often the embedded agents do what they are asked, and where mistakes are made."""
    with error_boundary():
        if sheet is not None and task is not Tried.ALL:
            from tools.delivery.export import check_destination

            check_destination(sheet, suffix=".png")

        from evals.world.benchmark import TASKS
        from evals.world.benchmark import evaluate_world as evaluate
        from evals.world.gallery import Gallery, destinations, failure_sheet
        from evals.world.results import accumulation
        from tools.delivery.export import export

        tasks = tuple(one for one in TASKS if task.value in (one, Tried.ALL.value))
        sheets = destinations(sheet, tasks)
        held_out = {Split.HELD_OUT: True, Split.SEEN: False, Split.BOTH: None}[split]
        reports, agents = [], lender_in(settings_with(profile="embedded"), {})
        with progress_bars() as report:
            for one in tasks:
                gallery, progress = Gallery(), partial(_report_part, report, one)
                reports.append(
                    evaluate(agents, n=n, held_out=held_out, seed=seed, task=one, progress=progress, watch=gallery)
                )
                if one in sheets and gallery.rows:
                    export(failure_sheet(gallery.rows), sheets[one], suffix=".png")
        if as_json:
            every = [one.model_dump(mode="json") for one in reports]
            print(json.dumps({"task": task, "reports": every} if task is Tried.ALL else every[0]))
            return
        for table in (*(one.to_table() for one in reports), accumulation(reports)):
            say(table)


def _report_part(report: Any, task: str, part: str, done: int, in_all: int) -> None:
    report(f"{task}: {part}", done, in_all)


@evaluate_app.command("scorer")
def evaluate_scorer(
    n: Annotated[int, typer.Option(min=1, help="Held-out frames.")] = 300,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    as_json: Json = False,
) -> None:
    """Measure how reliable the embedded scorer is, on frames whose content is known."""
    with error_boundary():
        from evals.bench.scorers.embedded import measure_scorer, table_of

        trust = measure_scorer(n=n, seed=seed)
        print(json.dumps(trust.model_dump())) if as_json else say(table_of(trust))


@evaluate_app.command("speed")
def evaluate_speed(
    rounds: Annotated[int, typer.Option(min=1, help="Repetitions of every measurement.")] = 5, as_json: Json = False
) -> None:
    """Measure what Mora costs on top of the models, as ratios."""
    with error_boundary():
        from evals.bench.speed.ratios import measure_speed, table_of

        with progress_bars() as report:
            ratios = measure_speed(rounds=rounds, report=report)
        print(json.dumps([ratio.model_dump() for ratio in ratios])) if as_json else say(table_of(ratios))


@evaluate_app.command("crash")
def evaluate_crash(
    kills: Annotated[int, typer.Option(min=1, help="Runs to kill, spread over the six tasks.")] = 60,
    server: Annotated[
        str | None, typer.Option(help="A PostgreSQL URL, where every run gets its own database; SQLite by default.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Kill runs at random moments, resume them, and count what is lost, different or done twice."""
    with error_boundary():
        from evals.bench.crashes.crash import measure_crashes, table_of

        with progress_bars() as report:
            rows = measure_crashes(kills=kills, report=report, server=server)
        print(json.dumps([row.model_dump() for row in rows])) if as_json else say(table_of(rows))
        if not all(row.holds for row in rows):
            raise typer.Exit(BUG)


class Part(StrEnum):
    """The phrases to say."""

    READ = "read"
    UNREAD = "unread"
    FURTHER = "further"
    BOTH = "both"


@evaluate_app.command("conversation")
def evaluate_conversation(
    part: Annotated[
        Part,
        typer.Option(help="Phrases that the reader's authors have seen, have not seen, both, or further ones."),
    ] = Part.BOTH,
    failures: Annotated[bool, typer.Option("--failures", help="Print every phrase that is not right.")] = False,
    as_json: Json = False,
) -> None:
    """Say phrases in states of a conversation, and count what is right, harmless and a wrong action."""
    with error_boundary():
        from evals.conversation.measure import measured, shares
        from evals.conversation.phrases import PARTS, phrases_of
        from evals.conversation.table import failure_lines, table_of

        wanted = ("read", "unread") if part is Part.BOTH else (part.value,)
        parts = [each for each in PARTS if each in wanted]
        found = {each: measured(phrases_of(each)) for each in parts}
        if as_json:
            print(json.dumps({each: shares(graded) for each, graded in found.items()}))
            return
        for each, graded in found.items():
            say(table_of(each, shares(graded)))
            if failures:
                say("\n".join(failure_lines(graded)))
