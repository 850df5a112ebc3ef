"""Which task a wish is, and what its agents are told: measured on wishes of newcomers."""

import json
from pathlib import Path
from random import Random
from typing import Any

from graph.english.lexicon import lexicon
from graph.english.wish import read_wish
from graph.planners.embedded import straight_plan
from graph.planning.brief import Brief, GivenClip, GivenPicture
from graph.planning.checks import enhancement_fault, plan_fault
from graph.planning.plan import Enhancement
from graph.planning.profiles import EMBEDDED

WISHES: list[dict[str, Any]] = json.loads((Path(__file__).parents[1] / "data" / "task_wishes.json").read_text("utf-8"))
SHARE = 0.97
"""Of the wishes that must be read as they were meant."""


def brief_for(wish: dict[str, Any]) -> Brief:
    images = tuple(GivenPicture(id=f"image-{at:016x}", width=64, height=64) for at in range(wish.get("images", 0)))
    clips = tuple(GivenClip(id=f"clip-{at:016x}", width=64, height=64, seconds=2) for at in range(wish.get("clips", 0)))
    return Brief(prompt=wish["wish"], images=images, clips=clips, **wish.get("ask", {}))


def meant(wish: dict[str, Any], read: Enhancement) -> bool:
    if "refused" in wish:
        return read.impossible is not None and all(name in read.impossible for name in wish["refused"])
    if read.impossible:
        return False
    found: dict[str, Any] = {
        "task": read.task,
        "edit": read.shots[0].edit,
        "motion": read.shots[0].motion,
        "motions": [shot.motion for shot in read.shots],
        "pictures": [shot.picture for shot in read.shots],
        "seconds": [shot.seconds for shot in read.shots],
        "shots": len(read.shots),
        "before": read.before,
        "transitions": read.transitions,
    }
    plain = {"motion": None} if wish.get("task") == "edit" else {}
    return all(found[name] == value for name, value in {**plain, **wish}.items() if name in found)


def test_reads_which_task_is_meant() -> None:
    wrong = []
    for wish in WISHES:
        read = read_wish(brief_for(wish))
        if not meant(wish, read):
            wrong.append(f"{wish['wish']!r} -> {read.impossible or read.model_dump(exclude_defaults=True)}")
    assert len(WISHES) >= 200
    assert 1 - len(wrong) / len(WISHES) >= SHARE, "\n".join(wrong)


def test_what_is_read_obeys_the_rules_and_so_does_its_plan() -> None:
    for wish in WISHES:
        brief = brief_for(wish)
        read = read_wish(brief)
        assert "\n" not in (read.impossible or "")
        if not read.impossible:
            obeys(read, brief)


def obeys(read: Enhancement, brief: Brief) -> None:
    assert enhancement_fault(read, brief) is None, brief.prompt
    assert plan_fault(straight_plan(brief, read), read, brief) is None, brief.prompt
    for shot in read.shots:
        assert EMBEDDED.shot_fault(shot.picture, shot.motion, shot.edit) is None, brief.prompt


def test_whatever_is_said_of_a_clip_or_a_picture_gets_shots_or_a_sentence() -> None:
    """No jumble of words the reader knows makes it stumble, and no answer breaks the rules."""
    draw = Random(1)
    vocabulary = [" ".join(phrase) for phrase in lexicon()] + [
        "make it",
        "turn it into",
        "keep",
        "zebra",
        ".",
        ",",
        "5",
    ]
    for _ in range(300):
        files = draw.choice(({"clips": 1}, {"clips": 2}, {"images": 1}))
        ask = draw.choice(({}, {}, {"task": "simulate"} if files != {"clips": 2} else {}))
        brief = brief_for({"wish": " ".join(draw.choices(vocabulary, k=draw.randint(1, 9))), "ask": ask, **files})
        read = read_wish(brief)
        assert "\n" not in (read.impossible or "")
        if not read.impossible:
            obeys(read, brief)


def test_a_clip_goes_on_as_it_is_seen_to_move() -> None:
    def read(wish: str, shows: str | None = "a red ball moves right in the meadow") -> Enhancement:
        clip = GivenClip(id=f"clip-{0:016x}", width=64, height=64, seconds=2, shows=shows)
        return read_wish(Brief(prompt=wish, clips=(clip,)))

    for wish in ("let it go on for two more seconds", "extend it", "it keeps moving", "make it longer"):
        found = read(wish)
        assert (found.task, [shot.motion for shot in found.shots]) == ("extend", ["it moves right"]), wish
        assert "It moves right; I kept that." in found.notes
        assert read(wish, None).impossible is not None
    assert [shot.motion for shot in read("extend it, it moves up").shots] == ["it moves up"]
    for wish in ("let it not move right any more, go on", "it keeps moving left or up"):
        assert "say how it goes on" in (read(wish).impossible or "")
