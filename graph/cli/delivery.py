"""Copies a finished film to where the person wants it, and prints the result. Light to import."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from graph.cli.app import say
from graph.cli.exit_codes import WAITING
from graph.cli.sentences import sentence_of
from graph.cli.session import destinations, listening, services_of_run

if TYPE_CHECKING:
    from graph.cli.progress import ProgressObserver
    from graph.runs.services import Services
    from graph.settings import Settings
    from memory.archive import Archive
    from memory.records import Run


NOTHING: dict[str, Any] = {}


def place_of(run: "Run", out: str | None) -> str | None:
    """Return where the film of a resumed run is to go: `out`, else the path given when it began if still usable."""
    from tools.delivery.places import check_place
    from tools.errors import BadInput

    if out is not None:
        destinations().remember(run.id, out)
    elif (out := destinations().of(run.id)) is not None:
        try:
            check_place(out)
        except BadInput as error:
            print(
                f"mora: {sentence_of(error)} The film stays in the store; `--out` says where else it goes.",
                file=sys.stderr,
            )
            return None
    return out


def check_signed(settings: "Settings", out: str | None) -> None:
    """Check that a film to be delivered can be signed, before any work is done. Raises as `check_signer`."""
    from tools.delivery.places import CARRYING, place_of

    if out is not None and place_of(out).ending in CARRYING:
        from graph.provenance.signing import check_signer

        check_signer(settings)


def sheet_of_run(archive: "Archive", run: "Run", path: Path) -> None:
    """Write the frames of a run's film as one picture; a damaged product is regenerated first and noted."""
    from graph.cli.tables import write_sheet
    from graph.runs.repair import repaired
    from memory.errors import DamagedArtifact

    try:
        write_sheet(archive, run, path)
    except DamagedArtifact as damage:
        with services_of_run(run.id) as services, listening() as observer:
            repaired(services, run, damage.artifact, observer)
        for note in observer.notes:
            print(note, file=sys.stderr)
        write_sheet(archive, run, path)


def deliver(
    services: "Services",
    run: "Run",
    observed: "ProgressObserver",
    out: str | None,
    as_json: bool,
    more: dict[str, Any] = NOTHING,
) -> None:
    """Copy the film from the store to `out` and print the result. more: further fields of the JSON object.

    A run that waits exits as `wait_for_a_word` instead.
    """
    if run.status == "waiting":
        wait_for_a_word(services, run, as_json)
    from graph.cli.progress import result_of
    from graph.provenance.signing import hand_out
    from tools.delivery.places import place_of

    result = result_of(services.archive, run, observed) | more
    if out is not None:
        assert run.film is not None, f"run {run.id} is {run.status} and has no film"
        place = place_of(out)
        note = hand_out(services.archive, run, services.signer, services.archive.artifact(run.film), place)
        destinations().forget(run.id)
        result["film"] = str(place.absolute())
        if note is not None:
            print(note, file=sys.stderr)
    if as_json:
        print(json.dumps(result))
        return
    for note in observed.notes:
        say(note)
    say(f"The film is in {result['film']}")
    say(f"run {run.id}; `python main.py show {run.id}` shows how it was made")


def wait_for_a_word(services: "Services", run: "Run", as_json: bool) -> NoReturn:
    """Print what a run waits for, and exit with `WAITING`."""
    from graph.runs.runner import question_of_run

    question = question_of_run(services, run)
    asked = {} if question is None else question.asked
    if as_json:
        print(json.dumps({"run": run.id, "status": run.status, **asked}))
    else:
        for call in asked.get("waiting", []):
            say(f"The {call['made']} of shot {call['shot']} waits for your word:")
            for take in call["takes"]:
                say(f"  {take['take']}  {services.archive.path(services.archive.artifact(take['artifact']))}")
        say(f"Run {run.id} waits; `python main.py chat {run.id}` continues it")
    raise typer.Exit(WAITING)
