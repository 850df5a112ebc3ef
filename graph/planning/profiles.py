"""Describe to planners what the models of a profile can draw, and check the prompts in their answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from graph.planning.prompts import read_prompt
from models.embedded.language import COLOURS, DIGITAL_STYLE, MOTIONS, OBJECTS, SCENES

Check = Callable[[str], str | None]
"""Takes a prompt; returns None if the models understand it, else a sentence on what they do understand."""

CLIP_WORDS = 55
"""CLIP reads 77 tokens, two of them special; English takes about 1.35 tokens per word."""
T5_WORDS = 200

_MOTION = "|".join(MOTIONS)
_PICTURE_SENTENCE = re.compile(
    f"a ({'|'.join(COLOURS)}) ({'|'.join(OBJECTS)}) ({_MOTION}) in the ({'|'.join(SCENES)})( {DIGITAL_STYLE})?"
)
_MOTION_SENTENCE = re.compile(f"it ({_MOTION})")
_CHANGE = (
    f"(make it ({'|'.join(COLOURS)})|turn it into a ({'|'.join(OBJECTS)})|change the scene to ({'|'.join(SCENES)}))"
)
_EDIT_SENTENCE = re.compile(f"{_CHANGE}( and ({_CHANGE}|{DIGITAL_STYLE}))?|{DIGITAL_STYLE}")
_EDIT_GRAMMAR = (
    f"`make it COLOUR`, `turn it into a OBJECT`, `change the scene to SCENE` or `{DIGITAL_STYLE}`, or two of these "
    "joined by ` and `, the style last"
)
_GRAMMAR = (
    f"`a COLOUR OBJECT MOTION in the SCENE[ {DIGITAL_STYLE}]` with COLOUR {', '.join(COLOURS)}; "
    f"OBJECT {', '.join(OBJECTS)}; MOTION {', '.join(MOTIONS)}; SCENE {', '.join(SCENES)}"
)


@dataclass(frozen=True)
class Profile:
    """The models of a profile from a planner's point of view.

    paragraph: appended to the system prompts. one_sentence: the picture and the motion of a shot share one prompt.
    """

    name: str
    paragraph: str
    check_picture: Check
    check_motion: Check
    check_edit: Check
    one_sentence: bool = False

    def shot_fault(self, picture: str | None, motion: str | None, edit: str | None = None) -> str | None:
        """Return a sentence on what the models would not understand in a shot; None if they understand everything."""
        prompts = (self.check_picture, picture), (self.check_motion, motion), (self.check_edit, edit)
        for check, prompt in prompts:
            if prompt is not None and (fault := check(prompt)):
                return fault
        if self.one_sentence and picture is not None and edit is None and motion != picture:
            return f"the motion of a shot with its own picture repeats the picture sentence: `{picture}`"
        return None


def _world_picture(prompt: str) -> str | None:
    if _PICTURE_SENTENCE.fullmatch(prompt):
        return None
    return f"the picture `{prompt}` is not a sentence of the embedded world, which is {_GRAMMAR}"


def _world_motion(prompt: str) -> str | None:
    if _PICTURE_SENTENCE.fullmatch(prompt) or _MOTION_SENTENCE.fullmatch(prompt):
        return None
    return f"the motion `{prompt}` is neither `it MOTION` nor a sentence of the embedded world, which is {_GRAMMAR}"


def _world_edit(instruction: str) -> str | None:
    if _EDIT_SENTENCE.fullmatch(instruction):
        return None
    return f"the edit `{instruction}` is no instruction of the embedded world, which is {_EDIT_GRAMMAR}"


def _at_most(words: int) -> Check:
    def check(prompt: str) -> str | None:
        count = len(prompt.split())
        return None if count <= words else f"the prompt has {count} words and its text encoder reads at most {words}"

    return check


def _free(name: str, words: int) -> Profile:
    check = _at_most(words)
    return Profile(name, read_prompt(f"profile-{name}"), check, check, check)


EMBEDDED = Profile(
    "embedded", read_prompt("profile-embedded"), _world_picture, _world_motion, _world_edit, one_sentence=True
)
PROFILES: dict[str, Profile] = {
    "embedded": EMBEDDED,
    "paper": _free("paper", CLIP_WORDS),
    "modern": _free("modern", T5_WORDS),
}
