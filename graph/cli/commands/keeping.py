"""Commands about what is stored: export, import, gc. Light to import."""

import json
from pathlib import Path
from typing import Annotated

import typer

from graph.cli.app import Json, error_boundary, say
from graph.cli.commands.options import RunId
from graph.cli.session import stored_runs


def export(
    run: RunId,
    out: Annotated[Path, typer.Option(help="The .zip file to write the run to.")],
    as_json: Json = False,
) -> None:
    """Pack a run into one file for another machine: records, recorded LLM calls, checkpoints, products."""
    with error_boundary():
        from graph.cli.early import check_run
        from tools.delivery.export import check_destination

        target = check_destination(out, suffix=".zip")
        check_run(run)
        with stored_runs(run) as archive:
            from memory.transfer.export_import import export_run

            sent = export_run(archive, run, target)
        print(json.dumps({**sent.model_dump(), "file": str(out.absolute())})) if as_json else say(
            f"Run {sent.run} is in {out} with {sent.artifacts} products, {sent.size} bytes; `import` reads it"
        )


def import_(file: Annotated[Path, typer.Argument(help="A file that `export` wrote.")], as_json: Json = False) -> None:
    """Import a run that was exported on this or another machine; everything in it is checked first."""
    with error_boundary():
        from memory.transfer.parcel_file import check_parcel_file

        check_parcel_file(file)
        with stored_runs() as archive:
            from graph.runs.compatibility import fault_of
            from memory.transfer.export_import import import_run

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


def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only report what would be removed.")] = False,
    grace: Annotated[float, typer.Option(min=0, max=36500, help="Days for which everything is kept.")] = 7.0,
    run: Annotated[list[str] | None, typer.Option(help="A run to drop with its products; may be repeated.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Drop all runs that failed.")] = False,
    as_json: Json = False,
) -> None:
    """Remove what no run needs: checkpoints between review points, unknown files, and the runs that you name."""
    with error_boundary():
        from graph.cli.early import check_run

        dropped = run or []
        for named in dropped:
            check_run(named)
        with stored_runs(next(iter(dropped), None)) as archive:
            from datetime import timedelta

            from graph.cli.tables import swept_story
            from graph.runs.compatibility import REVIEW_POINTS
            from memory.retention.collect import collect

            swept = collect(
                archive, review_points=REVIEW_POINTS, grace=timedelta(days=grace), drop=dropped, failed=failed,
                dry_run=dry_run,
            )  # fmt: skip
        print(json.dumps(swept.model_dump())) if as_json else say(swept_story(swept))
