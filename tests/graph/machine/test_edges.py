"""What comes next, from the state alone."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from langgraph.types import Send

from graph.machine.edges import after_review, next_tool_tasks, seed_of
from graph.state.channels import Call, Judged, Limits, RunState, Take, add_takes, add_verdicts
from graph.state.takes import chosen

LIMITS = Limits(repeats=3)
YES, NO = Judged(ok=True, reason="it shows something"), Judged(ok=False, reason="all black")


def picture(shot: int) -> Call:
    return Call(id=f"{shot}.text_to_image", shot=shot, tool="text_to_image", arguments={"prompt": "a fox"}, needs=[])


def motion(shot: int, *, image: str | None = None) -> Call:
    needs = [] if image else [f"{shot}.text_to_image"]
    arguments: dict[str, Any] = {"prompt": "it moves right", "image": image}
    return Call(id=f"{shot}.image_to_video", shot=shot, tool="image_to_video", arguments=arguments, needs=needs)


def state_of(*calls: Call, seed: int = 5, verdicts: dict[str, list[Judged | None]] | None = None) -> RunState:
    """A state where call ids have takes with these verdicts (None: not judged), in order."""
    told = verdicts or {}
    takes = {
        call: [Take(artifact=f"{call}#{attempt}", seed=attempt, attempt=attempt) for attempt in range(len(each))]
        for call, each in told.items()
    }
    judged = {f"{call}#{n}": word for call, each in told.items() for n, word in enumerate(each) if word is not None}
    return RunState(request={"prompt": "", "seed": seed}, calls=list(calls), takes=takes, verdicts=judged)


def ready(state: RunState, limits: Limits = LIMITS) -> list[tuple[str, int, list[str]]]:
    return [
        (tool_task["call"]["id"], tool_task["attempt"], tool_task["inputs"])
        for tool_task in next_tool_tasks(state, limits)
    ]


def test_pictures_come_before_the_motions_that_need_them() -> None:
    state = state_of(picture(1), motion(1), picture(2), motion(2))
    assert ready(state) == [("1.text_to_image", 0, []), ("2.text_to_image", 0, [])]


def test_a_state_without_takes_is_one_where_nothing_was_made() -> None:
    state = RunState(request={"prompt": "", "seed": 1}, calls=[picture(1), motion(1)])
    assert ready(state) == [("1.text_to_image", 0, [])]


def test_a_motion_with_a_given_picture_waits_for_nobody() -> None:
    assert ready(state_of(motion(1, image="image-given"))) == [("1.image_to_video", 0, ["image-given"])]


def test_an_accepted_picture_frees_its_own_motion_only() -> None:
    state = state_of(
        picture(1), motion(1), picture(2), motion(2), verdicts={"1.text_to_image": [YES], "2.text_to_image": [NO]}
    )
    assert ready(state) == [("1.image_to_video", 0, ["1.text_to_image#0"]), ("2.text_to_image", 1, [])]


def test_a_take_that_nobody_judged_frees_nothing() -> None:
    assert chosen(state_of(picture(1), verdicts={"1.text_to_image": [None]}), "1.text_to_image", LIMITS) is None


def test_the_last_of_the_repeats_stands_whatever_it_is() -> None:
    worn = state_of(picture(1), motion(1), verdicts={"1.text_to_image": [NO] * 4})
    assert ready(worn) == [("1.image_to_video", 0, ["1.text_to_image#3"])]
    assert ready(worn, Limits(repeats=4)) == [("1.text_to_image", 4, [])]
    none_left = state_of(picture(1), verdicts={"1.text_to_image": [NO]})
    assert ready(none_left, Limits(repeats=0)) == []


@given(repeats=st.integers(0, 5), goods=st.lists(st.integers(0, 6), min_size=1, max_size=4), seed=st.integers(0, 2**63))
def test_every_plan_ends_with_bounded_repeats_and_seeds_of_their_own(repeats: int, goods: list[int], seed: int) -> None:
    """goods: how many products of each shot's picture are bad before one is good; its clip is the other way round."""
    limits = Limits(repeats=repeats)
    bad = {f"{shot}.text_to_image": good for shot, good in enumerate(goods, 1)}
    bad |= {f"{shot}.image_to_video": 6 - good for shot, good in enumerate(goods, 1)}
    state = state_of(*(call for shot in range(1, len(goods) + 1) for call in (picture(shot), motion(shot))), seed=seed)
    seeds: list[int] = []
    for _ in range(2 * (repeats + 1) + 1):
        tool_tasks = next_tool_tasks(state, limits)
        if not tool_tasks:
            break
        for tool_task in tool_tasks:
            call, attempt = tool_task["call"]["id"], tool_task["attempt"]
            seeds.append(tool_task["seed"])
            artifact = f"{call}#{attempt}"
            take = Take(artifact=artifact, seed=tool_task["seed"], attempt=attempt)
            state["takes"] = add_takes(state["takes"], {call: [take]})
            state["verdicts"] = add_verdicts(state["verdicts"], {artifact: YES if attempt >= bad[call] else NO})
    assert next_tool_tasks(state, limits) == []
    assert len(set(seeds)) == len(seeds)
    assert {call: len(takes) for call, takes in state["takes"].items()} == {
        call: min(bads, repeats) + 1 for call, bads in bad.items()
    }


def test_seeds_are_the_same_in_every_version_and_fit_a_signed_word() -> None:
    assert seed_of(5, picture(1), 0) == 5270005392045530580
    drawn = {seed_of(seed, call, attempt) for seed in (0, 1) for call in (picture(1), motion(1)) for attempt in (0, 1)}
    assert len(drawn) == 8
    assert all(0 <= seed < 2**63 for seed in drawn)


def test_after_review_sends_each_ready_call_to_act_and_then_the_film() -> None:
    state = state_of(picture(1), motion(1), picture(2), motion(2))
    sends = after_review(state, LIMITS)
    assert isinstance(sends, list)
    assert all(isinstance(send, Send) and send.node == "act" for send in sends)
    assert [send.arg["call"]["id"] for send in sends] == ["1.text_to_image", "2.text_to_image"]
    done = state_of(picture(1), motion(1), verdicts={"1.text_to_image": [YES], "1.image_to_video": [NO, YES]})
    assert after_review(done, LIMITS) == "assemble"


def test_the_same_attempt_twice_counts_once_and_order_is_of_attempts() -> None:
    zero, one = Take(artifact="a", seed=1, attempt=0), Take(artifact="b", seed=2, attempt=1)
    known = {"1.text_to_image": [one]}
    assert add_takes(known, {"1.text_to_image": [zero, one]}) == {"1.text_to_image": [zero, one]}
    assert known == {"1.text_to_image": [one]}, "a reducer changed what the checkpoint holds"
