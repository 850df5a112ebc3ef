"""The options of a request as the person gave them, and every check that needs no file to be read. Light to import.

Mistakes are reported before anything is loaded, stored or spent; `resolve` turns the options into a request.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graph.errors import RequestError
from graph.planning.choices import check_planner, check_profile
from graph.state.bounds import LONGEST_SHOT_SECONDS, MAX_SHOTS, SHORTEST_SHOT_SECONDS, plain
from graph.state.tasks import MAX_INPUTS, decided, inputs_fault
from models.presets import MAX_SEED
from tools.uploads.files import check_picture_file, check_video_file

if TYPE_CHECKING:
    from memory.records import Task
    from tools.uploads.pictures import Fit

LONGEST_PROMPT = 2000
"""Characters, about a page."""
MAX_CANDIDATES = 8


@dataclass(frozen=True)
class RequestOptions:
    """The fields of a `Request`, each None if the person did not give it. images, clips: ids of stored artifacts."""

    prompt: str | None = None
    images: tuple[str, ...] | None = None
    clips: tuple[str, ...] | None = None
    task: "Task | None" = None
    before: bool | None = None
    motion: Literal["kept", "new"] | None = None
    transitions: bool | None = None
    shots: int | None = None
    seconds: float | None = None
    seed: int | None = None
    candidates: int | None = None
    review: Literal["never", "ask", "chat"] | None = None
    profile: str | None = None
    planner: str | None = None

    def given(self) -> dict[str, Any]:
        """Return the options that were given, by field name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True)
class GivenFiles:
    """The files of a request, and how those of another shape are fitted to the models' size."""

    images: tuple[Path, ...] = ()
    videos: tuple[Path, ...] = ()
    fit: "Fit" = "crop"


NO_FILES = GivenFiles()


def check(options: RequestOptions, files: GivenFiles = NO_FILES) -> None:
    """Check each option, which options exclude each other, and that the files exist.

    Raises RequestError for options, BadInput for a file; options are checked before any file.
    """
    for field, check_value in CHECKS.items():
        if (value := getattr(options, field)) is not None:
            check_value(value)
    images, clips = len(files.images) + len(options.images or ()), len(files.videos) + len(options.clips or ())
    _check_inputs(options, images, clips)
    _check_together(options, clips)
    _check_paths(files)


def check_files(files: GivenFiles) -> None:
    """Check the files that a conversation begins with: how many there are, and that they exist.

    Raises RequestError for too many, BadInput for a file.
    """
    _check_count(len(files.images), "pictures")
    _check_count(len(files.videos), "clips")
    _check_paths(files)


def _check_paths(files: GivenFiles) -> None:
    for path in files.images:
        check_picture_file(path)
    for path in files.videos:
        check_video_file(path)


def _check_prompt(prompt: str) -> None:
    words = prompt.strip()
    if not words:
        raise RequestError(
            "prompt-empty", "The prompt is empty; say what you want to see, like 'a red ball rolls over the snow'."
        )
    if len(words) > LONGEST_PROMPT:
        raise RequestError(
            "prompt-too-long",
            f"The prompt has {len(words):,} characters; say it in at most {LONGEST_PROMPT:,}.",
            most=LONGEST_PROMPT,
        )
    strange = next(
        (c for c in words if unicodedata.category(c) in {"Cc", "Cs", "Co", "Cn"} and c not in "\n\t\r"), None
    )
    if strange is not None:
        raise RequestError(
            "prompt-of-control-characters",
            f"The prompt holds the control character U+{ord(strange):04X}; leave it out.",
        )


def _check_shots(shots: int) -> None:
    if not 1 <= shots <= MAX_SHOTS:
        raise RequestError(
            "shots-out-of-range",
            f"A film of {shots} shots cannot be made; ask for 1 to {MAX_SHOTS}.",
            shots=shots,
            most=MAX_SHOTS,
        )


def _check_seconds(seconds: float) -> None:
    longest = MAX_SHOTS * LONGEST_SHOT_SECONDS
    if not SHORTEST_SHOT_SECONDS <= seconds <= longest:
        raise RequestError(
            "film-length-out-of-range",
            f"A film cannot last {plain(seconds)} seconds; ask for {SHORTEST_SHOT_SECONDS:g} to {longest:g}.",
            seconds=seconds,
        )


def _check_seed(seed: int) -> None:
    if not 0 <= seed <= MAX_SEED:
        raise RequestError(
            "seed-out-of-range",
            f"The seed {seed} cannot be used; give a whole number from 0 to {MAX_SEED}.",
            seed=seed,
            most=MAX_SEED,
        )


def _check_candidates(candidates: int) -> None:
    if not 1 <= candidates <= MAX_CANDIDATES:
        raise RequestError(
            "candidates-out-of-range",
            f"{candidates} first pictures of a shot cannot be made; ask for 1 to {MAX_CANDIDATES}.",
            candidates=candidates,
            most=MAX_CANDIDATES,
        )


CHECKS: dict[str, Callable[[Any], None]] = {
    "prompt": _check_prompt,
    "shots": _check_shots,
    "seconds": _check_seconds,
    "seed": _check_seed,
    "candidates": _check_candidates,
    "profile": check_profile,
    "planner": check_planner,
}
"""The check of each option by itself, in the order in which mistakes are reported."""


def _check_inputs(options: RequestOptions, images: int, clips: int) -> None:
    """Raise RequestError for files that the task cannot use, or that no task uses together."""
    _check_count(images, "pictures")
    _check_count(clips, "clips")
    if images and clips:
        raise RequestError(
            "pictures-and-clips",
            "There are pictures and clips; a film begins with the ones or works on the others, not both.",
        )
    task = decided(options.task or "auto", clips)
    if task is not None and (fault := inputs_fault(task, images, clips)):
        raise RequestError("inputs-fit-no-task", fault)


def _check_count(count: int, name: str) -> None:
    if count > MAX_INPUTS:
        raise RequestError(
            "too-many-inputs", f"There are {count} {name}; give at most {MAX_INPUTS}.", count=count, most=MAX_INPUTS
        )


def _check_together(options: RequestOptions, clips: int) -> None:
    """Raise RequestError for options that do not fit the task or each other."""
    task = decided(options.task or "auto", clips)
    one_clip, before = clips == 1, bool(options.before)
    if before and (not one_clip or task not in (None, "extend")):
        raise RequestError(
            "order-of-other-task",
            "What comes before belongs to one clip that is extended; leave it out, or give one clip.",
            option="before",
        )
    if options.motion and (not one_clip or before or task not in (None, "edit")):
        raise RequestError(
            "order-of-other-task",
            "A kept or new motion belongs to one clip that is edited; leave it out, or give one clip.",
            option="motion",
        )
    if clips and options.transitions is not None:
        raise RequestError(
            "order-of-other-task",
            "Transitions or cuts are for films of several shots, not for clips; the task connect joins those.",
            option="transitions",
        )
    if clips and options.shots is not None:
        raise RequestError(
            "order-of-other-task",
            "A number of shots is for films that are made from nothing or of pictures; leave it out.",
            option="shots",
        )
    if task == "edit" and options.seconds is not None:
        raise RequestError(
            "order-of-other-task",
            "An edited clip keeps its length; leave the seconds out, or extend what comes out.",
            option="seconds",
        )
