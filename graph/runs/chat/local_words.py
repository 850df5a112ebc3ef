"""Lines that need no turn of the run: save a product to a file, show one again, leave."""

import re
import shlex

from graph.dialogue.lines.forms import FORMS, GLUE
from graph.dialogue.lines.sentence import Item, Sentence
from graph.dialogue.products.candidates import Candidates, Nothing, Which
from graph.dialogue.requests.line import RequestLine
from graph.errors import RequestError
from graph.planning.turn import TalkBrief
from graph.runs.chat.commands import COMMANDS, Line
from graph.state.products import Product

_LEAVE = re.compile(
    r"(?:(?:ok|okay|well|great|thanks|thank you|cheers|that is all|that s all|thats all|i am done|im done|i m done)"
    r"(?: (?:mora|a lot|so much|very much|for today))?[,.!;]? (?:and )?){0,3}"
    r"(?:quit|exit|bye|good ?bye|bye[ -]bye|leave|see you|cya|see ya)(?:,? (?:mora|now|for now|later|then))?[.!]*",
    re.IGNORECASE,
)
_SAVING = frozenset(
    [
        "save",
        "store",
        "export",
        "download",
        "write",
        "copy",
        "keep",
        "as",
        "to",
        "into",
        "in",
        "under",
        "name",
        "named",
        "call",
        "called",
        "gif",
        "webm",
        "mp4",
        "png",
        "file",
        "folder",
        "frames",
        "pictures",
        "all",
        "only",
        "just",
        "film",
        "clip",
        "picture",
        "video",
        "image",
        "and",
        "too",
        "also",
        "with",
        "it",
        "at",
        "render",
        "output",
        "put",
        "named:",
        "format",
        "video",
        "clip",
        "dump",
        "send",
    ]
)
_SAVE_WORDS = frozenset(("save", "store", "export", "download", "write", "copy", "dump", "output"))
_LEADING = frozenset(("as", "to", "into", "in", "named", "called", "gif", "webm", "frames"))
_INPUT_WORDS = frozenset(
    ("use", "load", "open", "import", "add", "upload", "behind", "animate", "from", "start", "with", "show", "play")
)
_FOLDER = re.compile(r"\b(?:folder|directory)(?: named| called|:)? (?P<name>[\w\-.]+)/?\s*$", re.IGNORECASE)


def understood_here(line: str, brief: TalkBrief) -> Line | None:
    """Read a line that needs no turn of the run; None for any other. Raises RequestError for an unknown number."""
    if _LEAVE.fullmatch(line.strip()):
        return Line(local="quit")
    if line.startswith("/") and line[1:].split(" ", maxsplit=1)[0] in COMMANDS:
        return None
    sentence = Sentence(Candidates(brief), line)
    try:
        return _save(sentence, brief) or _show(sentence, brief)
    except Which as question:
        raise RequestError("product-ambiguous", str(question)) from None
    except Nothing as error:
        raise RequestError("product-unknown", str(error)) from None


def _save(sentence: Sentence, brief: TalkBrief) -> Line | None:
    """Read `save it as ball.mp4`, `number 2 to ball.gif`, `all frames in a folder named frames`."""
    files, items = list(sentence.files), list(sentence.items)
    if not files and (found := _FOLDER.search(sentence.said)) is not None:
        files = [f"{found['name']}/"]
        items = Sentence(sentence.candidates, sentence.said[: found.start("name")]).items
    if len(files) != 1 or not brief.things:
        return None
    words = {kind for item in items for kind in item.kinds}
    if not words & (_SAVE_WORDS | _LEADING) or (words & _INPUT_WORDS and not words & _SAVE_WORDS):
        return None
    left = [
        item
        for item in items
        if item.meant is None and not item.kinds & (_SAVING | GLUE | {"file", "colour", "filler"})
    ]
    if left or any("number" in item.kinds and item.meant is None for item in items):
        return None
    product = _product(items, brief)
    return Line(local="save", words=shlex.join([files[0], str(product.number)]))


def _product(items: list[Item], brief: TalkBrief) -> Product:
    reader = RequestLine(brief, items, "")
    named = [
        each
        for each in reader.named()
        if not each.pronoun and not (each.many and each.kinds == {"picture"} and not each.shown)
    ]
    films = [product for product in brief.things if product.kind == "film" and product.stands]
    if (
        named
        and named[0].noun == "film"
        and not named[0].shown
        and not named[0].number
        and films
        and not named[0].place
    ):
        return films[-1]
    if not named and any(item.kinds & {"film"} for item in items) and films:
        return films[-1]
    if named:
        found = reader.meant(named[0])
        return reader.candidates.one(
            [reader.clip_of(product) for product in found] if named[0].noun is None and not named[0].number else found
        )
    if brief.it and (near := [product for product in brief.things if product.number in brief.it]):
        return near[-1]
    return brief.things[-1]


def _show(sentence: Sentence, brief: TalkBrief) -> Line | None:
    """Read `show me number 2`, `play the film`."""
    form = next(form for form in FORMS if form.name == "show")
    if not form.fits(sentence.items) or sentence.text.startswith(("i see", "where", "look")) or sentence.files:
        return None
    reader = RequestLine(brief, sentence.items, sentence.text)
    named = reader.named()
    if not named or named[0].many or not brief.things or any(item.kinds & {"a", "an"} for item in sentence.items):
        return None
    films = [product for product in brief.things if product.kind == "film" and product.stands]
    first = named[0]
    if first.noun == "film" and not first.shown and not first.place and not first.number and not first.size and films:
        return Line(local="show", words=str(films[-1].number))
    found = [product for reference in named[:1] for product in reader.meant(reference)]
    if len(found) != 1:
        return None
    product = found[0]
    bare = named[0].noun is None and not named[0].number and not named[0].pronoun
    return Line(local="show", words=str(reader.clip_of(product).number if bare else product.number))
