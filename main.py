"""The door: argv and environment in, exit code out. Plugs the rooms together and does none of their work."""

import os

os.environ["LANGGRAPH_STRICT_MSGPACK"] = "true"  # read once, when langgraph is first imported (design, decision 8)
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import contextlib
import json
import logging
import signal
import sys
from collections.abc import Iterator
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from graph.house import Rooms
    from graph.settings import Settings
    from graph.telling import Listener
    from memory.archive import Archive
    from memory.records import Run

app = typer.Typer(
    help="Mora turns a conversation into video.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
train_app = typer.Typer(help="Train the agents that ship with the code.", no_args_is_help=True)
evaluate_app = typer.Typer(help="Measure how good the agents are.", no_args_is_help=True)
app.add_typer(train_app, name="train")
app.add_typer(evaluate_app, name="evaluate")

BUG, MISTAKE, WAITING, INTERRUPTED = 1, 2, 3, 130
NOTHING: dict[str, Any] = {}


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


class Split(StrEnum):
    """Which combinations of the embedded world are tried."""

    HELD_OUT = "held-out"
    SEEN = "seen"
    BOTH = "both"


class Tried(StrEnum):
    """Which task of the embedded agents is tried."""

    TEXT_TO_VIDEO = "text-to-video"
    IMAGE_TO_VIDEO = "image-to-video"
    EDIT = "edit"
    EDIT_VIDEO = "edit-video"
    EXTEND = "extend"
    CONNECT = "connect"
    SIMULATE = "simulate"
    WISHES = "wishes"
    ALL = "all"


Json = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of standard output.")]
Provenance = Annotated[
    bool | None,
    typer.Option("--provenance/--no-provenance", help="Whether the film carries a signed manifest of how it was made."),
]
RunId = Annotated[str, typer.Argument(help="The run's id, or enough of its beginning.")]


@app.callback()
def begin(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what the rooms are doing.")] = False,
) -> None:
    """Mora turns a conversation into video."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for noisy in ("diffusers", "transformers", "httpx", "langsmith"):
        logging.getLogger(noisy).setLevel(logging.WARNING if verbose else logging.ERROR)


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
    with at_the_door():
        from graph.house import start
        from graph.intake import request_of
        from graph.wiring import numerics_of

        settings = _settings(profile=profile, planner=planner, provenance=provenance)
        _check_out(settings, out)
        with _rooms(settings) as rooms:
            asked = {
                "prompt": prompt, "task": task.value, "before": before, "motion": motion and motion.value,
                "transitions": transitions, "shots": shots, "seconds": seconds, "seed": seed,
                "candidates": candidates, "review": review.value,
                "profile": settings.profile, "planner": _planner_name(settings),
            }  # fmt: skip
            request, uploads = request_of(asked, image or [], video or [], fit=fit.value, size=rooms.size)
            with _listening() as listener:
                run = start(rooms, request, numerics_of(settings), listener, uploads=uploads)
            _deliver(rooms, run, listener, out, as_json)


@app.command()
def resume(
    run: RunId,
    out: Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")] = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Go on with a run where it stopped, whatever stopped it."""
    with at_the_door():
        from graph.house import resume as go_on

        _check_out(_settings(provenance=provenance), out)
        with _settings().open_archive() as archive:
            asked = archive.run(run).request
        with _rooms(_settings(profile=asked.profile, planner=asked.planner, provenance=provenance)) as rooms:
            with _listening() as listener:
                ended = go_on(rooms, run, listener)
            _deliver(rooms, ended, listener, out, as_json)


@app.command()
def replay(
    run: RunId,
    verify: Annotated[bool, typer.Option("--verify", help="Make everything again and compare the digests.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")] = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """The same run again from what is recorded: no language model, no agent, no network."""
    with at_the_door():
        from graph.travel import replay as again
        from graph.travel import replayed_as_json, replayed_told

        _check_out(_settings(provenance=provenance), out)
        with _rooms_for(run, provenance=provenance) as rooms:
            with _listening() as listener:
                came = again(rooms, run, listener, agents="fresh" if verify else "none")
            told = replayed_as_json(came)
            if came.film is not None:
                _deliver(rooms, came.run, listener, out, as_json, told)
            elif as_json:
                print(json.dumps({"run": came.run.id, "status": came.run.status, **told}))
        if not as_json:
            for sentence in replayed_told(came):
                _say(sentence)
        if not came.same:
            raise typer.Exit(BUG)


@app.command()
def fork(
    run: RunId,
    at: Annotated[str, typer.Option(help="Where to branch off: a number or an id of `show RUN --checkpoints`.")],
    prompt: Annotated[str | None, typer.Option(help="Other words.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed for what is made from there on.")] = None,
    profile: Annotated[str | None, typer.Option(help="Other models.")] = None,
    planner: Annotated[str | None, typer.Option(help="Another planner.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where the film goes, an .mp4 file.")] = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Another branch from a checkpoint of a run; both are kept, and only what differs is made."""
    with at_the_door():
        from graph.travel import Changes
        from graph.travel import fork as branch
        from graph.wiring import numerics_of

        _check_out(_settings(provenance=provenance), out)
        changes = Changes(prompt, seed, profile, planner)
        with _rooms_for(run, profile=profile, planner=planner, provenance=provenance) as rooms:
            with _listening() as listener:
                ended = branch(rooms, run, at, changes, numerics_of(_settings()), listener)
            _deliver(rooms, ended, listener, out, as_json)


@app.command()
def chat(
    run: Annotated[str | None, typer.Argument(help="The run to go on with, or to begin from; a new one if none.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every choice and noise; drawn when not given.")] = None,
    candidates: Annotated[int, typer.Option(min=1, max=8, help="How many first pictures every wish gets.")] = 1,
    profile: Annotated[str | None, typer.Option(help="Which models: embedded or paper.")] = None,
    planner: Annotated[str | None, typer.Option(help="Who plans: embedded, openai or llama.")] = None,
    pictures: Annotated[
        bool | None, typer.Option("--pictures/--no-pictures", help="Small pictures in the terminal; where it can.")
    ] = None,
) -> None:
    """Talk: every product is shown, and can be accepted, repeated, changed, taken back."""
    with at_the_door():
        from graph.chats import kept, opened, request_for
        from graph.likings import read_likes
        from graph.wiring import numerics_of

        settings = _settings(profile=profile, planner=planner)
        console, person = _at_the_terminal(settings)
        asked = _asked_for(settings, run, console, person)
        if asked is not None:
            settings = _settings(profile=asked.request.profile, planner=planner or asked.request.planner)
        liked = read_likes(settings.home.expanduser()).seed
        request = request_for(
            settings.profile, _planner_name(settings), seed=liked if seed is None else seed, candidates=candidates
        )
        with _rooms(settings) as fresh:
            rooms = kept(fresh)
            with _listening() as listener:
                begun = opened(rooms, asked, request, numerics_of(settings), listener)
            ended = _converse(rooms, begun, console, person, pictures)
        _say(f"run {ended.id}; `python main.py chat {ended.id}` goes on with it")


@app.command()
def runs(
    tree: Annotated[bool, typer.Option("--tree", help="Show forks below the runs that they branch from.")] = False,
    as_json: Json = False,
) -> None:
    """List all runs, newest first."""
    with at_the_door():
        from graph.telling import runs_as_json, runs_table

        with _settings().open_archive() as archive:
            print(json.dumps(runs_as_json(archive))) if as_json else _say(runs_table(archive, tree=tree))


@app.command()
def show(
    run: RunId,
    sheet: Annotated[Path | None, typer.Option(help="Write the film's frames as one PNG to this file.")] = None,
    checkpoints: Annotated[bool, typer.Option("--checkpoints", help="List the points to fork from.")] = False,
    as_json: Json = False,
) -> None:
    """Tell everything about one run: plan, lineage, takes, timings."""
    with at_the_door():
        from graph.telling import checkpoints_table, run_as_json, run_story

        with _settings().open_archive() as archive:
            known = archive.run(run)
            if sheet is not None:
                _write_sheet(archive, known, sheet)
            if as_json:
                print(json.dumps(run_as_json(archive, known, checkpoints=checkpoints)))
            else:
                _say(checkpoints_table(archive, known) if checkpoints else run_story(archive, known))
            if sheet is not None and not as_json:
                _say(f"The frame sheet is in {sheet}")


@app.command()
def export(
    run: RunId,
    out: Annotated[Path, typer.Option(help="Where the run goes, a .zip file.")],
    as_json: Json = False,
) -> None:
    """Pack a run into one file for another machine: records, recorded LLM calls, checkpoints, products."""
    with at_the_door():
        from memory.moving import export_run
        from tools.export import check_destination

        target = check_destination(out, suffix=".zip")
        with _settings().open_archive() as archive:
            sent = export_run(archive, run, target)
        print(json.dumps({**sent.model_dump(), "file": str(out.absolute())})) if as_json else _say(
            f"Run {sent.run} is in {out} with {sent.artifacts} products, {sent.size} bytes; `import` takes it in"
        )


@app.command("import")
def import_(file: Annotated[Path, typer.Argument(help="A file that `export` wrote.")], as_json: Json = False) -> None:
    """Take in a run that was exported, on this or on another machine; everything in it is checked first."""
    with at_the_door():
        from graph.keeping import fault_of
        from memory.moving import import_run

        with _settings().open_archive() as archive:
            arrived = import_run(archive, file, fault_of)
        if as_json:
            print(json.dumps(arrived.model_dump()))
            return
        came = "is here now" if arrived.runs else "was here already"
        _say(f"Run {arrived.run} {came}; {arrived.artifacts} new products")
        if arrived.mended:
            _say(f"{arrived.mended} products whose files were lost or damaged here are whole again")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A film, as it was handed out.")],
    regenerate: Annotated[bool, typer.Option("--regenerate", help="Make it again, and compare every product.")] = False,
    as_json: Json = False,
) -> None:
    """Read a film's manifest: who made it, of what, and whether that holds."""
    with at_the_door():
        from graph.origin import authorities_of
        from graph.verifying import as_json as told
        from graph.verifying import regenerated, story_of
        from graph.verifying import verify as check

        settings = _settings()
        with _archive_if_it_opens(settings) as archive:
            found = check(file, authorities_of(settings), archive)
        if regenerate and found.problem is None and found.reading.statement is not None:
            asked = found.reading.statement.request
            with _rooms(_settings(profile=asked.profile, planner=asked.planner)) as rooms, _listening() as listener:
                found = regenerated(found, rooms, listener)
        if as_json:
            print(json.dumps(told(found)))
        elif (story := story_of(found)) is not None:
            _say(story)
        if found.problem is not None:
            _fail(found.problem, BUG)


@app.command()
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would go, and how much it is.")] = False,
    grace: Annotated[float, typer.Option(min=0, max=36500, help="Days for which everything is kept.")] = 7.0,
    run: Annotated[list[str] | None, typer.Option(help="A run to drop with its products; may be repeated.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Drop all runs that failed.")] = False,
    as_json: Json = False,
) -> None:
    """Give away what no run needs: checkpoints between review points, unknown files, and runs that you name."""
    with at_the_door():
        from datetime import timedelta

        from graph.keeping import REVIEW_POINTS, swept_story
        from memory.retention import collect

        days = timedelta(days=grace)
        with _settings().open_archive() as archive:
            swept = collect(
                archive, review_points=REVIEW_POINTS, grace=days, drop=run or [], failed=failed, dry_run=dry_run
            )
        print(json.dumps(swept.model_dump())) if as_json else _say(swept_story(swept))


@app.command()
def doctor(as_json: Json = False) -> None:
    """Check devices, weights, database and planner: what works, what does not, what to do."""
    with at_the_door():
        from graph.doctor import examine, findings_table

        findings = examine(_settings())
        if as_json:
            print(json.dumps([finding.model_dump() for finding in findings]))
        else:
            _say(findings_table(findings))
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
    with at_the_door():
        from graph.training import train_embedded as train

        settings = _settings()
        with _progress_bars() as report:
            done = train(
                settings, folder=folder, weights=weights, scale=scale, threads=threads, going_on=going_on, report=report
            )
        _say(f"The trained agents are in {done}")


@evaluate_app.command("world")
def evaluate_world(
    n: Annotated[int, typer.Option(min=1, help="How many combinations of a split.")] = 300,
    split: Annotated[Split, typer.Option(help="Held out of training, seen in it, or both.")] = Split.HELD_OUT,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw.")] = 0,
    task: Annotated[Tried, typer.Option(help="What the agents are tried at.")] = Tried.TEXT_TO_VIDEO,
    sheet: Annotated[
        Path | None, typer.Option(help="Write rows of frames as one PNG to this file; of all tasks, a file for each.")
    ] = None,
    as_json: Json = False,
) -> None:
    """How often the embedded agents do what they are asked, judged by the oracle, and where mistakes enter."""
    with at_the_door():
        from evals.sheet import Gallery, destinations, failure_sheet
        from evals.trials import accumulation
        from evals.world import TASKS
        from evals.world import evaluate_world as evaluate
        from tools.export import export

        tasks = tuple(one for one in TASKS if task.value in (one, Tried.ALL.value))
        sheets = destinations(sheet, tasks)
        held_out = {Split.HELD_OUT: True, Split.SEEN: False, Split.BOTH: None}[split]
        reports, agents = [], _lender(_settings(profile="embedded"), {})
        with _progress_bars() as report:
            for one in tasks:
                gallery, told = Gallery(), partial(_told, report, one)
                reports.append(
                    evaluate(agents, n=n, held_out=held_out, seed=seed, task=one, progress=told, watch=gallery)
                )
                if one in sheets and gallery.rows:
                    export(failure_sheet(gallery.rows), sheets[one], suffix=".png")
        if as_json:
            every = [one.model_dump(mode="json") for one in reports]
            print(json.dumps({"task": task, "reports": every} if task is Tried.ALL else every[0]))
            return
        for table in (*(one.to_table() for one in reports), accumulation(reports)):
            _say(table)


@evaluate_app.command("speed")
def evaluate_speed(
    rounds: Annotated[int, typer.Option(min=1, help="How often everything is measured.")] = 5, as_json: Json = False
) -> None:
    """What Mora costs beside the models, as ratios."""
    with at_the_door():
        from evals.bench.speed import measure_speed, table_of

        with _progress_bars() as report:
            ratios = measure_speed(rounds=rounds, report=report)
        print(json.dumps([ratio.model_dump() for ratio in ratios])) if as_json else _say(table_of(ratios))


@contextlib.contextmanager
def at_the_door() -> Iterator[None]:
    """Errors meant for a person become one sentence and an exit code; ours keep their traceback."""
    from pydantic import ValidationError

    from graph.errors import MISTAKES, TOLD, Stopped

    try:
        yield
    except (KeyboardInterrupt, Stopped):
        _fail("interrupted; `python main.py runs` lists what can be resumed", INTERRUPTED)
    except MISTAKES as error:
        _fail(str(error), MISTAKE)
    except TOLD as error:
        _fail(str(error), BUG)
    except ValidationError as error:
        if error.title != "Settings":
            raise
        first = error.errors()[0]
        name = str(first["loc"][0]).upper()
        _fail(f"the setting MORA_{name.removeprefix('MORA_')} is not usable: {first['msg']}", MISTAKE)


def _fail(sentence: str, code: int) -> NoReturn:
    print(f"mora: {sentence}", file=sys.stderr)
    raise typer.Exit(code)


def _settings(**given: str | bool | None) -> "Settings":
    from graph.settings import Settings

    return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


@contextlib.contextmanager
def _archive_if_it_opens(settings: "Settings") -> Iterator["Archive | None"]:
    """The archive; None if there is none yet, or it cannot be opened: a film can be looked at without it."""
    from memory.errors import ArchiveError

    with contextlib.ExitStack() as stack:
        archive = None
        if settings.home.expanduser().exists():
            with contextlib.suppress(ArchiveError):
                archive = stack.enter_context(settings.open_archive())
        yield archive


def _planner_name(settings: "Settings") -> str:
    from graph.planners import default_planner
    from graph.wiring import planner_settings

    return default_planner(planner_settings(settings))


def _lender(settings: "Settings", stored: dict[str, Any]) -> Any:
    from graph.wiring import lender

    return lender(settings, stored)


@contextlib.contextmanager
def _rooms(settings: "Settings") -> Iterator["Rooms"]:
    """The rooms of a run; Ctrl-C and SIGTERM ask the running step to stop, a second one does not wait for it."""
    from graph.tracing import traces
    from graph.wiring import rooms_of

    with traces(settings.planner_api_key), settings.open_archive() as archive:
        rooms = rooms_of(settings, archive)

        def ask_to_stop(_number: int, _frame: object) -> None:
            if rooms.stop.is_set():
                raise KeyboardInterrupt
            rooms.stop.set()

        before = {number: signal.signal(number, ask_to_stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield rooms
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextlib.contextmanager
def _rooms_for(run: str, **given: Any) -> Iterator["Rooms"]:
    """The rooms in which a run was made, but for the settings that are given."""
    with _settings().open_archive() as archive:
        asked = archive.run(run).request
    said = {name: value for name, value in given.items() if value is not None}
    with _rooms(_settings(**{"profile": asked.profile, "planner": asked.planner, **said})) as rooms:
        yield rooms


@contextlib.contextmanager
def _listening() -> Iterator["Listener"]:
    from rich.console import Console

    from graph.telling import Listener

    with Listener(Console(stderr=True), quiet=not sys.stderr.isatty()) as listener:
        yield listener


def _at_the_terminal(settings: "Settings") -> tuple[Any, Any]:
    """The console, and whoever is at it."""
    from rich.console import Console

    from graph.chat_input import person_at

    console = Console(highlight=False)
    return console, person_at(console, settings.home.expanduser())


def _asked_for(settings: "Settings", run: str | None, console: Any, person: Any) -> "Run | None":
    """The run that a conversation begins with: that of the id, or the last conversation if the person wants it."""
    from graph.chats import last_chat

    with settings.open_archive() as archive:
        if run is not None:
            return archive.run(run)
        last = last_chat(archive)
    if last is None or not console.is_terminal or not sys.stdin.isatty():
        return None
    when = last.updated_at.astimezone().strftime("%m-%d %H:%M")
    console.print(f"Your last conversation is {last.id}, {when}.")
    with contextlib.suppress(KeyboardInterrupt):
        word = person.says("Go on with it? [y/N] ")
        return last if (word or "").lower() in ("y", "yes") else None
    return None


def _converse(rooms: "Rooms", run: "Run", console: Any, person: Any, pictures: bool | None = None) -> "Run":
    """Asks the person about every product, until the run is done or they leave."""
    from graph.chat import converse
    from graph.chat_screen import Screen, draws_pictures

    drawn = draws_pictures(console) if pictures is None else pictures
    return converse(rooms, run, person, Screen(console, rooms.archive, drawn), _listening)


def _told(report: Any, task: str, part: str, done: int, in_all: int) -> None:
    report(f"{task}: {part}", done, in_all)


@contextlib.contextmanager
def _progress_bars() -> Iterator[Any]:
    from rich.console import Console

    from graph.telling import Bars

    with Bars(Console(stderr=True)) as bars:
        yield bars.report


def _check_out(settings: "Settings", out: Path | None) -> None:
    """What is wrong with the place of the film, or with who signs it, is told before any work is spent."""
    from graph.origin import check_signer
    from tools.export import check_destination

    if out is not None:
        check_destination(out)
        check_signer(settings)


def _write_sheet(archive: "Archive", run: "Run", path: Path) -> None:
    """The frames as one picture; what is damaged is made again first, and told."""
    from graph.house import mended
    from graph.telling import write_sheet
    from memory.errors import DamagedArtifact

    try:
        write_sheet(archive, run, path)
    except DamagedArtifact as damage:
        with _rooms_for(run.id) as rooms, _listening() as listener:
            mended(rooms, run, damage.artifact, listener)
        for note in listener.notes:
            print(note, file=sys.stderr)
        write_sheet(archive, run, path)


def _deliver(
    rooms: "Rooms", run: "Run", listener: "Listener", out: Path | None, as_json: bool, more: dict[str, Any] = NOTHING
) -> None:
    """Copies the film to where the person wants it and says so; the store has it already. more: for the object."""
    if run.status == "waiting":
        _wait(rooms, run, as_json)
    from graph.origin import handed_out
    from graph.telling import result_of
    from tools.export import export

    result = result_of(rooms.archive, run, listener) | more
    if out is not None:
        export(handed_out(rooms.archive, run, rooms.signer), out)
        result["film"] = str(out.absolute())
    if as_json:
        print(json.dumps(result))
        return
    for note in listener.notes:
        _say(note)
    _say(f"The film is in {result['film']}")
    _say(f"run {run.id}; `python main.py show {run.id}` tells how it was made")


def _wait(rooms: "Rooms", run: "Run", as_json: bool) -> NoReturn:
    """Says what a run waits for."""
    from graph.house import question_of_run

    question = question_of_run(rooms, run)
    asked = {} if question is None else question.asked
    if as_json:
        print(json.dumps({"run": run.id, "status": run.status, **asked}))
    else:
        for call in asked.get("waiting", []):
            _say(f"The {call['made']} of shot {call['shot']} waits for your word:")
            for take in call["takes"]:
                _say(f"  {take['take']}  {rooms.archive.path(rooms.archive.artifact(take['artifact']))}")
        _say(f"Run {run.id} waits; `python main.py chat {run.id}` goes on")
    raise typer.Exit(WAITING)


def _say(what: Any) -> None:
    from rich.console import Console

    words = isinstance(what, str)
    # A person's words, and paths, may hold what looks like markup.
    Console(soft_wrap=words, highlight=False).print(what, crop=False, markup=not words)


if __name__ == "__main__":
    app()
