"""How well the embedded agents do each task: draws what to try, asks the agents, lets the oracle look, counts.

The agents are asked one by one, on ground truth and on each other's products, with one seed each: the verbs, which try
a joint again that jumps, do better.
"""

from collections.abc import Callable
from typing import Final, get_args

from evals.world.cases import cases, digital_cases, edit_cases, going_on, join_cases, place, restyle_cases
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
    about,
    animate_one,
    change_clip,
    change_picture,
    edit_then_animate,
    extend_clip,
    first_frames,
    from_truth,
    join_clips,
    read_wish,
    reads,
    splits_of,
)
from evals.world.trial import Book, Progress, Watch
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
    """Tries `n` of one split (held_out None: `n` of each) and counts what the oracle sees.

    text-to-video: A2 draws the first frame and A4 animates it; besides, A4 animates a ground-truth first frame.
    image-to-video: the latter, and A3 changes a first frame that A4 then animates.
    edit: A3 changes a picture. edit-video: A3 changes every frame of a clip, with one seed.
    extend: A4 goes on from a clip's last frame, and once more from its own. connect: A5 between two clips.
    simulate: A2 and A4 in digital world style; A3 turns a picture to it, A4 animates that.
    wishes: A1 reads wishes in other words; no agent is lent.
    An agent's AgentError counts as all wrong. Raises ValueError for n < 1.
    """
    if n < 1:
        raise ValueError(f"An evaluation needs at least one prompt, not {n}; raise n.")
    splits = (True, False) if held_out is None else (held_out,)
    book = Book(task, n, splits, seed, progress, watch)
    _TRIED[task](lender, book)
    return book.report()


def _text_to_video(lender: Lender, book: Book) -> None:
    asked = book.draw(cases)
    drawn = first_frames(lender, book, asked)
    with lender.lend("image_to_video") as animate:
        book.weights["image_to_video"] = animate.weights
        for case, picture in zip(asked, drawn, strict=True):
            animate_one(book, animate, about(CLIP, case), case.scenery, case.scenery.sentence, picture)
        from_truth(book, animate, asked)
    read = [reads(case) for case in asked]
    book.chain(splits_of(asked), ("A1", read), ("A2", book.good(FIRST_FRAME)), ("A4", book.good(CLIP)))


def _image_to_video(lender: Lender, book: Book) -> None:
    asked, edits = book.draw(cases), book.draw(edit_cases)
    edit_then_animate(lender, book, edits)
    with lender.lend("image_to_video") as animate:
        from_truth(book, animate, asked)
    book.chain(splits_of(asked), ("A4 on a true frame", book.good(FROM_TRUTH)))


def _edit(lender: Lender, book: Book) -> None:
    edits = book.draw(edit_cases)
    with lender.lend("edit_image") as edit:
        book.weights["edit_image"] = edit.weights
        for one in edits:
            change_picture(book, edit, one, one.frame)
    read = [reads_edit(one.edit, None, one.case.seed) for one in edits]
    book.chain(splits_of([one.case for one in edits]), ("A1", read), ("A3", book.good(EDITED)))


def _edit_video(lender: Lender, book: Book) -> None:
    edits = book.draw(edit_cases)
    with lender.lend("edit_image") as edit:
        book.weights["edit_image"] = edit.weights
        for one in edits:
            change_clip(book, edit, one)
    read = [reads_clip_edit(one.edit, one.case.seed) for one in edits]
    book.chain(splits_of([one.case for one in edits]), ("A1", read), ("A3", book.good(EDITED_CLIP)))


def _extend(lender: Lender, book: Book) -> None:
    asked = book.draw(cases)
    with lender.lend("image_to_video") as animate:
        book.weights["image_to_video"] = animate.weights
        for case in asked:
            first = going_on(case.scenery.motion, place(case.track, -1))
            made = extend_clip(book, animate, about(EXTENSION, case), case, Clip(case.truth(), FPS), first)
            again = going_on(case.scenery.motion, place(first, -1))
            extend_clip(book, animate, about(SECOND_EXTENSION, case), case, made, again)
    read = [reads_extension(case.scenery.motion, case.seed) for case in asked]
    good = book.good(EXTENSION), book.good(SECOND_EXTENSION)
    book.chain(splits_of(asked), ("A1", read), ("A4", good[0]), ("A4 again", good[1]))


def _connect(lender: Lender, book: Book) -> None:
    asked = book.draw(join_cases)
    with lender.lend("connect_videos") as connect:
        book.weights["connect_videos"] = connect.weights
        for one in asked:
            join_clips(book, connect, one)
    book.chain(splits_of([one.case for one in asked]), ("A5", book.good(TRANSITION)))


def _simulate(lender: Lender, book: Book) -> None:
    asked, edits = book.draw(digital_cases), book.draw(restyle_cases)
    drawn = first_frames(lender, book, asked)
    with lender.lend("image_to_video") as animate:
        book.weights["image_to_video"] = animate.weights
        for case, picture in zip(asked, drawn, strict=True):
            animate_one(book, animate, about(CLIP, case), case.scenery, case.scenery.sentence, picture)
    read = [reads(case) for case in asked]
    book.chain(splits_of(asked), ("A1", read), ("A2", book.good(FIRST_FRAME)), ("A4", book.good(CLIP)))
    edit_then_animate(lender, book, edits)


def _wishes(_lender: Lender, book: Book) -> None:
    asked = book.draw(cases)
    for case in asked:
        read_wish(book, case)
    book.chain(splits_of(asked), ("A1", book.good(WISH)))


_TRIED: Final[dict[Task, Callable[[Lender, Book], None]]] = {
    "text-to-video": _text_to_video,
    "image-to-video": _image_to_video,
    "edit": _edit,
    "edit-video": _edit_video,
    "extend": _extend,
    "connect": _connect,
    "simulate": _simulate,
    "wishes": _wishes,
}
