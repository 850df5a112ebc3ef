"""The door: argv and environment in, exit code out. Plugs the rooms together and does none of their work."""

import gc as garbage
import os

if __name__ == "__main__":
    garbage.disable()  # to look for garbage in 4,000 modules takes a seventh of a short command; `begin`, `Listener`
os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read once, when langgraph is first imported (design, decision 8)
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import json
import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from evals.cli.world import evaluate_app
from graph.cli.app import CommandGroup, Json, error_boundary, fail, say
from graph.cli.chat.start import at_the_terminal, run_to_talk_about, talk_with, talk_with_program, talked_about
from graph.cli.delivery import check_out, deliver, place_of, sheet_of_run
from graph.cli.exit_codes import BUG
from graph.cli.session import (
    archive_if_it_opens,
    listening,
    planner_name,
    progress_bars,
    services_in,
    services_of_run,
    settings_with,
)

app = typer.Typer(
    cls=CommandGroup,
    help="Mora turns a conversation into video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(help="Train the agents that ship with the code.", no_args_is_help=True)
app.add_typer(train_app, name="train")
app.add_typer(evaluate_app, name="evaluate")


class Task(StrEnum):
    """What is asked for, as a record says it."""

    AUTO = "auto"
    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"
    EXTEND = "extend"
    EDIT = "edit"
    CONNECT = "connect"
    SIMULATE = "simulate"


class Motion(StrEnum):
    """What becomes of the motion of an edited clip."""

    KEPT = "kept"
    NEW = "new"


class Fit(StrEnum):
    """How a file of another shape is brought to the models' size."""

    CROP = "crop"
    PAD = "pad"


class Review(StrEnum):
    """Who decides which product stands."""

    NEVER = "never"
    ASK = "ask"


Provenance = Annotated[
    bool | None,
    typer.Option("--provenance/--no-provenance", help="Whether the film carries a signed manifest of how it was made."),
]
RunId = Annotated[str, typer.Argument(help="The run's id, or enough of its beginning.")]


@app.callback()
def begin(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what the rooms are doing.")] = False,
) -> None:
    """Mora turns a conversation into video."""
    if context.invoked_subcommand in ("evaluate", "train"):
        garbage.enable()
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("diffusers", "transformers", "httpx", "langsmith"):
        logging.getLogger(noisy).setLevel(logging.WARNING if verbose else logging.ERROR)
    # LangGraph's, of a step that ends while the run is being stopped: the run says itself how it ended.
    logging.getLogger("concurrent.futures").setLevel(logging.ERROR if verbose else logging.CRITICAL)


@app.command()
def generate(
    prompt: Annotated[str, typer.Argument(help="What you want to see, in your own words.")],
    image: Annotated[list[Path] | None, typer.Option(help="A picture to begin with; may be repeated.")] = None,
    video: Annotated[list[Path] | None, typer.Option(help="A clip to work on; two or more are connected.")] = None,
    task: Annotated[Task, typer.Option(help="What to do; auto reads it from the words and the files.")] = Task.AUTO,
    before: Annotated[bool, typer.Option("--before", help="Extend the clip at its beginning.")] = False,
    motion: Annotated[Motion | None, typer.Option(help="Whether an edited clip keeps its motion.")] = None,
    transitions: Annotated[
        bool | None, typer.Option("--transitions/--no-transitions", help="Lead over from shot to shot, or cut.")
    ] = None,
    fit: Annotated[Fit, typer.Option(help="Cut the edges of files of another shape, or add black.")] = Fit.CROP,
    shots: Annotated[int | None, typer.Option(min=1, max=8, help="How many shots.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of the film, or of what is added: 0.5 to 160.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every choice and noise; drawn when not given.")] = None,
    candidates: Annotated[int, typer.Option(min=1, max=8, help="How many first pictures every shot gets.")] = 1,
    review: Annotated[Review, typer.Option(help="Whether every product waits for your word.")] = Review.NEVER,
    profile: Annotated[str | None, typer.Option(help="Which models: embedded or paper.")] = None,
    planner: Annotated[str | None, typer.Option(help="Who plans: embedded, openai or llama.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")] = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Make a film from a sentence, and from pictures or clips if you have some."""
    with error_boundary():
        from graph.configure import numerics_of
        from graph.runs.requests import request_of
        from graph.runs.runner import start

        settings = settings_with(profile=profile, planner=planner, provenance=provenance)
        check_out(settings, out)
        with services_in(settings) as services:
            asked = {
                "prompt": prompt, "task": task.value, "before": before, "motion": motion and motion.value,
                "transitions": transitions, "shots": shots, "seconds": seconds, "seed": seed,
                "candidates": candidates, "review": review.value,
                "profile": settings.profile, "planner": planner_name(settings),
            }  # fmt: skip
            request, uploads = request_of(asked, image or [], video or [], fit=fit.value, size=services.size)
            with listening(out=out) as listener:
                run = start(services, request, numerics_of(settings), listener, uploads=uploads)
            run = talked_about(services, run, settings, as_json=as_json)
            deliver(services, run, listener, out, as_json)


@app.command()
def resume(
    run: RunId,
    out: Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")] = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Go on with a run where it stopped, whatever stopped it."""
    with error_boundary():
        from graph.runs.runner import resume as go_on

        check_out(settings_with(provenance=provenance), out)
        with settings_with().open_archive() as archive:
            known = archive.run(run)
        out, asked = place_of(known, out), known.request
        with services_in(
            settings_with(profile=asked.profile, planner=asked.planner, provenance=provenance)
        ) as services:
            with listening(known.id) as listener:
                ended = go_on(services, known.id, listener)
            deliver(services, ended, listener, out, as_json)


@app.command()
def replay(
    run: RunId,
    verify: Annotated[bool, typer.Option("--verify", help="Make everything again and compare the digests.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")] = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """The same run again from what is recorded: no language model, no agent, no network."""
    with error_boundary():
        from graph.cli.tables import replayed_told
        from graph.runs.time_travel import replay as again
        from graph.views import replayed_as_json

        check_out(settings_with(provenance=provenance), out)
        with services_of_run(run, provenance=provenance) as services:
            with listening() as listener:
                came = again(services, run, listener, agents="fresh" if verify else "none")
            told = replayed_as_json(came)
            if came.film is not None:
                deliver(services, came.run, listener, out, as_json, told)
            elif as_json:
                print(json.dumps({"run": came.run.id, "status": came.run.status, **told}))
        if not as_json:
            for sentence in replayed_told(came):
                say(sentence)
        if not came.same:
            raise typer.Exit(BUG)


@app.command()
def fork(
    run: RunId,
    at: Annotated[str, typer.Option(help="Where to branch off: a number or an id of `show RUN --checkpoints`.")],
    prompt: Annotated[str | None, typer.Option(help="Other words.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed for what is made from there on.")] = None,
    choice: Annotated[str | None, typer.Option(help="The take that stands instead, by its artifact id.")] = None,
    profile: Annotated[str | None, typer.Option(help="Other models.")] = None,
    planner: Annotated[str | None, typer.Option(help="Another planner.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")] = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Another branch from a checkpoint of a run; both are kept, and only what differs is made."""
    with error_boundary():
        from graph.configure import numerics_of
        from graph.runs.time_travel import Changes
        from graph.runs.time_travel import fork as branch

        check_out(settings_with(provenance=provenance), out)
        changes = Changes(prompt, seed, profile, planner, choice)
        with services_of_run(run, profile=profile, planner=planner, provenance=provenance) as services:
            with listening(out=out) as listener:
                ended = branch(services, run, at, changes, numerics_of(settings_with()), listener)
            deliver(services, ended, listener, out, as_json)


@app.command()
def chat(
    run: Annotated[
        str | None, typer.Argument(help="The run to go on with, or to begin from; a new one if none.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every choice and noise; drawn when not given.")] = None,
    candidates: Annotated[int, typer.Option(min=1, max=8, help="How many first pictures every wish gets.")] = 1,
    profile: Annotated[str | None, typer.Option(help="Which models: embedded or paper.")] = None,
    planner: Annotated[str | None, typer.Option(help="Who plans: embedded, openai or llama.")] = None,
    pictures: Annotated[
        bool | None, typer.Option("--pictures/--no-pictures", help="Small pictures in the terminal; where it can.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help='For a program: a JSON object a line in, `{"say": ...}`, and one out.')
    ] = False,
) -> None:
    """Talk: every product is shown, and can be accepted, repeated, changed, taken back."""
    with error_boundary():
        from graph.configure import numerics_of
        from graph.dialogue.preferences import read_likes
        from graph.runs.conversations import opened, request_for
        from graph.runs.services import kept

        settings = settings_with(profile=profile, planner=planner)
        console, person = at_the_terminal(settings)
        asked = run_to_talk_about(settings, run, console, None if as_json else person)
        if asked is not None:
            settings = settings_with(profile=asked.request.profile, planner=planner or asked.request.planner)
        liked = read_likes(settings.home.expanduser()).seed
        request = request_for(
            settings.profile, planner_name(settings), seed=liked if seed is None else seed, candidates=candidates
        )
        with services_in(settings) as fresh:
            services = kept(fresh)
            with listening() as listener:
                begun = opened(services, asked, request, numerics_of(settings), listener)
            if as_json:
                talk_with_program(services, begun)
                return
            ended = talk_with(services, begun, console, person, pictures)
        say(f"run {ended.id}; `python main.py chat {ended.id}` goes on with it")


@app.command()
def runs(
    tree: Annotated[bool, typer.Option("--tree", help="Show forks below the runs that they branch from.")] = False,
    every: Annotated[bool, typer.Option("--all", help="With the wishes that the planner refused.")] = False,
    as_json: Json = False,
) -> None:
    """List the runs, newest first."""
    with error_boundary():
        from graph.cli.tables import runs_table
        from graph.views import runs_as_json

        with settings_with().open_archive() as archive:
            if as_json:
                print(json.dumps(runs_as_json(archive)))
            else:
                say(runs_table(archive, tree=tree, refused=every))


@app.command()
def show(
    run: RunId,
    sheet: Annotated[Path | None, typer.Option(help="Write the film's frames as one PNG to this file.")] = None,
    checkpoints: Annotated[bool, typer.Option("--checkpoints", help="List the points to fork from.")] = False,
    as_json: Json = False,
) -> None:
    """Tell everything about one run: plan, lineage, takes, timings."""
    with error_boundary():
        from graph.cli.tables import checkpoints_table, run_story
        from graph.views import run_as_json

        with settings_with().open_archive() as archive:
            known = archive.run(run)
            if sheet is not None:
                sheet_of_run(archive, known, sheet)
            if as_json:
                print(json.dumps(run_as_json(archive, known, checkpoints=checkpoints)))
            else:
                say(checkpoints_table(archive, known) if checkpoints else run_story(archive, known))
            if sheet is not None and not as_json:
                say(f"The frame sheet is in {sheet}")


@app.command()
def export(
    run: RunId,
    out: Annotated[Path, typer.Option(help="Where the run goes, a .zip file.")],
    as_json: Json = False,
) -> None:
    """Pack a run into one file for another machine: records, recorded LLM calls, checkpoints, products."""
    with error_boundary():
        from memory.transfer.export_import import export_run
        from tools.delivery.export import check_destination

        target = check_destination(out, suffix=".zip")
        with settings_with().open_archive() as archive:
            sent = export_run(archive, run, target)
        print(json.dumps({**sent.model_dump(), "file": str(out.absolute())})) if as_json else say(
            f"Run {sent.run} is in {out} with {sent.artifacts} products, {sent.size} bytes; `import` takes it in"
        )


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="A file that `export` wrote.")], as_json: Json = False) -> None:
    """Take in a run that was exported, on this or on another machine; everything in it is checked first."""
    with error_boundary():
        from graph.runs.compatibility import fault_of
        from memory.transfer.export_import import import_run

        with settings_with().open_archive() as archive:
            arrived = import_run(archive, file, fault_of)
        if as_json:
            print(json.dumps(arrived.model_dump()))
            return
        came = "is here now" if arrived.runs else "was here already"
        say(f"Run {arrived.run} {came}; {arrived.artifacts} new products")
        if arrived.mended:
            one = arrived.mended == 1
            mended = "1 product whose file was" if one else f"{arrived.mended} products whose files were"
            say(f"{mended} lost or damaged here and {'is' if one else 'are'} whole again")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A film, as it was handed out.")],
    regenerate: Annotated[bool, typer.Option("--regenerate", help="Make it again, and compare every product.")] = False,
    as_json: Json = False,
) -> None:
    """Read a film's manifest: who made it, of what, and whether that holds."""
    with error_boundary():
        from graph.cli.verification import story_of
        from graph.provenance.signing import authorities_of
        from graph.provenance.verify import regenerated
        from graph.provenance.verify import verify as check
        from graph.views import as_json as told

        settings = settings_with()
        with archive_if_it_opens(settings) as archive:
            found = check(file, authorities_of(settings), archive)
        if regenerate and found.problem is None and found.reading.statement is not None:
            asked = found.reading.statement.request
            with (
                services_in(settings_with(profile=asked.profile, planner=asked.planner)) as services,
                listening() as listener,
            ):
                found = regenerated(found, services, listener)
        if as_json:
            print(json.dumps(told(found)))
        elif (story := story_of(found)) is not None:
            say(story)
        if found.problem is not None:
            fail(found.problem, BUG)


@app.command()
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go, and how much it is.")] = False,
    grace: Annotated[float, typer.Option(min=0, max=36500, help="Days for which everything is kept.")] = 7.0,
    run: Annotated[list[str] | None, typer.Option(help="A run to drop with its products; may be repeated.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Drop all runs that failed.")] = False,
    as_json: Json = False,
) -> None:
    """Give away what no run needs: checkpoints between review points, unknown files, and runs that you name."""
    with error_boundary():
        from datetime import timedelta

        from graph.cli.tables import swept_story
        from graph.runs.compatibility import REVIEW_POINTS
        from memory.retention.collect import collect

        days = timedelta(days=grace)
        with settings_with().open_archive() as archive:
            swept = collect(
                archive, review_points=REVIEW_POINTS, grace=days, drop=run or [], failed=failed, dry_run=dry_run
            )
        print(json.dumps(swept.model_dump())) if as_json else say(swept_story(swept))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check devices, weights, database and planner: what works, what does not, what to do."""
    with error_boundary():
        from graph.cli.doctor import examine, findings_table

        findings = examine(settings_with())
        if as_json:
            print(json.dumps([finding.model_dump() for finding in findings]))
        else:
            say(findings_table(findings))
        if any(not finding.works for finding in findings):
            raise typer.Exit(BUG)


@train_app.command("embedded")
def train_embedded(
    folder: Annotated[Path | None, typer.Option(help="Where checkpoints lie; default: training/ in MORA_HOME.")] = None,
    weights: Annotated[Path | None, typer.Option(help="Where the trained agents go; default: the ones in use.")] = None,
    scale: Annotated[float, typer.Option(min=1e-4, max=100.0, help="Length relative to the full recipe.")] = 1.0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: all cores.")] = None,
    going_on: Annotated[bool, typer.Option("--going-on", help="Begin with the agents that ship.")] = False,
) -> None:
    """Train the embedded agents from nothing. Interrupt at will: the same command goes on."""
    with error_boundary():
        from graph.cli.train import train_embedded as train

        settings = settings_with()
        with progress_bars() as report:
            done = train(
                settings, folder=folder, weights=weights, scale=scale, threads=threads, going_on=going_on, report=report
            )
        say(f"The trained agents are in {done}")


if __name__ == "__main__":
    app()
