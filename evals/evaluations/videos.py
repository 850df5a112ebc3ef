"""Collect the videos to evaluate and what each was made from: files, folders, lists. Opens no video.

VBench names a video `PROMPT-i.mp4`. Without a list of prompts, such a name is read as a prompt only if it has more than
one word, so that `clip-1.mp4` is not taken for a video of "clip".
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tools.errors import BadInput

SUFFIXES: Final = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif", ".webp", ".apng")
NUMBERED: Final = re.compile(r"(?P<prompt>.+)-\d+")
FILES: Final = ("image", "before", "after")


@dataclass(frozen=True)
class VideoInput:
    """A video to score: its name, its file, and what it was made from. The files are not checked to exist."""

    name: str
    path: Path
    prompt: str | None = None
    style: str | None = None
    image: Path | None = None
    before: Path | None = None
    after: Path | None = None


@dataclass(frozen=True)
class SuitePrompt:
    """A prompt of a suite. dimensions: VBench's dimensions for it, () for all. style, image: as in `VideoInput`."""

    text: str
    style: str | None = None
    dimensions: tuple[str, ...] = ()
    image: Path | None = None


def gather(paths: Sequence[Path], prompts: Path | None = None) -> tuple[list[VideoInput], list[str]]:
    """Return the videos in the order given (a folder's sorted by name), and notes for the user.

    prompts: a JSON file that maps file names to prompts, or a suite in VBench's or Mora's format. Raises BadInput for a
    folder or a list without videos, and if no prompt matches a video.
    """
    given = [one for path in paths for one in _of(path)]
    if prompts is None:
        return [_named_by_prompt(one) for one in given], []
    said = read_json(prompts)
    told = _by_name(given, said) if isinstance(said, dict) else _by_suite(given, prompts_in(said, prompts))
    missing = [one.name for one in told if one.prompt is None]
    if len(missing) == len(told):
        raise BadInput(
            "prompts-fit-no-video",
            f"No prompt of {prompts} fits a video: {told[0].name} should be called PROMPT-0{told[0].path.suffix}, "
            "or the file should give prompts by file name.",
            path=str(prompts),
        )
    notes = [f"{len(missing)} of {len(told)} videos have no prompt in {prompts}, {missing[0]} first"] if missing else []
    return told, notes


def check_any_there(given: Sequence[VideoInput]) -> None:
    """Raise BadInput, with the reasons for the first three, if none of the videos exists."""
    why = []
    for one in given:
        try:
            one.path.stat()
        except OSError as error:
            why.append(unreadable(one.path, error))
        else:
            return
    raise BadInput("videos-unusable", " ".join(why[:3]))


def unreadable(path: Path, error: OSError) -> str:
    """Return a sentence on a file that cannot be read."""
    return f"{error.filename or path} cannot be read ({error.strerror}); give the path of a file."


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises BadInput."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(
            "input-unreadable",
            f"{path} cannot be read ({error.strerror}); give the path of a JSON file.",
            path=str(path),
        ) from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadInput("input-not-json", f"{path} is not JSON ({error}); correct it.", path=str(path)) from error


def prompts_in(said: Any, where: object) -> list[SuitePrompt]:
    """Parse a suite's prompts: sentences, `{"prompt": ...}` or VBench's full info with `prompt_en`. Raises BadInput.

    An entry's "image", the picture that its video starts from, is relative to the folder of the file.
    """
    entries = said.get("prompts") if isinstance(said, dict) else said
    wanted = [_wanted(entry, where) for entry in entries] if isinstance(entries, list) else []
    if not wanted:
        raise BadInput(
            "prompts-malformed",
            f"{where} has no prompts; it should be a list of sentences, or VBench's full info file.",
            path=str(where),
        )
    return wanted


def _wanted(entry: Any, where: object) -> SuitePrompt:
    if isinstance(entry, str) and entry.strip():
        return SuitePrompt(entry)
    text = entry.get("prompt", entry.get("prompt_en")) if isinstance(entry, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise BadInput(
            "prompts-malformed",
            f"{where} has {str(entry)[:60]!r} where a prompt should be; write a sentence.",
            path=str(where),
        )
    dimensions = entry.get("dimension", ())
    dimensions = (dimensions,) if isinstance(dimensions, str) else dimensions
    image = entry.get("image")
    if not isinstance(image, str | None):
        raise BadInput(
            "prompts-malformed",
            f"{where} has {str(image)[:60]!r} where the path of a picture should be; write one, or none.",
            path=str(where),
        )
    picture = None if image is None else Path(str(where)).parent / image
    return SuitePrompt(text, _style_in(entry), tuple(str(dimension) for dimension in dimensions), picture)


def _style_in(entry: Mapping[str, Any]) -> str | None:
    style = entry.get("style")
    auxiliary = entry.get("auxiliary_info")
    if style is None and isinstance(auxiliary, dict) and isinstance(auxiliary.get("appearance_style"), dict | str):
        said = auxiliary["appearance_style"]
        style = said.get("appearance_style") if isinstance(said, dict) else said
    return style if isinstance(style, str) else None


def _of(path: Path) -> Iterator[VideoInput]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        if not found:
            raise BadInput(
                "folder-without-videos",
                f"{path} has no videos ({', '.join(SUFFIXES)}); name another folder.",
                path=str(path),
            )
        yield from (VideoInput(file.relative_to(path).as_posix(), file) for file in found)
    elif path.suffix.lower() == ".json":
        yield from _listed(path)
    else:
        yield VideoInput(path.name, path)


def _listed(path: Path) -> Iterator[VideoInput]:
    entries = read_json(path)
    if not isinstance(entries, list) or not entries:
        raise BadInput(
            "video-list-malformed",
            f"{path} is not a list of videos; write [{{'video': FILE, 'prompt': WORDS}}, ...].",
            path=str(path),
        )
    for entry in entries:
        said = {"video": entry} if isinstance(entry, str) else entry
        files = said.get("video_list", [said.get("video", said.get("path"))]) if isinstance(said, dict) else [None]
        for file in files if isinstance(files, list) else [files]:
            if not isinstance(file, str) or not all(isinstance(said.get(key, ""), str) for key in FILES):
                raise BadInput(
                    "video-list-malformed",
                    f"{path} has {str(entry)[:60]!r} where a video should be; write its path as 'video'.",
                    path=str(path),
                )
            beside = {key: path.parent / said[key] for key in FILES if key in said}
            prompt = said.get("prompt", said.get("prompt_en"))
            if not isinstance(prompt, str | None):
                raise BadInput(
                    "video-list-malformed",
                    f"{path} gives {file} a prompt that is not text; write a sentence.",
                    path=str(path),
                )
            yield VideoInput(file, path.parent / file, prompt, _style_in(said), **beside)


def _named_by_prompt(given: VideoInput) -> VideoInput:
    match = NUMBERED.fullmatch(given.path.stem)
    if given.prompt is not None or match is None or " " not in match["prompt"]:
        return given
    return replace(given, prompt=match["prompt"])


def _by_name(given: Sequence[VideoInput], said: dict[str, Any]) -> list[VideoInput]:
    def prompt(one: VideoInput) -> str | None:
        names = (str(one.path), one.name, one.path.name, one.path.stem)
        return next((said[name] for name in names if isinstance(said.get(name), str)), one.prompt)

    return [replace(one, prompt=prompt(one)) for one in given]


def _by_suite(given: Sequence[VideoInput], suite: Sequence[SuitePrompt]) -> list[VideoInput]:
    known = {wanted.text: wanted for wanted in suite}

    def told(one: VideoInput) -> VideoInput:
        match = NUMBERED.fullmatch(one.path.stem)
        wanted = known.get(one.prompt or (match["prompt"] if match else one.path.stem))
        return one if wanted is None else replace(one, prompt=wanted.text, style=one.style or wanted.style)

    return [told(one) for one in given]
