"""Every task with agents that draw ground truth, and with ones that err in a known way: the figure must be that."""

import io
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from evals.world import wishes
from evals.world.benchmark import TASKS, evaluate_world
from evals.world.cases import KINDS, cases, continued_track, edit_cases, join_cases, place
from evals.world.gallery import Gallery, destinations, failure_sheet
from evals.world.measures import OFF_SIZE, OFF_TRACK, background_db, follows
from evals.world.results import DIGITAL, EVERYTHING, Report, Seen, accumulation
from evals.world.tasks import BACKGROUND, ENDS, EVENNESS, FIRST, LAST, NEW_STEP, NO_JUMP, OUTSIDE, SMOOTH, UNDERSTOOD
from models.embedded.language import Edit, Scenery
from models.embedded.oracle import look
from models.embedded.world import Track, onward, render
from support.world_agents import Editor, Joiner, Plug, Renderer
from tools.errors import BadInput

N = 20


def shares(report: Report, part: str) -> dict[str, float | None]:
    return {name: estimate.value for name, estimate in report.of(part, "held-out").shares.items()}


def chain(report: Report) -> dict[str, float | None]:
    return {link.agents: link.right.value for link in report.chains}


@pytest.mark.parametrize("task", [task for task in TASKS if task != "wishes"])
def test_agents_that_draw_the_truth_are_all_right(task: Any) -> None:
    told: list[tuple[str, int, int]] = []
    gallery, n = Gallery(each=2), 10
    report = evaluate_world(Plug(), n=n, task=task, progress=lambda *step: told.append(step), watch=gallery)
    for scores in report.scores:
        assert {name: share.value for name, share in scores.shares.items()} == dict.fromkeys(scores.shares, 1.0)
        assert (scores.part, n, n) in told and scores.shares[EVERYTHING].n == n
    assert report.failures == () and len(told) == n * len(report.scores)
    alone = [link.right.value for link in report.chains if "A1" not in link.agents]
    assert alone == [1.0] * len(alone)
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert Image.open(io.BytesIO(failure_sheet(gallery.rows))).width >= 16 * 64


def test_an_editor_that_forgets_the_second_of_two_changes() -> None:
    def careless(edit: Edit, after: Scenery) -> Scenery:
        two = bool(edit.colour) + bool(edit.object) + bool(edit.scene) + edit.digital == 2
        return replace(after, digital=False) if two and edit.digital else after

    report = evaluate_world(Plug(edit=Editor(careless)), n=60, task="edit")
    asked = edit_cases(60, held_out=True, seed=0)
    lost = [one for one in asked if one.kind == "two at once" and one.edit.digital]
    assert 0 < len(lost) < 12
    seen = shares(report, "edited picture")
    assert seen["named changed"] == seen[EVERYTHING] == pytest.approx(1 - len(lost) / 60)
    assert seen["unnamed kept"] == 1.0
    assert [seen[f"all: {kind}"] for kind in KINDS] == [1, 1, 1, 1, pytest.approx(1 - len(lost) / 12)]
    assert {failure.sentence.split(": ")[1] for failure in report.failures} == {one.edit.instruction for one in lost}


def test_an_editor_that_changes_what_it_was_not_asked_to() -> None:
    report = evaluate_world(Plug(edit=Editor(lambda _edit, after: replace(after, colour="red"))), n=N, task="edit")
    asked = edit_cases(N, held_out=True, seed=0)
    spoilt = sum(not one.edit.colour and one.after.colour != "red" for one in asked)
    missed = sum(one.edit.colour not in (None, "red") for one in asked)
    seen = shares(report, "edited picture")
    assert (seen["unnamed kept"], seen["named changed"]) == (1 - spoilt / N, 1 - missed / N)
    assert seen[EVERYTHING] == pytest.approx(1 - (spoilt + missed) / N)
    assert 0 < (chain(report)["A1, A3"] or 0) <= seen[EVERYTHING]


def test_a_background_counts_only_where_it_was_to_be_kept() -> None:
    report = evaluate_world(Plug(edit=Editor(tint=-20)), n=N, task="edit")
    kept = [one for one in edit_cases(N, held_out=True, seed=0) if not one.edit.scene and not one.edit.digital]
    scores = report.of("edited picture", "held-out")
    share, level = scores.shares[BACKGROUND], scores.levels[OUTSIDE]
    assert (share.n, level.mean.n) == (len(kept), len(kept)) and 0 < len(kept) < N
    # Only the night is too dark to lose 20 levels everywhere.
    assert (share.value or 0) < 0.2 and level.least == pytest.approx(22.1, abs=0.2) and level.most < 27
    assert scores.shares[EVERYTHING].value == 1.0, "a background off by 20 levels is told and does not decide"


def test_a_clip_loses_its_motion_and_only_that() -> None:
    frozen = Renderer(mind=lambda s: replace(s, motion="stays still"))
    report = evaluate_world(Plug(video=frozen), n=N, task="image-to-video")
    still = sum(one.after.motion == "stays still" for one in edit_cases(N, held_out=True, seed=0))
    seen = shares(report, "edited, animated")
    assert seen["motion"] == seen[EVERYTHING] == still / N and seen["object"] == 1.0
    links = chain(report)
    assert links["A1"] == links["A1, A3"] is not None
    assert (links["A1, A3, A4"] or 0) <= still / N
    assert links["A4 on a true frame"] == shares(report, "from truth")[EVERYTHING]


def test_an_editor_that_fails_on_a_frame_fails_the_clip() -> None:
    report = evaluate_world(Plug(edit=Editor(refuses="scene")), n=10, task="edit-video")
    scenes = sum(one.edit.scene is not None for one in edit_cases(10, held_out=True, seed=0))
    seen = shares(report, "edited clip")
    assert {seen[name] for name in ("named changed", "unnamed kept", "motion", EVERYTHING)} == {1 - scenes / 10}
    assert all("change the scene" in (failure.error or "") for failure in report.failures)


def test_an_extension_that_stands_still_is_right_at_the_border_only() -> None:
    report = evaluate_world(Plug(video=Renderer(mind=lambda s: replace(s, motion="stays still"))), n=40, task="extend")
    away = []
    for case in cases(40, held_out=True, seed=0):
        way = continued_track(case.scenery.motion, place(case.track, -1))
        moved, grown = np.hypot(way.x - way.x[0], way.y - way.y[0]), np.abs(np.log2(way.radius / way.radius[0]))
        away.append(max(moved.mean() / OFF_TRACK, grown.mean() / OFF_SIZE))
    # The oracle finds a small star in blocks up to an eighth too large.
    surely, perhaps = (sum(one <= bound for one in away) for bound in (0.5, 1.1))
    seen = shares(report, "extension")
    assert 0 < surely <= 40 * (seen["motion"] or 0) <= perhaps < 40
    assert {seen[name] for name in ("object", "colour", "scene", "style", SMOOTH)} == {1.0}
    links = chain(report)
    assert list(links) == ["A1", "A1, A4", "A1, A4, A4 again"]
    assert (links["A1, A4"] or 0) <= (seen[EVERYTHING] or 0)


def test_an_extension_that_jumps_is_told_and_does_not_decide() -> None:
    report = evaluate_world(Plug(video=Renderer(lags=0.04)), n=N, task="extend")
    seen = shares(report, "extension")
    assert (seen[SMOOTH] or 0) <= 0.6 and seen["motion"] == seen[EVERYTHING] == 1.0
    assert report.of("extension", "held-out").levels[NEW_STEP].most > 2


def test_a_transition_that_ends_in_another_colour() -> None:
    report = evaluate_world(Plug(join=Joiner(lambda s: replace(s, colour="red"))), n=N, task="connect")
    asked = join_cases(N, held_out=True, seed=0)
    red = sum(one.case.scenery.colour == one.after.colour == "red" for one in asked)
    seen = shares(report, "transition")
    assert seen[ENDS] == red / N
    assert (seen[FIRST] or 0) < 1 and (seen[LAST] or 0) < 1


def test_a_transition_that_cuts_jumps() -> None:
    report = evaluate_world(Plug(join=Joiner(power=50.0)), n=N, task="connect")
    seen = shares(report, "transition")
    assert (seen[FIRST], seen[LAST], seen[ENDS]) == (1.0, 1.0, 1.0)
    assert seen[NO_JUMP] == seen[EVERYTHING] and (seen[NO_JUMP] or 0) < 0.7
    assert report.of("transition", "held-out").levels[EVENNESS].most > 10


def test_a_style_that_is_never_drawn() -> None:
    plain = Renderer(mind=lambda s: replace(s, digital=False))
    plug = Plug(image=plain, edit=Editor(lambda _edit, after: replace(after, digital=False)))
    report = evaluate_world(plug, n=8, task="simulate")
    first, edited = shares(report, "first frame"), shares(report, "edited picture")
    assert (first[DIGITAL], first["style"], first["object"]) == (0.0, 0.0, 1.0)
    assert (edited["named changed"], edited["unnamed kept"]) == (0.0, 1.0)
    assert {chain(report)[agents] for agents in ("A1, A2", "A1, A2, A4", "A1, A3", "A1, A3, A4")} == {0.0}


def test_a_reader_is_marked_by_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    read = wishes.read

    def colour_blind(wish: str, seed: int) -> Any:
        seen = read(wish, seed)
        if "star" in wish:
            return "There are no stars here."
        return seen if isinstance(seen, str) else seen.model_copy(update={"colour": "red"})

    monkeypatch.setattr(wishes, "read", colour_blind)
    report = evaluate_world(Plug(), n=40, task="wishes")
    scores = report.of("wish read", "held-out").shares
    understood = scores[UNDERSTOOD]
    assert (understood.n, scores["colour"].n) == (40, round(40 * (understood.value or 0)))
    assert 0 < scores["colour"].n < 40 and (scores["colour"].value or 0) < 0.5 and scores["scene"].value == 1.0
    assert any(failure.error == "There are no stars here." for failure in report.failures)


def test_wishes_say_everything_in_many_words() -> None:
    said = [wishes.wish_for(case.scenery, case.seed) for case in cases(300, held_out=True, seed=0)]
    assert len(set(said)) > 290 and not any("  " in wish or "{" in wish for wish in said)
    assert said == [wishes.wish_for(case.scenery, case.seed) for case in cases(300, held_out=True, seed=0)]
    right = [isinstance(wishes.read(wish, 0), Seen) for wish in said]
    assert sum(right) > 200


def test_mistakes_enter_where_they_are_made() -> None:
    blind = Renderer(mind=lambda s: replace(s, colour="red"))
    report = evaluate_world(Plug(image=blind), n=N, task="text-to-video")
    links = chain(report)
    assert list(links) == ["A1", "A1, A2", "A1, A2, A4"]
    assert all((one or 0) >= (two or 0) for one, two in pairwise(links.values()))
    assert (links["A1, A2"] or 0) <= sum(c.scenery.colour == "red" for c in cases(N, held_out=True, seed=0)) / N
    assert shares(report, "clip")[EVERYTHING] == 1.0, "A4 drew over the mistake, which still counts in the chain"
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(accumulation([report]))
    assert "A1, A2, A4" in console.export_text()


def test_edits_are_of_every_kind_and_change_something() -> None:
    asked = edit_cases(100, held_out=True, seed=0)
    assert [one.kind for one in asked[:5]] == list(KINDS)
    assert all(one.after != one.case.scenery and one.case.scenery.held_out for one in asked)
    assert len({one.edit.instruction for one in asked}) > 30
    two = [one.edit for one in asked if one.kind == "two at once"]
    assert {bool(e.colour) + bool(e.object) + bool(e.scene) + e.digital for e in two} == {2}
    assert any(one.digital for one in two)
    assert asked == edit_cases(100, held_out=True, seed=0) != edit_cases(100, held_out=True, seed=1)


def test_joins_differ_in_everything_that_may_differ() -> None:
    asked = join_cases(60, held_out=True, seed=0)
    before, after = [one.case.scenery for one in asked], [one.after for one in asked]
    for aspect in ("object", "colour", "scene", "digital"):
        same = sum(getattr(one, aspect) == getattr(two, aspect) for one, two in zip(before, after, strict=True))
        assert 0 < same < 60
    stays = sum(one.start[:2] == place(one.case.track, -1)[:2] for one in asked)
    assert 10 < stays < 50
    one, two = asked[0].clips()
    assert one.shape == two.shape and look(two).object == asked[0].after.object


def test_going_on_is_what_the_world_does() -> None:
    for case in cases(60, held_out=True, seed=0):
        where = onward(case.scenery, np.random.default_rng(case.seed))
        again = continued_track(case.scenery.motion, place(where, 0))
        for name in ("x", "y", "radius"):
            assert getattr(again, name) == pytest.approx(getattr(where, name), abs=1e-5)


def test_following_is_told_from_lagging() -> None:
    case = next(c for c in cases(60, held_out=True, seed=0) if c.scenery.motion == "moves right")
    saw = look(case.truth())
    assert follows(saw, case.track)
    assert not follows(saw, replace(case.track, x=case.track.x + np.float32(0.06)))
    assert not follows(saw, replace(case.track, radius=case.track.radius * np.float32(1.3)))
    assert not follows(look(case.truth()[:8]), case.track)


def test_a_background_ends_at_the_object() -> None:
    s = Scenery("box", "red", "snow", "stays still")
    here = Track(*(np.array([value], dtype=np.float32) for value in (0.5, 0.5, 0.15)))
    before, after = render(s, here)[0], render(replace(s, object="star", colour="blue"), here)[0]
    assert background_db(before, after, here, 0) == pytest.approx(58.92, abs=0.01)
    assert background_db(before, render(replace(s, scene="sea"), here)[0], here, 0) < 20
    assert background_db(before, after[:32], here, 0) == 0.0


def test_every_task_has_a_sheet_of_its_own(tmp_path: Any) -> None:
    sheet = tmp_path / "sheet.png"
    assert destinations(None, TASKS) == {} and destinations(sheet, ("edit",)) == {"edit": sheet}
    names = destinations(sheet, TASKS)
    assert names["edit-video"] == tmp_path / "sheet-edit-video.png" and "wishes" not in names
    with pytest.raises(BadInput, match="no sheet of frames"):
        destinations(sheet, ("wishes",))
    with pytest.raises(BadInput, match=r"\.png"):
        destinations(tmp_path / "sheet.jpg", ("edit",))
