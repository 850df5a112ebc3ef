"""Where a film or clip is written, and as what: the ending of the name says it. Light to import."""

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from memory.whole_files import write_whole
from tools.delivery.export import beside, check_destination, disk_errors
from tools.errors import BadInput

Ending = Literal[".mp4", ".gif", ".webm", "/"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
CARRYING: tuple[Ending, ...] = (".mp4", ".gif")
"""Endings of files that carry a manifest."""
FRAME = "frame-{:05}.png"
"""Name of a frame in a folder, numbered from 1."""


@dataclass(frozen=True)
class Place:
    """A file, or a folder of pictures (ending `/`), that a film or clip is written to."""

    path: Path
    ending: Ending

    def __str__(self) -> str:
        return f"{self.path}/" if self.ending == "/" else str(self.path)

    def absolute(self) -> "Place":
        """Return the place with an absolute path."""
        return Place(self.path.absolute(), self.ending)


def place_of(name: str) -> Place:
    """Return the place that a name stands for. Raises BadInput for an ending that no film is written with."""
    path = Path(name).expanduser()
    if name.endswith(("/", "\\")):
        return Place(path, "/")
    ending: Ending | None = next((each for each in ENDINGS if each == path.suffix.lower()), None)
    if ending is None:
        raise BadInput(
            "output-ending",
            f"{name} does not end in {', '.join(ENDINGS[:-1])} or {ENDINGS[-1]}; name the file "
            f"{path.with_suffix('.mp4').name or 'film.mp4'}, or with a / at the end a folder for its pictures.",
            path=name,
        )
    return Place(path, ending)


def check_place(name: str) -> Place:
    """Return the place that a name stands for, after checking that it can be written. Raises BadInput.

    A file that is there is replaced, and so is a folder that holds nothing but frames written here.
    """
    place = place_of(name)
    if place.ending == "/":
        _check_frames_folder(place.path)
    else:
        check_destination(place.path, suffix=place.ending)
    return place


def write_frames(pictures: Iterable[bytes], folder: Path) -> None:
    """Write PNG files into a folder, all or none of them. Raises BadInput as `check_place`."""
    target = _check_frames_folder(folder)
    draft, old = beside(target), beside(target).with_suffix(".old")
    with disk_errors(folder):
        try:
            draft.mkdir()
            for number, picture in enumerate(pictures, 1):
                write_whole(draft / FRAME.format(number), picture, private=False)
            if target.exists():
                target.rename(old)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            if old.exists() and not target.exists():
                old.rename(target)
            shutil.rmtree(old, ignore_errors=True)


def _check_frames_folder(folder: Path) -> Path:
    """Return the resolved path of a folder that may be written. Raises BadInput."""
    with disk_errors(folder):
        target = folder.resolve()
        if target.exists() and not target.is_dir():
            raise BadInput(
                "output-is-file", f"{folder} is a file; name a folder for the pictures, or no / at the end.",
                path=str(folder),
            )  # fmt: skip
        if target.is_dir() and any(not each.match("frame-[0-9]*.png") for each in target.iterdir()):
            raise BadInput(
                "output-folder-in-use",
                f"{folder} holds other files; name a new folder for the pictures, like {folder / 'frames'}/.",
                path=str(folder),
            )
        if not target.parent.is_dir():
            raise BadInput(
                "output-folder-missing",
                f"{folder} cannot be written: there is no folder {target.parent}; create it first.",
                path=str(folder),
            )
        probe = beside(target)
        probe.mkdir()
        probe.rmdir()
    return target
