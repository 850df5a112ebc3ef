"""The moves of a conversation, as validated values."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from graph.state.values import Sentence, ShotSeconds
from tools.arguments import described
from tools.cutting.edits import LEAST_SPEED, MOST_SPEED, MOST_TIMES
from tools.uploads.files import LONGEST_NAME

MOST_AT_ONCE = 8


CALL_ID = r"^[0-9]{1,4}[.][a-z_]{4,20}([.][0-9]{1,3})?$"


CallId = Annotated[str, Field(pattern=CALL_ID, description="Id of a call on the board")]


PRODUCT = r"^(image|clip|film)-[0-9a-f]{16}$"


ProductId = Annotated[str, Field(pattern=PRODUCT, description="Id of a stored product")]


Count = Annotated[int, Field(ge=1, le=MOST_AT_ONCE)]


class Move(BaseModel):
    """The base class of all moves."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_serialization_defaults_required=True)


class GoOn(Move):
    """Accept what is shown and begin the next stage."""

    model_config = described("What is shown is good: it stands, and the next stage begins.")

    do: Literal["go_on"] = "go_on"


class Again(Move):
    """Make a call again with `count` new seeds; existing takes are kept."""

    model_config = described("The same words with a new seed, `count` times; the takes that are there stay.")

    do: Literal["again"] = "again"
    call: CallId
    count: Count = 1


class Choose(Move):
    """Select another take of a call, numbered from 1; products of the previous one become stale."""

    model_config = described(
        "Another take of a call stands, by its number from 1; what was made from the old one becomes stale."
    )

    do: Literal["choose"] = "choose"
    call: CallId
    take: Annotated[int, Field(ge=1)]


class Change(Move):
    """Have A3 edit the product of a call."""

    model_config = described("A3 changes the product of a call as an instruction says.")

    do: Literal["change"] = "change"
    call: CallId
    instruction: Sentence


class Reword(Move):
    """Make a call again with a different prompt or instruction.

    later: keep the present take selected, as stale, instead of making the call now.
    """

    model_config = described(
        "A call is made again with other words: the prompt of a picture or of a motion, or an instruction.\n\n"
        "later: what is there stands, and becomes stale."
    )

    do: Literal["reword"] = "reword"
    call: CallId
    words: Sentence
    seconds: ShotSeconds | None = None
    later: bool = False


class Animate(Move):
    """Make a clip from a picture."""

    model_config = described("A picture becomes a clip.")

    do: Literal["animate"] = "animate"
    image: ProductId
    prompt: Sentence
    seconds: ShotSeconds | None = None


class EditClip(Move):
    """Have A3 edit a stored clip or film; its motion is kept."""

    model_config = described("A3 changes a stored clip or film, its motion kept.")

    do: Literal["edit_clip"] = "edit_clip"
    clip: ProductId
    instruction: Sentence


class EditPicture(Move):
    """Have A3 edit a stored picture."""

    model_config = described("A3 changes a stored picture.")

    do: Literal["edit_picture"] = "edit_picture"
    image: ProductId
    instruction: Sentence


class Extend(Move):
    """Continue a stored clip or film, or prepend to it, and join the result into a film."""

    model_config = described("A stored clip or film goes on, or gets something before it; the whole becomes a film.")

    do: Literal["extend"] = "extend"
    clip: ProductId
    prompt: Sentence
    seconds: ShotSeconds | None = None
    before: bool = False


class Connect(Move):
    """Have A5 make a transition between two clips or films, and join all three into a film."""

    model_config = described(
        "A5 leads from the end of one clip or film to the beginning of another; the whole becomes a film."
    )

    do: Literal["connect"] = "connect"
    first: ProductId
    second: ProductId
    seconds: ShotSeconds | None = None


class Film(Move):
    """Join the named clips, or all selected ones, into one film."""

    model_config = described("The clips named, or all that stand, become one film.")

    do: Literal["film"] = "film"
    clips: tuple[ProductId, ...] = ()


OrFilm = Annotated[ProductId | None, Field(description="Id of a stored clip or film; none means the film that stands")]


class Order(Move):
    """Put clips first in a film, in the order named; the others follow as they were.

    film: None for the film that stands; if there is none, one is made of all that stands. Costs no agent.
    """

    model_config = described(
        "The clips named come first in the film, in this order; the others follow as they were. Costs nothing."
    )

    do: Literal["order"] = "order"
    clips: tuple[ProductId, ...] = Field(min_length=1, max_length=64)
    film: OrFilm = None


class Drop(Move):
    """Leave clips out of a film; they are kept. film: as for `Order`. Costs no agent."""

    model_config = described("The clips named are left out of the film, and kept. Costs nothing.")

    do: Literal["drop"] = "drop"
    clips: tuple[ProductId, ...] = Field(min_length=1, max_length=64)
    film: OrFilm = None


class Trim(Move):
    """Keep what a clip or film shows between two times, in seconds. end: None for its end. Costs no agent."""

    model_config = described(
        "Only what a clip or film shows from `start` to `end` seconds is kept, in whole frames. Costs nothing."
    )

    do: Literal["trim"] = "trim"
    clip: OrFilm = None
    start: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    end: float | None = Field(default=None, gt=0, allow_inf_nan=False)


class Loop(Move):
    """Play a clip or film several times. Costs no agent."""

    model_config = described("A clip or film is played `times` times. Costs nothing.")

    do: Literal["loop"] = "loop"
    clip: OrFilm = None
    times: int = Field(default=2, ge=2, le=MOST_TIMES)


class Reverse(Move):
    """Play a clip or film backwards. Costs no agent."""

    model_config = described("A clip or film is played backwards. Costs nothing.")

    do: Literal["reverse"] = "reverse"
    clip: OrFilm = None


class Speed(Move):
    """Play a clip or film `factor` times as fast; frames are kept or repeated, never blended. Costs no agent."""

    model_config = described(
        "A clip or film is played `factor` times as fast: 2 is twice as fast, 0.5 half as fast. Costs nothing."
    )

    do: Literal["speed"] = "speed"
    clip: OrFilm = None
    factor: float = Field(ge=LEAST_SPEED, le=MOST_SPEED, allow_inf_nan=False)


class Length(Move):
    """Make a clip or film last `seconds` by trimming its end. It is not made longer. Costs no agent."""

    model_config = described("A clip or film is cut to a length in seconds, shorter than its own. Costs nothing.")

    do: Literal["length"] = "length"
    clip: OrFilm = None
    seconds: float = Field(gt=0, allow_inf_nan=False)


class Wish(Move):
    """Have the planner make new shots of a wish."""

    model_config = described("Something new: the planner makes shots of the words.")

    do: Literal["wish"] = "wish"
    words: str = Field(min_length=1, max_length=2000)


class Undo(Move):
    """Undo the last turn; no product is deleted."""

    model_config = described("What the last turn changed is as it was before; nothing that was made is lost.")

    do: Literal["undo"] = "undo"


class Refresh(Move):
    """Make everything stale again, and nothing else."""

    model_config = described("Everything stale is made again, and nothing else.")

    do: Literal["refresh"] = "refresh"


class RaiseLimit(Move):
    """Allow more repeats of a call."""

    model_config = described("The person allows more repeats of a call.")

    do: Literal["raise_limit"] = "raise_limit"
    call: CallId
    most: Annotated[int, Field(ge=1, le=100)]


class Upload(Move):
    """Put a stored file of the person on the board, where it stands. Models have no files, so it is no tool of theirs.

    file: its name. fitted: the size it was fitted to, None if it had that. shows: a sentence of what is seen in it,
    None if that is not known. notes: sentences about the file for the person.
    """

    do: Literal["upload"] = "upload"
    product: ProductId
    file: str = Field(min_length=1, max_length=LONGEST_NAME)
    fitted: str | None = Field(default=None, max_length=20)
    shows: Sentence | None = None
    notes: tuple[Annotated[str, Field(max_length=500)], ...] = Field(default=(), max_length=8)


BoardMove = (
    GoOn
    | Again
    | Choose
    | Change
    | Reword
    | Animate
    | EditClip
    | EditPicture
    | Extend
    | Connect
    | Film
    | Order
    | Drop
    | Trim
    | Loop
    | Reverse
    | Speed
    | Length
    | Undo
    | Refresh
    | RaiseLimit
)


AnyMove = Annotated[BoardMove | Wish, Field(discriminator="do")]
"""What a planner may answer with."""
GivenMove = Annotated[BoardMove | Wish | Upload, Field(discriminator="do")]
"""What a person may give without words."""


def products_of(move: GivenMove) -> list[str]:
    """Return the ids of the stored products that a move names."""
    named = (getattr(move, name, None) for name in ("image", "clip", "first", "second", "film", "product"))
    return [*filter(None, named), *getattr(move, "clips", ())]
