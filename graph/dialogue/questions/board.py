"""Answers to questions about what there is, told from the store."""

import re

from graph.dialogue.lines.sentence import items_of
from graph.dialogue.products.appearance import sceneries
from graph.dialogue.products.candidates import Candidates, Nothing, Which
from graph.dialogue.products.references import Resolver
from graph.dialogue.questions.texts import HELP, MEANINGS, MEANT_AS
from graph.planning.summary import board_summary, making_summary
from graph.planning.turn import TalkBrief
from graph.state.products import Product, lines_of


def meaning(_brief: TalkBrief, found: re.Match[str]) -> str | None:
    """Return what a word of the conversation means."""
    word = (found.groupdict().get("word") or found.groupdict().get("word2") or "").strip(" ?\"'`")
    word = re.sub(r"^(?:a|an|the|it|is|this) ", "", word)
    known = MEANT_AS.get(word, word)
    names = (MEANT_AS.get(name, name) for name in (known, *word.split()))
    explained = next((MEANINGS[name] for name in names if name in MEANINGS), None)
    return explained or f"I do not know `{word}`. {HELP}"


def board(brief: TalkBrief, _found: re.Match[str]) -> str:
    """Return the list of what there is."""
    return board_summary(brief.things, brief.stale)


def stale(brief: TalkBrief, _found: re.Match[str]) -> str:
    """Return what is stale."""
    found = _stale_products(brief)
    return f"These are stale; `refresh` makes them again:\n{lines_of(found)}" if found else "Nothing is stale."


def waiting(brief: TalkBrief, _found: re.Match[str]) -> str:
    """Return what waits for a decision, and what can be said."""
    found = [product for product in brief.things if product.waits and not product.stands]
    if not found:
        return f"Nothing waits for your word. {next_steps(brief)}"
    return f"These wait for your word:\n{lines_of(found)}\n{next_steps(brief)}"


def next_to_say(brief: TalkBrief, _found: re.Match[str]) -> str:
    """Return what can be said now."""
    return next_steps(brief)


def next_steps(brief: TalkBrief) -> str:
    """Return in a sentence what can be said on this board."""
    if not brief.things:
        return "Say what you want to see, like `a red ball moves right in the snow`."
    waiting = [product for product in brief.things if product.waits and not product.stands]
    if len({product.call for product in waiting}) < len(waiting):
        return f"Say which one: `use number {waiting[-1].number}`; or `again`, or what to change, like `make it night`."
    if waiting and waiting[-1].kind == "picture":
        return (
            "`go on` sets it in motion; `again` draws another; or say what to change (`make it night`) or how it moves."
        )
    if waiting:
        return (
            "`go on` accepts it; `again` makes another; or say how it moves, `extend it`, `make a film`, or "
            "wish for something new."
        )
    if any(product.kind == "film" and product.stands for product in brief.things):
        return (
            "`save it as film.mp4`, `extend it`, `order`, `leave out`, or change a clip and `refresh`; or "
            "wish for something new."
        )
    return (
        "`make a film`, `extend it`, change something (`make it night`), `save it as clip.mp4`, or wish "
        "for something new."
    )


def how_made(brief: TalkBrief, found: re.Match[str]) -> str:
    """Return how the products that are named were made. Raises Which, Nothing."""
    named = next((value for name, value in found.groupdict().items() if name.startswith("what") and value), "")
    if not brief.things:
        return "Nothing was made yet."
    candidates = Candidates(brief)
    items = items_of(candidates.with_ids(named).split(" ")) if named else []
    resolver = Resolver(candidates)
    products = [product for item in items if item.meant is not None for product in resolver.all(item.meant)]
    return making_summary(brief, products)


def how_many(brief: TalkBrief, found: re.Match[str]) -> str:
    """Return how many products of a kind there are."""
    noun = found["noun"]
    kind = {
        "pictures": "picture",
        "images": "picture",
        "clips": "clip",
        "videos": "clip",
        "films": "film",
        "movies": "film",
    }.get(noun)
    live = [product for product in brief.things if product.board and (kind is None or product.kind == kind)]
    standing = [product for product in live if product.stands]
    word = noun if kind else "products"
    numbers = ", ".join(str(product.number) for product in live)
    return f"There are {len(live)} {word}" + (f": number {numbers}; {len(standing)} of them stand." if live else ".")


def which(brief: TalkBrief, found: re.Match[str]) -> str | None:
    """Return the products that show something or are of a kind; None if the question names neither."""
    items = items_of((found["what"] or "").split(" "))
    looks: dict[str, str] = {}
    for item in items:
        for kind in ("colour", "object", "scene"):
            if kind in item.kinds and item.value:
                looks[kind] = item.value
        if item.meant is not None:
            looks |= item.meant.shown
    kinds = next((item.meant.kinds for item in items if item.meant is not None and item.meant.kinds), frozenset())
    shown = [
        product
        for product in brief.things
        if (not kinds or product.kind in kinds)
        and (not looks or any(all(getattr(s, k, None) == v for k, v in looks.items()) for s in sceneries(product)))
    ]
    if not looks and not kinds:
        return None
    if "long" in found["what"].split(" ") and kinds:
        shown = sorted(shown, key=lambda product: (len(product.of), product.number))[-1:]
    return f"These:\n{lines_of(shown)}" if shown else "None of them."


def how_long(brief: TalkBrief, found: re.Match[str]) -> str | None:
    """Return how long a product is."""
    what = found["what"]
    candidates = Candidates(brief)
    try:
        items = [item for item in items_of(candidates.with_ids(what).split(" ")) if item.meant is not None]
        meant = items[0].meant if items else None
        product = (
            Resolver(candidates).one(meant, frozenset(("clip", "film")))
            if meant is not None
            else Resolver(candidates).it()
        )
    except (Which, Nothing):
        return "Its length stands beside it where it was shown."
    return (
        f"Number {product.number} is {_seconds_of(product, brief)} long; its exact length stands beside it above."
        if product.kind != "picture"
        else (f"Number {product.number} is a picture; a clip of it lasts two seconds if you do not say otherwise.")
    )


def length(brief: TalkBrief, found: re.Match[str]) -> str | None:
    """Return how long a product is, or how long a clip is by default."""
    return (
        how_long(brief, found)
        if brief.things
        else "A clip lasts two seconds if you do not say otherwise; say `for 3 seconds`."
    )


def _seconds_of(product: Product, brief: TalkBrief) -> str:
    """Return how long a product is as far as its board tells."""
    parts = [each for each in brief.things if each.number in product.of and each.kind != "picture"]
    clips = max(1, len(parts)) if product.kind == "film" else 1
    return f"about {2 * clips} seconds"


def parts_of_film(brief: TalkBrief, _found: re.Match[str]) -> str:
    """Return the clips that the latest film is joined of."""
    films = [product for product in brief.things if product.kind == "film" and product.board]
    if not films:
        return "There is no film yet; `make a film` joins all clips that stand."
    film = films[-1]
    parts = [product for product in brief.things if product.number in film.of]
    return f"Film number {film.number} is joined of:\n{lines_of(parts)}"


def kind_of_latest(brief: TalkBrief, _found: re.Match[str]) -> str:
    """Return the kind of what was made last."""
    near = Candidates(brief).it or brief.things[-1:]
    if not near:
        return "There is nothing yet; say what you want to see."
    product = near[-1]
    more = "; not yet a clip: `go on` sets it in motion" if product.kind == "picture" else ""
    return f"Number {product.number} is a {product.kind}{more}."


def said_before(brief: TalkBrief, _found: re.Match[str]) -> str | None:
    """Return what was answered last, or what can be said."""
    last = next((spoken.text for spoken in reversed(brief.before) if spoken.who == "mora"), None)
    return f"I said: {last}" if last else next_steps(brief)


def still_there(brief: TalkBrief, found: re.Match[str]) -> str | None:
    """Return whether a product is still there; None if none is named. Raises Which, Nothing."""
    candidates = Candidates(brief)
    named = found["what"] or found["what2"]
    items = [item for item in items_of(candidates.with_ids(named).split(" ")) if item.meant is not None]
    if not items or items[0].meant is None:
        return None
    product = Resolver(candidates).one(items[0].meant)
    state = (
        "it stands"
        if product.stands
        else "it waits for your word"
        if product.waits
        else "it was taken back"
        if not product.board
        else "it is kept"
    )
    return f"Yes: {product.line}; {state}. Nothing that was made is deleted."


def what_happened(brief: TalkBrief, found: re.Match[str]) -> str:
    """Return what is stale, or else how everything was made."""
    return stale(brief, found) if _stale_products(brief) else making_summary(brief, [])


def _stale_products(brief: TalkBrief) -> list[Product]:
    return [product for product in brief.things if product.stands and product.call in brief.stale]
