"""Commands that make films, or make them again: generate, resume, replay, fork. Light to import.

Each checks its arguments before anything heavy is imported, then loads the settings, and last what makes a film.
"""

import json
from pathlib import Path
from typing import Annotated

import typer

from graph.cli.app import Json, error_boundary, say
from graph.cli.chat.start import talked_about
from graph.cli.commands.options import Fit, Motion, Out, Planner, Profile, Provenance, Review, RunId, Seed, Task
from graph.cli.delivery import check_signed, deliver, place_of
from graph.cli.exit_codes import BUG
from graph.cli.session import (
    listening,
    planner_name,
    services_in,
    services_of_run,
    settings_to_make_with,
    settings_with,
    stored_runs,
)


def generate(
    prompt: Annotated[str, typer.Argument(help="What you want to see, in your own words.")],
    image: Annotated[list[Path] | None, typer.Option(help="A picture to begin with; may be repeated.")] = None,
    video: Annotated[list[Path] | None, typer.Option(help="A clip to work on; two or more are connected.")] = None,
    task: Annotated[Task, typer.Option(help="What to do; auto decides by the words and the files.")] = Task.AUTO,
    before: Annotated[bool, typer.Option("--before", help="Extend the clip at its beginning.")] = False,
    motion: Annotated[Motion | None, typer.Option(help="Whether an edited clip keeps its motion.")] = None,
    transitions: Annotated[
        bool | None, typer.Option("--transitions/--no-transitions", help="Join shots by transitions, or by cuts.")
    ] = None,
    fit: Annotated[Fit, typer.Option(help="Fit files of another shape: cut the edges, or add black.")] = Fit.CROP,
    shots: Annotated[int | None, typer.Option(min=1, max=8, help="How many shots.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of the film, or of what is added: 0.5 to 160.")] = None,
    seed: Seed = None,
    candidates: Annotated[int, typer.Option(min=1, max=8, help="How many candidate first pictures per shot.")] = 1,
    review: Annotated[Review, typer.Option(help="Whether every product waits for your decision.")] = Review.NEVER,
    profile: Profile = None,
    planner: Planner = None,
    out: Out = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Make a film from a sentence and, if you have some, pictures or clips."""
    with error_boundary():
        from graph.runs.requests.options import GivenFiles, RequestOptions, check
        from tools.delivery.places import check_place

        options = RequestOptions(
            prompt=prompt, task=task.value, before=before, motion=None if motion is None else motion.value,
            transitions=transitions, shots=shots, seconds=seconds, seed=seed, candidates=candidates,
            review=review.value, profile=profile, planner=planner,
        )  # fmt: skip
        files = GivenFiles(tuple(image or ()), tuple(video or ()), fit.value)
        if out is not None:
            check_place(out)
        check(options, files)
        settings = settings_to_make_with(profile=profile, planner=planner, provenance=provenance)
        check_signed(settings, out)

        from graph.configure import numerics_of, size_of
        from graph.runs.requests.resolve import request_with_files
        from graph.runs.runner import start

        usual = RequestOptions(profile=settings.profile, planner=planner_name(settings))
        request, uploads = request_with_files(options, files, usual, size=size_of(settings.profile))
        with services_in(settings) as services:
            with listening(out=out) as listener:
                run = start(services, request, numerics_of(settings), listener, uploads=uploads)
            run = talked_about(services, run, settings, as_json=as_json)
            deliver(services, run, listener, out, as_json)


def resume(run: RunId, out: Out = None, provenance: Provenance = None, as_json: Json = False) -> None:
    """Continue a run where it stopped, whatever stopped it."""
    with error_boundary():
        _check_words(run, out)
        check_signed(settings_with(provenance=provenance), out)
        with stored_runs(run) as archive:
            known = archive.run(run)

        from graph.runs.runner import resume as go_on

        out, asked = place_of(known, out), known.request
        with services_in(
            settings_with(profile=asked.profile, planner=asked.planner, provenance=provenance)
        ) as services:
            with listening(known.id) as listener:
                ended = go_on(services, known.id, listener)
            deliver(services, ended, listener, out, as_json)


def replay(
    run: RunId,
    verify: Annotated[bool, typer.Option("--verify", help="Make everything again and compare the digests.")] = False,
    out: Out = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Run it again from its records: no language model, no agent, no network."""
    with error_boundary():
        _check_words(run, out)
        check_signed(settings_with(provenance=provenance), out)
        with services_of_run(run, provenance=provenance) as services:
            from graph.cli.tables import replayed_told
            from graph.runs.time_travel import replay as again
            from graph.views import replayed_as_json

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


def fork(
    run: RunId,
    at: Annotated[str, typer.Option(help="Where to branch off: a number or an id of `show RUN --checkpoints`.")],
    prompt: Annotated[str | None, typer.Option(help="Another prompt.")] = None,
    seed: Annotated[int | None, typer.Option(help="Another seed for everything made from there on.")] = None,
    choice: Annotated[str | None, typer.Option(help="The take to choose instead, by its artifact id.")] = None,
    profile: Annotated[str | None, typer.Option(help="Another profile of models.")] = None,
    planner: Annotated[str | None, typer.Option(help="Another planner.")] = None,
    out: Out = None,
    provenance: Provenance = None,
    as_json: Json = False,
) -> None:
    """Branch off from a checkpoint of a run; both are kept, and only what differs is generated."""
    with error_boundary():
        from graph.runs.requests.options import RequestOptions, check

        check(RequestOptions(prompt=prompt, seed=seed, profile=profile, planner=planner))
        _check_words(run, out)
        check_signed(settings_with(provenance=provenance), out)
        with services_of_run(run, profile=profile, planner=planner, provenance=provenance) as services:
            from graph.configure import numerics_of
            from graph.runs.time_travel import Changes
            from graph.runs.time_travel import fork as branch

            changes = Changes(prompt, seed, profile, planner, choice)
            with listening(out=out) as listener:
                ended = branch(services, run, at, changes, numerics_of(settings_with()), listener)
            deliver(services, ended, listener, out, as_json)


def _check_words(run: str, out: str | None) -> None:
    """Check the destination of the film, and that the run id is plausible. Raises BadInput, UnknownRun."""
    from graph.cli.early import check_run
    from tools.delivery.places import check_place

    if out is not None:
        check_place(out)
    check_run(run)
