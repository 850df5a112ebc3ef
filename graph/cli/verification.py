"""The text that `verify` prints for a person."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from graph.provenance.verify import Verification, _plain
from tools.provenance.manifest import Reading, Statement, Work


def story_of(found: Verification) -> RenderableType | None:
    """Return the text about a verification: claims, findings and products; None if the manifest says nothing."""
    statement = found.reading.statement
    if statement is None:
        return f"signed by  {_signed_by(found.reading)}" if found.reading.signer else None
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for name, text in (*_claims(statement), *_findings(found)):
        lines.add_row(name, Text(_plain(text)))
    return Group(lines, Text(), _works_table(statement))


def _claims(statement: Statement) -> Iterator[tuple[str, str]]:
    yield "made by", f"{statement.software}, run {statement.run}, from {statement.begun[:19]} to {statement.ended[:19]}"
    yield "asked", statement.request.prompt
    for said in statement.said:
        yield "said", said
    yield "task", statement.task
    yield "planner", f"{statement.planner}, profile {statement.request.profile}, seed {statement.request.seed}"
    yield "weights", _weights(statement)
    yield "approved", _approved(statement)
    if statement.parent:
        yield "branch of", f"run {statement.parent}"


def _findings(found: Verification) -> Iterator[tuple[str, str]]:
    statement = found.reading.statement
    assert statement is not None, "a stranger's manifest has no findings"
    yield "signed by", _signed_by(found.reading)
    if found.reading.fault is not None:
        return
    yield "bytes", f"unchanged since; without its manifest the film is {statement.film.sha256}"
    here = {
        "same": "the one here has this film, with the same digest",
        "other": "the one here has another film by that name",
        "unknown": "the one here does not have this film",
        "not looked at": "there is none here that could be asked",
    }
    run = ", and its run" if found.run_here else ""
    yield "archive", f"{here[found.film_here]}{run}"
    if found.again is not None:
        yield "again", "made again, every product the same" if found.again.same else found.again.why


def _signed_by(reading: Reading) -> str:
    name = f"{_plain(reading.signer or 'somebody without a name')}, issued by {_plain(reading.issuer or 'nobody')}"
    if reading.known_as is None:
        return f"{name}: not known here, so this is only what the signer says"
    return f"{name}: {reading.known_as}"


def _works_table(statement: Statement) -> RenderableType:
    table = Table(title="made of", title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for column in ("product", "made by", "seed"):
        table.add_column(column, no_wrap=True, header_style="dim")
    table.add_column("words", header_style="dim", overflow="fold")
    for work in statement.works:
        given = f"a given file, {str(work.spec.get('source', ''))[:12]}" if work.agent == "upload" else ""
        words = work.spec.get("prompt") or work.spec.get("instruction") or given
        row = work.id, work.agent, str(work.spec.get("seed", "")), str(words)
        table.add_row(*(Text(_plain(text)) for text in row))
    return table


def _weights(statement: Statement) -> str:
    used = dict.fromkeys(f"{work.agent} {work.weights[:12]}" for work in statement.works if work.weights)
    return ", ".join(used) or "none"


def _approved(statement: Statement) -> str:
    judged = {
        (one.by, one.ok): [each.id for each in statement.works if (one.by, one.ok) in _judgements(each)]
        for work in statement.works
        for one in work.approvals
    }
    verdicts = (f"{who} {'accepted' if ok else 'refused'} {', '.join(ids)}" for (who, ok), ids in judged.items())
    return "; ".join(verdicts) or "nothing was judged"


def _judgements(work: Work) -> set[tuple[str, bool]]:
    return {(one.by, one.ok) for one in work.approvals}
