"""Commands that only read: runs, show, verify, doctor. Light to import."""

import json
from pathlib import Path
from typing import Annotated

import typer

from graph.cli.app import Json, error_boundary, fail, say
from graph.cli.commands.options import RunId
from graph.cli.delivery import sheet_of_run
from graph.cli.exit_codes import BUG
from graph.cli.session import archive_if_it_opens, listening, services_in, settings_with, stored_runs


def runs(
    tree: Annotated[bool, typer.Option("--tree", help="Show forks below the runs that they branch from.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Include the wishes that the planner refused.")] = False,
    as_json: Json = False,
) -> None:
    """List the runs, newest first."""
    with error_boundary(), stored_runs() as archive:
        from graph.cli.tables import runs_table
        from graph.views import runs_as_json

        if as_json:
            print(json.dumps(runs_as_json(archive)))
        else:
            say(runs_table(archive, tree=tree, refused=every))


def show(
    run: RunId,
    sheet: Annotated[Path | None, typer.Option(help="Write the film's frames as one PNG to this file.")] = None,
    checkpoints: Annotated[bool, typer.Option("--checkpoints", help="List the points to fork from.")] = False,
    as_json: Json = False,
) -> None:
    """Show everything about one run: plan, lineage, takes, timings."""
    with error_boundary():
        from graph.cli.early import check_run
        from tools.delivery.export import check_destination

        check_run(run)
        if sheet is not None:
            check_destination(sheet, suffix=".png")
        with stored_runs(run) as archive:
            known = archive.run(run)

            from graph.cli.tables import checkpoints_table, run_story
            from graph.views import run_as_json

            if sheet is not None:
                sheet_of_run(archive, known, sheet)
            if as_json:
                print(json.dumps(run_as_json(archive, known, checkpoints=checkpoints)))
            else:
                say(checkpoints_table(archive, known) if checkpoints else run_story(archive, known))
            if sheet is not None and not as_json:
                say(f"The frame sheet is in {sheet}")


def verify(
    file: Annotated[Path, typer.Argument(help="A film that was written with --out.")],
    regenerate: Annotated[bool, typer.Option("--regenerate", help="Make it again, and compare every product.")] = False,
    as_json: Json = False,
) -> None:
    """Read a film's manifest and verify it: who signed it, what it was made of, and whether that holds."""
    with error_boundary():
        from tools.provenance.film_file import check_film_file

        check_film_file(file)

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


def doctor(as_json: Json = False) -> None:
    """Check devices, weights, database and planner: what works, what does not, and what to do about it."""
    with error_boundary():
        settings = settings_with()

        from graph.cli.doctor import examine, findings_table

        findings = examine(settings)
        if as_json:
            print(json.dumps([finding.model_dump() for finding in findings]))
        else:
            say(findings_table(findings))
        if any(not finding.works for finding in findings):
            raise typer.Exit(BUG)
