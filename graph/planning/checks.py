"""Check enhancements and plans against the brief and the procedure of their task. Applies to every planner."""

from collections.abc import Sequence
from typing import Any

from graph.planning.brief import Brief
from graph.planning.plan import EnhancedShot, Enhancement, Plan, PlannedCall
from graph.state.tasks import PROCEDURES, call_id, decided, fits, inputs_fault, needs_of, steps_of
from tools.registry import TOOLS, planned_tools

SECONDS_TOLERANCE = 0.05


def enhancement_fault(enhancement: Enhancement, brief: Brief) -> str | None:
    """Return how the enhancement violates the brief or its procedure, as a sentence; None if it does not."""
    return (
        _task_fault(enhancement, brief)
        or _orders_fault(enhancement, brief)
        or _count_fault(enhancement, brief)
        or next((fault for shot in enhancement.shots if (fault := _words_fault(shot, enhancement, brief))), None)
        or _pictures_fault(enhancement, brief)
        or _seconds_fault(enhancement, brief)
    )


def _task_fault(enhancement: Enhancement, brief: Brief) -> str | None:
    asked = decided(brief.task, len(brief.clips))
    if asked is not None and enhancement.task != asked:
        return f"the person asked for the task {asked}, not {enhancement.task}"
    if fault := inputs_fault(enhancement.task, len(brief.images), len(brief.clips)):
        return fault.rstrip(".")
    return None


def _orders_fault(enhancement: Enhancement, brief: Brief) -> str | None:
    if brief.transitions is not None and enhancement.transitions != brief.transitions:
        return f"the person ordered `transitions` {str(brief.transitions).lower()}"
    if enhancement.transitions and not PROCEDURES[enhancement.task].between:
        return f"the task {enhancement.task} has no `transitions` between shots"
    if enhancement.before and enhancement.task != "extend":
        return "only a clip that is extended can have something `before` it"
    if brief.before and not enhancement.before:
        return "the person ordered what comes `before` the clip"
    return None


def _count_fault(enhancement: Enhancement, brief: Brief) -> str | None:
    count, task = len(enhancement.shots), enhancement.task
    if task == "connect" and count != len(brief.clips) - 1:
        return f"{len(brief.clips)} clips have a way between each pair, a shot each, and there are {count} shots"
    if (task == "edit" or enhancement.before) and count != 1:
        return f"the task {task} has exactly one shot here, and there are {count}"
    if brief.shots is not None and count != brief.shots:
        return f"the person asked for exactly {brief.shots} shots, and there are {count}"
    return None


def _words_fault(shot: EnhancedShot, enhancement: Enhancement, brief: Brief) -> str | None:
    procedure, words = PROCEDURES[enhancement.task], shot.model_dump()
    if "picture" in procedure.needs and shot.picture is None:
        return "no picture was given, so every shot needs a `picture` prompt"
    for field in ("picture", "edit", "motion"):
        if field in procedure.needs and words[field] is None:
            return f"every shot of the task {enhancement.task} needs `{field}`"
        if field not in (*procedure.needs, *procedure.may) and words[field] is not None:
            return f"no shot of the task {enhancement.task} has `{field}`: it is null"
    if enhancement.task == "edit" and brief.motion == "new" and shot.motion is None:
        return "the person ordered a new motion, so the shot needs `motion`"
    return None


def _pictures_fault(enhancement: Enhancement, brief: Brief) -> str | None:
    shots = enhancement.shots
    if brief.clips:
        return None
    if not brief.images and any(shot.picture is None for shot in shots):
        return "no picture was given, so every shot needs a `picture` prompt"
    if brief.images and all(shot.picture is not None for shot in shots):
        return "a picture was given, so at least one shot begins with it: its `picture` is null"
    return None


def _seconds_fault(enhancement: Enhancement, brief: Brief) -> str | None:
    total, seconds = brief.seconds, [shot.seconds for shot in enhancement.shots]
    if enhancement.task == "edit":
        return None if seconds == [None] else "an edited clip keeps its length, so `seconds` is null"
    if total is None:
        return None
    if enhancement.task == "connect":
        return None if set(seconds) == {total} else f"every way between two clips lasts exactly {total:g} seconds"
    known = [value for value in seconds if value is not None]
    if len(known) != len(seconds) or abs(sum(known) - total) > SECONDS_TOLERANCE:
        return f"the film lasts exactly {total:g} seconds, so every shot needs `seconds` and they add up to {total:g}"
    return None


def plan_fault(plan: Plan, enhancement: Enhancement, brief: Brief, *, partly: bool = False) -> str | None:
    """Return how the plan violates its procedure, the enhancement or the brief, as a sentence; None if it does not.

    partly: more calls may follow, so a missing call is not a fault, but a call that depends on a missing one is.
    """
    count = len(enhancement.shots)
    unknown = sorted({call.shot for call in plan.calls} - set(range(1, count + 1)))
    if unknown:
        return f"there is no shot {unknown[0]}: the shots are 1 to {count}"
    faults = (_shot_fault(plan, number, enhancement, brief, partly) for number in range(1, count + 1))
    return next((fault for fault in faults if fault), None) or (_early_fault(plan, enhancement) if partly else None)


def _shot_fault(plan: Plan, number: int, enhancement: Enhancement, brief: Brief, partly: bool) -> str | None:
    steps = _steps(enhancement, number)
    planned = [call_id(number, tool) for tool in steps]
    for tool in planned_tools():
        found, wanted = len(plan.of(number, tool.name)), steps.count(tool.name)
        if tool.optional and found == 1 and fits(tool, number, planned):
            continue
        if found != wanted and wanted and not (partly and found < wanted):
            return f"shot {number} needs exactly one {tool.name} call, and has {found}"
        if found > wanted:
            return f"shot {number} has {found} {tool.name} calls and needs none"
    calls = (call for tool in planned_tools() for call in plan.of(number, tool.name))
    return next((fault for call in calls if (fault := _call_fault(call, number, enhancement, brief))), None)


def _steps(enhancement: Enhancement, number: int) -> list[str]:
    """Return the tools that a shot needs. number: of the shot, from 1."""
    shot, transition = enhancement.shots[number - 1], enhancement.transitions and number < len(enhancement.shots)
    return [tool.name for tool in steps_of(enhancement.task, shot.model_dump(), transition=transition)]


def needed_calls(enhancement: Enhancement) -> list[str]:
    """Return the ids of all calls that the shots of an enhancement need."""
    numbers = range(1, len(enhancement.shots) + 1)
    return [call_id(number, tool) for number in numbers for tool in _steps(enhancement, number)]


def _early_fault(plan: Plan, enhancement: Enhancement) -> str | None:
    """Return a sentence on a call whose input is made by a call of the plan that is not made yet; None if none is."""
    planned = [call_id(call.shot, call.tool) for call in plan.calls]
    needed = needed_calls(enhancement)
    for call in plan.calls:
        needs = needs_of(call.shot, call.tool, call.arguments.model_dump(), [*planned, *needed])
        if early := next((need for need in needs if need not in planned), None):
            shot, tool = early.split(".")
            return f"{call.tool} of shot {call.shot} starts from what {tool} of shot {shot} makes; call that first"
    return None


def _call_fault(call: PlannedCall, number: int, enhancement: Enhancement, brief: Brief) -> str | None:
    arguments = call.arguments.model_dump()
    for name, (allowed, why) in _allowed(call, number, enhancement, brief).items():
        if arguments[name] not in allowed:
            choice = " or ".join(sorted("null" if value is None else str(value).lower() for value in allowed))
            return f"shot {number} {why}, so `{name}` is {choice} in its {call.tool} call"
    return None


Allowed = dict[str, tuple[Sequence[Any], str]]
"""Argument name -> the allowed values and the reason."""


def _allowed(call: PlannedCall, number: int, enhancement: Enhancement, brief: Brief) -> Allowed:
    """Return the allowed values of those arguments of a call that are not prompts."""
    shot, clips = enhancement.shots[number - 1], [clip.id for clip in brief.clips]
    lasts: Allowed = {"seconds": ((shot.seconds,), f"lasts `seconds` {shot.seconds}")}
    if call.tool in ("edit_image", "image_to_video"):
        made = shot.picture is not None or (shot.edit is not None and call.tool == "image_to_video")
        given = [image.id for image in brief.images]
        image = ((None,), "makes its own picture") if made else (given, "begins with a given picture")
        return {"image": image, **(lasts if call.tool == "image_to_video" else {})}
    if call.tool == "extend_video":
        first: Allowed = {"clip": (clips, "begins with the given clip")}
        later: Allowed = {"clip": ((None,), "goes on where the shot before ends")}
        before: Allowed = {"before": ((enhancement.before,), f"has `before` {enhancement.before}".lower())}
        return {**(first if number == 1 else later), **before, **lasts}
    if call.tool == "edit_video":
        motion = "kept" if shot.motion is None else "new"
        return {"clip": (clips, "changes the given clip"), "motion": ((motion,), f"has {motion} motion")}
    if call.tool == "connect_videos" and enhancement.task == "connect":
        why = f"leads from clip {number} to the next one"
        return {"before": ((clips[number - 1],), why), "after": ((clips[number],), why), **lasts}
    if call.tool == "connect_videos":
        why = "leads over to the next one"
        return {"before": ((None,), why), "after": ((None,), why)}
    return dict.fromkeys(TOOLS[call.tool].takes, ((None,), "starts from what it makes itself"))
