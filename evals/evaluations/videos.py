"""What a person names -> videos and what each was made from: files, folders, VBench's names, lists. Opens none.

VBench calls a video `PROMPT-i.mp4`. Without a list of prompts such a name counts as one when the prompt is more than
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
class Given:
    """A video to judge: its file, how it is called, and what it was made from. Files may turn out not to be there."""

    name: str
    path: Path
    prompt: str | None = None
    style: str | None = None
    image: Path | None = None
    before: Path | None = None
    after: Path | None = None


@dataclass(frozen=True)
class Wanted:
    """A prompt of a suite. dimensions: what VBench scores it for, () for all. style, image: as in `Given`."""

    text: str
    style: str | None = None
    dimensions: tuple[str, ...] = ()
    image: Path | None = None


def gather(paths: Sequence[Path], prompts: Path | None = None) -> tuple[list[Given], list[str]]:
    """The videos in the order they are named, a folder's by name; and what a person should know of them.

    prompts: a JSON file, either file names and their prompts, or a suite in VBench's or Mora's form. Raises BadInput
    for a folder or a list without videos, and for prompts that fit none.
    """
    given = [one for path in paths for one in _of(path)]
    if prompts is None:
        return [_named_by_prompt(one) for one in given], []
    said = read_json(prompts)
    told = _by_name(given, said) if isinstance(said, dict) else _by_suite(given, wanted_in(said, prompts))
    missing = [one.name for one in told if one.prompt is None]
    if len(missing) == len(told):
        raise BadInput(
            f"No prompt of {prompts} fits a video: {told[0].name} should be called PROMPT-0{told[0].path.suffix}, "
            "or the file should give prompts by file name."
        )
    notes = [f"{len(missing)} of {len(told)} videos have no prompt in {prompts}, {missing[0]} first"] if missing else []
    return told, notes


def check_any_there(given: Sequence[Given]) -> None:
    """Check that at least one of the videos is there. Raises BadInput with what is wrong with the first three."""
    why = []
    for one in given:
        try:
            one.path.stat()
        except OSError as error:
            why.append(unreadable(one.path, error))
        else:
            return
    raise BadInput(" ".join(why[:3]))


def unreadable(path: Path, error: OSError) -> str:
    """Return the sentence about a file that the system does not give."""
    return f"{error.filename or path} cannot be read ({error.strerror}); give the path of a file."


def read_json(path: Path) -> Any:
    """What a JSON file says. Raises BadInput."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); give the path of a JSON file.") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is no JSON ({error}); correct it.") from error


def wanted_in(said: Any, where: object) -> list[Wanted]:
    """The prompts of a suite: sentences, `{"prompt": ...}` or VBench's full info with `prompt_en`. Raises BadInput.

    An entry's "image", the picture that its video is to begin with, lies beside the file.
    """
    entries = said.get("prompts") if isinstance(said, dict) else said
    wanted = [_wanted(entry, where) for entry in entries] if isinstance(entries, list) else []
    if not wanted:
        raise BadInput(f"{where} has no prompts; it should be a list of sentences, or VBench's full info file.")
    return wanted


def _wanted(entry: Any, where: object) -> Wanted:
    if isinstance(entry, str) and entry.strip():
        return Wanted(entry)
    text = entry.get("prompt", entry.get("prompt_en")) if isinstance(entry, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise BadInput(f"{where} has {str(entry)[:60]!r} where a prompt should be; write a sentence.")
    dimensions = entry.get("dimension", ())
    dimensions = (dimensions,) if isinstance(dimensions, str) else dimensions
    image = entry.get("image")
    if not isinstance(image, str | None):
        raise BadInput(f"{where} has {str(image)[:60]!r} where the path of a picture should be; write one, or none.")
    picture = None if image is None else Path(str(where)).parent / image
    return Wanted(text, _style_in(entry), tuple(str(dimension) for dimension in dimensions), picture)


def _style_in(entry: Mapping[str, Any]) -> str | None:
    style = entry.get("style")
    auxiliary = entry.get("auxiliary_info")
    if style is None and isinstance(auxiliary, dict) and isinstance(auxiliary.get("appearance_style"), dict | str):
        said = auxiliary["appearance_style"]
        style = said.get("appearance_style") if isinstance(said, dict) else said
    return style if isinstance(style, str) else None


def _of(path: Path) -> Iterator[Given]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        if not found:
            raise BadInput(f"{path} has no videos ({', '.join(SUFFIXES)}); name another folder.")
        yield from (Given(file.relative_to(path).as_posix(), file) for file in found)
    elif path.suffix.lower() == ".json":
        yield from _listed(path)
    else:
        yield Given(path.name, path)


def _listed(path: Path) -> Iterator[Given]:
    entries = read_json(path)
    if not isinstance(entries, list) or not entries:
        raise BadInput(f"{path} is no list of videos; write [{{'video': FILE, 'prompt': WORDS}}, ...].")
    for entry in entries:
        said = {"video": entry} if isinstance(entry, str) else entry
        files = said.get("video_list", [said.get("video", said.get("path"))]) if isinstance(said, dict) else [None]
        for file in files if isinstance(files, list) else [files]:
            if not isinstance(file, str) or not all(isinstance(said.get(key, ""), str) for key in FILES):
                raise BadInput(f"{path} has {str(entry)[:60]!r} where a video should be; write its path as 'video'.")
            beside = {key: path.parent / said[key] for key in FILES if key in said}
            prompt = said.get("prompt", said.get("prompt_en"))
            if not isinstance(prompt, str | None):
                raise BadInput(f"{path} gives {file} a prompt that is no text; write a sentence.")
            yield Given(file, path.parent / file, prompt, _style_in(said), **beside)


def _named_by_prompt(given: Given) -> Given:
    match = NUMBERED.fullmatch(given.path.stem)
    if given.prompt is not None or match is None or " " not in match["prompt"]:
        return given
    return replace(given, prompt=match["prompt"])


def _by_name(given: Sequence[Given], said: dict[str, Any]) -> list[Given]:
    def prompt(one: Given) -> str | None:
        names = (str(one.path), one.name, one.path.name, one.path.stem)
        return next((said[name] for name in names if isinstance(said.get(name), str)), one.prompt)

    return [replace(one, prompt=prompt(one)) for one in given]


def _by_suite(given: Sequence[Given], suite: Sequence[Wanted]) -> list[Given]:
    known = {wanted.text: wanted for wanted in suite}

    def told(one: Given) -> Given:
        match = NUMBERED.fullmatch(one.path.stem)
        wanted = known.get(one.prompt or (match["prompt"] if match else one.path.stem))
        return one if wanted is None else replace(one, prompt=wanted.text, style=one.style or wanted.style)

    return [told(one) for one in given]
