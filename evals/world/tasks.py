"""Ask the agents for one product at a time and judge each with the oracle and the measures."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from evals.world import wishes
from evals.world.cases import Case, EditCase, JoinCase, edit_sentence
from evals.world.gallery import Strip, numbered, side_by_side
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
from evals.world.results import Part, Seen, Split
from evals.world.trial import Question, TrialRecorder, Verdict, attempt, seen_attributes
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
from models.embedded.oracle import look
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
"""Frames of the given clips that a sheet shows before and after the product."""

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
EDITED: Final = Part("edited picture", ("named changed", "unnamed kept", BACKGROUND), informational=(BACKGROUND,))
EDITED_CLIP: Final = Part("edited clip", ("named changed", "unnamed kept", "motion"))
ANIMATED_EDIT: Final = Part("edited, animated", _CLIP_MARKS)
EXTENSION: Final = Part("extension", (*_CLIP_MARKS, SMOOTH), informational=(SMOOTH,))
SECOND_EXTENSION: Final = Part("second extension", (*_CLIP_MARKS, SMOOTH), informational=(SMOOTH,))
TRANSITION: Final = Part("transition", (FIRST, LAST, ENDS, NO_JUMP))


def question_for(part: Part, case: Case, sentence: str | None = None) -> Question:
    """Return the question of a case. sentence: None for the case's own sentence."""
    scenery = case.scenery
    return Question(part, case.split, scenery.sentence if sentence is None else sentence, scenery.digital, case.seed)


def question_for_edit(part: Part, one: EditCase, *, moving: bool = False) -> Question:
    """Return the question of an edit. If it changes the scene or the style, there is no background to keep."""
    without = (BACKGROUND,) if one.edit.scene or one.edit.digital else ()
    sentence = edit_sentence(one, moving=moving)
    return Question(part, one.case.split, sentence, one.after.digital, one.case.seed, one.kind, without)


def splits_of(requested: Sequence[Case]) -> list[Split]:
    """Return the split of each case."""
    return [case.split for case in requested]


# -- A1


def read_wish(recorder: TrialRecorder, case: Case) -> None:
    """Record how A1 reads a paraphrase of the case. If it refuses or reads several shots, no attribute is marked."""
    wish = wishes.wish_for(case.scenery, case.seed)
    read = wishes.read(wish, case.seed)
    question = question_for(WISH, case, wish)
    if isinstance(read, str):
        recorder.record(
            replace(question, without=_CLIP_MARKS), AgentError("case-misread", read), partial(_read_marks, case.scenery)
        )
    else:
        recorder.record(question, read, partial(_read_marks, case.scenery))


def _read_marks(requested: Scenery, seen: Seen) -> Verdict:
    return Verdict({UNDERSTOOD: True, **attributes(seen, requested)}, seen=seen)


def reads(case: Case) -> bool:
    """Return whether A1 reads a paraphrase of the case correctly."""
    read = wishes.read(wishes.wish_for(case.scenery, case.seed), case.seed)
    return not isinstance(read, str) and all(attributes(read, case.scenery).values())


# -- A2 and A4


def first_frames(lender: Lender, recorder: TrialRecorder, requested: Sequence[Case]) -> list[Picture | None]:
    """Let A2 draw every case; return the pictures, None where it failed."""
    with lender.lend("text_to_image") as draw:
        recorder.weights["text_to_image"] = draw.weights
        drawn = []
        for case in requested:
            made = attempt(draw, ImageSpec(case.scenery.sentence, case.seed))
            drawn.append(recorder.record(question_for(FIRST_FRAME, case), made, partial(_picture_marks, case.scenery)))
    return drawn


def _picture_marks(requested: Scenery, picture: Picture) -> Verdict:
    saw = look(picture.pixels[None])
    return Verdict(attributes(saw, requested), numbered(picture.pixels[None]), seen_attributes(saw))


def animate_one(
    recorder: TrialRecorder,
    agent: Agent[VideoSpec, Clip],
    question: Question,
    requested: Scenery,
    prompt: str,
    picture: Picture | None,
) -> None:
    """Let A4 animate a picture and record the clip; without a picture all marks are wrong."""
    made: Clip | AgentError = AgentError("case-without-first-frame", "there was no first frame")
    if picture is not None:
        made = attempt(agent, VideoSpec(prompt, picture, NUM_FRAMES, question.seed))
    recorder.record(question, made, partial(_animated_marks, requested, picture))


def _animated_marks(requested: Scenery, given: Picture | None, clip: Clip) -> Verdict:
    saw = look(clip.frames)
    levels = {} if given is None else {FRAME_0: psnr_db(clip.frames[0], given.pixels)}
    return Verdict(attributes(saw, requested), numbered(clip.frames), seen_attributes(saw), levels)


def from_truth(recorder: TrialRecorder, agent: Agent[VideoSpec, Clip], requested: Sequence[Case]) -> None:
    """Let A4 animate the ground-truth first frame of every case."""
    for case in requested:
        picture = Picture(case.truth()[0])
        animate_one(recorder, agent, question_for(FROM_TRUTH, case), case.scenery, case.scenery.sentence, picture)


# -- A3


def change_picture(
    recorder: TrialRecorder, agent: Agent[EditSpec, Picture], one: EditCase, frame: int
) -> Picture | None:
    """Let A3 edit one frame of a case's clip; return the picture, None if it failed."""
    before = Picture(one.case.truth()[frame])
    made = attempt(agent, EditSpec(one.edit.instruction, before, one.case.seed))
    return recorder.record(question_for_edit(EDITED, one), made, partial(_edited_marks, one, frame, before))


def _edited_marks(one: EditCase, frame: int, before: Picture, after: Picture) -> Verdict:
    saw, where = look(after.pixels[None]), one.case.track
    level = background_db(before.pixels, after.pixels, where, frame)
    marks = {**named_and_kept(saw, one.case.scenery, one.edit), BACKGROUND: level >= BACKGROUND_DB}
    levels = {} if one.edit.scene or one.edit.digital else {OUTSIDE: level}
    strip = Strip(np.stack([before.pixels, after.pixels]), ("before", "after"))
    return Verdict(marks, strip, seen_attributes(saw), levels)


def change_clip(recorder: TrialRecorder, agent: Agent[EditSpec, Picture], one: EditCase) -> None:
    """Let A3 edit every frame of a case's clip with one seed."""
    question = question_for_edit(EDITED_CLIP, one)
    recorder.record(question, _every_frame(agent, one), partial(_edited_clip_marks, one))


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
    return Verdict(marks, numbered(clip.frames), seen_attributes(saw))


def edit_then_animate(lender: Lender, recorder: TrialRecorder, edits: Sequence[EditCase]) -> None:
    """Let A3 edit the first frames of the cases and A4 animate the results with the motion of the case."""
    with lender.lend("edit_image") as edit:
        recorder.weights["edit_image"] = edit.weights
        pictures = [change_picture(recorder, edit, one, 0) for one in edits]
    with lender.lend("image_to_video") as animate:
        recorder.weights["image_to_video"] = animate.weights
        for one, picture in zip(edits, pictures, strict=True):
            question = question_for_edit(ANIMATED_EDIT, one, moving=True)
            animate_one(recorder, animate, question, one.after, motion_sentence(one.after.motion), picture)
    read = [wishes.reads_edit(one.edit, one.after.motion, one.case.seed) for one in edits]
    splits = splits_of([one.case for one in edits])
    recorder.chain(splits, ("A1", read), ("A3", recorder.good(EDITED)), ("A4", recorder.good(ANIMATED_EDIT)))


# -- A4 on the last frame, A5


def extend_clip(
    recorder: TrialRecorder,
    agent: Agent[VideoSpec, Clip],
    question: Question,
    case: Case,
    clip: Clip | None,
    expected: Track,
) -> Clip | None:
    """Let A4 extend a clip from its last frame with the case's motion; the result should follow `expected`."""
    made: Clip | AgentError = AgentError("case-without-clip", "there was no clip to extend")
    if clip is not None:
        spec = VideoSpec(motion_sentence(case.scenery.motion), Picture(clip.frames[-1]), NUM_FRAMES, case.seed)
        made = attempt(agent, spec)
    return recorder.record(question, made, partial(_extended_marks, case.scenery, clip, expected))


def _extended_marks(requested: Scenery, before: Clip | None, expected: Track, clip: Clip) -> Verdict:
    assert before is not None, "an extension of nothing has failed"
    saw, new = look(clip.frames), clip.frames[1:]
    step = float(steps(np.stack([before.frames[-1], new[0]]))[0])
    marks = {
        **attributes(saw, requested),
        "motion": follows(saw, expected),
        SMOOTH: step <= max(OWN_STEPS * float(np.median(steps(before.frames))), LEAST_STEP),
    }
    strip = side_by_side(numbered(before.frames, name="given", last=SHOWN), numbered(new, name="new"))
    return Verdict(marks, strip, seen_attributes(saw), {NEW_STEP: step, JUMP: jump(before.frames, new)})


def join_clips(recorder: TrialRecorder, agent: Agent[ConnectSpec, Clip], one: JoinCase) -> None:
    """Let A5 make a transition between the two clips."""
    before, after = one.clips()
    spec = ConnectSpec(Picture(before[-1]), Picture(after[0]), NUM_FRAMES, one.case.seed)
    question = question_for(TRANSITION, one.case, one.sentence)
    recorder.record(question, attempt(agent, spec), partial(_joined_marks, one, before, after))


def _joined_marks(one: JoinCase, before: UInt8Array, after: UInt8Array, clip: Clip) -> Verdict:
    frames = clip.frames
    first, last = look(frames[:1]), look(frames[-1:])
    begins = _as_asked(attributes(first, one.case.scenery))
    levels = {
        FIRST_DB: psnr_db(frames[0], before[-1]),
        LAST_DB: psnr_db(frames[-1], after[0]),
        # As in a film, which shows the clips' own end frames and not the transition's.
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
    return Verdict(marks, side_by_side(*shown), seen_attributes(last if begins else first), levels)


def _evenness(frames: UInt8Array) -> float:
    """Return the largest step of a clip over its mean step: 1 if even, T - 1 for a cut, 0 if nothing moves."""
    inside = steps(frames)
    return float(inside.max() / inside.mean()) if inside.any() else 0.0


def _as_asked(right: dict[str, bool]) -> bool:
    return all(right[mark] for mark in _PICTURE_MARKS)
