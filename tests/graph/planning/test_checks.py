"""What is told back to a planner whose answer breaks a rule of the tasks; the rules of films are in their own tests."""

from typing import Any

import pytest

from graph.planners.embedded import straight_plan
from graph.planning.brief import Brief, GivenClip, GivenPicture
from graph.planning.checks import enhancement_fault as fault_of
from graph.planning.checks import plan_fault
from graph.planning.plan import EnhancedShot, Enhancement, PlanDraft
from graph.planning.profiles import EMBEDDED
from graph.state import bounds
from graph.state.film import film_of
from graph.state.tasks import PROCEDURES, needs_of
from tools import arguments

SENTENCE = "a red ball moves right in the snow"
PICTURE = (GivenPicture(id="image-1", width=64, height=64),)
CLIPS = tuple(GivenClip(id=f"clip-{number}", width=64, height=64, seconds=2) for number in (1, 2, 3))
WISH, LOOK, CLIP, PAIR = (
    Brief(prompt="w"),
    Brief(prompt="w", images=PICTURE),
    Brief(prompt="w", clips=CLIPS[:1]),
    Brief(prompt="w", clips=CLIPS[:2]),
)
FILM = {"task": "text-to-video", "shots": [{"words": "w", "picture": SENTENCE, "motion": SENTENCE}] * 2}
MOVED = {"task": "image-to-video", "shots": [{"words": "w", "edit": "make it blue", "motion": "it grows"}]}
LONGER = {"task": "extend", "shots": [{"words": "w", "motion": "it grows"}]}
CHANGED = {"task": "edit", "shots": [{"words": "w", "edit": "make it blue"}]}
JOINED = {"task": "connect", "shots": [{"words": "w"}]}


def told(brief: Brief, **changes: Any) -> Brief:
    return Brief.model_validate({**brief.model_dump(), **changes})


def enhanced(answer: dict[str, Any], shot: dict[str, Any] | None = None, **changes: Any) -> Enhancement:
    shots = [{**each, **(shot or {})} for each in answer["shots"]]
    return Enhancement.model_validate({**answer, "shots": shots, **changes})


@pytest.mark.parametrize(
    ("answer", "brief"), [(FILM, WISH), (MOVED, LOOK), (LONGER, CLIP), (CHANGED, CLIP), (JOINED, PAIR)]
)
def test_what_obeys_has_no_fault_and_neither_has_its_straight_plan(answer: dict[str, Any], brief: Brief) -> None:
    enhancement = enhanced(answer)
    assert fault_of(enhancement, brief) is None
    assert plan_fault(straight_plan(brief, enhancement), enhancement, brief) is None


@pytest.mark.parametrize(
    ("enhancement", "brief", "sentence"),
    [
        (enhanced(CHANGED), told(CLIP, task="extend"), "asked for the task extend, not edit"),
        (enhanced(FILM), CLIP, "The task text-to-video takes no clips, and 1 was given"),
        (enhanced(LONGER), WISH, "The task extend takes 1 clip, and none was given"),
        (enhanced(JOINED), CLIP, "takes 2 to 8 clips"),
        (enhanced(JOINED), told(PAIR, clips=CLIPS), "a way between each pair"),
        (enhanced(CHANGED, shots=CHANGED["shots"] * 2), CLIP, "exactly one shot"),
        (enhanced(LONGER, shots=LONGER["shots"] * 2, before=True), CLIP, "exactly one shot"),
        (enhanced(LONGER, {"motion": None}), CLIP, "every shot of the task extend needs `motion`"),
        (enhanced(LONGER, {"edit": "make it blue"}), CLIP, "no shot of the task extend has `edit`"),
        (enhanced(CHANGED, {"edit": None}), CLIP, "needs `edit`"),
        (enhanced(CHANGED, {"picture": SENTENCE}), CLIP, "has `picture`"),
        (enhanced(CHANGED), told(CLIP, motion="new"), "so the shot needs `motion`"),
        (enhanced(CHANGED, {"seconds": 2}), CLIP, "keeps its length"),
        (enhanced(JOINED, {"seconds": 2}), told(PAIR, seconds=3), "lasts exactly 3 seconds"),
        (enhanced(LONGER), told(CLIP, seconds=3), "they add up to 3"),
        (enhanced(LONGER), told(CLIP, before=True), "ordered what comes `before`"),
        (enhanced(FILM, before=True), WISH, "only a clip that is extended"),
        (enhanced(FILM), told(WISH, transitions=True), "ordered `transitions` true"),
        (enhanced(LONGER, transitions=True), CLIP, "has no `transitions`"),
        (enhanced(FILM, {"picture": None}), WISH, "needs a `picture` prompt"),
        (enhanced(MOVED, {"picture": SENTENCE}), LOOK, "its `picture` is null"),
    ],
)
def test_what_an_enhancement_disobeys_is_said(enhancement: Enhancement, brief: Brief, sentence: str) -> None:
    fault = fault_of(enhancement, brief)
    assert fault is not None
    assert sentence in fault


@pytest.mark.parametrize(
    ("answer", "brief", "change", "sentence"),
    [
        (MOVED, LOOK, {"tool": "edit_image", "image": "image-9"}, "`image` is image-1 in its edit_image call"),
        (MOVED, LOOK, {"tool": "image_to_video", "image": "image-1"}, "`image` is null in its image_to_video call"),
        (LONGER, CLIP, {"tool": "extend_video", "clip": None}, "`clip` is clip-1"),
        (LONGER, CLIP, {"tool": "extend_video", "before": True}, "`before` is false"),
        (LONGER, CLIP, {"tool": "extend_video", "seconds": 3}, "lasts `seconds` None"),
        (CHANGED, CLIP, {"tool": "edit_video", "motion": "new"}, "`motion` is kept"),
        (CHANGED, CLIP, {"tool": "edit_video", "clip": "clip-7"}, "`clip` is clip-1"),
        (JOINED, PAIR, {"tool": "connect_videos", "before": "clip-2"}, "`before` is clip-1"),
        (FILM | {"transitions": True}, WISH, {"tool": "connect_videos", "after": "clip-1"}, "`after` is null"),
    ],
)
def test_what_a_plan_disobeys_is_said(
    answer: dict[str, Any], brief: Brief, change: dict[str, Any], sentence: str
) -> None:
    enhancement = enhanced(answer)
    calls = straight_plan(brief, enhancement).model_dump()["calls"]
    [call] = [call for call in calls if call["tool"] == change["tool"]]
    call["arguments"] |= {name: value for name, value in change.items() if name != "tool"}
    fault = plan_fault(PlanDraft.model_validate({"calls": calls}), enhancement, brief)
    assert fault is not None
    assert sentence in fault


def test_a_call_that_is_missing_or_too_much_is_said() -> None:
    enhancement = enhanced(FILM, transitions=True)
    whole = straight_plan(WISH, enhancement).model_dump()["calls"]
    for calls, sentence in (
        ([call for call in whole if call["tool"] != "connect_videos"], "shot 1 needs exactly one connect_videos call"),
        (
            [*whole, {**whole[-1], "tool": "edit_image", "arguments": {"instruction": "x"}}],
            "edit_image calls and needs",
        ),
        ([*whole, {**whole[-1], "shot": 3}], "there is no shot 3"),
    ):
        fault = plan_fault(PlanDraft.model_validate({"calls": calls}), enhancement, WISH)
        assert sentence in str(fault)


@pytest.mark.parametrize(
    ("edit", "good"),
    [
        ("make it blue", True),
        ("in digital world style", True),
        ("make it blue and turn it into a star", True),
        ("change the scene to sea and in digital world style", True),
        ("make it pink", False),
        ("make it blue and make it sad", False),
        ("in digital world style and make it blue", False),
    ],
)
def test_an_edit_is_in_the_language_of_the_embedded_world(edit: str, good: bool) -> None:
    assert (EMBEDDED.shot_fault(None, "it grows", edit) is None) == good


def test_a_plan_of_an_earlier_version_still_makes_its_film() -> None:
    arguments = {"prompt": SENTENCE, "seconds": None, "image": None}
    calls = [
        {"id": f"{shot}.{tool}", "shot": shot, "tool": tool, "arguments": arguments, "needs": []}
        for shot in (1, 2)
        for tool in ("text_to_image", "image_to_video")
    ]
    assert [piece.call for piece in film_of(calls)] == ["1.image_to_video", "2.image_to_video"]


def test_a_motion_starts_from_the_newest_picture_of_its_shot() -> None:
    planned = ["1.text_to_image", "1.edit_image", "1.image_to_video"]
    assert needs_of(1, "edit_image", {"image": None}, planned) == ["1.text_to_image"]
    assert needs_of(1, "image_to_video", {"image": None}, planned) == ["1.edit_image"]
    assert needs_of(1, "image_to_video", {"image": "image-1"}, planned) == []


def test_every_word_a_step_needs_is_one_its_task_has() -> None:
    for task, procedure in PROCEDURES.items():
        told_ = {step.told for step in procedure.shot if step.told}
        assert told_ <= {*procedure.needs, *procedure.may}, task
        assert {*procedure.needs, *procedure.may} <= set(EnhancedShot.model_fields)


def test_a_shot_is_as_long_as_a_tool_takes_it() -> None:
    assert (bounds.SHORTEST_SHOT_SECONDS, bounds.LONGEST_SHOT_SECONDS) == (
        arguments.SHORTEST_SHOT_SECONDS,
        arguments.LONGEST_SHOT_SECONDS,
    )
