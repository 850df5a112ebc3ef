"""Rounds: what is in the folder, that a campaign goes on from anywhere to the same bytes, and what it refuses."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evals.judges.contract import Criterion
from evals.judges.panel import NoPanel
from evals.together.checks import Checks, reason_to_stop
from evals.together.films import Film, make_film, winners
from evals.together.prompts import check_prompts, prompts
from evals.together.rounds import Campaign, Plan
from models.agent import ImageSpec, UInt8Array
from models.backends.loading import weights_digest
from models.embedded import layout
from models.lenders.local import LocalLender
from models.presets import PRESETS
from models.training.together import checkpoint
from models.training.together.settings import EMBEDDED, BadTraining
from support.winners import embedded_path

ROWS = tuple(row for row in PRESETS if row.profile == "embedded")
SHORT = replace(EMBEDDED, steps=2, batch=1, measured=1, frames=1, save_every=1,
                sampling_steps={"text_to_image": 3, "edit_image": 2, "image_to_video": 2})  # fmt: skip
PLAN = Plan(rounds=2, prompts=1, candidates=2, checks=1, variety=2, person="drop",
            candidate_steps={"text_to_image": 2, "edit_image": 2, "image_to_video": 1})  # fmt: skip


@dataclass(frozen=True)
class Brightest:
    """Puts the clip with the most of one colour first, or that with the least."""

    name: str
    channel: int
    sign: int = 1
    criteria: frozenset[Criterion] = frozenset({"lighting", "clarity"})

    def rank(self, clips: Sequence[UInt8Array], prompt: str, criterion: Criterion) -> tuple[int, ...]:
        light = [self.sign * clip[..., self.channel].mean() for clip in clips]
        return tuple(int(i) for i in np.argsort(light)[::-1])


ALIKE = (Brightest("red", 0), Brightest("also red", 0))
UNLIKE = (Brightest("red", 0), Brightest("not red", 0, -1))


def campaign(folder: Path, **changed: Any) -> Campaign:
    given = {"plan": PLAN, "settings": SHORT, "rows": ROWS, "judges": ALIKE, **changed}
    return Campaign(folder, **given)


def digests(folder: Path) -> list[str]:
    rows = (replace(row, weights=str(folder / "profile" / row.role)) for row in ROWS)
    return [weights_digest(row) for row in rows]


class Enough(Exception):
    pass


@pytest.mark.slow
def test_a_campaign_goes_on_from_anywhere_to_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evals.together.rounds.reason_to_stop", lambda history: None)
    heard: list[tuple[str, int, int]] = []
    whole = campaign(tmp_path / "whole", report=lambda *said: heard.append(said)).run()
    assert whole.state == "done" and whole.sentence == "2 rounds are done"
    assert [row.weights for row in whole.rows] == [str(tmp_path / "whole" / "profile" / row.role) for row in ROWS]
    # While the first round is drawn, after its first step, and while the second is judged.
    for stop in (0, 1, 3):

        def report(*said: Any, stop: int = stop) -> None:
            if said == heard[stop] and not (tmp_path / f"heard-{stop}").exists():
                (tmp_path / f"heard-{stop}").touch()
                raise Enough

        with pytest.raises(Enough):
            campaign(tmp_path / "broken", report=report).run()
    assert campaign(tmp_path / "broken").run().state == "done"
    assert digests(tmp_path / "broken") == digests(tmp_path / "whole")
    for path in sorted((tmp_path / "whole").rglob("*.json")):
        if "ranking" not in path.name:  # these hold seconds
            assert path.read_bytes() == (tmp_path / "broken" / path.relative_to(tmp_path / "whole")).read_bytes()
    with LocalLender("embedded", device="cpu", table=whole.rows).lend("text_to_image") as draw:
        spec = ImageSpec("a red ball grows in the sea", 1, num_inference_steps=2)
        tuned = draw(spec, progress=lambda *_: None).pixels
    with LocalLender("embedded", device="cpu").lend("text_to_image") as draw:
        assert not np.array_equal(draw(spec, progress=lambda *_: None).pixels, tuned)


@pytest.mark.slow
def test_a_film_comes_back_as_it_was_and_teaches_what_was_asked(tmp_path: Path) -> None:
    lender, asked = LocalLender("embedded", device="cpu"), prompts(1, seed=0, round_=0)
    made = make_film(lender, asked[0], 7, {"text_to_image": 4, "image_to_video": 2})
    made.write(tmp_path / "film")
    read = Film.read(tmp_path / "film")
    for one, other in ((made.picture, read.picture), (made.frames, read.frames), (made.layout, read.layout)):
        assert np.array_equal(one, other)
    assert np.array_equal(read.frames[0], read.picture)
    a2, a4 = embedded_path()
    data = winners([read], asked)
    assert a4.small_losses(data)["pace"] < 0.02, "the film moves as its sentence says"
    seen = layout.locate(a4.pipeline.locator, a2.target(data))
    assert (seen - data.layouts).abs().max() < 0.05, "and begins where A2 meant to draw"


@pytest.mark.slow
def test_a_person_is_waited_for_and_may_reject_all(tmp_path: Path) -> None:
    plan = replace(PLAN, person="ask", rounds=1, prompts=2)
    asked = campaign(tmp_path, plan=plan, judges=UNLIKE)
    waits = asked.run()
    assert (waits.state, waits.waiting) == ("waiting", ((0, 0), (0, 1)))
    assert not (tmp_path / "round-00" / "training").exists()
    with pytest.raises(BadTraining, match="choose a candidate from 0 to 1, or none of them"):
        asked.choose(0, 0, 2)
    with pytest.raises(BadTraining, match="round 0 has no set 7 to choose in"):
        asked.choose(0, 7, 1)
    asked.choose(0, 0, 1)
    assert asked.run().waiting == ((0, 1),)
    asked.choose(0, 1, None)
    asked.run()
    assert asked._winners(0) == [(0, 0, 1)], "the rejected set is dropped"
    stored = checkpoint.load(tmp_path / "round-00" / "training")
    assert stored is not None and stored[1]["step"] == SHORT.steps


@pytest.mark.slow
def test_a_round_without_a_winner_stops(tmp_path: Path) -> None:
    outcome = campaign(tmp_path, judges=UNLIKE, plan=PLAN).run()
    assert outcome.state == "stopped" and outcome.sentence.startswith("round 1 has no winner")
    assert weights_digest(outcome.rows[0]) == weights_digest(ROWS[0])


@pytest.mark.slow
def test_other_settings_another_trainer_and_a_lone_judge_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoPanel, match="two judges at least, not 1"):
        campaign(tmp_path / "new", judges=ALIKE[:1]).run()
    other = Brightest("blue", 2, criteria=frozenset({"realism"}))
    with pytest.raises(NoPanel, match="red and blue have no criterion in common"):
        campaign(tmp_path / "new", judges=(ALIKE[0], other)).run()
    assert not (tmp_path / "new").exists()

    def stop(*_: Any) -> None:
        raise Enough

    begun = campaign(tmp_path, plan=PLAN, report=stop)
    with pytest.raises(Enough):
        begun.run()
    with pytest.raises(
        BadTraining, match=r"begun with rate 0\.0003, not 0\.1, plan candidates 2, not 3; give the same"
    ):
        campaign(tmp_path, plan=replace(PLAN, candidates=3), settings=replace(SHORT, rate=0.1)).run()
    with checkpoint.alone(tmp_path), pytest.raises(BadTraining, match="another training is writing to"):
        begun.run()


@pytest.mark.slow
def test_a_path_with_an_edit(tmp_path: Path) -> None:
    plan = replace(PLAN, rounds=1, edited=True)
    outcome = campaign(tmp_path, plan=plan).run()
    assert outcome.state in ("done", "stopped") and (tmp_path / "round-00" / "agents" / "edit_image").is_dir()
    film = Film.read(tmp_path / "round-00" / "films" / "000-0.safetensors")
    assert film.edited is not None and np.array_equal(film.edited, film.frames[0])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"candidates": 1}, "candidates must be 2 or more"),
        ({"mix": 1.0}, r"mix must be 0 or more and below 1, not 1\.0"),
    ],
)
def test_plans_that_cannot_be_are_refused(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(BadTraining, match=words):
        Plan(**changed)


def test_no_round_repeats_another_and_none_is_held_out() -> None:
    rounds = [each for r in range(4) for each in prompts(16, seed=1, round_=r, edited=True)]
    checks = check_prompts(48, seed=1, edited=True)
    assert len({each.scenery for each in rounds} | {each.scenery for each in checks}) == 64 + 48
    assert not any(each.scenery.held_out or each.shown.held_out for each in (*rounds, *checks))
    assert prompts(16, seed=1, round_=0) != prompts(16, seed=2, round_=0)


def test_half_of_the_mix_are_earlier_winners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = campaign(tmp_path, plan=replace(PLAN, prompts=16))
    monkeypatch.setattr(Campaign, "_winners", lambda self, r: [(r, one, 0) for one in range(16)])
    assert made._kept_out() == [(0, 7, 0), (0, 15, 0)]
    mixed = made._mixed(2)
    assert mixed == made._mixed(2) and len(mixed) == len(set(mixed)) == 32
    assert sum(r == 2 for r, _, _ in mixed) == 16 and not set(mixed) & set(made._kept_out())


START = Checks(spread=0.19, distance=20.0, success=0.8)


@pytest.mark.parametrize(
    ("later", "words"),
    [
        ([replace(START, spread=0.13)], "the places drawn for a prompt are less various: 0.130 of 0.190"),
        ([replace(START, distance=13.0)], "the films of a prompt are less various"),
        ([replace(START, success=0.74)], "fewer films show what was asked: 0.74 of 0.80"),
        ([replace(START, loss=v) for v in (0.01, 0.02, 0.03)], "rose twice, to 0.0300"),
        ([replace(START, loss=v) for v in (0.02, 0.01, 0.03)], None),
        ([replace(START, spread=0.14, distance=14.5, success=0.76)], None),
    ],
)
def test_when_to_stop(later: list[Checks], words: str | None) -> None:
    reason = reason_to_stop([START, *later])
    assert reason is None if words is None else reason is not None and words in reason
