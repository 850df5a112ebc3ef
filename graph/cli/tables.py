"""The tables and texts that commands print for a person: `runs`, `show`, `replay`, `gc`."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from graph.cli.chat.screen import printable
from graph.runs.history import checkpoints_of, state_of
from graph.runs.time_travel import Replayed, difference_told
from graph.state import read
from graph.state.film import pieces_now
from graph.state.products import CUTS, cut_words
from graph.views import _task, checkpoints_as_json
from memory.records import Artifact, Run
from memory.turns import first_words, turns_of
from models.presets import SYSTEMS
from tools.context import sheet_frames
from tools.delivery.export import export
from tools.media.contact_sheet import frame_sheet
from tools.registry import TOOLS

if TYPE_CHECKING:
    from graph.state.channels import Call
    from memory.archive import Archive
    from memory.retention.collect import Swept


def swept_story(swept: "Swept") -> str:
    """Return the text that `gc` prints."""
    before, after = swept.database
    now = f", now {_bytes_shown(after)}" if after is not None else ""
    lines = [
        f"{'would go' if swept.dry else 'gone'}:",
        f"  runs         {len(swept.runs)}  {' '.join(swept.runs)}".rstrip(),
        f"  products     {swept.artifacts}",
        f"  files        {swept.files}  {_bytes_shown(swept.file_bytes)}",
        f"  checkpoints  {swept.checkpoints}  {_bytes_shown(swept.checkpoint_bytes)}",
        f"database {_bytes_shown(before)}{now}",
    ]
    return "\n".join([*lines, *(f"note     {note}" for note in swept.notes)])


def _bytes_shown(count: int) -> str:
    """Format a number of bytes with a decimal unit."""
    size, units = float(count), ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{count} bytes" if len(units) == 5 else f"{size:.1f} {units[0]}"


A_CONVERSATION = "(a conversation)"


OMITTED_DIGITS = 8
"""Digits omitted from the end of an id that only refers to one shown in full nearby."""


CHECKPOINT_CHARACTERS = 18
"""Leading characters of a checkpoint id that are unique within its run: they encode its time."""


MADE_BY_MODELS = (
    *("text_to_image", "edit_image", "image_to_video", "edit_video", "connect_videos"),
    *(row.profile for row in SYSTEMS),
)


def runs_table(archive: "Archive", *, tree: bool = False, refused: bool = False) -> RenderableType:
    """Return the runs as a table, newest first; as a tree, branches follow their parent, each run with its seed.

    refused: include the wishes that the planner refused; otherwise they are only counted.
    """
    every = archive.runs()
    if not every:
        return "There are no runs yet; `python main.py generate 'a red ball rolls over the snow'` makes one."
    known, said = [run for run in every if refused or not _is_refused(archive, run)], first_words(archive)
    table = _plain_table("", "run", "begun", "status", "what was asked")
    for run, depth in _branches(known) if tree else ((run, 0) for run in known):
        begun = run.created_at.astimezone().strftime("%m-%d %H:%M")
        why = f" ({escape(run.error)})" if run.error else ""
        seed = f"  seed {run.request.seed}" if tree else ""
        branch = f"{'  ' * (depth - 1)}└ " if depth else ""
        table.add_row(branch + run.id, begun, run.status, escape(_asked(run, said)) + seed + why)
    if not (hidden := len(every) - len(known)):
        return table
    refusals = "1 wish that was refused is" if hidden == 1 else f"{hidden} wishes that were refused are"
    return Group(*([table] if known else []), f"{refusals} not shown; `runs --all` shows all.")


def _is_refused(archive: "Archive", run: Run) -> bool:
    """Return whether the planner refused the wish: nothing was made, and it would be refused again."""
    answers = archive.llm_calls(run.id) if run.status == "failed" else []
    try:
        last = json.loads(answers[-1].response) if answers else None
    except ValueError:
        return False
    return isinstance(last, dict) and bool(last.get("impossible"))


def _branches(known: Sequence[Run]) -> Iterator[tuple[Run, int]]:
    """Yield each run with its depth, branches right after their parent."""
    ids, branches = {run.id for run in known}, defaultdict[str | None, list[Run]](list)
    for run in known:
        branches[run.parent if run.parent in ids else None].append(run)

    def grown(run: Run, depth: int) -> Iterator[tuple[Run, int]]:
        yield run, depth
        for branch in branches[run.id]:
            yield from grown(branch, depth + 1)

    for root in branches[None]:
        yield from grown(root, 0)


def checkpoints_table(archive: "Archive", run: Run) -> RenderableType:
    """Return the checkpoints of a run as a table."""
    table = _plain_table("checkpoints", "", "id", "at", "after", "can change", "made since")
    for one in checkpoints_as_json(archive, run):
        at = datetime.fromisoformat(one["at"]).astimezone().strftime("%H:%M:%S")
        can = ", ".join(one["changeable"]) if len(one["changeable"]) < 3 else "everything"
        table.add_row(
            str(one["number"]), one["id"][:CHECKPOINT_CHARACTERS], at, one["after"] or "", can, " ".join(one["new"])
        )
    return table


def run_story(archive: "Archive", run: Run) -> RenderableType:
    """Return the text of `show`: the request, the plan, the turns, the lineage with timings, the counts."""
    state = state_of(archive, run)
    parts = [*_head(run, state), _plan_table(state), *_turns_table(archive, run), _lineage_table(archive, run)]
    return Group(*parts, _tail(archive, run))


def _head(run: Run, state: dict[str, Any]) -> list[RenderableType]:
    lines = [
        f"[bold]run {run.id}[/bold]  {run.status}" + (f": {escape(run.error)}" if run.error else ""),
        f"asked    {escape(run.request.prompt or A_CONVERSATION)}",
        f"task     {_task(run, state)}",
        f"seed     {run.request.seed}    profile {run.request.profile}    planner {run.request.planner}",
    ]
    return [*lines, *(f"note     {escape(note)}" for note in read.notes(state))]


def _plan_table(state: dict[str, Any]) -> RenderableType:
    table = _plain_table("plan", "call", "takes", "from", "told")
    for call in read.calls(state):
        arguments, takes = dict(call["arguments"]), read.takes(state).get(call["id"], [])
        given = [arguments.pop(name, None) for name in TOOLS[call["tool"]].takes or ("image", "clip")]
        starts = [*filter(None, given), *call["needs"]]
        words = [str(arguments.pop(name)) for name in ("instruction", "prompt", "shows") if arguments.get(name)]
        words += [cut] if (cut := cut_words(arguments)) else []
        arguments = {name: value for name, value in arguments.items() if name not in (*CUTS, "pieces", "dropped")}
        words += _pieces_told(call)
        options = [f"{name} {value}" for name, value in arguments.items() if value not in (None, False)]
        table.add_row(call["id"], str(len(takes)), " ".join(starts), escape(", ".join([*words, *options])))
    return table


def _pieces_told(call: "Call") -> list[str]:
    """Return the order of a film's clips, and what a person left out of it; [] for any other call."""
    if "pieces" not in call["arguments"]:
        return []
    pieces, dropped = pieces_now(call), call["arguments"].get("dropped", [])
    order = " + ".join(piece.key for piece in pieces)
    return [order, *([f"without {' '.join(dropped)}"] if dropped else [])]


def _turns_table(archive: "Archive", run: Run) -> list[RenderableType]:
    """Return the turns of a conversation, one per row; [] for a run that has none."""
    turns = turns_of(archive, run.id)
    if not turns:
        return []
    table = _plain_table("turns", "", "products", "became of it", "said")
    for turn in turns:
        numbers = ", ".join(str(product.number) for product in turn.products if product.made)
        became = "taken back" if turn.undone else "" if turn.state == "done" else turn.state
        moves = " ".join(str(move.get("do", "")) for move in turn.moves)
        said = turn.words if turn.words is not None else f"({moves})"
        answers = [turn.reply or "", turn.error or ""]
        line = "; ".join(filter(None, [_short(said), *map(_short, filter(None, answers))]))
        table.add_row(str(turn.number), numbers, became, Text(printable(" ".join(line.split()))))
    return [table]


def _lineage_table(archive: "Archive", run: Run) -> RenderableType:
    table = _plain_table("lineage", "artifact", "made by", "seconds", "size", "from")
    for artifact in archive.artifacts(run.id):
        row = artifact.id, artifact.recipe.agent, f"{artifact.seconds:.2f}", _size(artifact)
        table.add_row(*row, " ".join(parent[:-OMITTED_DIGITS] for parent in artifact.parents))
    return table


def _plain_table(title: str, *columns: str) -> Table:
    """Return a table without a frame, so that full ids fit into eighty columns."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 2, 0, 0))
    for column in columns[:-1]:
        table.add_column(column, no_wrap=True, header_style="dim", style=None)
    table.add_column(columns[-1], header_style="dim", overflow="fold")
    return table


def _tail(archive: "Archive", run: Run) -> RenderableType:
    calls = [call for call in archive.ledger(run.id) if call.agent in MADE_BY_MODELS]
    made = sum(call.outcome == "made" for call in calls)
    checkpoints = len(checkpoints_of(archive, run))
    film = f"\nfilm     {archive.path(archive.artifact(run.film))}" if run.film else ""
    counts = f"{made} agent calls made, {len(calls) - made} not finished; {checkpoints} checkpoints{film}"
    return Text(counts, no_wrap=True, overflow="ignore")  # a path that is broken over two lines cannot be copied


def write_sheet(archive: "Archive", run: Run, path: Path) -> None:
    """Write the frames of the run's film, or of its newest product, as one PNG.

    Raises RequestError for a run without products, BadInput for a bad path.
    """
    from graph.errors import RequestError

    known = [archive.artifact(run.film)] if run.film else archive.artifacts(run.id)
    if not known:
        then = f"it failed: {run.error}" if run.status == "failed" else "resume it first."
        raise RequestError("nothing-made-yet", f"Run {run.id} has made nothing yet; {then}", run=run.id)
    newest = known[-1]
    frames, indices = sheet_frames(archive, newest)
    export(frame_sheet(frames, newest.media.fps, indices=indices), path, suffix=".png")


def _size(artifact: Artifact) -> str:
    media = artifact.media
    frames = f" x{media.num_frames}" if media.fps else ""
    return f"{media.width}x{media.height}{frames}"


def _asked(run: Run, said: Mapping[str, str]) -> str:
    """Return the prompt of a run, cut to fit a line; of a conversation its first words. said: first words by run."""
    words = said.get(run.id)
    return _short(run.request.prompt or (f"chat: {words}" if words else A_CONVERSATION))


def _short(text: str, longest: int = 60) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def replayed_told(replayed: Replayed) -> list[str]:
    """Return the outcome of a replay as sentences; the last one is the verdict."""
    differences, came = [difference_told(remade) for remade in replayed.differences], replayed.came
    if came.stopped is not None:
        return [*differences, f"It could not be completed: {came.stopped}"]
    if differences:
        return [*differences, f"{len(differences)} of {len(came.remade)} products came out different."]
    if not replayed.same:
        return ["It ends with other products than the recorded ones: the code has changed since."]
    made = f"{len(came.remade)} products were regenerated with the same bytes. " if came.remade else ""
    what = f"the same film, sha256 {came.film.sha256}" if came.film else f"the same {len(came.made)} takes"
    return [f"{made}It is {what}."]
