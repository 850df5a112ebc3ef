"""The conversation command: chat. Light to import."""

from pathlib import Path
from typing import Annotated

import typer

from graph.cli.app import error_boundary, say
from graph.cli.chat.start import at_the_terminal, run_to_talk_about, talk_with, talk_with_program
from graph.cli.commands.options import Planner, Profile, Seed
from graph.cli.session import listening, planner_name, services_in, settings_to_make_with


def chat(
    run: Annotated[
        str | None, typer.Argument(help="The run to continue, or to begin from; a new one if not given.")
    ] = None,
    image: Annotated[list[Path] | None, typer.Option(help="A picture to begin with; may be repeated.")] = None,
    video: Annotated[list[Path] | None, typer.Option(help="A clip to begin with; may be repeated.")] = None,
    seed: Seed = None,
    candidates: Annotated[int, typer.Option(min=1, max=8, help="How many candidate first pictures per wish.")] = 1,
    profile: Profile = None,
    planner: Planner = None,
    pictures: Annotated[
        bool | None, typer.Option("--pictures/--no-pictures", help="Show thumbnails, if the terminal can.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help='For a program: JSON lines in, `{"say": ...}`, and out.')
    ] = False,
) -> None:
    """Make films in a conversation: every product is shown, and can be accepted, repeated, changed or taken back."""
    with error_boundary():
        from graph.cli.early import check_run
        from graph.runs.requests.options import GivenFiles, RequestOptions, check, check_files

        if run is not None:
            check_run(run)
        check(RequestOptions(seed=seed, candidates=candidates, profile=profile, planner=planner))
        given = GivenFiles(tuple(image or ()), tuple(video or ()))
        check_files(given)
        settings = settings_to_make_with(profile=profile, planner=planner)
        console, person = at_the_terminal(settings)
        alone = as_json or (run is None and (image or video))
        asked = run_to_talk_about(settings, run, console, None if alone else person)
        if asked is not None:
            settings = settings_to_make_with(profile=asked.request.profile, planner=planner or asked.request.planner)

        from graph.configure import numerics_of, size_of
        from graph.dialogue.preferences import read_likes
        from graph.runs.chat.opening import opened, removed_if_empty, request_for
        from graph.runs.requests.given import files_of, uploads_of
        from graph.runs.services import kept

        liked = read_likes(settings.home.expanduser()).seed
        request = request_for(
            settings.profile, planner_name(settings), seed=seed, candidates=candidates, liked_seed=liked
        )
        files = files_of(given)
        uploads_of(files, size=size_of(settings.profile), profile=settings.profile)  # raises before a run exists
        with services_in(settings) as fresh:
            services = kept(fresh)
            with listening() as listener:
                begun = opened(services, asked, request, numerics_of(settings), listener)
            if as_json:
                talk_with_program(services, begun, files)
                return
            ended = talk_with(services, begun, console, person, pictures, files)
            if asked is None and removed_if_empty(services, begun):
                return
        say(f"run {ended.id}; `python main.py chat {ended.id}` continues it")
