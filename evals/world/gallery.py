"""Draw trials as a PNG with a caption and a row of labelled frames for each, failures first."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from evals.world.results import Seen, Task, Trial
from models.agent import UInt8Array
from tools.delivery.export import check_destination
from tools.errors import BadInput
from tools.media.codecs import encode_image

SCALE = 2
CAPTION, LABEL, GAP = 18, 12, 2
"""Pixels: height of a row's caption, height of a frame's label, space between them."""
LEAST_WIDTH = 1400


@dataclass(frozen=True, eq=False)
class Strip:
    """Frames to show, uint8 (T, S, S, 3), and a label for each."""

    frames: UInt8Array
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        assert len(self.frames) == len(self.labels), f"{len(self.labels)} labels for {len(self.frames)} frames"


def numbered(frames: UInt8Array, *, name: str = "", last: int | None = None) -> Strip:
    """Return a strip of a clip's frames, or of its `last` few, labelled with their indices."""
    numbers = range(len(frames))[-last:] if last else range(len(frames))
    return Strip(frames[numbers.start :], tuple(f"{name} {number}".strip() for number in numbers))


def side_by_side(*strips: Strip) -> Strip:
    """Join several strips into one."""
    frames = np.concatenate([strip.frames for strip in strips])
    return Strip(frames, tuple(label for strip in strips for label in strip.labels))


def destinations(sheet: Path | None, tasks: Sequence[Task]) -> dict[Task, Path]:
    """Return the sheet's file for each task: of several tasks, `sheet-edit.png` and so on. Wishes have no frames.

    Raises BadInput for a file that cannot be written, and if no task has frames.
    """
    if sheet is None:
        return {}
    shown: list[Task] = [task for task in tasks if task != "wishes"]
    if not shown:
        raise BadInput("no-sheet-of-wishes", "Wishes are words, so there is no sheet of frames.")
    names = {task: sheet if len(tasks) == 1 else sheet.with_stem(f"{sheet.stem}-{task}") for task in shown}
    for name in names.values():
        check_destination(name, suffix=".png")
    return names


class Gallery:
    """A `watch` that keeps the first few failures and successes of every part for a sheet."""

    def __init__(self, *, each: int = 6) -> None:
        self._each = each
        self._rows: dict[tuple[str, bool], list[tuple[Trial, Strip]]] = {}

    def __call__(self, trial: Trial, strip: Strip) -> None:
        """Keep the trial, unless there are enough of its kind."""
        rows = self._rows.setdefault((trial.part, not trial.wrong), [])
        if len(rows) < self._each:
            rows.append((trial, strip))

    @property
    def rows(self) -> tuple[tuple[Trial, Strip], ...]:
        """The kept trials, failures first, by part."""
        return tuple(row for key in sorted(self._rows, key=lambda key: key[1]) for row in self._rows[key])


def failure_sheet(rows: Sequence[tuple[Trial, Strip]]) -> bytes:
    """Return a PNG with a caption and a row of frames for each trial. Raises ValueError for no rows."""
    if not rows:
        raise ValueError("There is nothing to show; evaluate with a Gallery as `watch` first.")
    strips = [_drawn(trial, strip) for trial, strip in rows]
    sheet = Image.new("RGB", (max(strip.width for strip in strips), sum(strip.height for strip in strips)), "white")
    top = 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return encode_image(np.asarray(sheet, dtype=np.uint8))


def _drawn(trial: Trial, strip: Strip) -> Image.Image:
    num_frames, height, width, _ = strip.frames.shape
    height, width = SCALE * height, SCALE * width
    row = Image.new("RGB", (max(LEAST_WIDTH, num_frames * (width + GAP)), CAPTION + height + LABEL + 3 * GAP), "white")
    draw = ImageDraw.Draw(row)
    verdict = f"wrong: {', '.join(trial.wrong)}; saw {_attributes_text(trial.seen)}" if trial.wrong else "right"
    text = f"{trial.part}, {trial.split}, seed {trial.seed}: {trial.sentence} -> {verdict}{_levels(trial)}"
    draw.text((GAP, GAP), text, fill="darkred" if trial.wrong else "darkgreen")
    for i, (frame, label) in enumerate(zip(strip.frames, strip.labels, strict=True)):
        left = i * (width + GAP)
        row.paste(Image.fromarray(frame).resize((width, height), Image.Resampling.NEAREST), (left, CAPTION + GAP))
        draw.text((left + GAP, CAPTION + GAP + height), label, fill="black")
    return row


def _levels(trial: Trial) -> str:
    return "".join(f"; {name} {value:.1f}" for name, value in trial.levels.items())


def _attributes_text(seen: Seen | None) -> str:
    if seen is None:
        return "nothing"
    return " ".join(str(value) for value in (seen.colour, seen.object, seen.motion, seen.scene, seen.digital))
