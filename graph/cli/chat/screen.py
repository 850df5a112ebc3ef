"""Displays a conversation in a terminal: lines about products, and thumbnails of them from the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.table import Table
from rich.text import Text

from graph.cli.chat.hints import with_commands
from graph.dialogue.products.candidates import WHICH
from graph.runs.chat.results import TurnResult
from graph.runs.turns import Marked
from graph.state.products import Product, shortened
from memory.records import Mark
from tools.media.thumbnail import thumbnail

if TYPE_CHECKING:
    from memory.archive import Archive
    from memory.records import Artifact

HALF_BLOCK = "▀"
PICTURE_HEIGHT = 32
"""Height of a thumbnail in pixels, two per line; a clip is a row of frames half as high."""
FRAMES = 4
SHOWN = "shown"
"""Folder in the home with MP4 copies of clips, which every player opens; the store keeps clips lossless."""
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
"""The message about one product, and about several, whose mark has changed since they were shown."""


class Display(Protocol):
    """Displays the results of a conversation."""

    def say(self, words: str, *, style: str | None = None) -> None:
        """Show a sentence."""

    def fail(self, sentence: str, code: int, *, fault: str | None = None) -> None:
        """Show an error. code: the exit code that a command would end with."""

    def tell(self, result: TurnResult) -> None:
        """Show the result of a turn or, before the first one, the existing products."""

    def show(self, product: Product, mark: Mark) -> None:
        """Show one product."""

    def list_products(self, products: Iterable[Marked]) -> None:
        """Show all products."""

    def list_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Show usage and meaning of every command."""


@dataclass(frozen=True)
class Screen:
    """Prints to a console. pictures: whether thumbnails are drawn."""

    console: Console
    archive: "Archive"
    pictures: bool = False

    def say(self, words: str, *, style: str | None = None) -> None:
        """Print a sentence verbatim: a person's words, and paths, may contain what looks like markup."""
        self.console.print(Text(printable(words), style=style or ""), soft_wrap=True, highlight=False)

    def fail(self, sentence: str, code: int, *, fault: str | None = None) -> None:  # noqa: ARG002 - for programs
        """Print the sentence."""
        self.say(sentence)

    def tell(self, result: TurnResult) -> None:
        """Print the reply, the notes, the new products, what changed of the others, and the question."""
        if result.reply:
            self.say(f"planner: {result.reply}" if result.voice == "planner" else with_commands(result.reply))
        for note in result.notes:
            self.say(note, style="italic")
        for product, mark in result.made:
            self.show(product, mark)
        for become, (one, several) in CHANGED.items():
            if numbers := result.changed.get(become):
                many = len(numbers) > 1
                self.say(f"Number{'s' * many} {', '.join(map(str, numbers))}: {several if many else one}.")
        if result.question is not None:
            self._ask(result.question, result.numbers)

    def _ask(self, question: Mapping[str, Any], numbers: Mapping[str, int]) -> None:
        waiting = question["waiting"]
        several = [[numbers[take["artifact"]] for take in call["takes"]] for call in waiting if len(call["takes"]) > 1]
        if (question.get("reply") or "").startswith(WHICH):
            return
        if several:
            self.say(f"Which one: {'; '.join(listed(each) for each in several)}?", style="dim")
        elif waiting:
            self.say("`go on`, `again`, or say what becomes of it.", style="dim")

    def show(self, product: Product, mark: Mark) -> None:
        """Print a product as the store has it: number, kind, origin, id and file; and its thumbnail."""
        artifact = self.archive.artifact(product.id)
        made_of = f", of {', '.join(map(str, product.of))}" if product.of else ""
        self.say(f"{product.number:>4}  {product.kind}, {_size(artifact)}{made_of}: {_words(product)}  [{MARKS[mark]}]")
        self.say(f"      {artifact.id}  {file_of(self.archive, artifact)}", style="dim")
        if self.pictures:
            self.console.print(self.small(artifact))

    def small(self, artifact: "Artifact") -> Text:
        """Draw a thumbnail in half blocks of two pixels: a picture, or a few frames of a clip side by side."""
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

    def list_products(self, products: Iterable[Marked]) -> None:
        """Print all products, one per line."""
        for product, mark in products:
            place = f"shot {product.shot}, take {product.take}"
            self.say(f"{product.number:>4}  {product.id}  {place}  [{MARKS[mark]}]  {_words(product)}")

    def list_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Print usage and meaning of every command."""
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for usage, about in commands:
            table.add_row(Text(usage, style="bold"), Text(about))
        self.console.print(table)


def file_of(archive: "Archive", artifact: "Artifact") -> Path:
    """Return a file that any player opens: the product's own or, for a lossless clip, an MP4 copy, made if missing."""
    if artifact.media.kind != "clip":
        return archive.path(artifact)
    copy = archive.home.absolute() / SHOWN / f"{artifact.id}-{artifact.sha256[:8]}.mp4"
    if not copy.exists():
        copy.parent.mkdir(mode=0o700, exist_ok=True)
        write_copy(archive, artifact, copy)
    return copy


def listed(numbers: Sequence[int]) -> str:
    """Return the numbers as `2, 3 or 4`."""
    *first, last = map(str, numbers)
    return f"{', '.join(first)} or {last}" if first else last


def write_copy(archive: "Archive", clip: "Artifact", path: Path) -> None:
    """Write a clip atomically as an MP4 that every player opens. Raises BadInput for a bad path."""
    import io

    from tools.delivery.export import export
    from tools.media.codecs import encode_film, frames_of

    media, film = clip.media, io.BytesIO()
    assert media.fps is not None, f"{clip.id} has no frame rate"
    encode_film(frames_of(archive.read(clip)), film, width=media.width, height=media.height, fps=media.fps)
    export(film.getvalue(), path)


def draws_pictures(console: Console) -> bool:
    """Return whether the console is a terminal with at least 256 colours."""
    return console.is_terminal and not console.no_color and console.color_system in ("truecolor", "256")


def printable(words: str) -> str:
    """Replace unprintable characters: a model's words must not move the cursor or reverse the text direction."""
    return "".join(each if each.isprintable() or each in "\n\t" else " " for each in words)


def _words(product: Product) -> str:
    return shortened("; ".join([*product.origin, *product.words])) or "(no words)"


def _size(artifact: "Artifact") -> str:
    media = artifact.media
    if media.fps is None:
        return f"{media.width} x {media.height}"
    return f"{media.num_frames / media.fps:.1f} s"
