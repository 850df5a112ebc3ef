"""What the terminal adds to a reply that other faces have a button for: the command that does it."""

from collections.abc import Mapping

from graph.dialogue.questions.smalltalk import SAVING, SHOWING
from graph.dialogue.questions.texts import HELP
from graph.planning.summary import UNLISTED
from graph.state.apply import RAISE_LIMIT
from graph.state.film_moves import EXTENDED, ONE_FILM

HINTS: Mapping[str, str] = {
    HELP: " /help lists the commands that do the same.",
    ONE_FILM: " `/save film.mp4` writes a copy of it.",
    EXTENDED: " `/loop`, `/speed` and `/extend` do that.",
    RAISE_LIMIT: " `/limit 6` does, for example.",
    SAVING: " `/save ball.mp4` writes the last product, `/save ball.png 2` number 2.",
    UNLISTED: " /takes lists every one.",
    SHOWING: " `/show 2` shows number 2 again, /takes lists every one.",
}
"""How a reply ends -> what is added."""


def with_commands(reply: str) -> str:
    """The reply, and the command that does what it speaks of."""
    return reply + next((hint for ending, hint in HINTS.items() if reply.endswith(ending)), "")
