"""Measure how well the embedded agents do each task, as judged by the oracle.

The agents are called directly, on ground truth and on each other's products, with one seed each. The tools do better,
since they retry a joint that jumps.
"""

from collections.abc import Callable
from typing import Final, get_args

from evals.world.cases import cases, continued_track, digital_cases, edit_cases, join_cases, place, restyle_cases
from evals.world.results import Report, Task
from evals.world.tasks import (
    CLIP,
    EDITED,
    EDITED_CLIP,
    EXTENSION,
    FIRST_FRAME,
    FROM_TRUTH,
    SECOND_EXTENSION,
    TRANSITION,
    WISH,
    animate_one,
    change_clip,
    change_picture,
    edit_then_animate,
    extend_clip,
    first_frames,
    from_truth,
    join_clips,
    question_for,
    read_wish,
    reads,
    splits_of,
)
from evals.world.trial import Progress, TrialRecorder, Watch
from evals.world.wishes import reads_clip_edit, reads_edit, reads_extension
from models.agent import Clip, Lender
from models.embedded.language import FPS

TASKS: Final[tuple[Task, ...]] = get_args(Task)


def evaluate_world(
    lender: Lender,
    *,
    n: int,
    held_out: bool | None = True,
    seed: int = 0,
    task: Task = "text-to-video",
    progress: Progress | None = None,
    watch: Watch | None = None,
) -> Report:
    """Try `n` cases of one split (held_out None: `n` of each) and count what the oracle recognises.

    text-to-video: A2 draws the first frame and A4 animates it; also, A4 animates a ground-truth first frame.
    image-to-video: A4 animates a ground-truth first frame; also, A3 edits a first frame and A4 animates it.
    edit: A3 edits a picture. edit-video: A3 edits every frame of a clip, with one seed.
    extend: A4 extends a clip from its last frame, then extends its own result. connect: A5 joins two clips.
    simulate: A2 and A4 in digital world style; A3 restyles a picture and A4 animates it.
    wishes: A1 reads paraphrased wishes; no agent is lent.
    An AgentError counts as all wrong. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"An evaluation needs at least one prompt, not {n}; raise n.")
    splits = (True, False) if held_out is None else (held_out,)
    recorder = TrialRecorder(task, n, splits, seed, progress, watch)
    _TASK_RUNNERS[task](lender, recorder)
    return recorder.report()


def _text_to_video(lender: Lender, recorder: TrialRecorder) -> None:
    requested = recorder.draw(cases)
    drawn = first_frames(lender, recorder, requested)
    with lender.lend("image_to_video") as animate:
        recorder.weights["image_to_video"] = animate.weights
        for case, picture in zip(requested, drawn, strict=True):
            animate_one(recorder, animate, question_for(CLIP, case), case.scenery, case.scenery.sentence, picture)
        from_truth(recorder, animate, requested)
    read = [reads(case) for case in requested]
    recorder.chain(splits_of(requested), ("A1", read), ("A2", recorder.good(FIRST_FRAME)), ("A4", recorder.good(CLIP)))


def _image_to_video(lender: Lender, recorder: TrialRecorder) -> None:
    requested, edits = recorder.draw(cases), recorder.draw(edit_cases)
    edit_then_animate(lender, recorder, edits)
    with lender.lend("image_to_video") as animate:
        from_truth(recorder, animate, requested)
    recorder.chain(splits_of(requested), ("A4 on a true frame", recorder.good(FROM_TRUTH)))


def _edit(lender: Lender, recorder: TrialRecorder) -> None:
    edits = recorder.draw(edit_cases)
    with lender.lend("edit_image") as edit:
        recorder.weights["edit_image"] = edit.weights
        for one in edits:
            change_picture(recorder, edit, one, one.frame)
    read = [reads_edit(one.edit, None, one.case.seed) for one in edits]
    recorder.chain(splits_of([one.case for one in edits]), ("A1", read), ("A3", recorder.good(EDITED)))


def _edit_video(lender: Lender, recorder: TrialRecorder) -> None:
    edits = recorder.draw(edit_cases)
    with lender.lend("edit_image") as edit:
        recorder.weights["edit_image"] = edit.weights
        for one in edits:
            change_clip(recorder, edit, one)
    read = [reads_clip_edit(one.edit, one.case.seed) for one in edits]
    recorder.chain(splits_of([one.case for one in edits]), ("A1", read), ("A3", recorder.good(EDITED_CLIP)))


def _extend(lender: Lender, recorder: TrialRecorder) -> None:
    requested = recorder.draw(cases)
    with lender.lend("image_to_video") as animate:
        recorder.weights["image_to_video"] = animate.weights
        for case in requested:
            first = continued_track(case.scenery.motion, place(case.track, -1))
            made = extend_clip(recorder, animate, question_for(EXTENSION, case), case, Clip(case.truth(), FPS), first)
            again = continued_track(case.scenery.motion, place(first, -1))
            extend_clip(recorder, animate, question_for(SECOND_EXTENSION, case), case, made, again)
    read = [reads_extension(case.scenery.motion, case.seed) for case in requested]
    good = recorder.good(EXTENSION), recorder.good(SECOND_EXTENSION)
    recorder.chain(splits_of(requested), ("A1", read), ("A4", good[0]), ("A4 again", good[1]))


def _connect(lender: Lender, recorder: TrialRecorder) -> None:
    requested = recorder.draw(join_cases)
    with lender.lend("connect_videos") as connect:
        recorder.weights["connect_videos"] = connect.weights
        for one in requested:
            join_clips(recorder, connect, one)
    recorder.chain(splits_of([one.case for one in requested]), ("A5", recorder.good(TRANSITION)))


def _simulate(lender: Lender, recorder: TrialRecorder) -> None:
    requested, edits = recorder.draw(digital_cases), recorder.draw(restyle_cases)
    drawn = first_frames(lender, recorder, requested)
    with lender.lend("image_to_video") as animate:
        recorder.weights["image_to_video"] = animate.weights
        for case, picture in zip(requested, drawn, strict=True):
            animate_one(recorder, animate, question_for(CLIP, case), case.scenery, case.scenery.sentence, picture)
    read = [reads(case) for case in requested]
    recorder.chain(splits_of(requested), ("A1", read), ("A2", recorder.good(FIRST_FRAME)), ("A4", recorder.good(CLIP)))
    edit_then_animate(lender, recorder, edits)


def _wishes(_lender: Lender, recorder: TrialRecorder) -> None:
    requested = recorder.draw(cases)
    for case in requested:
        read_wish(recorder, case)
    recorder.chain(splits_of(requested), ("A1", recorder.good(WISH)))


_TASK_RUNNERS: Final[dict[Task, Callable[[Lender, TrialRecorder], None]]] = {
    "text-to-video": _text_to_video,
    "image-to-video": _image_to_video,
    "edit": _edit,
    "edit-video": _edit_video,
    "extend": _extend,
    "connect": _connect,
    "simulate": _simulate,
    "wishes": _wishes,
}
