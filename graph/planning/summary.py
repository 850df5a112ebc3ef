"""Summarize the board and the history of products as text, one line per product.

Everything is derived from the state, so the summary is true whatever a model claimed. Products are named by the number
they are displayed with, which counts them in creation order.
"""

from collections.abc import Sequence

from graph.planning.turn import TalkBrief
from graph.state.products import Product, lines_of
from tools.registry import TOOLS

UNLISTED = "not listed here."
"""How what is told ends if there is more."""


def board_summary(things: Sequence[Product], stale: Sequence[str]) -> str:
    """Return the selected, the waiting and the stale products, one line per product below a heading."""
    if not things:
        return "There is nothing yet; say what you want to see."
    standing = [thing for thing in things if thing.stands]
    waiting = [thing for thing in things if thing.waits and not thing.stands]
    others = len(things) - len(standing) - len(waiting)
    parts = [f"These stand:\n{lines_of(standing)}"] if standing else ["Nothing stands yet."]
    parts += [f"These wait for your word:\n{lines_of(waiting)}"] if waiting else []
    if old := [f"number {thing.number}" for thing in standing if thing.call in stale]:
        parts.append(f"Stale: {', '.join(old)}; `refresh` makes {'it' if len(old) == 1 else 'them'} again.")
    if others:
        parts.append(f"{others} more {'is' if others == 1 else 'are'} kept, {UNLISTED}")
    return "\n".join(parts)


def making_summary(brief: TalkBrief, things: list[Product]) -> str:
    """Return how products were made, one line each: those in `things`, else the latest ones."""
    if not brief.things:
        return "Nothing was made yet."
    among = things or brief.things[-8:]
    before = among[0].number - 1
    earlier = f"\nBefore that, {before} more, {UNLISTED}" if not things and before else ""
    return "I made:\n" + "\n".join(_making(thing) for thing in among) + earlier


def _making(thing: Product) -> str:
    """Return a line such as `   4  picture: a red ball grows in the snow (drawn by A2, take 4)`."""
    of = f" of {', '.join(map(str, thing.of))}" if thing.of else ""
    tool = TOOLS.get(thing.call.split(".")[1] if thing.call else "")
    how = "made elsewhere" if tool is None else tool.made
    back = "" if thing.board else ", taken back"
    return f"{thing.number:>4}  {thing.looks} ({how}{of}, take {thing.take}{back})"
