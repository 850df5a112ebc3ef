"""What a conversation looks like in a terminal: lines about products, from the store, and small pictures of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from graph.talk import Thing, shortened
from tools.thumbnail import thumbnail

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.records import Artifact

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


@dataclass(frozen=True)
class Screen:
    """Prints to a console. pictures: whether small pictures are drawn."""

    console: Console
    archive: "Archive"
    pictures: bool = False

    def say(self, words: str, *, style: str | None = None) -> None:
        """A sentence, as it is: words of a person, and paths, may hold what looks like markup."""
        self.console.print(Text(printable(words), style=style or ""), soft_wrap=True, highlight=False)

    def show(self, thing: Thing, mark: Mark) -> None:
        """A product as the store has it: number, kind, what it was made of, id and file; and what it looks like."""
        artifact = self.archive.artifact(thing.id)
        made_of = f", of {', '.join(map(str, thing.of))}" if thing.of else ""
        self.say(f"{thing.number:>4}  {thing.kind}, {_size(artifact)}{made_of}: {_words(thing)}  [{MARKS[mark]}]")
        self.say(f"      {artifact.id}  {self.file_of(artifact)}", style="dim")
        if self.pictures:
            self.console.print(self.small(artifact))

    def file_of(self, artifact: "Artifact") -> Path:
        """A file that can be opened: the product's own, or of a lossless clip a copy as MP4."""
        if artifact.media.kind != "clip":
            return self.archive.path(artifact)
        copy = self.archive.home.absolute() / SHOWN / f"{artifact.id}-{artifact.sha256[:8]}.mp4"
        if not copy.exists():
            copy.parent.mkdir(mode=0o700, exist_ok=True)
            write_copy(self.archive, artifact, copy)
        return copy

    def small(self, artifact: "Artifact") -> Text:
        """The product in half blocks, two pixels each: a picture, or a few frames of a clip side by side."""
        from tools.studio import sheet_frames

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

    def list_things(self, things: Iterable[tuple[Thing, Mark]]) -> None:
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


def write_copy(archive: "Archive", clip: "Artifact", path: Path) -> None:
    """A clip as an MP4 that every player opens, whole or not at all. Raises BadInput for a bad path."""
    import io

    from tools.export import export
    from tools.media import encode_film, frames_of

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


def _words(thing: Thing) -> str:
    return shortened("; ".join(thing.words)) or "(no words)"


def _size(artifact: "Artifact") -> str:
    media = artifact.media
    if media.fps is None:
        return f"{media.width} x {media.height}"
    return f"{media.num_frames / media.fps:.1f} s"
