"""One product at a time: what an agent is asked for, and how what it made is judged by the oracle and by measures."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from evals.world import wishes
from evals.world.cases import Case, EditCase, JoinCase, told
from evals.world.gallery import Strip, beside, numbered
from evals.world.measures import (
    BACKGROUND_DB,
    END_DB,
    LEAST_STEP,
    OWN_STEPS,
    attributes,
    background_db,
    follows,
    named_and_kept,
    psnr_db,
)
from evals.world.oracle import look
from evals.world.results import Part, Seen, Split
from evals.world.trial import Book, Question, Verdict, attempt, seen_in
from models.agent import (
    Agent,
    Clip,
    ConnectSpec,
    EditSpec,
    ImageSpec,
    Lender,
    Picture,
    UInt8Array,
    VideoSpec,
)
from models.embedded.language import FPS, NUM_FRAMES, Scenery, motion_sentence
from models.embedded.world import Track
from models.errors import AgentError
from tools.media.continuity import MOST_JUMP, jump, steps

FRAME_0: Final = "frame 0, dB"
OUTSIDE: Final = "background, dB"
NEW_STEP: Final = "first new step, grey levels"
JUMP: Final = "jump, usual steps"
EVENNESS: Final = "largest step inside, mean steps"
FIRST_DB: Final = "first frame, dB"
LAST_DB: Final = "last frame, dB"
SHOWN: Final = 3
"""Frames of a clip that a sheet shows on either side of what was made."""

_PICTURE_MARKS: Final = ("object", "colour", "scene", "style")
_CLIP_MARKS: Final = ("object", "colour", "scene", "motion", "style")
BACKGROUND: Final = f"background, {BACKGROUND_DB:g} dB"
SMOOTH: Final = "first new frame"
FIRST, LAST = f"first frame, {END_DB:g} dB", f"last frame, {END_DB:g} dB"
ENDS: Final = "both ends"
NO_JUMP: Final = "no jump"
UNDERSTOOD: Final = "taken for one shot"

WISH: Final = Part("wish read", (UNDERSTOOD, *_CLIP_MARKS))
FIRST_FRAME: Final = Part("first frame", _PICTURE_MARKS)
CLIP: Final = Part("clip", _CLIP_MARKS)
FROM_TRUTH: Final = Part("from truth", _CLIP_MARKS)
EDITED: Final = Part("edited picture", ("named changed", "unnamed kept", BACKGROUND), aside=(BACKGROUND,))
EDITED_CLIP: Final = Part("edited clip", ("named changed", "unnamed kept", "motion"))
ANIMATED_EDIT: Final = Part("edited, animated", _CLIP_MARKS)
EXTENSION: Final = Part("extension", (*_CLIP_MARKS, SMOOTH), aside=(SMOOTH,))
SECOND_EXTENSION: Final = Part("second extension", (*_CLIP_MARKS, SMOOTH), aside=(SMOOTH,))
TRANSITION: Final = Part("transition", (FIRST, LAST, ENDS, NO_JUMP))


def about(part: Part, case: Case, sentence: str | None = None) -> Question:
    """The question of a case, by default in its own sentence."""
    scenery = case.scenery
    return Question(part, case.split, scenery.sentence if sentence is None else sentence, scenery.digital, case.seed)


def about_edit(part: Part, one: EditCase, *, moving: bool = False) -> Question:
    """The question of an edit. Where the scene or the style is changed, there is no background to keep."""
    without = (BACKGROUND,) if one.edit.scene or one.edit.digital else ()
    sentence = told(one, moving=moving)
    return Question(part, one.case.split, sentence, one.after.digital, one.case.seed, one.kind, without)


def splits_of(asked: Sequence[Case]) -> list[Split]:
    """The side of each."""
    return [case.split for case in asked]


# -- A1


def read_wish(book: Book, case: Case) -> None:
    """A1 reads the case in other words; of what it takes for several shots, or refuses, no attribute is marked."""
    wish = wishes.wish_for(case.scenery, case.seed)
    read = wishes.read(wish, case.seed)
    question = about(WISH, case, wish)
    if isinstance(read, str):
        book.enter(replace(question, without=_CLIP_MARKS), AgentError(read), partial(_read_marks, case.scenery))
    else:
        book.enter(question, read, partial(_read_marks, case.scenery))


def _read_marks(asked: Scenery, seen: Seen) -> Verdict:
    return Verdict({UNDERSTOOD: True, **attributes(seen, asked)}, seen=seen)


def reads(case: Case) -> bool:
    """Whether A1 understands the case in other words."""
    read = wishes.read(wishes.wish_for(case.scenery, case.seed), case.seed)
    return not isinstance(read, str) and all(attributes(read, case.scenery).values())


# -- A2 and A4


def first_frames(lender: Lender, book: Book, asked: Sequence[Case]) -> list[Picture | None]:
    """A2 draws every case; None where it failed."""
    with lender.lend("text_to_image") as draw:
        book.weights["text_to_image"] = draw.weights
        drawn = []
        for case in asked:
            made = attempt(draw, ImageSpec(case.scenery.sentence, case.seed))
            drawn.append(book.enter(about(FIRST_FRAME, case), made, partial(_picture_marks, case.scenery)))
    return drawn


def _picture_marks(asked: Scenery, picture: Picture) -> Verdict:
    saw = look(picture.pixels[None])
    return Verdict(attributes(saw, asked), numbered(picture.pixels[None]), seen_in(saw))


def animate_one(
    book: Book,
    agent: Agent[VideoSpec, Clip],
    question: Question,
    asked: Scenery,
    prompt: str,
    picture: Picture | None,
) -> None:
    """A4 animates a picture; None counts as all wrong."""
    made: Clip | AgentError = AgentError("there was no first frame")
    if picture is not None:
        made = attempt(agent, VideoSpec(prompt, picture, NUM_FRAMES, question.seed))
    book.enter(question, made, partial(_animated_marks, asked, picture))


def _animated_marks(asked: Scenery, given: Picture | None, clip: Clip) -> Verdict:
    saw = look(clip.frames)
    levels = {} if given is None else {FRAME_0: psnr_db(clip.frames[0], given.pixels)}
    return Verdict(attributes(saw, asked), numbered(clip.frames), seen_in(saw), levels)


def from_truth(book: Book, agent: Agent[VideoSpec, Clip], asked: Sequence[Case]) -> None:
    """A4 animates the true first frame of every case."""
    for case in asked:
        picture = Picture(case.truth()[0])
        animate_one(book, agent, about(FROM_TRUTH, case), case.scenery, case.scenery.sentence, picture)


# -- A3


def change_picture(book: Book, agent: Agent[EditSpec, Picture], one: EditCase, frame: int) -> Picture | None:
    """A3 changes one frame of a case's clip."""
    before = Picture(one.case.truth()[frame])
    made = attempt(agent, EditSpec(one.edit.instruction, before, one.case.seed))
    return book.enter(about_edit(EDITED, one), made, partial(_edited_marks, one, frame, before))


def _edited_marks(one: EditCase, frame: int, before: Picture, after: Picture) -> Verdict:
    saw, where = look(after.pixels[None]), one.case.track
    level = background_db(before.pixels, after.pixels, where, frame)
    marks = {**named_and_kept(saw, one.case.scenery, one.edit), BACKGROUND: level >= BACKGROUND_DB}
    levels = {} if one.edit.scene or one.edit.digital else {OUTSIDE: level}
    strip = Strip(np.stack([before.pixels, after.pixels]), ("before", "after"))
    return Verdict(marks, strip, seen_in(saw), levels)


def change_clip(book: Book, agent: Agent[EditSpec, Picture], one: EditCase) -> None:
    """A3 changes every frame of a case's clip, with one seed."""
    question = about_edit(EDITED_CLIP, one)
    book.enter(question, _every_frame(agent, one), partial(_edited_clip_marks, one))


def _every_frame(agent: Agent[EditSpec, Picture], one: EditCase) -> Clip | AgentError:
    frames = []
    for frame in one.case.truth():
        made = attempt(agent, EditSpec(one.edit.instruction, Picture(frame), one.case.seed))
        if isinstance(made, AgentError):
            return made
        frames.append(made.pixels)
    return Clip(np.stack(frames), FPS)


def _edited_clip_marks(one: EditCase, clip: Clip) -> Verdict:
    saw = look(clip.frames)
    marks = {**named_and_kept(saw, one.case.scenery, one.edit), "motion": saw.motion == one.case.scenery.motion}
    return Verdict(marks, numbered(clip.frames), seen_in(saw))


def edit_then_animate(lender: Lender, book: Book, edits: Sequence[EditCase]) -> None:
    """A3 changes the first frames of the cases, and A4 gives them the motion of the case."""
    with lender.lend("edit_image") as edit:
        book.weights["edit_image"] = edit.weights
        pictures = [change_picture(book, edit, one, 0) for one in edits]
    with lender.lend("image_to_video") as animate:
        book.weights["image_to_video"] = animate.weights
        for one, picture in zip(edits, pictures, strict=True):
            question = about_edit(ANIMATED_EDIT, one, moving=True)
            animate_one(book, animate, question, one.after, motion_sentence(one.after.motion), picture)
    read = [wishes.reads_edit(one.edit, one.after.motion, one.case.seed) for one in edits]
    splits = splits_of([one.case for one in edits])
    book.chain(splits, ("A1", read), ("A3", book.good(EDITED)), ("A4", book.good(ANIMATED_EDIT)))


# -- A4 on the last frame, A5


def extend_clip(
    book: Book, agent: Agent[VideoSpec, Clip], question: Question, case: Case, clip: Clip | None, expected: Track
) -> Clip | None:
    """A4 goes on from a clip's last frame in the case's motion; what it should do is `expected`."""
    made: Clip | AgentError = AgentError("there was no clip to extend")
    if clip is not None:
        spec = VideoSpec(motion_sentence(case.scenery.motion), Picture(clip.frames[-1]), NUM_FRAMES, case.seed)
        made = attempt(agent, spec)
    return book.enter(question, made, partial(_extended_marks, case.scenery, clip, expected))


def _extended_marks(asked: Scenery, before: Clip | None, expected: Track, clip: Clip) -> Verdict:
    assert before is not None, "an extension of nothing has failed"
    saw, new = look(clip.frames), clip.frames[1:]
    step = float(steps(np.stack([before.frames[-1], new[0]]))[0])
    marks = {
        **attributes(saw, asked),
        "motion": follows(saw, expected),
        SMOOTH: step <= max(OWN_STEPS * float(np.median(steps(before.frames))), LEAST_STEP),
    }
    strip = beside(numbered(before.frames, name="given", last=SHOWN), numbered(new, name="new"))
    return Verdict(marks, strip, seen_in(saw), {NEW_STEP: step, JUMP: jump(before.frames, new)})


def join_clips(book: Book, agent: Agent[ConnectSpec, Clip], one: JoinCase) -> None:
    """A5 leads from one clip to the other."""
    before, after = one.clips()
    spec = ConnectSpec(Picture(before[-1]), Picture(after[0]), NUM_FRAMES, one.case.seed)
    question = about(TRANSITION, one.case, one.sentence)
    book.enter(question, attempt(agent, spec), partial(_joined_marks, one, before, after))


def _joined_marks(one: JoinCase, before: UInt8Array, after: UInt8Array, clip: Clip) -> Verdict:
    frames = clip.frames
    first, last = look(frames[:1]), look(frames[-1:])
    begins = _as_asked(attributes(first, one.case.scenery))
    levels = {
        FIRST_DB: psnr_db(frames[0], before[-1]),
        LAST_DB: psnr_db(frames[-1], after[0]),
        # As in the film: the clips' own ends are shown, the transition's are not.
        JUMP: max(jump(before, frames[1:]), jump(frames[:-1], after)),
        EVENNESS: _evenness(frames),
    }
    marks = {
        FIRST: levels[FIRST_DB] >= END_DB,
        LAST: levels[LAST_DB] >= END_DB,
        ENDS: begins and _as_asked(attributes(last, one.after)),
        NO_JUMP: levels[JUMP] <= MOST_JUMP,
    }
    shown = numbered(before, name="one", last=SHOWN), numbered(frames), numbered(after[:SHOWN], name="two")
    return Verdict(marks, beside(*shown), seen_in(last if begins else first), levels)


def _evenness(frames: UInt8Array) -> float:
    """The largest step inside a clip over its mean step: 1 is even, one less than the frames a cut, 0 a standstill."""
    inside = steps(frames)
    return float(inside.max() / inside.mean()) if inside.any() else 0.0


def _as_asked(right: dict[str, bool]) -> bool:
    return all(right[mark] for mark in _PICTURE_MARKS)
