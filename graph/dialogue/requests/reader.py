"""From a line of a known form to moves.

The line was understood to its last word before it comes here; what a form still lacks is asked for.
"""

from collections.abc import Callable

from graph.dialogue.lines.forms import form_of
from graph.dialogue.requests.changing import read_change
from graph.dialogue.requests.choosing import read_again, read_animate, read_choose, read_limit
from graph.dialogue.requests.film_edits import FilmEditor
from graph.dialogue.requests.joining import read_connect, read_extend, read_film
from graph.dialogue.requests.line import RequestLine
from graph.planning.turn import Heard
from graph.state.moves import Refresh

_READERS: dict[str, Callable[[RequestLine], Heard | None]] = {
    "animate": read_animate,
    "limit": read_limit,
    "refresh": lambda _line: Heard(moves=(Refresh(),)),
    "again": read_again,
    "choose": read_choose,
    "extend": read_extend,
    "connect": read_connect,
    "film": read_film,
    "request": read_change,
    "show": lambda _line: None,  # shown without a turn, see runs/chat/local_words.py
}
"""Form -> how it is read; the other forms edit films."""


def read_request(line: RequestLine, *but: str) -> Heard | None:
    """Return the moves of a line that is understood whole; None for another. Raises Which, Nothing, Refusal.

    but: forms that the line is not of.
    """
    form = form_of(line.items, *but)
    if form is None:
        return None
    reader = _READERS.get(form.name)
    heard = FilmEditor(line).read(form.name) if reader is None else reader(line)
    return heard if heard is not None else read_request(line, *but, form.name)
