"""What a conversation looks like in a terminal: lines about products, from the store, and small pictures of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from graph.dialogue.candidates import WHICH
from graph.state.channels import RunState
from graph.state.products import Product, shortened
from tools.media.thumbnail import thumbnail

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.records import Artifact, Run

HALF_BLOCK = "▀"
PICTURE_HEIGHT = 32
"""Pixels of a small picture, two a line; a clip is a row of frames half as high."""
FRAMES = 4
SHOWN = "shown"
"""Folder in the home with copies of clips that every player opens; the store keeps them lossless."""
Mark = Literal["waits", "stands", "stale", "kept", "back"]
MARKS: dict[Mark, str] = {
    "waits": "waits for your word", "stands": "stands", "stale": "stands, and is stale", "kept": "kept",
    "back": "taken back",
}  # fmt: skip
CHANGED: dict[Mark, tuple[str, str]] = {
    "waits": ("waits for your word again", "wait for your word again"),
    "stands": ("stands now", "stand now"),
    "stale": ("stale now; `refresh` makes it again", "stale now; `refresh` makes them again"),
    "back": ("taken back", "taken back"),
}
"""What is told of one, and of several, that were shown before."""


@dataclass(frozen=True)
class Told:
    """What a turn came to. moves: as the planner understood it. new: products that were not shown before; changed:
    numbers of those that were, by what they are now. question: what waits for a word, None if nobody is asked.
    calls: agent calls that ran, and products that were there already. seconds: how long it took."""

    run: "Run"
    state: RunState
    reply: str | None = None
    voice: str = "mora"
    notes: Sequence[str] = ()
    moves: Sequence[Mapping[str, Any]] = ()
    new: Sequence[tuple[Product, Mark]] = ()
    changed: Mapping[Mark, Sequence[int]] = field(default_factory=dict)
    question: Mapping[str, Any] | None = None
    numbers: Mapping[str, int] = field(default_factory=dict)
    calls: tuple[int, int] = (0, 0)
    seconds: float = 0.0

    @property
    def silent(self) -> bool:
        """True if there is nothing to see of it."""
        return not (self.reply or self.notes or self.new or any(self.changed.values()))


class Shows(Protocol):
    """Whoever is told what a conversation comes to."""

    def say(self, words: str, *, style: str | None = None) -> None:
        """A sentence."""

    def fail(self, sentence: str, code: int) -> None:
        """What did not work; code: what a command would exit with."""

    def tell(self, told: Told) -> None:
        """What a turn came to, or, before the first one, what is there."""

    def show(self, thing: Product, mark: Mark) -> None:
        """One product."""

    def list_things(self, things: Iterable[tuple[Product, Mark]]) -> None:
        """All products."""

    def list_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Usage and meaning of every command."""


@dataclass(frozen=True)
class Screen:
    """Prints to a console. pictures: whether small pictures are drawn."""

    console: Console
    archive: "Archive"
    pictures: bool = False

    def say(self, words: str, *, style: str | None = None) -> None:
        """A sentence, as it is: words of a person, and paths, may hold what looks like markup."""
        self.console.print(Text(printable(words), style=style or ""), soft_wrap=True, highlight=False)

    def fail(self, sentence: str, code: int) -> None:  # noqa: ARG002 - a person needs no code
        """The sentence."""
        self.say(sentence)

    def tell(self, told: Told) -> None:
        """What was said, chosen and made, what became of the rest, and what is asked now."""
        if told.reply:
            self.say(f"planner: {told.reply}" if told.voice == "planner" else told.reply)
        for note in told.notes:
            self.say(note, style="italic")
        for thing, mark in told.new:
            self.show(thing, mark)
        for become, (one, several) in CHANGED.items():
            if numbers := told.changed.get(become):
                many = len(numbers) > 1
                self.say(f"Number{'s' * many} {', '.join(map(str, numbers))}: {several if many else one}.")
        if told.question is not None:
            self._ask(told.question, told.numbers)

    def _ask(self, question: Mapping[str, Any], numbers: Mapping[str, int]) -> None:
        waiting = question["waiting"]
        several = [[numbers[take["artifact"]] for take in call["takes"]] for call in waiting if len(call["takes"]) > 1]
        if (question.get("reply") or "").startswith(WHICH):
            return
        if several:
            self.say(f"Which one: {'; '.join(listed(each) for each in several)}?", style="dim")
        elif waiting:
            self.say("`go on`, `again`, or say what becomes of it.", style="dim")

    def show(self, thing: Product, mark: Mark) -> None:
        """A product as the store has it: number, kind, what it was made of, id and file; and what it looks like."""
        artifact = self.archive.artifact(thing.id)
        made_of = f", of {', '.join(map(str, thing.of))}" if thing.of else ""
        self.say(f"{thing.number:>4}  {thing.kind}, {_size(artifact)}{made_of}: {_words(thing)}  [{MARKS[mark]}]")
        self.say(f"      {artifact.id}  {file_of(self.archive, artifact)}", style="dim")
        if self.pictures:
            self.console.print(self.small(artifact))

    def small(self, artifact: "Artifact") -> Text:
        """The product in half blocks, two pixels each: a picture, or a few frames of a clip side by side."""
        from tools.context import sheet_frames

        frames, _ = sheet_frames(self.archive, artifact, FRAMES)
        height = PICTURE_HEIGHT if len(frames) == 1 else PICTURE_HEIGHT // 2
        pixels = thumbnail(frames, height=height)
        room = max(8, self.console.width - 6)
        text = Text()
        for top, bottom in zip(pixels[::2, :room], pixels[1::2, :room], strict=True):
            text.append(" " * 6)
            for upper, lower in zip(top, bottom, strict=True):
                style = Style(color=Color.from_rgb(*map(int, upper)), bgcolor=Color.from_rgb(*map(int, lower)))
                text.append(HALF_BLOCK, style)
            text.append("\n")
        text.rstrip()
        return text

    def list_things(self, things: Iterable[tuple[Product, Mark]]) -> None:
        """All products, a line each."""
        for thing, mark in things:
            place = f"shot {thing.shot}, take {thing.take}"
            self.say(f"{thing.number:>4}  {thing.id}  {place}  [{MARKS[mark]}]  {_words(thing)}")

    def list_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Usage and meaning of every command."""
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for usage, about in commands:
            table.add_row(Text(usage, style="bold"), Text(about))
        self.console.print(table)


def file_of(archive: "Archive", artifact: "Artifact") -> Path:
    """A file that can be opened: the product's own, or of a lossless clip a copy as MP4."""
    if artifact.media.kind != "clip":
        return archive.path(artifact)
    copy = archive.home.absolute() / SHOWN / f"{artifact.id}-{artifact.sha256[:8]}.mp4"
    if not copy.exists():
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        write_copy(archive, artifact, copy)
    return copy


def acknowledged(moves: Sequence[Mapping[str, Any]], gone: Sequence[int] = ()) -> str | None:
    """What is said of moves after which everything looks as before; None if there was none. gone: numbers that waited
    for a word before them, and do not now."""
    if not moves:
        return None
    last = moves[-1]
    if last["do"] == "raise_limit":
        return f"It may be made again {last['most']} times now."
    if last["do"] == "undo" and gone:
        return f"Number{'s' * (len(gone) > 1)} {', '.join(map(str, gone))}: taken back; all else is as it was."
    return {"choose": "That stands already.", "undo": "Taken back; what is shown is as it was."}.get(
        last["do"], "Nothing is different for that."
    )


def listed(numbers: Sequence[int]) -> str:
    """`2, 3 or 4`."""
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last


def write_copy(archive: "Archive", clip: "Artifact", path: Path) -> None:
    """A clip as an MP4 that every player opens, whole or not at all. Raises BadInput for a bad path."""
    import io

    from tools.delivery.export import export
    from tools.media.codecs import encode_film, frames_of

    media, film = clip.media, io.BytesIO()
    assert media.fps is not None, f"{clip.id} has no frame rate"
    encode_film(frames_of(archive.read(clip)), film, width=media.width, height=media.height, fps=media.fps)
    export(film.getvalue(), path)


def draws_pictures(console: Console) -> bool:
    """True for a terminal that shows colours."""
    return console.is_terminal and not console.no_color and console.color_system in ("truecolor", "256")


def printable(words: str) -> str:
    """Without what moves a terminal's cursor or turns its lines around: a model's words are shown, and not obeyed."""
    return "".join(each if each.isprintable() or each in "\n\t" else " " for each in words)


def _words(thing: Product) -> str:
    return shortened("; ".join(thing.words)) or "(no words)"


def _size(artifact: "Artifact") -> str:
    media = artifact.media
    if media.fps is None:
        return f"{media.width} x {media.height}"
    return f"{media.num_frames / media.fps:.1f} s"
